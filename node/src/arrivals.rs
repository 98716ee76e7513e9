//! How much came from peers.

use node_feed::Run;
use node_store::Appended;

/// How many entries came from peers since the node started.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Arrivals {
    /// Received, and perhaps not checked yet.
    pub received: u64,
    /// Checked, and durable here.
    pub durable: u64,
}

impl Arrivals {
    pub(crate) fn receive(&mut self, runs: &[Run]) {
        self.received += runs.iter().map(|run| run.entries.len() as u64).sum::<u64>();
    }

    pub(crate) fn store(&mut self, appended: &[Appended]) {
        for appended in appended {
            self.durable += match appended {
                Appended::Stored(stored) => stored.run.count() as u64,
                Appended::Live(Some(news)) => news.count() as u64,
                Appended::Held | Appended::Live(None) | Appended::Refused(_) => 0,
            };
        }
    }
}
