//! What the stores of all members hold, each thing counted once.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context, Result};
use node_feed::{Hash, Kind, Subject};
use node_store::{ReadStore, Readers};

const BATCH: usize = 1_000;

/// Different documents and entries over several stores.
#[derive(Debug, Default)]
pub(crate) struct Totals {
    documents: BTreeSet<Subject>,
    entries: BTreeSet<Hash>,
}

impl Totals {
    /// Adds what the store in `folder` holds.
    ///
    /// # Errors
    /// If it cannot be read.
    pub(crate) fn add(&mut self, folder: &Path) -> Result<()> {
        let path = folder.join("store.db");
        let store =
            Readers::open(&path).with_context(|| format!("{} cannot be read", path.display()))?;
        for space in store.spaces()? {
            self.documents.extend(store.subjects(space, Kind::CHANGES)?);
        }
        let mut arrival = 0;
        loop {
            let entries = store.arrivals_after(arrival, BATCH)?;
            let Some(last) = entries.last() else {
                return Ok(());
            };
            arrival = last.arrival;
            self.entries
                .extend(entries.iter().map(|entry| entry.height.hash));
        }
    }

    /// Different documents.
    pub(crate) fn documents(&self) -> usize {
        self.documents.len()
    }

    /// Different entries.
    pub(crate) fn entries(&self) -> usize {
        self.entries.len()
    }
}
