//! The six digits that two people compare.

use std::fmt;

use node_feed::{Hash, PublicKey, Tag};

/// A six-digit number made from a node's and the coordinator's identity keys.
///
/// Both ends show it. Whoever took an invitation and asks with it shows another number, but for one
/// chance in a million. It is no proof against somebody who could also replace the invitation by one
/// that names a key of their own: they see the node's number and can try keys until theirs has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CheckNumber(u32);

impl CheckNumber {
    /// The number of this pair of keys.
    pub fn of(node: &PublicKey, coordinator: &PublicKey) -> Self {
        let hash = Hash::of(Tag::Check, &[node.as_bytes(), coordinator.as_bytes()]);
        let mut bytes = [0; 8];
        bytes.copy_from_slice(&hash.as_bytes()[..8]);
        let digits = u64::from_le_bytes(bytes) % 1_000_000;
        Self(u32::try_from(digits).unwrap_or(0))
    }
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
    fn both_ends_show_the_same_six_digits_and_another_key_shows_others() {
        let [node, coordinator, stranger] =
            [1, 2, 3].map(|seed| SecretKey::from_seed(&[seed; 32]).public());
        let number = CheckNumber::of(&node, &coordinator);
        assert_eq!(number, CheckNumber::of(&node, &coordinator));
        assert_ne!(number, CheckNumber::of(&stranger, &coordinator));
        assert_ne!(number, CheckNumber::of(&node, &stranger));
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
