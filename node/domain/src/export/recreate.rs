//! Records of a complete export, made anew.

use node_document::{Document, Edit, EditError, Edited, Value};
use serde_json::Value as Json;

use crate::Object;
use crate::declaration::{Field, Filled, Form, Kind, Merge};
use crate::error::RecordError;
use crate::places::{self, Step};
use crate::read::KIND;
use crate::states;
use crate::write::By;

/// What a newer version wrote is taken over as deep as it is read.
const UNKNOWN_DEPTH: usize = 5;

/// Makes a record of `kind` in an empty document as it stood elsewhere: in its state, with its
/// items' ids, with its kept copies, and with what only a newer version knows.
///
/// No rule is asked, for the record kept them where it was written, and nothing is refused that
/// stood there. Places are all held by the hub that recreates; items are by it.
///
/// # Errors
/// [`RecordError::Form`] for a card, [`RecordError::Exists`] if the document is not empty,
/// [`RecordError::Edit`] if the record is larger than one change may be.
pub fn recreate(
    document: &Document,
    kind: &'static Kind,
    fields: &Object,
    by: &By,
) -> Result<Edited<()>, RecordError> {
    if kind.form != Form::Document {
        return Err(RecordError::Form(kind.title));
    }
    if !document.is_empty() {
        return Err(RecordError::Exists);
    }
    document.edit(None, &by.author, by.time_ms, |edit| {
        edit.put(&[KIND], &kind.name.into())?;
        let mut recreating = Recreating { edit, by };
        recreating.fields(&[], kind.fields, fields)?;
        let unknown = fields.get("unknown").and_then(Json::as_object);
        for (name, value) in unknown.into_iter().flatten() {
            if kind.field(name).is_none() && !name.starts_with('@') {
                recreating.unknown(&[name], value, UNKNOWN_DEPTH)?;
            }
        }
        Ok(())
    })
}

struct Recreating<'a, 'b> {
    edit: &'a mut Edit<'b>,
    by: &'a By,
}

impl Recreating<'_, '_> {
    fn fields(
        &mut self,
        path: &[&str],
        fields: &[Field],
        values: &Object,
    ) -> Result<(), RecordError> {
        for field in fields
            .iter()
            .filter(|field| field.filled != Filled::ByAuthor)
        {
            let path = [path, &[field.name]].concat();
            self.field(&path, field, values.get(field.name).unwrap_or(&Json::Null))?;
        }
        Ok(())
    }

    /// What is prepared in every record, texts and counts and states, is prepared here too.
    fn field(&mut self, path: &[&str], field: &Field, value: &Json) -> Result<(), RecordError> {
        match field.merge {
            Merge::Value => {
                if let Some(value) = scalar(value) {
                    self.edit.put(path, &value)?;
                }
            }
            Merge::Text => self
                .edit
                .update_text(path, value.as_str().unwrap_or_default())?,
            Merge::Count => self.edit.increment(path, value.as_i64().unwrap_or(0))?,
            Merge::State(all) => {
                let state = value
                    .as_str()
                    .map_or_else(|| states::first(all), str::to_owned);
                self.edit.put(path, &Value::String(state))?;
            }
            Merge::List(items) | Merge::Log(items) => self.items(path, items, value)?,
            Merge::Set(_) => {
                for element in value.as_array().into_iter().flatten() {
                    if let Some(element) = element.as_str().filter(|element| !element.is_empty()) {
                        self.edit
                            .put(&[path, &[element]].concat(), &Value::Bool(true))?;
                    }
                }
            }
            Merge::Places => self.places(path, value)?,
        }
        Ok(())
    }

    fn items(&mut self, path: &[&str], fields: &[Field], value: &Json) -> Result<(), RecordError> {
        let mut last = None::<&str>;
        for item in value
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Json::as_object)
        {
            let id = item.get("id").and_then(Json::as_str).unwrap_or_default();
            if id.is_empty() || id.contains('/') {
                return Err(EditError::NoItem(id.to_owned()).into());
            }
            self.edit.place_item(path, id, last)?;
            let path = [path, &[id]].concat();
            self.fields(&path, fields, item)?;
            for (name, value) in item {
                if name != "id" && fields.iter().all(|field| field.name != name) {
                    self.unknown(&[path.as_slice(), &[name]].concat(), value, UNKNOWN_DEPTH)?;
                }
            }
            last = Some(id);
        }
        Ok(())
    }

    fn places(&mut self, path: &[&str], value: &Json) -> Result<(), RecordError> {
        let part = |name: &str| {
            let part = value.get(name).and_then(Json::as_i64);
            part.or_else(|| value.as_i64().filter(|_| name == "issued"))
        };
        let issued = part("issued").unwrap_or(0).max(0);
        let taken = part("taken").unwrap_or(0).clamp(0, issued);
        let hub = self.by.author.hub.to_string();
        let things = value.get("taken_for").and_then(Json::as_object);
        let things = things.into_iter().flatten();
        let things = things.filter_map(|(thing, count)| Some((thing.as_str(), count.as_i64()?)));
        // No more is taken for things than is taken at all, whatever the export says.
        let mut named = 0;
        let things = things.map(|(thing, count)| {
            let count = count.clamp(0, taken - named);
            named += count;
            (thing, count)
        });
        let things = things.collect::<Vec<_>>();
        let mut steps = vec![("issued".to_owned(), "", Step::Issue, issued)];
        steps.push(("taken".to_owned(), "", Step::Take, taken - named));
        for (at, (thing, count)) in things.into_iter().enumerate() {
            steps.push((format!("taken-{at}"), thing, Step::Take, count));
        }
        for (id, thing, step, count) in steps {
            if count > 0 {
                places::write(self.edit, path, &id, (&hub, thing), step, count)?;
            }
        }
        Ok(())
    }

    fn unknown(&mut self, path: &[&str], value: &Json, depth: usize) -> Result<(), RecordError> {
        match value {
            Json::Object(parts) if depth > 0 => {
                for (name, value) in parts {
                    self.unknown(&[path, &[name]].concat(), value, depth - 1)?;
                }
            }
            Json::Object(_)
            | Json::Array(_)
            | Json::Null
            | Json::Bool(_)
            | Json::Number(_)
            | Json::String(_) => {
                if let Some(value) = scalar(value) {
                    self.edit.put(path, &value)?;
                }
            }
        }
        Ok(())
    }
}

/// A value as it stands in a document; nothing for what no single value is.
fn scalar(value: &Json) -> Option<Value> {
    match value {
        Json::Bool(value) => Some(Value::Bool(*value)),
        Json::Number(number) => number.as_i64().map(Value::Int),
        Json::String(text) => Some(Value::String(text.clone())),
        Json::Null | Json::Array(_) | Json::Object(_) => None,
    }
}
