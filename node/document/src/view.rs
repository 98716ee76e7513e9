//! Reading a document.

use automerge::{Automerge, ChangeHash, ObjId, ROOT, ReadDoc as _};

use crate::document::Document;
use crate::entry::Authorship;
use crate::heads::Heads;
use crate::path;
use crate::read::Reader;
use crate::value::Value;

/// A document as it stands, or stood.
#[derive(Debug, Clone)]
pub struct View<'a> {
    pub(crate) document: &'a Document,
    pub(crate) at: Option<Vec<ChangeHash>>,
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
        Self { document, at }
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

    /// The names of the fields: the first parts of all paths, sorted.
    pub fn fields(&self) -> Vec<String> {
        let keys = match &self.at {
            Some(at) => self.document.automerge.keys_at(ROOT, at),
            None => self.document.automerge.keys(ROOT),
        };
        let mut fields = keys
            .filter_map(|key| path::path(key.split('/').next()?)?.pop())
            .collect::<Vec<_>>();
        fields.dedup();
        fields
    }

    pub(crate) fn reader(&self) -> Reader<'_, Automerge> {
        Reader {
            document: &self.document.automerge,
            at: self.at.as_deref(),
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
