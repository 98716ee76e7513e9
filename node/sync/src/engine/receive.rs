//! Entries that a peer sends: checked, stored, and only then acknowledged.

use std::sync::Arc;

use node_feed::{
    FeedName, Hash, Height, Refusal, RefusalReason, Retry, Run, RunError, SpaceId, VerifiedRun,
};

use super::{Pending, RunEnds};
use crate::session::{Arrived, Waiting};
use crate::{
    Alarm, AppendResult, Effect, Engine, Goodbye, Message, SessionId, StorageDown, Stored, Ticket,
};

/// Bytes of entries and copies that a peer may have sent and that are not dealt with: a constant of the
/// protocol, twice what a sender may have on its way.
const INBOUND_BYTES_MAX: usize = 8 << 20;

/// What a frame to be stored takes of this beside what is in it. Both ends count like this.
pub(super) const FRAME_BYTES: usize = 64;

impl Engine {
    pub(super) fn take_entries(&mut self, id: SessionId, space: SpaceId, runs: Arc<[Run]>) {
        if runs.is_empty() || runs.len() > Message::RUNS_MAX {
            self.leave(id, Goodbye::Malformed);
            return;
        }
        self.take_arrived(id, run_bytes(&runs), Arrived::Entries { space, runs });
    }

    /// Takes what is to be stored, within what may be on its way at once.
    pub(super) fn take_arrived(&mut self, id: SessionId, bytes: usize, arrived: Arrived) {
        let authority = self.authority_space();
        let is_late = arrived.space() != authority && (self.authority_appends > 0 || self.folding);
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        let frame = session.frames_received;
        session.inbound.insert(frame, bytes + FRAME_BYTES);
        let bytes = session.inbound.values().sum::<usize>();
        // What an entry needs to be admitted may be on its way to the disk; and what a peer sends
        // right after its Hello waits until it is known what is remembered of it.
        let waits = is_late || !session.is_live() || !session.waiting.is_empty();
        if bytes > INBOUND_BYTES_MAX {
            self.leave(id, Goodbye::Budget);
        } else if waits {
            session.waiting.push_back(Waiting { frame, arrived });
        } else {
            self.check_arrived(id, frame, arrived);
        }
    }

    /// Goes on with entries that waited for the authority log.
    pub(super) fn take_waiting(&mut self) {
        if self.authority_appends > 0 || self.folding {
            return;
        }
        let sessions = self.sessions.keys().copied().collect::<Vec<_>>();
        for id in sessions {
            self.take_waiting_of(id);
        }
    }

    /// The same in one session.
    pub(super) fn take_waiting_of(&mut self, id: SessionId) {
        while self.authority_appends == 0
            && !self.folding
            && let Some(session) = self.sessions.get_mut(&id)
            && session.is_live()
            && let Some(next) = session.waiting.pop_front()
        {
            self.touched.insert(id);
            self.check_arrived(id, next.frame, next.arrived);
        }
    }

    fn check_arrived(&mut self, id: SessionId, frame: u64, arrived: Arrived) {
        if self.has_offended(id) {
            return;
        }
        match arrived {
            Arrived::Entries { space, runs } => self.check_entries(id, frame, space, &runs),
            Arrived::Offer(offer) => self.check_offer(id, frame, offer),
            Arrived::Copy(slice) => self.check_copy(id, frame, slice),
        }
    }

    fn check_entries(&mut self, id: SessionId, frame: u64, space: SpaceId, runs: &[Run]) {
        let Some(session) = self.sessions.get(&id) else {
            return;
        };
        let is_shared = session.spaces.contains_key(&space);
        let mut verified = Vec::new();
        let mut refused = Vec::new();
        for run in runs {
            if self.has_offended(id) {
                break;
            }
            let checked = if is_shared {
                self.check_run(id, space, run)
            } else {
                // The peer knows of a grant that this node does not, or is mistaken.
                Err(RefusalReason::GrantUnknown)
            };
            match checked {
                Ok(run) => verified.push(run),
                Err(reason) => refused.push(self.refusal(
                    space,
                    FeedName::from_bytes(run.writer),
                    run.first,
                    Hash::ZERO,
                    reason,
                )),
            }
        }
        if verified.is_empty() {
            self.answer(id, frame, space, refused, Vec::new());
            return;
        }
        if space == self.authority_space() {
            self.authority_appends += 1;
        }
        let ticket = self.ask(Pending::Append {
            session: id,
            frame,
            space,
            runs: verified.iter().map(RunEnds::of).collect(),
            refused,
        });
        self.effects.push(Effect::Append {
            ticket,
            session: id,
            runs: verified,
        });
    }

    fn check_run(
        &mut self,
        id: SessionId,
        space: SpaceId,
        run: &Run,
    ) -> Result<VerifiedRun, RefusalReason> {
        let network = self.authority.network();
        let cuts = self.authority.cuts_of(space, &run.writer);
        let checked = self
            .keyring
            .get(&run.writer)
            .map_err(RunError::from)
            .and_then(|key| run.clone().verify(network, space, &key, &cuts));
        let error = match checked {
            Ok(run) => return Ok(run),
            Err(error) => error,
        };
        let reason = error.reason();
        if reason.retry() == Retry::NotYet {
            return Err(reason);
        }
        if let Some(session) = self.sessions.get_mut(&id) {
            session.offences += 1;
        }
        if let Some(peer) = self.peer_of(id) {
            self.effects.push(Effect::Alarm(Alarm::Forged {
                peer,
                space,
                writer: run.writer,
                what: error.to_string(),
            }));
        }
        Err(reason)
    }

    pub(super) fn appended(
        &mut self,
        ticket: Ticket,
        results: Result<Vec<AppendResult>, StorageDown>,
    ) {
        let Some(Pending::Append {
            session: id,
            frame,
            space,
            runs,
            mut refused,
        }) = self.pending.remove(&ticket)
        else {
            return;
        };
        let results = results.unwrap_or_else(|StorageDown| {
            let refuse = |run: &RunEnds| AppendResult::Refused {
                feed: FeedName::from_bytes(run.writer),
                number: run.first.number,
                hash: run.first.hash,
                reason: RefusalReason::Storage,
                at_base: None,
            };
            runs.iter().map(refuse).collect()
        });
        let mut stored = Vec::new();
        let mut feeds = Vec::new();
        for (RunEnds { writer, last, .. }, result) in runs.into_iter().zip(results) {
            match result {
                AppendResult::Held => {
                    let trunk = FeedName::from_bytes(writer);
                    let held = self.space(space);
                    if held.is_forked(&writer) {
                        // In which branch it is held is not known here.
                        let tree = held.trees().get(&writer);
                        feeds.extend(tree.into_iter().flat_map(|tree| tree.feeds().keys()));
                    } else {
                        self.peer_holds(id, space, (trunk, last), frame);
                    }
                    feeds.push(trunk);
                }
                AppendResult::Live { proven } => {
                    if proven {
                        let trunk = FeedName::from_bytes(writer);
                        self.peer_holds(id, space, (trunk, last), frame);
                    }
                }
                AppendResult::Stored(done) => {
                    self.brought_by(id, space, done.feed);
                    feeds.extend(self.take_stored(&done));
                    self.peer_holds(id, space, (done.feed, done.run.last()), frame);
                    self.look_for_own_run(&done);
                    stored.push((done.feed, done.run));
                }
                AppendResult::Refused {
                    feed,
                    number,
                    hash,
                    reason,
                    at_base,
                } => {
                    if let Some(parting) = at_base {
                        self.parted_at_base(id, space, writer, parting);
                    }
                    refused.push(self.refusal(space, feed, number, hash, reason));
                }
            }
        }
        let grew = !stored.is_empty();
        self.push(space, stored, Some(id));
        self.answer(id, frame, space, refused, feeds);
        if space == self.authority_space() {
            self.authority_appends -= 1;
            if grew {
                self.folding = true;
                self.effects.push(Effect::AuthorityGrew);
            }
            self.take_waiting();
        }
    }

    pub(super) fn written(&mut self, stored: Stored) {
        let space = stored.run.space();
        let writers = self.own.writers.entry(space).or_default();
        writers.insert(*stored.run.writer());
        let own = self.node;
        self.space(space).bring(stored.feed, own);
        self.take_stored(&stored);
        self.push(space, vec![(stored.feed, stored.run)], None);
    }

    /// Brings our heights up to date, and says which feeds it concerns.
    fn take_stored(&mut self, stored: &Stored) -> Vec<FeedName> {
        let id = stored.run.space();
        let writer = *stored.run.writer();
        let moved = self.moved(stored);
        let feeds = self.space(id).apply(stored);
        for session_id in self.concerned(id) {
            let (Some(session), Some(held)) =
                (self.sessions.get_mut(&session_id), self.spaces.get(&id))
            else {
                continue;
            };
            let Some(peer_space) = session.spaces.get_mut(&id) else {
                // Not greeted yet: what our Hello said may not hold any more.
                if stored.forked {
                    session.restate(id, true);
                }
                continue;
            };
            for (from, to, start) in &moved {
                peer_space.rename(from, *to, *start);
            }
            peer_space.update(feeds.iter().copied(), held.heights());
            session.unremembered = true;
            // Only whole heights can say that a feed ended or is gone; and what the peer holds was
            // learnt under other names.
            if stored.forked || !stored.removed.is_empty() {
                session.restate(id, true);
                session.behind.insert(id);
            }
            session.weigh(id);
            self.touched.insert(session_id);
        }
        if stored.forked {
            self.effects
                .push(Effect::Alarm(Alarm::Fork { space: id, writer }));
        }
        self.schedule_receipt(id);
        feeds
    }

    /// Feeds that hold what another held before a fork.
    fn moved(&mut self, stored: &Stored) -> Vec<(FeedName, FeedName, u64)> {
        let held = self.space(stored.run.space());
        let moved = stored.feeds.iter().filter_map(|(name, feed)| {
            let is_moved = stored.forked && *name != stored.feed && held.feed(name).is_none();
            Some((feed.parent.filter(|_| is_moved)?, *name, feed.start))
        });
        moved.collect()
    }

    fn look_for_own_run(&mut self, stored: &Stored) {
        let space = stored.run.space();
        let writer = *stored.run.writer();
        let own = self.own.writers.get(&space);
        if own.is_some_and(|writers| writers.contains(&writer)) {
            self.own_feed_ahead(space, writer);
        }
    }

    pub(super) fn peer_holds(
        &mut self,
        id: SessionId,
        space: SpaceId,
        (feed, last): (FeedName, Height),
        frame: u64,
    ) {
        if let (Some(session), Some(held)) = (self.sessions.get_mut(&id), self.spaces.get(&space))
            && let Some(peer_space) = session.spaces.get_mut(&space)
        {
            peer_space.holds(feed, last, frame, held);
            session.weigh(space);
        }
    }

    /// Answers one message with entries: what was refused at once, and what is durable now together
    /// with the next that is.
    pub(super) fn answer(
        &mut self,
        id: SessionId,
        frame: u64,
        space: SpaceId,
        refused: Vec<Refusal>,
        feeds: Vec<FeedName>,
    ) {
        let retry_due = self.now.after(self.config.retry_ms);
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        self.touched.insert(id);
        session.inbound.remove(&frame);
        let is_later = |refusal: &Refusal| {
            refusal.reason.retry() == Retry::NotYet && refusal.reason != RefusalReason::Gap
        };
        if refused.iter().any(is_later) {
            session.retry_due.get_or_insert(retry_due);
            if let Some(peer_space) = session.spaces.get_mut(&space) {
                peer_space.not_yet = true;
            }
        }
        let due = session.acknowledge.entry(space).or_default();
        due.feeds.extend(feeds);
        due.frame = frame;
        due.refused |= !refused.is_empty();
        for refusal in refused {
            self.send(id, Message::Refused(refusal));
        }
    }

    /// Says what became durable since this was said last.
    pub(super) fn acknowledge(&mut self, id: SessionId) {
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        for (space, due) in std::mem::take(&mut session.acknowledge) {
            let Some(session) = self.sessions.get(&id) else {
                return;
            };
            // Of a space that the peer may not read nothing is said, and none is made for its asking.
            let (digest, ours) = if session.spaces.contains_key(&space) {
                let held = self.space(space);
                (held.digest(), held.heights().clone())
            } else {
                (Hash::ZERO, Arc::default())
            };
            let Some(session) = self.sessions.get_mut(&id) else {
                return;
            };
            let through = session.through();
            let peer_space = session.spaces.get(&space);
            // A peer that sent all it has needs to be told no heights: it knows its own.
            let is_equal = peer_space.is_some_and(crate::peer_space::PeerSpace::is_equal);
            let is_plain = is_equal && !due.refused && through >= due.frame;
            let is_shared = peer_space.is_some();
            // What was said plainly is said again with the next that is not: the peer may have held
            // more by then than what the digest named.
            let mut feeds = session.said_plainly.remove(&space).unwrap_or_default();
            feeds.extend(due.feeds);
            if is_plain {
                session.said_plainly.insert(space, feeds.clone());
            }
            let feeds = feeds.into_iter();
            let heights = feeds.filter_map(|feed| Some((feed, ours.get(&feed)?)));
            let message = Message::Acknowledged {
                space,
                digest,
                heights: if is_shared && !is_plain {
                    heights.collect()
                } else {
                    Vec::new()
                },
                through,
            };
            self.send(id, message);
        }
        if self.has_offended(id) {
            self.leave(id, Goodbye::Malformed);
        }
    }

    /// Whether the session ends, so that nothing more of what came in it is looked at.
    pub(super) fn has_offended(&self, id: SessionId) -> bool {
        let session = self.sessions.get(&id);
        session.is_some_and(|session| session.offences >= self.config.offences_max)
    }
}

impl Arrived {
    const fn space(&self) -> SpaceId {
        match self {
            Self::Entries { space, .. } => *space,
            Self::Offer(offer) => offer.space,
            Self::Copy(slice) => slice.space,
        }
    }
}

impl RunEnds {
    fn of(run: &VerifiedRun) -> Self {
        let number = run.first();
        Self {
            writer: *run.writer(),
            first: Height {
                number,
                hash: run.hash_at(number).unwrap_or(Hash::ZERO),
            },
            last: run.last(),
        }
    }
}

/// About how many bytes runs have on the wire. Both ends count like this.
pub fn run_bytes(runs: &[Run]) -> usize {
    const RUN: usize = 32 + 8 + 32 + 2 + 65;
    const ENTRY: usize = 8 + 1 + 24 + 1 + 4;
    let entries = runs.iter().flat_map(|run| &run.entries);
    let payloads = entries.map(|entry| ENTRY + entry.payload.bytes().map_or(32, |held| held.len()));
    runs.len() * RUN + payloads.sum::<usize>()
}
