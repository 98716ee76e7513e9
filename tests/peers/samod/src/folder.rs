//! What is done with a folder alone: filling it, serving it, and counting what it holds.

use std::fs;

use anyhow::Context as _;
use automerge::ReadDoc as _;
use samod::storage::TokioFilesystemStorage;
use samod::{Repo, Transport, Url};
use serde_json::json;
use tokio::net::TcpListener;

use crate::pieces::{asked_to_end, documents, ids, say};

/// The repo in a folder, with samod's own settings.
pub(crate) async fn open(folder: impl AsRef<std::path::Path>) -> Repo {
    Repo::build_tokio()
        .with_storage(TokioFilesystemStorage::new(folder))
        .load()
        .await
}

/// Puts documents into an empty folder, and writes their ids down.
pub(crate) async fn seed(folder: &str, file: &str, ids: &str) -> anyhow::Result<()> {
    let repo = open(folder).await;
    let mut written = Vec::new();
    for document in documents(file)? {
        let handle = repo.create(document).await?;
        written.push(handle.document_id().to_string());
    }
    repo.stop().await;
    fs::write(ids, serde_json::to_vec(&written)?)?;
    say(&json!({ "documents": written.len() }));
    Ok(())
}

/// Serves a folder until standard input ends.
pub(crate) async fn serve(folder: &str) -> anyhow::Result<()> {
    let repo = open(folder).await;
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let port = listener.local_addr()?.port();
    let acceptor = repo.make_acceptor(Url::parse(&format!("tcp://127.0.0.1:{port}"))?)?;
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            // As samod's own dialer leaves it, and without waiting for more to send.
            let accepted = stream
                .set_nodelay(true)
                .map(|()| acceptor.accept(Transport::from_tokio_io(stream)));
            if let Ok(Err(stopped)) = accepted {
                eprintln!("{stopped:?}");
            }
        }
    });
    say(&json!({ "port": port }));
    asked_to_end().await?;
    repo.stop().await;
    Ok(())
}

/// Says how many changes a folder holds.
pub(crate) async fn held(folder: &str, file: &str) -> anyhow::Result<()> {
    let repo = open(folder).await;
    let mut changes = 0;
    for id in ids(file)? {
        if let Some(handle) = repo.find(id).await? {
            changes += handle.with_document(|document| document.stats().num_changes);
        }
    }
    say(&json!({ "changes": changes }));
    fs::metadata(folder).context("there is no such folder")?;
    Ok(())
}
