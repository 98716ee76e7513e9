//! Where two copies of a writer's feeds part.

use node_feed::{FeedName, Height, SpaceId};

use super::Pending;
use crate::peer_space::Finding;
use crate::{Alarm, Effect, Engine, Goodbye, Message, SessionId, Ticket};

/// How many points of a peer may wait to be looked up at once.
const POINTS_SOUGHT_MAX: usize = 1 << 20;

impl Engine {
    /// Two hashes under one number are a fork. The end with the lower node id looks for its place.
    pub(super) fn look_for_forks(
        &mut self,
        id: SessionId,
        space: SpaceId,
        heights: &[(FeedName, Height)],
    ) {
        if self.peer_of(id).is_none_or(|peer| peer < self.node) {
            return;
        }
        let Some(held) = self.spaces.get(&space) else {
            return;
        };
        let forked = heights.iter().filter_map(|(feed, height)| {
            let ours = held.heights().get(feed)?;
            let differs = ours.number == height.number && ours.hash != height.hash;
            held.writer_of(feed).filter(|_| differs)
        });
        for writer in forked.collect::<Vec<_>>() {
            self.search(id, space, writer);
        }
    }

    pub(super) fn search(&mut self, id: SessionId, space: SpaceId, writer: [u8; 32]) {
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        let Some(peer_space) = session.spaces.get_mut(&space) else {
            return;
        };
        if peer_space.is_searching(&writer) {
            return;
        }
        if peer_space.search(writer) {
            self.sample(id, space, writer);
        } else if let Some(peer) = self.peer_of(id) {
            self.effects.push(Effect::Alarm(Alarm::Lost {
                peer,
                space,
                writer,
            }));
        }
    }

    /// The peer may have started the space anew, and have heard nothing of what it was asked.
    pub(super) fn search_again(&mut self, id: SessionId, space: SpaceId) {
        let peer_space = self
            .sessions
            .get(&id)
            .and_then(|session| session.spaces.get(&space));
        let searching = peer_space.map(|peer_space| peer_space.searching().clone());
        for writer in searching.unwrap_or_default() {
            self.sample(id, space, writer);
        }
    }

    fn sample(&mut self, session: SessionId, space: SpaceId, writer: [u8; 32]) {
        let ticket = self.ask(Pending::Sample {
            session,
            space,
            writer,
        });
        self.effects.push(Effect::Sample {
            ticket,
            space,
            writer,
        });
    }

    pub(super) fn sampled(&mut self, ticket: Ticket, mut points: Vec<Height>) {
        let Some(Pending::Sample {
            session,
            space,
            writer,
        }) = self.pending.remove(&ticket)
        else {
            return;
        };
        if !self.shared_with(session, space) {
            // Its access ended since the store was asked.
            return;
        }
        points.truncate(Message::POINTS_MAX);
        self.touched.insert(session);
        self.send(
            session,
            Message::Probe {
                space,
                writer,
                points,
            },
        );
    }

    pub(super) fn take_probe(
        &mut self,
        id: SessionId,
        space: SpaceId,
        writer: [u8; 32],
        points: Vec<Height>,
    ) {
        self.find(id, space, writer, points, true);
    }

    pub(super) fn take_common(
        &mut self,
        id: SessionId,
        space: SpaceId,
        writer: [u8; 32],
        points: Vec<Height>,
    ) {
        let is_answer = self
            .sessions
            .get(&id)
            .and_then(|session| session.spaces.get(&space))
            .is_some_and(|peer_space| peer_space.is_searching(&writer));
        if is_answer {
            self.find(id, space, writer, points, false);
        }
    }

    fn find(
        &mut self,
        id: SessionId,
        space: SpaceId,
        writer: [u8; 32],
        points: Vec<Height>,
        answer: bool,
    ) {
        if points.len() > Message::POINTS_MAX {
            self.leave(id, Goodbye::Malformed);
            return;
        }
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        let Some(peer_space) = session.spaces.get_mut(&space) else {
            return;
        };
        let held = self.spaces.get(&space);
        if !held.is_some_and(|held| held.trees().contains_key(&writer)) {
            self.tell_common(id, space, writer, &[], answer);
            return;
        }
        match peer_space.begin_find(writer, answer) {
            Finding::Begun => {}
            Finding::UnderWay => return,
            Finding::TooOften => {
                session.offences += 1;
                return;
            }
        }
        session.points_sought += points.len();
        if session.points_sought > POINTS_SOUGHT_MAX {
            self.leave(id, Goodbye::Budget);
            return;
        }
        let ticket = self.ask(Pending::Find {
            session: id,
            space,
            writer,
            points: points.clone(),
            answer,
        });
        self.effects.push(Effect::Find {
            ticket,
            space,
            writer,
            points,
        });
    }

    pub(super) fn found(&mut self, ticket: Ticket, held: &[Option<FeedName>]) {
        let Some(Pending::Find {
            session: id,
            space,
            writer,
            points,
            answer,
        }) = self.pending.remove(&ticket)
        else {
            return;
        };
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        session.points_sought -= points.len();
        if let Some(peer_space) = session.spaces.get_mut(&space) {
            peer_space.end_find(writer, answer);
        }
        let found = points.iter().zip(held);
        let found = found.filter_map(|(point, feed)| Some((*point, (*feed)?)));
        let found = found.collect::<Vec<_>>();
        self.tell_common(id, space, writer, &found, answer);
    }

    /// Takes note of the points of a peer that are held here, each with its feed, and says them if it
    /// asked.
    fn tell_common(
        &mut self,
        id: SessionId,
        space: SpaceId,
        writer: [u8; 32],
        found: &[(Height, FeedName)],
        answer: bool,
    ) {
        let (Some(session), Some(ours)) = (self.sessions.get_mut(&id), self.spaces.get(&space))
        else {
            return;
        };
        let Some(peer_space) = session.spaces.get_mut(&space) else {
            return;
        };
        let common = found
            .iter()
            .map(|(point, feed)| (*feed, point.number))
            .collect::<Vec<_>>();
        peer_space.part(writer, &common, ours);
        // The peer may have got the last of it from elsewhere since it said its heights.
        let tips = found.iter().filter(|(point, feed)| {
            let theirs = peer_space.height(feed).map_or(0, |theirs| theirs.number);
            ours.heights().get(feed) == Some(*point) && theirs < point.number
        });
        let tips = tips
            .map(|(point, feed)| (*feed, *point))
            .collect::<Vec<_>>();
        peer_space.confirm(&tips, ours);
        session.behind.insert(space);
        session.weigh(space);
        self.touched.insert(id);
        if answer {
            let points = found.iter().map(|(point, _)| *point).collect();
            self.send(
                id,
                Message::Common {
                    space,
                    writer,
                    points,
                },
            );
        }
    }
}
