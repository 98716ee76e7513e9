//! By what an import knows a record, an item or a person again.

use serde_json::Value as Json;

use super::fold::folded;
use crate::Object;
use crate::declaration::{Field, Kind};
use crate::read::plain;

/// What stands in place of the id of a person whose card is still to be made.
const PERSON: &str = "@person:";

/// The values of a kind's key fields in a record, as an import compares them: case, spaces and
/// punctuation do not count, and a field that is not filled is an empty text.
pub fn import_key(kind: &Kind, values: &Object) -> Vec<String> {
    let part = |name: &&str| values.get(*name).map(part).unwrap_or_default();
    kind.key.iter().map(part).collect()
}

/// The id of an item that is the same wherever, and however often, it is imported. It is made of
/// the fields that the list declares for this, or of all where there are none. `person` says what
/// stands for the person that a field refers to.
pub(super) fn item_id(
    list: &Field,
    values: &Object,
    person: impl Fn(&Field) -> Option<String>,
) -> String {
    let fields = list.items().unwrap_or_default();
    let declared = |field: &&Field| field.required || field.identifies;
    let any = fields.iter().any(|field| declared(&field));
    let parts = fields
        .iter()
        .filter(|field| !any || declared(field))
        .map(|field| {
            let value = || values.get(field.name).map(part).unwrap_or_default();
            person(field).unwrap_or_else(value)
        });
    hash(list.name, parts)
}

/// The reference to a person's card that is still to be made, the same for the same person.
pub(super) fn person_reference(key: &[String]) -> String {
    // The first that is filled tells people apart best; without it all others together do.
    let parts = match key.first() {
        Some(first) if !first.is_empty() => std::slice::from_ref(first),
        Some(_) | None => key,
    };
    format!("{PERSON}{}", hash("person", parts.iter().cloned()))
}

/// Whether a value stands for a card that is still to be made.
pub(super) fn is_new_person(value: &Json) -> bool {
    value.as_str().is_some_and(|text| text.starts_with(PERSON))
}

/// A value as it is compared.
pub(super) fn part(value: &Json) -> String {
    match value {
        Json::String(text) => {
            let folded = folded(text);
            if folded.is_empty() {
                text.trim().to_lowercase()
            } else {
                folded
            }
        }
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::Array(_) | Json::Object(_) => {
            plain(value)
        }
    }
}

fn hash(what: &str, parts: impl Iterator<Item = String>) -> String {
    let mut hasher = blake3::Hasher::new();
    hasher
        .update(b"causeway/1 import\0")
        .update(what.as_bytes());
    for part in parts {
        let length = u64::try_from(part.len()).unwrap_or(u64::MAX);
        hasher.update(&length.to_le_bytes()).update(part.as_bytes());
    }
    let hash = hasher.finalize();
    let short = hash.as_bytes().get(..10).unwrap_or_default();
    data_encoding::BASE32_NOPAD
        .encode(short)
        .to_ascii_lowercase()
}
