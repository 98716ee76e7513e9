//! A store that forgets: for tests and the simulator.

mod bases;
mod live;
mod shelf;

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use node_feed::{FeedName, Hash, NodeId, Receipt, Refusal, SpaceId, Subject};

use crate::shelf::{EvidenceRow, Row};
use crate::writer_feeds::{FeedKey, WriterFeeds};
use crate::{BaseDocument, PeerMemory, StoreError};

/// A store in memory, with the same rules as [`SqliteStore`](crate::SqliteStore). A clone is what
/// a backup is to a file.
#[derive(Debug, Clone, Default)]
pub struct MemoryStore {
    writers: BTreeMap<(SpaceId, [u8; 32]), WriterFeeds>,
    owners: BTreeMap<FeedKey, (SpaceId, [u8; 32], FeedName)>,
    feeds_made: i64,
    arrival: u64,
    rows: BTreeMap<u64, Placed>,
    numbers: BTreeMap<(FeedKey, u64), u64>,
    hashes: BTreeMap<Hash, u64>,
    subjects: BTreeMap<Subject, BTreeSet<u64>>,
    evidence: BTreeMap<(SpaceId, [u8; 32]), Left>,
    erased: BTreeSet<Subject>,
    settings: BTreeMap<String, Bytes>,
    peers: BTreeMap<NodeId, PeerMemory>,
    refusals: BTreeMap<NodeId, BTreeMap<(SpaceId, FeedName), Refusal>>,
    receipts: BTreeMap<(SpaceId, NodeId), Receipt>,
    copies: BTreeMap<SpaceId, bases::Copying>,
    bases: BTreeMap<(SpaceId, Subject), Vec<BaseDocument>>,
    links: BTreeMap<(FeedKey, u64), Hash>,
}

/// A writer's evidence, in the order of the numbers.
type Left = BTreeMap<(u64, Hash), EvidenceRow>;

/// A row and the feed that it is in.
#[derive(Debug, Clone)]
struct Placed {
    feed: FeedKey,
    row: Row,
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    pub(crate) fn ask<T>(
        &self,
        question: impl FnOnce(&Self) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        question(self)
    }

    pub(crate) fn change<T>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        work(self)
    }
}
