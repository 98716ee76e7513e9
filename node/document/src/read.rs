//! Reading by key, from a document or within an edit.

use std::collections::BTreeSet;

use automerge::{ChangeHash, ObjId, ObjType, ROOT, ReadDoc};

use crate::path;
use crate::value::Value;

/// Reads a document, a document at heads, or an edit in progress.
pub(crate) struct Reader<'a, D> {
    pub(crate) document: &'a D,
    pub(crate) at: Option<&'a [ChangeHash]>,
}

impl<D: ReadDoc> Reader<'_, D> {
    /// All concurrent values under `key` with their ids; the last is the one that is shown.
    pub(crate) fn values(&self, key: &str) -> Vec<(Value, ObjId)> {
        let found = match self.at {
            Some(heads) => self.document.get_all_at(ROOT, key, heads),
            None => self.document.get_all(ROOT, key),
        };
        let found = found.unwrap_or_default();
        found
            .into_iter()
            .map(|(value, id)| (self.value(&value, &id), id))
            .collect()
    }

    /// The value that is shown under `key`.
    pub(crate) fn get(&self, key: &str) -> Option<Value> {
        self.values(key).pop().map(|(value, _)| value)
    }

    /// The parts right below `path`, sorted.
    pub(crate) fn children(&self, path: &[&str]) -> BTreeSet<String> {
        let range = path::below(path);
        let key = |item: automerge::iter::MapRangeItem<'_>| path::child(path, &item.key);
        match self.at {
            Some(heads) => self
                .document
                .map_range_at(ROOT, range, heads)
                .filter_map(key)
                .collect(),
            None => self
                .document
                .map_range(ROOT, range)
                .filter_map(key)
                .collect(),
        }
    }

    /// The items of the list at `path` that are there, in their order.
    pub(crate) fn items(&self, path: &[&str]) -> Vec<String> {
        let mut items = self
            .children(path)
            .into_iter()
            .filter(|item| self.present(path, item))
            .map(|item| (self.rank(path, &item), item))
            .collect::<Vec<_>>();
        items.sort_unstable();
        items.into_iter().map(|(_, item)| item).collect()
    }

    /// Whether an item is there. One who edits an item says again that it is there, so that an
    /// edit is not lost to somebody else's removal.
    pub(crate) fn present(&self, path: &[&str], item: &str) -> bool {
        self.get(&path::key(&[path, &[item]].concat())).is_some()
    }

    pub(crate) fn rank(&self, path: &[&str], item: &str) -> String {
        let rank = self.get(&path::rank_key(&[path, &[item]].concat()));
        rank.as_ref()
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    }

    fn value(&self, value: &automerge::Value<'_>, id: &ObjId) -> Value {
        match value {
            automerge::Value::Scalar(scalar) => Value::from_scalar(scalar),
            automerge::Value::Object(ObjType::Text) => {
                let text = match self.at {
                    Some(heads) => self.document.text_at(id, heads),
                    None => self.document.text(id),
                };
                Value::Text(text.unwrap_or_default())
            }
            automerge::Value::Object(ObjType::Map | ObjType::Table | ObjType::List) => {
                Value::Other("a structure of a newer kind".to_owned())
            }
        }
    }
}
