//! The order of lists' items, remembered while an edit adds to them.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use crate::rank;

/// The orders of the lists that an edit has asked for, by their keys.
#[derive(Debug, Default)]
pub(crate) struct Orders(BTreeMap<String, Order>);

/// The order of one list.
#[derive(Debug, Default)]
pub(crate) struct Order {
    /// By rank, and those of one rank by name.
    ranked: BTreeSet<(String, String)>,
    ranks: BTreeMap<String, String>,
}

impl Orders {
    /// The order of a list, by `read` if nobody has asked for it yet.
    pub(crate) fn of(
        &mut self,
        list: String,
        read: impl FnOnce() -> BTreeSet<(String, String)>,
    ) -> &Order {
        self.0.entry(list).or_insert_with(|| Order::of(read()))
    }

    /// Notes that an item is there. One that was not takes up the rank that it had once.
    pub(crate) fn keep(&mut self, list: &str, item: &str, rank: impl FnOnce() -> String) {
        if let Some(order) = self.0.get_mut(list)
            && !order.has(item)
        {
            order.place(item, rank());
        }
    }

    /// Notes where an item was placed.
    pub(crate) fn place(&mut self, list: &str, item: &str, rank: String) {
        if let Some(order) = self.0.get_mut(list) {
            order.place(item, rank);
        }
    }

    /// Notes that an item was taken out.
    pub(crate) fn remove(&mut self, list: &str, item: &str) {
        if let Some(order) = self.0.get_mut(list) {
            order.remove(item);
        }
    }

    /// Reads a list anew when it is asked for next.
    pub(crate) fn forget(&mut self, list: &str) {
        self.0.remove(list);
    }
}

impl Order {
    fn of(ranked: BTreeSet<(String, String)>) -> Self {
        let ranks = ranked
            .iter()
            .map(|(rank, item)| (item.clone(), rank.clone()));
        Self {
            ranks: ranks.collect(),
            ranked,
        }
    }

    pub(crate) fn items(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.ranked.iter().map(|(_, item)| item.as_str())
    }

    pub(crate) fn has(&self, item: &str) -> bool {
        self.ranks.contains_key(item)
    }

    /// A rank for `item` after another, or before all; none if that other is not there.
    pub(crate) fn rank_after(&self, after: Option<&str>, item: &str) -> Option<String> {
        let (before, start) = match after {
            None => ("", Bound::Unbounded),
            Some(after) if after == item => return None,
            Some(after) => {
                let rank = self.ranks.get(after)?;
                let place = (rank.clone(), after.to_owned());
                (rank.as_str(), Bound::Excluded(place))
            }
        };
        let mut later = self.ranked.range((start, Bound::Unbounded));
        let next = later.find(|(rank, other)| rank.as_str() > before && other != item);
        Some(rank::between(
            before,
            next.map(|(rank, _)| rank.as_str()),
            item,
        ))
    }

    fn place(&mut self, item: &str, rank: String) {
        self.remove(item);
        self.ranked.insert((rank.clone(), item.to_owned()));
        self.ranks.insert(item.to_owned(), rank);
    }

    fn remove(&mut self, item: &str) {
        if let Some(rank) = self.ranks.remove(item) {
            self.ranked.remove(&(rank, item.to_owned()));
        }
    }
}
