//! What guests see of a record: nothing before it was released, and then each text that was.

use std::collections::BTreeSet;

use node_document::Document;
use serde_json::Value as Json;
use unicode_segmentation::UnicodeSegmentation as _;

use crate::Object;
use crate::declaration::Kind;
use crate::endorsement::{Endorsement, given, judged};
use crate::frozen::frozen_copies;
use crate::read::read_field;

/// A record as guests see it.
#[derive(Debug, Clone, PartialEq)]
pub struct ReleasedView {
    /// The fields that guests see, as they stand.
    pub fields: Object,
    /// What was released, earliest first; the last is what holds.
    pub copies: Vec<ReleasedCopy>,
}

/// A text that was released.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReleasedCopy {
    /// Its version.
    pub version: i64,
    /// The day on which it was released.
    pub on: String,
    /// Its hash.
    pub hash: String,
    /// The text.
    pub text: String,
    /// Who endorses exactly this text.
    pub endorsed: Vec<Endorsement>,
    /// The version that it corrects, if the text before was another.
    pub changed_from: Option<i64>,
    /// The sentences that the correction took away.
    pub taken_away: Vec<String>,
    /// The sentences that the correction brought.
    pub added: Vec<String>,
}

/// What guests see of a record; nothing before its first release, or if its kind is never
/// released.
pub fn released(document: &Document, kind: &'static Kind) -> Option<ReleasedView> {
    let released = kind.released?;
    let view = document.view();
    let mut copies = Vec::<ReleasedCopy>::new();
    let (text, set) = released.endorsed;
    let given = given(document, &view, set, text);
    // What is not what its hash says was not released.
    let genuine = frozen_copies(&view, kind)
        .into_iter()
        .filter(|copy| copy.genuine);
    for copy in genuine {
        let text = copy.content.get(released.endorsed.0);
        let text = text.and_then(Json::as_str).unwrap_or_default().to_owned();
        let endorsements = judged(&given, &text).into_iter();
        copies.push(ReleasedCopy {
            version: copy.version,
            on: copy.on,
            hash: copy.hash,
            endorsed: endorsements
                .filter(|endorsement| endorsement.exact)
                .collect(),
            text,
            changed_from: None,
            taken_away: Vec::new(),
            added: Vec::new(),
        });
    }
    for index in 1..copies.len() {
        let (earlier, later) = copies.split_at_mut(index);
        let (Some(earlier), Some(later)) = (earlier.last(), later.first_mut()) else {
            continue;
        };
        if earlier.text != later.text {
            later.changed_from = Some(earlier.version);
            later.taken_away = sentences_only_in(&earlier.text, &later.text);
            later.added = sentences_only_in(&later.text, &earlier.text);
        }
    }
    if copies.is_empty() {
        return None;
    }
    let fields = released.fields.iter().filter_map(|name| {
        let field = kind.field(name)?;
        Some((field.name.to_owned(), read_field(&view, &[], field)?))
    });
    Some(ReleasedView {
        fields: fields.collect(),
        copies,
    })
}

fn sentences_only_in(text: &str, other: &str) -> Vec<String> {
    let others = other.split_sentence_bounds().map(str::trim);
    let others = others.collect::<BTreeSet<_>>();
    text.split_sentence_bounds()
        .map(str::trim)
        .filter(|sentence| !sentence.is_empty() && !others.contains(sentence))
        .map(str::to_owned)
        .collect()
}
