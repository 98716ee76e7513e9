//! Endorsements: each is tied to exactly the text that stood there when it was given.

use std::collections::BTreeMap;

use node_document::{Authorship, Document, Heads, Value, View};
use node_feed::HubId;

use crate::declaration::{Kind, Wins};
use crate::fields::elements;

/// So many endorsements are judged; the rest do not count.
const JUDGED_MAX: usize = 1_000;
/// So many of them of one hub, so that none can crowd out the others.
const JUDGED_MAX_OF_ONE: usize = 20;

/// An element of a set of endorsements, by one hub that put it in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endorsement {
    /// The element: what the endorsing hub calls itself. It counts only as far as it is the code
    /// of `hub`.
    pub element: String,
    /// The hub that put it in, proven by its signature.
    pub hub: HubId,
    /// Whether it saw exactly the text in question; otherwise the endorsement is stale.
    pub exact: bool,
}

/// An endorsement with a digest of the text it was given to.
#[derive(Debug, Clone)]
pub(crate) struct Given {
    pub(crate) element: String,
    pub(crate) author: Authorship,
    /// Where the document stood with it.
    pub(crate) at: Heads,
    pub(crate) text: Digest,
}

/// Stands for a text.
pub(crate) type Digest = [u8; 32];

pub(crate) fn digest_of(text: &str) -> Digest {
    *blake3::hash(text.as_bytes()).as_bytes()
}

/// The endorsements of a record's text as it stands now; none if its kind has none.
pub fn endorsements(document: &Document, kind: &Kind) -> Vec<Endorsement> {
    let Some((text, _)) = kind.released.map(|released| released.endorsed) else {
        return Vec::new();
    };
    endorsements_of(document, kind, &text_of(&document.view(), text))
}

/// The endorsements of a record, judged against a given text.
pub fn endorsements_of(document: &Document, kind: &Kind, text: &str) -> Vec<Endorsement> {
    let Some((field, set)) = kind.released.map(|released| released.endorsed) else {
        return Vec::new();
    };
    judged(&given(document, &document.view(), set, field), text)
}

/// Endorsements judged against a text: of each hub each element once.
pub(crate) fn judged(given: &[Given], text: &str) -> Vec<Endorsement> {
    let text = digest_of(text);
    let mut places = BTreeMap::<(&str, HubId), usize>::new();
    let mut endorsements = Vec::<Endorsement>::new();
    for given in given {
        let exact = given.text == text;
        let key = (given.element.as_str(), given.author.hub);
        let place = *places.entry(key).or_insert(endorsements.len());
        match endorsements.get_mut(place) {
            Some(known) => known.exact |= exact,
            None => endorsements.push(Endorsement {
                element: given.element.clone(),
                hub: given.author.hub,
                exact,
            }),
        }
    }
    endorsements
}

/// Every endorsement that stands, with what its author saw in the field that holds the text. What
/// one change put in was given to one text, which is read once.
pub(crate) fn given(document: &Document, view: &View<'_>, set: &str, field: &str) -> Vec<Given> {
    let view = &view.whole();
    let mut of_hubs = BTreeMap::<HubId, usize>::new();
    let mut texts = BTreeMap::<Heads, Digest>::new();
    let mut given = Vec::new();
    for element in elements(view, &[set], Wins::Remove) {
        for (author, at) in view.writings(&[set, &element]) {
            let of_hub = of_hubs.entry(author.hub).or_default();
            if *of_hub >= JUDGED_MAX_OF_ONE || given.len() >= JUDGED_MAX {
                continue;
            }
            *of_hub += 1;
            let text = *texts.entry(at.clone()).or_insert_with(|| {
                let then = document.view_at(&at);
                digest_of(&then.map_or_else(String::new, |then| text_of(&then, field)))
            });
            given.push(Given {
                element: element.clone(),
                author,
                at,
                text,
            });
        }
    }
    given
}

pub(crate) fn text_of(view: &View<'_>, field: &str) -> String {
    let value = view.get(&[field]);
    let text = value.as_ref().and_then(Value::as_str).unwrap_or_default();
    text.to_owned()
}
