//! Finding the sessions that something concerns, without looking at all of them.

use std::collections::BTreeSet;

use node_feed::SpaceId;

use crate::session::Session;
use crate::{Engine, SessionId};

impl Engine {
    /// Goes on with a space in a session.
    pub(super) fn add_space(&mut self, id: SessionId, space: SpaceId) {
        self.space(space);
        if let Some(session) = self.sessions.get_mut(&id) {
            session.add_space(space);
            self.sharing.entry(space).or_default().insert(id);
        }
    }

    /// Goes on with no space of a session but these.
    pub(super) fn keep_spaces(&mut self, id: SessionId, kept: &BTreeSet<SpaceId>) {
        if let Some(session) = self.sessions.get_mut(&id) {
            for space in session.keep_spaces(kept) {
                self.unshare(id, space);
            }
        }
    }

    fn unshare(&mut self, id: SessionId, space: SpaceId) {
        if let Some(sharing) = self.sharing.get_mut(&space) {
            sharing.remove(&id);
            if sharing.is_empty() {
                self.sharing.remove(&space);
            }
        }
    }

    /// The sessions that news of a space may concern.
    pub(super) fn concerned(&self, space: SpaceId) -> Vec<SessionId> {
        let none = BTreeSet::new();
        let sharing = self.sharing.get(&space).unwrap_or(&none);
        sharing.union(&self.not_live).copied().collect()
    }

    /// Brings up to date when a session must be looked at.
    pub(super) fn note_deadline(&mut self, id: SessionId) {
        let due = self.sessions.get(&id).and_then(Session::deadline);
        self.deadlines.set(id, due);
    }

    /// Takes a session that has ended out of what finds it.
    pub(super) fn lose(&mut self, id: SessionId, session: &Session) {
        self.deadlines.set(id, None);
        self.not_live.remove(&id);
        for space in session.spaces.keys() {
            self.unshare(id, *space);
        }
        if let Some(key) = session.key().filter(|key| self.live.get(key) == Some(&id)) {
            self.live.remove(&key);
        }
    }

    /// Whether a look at every session finds just what is kept beside them. Programs that check
    /// themselves look after every input, and so does every run of the simulator.
    pub(super) fn finds_all(&self) -> bool {
        let mut sessions = self.sessions.iter();
        let are_due = sessions.all(|(id, session)| self.deadlines.get(id) == session.deadline());
        let due = self.sessions.values().filter_map(Session::deadline).min();
        let shared = self.sessions.iter().flat_map(|(id, session)| {
            let spaces = session.spaces.keys();
            spaces.map(move |space| (*space, *id))
        });
        let found = self.sharing.iter().flat_map(|(space, sessions)| {
            let sessions = sessions.iter();
            sessions.map(move |id| (*space, *id))
        });
        let live = self.live.iter().all(|(key, id)| {
            let session = self.sessions.get(id);
            session.is_some_and(|session| session.key() == Some(*key))
        });
        let receipts = self
            .spaces
            .keys()
            .filter_map(|space| self.receipts_due.get(space));
        let receipts = receipts.min();
        let not_live = self.sessions.iter().filter(|(_, it)| !it.is_live());
        are_due
            && live
            && receipts == self.receipts_due.first()
            && due == self.deadlines.first()
            && shared.collect::<BTreeSet<_>>() == found.collect::<BTreeSet<_>>()
            && not_live.map(|(id, _)| id).eq(&self.not_live)
    }
}
