//! Sentences that two people changed without knowing of each other.
//!
//! Texts always merge. Where both wrote into one sentence the result may read badly, so both are
//! told, until somebody who has seen both writes in that sentence or says that it is well.

use std::collections::BTreeMap;

use automerge::{Automerge, ChangeHash, ObjId, ObjType, ReadDoc as _};
use unicode_segmentation::UnicodeSegmentation as _;

use crate::entry::Authorship;
use crate::heads::Heads;
use crate::path;
use crate::value::Value;
use crate::view::View;

/// More changes than these in one sentence are not compared; the latest are.
const CHANGES_COMPARED_MAX: usize = 64;

/// A sentence into which people wrote at the same time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overlap {
    /// The sentence as it merged.
    pub sentence: String,
    /// Who wrote in it, and when, earliest first.
    pub authors: Vec<Authorship>,
}

impl View<'_> {
    /// The overlapping edits of the text at `path` that nobody has seen to yet.
    pub fn overlaps(&self, path: &[&str]) -> Vec<Overlap> {
        if !self.document.book.has_several_writers() {
            return Vec::new();
        }
        let automerge = &self.document.automerge;
        let Some((text, id)) = self.text(path) else {
            return Vec::new();
        };
        let mut operations = match &self.at {
            Some(at) => automerge.list_range_at(&id, .., at),
            None => automerge.list_range(&id, ..),
        };
        let mut order = Order {
            automerge,
            known: BTreeMap::new(),
            seen: self.seen(path),
        };
        let mut overlaps = Vec::new();
        for sentence in text.split_sentence_bounds() {
            let written = operations
                .by_ref()
                .take(sentence.chars().count())
                .map(|item| item.id());
            let written = written.collect::<Vec<_>>();
            let authors = self.unaware(&mut order, &written);
            if !authors.is_empty() {
                overlaps.push(Overlap {
                    sentence: sentence.trim().to_owned(),
                    authors,
                });
            }
        }
        overlaps
    }

    fn text(&self, path: &[&str]) -> Option<(String, ObjId)> {
        let (value, id) = self.reader().values(&path::key(path)).pop()?;
        match (value, self.document.automerge.object_type(&id)) {
            (Value::Text(text), Ok(ObjType::Text)) => Some((text, id)),
            (_, _) => None,
        }
    }

    fn seen(&self, path: &[&str]) -> Vec<ChangeHash> {
        let seen = self.reader().get(&path::seen_key(path));
        let heads = seen
            .as_ref()
            .and_then(Value::as_str)
            .and_then(|text| text.parse::<Heads>().ok());
        heads.unwrap_or_default().to_automerge()
    }

    /// The authors among those who wrote these characters who did not know of one another.
    fn unaware(&self, order: &mut Order<'_>, written: &[ObjId]) -> Vec<Authorship> {
        let mut changes = BTreeMap::new();
        for id in written {
            if let Some(author) = self.document.book.author_of(id)
                && let ObjId::Id(counter, ..) = id
            {
                changes
                    .entry((author.feed, author.number))
                    .or_insert((*counter, id, author));
            }
        }
        let mut changes = changes.into_values().collect::<Vec<_>>();
        changes.sort_by_key(|(counter, ..)| std::cmp::Reverse(*counter));
        changes.truncate(CHANGES_COMPARED_MAX);
        let changes = changes
            .into_iter()
            .filter_map(|(_, id, author)| Some((order.automerge.hash_for_opid(id)?, author)))
            .collect::<Vec<_>>();
        let mut unaware = Vec::new();
        for (index, (left, left_author)) in changes.iter().enumerate() {
            for (right, right_author) in &changes[index + 1..] {
                let open = left_author.writer != right_author.writer
                    && order.concurrent(*left, *right)
                    && !order.both_seen(*left, *right)
                    && !changes
                        .iter()
                        .any(|(later, _)| order.follows(*later, *left, *right));
                if open {
                    unaware.extend([*left_author, *right_author]);
                }
            }
        }
        unaware.sort_unstable();
        unaware.dedup();
        unaware
    }
}

/// Which change came before which.
struct Order<'a> {
    automerge: &'a Automerge,
    known: BTreeMap<(ChangeHash, ChangeHash), bool>,
    seen: Vec<ChangeHash>,
}

impl Order<'_> {
    fn concurrent(&mut self, left: ChangeHash, right: ChangeHash) -> bool {
        left != right && !self.precedes(left, right) && !self.precedes(right, left)
    }

    fn both_seen(&mut self, left: ChangeHash, right: ChangeHash) -> bool {
        let seen = self.seen.clone();
        [left, right].iter().all(|change| {
            seen.iter()
                .any(|head| head == change || self.precedes(*change, *head))
        })
    }

    fn follows(&mut self, later: ChangeHash, left: ChangeHash, right: ChangeHash) -> bool {
        later != left && later != right && self.precedes(left, later) && self.precedes(right, later)
    }

    /// Whether `earlier` is among the causes of `later`. Counters grow along every chain of
    /// causes, so the search goes no further back than `earlier` itself.
    fn precedes(&mut self, earlier: ChangeHash, later: ChangeHash) -> bool {
        if let Some(known) = self.known.get(&(earlier, later)) {
            return *known;
        }
        let Some(floor) = self.last_op(earlier) else {
            return false;
        };
        let mut queue = vec![later];
        let mut visited = std::collections::BTreeSet::new();
        let mut found = false;
        while let Some(hash) = queue.pop() {
            let Some(meta) = self.automerge.get_change_meta_by_hash(&hash) else {
                continue;
            };
            if meta.deps.contains(&earlier) {
                found = true;
                break;
            }
            queue.extend(meta.deps.into_iter().filter(|dep| {
                visited.insert(*dep) && self.last_op(*dep).is_some_and(|last| last > floor)
            }));
        }
        self.known.insert((earlier, later), found);
        found
    }

    fn last_op(&self, hash: ChangeHash) -> Option<u64> {
        self.automerge
            .get_change_meta_by_hash(&hash)
            .map(|meta| meta.max_op)
    }
}
