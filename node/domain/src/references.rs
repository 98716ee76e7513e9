//! Which other records a record refers to.

use std::collections::BTreeMap;

use node_document::{Value, View};
use serde_json::Value as Json;

use crate::Object;
use crate::change::FieldChange;
use crate::declaration::{Check, Field, Kind, Merge};
use crate::fields::{Fields, Spot, elements, written};

/// A place in a record that refers to another record or to a hub.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Reference {
    /// The path of the field that refers.
    pub field: String,
    /// What it refers to: the name of a kind, or `hub`.
    pub kind: &'static str,
    /// The id.
    pub id: String,
}

/// What changes would make a record refer to. What is not as declared is passed over: the edit
/// refuses it.
pub fn references_in_changes(kind: &'static Kind, changes: &[FieldChange]) -> Vec<Reference> {
    let mut found = Vec::new();
    for change in changes {
        let Ok(spot) = Spot::find(kind, change.field()) else {
            continue;
        };
        match change {
            FieldChange::Set { field, value } => note(&mut found, spot.field, field, value),
            FieldChange::Include { field, element } => {
                note(&mut found, spot.field, field, element);
            }
            FieldChange::Add {
                field, id, values, ..
            } => {
                let above = id
                    .as_ref()
                    .map_or_else(|| field.clone(), |id| format!("{field}/{id}"));
                in_item(&mut found, spot.field, &above, values);
            }
            FieldChange::Move { .. }
            | FieldChange::Remove { .. }
            | FieldChange::Exclude { .. }
            | FieldChange::Count { .. }
            | FieldChange::Issue { .. }
            | FieldChange::Pass { .. }
            | FieldChange::Take { .. }
            | FieldChange::GiveBack { .. }
            | FieldChange::Confirm { .. } => {}
        }
    }
    found
}

/// What an object of a kind refers to, as a record is made from it or a card holds it.
pub fn references_in(kind: &'static Kind, values: &Object) -> Vec<Reference> {
    let mut found = Vec::new();
    for field in kind.fields {
        let Some(value) = values.get(field.name) else {
            continue;
        };
        let parts = value.as_array().into_iter().flatten();
        match field.merge {
            Merge::Value => note(&mut found, field, field.name, value),
            Merge::Set(_) => parts.for_each(|part| note(&mut found, field, field.name, part)),
            Merge::List(_) | Merge::Log(_) => {
                for item in parts.filter_map(Json::as_object) {
                    let id = item.get("id").and_then(Json::as_str);
                    let above =
                        id.map_or_else(|| field.name.to_owned(), |id| written(&[field.name, id]));
                    in_item(&mut found, field, &above, item);
                }
            }
            Merge::Text | Merge::Count | Merge::State(_) | Merge::Places => {}
        }
    }
    found
}

/// The changes that make a record refer to `to` wherever it refers to `from`, as when two cards
/// of one person become one; and the paths in logs, which are only ever added to, where `from`
/// stays.
pub fn replace_reference(
    view: &View<'_>,
    kind: &'static Kind,
    from: &str,
    to: &str,
) -> (Vec<FieldChange>, Vec<String>) {
    let (mut changes, mut left) = (Vec::new(), Vec::new());
    let refers =
        |path: &[&str]| Fields::values(view, path).contains(&Value::String(from.to_owned()));
    for field in kind.fields {
        let top = [field.name];
        match field.merge {
            Merge::Value if is_reference(field) && refers(&top) => {
                changes.push(FieldChange::set(field.name, to));
            }
            Merge::Set(wins) if is_reference(field) => {
                if elements(view, &top, wins)
                    .iter()
                    .any(|element| element == from)
                {
                    changes.push(FieldChange::Exclude {
                        field: field.name.to_owned(),
                        element: from.into(),
                    });
                    changes.push(FieldChange::Include {
                        field: field.name.to_owned(),
                        element: to.into(),
                    });
                }
            }
            Merge::List(fields) | Merge::Log(fields) => {
                for item in Fields::items(view, &top) {
                    for inner in fields.iter().filter(|inner| is_reference(inner)) {
                        let path = [field.name, &item, inner.name];
                        if !refers(&path) {
                            continue;
                        }
                        if let Merge::Log(_) = field.merge {
                            left.push(written(&path));
                        } else {
                            changes.push(FieldChange::set(written(&path), to));
                        }
                    }
                }
            }
            Merge::Value
            | Merge::Text
            | Merge::Set(_)
            | Merge::Count
            | Merge::State(_)
            | Merge::Places => {}
        }
    }
    (changes, left)
}

/// An object of a kind in which every reference to a key of `names` refers to its value instead,
/// as when an export is brought into another node. Who holds places is renamed too.
pub fn renamed(kind: &'static Kind, values: &Object, names: &BTreeMap<String, String>) -> Object {
    let rename = |value: &mut Json| {
        if let Some(name) = value.as_str().and_then(|id| names.get(id)) {
            *value = name.as_str().into();
        }
    };
    let mut values = values.clone();
    for field in kind.fields {
        let Some(value) = values.get_mut(field.name) else {
            continue;
        };
        match field.merge {
            Merge::Value if is_reference(field) => rename(value),
            Merge::Set(_) if is_reference(field) => {
                value.as_array_mut().into_iter().flatten().for_each(rename);
            }
            Merge::List(fields) | Merge::Log(fields) => {
                let items = value.as_array_mut().into_iter().flatten();
                for item in items.filter_map(Json::as_object_mut) {
                    for inner in fields.iter().filter(|inner| is_reference(inner)) {
                        item.get_mut(inner.name).into_iter().for_each(rename);
                    }
                }
            }
            Merge::Places => {
                if let Some(held) = value.get_mut("held").and_then(Json::as_object_mut) {
                    let known = std::mem::take(held).into_iter();
                    held.extend(
                        known.map(|(hub, count)| (names.get(&hub).cloned().unwrap_or(hub), count)),
                    );
                }
            }
            Merge::Value | Merge::Text | Merge::Set(_) | Merge::Count | Merge::State(_) => {}
        }
    }
    values
}

const fn is_reference(field: &Field) -> bool {
    matches!(field.check, Check::Reference(_))
}

fn in_item(found: &mut Vec<Reference>, list: &Field, above: &str, values: &Object) {
    for field in list.items().unwrap_or_default() {
        if let Some(value) = values.get(field.name) {
            note(found, field, &format!("{above}/{}", field.name), value);
        }
    }
}

fn note(found: &mut Vec<Reference>, field: &Field, path: &str, value: &Json) {
    if let (Check::Reference(kind), Some(id)) = (field.check, value.as_str())
        && !id.is_empty()
    {
        found.push(Reference {
            field: path.to_owned(),
            kind,
            id: id.trim_end().to_owned(),
        });
    }
}
