//! What the engine says and hears of first copies.

use node_feed::{FeedName, Height, Heights, Subject, TreeFeed};

/// What a first copy is made of, in the order in which it is sent: of each feed the runs that prove
/// its checkpoint, then what the checkpoints keep, then the documents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopyPlan {
    /// The feeds, each with the last part of its checkpoint.
    pub bases: Heights,
    /// The runs: each with the number of its first entry.
    pub proofs: Vec<(FeedName, u64)>,
    /// The entries that the checkpoints keep.
    pub kept: Vec<(FeedName, Height)>,
    /// The documents, by rising ids.
    pub documents: Vec<Subject>,
}

impl CopyPlan {
    /// How many pieces it has.
    pub const fn pieces(&self) -> usize {
        self.proofs.len() + self.kept.len() + self.documents.len()
    }

    /// How many documents come before this piece.
    pub(crate) const fn documents_before(&self, piece: usize) -> usize {
        piece.saturating_sub(self.proofs.len() + self.kept.len())
    }

    /// The piece that comes next after so many documents.
    pub(crate) const fn after_documents(&self, documents: usize) -> usize {
        self.proofs.len() + self.kept.len() + documents
    }
}

/// How far a node holds a first copy that is under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopyHeld {
    /// The checkpoints that it stands on.
    pub bases: Heights,
    /// How many of its documents are here.
    pub documents: u64,
}

/// What became of a part of a first copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CopyResult {
    /// It is durable, or was before.
    Partly(CopyHeld),
    /// The copy is complete: these feeds have a base now, each with its writer key.
    Placed(Vec<([u8; 32], FeedName, TreeFeed)>),
    /// Nothing of the copy that it is a part of is here: it must begin again.
    Lost,
    /// It cannot be taken, and nothing of it is left.
    Refused {
        /// Why, in a sentence.
        why: String,
        /// Whether no honest node would send it; else this node knows more than the sender.
        forged: bool,
    },
}
