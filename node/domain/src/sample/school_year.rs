//! The days of an academic year on which schools meet.

use time::{Date, Duration, Month};

use crate::sample::chance::Chance;

/// The terms, each as its weeks counted from the first Monday after 6 September or on it, and the
/// same after half-term.
const TERMS: [(&str, usize, usize); 6] = [
    ("Autumn 1", 0, 6),
    ("Autumn 2", 8, 14),
    ("Spring 1", 17, 22),
    ("Spring 2", 24, 28),
    ("Summer 1", 31, 37),
    ("Summer 2", 39, 45),
];

/// Weeks with a bank holiday or the end of a term on their Monday or Friday.
const SHORT_WEEKS: [usize; 3] = [14, 28, 34];

/// An academic year.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SchoolYear {
    first_monday: Date,
}

impl SchoolYear {
    /// The year that begins as `year` says, as in 2026-27.
    pub fn new(year: &str) -> Self {
        let from = year.get(..4).and_then(|digits| digits.parse().ok());
        let sixth = Date::from_calendar_date(from.unwrap_or(2026), Month::September, 6)
            .unwrap_or(Date::MIN);
        let days = i64::from(sixth.weekday().number_from_monday());
        Self {
            first_monday: sixth + Duration::days((8 - days) % 7),
        }
    }

    /// The half-terms: name, first and last day.
    pub fn terms(&self) -> Vec<(&'static str, Date, Date)> {
        TERMS
            .iter()
            .map(|(name, from, until)| (*name, self.day(*from, 0), self.day(*until, 4)))
            .collect()
    }

    /// Whether schools are open.
    pub fn is_school_day(&self, day: Date) -> bool {
        day.weekday().number_from_monday() <= 5
            && self
                .terms()
                .iter()
                .any(|(_, from, until)| (*from..=*until).contains(&day))
    }

    /// Its last day in schools.
    pub fn last_day(&self) -> Date {
        self.day(45, 4)
    }

    /// The weeks of the terms.
    pub(crate) fn weeks() -> Vec<usize> {
        TERMS
            .iter()
            .flat_map(|(_, from, until)| *from..=*until)
            .collect()
    }

    /// A day of a week on which a group could meet.
    pub(crate) fn meeting_day(&self, week: usize, chance: &mut Chance) -> Date {
        let day = if SHORT_WEEKS.contains(&week) {
            chance.between(1, 3)
        } else {
            chance.pick(&[0, 1, 1, 2, 2, 3, 3, 4])
        };
        self.day(week, day)
    }

    /// A day of a week, Monday being 0.
    pub(crate) fn day(&self, week: usize, day: usize) -> Date {
        let days = i64::try_from(week * 7 + day).unwrap_or(0);
        self.first_monday + Duration::days(days)
    }
}
