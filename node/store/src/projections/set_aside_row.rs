//! An entry that is stored and passed on, but not applied here.

use node_feed::{FeedName, Hash, SpaceId, Subject};

/// An entry that is stored and passed on, but not applied here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetAsideRow {
    /// The space it is in.
    pub space: SpaceId,
    /// The feed it is in.
    pub feed: FeedName,
    /// Its number.
    pub number: u64,
    /// Its hash.
    pub hash: Hash,
    /// What it is about.
    pub subject: Subject,
    /// Why, in words.
    pub reason: String,
    /// Whether it was judged by itself: no document holds its place.
    pub alone: bool,
}
