//! The returns that the programme wants of a hub.

use time::{Date, Duration};

use crate::sample::chance::Chance;
use crate::sample::nation::Reports;
use crate::sample::options::SampleOptions;
use crate::sample::school_year::SchoolYear;

/// What returns count: name, version and question.
pub(crate) const MEASURES: [(&str, u32, &str); 3] = [
    (
        "participation",
        1,
        "How many people were accepted, started, withdrew and completed.",
    ),
    (
        "participation",
        2,
        "How many people applied, were accepted, started, withdrew and completed.",
    ),
    ("schools", 1, "How many schools of the area took part."),
];

/// The periods, each with the week at whose start its counts are taken.
const PERIODS: [(&str, usize); 3] = [("Autumn", 15), ("Spring", 29), ("Summer", 45)];

/// A return that is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReturnWanted {
    /// The period.
    pub period: &'static str,
    /// The measure.
    pub measure: &'static str,
    /// The version of the measure that this hub uses.
    pub measure_version: u32,
    /// The day as at which it counts.
    pub as_at: Date,
    /// The day on which it is due.
    pub due: Date,
    /// What becomes of it.
    pub reports: Reports,
    /// The day on which it is submitted, if it is.
    pub submitted: Option<Date>,
}

/// When which return is due.
pub(crate) fn due(year: &str) -> Vec<(&'static str, &'static str, Date)> {
    let school_year = SchoolYear::new(year);
    let all = PERIODS.iter().flat_map(|(period, week)| {
        ["participation", "schools"].map(|measure| (*period, measure, school_year.day(week + 2, 4)))
    });
    all.collect()
}

/// The returns of a hub: most in time, some late, some never.
pub(crate) fn wanted(options: &SampleOptions) -> Vec<ReturnWanted> {
    let mut chance = Chance::new(options.seed, &format!("returns of {}", options.hub_code));
    let newest = if chance.falls(70) { 2 } else { 1 };
    let wanted =
        due(options.year)
            .into_iter()
            .enumerate()
            .map(|(number, (period, measure, due))| {
                // The last is late in every hub's year, and one of the second period is missing.
                let reports = match number {
                    3 => Reports::Never,
                    5 => Reports::Late,
                    _ => Reports::InTime,
                };
                let submitted = match reports {
                    Reports::InTime => Some(due - Duration::days(i64::from(chance.falls(50)) + 1)),
                    Reports::Late => Some(due + Duration::days(24)),
                    Reports::Never => None,
                };
                ReturnWanted {
                    period,
                    measure,
                    measure_version: if measure == "participation" && period != "Autumn" {
                        newest
                    } else {
                        1
                    },
                    as_at: due - Duration::days(18),
                    due,
                    reports,
                    submitted,
                }
            });
    wanted.collect()
}
