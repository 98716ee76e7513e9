//! What a run came to.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::Traffic;
use super::costs::{Costs, processor_time};
use super::plan::Plan;
use super::run::Nation;

/// Bytes of one feed's height: its name, number and hash.
const HEIGHT: u64 = 32 + 8 + 32;

/// One stretch of virtual time. The same plan gives the same phase.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Phase {
    /// Entries that were written for it.
    pub entries: u64,
    /// What the coordinator sent, to all hubs.
    pub down: Traffic,
    /// What it received.
    pub up: Traffic,
    /// What went over the line of the busiest hub, both ways.
    pub busiest: Traffic,
    /// All messages by their kind.
    pub kinds: BTreeMap<&'static str, Traffic>,
    /// Sessions that ended because a peer said nothing in time, and were dialled again.
    pub lost: u64,
    /// From the first dialling until all ends knew that they were equal.
    pub equal: Duration,
    /// Until nothing was said any more.
    pub quiet: Duration,
}

impl Phase {
    /// The messages of one kind.
    pub fn kind(&self, kind: &str) -> Traffic {
        self.kinds.get(kind).copied().unwrap_or_default()
    }
}

/// What was measured on this machine, which differs from run to run. In the engines it is the
/// processor's time, and not that of other programs.
#[derive(Debug, Clone, Default)]
pub struct Measured {
    /// All of the run.
    pub wall: Duration,
    /// In the coordinator's engine for each entry of the ordinary day.
    pub day_per_entry: Duration,
    /// In the coordinator's engine during the reunion.
    pub reunion: Duration,
    /// In the coordinator's engine while all connect again and nothing changed.
    pub again: Duration,
    /// In one hub's engine during the reunion, on average.
    pub reunion_hub: Duration,
    /// To ask the coordinator's engine once for its next deadline, while all are connected.
    pub deadline: Duration,
    /// The most memory that the program had resident.
    pub peak_rss_kib: Option<u64>,
}

/// What a run came to.
#[derive(Debug, Clone)]
pub struct Report {
    /// What was simulated.
    pub plan: Plan,
    /// Spaces that are shared, without the authority's.
    pub spaces: usize,
    /// Spaces of one hub, on average.
    pub spaces_of_hub: f64,
    /// Entries that the coordinator holds of shared spaces.
    pub entries: u64,
    /// Entries that one hub holds, on average.
    pub entries_of_hub: u64,
    /// Bytes of the heights of the largest space.
    pub heights: u64,
    /// The same if every hub writes.
    pub heights_full: u64,
    /// Bytes of the heights that one hub remembers of the coordinator, on average.
    pub memory: u64,
    /// Bytes of the heights that the coordinator remembers of all hubs.
    pub memories: u64,
    /// Both ends hold the same at first, and remember nothing.
    pub first: Phase,
    /// An ordinary day, or a part of it.
    pub day: Phase,
    /// The reunion after a week apart.
    pub reunion: Phase,
    /// All connect again, and nothing changed.
    pub again: Phase,
    /// Promises that did not hold, in words.
    pub broken: Vec<String>,
    /// By this machine's clock.
    pub measured: Measured,
}

impl Nation {
    pub(super) fn report(&mut self, begun: Instant) -> Report {
        let mut measured = Measured::default();
        self.begin();
        self.meet();
        let (first, _) = self.end(0, self.time);
        let from = self.begin();
        let written = self.day();
        let (day, costs) = self.end(written, from);
        measured.day_per_entry = costs.coordinator / u32::try_from(written.max(1)).unwrap_or(1);
        measured.deadline = self.ask_for_deadlines();
        self.part();
        let written = self.week();
        let from = self.begin();
        self.meet();
        let (reunion, costs) = self.end(written, from);
        measured.reunion = costs.coordinator;
        measured.reunion_hub = costs.engines / u32::try_from(self.plan.hubs).unwrap_or(1);
        self.part();
        self.settle();
        let from = self.begin();
        self.meet();
        let (again, costs) = self.end(0, from);
        measured.again = costs.coordinator;
        self.check();
        measured.wall = begun.elapsed();
        measured.peak_rss_kib = peak_rss_kib();
        self.sum_up([first, day, reunion, again], measured)
    }

    /// What it takes to ask the coordinator's engine for its next deadline.
    fn ask_for_deadlines(&self) -> Duration {
        const TIMES: u32 = 1_000;
        let engine = &self.posts[0].engine;
        let begun = processor_time();
        for _ in 0..TIMES {
            std::hint::black_box(std::hint::black_box(engine).next_deadline());
        }
        processor_time().saturating_sub(begun) / TIMES
    }

    fn begin(&mut self) -> u64 {
        self.costs = Costs::of(self.plan.hubs);
        self.time
    }

    fn end(&mut self, entries: u64, from: u64) -> (Phase, Costs) {
        let costs = std::mem::take(&mut self.costs);
        if costs.unknown > 0 {
            let unknown = costs.unknown;
            self.broken
                .push(format!("{unknown} effects were of a kind not known here"));
        }
        let kinds = costs.traffic.keys().map(|(kind, _)| *kind);
        let phase = Phase {
            entries,
            down: costs.all(true),
            up: costs.all(false),
            busiest: costs
                .hubs
                .iter()
                .copied()
                .max_by_key(|hub| hub.bytes)
                .unwrap_or_default(),
            kinds: kinds.map(|kind| (kind, costs.kind(kind))).collect(),
            lost: costs.lost,
            equal: Duration::from_micros(self.equal_at.saturating_sub(from)),
            quiet: Duration::from_micros(self.said_at.saturating_sub(from)),
        };
        (phase, costs)
    }

    /// Whether every hub holds of each of its spaces what the coordinator does.
    fn check(&mut self) {
        let [coordinator, hubs @ ..] = self.posts.as_slice() else {
            return;
        };
        for (hub, post) in hubs.iter().enumerate() {
            let differing = post.held.iter();
            let differing =
                differing.filter(|(space, held)| coordinator.held.get(*space) != Some(*held));
            let count = differing.count();
            if count > 0 {
                self.broken
                    .push(format!("hub {} differs in {count} spaces", hub + 1));
            }
        }
    }

    fn sum_up(&mut self, phases: [Phase; 4], measured: Measured) -> Report {
        let [first, day, reunion, again] = phases;
        let hubs = self.plan.hubs as u64;
        let of_hubs = self.posts.iter().skip(1);
        let entries = of_hubs.clone().map(super::post::Post::entries).sum::<u64>();
        // The authority's space is in each node's, too.
        let spaces = of_hubs.map(|post| post.held.len() - 1).sum::<usize>();
        let coordinator = &self.posts[0];
        let feeds = coordinator.held.values().map(BTreeMap::len).max();
        let weigh = |memory: &node_sync::PeerMemory| {
            let spaces = memory.spaces.values();
            spaces
                .map(|heights| 16 + heights.len() as u64 * HEIGHT)
                .sum::<u64>()
        };
        let memories = |at_coordinator: bool| {
            let memories = self.memories.iter();
            let memories = memories.filter(|((_, end), _)| *end == at_coordinator);
            memories.map(|(_, memory)| weigh(memory)).sum::<u64>()
        };
        Report {
            plan: self.plan,
            spaces: coordinator.held.len() - 1,
            spaces_of_hub: spaces as f64 / hubs as f64,
            entries: coordinator.entries(),
            entries_of_hub: entries / hubs,
            heights: feeds.unwrap_or_default() as u64 * HEIGHT,
            heights_full: (hubs + 1) * HEIGHT,
            memory: memories(false) / hubs,
            memories: memories(true),
            first,
            day,
            reunion,
            again,
            broken: std::mem::take(&mut self.broken),
            measured,
        }
    }
}

fn peak_rss_kib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}
