//! What a form adds, once: the id of what it adds comes with the form, so that a form that is sent
//! twice adds one thing, and one that was corrected in between adds another.

use maud::{Markup, html};
use node_domain::{Field, FieldChange, Filled, Kind, Merge, Object};
use serde_json::Value;

use crate::web::Form;

/// The input's name.
const NAME: &str = "adds";
/// How long an id is.
const LENGTH: usize = 20;

/// The input that carries the id of what a form adds.
pub fn adds(typed: Option<&Form>) -> Markup {
    let id = typed.map_or_else(fresh, added_by);
    html! { input type="hidden" name=(NAME) value=(id); }
}

/// The id of what a form adds; a fresh one where the form has none of our making.
pub fn added_by(form: &Form) -> String {
    let id = form.get(NAME);
    let ours = id.len() == LENGTH && id.bytes().all(|letter| letter.is_ascii_hexdigit());
    if ours { id.to_owned() } else { fresh() }
}

fn fresh() -> String {
    data_encoding::HEXLOWER.encode(&crate::random::<{ LENGTH / 2 }>())
}

/// What stands already where a form adds something.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Stands {
    /// All that it says: the form was sent before.
    Same,
    /// What it adds, and something else of what it says does not hold.
    Partly,
    /// Something else, or what was there was taken back: whoever went back to the form adds another
    /// by it. These are the changes.
    Another(Vec<FieldChange>),
}

/// The list and the id of what a form adds first.
pub(super) fn added(changes: &[FieldChange]) -> Option<(&str, &str)> {
    changes.iter().find_map(|change| {
        if let FieldChange::Add {
            field,
            id: Some(id),
            ..
        } = change
        {
            Some((field.as_str(), id.as_str()))
        } else {
            None
        }
    })
}

/// What stands in a record of a kind under the id of what these changes add.
pub(super) fn stands(kind: &Kind, fields: &Object, changes: &[FieldChange]) -> Option<Stands> {
    let (_, id) = added(changes)?;
    let mut same = false;
    for change in changes {
        let holds = if let FieldChange::Add {
            field,
            id: adds,
            values,
            ..
        } = change
        {
            let mut items = items(fields, field).filter(|it| says(kind, field, it, values));
            match adds {
                Some(adds) => items.any(|it| it["id"] == adds.as_str()),
                None => items.next().is_some(),
            }
        } else {
            false
        };
        match (holds, same) {
            (true, _) => same = true,
            // What is added first stands first.
            (false, true) => return Some(Stands::Partly),
            (false, false) => return Some(Stands::Another(renamed(changes, id))),
        }
    }
    Some(Stands::Same)
}

/// These changes under a fresh id in the place of this one.
pub(super) fn renamed(changes: &[FieldChange], id: &str) -> Vec<FieldChange> {
    let another = fresh();
    let renamed = changes.iter().cloned().map(|mut change| {
        if let FieldChange::Add {
            id: adds, values, ..
        } = &mut change
        {
            if adds.as_deref() == Some(id) {
                *adds = Some(another.clone());
            }
            for value in values.values_mut().filter(|value| **value == id) {
                *value = Value::from(another.as_str());
            }
        }
        change
    });
    renamed.collect()
}

fn items<'a>(fields: &'a Object, list: &str) -> impl Iterator<Item = &'a Value> + use<'a> {
    fields
        .get(list)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}

/// Whether an item says these values, and nothing in what people fill in beside them.
fn says(kind: &Kind, list: &str, item: &Value, values: &Object) -> bool {
    let empty = |value: &Value| match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(elements) => elements.is_empty(),
        Value::Bool(_) | Value::Number(_) | Value::Object(_) => false,
    };
    let declared = kind.field(list).and_then(Field::items).unwrap_or_default();
    // A state begins by itself, and a count too.
    let typed = |field: &&Field| {
        let plain = matches!(field.merge, Merge::Value | Merge::Text | Merge::Set(_));
        plain && field.filled == Filled::ByPerson
    };
    let mut typed = declared.iter().filter(typed);
    values.iter().all(|(name, value)| item[name] == *value)
        && typed.all(|field| values.contains_key(field.name) || empty(&item[field.name]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use node_domain::WORK_GROUP;
    use serde_json::json;

    fn object(value: &Value) -> Object {
        value.as_object().cloned().unwrap_or_default()
    }

    fn adding(id: &str, role: &str, status: &str) -> Vec<FieldChange> {
        let member = FieldChange::Add {
            field: "members".to_owned(),
            after: None,
            id: Some(id.to_owned()),
            values: object(&json!({ "organisation": "Hill School", "role": role })),
        };
        let status = object(&json!({ "member": id, "status": status }));
        vec![member, FieldChange::add("statuses", status)]
    }

    #[test]
    fn a_form_sent_twice_is_known_and_one_that_says_something_else_is_not_taken_for_it() {
        let fields = object(&json!({
            "members": [{ "id": "a", "organisation": "Hill School", "role": "lead", "urn": "" }],
            "statuses": [{ "id": "1", "member": "a", "status": "applied" }],
        }));
        let stands = |changes: &[FieldChange]| stands(&WORK_GROUP, &fields, changes);
        assert_eq!(stands(&adding("a", "lead", "applied")), Some(Stands::Same));
        assert_eq!(
            stands(&adding("a", "lead", "accepted")),
            Some(Stands::Partly)
        );
        let mut emptied = adding("a", "lead", "applied");
        if let FieldChange::Add { values, .. } = &mut emptied[0] {
            values.remove("role");
        }
        for other in [adding("a", "teacher", "applied"), emptied] {
            let Some(Stands::Another(changes)) = stands(&other) else {
                panic!("it adds another");
            };
            let [
                FieldChange::Add { id: Some(id), .. },
                FieldChange::Add { values, .. },
            ] = &changes[..]
            else {
                panic!("both are added: {changes:?}");
            };
            assert_ne!(id, "a");
            assert_eq!(values["member"], id.as_str());
        }
    }
}
