//! Records of the sample as they are created and then edited.

use serde_json::{Value as Json, json};
use time::Date;

use crate::Object;
use crate::change::FieldChange;

/// A record to be created, and the edits that follow. Where it refers to another record, there
/// stands `@` and the other's key, to be replaced by the other's id.
#[derive(Debug, Clone, PartialEq)]
pub struct SampleRecord {
    /// The name of its kind.
    pub kind: &'static str,
    /// Its name within the sample, such as `group-17`.
    pub key: String,
    /// Its fields, as [`create`](crate::create) takes them; a card's as
    /// [`CardRecord::new`](crate::CardRecord::new) does.
    pub fields: Object,
    /// Later edits, in order. Cards have none.
    pub steps: Vec<Vec<FieldChange>>,
}

impl SampleRecord {
    /// Fields that are null or empty lists are left out.
    pub(crate) fn new(kind: &'static str, key: impl Into<String>, fields: Json) -> Self {
        let mut fields = object(fields);
        fields
            .retain(|_, value| !value.is_null() && value.as_array().is_none_or(|a| !a.is_empty()));
        Self {
            kind,
            key: key.into(),
            fields,
            steps: Vec::new(),
        }
    }

    pub(crate) fn with_steps(mut self, steps: Vec<Vec<FieldChange>>) -> Self {
        self.steps = steps.into_iter().filter(|step| !step.is_empty()).collect();
        self
    }

    /// This record with every `@` and key replaced by what `id` knows of the key. A reference
    /// to a key that it does not know is left out.
    pub fn resolved(&self, id: &dyn Fn(&str) -> Option<String>) -> Self {
        let mut resolved = self.clone();
        resolve_object(&mut resolved.fields, id);
        for change in resolved.steps.iter_mut().flatten() {
            match change {
                FieldChange::Set { value, .. }
                | FieldChange::Include { element: value, .. }
                | FieldChange::Exclude { element: value, .. } => resolve(value, id),
                FieldChange::Add { values, .. } => resolve_object(values, id),
                FieldChange::Move { .. }
                | FieldChange::Remove { .. }
                | FieldChange::Count { .. }
                | FieldChange::Issue { .. }
                | FieldChange::Pass { .. }
                | FieldChange::Take { .. }
                | FieldChange::GiveBack { .. }
                | FieldChange::Confirm { .. } => {}
            }
        }
        resolved
    }

    /// The keys to which it refers.
    pub fn references(&self) -> Vec<String> {
        let found = std::cell::RefCell::new(Vec::new());
        self.resolved(&|key| {
            found.borrow_mut().push(key.to_owned());
            None
        });
        found.into_inner()
    }
}

fn resolve(value: &mut Json, id: &dyn Fn(&str) -> Option<String>) {
    match value {
        Json::String(text) => {
            if let Some(key) = text.strip_prefix('@') {
                *value = id(key).map_or(Json::Null, Json::String);
            }
        }
        Json::Array(items) => items.iter_mut().for_each(|item| resolve(item, id)),
        Json::Object(fields) => resolve_object(fields, id),
        Json::Null | Json::Bool(_) | Json::Number(_) => {}
    }
}

fn resolve_object(fields: &mut Object, id: &dyn Fn(&str) -> Option<String>) {
    for (_, value) in fields.iter_mut() {
        resolve(value, id);
    }
}

pub(crate) fn object(json: Json) -> Object {
    match json {
        Json::Object(object) => object,
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) | Json::Array(_) => {
            Object::new()
        }
    }
}

/// Adds an item, under an id if it has one.
pub(crate) fn add(field: &str, id: Option<&str>, values: Json) -> FieldChange {
    let mut values = object(values);
    values.retain(|_, value| !value.is_null());
    FieldChange::Add {
        field: field.to_owned(),
        after: None,
        id: id.map(str::to_owned),
        values,
    }
}

/// A reference to the record with a key.
pub(crate) fn reference(key: &str) -> Json {
    json!(format!("@{key}"))
}

/// A day as records write it.
pub(crate) fn day(date: Date) -> Json {
    json!(date.to_string())
}
