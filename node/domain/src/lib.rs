//! The kinds of record, declared, and everything that works from the declarations.
//!
//! A kind is a table: fields with labels, merge types and checks. From it records are created,
//! edited, read, checked, listed and published; versions that a person must settle are found and
//! history is told. This crate knows no network and no store.

mod agreement;
mod card;
mod change;
mod check;
mod conflict;
mod declaration;
mod error;
mod fields;
mod figures;
mod history;
mod kinds;
mod places;
mod publish;
mod read;
mod states;
mod write;
mod writer;

pub use agreement::signed_fields;
pub use card::{CardConflict, CardRecord, CardSays};
pub use change::FieldChange;
pub use conflict::{Conflict, ConflictCause, ConflictVersion, versions};
pub use declaration::{
    Check, Class, Field, Form, Kind, Merge, Published, Publishing, Source, State, Wins,
};
pub use error::{Problem, RecordError};
pub use figures::{Figures, figures};
pub use history::{HistoryStep, history};
pub use kinds::{GROUP_SUMMARY, KINDS, PERSON, PRACTICE, PROJECT, PROJECT_WORK, WORK_GROUP, kind};
pub use publish::{Preview, publish};
pub use read::{Row, kind_name, kind_of, missing, read, row};
pub use write::{By, create, edit, settle};

/// A JSON object with its fields in order.
pub type Object = serde_json::Map<String, serde_json::Value>;
