//! The computer's clock, for display and for how long things last, never for order.

use std::time::{SystemTime, UNIX_EPOCH};

/// Ms since 1970; 0 if the clock stands before that.
pub fn now_ms() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| {
            u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
        })
}
