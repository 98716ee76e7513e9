//! Cards, from the entries that hold their revisions.

use node_document::{CardView, Heads, Revision};
use node_feed::{Card, CardId, Kind, Opening, SpaceId};
use node_store::{ReadStore, StoreError, StoredEntry};

use crate::node::Inner;

/// The revisions of a card that stand.
pub(crate) fn card_view(
    inner: &Inner,
    space: SpaceId,
    card: CardId,
) -> Result<CardView, StoreError> {
    Ok(CardView::new(revisions(inner, space, card)?))
}

/// The revisions of a card whose payload is held, replaced ones among them.
pub(crate) fn revisions(
    inner: &Inner,
    space: SpaceId,
    card: CardId,
) -> Result<Vec<Revision>, StoreError> {
    let entries = inner
        .storage
        .read(|store| store.entries_of(card.subject(), 0))?;
    let here = entries.iter().filter(|entry| entry.space == space);
    Ok(here.filter_map(|entry| revision(entry, card)).collect())
}

/// What a page was made from: the revisions that stood then.
pub(crate) fn heads(view: &CardView) -> Heads {
    let hashes = view.replaces().into_iter();
    Heads::new(hashes.map(|hash| *hash.as_bytes()).collect())
}

/// The card as a page showed it; none if what it was made from is not held here.
pub(crate) fn view_at(revisions: &[Revision], heads: &Heads) -> Option<CardView> {
    let shown = |revision: &&Revision| heads.hashes().contains(revision.hash.as_bytes());
    let view = CardView::new(revisions.iter().filter(shown).cloned());
    (view.siblings().len() == heads.hashes().len()).then_some(view)
}

/// A revision; none if its payload is gone, or if another hub than the owner wrote it.
fn revision(entry: &StoredEntry, card: CardId) -> Option<Revision> {
    let Some(Opening::Node { hub, .. }) = entry.opening else {
        return None;
    };
    if entry.kind != Kind::CARD || hub != card.owner() {
        return None;
    }
    let payload = Card::decode(entry.payload.bytes()?).ok()?;
    Some(Revision {
        hash: entry.height.hash,
        replaces: payload.replaces,
        body: payload.body,
        hub,
        time_ms: entry.time_ms,
    })
}
