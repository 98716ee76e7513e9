//! What is remembered of a peer between sessions.

use std::collections::BTreeMap;

use node_feed::{Hash, Heights, SpaceId};

/// The state that both ends last knew to be equal. To be kept in the store that holds the entries,
/// so that it is never newer than they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerMemory {
    /// Root digest over `spaces`.
    pub root: Hash,
    /// The heights of every shared space that had any entry, the authority log's among them.
    pub spaces: BTreeMap<SpaceId, Heights>,
}
