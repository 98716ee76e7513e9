//! Practices that a hub captured.

use serde_json::json;

use crate::change::FieldChange;
use crate::sample::group::Group;
use crate::sample::hub_year::HubYear;
use crate::sample::record::{SampleRecord, reference};

const STATES: [&str; 5] = ["idea", "trial", "captured", "tested", "recommended"];

/// Title, phase, the number of the state, and tags.
type PracticeRow = (&'static str, &'static str, usize, &'static [&'static str]);

const PRACTICES: [PracticeRow; 9] = [
    (
        "Two books, nothing written: a gap task that everybody does",
        "all",
        3,
        &["gap task"],
    ),
    (
        "Ten frames before numerals",
        "early years",
        4,
        &["number", "representation"],
    ),
    (
        "Same question, three classes",
        "primary",
        2,
        &["lesson study"],
    ),
    (
        "One representation a half-term",
        "primary",
        1,
        &["representation"],
    ),
    (
        "Ratio tables from Year 5 to Year 8",
        "all",
        3,
        &["ratio", "continuity"],
    ),
    (
        "A shared glossary with science",
        "secondary",
        2,
        &["science", "language"],
    ),
    (
        "First hundred days of a head of maths",
        "secondary",
        1,
        &["leadership"],
    ),
    (
        "Core Maths taught across two colleges",
        "post-16",
        0,
        &["Core Maths"],
    ),
    ("Peer coaching in pairs of schools", "all", 4, &["coaching"]),
];

/// A practice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Practice {
    /// Its key among the sample's records.
    pub key: String,
    /// Its title.
    pub title: &'static str,
    /// The phase.
    pub phase: &'static str,
    /// Where it stands.
    pub state: &'static str,
    /// Tags.
    pub tags: Vec<&'static str>,
    /// The group in which it was tried, by its place.
    pub group: Option<usize>,
    /// How often it was used.
    pub uses: usize,
}

impl Practice {
    pub(crate) fn generate(groups: &[Group]) -> Vec<Self> {
        let practices = PRACTICES.iter().enumerate();
        let practice = |(number, (title, phase, state, tags)): (usize, &PracticeRow)| {
            let tried = groups
                .iter()
                .position(|group| *phase == "all" || group.phase == *phase);
            Self {
                key: format!("practice-{}", number + 1),
                title,
                phase,
                state: STATES[state % STATES.len()],
                tags: tags.to_vec(),
                group: tried.filter(|_| *state > 0),
                uses: state * 7 + number,
            }
        };
        practices.map(practice).collect()
    }

    pub(crate) fn record(&self, year: &HubYear) -> SampleRecord {
        let group = self
            .group
            .and_then(|at| year.groups.get(at))
            .map(|it| reference(&it.key));
        let reached = STATES.iter().position(|state| *state == self.state);
        let mut steps = STATES
            .iter()
            .take(reached.unwrap_or(0) + 1)
            .skip(1)
            .map(|state| vec![FieldChange::set("state", *state)])
            .collect::<Vec<_>>();
        if self.uses > 0 {
            steps.push(vec![FieldChange::Count {
                field: "uses".to_owned(),
                by: i64::try_from(self.uses).unwrap_or(0),
            }]);
        }
        SampleRecord::new(
            "practice",
            self.key.clone(),
            json!({
                "title": self.title, "phase": self.phase, "tags": self.tags, "group": group,
                "body": "What we did, step by step, and what pupils then said. Made up for the sample.",
                "licence": "OGL 3.0",
                "files": [{"name": "slides.pdf", "bytes": 420_000}],
            }),
        )
        .with_steps(steps)
    }
}
