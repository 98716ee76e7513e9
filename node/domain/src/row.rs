//! The line that stands for a record in lists, and what lists are searched and filtered by.

use std::collections::BTreeSet;

use node_document::View;
use serde_json::Value as Json;

use crate::Object;
use crate::declaration::{Check, Field, Kind, Merge};
use crate::kinds::UNKNOWN;
use crate::read::{json, plain, pounds, read_field};

/// What search looks into is cut after so many characters.
const SEARCHED_CHARACTERS_MAX: usize = 20_000;
/// Longer titles are cut.
const TITLE_CHARACTERS_MAX: usize = 500;
/// What a column shows is cut after so many characters.
const COLUMN_CHARACTERS_MAX: usize = 1_000;
/// Longer values are cut where lists are filtered by them.
const CELL_CHARACTERS_MAX: usize = 500;
/// A record has no more values than these by which lists are filtered; the first count.
const CELLS_MAX: usize = 2_000;

/// One line of a list.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Row {
    /// The name of the kind.
    pub kind: &'static str,
    /// The record's title.
    pub title: String,
    /// The columns: field, label and what is shown.
    pub columns: Vec<(&'static str, &'static str, String)>,
    /// What search looks into.
    pub searched: String,
    /// What lists are filtered and sorted by: a field, or `list/field`, and a value of it; each
    /// pair once. Numbers are numbers, and yes or no is `yes` or `no`.
    pub cells: Vec<(String, Json)>,
}

/// The line that stands for a record in lists.
pub fn row(view: &View<'_>, kind: &'static Kind) -> Row {
    let view = &view.whole();
    // Only what the line is made of is read.
    let needed = |field: &&Field| {
        let of_it = |name: &&str| name.split('/').next() == Some(field.name);
        field.name == kind.title_field
            || [kind.columns, kind.searched, kind.filtered]
                .iter()
                .any(|names| names.iter().any(of_it))
            || refers(field)
            || field.items().unwrap_or_default().iter().any(refers)
    };
    let fields = kind.fields.iter().filter(needed).filter_map(|field| {
        let value = read_field(view, &[], field)?;
        Some((field.name.to_owned(), value))
    });
    let mut row = row_of(kind, &fields.collect());
    if *kind == UNKNOWN {
        // Most kinds have a field of this name.
        let title = view.get(&[kind.title_field]);
        let title = title.map(|title| plain(&json(&title))).unwrap_or_default();
        row.title = cut(title, TITLE_CHARACTERS_MAX);
    }
    row
}

/// The title of a record with these fields, as they are read.
pub fn title(kind: &Kind, fields: &Object) -> String {
    cut(shown(kind, fields, kind.title_field), TITLE_CHARACTERS_MAX)
}

fn shown(kind: &Kind, fields: &Object, name: &str) -> String {
    match (fields.get(name), kind.field(name)) {
        (Some(value), Some(field)) if field.merge == Merge::Places => {
            format!("{} of {} free", free(value), value["issued"])
        }
        (Some(value), Some(field)) if matches!(field.check, Check::Pence(..)) => value
            .as_i64()
            .map_or_else(|| plain(value), |pence| format!("£{}", pounds(pence))),
        (value, _) => value.map(plain).unwrap_or_default(),
    }
}

/// The line that stands for a record with these fields, as they are read.
pub(crate) fn row_of(kind: &'static Kind, fields: &Object) -> Row {
    let columns = kind.columns.iter().filter_map(|name| {
        let field = kind.field(name)?;
        let shown = cut(shown(kind, fields, name), COLUMN_CHARACTERS_MAX);
        Some((field.name, field.label, shown))
    });
    Row {
        kind: kind.name,
        title: title(kind, fields),
        columns: columns.collect(),
        searched: searched(kind, fields),
        cells: cells(kind, fields),
    }
}

/// The values of a record by which lists are filtered.
pub(crate) fn cells(kind: &Kind, fields: &Object) -> Vec<(String, Json)> {
    let mut cells = Cells::default();
    for field in kind.fields {
        let Some(value) = fields.get(field.name) else {
            continue;
        };
        // Whether others hold the same is asked of the lists.
        let shared = kind.watches.iter().filter_map(|watch| watch.test.shared());
        let listed = [kind.columns, kind.filtered].into_iter().chain(shared);
        let listed = listed.collect::<Vec<_>>();
        let names = |name: &str| listed.iter().any(|names| names.contains(&name));
        let Some(inner) = field.items() else {
            if names(field.name) || refers(field) {
                cells.put(field.name, value);
            }
            continue;
        };
        for inner in inner {
            let name = format!("{}/{}", field.name, inner.name);
            if names(&name) || refers(inner) {
                for item in value.as_array().into_iter().flatten() {
                    cells.put(&name, &item[inner.name]);
                }
            }
        }
    }
    cells.found
}

/// The cells of a record, each once, in the order in which they were found.
#[derive(Debug, Default)]
struct Cells {
    found: Vec<(String, Json)>,
    /// Each with its value as it is written in JSON.
    known: BTreeSet<(String, String)>,
}

impl Cells {
    fn put(&mut self, name: &str, value: &Json) {
        if self.found.len() >= CELLS_MAX {
            return;
        }
        let value = match value {
            Json::Null => return,
            Json::Array(elements) => {
                for element in elements {
                    self.put(name, element);
                }
                return;
            }
            // Only places are objects.
            Json::Object(_) => Json::from(free(value)),
            Json::Bool(_) => Json::String(plain(value)),
            Json::String(text) => Json::String(cut(text.clone(), CELL_CHARACTERS_MAX)),
            Json::Number(_) => value.clone(),
        };
        if self.known.insert((name.to_owned(), value.to_string())) {
            self.found.push((name.to_owned(), value));
        }
    }
}

/// A text up to so many characters.
fn cut(mut text: String, most: usize) -> String {
    if let Some((end, _)) = text.char_indices().nth(most) {
        text.truncate(end);
    }
    text
}

/// The places that are free.
fn free(places: &Json) -> i64 {
    let number = |part: &str| places[part].as_i64().unwrap_or(0);
    number("issued").saturating_sub(number("taken"))
}

fn refers(field: &Field) -> bool {
    matches!(field.check, Check::Reference(_))
}

fn searched(kind: &Kind, fields: &Object) -> String {
    let mut words = Vec::new();
    for name in kind.searched {
        let (Some(field), Some(value)) = (kind.field(name), fields.get(*name)) else {
            continue;
        };
        match (field.items(), value.as_array()) {
            (Some(inner), Some(items)) => {
                let told = |field: &&Field| !refers(field);
                for item in items {
                    let values = inner.iter().filter(told).map(|field| &item[field.name]);
                    words.extend(values.map(plain));
                }
            }
            (_, _) => words.push(plain(value)),
        }
    }
    words.retain(|words| !words.is_empty());
    cut(words.join(" "), SEARCHED_CHARACTERS_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kinds::{PERSON, WORK_GROUP};
    use serde_json::json;

    fn object(json: Json) -> Object {
        json.as_object().cloned().unwrap_or_default()
    }

    #[test]
    fn every_value_that_a_list_is_filtered_by_is_a_cell_once() {
        let fields = object(json!({
            "code": "G1", "title": "Year 7", "state": "running", "year": "2026-27",
            "leaders": [{"id": "a", "person": "p1"}],
            "members": [
                {"id": "b", "person": "p1", "urn": "106001"},
                {"id": "c", "urn": "106001"}, {"id": "d", "urn": "106002"},
            ],
        }));
        let found = cells(&WORK_GROUP, &fields);
        let found = found
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()));
        let expected = [
            ("code", "G1"),
            ("year", "2026-27"),
            ("state", "running"),
            ("leaders/person", "p1"),
            ("members/urn", "106001"),
            ("members/urn", "106002"),
            ("members/person", "p1"),
        ];
        let expected = expected.map(|(name, value)| (name, Some(value)));
        assert_eq!(found.collect::<Vec<_>>(), expected);
    }

    #[test]
    fn cells_hold_numbers_as_numbers_and_yes_as_a_word() {
        let mut cells = Cells::default();
        cells.put("n", &json!(3));
        cells.put("b", &json!(false));
        cells.put("s", &json!(["x", "y", "x"]));
        cells.put("p", &json!({"issued": 10, "taken": 4, "held": {}}));
        let expected = [
            ("n", json!(3)),
            ("b", json!("no")),
            ("s", json!("x")),
            ("s", json!("y")),
            ("p", json!(6)),
        ];
        assert_eq!(
            cells.found,
            expected.map(|(name, value)| (name.to_owned(), value))
        );
    }

    #[test]
    fn what_is_searched_is_cut_where_it_grows_long() {
        let fields = object(json!({"name": "ü".repeat(30_000)}));
        assert_eq!(row_of(&PERSON, &fields).searched.chars().count(), 20_000);
    }

    #[test]
    fn a_hostile_record_makes_no_endless_line() {
        let members =
            (0..40_000).map(|at| json!({"id": format!("{at}"), "person": format!("p{at}")}));
        let fields = object(json!({
            "title": "t".repeat(100_000), "code": "c".repeat(100_000), "year": "y".repeat(100_000),
            "members": members.collect::<Json>(),
        }));
        let row = row_of(&WORK_GROUP, &fields);
        assert_eq!(row.title.len(), 500);
        assert!(row.columns.iter().all(|(_, _, shown)| shown.len() <= 1_000));
        assert_eq!(row.cells.len(), 2_000);
        let long = |(_, value): &(String, Json)| value.as_str().is_some_and(|it| it.len() > 500);
        assert!(!row.cells.iter().any(long));
    }
}
