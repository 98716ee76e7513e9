//! What is noted of peers: sessions and refusals, for people, metrics and the audit log alike.

use std::sync::Arc;

use node_feed::{NodeId, Refusal};

use super::{Event, Fields};
use crate::Node;
use crate::clock::now_ms;
use crate::node::Inner;

impl Inner {
    /// This node refused a session, or ended it for a fault of the other end: why in one word, and in
    /// a sentence.
    pub(crate) fn refuse_session(
        self: &Arc<Self>,
        peer: Option<NodeId>,
        reason: &'static str,
        why: &str,
    ) {
        self.peers.refused_session(peer, why, now_ms());
        self.metrics.sessions_refused.increment(1);
        let fields = self.of_peer(peer).with("reason", reason);
        self.note_counted(Event::SessionRefused, fields);
    }

    /// This node refused entries of a peer.
    pub(crate) fn refuse_entry(self: &Arc<Self>, peer: NodeId, refusal: &Refusal) {
        self.peers.refused_entry(peer, refusal.clone(), now_ms());
        self.metrics.entry_refused(refusal.reason);
        self.note_counted(Event::EntryRefused, self.of_refusal(peer, refusal));
    }

    /// A peer refused entries of this node.
    pub(crate) fn note_refused_by(self: &Arc<Self>, peer: NodeId, refusal: &Refusal) {
        self.metrics.entry_refused_by_peer(refusal.reason);
        self.note_counted(Event::EntryRefusedByPeer, self.of_refusal(peer, refusal));
    }

    /// The other end of a session has proven that it is `peer`: noted when that is new.
    pub(crate) fn note_connected(self: &Arc<Self>, peer: NodeId, is_new: bool) {
        if !is_new {
            return;
        }
        self.metrics.sessions_opened.increment(1);
        self.note_counted(Event::Connected, self.of_peer(Some(peer)));
    }

    /// Without the number of the entry and its feed, by which a flood would be many things.
    fn of_refusal(self: &Arc<Self>, peer: NodeId, refusal: &Refusal) -> Fields {
        let fields = self.of_peer(Some(peer));
        // A peer can name as many spaces as it likes.
        let is_known = self.authority().spaces().contains_key(&refusal.space);
        let fields = if is_known {
            fields.with("space", refusal.space)
        } else {
            fields.with("space", "unknown")
        };
        fields.with("reason", refusal.reason.word())
    }

    fn of_peer(self: &Arc<Self>, peer: Option<NodeId>) -> Fields {
        let Some(peer) = peer else {
            return Fields::new();
        };
        let fields = Fields::new().with("node", peer);
        let node = Node {
            inner: Arc::clone(self),
        };
        match self.authority().hub_of(&peer) {
            Some(hub) => fields.with("hub", node.hub_code(hub)),
            None => fields,
        }
    }
}
