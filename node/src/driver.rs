//! Runs the session engine: what happens goes in, what it wants done is done.
//!
//! One task owns the engine. Everything else (sessions, the store's thread, commands) sends it
//! inputs through one queue, so that they are handled in the order in which they became true.

mod copies;

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use node_feed::{FeedName, FeedTree, Height, HubId, Kind, NodeId, Refusal, SpaceId};
use node_store::{Appended, ReadStore};
use node_sync::{
    AppendResult, CloseReason, Effect, Engine, Goodbye, Input, Message, SessionId, StorageDown,
    Ticket,
};
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};

use crate::clock::{SteadyClock, now_ms};
use crate::first_copy;
use crate::node::Inner;
use crate::session::{Outbox, Tally};
use crate::storage::to_memory;

/// How many inputs the engine takes together at most, so that none waits long for the others.
const TOGETHER_MAX: usize = 32;

/// Where the driver is told of things. Before it runs, and after, there is nobody to tell.
#[derive(Debug, Clone, Default)]
pub(crate) struct Events(Arc<OnceLock<mpsc::UnboundedSender<Event>>>);

impl Events {
    /// The driver's end, the first time that it is asked for.
    pub(crate) fn listen(&self) -> Option<mpsc::UnboundedReceiver<Event>> {
        let (sender, events) = mpsc::unbounded_channel();
        self.0.set(sender).ok().map(|()| events)
    }

    /// Hands the engine an input.
    pub(crate) fn input(&self, input: Input) {
        self.send(Event::Input(input));
    }

    /// Tells the driver.
    pub(crate) fn send(&self, event: Event) {
        if let Some(events) = self.0.get() {
            // A driver that has stopped wants to hear nothing more.
            let _stopped = events.send(event);
        }
    }
}

/// What reaches the driver.
#[derive(Debug)]
pub(crate) enum Event {
    /// For the engine.
    Input(Input),
    /// A connection stands; what it is sent goes to `outgoing`, and it is read until `open` is
    /// dropped, or told why this end ends it.
    Session {
        connected: Connected,
        outgoing: Outbox,
        open: oneshot::Sender<Goodbye>,
    },
    /// A session received a frame; `room` makes place for the next once this one is dealt with.
    Received {
        session: SessionId,
        messages: Vec<Message>,
        room: OwnedSemaphorePermit,
    },
    /// What was read for a peer that had said nothing yet.
    Unasked(Vec<Input>),
    /// A session received a frame that is none, and reads no further.
    Malformed { session: SessionId, why: String },
    /// End the sessions with this hub's nodes, and say why.
    End { hub: HubId, why: String },
    /// Stop: say goodbye to every peer.
    Stop,
}

/// A connection, before the engine knows of it.
#[derive(Debug)]
pub(crate) struct Connected {
    pub(crate) session: SessionId,
    pub(crate) exporter: [u8; 32],
    pub(crate) dialled: Option<NodeId>,
    /// The TLS key that the node that was dialled showed.
    pub(crate) server_key: Option<Arc<[u8]>>,
    /// Counts the session, at the dialling end.
    pub(crate) tally: Option<Arc<Tally>>,
}

/// Runs until told to stop.
pub(crate) async fn run(
    inner: Arc<Inner>,
    engine: Engine,
    mut events: mpsc::UnboundedReceiver<Event>,
) {
    let mut driver = Driver {
        inner,
        engine,
        clock: SteadyClock::start(),
        sessions: BTreeMap::new(),
        folding: Folding::Idle,
        queued: Vec::new(),
        unasked: None,
        is_unasked: false,
    };
    driver.feed(Input::Tick);
    loop {
        let now = driver.clock.now();
        let deadline = driver.engine.next_deadline();
        let sleep = deadline.map_or(Duration::from_secs(3_600), |deadline| {
            Duration::from_millis(deadline.0.saturating_sub(now.0))
        });
        tokio::select! {
            biased;
            event = events.recv() => match event {
                None => break,
                Some(event) => {
                    if driver.take_all(event, &mut events) {
                        break;
                    }
                }
            },
            () = tokio::time::sleep(sleep) => driver.feed(Input::Tick),
        }
        // While events never end, time passes all the same.
        let now = driver.clock.now();
        if driver.engine.next_deadline().is_some_and(|due| due <= now) {
            driver.feed(Input::Tick);
        }
    }
    driver.say_goodbye();
}

struct Driver {
    inner: Arc<Inner>,
    engine: Engine,
    clock: SteadyClock,
    sessions: BTreeMap<SessionId, Session>,
    folding: Folding,
    /// What doing one thing made known, for the engine once the other things are done too.
    queued: Vec<Input>,
    /// While a session begins: what is to be read for a peer that has said nothing yet.
    unasked: Option<Vec<Read>>,
    /// Whether what is sent now was read for a peer that had said nothing yet.
    is_unasked: bool,
}

/// Entries to read.
#[derive(Debug)]
struct Read {
    ticket: Ticket,
    space: SpaceId,
    from: Vec<(FeedName, u64)>,
    bytes_max: usize,
}

impl Read {
    fn answer(self, inner: &Inner) -> Input {
        let (ticket, storage) = (self.ticket, &inner.storage);
        let read = storage.runs(self.space, &self.from, self.bytes_max);
        let runs = read.map_err(|error| {
            tracing::error!(%error, "what a peer lacks cannot be read");
            inner.peers.failed(error.to_string());
            StorageDown
        });
        Input::Read { ticket, runs }
    }
}

struct Session {
    outgoing: Outbox,
    peer: Option<NodeId>,
    /// The TLS key that it showed, until it has proven itself over it.
    server_key: Option<Arc<[u8]>>,
    tally: Option<Arc<Tally>>,
    /// Dropped with the session, which ends reading from it.
    open: Option<oneshot::Sender<Goodbye>>,
}

/// Whether the authority log is being folded, and whether it grew meanwhile.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Folding {
    Idle,
    Running,
    Again,
}

impl Driver {
    /// Takes an event and what else has happened by now, so that what became durable together is
    /// passed on and acknowledged together. Says whether it is time to stop.
    fn take_all(&mut self, event: Event, events: &mut mpsc::UnboundedReceiver<Event>) -> bool {
        let (mut inputs, mut rooms) = (Vec::new(), Vec::new());
        let mut next = Some(event);
        while let Some(event) = next {
            match event {
                Event::Stop => {
                    self.feed_all(inputs);
                    return true;
                }
                Event::Received {
                    session,
                    messages,
                    room,
                } => {
                    rooms.push(room);
                    if messages.is_empty() {
                        inputs.push(Input::PassedOver { session });
                    }
                    for message in messages {
                        if let Some(tally) = self.tally(session) {
                            tally.heard(&message);
                        }
                        inputs.push(Input::Received { session, message });
                    }
                }
                Event::Input(input @ (Input::Appended { .. } | Input::Written(_))) => {
                    inputs.push(input);
                }
                event @ (Event::Input(_)
                | Event::Unasked(_)
                | Event::Session { .. }
                | Event::Malformed { .. }
                | Event::End { .. }) => {
                    self.feed_all(std::mem::take(&mut inputs));
                    self.take(event);
                }
            }
            if inputs.len() >= TOGETHER_MAX {
                break;
            }
            next = events.try_recv().ok();
        }
        self.feed_all(inputs);
        false
    }

    fn take(&mut self, event: Event) {
        match event {
            Event::Session {
                connected,
                outgoing,
                open,
            } => self.connect(connected, outgoing, open),
            Event::Input(input) => {
                if let Input::AuthorityChanged { .. } = &input {
                    let again = self.folding == Folding::Again;
                    self.folding = Folding::Idle;
                    if again {
                        self.fold();
                    }
                }
                if let Input::Disconnected { session } = &input {
                    self.forget(*session);
                }
                self.feed(input);
            }
            Event::Unasked(inputs) => {
                self.is_unasked = true;
                self.feed_all(inputs);
                self.is_unasked = false;
            }
            Event::End { hub, why } => {
                let authority = self.inner.authority();
                let of_hub = |peer: &NodeId| authority.nodes().get(peer).map(|it| it.hub);
                let sessions = self.sessions.iter();
                let ended = sessions
                    .filter(|(_, session)| session.peer.and_then(|peer| of_hub(&peer)) == Some(hub))
                    .map(|(id, session)| (*id, session.peer))
                    .collect::<Vec<_>>();
                for (session, peer) in ended {
                    self.turn_away(session, peer, Goodbye::NotAdmitted, &why);
                }
            }
            Event::Malformed { session, why } => {
                let peer = self.sessions.get(&session).and_then(|it| it.peer);
                self.turn_away(session, peer, Goodbye::Malformed, &why);
            }
            Event::Received { .. } | Event::Stop => {}
        }
        let over = std::mem::take(&mut self.queued);
        self.feed_all(over);
    }

    /// Ends a session that this node does not want, with a sentence for the other end's people.
    fn turn_away(&mut self, session: SessionId, peer: Option<NodeId>, reason: Goodbye, why: &str) {
        if let Some(session) = self.sessions.get(&session) {
            let farewell = node_sync::Farewell {
                reason,
                text: why.to_owned(),
            };
            // A peer that does not read finds out without being told.
            let _full = session.outgoing.send(Message::Goodbye(farewell));
        }
        self.inner.refuse_session(peer, reason.word(), why);
        self.forget(session);
        self.queued.push(Input::Disconnected { session });
    }

    fn feed(&mut self, input: Input) {
        self.feed_all(vec![input]);
    }

    /// Does all that the engine wants done about `inputs`, in the order in which it wants it: what
    /// it hears of meanwhile comes after that.
    fn feed_all(&mut self, mut inputs: Vec<Input>) {
        while !inputs.is_empty() {
            let now = self.clock.now();
            for effect in self.engine.handle_all(now, inputs) {
                self.perform(effect);
            }
            inputs = std::mem::take(&mut self.queued);
        }
    }

    fn connect(&mut self, connected: Connected, outgoing: Outbox, open: oneshot::Sender<Goodbye>) {
        let Connected {
            session,
            exporter,
            dialled,
            server_key,
            tally,
        } = connected;
        let proven = dialled.and_then(|peer| self.inner.storage.proven_key(peer));
        let known = proven.is_some() && proven.as_deref() == server_key.as_deref();
        self.sessions.insert(
            session,
            Session {
                outgoing,
                peer: dialled,
                server_key: server_key.filter(|_| !known),
                tally,
                open: Some(open),
            },
        );
        let (memory, refusals) = match dialled {
            Some(peer) => self.recall(peer),
            None => (None, Vec::new()),
        };
        self.unasked = Some(Vec::new());
        self.feed(Input::Connected {
            session,
            exporter,
            dialled,
            memory,
            refusals,
            known,
        });
        // All together, so that they share a frame.
        if let Some(reads) = self.unasked.take().filter(|reads| !reads.is_empty()) {
            let inner = Arc::clone(&self.inner);
            tokio::task::spawn_blocking(move || {
                let read = reads.into_iter().map(|read| read.answer(&inner)).collect();
                inner.event(Event::Unasked(read));
            });
        }
    }

    fn recall(&self, peer: NodeId) -> (Option<node_sync::PeerMemory>, Vec<Refusal>) {
        // What cannot be read is forgotten: it only saves bytes.
        let read = self
            .inner
            .storage
            .read(|store| Ok((store.peer_memory(peer)?, store.refusals(peer)?)));
        let (memory, refusals) = read.unwrap_or_default();
        (memory.and_then(to_memory), refusals)
    }

    fn perform(&mut self, effect: Effect) {
        match effect {
            Effect::Send { session, message } => {
                let mut full = false;
                if let Message::Refused(refusal) = &message
                    && let Some(peer) = self.sessions.get(&session).and_then(|it| it.peer)
                {
                    self.inner.refuse_entry(peer, refusal);
                }
                if let Some(session) = self.sessions.get(&session) {
                    if let Some(tally) = &session.tally {
                        if self.is_unasked {
                            tally.said_unasked();
                        } else {
                            tally.said(&message);
                        }
                    }
                    full = session.outgoing.send(message).is_err();
                }
                if full {
                    tracing::warn!(
                        session = session.0,
                        "a peer asks and does not read: cut off"
                    );
                    self.forget(session);
                    self.queued.push(Input::Disconnected { session });
                }
            }
            Effect::Close { session, reason } => {
                let peer = self.sessions.get(&session).and_then(|session| session.peer);
                report_close(session, peer, &reason);
                self.inner.peers.closed(&reason);
                if let CloseReason::Ours(why, text) = &reason
                    && !matches!(why, Goodbye::Stopping | Goodbye::Replaced)
                {
                    self.inner.refuse_session(peer, why.word(), text);
                }
                if let CloseReason::Ours(why, _) = reason
                    && let Some(open) = self
                        .sessions
                        .get_mut(&session)
                        .and_then(|it| it.open.take())
                {
                    let _gone = open.send(why);
                }
                self.forget(session);
            }
            Effect::Append {
                ticket,
                session,
                runs,
            } => {
                let span = tracing::info_span!("session", id = session.0);
                span.in_scope(|| self.append(ticket, runs));
            }
            Effect::Read {
                ticket,
                space,
                from,
                bytes_max,
            } => {
                let read = Read {
                    ticket,
                    space,
                    from,
                    bytes_max,
                };
                if let Some(unasked) = &mut self.unasked {
                    unasked.push(read);
                } else {
                    self.answer(move |inner| read.answer(inner));
                }
            }
            Effect::PlanCopy {
                ticket,
                space,
                feeds,
                bases,
            } => self.answer(move |inner| {
                let plan = first_copy::plan(inner, space, &feeds, bases.as_ref());
                let plan = plan.unwrap_or_else(|error| {
                    tracing::error!(%error, "a first copy cannot be planned");
                    None
                });
                Input::CopyPlanned { ticket, plan }
            }),
            Effect::ReadCopy {
                ticket,
                space,
                plan,
                from,
                bytes_max,
            } => self.answer(move |inner| {
                let read = first_copy::read(inner, space, &plan, from, bytes_max);
                let pieces = read.map_err(|error| {
                    tracing::error!(%error, "a first copy cannot be read");
                    inner.peers.failed(error.to_string());
                    StorageDown
                });
                Input::CopyRead { ticket, pieces }
            }),
            Effect::DropBase { space, writer } => {
                let inner = Arc::clone(&self.inner);
                tokio::task::spawn_blocking(move || {
                    if let Err(error) = inner.drop_base(space, writer) {
                        tracing::error!(%error, "a feed cannot be fetched whole yet");
                    }
                });
            }
            Effect::OfferCopy {
                ticket,
                peer,
                offer,
            } => self.offer_copy(ticket, peer, offer),
            Effect::TakeCopy { ticket, slice } => self.take_copy(ticket, slice),
            Effect::Sample {
                ticket,
                space,
                writer,
            } => self.answer(move |inner| {
                let read = inner.storage.read(|store| store.sample(space, writer));
                Input::Sampled {
                    ticket,
                    points: read.unwrap_or_default(),
                }
            }),
            Effect::Find {
                ticket,
                space,
                writer,
                points,
            } => self.answer(move |inner| {
                let held = find(inner, space, writer, &points).unwrap_or(vec![None; points.len()]);
                Input::Found { ticket, held }
            }),
            Effect::Recall { session, peer } => {
                if let Some(known) = self.sessions.get_mut(&session) {
                    known.peer = Some(peer);
                }
                if let Some(why) = self.inner.turned_away(&peer) {
                    self.turn_away(session, Some(peer), Goodbye::NotAdmitted, &why);
                    return;
                }
                let is_new = self.inner.peers.proven(session, peer, now_ms());
                self.inner.note_connected(peer, is_new);
                let (memory, refusals) = self.recall(peer);
                self.queued.push(Input::Recalled {
                    session,
                    memory,
                    refusals,
                });
            }
            Effect::Remember { peer, memory } => self.inner.storage.remember(peer, memory),
            Effect::Refused { peer, refusal } => {
                tracing::warn!(%peer, reason = %refusal.reason, "a peer refused an entry");
                self.inner.note_refused_by(peer, &refusal);
                self.inner.storage.store_refusal(peer, refusal);
            }
            Effect::HeldBack { peer, refusal } => {
                tracing::warn!(%peer, reason = %refusal.reason, "a peer takes no entries for now");
                self.inner.held_back(&refusal);
            }
            Effect::RefusalsCleared { peer } => self.inner.clear_refusals(peer),
            Effect::AuthorityGrew => self.fold(),
            Effect::OwnFeedAhead { space, writer } => {
                tracing::warn!(%space, "a peer holds more of this node's own changes than it does itself: \
                    it was restored or copied, and goes on under a new key");
                self.inner.peers.was_restored();
                self.inner.retire_writer(space, writer);
            }
            Effect::PeerHolds {
                peer,
                space,
                heights,
                whole,
            } => {
                self.inner.marks.peer_holds(peer, space, &heights, whole);
                let lacks = self.engine.lacks(space, &heights);
                self.inner
                    .copying
                    .send_modify(|copying| copying.lacks(peer, space, lacks, whole));
                let is_new = self.inner.peers.heard(peer, now_ms());
                self.inner.note_connected(peer, is_new);
            }
            Effect::ReceiptStored { receipt } => {
                self.inner.marks.receipt(&receipt);
                self.inner.storage.store_receipt(receipt);
            }
            Effect::Equal { session, peer } => {
                if let Some(tally) = self.tally(session) {
                    tally.equal();
                }
                let proven = self.sessions.get_mut(&session);
                if let Some(key) = proven.and_then(|session| session.server_key.take()) {
                    self.inner.storage.keep_proven_key(peer, key);
                }
                self.inner.copying.send_modify(|copying| copying.end(peer));
                let is_new = self.inner.peers.equal(session, peer, now_ms());
                self.inner.note_connected(peer, is_new);
            }
            Effect::NotEqual { peer, .. } => self.inner.peers.not_equal(peer),
            Effect::Alarm(alarm) => self.inner.peers.alarm(alarm),
        }
    }

    fn append(&self, ticket: Ticket, runs: Vec<node_feed::VerifiedRun>) {
        let inner = Arc::clone(&self.inner);
        let authority = inner.authority();
        let own = inner.membership().map(|membership| membership.hub);
        let space = SpaceId::authority(authority.network());
        let (runs, taken) = inner.quotas.take(own, space, runs);
        let done = Arc::clone(&inner);
        inner.storage.append(&authority, runs, move |result| {
            let results = match result {
                Ok(appended) => {
                    let appended = done.quotas.settle(taken, appended);
                    done.arrivals
                        .send_modify(|arrivals| arrivals.store(&appended));
                    done.copying.send_modify(|copying| {
                        for appended in &appended {
                            let run = match appended {
                                Appended::Stored(stored) => &stored.run,
                                Appended::Live(Some(run)) => run,
                                Appended::Held | Appended::Live(None) | Appended::Refused(_) => {
                                    continue;
                                }
                            };
                            let count = run.count() as u64;
                            done.metrics.entries_received.increment(count);
                            copying.stored(run.space(), count);
                        }
                    });
                    if appended.iter().any(erases) {
                        done.applier().hurry();
                    }
                    done.arrived();
                    Ok(appended.into_iter().map(to_result).collect())
                }
                Err(error) => {
                    done.quotas.give_back(taken);
                    tracing::error!(%error, "entries of a peer were not stored");
                    Err(StorageDown)
                }
            };
            done.send(Input::Appended { ticket, results });
        });
    }

    /// Reads away from this task, and feeds the answer back.
    fn answer(&self, read: impl FnOnce(&Inner) -> Input + Send + 'static) {
        let inner = Arc::clone(&self.inner);
        let span = tracing::Span::current();
        tokio::task::spawn_blocking(move || {
            let input = span.in_scope(|| read(&inner));
            inner.send(input);
        });
    }

    fn fold(&mut self) {
        if self.folding != Folding::Idle {
            self.folding = Folding::Again;
            return;
        }
        self.folding = Folding::Running;
        let inner = Arc::clone(&self.inner);
        tokio::task::spawn_blocking(move || {
            if let Err(error) = inner.settle_authority() {
                tracing::error!(%error, "the record of access cannot be read");
                // The engine waits for an answer in any case: what was known stays in force.
                let authority = inner.authority();
                inner.send(Input::AuthorityChanged {
                    authority,
                    spaces: BTreeMap::new(),
                });
            }
        });
    }

    fn forget(&mut self, session: SessionId) {
        self.inner.peers.over(session);
        if let Some(session) = self.sessions.remove(&session)
            && let Some(peer) = session.peer
            && !self.sessions.values().any(|other| other.peer == Some(peer))
        {
            self.inner.copying.send_modify(|copying| copying.end(peer));
            self.inner.peers.disconnected(peer, now_ms());
        }
    }

    fn tally(&self, session: SessionId) -> Option<&Tally> {
        self.sessions.get(&session)?.tally.as_deref()
    }

    fn say_goodbye(&mut self) {
        let reason = Goodbye::Stopping;
        let text = reason.sentence().to_owned();
        for session in self.sessions.values() {
            let farewell = node_sync::Farewell {
                reason,
                text: text.clone(),
            };
            // A peer that does not read will find out without being told.
            let _full = session.outgoing.send(Message::Goodbye(farewell));
        }
        // What both ends have is remembered when a session ends.
        for session in self.sessions.keys().copied().collect::<Vec<_>>() {
            self.feed(Input::Disconnected { session });
        }
    }
}

pub(crate) fn to_stored(stored: node_store::Stored) -> node_sync::Stored {
    let node_store::Stored {
        run,
        feed,
        feeds,
        removed,
        forked,
        opening: _,
    } = stored;
    node_sync::Stored {
        run,
        feed,
        feeds,
        removed,
        forked,
    }
}

/// Whether something was stored that says what must not be shown any longer.
fn erases(appended: &Appended) -> bool {
    match appended {
        Appended::Stored(stored) => {
            let mut entries = stored.run.as_run().entries.iter();
            entries.any(|entry| entry.kind == Kind::ERASE)
        }
        Appended::Live(Some(run)) => {
            let mut entries = run.as_run().entries.iter();
            entries.any(|entry| entry.kind == Kind::ERASE)
        }
        Appended::Held | Appended::Live(None) | Appended::Refused(_) => false,
    }
}

fn to_result(appended: node_store::Appended) -> AppendResult {
    match appended {
        node_store::Appended::Held => AppendResult::Held,
        node_store::Appended::Live(news) => AppendResult::Live {
            proven: news.is_some(),
        },
        node_store::Appended::Stored(stored) => AppendResult::Stored(to_stored(stored)),
        node_store::Appended::Refused(refused) => AppendResult::Refused {
            feed: refused.feed,
            number: refused.number,
            hash: refused.hash,
            reason: refused.reason,
            at_base: refused.at_base,
        },
    }
}

fn find(
    inner: &Inner,
    space: SpaceId,
    writer: [u8; 32],
    points: &[Height],
) -> Option<Vec<Option<node_feed::FeedName>>> {
    let found = inner.storage.read(|store| {
        let trees = store.trees(space)?;
        let empty = FeedTree::default();
        let tree = trees.get(&writer).unwrap_or(&empty);
        let hash_at = |feed, number| store.hash_at(space, feed, number).ok().flatten();
        Ok(points
            .iter()
            .map(|point| tree.holder(*point, hash_at))
            .collect())
    });
    found.ok()
}

fn report_close(session: SessionId, peer: Option<NodeId>, reason: &CloseReason) {
    let peer = peer.map(|peer| peer.to_string()).unwrap_or_default();
    match reason {
        CloseReason::Ours(why, text) => {
            tracing::info!(
                session = session.0,
                peer,
                ?why,
                text,
                "session ended by this end"
            );
        }
        CloseReason::Theirs(why, text) => {
            tracing::info!(
                session = session.0,
                peer,
                ?why,
                text,
                "session ended by the peer"
            );
        }
        CloseReason::Silent => {
            tracing::info!(
                session = session.0,
                peer,
                "session ended: the peer said nothing"
            );
        }
    }
}
