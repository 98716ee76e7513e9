//! The documents, opened when they are needed and brought up to what the store holds.

mod base;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use node_document::{Cache, ChangesEntry, Document, Outcome};
use node_feed::{Changes, DocumentId, FeedName, Kind, Opening, SpaceId, Subject};
use node_store::{ReadStore, Readers, SavedState, StoreError, StoredEntry};

use self::base::{Checkpoints, Looked, entries_of_copies, waiting_feeds};
use crate::storage::Storage;

/// A document is saved again once its new entries have a part of the bytes of its saved state, one
/// in so many: what saving costs is then a few times what was written, however long it gets.
const SAVED_PART: usize = 4;
/// Or after so many new entries, if they have this part: opening it then costs one load and little
/// more.
const UNSAVED_ENTRIES: usize = 64;
const UNSAVED_PART: usize = 64;
/// How many saved states are written together at most, and how many bytes of them.
const SAVED_TOGETHER: usize = 512;
const SAVED_TOGETHER_BYTES: usize = 8 << 20;

/// How many cores check documents at most.
const CORES_MAX: usize = 8;

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
    /// Saved states that are not written yet, with how far each has seen the store.
    pending: BTreeMap<(SpaceId, DocumentId), (u64, Bytes)>,
    pending_bytes: usize,
    /// What the first copies of a space stand on: of the one of which a document was opened last.
    checkpoints: Option<Arc<Checkpoints>>,
    /// How often a document was opened that was not in memory.
    opened: u64,
}

/// What checking a document of a first copy found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Checked {
    /// It is what its authors signed, and this is its arrival in its copy; none if it was erased.
    Yes(Option<u64>),
    /// Its sender says that it was erased, and the erasure is not here.
    Waits,
    /// It is not, for the reason said.
    Forged(String),
    /// It is of another branch than what is held here.
    Parts,
}

#[derive(Debug, Clone, Copy, Default)]
struct Seen {
    arrival: u64,
    /// The entries that came since it was saved, and the bytes of their changes.
    unsaved: usize,
    unsaved_bytes: usize,
    saved_bytes: usize,
}

impl Seen {
    const fn saved(arrival: u64, bytes: usize) -> Self {
        Self {
            arrival,
            unsaved: 0,
            unsaved_bytes: 0,
            saved_bytes: bytes,
        }
    }

    fn came(&mut self, entries: &[ChangesEntry]) {
        self.unsaved += entries.len();
        let chunks = entries.iter().flat_map(|entry| &entry.changes.chunks);
        self.unsaved_bytes += chunks.map(Bytes::len).sum::<usize>();
    }

    const fn is_due(&self) -> bool {
        self.unsaved > 0
            && (self.unsaved_bytes.saturating_mul(SAVED_PART) >= self.saved_bytes
                || self.unsaved >= UNSAVED_ENTRIES
                    && self.unsaved_bytes.saturating_mul(UNSAVED_PART) >= self.saved_bytes)
    }
}

impl Library {
    pub(crate) fn new(cache_bytes: u64) -> Self {
        let limit = usize::try_from(cache_bytes).unwrap_or(usize::MAX);
        Self(Mutex::new(Shelf {
            cache: Cache::new(limit),
            seen: BTreeMap::new(),
            standing: BTreeMap::new(),
            outdated: BTreeSet::new(),
            pending: BTreeMap::new(),
            pending_bytes: 0,
            checkpoints: None,
            opened: 0,
        }))
    }

    /// How often a document was opened that was not in memory.
    pub(crate) fn opened(&self) -> u64 {
        self.lock().opened
    }

    /// How many bytes of documents are in memory, roughly, and how many documents.
    pub(crate) fn held(&self) -> (usize, usize) {
        let shelf = self.lock();
        (shelf.cache.weight(), shelf.cache.len())
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
            let stored = stored_after(storage, space, id, arrival)?;
            let copied = |store: &Readers| store.base_documents(space, id.subject(), arrival);
            if stored.is_empty() && storage.read(copied)?.is_empty() {
                if stored.last > arrival {
                    self.lock().renote(space, id, arrival, stored.last);
                }
                return Ok(heads);
            }
        }
        self.with(storage, space, id, |document| document.heads().to_string())
    }

    /// What a document saves as, at least as new as the entry that arrived at `arrival`. It is
    /// loaded only if its saved state is older than an entry of it up to there.
    ///
    /// # Errors
    /// [`StoreError`] if the store cannot be read.
    pub(crate) fn fresh(
        &self,
        storage: &Storage,
        space: SpaceId,
        id: DocumentId,
        arrival: u64,
    ) -> Result<Bytes, StoreError> {
        let mut shelf = self.lock();
        if let Some((saved_at, bytes)) = shelf.saved(storage, space, id)
            && (saved_at >= arrival || !came_between(storage, space, id, saved_at, arrival)?)
        {
            return Ok(bytes);
        }
        shelf.bring_up(storage, space, id)
    }

    /// Brings the saved state of a document up to the entry that arrived at `arrival`, if it is
    /// older than an entry of it up to there.
    ///
    /// # Errors
    /// [`StoreError`] if the store cannot be read.
    pub(crate) fn freshen(
        &self,
        storage: &Storage,
        space: SpaceId,
        id: DocumentId,
        arrival: u64,
    ) -> Result<(), StoreError> {
        let mut shelf = self.lock();
        let saved_at = match shelf.pending.get(&(space, id)) {
            Some((saved_at, _)) => Some(*saved_at),
            None if shelf.outdated.contains(&space) => None,
            None => storage.snapshot_arrival(space, id.subject()),
        };
        // A checkpoint may list documents of which nothing is held, or that there never were.
        let saved_at = saved_at.unwrap_or(0);
        if saved_at >= arrival || !came_between(storage, space, id, saved_at, arrival)? {
            return Ok(());
        }
        shelf.bring_up(storage, space, id).map(|_| ())
    }

    /// Writes all saved states that are not written yet.
    ///
    /// # Errors
    /// [`StoreError`] if they cannot be written; they are made again when they are needed.
    pub(crate) fn save_pending(&self, storage: &Storage) -> Result<(), StoreError> {
        self.lock().save_pending(storage)
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

    /// A document as its entries alone make it, whatever is saved of it.
    ///
    /// # Errors
    /// [`StoreError`] if the store cannot be read.
    pub(crate) fn made_again(
        &self,
        storage: &Storage,
        space: SpaceId,
        id: DocumentId,
    ) -> Result<Document, StoreError> {
        let (entries, _) = self.lock().entries_after(storage, space, id, 0, false)?;
        let mut document = Document::new(id);
        let outcomes = document.apply(&entries);
        if asks_for_rebuild(&outcomes) {
            document = document.emptied();
            document.apply(&entries);
        }
        Ok(document)
    }

    /// Checks documents of first copies that are under way, on all cores, and opens those that are
    /// what they should be.
    ///
    /// # Errors
    /// [`StoreError`] if the store cannot be read.
    pub(crate) fn check(
        &self,
        storage: &Storage,
        documents: &[(SpaceId, DocumentId)],
    ) -> Result<Vec<Checked>, StoreError> {
        let mut checkpoints = BTreeMap::new();
        for (space, _) in documents {
            if !checkpoints.contains_key(space) {
                checkpoints.insert(*space, self.lock().checkpoints(storage, *space)?);
            }
        }
        let look = |(space, id): &(SpaceId, DocumentId)| {
            base::look(storage, &checkpoints[space], *space, *id)
        };
        let looked = on_all_cores(documents, look);
        let mut shelf = self.lock();
        let mut checked = Vec::with_capacity(documents.len());
        for ((space, id), looked) in documents.iter().zip(looked) {
            checked.push(match looked? {
                (_, Looked::Forged(why)) => Checked::Forged(why),
                (_, Looked::Parts) => Checked::Parts,
                (_, Looked::Waits) => Checked::Waits,
                // What it was made of is gone: what is left is looked at again.
                _ if shelf.outdated.contains(space) => Checked::Waits,
                (arrival, Looked::Good) => {
                    let (document, seen) = shelf.open_as(storage, *space, *id, true)?;
                    shelf.put(*space, document, seen);
                    Checked::Yes(arrival)
                }
                (arrival, Looked::Document(document, seen)) => {
                    let mut seen = Seen::saved(seen, 0);
                    shelf.keep(storage, *space, &document, &mut seen);
                    shelf.put(*space, *document, seen);
                    Checked::Yes(arrival)
                }
            });
        }
        Ok(checked)
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

    fn checkpoints(
        &mut self,
        storage: &Storage,
        space: SpaceId,
    ) -> Result<Arc<Checkpoints>, StoreError> {
        let read = Checkpoints::read(storage, space, self.checkpoints.as_ref())?;
        self.checkpoints = Some(Arc::clone(&read));
        Ok(read)
    }

    /// All entries of a document that are here and arrived later, in whatever form, and up to which
    /// arrival these are all: live ones that build on what is not `checked` are left out.
    fn entries_after(
        &mut self,
        storage: &Storage,
        space: SpaceId,
        id: DocumentId,
        arrival: u64,
        checked: bool,
    ) -> Result<(Vec<ChangesEntry>, u64), StoreError> {
        let stored = stored_after(storage, space, id, arrival)?;
        let mut checkpoints = || self.checkpoints(storage, space);
        let (copied, last) = entries_of_copies(storage, &mut checkpoints, space, id, arrival)?;
        let mut last = last.max(stored.last);
        let mut entries = stored.held;
        if !stored.live.is_empty() {
            let waits = if checked {
                BTreeSet::new()
            } else {
                waiting_feeds(storage, checkpoints, space, id)?
            };
            for (entry, arrival) in stored.live {
                if waits.contains(&entry.feed) {
                    // It is looked at again.
                    last = last.min(arrival - 1);
                } else {
                    entries.push(entry);
                }
            }
        }
        entries.extend(copied);
        Ok((entries, last))
    }

    /// Puts a document that was opened into the cache.
    fn put(&mut self, space: SpaceId, document: Document, seen: Seen) {
        let id = document.id();
        self.note(space, id, seen.arrival, document.heads().to_string());
        self.cache.insert(space, document);
        self.seen.insert((space, id), seen);
        self.forget_unloaded();
    }

    /// The saved state of a document, and how far it had seen the store.
    fn saved(&self, storage: &Storage, space: SpaceId, id: DocumentId) -> Option<(u64, Bytes)> {
        if self.outdated.contains(&space) {
            return None;
        }
        let pending = self.pending.get(&(space, id)).cloned();
        pending.or_else(|| storage.snapshot(space, id.subject()))
    }

    /// Saves a document, to be written together with others.
    fn keep(&mut self, storage: &Storage, space: SpaceId, document: &Document, seen: &mut Seen) {
        if self.outdated.contains(&space) {
            return;
        }
        let bytes = Bytes::from(document.save());
        *seen = Seen::saved(seen.arrival, bytes.len());
        self.pending_bytes += bytes.len();
        let place = (space, document.id());
        if let Some((_, earlier)) = self.pending.insert(place, (seen.arrival, bytes)) {
            self.pending_bytes -= earlier.len();
        }
        if (self.pending.len() >= SAVED_TOGETHER || self.pending_bytes >= SAVED_TOGETHER_BYTES)
            && let Err(error) = self.save_pending(storage)
        {
            tracing::warn!(%error, "documents' states were not kept");
        }
    }

    fn save_pending(&mut self, storage: &Storage) -> Result<(), StoreError> {
        self.pending_bytes = 0;
        let pending = std::mem::take(&mut self.pending).into_iter();
        let states = pending.map(|((space, id), (arrival, bytes))| SavedState {
            space,
            subject: id.subject(),
            arrival,
            bytes,
        });
        storage.save_snapshots(&states.collect::<Vec<_>>())
    }

    /// Opens a document, and returns what it saves as, which is kept.
    fn bring_up(
        &mut self,
        storage: &Storage,
        space: SpaceId,
        id: DocumentId,
    ) -> Result<Bytes, StoreError> {
        let (document, mut seen) = self.open(storage, space, id)?;
        let bytes = Bytes::from(document.save());
        // Of one that was erased nothing is kept.
        if !document.is_empty() {
            self.keep(storage, space, &document, &mut seen);
        }
        self.put(space, document, seen);
        Ok(bytes)
    }

    /// The document as it was saved, or empty.
    fn load(&mut self, storage: &Storage, space: SpaceId, id: DocumentId) -> (Document, Seen) {
        self.opened += 1;
        // A saved state that does not load can be made again from the entries.
        if let Some((arrival, bytes)) = self.saved(storage, space, id)
            && let Ok(document) = Document::load(id, &bytes)
        {
            return (document, Seen::saved(arrival, bytes.len()));
        }
        (Document::new(id), Seen::default())
    }

    fn forget(&mut self, which: impl Fn(SpaceId, DocumentId) -> bool) {
        self.standing.retain(|(space, id), _| !which(*space, *id));
        self.pending.retain(|(space, id), _| !which(*space, *id));
        self.pending_bytes = self.pending.values().map(|(_, bytes)| bytes.len()).sum();
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
        self.open_as(storage, space, id, false)
    }

    /// Opens a document of which what came by a copy under way is known to be `checked`, or not.
    fn open_as(
        &mut self,
        storage: &Storage,
        space: SpaceId,
        id: DocumentId,
        checked: bool,
    ) -> Result<(Document, Seen), StoreError> {
        let cached = self
            .cache
            .remove(space, id)
            .zip(self.seen.remove(&(space, id)));
        let (mut document, mut seen) = match cached {
            Some(cached) => cached,
            None => self.load(storage, space, id),
        };
        let (entries, arrival) = self.entries_after(storage, space, id, seen.arrival, checked)?;
        seen.arrival = seen.arrival.max(arrival);
        if entries.is_empty() {
            return Ok((document, seen));
        }
        seen.came(&entries);
        let waiting = document.waiting().collect::<BTreeMap<FeedName, u64>>();
        let outcomes = if waiting.is_empty() {
            document.apply(&entries)
        } else {
            // Of a feed that waits, all entries from the first waiting one on are tried again.
            let (all, _) = self.entries_after(storage, space, id, 0, checked)?;
            let new = entries.iter().map(|entry| (entry.feed, entry.number));
            let new = new.collect::<BTreeSet<_>>();
            let tried = |entry: &ChangesEntry| match waiting.get(&entry.feed) {
                Some(first) => entry.number >= *first,
                None => new.contains(&(entry.feed, entry.number)),
            };
            document.apply(&all.into_iter().filter(tried).collect::<Vec<_>>())
        };
        if asks_for_rebuild(&outcomes) {
            document = document.emptied();
            let (all, _) = self.entries_after(storage, space, id, 0, checked)?;
            document.apply(&all);
        }
        if seen.is_due() {
            self.keep(storage, space, &document, &mut seen);
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

fn asks_for_rebuild(outcomes: &[Outcome]) -> bool {
    let mut outcomes = outcomes.iter();
    outcomes.any(|outcome| matches!(outcome, Outcome::Rebuild))
}

/// The answers to the same question about each of these, in their order.
fn on_all_cores<T: Sync, A: Send>(all: &[T], question: impl Fn(&T) -> A + Sync) -> Vec<A> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let part = all.len().div_ceil(cores.min(CORES_MAX)).max(1);
    std::thread::scope(|scope| {
        let question = &question;
        let workers = all
            .chunks(part)
            .map(|part| scope.spawn(move || part.iter().map(question).collect::<Vec<_>>()))
            .collect::<Vec<_>>();
        let answers = workers.into_iter().map(|worker| match worker.join() {
            Ok(answers) => answers,
            Err(panic) => std::panic::resume_unwind(panic),
        });
        answers.flatten().collect()
    })
}

/// Whether an entry of the document arrived after `after`, `until` at the latest.
fn came_between(
    storage: &Storage,
    space: SpaceId,
    id: DocumentId,
    after: u64,
    until: u64,
) -> Result<bool, StoreError> {
    storage.read(|store| {
        let copied = store.base_documents(space, id.subject(), after)?;
        if copied.iter().any(|document| document.arrival <= until) {
            return Ok(true);
        }
        let entries = store.entries_of(id.subject(), after)?;
        let mut entries = entries.iter();
        Ok(entries.any(|entry| entry.space == space && entry.arrival <= until))
    })
}

/// The entries of a document that are stored as such and arrived after another.
struct Stored {
    held: Vec<ChangesEntry>,
    /// With their arrivals.
    live: Vec<(ChangesEntry, u64)>,
    /// The last arrival of any.
    last: u64,
}

impl Stored {
    const fn is_empty(&self) -> bool {
        self.held.is_empty() && self.live.is_empty()
    }

    /// All of them.
    fn into_all(self) -> Vec<ChangesEntry> {
        let live = self.live.into_iter().map(|(entry, _)| entry);
        self.held.into_iter().chain(live).collect()
    }
}

fn stored_after(
    storage: &Storage,
    space: SpaceId,
    id: DocumentId,
    arrival: u64,
) -> Result<Stored, StoreError> {
    let entries = storage.entries_of(id.subject(), arrival)?;
    let mut stored = Stored {
        held: Vec::new(),
        live: Vec::new(),
        last: entries.last().map_or(arrival, |entry| entry.arrival),
    };
    for entry in entries.iter().filter(|entry| entry.space == space) {
        if let Some(changes) = to_changes(entry) {
            if entry.live {
                stored.live.push((changes, entry.arrival));
            } else {
                stored.held.push(changes);
            }
        }
    }
    Ok(stored)
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
