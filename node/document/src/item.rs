//! Who wrote an item of a list, and the texts in it.

use automerge::{ObjId, ObjType, ReadDoc as _};

use crate::entry::Authorship;
use crate::path;
use crate::view::View;

impl View<'_> {
    /// Who put the item into the list at `list`, and when. One who changes an item of somebody
    /// else's does not become its author.
    pub fn item_author(&self, list: &[&str], item: &str) -> Option<Authorship> {
        let path = [list, &[item]].concat();
        let mut written = self
            .item_operations(&path)
            .into_iter()
            .filter_map(|id| self.document.book.author_of(&id));
        let first = written.next()?;
        let same = |other: Authorship| (other.feed, other.number) == (first.feed, first.number);
        if written.all(same) {
            return Some(first);
        }
        // It was changed since, so that only its history tells.
        let steps = self.history(&path).into_iter();
        steps.map(|step| step.author).next()
    }

    /// Everybody who wrote something that stands in the item of the list at `list`, each entry
    /// once, earliest first.
    pub fn item_writers(&self, list: &[&str], item: &str) -> Vec<Authorship> {
        let path = [list, &[item]].concat();
        let mut writers = Vec::new();
        for id in self.item_operations(&path) {
            writers.extend(self.document.book.author_of(&id));
            if let Ok(ObjType::Text) = self.document.automerge.object_type(&id) {
                writers.extend(self.character_authors(&id));
            }
        }
        writers.sort_unstable();
        writers.dedup();
        writers
    }

    /// Whose characters stand in the text at `path`, each entry once, earliest first.
    pub fn text_authors(&self, path: &[&str]) -> Vec<Authorship> {
        let text = self.reader().values(&path::key(path)).pop();
        let mut authors = text.map_or_else(Vec::new, |(_, id)| {
            match self.document.automerge.object_type(&id) {
                Ok(ObjType::Text) => self.character_authors(&id),
                Ok(ObjType::Map | ObjType::Table | ObjType::List) | Err(_) => Vec::new(),
            }
        });
        authors.sort_unstable();
        authors.dedup();
        authors
    }

    fn character_authors(&self, text: &ObjId) -> Vec<Authorship> {
        let automerge = &self.document.automerge;
        let characters = match &self.at {
            Some(at) => automerge.list_range_at(text, .., at),
            None => automerge.list_range(text, ..),
        };
        let mut authors = characters
            .filter_map(|item| self.document.book.author_of(&item.id()))
            .collect::<Vec<_>>();
        authors.dedup();
        authors
    }

    /// What put the item's mark and whatever stands below it.
    pub(crate) fn item_operations(&self, path: &[&str]) -> Vec<ObjId> {
        let reader = self.reader();
        let marks = reader.values(&path::key(path)).into_iter();
        let mut operations = marks.map(|(_, id)| id).collect::<Vec<_>>();
        reader.each_below(path, |item| operations.push(item.id()));
        operations
    }
}
