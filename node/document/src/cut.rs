//! Marks of where characters were taken out of a sentence.
//!
//! What somebody writes stands in a text with its author; what somebody takes out leaves nothing
//! there to tell who it was. So an edit that only takes out leaves a mark beside the text, tied to
//! the characters around it, and counts as writing in their sentence.

use std::collections::BTreeSet;

use automerge::{Automerge, ObjId, ROOT, ReadDoc as _};
use unicode_segmentation::UnicodeSegmentation as _;

use crate::path;
use crate::read::Reader;
use crate::value::Value;
use crate::view::View;

/// More sentences than these are not marked in one edit.
const MARKED_MAX: usize = 16;

/// Where an edit took something out: two of the characters that stay, by their ids in words. They
/// are the same one where only one stays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cut {
    pub(crate) anchor: String,
    pub(crate) other: String,
}

/// A mark that stands beside a text.
#[derive(Debug, Clone)]
pub(crate) struct Mark {
    cut: Cut,
    /// What put it there.
    pub(crate) operation: ObjId,
}

impl Mark {
    /// The characters among these to which it is tied.
    pub(crate) fn anchors(&self, characters: &[ObjId]) -> Vec<ObjId> {
        let tied = |id: &&ObjId| {
            let id = id.to_string();
            id == self.cut.anchor || id == self.cut.other
        };
        characters.iter().filter(tied).cloned().collect()
    }
}

/// The sentences of a text from which characters were taken out while others stay, and into which
/// nothing was written. `before` and `after` are its characters.
pub(crate) fn cuts(text: &str, before: &[ObjId], after: &[ObjId]) -> Vec<Cut> {
    let old = before.iter().collect::<BTreeSet<_>>();
    let stay = after.iter().collect::<BTreeSet<_>>();
    let mut cuts = Vec::new();
    let mut rest = before;
    for sentence in text.split_sentence_bounds() {
        let (characters, others) = rest.split_at(sentence.chars().count().min(rest.len()));
        rest = others;
        let kept = characters.iter().filter(|id| stay.contains(id));
        let kept = kept.collect::<Vec<_>>();
        let Some(gone) = characters.iter().position(|id| !stay.contains(id)) else {
            continue;
        };
        let (Some(first), Some(last)) = (kept.first(), kept.last()) else {
            continue;
        };
        let within = after
            .iter()
            .skip_while(|id| id != first)
            .take_while(|id| id != last);
        let written = within.filter(|id| !old.contains(id)).count() > 0;
        if !written && cuts.len() < MARKED_MAX {
            let around = [gone.checked_sub(1), Some(gone)];
            let at = |index: Option<usize>| kept.get(index?).map(|id| id.to_string());
            let [left, right] = around.map(at);
            let last = || last.to_string();
            cuts.push(Cut {
                anchor: left.clone().or_else(|| right.clone()).unwrap_or_else(last),
                other: right.or(left).unwrap_or_else(last),
            });
        }
    }
    cuts
}

impl View<'_> {
    /// The marks that stand beside the text at `path`.
    pub(crate) fn cut_marks(&self, path: &[&str]) -> Vec<Mark> {
        let prefix = path::cut_prefix(path);
        // `/` is followed by `0`.
        let range = prefix.clone()..format!("{}0", &prefix[..prefix.len() - 1]);
        let automerge: &Automerge = &self.document.automerge;
        let below = match &self.at {
            Some(at) => automerge.map_range_at(ROOT, range, at),
            None => automerge.map_range(ROOT, range),
        };
        let keys = below.map(|item| item.key.into_owned()).collect::<Vec<_>>();
        let reader: Reader<'_, Automerge> = self.reader();
        let mut marks = Vec::new();
        for key in keys {
            let anchor = key.strip_prefix(&prefix).unwrap_or_default();
            for (value, operation) in reader.values(&key) {
                let other = value.as_str().and_then(|text| text.split(' ').next());
                marks.push(Mark {
                    cut: Cut {
                        anchor: anchor.to_owned(),
                        other: other.unwrap_or_default().to_owned(),
                    },
                    operation,
                });
            }
        }
        marks
    }
}

/// What a mark says, so that two edits one after the other never say the same.
pub(crate) fn value(cut: &Cut, earlier: Option<&Value>) -> String {
    let plain = format!("{} 1", cut.other);
    if earlier.and_then(Value::as_str) == Some(plain.as_str()) {
        format!("{} 2", cut.other)
    } else {
        plain
    }
}
