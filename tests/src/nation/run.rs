//! Virtual time: what happens next, and the lines between the hubs and the coordinator.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use node::grpc::Scales;
use node_feed::{NetworkId, NodeId, SpaceId};
use node_sync::{Input, Message, PeerMemory, SessionId, Timestamp};

use super::costs::{Costs, kind_of, processor_time};
use super::founding::Founding;
use super::library::Library;
use super::line::Letter;
use super::plan::Plan;
use super::post::Post;
use super::report::Report;
use crate::simulation::Dice;

/// What does not happen within an hour does not belong to what went before.
const HOUR: u64 = 3_600_000_000;
/// When the first day begins, in microseconds.
const BEGIN: u64 = 1_000_000_000;
/// The ways of a node's lines.
const OUT: usize = 0;
const IN: usize = 1;

/// Runs a nation through an ordinary day, a week apart and the reunion.
pub fn simulate(plan: &Plan) -> Report {
    let begun = Instant::now();
    let mut nation = Nation::new(*plan);
    nation.report(begun)
}

/// Something that will happen.
#[derive(Debug)]
pub(super) enum Event {
    /// A hub dials the coordinator.
    Dial { hub: usize },
    /// A node's line, this way, has carried what was on it.
    Carried { post: usize, way: usize },
    /// A message has come to the other end's line.
    Came { letter: Letter },
    /// A node finds that a session's other end has gone.
    Gone { post: usize, session: SessionId },
    /// The disk did what it was asked for.
    Done { post: usize, input: Input },
    /// Its engine's deadline has come.
    Look { post: usize, at: u64 },
    /// The next entry of the day is written.
    Write { number: u64 },
}

/// Everything there is. Times are in microseconds.
#[derive(Debug)]
pub(super) struct Nation {
    pub(super) plan: Plan,
    pub(super) dice: Dice,
    pub(super) time: u64,
    events: BTreeMap<(u64, u64), Event>,
    scheduled: u64,
    dialled: u64,
    pub(super) posts: Vec<Post>,
    pub(super) hubs_by_node: BTreeMap<NodeId, usize>,
    pub(super) library: Library,
    pub(super) network: NetworkId,
    pub(super) wide: [SpaceId; 2],
    scales: Scales,
    pub(super) costs: Costs,
    /// The hub of each session that stands, and the session of each hub.
    pub(super) sessions: BTreeMap<SessionId, usize>,
    /// What each hub and the coordinator remember of each other.
    pub(super) memories: BTreeMap<(usize, bool), Arc<PeerMemory>>,
    /// The ends that know that they are equal.
    pub(super) equal: BTreeSet<(bool, usize)>,
    pub(super) equal_at: u64,
    /// When the last message arrived.
    pub(super) said_at: u64,
    pub(super) broken: Vec<String>,
}

impl Nation {
    fn new(plan: Plan) -> Self {
        let mut dice = Dice::new(plan.seed);
        let Founding {
            posts,
            library,
            network,
            wide,
        } = Founding::of(&plan, &mut dice);
        let nodes = posts.iter().enumerate();
        let hubs_by_node = nodes.map(|(number, post)| (post.node, number)).collect();
        Self {
            plan,
            dice,
            time: BEGIN,
            events: BTreeMap::new(),
            scheduled: 0,
            dialled: 0,
            posts,
            hubs_by_node,
            library,
            network,
            wide,
            scales: Scales::default(),
            costs: Costs::of(plan.hubs),
            sessions: BTreeMap::new(),
            memories: BTreeMap::new(),
            equal: BTreeSet::new(),
            equal_at: 0,
            said_at: 0,
            broken: Vec::new(),
        }
    }

    pub(super) fn after(&mut self, delay: u64, event: Event) {
        self.scheduled += 1;
        let place = (self.time + delay, self.scheduled);
        self.events.insert(place, event);
    }

    /// Lets everything happen until nothing does any more for an hour.
    pub(super) fn settle(&mut self) {
        while let Some(next) = self.events.first_entry()
            && next.key().0 <= self.time + HOUR
        {
            let ((time, _), event) = next.remove_entry();
            self.time = self.time.max(time);
            self.happen(event);
        }
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Dial { hub } => self.dial(hub),
            Event::Carried { post, way } => self.carried(post, way),
            Event::Came { letter } => self.carry(letter.to, IN, letter),
            Event::Gone { post, session } => self.tell(post, Input::Disconnected { session }),
            Event::Done { post, input } => self.tell(post, input),
            Event::Look { post, at } => self.look(post, at),
            Event::Write { number } => self.write_one(number),
        }
    }

    pub(super) fn tell(&mut self, post: usize, input: Input) {
        let now = Timestamp(self.time / 1_000);
        let begun = processor_time();
        let effects = self.posts[post].engine.handle(now, input);
        self.spent(post, processor_time().saturating_sub(begun));
        for effect in effects {
            self.carry_out(post, effect);
        }
        self.look_when_due(post);
    }

    fn spent(&mut self, post: usize, time: Duration) {
        if post == 0 {
            self.costs.coordinator += time;
        } else {
            self.costs.engines += time;
        }
    }

    fn look_when_due(&mut self, post: usize) {
        let Some(deadline) = self.posts[post].engine.next_deadline() else {
            return;
        };
        let at = deadline.0.saturating_mul(1_000).max(self.time);
        let look_at = &mut self.posts[post].look_at;
        if look_at.is_none_or(|look_at| look_at > at) {
            *look_at = Some(at);
            self.after(at - self.time, Event::Look { post, at });
        }
    }

    fn look(&mut self, post: usize, at: u64) {
        // One that was brought forward took place already.
        if self.posts[post].look_at != Some(at) {
            return;
        }
        self.posts[post].look_at = None;
        let now = Timestamp(self.time / 1_000);
        let deadline = self.posts[post].engine.next_deadline();
        if deadline.is_some_and(|due| due <= now) {
            self.tell(post, Input::Tick);
        } else {
            self.look_when_due(post);
        }
    }

    /// Sends a message over both lines.
    pub(super) fn post(&mut self, from: usize, session: SessionId, message: Message) {
        let Some(hub) = self.sessions.get(&session).copied() else {
            return;
        };
        let to = if from == 0 { hub } else { 0 };
        let bytes = self.scales.weigh(&message) as u64;
        self.costs
            .count(kind_of(&message), hub - 1, from == 0, bytes);
        let letter = Letter {
            to,
            session,
            message,
            bytes,
        };
        self.carry(from, OUT, letter);
    }

    fn carry(&mut self, post: usize, way: usize, letter: Letter) {
        self.posts[post].lines[way].queue(letter);
        self.go_on(post, way);
    }

    fn go_on(&mut self, post: usize, way: usize) {
        if let Some(bytes) = self.posts[post].lines[way].begin() {
            let takes = self.plan.takes(post, bytes);
            self.after(takes, Event::Carried { post, way });
        }
    }

    fn carried(&mut self, post: usize, way: usize) {
        let letter = self.posts[post].lines[way].end();
        self.go_on(post, way);
        let standing = letter.filter(|letter| self.sessions.contains_key(&letter.session));
        let Some(letter) = standing else {
            return;
        };
        if way == OUT {
            self.after(micros(self.plan.latency), Event::Came { letter });
        } else {
            self.said_at = self.time;
            let Letter {
                session, message, ..
            } = letter;
            self.tell(post, Input::Received { session, message });
        }
    }

    fn dial(&mut self, hub: usize) {
        self.dialled += 1;
        let session = SessionId(self.dialled);
        self.sessions.insert(session, hub);
        self.posts[hub].dialled_at = self.time;
        let mut exporter = [0; 32];
        exporter[..8].copy_from_slice(&session.0.to_le_bytes());
        let memory = self
            .memories
            .get(&(hub, false))
            .map(|memory| PeerMemory::clone(memory));
        let coordinator = self.posts[0].node;
        for (post, dialled, memory) in [(0, None, None), (hub, Some(coordinator), memory)] {
            let refusals = Vec::new();
            self.tell(
                post,
                Input::Connected {
                    session,
                    exporter,
                    dialled,
                    memory,
                    refusals,
                    known: dialled.is_some(),
                },
            );
        }
    }

    /// A session ends at one end. What is under way of it is lost, the other end finds out, and the
    /// hub dials again, as a node does.
    pub(super) fn lose(&mut self, post: usize, session: SessionId) {
        let Some(hub) = self.sessions.remove(&session) else {
            return;
        };
        for at_coordinator in [false, true] {
            self.equal.remove(&(at_coordinator, hub));
        }
        for post in [0, hub] {
            for line in &mut self.posts[post].lines {
                line.drop_session(session);
            }
        }
        let other = if post == 0 { hub } else { 0 };
        let latency = micros(self.plan.latency);
        let post = other;
        self.after(latency, Event::Gone { post, session });
        let chance = u32::from_le_bytes(self.dice.bytes());
        let node = &mut self.posts[hub];
        let lasted = Duration::from_micros(self.time - node.dialled_at);
        let pause = micros(node.pauses.after(lasted, chance));
        self.after(latency + pause, Event::Dial { hub });
    }

    /// Every line breaks at once, when nothing is under way.
    pub(super) fn part(&mut self) {
        for (session, hub) in std::mem::take(&mut self.sessions) {
            for post in [0, hub] {
                self.tell(post, Input::Disconnected { session });
            }
        }
        self.equal.clear();
    }

    /// Every hub dials within a second, and everything happens that follows from it.
    pub(super) fn meet(&mut self) {
        for hub in 1..=self.plan.hubs {
            let delay = self.dice.below(1_000_000);
            self.after(delay, Event::Dial { hub });
        }
        self.settle();
        let all = self.plan.hubs * 2;
        if self.equal.len() != all {
            let equal = self.equal.len();
            self.broken
                .push(format!("{equal} of {all} ends know that they are equal"));
        }
    }

    /// Remembers; what both ends remember alike is kept once.
    pub(super) fn remember(&mut self, hub: usize, at_coordinator: bool, memory: PeerMemory) {
        let other = self.memories.get(&(hub, !at_coordinator));
        let memory = match other.filter(|other| other.root == memory.root) {
            Some(same) => Arc::clone(same),
            None => Arc::new(memory),
        };
        self.memories.insert((hub, at_coordinator), memory);
    }
}

pub(super) const fn micros(duration: Duration) -> u64 {
    duration.as_secs() * 1_000_000 + duration.subsec_micros() as u64
}
