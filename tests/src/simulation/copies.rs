//! First copies on a machine's disk: what a node does with checkpoints and documents, without
//! documents. One stands for all that a feed says but its opening.

use std::collections::BTreeMap;

use bytes::Bytes;
use node_feed::{
    Checkpoint, CopyOffer, CopyPiece, CopySlice, Entry, FeedName, Hash, Height, Heights, Kind,
    NodeId, Nonce, Opening, SpaceId, Subject, Trail,
};
use node_store::{CopyPlace, CopyPlaced, CopyTaken, EntryStore, ReadStore};
use node_sync::{CopyHeld, CopyPlan, CopyResult, Input, StorageDown, Ticket};

use super::dice::Dice;
use super::machine::Machine;

/// Bytes of a document.
const DOCUMENT_BYTES: usize = 300;

impl Machine {
    /// The checkpoint of everything that `feed` says up to its last entry.
    pub(crate) fn checkpoint(
        &self,
        space: SpaceId,
        feed: FeedName,
        dice: &mut Dice,
    ) -> Option<Vec<Entry>> {
        let hash = self.folder.store.hash_at(space, feed, 0).ok().flatten()?;
        let kept = [Height { number: 0, hash }];
        let documents = (0..1 + dice.below(4)).map(|number| {
            let mut subject = [0; 24];
            subject[..8].copy_from_slice(&number.to_be_bytes());
            (Subject::from_bytes(subject), Trail(Hash::ZERO))
        });
        let documents = documents.collect::<Vec<_>>();
        let parts = Checkpoint::split(&documents, &kept, || Nonce(dice.bytes())).ok()?;
        let entries = parts.iter().map(|part| Entry {
            time_ms: 1,
            kind: Kind::CHECKPOINT,
            subject: Subject::NONE,
            payload: part.encode(),
        });
        Some(entries.collect())
    }

    pub(crate) fn plan_copy(
        &self,
        space: SpaceId,
        feeds: &[(FeedName, u64)],
        under_way: Option<&Heights>,
    ) -> Option<CopyPlan> {
        let resumed = under_way.and_then(|bases| {
            let feeds = feeds.iter().filter(|(feed, _)| bases.get(feed).is_some());
            let feeds = feeds.copied().collect::<Vec<_>>();
            let plan = self.plan_up_to(space, &feeds, |feed| {
                bases.get(&feed).map_or(0, |base| base.number)
            })?;
            (plan.bases == *bases).then_some(plan)
        });
        resumed.or_else(|| self.plan_up_to(space, feeds, |_| u64::MAX))
    }

    fn plan_up_to(
        &self,
        space: SpaceId,
        feeds: &[(FeedName, u64)],
        through: impl Fn(FeedName) -> u64,
    ) -> Option<CopyPlan> {
        let store = &self.folder.store;
        let openings = store.openings(space).ok()?;
        let places = store.trees(space).ok()?;
        let places = places.values().flat_map(|tree| tree.feeds().clone());
        let places = places.collect::<BTreeMap<_, _>>();
        let mut plan = CopyPlan {
            bases: Heights::new(),
            proofs: Vec::new(),
            kept: Vec::new(),
            documents: Vec::new(),
        };
        for (feed, from) in feeds {
            let own = matches!(
                openings.get(feed),
                Some(Opening::Node { node, .. }) if *node == self.node()
            );
            if own && places.get(feed).is_some_and(|place| place.base == 0) {
                continue;
            }
            let found = store.checkpoint(space, *feed, through(*feed)).ok()?;
            let Some((parts, base)) = found.filter(|(_, base)| base.number >= *from) else {
                continue;
            };
            let mut next = base.number + 1 - parts.len() as u64;
            while next <= base.number {
                let runs = store.read(space, &[(*feed, next)], 1).ok()?;
                plan.proofs.push((*feed, next));
                next = runs.first()?.first + runs.first()?.entries.len() as u64;
            }
            plan.bases.set(*feed, base);
            for part in parts {
                plan.kept
                    .extend(part.kept.iter().map(|kept| (*feed, *kept)));
                let documents = part.documents.iter().map(|(subject, _)| *subject);
                plan.documents.extend(documents);
            }
        }
        plan.documents.sort_unstable();
        plan.documents.dedup();
        (!plan.bases.is_empty()).then_some(plan)
    }

    pub(crate) fn read_copy(
        &self,
        space: SpaceId,
        plan: &CopyPlan,
        from: usize,
        bytes_max: usize,
    ) -> Option<Vec<CopyPiece>> {
        let store = &self.folder.store;
        let mut pieces = Vec::new();
        let mut bytes = 0;
        let end = if from < plan.head() {
            plan.head()
        } else {
            plan.pieces()
        };
        for index in from..end {
            let kept = index.wrapping_sub(plan.proofs.len());
            let document = kept.wrapping_sub(plan.kept.len());
            let piece = if let Some((feed, number)) = plan.proofs.get(index) {
                let runs = store.read(space, &[(*feed, *number)], 1).ok()?;
                CopyPiece::Proof(runs.into_iter().next()?)
            } else if let Some((feed, height)) = plan.kept.get(kept) {
                CopyPiece::Kept(store.kept(space, *feed, *height).ok()??)
            } else {
                CopyPiece::Document {
                    subject: *plan.documents.get(document)?,
                    bytes: Bytes::from(vec![1; DOCUMENT_BYTES]),
                }
            };
            bytes += piece.weight();
            if bytes > bytes_max && !pieces.is_empty() {
                break;
            }
            pieces.push(piece);
        }
        Some(pieces)
    }

    /// Begins a copy that a peer offers.
    pub(crate) fn offer_copy(
        &mut self,
        ticket: Ticket,
        peer: NodeId,
        offer: &CopyOffer,
    ) -> Vec<Input> {
        let failed = std::mem::take(&mut self.disk_fails);
        let taken = if failed {
            Err(StorageDown)
        } else {
            let taken = self.folder.store.offer_copy(peer, offer);
            taken.map_err(|_| StorageDown)
        };
        let result = taken.map(to_result);
        vec![Input::CopyTaken { ticket, result }]
    }

    /// Takes a part of a copy. A whole one is then checked.
    pub(crate) fn take_copy(&mut self, ticket: Ticket, slice: &CopySlice) -> Vec<Input> {
        let failed = std::mem::take(&mut self.disk_fails);
        let taken = if failed {
            Err(StorageDown)
        } else {
            let taken = self.folder.store.take_copy(&self.authority, slice);
            taken.map_err(|_| StorageDown)
        };
        if matches!(&taken, Ok(CopyTaken::Partly(place)) if place.is_whole()) {
            self.whole_copies.insert(slice.space);
        }
        let result = taken.map(to_result);
        vec![Input::CopyTaken { ticket, result }]
    }

    /// Puts a whole copy in its place. Now and then it turns out to be none that can be used.
    pub(crate) fn check_copy(&mut self, space: SpaceId, dice: &mut Dice) -> Option<Input> {
        let copies = self.folder.store.copies().ok()?.into_iter();
        let (_, place) = copies.into_iter().find(|(at, _)| *at == space)?;
        if !place.is_whole() {
            return None;
        }
        let dropped = Input::CopyDropped {
            space,
            peer: place.peer,
            forged: None,
        };
        if dice.chance(10) {
            self.folder.store.drop_copy(space).ok()?;
            return Some(dropped);
        }
        let id = place.bases.digest(space);
        let placed = self.folder.store.place_copy(&self.authority, space, id);
        match placed.ok()? {
            CopyPlaced::Placed(feeds) => Some(Input::CopyPlaced { space, feeds }),
            CopyPlaced::Refused(_) => Some(dropped),
            CopyPlaced::Not => None,
        }
    }

    /// Takes out a writer's feeds, to be fetched whole.
    pub(crate) fn drop_base(&mut self, space: SpaceId, writer: [u8; 32]) -> Option<Input> {
        let store = &mut self.folder.store;
        let dropped = store.drop_base(space, writer).ok()?;
        let trees = store.trees(space).ok()?;
        dropped.then_some(Input::BaseDropped { space, trees })
    }

    /// Whether a first copy stands for this entry of a writer.
    pub(crate) fn stands_for(&self, space: SpaceId, writer: [u8; 32], number: u64) -> bool {
        let trees = self.folder.store.trees(space).unwrap_or_default();
        let feeds = trees.get(&writer).map(|tree| tree.feeds().values());
        feeds.into_iter().flatten().any(|feed| number < feed.base)
    }
}

/// How far a copy has come, as the engine takes it.
pub(crate) fn to_held(place: CopyPlace) -> CopyHeld {
    let open = !place.is_whole();
    CopyHeld {
        bases: place.bases,
        documents: place.documents,
        open,
    }
}

fn to_result(taken: CopyTaken) -> CopyResult {
    match taken {
        CopyTaken::Partly(place) => CopyResult::Partly(to_held(place)),
        CopyTaken::Lost => CopyResult::Lost,
        CopyTaken::Refused { why, forged } => CopyResult::Refused { why, forged },
    }
}
