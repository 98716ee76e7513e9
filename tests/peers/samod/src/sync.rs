//! Making documents equal here and at a server.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::Context as _;
use automerge::ReadDoc as _;
use futures::StreamExt as _;
use samod::DocumentId;
use serde_json::json;

use crate::counted::connect;
use crate::folder::open;
use crate::pieces::{asked_to_end, changes, ids, say};

/// Makes documents equal here and at the server, so many at once.
pub(crate) async fn sync(
    folder: &str,
    port: u16,
    ids_file: &str,
    at_once: usize,
    changes: Option<&str>,
) -> anyhow::Result<()> {
    let ids = ids(ids_file)?;
    // Made and stored before anyone is connected: stopping waits for what is being stored.
    if let Some(file) = changes {
        edit(folder, &ids, file).await?;
    }
    let repo = open(folder).await;
    let (connection, tally) = connect(&repo, port).await?;
    let equal = Arc::new(AtomicUsize::new(0));
    let progress = tokio::spawn(report(Arc::clone(&equal), ids.len()));
    let finding = ids.into_iter().map(|id| {
        let (found, equal) = (repo.find(id.clone()), Arc::clone(&equal));
        async move {
            let handle = found
                .await?
                .with_context(|| format!("document {id} is unavailable"))?;
            handle.we_have_their_changes(connection).await;
            handle.they_have_our_changes(connection).await;
            equal.fetch_add(1, Ordering::Relaxed);
            anyhow::Ok(handle)
        }
    });
    let handles = futures::stream::iter(finding)
        .buffer_unordered(at_once)
        .collect::<Vec<_>>()
        .await;
    let wall = tally.opened()?.elapsed();
    let (sent, received) = (&tally.sent, &tally.received);
    let (sent, received) = (
        sent.load(Ordering::Relaxed),
        received.load(Ordering::Relaxed),
    );
    progress.abort();
    let handles = handles.into_iter().collect::<anyhow::Result<Vec<_>>>()?;
    // From here on the server may be killed.
    say(&json!({
        "wall_ms": wall.as_secs_f64() * 1_000.0, "bytes_sent": sent, "bytes_received": received
    }));
    asked_to_end().await?;
    let count = |handle: &samod::DocHandle| handle.with_document(|it| it.stats().num_changes);
    let held = handles.iter().map(count).sum::<u64>();
    repo.stop().await;
    say(&json!({ "changes": held }));
    Ok(())
}

async fn edit(folder: &str, ids: &[DocumentId], file: &str) -> anyhow::Result<()> {
    let mut news = BTreeMap::<usize, Vec<_>>::new();
    for (place, change) in changes(file)? {
        news.entry(place).or_default().push(change);
    }
    let repo = open(folder).await;
    for (place, made) in news {
        let id = ids.get(place).context("a change of no document")?.clone();
        let handle = repo
            .find(id)
            .await?
            .context("a changed document is not here")?;
        handle.with_document(|document| document.apply_changes(made))?;
    }
    repo.stop().await;
    Ok(())
}

async fn report(equal: Arc<AtomicUsize>, of: usize) {
    loop {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let equal = equal.load(Ordering::Relaxed);
        say(&json!({ "progress": format!("{equal} of {of} documents are equal") }));
    }
}
