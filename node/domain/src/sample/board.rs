//! A hub's strategic leadership group.

use serde_json::{Value as Json, json};
use time::Date;

use crate::change::FieldChange;
use crate::sample::hub_year::{HubYear, People};
use crate::sample::record::{SampleRecord, add, day, reference};
use crate::sample::school_year::SchoolYear;

/// The weeks of the meetings.
const MEETINGS: [(usize, &str); 6] = [
    (2, "Needs of the year"),
    (9, "Plan and money"),
    (18, "Half way"),
    (26, "Commissions"),
    (35, "What we learnt"),
    (43, "Evaluation"),
];

const SEATS: [(&str, &str); 11] = [
    ("chair", "Sampleton Teaching School Alliance"),
    ("clerk", "the hub's office"),
    ("member", "Mock University, School of Education"),
    ("member", "Sampleshire County Council"),
    ("member", "Sample Learning Trust"),
    ("member", "Placeholder Schools Collaborative"),
    ("member", "Association of Made-up Mathematics"),
    ("member", "Demoby Engineering (sample employer)"),
    ("member", "a primary school of the area"),
    ("member", "a college of the area"),
    ("observer", "the coordinator's office"),
];

/// What was decided: about what, the outcome, and the meeting by its number. The third was
/// entered twice with different outcomes.
const DECISIONS: [(&str, &str, usize); 7] = [
    ("Order of the needs", "Agreed as ranked by the members.", 1),
    ("Plan for the year", "To be submitted.", 2),
    ("Money for small schools", "Cover is paid for two days.", 2),
    ("Money for small schools", "Cover is paid for one day.", 2),
    ("Readiness groups", "Two more in spring.", 3),
    ("Franchise with the alliance", "Goes on until August.", 4),
    ("Post-16 participation", "Ask two more colleges.", 5),
];

/// A strategic leadership group in one year.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StrategicGroup {
    /// The members: person by place, role and organisation.
    pub members: Vec<(usize, &'static str, &'static str)>,
    /// The meetings.
    pub meetings: Vec<Meeting>,
    /// The decisions: about what, the outcome, and the meeting's id.
    pub decisions: Vec<(&'static str, &'static str, String)>,
    /// The actions: what, who by place, due, and `open` or `done`.
    pub actions: Vec<(&'static str, usize, Date, &'static str)>,
}

/// A meeting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Meeting {
    /// Its id.
    pub id: String,
    /// What it is about.
    pub title: &'static str,
    /// The day.
    pub date: Date,
    /// `planned` or `held`.
    pub state: &'static str,
}

impl StrategicGroup {
    pub(crate) fn generate(year: SchoolYear, people: &mut People<'_>) -> Self {
        let now = crate::sample::group_year::now(year);
        let seats = SEATS.iter();
        let members = seats
            .map(|(role, organisation)| {
                (
                    people.add(Some(((*organisation).to_owned(), None))),
                    *role,
                    *organisation,
                )
            })
            .collect::<Vec<_>>();
        let meetings = MEETINGS.iter().enumerate().map(|(number, (week, title))| {
            let date = year.day(*week, 3);
            Meeting {
                id: format!("meeting-{}", number + 1),
                title,
                date,
                state: if date < now { "held" } else { "planned" },
            }
        });
        let who = |number: usize| {
            members
                .get(number % members.len().max(1))
                .map_or(0, |it| it.0)
        };
        Self {
            meetings: meetings.collect(),
            decisions: DECISIONS
                .iter()
                .map(|(about, outcome, meeting)| (*about, *outcome, format!("meeting-{meeting}")))
                .collect(),
            actions: vec![
                (
                    "Ring the schools that no group has reached",
                    who(2),
                    year.day(20, 4),
                    "done",
                ),
                (
                    "Ask the university for two researchers",
                    who(0),
                    year.day(27, 4),
                    "done",
                ),
                (
                    "Find a venue in the north of the area",
                    who(3),
                    year.day(36, 4),
                    "open",
                ),
                (
                    "Write to colleges about Core Maths",
                    who(4),
                    year.day(44, 4),
                    "open",
                ),
            ],
            members,
        }
    }

    pub(crate) fn record(&self, year: &HubYear) -> SampleRecord {
        let person = |at: usize| year.people.get(at).map(|person| reference(&person.key));
        let from = year.school_year.day(0, 0);
        let members = self.members.iter().map(|(at, role, organisation)| {
            json!({"person": person(*at), "organisation": organisation, "role": role, "from": day(from)})
        });
        let meetings = self.meetings.iter().map(|it| {
            json!({
                "id": it.id, "title": it.title, "date": day(it.date), "start": "16:00",
                "venue": "Sampleton town hall", "agenda": format!("1. Minutes\n2. {}\n3. Any other business", it.title),
            })
        });
        let papers = self.meetings.iter().map(|it| {
            json!({"meeting": it.id, "title": format!("{}: paper", it.title), "text": "Made up for the sample."})
        });
        let actions = self.actions.iter().map(|(what, who, due, state)| {
            json!({"what": what, "person": person(*who), "due": day(*due), "state": state})
        });
        SampleRecord::new(
            "strategic-group",
            "strategic-group",
            json!({
                "title": format!("{} strategic leadership group", year.options.hub_name),
                "year": year.options.year,
                "terms_of_reference": "The group finds needs, sets priorities, agrees the plan, commissions and evaluates.",
                "members": members.collect::<Vec<_>>(), "meetings": meetings.collect::<Vec<_>>(),
                "papers": papers.collect::<Vec<_>>(), "actions": actions.collect::<Vec<_>>(),
            }),
        )
        .with_steps(self.steps())
    }

    fn steps(&self) -> Vec<Vec<FieldChange>> {
        let held = self
            .meetings
            .iter()
            .filter(|meeting| meeting.state == "held");
        let step = |meeting: &Meeting| {
            let field = |name: &str| format!("meetings/{}/{name}", meeting.id);
            let minutes = format!(
                "The group met on {} and talked about: {}.",
                meeting.date, meeting.title
            );
            let decided = self.decisions.iter().filter(|(.., at)| *at == meeting.id);
            let decided = decided.map(|(about, outcome, at)| {
                let values: Json = json!({"about": about, "outcome": outcome, "on": day(meeting.date), "meeting": at});
                add("decisions", None, values)
            });
            let mut step = vec![
                FieldChange::set(field("minutes"), minutes),
                FieldChange::set(field("state"), "held"),
            ];
            step.extend(decided);
            step
        };
        held.map(step).collect()
    }
}
