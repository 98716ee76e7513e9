//! Saying and taking heights.

use std::collections::{BTreeMap, BTreeSet};

use node_feed::{FeedName, Hash, Height, Heights, SpaceId};

use crate::message::SpaceHeights;
use crate::peer_space::PeerSpace;
use crate::{Effect, Engine, Goodbye, Message, SessionId};

impl Engine {
    /// Says our heights of a space: the difference to what both remember, or all.
    pub(super) fn say_heights(&mut self, id: SessionId, space: SpaceId, ask: bool) {
        let session = self.sessions.get(&id);
        let base = session.and_then(|session| session.base(&space));
        self.say_since(id, space, base.filter(|_| !ask), ask);
    }

    /// Says all our heights of a space.
    pub(super) fn say_whole(&mut self, id: SessionId, space: SpaceId, ask: bool) {
        self.say_since(id, space, None, ask);
    }

    fn say_since(&mut self, id: SessionId, space: SpaceId, base: Option<Heights>, ask: bool) {
        let digest = self.digest(space);
        let held = self.space(space);
        let heights = match &base {
            Some(base) => held.heights().since(base),
            None => held.heights().iter().collect(),
        };
        let mut bases = held.bases();
        if base.is_some() {
            let named = heights.iter().map(|(feed, _)| *feed);
            let named = named.collect::<BTreeSet<_>>();
            bases.retain(|feed, _| named.contains(feed));
        }
        if let Some(session) = self.sessions.get_mut(&id)
            && let Some(peer_space) = session.spaces.get_mut(&space)
        {
            peer_space.asked |= ask;
        }
        self.send(
            id,
            Message::Heights(SpaceHeights {
                space,
                base: base.map(|base| base.digest(space)),
                digest,
                heights,
                ask,
                bases,
                whole: self.wants_entries(id, space),
                copy: self.copy_said(id, space),
            }),
        );
    }

    pub(super) fn take_heights(&mut self, id: SessionId, said: SpaceHeights) {
        let space = said.space;
        // A grant that is not known here yet: the peer is asked once it is.
        if !self.shared_with(id, space) {
            return;
        }
        self.space(space);
        let (Some(session), Some(held)) = (self.sessions.get_mut(&id), self.spaces.get(&space))
        else {
            return;
        };
        let copied = said.copy.as_ref().map_or(0, |copy| copy.bases.len());
        if copied > Message::COPY_FEEDS_MAX {
            self.leave(id, Goodbye::Malformed);
            return;
        }
        let base = session.base(&space);
        let frame = session.frames_received;
        let keep = session.feeds_in_flight(space);
        let is_idle = !session.is_copying(space);
        let Some(peer_space) = session.spaces.get_mut(&space) else {
            return;
        };
        let base = match said.base {
            None => Some(Heights::new()),
            Some(digest) => base.filter(|base| base.digest(space) == digest),
        };
        let theirs = base.map(|base| PeerSpace::changed(&base, &said.heights));
        match theirs.filter(|theirs| theirs.digest(space) == said.digest) {
            Some(theirs) => peer_space.restate(theirs, frame, &keep, held),
            // Differences cannot say that a feed is gone; whole heights can.
            None if said.base.is_some() => {
                session.restate(space, true);
                return;
            }
            None => {
                self.leave(id, Goodbye::Malformed);
                return;
            }
        }
        peer_space.hear_of_copies(said.whole, said.copy, is_idle);
        if said.base.is_none() {
            peer_space.their_bases = Some(said.bases);
        }
        session.behind.insert(space);
        session.weigh(space);
        if session.is_told_too_much(space) {
            self.leave(id, Goodbye::Budget);
            return;
        }
        if said.ask {
            session.restate(space, false);
        }
        self.look_for_forks(id, space, &said.heights);
        self.look_for_whole(id, space);
        self.heard(id, space, said.heights, said.base.is_none());
        if said.ask {
            self.search_again(id, space);
        }
    }

    pub(super) fn take_acknowledgement(
        &mut self,
        id: SessionId,
        space: SpaceId,
        digest: Hash,
        heights: &[(FeedName, Height)],
        through: u64,
    ) {
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        if through > session.frames_sent {
            self.leave(id, Goodbye::Malformed);
            return;
        }
        session.receipts.acknowledged(through);
        // Where nothing is said of the space, its own acknowledgement follows.
        let about = Some(space).filter(|_| digest != Hash::ZERO);
        let landed = session.land(through, about);
        if !session.spaces.contains_key(&space) {
            return;
        }
        let ours = self.digest(space);
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        let mut learnt = heights.iter().copied().collect::<BTreeMap<_, _>>();
        let mut reached = None;
        for flight in landed.into_iter().filter(|it| it.digest == digest) {
            let known = flight.feeds.iter();
            learnt.extend(known.filter_map(|feed| Some((*feed, flight.heights.get(feed)?))));
            reached = Some(flight.heights);
        }
        let (Some(peer_space), Some(held)) =
            (session.spaces.get_mut(&space), self.spaces.get(&space))
        else {
            return;
        };
        peer_space.confirm(heights, held);
        if digest == ours {
            peer_space.holds_all(held.heights());
        } else if let Some(reached) = reached {
            // The peer held what was held here when the last of these messages was sent.
            peer_space.held(reached, held.heights());
        }
        session.weigh(space);
        if session.is_told_too_much(space) {
            self.leave(id, Goodbye::Budget);
            return;
        }
        if !peer_space_is_done(session, space) {
            session.behind.insert(space);
        }
        self.heard(id, space, learnt.into_iter().collect(), false);
    }

    /// A peer that holds more of a feed of this node than the node itself shows that this node was
    /// restored or cloned.
    pub(super) fn look_for_own(&mut self, space: SpaceId, heights: &[(FeedName, Height)]) {
        let Some(writers) = self.own.writers.get(&space) else {
            return;
        };
        let mut ahead = Vec::new();
        for (feed, height) in heights {
            let ours = self.spaces.get(&space).and_then(|held| {
                let writer = held.writer_of(feed)?;
                Some((writer, held.heights().get(feed)))
            });
            // A feed that is not held at all is its trunk's if it bears the name of a key.
            let (writer, tip) = ours.unwrap_or((*feed.as_bytes(), None));
            let is_ahead = tip.is_none_or(|tip| {
                tip.number < height.number
                    || (tip.number == height.number && tip.hash != height.hash)
            });
            if is_ahead && writers.contains(&writer) {
                ahead.push(writer);
            }
        }
        for writer in ahead {
            self.own_feed_ahead(space, writer);
        }
    }

    pub(super) fn own_feed_ahead(&mut self, space: SpaceId, writer: [u8; 32]) {
        if self.ahead.insert((space, writer)) {
            self.effects.push(Effect::OwnFeedAhead { space, writer });
        }
    }
}

fn peer_space_is_done(session: &crate::session::Session, space: SpaceId) -> bool {
    session.spaces.get(&space).is_none_or(PeerSpace::is_equal)
}
