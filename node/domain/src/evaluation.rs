//! A hub's evaluation of a year, from what its work groups say.

use std::collections::BTreeMap;

use serde_json::json;

use crate::Object;
use crate::change::FieldChange;
use crate::kinds::OUTCOMES;
use crate::standing::{item_id, items, mean_hundredths, number, text};

/// What a year's completed work groups come to.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Evaluation {
    /// How many work groups completed.
    pub groups: usize,
    /// The outcomes that were rated, in the order in which they are declared.
    pub outcomes: Vec<OutcomeRating>,
    /// Where two leaders of a group differ.
    pub disagreeing: Vec<Disagreement>,
    /// What the groups say in words.
    pub narratives: Vec<Narrative>,
}

/// An outcome over all groups.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct OutcomeRating {
    /// The outcome.
    pub outcome: String,
    /// The mean in hundredths. Each group counts once, however many leaders it has.
    pub mean: i64,
    /// How many groups rated it.
    pub groups: i64,
    /// How many ratings there are.
    pub ratings: i64,
}

/// A group whose leaders rate one outcome differently.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Disagreement {
    /// The group's id.
    pub group: String,
    /// Its title.
    pub title: String,
    /// The outcome.
    pub outcome: String,
    /// What the leaders say.
    pub ratings: Vec<i64>,
}

/// What a group says in words.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Narrative {
    /// The group's id.
    pub group: String,
    /// Its title.
    pub title: String,
    /// What changed.
    pub text: String,
}

/// Evaluates a year from work groups as [`read`](crate::read) gives them, each with its id: those
/// of the year that completed. Of two ratings of one leader for one outcome the later in the list
/// counts.
pub fn evaluation<'a>(
    year: &str,
    groups: impl IntoIterator<Item = (&'a str, &'a Object)>,
) -> Evaluation {
    let groups = groups.into_iter().filter(|(_, group)| {
        let of_year = year.is_empty() || text(group, "year") == year;
        of_year && text(group, "state") == "completed"
    });
    let groups = groups.collect::<BTreeMap<_, _>>();
    let mut evaluation = Evaluation {
        groups: groups.len(),
        outcomes: Vec::new(),
        disagreeing: Vec::new(),
        narratives: Vec::new(),
    };
    let mut sums = BTreeMap::<&str, OutcomeRating>::new();
    for (id, group) in &groups {
        let title = text(group, "title");
        for (outcome, ratings) in ratings(group) {
            let count = i64::try_from(ratings.len()).unwrap_or(i64::MAX);
            let sum = ratings
                .iter()
                .fold(0_i64, |sum, rating| sum.saturating_add(*rating));
            let sums = sums.entry(outcome).or_insert_with(|| OutcomeRating {
                outcome: outcome.to_owned(),
                mean: 0,
                groups: 0,
                ratings: 0,
            });
            // Until all groups are there, this is the sum of their means.
            let mean = mean_hundredths(sum, count).unwrap_or(0);
            sums.mean = sums.mean.saturating_add(mean);
            sums.groups += 1;
            sums.ratings = sums.ratings.saturating_add(count);
            if ratings.iter().any(|rating| *rating != ratings[0]) {
                evaluation.disagreeing.push(Disagreement {
                    group: (*id).to_owned(),
                    title: title.to_owned(),
                    outcome: outcome.to_owned(),
                    ratings,
                });
            }
        }
        let narrative = text(group, "narrative").trim();
        if !narrative.is_empty() {
            evaluation.narratives.push(Narrative {
                group: (*id).to_owned(),
                title: title.to_owned(),
                text: narrative.to_owned(),
            });
        }
    }
    let place =
        |outcome: &OutcomeRating| OUTCOMES.iter().position(|known| *known == outcome.outcome);
    evaluation.outcomes = sums.into_values().collect();
    evaluation
        .outcomes
        .sort_by_key(|outcome| place(outcome).unwrap_or(usize::MAX));
    for outcome in &mut evaluation.outcomes {
        outcome.mean = outcome.mean.saturating_add(outcome.groups / 2) / outcome.groups;
    }
    evaluation
}

impl Evaluation {
    /// The changes that bring the outcomes of a plan, as [`read`](crate::read) gives it, to this
    /// evaluation. What people wrote beside them stays.
    pub fn changes(&self, plan: &Object) -> Vec<FieldChange> {
        let mut changes = Vec::new();
        for outcome in &self.outcomes {
            let name = &outcome.outcome;
            let known = items(plan, "outcomes").find(|item| text(item, "outcome") == name);
            let values = [("rating", outcome.mean), ("groups", outcome.groups)];
            match known {
                Some(item) => {
                    let differs =
                        |(field, value): &(&str, i64)| number(item, field) != Some(*value);
                    let id = text(item, "id");
                    changes.extend(values.into_iter().filter(differs).map(|(field, value)| {
                        FieldChange::set(format!("outcomes/{id}/{field}"), value)
                    }));
                }
                None => {
                    let mut item = Object::new();
                    item.insert("outcome".to_owned(), json!(name));
                    let values = values.into_iter();
                    item.extend(values.map(|(field, value)| (field.to_owned(), json!(value))));
                    changes.push(FieldChange::Add {
                        field: "outcomes".to_owned(),
                        after: None,
                        id: Some(item_id(name)),
                        values: item,
                    });
                }
            }
        }
        changes
    }
}

/// The ratings of a group by outcome, one for each leader; an unnamed one counts for itself.
fn ratings(group: &Object) -> BTreeMap<&str, Vec<i64>> {
    let mut by_leader = BTreeMap::<(&str, &str), i64>::new();
    for item in items(group, "ratings") {
        if let Some(rating) = number(item, "rating") {
            let leader = match text(item, "leader") {
                "" => text(item, "id"),
                leader => leader,
            };
            by_leader.insert((text(item, "outcome"), leader), rating);
        }
    }
    let mut ratings = BTreeMap::<_, Vec<_>>::new();
    for ((outcome, _), rating) in by_leader
        .into_iter()
        .filter(|((name, _), _)| !name.is_empty())
    {
        ratings.entry(outcome).or_default().push(rating);
    }
    ratings
}
