//! Virtual time: what happens next, and the lines between the hubs and the coordinator.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use node::grpc::Scales;
use node_feed::{NetworkId, NodeId, SpaceId};
use node_sync::{Input, Message, PeerMemory, SessionId, Timestamp};

use super::costs::{Costs, kind_of};
use super::founding::Founding;
use super::library::Library;
use super::plan::Plan;
use super::post::Post;
use super::report::Report;
use crate::simulation::Dice;

/// How long after an input a node looks at its engine's deadline; a driver looks at once. It
/// spares most looks, each of which goes through all sessions.
const LOOK: u64 = 200_000;
/// What does not happen within an hour does not belong to what went before.
const HOUR: u64 = 3_600_000_000;
/// When the first day begins, in microseconds.
const BEGIN: u64 = 1_000_000_000;

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
    /// A message is there.
    Arrive {
        to: usize,
        session: SessionId,
        message: Message,
    },
    /// The disk did what it was asked for.
    Done { post: usize, input: Input },
    /// A node looks at its engine's deadline.
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
    /// When the last message arrived, or will.
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
            Event::Arrive {
                to,
                session,
                message,
            } => {
                if self.sessions.contains_key(&session) {
                    self.tell(to, Input::Received { session, message });
                }
            }
            Event::Done { post, input } => self.tell(post, input),
            Event::Look { post, at } => self.look(post, at),
            Event::Write { number } => self.write_one(number),
        }
    }

    pub(super) fn tell(&mut self, post: usize, input: Input) {
        let now = Timestamp(self.time / 1_000);
        let begun = Instant::now();
        let effects = self.posts[post].engine.handle(now, input);
        self.spent(post, begun.elapsed());
        for effect in effects {
            self.carry_out(post, effect);
        }
        self.look_in(post, LOOK);
    }

    fn spent(&mut self, post: usize, time: Duration) {
        if post == 0 {
            self.costs.coordinator += time;
        } else {
            self.costs.engines += time;
        }
    }

    fn look_in(&mut self, post: usize, delay: u64) {
        let at = self.time + delay;
        let look_at = &mut self.posts[post].look_at;
        if look_at.is_none_or(|look_at| look_at > at) {
            *look_at = Some(at);
            self.after(delay, Event::Look { post, at });
        }
    }

    fn look(&mut self, post: usize, at: u64) {
        // One that was brought forward took place already.
        if self.posts[post].look_at != Some(at) {
            return;
        }
        self.posts[post].look_at = None;
        let begun = Instant::now();
        let deadline = self.posts[post].engine.next_deadline();
        if post == 0 {
            self.costs.deadlines.0 += begun.elapsed();
            self.costs.deadlines.1 += 1;
        }
        let Some(deadline) = deadline else {
            return;
        };
        let due = deadline.0.saturating_mul(1_000);
        if due <= self.time {
            self.tell(post, Input::Tick);
        } else {
            self.look_in(post, due - self.time);
        }
    }

    /// Sends a message over both lines: each carries one after the other.
    pub(super) fn post(&mut self, from: usize, session: SessionId, message: Message) {
        let Some(hub) = self.sessions.get(&session).copied() else {
            return;
        };
        let to = if from == 0 { hub } else { 0 };
        let bytes = self.scales.weigh(&message) as u64;
        self.costs
            .count(kind_of(&message), hub - 1, from == 0, bytes);
        let out = &mut self.posts[from].line[0];
        *out = self.time.max(*out) + self.plan.takes(from, bytes);
        let there = *out + micros(self.plan.latency);
        let into = &mut self.posts[to].line[1];
        *into = there.max(*into) + self.plan.takes(to, bytes);
        self.said_at = self.said_at.max(*into);
        let delay = *into - self.time;
        self.after(
            delay,
            Event::Arrive {
                to,
                session,
                message,
            },
        );
    }

    fn dial(&mut self, hub: usize) {
        let session = SessionId(self.scheduled);
        self.sessions.insert(session, hub);
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

    /// Every line breaks at once; what is under way is lost.
    pub(super) fn part(&mut self) {
        for (session, hub) in std::mem::take(&mut self.sessions) {
            for post in [0, hub] {
                self.tell(post, Input::Disconnected { session });
            }
        }
        self.equal.clear();
        for post in &mut self.posts {
            post.line = [0; 2];
        }
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
