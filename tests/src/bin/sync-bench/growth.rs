//! The changes of all entries are taken out of a store, and what it takes is compared.

use std::fs;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context as _, ensure};
use node::Node;
use node_feed::{Hash, SpaceId};

use crate::draft::CHANGES;
use crate::figures::{Figures, milliseconds};
use crate::founding::is_free;
use crate::stage::Stage;

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// How many documents of fifty entries the hub holds.
    #[arg(long, default_value_t = 5_000)]
    documents: usize,
}

pub(crate) async fn measure(options: &Options) -> anyhow::Result<Figures> {
    let stage = Stage::with(options.documents, 1).await?;
    let folder = stage.hub();
    let space = stage
        .saved()?
        .first()
        .context("there is no document")?
        .space;
    let before = Sizes::of(&folder)?;
    let hub = Node::open(&folder)?;
    let held = documents(&hub, space)?;
    let begun = Instant::now();
    let taken = hub.archive_before(u64::MAX, || false)?;
    let archived = begun.elapsed();
    ensure!(taken > 0, "nothing was archived");
    drop(hub);
    is_free(&folder).await?;

    let begun = Instant::now();
    let smaller = Node::compact(&folder)?;
    let compacted = begun.elapsed();
    ensure!(smaller.is_some(), "too little was spared");
    let after = Sizes::of(&folder)?;
    // All documents are made again of what is left.
    fs::remove_file(folder.join("projections.db"))?;
    let hub = Node::open(&folder)?;
    let begun = Instant::now();
    let made_again = documents(&hub, space)?;
    let rebuilt = begun.elapsed();
    ensure!(
        made_again == held,
        "other documents came out of the archives"
    );
    let entries = options.documents * CHANGES;
    Ok(Figures::of("growth")
        .with("documents", options.documents)
        .with("entries", entries)
        .with("archive_ms", milliseconds(archived))
        .with("compact_ms", milliseconds(compacted))
        .with("rebuild_ms", milliseconds(rebuilt))
        .with("taken_bytes", taken)
        .with("store_bytes_before", before.store)
        .with("store_bytes_after", after.store)
        .with("saved_bytes", after.saved)
        .with("bytes_an_entry_before", an_entry(before.store, entries))
        .with("bytes_an_entry_after", an_entry(after.store, entries)))
}

fn documents(hub: &Node, space: SpaceId) -> anyhow::Result<(u64, Hash)> {
    let spaces = hub.spaces()?;
    let mut here = spaces.into_iter().filter(|found| found.id == space);
    let found = here.next().context("the hub has no such space")?;
    Ok((found.documents, found.documents_digest))
}

fn an_entry(bytes: u64, entries: usize) -> u64 {
    bytes / (entries as u64).max(1)
}

/// How large the files are of a node that is not open.
struct Sizes {
    store: u64,
    saved: u64,
}

impl Sizes {
    fn of(folder: &Path) -> anyhow::Result<Self> {
        let size = |name: &str| Ok::<_, std::io::Error>(fs::metadata(folder.join(name))?.len());
        Ok(Self {
            store: size("store.db")?,
            saved: size("projections.db")?,
        })
    }
}
