//! How far the copying of what others share has come.

use std::collections::BTreeMap;

use node_feed::{NodeId, SpaceId};

/// How many changes this node is known to lack of what its peers hold, while they are connected. It
/// is what peers say of themselves; nothing rests on it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Copying {
    lacks: BTreeMap<SpaceId, BTreeMap<NodeId, u64>>,
    /// How many came since there was nothing to copy.
    here: u64,
    /// The first copies that are under way.
    copies: BTreeMap<SpaceId, Copied>,
}

/// How much of one first copy is here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Copied {
    documents: u64,
    of: u64,
    bytes: u64,
    /// When it began in this process, and how many documents were here then.
    begun_ms: u64,
    begun: u64,
    last_ms: u64,
}

/// How far the first copies have come, all together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CopiedDocuments {
    /// How many documents are here.
    pub here: u64,
    /// How many there are.
    pub of: u64,
    /// How many bytes came since this process started.
    pub bytes: u64,
    /// About how many ms it will take, at the pace so far.
    pub left_ms: Option<u64>,
}

impl Copying {
    /// How many changes are here of those that were to be copied, and how many those are; none
    /// while nothing is.
    pub(crate) fn headway(&self) -> Option<(u64, u64)> {
        let lacks = self.lacking();
        (lacks > 0).then(|| (self.here, self.here.saturating_add(lacks)))
    }

    /// So many documents of a first copy of so many are here; `bytes` came with the last of them.
    pub(crate) fn documents(
        &mut self,
        space: SpaceId,
        documents: u64,
        of: u64,
        bytes: usize,
        now_ms: u64,
    ) {
        let copied = self.copies.entry(space).or_insert(Copied {
            documents,
            of,
            bytes: 0,
            begun_ms: now_ms,
            begun: documents,
            last_ms: now_ms,
        });
        copied.documents = documents;
        copied.of = of;
        copied.bytes = copied.bytes.saturating_add(bytes as u64);
        copied.last_ms = now_ms;
    }

    /// The first copy of a space is complete, or was given up.
    pub(crate) fn placed(&mut self, space: SpaceId) {
        self.copies.remove(&space);
    }

    /// How far first copies have come; none if none is under way.
    pub(crate) fn copied_documents(&self) -> Option<CopiedDocuments> {
        let mut sum = CopiedDocuments {
            here: 0,
            of: 0,
            bytes: 0,
            left_ms: None,
        };
        for copied in self.copies.values() {
            sum.here = sum.here.saturating_add(copied.documents);
            sum.of = sum.of.saturating_add(copied.of);
            sum.bytes = sum.bytes.saturating_add(copied.bytes);
            let took = copied.last_ms.saturating_sub(copied.begun_ms);
            let came = copied.documents.saturating_sub(copied.begun);
            let lacking = copied.of.saturating_sub(copied.documents);
            let left = lacking.saturating_mul(took).checked_div(came);
            sum.left_ms = left.max(sum.left_ms);
        }
        (!self.copies.is_empty()).then_some(sum)
    }

    /// A peer holds so many changes of a space that this node lacks: by all that it holds of it
    /// (`whole`), or at least.
    pub(crate) fn lacks(&mut self, peer: NodeId, space: SpaceId, changes: u64, whole: bool) {
        let peers = self.lacks.entry(space).or_default();
        let lacks = peers.entry(peer).or_default();
        *lacks = if whole { changes } else { changes.max(*lacks) };
        self.end_if_all_is_here();
    }

    /// So many changes of a space are durable here now.
    pub(crate) fn stored(&mut self, space: SpaceId, changes: u64) {
        if self.lacking() > 0 {
            self.here = self.here.saturating_add(changes);
        }
        for lacks in self.lacks.entry(space).or_default().values_mut() {
            *lacks = lacks.saturating_sub(changes);
        }
        self.end_if_all_is_here();
    }

    /// Nothing is copied from a peer at present: it holds the same, or is not connected.
    pub(crate) fn end(&mut self, peer: NodeId) {
        for peers in self.lacks.values_mut() {
            peers.remove(&peer);
        }
        self.end_if_all_is_here();
    }

    /// What one peer holds of a space another mostly holds as well.
    fn lacking(&self) -> u64 {
        let most = self.lacks.values().filter_map(|peers| peers.values().max());
        most.fold(0, |sum, lacks| sum.saturating_add(*lacks))
    }

    fn end_if_all_is_here(&mut self) {
        if self.lacking() == 0 {
            *self = Self::default();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copying_counts_up_to_what_is_lacking_and_ends_with_it() {
        let (one, other) = (SpaceId::from_bytes([1; 16]), SpaceId::from_bytes([2; 16]));
        let (peer, second) = (NodeId::from_bytes([1; 32]), NodeId::from_bytes([2; 32]));
        let mut copying = Copying::default();
        copying.stored(one, 3);
        assert_eq!(copying.headway(), None, "nothing was known to be lacking");
        copying.lacks(peer, one, 100, true);
        copying.lacks(peer, one, 4, false);
        copying.stored(one, 40);
        assert_eq!(copying.headway(), Some((40, 100)));
        // Meanwhile ten more were written there, and another space is heard of.
        copying.lacks(peer, one, 70, true);
        copying.lacks(peer, other, 5, false);
        assert_eq!(copying.headway(), Some((40, 115)));
        // A second peer holds less, and goes: nothing changes by it.
        copying.lacks(second, one, 12, true);
        copying.end(second);
        assert_eq!(copying.headway(), Some((40, 115)));
        copying.stored(one, 70);
        copying.stored(other, 9);
        assert_eq!(copying.headway(), None);
        copying.lacks(peer, one, u64::MAX, true);
        copying.lacks(peer, other, u64::MAX, true);
        assert_eq!(copying.headway(), Some((0, u64::MAX)), "it begins anew");
        copying.end(peer);
        assert_eq!(copying.headway(), None);
    }
}
