//! The computer's clock, for display and for how long things last, never for order.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use node_sync::Timestamp;

/// Ms since 1970; 0 if the clock stands before that.
pub fn now_ms() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| {
            u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
        })
}

/// Ms since 1970 at the start, moved on by the monotonic clock, so that setting the computer's
/// clock stops no timer.
#[derive(Debug)]
pub(crate) struct SteadyClock {
    started: Instant,
    started_ms: u64,
}

impl SteadyClock {
    pub(crate) fn start() -> Self {
        Self {
            started: Instant::now(),
            started_ms: now_ms(),
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        let elapsed = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        Timestamp(self.started_ms.saturating_add(elapsed))
    }
}
