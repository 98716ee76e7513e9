//! What hubs began: told by their signatures, whatever others wrote over it since.

use std::collections::{BTreeMap, BTreeSet};

use automerge::legacy::{Key, ObjectId};
use automerge::{ChangeHash, ObjId, ReadDoc as _};
use node_feed::{FeedName, HubId};

use crate::entry::Authorship;
use crate::heads::Heads;
use crate::history::Step;
use crate::path::{self, ItemPart};
use crate::read::Reader;
use crate::value::Value;
use crate::view::View;

/// How a hub first put an item into a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Beginning {
    /// Who, and when.
    pub author: Authorship,
    /// Where the document stood with it, as its author saw it.
    pub at: Heads,
}

impl<'a> View<'a> {
    /// The hub that owns the document.
    pub fn owner(&self) -> HubId {
        self.document.id.owner()
    }

    /// The value that the document's owner put at `path` first, whatever stands there since and
    /// whoever wrote it.
    pub fn begun_with(&self, path: &[&str]) -> Option<Value> {
        let key = path::key(path);
        let automerge = &self.document.automerge;
        let root = |id: &ObjId| {
            let author = self.document.book.author_of(id)?;
            let change = automerge.hash_for_opid(id)?;
            let begins = automerge.get_change_meta_by_hash(&change)?.deps.is_empty();
            (begins && author.hub == self.owner()).then_some(())
        };
        // Nothing comes before a change that follows none.
        if let [(value, id)] = self.reader().values(&key).as_slice()
            && root(id).is_some()
        {
            return Some(value.clone());
        }
        for (hash, _) in self.changes_of(|author| author.hub == self.owner()) {
            let Some(change) = automerge.get_change_by_hash(&hash) else {
                continue;
            };
            let puts = change.decode().operations.iter().any(|operation| {
                matches!((&operation.obj, &operation.key), (ObjectId::Root, Key::Map(put)) if *put == key)
            });
            let stood = || {
                let heads = [hash];
                let then = Reader {
                    document: automerge,
                    at: Some(&heads),
                    whole: None,
                };
                then.get(&key)
            };
            if let Some(value) = puts.then(stood).flatten() {
                return Some(value);
            }
        }
        None
    }

    /// The hub that wrote all of the document, if there is one alone.
    pub fn sole_hub(&self) -> Option<HubId> {
        self.document.book.sole_hub()
    }

    /// Who wrote all that stands in the item of the list at `list`; nothing if it came in more
    /// than one entry.
    pub fn sole_author(&self, list: &[&str], item: &str) -> Option<Authorship> {
        let operations = self.item_operations(&[list, &[item]].concat());
        let mut authors = operations.iter().map(|id| self.document.book.author_of(id));
        let first = authors.next()??;
        let same = |author: Option<Authorship>| {
            author.is_some_and(|it| (it.feed, it.number) == (first.feed, first.number))
        };
        authors.all(same).then_some(first)
    }

    /// For each item of the list at `list`, how each hub that ever put it there did so first; the
    /// earliest first. One pass over all changes.
    pub fn beginnings(&self, list: &[&str]) -> BTreeMap<String, Vec<Beginning>> {
        let prefix = format!("{}/", path::key(list));
        let mut found = BTreeMap::<String, Vec<Beginning>>::new();
        for (hash, author) in self.changes_of(|_| true) {
            let Some(change) = self.document.automerge.get_change_by_hash(&hash) else {
                continue;
            };
            for operation in &change.decode().operations {
                let (ObjectId::Root, Key::Map(key)) = (&operation.obj, &operation.key) else {
                    continue;
                };
                let part = key.strip_prefix(&prefix).map(path::item_part);
                let Some((item, ItemPart::Mark)) = part else {
                    continue;
                };
                let Some(item) = path::path(item).and_then(|mut path| path.pop()) else {
                    continue;
                };
                let known = found.entry(item).or_default();
                if known.iter().all(|known| known.author.hub != author.hub) {
                    let at = Heads::from_automerge(&[hash]);
                    known.push(Beginning { author, at });
                }
            }
        }
        found
    }

    /// The same document as it stood at other heads; nothing if it does not hold them.
    pub fn elsewhere(&self, heads: &Heads) -> Option<View<'a>> {
        self.document.view_at(heads)
    }

    /// The same document as the author of a change had seen it before, by where it stood with that.
    pub fn before(&self, with: &Heads) -> Option<View<'a>> {
        let mut deps = Vec::new();
        for hash in with.to_automerge() {
            deps.extend(self.document.automerge.get_change_meta_by_hash(&hash)?.deps);
        }
        self.document.view_at(&Heads::from_automerge(&deps))
    }

    /// What the entries with these feeds and numbers changed at the paths that are wanted.
    pub fn steps_of(
        &self,
        entries: &BTreeSet<(FeedName, u64)>,
        wanted: impl Fn(&[String]) -> bool,
    ) -> Vec<Step> {
        let named = |author: &Authorship| entries.contains(&(author.feed, author.number));
        let mut steps = Vec::new();
        for (hash, author) in self.changes_of(named) {
            let Some(change) = self.document.automerge.get_change_by_hash(&hash) else {
                continue;
            };
            let heads = [hash];
            let then = Reader {
                document: &self.document.automerge,
                at: Some(&heads),
                whole: None,
            };
            for key in self.touched(&change) {
                if let Some(path) = path::path(&key).filter(|path| wanted(path)) {
                    steps.push(Step {
                        path,
                        value: then.get(&key),
                        author,
                        at: Heads::from_automerge(&heads),
                    });
                }
            }
        }
        steps
    }

    /// The changes of some authors, by how much came before them: in the same order wherever the
    /// document is held.
    fn changes_of(
        &self,
        wanted: impl Fn(&Authorship) -> bool,
    ) -> impl Iterator<Item = (ChangeHash, Authorship)> {
        let metas = self.document.automerge.get_changes_meta(&[]);
        let seen = self.at.as_ref().map(|at| {
            // Whatever a change builds on comes before it, so the last are looked at first.
            let mut seen = at.iter().copied().collect::<BTreeSet<_>>();
            for meta in metas.iter().rev() {
                if seen.contains(&meta.hash) {
                    seen.extend(meta.deps.iter().copied());
                }
            }
            seen
        });
        let mut changes = Vec::new();
        for meta in &metas {
            if seen.as_ref().is_some_and(|seen| !seen.contains(&meta.hash)) {
                continue;
            }
            let author = self.document.book.author_of_op(&meta.actor, meta.start_op);
            if let Some(author) = author.filter(&wanted) {
                changes.push((meta.start_op, meta.hash, author));
            }
        }
        changes.sort_unstable();
        changes.into_iter().map(|(_, hash, author)| (hash, author))
    }
}
