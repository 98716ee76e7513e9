//! How long a node waits before it tries again to reach the coordinator.

use std::time::Duration;

/// A session that lasted this long was a good one. It is more than a peer has for its Hello, so that
/// a coordinator that is too busy to say it is not asked the more often for that.
const GOOD_SESSION: Duration = Duration::from_mins(1);

/// The pauses between one try and the next: each twice as long as the one before, up to the
/// longest, and the shortest again after a good session.
#[derive(Debug, Clone)]
pub struct Pauses {
    shortest: Duration,
    longest: Duration,
    next: Duration,
}

impl Pauses {
    /// Pauses between these two.
    pub const fn between(shortest: Duration, longest: Duration) -> Self {
        Self {
            shortest,
            longest,
            next: shortest,
        }
    }

    /// The pause after a try, or a session, that lasted so long. Chance adds up to half of it, so that
    /// hubs that lost one coordinator do not all come back at once.
    pub fn after(&mut self, lasted: Duration, chance: u32) -> Duration {
        if lasted >= GOOD_SESSION {
            self.next = self.shortest;
        }
        let pause = self.next;
        self.next = (pause * 2).min(self.longest);
        let fraction = f64::from(chance) / f64::from(u32::MAX);
        pause + pause.mul_f64(fraction / 2.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHORTEST: Duration = Duration::from_millis(500);
    const LONGEST: Duration = Duration::from_secs(30);

    #[test]
    fn a_coordinator_that_never_says_hello_is_tried_less_and_less_often() {
        let mut pauses = Pauses::between(SHORTEST, LONGEST);
        let hello_timeout = node_sync::Config::default().hello_timeout_ms;
        let lasted = Duration::from_millis(hello_timeout + 5_000);
        let first = pauses.after(lasted, 0);
        let second = pauses.after(lasted, 0);
        assert_eq!([first, second], [SHORTEST, SHORTEST * 2]);
        for _ in 0..10 {
            pauses.after(lasted, 0);
        }
        assert_eq!(pauses.after(lasted, 0), LONGEST);
        assert_eq!(pauses.after(GOOD_SESSION, 0), SHORTEST);
    }

    #[test]
    fn chance_adds_up_to_half_of_a_pause() {
        let mut pauses = Pauses::between(SHORTEST, LONGEST);
        let most = pauses.after(GOOD_SESSION, u32::MAX);
        assert_eq!(most, SHORTEST + SHORTEST / 2);
    }
}
