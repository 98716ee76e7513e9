//! Documents that came by first copies: a packed form of entries, which checkpoints prove.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use node_document::{Base, ChangesEntry, Document, Forged, Unpacked, opened_bytes, unpack};
use node_feed::{Checkpoint, DocumentId, FeedName, Hash, HubId, Opening, SpaceId, Subject, Trail};
use node_store::{BaseDocument, BaseStage, ReadStore, StoreError};

use super::stored::{Live, Stored};
use crate::storage::Storage;

/// A packed document that takes more bytes than this while it is opened is opened alone.
const LARGE_BYTES: u64 = 16 << 20;
static LARGE: Mutex<()> = Mutex::new(());

/// What the checkpoints say on which the first copies of one space stand, placed or under way.
#[derive(Debug)]
pub(super) struct Checkpoints {
    space: SpaceId,
    /// Which these are, and which copy is under way.
    numbers: Vec<(FeedName, u64)>,
    arriving: Option<Hash>,
    feeds: Vec<Feed>,
}

#[derive(Debug)]
struct Feed {
    name: FeedName,
    writer: [u8; 32],
    hub: HubId,
    base: u64,
    is_arriving: bool,
    trails: BTreeMap<Subject, Trail>,
}

impl Checkpoints {
    /// Those of `space`: `known` ones if they are still the same.
    pub(super) fn read(
        storage: &Storage,
        space: SpaceId,
        known: Option<&Arc<Self>>,
    ) -> Result<Arc<Self>, StoreError> {
        storage.read(|store| {
            let numbers = store.base_numbers(space)?;
            let copies = store.copies()?.into_iter();
            let mut here = copies.filter(|(at, _)| *at == space);
            let arriving = here.next().map(|(_, place)| place.bases.digest(space));
            if let Some(known) = known
                && (known.space, &known.numbers, known.arriving) == (space, &numbers, arriving)
            {
                return Ok(Arc::clone(known));
            }
            let openings = store.openings(space)?;
            let mut feeds = Vec::new();
            for copied in store.copied_feeds(space)? {
                if let Opening::Node { hub, .. } = copied.opening {
                    feeds.push(Feed {
                        name: FeedName::from_bytes(copied.writer),
                        writer: copied.writer,
                        hub,
                        base: copied.base.number,
                        is_arriving: true,
                        trails: trails(copied.parts),
                    });
                }
            }
            for (name, base) in &numbers {
                let is_here = |feed: &Feed| (feed.name, feed.base) == (*name, *base);
                let Some(Opening::Node { hub, .. }) = openings.get(name) else {
                    continue;
                };
                if feeds.iter().any(is_here) {
                    continue;
                }
                let parts = store.checkpoint(space, *name, *base)?;
                let parts = parts.filter(|(_, height)| height.number == *base);
                feeds.push(Feed {
                    name: *name,
                    // Only a trunk has a base, and it bears its writer's name.
                    writer: *name.as_bytes(),
                    hub: *hub,
                    base: *base,
                    is_arriving: false,
                    trails: parts.map_or_else(BTreeMap::new, |(parts, _)| trails(parts)),
                });
            }
            Ok(Arc::new(Self {
                space,
                numbers,
                arriving,
                feeds,
            }))
        })
    }

    /// What they say of a document.
    pub(super) fn of(&self, document: Subject) -> Vec<Base> {
        let feeds = self.feeds.iter().map(|feed| Base {
            feed: feed.name,
            writer: feed.writer,
            hub: feed.hub,
            base: feed.base,
            trail: feed.trails.get(&document).copied(),
        });
        feeds.collect()
    }

    /// What a document of the copy under way is that unpacked to this: it must say all that its
    /// checkpoints do, and `held` entries must be among those for which it stands.
    fn judge(&self, document: Subject, unpacked: &Unpacked, held: &[ChangesEntry]) -> Looked {
        let arriving = self.feeds.iter().filter(|feed| feed.is_arriving);
        let mut listed = arriving
            .clone()
            .filter(|it| it.trails.contains_key(&document));
        if !listed.all(|feed| unpacked.proved.contains(&(feed.name, feed.base))) {
            return Looked::Forged("it lacks what a checkpoint says of it".to_owned());
        }
        let bases = arriving.map(|feed| (feed.name, feed.base));
        let bases = bases.collect::<BTreeMap<_, _>>();
        let came = unpacked.entries.iter();
        let came = came.map(|entry| ((entry.feed, entry.number), chunks(entry)));
        let came = came.collect::<BTreeMap<_, _>>();
        let mut behind = held.iter().filter(|entry| {
            let base = bases.get(&entry.feed);
            base.is_some_and(|base| entry.number <= *base)
        });
        let is_same =
            |entry: &ChangesEntry| came.get(&(entry.feed, entry.number)) == Some(&chunks(entry));
        if behind.all(is_same) {
            Looked::Good
        } else {
            Looked::Parts
        }
    }
}

/// What a look at a document of a copy that is under way finds.
pub(super) enum Looked {
    /// It is what it should be, and this is the document with all that arrived until then.
    Document(Box<Document>, u64),
    /// It is what it should be, and to be made of its entries; or it was erased.
    Good,
    /// Its sender says that it was erased, and the erasure is not here.
    Waits,
    /// It is not what was signed.
    Forged(String),
    /// It is not of the branch that is held here.
    Parts,
}

/// Looks at a document of the copy of a space that is under way, and says its arrival.
pub(super) fn look(
    storage: &Storage,
    checkpoints: &Checkpoints,
    space: SpaceId,
    id: DocumentId,
) -> Result<(Option<u64>, Looked), StoreError> {
    let came = storage.read(|store| store.base_documents(space, id.subject(), 0))?;
    let Some(last) = came.last() else {
        return Ok((None, Looked::Good));
    };
    let looked = look_at(storage, checkpoints, space, id, &came, last)?;
    Ok((Some(last.arrival), looked))
}

fn look_at(
    storage: &Storage,
    checkpoints: &Checkpoints,
    space: SpaceId,
    id: DocumentId,
    came: &[BaseDocument],
    last: &BaseDocument,
) -> Result<Looked, StoreError> {
    if last.bytes.is_empty() {
        return Ok(Looked::Waits);
    }
    // A small one may hold very much.
    let _alone = opened_bytes(id, &last.bytes)
        .is_some_and(|bytes| bytes > LARGE_BYTES)
        .then(|| LARGE.lock().unwrap_or_else(PoisonError::into_inner));
    let bases = checkpoints.of(id.subject());
    let mut stored = Stored::after(storage, space, id, 0, Live::All);
    let held = stored.by_ref().collect::<Result<Vec<_>, _>>()?;
    let arrival = stored.arrival();
    let is_behind = |entry: &ChangesEntry| {
        let mut bases = bases.iter();
        bases.any(|base| base.feed == entry.feed && entry.number <= base.base)
    };
    if came.len() == 1 && !held.iter().any(is_behind) {
        match Document::from_copy(id, &last.bytes, &bases, &held) {
            Ok(Some(document)) => {
                let arrival = arrival.max(last.arrival);
                return Ok(Looked::Document(Box::new(document), arrival));
            }
            Ok(None) => {}
            Err(Forged(why)) => return Ok(Looked::Forged(why)),
        }
    }
    Ok(match unpack(id, &last.bytes, &bases) {
        Ok(unpacked) => checkpoints.judge(id.subject(), &unpacked, &held),
        Err(Forged(why)) => Looked::Forged(why),
    })
}

/// The entries that came of a document by first copies after an arrival, with the last arrival of
/// any.
pub(super) fn entries_of_copies(
    storage: &Storage,
    checkpoints: impl FnOnce() -> Result<Arc<Checkpoints>, StoreError>,
    space: SpaceId,
    id: DocumentId,
    after: u64,
) -> Result<(Vec<ChangesEntry>, u64), StoreError> {
    let came = storage.read(|store| store.base_documents(space, id.subject(), after))?;
    let Some(last) = came.last().map(|document| document.arrival) else {
        return Ok((Vec::new(), after));
    };
    let bases = checkpoints()?.of(id.subject());
    let mut entries = Vec::new();
    let mut here = BTreeSet::new();
    for document in came.iter().filter(|document| !document.bytes.is_empty()) {
        match unpack(id, &document.bytes, &bases) {
            Ok(unpacked) => {
                let new = unpacked.entries.into_iter();
                entries.extend(new.filter(|it| here.insert((it.feed, it.number))));
            }
            // The check of its copy says so, and has it sent again.
            Err(why) => tracing::debug!(%why, "a document of a first copy is not used"),
        }
    }
    Ok((entries, last))
}

/// The feeds of the copy under way whose checkpoints speak of a document, while what came of it by
/// the copy is not checked: live entries of these build on it.
pub(super) fn waiting_feeds(
    storage: &Storage,
    checkpoints: impl FnOnce() -> Result<Arc<Checkpoints>, StoreError>,
    space: SpaceId,
    id: DocumentId,
) -> Result<BTreeSet<FeedName>, StoreError> {
    let came = storage.read(|store| store.base_documents(space, id.subject(), 0))?;
    if came.iter().any(|it| it.stage == BaseStage::Checked) {
        return Ok(BTreeSet::new());
    }
    let checkpoints = checkpoints()?;
    let arriving = checkpoints.feeds.iter().filter(|feed| feed.is_arriving);
    let listed = arriving.filter(|feed| feed.trails.contains_key(&id.subject()));
    Ok(listed.map(|feed| feed.name).collect())
}

/// An entry's changes. Which of two that do not know of each other comes first, a copy does not tell.
fn chunks(entry: &ChangesEntry) -> BTreeSet<&Bytes> {
    entry.changes.chunks.iter().collect()
}

fn trails(parts: Vec<Checkpoint>) -> BTreeMap<Subject, Trail> {
    parts.into_iter().flat_map(|part| part.documents).collect()
}
