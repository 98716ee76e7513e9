//! Data agreements: which fields a hub has agreed to publish.

use std::collections::BTreeSet;

use node_document::{Document, View};
use node_feed::HubId;

use crate::declaration::Wins;
use crate::fields::elements;

const FIELDS: &str = "agreed_fields";
const SIGNATURES: &str = "signatures";

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

/// The fields that `proposer` listed itself.
fn listed(view: &View<'_>, proposer: HubId) -> Vec<String> {
    let mut fields = elements(view, &[FIELDS], Wins::Remove);
    fields.retain(|field| {
        let writings = view.writings(&[FIELDS, field]);
        writings.iter().any(|(author, _)| author.hub == proposer)
    });
    fields
}
