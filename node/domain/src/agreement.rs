//! Data agreements: which fields a hub has agreed to publish.

use std::collections::BTreeSet;

use node_document::{Document, View};
use node_feed::HubId;

use crate::declaration::Wins;
use crate::fields::elements;

const FIELDS: &str = "agreed_fields";
const SIGNATURES: &str = "signatures";
const UNTIL: &str = "agreement_until";

/// The fields that `signer`, whose code is `code`, agreed to in a project's record; none without
/// its signature.
///
/// A signature counts only in the signer's own hand, and covers the fields that `proposer` listed
/// and that stood there when it was given. What is listed later needs a new signature; what
/// anyone takes out is no longer agreed.
pub fn signed_fields(
    document: &Document,
    (code, signer): (&str, HubId),
    proposer: HubId,
) -> Option<BTreeSet<String>> {
    let now = document.view();
    let stands = elements(&now, &[SIGNATURES], Wins::Remove);
    if !stands.iter().any(|element| element == code) {
        return None;
    }
    let by_signer = now
        .writings(&[SIGNATURES, code])
        .into_iter()
        .filter(|(author, _)| author.hub == signer);
    let mut signed = None::<BTreeSet<String>>;
    for (_, heads) in by_signer {
        let then = document.view_at(&heads)?;
        signed
            .get_or_insert_default()
            .extend(listed(&then, proposer));
    }
    let still = elements(&now, &[FIELDS], Wins::Remove);
    signed.map(|signed| {
        let agreed = still.into_iter().filter(|field| signed.contains(field));
        agreed.collect()
    })
}

/// What a hub has not agreed to yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsigned {
    /// The fields.
    pub fields: Vec<String>,
    /// When the last of them was listed, in milliseconds since 1970.
    pub since_ms: Option<u64>,
}

/// The fields that `proposer` lists in a project's record and that `signer`, whose code is `code`,
/// has not agreed to, as [`signed_fields`] counts it; none if there are no such.
pub fn unsigned(
    document: &Document,
    (code, signer): (&str, HubId),
    proposer: HubId,
) -> Option<Unsigned> {
    let now = document.view();
    let agreed = signed_fields(document, (code, signer), proposer).unwrap_or_default();
    let mut fields = listed(&now, proposer);
    fields.retain(|field| !agreed.contains(field));
    let times = fields.iter().flat_map(|field| {
        let writings = now.writings(&[FIELDS, field]).into_iter();
        let by_proposer = writings.filter(|(author, _)| author.hub == proposer);
        by_proposer.map(|(author, _)| author.time_ms)
    });
    let since_ms = times.max();
    (!fields.is_empty()).then_some(Unsigned { fields, since_ms })
}

/// The last day of a signed agreement, if it has one: as the proposer's record said when `signer`
/// signed, or says now, whichever is earlier. To prolong it takes a new signature, to end it
/// earlier does not. After that day nothing more may leave.
pub fn signed_until(
    document: &Document,
    (code, signer): (&str, HubId),
    proposer: HubId,
) -> Option<String> {
    let now = document.view();
    let by_signer = now.writings(&[SIGNATURES, code]).into_iter();
    let signed = by_signer.filter(|(author, _)| author.hub == signer);
    let then = signed.map(|(_, heads)| until(&document.view_at(&heads)?, proposer));
    // Of several signatures that stand side by side the one that reaches furthest counts.
    let then = then.reduce(|one, other| Some(one?.max(other?))).flatten();
    [then, until(&now, proposer)].into_iter().flatten().min()
}

/// The day that the proposer wrote. What another hub wrote over it can only bring it forward.
fn until(view: &View<'_>, proposer: HubId) -> Option<String> {
    let versions = view.versions(&[UNTIL]).into_iter();
    let days = versions.flat_map(|version| {
        let by_proposer = version.author.hub == proposer;
        let before = version.before.into_iter().filter(move |_| !by_proposer);
        std::iter::once(version.value).chain(before)
    });
    days.filter_map(|day| day.as_str().map(str::to_owned)).min()
}

/// The fields that `proposer` listed itself.
fn listed(view: &View<'_>, proposer: HubId) -> Vec<String> {
    let mut fields = elements(view, &[FIELDS], Wins::Remove);
    fields.retain(|field| {
        let writings = view.writings(&[FIELDS, field]);
        writings.iter().any(|(author, _)| author.hub == proposer)
    });
    fields
}
