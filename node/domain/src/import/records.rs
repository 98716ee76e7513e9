//! Rows as records: those of one record are joined.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Value as Json, json};

use super::compare::{Changes, same_item};
use super::entry::{Entry, Made};
use super::identity::{import_key, part};
use super::index::ImportIndex;
use super::{ImportedRow, Known, RowOutcome};
use crate::Object;
use crate::declaration::{Field, Kind, Merge};
use crate::error::Problem;

/// A record that one or more rows tell of.
struct Group {
    /// The place of the row that stands for it.
    row: usize,
    number: usize,
    top: Made,
    /// Which row said what.
    said_in: BTreeMap<String, usize>,
    items: Vec<(&'static Field, Made)>,
    at: HashMap<(&'static str, String), usize>,
    known: Option<Known>,
    /// The places of the other rows.
    joined: Vec<usize>,
}

/// Plans a record for each key, from the rows in their order.
pub(super) fn records(
    kind: &'static Kind,
    entries: impl Iterator<Item = Entry>,
    known: &dyn Fn(&[String]) -> Option<Known>,
) -> Vec<ImportedRow> {
    let mut rows = Vec::new();
    let mut groups = Vec::<Group>::new();
    let mut index = ImportIndex::<usize>::new(kind);
    for entry in entries {
        let at = rows.len();
        let title = super::title(entry.top.values.get(kind.title_field));
        let mut row = ImportedRow::new(entry.number, title, entry.notes.clone());
        if !entry.problems.is_empty() {
            row.outcome = RowOutcome::Wrong {
                problems: entry.problems,
            };
            rows.push(row);
            continue;
        }
        let key = import_key(kind, &entry.top.values);
        if index.is_in_doubt(&key) {
            let problems = vec![in_doubt(kind, entry.number)];
            row.outcome = RowOutcome::Wrong { problems };
            rows.push(row);
            continue;
        }
        let group = index.find(&key).copied();
        let group = group.and_then(|group| groups.get_mut(group));
        row.outcome = match group {
            Some(group) => match open_question(&entry, group.known.as_ref()) {
                Some(asked) => asked,
                None => {
                    let outcome = group.join(kind, entry, at);
                    if let RowOutcome::Joined { .. } = outcome {
                        index.learn(&key);
                    }
                    outcome
                }
            },
            None => {
                let known = known(&key);
                match open_question(&entry, known.as_ref()) {
                    Some(asked) => asked,
                    None => {
                        index.insert(key, groups.len());
                        groups.push(Group::new(entry, at, known));
                        RowOutcome::Same { id: String::new() }
                    }
                }
            }
        };
        rows.push(row);
    }
    for group in groups {
        group.finish(kind, &mut rows);
    }
    rows
}

/// A row that may belong to either of two records is taken for neither.
fn in_doubt(kind: &Kind, number: usize) -> Problem {
    let labels = kind.key.iter().filter_map(|name| kind.field(name));
    let labels = labels.map(|field| format!("'{}'", field.label));
    let message = format!(
        "row {number}: it may belong to either of several rows above: fill in {}",
        labels.collect::<Vec<_>>().join(", ")
    );
    Problem::new(kind.title_field, message)
}

/// What a person must say first about a school that is not there yet.
fn open_question(entry: &Entry, known: Option<&Known>) -> Option<RowOutcome> {
    let of_record = entry.top.question.as_ref().filter(|_| {
        let fields = known.map(|known| &known.fields);
        // A record that is there and has its number was asked about before.
        fields.and_then(|fields| fields.get("urn")).is_none()
    });
    let of_items = entry.items.iter().filter(|(list, made)| {
        let there = known.and_then(|known| same_item(list, made, &known.fields));
        there.is_none()
    });
    let mut of_items = of_items.filter_map(|(_, made)| made.question.as_ref());
    let question = of_record.or_else(|| of_items.next())?.clone();
    Some(RowOutcome::Asked { question })
}

impl Group {
    fn new(entry: Entry, row: usize, known: Option<Known>) -> Self {
        let names = entry.top.values.keys();
        let said_in = names.map(|name| (name.clone(), entry.number));
        let mut group = Self {
            row,
            number: entry.number,
            said_in: said_in.collect(),
            top: entry.top,
            items: Vec::new(),
            at: HashMap::new(),
            known,
            joined: Vec::new(),
        };
        for (list, made) in entry.items {
            group.add_item(list, made);
        }
        group
    }

    /// Takes a further row in, if it contradicts nothing that the others say.
    fn join(&mut self, kind: &'static Kind, entry: Entry, row: usize) -> RowOutcome {
        let problems = self.contradictions(kind, &entry);
        if !problems.is_empty() {
            return RowOutcome::Wrong { problems };
        }
        let mut new = false;
        for field in kind.fields {
            let Some(value) = entry.top.values.get(field.name) else {
                continue;
            };
            let number = entry.number;
            self.said_in.entry(field.name.to_owned()).or_insert(number);
            new |= merge(&mut self.top.values, field, value);
        }
        self.top.people.extend(entry.top.people);
        for (list, made) in entry.items {
            new |= self.add_item(list, made);
        }
        if !new {
            return RowOutcome::Same { id: String::new() };
        }
        self.joined.push(row);
        RowOutcome::Joined { row: self.number }
    }

    fn contradictions(&self, kind: &'static Kind, entry: &Entry) -> Vec<Problem> {
        let row = entry.number;
        let mut problems = Vec::new();
        for field in kind.fields {
            let before = self.top.values.get(field.name);
            let value = entry.top.values.get(field.name);
            if contradicts(field, before, value) {
                let there = self.said_in.get(field.name).copied().unwrap_or(self.number);
                let message = format!(
                    "row {row}: '{}' is {} here and {} in row {there}, which tells of the same {}",
                    field.label,
                    super::shown(value),
                    super::shown(before),
                    kind.title.to_lowercase(),
                );
                problems.push(Problem::new(field.name, message));
            }
        }
        for (list, made) in &entry.items {
            let Some(there) = self.item(list, &made.id) else {
                continue;
            };
            for field in list.items().unwrap_or_default() {
                let (before, value) = (there.values.get(field.name), made.values.get(field.name));
                if contradicts(field, before, value) {
                    let message = format!(
                        "row {row}: '{}: {}' is {} here and {} in an earlier row",
                        list.label,
                        field.label,
                        super::shown(value),
                        super::shown(before),
                    );
                    problems.push(Problem::new(field.name, message));
                }
            }
        }
        problems
    }

    fn item(&self, list: &'static Field, id: &str) -> Option<&Made> {
        let at = self.at.get(&(list.name, id.to_owned()))?;
        self.items.get(*at).map(|(_, made)| made)
    }

    /// Whether the item says anything new.
    fn add_item(&mut self, list: &'static Field, made: Made) -> bool {
        let key = (list.name, made.id.clone());
        let there = self.at.get(&key).and_then(|at| self.items.get_mut(*at));
        let Some((_, there)) = there else {
            self.at.insert(key, self.items.len());
            self.items.push((list, made));
            return true;
        };
        let mut new = false;
        for field in list.items().unwrap_or_default() {
            if let Some(value) = made.values.get(field.name) {
                new |= merge(&mut there.values, field, value);
            }
        }
        there.people.extend(made.people);
        new
    }

    fn finish(self, kind: &'static Kind, rows: &mut [ImportedRow]) {
        let (row, joined) = (self.row, self.joined.clone());
        let (outcome, people, notes, same) = match &self.known {
            Some(known) => self.against(kind, known),
            None => {
                let (outcome, people) = self.into_new(kind);
                (outcome, people, Vec::new(), None)
            }
        };
        if let Some(row) = rows.get_mut(row) {
            row.outcome = outcome;
            row.people = distinct(people);
            row.notes.extend(notes);
        }
        if let Some(id) = same {
            for at in joined {
                if let Some(row) = rows.get_mut(at) {
                    row.outcome = RowOutcome::Same { id: id.clone() };
                }
            }
        }
    }

    fn against(&self, kind: &'static Kind, known: &Known) -> Planned {
        let mut found = Changes::default();
        found.compare(kind.fields, "", &self.top, &known.fields);
        for (list, made) in &self.items {
            found.compare_item(list, made, &known.fields);
        }
        let id = known.id.clone();
        if found.changes.is_empty() {
            let same = RowOutcome::Same { id: id.clone() };
            return (same, Vec::new(), found.notes, Some(id));
        }
        let changes = found.changes;
        let changed = RowOutcome::Changed { id, changes };
        (changed, found.people, found.notes, None)
    }

    fn into_new(self, kind: &'static Kind) -> (RowOutcome, Vec<super::ImportedPerson>) {
        let mut people = self.top.people;
        let mut lists = BTreeMap::<&str, Vec<Json>>::new();
        for (list, made) in self.items {
            people.extend(made.people);
            let mut item = Object::new();
            item.insert("id".to_owned(), json!(made.id));
            item.extend(made.values);
            lists.entry(list.name).or_default().push(Json::Object(item));
        }
        let mut values = Object::new();
        for field in kind.fields {
            let value = match lists.remove(field.name) {
                Some(items) => Some(Json::Array(items)),
                None => self.top.values.get(field.name).cloned(),
            };
            if let Some(value) = value {
                values.insert(field.name.to_owned(), value);
            }
        }
        let id = String::new();
        (RowOutcome::New { values, id }, people)
    }
}

/// An outcome, the people and notes that come with it, and the record's id if nothing is new.
type Planned = (
    RowOutcome,
    Vec<super::ImportedPerson>,
    Vec<String>,
    Option<String>,
);

/// Whether two rows say of one thing what cannot both be.
pub(super) fn contradicts(field: &Field, before: Option<&Json>, value: Option<&Json>) -> bool {
    let several = matches!(field.merge, Merge::Set(_));
    let differ = |(before, value): (&Json, &Json)| part(before) != part(value);
    !several && before.zip(value).is_some_and(differ)
}

/// Adds what a value says, and tells whether that is anything new.
fn merge(values: &mut Object, field: &Field, value: &Json) -> bool {
    match (values.get_mut(field.name), value) {
        (None, _) => {
            values.insert(field.name.to_owned(), value.clone());
            true
        }
        (Some(Json::Array(there)), Json::Array(elements)) => {
            let before = there.len();
            for element in elements {
                if !there.contains(element) {
                    there.push(element.clone());
                }
            }
            there.len() > before
        }
        (Some(_), _) => false,
    }
}

fn distinct(people: Vec<super::ImportedPerson>) -> Vec<super::ImportedPerson> {
    let mut seen = std::collections::BTreeSet::new();
    let mut people = people;
    people.retain(|person| seen.insert(person.reference.clone()));
    people
}
