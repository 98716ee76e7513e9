//! People who may be the same, and two cards made one.

mod duplicates;
pub(crate) mod names;

pub use duplicates::{Likely, duplicates};
pub use names::known_names;

use serde_json::{Value as Json, json};

use crate::Object;
use crate::kinds::PERSON;
use crate::people::names::folded;
use crate::standing::text;

/// What a card may hold of former names, in characters.
const FORMER_NAMES_MAX: usize = 200;
/// Contact wishes, the strictest last.
const WISHES: &[&str] = &["any", "e-mail only", "none"];

/// Two cards of one person made one. `keep` stays as it is, and is filled in from `other` where
/// it is empty; the other's name goes to the former names where it is another. Of two contact
/// wishes the stricter holds.
pub fn merged(keep: &Object, other: &Object) -> Object {
    let mut merged = keep.clone();
    for (field, value) in other {
        if merged.get(field).is_none_or(is_empty) {
            merged.insert(field.clone(), value.clone());
        }
    }
    merged.retain(|_, value| !is_empty(value));
    let wish = |person: &Object| {
        let wish = text(person, "contact_wishes");
        WISHES.iter().position(|known| *known == wish)
    };
    if wish(other) > wish(&merged) {
        merged.insert("contact_wishes".to_owned(), other["contact_wishes"].clone());
    }
    let split = |names: &str| {
        let names = names.split([',', ';']).map(str::trim);
        names
            .filter(|name| !name.is_empty())
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let mut former = split(text(keep, "former_names"));
    let others = split(text(other, "former_names")).into_iter();
    for name in std::iter::once(text(other, "name").trim().to_owned()).chain(others) {
        let known = folded(&name) == folded(text(keep, "name"))
            || former.iter().any(|known| folded(known) == folded(&name));
        let length = former
            .iter()
            .map(|known| known.chars().count() + 2)
            .sum::<usize>();
        if !known && !name.is_empty() && length + name.chars().count() <= FORMER_NAMES_MAX {
            former.push(name.replace([',', ';'], " "));
        }
    }
    if !former.is_empty() {
        merged.insert("former_names".to_owned(), json!(former.join(", ")));
    }
    in_order(merged)
}

fn is_empty(value: &Json) -> bool {
    value.is_null() || value.as_str() == Some("")
}

/// The fields in the order declared, then those that only a newer version knows.
fn in_order(mut person: Object) -> Object {
    let mut ordered = Object::new();
    for field in PERSON.fields {
        if let Some(value) = person.shift_remove(field.name) {
            ordered.insert(field.name.to_owned(), value);
        }
    }
    ordered.extend(person);
    ordered
}
