//! Entries as they are held, and what is said about those that lack something.

use node_feed::{
    FeedName, Hash, Height, HubId, Kind, Opening, Payload, RefusalReason, SpaceId, Subject,
};

/// An entry that counts, as it is held; or one that is proven and is held once the first copy that is
/// under way is placed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredEntry {
    /// Its place in this store's order of arrival. Strictly growing, and never used on the network.
    pub arrival: u64,
    /// The space it is in.
    pub space: SpaceId,
    /// The feed it is in; a later fork or cut may rename it.
    pub feed: FeedName,
    /// Its writer's key.
    pub writer: [u8; 32],
    /// Its number and hash.
    pub height: Height,
    /// Who writes the feed.
    pub opening: Option<Opening>,
    /// The author's time, in ms since 1970.
    pub time_ms: u64,
    /// What it is.
    pub kind: Kind,
    /// What it is about.
    pub subject: Subject,
    /// Its payload.
    pub payload: Payload,
    /// Whether it came after the head of a first copy that is under way. It is not held yet, and may
    /// build on documents of the copy that are not here or not checked.
    pub live: bool,
}

impl StoredEntry {
    /// Bytes that it takes in memory, roughly.
    pub fn weight(&self) -> usize {
        // One that was dropped may be given back by an archive.
        size_of::<Self>() + usize::try_from(self.payload.length()).unwrap_or(usize::MAX)
    }
}

/// An entry that was held once and no longer counts: it left its feed and is kept as evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Evidence {
    /// The trunk of its writer's feed.
    pub feed: FeedName,
    /// Its number and hash.
    pub height: Height,
    /// Why it no longer counts.
    pub reason: RefusalReason,
}

/// An entry whose payload was dropped on its way here, while nothing held here says why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Withheld {
    /// The feed it is in.
    pub feed: FeedName,
    /// Its number and hash.
    pub height: Height,
    /// What it is about.
    pub subject: Subject,
}

/// How much is held.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    /// Entries that count.
    pub entries: u64,
    /// Bytes of their payloads.
    pub payload_bytes: u64,
    /// Entries kept as evidence.
    pub evidence: u64,
}

/// How much is held of one writer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WriterBytes {
    /// The space.
    pub space: SpaceId,
    /// The writer's key.
    pub writer: [u8; 32],
    /// Whose it is; none for the authority log's, and where only evidence is held.
    pub hub: Option<HubId>,
    /// About how many bytes its entries have, those that no longer count too.
    pub bytes: u64,
}

/// What a node remembers of a peer between sessions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PeerMemory {
    /// The digest over all shared spaces that both last confirmed.
    pub root: Option<Hash>,
    /// The heights that the peer last confirmed.
    pub spaces: std::collections::BTreeMap<SpaceId, node_feed::Heights>,
}
