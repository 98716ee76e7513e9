//! One writes, others receive: all in this process, each with a folder and a connection of its own.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use automerge::{Change, ChangeHash};
use futures::StreamExt as _;
use samod::{DocHandle, DocumentId, Repo};
use serde_json::json;
use tokio::task::JoinSet;

use crate::counted::connect;
use crate::folder::open;
use crate::pieces::{asked_to_end, changes, ids, say};

/// Has one write and others receive, and says how long each edit took to the last of them.
pub(crate) async fn fanout(
    folder: &str,
    port: u16,
    ids_file: &str,
    changes_file: &str,
    readers: usize,
    rate: u32,
) -> anyhow::Result<()> {
    let id = ids(ids_file)?
        .into_iter()
        .next()
        .context("there is no document")?;
    let edits = changes(changes_file)?;
    let edits = edits.into_iter().map(|(_, edit)| edit).collect::<Vec<_>>();
    let places = edits
        .iter()
        .enumerate()
        .map(|(place, edit)| (edit.hash(), place));
    let places = Arc::new(places.collect::<HashMap<_, _>>());
    let count = edits.len();

    let (_repo, writer) = join(&Path::new(folder).join("writer"), port, &id).await?;
    let mut following = JoinSet::new();
    let mut repos = Vec::new();
    let mut reached = Vec::new();
    for number in 0..readers {
        let folder = Path::new(folder).join(format!("reader-{number}"));
        let (repo, reader) = join(&folder, port, &id).await?;
        repos.push(repo);
        let edits = Arc::new(AtomicUsize::new(0));
        reached.push(Arc::clone(&edits));
        following.spawn(follow(reader, Arc::clone(&places), edits));
    }
    tokio::time::sleep(Duration::from_millis(500)).await;

    let progress = tokio::spawn(report(reached, count));
    let commits = tokio::task::spawn_blocking(move || write(&writer, edits, rate)).await??;
    let mut last = commits.clone();
    while let Some(times) = following.join_next().await {
        let times = times?;
        ensure!(times.len() == count, "a reader got {} edits of {count}", times.len());
        for (last, time) in last.iter_mut().zip(times) {
            *last = time.max(*last);
        }
    }
    progress.abort();
    let wall = last.iter().max().zip(commits.first());
    let wall = wall.map(|(last, first)| last.duration_since(*first));
    let delays = last.iter().zip(&commits);
    let delays = delays.map(|(last, commit)| milliseconds(last.duration_since(*commit)));
    say(&json!({
        "wall_ms": wall.map(milliseconds), "delays_ms": delays.collect::<Vec<_>>()
    }));
    asked_to_end().await
}

async fn join(folder: &Path, port: u16, id: &DocumentId) -> anyhow::Result<(Repo, DocHandle)> {
    let repo = open(folder).await;
    connect(&repo, port).await?;
    let handle = repo.find(id.clone()).await?;
    Ok((
        repo,
        handle.context("the server does not have the document")?,
    ))
}

/// Notes when each edit arrived.
async fn follow(
    reader: DocHandle,
    places: Arc<HashMap<ChangeHash, usize>>,
    reached: Arc<AtomicUsize>,
) -> Vec<Instant> {
    let mut times = Vec::with_capacity(places.len());
    let mut changed = reader.changes();
    while times.len() < places.len() {
        let Some(change) = changed.next().await else {
            break;
        };
        let now = Instant::now();
        let newest = change.new_heads.iter().filter_map(|head| places.get(head));
        if let Some(newest) = newest.max() {
            times.resize(times.len().max(newest + 1), now);
        }
        reached.store(times.len(), Ordering::Relaxed);
    }
    times
}

/// Makes the edits, so many a second or as fast as it goes.
fn write(writer: &DocHandle, edits: Vec<Change>, rate: u32) -> anyhow::Result<Vec<Instant>> {
    let begun = Instant::now();
    let mut commits = Vec::with_capacity(edits.len());
    for edit in edits {
        if rate > 0 {
            let due = Duration::from_secs(commits.len() as u64) / rate;
            std::thread::sleep(due.saturating_sub(begun.elapsed()));
        }
        commits.push(Instant::now());
        writer.with_document(|document| document.apply_changes([edit]))?;
    }
    Ok(commits)
}

async fn report(reached: Vec<Arc<AtomicUsize>>, of: usize) {
    loop {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let least = reached
            .iter()
            .map(|edits| edits.load(Ordering::Relaxed))
            .min();
        let least = least.unwrap_or(0);
        let progress = format!("{least} of {of} edits are at all {} readers", reached.len());
        say(&json!({ "progress": progress }));
    }
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1_000.0
}
