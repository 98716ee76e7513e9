//! Commissions with their ledgers.

use serde_json::{Value as Json, json};
use time::Date;

use crate::change::FieldChange;
use crate::sample::chance::Chance;
use crate::sample::group::Group;
use crate::sample::hub_year::HubYear;
use crate::sample::options::{SampleOptions, Scale};
use crate::sample::partner::Partner;
use crate::sample::plan::Plan;
use crate::sample::record::{SampleRecord, add, day, reference};
use crate::sample::school_year::SchoolYear;

const STATES: [&str; 5] = ["draft", "offered", "accepted", "active", "closed"];

/// The place of the commission whose second invoice was entered twice.
const TWICE: usize = 1;

/// The place of the commission that passes its budget.
const OVER: usize = 2;

/// What a hub asks a partner to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commission {
    /// Its key among the sample's records.
    pub key: String,
    /// Its title.
    pub title: String,
    /// The id of the plan's item.
    pub plan_item: String,
    /// The partner, by its place.
    pub partner: usize,
    /// `direct` or `franchise`.
    pub model: &'static str,
    /// The budget in pence.
    pub budget: i64,
    /// Groups that were delegated with the administrator's role, by their places, and until when.
    pub delegations: Vec<(usize, Date)>,
    /// The ledger.
    pub lines: Vec<MoneyLine>,
    /// Where it stands at the end of the sample.
    pub state: &'static str,
}

/// A line of a ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MoneyLine {
    /// Its id.
    pub id: String,
    /// Its kind.
    pub kind: &'static str,
    /// From whom.
    pub from: String,
    /// To whom.
    pub to: String,
    /// How much, in pence; a correction may take back.
    pub pence: i64,
    /// The period.
    pub period: &'static str,
    /// The invoice's number or another reference.
    pub reference: String,
    /// The day.
    pub on: Date,
    /// The id of the line that it corrects.
    pub corrects: Option<String>,
}

impl Commission {
    pub(crate) fn generate(
        options: &SampleOptions,
        year: SchoolYear,
        partners: &[Partner],
        groups: &[Group],
        plan: &Plan,
    ) -> Vec<Self> {
        let mut chance = Chance::new(options.seed, &format!("money of {}", options.hub_code));
        let count = match options.scale {
            Scale::Full => 14,
            Scale::Small => 4,
        };
        let commission = |number: usize| {
            let partner = number % partners.len().max(1);
            let item = plan.items.get(number % plan.items.len().max(1));
            let franchise = number.is_multiple_of(3);
            let state = match number % 7 {
                5 => "offered",
                6 => "withdrawn",
                0 | 3 => "closed",
                _ => "active",
            };
            let budget = 50_000 * i64::try_from(chance.between(4, 16)).unwrap_or(4);
            let until = year.last_day() + time::Duration::days(39);
            let delegated = groups.iter().enumerate().skip(number * 2).take(2);
            let mut ledger = Ledger {
                hub: &options.hub_name,
                partner: partners
                    .get(partner)
                    .map_or("", |partner| partner.name.as_str()),
                number,
                lines: Vec::new(),
            };
            if matches!(state, "active" | "closed") {
                ledger.fill(&mut chance, year, budget);
            }
            Self {
                key: format!("commission-{}", number + 1),
                title: format!(
                    "{}: {} (commission {})",
                    ledger.partner,
                    item.map_or("work", |item| item.title),
                    number + 1
                ),
                plan_item: item.map_or_else(String::new, |item| item.id.clone()),
                partner,
                model: if franchise { "franchise" } else { "direct" },
                budget,
                delegations: if franchise {
                    delegated.map(|(at, _)| (at, until)).collect()
                } else {
                    Vec::new()
                },
                lines: ledger.lines,
                state,
            }
        };
        (0..count).map(commission).collect()
    }

    pub(crate) fn record(&self, year: &HubYear) -> SampleRecord {
        let partner = year.partners.get(self.partner).map(|it| reference(&it.key));
        let delegations = self.delegations.iter().filter_map(|(at, until)| {
            let group = reference(&year.groups.get(*at)?.key);
            Some(json!({"group": group, "role": "administrator", "until": day(*until)}))
        });
        let term = |week: usize| day(year.school_year.day(week, 4));
        SampleRecord::new(
            "commission",
            self.key.clone(),
            json!({
                "title": self.title, "plan": reference(&year.plan.key), "plan_item": self.plan_item,
                "partner": partner, "what": "Find schools, host the sessions and keep the register.",
                "model": self.model, "year": year.options.year, "budget": self.budget,
                "delegations": delegations.collect::<Vec<_>>(),
                "deliverables": [
                    {"id": "deliverable-1", "title": "Schools found", "due": term(6)},
                    {"id": "deliverable-2", "title": "Sessions held", "due": term(37)},
                ],
            }),
        )
        .with_steps(self.steps())
    }

    fn steps(&self) -> Vec<Vec<FieldChange>> {
        let way = if self.state == "withdrawn" {
            vec!["offered", "withdrawn"]
        } else {
            let last = STATES.iter().position(|state| *state == self.state);
            STATES
                .iter()
                .take(last.unwrap_or(0) + 1)
                .skip(1)
                .copied()
                .collect()
        };
        let mut steps = Vec::new();
        for state in way {
            if state == "closed" {
                steps.push(vec![FieldChange::set(
                    "deliverables/deliverable-1/state",
                    "done",
                )]);
                steps.push(vec![FieldChange::set(
                    "deliverables/deliverable-1/state",
                    "accepted",
                )]);
            }
            steps.push(vec![FieldChange::set("state", state)]);
            if state == "active" {
                steps.extend(self.lines.iter().map(|line| vec![line.added()]));
            }
        }
        steps
    }
}

impl MoneyLine {
    fn added(&self) -> FieldChange {
        let values: Json = json!({
            "kind": self.kind, "from": self.from, "to": self.to, "pence": self.pence,
            "period": self.period, "reference": self.reference, "on": day(self.on),
            "corrects": self.corrects,
        });
        add("money", Some(&self.id), values)
    }
}

/// A ledger that is being filled.
struct Ledger<'a> {
    hub: &'a str,
    partner: &'a str,
    number: usize,
    lines: Vec<MoneyLine>,
}

impl Ledger<'_> {
    /// A commitment, then each term an invoice and its payment; some corrected.
    fn fill(&mut self, chance: &mut Chance, year: SchoolYear, budget: i64) {
        let start = year.day(4, 1);
        if self.number.is_multiple_of(4) {
            self.line("grant", "the programme", budget, ("Autumn", start), None);
        }
        let committed = if self.number == OVER {
            budget + 25_000
        } else {
            budget
        };
        self.line("commitment", "", committed, ("Autumn", start), None);
        for (term, (period, week)) in [("Autumn", 14), ("Spring", 28), ("Summer", 40)]
            .into_iter()
            .enumerate()
        {
            let pence = budget / 4 + i64::try_from(chance.below(50)).unwrap_or(0) * 150;
            let on = year.day(week, 2);
            self.line("invoice", "", pence, (period, on), None);
            if (self.number, term) == (TWICE, 1) {
                // Two colleagues entered the same invoice.
                let again = self.lines.last().cloned();
                self.lines.extend(again.map(|line| MoneyLine {
                    id: format!("{}-again", line.id),
                    on: year.day(week, 3),
                    ..line
                }));
            }
            self.line("payment", "", pence, (period, year.day(week, 4)), None);
            if chance.falls(15) {
                let paid = self.lines.last().map(|line| line.id.clone());
                self.line(
                    "correction",
                    "",
                    -(pence / 10),
                    (period, year.day(week, 4)),
                    paid,
                );
            }
        }
    }

    fn line(
        &mut self,
        kind: &'static str,
        from: &str,
        pence: i64,
        (period, on): (&'static str, Date),
        corrects: Option<String>,
    ) {
        let at = self.lines.len() + 1;
        let (from, to) = match (kind, from) {
            ("invoice", _) => (self.partner, self.hub),
            (_, "") => (self.hub, self.partner),
            (_, from) => (from, self.hub),
        };
        self.lines.push(MoneyLine {
            id: format!("line-{at}"),
            kind,
            from: from.to_owned(),
            to: to.to_owned(),
            pence,
            period,
            reference: format!("{}-{:02}-{at:02}", kind.to_uppercase(), self.number + 1),
            on,
            corrects,
        });
    }
}
