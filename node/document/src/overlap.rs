//! Sentences that two people changed without knowing of each other.
//!
//! Texts always merge. Where both wrote into one sentence the result may read badly, so both are
//! told, until somebody who has seen both writes in that sentence or says that it is well.

use std::collections::{BTreeMap, BTreeSet};

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
    /// How each of them left the sentence, in the same order.
    pub wordings: Vec<Wording>,
}

/// How one author left a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wording {
    /// Who, and when.
    pub author: Authorship,
    /// The sentence as this author left it.
    pub sentence: String,
    /// The sentence as it stood before; empty if there was none.
    pub before: String,
}

impl View<'_> {
    /// The overlapping edits of the text at `path` that nobody has seen to yet.
    pub fn overlaps(&self, path: &[&str]) -> Vec<Overlap> {
        if !self.document.book.has_several_actors() {
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
        let marks = self.cut_marks(path);
        let mut overlaps = Vec::new();
        for sentence in text.split_sentence_bounds() {
            let written = operations
                .by_ref()
                .take(sentence.chars().count())
                .map(|item| item.id());
            let written = written.collect::<Vec<_>>();
            let cuts = marks
                .iter()
                .map(|mark| (&mark.operation, mark.anchors(&written)))
                .filter(|(_, anchors)| !anchors.is_empty())
                .collect::<Vec<_>>();
            let operations = written.iter().chain(cuts.iter().map(|(cut, _)| *cut));
            let unaware = self.unaware(&mut order, operations);
            if !unaware.is_empty() {
                let wording = |(author, change): &(Authorship, ChangeHash)| {
                    let by_author = |id: &ObjId| {
                        let by = self.document.book.author_of(id);
                        by.is_some_and(|by| (by.feed, by.number) == (author.feed, author.number))
                    };
                    let cuts = cuts.iter().filter(|(cut, _)| by_author(cut));
                    let own = written.iter().filter(|id| by_author(id)).cloned();
                    let own = own.chain(cuts.flat_map(|(_, anchors)| anchors.clone()));
                    self.wording(&id, &own.collect(), *author, *change)
                };
                overlaps.push(Overlap {
                    sentence: sentence.trim().to_owned(),
                    authors: unaware.iter().map(|(author, _)| *author).collect(),
                    wordings: unaware.iter().map(wording).collect(),
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

    /// The authors among those who wrote or cut here who did not know of one another.
    fn unaware<'o>(
        &self,
        order: &mut Order<'_>,
        written: impl Iterator<Item = &'o ObjId>,
    ) -> Vec<(Authorship, ChangeHash)> {
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
            .filter_map(|(_, id, author)| {
                let ObjId::Id(_, actor, _) = id else {
                    return None;
                };
                Some((order.automerge.hash_for_opid(id)?, author, actor))
            })
            .collect::<Vec<_>>();
        let mut unaware = Vec::new();
        for (index, (left, left_author, actor)) in changes.iter().enumerate() {
            for (right, right_author, other) in &changes[index + 1..] {
                // An actor knows what it wrote before. One writer has several: two people may save
                // pages of one node.
                let open = actor != other
                    && order.concurrent(*left, *right)
                    && !order.both_seen(*left, *right)
                    && !changes
                        .iter()
                        .any(|(later, ..)| order.follows(*later, *left, *right));
                if open {
                    unaware.extend([(*left_author, *left), (*right_author, *right)]);
                }
            }
        }
        unaware.sort_unstable();
        unaware.dedup();
        unaware
    }

    /// How an author left the sentence in which these characters stand.
    fn wording(
        &self,
        text: &ObjId,
        own: &BTreeSet<ObjId>,
        author: Authorship,
        change: ChangeHash,
    ) -> Wording {
        let (sentence, characters) = self.sentences_with(text, own, &[change]);
        let meta = self.document.automerge.get_change_meta_by_hash(&change);
        let deps = meta.map(|meta| meta.deps).unwrap_or_default();
        let (before, _) = self.sentences_with(text, &characters, &deps);
        Wording {
            author,
            sentence,
            before,
        }
    }

    /// The sentences that hold any of these characters in the text as it stood at `heads`, and
    /// all characters in them.
    fn sentences_with(
        &self,
        text: &ObjId,
        wanted: &BTreeSet<ObjId>,
        heads: &[ChangeHash],
    ) -> (String, BTreeSet<ObjId>) {
        let automerge = &self.document.automerge;
        let mut operations = automerge.list_range_at(text, .., heads);
        let (mut found, mut characters) = (String::new(), BTreeSet::new());
        for sentence in automerge
            .text_at(text, heads)
            .unwrap_or_default()
            .split_sentence_bounds()
        {
            let ids = operations.by_ref().take(sentence.chars().count());
            let ids = ids.map(|item| item.id()).collect::<Vec<_>>();
            if ids.iter().any(|id| wanted.contains(id)) {
                found.push_str(sentence);
                characters.extend(ids);
            }
        }
        (found.trim().to_owned(), characters)
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
        let mut visited = BTreeSet::new();
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
