//! Reading records.

use node_document::{Value, View};
use serde_json::{Value as Json, json};

use crate::Object;
use crate::declaration::{Field, Filled, Form, Kind, Merge};
use crate::error::{Problem, RecordError};
use crate::fields::elements;
use crate::kinds::{UNKNOWN, kind};
use crate::places::Places;
use crate::states::Standing;

/// Where a document says what kind of record it holds. No field's name begins like this.
pub(crate) const KIND: &str = "@kind";
const OWN: char = '@';
/// Deeper parts of what a newer version wrote are not shown.
const UNKNOWN_DEPTH: usize = 4;

/// The name of the kind of record that a document holds, declared here or not: as its owner said
/// first. What anybody else says of it, or says later, does not count.
pub fn kind_name(view: &View<'_>) -> Option<String> {
    view.begun_with(&[KIND])?.as_str().map(str::to_owned)
}

/// The kind of that name, if it is kept as documents.
fn document_kind(name: &str) -> Option<&'static Kind> {
    kind(name).filter(|kind| kind.form == Form::Document)
}

/// The kind of record that a document holds.
///
/// # Errors
/// [`RecordError::UnknownKind`] if a newer version made it, or nobody has yet.
pub fn kind_of(view: &View<'_>) -> Result<&'static Kind, RecordError> {
    let name = kind_name(view).unwrap_or_default();
    document_kind(&name).ok_or(RecordError::UnknownKind(name))
}

/// The kind of a record, to read it: [`UNKNOWN`] if only a newer version declares it, and none if
/// there is no record.
pub fn kind_or_unknown(view: &View<'_>) -> Option<&'static Kind> {
    let name = kind_name(view)?;
    Some(document_kind(&name).unwrap_or(&UNKNOWN))
}

/// A record as an object: its fields in the order declared, then under `unknown` what a newer
/// version has written into it.
pub fn read(view: &View<'_>, kind: &Kind) -> Object {
    let view = &view.whole();
    let mut record = Object::new();
    let name = kind_name(view).filter(|_| *kind == UNKNOWN);
    let name = name.unwrap_or_else(|| kind.name.to_owned());
    record.insert("kind_of_record".to_owned(), json!(name));
    for field in kind.fields {
        if let Some(value) = read_field(view, &[], field) {
            record.insert(field.name.to_owned(), value);
        }
    }
    let unknown = view
        .fields()
        .into_iter()
        .filter(|name| kind.field(name).is_none() && !name.starts_with(OWN))
        .map(|name| {
            let value = read_unknown(view, &[&name], UNKNOWN_DEPTH);
            (name, value)
        })
        .collect::<Object>();
    if !unknown.is_empty() {
        record.insert("unknown".to_owned(), Json::Object(unknown));
    }
    record
}

/// The required fields that a record lacks.
pub fn missing(view: &View<'_>, kind: &Kind) -> Vec<Problem> {
    let lacks = |field: &&Field| field.required && view.get(&[field.name]).is_none();
    let lacking = kind.fields.iter().filter(lacks);
    lacking
        .map(|field| Problem::new(field.name, format!("'{}' is missing", field.label)))
        .collect()
}

pub(crate) fn read_field(view: &View<'_>, above: &[&str], field: &Field) -> Option<Json> {
    let path = [above, &[field.name]].concat();
    match field.merge {
        Merge::Value | Merge::Text | Merge::Count => view.get(&path).map(|value| json(&value)),
        Merge::State(states) => Some(Json::String(
            Standing::read(states, view, &path).shown().to_owned(),
        )),
        Merge::List(fields) | Merge::Log(fields) => {
            let items = view.items(&path);
            Some(
                items
                    .iter()
                    .map(|item| read_item(view, &path, item, fields))
                    .collect(),
            )
        }
        Merge::Set(wins) => Some(elements(view, &path, wins).into()),
        Merge::Places => Some(Places::read(view, &path).json()),
    }
}

pub(crate) fn read_item(view: &View<'_>, list: &[&str], item: &str, fields: &[Field]) -> Json {
    let path = [list, &[item]].concat();
    let mut object = Object::new();
    object.insert("id".to_owned(), json!(item));
    for field in fields {
        let value = match field.filled {
            // What somebody wrote there claims what only a signature proves.
            Filled::ByAuthor => view
                .item_author(list, item)
                .map(|author| json!(author.hub.to_string())),
            Filled::ByPerson | Filled::ByProgram => read_field(view, &path, field),
        };
        if let Some(value) = value {
            object.insert(field.name.to_owned(), value);
        }
    }
    for name in view.children(&path) {
        if fields.iter().all(|field| field.name != name) {
            let value = read_unknown(view, &[&path[..], &[&name]].concat(), UNKNOWN_DEPTH);
            object.insert(name, value);
        }
    }
    Json::Object(object)
}

fn read_unknown(view: &View<'_>, path: &[&str], depth: usize) -> Json {
    let children = if depth == 0 {
        Vec::new()
    } else {
        view.children(path)
    };
    if children.is_empty() {
        return view.get(path).map_or(Json::Null, |value| json(&value));
    }
    let child = |name: String| {
        let value = read_unknown(view, &[path, &[&name]].concat(), depth - 1);
        (name, value)
    };
    Json::Object(children.into_iter().map(child).collect())
}

/// A value as JSON.
pub(crate) fn json(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Bool(value) => json!(value),
        Value::Int(number) | Value::Count(number) => json!(number),
        Value::String(text) | Value::Text(text) | Value::Other(text) => json!(text),
    }
}

/// Pounds and pence without signs of currency or thousands, so that programs take it for a number.
pub(crate) fn pounds(pence: i64) -> String {
    let sign = if pence < 0 { "-" } else { "" };
    let pence = pence.unsigned_abs();
    format!("{sign}{}.{:02}", pence / 100, pence % 100)
}

/// A field's content as words for a list.
pub(crate) fn plain(json: &Json) -> String {
    match json {
        Json::Null => String::new(),
        Json::Bool(true) => "yes".to_owned(),
        Json::Bool(false) => "no".to_owned(),
        Json::Number(number) => number.to_string(),
        Json::String(text) => text.clone(),
        Json::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(", "),
        Json::Object(fields) => fields.values().map(plain).collect::<Vec<_>>().join(" "),
    }
}
