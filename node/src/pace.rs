//! When what arrived is applied: soon, together, and within a share of one core.

use std::time::{Duration, Instant};

/// Applying begins once nothing has arrived for this long: what comes together is applied together.
const QUIET: Duration = Duration::from_millis(200);
/// Applying begins after this long even if more keeps arriving.
const LATEST: Duration = Duration::from_secs(5);
/// The shortest time from the end of applying to its next start.
const PAUSE_MIN: Duration = Duration::from_millis(500);
/// The longest.
const PAUSE_MAX: Duration = Duration::from_mins(1);
/// What applying one entry costs when many are applied together. What it costs more than this is
/// the price of the document's history, which is paid once however many entries there are.
const ENTRY_COST: Duration = Duration::from_micros(300);
/// The price of history may take this part of one core: one in so many.
const SHARE: u32 = 20;

/// Paces the applying of what arrives. Whoever reads does not wait for it.
///
/// Applying one more change of a long document costs time in proportion to its history, and no
/// more for a thousand changes than for one. So the pause grows with what the last time cost.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    /// When the first and the last of what waits arrived.
    waiting: Option<(Instant, Instant)>,
    not_before: Option<Instant>,
}

impl Pace {
    /// Something arrived; says whether it is the first that waits.
    pub(crate) fn arrived(&mut self, now: Instant) -> bool {
        let first = self.waiting.map_or(now, |(first, _)| first);
        let is_first = self.waiting.is_none();
        self.waiting = Some((first, now));
        is_first
    }

    /// When what waits is to be applied, if anything waits. It moves as more arrives.
    pub(crate) fn due(&self) -> Option<Instant> {
        let (first, last) = self.waiting?;
        let due = (last + QUIET).min(first + LATEST);
        Some(
            self.not_before
                .map_or(due, |not_before| due.max(not_before)),
        )
    }

    /// Applying begins: nothing waits any more.
    pub(crate) const fn begin(&mut self) {
        self.waiting = None;
    }

    /// What waits must be applied soon, whatever the last time cost.
    pub(crate) const fn hurry(&mut self) {
        self.not_before = None;
    }

    /// Applying ended, and took so long for this many entries.
    pub(crate) fn end(&mut self, ended: Instant, took: Duration, entries: u64) {
        let entries = u32::try_from(entries).unwrap_or(u32::MAX);
        let history = took.saturating_sub(ENTRY_COST.saturating_mul(entries));
        let pause = history.saturating_mul(SHARE - 1);
        self.not_before = Some(ended + pause.clamp(PAUSE_MIN, PAUSE_MAX));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn one_change_is_applied_soon() {
        let (mut pace, now) = (Pace::default(), Instant::now());
        assert!(pace.due().is_none());
        assert!(pace.arrived(now));
        assert_eq!(pace.due(), Some(now + QUIET));
        pace.begin();
        assert!(pace.due().is_none());
    }

    #[test]
    fn what_keeps_arriving_is_applied_together_and_not_too_late() {
        let (mut pace, now) = (Pace::default(), Instant::now());
        for count in 0..1_000 {
            pace.arrived(now + count * 10 * MS);
        }
        assert_eq!(pace.due(), Some(now + LATEST));
    }

    #[test]
    fn a_long_history_is_paid_for_seldom() {
        let (mut pace, now) = (Pace::default(), Instant::now());
        pace.arrived(now);
        pace.begin();
        pace.end(now + 1_000 * MS, 1_000 * MS, 1);
        pace.arrived(now + 1_000 * MS);
        assert!(pace.due() > Some(now + 19_000 * MS));
        assert!(pace.due() < Some(now + 21_000 * MS));
    }

    #[test]
    fn many_entries_of_short_documents_are_not_held_back() {
        let (mut pace, now) = (Pace::default(), Instant::now());
        pace.end(now + 10_000 * MS, 10_000 * MS, 100_000);
        pace.arrived(now + 10_000 * MS);
        assert_eq!(pace.due(), Some(now + 10_000 * MS + PAUSE_MIN));
    }
}
