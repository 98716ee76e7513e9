//! From two Hellos to what each space lacks.
//!
//! Both ends compare what both *said*, not what they hold by now, so that they come to the same
//! result; what was stored in between is sent like anything new.

use std::collections::BTreeMap;
use std::sync::Arc;

use node_feed::{Hash, Heights, SpaceId};

use crate::peer_space::PeerSpace;
use crate::{Effect, Engine, Goodbye, Hello, Message, SessionId};

/// What is known of the peer's digests.
enum Digests {
    /// They are ours.
    Same,
    /// These differ from what both remember.
    Since(BTreeMap<SpaceId, Hash>),
    /// These are all, or, if the authority logs differ, all of the spaces that the peer believes
    /// to share.
    All(BTreeMap<SpaceId, Hash>),
}

impl Engine {
    pub(super) fn begin_spaces(&mut self, id: SessionId, hello: Hello) {
        let authority = self.authority_space();
        let is_same = self.is_same(id, &hello);
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        let hub = session.peer.as_ref().and_then(|peer| peer.hub);
        let remembers_ours = session.said_since.is_none() || session.agreed;
        let agreed = session.agreed;
        let dialled = session.dialled.is_some();
        let theirs = Arc::new(hello.authority);
        for space in self.shared(hub) {
            self.add_space(id, space);
        }
        self.add_space(id, authority);
        self.begin(id, authority, Some(theirs), true);

        let changed = hello.changed.into_iter().collect();
        let digests = if is_same {
            Digests::Same
        } else if agreed {
            Digests::Since(changed)
        } else if hello.since.is_none() {
            Digests::All(changed)
        } else {
            // The dialling end says its digests once it knows that they are not remembered here.
            if let Some(session) = self.sessions.get_mut(&id) {
                session.awaits_spaces = true;
            }
            return;
        };
        if dialled && !is_same && !remembers_ours {
            self.say_spaces(id);
        }
        self.compare_spaces(id, &digests);
    }

    pub(super) fn take_spaces(&mut self, id: SessionId, digests: Vec<(SpaceId, Hash)>) {
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        if std::mem::take(&mut session.awaits_spaces) {
            self.compare_spaces(id, &Digests::All(digests.into_iter().collect()));
        } else {
            self.leave(id, Goodbye::Malformed);
        }
    }

    fn say_spaces(&mut self, id: SessionId) {
        if let Some(session) = self.sessions.get(&id) {
            let said = session.said.iter();
            // Access may have ended since the Hello.
            let shared = said.filter(|(space, _)| session.spaces.contains_key(space));
            let digests = shared.map(|(space, said)| (*space, said.digest)).collect();
            self.send(id, Message::Spaces(digests));
        }
    }

    pub(super) fn add_space(&mut self, id: SessionId, space: SpaceId) {
        self.space(space);
        if let Some(session) = self.sessions.get_mut(&id) {
            session
                .spaces
                .entry(space)
                .or_insert_with(PeerSpace::default);
            session.unequal.insert(space);
        }
    }

    fn compare_spaces(&mut self, id: SessionId, digests: &Digests) {
        let Some(session) = self.sessions.get(&id) else {
            return;
        };
        let authority = self.authority_space();
        let spaces = session.spaces.keys().copied();
        let spaces = spaces.filter(|space| *space != authority);
        let (summed_up, new): (Vec<_>, Vec<_>) =
            spaces.partition(|space| session.said_shared.contains(space));
        for space in summed_up {
            self.compare_space(id, space, digests);
        }
        // Shared since our Hello was said.
        if let Some(session) = self.sessions.get_mut(&id) {
            for space in new {
                session.restate(space, true);
            }
        }
    }

    fn compare_space(&mut self, id: SessionId, space: SpaceId, digests: &Digests) {
        let Some(session) = self.sessions.get(&id) else {
            return;
        };
        let base = session.base(&space);
        let said = session.said.get(&space).map(|said| said.heights.clone());
        let mine = said.unwrap_or_default();
        let my_digest = mine.digest(space);
        let empty = Heights::new().digest(space);
        let base_digest = base.as_ref().map(|base| base.digest(space));
        let their_digest = match digests {
            Digests::Same => Some(my_digest),
            Digests::Since(changed) => changed.get(&space).copied().or(base_digest),
            Digests::All(all) => match all.get(&space) {
                Some(digest) => Some(*digest),
                None => session.same_authority.then_some(empty),
            },
        };
        let same_authority = session.same_authority;
        if their_digest == Some(my_digest) {
            self.begin(id, space, Some(mine), true);
            return;
        }
        if their_digest == Some(empty) {
            self.begin(id, space, Some(Arc::default()), true);
        } else {
            let exact = base_digest == their_digest;
            self.begin(id, space, base.map(Arc::new), exact);
        }
        let is_empty = mine.is_empty() && (same_authority || their_digest.is_none());
        let is_known = is_empty || base_digest == Some(my_digest);
        let is_awaited = self.sessions.get_mut(&id).and_then(|session| {
            let peer_space = session.spaces.get_mut(&space)?;
            Some(&mut peer_space.asked)
        });
        if let Some(is_awaited) = is_awaited {
            // The peer finds the same difference, and says its heights without being asked.
            *is_awaited = their_digest.is_some();
        }
        if !is_known {
            self.say_heights(id, space, their_digest.is_none());
        }
    }

    /// Starts a space of a session from what the peer holds.
    fn begin(&mut self, id: SessionId, space: SpaceId, theirs: Option<Arc<Heights>>, exact: bool) {
        let ours = self.space(space).heights().clone();
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        let Some(peer_space) = session.spaces.get_mut(&space) else {
            return;
        };
        peer_space.begin(theirs.clone(), exact, &ours);
        session.behind.insert(space);
        session.weigh(space);
        if exact && let Some(theirs) = theirs {
            let heights = theirs.iter().collect::<Vec<_>>();
            self.look_for_forks(id, space, &heights);
            self.heard(id, space, heights, true);
        }
    }

    /// The peer said that it holds this.
    pub(super) fn heard(
        &mut self,
        id: SessionId,
        space: SpaceId,
        heights: Vec<(node_feed::FeedName, node_feed::Height)>,
        whole: bool,
    ) {
        let Some(peer) = self.peer_of(id) else {
            return;
        };
        self.look_for_own(space, &heights);
        if whole || !heights.is_empty() {
            self.effects.push(Effect::PeerHolds {
                peer,
                space,
                heights,
                whole,
            });
        }
    }
}
