//! One row as the record and the items that it tells of.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use super::columns::Fills;
use super::convert::convert;
use super::identity::{import_key, item_id, part, person_reference};
use super::schools::{Looked, Matching, SchoolFields, put_urn};
use super::slot::{Slot, Slots, persons};
use super::{ImportInto, ImportedPerson, SchoolQuestion};
use crate::Object;
use crate::card::CardRecord;
use crate::declaration::Field;
use crate::error::{Problem, RecordError};
use crate::kinds::PERSON;
use crate::sheet::SheetRow;

/// Everything that all rows are read with.
pub(super) struct Reading<'a> {
    pub(super) into: ImportInto,
    pub(super) slots: &'a Slots,
    pub(super) headers: &'a [String],
    pub(super) fills: &'a [Fills],
    pub(super) defaults: &'a [(Slot, Json)],
    pub(super) matching: &'a Matching<'a>,
}

/// A row as it was read.
pub(super) struct Entry {
    pub(super) number: usize,
    /// The record, or the item.
    pub(super) top: Made,
    /// The record's items, each with its list.
    pub(super) items: Vec<(&'static Field, Made)>,
    pub(super) problems: Vec<Problem>,
    pub(super) notes: Vec<String>,
}

/// A record or an item that a row tells of.
#[derive(Default)]
pub(super) struct Made {
    pub(super) id: String,
    pub(super) values: Object,
    pub(super) people: Vec<ImportedPerson>,
    pub(super) question: Option<SchoolQuestion>,
}

/// Cells that belong together, before they are looked at as a whole.
#[derive(Default)]
struct Cells {
    values: Object,
    people: BTreeMap<&'static str, Object>,
    wrong: bool,
}

impl ImportInto {
    pub(super) fn fields(&self) -> &'static [Field] {
        match self {
            Self::Records(kind) => kind.fields,
            Self::Items { list, .. } => list.items().unwrap_or_default(),
        }
    }

    pub(super) fn title_field(&self) -> &'static str {
        match self {
            Self::Records(kind) => kind.title_field,
            Self::Items { list, .. } => {
                let fields = list.items().unwrap_or_default();
                fields
                    .iter()
                    .find(|field| field.required)
                    .map_or("", |field| field.name)
            }
        }
    }
}

impl Reading<'_> {
    pub(super) fn read(&self, row: &SheetRow) -> Entry {
        let mut entry = Entry {
            number: row.number,
            top: Made::default(),
            items: Vec::new(),
            problems: Vec::new(),
            notes: Vec::new(),
        };
        let (mut place, mut postcode) = ("", "");
        // The row itself first, then the items of its lists by number.
        let mut all = BTreeMap::<(&str, usize), Cells>::new();
        for (column, fills) in self.fills.iter().enumerate() {
            let cell = row.cells.get(column).map_or("", |cell| cell.trim());
            if cell.is_empty() {
                continue;
            }
            match fills {
                Fills::Place => place = cell,
                Fills::Postcode => postcode = cell,
                Fills::Nothing => {}
                Fills::Slot(at, number) => {
                    if let Some(slot) = self.slots.get(*at) {
                        let list = slot.list.map_or("", |list| list.name);
                        let cells = all.entry((list, *number)).or_default();
                        self.put(cells, &mut entry, slot, column, cell);
                    }
                }
            }
        }
        all.entry(("", 0)).or_default();
        for ((list, number), cells) in all {
            self.finish(&mut entry, (list, number), cells, (place, postcode));
        }
        entry
    }

    fn put(&self, cells: &mut Cells, entry: &mut Entry, slot: &Slot, column: usize, cell: &str) {
        let heading = self.headers.get(column).map_or("", String::as_str);
        match convert(slot.field, heading, cell) {
            Ok(value) => {
                let values = match slot.person {
                    Some(reference) => cells.people.entry(reference.name).or_default(),
                    None => &mut cells.values,
                };
                values.insert(slot.field.name.to_owned(), value);
            }
            Err(what) => {
                cells.wrong = true;
                let message = format!("row {}, '{heading}': {what}", entry.number);
                entry.problems.push(Problem::new(heading, message));
            }
        }
    }

    fn finish(&self, entry: &mut Entry, at: (&str, usize), cells: Cells, school: (&str, &str)) {
        let (name, number) = at;
        let list = match (&self.into, name) {
            (ImportInto::Records(_), "") => None,
            (ImportInto::Records(kind), name) => match kind.field(name) {
                Some(list) => Some(list),
                None => return,
            },
            (ImportInto::Items { list, .. }, _) => Some(*list),
        };
        let (fields, title_field) = match (&self.into, list) {
            (ImportInto::Records(_), Some(list)) => (list.items().unwrap_or_default(), ""),
            (into, _) => (into.fields(), into.title_field()),
        };
        let Cells {
            mut values,
            people,
            wrong,
        } = cells;
        self.add_defaults(&mut values, name);
        let mut made = Made::default();
        if let Some(school_fields) = SchoolFields::of(fields, title_field) {
            let (place, postcode) = school;
            let looked = self.matching.look(school_fields, &values, place, postcode);
            note_school(entry, &mut made, &mut values, looked);
        }
        let mut known_as = BTreeMap::new();
        for reference in persons(fields) {
            let Some(card) = people.get(reference.name) else {
                continue;
            };
            if let Some(person) = person(entry, card, &values, wrong) {
                known_as.insert(reference.name, called(&person.card));
                values.insert(reference.name.to_owned(), json!(person.reference));
                made.people.push(person);
            }
        }
        if !wrong {
            let within = list.filter(|_| !name.is_empty());
            missing(entry, fields, &values, within, number);
        }
        made.values = in_order(fields, &values);
        if let Some(list) = list {
            made.id = item_id(list, &made.values, |field| {
                known_as.get(field.name).cloned()
            });
        }
        match list.filter(|_| !name.is_empty()) {
            Some(list) => entry.items.push((list, made)),
            None => entry.top = made,
        }
    }

    fn add_defaults(&self, values: &mut Object, list: &str) {
        for (slot, value) in self.defaults {
            let here = slot.list.map_or("", |list| list.name) == list;
            if here && slot.person.is_none() && !values.contains_key(slot.field.name) {
                values.insert(slot.field.name.to_owned(), value.clone());
            }
        }
    }
}

fn note_school(entry: &mut Entry, made: &mut Made, values: &mut Object, looked: Looked) {
    match looked {
        Looked::Urn(urn, note) => {
            put_urn(values, urn);
            entry.notes.extend(note);
        }
        Looked::Note(note) => entry.notes.push(note),
        Looked::Asked(question) => made.question = Some(question),
        Looked::Wrong(message) => {
            let message = format!("row {}: {message}", entry.number);
            entry.problems.push(Problem::new("answers", message));
        }
        Looked::Nothing => {}
    }
}

/// A person's card, with the school of the row unless the row tells another.
fn person(
    entry: &mut Entry,
    card: &Object,
    values: &Object,
    wrong: bool,
) -> Option<ImportedPerson> {
    let mut card = card.clone();
    for name in ["organisation", "urn"] {
        if let Some(value) = values.get(name).filter(|_| !card.contains_key(name)) {
            card.insert(name.to_owned(), value.clone());
        }
    }
    match CardRecord::new(&PERSON, &card, false) {
        Ok(record) => {
            let key = import_key(&PERSON, &record.fields);
            let reference = person_reference(&key);
            let card = record.fields;
            Some(ImportedPerson {
                reference,
                key,
                card,
            })
        }
        // What is wrong with the cells was said already.
        Err(_) if wrong => None,
        Err(RecordError::Problems(problems)) => {
            let row = entry.number;
            let problems = problems.into_iter().map(|problem| {
                let message = format!("row {row}: of the person, {}", problem.message);
                Problem::new(problem.field, message)
            });
            entry.problems.extend(problems);
            None
        }
        Err(error) => {
            let message = format!("row {}: {error}", entry.number);
            entry.problems.push(Problem::new("person", message));
            None
        }
    }
}

/// What tells a person from others of a list: the name, or else the address.
fn called(card: &Object) -> String {
    let filled = ["name", "email"]
        .into_iter()
        .filter_map(|name| card.get(name));
    filled.map(part).next().unwrap_or_default()
}

fn missing(
    entry: &mut Entry,
    fields: &[Field],
    values: &Object,
    list: Option<&Field>,
    number: usize,
) {
    let row = entry.number;
    for field in fields.iter().filter(|field| field.required) {
        if values.contains_key(field.name) {
            continue;
        }
        let label = match list {
            Some(list) if number > 0 => format!("{} ({number}): {}", list.label, field.label),
            Some(list) => format!("{}: {}", list.label, field.label),
            None => field.label.to_owned(),
        };
        let message = format!("row {row}: '{label}' is missing");
        entry.problems.push(Problem::new(field.name, message));
    }
}

fn in_order(fields: &[Field], values: &Object) -> Object {
    let ordered = fields.iter().filter_map(|field| {
        let value = values.get(field.name)?;
        Some((field.name.to_owned(), value.clone()))
    });
    ordered.collect()
}

/// The required places that no column and no default fills, in words for the whole sheet.
pub(super) fn unfilled(
    into: &ImportInto,
    slots: &Slots,
    fills: &[Fills],
    defaults: &[(Slot, Json)],
) -> Vec<String> {
    let mut filled = fills
        .iter()
        .filter_map(|fills| match fills {
            Fills::Slot(at, _) => slots.get(*at).copied(),
            Fills::Place | Fills::Postcode | Fills::Nothing => None,
        })
        .collect::<Vec<_>>();
    let by_columns = filled.clone();
    filled.extend(defaults.iter().map(|(slot, _)| *slot));
    let mut problems = Vec::new();
    let mut need = |slot: Slot| {
        // A person's name stands for the reference to the card.
        let given = filled.iter().any(|given| {
            *given == slot || (given.list == slot.list && given.person == Some(slot.field))
        });
        if !given {
            let message = format!(
                "no column fills '{}', which is needed: add one, or say which column it is",
                slot.label(0)
            );
            problems.push(message);
        }
    };
    for field in into.fields().iter().filter(|field| field.required) {
        need(Slot {
            list: None,
            person: None,
            field,
        });
    }
    let mut lists = by_columns
        .iter()
        .filter_map(|slot| slot.list)
        .collect::<Vec<_>>();
    lists.dedup();
    for list in lists {
        for field in list
            .items()
            .unwrap_or_default()
            .iter()
            .filter(|field| field.required)
        {
            need(Slot {
                list: Some(list),
                person: None,
                field,
            });
        }
    }
    let people = by_columns.iter().filter(|slot| slot.person.is_some());
    for slot in people.copied().collect::<Vec<_>>() {
        for field in PERSON.fields.iter().filter(|field| field.required) {
            need(Slot { field, ..slot });
        }
    }
    problems.sort();
    problems.dedup();
    problems
}
