//! The engine: one input in, effects out.

mod access;
mod compare;
mod copy;
mod deliver;
mod greet;
mod heights;
mod receipts;
mod receive;
mod refuse;
mod search;
mod settle;
mod sharing;

pub use receive::run_bytes;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use node_feed::{Authority, FeedName, Hash, Height, NodeId, Refusal, SpaceId, TreeFeed};

use crate::copying::{Copying, Part};
use crate::deadlines::Deadlines;
use crate::held_receipt::HeldReceipt;
use crate::keyring::Keyring;
use crate::session::{Phase, Session};
use crate::space::Space;
use crate::{
    CloseReason, Config, Effect, Farewell, Goodbye, Held, Input, Message, Own, SessionId, Ticket,
    Timestamp,
};

/// A run, without its entries.
#[derive(Debug)]
struct RunEnds {
    writer: [u8; 32],
    first: Height,
    last: Height,
}

/// Something that the driver was asked for.
#[derive(Debug)]
enum Pending {
    Append {
        session: SessionId,
        frame: u64,
        space: SpaceId,
        runs: Vec<RunEnds>,
        refused: Vec<Refusal>,
    },
    Plan {
        session: SessionId,
        space: SpaceId,
    },
    ReadCopy {
        session: SessionId,
        space: SpaceId,
        from: usize,
    },
    Copy {
        session: SessionId,
        frame: u64,
        peer: NodeId,
        space: SpaceId,
        part: Part,
    },
    Read {
        session: SessionId,
        space: SpaceId,
        from: Vec<(FeedName, u64)>,
    },
    Sample {
        session: SessionId,
        space: SpaceId,
        writer: [u8; 32],
    },
    Find {
        session: SessionId,
        space: SpaceId,
        writer: [u8; 32],
        points: Vec<Height>,
        answer: bool,
    },
}

/// Keeps this node's spaces equal with those of its peers.
#[derive(Debug)]
pub struct Engine {
    config: Config,
    own: Own,
    node: NodeId,
    authority: Arc<Authority>,
    spaces: BTreeMap<SpaceId, Space>,
    sessions: BTreeMap<SessionId, Session>,
    /// When each session must be looked at, whatever comes.
    deadlines: Deadlines<SessionId>,
    /// The sessions that share each space, as far as that is known.
    sharing: BTreeMap<SpaceId, BTreeSet<SessionId>>,
    /// The sessions of which that is not known yet: both Hellos are not said.
    not_live: BTreeSet<SessionId>,
    /// The session in which both Hellos are said with a node, by whether this end dialled it.
    live: BTreeMap<(NodeId, bool), SessionId>,
    keyring: Keyring,
    pending: BTreeMap<Ticket, Pending>,
    next_ticket: u64,
    /// Appends to the authority log that are not durable yet.
    authority_appends: usize,
    /// Whether the driver is folding the authority log.
    folding: bool,
    /// Own feeds of which a peer was found to hold more.
    ahead: BTreeSet<(SpaceId, [u8; 32])>,
    /// First copies that are under way here.
    copies: BTreeMap<SpaceId, Copying>,
    /// Writers that are fetched whole, so that no copies of the space are wanted until then.
    whole: BTreeMap<(SpaceId, [u8; 32]), Timestamp>,
    /// Peers of which it wants none of a space until then: one of theirs could not be used.
    declined: BTreeMap<(SpaceId, NodeId), Timestamp>,
    receipts: BTreeMap<(SpaceId, NodeId), HeldReceipt>,
    receipts_due: Deadlines<SpaceId>,
    now: Timestamp,
    /// Whether nothing was handled yet.
    is_new: bool,
    /// What became durable while handling the current inputs, with where it came from.
    fresh: Vec<(SpaceId, Option<SessionId>, Vec<deliver::Fresh>)>,
    /// Sessions in which something changed while handling the current inputs.
    touched: BTreeSet<SessionId>,
    effects: Vec<Effect>,
}

impl Engine {
    /// An engine without a connection. All of `held` must be durable.
    pub fn new(config: Config, own: Own, authority: Arc<Authority>, held: Held) -> Self {
        let spaces = held
            .spaces
            .into_iter()
            .map(|(id, trees)| (id, Space::new(id, trees)))
            .collect();
        let receipts = held
            .receipts
            .into_iter()
            .map(|receipt| ((receipt.space, receipt.node), HeldReceipt::new(receipt)))
            .collect();
        Self {
            config,
            node: own.identity.public().node(),
            own,
            authority,
            spaces,
            sessions: BTreeMap::new(),
            deadlines: Deadlines::new(),
            sharing: BTreeMap::new(),
            not_live: BTreeSet::new(),
            live: BTreeMap::new(),
            keyring: Keyring::default(),
            pending: BTreeMap::new(),
            next_ticket: 0,
            authority_appends: 0,
            folding: false,
            ahead: BTreeSet::new(),
            copies: held
                .copies
                .into_iter()
                .map(|(space, place)| (space, Copying::earlier(place.into())))
                .collect(),
            whole: BTreeMap::new(),
            declined: BTreeMap::new(),
            receipts,
            receipts_due: Deadlines::new(),
            now: Timestamp(0),
            is_new: true,
            fresh: Vec::new(),
            touched: BTreeSet::new(),
            effects: Vec::new(),
        }
    }

    /// Takes one input and says what is to be done about it.
    ///
    /// An input of a session that was closed, or an answer to a question that was not asked, has
    /// no effect.
    pub fn handle(&mut self, now: Timestamp, input: Input) -> Vec<Effect> {
        self.handle_all(now, [input])
    }

    /// Takes several inputs, in order, and says what is to be done about them together: what became
    /// durable with one is passed on and acknowledged with the others.
    pub fn handle_all(
        &mut self,
        now: Timestamp,
        inputs: impl IntoIterator<Item = Input>,
    ) -> Vec<Effect> {
        self.now = self.now.max(now);
        if std::mem::take(&mut self.is_new) {
            self.schedule_all_receipts();
        }
        for input in inputs {
            self.take(input);
        }
        self.settle();
        debug_assert!(self.finds_all(), "an index leaves a session out");
        std::mem::take(&mut self.effects)
    }

    fn take(&mut self, input: Input) {
        match input {
            Input::Connected {
                session,
                exporter,
                dialled,
                memory,
                refusals,
                known,
            } => {
                self.connected(session, exporter, dialled, memory, refusals);
                if known {
                    self.send_early(session);
                }
            }
            Input::Recalled {
                session,
                memory,
                refusals,
            } => self.recalled(session, memory, refusals),
            Input::Received { session, message } => self.received(session, message),
            Input::PassedOver { session } => self.passed_over(session),
            Input::Disconnected { session } => self.forget(session),
            Input::Appended { ticket, results } => self.appended(ticket, results),
            Input::Read { ticket, runs } => self.read(ticket, runs),
            Input::Sampled { ticket, points } => self.sampled(ticket, points),
            Input::Found { ticket, held } => self.found(ticket, &held),
            Input::CopyPlanned { ticket, plan } => self.copy_planned(ticket, plan),
            Input::CopyRead { ticket, pieces } => self.copy_read(ticket, pieces),
            Input::CopyTaken { ticket, result } => self.copy_taken(ticket, result),
            Input::CopyPlaced { space, feeds } => self.copy_placed(space, &feeds),
            Input::CopyDropped {
                space,
                peer,
                document,
                forged,
            } => self.copy_dropped(space, peer, document, forged),
            Input::BaseDropped { space, trees } => self.base_dropped(space, trees),
            Input::Written(stored) => self.written(stored),
            Input::AuthorityChanged { authority, spaces } => {
                self.authority_changed(authority, spaces);
            }
            Input::Tick => self.tick(),
        }
    }

    /// How many entries of a space somebody holds, by these heights, that are lacking here.
    pub fn lacks(&self, space: SpaceId, theirs: &[(FeedName, Height)]) -> u64 {
        let held = self.spaces.get(&space);
        let lacking = theirs.iter().map(|(feed, height)| {
            let next = height.number.saturating_add(1);
            let ours = held.and_then(|held| held.feed(feed));
            next.saturating_sub(ours.map_or(0, TreeFeed::next))
        });
        lacking.fold(0, u64::saturating_add)
    }

    /// When [`Input::Tick`] is due; none while there is nothing to wait for. It may have passed.
    pub fn next_deadline(&self) -> Option<Timestamp> {
        // Of copies there are few at any time.
        let copies = self.copies.values().filter_map(Copying::due);
        let declined = self.declined.values().chain(self.whole.values());
        let copies = copies.chain(declined.copied()).min();
        let many = [self.deadlines.first(), self.receipts_due.first()];
        many.into_iter().chain([copies]).flatten().min()
    }

    fn received(&mut self, id: SessionId, message: Message) {
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        session.frames_received += 1;
        if let Message::Goodbye(farewell) = message {
            let reason = CloseReason::Theirs(farewell.reason, farewell.text);
            self.forget(id);
            self.effects.push(Effect::Close {
                session: id,
                reason,
            });
            return;
        }
        match (&session.phase, message) {
            (Phase::Greeting, Message::Hello(hello)) => self.greeted(id, *hello),
            (Phase::Recalling(_), Message::Entries { space, runs }) => {
                self.take_entries(id, space, runs);
            }
            (Phase::Greeting | Phase::Recalling(_), _) | (Phase::Live, Message::Hello(_)) => {
                self.leave(id, Goodbye::Malformed);
            }
            (Phase::Live, message) => self.discuss(id, message),
        }
    }

    fn passed_over(&mut self, id: SessionId) {
        if let Some(session) = self.sessions.get_mut(&id) {
            session.frames_received += 1;
        }
    }

    fn discuss(&mut self, id: SessionId, message: Message) {
        self.touched.insert(id);
        match message {
            Message::Spaces { digests, authority } => self.take_spaces(id, digests, authority),
            Message::Heights(heights) => self.take_heights(id, heights),
            Message::Entries { space, runs } => self.take_entries(id, space, runs),
            Message::CopyOffer(offer) => self.take_offer(id, offer),
            Message::Copy(slice) => self.take_copy(id, slice),
            Message::Acknowledged {
                space,
                digest,
                heights,
                through,
            } => self.take_acknowledgement(id, space, digest, &heights, through),
            Message::Refused(refusal) => self.take_refusal(id, refusal),
            Message::Receipts(receipts) => self.take_receipts(id, receipts),
            Message::ReceiptsHeld(held) => self.take_receipts_held(id, &held),
            Message::Probe {
                space,
                writer,
                points,
            } => self.take_probe(id, space, writer, points),
            Message::Common {
                space,
                writer,
                points,
            } => self.take_common(id, space, writer, points),
            Message::Hello(_) | Message::Goodbye(_) => {}
        }
    }

    fn tick(&mut self) {
        let now = self.now;
        for id in self.deadlines.take_passed(now) {
            let Some(session) = self.sessions.get_mut(&id) else {
                continue;
            };
            if session.is_greeting() && session.hello_due <= now {
                self.forget(id);
                self.effects.push(Effect::Close {
                    session: id,
                    reason: CloseReason::Silent,
                });
                continue;
            }
            if session.retry_due.is_some_and(|due| due <= now) {
                session.ask_again();
            }
            self.touched.insert(id);
        }
        self.end_declines();
        self.sign_receipts();
    }

    /// Says goodbye and ends a session.
    fn leave(&mut self, id: SessionId, reason: Goodbye) {
        let text = reason.sentence().to_owned();
        self.send(
            id,
            Message::Goodbye(Farewell {
                reason,
                text: text.clone(),
            }),
        );
        self.forget(id);
        self.effects.push(Effect::Close {
            session: id,
            reason: CloseReason::Ours(reason, text),
        });
    }

    /// Ends a session without a word.
    fn forget(&mut self, id: SessionId) {
        self.remember(id, true);
        let Some(session) = self.sessions.remove(&id) else {
            return;
        };
        self.touched.remove(&id);
        self.lose(id, &session);
        self.free_copies(id);
    }

    fn send(&mut self, id: SessionId, message: Message) {
        if let Some(session) = self.sessions.get_mut(&id) {
            session.frames_sent += 1;
            self.effects.push(Effect::Send {
                session: id,
                message,
            });
        }
    }

    fn ask(&mut self, pending: Pending) -> Ticket {
        let ticket = Ticket(self.next_ticket);
        self.next_ticket += 1;
        self.pending.insert(ticket, pending);
        ticket
    }

    fn space(&mut self, id: SpaceId) -> &mut Space {
        self.spaces
            .entry(id)
            .or_insert_with(|| Space::new(id, BTreeMap::new()))
    }

    fn digest(&mut self, id: SpaceId) -> Hash {
        self.space(id).digest()
    }

    fn authority_space(&self) -> SpaceId {
        SpaceId::authority(self.authority.network())
    }
}
