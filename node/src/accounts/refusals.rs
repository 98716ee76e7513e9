//! Refusals that become audit lines: so many of each account a minute, so that nobody fills the
//! disk, or hides among them.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use super::AccountId;

/// How many are written of one account, or of all visitors without one, in a minute.
const MINUTE_MAX: u32 = 30;
const MINUTE_MS: u64 = 60_000;

/// What becomes of a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Written {
    /// It is written.
    Whole,
    /// It is written that further ones are not.
    Last,
    /// It is not.
    Not,
}

/// The refusals of this minute, of each account.
#[derive(Debug, Default)]
pub(super) struct Refusals(Mutex<HashMap<Option<AccountId>, (u64, u32)>>);

impl Refusals {
    /// Counts a refusal.
    pub(super) fn count(&self, who: Option<AccountId>, now_ms: u64) -> Written {
        let minute = now_ms / MINUTE_MS;
        let mut refusals = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (of, count) = refusals.entry(who).or_default();
        if *of != minute {
            (*of, *count) = (minute, 0);
        }
        *count = count.saturating_add(1);
        match (*count).cmp(&MINUTE_MAX) {
            std::cmp::Ordering::Less => Written::Whole,
            std::cmp::Ordering::Equal => Written::Last,
            std::cmp::Ordering::Greater => Written::Not,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_of_each_account_are_written_in_a_minute() {
        let refusals = Refusals::default();
        let who = Some(AccountId::from_bytes([1; 8]));
        let written = (0..40).map(|_| refusals.count(who, MINUTE_MS));
        let written = written.collect::<Vec<_>>();
        assert!(written[..29].iter().all(|it| *it == Written::Whole));
        assert_eq!(written[29], Written::Last);
        assert!(written[30..].iter().all(|it| *it == Written::Not));
        assert_eq!(refusals.count(None, MINUTE_MS), Written::Whole);
        assert_eq!(refusals.count(who, 2 * MINUTE_MS), Written::Whole);
    }
}
