//! A hub's partners, and the organisations that it added by itself.

use serde_json::json;
use time::{Date, Month};

use crate::change::FieldChange;
use crate::sample::options::SampleOptions;
use crate::sample::record::{SampleRecord, reference};
use crate::sample::school::School;

/// Name, kind, roles and strengths.
type PartnerRow = (
    &'static str,
    &'static str,
    &'static [&'static str],
    &'static [&'static str],
);

const PARTNERS: [PartnerRow; 8] = [
    (
        "Sampleton Teaching School Alliance",
        "alliance",
        &["strategic", "operational"],
        &["early years number", "new leaders"],
    ),
    (
        "Mock University, School of Education",
        "university",
        &["research", "strategic"],
        &["lesson study", "evaluation"],
    ),
    (
        "Placeholder Schools Collaborative",
        "alliance",
        &["operational"],
        &["mastery readiness"],
    ),
    (
        "Fixture Professional Development",
        "CPD provider",
        &["operational"],
        &["subject knowledge"],
    ),
    (
        "Demoby Engineering (sample employer)",
        "employer",
        &["employer"],
        &["post-16 careers"],
    ),
    (
        "Sampleshire County Council",
        "council",
        &["funder", "strategic"],
        &["small schools"],
    ),
    (
        "Association of Made-up Mathematics",
        "subject association",
        &["strategic"],
        &["publications"],
    ),
    (
        "Sample Learning Trust",
        "trust",
        &["operational", "strategic"],
        &["leadership"],
    ),
];

/// The place of the partner that was removed though it still holds a commission.
const REMOVED: usize = 3;

/// A partner with its organisation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Partner {
    /// Its key among the sample's records.
    pub key: String,
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: &'static str,
    /// Its roles.
    pub roles: Vec<&'static str>,
    /// Its strengths.
    pub strengths: Vec<&'static str>,
    /// The numbers of the schools of an alliance or trust.
    pub members: Vec<String>,
    /// Work groups that it can run in each term.
    pub capacity: Vec<(&'static str, usize)>,
    /// Roles that were passed to it, until which day.
    pub delegated: Vec<(&'static str, Date)>,
    /// `current` or `removed`.
    pub state: &'static str,
    /// How the same organisation was typed a second time by somebody who did not find it.
    pub typed_again: Option<&'static str>,
}

impl Partner {
    pub(crate) fn generate(options: &SampleOptions, schools: &[School]) -> Vec<Self> {
        let until = Date::from_calendar_date(options.first_year() + 1, Month::August, 31);
        let partner = |(number, (name, kind, roles, strengths)): (usize, &PartnerRow)| {
            let members = schools
                .iter()
                .skip(number * 5)
                .take(6)
                .map(|school| school.urn.clone());
            Self {
                key: format!("partner-{}", number + 1),
                name: (*name).to_owned(),
                kind: *kind,
                roles: roles.to_vec(),
                strengths: strengths.to_vec(),
                members: if matches!(*kind, "alliance" | "trust") {
                    members.collect()
                } else {
                    Vec::new()
                },
                capacity: if roles.contains(&"operational") {
                    vec![("Autumn", 2), ("Spring", 2), ("Summer", 1)]
                } else {
                    Vec::new()
                },
                delegated: match (number, until) {
                    (0, Ok(until)) | (REMOVED, Ok(until)) => vec![("administrator", until)],
                    _ => Vec::new(),
                },
                state: if number == REMOVED {
                    "removed"
                } else {
                    "current"
                },
                typed_again: match number {
                    0 => Some("Sampleton TSA"),
                    1 => Some("Mock Univ."),
                    5 => Some("sampleshire county council "),
                    _ => None,
                },
            }
        };
        let partners = PARTNERS.iter().enumerate();
        partners.map(partner).collect()
    }

    /// Its organisation's card, a second one if it was typed twice, and the partner.
    pub(crate) fn records(&self) -> Vec<SampleRecord> {
        let organisation = format!("organisation-{}", self.key);
        let members = (!self.members.is_empty()).then(|| self.members.join(" "));
        let card = |key: String, name: &str| {
            let fields =
                json!({"name": name, "kind": self.kind, "status": "open", "members": members});
            SampleRecord::new("organisation", key, fields)
        };
        let mut records = vec![card(organisation.clone(), &self.name)];
        let again = self
            .typed_again
            .map(|name| card(format!("{organisation}-again"), name));
        records.extend(again);
        let capacity = self
            .capacity
            .iter()
            .map(|(term, groups)| json!({"term": term, "groups": groups}));
        let delegated = self
            .delegated
            .iter()
            .map(|(role, until)| json!({"role": role, "until": until.to_string()}));
        let mut steps = vec![vec![FieldChange::set("state", "current")]];
        if self.state == "removed" {
            steps.push(vec![FieldChange::set("state", "removed")]);
        }
        let partner = SampleRecord::new(
            "partner",
            self.key.clone(),
            json!({
                "title": self.name, "organisation": reference(&organisation), "kind": self.kind,
                "roles": self.roles, "strengths": self.strengths,
                "capacity": capacity.collect::<Vec<_>>(),
                "delegated": delegated.collect::<Vec<_>>(),
            }),
        );
        records.push(partner.with_steps(steps));
        records
    }
}
