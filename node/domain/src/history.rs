//! Who changed which field when.

use node_document::{Authorship, View};
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
    /// What stood there afterwards; null if it was taken away.
    pub value: Json,
    /// Who, and when.
    pub author: Authorship,
}

/// The history of a record, or of one of its fields with what is below it, earliest first as far
/// as there is an order.
pub fn history(view: &View<'_>, kind: &'static Kind, field: Option<&str>) -> Vec<HistoryStep> {
    let steps = match field {
        Some(path) => {
            let parts = path.split('/').collect::<Vec<_>>();
            if parts.len() > 1 {
                view.history(&parts)
            } else {
                view.history_of_field(path)
            }
        }
        None => view.since(&node_document::Heads::default()),
    };
    steps
        .into_iter()
        .filter(|step| step.path.first().is_some_and(|name| !name.starts_with('@')))
        .map(|step| {
            let path = written(&step.path);
            let label = Spot::find(kind, &path).map_or_else(|_| path.clone(), |spot| spot.label());
            let value = step.value.as_ref().map_or(Json::Null, json);
            HistoryStep {
                path,
                label,
                value,
                author: step.author,
            }
        })
        .collect()
}
