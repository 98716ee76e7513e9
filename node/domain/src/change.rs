//! Changes of a record, as forms, commands and the API write them.

use serde_json::Value as Json;

use crate::Object;

/// One change of one field. `field` is a field's name, or `list/item/field` for a field of a
/// list's item.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub enum FieldChange {
    /// Sets a value, brings a text to a new wording, or takes a step to another state. Null
    /// clears a value.
    Set {
        /// The field.
        field: String,
        /// The new content.
        value: Json,
    },
    /// Adds an item to a list or log.
    Add {
        /// The list or log.
        field: String,
        /// The item after which it goes; at the end if not said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after: Option<String>,
        /// Its id, where it has a natural one; otherwise one is drawn.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<String>,
        /// Its fields.
        values: Object,
    },
    /// Moves an item of a list after another, or to the front.
    Move {
        /// The list.
        field: String,
        /// The item.
        item: String,
        /// The item after which it goes; to the front if not said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after: Option<String>,
    },
    /// Takes an item out of a list.
    Remove {
        /// The list.
        field: String,
        /// The item.
        item: String,
    },
    /// Puts an element into a set.
    Include {
        /// The set.
        field: String,
        /// The element.
        element: Json,
    },
    /// Takes an element out of a set.
    Exclude {
        /// The set.
        field: String,
        /// The element.
        element: Json,
    },
    /// Adds to a count.
    Count {
        /// The count.
        field: String,
        /// How many more; less if negative.
        by: i64,
    },
    /// Creates places, which the hub then holds. Only the record's owner may.
    Issue {
        /// The places.
        field: String,
        /// How many.
        count: i64,
    },
    /// Passes places on to another hub.
    Pass {
        /// The places.
        field: String,
        /// The hub's id.
        to: String,
        /// How many.
        count: i64,
    },
    /// Takes places that the hub holds.
    Take {
        /// The places.
        field: String,
        /// How many.
        count: i64,
    },
    /// Gives back places that the hub took.
    GiveBack {
        /// The places.
        field: String,
        /// How many.
        count: i64,
    },
    /// Brings a list that several people rank into the order that follows from their scores, and
    /// notes it as a decision.
    Confirm {
        /// The list.
        field: String,
        /// What the decision is about; the order of the list if not said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        about: Option<String>,
    },
}

impl FieldChange {
    /// The path of the field that it changes.
    pub fn field(&self) -> &str {
        match self {
            Self::Set { field, .. }
            | Self::Add { field, .. }
            | Self::Move { field, .. }
            | Self::Remove { field, .. }
            | Self::Include { field, .. }
            | Self::Exclude { field, .. }
            | Self::Count { field, .. }
            | Self::Issue { field, .. }
            | Self::Pass { field, .. }
            | Self::Take { field, .. }
            | Self::GiveBack { field, .. }
            | Self::Confirm { field, .. } => field,
        }
    }

    /// Sets a field.
    pub fn set(field: impl Into<String>, value: impl Into<Json>) -> Self {
        Self::Set {
            field: field.into(),
            value: value.into(),
        }
    }

    /// Adds an item at the end of a list or log.
    pub fn add(field: impl Into<String>, values: Object) -> Self {
        Self::Add {
            field: field.into(),
            after: None,
            id: None,
            values,
        }
    }
}
