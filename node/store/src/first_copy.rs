//! What a store says of first copies.

use bytes::Bytes;
use node_feed::{Checkpoint, FeedName, Height, Heights, NodeId, Opening, TreeFeed};

/// What the names of settings begin with that each note a space: a copy of it that had documents was
/// dropped, and what was made of these is to be made again. Cleared by whoever has done so.
pub const RENEW_SETTINGS: &str = "renew/";

/// A first copy that is under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopyPlace {
    /// Who offered it.
    pub peer: NodeId,
    /// The checkpoints that it stands on.
    pub bases: Heights,
    /// How many of its documents are here, in their order; none before all that the checkpoints
    /// need is here and was verified.
    pub documents: Option<u64>,
    /// How many there are in all: as offered, and then as the checkpoints list them.
    pub of: u64,
}

impl CopyPlace {
    /// Whether all of it is here.
    pub fn is_whole(&self) -> bool {
        self.documents == Some(self.of)
    }
}

/// What became of a part of a first copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CopyTaken {
    /// It is durable. Also the answer to what was here before.
    Partly(CopyPlace),
    /// Nothing of the copy that it is a part of is here (any more): it must be offered again.
    Lost,
    /// The copy cannot be taken, and all that came of it is gone.
    Refused {
        /// Why, in a sentence.
        why: String,
        /// Whether no honest node would send it; else this node knows more than the sender.
        forged: bool,
    },
}

/// What putting a whole copy in its place brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CopyPlaced {
    /// These feeds have a base now, each with its writer key.
    Placed(Vec<([u8; 32], FeedName, TreeFeed)>),
    /// It cannot be, for this reason, and all that came of it is gone.
    Refused(String),
    /// It is not here, or not whole.
    Not,
}

/// A document that came by a first copy, opaque to carriage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseDocument {
    /// Its place in the order of arrival.
    pub arrival: u64,
    /// What the sender packed, with what proves it; empty if the sender says that it was erased.
    pub bytes: Bytes,
}

/// A feed of a first copy that is under way, verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopiedFeed {
    /// The feed's writer key.
    pub writer: [u8; 32],
    /// Who opened it.
    pub opening: Opening,
    /// Where its checkpoint ends.
    pub base: Height,
    /// The checkpoint.
    pub parts: Vec<Checkpoint>,
}
