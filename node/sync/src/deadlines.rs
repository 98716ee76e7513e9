//! What is due when.

use std::collections::{BTreeMap, BTreeSet};

use crate::Timestamp;

/// For each of many things when it is due. The earliest is found without looking at the others.
#[derive(Debug)]
pub(crate) struct Deadlines<K> {
    due: BTreeMap<K, Timestamp>,
    in_order: BTreeSet<(Timestamp, K)>,
}

impl<K: Copy + Ord> Deadlines<K> {
    pub(crate) const fn new() -> Self {
        Self {
            due: BTreeMap::new(),
            in_order: BTreeSet::new(),
        }
    }

    /// Has something due then, whatever was said of it before; never, if `due` is none.
    pub(crate) fn set(&mut self, key: K, due: Option<Timestamp>) {
        if self.get(&key) == due {
            return;
        }
        let before = match due {
            Some(due) => self.due.insert(key, due),
            None => self.due.remove(&key),
        };
        if let Some(before) = before {
            self.in_order.remove(&(before, key));
        }
        if let Some(due) = due {
            self.in_order.insert((due, key));
        }
    }

    pub(crate) fn get(&self, key: &K) -> Option<Timestamp> {
        self.due.get(key).copied()
    }

    /// When the first of all is due. It may have passed.
    pub(crate) fn first(&self) -> Option<Timestamp> {
        self.in_order.first().map(|(due, _)| *due)
    }

    /// Takes out what is due by now, in the order of the keys.
    pub(crate) fn take_passed(&mut self, now: Timestamp) -> BTreeSet<K> {
        let mut passed = BTreeSet::new();
        while let Some((_, key)) = self.in_order.first().filter(|(due, _)| *due <= now) {
            let key = *key;
            self.set(key, None);
            passed.insert(key);
        }
        passed
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Debug, Clone)]
    enum Step {
        Set(u8, Option<u64>),
        Pass(u64),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            4 => (0..20_u8, proptest::option::of(0..50_u64)).prop_map(|(key, due)| Step::Set(key, due)),
            1 => (0..50_u64).prop_map(Step::Pass),
        ]
    }

    proptest! {
        #[test]
        fn what_is_kept_in_order_says_what_a_look_at_all_says(
            steps in proptest::collection::vec(step(), 0..200)
        ) {
            let mut deadlines = Deadlines::new();
            let mut plain = BTreeMap::<u8, Timestamp>::new();
            for step in steps {
                match step {
                    Step::Set(key, due) => {
                        deadlines.set(key, due.map(Timestamp));
                        plain.remove(&key);
                        plain.extend(due.map(|due| (key, Timestamp(due))));
                    }
                    Step::Pass(now) => {
                        let now = Timestamp(now);
                        let passed = plain.extract_if(.., |_, due| *due <= now);
                        let passed = passed.map(|(key, _)| key).collect::<BTreeSet<_>>();
                        prop_assert_eq!(deadlines.take_passed(now), passed);
                    }
                }
                prop_assert_eq!(deadlines.first(), plain.values().min().copied());
                prop_assert!((0..20).all(|key| deadlines.get(&key) == plain.get(&key).copied()));
            }
        }
    }
}
