//! Whether an entry counts: a pure function of the authority log and its place in its feed.

use crate::{
    FeedName, GrantId, Height, HubId, NetworkId, NodeId, Open, PayloadError, PublicKey,
    RefusalReason, SpaceId,
};

/// Who opened a feed, proven: what its number 0 says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opening {
    /// A node's feed.
    Node {
        /// The hub.
        hub: HubId,
        /// The node.
        node: NodeId,
        /// The grant it writes under.
        grant: GrantId,
    },
    /// One term of the authority log.
    Authority {
        /// The term.
        term: u64,
        /// The earlier term's feed, and its last entry that counts.
        continues: Option<(FeedName, Height)>,
    },
}

impl Opening {
    /// Checks the payload of a feed's number 0.
    ///
    /// # Errors
    /// [`PayloadError`] if it does not decode, was made for another feed, or is not signed by the
    /// node or root key that it names.
    pub fn verify(
        payload: &[u8],
        network: NetworkId,
        space: SpaceId,
        writer: &PublicKey,
    ) -> Result<Self, PayloadError> {
        match Open::decode(payload)? {
            Open::Node(open) if space != SpaceId::authority(network) => {
                open.verify(network, space, writer)?;
                Ok(Self::Node {
                    hub: open.hub,
                    node: open.node,
                    grant: open.grant,
                })
            }
            Open::Authority(open) if space == SpaceId::authority(network) => {
                open.verify(network, writer)?;
                Ok(Self::Authority {
                    term: open.term,
                    continues: open.continues,
                })
            }
            Open::Node(_) | Open::Authority(_) => Err(PayloadError::Elsewhere),
        }
    }
}

/// What the authority log says of a feed's entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Admission {
    /// All of them count.
    All,
    /// Only these entries and their ancestors count; none at all if the list is empty.
    UpTo(Vec<Height>),
    /// Not known yet; ask again when the authority log grows.
    NotYet(RefusalReason),
    /// None counts.
    Never(RefusalReason),
}

impl Admission {
    /// Where the feed is cut, if it is.
    pub fn cuts(&self) -> &[Height] {
        match self {
            Self::UpTo(cuts) => cuts,
            Self::All | Self::NotYet(_) | Self::Never(_) => &[],
        }
    }
}
