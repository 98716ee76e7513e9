//! What became of heights since earlier ones of the same space.

use std::collections::BTreeSet;

use crate::{FeedName, Height, Heights};

/// How heights differ from a *baseline* that whoever rebuilds them holds too. A feed of the baseline
/// is named by its place in the order of the baseline's names, from 0.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HeightsDifference {
    /// The places of feeds that are gone, rising.
    pub gone: Vec<u32>,
    /// The places of feeds whose height is another, rising, with what it is now.
    pub changed: Vec<(u32, Height)>,
    /// The feeds that the baseline lacks, in the order of their names.
    pub added: Vec<(FeedName, Height)>,
}

/// A difference is not one to this baseline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DifferenceError {
    /// It names a place twice, out of order, or where the baseline has no feed.
    #[error("a difference in heights names a feed that is not there")]
    Place,
    /// It adds a feed twice, out of order, or one that the baseline has.
    #[error("a difference in heights adds a feed that is there")]
    Added,
}

impl HeightsDifference {
    /// What makes `heights` of `baseline`.
    pub fn between(baseline: &Heights, heights: &Heights) -> Self {
        let mut difference = Self::default();
        let mut now = heights.iter().peekable();
        for (place, (feed, before)) in (0u32..).zip(baseline.iter()) {
            while let Some(added) = now.next_if(|(name, _)| *name < feed) {
                difference.added.push(added);
            }
            match now.next_if(|(name, _)| *name == feed) {
                None => difference.gone.push(place),
                Some((_, height)) if height != before => difference.changed.push((place, height)),
                Some(_) => {}
            }
        }
        difference.added.extend(now);
        difference
    }

    /// The heights that differ from `baseline` by this.
    ///
    /// # Errors
    /// [`DifferenceError`] if it cannot be a difference to `baseline`. One that is to another with
    /// as many feeds may still pass: only a signature or digest over the result says that it holds.
    pub fn rebuild(&self, baseline: &Heights) -> Result<Heights, DifferenceError> {
        let (mut gone, mut changed) = (self.gone.iter(), self.changed.iter());
        let (mut next_gone, mut next_changed) = (gone.next(), changed.next());
        let mut heights = Vec::with_capacity(baseline.len());
        for (place, (feed, height)) in (0u32..).zip(baseline.iter()) {
            if next_gone == Some(&place) {
                next_gone = gone.next();
            } else if let Some((_, now)) = next_changed.filter(|(at, _)| *at == place) {
                next_changed = changed.next();
                heights.push((feed, *now));
            } else {
                heights.push((feed, height));
            }
        }
        if next_gone.is_some() || next_changed.is_some() {
            return Err(DifferenceError::Place);
        }
        let mut last = None;
        for (feed, height) in &self.added {
            if baseline.get(feed).is_some() || last >= Some(feed) {
                return Err(DifferenceError::Added);
            }
            last = Some(feed);
            heights.push((*feed, *height));
        }
        Ok(heights.into_iter().collect())
    }

    /// How many feeds it is about.
    pub const fn named(&self) -> usize {
        self.gone.len() + self.changed.len() + self.added.len()
    }

    /// The feeds that it is about.
    pub fn feeds(&self, baseline: &Heights) -> BTreeSet<FeedName> {
        let places = self.gone.iter().copied();
        let places = places.chain(self.changed.iter().map(|(place, _)| *place));
        let places = places.collect::<BTreeSet<_>>();
        let named = (0u32..).zip(baseline.iter());
        let named = named.filter(|(place, _)| places.contains(place));
        let added = self.added.iter().map(|(feed, _)| *feed);
        named.map(|(_, (feed, _))| feed).chain(added).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Hash;

    fn height(number: u64) -> Height {
        Height {
            number,
            hash: Hash::from_bytes([number as u8; 32]),
        }
    }

    fn heights(said: &[(u8, u64)]) -> Heights {
        let named = said.iter();
        named
            .map(|(feed, number)| (FeedName::from_bytes([*feed; 32]), height(*number)))
            .collect()
    }

    #[test]
    fn heights_are_rebuilt_from_any_baseline_and_their_difference() {
        let all: [&[(u8, u64)]; 6] = [
            &[],
            &[(2, 1)],
            &[(2, 1), (4, 1), (6, 1)],
            &[(2, 2), (6, 1)],
            &[(1, 1), (2, 1), (3, 1), (4, 3), (7, 1)],
            &[(5, 9)],
        ];
        for baseline in all.map(heights) {
            for now in all.map(heights) {
                let difference = HeightsDifference::between(&baseline, &now);
                assert_eq!(difference.rebuild(&baseline), Ok(now.clone()));
                let is_same = difference == HeightsDifference::default();
                assert_eq!(is_same, baseline == now);
                for (feed, height) in baseline.iter().chain(now.iter()) {
                    let differs = baseline.get(&feed) != now.get(&feed);
                    assert_eq!(
                        differs,
                        difference.feeds(&baseline).contains(&feed),
                        "{height:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_difference_to_another_baseline_is_refused() {
        let baseline = heights(&[(2, 1), (4, 1)]);
        let feed = |name: u8| FeedName::from_bytes([name; 32]);
        let gone = |gone: &[u32]| HeightsDifference {
            gone: gone.to_vec(),
            ..HeightsDifference::default()
        };
        let changed = |places: &[u32]| HeightsDifference {
            changed: places.iter().map(|place| (*place, height(2))).collect(),
            ..HeightsDifference::default()
        };
        let added = |names: &[u8]| HeightsDifference {
            added: names.iter().map(|name| (feed(*name), height(2))).collect(),
            ..HeightsDifference::default()
        };
        let both = HeightsDifference {
            changed: vec![(1, height(2))],
            ..gone(&[1])
        };
        for wrong in [
            gone(&[2]),
            gone(&[1, 0]),
            gone(&[0, 0]),
            gone(&[u32::MAX]),
            both,
        ] {
            assert_eq!(wrong.rebuild(&baseline), Err(DifferenceError::Place));
        }
        for wrong in [changed(&[2]), changed(&[1, 0]), changed(&[1, 1])] {
            assert_eq!(wrong.rebuild(&baseline), Err(DifferenceError::Place));
        }
        for wrong in [added(&[2]), added(&[3, 1]), added(&[5, 5])] {
            assert_eq!(wrong.rebuild(&baseline), Err(DifferenceError::Added));
        }
    }
}
