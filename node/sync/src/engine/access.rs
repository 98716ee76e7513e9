//! Access is data: what changes when the authority log was folded again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use node_feed::{Authority, FeedTree, SpaceId};

use crate::{Alarm, Effect, Engine, Goodbye, SessionId};

impl Engine {
    pub(super) fn authority_changed(
        &mut self,
        authority: Arc<Authority>,
        spaces: BTreeMap<SpaceId, BTreeMap<[u8; 32], FeedTree>>,
    ) {
        self.folding = false;
        let old = std::mem::replace(&mut self.authority, authority);
        for (space, trees) in spaces {
            self.replace_space(space, trees);
        }
        if self.authority.is_frozen() && !old.is_frozen() {
            self.effects.push(Effect::Alarm(Alarm::Frozen));
        }
        self.end_copies_without_access();
        if *old != *self.authority {
            self.effects.push(Effect::RefusalsCleared { peer: None });
            let sessions = self.sessions.keys().copied().collect::<Vec<_>>();
            for id in sessions {
                self.review(id);
            }
            self.schedule_all_receipts();
        }
        self.take_waiting();
    }

    pub(super) fn replace_space(&mut self, id: SpaceId, trees: BTreeMap<[u8; 32], FeedTree>) {
        let changed = self.space(id).replace(trees);
        if changed.is_empty() {
            return;
        }
        for session_id in self.concerned(id) {
            let (Some(session), Some(held)) =
                (self.sessions.get_mut(&session_id), self.spaces.get(&id))
            else {
                continue;
            };
            session.restate(id, true);
            session.unremembered = true;
            if let Some(peer_space) = session.spaces.get_mut(&id) {
                peer_space.compare(held.heights());
                peer_space.plan_again();
                session.behind.insert(id);
                session.weigh(id);
            }
            self.touched.insert(session_id);
        }
        self.schedule_receipt(id);
    }

    /// Looks again at who the peer is and what it may read.
    fn review(&mut self, id: SessionId) {
        let Some(node) = self.peer_of(id) else {
            return;
        };
        if self.is_ended(&node) {
            self.leave(id, Goodbye::NotAdmitted);
            return;
        }
        let hub = self.authority.hub_of(&node);
        let authority = self.authority_space();
        let mut shared = self.shared(hub).into_iter().collect::<BTreeSet<_>>();
        shared.insert(authority);
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        if let Some(peer) = &mut session.peer {
            peer.hub = hub;
        }
        if !session.is_live() {
            return;
        }
        self.keep_spaces(id, &shared);
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        session.ask_again();
        for (space, peer_space) in &mut session.spaces {
            peer_space.forget_refusals();
            session.behind.insert(*space);
            if !peer_space.is_known() {
                session.restate.insert(*space, true);
            }
        }
        let new = shared
            .into_iter()
            .filter(|space| !session.spaces.contains_key(space))
            .collect::<Vec<_>>();
        for space in new.iter().copied() {
            session.restate(space, true);
        }
        for space in new {
            self.add_space(id, space);
        }
        self.touched.insert(id);
    }

    /// Whether two hubs or more may read a space, so that receipts for it tell anyone anything.
    pub(super) fn has_other_members(&self, space: SpaceId) -> bool {
        let mut others = self.authority.readers(space);
        self.authority.access(self.own.hub, space).is_some()
            && others.any(|hub| hub != self.own.hub)
    }

    pub(super) fn shared_with(&self, id: SessionId, space: SpaceId) -> bool {
        let session = self.sessions.get(&id);
        session.is_some_and(|session| session.spaces.contains_key(&space))
    }
}
