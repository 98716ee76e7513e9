//! How often something may be tried: some tries are free, then each takes twice as long a wait.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};

use node_store::TriesRow;

use super::RefusedSignIn;

/// After how many tries under one name the waits begin.
pub(super) const FREE: u32 = 5;
/// After how many failed tries from one network address the waits begin: a whole school stands
/// behind one, and what lies behind a proxy as well.
const FREE_ADDRESS: u32 = 50;
const WAIT_FIRST_MS: u64 = 1_000;
const WAIT_MAX_MS: u64 = 15 * 60 * 1_000;
/// Tries are forgotten when there were none for so long.
const FORGOTTEN_MS: u64 = 24 * 60 * 60 * 1_000;
/// By how much the clock may have been set back before tries are counted anew.
const SET_BACK_MS: u64 = 60_000;
const ADDRESSES_MAX: usize = 10_000;

/// The tries that have not succeeded.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Tries {
    pub(super) failed: u32,
    pub(super) wait_until_ms: u64,
    pub(super) last_ms: u64,
}

impl Tries {
    /// Counts a try before it is made, so that many at once are no way around the waits.
    pub(super) fn take(&mut self, free: u32, now_ms: u64) -> Result<(), RefusedSignIn> {
        let forgotten = now_ms > self.last_ms.saturating_add(FORGOTTEN_MS);
        if forgotten || self.last_ms > now_ms.saturating_add(SET_BACK_MS) {
            *self = Self::default();
        }
        if self.wait_until_ms > now_ms {
            return Err(RefusedSignIn::Wait(self.wait_until_ms - now_ms));
        }
        self.failed = self.failed.saturating_add(1);
        self.last_ms = now_ms;
        self.wait_until_ms = match self.failed.checked_sub(free) {
            None => 0,
            Some(over) => {
                let wait = WAIT_FIRST_MS.checked_shl(over.min(32)).unwrap_or(u64::MAX);
                now_ms + wait.min(WAIT_MAX_MS)
            }
        };
        Ok(())
    }

    /// Takes a try back that turned out right, and leaves those before it.
    pub(super) fn give_back(&mut self) {
        self.failed = self.failed.saturating_sub(1);
        self.wait_until_ms = 0;
    }

    pub(super) fn of(row: Option<TriesRow>) -> Self {
        row.map_or_else(Self::default, |row| Self {
            failed: row.failed,
            wait_until_ms: row.wait_until_ms,
            last_ms: row.last_ms,
        })
    }

    pub(super) const fn row(self, name: [u8; 32], known: bool) -> TriesRow {
        TriesRow {
            name,
            failed: self.failed,
            wait_until_ms: self.wait_until_ms,
            last_ms: self.last_ms,
            known,
        }
    }
}

/// The tries from network addresses, since this node was started.
#[derive(Debug, Default)]
pub(super) struct Addresses(Mutex<HashMap<IpAddr, Tries>>);

impl Addresses {
    pub(super) fn take(&self, from: IpAddr, now_ms: u64) -> Result<(), RefusedSignIn> {
        let mut addresses = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let from = network(from);
        if addresses.len() >= ADDRESSES_MAX && !addresses.contains_key(&from) {
            // The oldest goes, but none that has to wait while there is another.
            let first = addresses
                .iter()
                .min_by_key(|(_, tries)| (tries.wait_until_ms > now_ms, tries.last_ms))
                .map(|(address, _)| *address);
            if let Some(first) = first {
                addresses.remove(&first);
            }
        }
        let tries = addresses.entry(from).or_default();
        tries.take(FREE_ADDRESS, now_ms)
    }

    pub(super) fn give_back(&self, from: IpAddr) {
        let mut addresses = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(tries) = addresses.get_mut(&network(from)) {
            tries.give_back();
        }
    }
}

/// The part of an address that one subscriber has: of IPv6 the first half.
pub(crate) fn network(from: IpAddr) -> IpAddr {
    match from.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => {
            let half = address.to_bits() & !u128::from(u64::MAX);
            IpAddr::V6(Ipv6Addr::from_bits(half))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_tries_are_free_and_then_each_wait_is_twice_as_long_up_to_a_quarter_of_an_hour() {
        let mut tries = Tries::default();
        let mut now = 1_000_000;
        for _ in 0..FREE {
            assert_eq!(tries.take(FREE, now), Ok(()));
        }
        for wait in [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900] {
            assert_eq!(
                tries.take(FREE, now),
                Err(RefusedSignIn::Wait(wait * 1_000))
            );
            now += wait * 1_000;
            assert_eq!(tries.take(FREE, now), Ok(()));
        }
        now += FORGOTTEN_MS + 1;
        for _ in 0..FREE {
            assert_eq!(tries.take(FREE, now), Ok(()));
        }
    }

    #[test]
    fn very_many_networks_end_nobodys_wait() {
        let addresses = Addresses::default();
        let waiting = IpAddr::from([192, 0, 2, 1]);
        let now = 1_000_000;
        for _ in 0..FREE_ADDRESS {
            assert_eq!(addresses.take(waiting, now), Ok(()));
        }
        let many = u32::try_from(ADDRESSES_MAX).expect("few enough") + 10;
        for number in 0..many {
            let other = IpAddr::from((0x0a00_0000 + number).to_be_bytes());
            assert_eq!(addresses.take(other, now + 1), Ok(()));
        }
        assert!(addresses.take(waiting, now + 1).is_err());
        let kept = addresses.0.lock().expect("nobody panicked").len();
        assert_eq!(kept, ADDRESSES_MAX);
    }

    #[test]
    fn one_subscriber_of_ipv6_is_one_address() {
        let address = |text: &str| text.parse::<IpAddr>().expect("an address");
        assert_eq!(
            network(address("2001:db8::1")),
            network(address("2001:db8::2:3"))
        );
        assert_ne!(
            network(address("2001:db8::1")),
            network(address("2001:db8:0:1::1"))
        );
        assert_eq!(network(address("::ffff:10.0.0.1")), address("10.0.0.1"));
    }
}
