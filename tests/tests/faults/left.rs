//! What a program that was killed has left on the disk.

use std::collections::BTreeSet;
use std::path::Path;

use node_feed::Subject;
use node_store::{Check, ReadStore, SqliteStore};
use tempfile::TempDir;

/// A copy of a store's files as they lie there, opened.
pub(crate) struct Left {
    store: SqliteStore,
    _folder: TempDir,
}

impl Left {
    /// Copies the store in `folder`, whose program does not run, and looks through all of it.
    pub(crate) fn by(folder: &Path) -> Self {
        let copy = TempDir::new().expect("a temporary folder");
        for name in ["store.db", "store.db-wal"] {
            let file = folder.join(name);
            if file.exists() {
                std::fs::copy(&file, copy.path().join(name)).expect("a copy");
            }
        }
        let path = copy.path().join("store.db");
        let store = SqliteStore::open(path, Check::Always).expect("a store that is whole");
        Self {
            store,
            _folder: copy,
        }
    }

    /// Which of `records` it does not hold.
    pub(crate) fn lacks<'a>(&self, records: &'a BTreeSet<String>) -> Vec<&'a String> {
        let is_missing = |id: &&String| {
            let subject = id.parse::<Subject>().expect("an id");
            let entries = self.store.entries_of(subject, 0).expect("entries");
            entries.is_empty()
        };
        records.iter().filter(is_missing).collect()
    }
}
