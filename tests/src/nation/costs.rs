//! What is counted while a nation runs.

use std::collections::BTreeMap;
use std::time::Duration;

use node_sync::Message;

/// Messages and their bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Traffic {
    /// How many messages.
    pub messages: u64,
    /// Bytes of their frames.
    pub bytes: u64,
}

impl Traffic {
    fn add(&mut self, bytes: u64) {
        self.messages += 1;
        self.bytes += bytes;
    }
}

/// Everything that is counted of one stretch of time.
#[derive(Debug, Clone, Default)]
pub(super) struct Costs {
    /// By the kind of message and whether the coordinator sent it.
    pub(super) traffic: BTreeMap<(&'static str, bool), Traffic>,
    /// Of each hub, both ways.
    pub(super) hubs: Vec<Traffic>,
    /// Spent in the coordinator's engine.
    pub(super) coordinator: Duration,
    /// Spent in the engines of all hubs.
    pub(super) engines: Duration,
    /// Sessions that ended because a peer said nothing in time.
    pub(super) lost: u64,
    /// Effects that this module does not know.
    pub(super) unknown: u64,
}

impl Costs {
    pub(super) fn of(hubs: usize) -> Self {
        Self {
            hubs: vec![Traffic::default(); hubs],
            ..Self::default()
        }
    }

    pub(super) fn count(&mut self, kind: &'static str, hub: usize, is_down: bool, bytes: u64) {
        self.traffic.entry((kind, is_down)).or_default().add(bytes);
        if let Some(traffic) = self.hubs.get_mut(hub) {
            traffic.add(bytes);
        }
    }

    /// All that the coordinator sent, or all that it received.
    pub(super) fn all(&self, is_down: bool) -> Traffic {
        self.sum(|_, down| down == is_down)
    }

    /// All messages of one kind.
    pub(super) fn kind(&self, kind: &str) -> Traffic {
        self.sum(|of, _| of == kind)
    }

    fn sum(&self, counts: impl Fn(&str, bool) -> bool) -> Traffic {
        let counted = self
            .traffic
            .iter()
            .filter(|((kind, down), _)| counts(kind, *down));
        counted.fold(Traffic::default(), |sum, (_, traffic)| Traffic {
            messages: sum.messages + traffic.messages,
            bytes: sum.bytes + traffic.bytes,
        })
    }
}

/// The processor time that this thread has taken, whatever else the machine did meanwhile.
pub(super) fn processor_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    Duration::from_secs(seconds) + Duration::from_nanos(u64::try_from(time.tv_nsec).unwrap_or(0))
}

/// The kinds of messages that are counted apart.
pub(super) const ENTRIES: &str = "entries";
pub(super) const ACKNOWLEDGED: &str = "acknowledged";
pub(super) const RECEIPTS: &str = "receipts";
const RECEIPTS_HELD: &str = "receipts held";
pub(super) const HELLO: &str = "hello";
const HEIGHTS: &str = "heights";
const OTHER: &str = "other";

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "kinds of messages that are seldom sent, or new, need no column of their own"
)]
pub(super) const fn kind_of(message: &Message) -> &'static str {
    match message {
        Message::Entries { .. } => ENTRIES,
        Message::Acknowledged { .. } => ACKNOWLEDGED,
        Message::Receipts(_) => RECEIPTS,
        Message::ReceiptsHeld(_) => RECEIPTS_HELD,
        Message::Hello(_) => HELLO,
        Message::Heights(_) => HEIGHTS,
        _ => OTHER,
    }
}
