//! Reading a document.

use std::collections::BTreeSet;
use std::sync::Arc;

use automerge::{Automerge, ChangeHash, ObjId};

use crate::document::Document;
use crate::entry::Authorship;
use crate::heads::Heads;
use crate::path;
use crate::read::Reader;
use crate::value::Value;
use crate::whole::Whole;

/// A document as it stands, or stood.
#[derive(Debug, Clone)]
pub struct View<'a> {
    pub(crate) document: &'a Document,
    pub(crate) at: Option<Vec<ChangeHash>>,
    whole: Option<Arc<Whole<'a>>>,
}

/// One of the concurrent values of a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// The value.
    pub value: Value,
    /// Who wrote it, and when; of a text or count, who began it.
    pub author: Authorship,
    /// What its author saw there before: nothing, one value, or several concurrent ones.
    pub before: Vec<Value>,
}

impl<'a> View<'a> {
    pub(crate) const fn new(document: &'a Document, at: Option<Vec<ChangeHash>>) -> Self {
        Self {
            document,
            at,
            whole: None,
        }
    }

    /// The same view for one who asks for much of it: all keys are passed over once, here, instead
    /// of a search for every question.
    #[must_use]
    pub fn whole(&self) -> Self {
        let read = || Arc::new(Whole::read(&self.document.automerge, self.at.as_deref()));
        Self {
            document: self.document,
            at: self.at.clone(),
            whole: Some(self.whole.clone().unwrap_or_else(read)),
        }
    }

    /// Where the view stands.
    pub fn heads(&self) -> Heads {
        self.at
            .as_ref()
            .map_or_else(|| self.document.heads(), |at| Heads::from_automerge(at))
    }

    /// The value that is shown at `path`.
    pub fn get(&self, path: &[&str]) -> Option<Value> {
        self.reader().get(&path::key(path))
    }

    /// All concurrent values at `path`; the last is the one that is shown.
    pub fn values(&self, path: &[&str]) -> Vec<Value> {
        self.reader()
            .values(&path::key(path))
            .into_iter()
            .map(|(value, _)| value)
            .collect()
    }

    /// The parts right below `path` that anything was ever put under, sorted.
    pub fn children(&self, path: &[&str]) -> Vec<String> {
        self.reader().children(path).into_iter().collect()
    }

    /// The items of the list at `path`, in order.
    pub fn items(&self, path: &[&str]) -> Vec<String> {
        self.reader().items(path)
    }

    /// Whether the list at `path` has this item.
    pub fn has_item(&self, path: &[&str], item: &str) -> bool {
        self.reader().present(path, item)
    }

    /// All concurrent values at `path` with who wrote each and what stood before; the last is the
    /// one that is shown.
    pub fn versions(&self, path: &[&str]) -> Vec<Version> {
        let key = path::key(path);
        let values = self.reader().values(&key);
        values
            .into_iter()
            .filter_map(|(value, id)| self.version(&key, value, &id))
            .collect()
    }

    /// Who wrote each of the concurrent values at `path`, and where the document stood with it.
    pub fn writings(&self, path: &[&str]) -> Vec<(Authorship, Heads)> {
        let values = self.reader().values(&path::key(path)).into_iter();
        let writing = |(_, id): (Value, ObjId)| {
            let change = self.document.automerge.hash_for_opid(&id)?;
            Some((
                self.document.book.author_of(&id)?,
                Heads::new(vec![change.0]),
            ))
        };
        values.filter_map(writing).collect()
    }

    /// Who wrote the value that is shown at `path`; of a text, who changed it last.
    pub fn author(&self, path: &[&str]) -> Option<Authorship> {
        let (_, id) = self.reader().values(&path::key(path)).pop()?;
        self.document.book.author_of(&id)
    }

    /// The paths at which several concurrent values stand: found in one pass, where asking for
    /// every path would take one each.
    pub fn contested(&self) -> BTreeSet<Vec<String>> {
        let view = self.whole();
        let items = view.whole.iter().flat_map(|whole| whole.all());
        let contested = items.filter(|item| item.conflict);
        contested.filter_map(|item| path::path(&item.key)).collect()
    }

    /// The names of the fields: the first parts of all paths, sorted.
    pub fn fields(&self) -> Vec<String> {
        let view = self.whole();
        let items = view.whole.iter().flat_map(|whole| whole.all());
        let mut fields = items
            .filter_map(|item| path::path(item.key.split('/').next()?)?.pop())
            .collect::<Vec<_>>();
        fields.dedup();
        fields
    }

    pub(crate) fn reader(&self) -> Reader<'_, Automerge> {
        Reader {
            document: &self.document.automerge,
            at: self.at.as_deref(),
            whole: self.whole.as_deref(),
        }
    }

    fn version(&self, key: &str, value: Value, id: &ObjId) -> Option<Version> {
        let author = self.document.book.author_of(id)?;
        let automerge = &self.document.automerge;
        let change = automerge.hash_for_opid(id)?;
        let deps = automerge.get_change_meta_by_hash(&change)?.deps;
        let earlier = Reader {
            document: automerge,
            at: Some(&deps),
            whole: None,
        };
        let before = earlier
            .values(key)
            .into_iter()
            .map(|(value, _)| value)
            .collect();
        Some(Version {
            value,
            author,
            before,
        })
    }
}
