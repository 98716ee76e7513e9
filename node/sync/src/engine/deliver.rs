//! Sending entries: at once where the peer needs just these next, and else read from the store
//! when there is room.

use std::collections::BTreeMap;
use std::sync::Arc;

use node_feed::{FeedName, RUN_BYTES_MAX, RUN_ENTRIES_MAX, Run, SpaceId, VerifiedRun};

use super::Pending;
use super::copy::Next;
use super::receive::{FRAME_BYTES, run_bytes};
use crate::session::{Flight, Session};
use crate::{Effect, Engine, Goodbye, Message, SessionId, StorageDown, Ticket};

/// How many feeds one read asks for.
const FEEDS_PER_READ: usize = 512;
/// How many messages with few entries may be on their way to a peer. What comes meanwhile is sent
/// together: a peer that is not slow gets each entry at once, and a slow one few large messages.
const SMALL_IN_FLIGHT_MAX: usize = 4;
/// Of how many spaces entries are sent right after the Hello; others wait for the peer's.
const EARLY_READS_MAX: usize = 64;
/// A message with this part of a full batch is not small.
const SMALL_PART: usize = 4;

impl Engine {
    /// Notes that something became durable that is to be passed on to every session that shares
    /// the space but the one that it came from.
    pub(super) fn push(&mut self, space: SpaceId, stored: Vec<Fresh>, origin: Option<SessionId>) {
        if stored.is_empty() {
            return;
        }
        match self.fresh.last_mut() {
            Some((last, from, fresh)) if (*last, *from) == (space, origin) => fresh.extend(stored),
            Some(_) | None => self.fresh.push((space, origin, stored)),
        }
    }

    /// Passes on what became durable. What became so together goes in one message.
    pub(super) fn push_fresh(&mut self) {
        let (fresh, bytes_max) = (std::mem::take(&mut self.fresh), self.config.batch_bytes);
        let all = fresh.into_iter().flat_map(|fresh| parts(fresh, bytes_max));
        for (space, origin, stored) in all {
            let runs = joined(&stored);
            let mut feeds = BTreeMap::new();
            for (feed, run) in &stored {
                feeds.insert(*feed, run.last().number + 1);
            }
            let feeds = feeds.into_iter().collect::<Vec<_>>();
            let sessions = self.concerned(space);
            for id in sessions.into_iter().filter(|id| origin != Some(*id)) {
                if self.needs_just(id, space, &stored) {
                    self.send_entries(id, space, Arc::clone(&runs), &feeds);
                } else if let Some(session) = self.sessions.get_mut(&id)
                    && session.spaces.contains_key(&space)
                {
                    session.behind.insert(space);
                    self.touched.insert(id);
                }
            }
        }
    }

    fn needs_just(&self, id: SessionId, space: SpaceId, stored: &[Fresh]) -> bool {
        let (Some(session), Some(held)) = (self.sessions.get(&id), self.spaces.get(&space)) else {
            return false;
        };
        let Some(peer_space) = session.spaces.get(&space) else {
            return false;
        };
        if !session.is_live()
            || !session.gives()
            || !self.has_room(session)
            || session.behind.contains(&space)
        {
            return false;
        }
        // The first of each feed is what the peer needs next, and the others follow it.
        let mut next = BTreeMap::<FeedName, u64>::new();
        stored.iter().all(|(feed, run)| {
            let follows = match next.get(feed) {
                Some(next) => *next == run.first(),
                None => peer_space.takes_next(feed, run.first(), held),
            };
            next.insert(*feed, run.last().number + 1);
            follows
        })
    }

    /// Whether a session may be sent entries now.
    fn has_room(&self, session: &Session) -> bool {
        let (count, bytes) = (session.in_flight.len(), session.bytes_in_flight);
        let few = count < SMALL_IN_FLIGHT_MAX;
        let large = bytes / count.max(1) >= self.config.batch_bytes / SMALL_PART;
        bytes < self.config.bytes_in_flight_max && (few || large)
    }

    fn send_entries(
        &mut self,
        id: SessionId,
        space: SpaceId,
        runs: Arc<[Run]>,
        feeds: &[(FeedName, u64)],
    ) {
        let names = feeds.iter().map(|(feed, _)| *feed).collect();
        self.fly(id, space, names, run_bytes(&runs));
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        if let Some(peer_space) = session.spaces.get_mut(&space) {
            for (feed, next) in feeds {
                peer_space.set_sent(*feed, *next);
            }
        }
        self.send(id, Message::Entries { space, runs });
    }

    /// Notes that the next frame takes so many bytes of the room that the peer has. Of which feeds it
    /// has entries: of none if it belongs to a copy.
    pub(super) fn fly(
        &mut self,
        id: SessionId,
        space: SpaceId,
        feeds: Vec<FeedName>,
        bytes: usize,
    ) {
        let held = self.space(space);
        let (digest, heights) = (held.digest(), held.heights().clone());
        if let Some(session) = self.sessions.get_mut(&id) {
            let bytes = bytes + FRAME_BYTES;
            session.bytes_in_flight += bytes;
            session.in_flight.push_back(Flight {
                frame: session.frames_sent + 1,
                bytes,
                space,
                feeds,
                heights,
                digest,
            });
        }
    }

    /// Reads the next of what a peer lacks, if there is room for it.
    pub(super) fn pump(&mut self, id: SessionId) {
        let authority = self.authority_space();
        while let Some(session) = self.sessions.get(&id) {
            if !session.is_live() || session.reads > 0 || !self.has_room(session) {
                return;
            }
            let Some(session) = self.sessions.get_mut(&id) else {
                return;
            };
            let room = self
                .config
                .bytes_in_flight_max
                .saturating_sub(session.bytes_in_flight);
            if !session.gives() {
                session.behind.clear();
                return;
            }
            // The authority log goes first; other spaces take turns.
            let after = session.last_read;
            let next = session
                .behind
                .get(&authority)
                .or_else(|| session.behind.iter().find(|space| Some(**space) > after))
                .or_else(|| session.behind.first())
                .copied();
            let Some(space) = next else {
                return;
            };
            session.last_read = Some(space);
            let next = match (session.spaces.get(&space), self.spaces.get(&space)) {
                (Some(peer_space), Some(_)) if peer_space.is_known() => {
                    self.next_of(id, space, FEEDS_PER_READ)
                }
                (Some(peer_space), Some(held)) => {
                    // Nothing can be sent before the peer's heights are known.
                    session.behind.remove(&space);
                    if !peer_space.asked && !session.awaits_spaces && !held.heights().is_empty() {
                        self.say_whole(id, space, true);
                    }
                    continue;
                }
                _ => Next::Entries(Vec::new()),
            };
            let bytes_max = room.min(self.config.batch_bytes);
            let Some(session) = self.sessions.get_mut(&id) else {
                return;
            };
            let from = match next {
                Next::Entries(from) if from.is_empty() => {
                    session.behind.remove(&space);
                    continue;
                }
                Next::Entries(from) => from,
                Next::Plan(feeds) => {
                    self.plan_copy(id, space, feeds);
                    continue;
                }
                Next::Copy(plan, from) => {
                    self.read_copy(id, space, plan, from, bytes_max);
                    continue;
                }
            };
            self.ask_to_read(id, space, from, bytes_max);
        }
    }

    /// Reads of each space of which the peer may lack something, all at once: what is asked for now
    /// waits for nothing that the peer says.
    pub(super) fn read_early(&mut self, id: SessionId) {
        let Some(session) = self.sessions.get(&id) else {
            return;
        };
        let wants = session.behind.iter().filter_map(|space| {
            let (peer_space, held) = (session.spaces.get(space)?, self.spaces.get(space)?);
            // Whether anything is copied takes longer to find out.
            let copyable = peer_space.copyable(held, self.config.copy_entries_min);
            if self.config.first_copies && !copyable.is_empty() {
                return None;
            }
            let from = peer_space.wants(held, FEEDS_PER_READ);
            (!from.is_empty()).then_some((*space, from))
        });
        let wants = wants.take(EARLY_READS_MAX).collect::<Vec<_>>();
        let room = self.config.bytes_in_flight_max / wants.len().max(1);
        let bytes_max = room.min(self.config.batch_bytes);
        for (space, from) in wants {
            self.ask_to_read(id, space, from, bytes_max);
        }
    }

    fn ask_to_read(
        &mut self,
        id: SessionId,
        space: SpaceId,
        from: Vec<(FeedName, u64)>,
        bytes_max: usize,
    ) {
        if let Some(session) = self.sessions.get_mut(&id) {
            session.reads += 1;
        }
        let ticket = self.ask(Pending::Read {
            session: id,
            space,
            from: from.clone(),
        });
        self.effects.push(Effect::Read {
            ticket,
            space,
            from,
            bytes_max,
        });
    }

    /// What was read for a session is here; nothing if the session has ended.
    pub(super) fn read_ended(&mut self, id: SessionId) -> Option<&mut Session> {
        let session = self.sessions.get_mut(&id)?;
        session.reads -= 1;
        self.touched.insert(id);
        Some(session)
    }

    pub(super) fn read(&mut self, ticket: Ticket, runs: Result<Vec<Run>, StorageDown>) {
        let authority = self.authority_space();
        let Some(Pending::Read {
            session: id,
            space,
            from,
        }) = self.pending.remove(&ticket)
        else {
            return;
        };
        let Some(session) = self.read_ended(id) else {
            return;
        };
        // Access may have changed since an early read was asked for.
        if !session.is_live() {
            let hub = session
                .dialled
                .and_then(|peer| self.authority.hub_of(&peer));
            let is_shared = space == authority || self.shared(hub).contains(&space);
            if !is_shared {
                return;
            }
        }
        let (Some(session), Some(held)) = (self.sessions.get_mut(&id), self.spaces.get(&space))
        else {
            return;
        };
        let Ok(runs) = runs else {
            self.leave(id, Goodbye::Storage);
            return;
        };
        let Some(peer_space) = session.spaces.get(&space) else {
            return;
        };
        if runs.is_empty() {
            // Either a fork gave what was asked for another name in the meantime, or the store holds
            // less than is known here, and the news of it is on its way.
            if peer_space.wants(held, FEEDS_PER_READ) == from {
                session.behind.remove(&space);
            }
            return;
        }
        let mut sent = Vec::new();
        let mut feeds = BTreeMap::new();
        for run in runs.into_iter().take(Message::RUNS_MAX) {
            // At most one feed of each writer was asked for.
            let asked = from
                .iter()
                .find(|(feed, _)| held.writer_of(feed) == Some(run.writer));
            let Some((feed, number)) = asked else {
                continue;
            };
            let next = run.first + run.entries.len() as u64;
            if peer_space.is_refused(&run.writer) || peer_space.is_searching(&run.writer) {
                continue;
            }
            // It may have come another way since it was asked for.
            let place = held.feed(feed);
            let position = place.map(|place| peer_space.position(feed, place));
            // Nor would the peer know what to do with it if it was found to lack more since.
            if position.is_some_and(|position| position >= next || position < *number) {
                continue;
            }
            feeds.insert(*feed, next);
            sent.push(run);
        }
        let bytes = run_bytes(&sent);
        if !session.is_live() && session.bytes_in_flight + bytes > self.config.bytes_in_flight_max {
            // It is read again once the peer has made room.
            return;
        }
        if !sent.is_empty() {
            let feeds = feeds.into_iter().collect::<Vec<_>>();
            self.send_entries(id, space, sent.into(), &feeds);
        }
    }
}

/// What became durable together, in parts that each fit a message: a single run may be larger.
fn parts(
    (space, origin, stored): (SpaceId, Option<SessionId>, Vec<Fresh>),
    bytes_max: usize,
) -> Vec<(SpaceId, Option<SessionId>, Vec<Fresh>)> {
    let mut parts = Vec::<(_, _, Vec<Fresh>)>::new();
    let mut bytes = 0;
    for fresh in stored {
        let more = run_bytes(std::slice::from_ref(fresh.1.as_run()));
        match parts.last_mut() {
            Some((_, _, part)) if bytes + more <= bytes_max && part.len() < Message::RUNS_MAX => {
                bytes += more;
                part.push(fresh);
            }
            Some(_) | None => {
                bytes = more;
                parts.push((space, origin, vec![fresh]));
            }
        }
    }
    parts
}

/// A run that became durable just now, with its feed.
pub(super) type Fresh = (FeedName, VerifiedRun);

/// The runs to send. Of those that follow one another in one feed, the last one's proof covers all,
/// so that the receiver checks one signature.
fn joined(stored: &[Fresh]) -> Arc<[Run]> {
    let mut runs = Vec::<Run>::with_capacity(stored.len());
    let mut last = None;
    for (feed, run) in stored {
        let joins = last
            == run
                .first()
                .checked_sub(1)
                .map(|number| (*feed, number, run.previous()));
        match runs.last_mut() {
            Some(before) if joins && fits(before, run.as_run()) => {
                before.entries.extend_from_slice(&run.as_run().entries);
                before.proof = run.proof();
            }
            Some(_) | None => runs.push(run.as_run().clone()),
        }
        last = Some((*feed, run.last().number, run.last().hash));
    }
    runs.into()
}

fn fits(before: &Run, run: &Run) -> bool {
    let bytes = |run: &Run| {
        let held = run.entries.iter().filter_map(|entry| entry.payload.bytes());
        held.map(|held| held.len()).sum::<usize>()
    };
    before.writer == run.writer
        && before.entries.len() + run.entries.len() <= RUN_ENTRIES_MAX
        && bytes(before) + bytes(run) <= RUN_BYTES_MAX
}
