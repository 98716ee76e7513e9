//! What people call the records, hubs and items that a record names.

use std::collections::{BTreeMap, BTreeSet};

use node_domain::{Check, Field, Kind, Object};
use node_feed::Subject;
use serde_json::Value;

use super::item_title;
use crate::records::{Desk, RecordsError};

/// The names of all that some records refer to, looked up together, so that no page shows an id.
#[derive(Debug, Clone, Default)]
pub struct Names {
    titles: BTreeMap<String, String>,
    items: BTreeMap<String, String>,
}

impl Names {
    /// The names that a record needs.
    ///
    /// # Errors
    /// [`RecordsError::Store`].
    pub fn of(desk: &Desk, kind: &'static Kind, fields: &Object) -> Result<Self, RecordsError> {
        let mut names = Self::of_values(desk, named(kind, fields))?;
        for list in kind.fields {
            let items = fields.get(list.name).and_then(Value::as_array);
            for item in items.into_iter().flatten().filter_map(Value::as_object) {
                let id = item.get("id").and_then(Value::as_str);
                if let (Some(inner), Some(id)) = (list.items(), id) {
                    let title = item_title(inner, item, &names);
                    names.items.insert(id.to_owned(), title);
                }
            }
        }
        Ok(names)
    }

    /// The names of records, by their ids, and of hubs, by their codes.
    ///
    /// # Errors
    /// [`RecordsError::Store`].
    pub fn of_values(
        desk: &Desk,
        values: impl IntoIterator<Item = String>,
    ) -> Result<Self, RecordsError> {
        let values = values.into_iter().collect::<BTreeSet<_>>();
        let values = values.iter().map(String::as_str).collect::<Vec<_>>();
        Ok(Self {
            titles: desk.title_of(&values)?,
            items: BTreeMap::new(),
        })
    }

    /// These and those of `other`.
    pub fn extend(&mut self, other: Self) {
        self.titles.extend(other.titles);
        self.items.extend(other.items);
    }

    /// The title of the record with this id, or the name of the hub with this code.
    pub fn title(&self, id: &str) -> Option<&str> {
        self.titles.get(id).map(String::as_str)
    }

    /// The title of the item with this id, of the record's own lists.
    pub fn item(&self, id: &str) -> Option<&str> {
        self.items.get(id).map(String::as_str)
    }
}

/// All in a record that may name another or a hub.
fn named(kind: &'static Kind, fields: &Object) -> Vec<String> {
    let mut found = Vec::new();
    for field in kind.fields {
        let Some(value) = fields.get(field.name) else {
            continue;
        };
        let Some(inner) = field.items() else {
            add(field, value, &mut found);
            continue;
        };
        for item in value.as_array().into_iter().flatten() {
            for field in inner {
                add(field, &item[field.name], &mut found);
            }
        }
    }
    found
}

fn add(field: &Field, value: &Value, found: &mut Vec<String>) {
    if !names_something(field) {
        return;
    }
    let one = value.as_str().into_iter();
    let many = value.as_array().into_iter().flatten();
    for text in one.chain(many.filter_map(Value::as_str)) {
        let refers = field.names_hub || matches!(field.check, Check::Reference(_));
        if refers || is_id(text) {
            found.push(text.to_owned());
        }
    }
}

/// Whether a field may hold an id or a hub's code.
fn names_something(field: &Field) -> bool {
    let short = matches!(field.check, Check::Text(most) if most <= 64);
    field.names_hub || short || matches!(field.check, Check::Reference(_))
}

/// Whether a text is a record's id.
pub(super) fn is_id(text: &str) -> bool {
    text.len() > 16 && text.parse::<Subject>().is_ok()
}
