//! What was measured, by the names that docs/performance.md explains.

use std::time::Duration;

use node::SessionCost;
use serde_json::{Map, Value};

/// The figures of one result. A figure that does not apply is left out.
#[derive(Debug)]
pub(crate) struct Figures(Map<String, Value>);

impl Figures {
    pub(crate) fn of(scenario: &str) -> Self {
        Self(Map::new()).with("scenario", scenario)
    }

    pub(crate) fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.0.insert(name.to_owned(), value.into());
        self
    }

    /// Leaves the figure out if there is none.
    pub(crate) fn with_some(self, name: &str, value: Option<impl Into<Value>>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// What sessions cost: the median of the times, and the most of everything else.
    pub(crate) fn with_sessions(self, costs: &[SessionCost]) -> Self {
        let walls = costs.iter().map(|cost| cost.wall).collect::<Vec<_>>();
        let handshakes = costs.iter().map(|cost| cost.handshake).collect::<Vec<_>>();
        let most = |figure: fn(&SessionCost) -> u64| costs.iter().map(figure).max();
        self.with_walls(&walls)
            .with_some(
                "handshake_ms",
                percentile(&handshakes, 50).map(milliseconds),
            )
            .with_some("message_bytes", most(|cost| cost.message_bytes))
            .with_some("bytes_sent", most(|cost| cost.bytes_sent))
            .with_some("bytes_received", most(|cost| cost.bytes_received))
            .with_some("round_trips", most(|cost| cost.round_trips.into()))
    }

    /// A figure that is a number.
    pub(crate) fn number(&self, name: &str) -> Option<f64> {
        self.0.get(name)?.as_f64()
    }

    /// The median of the runs, the least, the most, and of how many.
    pub(crate) fn with_walls(self, walls: &[Duration]) -> Self {
        self.with_some("wall_ms", percentile(walls, 50).map(milliseconds))
            .with_some("wall_ms_min", walls.iter().min().copied().map(milliseconds))
            .with_some("wall_ms_max", walls.iter().max().copied().map(milliseconds))
            .with("runs", walls.len())
    }

    #[expect(clippy::print_stdout, reason = "this is the program's result")]
    pub(crate) fn print(&self, json: bool) {
        if json {
            println!("{}", Value::Object(self.0.clone()));
            return;
        }
        for (name, value) in &self.0 {
            let value = value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned);
            println!("{name:20} {value:>14}");
        }
    }
}

/// The value that `percent` of all do not exceed.
pub(crate) fn percentile<T: Ord + Copy>(values: &[T], percent: usize) -> Option<T> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted.get(rank.saturating_sub(1)).copied()
}

/// To a hundredth of a millisecond.
pub(crate) fn milliseconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 100_000.0).round() / 100.0
}

/// How many a second, to whole ones.
pub(crate) fn per_second(count: u64, duration: Duration) -> Option<u64> {
    let nanos = duration.as_nanos();
    u64::try_from(u128::from(count) * 1_000_000_000 / nanos.max(1))
        .ok()
        .filter(|_| nanos > 0)
}
