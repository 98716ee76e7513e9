//! Values as cells of a table.

use serde_json::Value as Json;

use crate::declaration::{Check, Field, Merge};
use crate::read::{plain, pounds};

/// A field's content as a cell: money as pounds, a set's elements one after another, a list as how
/// many items it has.
pub(super) fn cell(field: &Field, value: Option<&Json>) -> String {
    let Some(value) = value else {
        return String::new();
    };
    match (field.merge, value) {
        (Merge::List(_) | Merge::Log(_), Json::Array(items)) => items.len().to_string(),
        (Merge::Set(_), Json::Array(elements)) => {
            elements.iter().map(plain).collect::<Vec<_>>().join("; ")
        }
        (Merge::Places, Json::Object(places)) => part(places, "issued"),
        _ => match (field.check, value.as_i64()) {
            (Check::Pence(..), Some(pence)) => pounds(pence),
            _ => plain(value),
        },
    }
}

/// How many places are taken.
pub(super) fn taken(value: Option<&Json>) -> String {
    let places = value.and_then(Json::as_object);
    places
        .map(|places| part(places, "taken"))
        .unwrap_or_default()
}

fn part(places: &crate::Object, name: &str) -> String {
    places.get(name).map(plain).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_reads_as_pounds() {
        assert_eq!(pounds(125_050), "1250.50");
        assert_eq!(pounds(-5), "-0.05");
        assert_eq!(pounds(i64::MIN), "-92233720368547758.08");
    }
}
