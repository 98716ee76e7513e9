//! The files that the benchmark hands over, and the lines that it is answered with.

use std::fs;

use anyhow::Context as _;
use automerge::{Automerge, Change};
use samod::DocumentId;
use serde_json::Value;
use tokio::io::AsyncBufReadExt as _;

/// The documents of a file: each as its length in 32 bits and the saved document.
pub(crate) fn documents(file: &str) -> anyhow::Result<Vec<Automerge>> {
    let bytes = fs::read(file)?;
    let mut rest = bytes.as_slice();
    let mut documents = Vec::new();
    while !rest.is_empty() {
        documents.push(Automerge::load(piece(&mut rest)?)?);
    }
    Ok(documents)
}

/// The changes of a file: each as its document's place and its length in 32 bits, and the change.
pub(crate) fn changes(file: &str) -> anyhow::Result<Vec<(usize, Change)>> {
    let bytes = fs::read(file)?;
    let mut rest = bytes.as_slice();
    let mut changes = Vec::new();
    while !rest.is_empty() {
        let place = number(&mut rest)?;
        changes.push((place, Change::try_from(piece(&mut rest)?)?));
    }
    Ok(changes)
}

/// The ids that were written down when a folder was filled.
pub(crate) fn ids(file: &str) -> anyhow::Result<Vec<DocumentId>> {
    let ids = serde_json::from_slice::<Vec<String>>(&fs::read(file)?)?;
    ids.iter()
        .map(|id| {
            id.parse()
                .with_context(|| format!("{id} is no document id"))
        })
        .collect()
}

/// Prints an answer on a line of its own.
pub(crate) fn say(answer: &Value) {
    println!("{answer}");
}

/// Waits for a line on standard input, or its end.
pub(crate) async fn asked_to_end() -> anyhow::Result<()> {
    let mut line = String::new();
    tokio::io::BufReader::new(tokio::io::stdin())
        .read_line(&mut line)
        .await?;
    Ok(())
}

fn piece<'a>(rest: &mut &'a [u8]) -> anyhow::Result<&'a [u8]> {
    let length = number(rest)?;
    let (piece, after) = rest.split_at_checked(length).context("a file is cut off")?;
    *rest = after;
    Ok(piece)
}

fn number(rest: &mut &[u8]) -> anyhow::Result<usize> {
    let (number, after) = rest.split_first_chunk::<4>().context("a file is cut off")?;
    *rest = after;
    Ok(usize::try_from(u32::from_le_bytes(*number))?)
}
