//! From two Hellos to what each space lacks.
//!
//! Both ends compare what both *said*, not what they hold by now, so that they come to the same
//! result; what was stored in between is sent like anything new.

use std::collections::BTreeMap;
use std::sync::Arc;

use node_feed::{Hash, Heights, SpaceId};

use crate::peer_space::PeerSpace;
use crate::{Changed, Effect, Engine, Goodbye, Hello, Message, SessionId};

/// What is known of the peer's spaces.
enum Theirs {
    /// They are ours.
    Same,
    /// These differ from what both remember.
    Since(BTreeMap<SpaceId, Changed>),
    /// The digests of all, or, if the authority logs differ, of all that the peer believes to
    /// share.
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
        let agreed = session.agreed;
        let is_forgotten = session.said_since.is_some() && !agreed;
        let shared = self.shared(hub);
        let shared = shared.into_iter().chain([authority]).collect();
        // Entries may have been sent early of a space that is not shared any more.
        self.keep_spaces(id, &shared);
        for space in shared {
            self.add_space(id, space);
        }

        let theirs = if is_same {
            Theirs::Same
        } else if agreed {
            Theirs::Since(hello.changed.into_iter().collect())
        } else if hello.since.is_none() {
            let digests = hello.changed.into_iter().filter_map(|(space, changed)| {
                let Changed::Digest(digest) = changed else {
                    return None;
                };
                Some((space, digest))
            });
            Theirs::All(digests.collect())
        } else {
            // The dialling end says its digests once it knows that they are not remembered here.
            if let Some(session) = self.sessions.get_mut(&id) {
                session.awaits_spaces = true;
            }
            return;
        };
        if is_forgotten {
            self.say_spaces(id);
        }
        self.compare_spaces(id, &theirs);
    }

    pub(super) fn take_spaces(
        &mut self,
        id: SessionId,
        digests: Vec<(SpaceId, Hash)>,
        authority: Heights,
    ) {
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        if std::mem::take(&mut session.awaits_spaces) {
            self.take_authority_heights(id, Some(authority));
            self.compare_spaces(id, &Theirs::All(digests.into_iter().collect()));
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
            let authority = session.said_authority.heights.as_ref().clone();
            self.send(id, Message::Spaces { digests, authority });
        }
    }

    fn compare_spaces(&mut self, id: SessionId, theirs: &Theirs) {
        let Some(session) = self.sessions.get(&id) else {
            return;
        };
        let authority = self.authority_space();
        let spaces = session.spaces.keys().copied();
        let spaces = spaces.filter(|space| *space != authority);
        let (summed_up, new): (Vec<_>, Vec<_>) =
            spaces.partition(|space| session.said_shared.contains(space));
        for space in summed_up {
            self.compare_space(id, space, theirs);
        }
        let grew = self.digest(authority);
        if let Some(session) = self.sessions.get_mut(&id) {
            // Shared since our Hello was said.
            for space in new {
                session.restate(space, true);
            }
            // Our authority log grew since. Had it grown later, the peer would be asked what it said
            // nothing of then.
            if session.said_authority.digest != grew {
                let unknown = session.spaces.iter().filter(|(_, it)| !it.is_known());
                let unknown = unknown.map(|(space, _)| *space).collect::<Vec<_>>();
                for space in unknown {
                    session.restate(space, true);
                }
            }
        }
    }

    fn compare_space(&mut self, id: SessionId, space: SpaceId, theirs: &Theirs) {
        let Some(session) = self.sessions.get(&id) else {
            return;
        };
        let base = session.base(&space);
        let empty = Heights::new().digest(space);
        let said = session.said.get(&space).cloned();
        let said = said.map(|said| (said.heights, said.digest));
        let (mine, my_digest) = said.unwrap_or_else(|| (Arc::default(), empty));
        // All that the peer holds, or else the digest of it.
        let none = Heights::new();
        let (exact, digest) = match theirs {
            Theirs::Same => (Some(mine.as_ref().clone()), None),
            Theirs::Since(changed) => match (changed.get(&space), &base) {
                (Some(Changed::Digest(digest)), _) => (None, Some(*digest)),
                (None, base) => (base.clone(), None),
                (Some(Changed::Heights(heights)), base) => {
                    let base = base.as_ref().unwrap_or(&none);
                    (Some(PeerSpace::changed(base, heights)), None)
                }
            },
            Theirs::All(all) => match all.get(&space) {
                Some(digest) => (None, Some(*digest)),
                None => (None, session.same_authority.then_some(empty)),
            },
        };
        let same_authority = session.same_authority;
        let is_told = session.agreed && session.told.contains(&space);
        let is_known = match (exact, digest) {
            (Some(theirs), _) => {
                let is_same = theirs == *mine;
                self.begin(id, space, Some(Arc::new(theirs)), true);
                is_same || is_told
            }
            (None, Some(digest)) if digest == my_digest => {
                self.begin(id, space, Some(mine), true);
                true
            }
            (None, digest) => {
                let is_empty = mine.is_empty() && (same_authority || digest.is_none());
                if digest == Some(empty) {
                    self.begin(id, space, Some(Arc::default()), true);
                } else {
                    self.begin(id, space, base.map(Arc::new), false);
                }
                let session = self.sessions.get_mut(&id);
                if let Some(peer_space) = session.and_then(|it| it.spaces.get_mut(&space)) {
                    // The peer finds the same difference, and says its heights without being asked.
                    peer_space.asked = digest.is_some();
                }
                is_empty || is_told
            }
        };
        // A copy that is under way goes on where it stands.
        let is_known = is_known
            && !self.copies.contains_key(&space)
            && !(self.config.first_copies && self.wants_entries(id, space));
        if !is_known {
            // Of a space that the peer said nothing of, nothing follows by itself.
            let ask = digest.is_none() && matches!(theirs, Theirs::All(_));
            self.say_heights(id, space, ask);
        }
    }

    /// Starts a space of a session from what the peer holds.
    pub(super) fn begin(
        &mut self,
        id: SessionId,
        space: SpaceId,
        theirs: Option<Arc<Heights>>,
        exact: bool,
    ) {
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
