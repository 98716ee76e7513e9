//! The figures that systems are compared by, and how they are written.

use node::web::words;
use serde_json::Value;

/// What a number is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Figure {
    /// From the open stream until both ends were known to be equal; the median of the runs.
    Wall,
    /// Until all was durable at the client, where that comes earlier.
    Durable,
    /// Until every document was built and checked as well, where that comes later.
    Checked,
    /// What went over the stream, both ways.
    Bytes,
    /// From an edit until the last reader had it: the half of all edits took no longer.
    P50,
    /// The same of 99 in a hundred.
    P99,
    /// Edits that all readers had, a second, from the first edit to the last arrival.
    PerSecond,
    /// The most memory that the server's process had resident.
    Memory,
    /// Changes that the server had acknowledged when it was killed.
    Acknowledged,
    /// How many of these were still there.
    Kept,
    /// Of how many runs.
    Runs,
    /// One if the client's documents were copied for it, as it could not take a first copy.
    Copied,
}

impl Figure {
    /// Those of which a ratio says something.
    pub(crate) const COMPARED: [Self; 7] = [
        Self::Wall,
        Self::Bytes,
        Self::P50,
        Self::P99,
        Self::PerSecond,
        Self::Memory,
        Self::Kept,
    ];

    /// Its name where results are printed.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Wall => "wall_ms",
            Self::Durable => "durable_ms",
            Self::Checked => "checked_ms",
            Self::Bytes => "bytes",
            Self::P50 => "p50_ms",
            Self::P99 => "p99_ms",
            Self::PerSecond => "entries_per_s",
            Self::Memory => "peak_rss_kib",
            Self::Acknowledged => "acknowledged",
            Self::Kept => "kept",
            Self::Runs => "runs",
            Self::Copied => "copied_client",
        }
    }

    /// Its value where results are printed.
    pub(crate) fn number(self, value: f64) -> Value {
        match self {
            Self::Wall
            | Self::Durable
            | Self::Checked
            | Self::P50
            | Self::P99
            | Self::PerSecond => ((value * 100.0).round() / 100.0).into(),
            Self::Bytes
            | Self::Memory
            | Self::Acknowledged
            | Self::Kept
            | Self::Runs
            | Self::Copied => whole(value).into(),
        }
    }

    /// Its value for people.
    pub(crate) fn say(self, value: f64) -> String {
        match self {
            Self::Wall | Self::Durable | Self::Checked | Self::P50 | Self::P99 => {
                scaled(value, &["ms", "s"])
            }
            Self::Bytes => scaled(value, &["B", "kB", "MB"]),
            Self::PerSecond => format!("{}/s", digits(value)),
            Self::Memory => format!("{} MiB", digits(value / 1_024.0)),
            Self::Acknowledged | Self::Kept | Self::Runs | Self::Copied => {
                words::number(whole(value))
            }
        }
    }
}

/// How much `ours` is of `theirs`, to three digits; none if that says nothing.
pub(crate) fn ratio(ours: f64, theirs: f64) -> Option<f64> {
    let ratio = ours / theirs;
    let rounded = format!("{ratio:.2e}").parse::<f64>();
    rounded.ok().filter(|ratio| ratio.is_finite())
}

/// How many times as much as `ours` is `theirs`.
pub(crate) fn times(ours: f64, theirs: f64) -> Option<String> {
    let times = theirs / ours;
    times.is_finite().then(|| format!("{} ×", digits(times)))
}

/// In the largest of some units, each a thousand of the one before.
fn scaled(value: f64, units: &[&str]) -> String {
    let (mut value, mut units) = (value, units.iter());
    let mut unit = units.next().copied().unwrap_or_default();
    for larger in units {
        if value < 1_000.0 {
            break;
        }
        value /= 1_000.0;
        unit = larger;
    }
    format!("{} {unit}", digits(value))
}

/// Three digits and no more, or all before the point.
fn digits(value: f64) -> String {
    match value {
        value if value >= 100.0 => words::number(whole(value)),
        value if value >= 10.0 => format!("{value:.1}"),
        value if value == value.round() => format!("{value:.0}"),
        value if value >= 0.1 => format!("{value:.2}"),
        value => format!("{value:.3}"),
    }
}

/// The nearest whole number; what is measured is never negative.
fn whole(value: f64) -> u64 {
    value.round() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_said_in_three_digits() {
        assert_eq!(Figure::Wall.say(0.954), "0.95 ms");
        assert_eq!(Figure::Wall.say(39_903.4), "39.9 s");
        assert_eq!(Figure::Bytes.say(940.0), "940 B");
        assert_eq!(Figure::Bytes.say(2_361_814.0), "2.36 MB");
        assert_eq!(Figure::Memory.say(227_412.0), "222 MiB");
        assert_eq!(times(1.3, 39_903.0).as_deref(), Some("30,695 ×"));
        assert_eq!(times(0.0, 1.0), None);
        assert_eq!(ratio(1.3, 39_903.0), Some(0.000_032_6));
    }
}
