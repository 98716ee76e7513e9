//! First copies on a machine's disk: what a node does with checkpoints and documents. A document here
//! is nothing but the names of the entries for which it stands.

use std::collections::{BTreeMap, BTreeSet};

use node_feed::{
    Checkpoint, CopyOffer, CopyPiece, CopySlice, CopyTaken, Decoder, Encoder, Entry, FeedName,
    Hash, Height, Heights, Kind, NodeId, Nonce, Opening, SpaceId, Subject, Trail,
};
use node_store::{CopyPlaced, EntryStore, ReadStore};
use node_sync::{CopyPlan, Input, StorageDown, Ticket};

use super::dice::Dice;
use super::machine::Machine;

/// How many documents a space has.
pub(crate) const DOCUMENTS: u64 = 4;
/// How many bytes the name of an entry has: its feed, its number, its hash.
const NAME_BYTES: usize = 32 + 8 + 32;

/// How many bytes of pieces a slice has at most, if it has more than one.
const SLICE_BYTES: usize = 300;

/// The entries of which documents speak.
type Spoken = BTreeSet<(FeedName, u64, Hash)>;

/// One of the documents.
pub(crate) fn document(number: u64) -> Subject {
    let mut subject = [0; 24];
    subject[..8].copy_from_slice(&number.to_be_bytes());
    Subject::from_bytes(subject)
}

/// What became of first copies.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CopyCounts {
    /// Slices that were stored.
    pub parts: usize,
    /// Copies of which a part was here when the machine was started again.
    pub resumed: usize,
    /// Copies that were put in their place.
    pub placed: usize,
    /// Copies that turned out to be none that can be used.
    pub dropped: usize,
    /// Runs of copied feeds that were kept while the copy was under way.
    pub live: usize,
}

impl std::ops::AddAssign for CopyCounts {
    fn add_assign(&mut self, other: Self) {
        self.parts += other.parts;
        self.resumed += other.resumed;
        self.placed += other.placed;
        self.dropped += other.dropped;
        self.live += other.live;
    }
}

impl Machine {
    /// The checkpoint of everything that `feed` says up to its last entry.
    pub(crate) fn checkpoint(
        &self,
        space: SpaceId,
        feed: FeedName,
        dice: &mut Dice,
    ) -> Option<Vec<Entry>> {
        let store = &self.folder.store;
        let runs = store.read(space, &[(feed, 0)], usize::MAX).ok()?;
        let (mut kept, mut documents) = (Vec::new(), BTreeSet::new());
        for run in &runs {
            for (entry, number) in run.entries.iter().zip(run.first..) {
                let hash = store.hash_at(space, feed, number).ok().flatten()?;
                if entry.kind == Kind::CHANGES {
                    documents.insert(entry.subject);
                } else if entry.kind != Kind::CHECKPOINT {
                    kept.push(Height { number, hash });
                }
            }
        }
        if kept.first().is_none_or(|first| first.number > 0) {
            return None;
        }
        let documents = documents.into_iter();
        let documents = documents.map(|it| (it, Trail(Hash::ZERO)));
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

    /// The entries about a document that are held, as such or by a copy, of these feeds up to these
    /// numbers.
    fn spoken_of(&self, space: SpaceId, subject: Subject, bases: &Heights) -> Spoken {
        let store = &self.folder.store;
        let rows = store.entries_of(subject, 0).unwrap_or_default();
        let rows = rows.into_iter().filter(|row| row.space == space);
        let mut spoken = rows
            .map(|row| (row.feed, row.height.number, row.height.hash))
            .collect::<Spoken>();
        spoken.extend(self.copied(space, subject));
        spoken.retain(|(feed, number, _)| {
            let base = bases.get(feed);
            base.is_some_and(|base| *number <= base.number)
        });
        spoken
    }

    /// The entries about a document that first copies speak of.
    fn copied(&self, space: SpaceId, subject: Subject) -> Spoken {
        let came = self.folder.store.base_documents(space, subject, 0);
        let mut spoken = Spoken::new();
        for document in came.unwrap_or_default() {
            for name in document.bytes.chunks_exact(NAME_BYTES) {
                let mut input = Decoder::new(name);
                if let (Ok(feed), Ok(number), Ok(hash)) = (
                    input.array("feed"),
                    input.u64("number"),
                    input.array("hash"),
                ) {
                    let (feed, hash) = (FeedName::from_bytes(feed), Hash::from_bytes(hash));
                    spoken.insert((feed, number, hash));
                }
            }
        }
        spoken
    }

    /// Whether what is held of the feeds of a copy is what its documents say.
    fn agrees(&self, space: SpaceId, bases: &Heights) -> bool {
        let store = &self.folder.store;
        (0..DOCUMENTS).map(document).all(|subject| {
            let came = self.copied(space, subject);
            let rows = store.entries_of(subject, 0).unwrap_or_default();
            let mut rows = rows.into_iter().filter(|row| row.space == space);
            rows.all(|row| {
                let base = bases.get(&row.feed);
                base.is_none_or(|base| row.height.number > base.number)
                    || came.contains(&(row.feed, row.height.number, row.height.hash))
            })
        })
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
        // So that copies of the few documents there are have parts.
        let bytes_max = bytes_max.min(SLICE_BYTES);
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
                let subject = *plan.documents.get(document)?;
                let mut out = Encoder::new();
                for (feed, number, hash) in self.spoken_of(space, subject, &plan.bases) {
                    out.bytes(feed.as_bytes()).u64(number);
                    out.bytes(hash.as_bytes());
                }
                let bytes = out.finish();
                CopyPiece::Document { subject, bytes }
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
        let result = if failed {
            Err(StorageDown)
        } else {
            let taken = self.folder.store.offer_copy(peer, offer);
            taken.map_err(|_| StorageDown)
        };
        vec![Input::CopyTaken { ticket, result }]
    }

    /// Takes a part of a copy. A whole one is then checked.
    pub(crate) fn take_copy(&mut self, ticket: Ticket, slice: &CopySlice) -> Vec<Input> {
        let failed = std::mem::take(&mut self.disk_fails);
        let result = if failed {
            Err(StorageDown)
        } else {
            let taken = self.folder.store.take_copy(&self.authority, slice);
            taken.map_err(|_| StorageDown)
        };
        self.copies.parts += usize::from(matches!(result, Ok(CopyTaken::Partly(_))));
        if matches!(&result, Ok(CopyTaken::Partly(place)) if place.is_whole()) {
            self.whole_copies.insert(slice.space);
        }
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
            document: None,
            forged: None,
        };
        if dice.chance(10) || !self.agrees(space, &place.bases) {
            let id = place.bases.digest(space);
            self.folder.store.drop_copy(space, id).ok()?;
            self.copies.dropped += 1;
            return Some(dropped);
        }
        let id = place.bases.digest(space);
        let came = (0..DOCUMENTS).map(document).flat_map(|subject| {
            let came = self.folder.store.base_documents(space, subject, 0);
            came.unwrap_or_default()
        });
        let checked = came.map(|document| document.arrival).collect::<Vec<_>>();
        self.folder.store.set_checked(space, &checked).ok()?;
        let placed = self.folder.store.place_copy(&self.authority, space, id);
        match placed.ok()? {
            CopyPlaced::Placed(feeds) => {
                self.copies.placed += 1;
                Some(Input::CopyPlaced { space, feeds })
            }
            CopyPlaced::Refused(_) => Some(dropped),
            CopyPlaced::Not => {
                // More came of it since its head was verified.
                self.whole_copies.insert(space);
                None
            }
        }
    }

    /// Takes out a writer's feeds, to be fetched whole.
    pub(crate) fn drop_base(&mut self, space: SpaceId, writer: [u8; 32]) -> Option<Input> {
        let store = &mut self.folder.store;
        let dropped = store.drop_base(space, writer).ok()?;
        let trees = store.trees(space).ok()?;
        dropped.then_some(Input::BaseDropped { space, trees })
    }

    /// Whether a first copy stands for this entry.
    pub(crate) fn stands_for(&self, space: SpaceId, height: Height) -> bool {
        (0..DOCUMENTS).map(document).any(|subject| {
            let mut copied = self.copied(space, subject).into_iter();
            copied.any(|(_, number, hash)| (number, hash) == (height.number, height.hash))
        })
    }
}
