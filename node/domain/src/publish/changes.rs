//! What brings a copy that was published earlier up to date.

use std::collections::{BTreeMap, VecDeque};

use serde_json::Value as Json;

use crate::Object;
use crate::change::FieldChange;
use crate::declaration::Published;
use crate::declaration::{Field, Merge, State};
use crate::publish::content::parts;
use crate::standing::text;
use crate::states;

/// The changes of one field of a copy from what stands there to what is published now. `None`
/// says that nothing is published of it any more.
pub(crate) fn field_changes(
    field: &'static Field,
    published: Option<&Published>,
    old: Option<&Json>,
    new: Option<&Json>,
) -> Vec<FieldChange> {
    let old = old.filter(|value| !value.is_null());
    let new = new.filter(|value| !value.is_null());
    match field.merge {
        Merge::Value | Merge::Text | Merge::State(_) => {
            value_changes(field.name.to_owned(), field, old, new)
        }
        Merge::Set(_) => {
            let (old, new) = (array(old), array(new));
            let name = field.name.to_owned();
            let gone = old.iter().filter(|element| !new.contains(element));
            let gone = gone.map(|element| FieldChange::Exclude {
                field: name.clone(),
                element: element.clone(),
            });
            let come = new.iter().filter(|element| !old.contains(element));
            let come = come.map(|element| FieldChange::Include {
                field: name.clone(),
                element: element.clone(),
            });
            gone.chain(come).collect()
        }
        Merge::Count => {
            let count = |value: Option<&Json>| value.and_then(Json::as_i64).unwrap_or(0);
            match count(new) - count(old) {
                0 => Vec::new(),
                by => vec![FieldChange::Count {
                    field: field.name.to_owned(),
                    by,
                }],
            }
        }
        Merge::List(fields) => {
            let names = published.map_or(&[][..], |published| parts(published.from));
            list_changes(field.name, fields, names, array(old), array(new))
        }
        Merge::Log(_) => {
            let known = |item: &&Json| !array(old).iter().any(|other| id(other) == id(item));
            let added = array(new).iter().filter(known);
            added.map(|item| add(field.name, item)).collect()
        }
        Merge::Places => Vec::new(),
    }
}

fn value_changes(
    path: String,
    field: &Field,
    old: Option<&Json>,
    new: Option<&Json>,
) -> Vec<FieldChange> {
    match (field.merge, old, new) {
        (_, old, new) if old == new => Vec::new(),
        (Merge::State(_), _, None) => Vec::new(),
        (Merge::State(states), Some(Json::String(from)), Some(Json::String(to))) => {
            let steps = steps(states, from, to);
            let step = |state: &str| FieldChange::set(path.clone(), state);
            steps.into_iter().map(step).collect()
        }
        // A text that nobody filled in reads as an empty one.
        (Merge::Text, old, None) if old.and_then(Json::as_str) == Some("") => Vec::new(),
        (_, _, new) => vec![FieldChange::set(path, new.cloned().unwrap_or(Json::Null))],
    }
}

/// The steps from one state to another, the shortest way; straight there if there is no way, so
/// that whoever writes it is told.
fn steps<'a>(states: &'a [State], from: &str, to: &'a str) -> Vec<&'a str> {
    let mut came_from = BTreeMap::<&str, &str>::new();
    let mut waiting = VecDeque::from([from]);
    while let Some(state) = waiting.pop_front() {
        if state == to {
            let mut way = vec![to];
            let mut at = to;
            while let Some(before) = came_from.get(at).filter(|before| **before != from) {
                let step = states.iter().find(|state| state.name == *before);
                way.extend(step.map(|step| step.name));
                at = before;
            }
            way.reverse();
            return way;
        }
        for next in states::next(states, state) {
            if *next != from && !came_from.contains_key(next) {
                came_from.insert(next, state);
                waiting.push_back(next);
            }
        }
    }
    vec![to]
}

fn list_changes(
    list: &str,
    fields: &'static [Field],
    names: &[&str],
    old: &[Json],
    new: &[Json],
) -> Vec<FieldChange> {
    let mut changes = Vec::new();
    let gone = old.iter().filter(|item| find(new, id(item)).is_none());
    changes.extend(gone.map(|item| FieldChange::Remove {
        field: list.to_owned(),
        item: id(item).to_owned(),
    }));
    let stays = old.iter().filter(|item| find(new, id(item)).is_some());
    let mut order = stays.map(id).collect::<Vec<_>>();
    for item in new {
        let Some(before) = find(old, id(item)) else {
            changes.push(add(list, item));
            order.push(id(item));
            continue;
        };
        for field in fields.iter().filter(|field| names.contains(&field.name)) {
            let path = format!("{list}/{}/{}", id(item), field.name);
            let (old, new) = (before.get(field.name), item.get(field.name));
            changes.extend(value_changes(path, field, old, new));
        }
    }
    for (place, item) in new.iter().enumerate() {
        if order.get(place) != Some(&id(item)) {
            let after = place.checked_sub(1).map(|before| order[before].to_owned());
            order.retain(|other| *other != id(item));
            order.insert(place.min(order.len()), id(item));
            changes.push(FieldChange::Move {
                field: list.to_owned(),
                item: id(item).to_owned(),
                after,
            });
        }
    }
    changes
}

fn add(list: &str, item: &Json) -> FieldChange {
    let mut values = item.as_object().cloned().unwrap_or_default();
    values.shift_remove("id");
    FieldChange::Add {
        field: list.to_owned(),
        after: None,
        id: Some(id(item).to_owned()).filter(|id| !id.is_empty()),
        values,
    }
}

fn id(item: &Json) -> &str {
    item.as_object()
        .map_or("", |item: &Object| text(item, "id"))
}

fn find<'a>(items: &'a [Json], wanted: &str) -> Option<&'a Json> {
    items.iter().find(|item| id(item) == wanted)
}

fn array(value: Option<&Json>) -> &[Json] {
    value.and_then(Json::as_array).map_or(&[], Vec::as_slice)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::declaration::state;

    const STATES: &[State] = &[
        state("idea", &["trial"]),
        state("trial", &["captured", "idea"]),
        state("captured", &["tested"]),
        state("tested", &[]),
    ];

    #[test]
    fn a_copy_takes_every_step_that_the_record_took() {
        assert_eq!(steps(STATES, "idea", "captured"), ["trial", "captured"]);
        assert_eq!(steps(STATES, "captured", "tested"), ["tested"]);
        assert_eq!(steps(STATES, "tested", "idea"), ["idea"], "there is no way");
    }
}
