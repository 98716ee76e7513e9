//! What came of a document since it was last brought up to date, counted while it is read.

use std::cell::Cell;

use bytes::Bytes;
use node_document::{ChangesEntry, Wanted};
use node_store::StoreError;

use super::stored::Stored;

/// What was read of a document.
#[derive(Debug, Default)]
pub(super) struct Came {
    arrival: Cell<u64>,
    entries: Cell<usize>,
    bytes: Cell<usize>,
    read: Cell<u64>,
}

impl Came {
    /// Entries that came by first copies, with the last arrival of these, and after them those that
    /// are stored as such.
    pub(super) fn reading(
        &self,
        wanted: Wanted,
        (copied, arrival): (Vec<ChangesEntry>, u64),
        mut stored: Stored<'_>,
    ) -> impl Iterator<Item = Result<ChangesEntry, StoreError>> {
        if wanted == Wanted::New {
            self.entries.set(0);
            self.bytes.set(0);
        }
        let mut copied = copied.into_iter();
        std::iter::from_fn(move || {
            let next = match copied.next() {
                Some(entry) => Some(Ok(entry)),
                None => stored.next(),
            };
            match &next {
                Some(Ok(entry)) => self.count(wanted, entry),
                Some(Err(_)) => {}
                // Of what is read again, only some is tried: more may have arrived by now.
                None if wanted == Wanted::Again => {}
                None => {
                    let last = stored.all_until(arrival);
                    self.arrival.set(last.max(self.arrival.get()));
                }
            }
            next
        })
    }

    fn count(&self, wanted: Wanted, entry: &ChangesEntry) {
        self.read.set(self.read.get() + 1);
        if wanted == Wanted::New {
            let bytes = entry.changes.chunks.iter().map(Bytes::len).sum::<usize>();
            self.entries.set(self.entries.get() + 1);
            self.bytes.set(self.bytes.get() + bytes);
        }
    }

    /// The last arrival up to which all was read.
    pub(super) fn arrival(&self) -> u64 {
        self.arrival.get()
    }

    /// How many new entries there were, and the bytes of their changes.
    pub(super) fn fresh(&self) -> (usize, usize) {
        (self.entries.get(), self.bytes.get())
    }

    /// How many entries were read, all in all.
    pub(super) fn read(&self) -> u64 {
        self.read.get()
    }
}
