//! People and leaders of the sample.

use serde_json::json;
use time::Date;

use crate::sample::chance::Chance;
use crate::sample::names::{Names, email, job, phone};
use crate::sample::options::SampleOptions;
use crate::sample::record::{SampleRecord, day, reference};
use crate::sample::untidy;

/// A person's card.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// Its key among the sample's records.
    pub key: String,
    /// The name as typed.
    pub name: String,
    /// The e-mail address.
    pub email: Option<String>,
    /// The telephone number.
    pub phone: Option<String>,
    /// The school or organisation as typed.
    pub organisation: Option<String>,
    /// The school's number as typed.
    pub urn: Option<String>,
    /// The job as typed.
    pub job: Option<&'static str>,
    /// When the privacy notice was seen.
    pub notice_seen: Option<Date>,
    /// How the person wishes to be reached.
    pub contact_wishes: Option<&'static str>,
    /// Where this card is a second one of the same person: the place of the first.
    pub same_as: Option<usize>,
}

/// A leader's card, and the days that are offered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leader {
    /// Its key among the sample's records.
    pub key: String,
    /// The place of the person.
    pub person: usize,
    /// The name.
    pub name: String,
    /// Where the leader works.
    pub base: String,
    /// Roles, separated by commas.
    pub roles: &'static str,
    /// The end of the accreditation.
    pub accreditation_until: Option<Date>,
    /// Strengths.
    pub strengths: &'static str,
    /// The phase.
    pub phase: &'static str,
    /// The council area in which the leader works.
    pub areas: String,
    /// What is done beyond the own hub.
    pub beyond: Option<&'static str>,
    /// Whether the leader wishes to be found by other hubs; nobody asked yet if not said.
    pub opted_in: Option<bool>,
    /// The term and the number of days that are offered.
    pub days: Option<(&'static str, usize)>,
}

impl Person {
    pub(crate) fn new(
        at: usize,
        chance: &mut Chance,
        names: &mut Names,
        organisation: Option<(String, Option<String>)>,
        seen: Date,
    ) -> Self {
        let (given, family) = names.draw(at);
        let (organisation, urn) =
            organisation.map_or((None, None), |(name, urn)| (Some(name), urn));
        Self {
            key: format!("person-{}", at + 1),
            name: format!("{given} {family}"),
            email: (!chance.falls(8)).then(|| {
                email(
                    &given,
                    &family,
                    chance.pick(&["example.org", "example.org", "sample.invalid"]),
                )
            }),
            phone: chance.falls(35).then(|| phone(chance)),
            organisation,
            urn,
            job: chance.falls(80).then(|| job(chance)),
            notice_seen: chance.falls(85).then_some(seen),
            contact_wishes: chance
                .falls(60)
                .then(|| chance.pick(&["any", "e-mail only", "e-mail only", "none"])),
            same_as: None,
        }
    }

    /// A second card of the same person, typed by somebody who did not find the first.
    pub(crate) fn again(&self, at: usize, of: usize, chance: &mut Chance) -> Self {
        let name = match chance.below(3) {
            0 => untidy::swapped(chance, &self.name),
            1 => self.name.to_lowercase(),
            _ => self.name.clone(),
        };
        Self {
            key: format!("person-{}", at + 1),
            name,
            email: if chance.falls(60) {
                self.email.clone()
            } else {
                None
            },
            phone: None,
            notice_seen: None,
            contact_wishes: None,
            same_as: Some(of),
            ..self.clone()
        }
    }

    /// The card.
    pub fn record(&self) -> SampleRecord {
        SampleRecord::new(
            "person",
            self.key.clone(),
            json!({
                "name": self.name, "email": self.email, "phone": self.phone,
                "organisation": self.organisation, "urn": self.urn, "job_role": self.job,
                "notice_seen": self.notice_seen.map(day), "contact_wishes": self.contact_wishes,
            }),
        )
    }
}

impl Leader {
    pub(crate) fn new(
        number: usize,
        at: usize,
        person: &Person,
        chance: &mut Chance,
        options: &SampleOptions,
    ) -> Self {
        let accredited = chance.falls(70);
        let until =
            Date::from_calendar_date(options.first_year() + 1, time::Month::August, 31).ok();
        let opted_in = match chance.below(10) {
            0..6 => Some(true),
            6..8 => Some(false),
            _ => None,
        };
        Self {
            key: format!("leader-{}", number + 1),
            person: at,
            name: person.name.clone(),
            base: person.organisation.clone().unwrap_or_default(),
            roles: if accredited {
                chance.pick(&[
                    "LLME",
                    "PD lead",
                    "SLE",
                    "mastery specialist",
                    "mastery specialist, PD lead",
                ])
            } else {
                "emerging"
            },
            accreditation_until: until.filter(|_| accredited),
            strengths: chance.pick(&[
                "early years number",
                "reasoning in Key Stage 3",
                "ratio and proportion",
                "post-16 problem solving",
                "variation theory",
                "working with new heads of department",
                "teaching for mastery",
                "mixed attainment classes",
            ]),
            phase: chance.pick(&[
                "primary",
                "primary",
                "primary",
                "secondary",
                "secondary",
                "post-16",
                "early years",
            ]),
            areas: options
                .area
                .get(chance.below(options.area.len()))
                .cloned()
                .unwrap_or_default(),
            beyond: chance
                .falls(25)
                .then_some("Has supported a neighbouring hub with two groups"),
            opted_in,
            days: (opted_in == Some(true) && chance.falls(30)).then(|| {
                (
                    chance.pick(&["Autumn", "Spring", "Summer"]),
                    chance.between(2, 8),
                )
            }),
        }
    }

    /// The card, and the record of the days if there are any.
    pub fn records(&self, person: &str) -> Vec<SampleRecord> {
        let card = SampleRecord::new(
            "leader",
            self.key.clone(),
            json!({
                "name": self.name, "person": reference(person), "base": self.base,
                "roles": self.roles, "accreditation_until": self.accreditation_until.map(day),
                "on_teaching": "Pupils learn maths by making sense of small steps together.",
                "on_teachers": "Teachers grow when they plan, watch and talk about real lessons.",
                "on_development": "A year of short meetings with gap tasks changes more than one long day.",
                "strengths": self.strengths, "phases": self.phase, "areas": self.areas,
                "beyond": self.beyond, "opted_in": self.opted_in,
            }),
        );
        let days = self.days.map(|(term, days)| {
            SampleRecord::new(
                "leader-days",
                format!("{}-days", self.key),
                json!({
                    "title": format!("Days for {}", self.strengths), "leader": reference(&self.key),
                    "term": term, "phase": self.phase, "days": days, "phases": [self.phase],
                }),
            )
        });
        std::iter::once(card).chain(days).collect()
    }
}
