//! What entries that arrived are about, gathered, so that what many of them change is made once.

use std::collections::{BTreeMap, BTreeSet};

use node_feed::{Erase, Kind, SpaceId, Subject};
use node_store::{ReadStore, StoreError, StoredEntry};

use super::{Lines, drop_erased, project, unknown};
use crate::node::Inner;

/// The records that entries are about.
#[derive(Debug, Default)]
pub(super) struct Touched {
    records: BTreeMap<(SpaceId, Subject), Kind>,
    /// Those of live entries, which may build on what is not checked.
    live: BTreeSet<(SpaceId, Subject)>,
}

impl Touched {
    /// Adds those of some entries. What was erased is taken out at once.
    pub(super) fn add(&mut self, inner: &Inner, entries: &[StoredEntry]) -> Result<(), StoreError> {
        for entry in entries {
            unknown::note(inner, entry)?;
            match entry.kind {
                Kind::CHANGES if entry.live => {
                    self.live.insert((entry.space, entry.subject));
                }
                Kind::CHANGES | Kind::CARD => {
                    let record = (entry.space, entry.subject);
                    self.records.insert(record, entry.kind);
                }
                Kind::ERASE => {
                    let erase = entry
                        .payload
                        .bytes()
                        .and_then(|bytes| Erase::decode(bytes).ok());
                    for subject in erase.into_iter().flat_map(|erase| erase.subjects) {
                        drop_erased(inner, subject)?;
                    }
                }
                Kind::CHECKPOINT if inner.config.sync.first_copies && !entry.live => {
                    inner.applier().note_listed(entry);
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.records.len() + self.live.len()
    }

    /// Makes their lines anew.
    pub(super) fn project(mut self, inner: &Inner) -> Result<(), StoreError> {
        if !self.live.is_empty() {
            // Those that are not checked yet come with their check, which is next.
            for unchecked in inner.storage.read(ReadStore::live_unchecked)? {
                self.live.remove(&unchecked);
            }
            let live = self.live.into_iter();
            let live = live.map(|document| (document, Kind::CHANGES));
            self.records.extend(live);
        }
        let mut lines = Lines::new(inner);
        for ((space, subject), kind) in self.records {
            project(&mut lines, space, subject, kind)?;
        }
        lines.write()
    }
}
