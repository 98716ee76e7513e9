//! Creating and changing records.

use node_document::{Author, Document, Edited, Heads};
use serde_json::Value as Json;

use crate::Object;
use crate::change::FieldChange;
use crate::declaration::{Form, Kind, Merge};
use crate::error::{Problem, RecordError};
use crate::fields::Spot;
use crate::read::{KIND, kind_of};
use crate::rules::Progress;
use crate::writer::Writer;

/// Who changes a record, when, and with what randomness.
#[derive(Debug, Clone, Copy)]
pub struct By {
    /// Who.
    pub author: Author,
    /// When, in milliseconds since 1970, for display.
    pub time_ms: u64,
    /// Fresh randomness, from which the ids of new items are drawn. Never used twice.
    pub random: [u8; 16],
    /// Whether the program itself writes, as it does with what it computes, publishes or brings
    /// in from an export. It alone fills in what is declared to be filled in by the program.
    pub program: bool,
}

/// What became of changes that were written.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Written {
    /// Sentences for the writer of what was done otherwise than asked.
    pub notes: Vec<String>,
}

/// Makes a record of `kind` in an empty document.
///
/// `values` holds the fields: a value, text, state or number of places as it is, a list or log as
/// an array of objects, a set as an array of elements, a count as a number. The program may give
/// all of a record that stands elsewhere: in any state, and its places as they were read.
///
/// # Errors
/// [`RecordError::Problems`] names everything that is not as declared.
pub fn create(
    document: &Document,
    kind: &'static Kind,
    values: &Object,
    by: &By,
) -> Result<Edited<Written>, RecordError> {
    if kind.form != Form::Document {
        return Err(RecordError::Form(kind.title));
    }
    if !document.is_empty() {
        return Err(RecordError::Exists);
    }
    let mut problems = Vec::new();
    let mut changes = Vec::new();
    // What needs places finds them there.
    let (places, rest): (Vec<_>, Vec<_>) = values.iter().partition(|(name, _)| {
        let field = kind.field(name);
        field.is_some_and(|field| matches!(field.merge, Merge::Places))
    });
    for (name, value) in places.iter().chain(&rest) {
        let brought = by.program.then(|| value.get("issued")).flatten();
        match changes_from(kind, name, brought.unwrap_or(value)) {
            Ok(found) => changes.extend(found),
            Err(problem) => problems.push(problem),
        }
    }
    for field in kind.fields.iter().filter(|field| field.required) {
        if values.get(field.name).is_none_or(Json::is_null) {
            problems.push(Problem::new(
                field.name,
                format!("'{}' is missing", field.label),
            ));
        }
    }
    document.edit(None, &by.author, by.time_ms, |edit| {
        let mut writer = Writer::new(edit, kind, by);
        writer.problems = problems;
        writer.edit.put(&[KIND], &kind.name.into())?;
        writer.lay_out(&[], kind.fields)?;
        let progress = Progress {
            creating: true,
            ..Progress::default()
        };
        let written = writer.write_changes(&changes, progress)?;
        for (name, stood) in places.iter().filter(|(_, stood)| stood.is_object()) {
            writer.restore_places(name, stood)?;
        }
        Ok(written)
    })
}

/// Changes a record, at the heads from which the page was made if `at` says so.
///
/// # Errors
/// [`RecordError::Problems`] names everything that is not as declared, and nothing is changed;
/// [`RecordError::Edit`] if the page is too old.
pub fn edit(
    document: &Document,
    at: Option<&Heads>,
    changes: &[FieldChange],
    by: &By,
) -> Result<Edited<Written>, RecordError> {
    let kind = kind_of(&document.view())?;
    document.edit(at, &by.author, by.time_ms, |edit| {
        let mut writer = Writer::new(edit, kind, by);
        writer.write_changes(changes, Progress::default())
    })
}

/// What a field's content in an object means as changes.
pub(crate) fn changes_from(
    kind: &'static Kind,
    name: &str,
    value: &Json,
) -> Result<Vec<FieldChange>, Problem> {
    let field = Spot::find(kind, name)?.field;
    let wrong = |what: &str| Problem::new(name, format!("'{}' must be {what}", field.label));
    let name = name.to_owned();
    if value.is_null() {
        return Ok(Vec::new());
    }
    match field.merge {
        Merge::Value | Merge::Text | Merge::State(_) => Ok(vec![FieldChange::Set {
            field: name,
            value: value.clone(),
        }]),
        Merge::List(_) | Merge::Log(_) => {
            let items = value.as_array().ok_or_else(|| wrong("a list of items"))?;
            let items = items.iter().map(|item| {
                let mut values = item
                    .as_object()
                    .ok_or_else(|| wrong("a list of items"))?
                    .clone();
                let id = values
                    .shift_remove("id")
                    .and_then(|id| id.as_str().map(str::to_owned));
                Ok(FieldChange::Add {
                    field: name.clone(),
                    after: None,
                    id,
                    values,
                })
            });
            items.collect()
        }
        Merge::Set(_) => {
            let elements = value
                .as_array()
                .ok_or_else(|| wrong("a list of elements"))?;
            let include = |element: &Json| FieldChange::Include {
                field: name.clone(),
                element: element.clone(),
            };
            Ok(elements.iter().map(include).collect())
        }
        Merge::Count => {
            let by = value.as_i64().ok_or_else(|| wrong("a whole number"))?;
            Ok(vec![FieldChange::Count { field: name, by }])
        }
        Merge::Places => {
            let count = value.as_i64().ok_or_else(|| wrong("a whole number"))?;
            if count == 0 {
                return Ok(Vec::new());
            }
            Ok(vec![FieldChange::Issue { field: name, count }])
        }
    }
}
