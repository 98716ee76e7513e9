//! A hub and a coordinator that hold the same documents and have met before, and a second hub that
//! holds nothing yet. Building this takes a while, so it is kept and copied.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use node::Node;
use node_feed::{Entry, SpaceId};
use tempfile::TempDir;
use tests::folders::copy;

use crate::draft::{CHANGES, Draft};
use crate::founding::{Founding, coordinator_folder, is_admitted, is_free, node_folder};

/// To be changed with everything that changes what is built: stores of other versions are built
/// anew.
const FORMAT: &str = "7";
/// How many documents' changes are signed together while building.
const DOCUMENTS_A_RUN: usize = 10;

const HUB: &str = "hub";
const JOINER: &str = "joiner";

/// A copy of what was built, for one measurement. It is deleted when this is dropped.
pub(crate) struct Stage {
    folder: TempDir,
}

/// A document as the hub holds it.
pub(crate) struct Saved {
    pub(crate) space: SpaceId,
    pub(crate) draft: Vec<u8>,
}

impl Stage {
    /// A network with this many documents, spread over this many spaces.
    pub(crate) async fn with(documents: usize, spaces: usize) -> anyhow::Result<Self> {
        ensure!(
            documents > 0 && spaces > 0,
            "at least one document and one space are needed"
        );
        let kept = target()?.join("sync-bench-cache");
        let kept = kept.join(format!("{FORMAT}-{documents}-documents-{spaces}-spaces"));
        if !kept.exists() {
            build_at(&kept, documents, spaces).await?;
        }
        let folder = temporary()?;
        copy(&kept, folder.path())?;
        Ok(Self { folder })
    }

    /// The coordinator's data folder.
    pub(crate) fn coordinator(&self) -> PathBuf {
        coordinator_folder(self.folder.path())
    }

    /// The data folder of the hub that holds everything.
    pub(crate) fn hub(&self) -> PathBuf {
        node_folder(self.folder.path(), HUB)
    }

    /// The data folder of the hub that holds nothing.
    pub(crate) fn joiner(&self) -> PathBuf {
        node_folder(self.folder.path(), JOINER)
    }

    /// The documents, in the order in which they were written.
    pub(crate) fn saved(&self) -> anyhow::Result<Vec<Saved>> {
        let bytes = fs::read(self.folder.path().join("drafts"))?;
        let mut rest = bytes.as_slice();
        let mut saved = Vec::new();
        while let Some((space, after)) = rest.split_first_chunk::<16>() {
            let (length, after) = after
                .split_first_chunk::<4>()
                .context("drafts are cut off")?;
            let length = u32::from_le_bytes(*length) as usize;
            let (draft, after) = after
                .split_at_checked(length)
                .context("drafts are cut off")?;
            saved.push(Saved {
                space: SpaceId::from_bytes(*space),
                draft: draft.to_vec(),
            });
            rest = after;
        }
        Ok(saved)
    }
}

/// A folder that is deleted when it is dropped, on the disk that is measured.
pub(crate) fn temporary() -> anyhow::Result<TempDir> {
    Ok(tempfile::Builder::new()
        .prefix("sync-bench-")
        .tempdir_in(target()?)?)
}

/// Cargo's target folder, in which this program lies.
pub(crate) fn target() -> anyhow::Result<PathBuf> {
    let program = std::env::current_exe()?;
    let target = program
        .ancestors()
        .nth(2)
        .context("this program lies in no target folder")?;
    Ok(target.to_owned())
}

async fn build_at(kept: &Path, documents: usize, spaces: usize) -> anyhow::Result<()> {
    let folder = temporary()?;
    build(folder.path(), documents, spaces).await?;
    if let Some(parent) = kept.parent() {
        fs::create_dir_all(parent)?;
    }
    // Only what was built to the end is kept.
    fs::rename(folder.keep(), kept)?;
    Ok(())
}

async fn build(folder: &Path, documents: usize, spaces: usize) -> anyhow::Result<()> {
    let founding = Founding::begin(folder).await?;
    let hub = founding.node_of(HUB).await?;
    drop(founding.node_of(JOINER).await?);
    let mut ids = Vec::new();
    for number in 0..spaces {
        let space = founding.space(&format!("Space {number}"))?;
        founding.grant(space, HUB)?;
        founding.grant(space, JOINER)?;
        ids.push(space);
    }
    let running = hub.start();
    is_admitted(&hub, &ids).await?;
    let (writer, spaces) = (hub.clone(), ids.clone());
    let drafts = tokio::task::spawn_blocking(move || write(&writer, documents, &spaces)).await??;
    fs::write(folder.join("drafts"), drafts)?;
    // As when a node stops, while the coordinator can still take them.
    let writer = hub.clone();
    tokio::task::spawn_blocking(move || writer.write_due_checkpoints()).await?;
    founding.settle(&hub, &ids).await?;
    running.stop(Duration::from_secs(5)).await;
    drop(hub);
    is_free(&node_folder(folder, HUB)).await?;
    founding.end().await
}

/// Writes the documents at `hub`, and returns what `drafts` holds.
fn write(hub: &Node, documents: usize, spaces: &[SpaceId]) -> anyhow::Result<Vec<u8>> {
    let mut drafts = Vec::new();
    for (index, space) in spaces.iter().enumerate() {
        let author = hub.author(*space)?;
        // Spread evenly; the first spaces get one more.
        let share = documents / spaces.len() + usize::from(index < documents % spaces.len());
        let mut left = share;
        while left > 0 {
            let together = left.min(DOCUMENTS_A_RUN);
            left -= together;
            let mut entries = Vec::<Entry>::with_capacity(together * CHANGES);
            for _ in 0..together {
                let mut draft = Draft::new(&author);
                for _ in 0..CHANGES {
                    entries.push(draft.next()?);
                }
                let saved = draft.save();
                drafts.extend_from_slice(space.as_bytes());
                drafts.extend_from_slice(&u32::try_from(saved.len())?.to_le_bytes());
                drafts.extend_from_slice(&saved);
            }
            hub.write_all(*space, entries)?;
        }
    }
    Ok(drafts)
}
