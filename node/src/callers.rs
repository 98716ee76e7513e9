//! How many connections each address has, so that none can take all places. This machine's own may have
//! as many as there are: a proxy in front speaks for everybody.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use crate::accounts::network;

/// How many connections each address has.
#[derive(Debug)]
pub(crate) struct Callers {
    most: usize,
    open: Mutex<HashMap<IpAddr, usize>>,
}

/// One connection of an address.
#[derive(Debug)]
pub(crate) struct Caller {
    callers: Arc<Callers>,
    network: IpAddr,
}

impl Callers {
    /// At most so many of each address.
    pub(crate) fn new(most: usize) -> Self {
        Self {
            most,
            open: Mutex::default(),
        }
    }

    /// Counts a connection; none if the address has as many as it may.
    pub(crate) fn enter(callers: &Arc<Self>, from: IpAddr) -> Option<Caller> {
        let network = network(from);
        let mut open = callers.open.lock().unwrap_or_else(PoisonError::into_inner);
        let count = open.entry(network).or_default();
        if *count >= callers.most && !from.to_canonical().is_loopback() {
            return None;
        }
        *count += 1;
        drop(open);
        Some(Caller {
            callers: Arc::clone(callers),
            network,
        })
    }
}

impl Drop for Caller {
    fn drop(&mut self) {
        let open = &self.callers.open;
        let mut open = open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = open.get_mut(&self.network) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.network);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_has_a_part_of_the_places_but_this_machine_as_many_as_there_are() {
        let callers = Arc::new(Callers::new(2));
        let enter = |from: &str| Callers::enter(&callers, from.parse().expect("an address"));
        let first = enter("192.0.2.1").expect("a place");
        let _second = enter("::ffff:192.0.2.1").expect("a place");
        assert!(enter("192.0.2.1").is_none());
        let _other = enter("192.0.2.2").expect("a place");
        drop(first);
        let _again = enter("192.0.2.1").expect("its place is free again");
        let here = (0..10).map(|_| enter("127.0.0.1"));
        assert!(here.collect::<Vec<_>>().iter().all(Option::is_some));
    }
}
