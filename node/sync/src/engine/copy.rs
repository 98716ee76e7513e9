//! First copies: checkpoints and documents in the place of many entries.
//!
//! Who has one offers it, and whoever lacks it decides: it takes one copy of a space at a time, from
//! one peer. What came of it counts as held once its documents were checked; until then nobody is
//! told so.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use node_feed::{
    CopyOffer, CopyPiece, CopySlice, CopyTaken, FeedName, FeedTree, NodeId, Parting, SpaceId,
    Subject, TreeFeed,
};

use super::Pending;
use crate::copying::{Copying, Part};
use crate::peer_space::Sending;
use crate::session::Arrived;
use crate::{
    Alarm, CopyHeld, CopyPlan, Effect, Engine, Goodbye, Message, SessionId, StorageDown, Ticket,
    Timestamp,
};

/// About how many bytes an offer has beside its bases, and each of these.
const OFFER_BYTES: usize = 64;
const BASE_BYTES: usize = 72;

/// After how many times the time of a retry a peer that sent a forged copy is heard again.
const FORGED_RETRIES: u64 = 20;
/// And for how long nothing of a copy may come before another peer is heard.
const IDLE_RETRIES: u64 = 2;

/// What is to be sent of a space next.
pub(super) enum Next {
    /// Entries of these feeds, from these numbers on; nothing if there are none.
    Entries(Vec<(FeedName, u64)>),
    /// Whether these feeds can be sent as a first copy.
    Plan(Vec<(FeedName, u64)>),
    /// Pieces of the copy under way.
    Copy(Arc<CopyPlan>, usize),
}

/// Sending.
impl Engine {
    /// What a peer lacks of a space and how it gets it. Feeds of which it lacks much, or of which
    /// not all is held here, are copied; all others go first, so that nothing waits for a copy.
    pub(super) fn next_of(&mut self, id: SessionId, space: SpaceId, limit: usize) -> Next {
        let nothing = Next::Entries(Vec::new());
        let retry_due = self.now.after(self.config.retry_ms);
        let is_copied = self.config.first_copies && space != self.authority_space();
        let (Some(session), Some(held)) = (self.sessions.get_mut(&id), self.spaces.get(&space))
        else {
            return nothing;
        };
        let Some(peer_space) = session.spaces.get_mut(&space) else {
            return nothing;
        };
        if is_copied && peer_space.may_plan() {
            let feeds = peer_space.copyable(held, self.config.copy_entries_min);
            if !feeds.is_empty() {
                if peer_space.may_offer() {
                    return Next::Plan(feeds);
                }
                peer_space.wait_for_copy(feeds.into_iter().map(|(feed, _)| feed));
            }
        }
        let wants = peer_space.wants(held, limit);
        if wants.is_empty() && peer_space.lacks_unsendable(held) {
            // It may get this from others, and then does not say so by itself.
            peer_space.is_stuck = true;
            session.retry_due.get_or_insert(retry_due);
        }
        if let Sending::Copy { plan, next } = &peer_space.sending
            && wants.is_empty()
        {
            return Next::Copy(Arc::clone(plan), *next);
        }
        Next::Entries(wants)
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
        session.behind.insert(space);
        self.touched.insert(id);
        let Some(plan) = plan.map(Arc::new) else {
            peer_space.sending = Sending::Entries;
            return;
        };
        if let Some(held) = peer_space.their_copy.as_ref().filter(|held| held.open)
            && held.bases == plan.bases
        {
            let next = plan.next(held.documents);
            peer_space.go_on_with(plan, next);
            return;
        }
        let offer = CopyOffer {
            space,
            bases: plan.bases.clone(),
            documents: plan.documents.len() as u64,
        };
        peer_space.offered(plan);
        self.fly(id, space, Vec::new(), weight_of_offer(&offer));
        self.send(id, Message::CopyOffer(offer));
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
        let ticket = self.ask(Pending::ReadCopy {
            session: id,
            space,
            from,
        });
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
        pieces: Result<Result<Vec<CopyPiece>, Vec<FeedName>>, StorageDown>,
    ) {
        let Some(Pending::ReadCopy {
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
        session.behind.insert(space);
        let Ok(pieces) = pieces else {
            self.leave(id, Goodbye::Storage);
            return;
        };
        let Some(peer_space) = session.spaces.get_mut(&space) else {
            return;
        };
        let Sending::Copy { plan, next } = &mut peer_space.sending else {
            return;
        };
        if *next != from {
            // The peer said where it stands meanwhile.
            return;
        }
        let plan = Arc::clone(plan);
        let pieces = match pieces {
            Ok(pieces) if !pieces.is_empty() => pieces,
            Ok(_) => {
                peer_space.do_not_copy(plan.bases.iter().map(|(feed, _)| feed));
                return;
            }
            Err(feeds) => {
                // The others are offered without these.
                peer_space.do_not_copy(feeds);
                return;
            }
        };
        let after = from + pieces.len();
        *next = after;
        if after >= plan.pieces() {
            peer_space.sending = Sending::Sent(Arc::clone(&plan));
        }
        let ends = from < plan.head() && after >= plan.head();
        if ends {
            peer_space.begin_live(&plan.bases);
        }
        let slice = CopySlice {
            space,
            id: plan.bases.digest(space),
            before: from.checked_sub(plan.head()).unwrap_or(from) as u64,
            pieces: pieces.into(),
            ends,
        };
        self.fly(id, space, Vec::new(), weight(&slice.pieces));
        self.send(id, Message::Copy(slice));
    }
}

/// Taking.
impl Engine {
    /// How far a copy of a space has come, as it is said to this peer.
    pub(super) fn copy_said(&self, id: SessionId, space: SpaceId) -> Option<CopyHeld> {
        let (copying, peer) = (self.copies.get(&space)?, self.peer_of(id)?);
        Some(CopyHeld {
            open: copying.is_open_to(id, peer),
            ..copying.held().clone()
        })
    }

    /// Whether a peer is told to send entries of a space and no copies.
    pub(super) fn wants_entries(&self, id: SessionId, space: SpaceId) -> bool {
        let peer = self.peer_of(id);
        !self.config.first_copies
            || self
                .whole
                .range((space, [0; 32])..=(space, [u8::MAX; 32]))
                .next()
                .is_some()
            || peer.is_some_and(|peer| self.declined.contains_key(&(space, peer)))
    }

    pub(super) fn take_offer(&mut self, id: SessionId, offer: CopyOffer) {
        let bytes = weight_of_offer(&offer);
        self.take_arrived(id, bytes, Arrived::Offer(offer));
    }

    pub(super) fn take_copy(&mut self, id: SessionId, slice: CopySlice) {
        if slice.pieces.is_empty() {
            self.leave(id, Goodbye::Malformed);
            return;
        }
        let bytes = weight(&slice.pieces);
        self.take_arrived(id, bytes, Arrived::Copy(slice));
    }

    pub(super) fn check_offer(&mut self, id: SessionId, frame: u64, offer: CopyOffer) {
        let space = offer.space;
        let Some((session, peer)) = self.sessions.get(&id).zip(self.peer_of(id)) else {
            return;
        };
        let is_shared = session.spaces.contains_key(&space) && space != self.authority_space();
        if offer.bases.len() > Message::COPY_FEEDS_MAX {
            self.leave(id, Goodbye::Malformed);
            return;
        }
        let copying = self.copies.get(&space);
        let is_free = copying.is_none_or(|copying| copying.is_open_to(id, peer));
        let held = self.spaces.get(&space);
        let is_held = |feed: &FeedName, number: u64| {
            let feed = held.and_then(|held| held.feed(feed));
            feed.is_some_and(|feed| feed.next() > number)
        };
        let is_news = offer
            .bases
            .iter()
            .any(|(feed, base)| !is_held(&feed, base.number));
        if !is_shared || !is_free || !is_news || self.wants_entries(id, space) {
            self.say_copy_again(id, space);
            self.answer(id, frame, space, Vec::new(), Vec::new());
            return;
        }
        let held = CopyHeld {
            bases: offer.bases.clone(),
            documents: None,
            open: true,
        };
        let due = self.copy_due();
        let before = self.copies.remove(&space);
        self.copies
            .insert(space, Copying::offered(held, id, due, before));
        let ticket = self.ask(Pending::Copy {
            session: id,
            frame,
            peer,
            space,
            part: Part::Offer,
        });
        self.effects.push(Effect::OfferCopy {
            ticket,
            peer,
            offer,
        });
    }

    pub(super) fn check_copy(&mut self, id: SessionId, frame: u64, slice: CopySlice) {
        let space = slice.space;
        let due = self.copy_due();
        let Some(peer) = self.peer_of(id) else {
            return;
        };
        let is_shared = self.shared_with(id, space);
        let copying = self.copies.get_mut(&space);
        // The first that goes on with one that was broken off has it.
        let copying = copying.filter(|copying| {
            is_shared && copying.is_taken_in(id) && copying.held().bases.digest(space) == slice.id
        });
        let Some(copying) = copying else {
            self.say_copy_again(id, space);
            self.answer(id, frame, space, Vec::new(), Vec::new());
            return;
        };
        copying.take_by(id, peer, due);
        let ticket = self.ask(Pending::Copy {
            session: id,
            frame,
            peer,
            space,
            part: Part::of(&slice),
        });
        self.effects.push(Effect::TakeCopy { ticket, slice });
    }

    pub(super) fn copy_taken(&mut self, ticket: Ticket, result: Result<CopyTaken, StorageDown>) {
        let Some(Pending::Copy {
            session: id,
            frame,
            peer,
            space,
            part,
        }) = self.pending.remove(&ticket)
        else {
            return;
        };
        match result {
            Err(StorageDown) => {
                self.leave(id, Goodbye::Storage);
                return;
            }
            Ok(CopyTaken::Partly(place)) => {
                let (held, due) = (CopyHeld::from(place), self.copy_due());
                let before = self.copies.remove(&space);
                let mut copying = before.unwrap_or_else(|| Copying::earlier(held.clone()));
                if copying.came(peer, held, &part, due) {
                    self.say_copy_again(id, space);
                }
                self.copies.insert(space, copying);
            }
            Ok(CopyTaken::Lost) => {
                self.copies.remove(&space);
                self.say_copy_to_all(space);
            }
            Ok(CopyTaken::Refused { why, forged }) => {
                if let Some(session) = self.sessions.get_mut(&id).filter(|_| forged) {
                    session.offences += 1;
                }
                self.decline(space, peer, Some(why).filter(|_| forged));
            }
        }
        self.answer(id, frame, space, Vec::new(), Vec::new());
    }

    /// The documents of a copy were checked, and it is in its place.
    pub(super) fn copy_placed(
        &mut self,
        space: SpaceId,
        placed: &[([u8; 32], FeedName, TreeFeed)],
    ) {
        self.copies.remove(&space);
        let feeds = self.space(space).place(placed);
        let own = self.own.writers.get(&space).cloned().unwrap_or_default();
        for (writer, _, _) in placed {
            if own.contains(writer) {
                self.own_feed_ahead(space, *writer);
            }
        }
        for id in self.concerned(space) {
            let (Some(session), Some(held)) = (self.sessions.get_mut(&id), self.spaces.get(&space))
            else {
                continue;
            };
            let mut is_equal = true;
            if let Some(peer_space) = session.spaces.get_mut(&space) {
                peer_space.update(feeds.iter().copied(), held.heights());
                peer_space.plan_again();
                is_equal = peer_space.is_equal();
                session.behind.insert(space);
                session.unremembered = true;
                session.weigh(space);
            }
            // Who sent it has said no heights since it has offered it.
            session.restate(space, !is_equal);
            self.touched.insert(id);
        }
        self.schedule_receipt(space);
    }

    /// A copy turned out to be none that can be used, because of this document if of any. Who sent
    /// that need not be who sent the rest, or who offered it.
    pub(super) fn copy_dropped(
        &mut self,
        space: SpaceId,
        offerer: NodeId,
        document: Option<Subject>,
        forged: Option<String>,
    ) {
        let copying = self.copies.get(&space);
        let sender = copying
            .zip(document)
            .and_then(|(copying, document)| copying.sender_of(document));
        self.decline(space, sender.unwrap_or(offerer), forged);
    }

    /// A copy that a peer sent cannot be used; if it is not what was signed, `forged` says how.
    fn decline(&mut self, space: SpaceId, peer: NodeId, forged: Option<String>) {
        self.copies.remove(&space);
        // It may be the only one that holds this at all.
        let times = if forged.is_some() { FORGED_RETRIES } else { 1 };
        let until = self.now.after(self.config.retry_ms.saturating_mul(times));
        self.declined.insert((space, peer), until);
        if let Some(what) = forged {
            self.effects
                .push(Effect::Alarm(Alarm::Copy { peer, space, what }));
        }
        self.say_copy_to_all(space);
    }

    /// Until when more of a copy must come that comes now.
    fn copy_due(&self) -> Timestamp {
        self.now
            .after(self.config.retry_ms.saturating_mul(IDLE_RETRIES))
    }

    /// Hears of copies again where the time for it has come, and gives up waiting for more of those
    /// of which nothing comes.
    pub(super) fn end_declines(&mut self) {
        let now = self.now;
        let ended = self.declined.extract_if(.., |_, until| *until <= now);
        let mut spaces = ended.map(|((space, _), _)| space).collect::<BTreeSet<_>>();
        let ended = self.whole.extract_if(.., |_, until| *until <= now);
        spaces.extend(ended.map(|((space, _), _)| space));
        let until = now.after(self.config.retry_ms);
        for (space, copying) in &mut self.copies {
            if copying.end_rest(now) {
                spaces.insert(*space);
            }
            let Some(id) = copying.end_wait(now) else {
                continue;
            };
            // It would take its place again before anybody else can.
            let peer = self.sessions.get(&id).and_then(|it| it.peer.as_ref());
            if let Some(peer) = peer {
                copying.rest(peer.node, until);
            }
            spaces.insert(*space);
        }
        for space in spaces {
            self.say_copy_to_all(space);
        }
    }

    /// Copies of spaces that this hub has left are gone, and nobody sends one of a space that its hub
    /// has left.
    pub(super) fn end_copies_without_access(&mut self) {
        let (authority, own) = (&self.authority, self.own.hub);
        self.copies
            .retain(|space, _| authority.access(own, *space).is_some());
        let mut freed = Vec::new();
        for (space, copying) in &mut self.copies {
            let sessions = &self.sessions;
            let is_gone = |id: &SessionId| {
                let peer = sessions.get(id).and_then(|session| session.peer.as_ref());
                let hub = peer.and_then(|peer| authority.hub_of(&peer.node));
                hub.is_none_or(|hub| authority.access(hub, *space).is_none())
            };
            if copying.free(is_gone) {
                freed.push(*space);
            }
        }
        for space in freed {
            self.say_copy_to_all(space);
        }
    }

    /// The peer sent entries that part, or may part, from a feed where only a checkpoint is held
    /// here. How far it holds the feed tells whether it is of another branch.
    pub(super) fn parted_at_base(
        &mut self,
        id: SessionId,
        space: SpaceId,
        writer: [u8; 32],
        parting: Parting,
    ) {
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        if let Some(peer_space) = session.spaces.get_mut(&space) {
            // What was sent before the peer knew what is held here is of no other branch for that.
            // It is asked, and sends again what it then still finds lacking.
            if parting == Parting::Proven || peer_space.their_bases.is_some() {
                let known = peer_space.parted_at_base.entry(writer).or_insert(parting);
                if parting == Parting::Proven {
                    *known = parting;
                }
            }
            session.restate(space, true);
            self.touched.insert(id);
        }
    }

    /// The peer said how far it holds a space. Of a feed that it holds whole and that parts from what
    /// is held here before a base, only the whole can tell where: it is dropped and fetched. An
    /// honest peer sends nothing of a feed to one that holds more of it, unless it is another branch.
    pub(super) fn look_for_whole(&mut self, id: SessionId, space: SpaceId) {
        let until = self
            .now
            .after(self.config.retry_ms.saturating_mul(FORGED_RETRIES));
        let Some(held) = self.spaces.get(&space) else {
            return;
        };
        let session = self.sessions.get_mut(&id);
        let peer_space = session.and_then(|session| session.spaces.get_mut(&space));
        let Some(peer_space) = peer_space.filter(|it| it.their_bases.is_some()) else {
            return;
        };
        let parted = std::mem::take(&mut peer_space.parted_at_base);
        let mut dropped = Vec::new();
        for (writer, parting) in parted {
            let trunk = FeedName::from_bytes(writer);
            let bases = peer_space.their_bases.as_ref();
            let is_based = bases.is_some_and(|bases| bases.contains_key(&trunk));
            let base = held.feed(&trunk).map_or(0, |feed| feed.base);
            let theirs = peer_space.height(&trunk).map_or(0, |height| height.number);
            let is_other = parting == Parting::Proven || theirs < base;
            // Once in a while, however often somebody says so.
            let key = (space, writer);
            if base > 0 && is_other && !is_based && !self.whole.contains_key(&key) {
                self.whole.insert(key, until);
                dropped.push(writer);
            }
        }
        if !dropped.is_empty() {
            self.say_copy_to_all(space);
        }
        for writer in dropped {
            self.effects.push(Effect::DropBase { space, writer });
        }
    }

    /// A writer's feeds were taken out of a space to be fetched whole.
    pub(super) fn base_dropped(&mut self, space: SpaceId, trees: BTreeMap<[u8; 32], FeedTree>) {
        self.replace_space(space, trees);
    }

    /// What came in a session that has ended may be gone on with by another.
    pub(super) fn free_copies(&mut self, id: SessionId) {
        let freed = self
            .copies
            .iter_mut()
            .filter_map(|(space, copying)| copying.free(|from| *from == id).then_some(*space));
        for space in freed.collect::<Vec<_>>() {
            self.say_copy_to_all(space);
        }
    }

    fn say_copy_again(&mut self, id: SessionId, space: SpaceId) {
        if let Some(session) = self.sessions.get_mut(&id) {
            session.restate(space, false);
            self.touched.insert(id);
        }
    }

    fn say_copy_to_all(&mut self, space: SpaceId) {
        for id in self.concerned(space) {
            self.say_copy_again(id, space);
        }
    }
}

/// About how many bytes pieces have on the wire. Both ends count like this.
pub(super) fn weight(pieces: &[CopyPiece]) -> usize {
    pieces.iter().map(CopyPiece::weight).sum()
}

fn weight_of_offer(offer: &CopyOffer) -> usize {
    OFFER_BYTES + offer.bases.len() * BASE_BYTES
}
