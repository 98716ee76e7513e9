//! What follows from an input for each session that it touched.

use std::collections::BTreeMap;

use node_feed::{Hash, Heights, SpaceId, root_digest};

use crate::session::Session;
use crate::{Effect, Engine, PeerMemory, SessionId};

impl Engine {
    /// Says again what must be said again, sends what there is room for, and tells whether both
    /// ends are equal.
    pub(super) fn settle(&mut self) {
        self.push_fresh();
        while let Some(id) = self.touched.pop_first() {
            self.acknowledge(id);
            self.say_again(id);
            self.pump(id);
            self.send_receipts(id);
            self.announce(id);
            self.remember(id, false);
            self.note_deadline(id);
        }
    }

    fn say_again(&mut self, id: SessionId) {
        let Some(session) = self
            .sessions
            .get_mut(&id)
            .filter(|session| session.is_live())
        else {
            return;
        };
        let spaces = std::mem::take(&mut session.restate);
        let shared = &session.spaces;
        let spaces = spaces
            .into_iter()
            .filter(|(space, _)| shared.contains_key(space))
            .collect::<Vec<_>>();
        for (space, ask) in spaces {
            self.say_whole(id, space, ask);
        }
    }

    fn announce(&mut self, id: SessionId) {
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        let is_equal = session.is_live() && session.unequal.is_empty();
        if is_equal == session.equal {
            return;
        }
        session.equal = is_equal;
        session.unremembered |= is_equal;
        if let Some(peer) = self.peer_of(id) {
            self.effects.push(if is_equal {
                Effect::Equal { session: id, peer }
            } else {
                Effect::NotEqual { session: id, peer }
            });
        }
    }

    /// Remembers the state in which both ends are equal: now and then, and at the end.
    pub(super) fn remember(&mut self, id: SessionId, at_once: bool) {
        let Some(session) = self.sessions.get(&id) else {
            return;
        };
        let is_due = at_once || session.remember_due <= self.now;
        // Whether it is told to be equal may lag behind what was just stored.
        let is_equal = session.equal && session.is_live() && session.unequal.is_empty();
        if !is_equal || !session.unremembered || !is_due {
            return;
        }
        let root = self.root(id);
        let Some(session) = self.sessions.get(&id) else {
            return;
        };
        let memory = (session.remembered != Some(root)).then(|| PeerMemory {
            root,
            spaces: self
                .shared_heights(session)
                .map(|(space, heights)| (space, heights.clone()))
                .collect(),
        });
        let due = self.now.after(self.config.remember_interval_ms);
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        session.unremembered = false;
        session.remember_due = due;
        if let (Some(memory), Some(peer)) = (memory, &session.peer) {
            session.remembered = Some(root);
            let peer = peer.node;
            self.effects.push(Effect::Remember { peer, memory });
        }
    }

    /// The root digest over what is held here of what a session shares.
    fn root(&mut self, id: SessionId) -> Hash {
        let session = self.sessions.get(&id);
        let shared = session.map(|session| self.shared_heights(session));
        let shared = shared.into_iter().flatten().map(|(space, _)| space);
        let shared = shared.collect::<Vec<_>>();
        let digests = shared.into_iter().map(|space| (space, self.digest(space)));
        root_digest(&digests.collect::<BTreeMap<_, _>>())
    }

    fn shared_heights<'a>(
        &'a self,
        session: &'a Session,
    ) -> impl Iterator<Item = (SpaceId, &'a Heights)> {
        session.spaces.keys().filter_map(|space| {
            let heights = self.spaces.get(space)?.heights();
            (!heights.is_empty()).then_some((*space, heights.as_ref()))
        })
    }
}
