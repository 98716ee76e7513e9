//! Random moments, from a seed that is printed.

use std::time::Duration;

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};

/// Where the random moments of a test come from.
pub(crate) struct Chance(ChaCha8Rng);

impl Chance {
    /// A new one; `CAUSEWAY_SEED=n` sets its seed. Moments come again with it, and what the
    /// programs were doing just then does not.
    pub(crate) fn new() -> Self {
        let given = std::env::var("CAUSEWAY_SEED").ok();
        let given = given.and_then(|text| text.parse().ok());
        let seed = given.unwrap_or_else(node::clock::now_ms);
        println!("CAUSEWAY_SEED={seed}");
        Self(ChaCha8Rng::seed_from_u64(seed))
    }

    /// Waits until some moment within the next `ms_max` ms.
    pub(crate) async fn moment(&mut self, ms_max: u64) {
        let us = self.0.next_u64() % (ms_max * 1_000);
        tokio::time::sleep(Duration::from_micros(us)).await;
    }

    /// One or the other.
    pub(crate) fn coin(&mut self) -> bool {
        self.0.next_u64().is_multiple_of(2)
    }
}
