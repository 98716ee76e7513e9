//! All that stands in a document, found in one pass.
//!
//! To ask Automerge for one key is a search through the whole document. A reader of many keys
//! passes over them once instead, and asks again only for what one pass cannot tell: texts, counts
//! and keys under which several values stand.

use std::ops::Range;

use automerge::iter::MapRangeItem;
use automerge::{Automerge, ChangeHash, ObjId, ROOT, ReadDoc as _, ScalarValue, ValueRef};

use crate::value::Value;

/// The keys of a document with the value that is shown under each, sorted.
#[derive(Debug)]
pub(crate) struct Whole<'a>(Vec<MapRangeItem<'a>>);

/// What one pass tells of a key.
pub(crate) enum Told {
    /// Nothing stands there.
    Nothing,
    /// One value, and the operation that put it there.
    One(Value, ObjId),
    /// Automerge must be asked.
    Ask,
}

impl<'a> Whole<'a> {
    pub(crate) fn read(document: &'a Automerge, at: Option<&[ChangeHash]>) -> Self {
        let items = match at {
            Some(heads) => document.map_range_at(ROOT, .., heads),
            None => document.map_range(ROOT, ..),
        };
        let mut items = items.collect::<Vec<_>>();
        // Automerge keeps keys in this order; to sort what is sorted costs next to nothing.
        items.sort_by(|left, right| left.key.cmp(&right.key));
        Self(items)
    }

    pub(crate) fn all(&self) -> &[MapRangeItem<'a>] {
        &self.0
    }

    /// What stands under the keys of a range.
    pub(crate) fn range(&self, range: &Range<String>) -> &[MapRangeItem<'a>] {
        let at = |key: &String| self.0.partition_point(|item| *item.key < **key);
        let start = at(&range.start);
        &self.0[start..at(&range.end).max(start)]
    }

    pub(crate) fn tell(&self, key: &str) -> Told {
        let found = self.0.binary_search_by(|item| (*item.key).cmp(key));
        let Some(item) = found.ok().and_then(|at| self.0.get(at)) else {
            return Told::Nothing;
        };
        match &item.value {
            ValueRef::Scalar(scalar) if !item.conflict => {
                match Value::from_scalar(&ScalarValue::from(scalar)) {
                    Value::Count(_) => Told::Ask,
                    value @ (Value::Null
                    | Value::Bool(_)
                    | Value::Int(_)
                    | Value::String(_)
                    | Value::Text(_)
                    | Value::Other(_)) => Told::One(value, item.id()),
                }
            }
            ValueRef::Scalar(_) | ValueRef::Object(_) => Told::Ask,
        }
    }
}
