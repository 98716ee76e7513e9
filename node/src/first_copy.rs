//! First copies at the sending end: what one is made of, and its pieces.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use node_feed::{CopyPiece, DocumentId, FeedName, Height, Heights, Opening, SpaceId, Subject};
use node_store::{ReadStore, Readers, StoreError};
use node_sync::{CopyPlan, Message};

use crate::checkpoints;
use crate::node::Inner;

/// A document that is larger when it is saved travels entry by entry: a frame could not hold it.
const DOCUMENT_BYTES_MAX: usize = 3 << 20;

/// What a copy of these feeds is made of, each from the number of the first entry that the peer
/// lacks; none if none of them can be copied, or if it would cost more than their entries.
///
/// A copy that the peer holds a part of goes on if what it stands on is still held here.
///
/// # Errors
/// [`StoreError`] if the store cannot be read.
pub(crate) fn plan(
    inner: &Inner,
    space: SpaceId,
    feeds: &[(FeedName, u64)],
    under_way: Option<&Heights>,
) -> Result<Option<CopyPlan>, StoreError> {
    if let Some(bases) = under_way {
        let feeds = feeds.iter().filter(|(feed, _)| bases.get(feed).is_some());
        let feeds = feeds.copied().collect::<Vec<_>>();
        let plan = plan_up_to(inner, space, &feeds, |feed| {
            bases.get(&feed).map_or(0, |base| base.number)
        })?;
        if plan.as_ref().is_some_and(|plan| plan.bases == *bases) {
            return Ok(plan);
        }
    }
    plan_up_to(inner, space, feeds, |_| u64::MAX)
}

fn plan_up_to(
    inner: &Inner,
    space: SpaceId,
    feeds: &[(FeedName, u64)],
    through: impl Fn(FeedName) -> u64,
) -> Result<Option<CopyPlan>, StoreError> {
    let own = &inner.own_nodes;
    let aside = inner.storage.set_aside()?;
    let mut verified = BTreeMap::new();
    for (feed, _) in feeds.iter().take(Message::COPY_FEEDS_MAX) {
        let checkpoint = checkpoints::verified(inner, space, *feed, through(*feed))?;
        verified.extend(checkpoint.map(|checkpoint| (*feed, checkpoint)));
    }
    inner.storage.read(|store| {
        let trees = store.trees(space)?;
        let places = trees.values().flat_map(node_feed::FeedTree::feeds);
        let places = places.map(|(name, place)| (*name, *place));
        let places = places.collect::<BTreeMap<_, _>>();
        let mut plan = CopyPlan {
            bases: Heights::new(),
            proofs: Vec::new(),
            kept: Vec::new(),
            documents: Vec::new(),
        };
        let openings = store.openings(space)?;
        let mut documents = BTreeSet::<Subject>::new();
        for (feed, from) in feeds {
            let Some(place) = places.get(feed) else {
                continue;
            };
            // Its author hands a feed on whole: copies alone would leave nobody with its entries.
            let is_own = matches!(
                openings.get(feed),
                Some(Opening::Node { node, .. }) if own.contains(node)
            );
            if is_own && place.base == 0 {
                continue;
            }
            let Some((parts, base)) = verified.remove(feed) else {
                continue;
            };
            let listed = parts.iter().map(|part| part.documents.len() as u64);
            let spared = base.number.saturating_sub(*from);
            let is_worth = !place.holds(*from) || spared > listed.sum::<u64>();
            // What was set aside here is in no document, and must reach the peer all the same.
            // What was so by itself is among what the checkpoint keeps.
            let is_whole = !aside.iter().any(|row| {
                (row.space, row.feed) == (space, *feed) && row.number <= base.number && !row.alone
            });
            let first = base.number + 1 - parts.len() as u64;
            if !is_worth || !is_whole || base.number < *from {
                continue;
            }
            // Where a document that it lists was erased since, the erasure may come after it.
            let mut through = base.number;
            for (subject, _) in parts.iter().flat_map(|part| &part.documents) {
                if store.is_erased(*subject)? {
                    through = place.tip.map_or(through, |tip| tip.number);
                    break;
                }
            }
            let mut next = first;
            while next <= through {
                let runs = store.read(space, &[(*feed, next)], 1)?;
                let Some(run) = runs.first() else {
                    break;
                };
                plan.proofs.push((*feed, next));
                next = run.first + run.entries.len() as u64;
            }
            plan.bases.set(*feed, base);
            for part in parts {
                plan.kept
                    .extend(part.kept.iter().map(|kept| (*feed, *kept)));
                documents.extend(part.documents.iter().map(|(subject, _)| *subject));
            }
        }
        plan.documents = documents.into_iter().collect();
        Ok((!plan.bases.is_empty()).then_some(plan))
    })
}

/// The pieces of a copy from this one on, about so many bytes and at least one: documents, or others.
/// If the first cannot be made, the feeds that it belongs to: without them there is another copy.
///
/// # Errors
/// [`StoreError`] if the store cannot be read.
pub(crate) fn read(
    inner: &Inner,
    space: SpaceId,
    plan: &CopyPlan,
    from: usize,
    bytes_max: usize,
) -> Result<Result<Vec<CopyPiece>, Vec<FeedName>>, StoreError> {
    let (proofs, kept) = (plan.proofs.len(), plan.kept.len());
    let bases = plan.bases.iter();
    let bases = bases.map(|(feed, base)| (feed, base.number));
    let bases = bases.collect::<BTreeMap<_, _>>();
    let since = since(inner, &plan.bases)?;
    let mut pieces = Vec::new();
    let mut bytes = 0;
    let end = if from < plan.head() {
        plan.head()
    } else {
        plan.pieces()
    };
    for index in from..end {
        let (piece, of) = if let Some((feed, number)) = plan.proofs.get(index) {
            (proof(inner, space, *feed, *number)?, Belongs::To(*feed))
        } else if let Some((feed, height)) = plan.kept.get(index - proofs) {
            let kept = |store: &Readers| store.kept(space, *feed, *height);
            let kept = inner.storage.read(kept)?;
            (kept.map(CopyPiece::Kept), Belongs::To(*feed))
        } else if let Some(subject) = plan.documents.get(index - proofs - kept) {
            let document = document(inner, space, *subject, &bases, since)?;
            (document, Belongs::ToAllThatList(*subject))
        } else {
            break;
        };
        let Some(piece) = piece else {
            if pieces.is_empty() {
                return Ok(Err(of.feeds(inner, space, plan)?));
            }
            break;
        };
        bytes += piece.weight();
        if bytes > bytes_max && !pieces.is_empty() {
            break;
        }
        pieces.push(piece);
    }
    Ok(Ok(pieces))
}

/// Which feeds of a copy need a piece.
enum Belongs {
    To(FeedName),
    ToAllThatList(Subject),
}

impl Belongs {
    fn feeds(
        &self,
        inner: &Inner,
        space: SpaceId,
        plan: &CopyPlan,
    ) -> Result<Vec<FeedName>, StoreError> {
        let subject = match self {
            Self::To(feed) => return Ok(vec![*feed]),
            Self::ToAllThatList(subject) => subject,
        };
        let mut feeds = Vec::new();
        for (feed, base) in plan.bases.iter() {
            let checkpoint = |store: &Readers| store.checkpoint(space, feed, base.number);
            let checkpoint = inner.storage.read(checkpoint)?;
            let parts = checkpoint.into_iter().flat_map(|(parts, _)| parts);
            let mut listed = parts.flat_map(|part| part.documents);
            if listed.any(|(listed, _)| listed == *subject) {
                feeds.push(feed);
            }
        }
        Ok(feeds)
    }
}

/// The arrival of the last of these entries.
fn since(inner: &Inner, bases: &Heights) -> Result<u64, StoreError> {
    inner.storage.read(|store| {
        let mut since = 0;
        for (_, Height { hash, .. }) in bases.iter() {
            since = store.entry(hash)?.map_or(since, |it| it.arrival.max(since));
        }
        Ok(since)
    })
}

fn proof(
    inner: &Inner,
    space: SpaceId,
    feed: FeedName,
    number: u64,
) -> Result<Option<CopyPiece>, StoreError> {
    let runs = inner.storage.runs(space, &[(feed, number)], 1)?;
    let run = runs.into_iter().next().filter(|run| run.first == number);
    Ok(run.map(CopyPiece::Proof))
}

fn document(
    inner: &Inner,
    space: SpaceId,
    subject: Subject,
    bases: &BTreeMap<FeedName, u64>,
    since: u64,
) -> Result<Option<CopyPiece>, StoreError> {
    if inner.storage.read(|store| store.is_erased(subject))? {
        let bytes = Bytes::new();
        return Ok(Some(CopyPiece::Document { subject, bytes }));
    }
    let Ok(id) = DocumentId::try_from(subject) else {
        return Ok(None);
    };
    let saved = inner.library.fresh(&inner.storage, space, id, since)?;
    let copied = node_document::copied(&saved, id, bases);
    let bytes = copied
        .inspect_err(|why| tracing::debug!(%why, "a document is not copied"))
        .ok()
        .filter(|bytes| bytes.len() <= DOCUMENT_BYTES_MAX);
    Ok(bytes.map(|bytes| CopyPiece::Document { subject, bytes }))
}
