//! The people whom rows name, once their cards have ids.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::identity::is_new_person;
use super::{ImportedRow, RowOutcome};
use crate::change::FieldChange;

impl ImportedRow {
    /// Puts the ids of cards in place of the references that stand for them.
    ///
    /// # Errors
    /// The references for which `ids` has no card; they stand as they are, and the row must not be
    /// carried out.
    pub fn refer(&mut self, ids: &BTreeMap<String, String>) -> Result<(), Vec<String>> {
        let mut left = Vec::new();
        let mut put = |value: &mut Json| replace(value, ids, &mut left);
        match &mut self.outcome {
            RowOutcome::New { values, .. } => values.values_mut().for_each(&mut put),
            RowOutcome::Changed { changes, .. } => {
                for change in changes {
                    match change {
                        FieldChange::Set { value, .. } => put(value),
                        FieldChange::Add { values, .. } => values.values_mut().for_each(&mut put),
                        FieldChange::Move { .. }
                        | FieldChange::Remove { .. }
                        | FieldChange::Include { .. }
                        | FieldChange::Exclude { .. }
                        | FieldChange::Count { .. }
                        | FieldChange::Issue { .. }
                        | FieldChange::Pass { .. }
                        | FieldChange::Take { .. }
                        | FieldChange::GiveBack { .. }
                        | FieldChange::Confirm { .. } => {}
                    }
                }
            }
            RowOutcome::Joined { .. }
            | RowOutcome::Same { .. }
            | RowOutcome::Wrong { .. }
            | RowOutcome::Asked { .. } => {}
        }
        if left.is_empty() { Ok(()) } else { Err(left) }
    }
}

fn replace(value: &mut Json, ids: &BTreeMap<String, String>, left: &mut Vec<String>) {
    match value {
        Json::String(text) => match ids.get(text.as_str()) {
            Some(id) => id.clone_into(text),
            None if is_new_person(value) => left.extend(value.as_str().map(str::to_owned)),
            None => {}
        },
        Json::Array(items) => items.iter_mut().for_each(|item| replace(item, ids, left)),
        Json::Object(fields) => fields
            .values_mut()
            .for_each(|value| replace(value, ids, left)),
        Json::Null | Json::Bool(_) | Json::Number(_) => {}
    }
}
