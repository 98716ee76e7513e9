//! The line that stands for a record in lists.

use node_feed::{SpaceId, Subject};

/// The line that stands for a record in lists.
///
/// What is read back has no `searched` and no `cells`: they are only there to be found by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordRow {
    /// The space it is in.
    pub space: SpaceId,
    /// The document or card.
    pub subject: Subject,
    /// The name of its kind.
    pub kind: String,
    /// Its title.
    pub title: String,
    /// Its columns, as a JSON object.
    pub json: String,
    /// The text that searching looks through, beside the title.
    pub searched: String,
    /// What it is filtered, sorted and counted by.
    pub cells: Vec<Cell>,
}

/// A value of a record under the name of its field. A field may have several; an empty text is no
/// value at all, and the same value twice is one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cell {
    /// The field, as a path such as `state` or `members/urn`.
    pub field: String,
    /// Its value.
    pub value: CellValue,
}

/// A value to filter, sort and count by. Numbers come before texts, and texts stand in the order
/// of their bytes: dates as `2026-09-01` are in order.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum CellValue {
    /// A number.
    Number(i64),
    /// A text.
    Text(String),
}

impl Cell {
    /// A field's text.
    pub fn text(field: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            field: field.into(),
            value: CellValue::Text(text.into()),
        }
    }

    /// A field's number.
    pub fn number(field: impl Into<String>, number: i64) -> Self {
        Self {
            field: field.into(),
            value: CellValue::Number(number),
        }
    }
}
