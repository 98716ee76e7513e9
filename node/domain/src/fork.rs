//! Forks: a record made from another, to which the other's later changes are offered.

use node_document::View;
use serde_json::{Value as Json, json};

use crate::Object;
use crate::change::FieldChange;
use crate::declaration::{Field, Kind, Merge};
use crate::error::{Problem, RecordError};
use crate::fork::paragraphs::{Hunk, hunks};
use crate::read::read;
use crate::standing::text;

mod paragraphs;

const FIRST_MADE_BY: &str = "first_made_by";

/// A change of the original since the fork was made, to be taken or left.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Offer {
    /// The field.
    pub field: String,
    /// What people call it.
    pub label: String,
    /// What stood in the original when the fork was made, or when its changes were last taken.
    pub then: Json,
    /// What stands in the original now.
    pub now: Json,
    /// What stands in the fork.
    pub mine: Json,
    /// What takes the offer.
    pub change: FieldChange,
}

/// The content of a fork of a record: the fields that the declaration takes over, where it comes
/// from, and who made the first of all. It is created by the program, and `made_by` is the code
/// of the hub whose record the original is, in case it does not say who made it first.
///
/// # Errors
/// [`RecordError::Problems`] if the kind is not forked.
pub fn fork(
    view: &View<'_>,
    kind: &'static Kind,
    original: &str,
    heads: &str,
    made_by: &str,
) -> Result<Object, RecordError> {
    if kind.fork.is_empty() {
        let title = kind.title.to_lowercase();
        let message = format!("a {title} is not made from another: create a new one");
        return Err(Problem::new("", message).into());
    }
    let record = read(view, kind);
    let mut fork = Object::new();
    for name in kind.fork {
        let value = record.get(*name).filter(|value| !value.is_null());
        fork.extend(value.map(|value| ((*name).to_owned(), value.clone())));
    }
    let first = match text(&record, FIRST_MADE_BY) {
        "" => made_by,
        first => first,
    };
    for (name, value) in [
        ("fork_of", original),
        ("fork_heads", heads),
        (FIRST_MADE_BY, first),
    ] {
        if kind.field(name).is_some() && !value.is_empty() {
            fork.insert(name.to_owned(), json!(value));
        }
    }
    Ok(fork)
}

/// What changed in the original since, field by field, element by element and paragraph by
/// paragraph, without what the fork has already. `then` is the original as it stood at the
/// fork's `fork_heads`, `now` as it stands, `mine` the fork.
///
/// Each offer fits the fork as it is: after one is taken, ask again.
pub fn offers(kind: &'static Kind, then: &Object, now: &Object, mine: &Object) -> Vec<Offer> {
    let fields = kind.fork.iter().filter_map(|name| kind.field(name));
    fields
        .flat_map(|field| {
            let value = |record: &Object| record.get(field.name).cloned().unwrap_or(Json::Null);
            of_field(field, &value(then), &value(now), &value(mine))
        })
        .collect()
}

fn of_field(field: &'static Field, then: &Json, now: &Json, mine: &Json) -> Vec<Offer> {
    if then == now || now == mine {
        return Vec::new();
    }
    match field.merge {
        Merge::Value | Merge::State(_) => {
            let change = FieldChange::set(field.name, now.clone());
            vec![offer(field, [then, now, mine], change)]
        }
        Merge::Text => {
            let [then, now, mine] = [then, now, mine].map(|text| text.as_str().unwrap_or_default());
            let hunks = hunks(then, now, mine).into_iter();
            hunks.map(|hunk| of_text(field, hunk)).collect()
        }
        Merge::Set(_) => of_set(field, then, now, mine),
        Merge::List(_) | Merge::Log(_) => of_items(field, then, now, mine),
        Merge::Count | Merge::Places => Vec::new(),
    }
}

fn of_text(field: &Field, hunk: Hunk) -> Offer {
    let change = FieldChange::set(field.name, hunk.taken);
    let parts = [json!(hunk.then), json!(hunk.now), json!(hunk.mine)];
    offer(field, parts.each_ref(), change)
}

fn of_set(field: &Field, then: &Json, now: &Json, mine: &Json) -> Vec<Offer> {
    let [then, now, mine] = [then, now, mine].map(array);
    let name = || field.name.to_owned();
    let come = now
        .iter()
        .filter(|element| !then.contains(element) && !mine.contains(element))
        .map(|element| {
            let (field_name, element) = (name(), element.clone());
            let change = FieldChange::Include {
                field: field_name,
                element: element.clone(),
            };
            offer(field, [&Json::Null, &element, &Json::Null], change)
        });
    let gone = then
        .iter()
        .filter(|element| !now.contains(element) && mine.contains(element))
        .map(|element| {
            let change = FieldChange::Exclude {
                field: name(),
                element: element.clone(),
            };
            offer(field, [element, &Json::Null, element], change)
        });
    come.chain(gone).collect()
}

fn of_items(field: &Field, then: &Json, now: &Json, mine: &Json) -> Vec<Offer> {
    let [then, now, mine] = [then, now, mine].map(array);
    let find = |items: &[Json], item: &Json| {
        let found = items.iter().find(|other| other["id"] == item["id"]);
        found.cloned().unwrap_or(Json::Null)
    };
    let mut offers = Vec::new();
    for item in now {
        let (before, own) = (find(then, item), find(mine, item));
        if before.is_null() && own.is_null() {
            let mut values = item.as_object().cloned().unwrap_or_default();
            let id = values.shift_remove("id");
            let change = FieldChange::Add {
                field: field.name.to_owned(),
                after: None,
                id: id.and_then(|id| id.as_str().map(str::to_owned)),
                values,
            };
            offers.push(offer(field, [&before, item, &own], change));
        } else if !before.is_null() && !own.is_null() {
            for inner in field.items().unwrap_or_default() {
                let parts = [&before, item, &own].map(|item| &item[inner.name]);
                if parts[0] != parts[1] && parts[1] != parts[2] {
                    let id = text_of(&item["id"]);
                    let path = format!("{}/{id}/{}", field.name, inner.name);
                    let mut one = offer(field, parts, FieldChange::set(&path, parts[1].clone()));
                    one.label = crate::fields::label(inner, Some(field));
                    one.field = path;
                    offers.push(one);
                }
            }
        }
    }
    for item in then.iter().filter(|item| find(now, item).is_null()) {
        let own = find(mine, item);
        if !own.is_null() {
            let change = FieldChange::Remove {
                field: field.name.to_owned(),
                item: text_of(&item["id"]).to_owned(),
            };
            offers.push(offer(field, [item, &Json::Null, &own], change));
        }
    }
    offers
}

fn offer(field: &Field, [then, now, mine]: [&Json; 3], change: FieldChange) -> Offer {
    Offer {
        field: field.name.to_owned(),
        label: field.label.to_owned(),
        then: then.clone(),
        now: now.clone(),
        mine: mine.clone(),
        change,
    }
}

fn array(value: &Json) -> &[Json] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn text_of(value: &Json) -> &str {
    value.as_str().unwrap_or_default()
}
