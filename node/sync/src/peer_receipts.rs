//! Receipts between this node and one peer: what is due, and from what the peer can rebuild others.

use std::collections::{BTreeMap, BTreeSet};

use node_feed::{NodeId, SpaceId};

use crate::Timestamp;

/// What one session has to do with receipts. It holds names and times, and no heights.
#[derive(Debug, Default)]
pub(crate) struct PeerReceipts {
    /// Receipts that the peer is to be sent as soon as there is room.
    due: BTreeSet<(SpaceId, NodeId)>,
    /// Receipts that tell the peer nothing of its own entries. They wait, so that several of one
    /// node become one, and those of many nodes go together.
    later: BTreeSet<(SpaceId, NodeId)>,
    later_due: Option<Timestamp>,
    /// The frame that is not acknowledged yet, and the mark of the last receipt in it of each space.
    in_flight: Option<(u64, BTreeMap<SpaceId, u64>)>,
    /// Of each space the mark of a receipt that the peer is known to hold.
    bases: BTreeMap<SpaceId, u64>,
    /// Whether the peer has no cause any more to say which receipts it holds, but that it lacks a
    /// base.
    pub(crate) is_told: bool,
}

impl PeerReceipts {
    /// Has a receipt sent at once.
    pub(crate) fn owe(&mut self, key: (SpaceId, NodeId)) {
        self.later.remove(&key);
        self.due.insert(key);
    }

    /// Has a receipt sent at `due` or before.
    pub(crate) fn owe_later(&mut self, key: (SpaceId, NodeId), due: Timestamp) {
        if !self.due.contains(&key) {
            self.later.insert(key);
            self.later_due.get_or_insert(due);
        }
    }

    /// What is to be sent now, without what is not due yet; none while a frame is on its way.
    pub(crate) fn due(&mut self, now: Timestamp) -> Option<&mut BTreeSet<(SpaceId, NodeId)>> {
        if self.in_flight.is_some() {
            return None;
        }
        if self.later_due.is_some_and(|due| due <= now) {
            self.later_due = None;
            self.due.append(&mut self.later);
        }
        Some(&mut self.due)
    }

    /// When receipts that wait become due.
    pub(crate) fn later_due(&self) -> Option<Timestamp> {
        // Until the frame that is on its way was acknowledged nothing can be done about it.
        self.later_due.filter(|_| self.in_flight.is_none())
    }

    /// Whether a receipt is to be sent yet.
    pub(crate) fn is_owed(&self, key: &(SpaceId, NodeId)) -> bool {
        self.due.contains(key) || self.later.contains(key)
    }

    /// Receipts were sent in this frame, the last of each space with this mark.
    pub(crate) fn sent(&mut self, frame: u64, last: BTreeMap<SpaceId, u64>) {
        self.in_flight = Some((frame, last));
    }

    /// The peer dealt with every frame up to this one.
    pub(crate) fn acknowledged(&mut self, through: u64) {
        if let Some((_, last)) = self.in_flight.take_if(|(frame, _)| *frame <= through) {
            self.bases.extend(last);
        }
    }

    /// The peer holds the receipt with this mark.
    pub(crate) fn holds(&mut self, space: SpaceId, mark: u64) {
        self.bases.insert(space, mark);
    }

    /// The peer does not hold what it was thought to.
    pub(crate) fn lost(&mut self, space: SpaceId) {
        self.bases.remove(&space);
        if let Some((_, last)) = &mut self.in_flight {
            last.remove(&space);
        }
    }

    pub(crate) fn base(&self, space: SpaceId) -> Option<u64> {
        self.bases.get(&space).copied()
    }
}
