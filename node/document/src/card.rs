//! Cards: small records without history, of which only current revisions count.

use std::collections::BTreeSet;

use bytes::Bytes;
use node_feed::{Hash, HubId};

/// One revision of a card, as the store holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revision {
    /// The hash of its entry.
    pub hash: Hash,
    /// The revisions it takes the place of.
    pub replaces: Vec<Hash>,
    /// What it says.
    pub body: Bytes,
    /// The hub that wrote it.
    pub hub: HubId,
    /// The author's time in milliseconds since 1970, for display.
    pub time_ms: u64,
}

/// The revisions of a card that stand: those that no other takes the place of.
///
/// There is one as a rule. Revisions written without knowledge of each other stand beside each
/// other as siblings and are all shown; the next revision names them all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CardView {
    siblings: Vec<Revision>,
}

impl CardView {
    /// The view of a card from the revisions that are held of it, in any order.
    pub fn new(revisions: impl IntoIterator<Item = Revision>) -> Self {
        let mut siblings = revisions.into_iter().collect::<Vec<_>>();
        let replaced = siblings
            .iter()
            .flat_map(|revision| revision.replaces.clone())
            .collect::<BTreeSet<_>>();
        siblings.retain(|revision| !replaced.contains(&revision.hash));
        siblings.sort_by_key(|revision| (revision.time_ms, revision.hash));
        siblings.dedup_by_key(|revision| revision.hash);
        Self { siblings }
    }

    /// The revision that is shown: the latest by its author's clock.
    pub fn shown(&self) -> Option<&Revision> {
        self.siblings.last()
    }

    /// All revisions that stand, the one that is shown last.
    pub fn siblings(&self) -> &[Revision] {
        &self.siblings
    }

    /// What the next revision replaces.
    pub fn replaces(&self) -> Vec<Hash> {
        self.siblings.iter().map(|revision| revision.hash).collect()
    }

    /// Whether a person should look: there are siblings, and they do not say the same.
    pub fn differs(&self) -> bool {
        self.siblings
            .windows(2)
            .any(|pair| pair[0].body != pair[1].body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn revision(name: u8, replaces: &[u8], body: &'static str, time_ms: u64) -> Revision {
        Revision {
            hash: Hash::from_bytes([name; 32]),
            replaces: replaces
                .iter()
                .map(|name| Hash::from_bytes([*name; 32]))
                .collect(),
            body: Bytes::from_static(body.as_bytes()),
            hub: HubId::from_bytes([1; 8]),
            time_ms,
        }
    }

    #[test]
    fn the_next_revision_takes_the_place_of_all_siblings() {
        let (first, left, right) = (
            revision(1, &[], "a", 1),
            revision(2, &[1], "b", 3),
            revision(3, &[1], "c", 2),
        );
        let card = CardView::new([right.clone(), first.clone(), left.clone(), left.clone()]);
        assert_eq!(card.siblings(), [right.clone(), left.clone()]);
        assert!(card.differs());
        assert_eq!(card.shown(), Some(&left));
        let last = revision(4, &[2, 3], "d", 0);
        assert_eq!(card.replaces().len(), 2);
        let card = CardView::new([last.clone(), first, left, right]);
        assert_eq!(card.siblings(), [last]);
        assert!(!card.differs());
    }
}
