//! Bringing back what stood in a record earlier.

use node_document::{Document, EditError, Edited, Heads, View};
use serde_json::Value as Json;

use crate::Object;
use crate::change::FieldChange;
use crate::declaration::{Field, Filled, Kind, Merge};
use crate::error::{Problem, RecordError};
use crate::fields::{Spot, written};
use crate::read::{kind_of, read_field, read_item};
use crate::write::{By, Written, edit};

/// Brings one field back to what it was at `then`: a value, text, state or set by its path, a field
/// of a list's item by `list/item/field`, and an item, removed or not, by `list/item`.
///
/// # Errors
/// [`RecordError::Problems`] if the field is one that is only ever added to or that the program
/// fills in, if nothing stood there then, or if the change is not allowed now.
pub fn bring_back(
    document: &Document,
    path: &str,
    then: &Heads,
    by: &By,
) -> Result<Edited<Written>, RecordError> {
    let now = document.view();
    let kind = kind_of(&now)?;
    let then = document.view_at(then).ok_or(EditError::UnknownHeads)?;
    let changes = match path.split('/').collect::<Vec<_>>().as_slice() {
        [list, item] => item_back(kind, &now, &then, list, item)?,
        [_, ..] | [] => field_back(kind, &now, &then, path)?,
    };
    edit(document, None, &changes, by)
}

fn field_back(
    kind: &'static Kind,
    now: &View<'_>,
    then: &View<'_>,
    path: &str,
) -> Result<Vec<FieldChange>, Problem> {
    let top = path.split('/').next().unwrap_or_default();
    if !path.contains('/')
        && let Some(field) = kind.field(top)
        && let Merge::List(_) = field.merge
    {
        let message = format!(
            "the items of '{}' are brought back one by one: write {}/ITEM",
            field.label, field.name
        );
        return Err(Problem::new(path, message));
    }
    let spot = Spot::find(kind, path)?;
    if let (Some(within), Some(item)) = (spot.within, spot.item()) {
        check(within, path)?;
        if !now.items(&[within.name]).iter().any(|known| known == item) {
            let message = format!(
                "this item of '{}' was removed; bring back {}/{item} first",
                within.label, within.name
            );
            return Err(Problem::new(path, message));
        }
    }
    check(spot.field, path)?;
    let above = &spot.path[..spot.path.len() - 1];
    let read = |view: &View<'_>| read_field(view, above, spot.field).unwrap_or(Json::Null);
    let (was, is) = (read(then), read(now));
    if was == is {
        return Ok(Vec::new());
    }
    if let Merge::Set(_) = spot.field.merge {
        return Ok(set_back(path, &was, &is));
    }
    Ok(vec![FieldChange::set(path, was)])
}

fn set_back(path: &str, was: &Json, is: &Json) -> Vec<FieldChange> {
    let elements = |json: &Json| json.as_array().cloned().unwrap_or_default();
    let (was, is) = (elements(was), elements(is));
    let include = was.iter().filter(|element| !is.contains(element));
    let include = include.map(|element| FieldChange::Include {
        field: path.to_owned(),
        element: element.clone(),
    });
    let exclude = is.iter().filter(|element| !was.contains(element));
    let exclude = exclude.map(|element| FieldChange::Exclude {
        field: path.to_owned(),
        element: element.clone(),
    });
    include.chain(exclude).collect()
}

pub(crate) fn item_back(
    kind: &'static Kind,
    now: &View<'_>,
    then: &View<'_>,
    list: &str,
    item: &str,
) -> Result<Vec<FieldChange>, Problem> {
    let path = written(&[list, item]);
    let Some(field) = kind.field(list) else {
        return Spot::find(kind, &path).map(|_| Vec::new());
    };
    check(field, &path)?;
    let Some(fields) = field.items() else {
        let message = format!("'{}' has no items", field.label);
        return Err(Problem::new(path, message));
    };
    let items = then.items(&[list]);
    let Some(place) = items.iter().position(|known| known == item) else {
        let message = format!("'{}' had no such item then", field.label);
        return Err(Problem::new(path, message));
    };
    let there = now.items(&[list]);
    let entered = |field: &&Field| field.filled == Filled::ByPerson;
    let was = read_item(then, &[list], item, fields);
    if there.iter().any(|known| known == item) {
        let is = read_item(now, &[list], item, fields);
        let changed = fields
            .iter()
            .filter(entered)
            .filter(|field| was[field.name] != is[field.name]);
        return Ok(changed
            .map(|field| {
                let path = written(&[path.as_str(), field.name]);
                FieldChange::set(path, was[field.name].clone())
            })
            .collect());
    }
    let values = fields.iter().filter(entered).filter_map(|field| {
        let value = was.get(field.name)?.clone();
        Some((field.name.to_owned(), value))
    });
    // Behind whatever still stands before it.
    let after = items[..place]
        .iter()
        .rev()
        .find(|earlier| there.contains(earlier));
    let mut changes = vec![FieldChange::Add {
        field: list.to_owned(),
        after: after.cloned(),
        id: Some(item.to_owned()),
        values: values.collect::<Object>(),
    }];
    if after.is_none() {
        changes.push(FieldChange::Move {
            field: list.to_owned(),
            item: item.to_owned(),
            after: None,
        });
    }
    // What was entered later goes again.
    let later = fields.iter().filter(entered).filter(|field| {
        was.get(field.name).is_none() && now.get(&[list, item, field.name]).is_some()
    });
    let cleared = later.map(|field| {
        let path = written(&[path.as_str(), field.name]);
        FieldChange::set(path, Json::Null)
    });
    changes.extend(cleared);
    Ok(changes)
}

/// What cannot be brought back, and why.
fn check(field: &Field, path: &str) -> Result<(), Problem> {
    let why = match field.merge {
        Merge::Log(_) => "is only ever added to: enter a correction as a new item",
        Merge::Count => "is a count: add to it or take from it",
        Merge::Places => "holds places: issue, pass on, take or give back",
        Merge::Value | Merge::Text | Merge::List(_) | Merge::Set(_) | Merge::State(_) => {
            match field.filled {
                Filled::ByPerson => return Ok(()),
                Filled::ByProgram => "is filled in by the program alone",
                Filled::ByAuthor => "is proven by the author's signature and never entered",
            }
        }
    };
    let message = format!("'{}' is not brought back: it {why}", field.label);
    Err(Problem::new(path, message))
}
