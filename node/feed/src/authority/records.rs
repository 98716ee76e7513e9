//! What the authority log knows of hubs, nodes, spaces, grants and cuts.

use crate::{Access, Cut, FeedName, Height, HubId, SpaceId, SpaceKind};

/// A hub that takes part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HubRecord {
    /// Its code.
    pub code: String,
    /// Its name.
    pub name: String,
}

/// A node of a hub.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeRecord {
    /// The hub it belongs to.
    pub hub: HubId,
    /// Place in the log of the cut that ended it.
    pub ended: Option<u64>,
}

/// A space that exists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpaceRecord {
    /// What it is for.
    pub kind: SpaceKind,
    /// What people call it.
    pub title: String,
}

/// A grant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrantRecord {
    /// The space.
    pub space: SpaceId,
    /// The hub.
    pub hub: HubId,
    /// What it may do.
    pub access: Access,
    /// Its place in the log.
    pub since: u64,
    /// Place in the log of the first cut that ended it.
    pub ended: Option<u64>,
}

/// A cut.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CutRecord {
    /// Its place in the log.
    pub at: u64,
    /// What it says.
    pub cut: Cut,
}

/// One term of the authority log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct TermRecord {
    /// A higher term always wins.
    pub term: u64,
    /// The earlier term's feed, and its last entry that counts.
    pub continues: Option<(FeedName, Height)>,
}

impl GrantRecord {
    /// Whether it held when the log had `length` entries.
    pub(super) const fn is_open(&self, length: u64) -> bool {
        self.since < length
            && match self.ended {
                None => true,
                Some(at) => at >= length,
            }
    }
}

impl Cut {
    /// The entries of `writer` in `space` up to which it admits.
    pub(super) fn of(&self, space: SpaceId, writer: &[u8; 32]) -> Vec<Height> {
        self.feeds
            .iter()
            .filter(|feed| feed.space == space && feed.writer == *writer)
            .map(|feed| feed.last)
            .collect()
    }
}
