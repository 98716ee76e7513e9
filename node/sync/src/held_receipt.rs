//! The latest receipt of one node for one space, and what it replaced.

use std::borrow::Cow;
use std::collections::{BTreeSet, VecDeque};

use node_feed::{FeedName, Heights, HeightsDifference, Receipt};

/// How many earlier receipts are kept, for others to be rebuilt from. A later one may be on its way
/// while a peer that saw an earlier one answers.
const EARLIER_MAX: usize = 3;
/// And how many heights they may differ in, all together. Where they differ in more, others are said
/// whole.
const EARLIER_HEIGHTS_MAX: usize = 4_096;

/// A receipt that is held. Earlier ones are kept as differences, which costs next to no memory.
#[derive(Debug)]
pub(crate) struct HeldReceipt {
    latest: Receipt,
    /// The newest first.
    earlier: VecDeque<Earlier>,
}

/// A receipt that was replaced.
#[derive(Debug)]
struct Earlier {
    mark: u64,
    time_ms: u64,
    /// What makes its heights of those of the receipt that replaced it.
    back: HeightsDifference,
}

impl HeldReceipt {
    pub(crate) const fn new(latest: Receipt) -> Self {
        let earlier = VecDeque::new();
        Self { latest, earlier }
    }

    /// Takes a later receipt of the same node and space, and says which feeds it tells news of.
    pub(crate) fn replace(&mut self, receipt: Receipt) -> BTreeSet<FeedName> {
        let back = HeightsDifference::between(&receipt.heights, &self.latest.heights);
        let news = back.feeds(&receipt.heights);
        self.earlier.truncate(EARLIER_MAX - 1);
        self.earlier.push_front(Earlier {
            mark: self.latest.mark(),
            time_ms: self.latest.time_ms,
            back,
        });
        self.latest = receipt;
        self.forget_earlier();
        news
    }

    /// Each is rebuilt from those after it, so that the oldest go first.
    fn forget_earlier(&mut self) {
        let mut differing = 0;
        let is_kept = |earlier: &&Earlier| {
            differing += earlier.back.named();
            differing <= EARLIER_HEIGHTS_MAX
        };
        let kept = self.earlier.iter().take_while(is_kept).count();
        self.earlier.truncate(kept);
    }

    pub(crate) const fn latest(&self) -> &Receipt {
        &self.latest
    }

    /// The heights of the receipt with this mark, if it is kept.
    pub(crate) fn heights_of(&self, mark: u64) -> Option<Cow<'_, Heights>> {
        if self.latest.mark() == mark {
            return Some(Cow::Borrowed(&self.latest.heights));
        }
        let place = self.earlier.iter().position(|it| it.mark == mark)?;
        let mut heights = Cow::Borrowed(&self.latest.heights);
        for earlier in self.earlier.iter().take(place + 1) {
            heights = Cow::Owned(earlier.back.rebuild(&heights).ok()?);
        }
        Some(heights)
    }

    /// The mark of the receipt of this time, if it is kept.
    pub(crate) fn mark_at(&self, time_ms: u64) -> Option<u64> {
        if self.latest.time_ms == time_ms {
            return Some(self.latest.mark());
        }
        let earlier = self.earlier.iter().find(|it| it.time_ms == time_ms);
        earlier.map(|it| it.mark)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use node_feed::{Hash, Height, NetworkId, SecretKey, SpaceId};

    fn receipt(time_ms: u64) -> Receipt {
        let (network, space) = (NetworkId::from_bytes([1; 16]), SpaceId::from_bytes([2; 16]));
        let feed = |name: u8| FeedName::from_bytes([name; 32]);
        let (number, hash) = (time_ms, Hash::ZERO);
        let heights = [
            (feed(1), Height { number, hash }),
            (feed(9), Height { number: 7, hash }),
        ];
        let heights = heights.into_iter().collect();
        Receipt::sign(
            network,
            space,
            &SecretKey::from_seed(&[3; 32]),
            time_ms,
            heights,
        )
    }

    #[test]
    fn earlier_receipts_that_say_much_else_are_not_kept() {
        let with = |time_ms: u64, feeds: usize| {
            let (number, hash) = (time_ms, Hash::ZERO);
            let feed = |index: usize| {
                let mut name = [0; 32];
                name[..8].copy_from_slice(&(index as u64).to_be_bytes());
                (FeedName::from_bytes(name), Height { number, hash })
            };
            Receipt {
                time_ms,
                heights: (0..feeds).map(feed).collect(),
                ..receipt(1)
            }
        };
        for (feeds, kept) in [(1_300, 3), (2_000, 2), (5_000, 0)] {
            let mut held = HeldReceipt::new(with(1, feeds));
            for time_ms in 2..=5 {
                held.replace(with(time_ms, feeds));
            }
            let times = (1..5).filter(|time_ms| held.mark_at(*time_ms).is_some());
            assert_eq!(times.count(), kept, "of {feeds} heights");
        }
    }

    #[test]
    fn a_few_earlier_receipts_are_kept_beside_the_latest() {
        let mut held = HeldReceipt::new(receipt(1));
        for time_ms in 2..=9 {
            let news = held.replace(receipt(time_ms));
            assert_eq!(news, BTreeSet::from([FeedName::from_bytes([1; 32])]));
        }
        for time_ms in 1..=9 {
            let said = receipt(time_ms);
            let is_kept = time_ms >= 6;
            let mark = is_kept.then(|| said.mark());
            assert_eq!(held.mark_at(time_ms), mark);
            let heights = held.heights_of(said.mark()).map(Cow::into_owned);
            assert_eq!(heights, is_kept.then_some(said.heights));
        }
    }
}
