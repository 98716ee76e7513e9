//! What the engine says and hears of first copies.

use node_feed::{CopyPlace, FeedName, Height, Heights, Subject};

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
        self.head() + self.documents.len()
    }

    /// How many pieces come before its documents.
    pub const fn head(&self) -> usize {
        self.proofs.len() + self.kept.len()
    }

    /// The piece that a node needs next which holds so much of it.
    pub(crate) fn next(&self, documents: Option<u64>) -> usize {
        let here = documents.map(|count| usize::try_from(count).unwrap_or(usize::MAX));
        here.map_or(0, |here| self.head() + here.min(self.documents.len()))
    }
}

/// How far a node holds a first copy that is under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopyHeld {
    /// The checkpoints that it stands on.
    pub bases: Heights,
    /// How many of its documents are here; none before all that comes before them is.
    pub documents: Option<u64>,
    /// Whether more of it is wanted: not once all is here, and, as said to a peer, not while
    /// another peer sends it.
    pub open: bool,
}

impl From<CopyPlace> for CopyHeld {
    fn from(place: CopyPlace) -> Self {
        Self {
            open: !place.is_whole(),
            bases: place.bases,
            documents: place.documents,
        }
    }
}
