//! Reading by key, from a document or within an edit.

use std::collections::{BTreeMap, BTreeSet};

use automerge::iter::MapRangeItem;
use automerge::{ChangeHash, ObjId, ObjType, ROOT, ReadDoc, ScalarValueRef, ValueRef};

use crate::path::{self, ItemPart};
use crate::value::Value;
use crate::whole::{Told, Whole};

/// Reads a document, a document at heads, or an edit in progress.
pub(crate) struct Reader<'a, D> {
    pub(crate) document: &'a D,
    pub(crate) at: Option<&'a [ChangeHash]>,
    /// What one pass over all keys found, if there was one.
    pub(crate) whole: Option<&'a Whole<'a>>,
}

impl<D: ReadDoc> Reader<'_, D> {
    /// All concurrent values under `key` with their ids; the last is the one that is shown.
    pub(crate) fn values(&self, key: &str) -> Vec<(Value, ObjId)> {
        match self.whole.map_or(Told::Ask, |whole| whole.tell(key)) {
            Told::Nothing => return Vec::new(),
            Told::One(value, id) => return vec![(value, id)],
            Told::Ask => {}
        }
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
        let mut children = BTreeSet::new();
        self.each_below(path, |item| children.extend(path::child(path, &item.key)));
        children
    }

    /// The items of the list at `path` that are there, in their order.
    pub(crate) fn items(&self, path: &[&str]) -> Vec<String> {
        let ranked = self.ranked(path).into_iter();
        ranked.map(|(_, item)| item).collect()
    }

    /// The same, each with its rank.
    pub(crate) fn ranked(&self, path: &[&str]) -> BTreeSet<(String, String)> {
        // One pass over all that stands below: long lists are read often.
        let prefix = format!("{}/", path::key(path));
        let mut there = BTreeSet::new();
        let mut ranks = BTreeMap::new();
        self.each_below(path, |entry| {
            let Some((item, part)) = entry.key.strip_prefix(&prefix).map(path::item_part) else {
                return;
            };
            match (part, &entry.value) {
                (ItemPart::Mark, _) => {
                    there.insert(item.to_owned());
                }
                (ItemPart::Rank, ValueRef::Scalar(ScalarValueRef::Str(rank))) => {
                    ranks.insert(item.to_owned(), rank.to_string());
                }
                (ItemPart::Rank | ItemPart::Other, _) => {}
            }
        });
        let ranked = |key: String| {
            let rank = ranks.remove(&key).unwrap_or_default();
            Some((rank, path::path(&key)?.pop()?))
        };
        there.into_iter().filter_map(ranked).collect()
    }

    /// Goes through all that stands below `path`.
    pub(crate) fn each_below(&self, path: &[&str], mut work: impl FnMut(&MapRangeItem<'_>)) {
        let range = path::below(path);
        match (self.whole, self.at) {
            (Some(whole), _) => whole.range(&range).iter().for_each(work),
            (None, Some(heads)) => {
                let below = self.document.map_range_at(ROOT, range, heads);
                below.for_each(|item| work(&item));
            }
            (None, None) => {
                let below = self.document.map_range(ROOT, range);
                below.for_each(|item| work(&item));
            }
        }
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
