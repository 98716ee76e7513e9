//! Two engines, side by side, with a store that holds unforked feeds alone.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use node_feed::{
    Access, Authority, CopyOffer, CopyPiece, CopyPlace, CopySlice, CopyTaken, Cut, CutTarget,
    Entry, Fact, FeedName, FeedTree, Hash, Height, Heights, HubId, Kind, NetworkId, NodeId,
    Parting, PublicKey, Receipt, Refusal, Run, SecretKey, SpaceId, Subject, TreeFeed, VerifiedRun,
};
use node_sync::{
    Alarm, AppendResult, CloseReason, Config, CopyPlan, Effect, Engine, Held, Input, Message, Own,
    PeerMemory, SessionId, Stored, Ticket, Timestamp,
};

pub(crate) const NETWORK: NetworkId = NetworkId::from_bytes([9; 16]);
pub(crate) const SPACE: SpaceId = SpaceId::from_bytes([1; 16]);
pub(crate) const SESSION: SessionId = SessionId(7);

pub(crate) fn hub(index: u8) -> HubId {
    HubId::from_bytes([index; 8])
}

pub(crate) fn identity(index: u8) -> SecretKey {
    SecretKey::from_seed(&[100 + index; 32])
}

/// An authority under which the hubs 0 to 2 have one node each, and share one space.
pub(crate) fn authority(more: &[Fact]) -> Arc<Authority> {
    let mut authority = Authority::new(NETWORK);
    let mut facts = Vec::new();
    for index in 0..3 {
        facts.push(Fact::Node {
            hub: hub(index),
            node: identity(index).public().node(),
        });
        facts.push(Fact::Grant {
            space: SPACE,
            hub: hub(index),
            access: Access::Write,
        });
    }
    facts.extend_from_slice(more);
    for (number, fact) in (0u8..).zip(facts) {
        authority.take(Hash::from_bytes([number; 32]), Some(fact));
    }
    Arc::new(authority)
}

pub(crate) fn end_of_node(index: u8) -> Fact {
    Fact::Cut(Cut {
        target: CutTarget::Node(identity(index).public().node()),
        reason: "the laptop was lost".to_owned(),
        feeds: Vec::new(),
    })
}

/// A run of `count` entries after `tip`, of the feed of `writer`.
pub(crate) fn run(writer: &SecretKey, tip: Option<Height>, count: u8, size: usize) -> VerifiedRun {
    let entry = |index: u8| Entry {
        time_ms: 1,
        kind: if tip.is_none() && index == 0 {
            Kind::OPEN
        } else {
            Kind(99)
        },
        subject: Subject::NONE,
        payload: vec![index; size].into(),
    };
    let entries = (0..count).map(entry).collect();
    Run::sign(NETWORK, SPACE, writer, tip, entries).expect("a run within bounds")
}

/// What a node finds of copies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Copies {
    Good,
    /// It is still checking.
    Unchecked,
    /// A part is refused as soon as it comes.
    Refused,
    /// The document of this number turns out not to be what was signed, in the first copy.
    Forged(u8),
}

/// One node.
pub(crate) struct Node {
    pub(crate) engine: Engine,
    pub(crate) runs: BTreeMap<[u8; 32], Vec<VerifiedRun>>,
    pub(crate) memory: Option<PeerMemory>,
    pub(crate) refusals: Vec<Refusal>,
    pub(crate) receipts: Vec<Receipt>,
    pub(crate) equal: bool,
    pub(crate) closed: Option<CloseReason>,
    pub(crate) alarms: usize,
    /// Who is said to have sent a copy that is none.
    pub(crate) accused: Vec<NodeId>,
    pub(crate) ahead: usize,
    /// Appends that wait until the test lets them through.
    pub(crate) held_appends: Option<Vec<(Ticket, Vec<VerifiedRun>)>>,
    /// How many documents a first copy of this node's feeds has; none if it makes none.
    pub(crate) documents: Option<u8>,
    /// The first copy that it takes, and how many documents that has.
    pub(crate) copy: Option<CopyPlace>,
    /// What it finds wrong with the copies that it takes.
    pub(crate) copies_are: Copies,
    arriving: BTreeMap<[u8; 32], VerifiedRun>,
    /// What came of its feeds beside the copy.
    pub(crate) live: BTreeMap<[u8; 32], Vec<VerifiedRun>>,
    /// The numbers of the checkpoints that its feeds were copied from.
    pub(crate) bases: BTreeMap<[u8; 32], u64>,
    index: u8,
}

impl Node {
    pub(crate) fn new(index: u8) -> Self {
        Self::with(index, authority(&[]), Vec::new())
    }

    pub(crate) fn with(index: u8, authority: Arc<Authority>, runs: Vec<VerifiedRun>) -> Self {
        let mut node = Self {
            engine: engine(index, authority, Held::default()),
            runs: BTreeMap::new(),
            memory: None,
            refusals: Vec::new(),
            receipts: Vec::new(),
            equal: false,
            closed: None,
            alarms: 0,
            accused: Vec::new(),
            ahead: 0,
            held_appends: None,
            documents: None,
            copy: None,
            copies_are: Copies::Good,
            arriving: BTreeMap::new(),
            live: BTreeMap::new(),
            bases: BTreeMap::new(),
            index,
        };
        for run in runs {
            node.store(run);
        }
        node.restart();
        node
    }

    /// The appends that were held back become durable.
    pub(crate) fn release(&mut self) -> Vec<Input> {
        let held = self.held_appends.take().unwrap_or_default();
        let appended = held.into_iter().map(|(ticket, runs)| {
            let results = Ok(runs.into_iter().map(|run| self.store(run)).collect());
            Input::Appended { ticket, results }
        });
        appended.collect()
    }

    /// The process starts again on what is stored.
    pub(crate) fn restart(&mut self) {
        let held = Held {
            spaces: BTreeMap::from([(SPACE, self.trees())]),
            receipts: self.receipts.clone(),
            copies: self
                .copy
                .clone()
                .map(|place| (SPACE, place))
                .into_iter()
                .collect(),
        };
        self.engine = engine(self.index, authority(&[]), held);
    }

    fn trees(&self) -> BTreeMap<[u8; 32], FeedTree> {
        let trees = self.runs.iter().map(|(writer, runs)| {
            let base = self.bases.get(writer).copied().unwrap_or(0);
            let feed = TreeFeed {
                base,
                ..feed_of(runs)
            };
            (
                *writer,
                FeedTree::new(BTreeMap::from([(FeedName::from_bytes(*writer), feed)])),
            )
        });
        trees.collect()
    }

    pub(crate) fn tip(&self, writer: &SecretKey) -> Option<Height> {
        let runs = self.runs.get(writer.public().as_bytes())?;
        Some(runs.last()?.last())
    }

    /// Writes one entry; what follows from it.
    pub(crate) fn write(&mut self, writer: &SecretKey) -> Vec<Effect> {
        let run = run(writer, self.tip(writer), 1, 40);
        match self.store(run) {
            AppendResult::Stored(stored) => self.handle(1_000, Input::Written(stored)),
            AppendResult::Held | AppendResult::Live { .. } | AppendResult::Refused { .. } => {
                Vec::new()
            }
        }
    }

    pub(crate) fn handle(&mut self, now: u64, input: Input) -> Vec<Effect> {
        self.engine.handle(Timestamp(now), input)
    }

    pub(crate) fn store(&mut self, run: VerifiedRun) -> AppendResult {
        let writer = *run.writer();
        let is_based = self.bases.contains_key(&writer);
        let base_run = self.runs.get(&writer).and_then(|runs| runs.last());
        if is_based && base_run.is_some_and(|base| run.last().number < base.first()) {
            return self.store_before_base(run);
        }
        let feed = FeedName::from_bytes(writer);
        let runs = self.runs.entry(writer).or_default();
        let next = runs.last().map_or(0, |run| run.last().number + 1);
        if run.last().number < next {
            return AppendResult::Held;
        }
        let tip = runs.last().map(|run| run.last().hash);
        let follows =
            |run: &VerifiedRun| run.first() == next && (next == 0 || Some(run.previous()) == tip);
        let Some(run) = run.from(next).filter(follows) else {
            if self.keep_live(&run) {
                return AppendResult::Live { proven: true };
            }
            return AppendResult::Refused {
                feed,
                number: run.first(),
                hash: run.last().hash,
                reason: node_feed::RefusalReason::Gap,
                at_base: is_based.then_some(Parting::Proven),
            };
        };
        runs.push(run.clone());
        AppendResult::Stored(Stored {
            run,
            feed,
            feeds: vec![(feed, feed_of(runs))],
            removed: Vec::new(),
            forked: false,
        })
    }

    /// Keeps what follows what a copy under way proves, or is here already.
    fn keep_live(&mut self, run: &VerifiedRun) -> bool {
        let writer = *run.writer();
        let Some(proof) = self.arriving.get(&writer).filter(|_| self.copy.is_some()) else {
            return false;
        };
        let live = self.live.entry(writer).or_default();
        let tip = live.last().unwrap_or(proof).last();
        let news = run.from(tip.number + 1);
        let Some(news) = news.filter(|news| news.previous() == tip.hash) else {
            let last = run.last();
            let mut here = live.iter().chain([proof]);
            return here.any(|run| run.hash_at(last.number) == Some(last.hash));
        };
        live.push(news);
        true
    }

    /// Stores what follows from an entry before a base, where all is held that a copy keeps.
    fn store_before_base(&mut self, run: VerifiedRun) -> AppendResult {
        let writer = *run.writer();
        let feed = FeedName::from_bytes(writer);
        let runs = self.runs.entry(writer).or_default();
        let last = run.last();
        if runs
            .iter()
            .any(|held| held.hash_at(last.number) == Some(last.hash))
        {
            return AppendResult::Held;
        }
        let leads_to = |held: &VerifiedRun| {
            held.last().number + 1 == run.first() && held.last().hash == run.previous()
        };
        let Some(at) = runs.iter().position(leads_to) else {
            return AppendResult::Refused {
                feed,
                number: run.first(),
                hash: last.hash,
                reason: node_feed::RefusalReason::Gap,
                at_base: Some(Parting::Perhaps),
            };
        };
        runs.insert(at + 1, run.clone());
        let base = self.bases[&writer];
        AppendResult::Stored(Stored {
            feeds: vec![(
                feed,
                TreeFeed {
                    base,
                    ..feed_of(runs)
                },
            )],
            run,
            feed,
            removed: Vec::new(),
            forked: false,
        })
    }

    /// A copy of these feeds: their last runs stand for checkpoints.
    fn plan(&self, feeds: &[(FeedName, u64)], bases: Option<&Heights>) -> Option<CopyPlan> {
        let documents = self.documents?;
        let mut plan = CopyPlan {
            bases: Heights::new(),
            proofs: Vec::new(),
            kept: Vec::new(),
            documents: (0..documents)
                .map(|it| Subject::from_bytes([it; 24]))
                .collect(),
        };
        for (feed, _) in feeds {
            let runs = self.runs.get(feed.as_bytes())?;
            let under_way = bases.and_then(|bases| bases.get(feed));
            let last = runs
                .iter()
                .rev()
                .find(|run| under_way.is_none_or(|height| height == run.last()))?;
            plan.bases.set(*feed, last.last());
            plan.proofs.push((*feed, last.first()));
        }
        Some(plan)
    }

    fn pieces(&self, plan: &CopyPlan, from: usize, bytes_max: usize) -> Vec<CopyPiece> {
        let proof = |(feed, first): &(FeedName, u64)| {
            let runs = &self.runs[feed.as_bytes()];
            let run = runs
                .iter()
                .find(|run| run.first() == *first)
                .expect("a run");
            CopyPiece::Proof(run.as_run().clone())
        };
        let document = |subject: &Subject| CopyPiece::Document {
            subject: *subject,
            bytes: vec![1; 10_000].into(),
        };
        if from < plan.head() {
            return plan.proofs[from..].iter().map(proof).collect();
        }
        let documents = plan.documents[from - plan.head()..].iter();
        let mut bytes = 0;
        let all = documents.map(document);
        all.take_while(|piece| {
            let fits = bytes == 0 || bytes + piece.weight() <= bytes_max;
            bytes += piece.weight();
            fits
        })
        .collect()
    }

    fn offer(&mut self, peer: NodeId, offer: &CopyOffer) -> CopyTaken {
        let known = self.copy.take().filter(|place| place.bases == offer.bases);
        let place = known.unwrap_or_else(|| CopyPlace {
            peer,
            bases: offer.bases.clone(),
            documents: None,
            of: offer.documents,
        });
        self.copy = Some(place.clone());
        CopyTaken::Partly(place)
    }

    fn take(&mut self, slice: &CopySlice) -> CopyTaken {
        if self.copies_are == Copies::Refused {
            self.copy = None;
            let why = "a checkpoint is not what was signed".to_owned();
            return CopyTaken::Refused { why, forged: true };
        }
        let Some(place) = self.copy.as_mut() else {
            return CopyTaken::Lost;
        };
        let mut number = slice.before;
        for piece in slice.pieces.iter() {
            match piece {
                CopyPiece::Document { .. } => {
                    let here = place
                        .documents
                        .as_mut()
                        .expect("the checkpoints come first");
                    assert!(number <= *here, "no document is left out");
                    number += 1;
                    *here = number.max(*here);
                }
                CopyPiece::Proof(run) => {
                    let key = PublicKey::from_bytes(&run.writer).expect("a key");
                    let run = run.clone().verify(NETWORK, SPACE, &key, &[]);
                    let run = run.expect("a proof");
                    self.arriving.insert(*run.writer(), run);
                }
                CopyPiece::Kept(_) => {}
            }
        }
        if slice.ends {
            place.documents = Some(0);
        }
        CopyTaken::Partly(place.clone())
    }

    /// What it says of a copy that is whole, once its documents were looked at.
    pub(crate) fn check_copy(&mut self) -> Option<Input> {
        let is_whole = self.copy.as_ref().is_some_and(CopyPlace::is_whole);
        if !is_whole || self.copies_are == Copies::Unchecked {
            return None;
        }
        let place = self.copy.take()?;
        let mut live = std::mem::take(&mut self.live);
        if let Copies::Forged(document) = self.copies_are {
            self.copies_are = Copies::Good;
            return Some(Input::CopyDropped {
                space: SPACE,
                peer: place.peer,
                document: Some(Subject::from_bytes([document; 24])),
                forged: Some("a document is not what was signed".to_owned()),
            });
        }
        for (writer, run) in std::mem::take(&mut self.arriving) {
            let runs = live.remove(&writer).unwrap_or_default();
            let runs = std::iter::once(run).chain(runs);
            self.runs.insert(writer, runs.collect());
        }
        let placed = place.bases.iter().map(|(feed, base)| {
            self.bases.insert(*feed.as_bytes(), base.number);
            let at = TreeFeed {
                base: base.number,
                ..feed_of(&self.runs[feed.as_bytes()])
            };
            (*feed.as_bytes(), feed, at)
        });
        Some(Input::CopyPlaced {
            space: SPACE,
            feeds: placed.collect(),
        })
    }

    fn read(&self, from: &[(FeedName, u64)], bytes_max: usize) -> Vec<Run> {
        let mut runs = Vec::new();
        let mut bytes = 0;
        for (feed, number) in from {
            for run in self.runs.get(feed.as_bytes()).into_iter().flatten() {
                if bytes < bytes_max && run.last().number >= *number {
                    let run = run.from(*number).expect("it is not before the run's end");
                    let payloads = run.entries().filter_map(|(_, entry)| entry.payload.bytes());
                    bytes += payloads.map(|payload| payload.len()).sum::<usize>();
                    runs.push(run.as_run().clone());
                }
            }
        }
        runs
    }
}

fn feed_of(runs: &[VerifiedRun]) -> TreeFeed {
    TreeFeed {
        parent: None,
        start: 0,
        tip: runs.last().map(VerifiedRun::last),
        base: 0,
    }
}

fn engine(index: u8, authority: Arc<Authority>, held: Held) -> Engine {
    let own = Own {
        hub: hub(index),
        identity: identity(index),
        software: "causeway 0.1.0".to_owned(),
        relay: index == 0,
        writers: BTreeMap::new(),
    };
    let config = Config {
        first_copies: true,
        ..Config::default()
    };
    Engine::new(config, own, authority, held)
}

/// Carries out what one node's engine asks for; what it sends is returned.
pub(crate) fn carry_out(node: &mut Node, now: u64, effects: Vec<Effect>) -> Vec<Message> {
    let sent = carry_out_in_sessions(node, now, effects);
    sent.into_iter().map(|(_, message)| message).collect()
}

/// The same for a node with several sessions: what it sends is returned with where to.
pub(crate) fn carry_out_in_sessions(
    node: &mut Node,
    now: u64,
    effects: Vec<Effect>,
) -> Vec<(SessionId, Message)> {
    let mut sent = Vec::new();
    let mut effects = VecDeque::from(effects);
    while let Some(effect) = effects.pop_front() {
        let input = match effect {
            Effect::Send { session, message } => {
                sent.push((session, message));
                continue;
            }
            Effect::Append { ticket, runs, .. } => {
                if let Some(held) = &mut node.held_appends {
                    held.push((ticket, runs));
                    continue;
                }
                let results = runs.into_iter().map(|run| node.store(run)).collect();
                Input::Appended {
                    ticket,
                    results: Ok(results),
                }
            }
            Effect::Read {
                ticket,
                from,
                bytes_max,
                ..
            } => Input::Read {
                ticket,
                runs: Ok(node.read(&from, bytes_max)),
            },
            Effect::PlanCopy {
                ticket,
                feeds,
                bases,
                ..
            } => Input::CopyPlanned {
                ticket,
                plan: node.plan(&feeds, bases.as_ref()),
            },
            Effect::ReadCopy {
                ticket,
                plan,
                from,
                bytes_max,
                ..
            } => Input::CopyRead {
                ticket,
                pieces: Ok(Ok(node.pieces(&plan, from, bytes_max))),
            },
            Effect::OfferCopy {
                ticket,
                peer,
                offer,
            } => Input::CopyTaken {
                ticket,
                result: Ok(node.offer(peer, &offer)),
            },
            Effect::TakeCopy { ticket, slice } => Input::CopyTaken {
                ticket,
                result: Ok(node.take(&slice)),
            },
            Effect::Recall { session, .. } => Input::Recalled {
                session,
                memory: node.memory.clone(),
                refusals: node.refusals.clone(),
            },
            Effect::Close { reason, .. } => {
                node.closed = Some(reason);
                continue;
            }
            Effect::Remember { memory, .. } => {
                node.memory = Some(memory);
                continue;
            }
            Effect::Refused { refusal, .. } => {
                node.refusals.push(refusal);
                continue;
            }
            Effect::ReceiptStored { receipt } => {
                node.receipts.push(receipt);
                continue;
            }
            Effect::Equal { .. } | Effect::NotEqual { .. } => {
                node.equal = matches!(effect, Effect::Equal { .. });
                continue;
            }
            Effect::Alarm(alarm) => {
                node.alarms += 1;
                if let Alarm::Copy { peer, .. } = alarm {
                    node.accused.push(peer);
                }
                continue;
            }
            Effect::OwnFeedAhead { .. } => {
                node.ahead += 1;
                continue;
            }
            Effect::DropBase { space, writer } => {
                node.runs.remove(&writer);
                node.bases.remove(&writer);
                let trees = node.trees();
                Input::BaseDropped { space, trees }
            }
            Effect::Sample { ticket, writer, .. } => {
                let runs = node.runs.get(&writer).into_iter().flatten();
                let points = runs.map(VerifiedRun::last).collect();
                Input::Sampled { ticket, points }
            }
            Effect::Find {
                ticket,
                writer,
                points,
                ..
            } => {
                let runs = node.runs.get(&writer);
                let holds = |point: &Height| {
                    let mut runs = runs.into_iter().flatten();
                    runs.any(|run| run.hash_at(point.number) == Some(point.hash))
                };
                let feed = |point: &Height| holds(point).then(|| FeedName::from_bytes(writer));
                let held = points.iter().map(feed).collect();
                Input::Found { ticket, held }
            }
            Effect::RefusalsCleared { .. }
            | Effect::HeldBack { .. }
            | Effect::AuthorityGrew
            | Effect::PeerHolds { .. } => {
                continue;
            }
        };
        effects.extend(node.handle(now, input));
        if let Some(checked) = node.check_copy() {
            effects.extend(node.handle(now, checked));
        }
    }
    sent
}

/// Connects the first node to the second, and lets them talk until they fall silent. What each
/// sent, in order.
pub(crate) fn converse(nodes: &mut [Node; 2]) -> [Vec<Message>; 2] {
    let accepted = Input::Connected {
        session: SESSION,
        exporter: [5; 32],
        dialled: None,
        memory: None,
        refusals: Vec::new(),
        known: false,
    };
    let effects = nodes[1].handle(1_000, accepted);
    carry_out(&mut nodes[1], 1_000, effects);
    let dialled = Input::Connected {
        session: SESSION,
        exporter: [5; 32],
        dialled: Some(identity(nodes[1].index).public().node()),
        memory: nodes[0].memory.clone(),
        refusals: nodes[0].refusals.clone(),
        known: false,
    };
    let effects = nodes[0].handle(1_000, dialled);
    let first = carry_out(&mut nodes[0], 1_000, effects);
    talk(nodes, 1_000, [first, Vec::new()])
}

/// Goes on with messages that are on their way.
pub(crate) fn talk(nodes: &mut [Node; 2], now: u64, sent: [Vec<Message>; 2]) -> [Vec<Message>; 2] {
    let mut said = sent.clone();
    let mut queue = VecDeque::new();
    for (from, messages) in sent.into_iter().enumerate() {
        queue.extend(messages.into_iter().map(|message| (from, message)));
    }
    while let Some((from, message)) = queue.pop_front() {
        let to = 1 - from;
        let received = Input::Received {
            session: SESSION,
            message,
        };
        let effects = nodes[to].handle(now, received);
        let answers = carry_out(&mut nodes[to], now, effects);
        said[to].extend(answers.iter().cloned());
        queue.extend(answers.into_iter().map(|message| (to, message)));
    }
    said
}

/// Ends the session at both ends.
pub(crate) fn part(nodes: &mut [Node; 2]) {
    for node in nodes {
        let effects = node.handle(60_000, Input::Disconnected { session: SESSION });
        carry_out(node, 60_000, effects);
        node.equal = false;
    }
}

/// The names of messages, in order.
pub(crate) fn names(messages: &[Message]) -> Vec<&'static str> {
    let name = |message: &Message| match message {
        Message::Hello(_) => "hello",
        Message::Spaces { .. } => "spaces",
        Message::Heights(_) => "heights",
        Message::Entries { .. } => "entries",
        Message::CopyOffer(_) => "offer",
        Message::Copy(_) => "copy",
        Message::Acknowledged { .. } => "acknowledged",
        Message::Refused(_) => "refused",
        Message::Receipts(_) => "receipts",
        Message::ReceiptsHeld(_) => "receipts held",
        Message::Probe { .. } => "probe",
        Message::Common { .. } => "common",
        Message::Goodbye(_) => "goodbye",
    };
    messages.iter().map(name).collect()
}
