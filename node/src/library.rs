//! The documents, opened when they are needed and brought up to what the store holds.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use node_document::{Cache, ChangesEntry, Document, Outcome};
use node_feed::{Changes, DocumentId, FeedName, Kind, Opening, SpaceId, Subject};
use node_store::{ReadStore, StoreError, StoredEntry};

use crate::storage::Storage;

/// After how many new entries a document is saved again: reading it then costs one load and at
/// most this many changes.
const SNAPSHOT_ENTRIES: usize = 64;

/// Of how many documents it is noted where they stand. Beyond these all are noted anew.
const STANDING_MAX: usize = 50_000;

/// The documents.
#[derive(Debug)]
pub(crate) struct Library(Mutex<Shelf>);

#[derive(Debug)]
struct Shelf {
    cache: Cache,
    /// How far, in order of arrival, a cached document has seen the store, and how many entries
    /// came since it was saved.
    seen: BTreeMap<(SpaceId, DocumentId), Seen>,
    /// How far a document has seen the store and its heads then, also once it has left the cache:
    /// whoever asks only whether it has changed need not have it loaded.
    standing: BTreeMap<(SpaceId, DocumentId), (u64, String)>,
    /// Spaces whose saved states are not to be used: they may hold what no longer counts.
    outdated: BTreeSet<SpaceId>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Seen {
    arrival: u64,
    unsaved: usize,
}

impl Library {
    pub(crate) fn new(cache_bytes: u64) -> Self {
        let limit = usize::try_from(cache_bytes).unwrap_or(usize::MAX);
        Self(Mutex::new(Shelf {
            cache: Cache::new(limit),
            seen: BTreeMap::new(),
            standing: BTreeMap::new(),
            outdated: BTreeSet::new(),
        }))
    }

    /// Runs `work` on the document, brought up to date with the store. No other document can be
    /// used meanwhile.
    ///
    /// # Errors
    /// [`StoreError`] if the store cannot be read.
    pub(crate) fn with<T>(
        &self,
        storage: &Storage,
        space: SpaceId,
        id: DocumentId,
        work: impl FnOnce(&mut Document) -> T,
    ) -> Result<T, StoreError> {
        let mut shelf = self.lock();
        let (mut document, seen) = shelf.open(storage, space, id)?;
        // As the store has it, before anything that is not durable yet.
        shelf.note(space, id, seen.arrival, document.heads().to_string());
        let result = work(&mut document);
        shelf.cache.insert(space, document);
        shelf.seen.insert((space, id), seen);
        shelf.forget_unloaded();
        Ok(result)
    }

    /// The heads of a document, brought up to date with the store; it is loaded only if something
    /// of it came since they were noted.
    ///
    /// # Errors
    /// [`StoreError`] if the store cannot be read.
    pub(crate) fn heads(
        &self,
        storage: &Storage,
        space: SpaceId,
        id: DocumentId,
    ) -> Result<String, StoreError> {
        let noted = self.lock().standing.get(&(space, id)).cloned();
        if let Some((arrival, heads)) = noted {
            let (entries, last) = entries_after(storage, space, id, arrival)?;
            if entries.is_empty() {
                if last > arrival {
                    self.lock().renote(space, id, arrival, last);
                }
                return Ok(heads);
            }
        }
        self.with(storage, space, id, |document| document.heads().to_string())
    }

    /// Forgets all documents of a space: some of its entries no longer count, or count again.
    /// Until [`Library::renew_space`], documents are made from the entries alone.
    pub(crate) fn forget_space(&self, space: SpaceId) {
        let mut shelf = self.lock();
        shelf.forget(|at, _| at == space);
        shelf.outdated.insert(space);
    }

    /// Forgets all documents of a space while nobody can use them or save their states, and runs
    /// `drop_saved`, which takes out the saved ones.
    ///
    /// # Errors
    /// Whatever `drop_saved` returns; saved states are then still not used.
    pub(crate) fn renew_space(
        &self,
        space: SpaceId,
        drop_saved: impl FnOnce() -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let mut shelf = self.lock();
        shelf.forget(|at, _| at == space);
        shelf.outdated.insert(space);
        drop_saved()?;
        shelf.outdated.remove(&space);
        Ok(())
    }

    /// Forgets a document that was erased, in the same way.
    ///
    /// # Errors
    /// Whatever `drop_saved` returns.
    pub(crate) fn forget_subject(
        &self,
        subject: Subject,
        drop_saved: impl FnOnce() -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let mut shelf = self.lock();
        shelf.forget(|_, id| id.subject() == subject);
        drop_saved()
    }

    fn lock(&self) -> MutexGuard<'_, Shelf> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shelf {
    fn note(&mut self, space: SpaceId, id: DocumentId, arrival: u64, heads: String) {
        if self.standing.len() >= STANDING_MAX {
            self.standing.clear();
        }
        self.standing.insert((space, id), (arrival, heads));
    }

    /// Nothing of the document itself came until `last`; unless it was noted anew meanwhile.
    fn renote(&mut self, space: SpaceId, id: DocumentId, arrival: u64, last: u64) {
        if let Some(noted) = self.standing.get_mut(&(space, id))
            && noted.0 == arrival
        {
            noted.0 = last;
        }
    }

    fn forget(&mut self, which: impl Fn(SpaceId, DocumentId) -> bool) {
        self.standing.retain(|(space, id), _| !which(*space, *id));
        let cache = &mut self.cache;
        self.seen.retain(|(space, id), _| {
            let forget = which(*space, *id);
            if forget {
                cache.remove(*space, *id);
            }
            !forget
        });
    }

    fn open(
        &mut self,
        storage: &Storage,
        space: SpaceId,
        id: DocumentId,
    ) -> Result<(Document, Seen), StoreError> {
        let cached = self
            .cache
            .remove(space, id)
            .zip(self.seen.remove(&(space, id)));
        let (mut document, mut seen) = match cached {
            Some(cached) => cached,
            None if self.outdated.contains(&space) => (Document::new(id), Seen::default()),
            None => load(storage, space, id)?,
        };
        let (entries, arrival) = entries_after(storage, space, id, seen.arrival)?;
        seen.arrival = seen.arrival.max(arrival);
        if entries.is_empty() {
            return Ok((document, seen));
        }
        seen.unsaved += entries.len();
        let waiting = document.waiting().collect::<BTreeMap<FeedName, u64>>();
        let outcomes = if waiting.is_empty() {
            document.apply(&entries)
        } else {
            // Of a feed that waits, all entries from the first waiting one on are tried again.
            let (all, _) = entries_after(storage, space, id, 0)?;
            let tried = |entry: &ChangesEntry| match waiting.get(&entry.feed) {
                Some(first) => entry.number >= *first,
                None => entries.iter().any(|new| new.hash == entry.hash),
            };
            document.apply(&all.into_iter().filter(tried).collect::<Vec<_>>())
        };
        if outcomes
            .iter()
            .any(|outcome| matches!(outcome, Outcome::Rebuild))
        {
            document = document.emptied();
            let (all, _) = entries_after(storage, space, id, 0)?;
            document.apply(&all);
        }
        if seen.unsaved >= SNAPSHOT_ENTRIES && !self.outdated.contains(&space) {
            storage.save_snapshot(space, id.subject(), seen.arrival, &document.save());
            seen.unsaved = 0;
        }
        Ok((document, seen))
    }

    /// Drops what is noted of documents that left the cache, once that is most of it.
    fn forget_unloaded(&mut self) {
        if self.seen.len() > 2 * self.cache.len() + 1_024 {
            let cache = &mut self.cache;
            self.seen
                .retain(|(space, id), _| cache.get(*space, *id).is_some());
        }
    }
}

fn load(storage: &Storage, space: SpaceId, id: DocumentId) -> Result<(Document, Seen), StoreError> {
    let loaded = storage
        .snapshot(space, id.subject())
        .and_then(|(arrival, bytes)| {
            // A snapshot that does not load can be made again from the entries.
            let document = Document::load(id, &bytes).ok()?;
            Some((
                document,
                Seen {
                    arrival,
                    unsaved: 0,
                },
            ))
        });
    Ok(loaded.unwrap_or_else(|| (Document::new(id), Seen::default())))
}

fn entries_after(
    storage: &Storage,
    space: SpaceId,
    id: DocumentId,
    arrival: u64,
) -> Result<(Vec<ChangesEntry>, u64), StoreError> {
    let stored = storage.read(|store| store.entries_of(id.subject(), arrival))?;
    let last = stored.last().map_or(arrival, |entry| entry.arrival);
    let here = stored.iter().filter(|entry| entry.space == space);
    Ok((here.filter_map(to_changes).collect(), last))
}

/// An entry as documents take it; none if it is no changes or its payload is gone.
pub(crate) fn to_changes(entry: &StoredEntry) -> Option<ChangesEntry> {
    if entry.kind != Kind::CHANGES {
        return None;
    }
    let Some(Opening::Node { hub, .. }) = entry.opening else {
        return None;
    };
    let changes = Changes::decode(entry.payload.bytes()?).ok()?;
    Some(ChangesEntry {
        feed: entry.feed,
        number: entry.height.number,
        hash: entry.height.hash,
        writer: entry.writer,
        hub,
        time_ms: entry.time_ms,
        changes,
    })
}
