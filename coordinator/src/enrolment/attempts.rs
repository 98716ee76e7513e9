//! A bound on guesses.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};

/// Refused calls that one address may make within a window.
pub(super) const FAILURES_MAX: u32 = 20;

/// Length of the window, from the first refused call.
const WINDOW_MS: u64 = 10 * 60 * 1000;

/// Addresses remembered; beyond these, the one whose window ends first is forgotten.
const ADDRESSES_MAX: usize = 10_000;

/// Counts refused calls by address. A code has 128 bits and can't be guessed; this keeps the
/// register and its audit lines from being flooded.
#[derive(Debug, Default)]
pub(super) struct Attempts(Mutex<HashMap<IpAddr, Window>>);

#[derive(Debug, Clone, Copy)]
struct Window {
    failures: u32,
    ends_ms: u64,
}

impl Attempts {
    /// Whether `address` may try at `now_ms`.
    pub(super) fn allow(&self, address: IpAddr, now_ms: u64) -> bool {
        let windows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        windows
            .get(&place(address))
            .is_none_or(|window| window.ends_ms <= now_ms || window.failures < FAILURES_MAX)
    }

    /// Counts a refused call.
    pub(super) fn count(&self, address: IpAddr, now_ms: u64) {
        let mut windows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let place = place(address);
        if !windows.contains_key(&place) && windows.len() >= ADDRESSES_MAX {
            windows.retain(|_, window| window.ends_ms > now_ms);
            let oldest = windows.iter().min_by_key(|(_, window)| window.ends_ms);
            if windows.len() >= ADDRESSES_MAX
                && let Some(oldest) = oldest.map(|(place, _)| *place)
            {
                windows.remove(&oldest);
            }
        }
        let fresh = Window {
            failures: 0,
            ends_ms: now_ms.saturating_add(WINDOW_MS),
        };
        let window = windows.entry(place).or_insert(fresh);
        if window.ends_ms <= now_ms {
            *window = fresh;
        }
        window.failures = window.failures.saturating_add(1);
    }
}

/// Whom an address stands for: of IPv6 its network, since one household has as many addresses
/// as it likes.
fn place(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => {
            IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn an_address_that_fails_too_often_waits_and_others_do_not() {
        let attempts = Attempts::default();
        for now in 0..u64::from(FAILURES_MAX) {
            assert!(attempts.allow(ip("10.0.0.1"), now));
            attempts.count(ip("10.0.0.1"), now);
        }
        assert!(!attempts.allow(ip("10.0.0.1"), 100));
        assert!(!attempts.allow(ip("::ffff:10.0.0.1"), 100));
        assert!(attempts.allow(ip("10.0.0.2"), 100));
        assert!(attempts.allow(ip("10.0.0.1"), WINDOW_MS));
    }

    #[test]
    fn a_network_of_many_addresses_counts_as_one() {
        let attempts = Attempts::default();
        for host in 0..FAILURES_MAX {
            attempts.count(ip(&format!("2001:db8::{host:x}")), 0);
        }
        assert!(!attempts.allow(ip("2001:db8::ffff"), 1));
        assert!(attempts.allow(ip("2001:db8:0:1::1"), 1));
    }

    #[test]
    fn memory_is_bounded_whatever_the_number_of_addresses() {
        let attempts = Attempts::default();
        for number in 0..(u32::try_from(ADDRESSES_MAX).expect("small") + 50) {
            attempts.count(IpAddr::V4(number.into()), u64::from(number));
        }
        assert_eq!(
            attempts.0.lock().expect("not poisoned").len(),
            ADDRESSES_MAX
        );
    }
}
