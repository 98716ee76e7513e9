//! A project's hubs beside each other. Never a person.

use std::collections::{BTreeMap, BTreeSet};

use crate::Object;
use crate::kinds::OUTCOMES;
use crate::reach::REACHED_FROM;
use crate::standing::{is_cancelled, items, number, text};
use crate::synthesis::{Synthesis, synthesis};

/// A project across its hubs.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Comparison {
    /// The project's code.
    pub code: String,
    /// Its title.
    pub title: String,
    /// Its state.
    pub state: String,
    /// How many schools the hubs reached together, each counted once however many hubs it came to.
    pub schools: usize,
    /// Hub by hub, by code: those that take part, and others that published groups of it.
    pub hubs: Vec<HubLine>,
    /// The findings about which hubs disagree, with everything that was said for and against.
    pub disputed: Vec<Synthesis>,
}

/// One hub in a project.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct HubLine {
    /// Its code.
    pub hub: String,
    /// How it takes part; empty if it is not among those who do.
    pub status: String,
    /// How many groups it planned.
    pub quota: Option<i64>,
    /// How many groups it published.
    pub groups: i64,
    /// How many of them are in each state.
    pub states: BTreeMap<String, i64>,
    /// How many sessions they held.
    pub sessions_held: i64,
    /// How many schools they reached, each counted once: from where somebody was accepted, in a
    /// group that was not cancelled.
    pub schools: usize,
    /// What changed, for each of the four kinds of outcome that was rated.
    pub outcomes: Vec<OutcomeMean>,
    /// How it adapted the project: as it says for the project, then for its groups.
    pub adaptations: Vec<String>,
    /// The claims of the findings that it speaks against.
    pub against: Vec<String>,
}

/// The mean rating of an outcome.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct OutcomeMean {
    /// The outcome.
    pub outcome: String,
    /// The mean in hundredths, each rating counted once.
    pub mean: i64,
    /// How many ratings.
    pub ratings: i64,
}

/// Compares the hubs of a project: its working record and the group summaries published of it,
/// each with the code of the hub that owns it. `codes` gives the codes of hubs by their ids, as
/// which those who write positions are kept.
pub fn comparison<'a>(
    project: &Object,
    summaries: impl IntoIterator<Item = (&'a str, &'a Object)>,
    codes: &BTreeMap<String, String>,
) -> Comparison {
    let code = text(project, "code");
    let mut lines = BTreeMap::<String, Gathered>::new();
    for part in items(project, "participation") {
        let hub = code_of(text(part, "hub"), codes);
        let gathered = lines.entry(hub).or_default();
        gathered.line.status = text(part, "status").to_owned();
        gathered.line.quota = number(part, "quota");
        gathered.adapted(text(part, "adaptations"));
    }
    let mut counted = BTreeSet::new();
    for (hub, summary) in summaries {
        let origin = text(summary, "origin");
        let again = !origin.is_empty() && !counted.insert((hub, origin));
        if text(summary, "project") == code && !again {
            lines.entry(code_of(hub, codes)).or_default().add(summary);
        }
    }
    let findings = synthesis(project, codes);
    for finding in &findings {
        for position in &finding.against {
            let gathered = lines.entry(position.hub.clone()).or_default();
            gathered.line.against.push(finding.claim.clone());
        }
    }
    let schools = lines.values().flat_map(|gathered| &gathered.schools);
    let schools = schools.collect::<BTreeSet<_>>().len();
    let is_disputed = |finding: &Synthesis| !finding.against.is_empty();
    Comparison {
        code: code.to_owned(),
        title: text(project, "title").to_owned(),
        state: text(project, "state").to_owned(),
        schools,
        hubs: lines.into_iter().map(Gathered::line).collect(),
        disputed: findings.into_iter().filter(is_disputed).collect(),
    }
}

/// The code of a hub that is given by id or by code.
pub(crate) fn code_of(hub: &str, codes: &BTreeMap<String, String>) -> String {
    codes.get(hub).map_or(hub, String::as_str).to_owned()
}

#[derive(Debug, Default)]
struct Gathered {
    line: HubLine,
    schools: BTreeSet<String>,
    ratings: BTreeMap<String, (i64, i64)>,
}

impl Gathered {
    fn add(&mut self, summary: &Object) {
        self.line.groups += 1;
        let state = text(summary, "state").to_owned();
        *self.line.states.entry(state).or_default() += 1;
        let held = number(summary, "sessions_held").unwrap_or(0);
        self.line.sessions_held = self.line.sessions_held.saturating_add(held);
        if !is_cancelled(summary) {
            let reached = items(summary, "schools")
                .filter(|school| REACHED_FROM.contains(&text(school, "status")));
            let urns = reached.map(|school| text(school, "urn"));
            let urns = urns.filter(|urn| !urn.is_empty()).map(str::to_owned);
            self.schools.extend(urns);
        }
        for outcome in items(summary, "outcomes") {
            let (mean, count) = (number(outcome, "mean"), number(outcome, "count"));
            if let (Some(mean), Some(count @ 1..)) = (mean, count) {
                let name = text(outcome, "outcome").to_owned();
                let (sum, ratings) = self.ratings.entry(name).or_default();
                *sum = sum.saturating_add(mean.saturating_mul(count));
                *ratings = ratings.saturating_add(count);
            }
        }
        self.adapted(text(summary, "adaptations"));
    }

    fn adapted(&mut self, how: &str) {
        let how = how.trim();
        if !how.is_empty() && !self.line.adaptations.iter().any(|known| known == how) {
            self.line.adaptations.push(how.to_owned());
        }
    }

    fn line((hub, gathered): (String, Self)) -> HubLine {
        let mut line = gathered.line;
        line.hub = hub;
        line.schools = gathered.schools.len();
        line.outcomes = means(&gathered.ratings);
        line
    }
}

/// The means of sums of hundredths, in the order in which outcomes are declared; of outcomes that
/// only a newer version knows after them.
fn means(ratings: &BTreeMap<String, (i64, i64)>) -> Vec<OutcomeMean> {
    let newer = ratings.keys().map(String::as_str);
    let newer = newer.filter(|outcome| !OUTCOMES.contains(outcome));
    let order = OUTCOMES.iter().copied().chain(newer);
    let mean = |outcome: &str| {
        let (sum, ratings) = *ratings.get(outcome)?;
        Some(OutcomeMean {
            outcome: outcome.to_owned(),
            mean: sum.saturating_add(ratings / 2).div_euclid(ratings.max(1)),
            ratings,
        })
    };
    order.filter_map(mean).collect()
}
