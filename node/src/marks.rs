//! Where an edit is: *saved*, *sent*, *received*. From acknowledgements and receipts alone.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use node_feed::{FeedName, Height, HubId, NodeId, Receipt, SpaceId};

/// What each other node is known to hold durably: the number of the last entry of each feed.
#[derive(Debug, Default)]
pub(crate) struct Marks(Mutex<BTreeMap<(SpaceId, NodeId), BTreeMap<FeedName, u64>>>);

/// Where one record's own changes are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RecordMarks {
    /// This node's changes of the record; the rest says where the last of them is.
    pub own: u64,
    /// Durable at the coordinator or another hub.
    pub sent: bool,
    /// Durable at one node of this many hubs.
    pub received: u32,
    /// How many hubs share the record, this one and the coordinator not counted.
    pub members: u32,
    /// Changes of this node that are saved and not sent.
    pub unsent: u64,
}

impl Marks {
    /// Takes in what a peer said that it holds: of these feeds, or of the whole space. It may be
    /// less than before: a disk can be lost.
    pub(crate) fn peer_holds(
        &self,
        peer: NodeId,
        space: SpaceId,
        heights: &[(FeedName, Height)],
        whole: bool,
    ) {
        let mut marks = self.lock();
        let held = marks.entry((space, peer)).or_default();
        if whole {
            held.clear();
        }
        held.extend(heights.iter().map(|(feed, height)| (*feed, height.number)));
    }

    /// Takes in a receipt, which was checked and is later than the last of its node.
    pub(crate) fn receipt(&self, receipt: &Receipt) {
        let heights = receipt.heights.iter().collect::<Vec<_>>();
        self.peer_holds(receipt.node, receipt.space, &heights, true);
    }

    /// The nodes, other than `own`, that hold entry `number` of a feed.
    pub(crate) fn holders(
        &self,
        own: &BTreeSet<NodeId>,
        space: SpaceId,
        feed: FeedName,
        number: u64,
    ) -> BTreeSet<NodeId> {
        let marks = self.lock();
        let holders = of_feed(&marks, space, feed)
            .filter(|(node, held)| !own.contains(node) && *held >= number)
            .map(|(node, _)| node);
        holders.collect()
    }

    /// What `node` is known to hold of a space: the number of the last entry of each feed.
    pub(crate) fn held(&self, space: SpaceId, node: NodeId) -> BTreeMap<FeedName, u64> {
        let marks = self.lock();
        marks.get(&(space, node)).cloned().unwrap_or_default()
    }

    /// The highest entry of a feed that any node that `counts` holds.
    pub(crate) fn highest(
        &self,
        space: SpaceId,
        feed: FeedName,
        mut counts: impl FnMut(&NodeId) -> bool,
    ) -> Option<u64> {
        let marks = self.lock();
        let held = of_feed(&marks, space, feed).filter(|(node, _)| counts(node));
        held.map(|(_, held)| held).max()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<(SpaceId, NodeId), BTreeMap<FeedName, u64>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Who holds how much of a feed.
fn of_feed(
    marks: &BTreeMap<(SpaceId, NodeId), BTreeMap<FeedName, u64>>,
    space: SpaceId,
    feed: FeedName,
) -> impl Iterator<Item = (NodeId, u64)> + '_ {
    let first = (space, NodeId::from_bytes([0; 32]));
    let last = (space, NodeId::from_bytes([u8::MAX; 32]));
    marks
        .range(first..=last)
        .filter_map(move |((_, node), held)| Some((*node, *held.get(&feed)?)))
}

impl RecordMarks {
    /// Sums up who holds the last own entries: `holders` has one set for each feed that matters.
    pub(crate) fn of(
        holders: &[BTreeSet<NodeId>],
        hub_of: impl Fn(&NodeId) -> Option<HubId>,
        others: &BTreeSet<HubId>,
        (own, unsent): (u64, u64),
    ) -> Self {
        let mut everywhere = holders.iter().cloned().reduce(|one, other| &one & &other);
        let holding = everywhere.take().unwrap_or_default();
        let hubs = holding.iter().filter_map(hub_of).collect::<BTreeSet<_>>();
        let received = hubs.intersection(others).count();
        Self {
            own,
            sent: !holding.is_empty(),
            received: u32::try_from(received).unwrap_or(u32::MAX),
            members: u32::try_from(others.len()).unwrap_or(u32::MAX),
            unsent,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(name: u8) -> NodeId {
        NodeId::from_bytes([name; 32])
    }

    #[test]
    fn a_record_is_received_where_all_its_last_changes_are() {
        let (space, first) = (SpaceId::from_bytes([1; 16]), FeedName::from_bytes([1; 32]));
        let second = FeedName::from_bytes([2; 32]);
        let marks = Marks::default();
        let height = |number| Height {
            number,
            hash: node_feed::Hash::ZERO,
        };
        let whole = |peer, heights: &[_]| marks.peer_holds(peer, space, heights, true);
        whole(node(1), &[(first, height(5)), (second, height(2))]);
        whole(node(2), &[(first, height(5)), (second, height(1))]);
        let own = node(9);
        let holders = [
            marks.holders(&BTreeSet::from([own]), space, first, 5),
            marks.holders(&BTreeSet::from([own]), space, second, 2),
        ];
        let hub_of = |node: &NodeId| Some(HubId::from_bytes([node.as_bytes()[0]; 8]));
        let others = [1, 2, 3]
            .map(|hub| HubId::from_bytes([hub; 8]))
            .into_iter()
            .collect();
        let summed = RecordMarks::of(&holders, hub_of, &others, (2, 0));
        assert_eq!((summed.sent, summed.received, summed.members), (true, 1, 3));
        assert_eq!(marks.highest(space, first, |node| *node != own), Some(5));
        whole(node(1), &[(second, height(2))]);
        let lost = marks.holders(&BTreeSet::from([own]), space, first, 5);
        assert!(
            !lost.contains(&node(1)),
            "a disk that was lost holds nothing any more"
        );
    }
}
