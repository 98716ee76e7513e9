//! What is simulated: how many hubs, what they write, and the network between them.

use std::time::Duration;

/// Working days of a year.
pub(super) const DAYS_OF_YEAR: u64 = 200;
/// Working days of a week.
const DAYS_OF_WEEK: u64 = 5;
/// Hours of a working day.
const HOURS_OF_DAY: u64 = 10;
/// Shared records that a hub makes in a year: 200,000 among 40 hubs.
const RECORDS_OF_YEAR: u64 = 5_000;
/// Entries of a shared record: it is made, and changed once.
const ENTRIES_OF_RECORD: u64 = 2;
/// Of so many entries one goes to ... (see [`Slot`]).
pub(super) const SLOTS: u64 = 20;

/// Where an entry is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Slot {
    /// By the coordinator, for all.
    CoordinatorNetwork,
    /// By a hub, for all.
    Network,
    /// By a hub, in the forum.
    Forum,
    /// By a hub, for the coordinator alone.
    Pair,
    /// By a hub, in one of its projects.
    Project,
}

impl Slot {
    /// Where entry `number` of a hub goes.
    pub const fn of(number: u64) -> Self {
        match number % SLOTS {
            0 => Self::CoordinatorNetwork,
            1..=3 => Self::Network,
            4 => Self::Forum,
            5..=7 => Self::Pair,
            _ => Self::Project,
        }
    }
}

/// What is simulated.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Plan {
    /// How many hubs, each with one node.
    pub hubs: usize,
    /// Decides everything that is left to chance.
    pub seed: u64,
    /// One hub in so many writes; all of them read.
    pub one_in: usize,
    /// How many entries of an ordinary day are simulated; the others cost as much as these.
    pub day_entries: u64,
    /// Whether nodes sign receipts for what they hold.
    pub receipts: bool,
    /// Bits a second of a hub's line, each way.
    pub hub_bits: u64,
    /// Bits a second of the coordinator's line, each way.
    pub coordinator_bits: u64,
    /// How long a message is under way, besides the time that its bytes take.
    pub latency: Duration,
    /// How long it takes until what was appended is durable.
    pub commit: Duration,
}

impl Plan {
    /// A plan that fits the time and memory of an ordinary machine.
    pub const fn of(hubs: usize) -> Self {
        let (one_in, day_entries, receipts) = match hubs {
            0..=100 => (1, 200, true),
            101..=1_000 => (10, 20, true),
            _ => (40, 20, false),
        };
        Self {
            hubs,
            seed: 1,
            one_in,
            day_entries,
            receipts,
            hub_bits: 20_000_000,
            coordinator_bits: 1_000_000_000,
            latency: Duration::from_millis(20),
            commit: Duration::from_millis(2),
        }
    }

    /// Projects: 33 for 40 hubs.
    pub const fn projects(&self) -> usize {
        self.hubs * 33 / 40 + 1
    }

    /// Hubs of one project.
    pub const fn members(&self) -> usize {
        if self.hubs < 8 { self.hubs } else { 8 }
    }

    /// How many hubs write.
    pub(super) const fn writing(&self) -> usize {
        self.hubs.div_ceil(self.one_in)
    }

    /// Entries that one hub that writes adds in a working day.
    pub(super) const fn entries_of_day(&self) -> u64 {
        RECORDS_OF_YEAR * ENTRIES_OF_RECORD / DAYS_OF_YEAR
    }

    /// Entries that one hub that writes adds in a week.
    pub const fn entries_of_week(&self) -> u64 {
        self.entries_of_day() * DAYS_OF_WEEK
    }

    /// Entries of all hubs in a working day if every one of them writes.
    pub const fn entries_of_full_day(&self) -> u64 {
        self.entries_of_day() * self.hubs as u64
    }

    /// Microseconds between two entries on an ordinary day, as far as hubs write.
    pub(super) const fn pace(&self) -> u64 {
        Self::day_seconds() * 1_000_000 / (self.entries_of_day() * self.writing() as u64)
    }

    /// The hub that writes as number `index` of those that do.
    pub(super) const fn writer(&self, index: usize) -> usize {
        1 + index * self.one_in
    }

    /// Whether a hub writes. The coordinator is number 0, and the hubs begin at 1.
    pub(super) const fn writes(&self, hub: usize) -> bool {
        (hub - 1).is_multiple_of(self.one_in)
    }

    /// Microseconds that bytes take on the line of a node.
    pub(super) const fn takes(&self, post: usize, bytes: u64) -> u64 {
        let bits = if post == 0 {
            self.coordinator_bits
        } else {
            self.hub_bits
        };
        bytes * 8 * 1_000_000 / bits
    }

    /// Seconds of a working day.
    pub const fn day_seconds() -> u64 {
        HOURS_OF_DAY * 3_600
    }
}
