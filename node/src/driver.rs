//! Runs the session engine: what happens goes in, what it wants done is done.
//!
//! One task owns the engine. Everything else (sessions, the store's thread, commands) sends it
//! inputs through one queue, so that they are handled in the order in which they became true.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use node_feed::{FeedTree, Height, HubId, NodeId, Refusal, SpaceId};
use node_store::{Appended, ReadStore};
use node_sync::{
    AppendResult, CloseReason, Effect, Engine, Input, Message, SessionId, StorageDown, Ticket,
    Timestamp,
};
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};

use crate::clock::now_ms;
use crate::node::Inner;
use crate::session::{Outbox, Tally};
use crate::storage::to_memory;

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
    /// dropped.
    Session {
        connected: Connected,
        outgoing: Outbox,
        open: oneshot::Sender<()>,
    },
    /// A session received a message; `room` makes place for the next once this one is dealt with.
    Received {
        session: SessionId,
        message: Message,
        room: OwnedSemaphorePermit,
    },
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
        clock: Clock::start(),
        sessions: BTreeMap::new(),
        folding: Folding::Idle,
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
                Some(Event::Stop) | None => break,
                Some(event) => driver.take(event),
            },
            () = tokio::time::sleep(sleep) => driver.feed(Input::Tick),
        }
    }
    driver.say_goodbye();
}

struct Driver {
    inner: Arc<Inner>,
    engine: Engine,
    clock: Clock,
    sessions: BTreeMap<SessionId, Session>,
    folding: Folding,
}

struct Session {
    outgoing: Outbox,
    peer: Option<NodeId>,
    tally: Option<Arc<Tally>>,
    /// Dropped with the session, which ends reading from it.
    _open: oneshot::Sender<()>,
}

/// Whether the authority log is being folded, and whether it grew meanwhile.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Folding {
    Idle,
    Running,
    Again,
}

impl Driver {
    fn take(&mut self, event: Event) {
        match event {
            Event::Session {
                connected,
                outgoing,
                open,
            } => self.connect(connected, outgoing, open),
            Event::Received {
                session,
                message,
                room,
            } => {
                if let Some(tally) = self.tally(session) {
                    tally.heard(&message);
                }
                let span = tracing::info_span!("session", id = session.0);
                span.in_scope(|| self.feed(Input::Received { session, message }));
                drop(room);
            }
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
            Event::End { hub, why } => {
                let authority = self.inner.authority();
                let of_hub = |peer: &NodeId| authority.nodes().get(peer).map(|it| it.hub);
                let sessions = self.sessions.iter();
                let ended = sessions
                    .filter(|(_, session)| session.peer.and_then(|peer| of_hub(&peer)) == Some(hub))
                    .map(|(id, session)| (*id, session.peer))
                    .collect::<Vec<_>>();
                for (session, peer) in ended {
                    self.turn_away(session, peer, &why);
                }
            }
            Event::Stop => {}
        }
    }

    /// Ends a session that this node does not want, with a sentence for the other end's people.
    fn turn_away(&mut self, session: SessionId, peer: Option<NodeId>, why: &str) {
        if let Some(session) = self.sessions.get(&session) {
            let farewell = node_sync::Farewell {
                reason: node_sync::Goodbye::NotAdmitted,
                text: why.to_owned(),
            };
            // A peer that does not read finds out without being told.
            let _full = session.outgoing.send(Message::Goodbye(farewell));
        }
        self.inner.peers.refused_session(peer, why, now_ms());
        self.forget(session);
        self.feed(Input::Disconnected { session });
    }

    fn feed(&mut self, input: Input) {
        let now = self.clock.now();
        for effect in self.engine.handle(now, input) {
            self.perform(effect);
        }
    }

    fn connect(&mut self, connected: Connected, outgoing: Outbox, open: oneshot::Sender<()>) {
        let Connected {
            session,
            exporter,
            dialled,
            tally,
        } = connected;
        self.sessions.insert(
            session,
            Session {
                outgoing,
                peer: dialled,
                tally,
                _open: open,
            },
        );
        let (memory, refusals) = match dialled {
            Some(peer) => self.recall(peer),
            None => (None, Vec::new()),
        };
        self.feed(Input::Connected {
            session,
            exporter,
            dialled,
            memory,
            refusals,
        });
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
                    let peers = &self.inner.peers;
                    peers.refused_entry(peer, refusal.clone(), now_ms());
                }
                if let Some(session) = self.sessions.get(&session) {
                    if let Some(tally) = &session.tally {
                        tally.said(&message);
                    }
                    full = session.outgoing.send(message).is_err();
                }
                if full {
                    tracing::warn!(
                        session = session.0,
                        "a peer asks and does not read: cut off"
                    );
                    self.forget(session);
                    self.feed(Input::Disconnected { session });
                }
            }
            Effect::Close { session, reason } => {
                let peer = self.sessions.get(&session).and_then(|session| session.peer);
                report_close(session, peer, &reason);
                self.inner.peers.closed(&reason);
                if let CloseReason::Ours(why, text) = &reason
                    && !matches!(
                        why,
                        node_sync::Goodbye::Stopping | node_sync::Goodbye::Replaced
                    )
                {
                    self.inner.peers.refused_session(peer, text, now_ms());
                }
                self.forget(session);
            }
            Effect::Append { ticket, runs, .. } => self.append(ticket, runs),
            Effect::Read {
                ticket,
                space,
                from,
                bytes_max,
            } => self.answer(move |inner| {
                let read = inner
                    .storage
                    .read(|store| store.read(space, &from, bytes_max));
                let runs = read.map_err(|error| {
                    tracing::error!(%error, "what a peer lacks cannot be read");
                    inner.peers.failed(error.to_string());
                    StorageDown
                });
                Input::Read { ticket, runs }
            }),
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
                    self.turn_away(session, Some(peer), &why);
                    return;
                }
                self.inner.peers.proven(session, peer, now_ms());
                let (memory, refusals) = self.recall(peer);
                self.feed(Input::Recalled {
                    session,
                    memory,
                    refusals,
                });
            }
            Effect::Remember { peer, memory } => self.inner.storage.remember(peer, memory),
            Effect::Refused { peer, refusal } => {
                tracing::warn!(%peer, reason = %refusal.reason, "a peer refused an entry");
                self.inner.storage.store_refusal(peer, refusal);
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
                self.inner.peers.heard(peer, now_ms());
            }
            Effect::ReceiptStored { receipt } => {
                self.inner.marks.receipt(&receipt);
                self.inner.storage.store_receipt(receipt);
            }
            Effect::Equal { session, peer } => {
                if let Some(tally) = self.tally(session) {
                    tally.equal();
                }
                self.inner.copying.send_modify(|copying| copying.end(peer));
                self.inner.peers.equal(session, peer, now_ms());
            }
            Effect::NotEqual { peer, .. } => self.inner.peers.not_equal(peer),
            Effect::Alarm(alarm) => self.inner.peers.alarm(alarm),
        }
    }

    fn append(&self, ticket: Ticket, runs: Vec<node_feed::VerifiedRun>) {
        let inner = Arc::clone(&self.inner);
        let authority = inner.authority();
        let done = Arc::clone(&inner);
        inner.storage.append(&authority, runs, move |result| {
            let results = match result {
                Ok(appended) => {
                    done.arrivals
                        .send_modify(|arrivals| arrivals.store(&appended));
                    done.copying.send_modify(|copying| {
                        for appended in &appended {
                            if let Appended::Stored(stored) = appended {
                                copying.stored(stored.run.space(), stored.run.count() as u64);
                            }
                        }
                    });
                    done.arrived();
                    Ok(appended.into_iter().map(to_result).collect())
                }
                Err(error) => {
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
        let reason = node_sync::Goodbye::Stopping;
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

/// Ms since 1970 at the start, moved on by the monotonic clock, so that setting the computer's
/// clock stops no timer.
struct Clock {
    started: Instant,
    started_ms: u64,
}

impl Clock {
    fn start() -> Self {
        Self {
            started: Instant::now(),
            started_ms: now_ms(),
        }
    }

    fn now(&self) -> Timestamp {
        let elapsed = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        Timestamp(self.started_ms.saturating_add(elapsed))
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

fn to_result(appended: node_store::Appended) -> AppendResult {
    match appended {
        node_store::Appended::Held => AppendResult::Held,
        node_store::Appended::Stored(stored) => AppendResult::Stored(to_stored(stored)),
        node_store::Appended::Refused(refused) => AppendResult::Refused {
            feed: refused.feed,
            number: refused.number,
            hash: refused.hash,
            reason: refused.reason,
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
