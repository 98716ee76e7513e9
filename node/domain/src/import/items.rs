//! Rows as items of a list or log of one record.

use std::collections::HashMap;

use super::compare::Changes;
use super::entry::Entry;
use super::records::contradicts;
use super::{ImportedRow, Known, RowOutcome};
use crate::Object;
use crate::declaration::Field;
use crate::error::Problem;

/// Plans an item for each row, in their order.
pub(super) fn items(
    list: &'static Field,
    title_field: &str,
    entries: impl Iterator<Item = Entry>,
    known: &dyn Fn(&[String]) -> Option<Known>,
) -> Vec<ImportedRow> {
    let mut earlier = HashMap::<String, (usize, Object)>::new();
    let plan = |entry: Entry| {
        let title = super::title(entry.top.values.get(title_field));
        let mut row = ImportedRow::new(entry.number, title, entry.notes);
        if !entry.problems.is_empty() {
            row.outcome = RowOutcome::Wrong {
                problems: entry.problems,
            };
            return row;
        }
        let made = entry.top;
        if let Some((first, values)) = earlier.get(&made.id) {
            row.outcome = repeated(list, entry.number, *first, values, &made.values, &made.id);
            row.notes = vec![format!("row {} repeats row {first}", entry.number)];
            return row;
        }
        let known = known(std::slice::from_ref(&made.id));
        if let (Some(question), None) = (&made.question, &known) {
            let question = question.clone();
            row.outcome = RowOutcome::Asked { question };
            return row;
        }
        earlier.insert(made.id.clone(), (entry.number, made.values.clone()));
        match known {
            Some(known) => {
                let mut found = Changes::default();
                found.compare_known_item(list, &made, &known.id, &known.fields);
                row.notes.extend(found.notes);
                row.people = found.people;
                row.outcome = if found.changes.is_empty() {
                    RowOutcome::Same { id: known.id }
                } else {
                    let changes = found.changes;
                    RowOutcome::Changed {
                        id: known.id,
                        changes,
                    }
                };
            }
            None => {
                row.people = made.people;
                let (values, id) = (made.values, made.id);
                row.outcome = RowOutcome::New { values, id };
            }
        }
        row
    };
    entries.map(plan).collect()
}

fn repeated(
    list: &'static Field,
    number: usize,
    first: usize,
    there: &Object,
    values: &Object,
    id: &str,
) -> RowOutcome {
    let fields = list.items().unwrap_or_default();
    let differing = fields.iter().filter(|field| {
        let (before, value) = (there.get(field.name), values.get(field.name));
        contradicts(field, before, value)
    });
    let problems = differing.map(|field| {
        let message = format!(
            "row {number}: '{}' is {} here and {} in row {first}, which tells of the same",
            field.label,
            super::shown(values.get(field.name)),
            super::shown(there.get(field.name)),
        );
        Problem::new(field.name, message)
    });
    let problems = problems.collect::<Vec<_>>();
    if problems.is_empty() {
        RowOutcome::Same { id: id.to_owned() }
    } else {
        RowOutcome::Wrong { problems }
    }
}
