//! What a document is given to apply, and who edits it.

use node_feed::{Changes, FeedName, Hash, HubId, Nonce, change_hash};

use crate::columns::count_operations;
use crate::limits::OPERATIONS_MAX;

/// An admitted `changes` entry, as the store holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangesEntry {
    /// The feed, or branch of a fork, that it is part of.
    pub feed: FeedName,
    /// Its number in that feed.
    pub number: u64,
    /// Its hash.
    pub hash: Hash,
    /// The key that signed it.
    pub writer: [u8; 32],
    /// The hub for which it was signed.
    pub hub: HubId,
    /// The author's time in milliseconds since 1970, for display.
    pub time_ms: u64,
    /// Its payload.
    pub changes: Changes,
}

impl ChangesEntry {
    /// Bytes that it takes in memory while it is applied, roughly, by what was measured.
    pub fn weight(&self) -> usize {
        const ENTRY: usize = 1_000;
        const CHANGE: usize = 1_000;
        const OPERATION: u64 = 400;
        let chunks = self.changes.chunks.iter();
        let weights = chunks.map(|chunk| {
            // What is at fault is never expanded.
            let operations = count_operations(chunk, &change_hash(chunk)).unwrap_or(0);
            let expanded = operations.min(OPERATIONS_MAX).saturating_mul(OPERATION);
            CHANGE + 2 * chunk.len() + usize::try_from(expanded).unwrap_or(usize::MAX)
        });
        ENTRY + weights.fold(0, usize::saturating_add)
    }
}

/// Who edits: what the actor of new changes is derived from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Author {
    /// This node's writer key in the document's space.
    pub writer: [u8; 32],
    /// This node's hub.
    pub hub: HubId,
    /// Drawn when the process started.
    pub nonce: Nonce,
}

/// Who wrote something, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Authorship {
    /// The author's time in milliseconds since 1970, for display, never for order.
    pub time_ms: u64,
    /// The hub.
    pub hub: HubId,
    /// The writer key.
    pub writer: [u8; 32],
    /// The feed.
    pub feed: FeedName,
    /// The entry's number in that feed.
    pub number: u64,
}
