//! Tables that people bring, as a plan of what they would add and change.
//!
//! A plan does nothing: showing it is the dry run, and executing it is up to the node. The same
//! table planned again after that adds nothing.

mod columns;
mod compare;
mod convert;
mod entry;
mod fold;
mod identity;
mod index;
mod items;
mod matcher;
mod moment;
mod people;
mod records;
mod report;
mod schools;
mod slot;

use std::collections::BTreeMap;

use serde_json::Value as Json;

pub use identity::import_key;
pub use index::ImportIndex;
pub use report::ImportCounts;
pub use schools::{Found, FoundSchool, SchoolQuestion, Schools, TypedSchoolRef};

use columns::columns;
use convert::convert_json;
use entry::{Reading, unfilled};
use schools::{Matching, SchoolFields};
use slot::{Slot, Slots};

use crate::Object;
use crate::change::FieldChange;
use crate::declaration::{Field, Kind};
use crate::error::Problem;
use crate::sheet::{SHEET_COLUMNS_MAX, SHEET_ROWS_MAX, Sheet};

/// What a sheet's rows become.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImportInto {
    /// Records of a kind. Columns may fill lists of them too, and rows of one record are joined.
    Records(&'static Kind),
    /// Items of a list or log of one record.
    Items {
        /// The record's kind.
        kind: &'static Kind,
        /// The list or log.
        list: &'static Field,
    },
}

/// What a person has said about a sheet.
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ImportOptions {
    /// For each heading the field that it fills: a field's name, `list/field`, `list/2/field` for
    /// the second item of a row, `list/person/field` for the card of a person whom an item names;
    /// `@place` and `@postcode` help to find schools; an empty text leaves the column out.
    pub columns: BTreeMap<String, String>,
    /// For each school's name as typed its URN, or `none`.
    pub answers: BTreeMap<String, String>,
    /// What stands where a row says nothing: by a field's name or `list/field`.
    pub defaults: Object,
}

/// A record or item that is there already.
#[derive(Debug, Clone, PartialEq)]
pub struct Known {
    /// Its id.
    pub id: String,
    /// Its fields, as [`read`](crate::read) gives them.
    pub fields: Object,
}

/// What a sheet would add and change.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Import {
    /// What each column does.
    pub columns: Vec<ColumnUse>,
    /// What is wrong with the sheet as a whole, in words. Then no row is planned.
    pub problems: Vec<String>,
    /// The rows, in the sheet's order.
    pub rows: Vec<ImportedRow>,
}

/// What a column does.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct ColumnUse {
    /// The heading.
    pub header: String,
    /// The field that it fills, as [`ImportOptions::columns`] names fields; none if it is left out.
    pub field: Option<String>,
    /// What people call the field; empty where there is none.
    pub label: String,
    /// How that came about.
    pub why: String,
}

/// What a row comes to.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct ImportedRow {
    /// The row's number, as the person sees it beside the row.
    pub number: usize,
    /// What names the record or item; empty if nothing does.
    pub title: String,
    /// What the person should know, such as a school that has closed.
    pub notes: Vec<String>,
    /// The people whose cards are made first, unless they are there already.
    pub people: Vec<ImportedPerson>,
    /// What the row comes to.
    pub outcome: RowOutcome,
}

/// A person whom a row names. What refers to them holds `reference` until their card has an id.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct ImportedPerson {
    /// What stands in place of the card's id: it begins with `@person:`, and is the same for the
    /// same person in every row and every import.
    pub reference: String,
    /// The card's [`import_key`].
    pub key: Vec<String>,
    /// The card's fields.
    pub card: Object,
}

/// What a row comes to.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum RowOutcome {
    /// A new record or item. A record in a later state than its first is made by
    /// [`recreate`](crate::recreate), once [`ImportedRow::refer`] has put the ids of cards in.
    New {
        /// Its fields. Items of a record's lists bring their ids.
        values: Object,
        /// The item's id, the same wherever it is imported; empty for a record.
        id: String,
    },
    /// A part of the record of an earlier row, whose outcome holds it.
    Joined {
        /// The earlier row's number.
        row: usize,
    },
    /// Nothing that is not there already, or in an earlier row.
    Same {
        /// The record or item; empty for a record that an earlier row makes.
        id: String,
    },
    /// Changes of a record, or of the record whose item is there.
    Changed {
        /// The record or item.
        id: String,
        /// The changes of the record.
        changes: Vec<FieldChange>,
    },
    /// Nothing, for these reasons.
    Wrong {
        /// What is wrong, with the row's number and the heading.
        problems: Vec<Problem>,
    },
    /// Nothing yet: a person must say which school is meant.
    Asked {
        /// The question.
        question: SchoolQuestion,
    },
}

/// Plans what a sheet would add and change.
///
/// `known` finds what is there: a record by its [`import_key`], as an [`ImportIndex`] finds it, or
/// an item by its id alone. Whatever is in the sheet, a plan comes of it: one bad row hinders no
/// other.
pub fn plan_import(
    into: ImportInto,
    sheet: &Sheet,
    options: &ImportOptions,
    schools: Option<&dyn Schools>,
    known: &dyn Fn(&[String]) -> Option<Known>,
) -> Import {
    let slots = Slots::of(&into);
    let finds_schools = names_schools(&into);
    let headers = sheet
        .headers
        .get(..SHEET_COLUMNS_MAX)
        .unwrap_or(&sheet.headers);
    let (fills, columns, mut problems) = columns(&slots, headers, options, finds_schools);
    let defaults = defaults(&slots, options, &mut problems);
    problems.extend(unfilled(&into, &slots, &fills, &defaults));
    problems.extend(nothing_tells_apart(&into));
    problems.extend(out_of_bounds(sheet));
    let mut import = Import {
        columns,
        problems,
        rows: Vec::new(),
    };
    if !import.problems.is_empty() {
        return import;
    }
    let matching = Matching::new(schools, &options.answers);
    let reading = Reading {
        into,
        slots: &slots,
        headers,
        fills: &fills,
        defaults: &defaults,
        matching: &matching,
    };
    let entries = sheet.rows.iter().map(|row| reading.read(row));
    import.rows = match into {
        ImportInto::Records(kind) => records::records(kind, entries, known),
        ImportInto::Items { list, .. } => items::items(list, into.title_field(), entries, known),
    };
    import
}

impl ImportInto {
    /// A list or log of records of a kind, if it has one of that name.
    pub fn items(kind: &'static Kind, list: &str) -> Option<Self> {
        let list = kind.field(list).filter(|field| field.items().is_some())?;
        Some(Self::Items { kind, list })
    }
}

impl ImportedRow {
    fn new(number: usize, title: String, notes: Vec<String>) -> Self {
        Self {
            number,
            title,
            notes,
            people: Vec::new(),
            outcome: RowOutcome::Same { id: String::new() },
        }
    }
}

fn names_schools(into: &ImportInto) -> bool {
    let named = |fields, title| SchoolFields::of(fields, title).is_some();
    let lists = match into {
        ImportInto::Records(kind) => kind.fields,
        ImportInto::Items { .. } => &[],
    };
    named(into.fields(), into.title_field())
        || lists
            .iter()
            .filter_map(Field::items)
            .any(|items| named(items, ""))
}

fn defaults(
    slots: &Slots,
    options: &ImportOptions,
    problems: &mut Vec<String>,
) -> Vec<(Slot, Json)> {
    let mut defaults = Vec::new();
    for (path, value) in &options.defaults {
        let slot = slots.at_path(path).and_then(|(at, _)| slots.get(at));
        let slot = slot.filter(|slot| slot.person.is_none());
        match slot.map(|slot| (slot, convert_json(slot.field, value))) {
            Some((slot, Ok(value))) => defaults.push((*slot, value)),
            Some((slot, Err(what))) => {
                problems.push(format!(
                    "what stands where '{}' is empty {what}",
                    slot.label(0)
                ));
            }
            None => problems.push(format!(
                "there is no field '{path}' that could be given for all rows"
            )),
        }
    }
    defaults
}

/// Records that are the program's own work are not imported row by row.
fn nothing_tells_apart(into: &ImportInto) -> Option<String> {
    match into {
        ImportInto::Records(kind) if kind.key.is_empty() => Some(format!(
            "{} cannot be imported from a sheet, for nothing in them tells two apart",
            kind.titles.to_lowercase()
        )),
        ImportInto::Records(_) | ImportInto::Items { .. } => None,
    }
}

fn out_of_bounds(sheet: &Sheet) -> Option<String> {
    if sheet.headers.is_empty() {
        Some("the sheet is empty: its first row must hold the headings".to_owned())
    } else if sheet.rows.len() > SHEET_ROWS_MAX {
        Some(
            "the sheet has more than 200,000 rows: split it, and bring one part after another"
                .to_owned(),
        )
    } else if sheet.headers.len() > SHEET_COLUMNS_MAX {
        Some("the sheet has more than 500 columns: leave out those that are not needed".to_owned())
    } else if sheet.rows.is_empty() {
        Some("the sheet has headings and no rows below them".to_owned())
    } else {
        None
    }
}

/// A value that names something, as a line in a list.
fn title(value: Option<&Json>) -> String {
    value.map(crate::read::plain).unwrap_or_default()
}

/// A value in a sentence.
fn shown(value: Option<&Json>) -> String {
    const SHOWN: usize = 60;
    let text = title(value);
    if text.chars().count() > SHOWN {
        format!("'{}…'", text.chars().take(SHOWN).collect::<String>())
    } else {
        format!("'{text}'")
    }
}
