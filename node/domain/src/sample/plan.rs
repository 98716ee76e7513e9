//! A hub's plan: fourteen needs, what members think of them, priorities and items.

use serde_json::json;

use crate::change::FieldChange;
use crate::sample::board::StrategicGroup;
use crate::sample::chance::Chance;
use crate::sample::hub_year::HubYear;
use crate::sample::options::SampleOptions;
use crate::sample::record::{SampleRecord, add, reference};
use crate::sample::template::{PRIORITIES, TEMPLATES};

/// Statement, phase, and the number of the national priority that answers it.
type NeedRow = (&'static str, &'static str, usize);

/// The needs.
const NEEDS: [NeedRow; 14] = [
    (
        "Pupils who fall behind in number by Year 2 stay behind",
        "primary",
        0,
    ),
    (
        "Reception children have few chances to talk about number",
        "early years",
        0,
    ),
    (
        "Calculation is taught without its reasons in many schools",
        "primary",
        0,
    ),
    ("Departments plan alone, not together", "secondary", 0),
    (
        "What Year 6 leaves off is not where Year 7 begins",
        "all",
        1,
    ),
    ("Ratio is taught as a set of tricks", "secondary", 1),
    (
        "Science and maths name the same thing differently",
        "secondary",
        1,
    ),
    (
        "Students who resit at 16 meet the same lessons again",
        "post-16",
        1,
    ),
    ("One in three maths leads is new to the role", "all", 2),
    ("New heads of department have nobody to ask", "secondary", 2),
    (
        "A quarter of Key Stage 3 lessons are taught by non-specialists",
        "secondary",
        3,
    ),
    (
        "Early years practitioners doubt their own maths",
        "early years",
        3,
    ),
    ("Girls leave maths at 16 more often than boys", "post-16", 4),
    ("Small colleges cannot run Core Maths alone", "post-16", 4),
];

/// A plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Its key among the sample's records.
    pub key: String,
    /// Its title.
    pub title: String,
    /// The needs.
    pub needs: Vec<Need>,
    /// How severe members find them.
    pub severities: Vec<Severity>,
    /// What is planned.
    pub items: Vec<PlanItem>,
    /// Where it stands at the end of the sample.
    pub state: &'static str,
}

/// A need.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Need {
    /// Its id.
    pub id: String,
    /// What it says.
    pub statement: &'static str,
    /// The phase.
    pub phase: &'static str,
    /// The national priority that answers it.
    pub priority: &'static str,
}

/// A member's view of a need.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Severity {
    /// The need's id.
    pub need: String,
    /// The member, by the person's place.
    pub member: usize,
    /// From 1 to 5.
    pub severity: usize,
}

/// Something that is planned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanItem {
    /// Its id.
    pub id: String,
    /// What it is.
    pub title: &'static str,
    /// The national priority.
    pub priority: &'static str,
    /// Work groups planned.
    pub groups: usize,
    /// Schools aimed at.
    pub schools: usize,
    /// Money in pence.
    pub pence: i64,
}

impl Plan {
    pub(crate) fn generate(options: &SampleOptions, board: &StrategicGroup) -> Self {
        let mut chance = Chance::new(options.seed, &format!("plan of {}", options.hub_code));
        let need = |(number, (statement, phase, priority)): (usize, &NeedRow)| Need {
            id: format!("need-{}", number + 1),
            statement,
            phase,
            priority: PRIORITIES[priority % PRIORITIES.len()].0,
        };
        let needs = NEEDS.iter().enumerate().map(need).collect::<Vec<_>>();
        let mut severities = Vec::new();
        for (member, role, _) in &board.members {
            for need in &needs {
                // Observers and the clerk give none, and some members forget one.
                if matches!(*role, "observer" | "clerk") || chance.falls(8) {
                    continue;
                }
                severities.push(Severity {
                    need: need.id.clone(),
                    member: *member,
                    severity: chance.between(1, 5),
                });
            }
        }
        let items = TEMPLATES.iter().enumerate().map(|(number, template)| {
            let groups = options.scaled(template.count, 1);
            PlanItem {
                id: format!("item-{}", number + 1),
                title: template.title,
                priority: template.priority,
                groups,
                schools: groups * 6,
                pence: i64::try_from(groups * chance.between(15, 30) * 10_000).unwrap_or(0),
            }
        });
        Self {
            key: "plan".to_owned(),
            title: format!("{} plan {}", options.hub_name, options.year),
            items: items.collect(),
            needs,
            severities,
            state: "amended",
        }
    }

    pub(crate) fn record(&self, year: &HubYear) -> SampleRecord {
        let needs = self.needs.iter().map(|it| {
            json!({
                "id": it.id, "statement": it.statement, "phase": it.phase,
                "evidence": "What schools told us in summer (made up)",
                "raised_at": "Needs of the year",
            })
        });
        let severities = self.severities.iter().map(|it| {
            let member = year
                .people
                .get(it.member)
                .map(|person| reference(&person.key));
            json!({"need": it.need, "member": member, "severity": it.severity})
        });
        let priorities = PRIORITIES.iter().enumerate().map(|(rank, (title, ..))| {
            let from = self.needs.iter().filter(|need| need.priority == *title);
            let from = from
                .map(|need| need.id.as_str())
                .collect::<Vec<_>>()
                .join(" ");
            json!({
                "id": format!("priority-{}", rank + 1), "title": title, "national": title,
                "needs": from, "rank": rank + 1,
            })
        });
        let items = self.items.iter().map(|it| {
            json!({
                "id": it.id, "title": it.title, "priority": it.priority, "groups": it.groups,
                "schools": it.schools, "money": it.pence,
                "outcome": "Teachers change what they do, and pupils notice",
            })
        });
        SampleRecord::new(
            "plan",
            self.key.clone(),
            json!({
                "title": self.title, "year": year.options.year, "needs": needs.collect::<Vec<_>>(),
                "severities": severities.collect::<Vec<_>>(),
                "priorities": priorities.collect::<Vec<_>>(), "items": items.collect::<Vec<_>>(),
            }),
        )
        .with_steps(steps())
    }
}

/// The plan's way to the board, to the coordinator and through the year.
fn steps() -> Vec<Vec<FieldChange>> {
    let decision = json!({
        "about": "Order of the needs", "outcome": "Agreed as ranked by the members.",
    });
    vec![
        vec![
            add("decisions", None, decision),
            FieldChange::set("state", "board"),
        ],
        vec![FieldChange::set("state", "submitted")],
        vec![FieldChange::set("state", "returned")],
        vec![
            add(
                "comments",
                None,
                json!({"text": "Said more about post-16, as asked."}),
            ),
            FieldChange::set("state", "submitted"),
        ],
        vec![FieldChange::set("state", "agreed")],
        vec![FieldChange::set("state", "amended")],
        vec![
            FieldChange::set(
                "impact",
                "Most groups say that planning changed. Attendance after Easter was too low.",
            ),
            FieldChange::set(
                "lessons",
                "Ask schools before June; small schools need cover that is paid.",
            ),
        ],
    ]
}
