//! A receipt as it travels.

use node_feed::{Heights, HeightsDifference, NodeId, Receipt, Signature, SpaceId};

/// A receipt as one node says it to another. The signature is over the whole receipt: whoever hears
/// a difference rebuilds the heights and then verifies them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SaidReceipt {
    /// The space.
    pub space: SpaceId,
    /// The node that signed it.
    pub node: NodeId,
    /// When, by that node's clock, in ms since 1970.
    pub time_ms: u64,
    /// What it holds.
    pub heights: SaidHeights,
    /// The node's signature.
    pub signature: Signature,
}

/// The heights of a receipt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SaidHeights {
    /// All of them.
    Whole(Heights),
    /// How they differ from those of another receipt of the same space, whoever signed that.
    Since {
        /// The [mark](Receipt::mark) of a receipt that the receiver is known to hold; none for the
        /// one before this in the same message, which is then of the same space.
        base: Option<u64>,
        /// The difference.
        difference: HeightsDifference,
    },
}

impl SaidReceipt {
    pub(crate) fn of(receipt: &Receipt, heights: SaidHeights) -> Self {
        Self {
            space: receipt.space,
            node: receipt.node,
            time_ms: receipt.time_ms,
            heights,
            signature: receipt.signature,
        }
    }

    /// About how many bytes it has on the wire.
    pub(crate) fn weight(&self) -> usize {
        128 + self.heights.weight()
    }
}

impl SaidHeights {
    /// The difference to `base`, or all heights if that is not longer.
    pub(crate) fn since(base: Option<u64>, from: &Heights, heights: &Heights) -> Self {
        let difference = HeightsDifference::between(from, heights);
        let since = Self::Since { base, difference };
        if since.weight() < whole_weight(heights.len()) {
            since
        } else {
            Self::Whole(heights.clone())
        }
    }

    /// How many heights are named in it.
    pub fn named(&self) -> usize {
        match self {
            Self::Whole(heights) => heights.len(),
            Self::Since { difference, .. } => difference.named(),
        }
    }

    fn weight(&self) -> usize {
        match self {
            Self::Whole(heights) => whole_weight(heights.len()),
            Self::Since { difference, .. } => {
                const PLACE: usize = 2;
                let changed = difference.changed.len() * (6 + PLACE + 34);
                difference.gone.len() * PLACE + changed + whole_weight(difference.added.len())
            }
        }
    }
}

const fn whole_weight(heights: usize) -> usize {
    heights * 74
}
