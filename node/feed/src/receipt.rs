//! A node's signed word on what it holds durably.

use crate::{Heights, KeyError, NetworkId, NodeId, PublicKey, SecretKey, Signature, SpaceId, Tag};

/// Which heights of a space a node holds durably. From receipts a person is shown *received by
/// n of m*.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The space.
    pub space: SpaceId,
    /// The node that holds it.
    pub node: NodeId,
    /// The node's time, in ms since 1970; a later receipt of one node replaces an earlier one.
    pub time_ms: u64,
    /// What it holds.
    pub heights: Heights,
    /// The node's identity key's signature.
    pub signature: Signature,
}

impl Receipt {
    /// How many heights a receipt may have: such a one fits into a frame.
    pub const HEIGHTS_MAX: usize = 40_000;

    /// Signs a receipt. The heights must be durable at this node.
    pub fn sign(
        network: NetworkId,
        space: SpaceId,
        identity: &SecretKey,
        time_ms: u64,
        heights: Heights,
    ) -> Self {
        let node = identity.public().node();
        let mut receipt = Self {
            space,
            node,
            time_ms,
            heights,
            signature: Signature([0; 64]),
        };
        receipt.signature = identity.sign(Tag::Receipt, &[network.as_bytes(), &receipt.said()]);
        receipt
    }

    /// Names the receipt among those of its space: the first eight bytes of its signature, as a
    /// little-endian number. Nobody signs two with one name but by cheating, and a name proves
    /// nothing.
    pub fn mark(&self) -> u64 {
        let [a, b, c, d, e, f, g, h, ..] = self.signature.0;
        u64::from_le_bytes([a, b, c, d, e, f, g, h])
    }

    /// Checks that the node that it names signed it.
    ///
    /// # Errors
    /// [`KeyError`] if it did not.
    pub fn verify(&self, network: NetworkId) -> Result<(), KeyError> {
        self.verify_by(network, &PublicKey::from_bytes(self.node.as_bytes())?)
    }

    /// The same, with the node's key; keys are costly to check, so the caller may keep them.
    ///
    /// # Errors
    /// [`KeyError`] if `key` is another node's or did not sign the receipt.
    pub fn verify_by(&self, network: NetworkId, key: &PublicKey) -> Result<(), KeyError> {
        if key.node() != self.node {
            return Err(KeyError::Key);
        }
        key.verify(
            Tag::Receipt,
            &[network.as_bytes(), &self.said()],
            &self.signature,
        )
    }

    fn said(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        bytes.extend_from_slice(self.space.as_bytes());
        bytes.extend_from_slice(self.node.as_bytes());
        bytes.extend_from_slice(&self.time_ms.to_le_bytes());
        bytes.extend_from_slice(&self.heights.encode());
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{FeedName, Hash, Height};

    #[test]
    fn a_receipt_holds_for_its_network_node_space_time_and_heights_alone() {
        let network = NetworkId::from_bytes([1; 16]);
        let identity = SecretKey::from_seed(&[2; 32]);
        let feed = FeedName::from_bytes([3; 32]);
        let height = Height {
            number: 4,
            hash: Hash::ZERO,
        };
        let heights = [(feed, height)].into_iter().collect::<Heights>();
        let receipt = Receipt::sign(network, SpaceId::from_bytes([5; 16]), &identity, 6, heights);
        assert_eq!(receipt.verify(network), Ok(()));
        assert!(receipt.verify(NetworkId::from_bytes([9; 16])).is_err());
        let altered = [
            Receipt {
                space: SpaceId::from_bytes([9; 16]),
                ..receipt.clone()
            },
            Receipt {
                node: SecretKey::from_seed(&[9; 32]).public().node(),
                ..receipt.clone()
            },
            Receipt {
                time_ms: 7,
                ..receipt.clone()
            },
            Receipt {
                heights: Heights::new(),
                ..receipt
            },
        ];
        for receipt in altered {
            assert_eq!(receipt.verify(network), Err(KeyError::Signature));
        }
    }
}
