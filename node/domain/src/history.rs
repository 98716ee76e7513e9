//! Who changed which field when.

use std::collections::BTreeSet;

use node_document::{Authorship, Heads, Step, Value, View};
use serde_json::Value as Json;

use crate::declaration::Kind;
use crate::fields::{Spot, written};
use crate::read::json;

/// One step in a record's history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryStep {
    /// The field's path.
    pub path: String,
    /// What people call the field; its path if this version does not declare it.
    pub label: String,
    /// What stood there afterwards; null if it was taken away. Of a list's item, true: it was put
    /// there.
    pub value: Json,
    /// What stood there before, as the author saw it; null if nothing did.
    pub before: Json,
    /// Who, and when.
    pub author: Authorship,
}

impl HistoryStep {
    /// Whether it is a step of a field: of one of a record, with what is below it, or of what
    /// stands at just this path.
    pub fn is_of(&self, field: &str) -> bool {
        let rest = self.path.strip_prefix(field);
        let below = |rest: &str| !field.contains('/') && rest.starts_with('/');
        rest.is_some_and(|rest| rest.is_empty() || below(rest))
    }
}

/// The history of a record since a state of it, or all of it, earliest first as far as there is an
/// order. What was told of an earlier state never changes: this goes on from there.
pub fn history(view: &View<'_>, kind: &'static Kind, since: &Heads) -> Vec<HistoryStep> {
    told(view, kind, view.since(since), *since == Heads::default())
}

/// What came into a record between two of its states: the steps that the `later` has, of those that
/// the `earlier` has not.
pub fn history_between(
    view: &View<'_>,
    kind: &'static Kind,
    earlier: &Heads,
    later: &Heads,
) -> Vec<HistoryStep> {
    let written = |step: &Step| (step.author.feed, step.author.number);
    let after = view.since(later);
    let after = after.iter().map(written).collect::<BTreeSet<_>>();
    let mut steps = view.since(earlier);
    steps.retain(|step| !after.contains(&written(step)));
    told(view, kind, steps, false)
}

fn told(view: &View<'_>, kind: &'static Kind, steps: Vec<Step>, whole: bool) -> Vec<HistoryStep> {
    let mut seen = BTreeSet::new();
    steps
        .into_iter()
        .filter(|step| step.path.first().is_some_and(|name| !name.starts_with('@')))
        .filter(|step| !is_kept(kind, step))
        .map(|step| {
            let path = written(&step.path);
            let value = match &step.value {
                Some(_) if is_item(kind, &step.path) => Json::Bool(true),
                value => value.as_ref().map_or(Json::Null, json),
            };
            // Before the first step at a path nothing stood there: it need not be looked up.
            let first = whole && seen.insert(path.clone());
            let before = (!first).then(|| view.stood_before(&step)).flatten();
            let before = before.map_or(Json::Null, |value| json(&value));
            let label = called(kind, &step.path, &path);
            HistoryStep {
                path,
                label,
                value,
                before,
                author: step.author,
            }
        })
        .collect()
}

/// Whether a path is that of a list's item.
fn is_item(kind: &'static Kind, path: &[String]) -> bool {
    let list = path.first().and_then(|name| kind.field(name));
    path.len() == 2 && list.is_some_and(|list| list.items().is_some())
}

/// Whether a step only says once more that an item is there, as every change in it does.
fn is_kept(kind: &'static Kind, step: &Step) -> bool {
    let again = matches!(step.value, Some(Value::Int(times)) if times > 1);
    again && is_item(kind, &step.path)
}

fn called(kind: &'static Kind, path: &[String], written: &str) -> String {
    if let Ok(spot) = Spot::find(kind, written) {
        return spot.label();
    }
    let field = path.first().and_then(|name| kind.field(name));
    match (field, path) {
        (Some(field), [_, _]) if field.items().is_some() => field.label.to_owned(),
        (Some(field), [_, element]) => format!("{}: {element}", field.label),
        (_, _) => written.to_owned(),
    }
}
