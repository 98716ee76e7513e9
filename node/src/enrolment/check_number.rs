//! The six digits that two people compare.

use std::fmt;

use node_feed::{Hash, HubId, NetworkId, PublicKey, Tag};
use serde::{Deserialize, Serialize};

/// A six-digit number that a node and the coordinator make of both their identity keys and of a
/// random part of each, and that both show.
///
/// Neither end can choose its part by the other's: the coordinator commits itself to its own first. So
/// somebody who stands between, with a node and a coordinator of their own, shows the same number at
/// both true ends by one chance in a million, whatever they compute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CheckNumber(u32);

/// What a check number is made of.
#[derive(Debug, Clone, Copy)]
pub struct CheckParts<'a> {
    /// The network that the node asks to join.
    pub network: NetworkId,
    /// The hub that it asks for.
    pub hub: HubId,
    /// Its identity key.
    pub node: &'a PublicKey,
    /// The coordinator's identity key.
    pub coordinator: &'a PublicKey,
    /// The node's part.
    pub node_nonce: &'a [u8; 32],
    /// The coordinator's part.
    pub coordinator_nonce: &'a [u8; 32],
}

impl CheckNumber {
    /// The number that these parts make.
    pub fn of(parts: &CheckParts<'_>) -> Self {
        let hash = Hash::of(
            Tag::Check,
            &[
                parts.network.as_bytes(),
                parts.hub.as_bytes(),
                parts.node.as_bytes(),
                parts.coordinator.as_bytes(),
                parts.node_nonce,
                parts.coordinator_nonce,
            ],
        );
        let mut bytes = [0; 8];
        bytes.copy_from_slice(&hash.as_bytes()[..8]);
        let digits = u64::from_le_bytes(bytes) % 1_000_000;
        Self(u32::try_from(digits).unwrap_or(0))
    }
}

/// What the coordinator with this identity key commits itself to when its part of a check number is
/// `nonce`. Whoever answers for another could choose their key by the node's part else.
pub fn check_commitment(nonce: &[u8; 32], coordinator: &PublicKey) -> Hash {
    Hash::of(Tag::CheckCommitment, &[nonce, coordinator.as_bytes()])
}

impl fmt::Display for CheckNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:03} {:03}", self.0 / 1000, self.0 % 1000)
    }
}

#[cfg(test)]
mod tests {
    use node_feed::SecretKey;

    use super::*;

    #[test]
    fn every_part_changes_the_six_digits_and_the_same_parts_make_the_same() {
        let [node, coordinator, stranger] =
            [1, 2, 3].map(|seed| SecretKey::from_seed(&[seed; 32]).public());
        let parts = CheckParts {
            network: NetworkId::from_bytes([4; 16]),
            hub: HubId::from_bytes([5; 8]),
            node: &node,
            coordinator: &coordinator,
            node_nonce: &[6; 32],
            coordinator_nonce: &[7; 32],
        };
        let number = CheckNumber::of(&parts);
        // As docs/protocol.md has it, so that other programs make the same.
        assert_eq!(number.to_string(), "832 720");
        assert_eq!(
            check_commitment(&[7; 32], &coordinator).to_string(),
            "e73606a2e414bc4081d010fed8227928aeaad4533c577e324374227f53f0885e"
        );
        let others = [
            CheckParts {
                network: NetworkId::from_bytes([0; 16]),
                ..parts
            },
            CheckParts {
                hub: HubId::from_bytes([0; 8]),
                ..parts
            },
            CheckParts {
                node: &stranger,
                ..parts
            },
            CheckParts {
                coordinator: &stranger,
                ..parts
            },
            CheckParts {
                node_nonce: &[0; 32],
                ..parts
            },
            CheckParts {
                coordinator_nonce: &[0; 32],
                ..parts
            },
        ];
        for other in others {
            assert_ne!(CheckNumber::of(&other), number, "{other:?}");
        }
        let text = number.to_string();
        assert_eq!(text.len(), 7, "{text}");
        assert!(
            text.chars()
                .enumerate()
                .all(|(at, c)| (at == 3) == (c == ' ')),
            "{text}"
        );
    }
}
