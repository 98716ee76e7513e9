//! What a list is asked for, and what it answers.

use node_feed::{HubId, SpaceId};

use super::{CellValue, RecordRow};

/// Which records are listed, in which order, and which part of them.
///
/// Every condition must hold. The default asks for all records, by title, and for none of their
/// lines: `limit` says how many.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListQuery {
    /// The names of the kinds; all if it is empty.
    pub kinds: Vec<String>,
    /// The spaces that may be shown; none if all may be.
    pub spaces: Option<Vec<SpaceId>>,
    /// Records of this owner are shown whatever space they are in.
    pub owner: Option<HubId>,
    /// Only records in this space.
    pub space: Option<SpaceId>,
    /// Words that must all be found in the title or the text, the last of them by its beginning.
    /// Whatever is typed is taken as words, and never as an instruction to the search.
    pub words: String,
    /// What else must be so.
    pub filters: Vec<Filter>,
    /// What the records are sorted by, the first first. If it is empty, they are sorted by how
    /// well they match the words, and by title if there are none.
    pub sort: Vec<Sort>,
    /// How many lines are passed over.
    pub offset: u64,
    /// How many lines are returned at most.
    pub limit: u64,
}

/// A condition on a record's cells. Where a field has several, one that fits is enough.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Filter {
    /// The field has one of these values. Digits stand for the text and for the number.
    Is {
        /// The field.
        field: String,
        /// The values.
        values: Vec<String>,
    },
    /// The field has none of these values; it may have no value at all.
    Not {
        /// The field.
        field: String,
        /// The values.
        values: Vec<String>,
    },
    /// The field has a value of the same sort, numbers or texts, that is not less.
    AtLeast {
        /// The field.
        field: String,
        /// The least.
        value: CellValue,
    },
    /// The field has a value of the same sort, numbers or texts, that is not more.
    AtMost {
        /// The field.
        field: String,
        /// The most.
        value: CellValue,
    },
    /// The field has no value.
    Missing {
        /// The field.
        field: String,
    },
    /// Any field has this value, as that of a record which refers to another by its id.
    RefersTo {
        /// The value.
        value: String,
    },
}

/// What records are sorted by: records without a value come last either way. Of several values the
/// least counts, or the greatest when descending.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sort {
    /// A field with cells, or `title`.
    pub field: String,
    /// Whether the greatest come first.
    pub descending: bool,
}

/// A part of a list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    /// How many records there are in all.
    pub total: u64,
    /// The lines of the part that was asked for.
    pub rows: Vec<RecordRow>,
}
