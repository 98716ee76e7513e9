//! Who this node is and what it holds at the start.

use std::collections::{BTreeMap, BTreeSet};

use node_feed::{CopyPlace, FeedTree, HubId, Receipt, SecretKey, SpaceId};

/// Who this node is.
#[derive(Debug, Clone)]
pub struct Own {
    /// Its hub.
    pub hub: HubId,
    /// Its identity key, which signs sessions and receipts.
    pub identity: SecretKey,
    /// Name and version of the program, for people and for stored refusals.
    pub software: String,
    /// Whether it passes on other nodes' receipts, as the coordinator does.
    pub relay: bool,
    /// The writer keys that this node writes with. Of these it is told if a peer holds more than
    /// it does itself.
    pub writers: BTreeMap<SpaceId, BTreeSet<[u8; 32]>>,
}

/// What this node holds durably at the start.
#[derive(Debug, Clone, Default)]
pub struct Held {
    /// Every space's feeds, by writer.
    pub spaces: BTreeMap<SpaceId, BTreeMap<[u8; 32], FeedTree>>,
    /// The latest receipt of each node and space.
    pub receipts: Vec<Receipt>,
    /// The first copies that are under way.
    pub copies: BTreeMap<SpaceId, CopyPlace>,
}
