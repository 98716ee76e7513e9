//! First copies: checkpoints and documents in the place of many entries.

use std::collections::BTreeMap;
use std::sync::Arc;

use node_feed::{CopyBegins, CopyPiece, CopySlice, FeedName, FeedTree, SpaceId, TreeFeed};

use super::Pending;
use crate::peer_space::Sending;
use crate::session::{Arrived, Flight};
use crate::{
    Alarm, CopyPlan, CopyResult, Effect, Engine, Goodbye, Message, SessionId, SpaceHeights,
    StorageDown, Ticket,
};

/// What is to be sent of a space next.
pub(super) enum Next {
    /// Entries of these feeds, from these numbers on; nothing if there are none.
    Entries(Vec<(FeedName, u64)>),
    /// Whether these feeds can be sent as a first copy.
    Plan(Vec<(FeedName, u64)>),
    /// Pieces of the copy under way.
    Copy(Arc<CopyPlan>, usize),
}

impl Engine {
    /// What a peer lacks of a space and how it gets it. Feeds of which it lacks much, or of which
    /// not all is held here, are copied; all others go first, so that nothing waits for a copy.
    pub(super) fn next_of(&self, id: SessionId, space: SpaceId, limit: usize) -> Next {
        let nothing = Next::Entries(Vec::new());
        let (Some(session), Some(held)) = (self.sessions.get(&id), self.spaces.get(&space)) else {
            return nothing;
        };
        let Some(peer_space) = session.spaces.get(&space) else {
            return nothing;
        };
        if self.config.first_copies && space != self.authority_space() && peer_space.may_plan() {
            let feeds = peer_space.copyable(held, self.config.copy_entries_min);
            if !feeds.is_empty() {
                return Next::Plan(feeds);
            }
        }
        let wants = peer_space.wants(held, limit);
        match &peer_space.sending {
            Sending::Copy { plan, next, .. } if wants.is_empty() => {
                Next::Copy(Arc::clone(plan), *next)
            }
            Sending::Copy { .. }
            | Sending::Undecided
            | Sending::Planning(_)
            | Sending::Sent { .. }
            | Sending::Entries => Next::Entries(wants),
        }
    }

    pub(super) fn plan_copy(&mut self, id: SessionId, space: SpaceId, feeds: Vec<(FeedName, u64)>) {
        let ticket = self.ask(Pending::Plan { session: id, space });
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        let Some(peer_space) = session.spaces.get_mut(&space) else {
            return;
        };
        let names = feeds.iter().map(|(feed, _)| *feed);
        peer_space.sending = Sending::Planning(names.collect());
        let under_way = peer_space.their_copy.as_ref();
        let bases = under_way.map(|held| held.bases.clone());
        self.effects.push(Effect::PlanCopy {
            ticket,
            space,
            feeds,
            bases,
        });
    }

    pub(super) fn copy_planned(&mut self, ticket: Ticket, plan: Option<CopyPlan>) {
        let Some(Pending::Plan { session: id, space }) = self.pending.remove(&ticket) else {
            return;
        };
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        let Some(peer_space) = session.spaces.get_mut(&space) else {
            return;
        };
        if !matches!(peer_space.sending, Sending::Planning(_)) {
            return;
        }
        peer_space.sending = match plan {
            Some(plan) => Sending::Copy {
                plan: Arc::new(plan),
                next: 0,
                begun: false,
            },
            None => Sending::Entries,
        };
        session.behind.insert(space);
        self.touched.insert(id);
    }

    pub(super) fn read_copy(
        &mut self,
        id: SessionId,
        space: SpaceId,
        plan: Arc<CopyPlan>,
        from: usize,
        bytes_max: usize,
    ) {
        if let Some(session) = self.sessions.get_mut(&id) {
            session.reads += 1;
        }
        let ticket = self.ask(Pending::ReadCopy { session: id, space });
        self.effects.push(Effect::ReadCopy {
            ticket,
            space,
            plan,
            from,
            bytes_max,
        });
    }

    pub(super) fn copy_read(
        &mut self,
        ticket: Ticket,
        pieces: Result<Option<Vec<CopyPiece>>, StorageDown>,
    ) {
        let Some(Pending::ReadCopy { session: id, space }) = self.pending.remove(&ticket) else {
            return;
        };
        let held = self.space(space);
        let (digest, heights) = (held.digest(), held.heights().clone());
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        session.reads -= 1;
        self.touched.insert(id);
        let Ok(pieces) = pieces else {
            self.leave(id, Goodbye::Storage);
            return;
        };
        let Some(peer_space) = session.spaces.get_mut(&space) else {
            return;
        };
        let Sending::Copy { plan, next, begun } = &mut peer_space.sending else {
            return;
        };
        let Some(pieces) = pieces.filter(|pieces| !pieces.is_empty()) else {
            // It cannot be made any more: entry by entry then.
            peer_space.sending = Sending::Entries;
            session.behind.insert(space);
            return;
        };
        let from = *next;
        let mut after = from + pieces.len();
        let theirs = peer_space.their_copy.as_ref();
        let same = theirs.filter(|held| held.bases == plan.bases);
        let here = same.map_or(0, |held| usize::try_from(held.documents).unwrap_or(0));
        if after >= plan.after_documents(0) {
            after = after.max(plan.after_documents(here.min(plan.documents.len())));
        }
        let last = after >= plan.pieces();
        let begins = (!std::mem::replace(begun, true)).then(|| CopyBegins {
            bases: plan.bases.clone(),
            documents: plan.documents.len() as u64,
            anew: theirs.is_some() && same.is_none(),
        });
        *next = after;
        let slice = CopySlice {
            space,
            id: plan.bases.digest(space),
            begins,
            documents_before: plan.documents_before(from) as u64,
            pieces: pieces.into(),
            last,
        };
        let frame = session.frames_sent + 1;
        let bytes = weight(&slice.pieces);
        session.bytes_in_flight += bytes;
        session.in_flight.push_back(Flight {
            frame,
            bytes,
            space,
            feeds: Vec::new(),
            heights,
            digest,
        });
        if last {
            let plan = Arc::clone(plan);
            peer_space.sending = Sending::Sent { frame, plan };
        }
        self.send(id, Message::Copy(slice));
    }

    /// What was sent up to frame `through` was dealt with.
    pub(super) fn copy_acknowledged(&mut self, id: SessionId, through: u64) {
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        for (space, peer_space) in &mut session.spaces {
            if matches!(peer_space.sending, Sending::Sent { frame, .. } if frame <= through) {
                // Whatever is lacking after it goes entry by entry.
                peer_space.sending = Sending::Entries;
                session.behind.insert(*space);
            }
        }
    }

    pub(super) fn take_copy(&mut self, id: SessionId, slice: CopySlice) {
        let bytes = weight(&slice.pieces);
        self.take_arrived(id, bytes, Arrived::Copy(slice));
    }

    pub(super) fn check_copy(&mut self, id: SessionId, frame: u64, slice: CopySlice) {
        let Some(session) = self.sessions.get(&id) else {
            return;
        };
        let space = slice.space;
        let Some(peer) = self.peer_of(id) else {
            return;
        };
        let is_shared = session.spaces.contains_key(&space) && space != self.authority_space();
        if !is_shared || !self.config.first_copies || self.whole.contains(&space) {
            self.answer(id, frame, space, Vec::new(), Vec::new());
            return;
        }
        let ticket = self.ask(Pending::Copy {
            session: id,
            frame,
            space,
        });
        self.effects.push(Effect::TakeCopy {
            ticket,
            peer,
            slice,
        });
    }

    pub(super) fn copy_taken(&mut self, ticket: Ticket, result: Result<CopyResult, StorageDown>) {
        let Some(Pending::Copy {
            session: id,
            frame,
            space,
        }) = self.pending.remove(&ticket)
        else {
            return;
        };
        let mut feeds = Vec::new();
        match result {
            Err(StorageDown) => {
                self.leave(id, Goodbye::Storage);
                return;
            }
            Ok(CopyResult::Partly(held)) => {
                self.copies.insert(space, held);
            }
            Ok(CopyResult::Placed(placed)) => {
                self.copies.remove(&space);
                self.unchecked.insert(space);
                feeds = self.take_placed(space, &placed);
                for (_, feed, place) in &placed {
                    if let Some(tip) = place.tip {
                        self.peer_holds(id, space, (*feed, tip), frame);
                    }
                }
            }
            Ok(CopyResult::Lost) => {
                self.copies.remove(&space);
                if let Some(session) = self.sessions.get_mut(&id) {
                    session.restate(space, false);
                }
            }
            Ok(CopyResult::Refused { why, forged }) => {
                self.copies.remove(&space);
                if let Some(peer) = self.peer_of(id).filter(|_| forged) {
                    let what = why;
                    self.effects
                        .push(Effect::Alarm(Alarm::Copy { peer, space, what }));
                }
                self.want_whole(space);
            }
        }
        self.answer(id, frame, space, Vec::new(), feeds);
    }

    /// Documents of a space's first copies are not what was signed, or only entries can tell where a
    /// feed forked: what rests on copies goes once a peer holds the entries that it stands for.
    pub(super) fn doubted(&mut self, space: SpaceId) {
        self.want_whole(space);
    }

    /// Takes out what rests on copies of a space of which entries are wanted, if the peer holds all
    /// of it whole: nothing goes before something else can take its place.
    pub(super) fn look_for_whole(&mut self, space: SpaceId, said: &SpaceHeights) {
        let Some(held) = self.spaces.get(&space) else {
            return;
        };
        let bases = held.bases();
        let differs = |feed: &FeedName| {
            let mut theirs = said.heights.iter();
            let ours = held.heights().get(feed);
            !theirs.any(|(name, height)| name == feed && Some(*height) == ours)
        };
        if said.base.is_some() || bases.is_empty() {
            return;
        }
        if said.whole && !self.whole.contains(&space) && bases.keys().any(differs) {
            // The peer knows why it takes no copy of these: it may hold a fork that does not show here.
            self.doubted(space);
            return;
        }
        if !self.whole.contains(&space) {
            return;
        }
        let holds = |feed: &FeedName| {
            let tip = held.heights().get(feed);
            let mut theirs = said.heights.iter();
            tip.is_none_or(|tip| {
                theirs.any(|(name, height)| {
                    let reaches = name == feed && height.number >= tip.number;
                    !said.bases.contains_key(name) && (reaches || *height == tip)
                })
            })
        };
        if bases.keys().all(holds) {
            self.effects.push(Effect::DropBases { space });
        }
    }

    /// What rested on first copies was taken out of a space. It is fetched again, entry by entry.
    pub(super) fn renewed(&mut self, space: SpaceId, trees: BTreeMap<[u8; 32], FeedTree>) {
        self.copies.remove(&space);
        self.unchecked.remove(&space);
        self.want_whole(space);
        self.replace_space(space, trees);
    }

    /// The documents of a space's first copies were checked: what this node holds of it is now
    /// worth its word.
    pub(super) fn checked(&mut self, space: SpaceId) {
        if self.unchecked.remove(&space) {
            self.schedule_receipt(space);
        }
    }

    /// Asks for no more copies of a space, for as long as this process runs.
    fn want_whole(&mut self, space: SpaceId) {
        self.whole.insert(space);
        for (id, session) in &mut self.sessions {
            session.restate(space, true);
            self.touched.insert(*id);
        }
    }

    /// Brings our heights up to date with a copy, and says which feeds it concerns.
    fn take_placed(
        &mut self,
        space: SpaceId,
        placed: &[([u8; 32], FeedName, TreeFeed)],
    ) -> Vec<FeedName> {
        let feeds = self.space(space).place(placed);
        let own = self.own.writers.get(&space).cloned().unwrap_or_default();
        for (writer, _, _) in placed {
            if own.contains(writer) {
                self.own_feed_ahead(space, *writer);
            }
        }
        let Some(held) = self.spaces.get(&space) else {
            return feeds;
        };
        for (id, session) in &mut self.sessions {
            if let Some(peer_space) = session.spaces.get_mut(&space) {
                peer_space.update(feeds.iter().copied(), held.heights());
                session.behind.insert(space);
                session.weigh(space);
                self.touched.insert(*id);
            }
        }
        feeds
    }
}

/// About how many bytes pieces have on the wire. Both ends count like this.
pub(super) fn weight(pieces: &[CopyPiece]) -> usize {
    pieces.iter().map(CopyPiece::weight).sum()
}
