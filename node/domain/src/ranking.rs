//! Lists that several people put into order by what each says of the items.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use node_document::{Value, View};

use crate::declaration::{Kind, Ranking};
use crate::error::{Problem, RecordError};
use crate::fields::Fields;
use crate::frozen::day;
use crate::rules::title_of;
use crate::writer::Writer;

/// How much of an item's title a decision repeats.
const TITLE_CHARACTERS_MAX: usize = 60;
/// How long the words of a decision may be.
const OUTCOME_CHARACTERS_MAX: usize = 2_000;

/// An item of a ranked list, and what people say of it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Ranked {
    /// The item's id.
    pub item: String,
    /// What people call it.
    pub title: String,
    /// Who gave which score; of several by one person the latest.
    pub scores: Vec<(String, i64)>,
    /// Their mean in hundredths, rounded; nothing if nobody gave one.
    pub mean_hundredths: Option<i64>,
    /// Whether two of those who gave one are two or more apart.
    pub differs: bool,
}

/// The items of the list that a kind ranks, the highest mean first; those with equal means in the
/// list's own order, those of which nobody said anything last. Nothing if the kind ranks none.
pub fn ranking(view: &View<'_>, kind: &'static Kind) -> Option<Vec<Ranked>> {
    kind.ranking
        .map(|ranking| ranked(&view.whole(), kind, &ranking))
}

fn ranked(from: &impl Fields, kind: &'static Kind, ranking: &Ranking) -> Vec<Ranked> {
    let mut scores = BTreeMap::<String, BTreeMap<String, i64>>::new();
    for item in from.items(&[ranking.scores]) {
        let get = |part: &str| from.get(&[ranking.scores, &item, part]);
        if let (Some(Value::String(about)), Some(Value::String(by)), Some(Value::Int(score))) =
            (get(ranking.about), get(ranking.by), get(ranking.score))
        {
            scores.entry(about).or_default().insert(by, score);
        }
    }
    let ranked = |item: String| {
        let scores = Vec::from_iter(scores.remove(&item).unwrap_or_default());
        let numbers = || scores.iter().map(|(_, score)| *score);
        let apart = numbers()
            .max()
            .unwrap_or(0)
            .abs_diff(numbers().min().unwrap_or(0));
        let title = kind
            .field(ranking.list)
            .map_or_else(|| item.clone(), |list| title_of(from, list, &item));
        Ranked {
            title,
            mean_hundredths: mean_hundredths(&scores),
            differs: apart >= 2,
            scores,
            item,
        }
    };
    let items = from.items(&[ranking.list]).into_iter();
    let mut order = items.map(ranked).collect::<Vec<_>>();
    order.sort_by_key(|ranked| Reverse(ranked.mean_hundredths));
    order
}

fn mean_hundredths(scores: &[(String, i64)]) -> Option<i64> {
    let count = i64::try_from(scores.len())
        .ok()
        .filter(|count| *count > 0)?;
    let sum = scores
        .iter()
        .fold(0_i64, |sum, (_, score)| sum.saturating_add(*score));
    Some(
        sum.saturating_mul(100)
            .saturating_add(count / 2)
            .div_euclid(count),
    )
}

impl Writer<'_, '_> {
    /// Brings a ranked list into its order, and notes it as a decision.
    pub(crate) fn confirm(&mut self, field: &str, about: Option<&str>) -> Result<(), RecordError> {
        let ranking = self
            .kind
            .ranking
            .filter(|ranking| ranking.list == field)
            .ok_or_else(|| {
                Problem::new(field, format!("'{field}' is not put into order by scores"))
            })?;
        let order = ranked(self.edit, self.kind, &ranking);
        if order.iter().all(|ranked| ranked.scores.is_empty()) {
            let message = "nobody has given a score yet, so there is no order to confirm";
            return Err(Problem::new(field, message).into());
        }
        let list = [ranking.list];
        let items = order.iter().map(|ranked| &ranked.item);
        if !items.eq(&self.edit.items(&list)) {
            let mut last = None;
            for ranked in &order {
                self.edit.place_item(&list, &ranked.item, last)?;
                last = Some(ranked.item.as_str());
            }
        }
        let on = day(self.by.time_ms);
        let label = self.kind.field(field).map_or(field, |field| field.label);
        let about = about.map_or_else(|| format!("Order of '{label}', {on}"), str::to_owned);
        let decisions = [ranking.decisions];
        let (decision, last) = (self.draw(), self.edit.last_item(&decisions));
        self.edit
            .place_item(&decisions, &decision, last.as_deref())?;
        let mut put = |part: &str, value: &str| {
            self.edit
                .put(&[ranking.decisions, &decision, part], &value.into())
        };
        put("about", &shortened(&about, 200))?;
        put("outcome", &in_words(&order))?;
        Ok(put("on", &on)?)
    }
}

/// An order, as people read it.
fn in_words(order: &[Ranked]) -> String {
    let line = |(index, ranked): (usize, &Ranked)| {
        let title = shortened(&ranked.title, TITLE_CHARACTERS_MAX);
        let mean = ranked.mean_hundredths.map_or_else(
            || "no score".to_owned(),
            |mean| format!("{}.{:02}", mean / 100, mean % 100),
        );
        format!("{}. {title} ({mean})", index + 1)
    };
    let lines = order.iter().enumerate().map(line).collect::<Vec<_>>();
    shortened(&lines.join("; "), OUTCOME_CHARACTERS_MAX)
}

fn shortened(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let kept = text.chars().take(most.saturating_sub(1));
    kept.chain(std::iter::once('…')).collect()
}
