//! Receipts: signed words on what is held, the latest of each node and space.

use std::collections::BTreeSet;

use node_feed::{Hash, HubId, NodeId, Receipt, SpaceId, Tag};

use crate::{Effect, Engine, Goodbye, Message, SessionId, Timestamp};

/// How soon after a change a receipt is signed, as a part of the interval: what changes together
/// is told of together.
const DELAY_PART: u64 = 10;

impl Engine {
    pub(super) fn schedule_all_receipts(&mut self) {
        let spaces = self.spaces.keys().copied().collect::<Vec<_>>();
        for space in spaces {
            self.schedule_receipt(space);
        }
    }

    /// Our heights of a space changed: a receipt is due, at most one each interval.
    pub(super) fn schedule_receipt(&mut self, space: SpaceId) {
        if self.receipts_due.contains_key(&space)
            || space == self.authority_space()
            || !self.has_other_members(space)
        {
            return;
        }
        let last = self.receipts.get(&(space, self.node));
        let held = self.spaces.get(&space).map(crate::space::Space::heights);
        if held.is_none_or(|held| match last {
            Some(last) => last.heights == **held,
            None => held.is_empty(),
        }) {
            return;
        }
        let interval = self.config.receipt_interval_ms;
        let soon = self.now.after(interval / DELAY_PART);
        let next = last.map_or(soon, |last| Timestamp(last.time_ms).after(interval));
        // A clock that was set back must not silence a node.
        let due = next.clamp(soon, self.now.after(interval));
        self.receipts_due.insert(space, due);
    }

    pub(super) fn sign_receipts(&mut self) {
        let now = self.now;
        let due = self.receipts_due.iter().filter(|(_, due)| **due <= now);
        let due = due.map(|(space, _)| *space).collect::<Vec<_>>();
        for space in due {
            self.receipts_due.remove(&space);
            if !self.has_other_members(space) {
                continue;
            }
            let last = self.receipts.get(&(space, self.node));
            let after_last = last.map_or(0, |last| last.time_ms.saturating_add(1));
            let heights = self.space(space).heights().as_ref().clone();
            let receipt = Receipt::sign(
                self.authority.network(),
                space,
                &self.own.identity,
                now.0.max(after_last),
                heights,
            );
            self.keep_receipt(receipt, None);
        }
    }

    pub(super) fn take_receipts(&mut self, id: SessionId, receipts: Vec<Receipt>) {
        let Some(space) = receipts.first().map(|receipt| receipt.space) else {
            self.leave(id, Goodbye::Malformed);
            return;
        };
        for receipt in receipts {
            if self.shared_with(id, receipt.space)
                && self.is_news(&receipt)
                && self.is_signed(&receipt)
            {
                self.keep_receipt(receipt, Some(id));
            }
        }
        let Some(session) = self.sessions.get(&id) else {
            return;
        };
        let through = session.through();
        self.send(
            id,
            Message::Acknowledged {
                space,
                digest: Hash::ZERO,
                heights: Vec::new(),
                through,
            },
        );
    }

    /// Whether a receipt is later than the one held, and its node's.
    fn is_news(&self, receipt: &Receipt) -> bool {
        let held = self.receipts.get(&(receipt.space, receipt.node));
        let hub = self.authority.hub_of(&receipt.node);
        receipt.node != self.node
            && held.is_none_or(|held| held.time_ms < receipt.time_ms)
            && hub.is_some_and(|hub| self.authority.access(hub, receipt.space).is_some())
    }

    fn is_signed(&mut self, receipt: &Receipt) -> bool {
        let network = self.authority.network();
        let key = self.keyring.get(receipt.node.as_bytes());
        key.is_ok_and(|key| receipt.verify_by(network, &key).is_ok())
    }

    fn keep_receipt(&mut self, receipt: Receipt, origin: Option<SessionId>) {
        let key = (receipt.space, receipt.node);
        let is_passed_on = self.own.relay || receipt.node == self.node;
        for (id, session) in &mut self.sessions {
            let peer = session.peer.as_ref().map(|peer| peer.node);
            if is_passed_on
                && Some(*id) != origin
                && peer != Some(receipt.node)
                && (session.spaces.contains_key(&receipt.space) || !session.is_live())
            {
                session.receipts_due.insert(key);
                self.touched.insert(*id);
            }
        }
        self.receipts.insert(key, receipt.clone());
        self.effects.push(Effect::ReceiptStored { receipt });
    }

    /// Sends the receipts that are due to a peer, one message at a time, so that a slow peer gets
    /// the latest of each and not all.
    pub(super) fn send_receipts(&mut self, id: SessionId) {
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        if !session.is_live() || session.receipts_frame.is_some() {
            return;
        }
        let mut receipts = Vec::new();
        let mut bytes = 0;
        while bytes < self.config.batch_bytes
            && let Some((space, node)) = session.receipts_due.pop_first()
        {
            let is_peers = session.peer.as_ref().is_some_and(|peer| peer.node == node);
            if let Some(receipt) = self.receipts.get(&(space, node))
                && session.spaces.contains_key(&space)
                && !is_peers
            {
                bytes += 128 + receipt.heights.len() * 72;
                receipts.push(receipt.clone());
            }
        }
        if !receipts.is_empty() {
            session.receipts_frame = Some(session.frames_sent + 1);
            self.send(id, Message::Receipts(receipts));
        }
    }

    /// The first bytes of the digest over the receipts held of the spaces shared with a hub.
    pub(super) fn receipts_mark(&self, hub: Option<HubId>) -> u64 {
        let shared = self.shared(hub).into_iter().collect();
        let mut bytes = Vec::new();
        for (space, node, time_ms) in self.receipts_of(&shared) {
            bytes.extend_from_slice(space.as_bytes());
            bytes.extend_from_slice(node.as_bytes());
            bytes.extend_from_slice(&time_ms.to_le_bytes());
        }
        let digest = Hash::of(Tag::Receipts, &[&bytes]);
        let [a, b, c, d, e, f, g, h, ..] = *digest.as_bytes();
        u64::from_le_bytes([a, b, c, d, e, f, g, h])
    }

    pub(super) fn say_receipts_held(&mut self, id: SessionId) {
        let Some(session) = self.sessions.get(&id) else {
            return;
        };
        let shared = session.spaces.keys().copied().collect();
        let held = self.receipts_of(&shared).collect();
        self.send(id, Message::ReceiptsHeld(held));
    }

    pub(super) fn take_receipts_held(&mut self, id: SessionId, held: &[(SpaceId, NodeId, u64)]) {
        let Some(peer) = self.peer_of(id) else {
            return;
        };
        let theirs = held
            .iter()
            .map(|(space, node, time_ms)| ((*space, *node), *time_ms))
            .collect::<std::collections::BTreeMap<_, _>>();
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        for ((space, node), receipt) in &self.receipts {
            let is_passed_on = self.own.relay || *node == self.node;
            let lacks = theirs
                .get(&(*space, *node))
                .is_none_or(|time_ms| *time_ms < receipt.time_ms);
            if is_passed_on && lacks && *node != peer && session.spaces.contains_key(space) {
                session.receipts_due.insert((*space, *node));
            }
        }
    }

    /// The receipts held of these spaces whose nodes may still read them.
    fn receipts_of(
        &self,
        spaces: &BTreeSet<SpaceId>,
    ) -> impl Iterator<Item = (SpaceId, NodeId, u64)> {
        self.receipts
            .iter()
            .filter(|((space, node), _)| {
                let hub = self.authority.hub_of(node);
                spaces.contains(space)
                    && hub.is_some_and(|hub| self.authority.access(hub, *space).is_some())
            })
            .map(|((space, node), receipt)| (*space, *node, receipt.time_ms))
    }
}
