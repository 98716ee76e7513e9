//! A set of records, by the numbers that the file gives them.

/// A bit for each number up to the highest in the set. Numbers stay close to how many records there
/// are, so that even the largest set costs some kilobytes.
#[derive(Debug, Clone, Default)]
pub(super) struct Ids {
    words: Vec<u64>,
    count: usize,
}

const BITS: usize = u64::BITS as usize;

impl Ids {
    pub(super) const fn len(&self) -> usize {
        self.count
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.count == 0
    }

    pub(super) fn insert(&mut self, id: i64) {
        let Some((word, bit)) = place(id) else {
            return;
        };
        if self.words.len() <= word {
            self.words.resize(word + 1, 0);
        }
        let word = &mut self.words[word];
        self.count += usize::from(*word & bit == 0);
        *word |= bit;
    }

    /// Whether it was in the set.
    pub(super) fn remove(&mut self, id: i64) -> bool {
        let Some((word, bit)) = place(id) else {
            return false;
        };
        let Some(word) = self.words.get_mut(word).filter(|word| **word & bit != 0) else {
            return false;
        };
        *word &= !bit;
        self.count -= 1;
        true
    }

    pub(super) fn contains(&self, id: i64) -> bool {
        let word = place(id).and_then(|(word, bit)| Some(self.words.get(word)? & bit));
        word.is_some_and(|found| found != 0)
    }

    /// Leaves what both have.
    pub(super) fn keep(&mut self, other: &Self) {
        let others = other.words.iter().copied().chain(std::iter::repeat(0));
        for (word, other) in self.words.iter_mut().zip(others) {
            *word &= other;
        }
        self.recount();
    }

    /// Leaves what the other has not.
    pub(super) fn subtract(&mut self, other: &Self) {
        for (word, other) in self.words.iter_mut().zip(&other.words) {
            *word &= !other;
        }
        self.recount();
    }

    /// In rising order.
    pub(super) fn iter(&self) -> impl Iterator<Item = i64> {
        let words = self.words.iter().enumerate();
        words.flat_map(|(index, word)| {
            let mut left = *word;
            std::iter::from_fn(move || {
                let bit = (left != 0).then(|| left.trailing_zeros() as usize)?;
                left &= left - 1;
                i64::try_from(index * BITS + bit).ok()
            })
        })
    }

    fn recount(&mut self) {
        let ones = self.words.iter().map(|word| word.count_ones() as usize);
        self.count = ones.sum();
    }
}

impl FromIterator<i64> for Ids {
    fn from_iter<T: IntoIterator<Item = i64>>(ids: T) -> Self {
        let mut set = Self::default();
        for id in ids {
            set.insert(id);
        }
        set
    }
}

fn place(id: i64) -> Option<(usize, u64)> {
    let id = usize::try_from(id).ok()?;
    Some((id / BITS, 1 << (id % BITS)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_counts_and_lists_what_is_in_it() {
        let mut set = [300, 1, 64, 63, 1].into_iter().collect::<Ids>();
        assert_eq!(set.iter().collect::<Vec<_>>(), [1, 63, 64, 300]);
        assert_eq!(set.len(), 4);
        assert!(set.remove(64) && !set.remove(64) && !set.contains(64));
        let other = [1, 2, 63].into_iter().collect::<Ids>();
        let mut both = set.clone();
        both.keep(&other);
        set.subtract(&other);
        assert_eq!(both.iter().collect::<Vec<_>>(), [1, 63]);
        assert_eq!(set.iter().collect::<Vec<_>>(), [300]);
        assert_eq!((both.len(), set.len()), (2, 1));
    }
}
