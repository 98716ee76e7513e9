//! An axis from zero to a round number, in round steps.

use crate::web::words;

/// Steps that an axis has at most.
const STEPS: u128 = 5;

/// From zero to a round number.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scale {
    step: u128,
    end: u128,
}

impl Scale {
    /// The shortest axis of at most five steps of 1, 2 or 5 (or ten times as much, and so on) on which
    /// `most` has room.
    pub(super) fn to(most: u64) -> Self {
        let most = u128::from(most.max(1));
        let mut unit = 1;
        let step = loop {
            // The largest number needs a step of 5 with 18 noughts: far from the end of what is counted in.
            if let Some(step) = [unit, 2 * unit, 5 * unit]
                .into_iter()
                .find(|step| step * STEPS >= most)
            {
                break step;
            }
            unit *= 10;
        };
        Self {
            step,
            end: most.div_ceil(step) * step,
        }
    }

    /// How far along the axis a value stands, in per cent.
    pub(super) fn share(&self, value: u64) -> f64 {
        // A hundredth of a per cent is less than can be seen.
        let parts = u128::from(value).min(self.end) * 10_000 / self.end;
        u32::try_from(parts).map_or(100.0, |parts| f64::from(parts) / 100.0)
    }

    /// The round numbers along the axis.
    pub(super) fn ticks(&self) -> Vec<u64> {
        let ticks = (0..=self.end / self.step).map(|index| index * self.step);
        ticks.filter_map(|tick| u64::try_from(tick).ok()).collect()
    }

    /// Those of them that are named where there is room for so many letters in all: every one, or else
    /// the first and the last.
    pub(super) fn named(&self, letters: usize) -> Vec<u64> {
        let ticks = self.ticks();
        let needed = ticks.iter().map(|tick| words::number(*tick).len() + 2);
        if needed.sum::<usize>() <= letters {
            return ticks;
        }
        let ends = [ticks.first(), ticks.last()];
        ends.into_iter().flatten().copied().collect()
    }
}

/// A place along the width, as SVG has it.
pub(super) fn per_cent(value: f64) -> String {
    format!("{value:.2}%")
}

/// A count for reckoning with shares; far more than can be drawn is the most there is.
pub(super) fn float(count: usize) -> f64 {
    u32::try_from(count).map_or(f64::from(u32::MAX), f64::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_end_at_round_numbers() {
        assert_eq!(Scale::to(0).ticks(), [0, 1]);
        assert_eq!(Scale::to(3).ticks(), [0, 1, 2, 3]);
        assert_eq!(Scale::to(18).ticks(), [0, 5, 10, 15, 20]);
        assert_eq!(Scale::to(501).ticks(), [0, 200, 400, 600]);
        assert_eq!(
            Scale::to(1_000_000).ticks().last().copied(),
            Some(1_000_000)
        );
    }

    #[test]
    fn no_number_leaves_the_axis() {
        for most in [0, 1, 7, 999, 1_000_000, u64::MAX - 1, u64::MAX] {
            let scale = Scale::to(most);
            assert!(scale.ticks().len() <= 6, "{most}");
            for value in [0, 1, most / 2, most, u64::MAX] {
                let share = scale.share(value);
                assert!((0.0..=100.0).contains(&share), "{value} of {most}: {share}");
            }
        }
    }

    #[test]
    fn ticks_without_room_are_the_first_and_the_last() {
        assert_eq!(Scale::to(20).named(100), [0, 5, 10, 15, 20]);
        assert_eq!(Scale::to(1_000_000).named(20), [0, 1_000_000]);
    }
}
