//! What became of a run that was handed to the store.

use node_feed::{FeedName, Hash, Opening, Parting, RefusalReason, TreeFeed, VerifiedRun};

/// What became of one run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Appended {
    /// Every entry was held already.
    Held,
    /// The run, or the part of it that was new, is stored.
    Stored(Stored),
    /// It follows what a first copy under way proves of its feed: the part that was new is durable
    /// with that copy, and is held once the copy is placed. None if all of it was here, or if no more
    /// is kept beside the copy.
    Live(Option<VerifiedRun>),
    /// Nothing of it was stored.
    Refused(Refused),
}

/// What was stored of a run, and what that did to its writer's feeds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// The new part of the run.
    pub run: VerifiedRun,
    /// The feed that its last entry stands in.
    pub feed: FeedName,
    /// Every feed of the writer that is new or has changed, also those that a fork renamed.
    pub feeds: Vec<(FeedName, TreeFeed)>,
    /// Feeds that are no more: a cut took them out, or left only one branch to go on as its trunk.
    pub removed: Vec<FeedName>,
    /// Whether it forked the feed.
    pub forked: bool,
    /// What the feed's number 0 says, if it is in the new part.
    pub opening: Option<Opening>,
}

/// Why nothing of a run was stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refused {
    /// The feed that it would have extended; the trunk's name if that is not known.
    pub feed: FeedName,
    /// Number of the first entry refused.
    pub number: u64,
    /// Its hash.
    pub hash: Hash,
    /// Why.
    pub reason: RefusalReason,
    /// Whether it parts, or may part, from a feed where only a first copy stands for its entries:
    /// the feed must be fetched whole to tell where.
    pub at_base: Option<Parting>,
}
