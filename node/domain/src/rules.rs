//! Keeping the rules of a kind while a record is written.

mod locked;
mod names;
mod spending;
mod steps;

pub(crate) use spending::Ledgers;

use crate::declaration::{Field, State};
use crate::fields::Fields;
use crate::states;

/// What one list of changes has done so far, as far as rules ask.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    /// Whether the record is being made.
    pub(crate) creating: bool,
    /// Sentences for the writer of what was done otherwise than asked.
    pub(crate) notes: Vec<String>,
    /// The record's state fields with the states that they entered, in order.
    pub(crate) entered: Vec<(&'static Field, String)>,
    /// Where items of a list or log name others: the list, the item, the field.
    pub(crate) named: Vec<(&'static str, String, &'static str)>,
}

/// What stands in a state field: the state, or several concurrent ones.
pub(crate) fn standing(from: &impl Fields, path: &[&str], states: &[State]) -> Vec<String> {
    let values = from.values(path);
    if values.is_empty() {
        return vec![states::first(states)];
    }
    let name = |value: &node_document::Value| value.as_str().unwrap_or_default().to_owned();
    values.iter().map(name).collect()
}

/// What people call an item: its first text, or its id.
pub(crate) fn title_of(from: &impl Fields, list: &Field, item: &str) -> String {
    use crate::declaration::{Check, Filled, Merge};
    let fields = list.items().unwrap_or_default().iter();
    let texts = fields.filter(|field| {
        field.filled == Filled::ByPerson
            && matches!(field.merge, Merge::Value | Merge::Text)
            && matches!(field.check, Check::Text(_))
    });
    let shown = |field: &Field| {
        let text = crate::read::json(&from.get(&[list.name, item, field.name])?);
        text.as_str()
            .filter(|text| !text.is_empty())
            .map(str::to_owned)
    };
    texts
        .filter_map(shown)
        .next()
        .unwrap_or_else(|| item.to_owned())
}
