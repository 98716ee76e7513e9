//! The entries of a document, read from the store a part at a time.

use std::collections::BTreeSet;
use std::vec;

use node_document::ChangesEntry;
use node_feed::{Changes, DocumentId, FeedName, Kind, Opening, SpaceId};
use node_store::{StoreError, StoredEntry};

use crate::storage::Storage;

/// Bytes that are read at once.
const READ_BYTES: usize = 4 << 20;

/// Which live entries are given.
pub(super) enum Live<'a> {
    /// All.
    All,
    /// Those of other feeds than these, which are found out once there is a live entry.
    Without(Box<dyn FnOnce() -> Result<BTreeSet<FeedName>, StoreError> + 'a>),
    /// Those of other feeds than these.
    WithoutThese(BTreeSet<FeedName>),
}

/// The entries of a document that are stored as such, in the order of arrival. Of what the iterator
/// gives, at most about [`READ_BYTES`] are in memory.
pub(super) struct Stored<'a> {
    storage: &'a Storage,
    space: SpaceId,
    id: DocumentId,
    /// Up to where the store was read.
    arrival: u64,
    read: vec::IntoIter<StoredEntry>,
    is_end: bool,
    live: Live<'a>,
    /// The arrival of the first live entry that was not given.
    left_out: Option<u64>,
    /// Up to which arrival everything was here when reading began.
    until: u64,
}

impl<'a> Stored<'a> {
    /// Those that arrived after `arrival`.
    pub(super) fn after(
        storage: &'a Storage,
        space: SpaceId,
        id: DocumentId,
        arrival: u64,
        live: Live<'a>,
    ) -> Self {
        Self {
            storage,
            space,
            id,
            arrival,
            read: Vec::new().into_iter(),
            is_end: false,
            live,
            left_out: None,
            until: u64::MAX,
        }
    }

    /// The last arrival of any of the document's entries, once all were given.
    pub(super) const fn arrival(&self) -> u64 {
        self.arrival
    }

    /// The same, where everything up to that arrival was here before anything was read.
    pub(super) fn until(self, until: u64) -> Self {
        Self { until, ..self }
    }

    /// Up to which arrival all entries were given, once all were, if `copied` is that of what came by
    /// first copies. What was left out is looked at again.
    pub(super) fn all_until(&self, copied: u64) -> u64 {
        let last = self.arrival.max(copied).min(self.until);
        self.left_out.map_or(last, |first| last.min(first - 1))
    }

    /// Whether an entry is one that is given.
    fn is_given(&mut self, entry: &StoredEntry) -> Result<bool, StoreError> {
        if !entry.live {
            return Ok(true);
        }
        let without = match std::mem::replace(&mut self.live, Live::All) {
            Live::All => return Ok(true),
            Live::Without(find) => find()?,
            Live::WithoutThese(feeds) => feeds,
        };
        let is_given = !without.contains(&entry.feed);
        if !is_given {
            self.left_out.get_or_insert(entry.arrival);
        }
        self.live = Live::WithoutThese(without);
        Ok(is_given)
    }

    fn read_on(&mut self) -> Result<(), StoreError> {
        let subject = self.id.subject();
        let entries = self
            .storage
            .some_entries_of(subject, self.arrival, READ_BYTES)?;
        match entries.last() {
            Some(last) => self.arrival = last.arrival,
            None => self.is_end = true,
        }
        self.read = entries.into_iter();
        Ok(())
    }
}

impl Iterator for Stored<'_> {
    type Item = Result<ChangesEntry, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            while let Some(entry) = self.read.next() {
                if entry.space != self.space {
                    continue;
                }
                match self.is_given(&entry) {
                    Ok(true) => {}
                    Ok(false) => continue,
                    Err(error) => {
                        self.is_end = true;
                        return Some(Err(error));
                    }
                }
                if let Some(entry) = to_changes(&entry) {
                    return Some(Ok(entry));
                }
            }
            if self.is_end {
                return None;
            }
            if let Err(error) = self.read_on() {
                self.is_end = true;
                return Some(Err(error));
            }
        }
    }
}

/// An entry as documents take it; none if it is no changes or its payload is gone.
fn to_changes(entry: &StoredEntry) -> Option<ChangesEntry> {
    if entry.kind != Kind::CHANGES {
        return None;
    }
    let Some(Opening::Node { hub, .. }) = entry.opening else {
        return None;
    };
    let changes = Changes::decode(entry.payload.bytes()?).ok()?;
    Some(ChangesEntry {
        feed: entry.feed,
        number: entry.height.number,
        hash: entry.height.hash,
        writer: entry.writer,
        hub,
        time_ms: entry.time_ms,
        changes,
    })
}
