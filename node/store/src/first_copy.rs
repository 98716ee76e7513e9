//! What a store says of first copies.

use bytes::Bytes;
use node_feed::{FeedName, Heights, NodeId, TreeFeed};

/// A first copy that is under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopyPlace {
    /// From whom its last part came.
    pub peer: NodeId,
    /// The checkpoints that it stands on.
    pub bases: Heights,
    /// How many documents are here.
    pub documents: u64,
    /// How many there are in all.
    pub of: u64,
}

/// What became of a part of a first copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CopyTaken {
    /// It is durable, and more must come. Also the answer to what was here before.
    Partly(CopyPlace),
    /// It was the last part: feeds and documents are here.
    Placed(PlacedCopy),
    /// Nothing of the copy that it is a part of is here (any more): it must begin again.
    Lost,
    /// The copy cannot be taken, and all that came of it is gone.
    Refused {
        /// Why, in a sentence.
        why: String,
        /// Whether no honest node would send it; else this node knows more than the sender.
        forged: bool,
    },
}

/// What a complete copy brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlacedCopy {
    /// The feeds that have a base now, with their writer keys.
    pub feeds: Vec<([u8; 32], FeedName, TreeFeed)>,
    /// How many documents came.
    pub documents: u64,
}

/// A document that came by a first copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseDocument {
    /// What the sender saved, with what proves it.
    pub bytes: Bytes,
    /// Whether it was checked here.
    pub checked: bool,
}
