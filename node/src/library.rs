//! The documents, opened when they are needed and brought up to what the store holds.

mod base;
mod came;
mod stored;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use node_document::{Cache, ChangesEntry, Document, Wanted};
use node_feed::{DocumentId, SpaceId, Subject};
use node_store::{ReadStore, Readers, SavedState, StoreError};

use self::base::{Checkpoints, Looked, entries_of_copies, waiting_feeds};
use self::came::Came;
use self::stored::{Live, Stored};
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

/// Bytes that entries may take in memory which are applied at once. More is worth it only where the
/// document itself takes as much.
const PORTION_BYTES: usize = 16 << 20;
/// Bytes of entries that are looked through at once.
const LOOK_BYTES: usize = 64 << 10;

/// How many cores check documents at most.
const CORES_MAX: usize = 8;

/// Of how many documents it is noted where they stand. Beyond these all are noted anew.
const STANDING_MAX: usize = 50_000;

/// The documents.
#[derive(Debug)]
pub(crate) struct Library(Mutex<Shelf>);

/// Entries that came by first copies, with the last arrival of these, and those that are stored as
/// such.
type Reading<'a> = ((Vec<ChangesEntry>, u64), Stored<'a>);

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
    /// How many entries were read to be applied.
    read: u64,
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

    /// Notes what came, and says whether anything did.
    fn came(&mut self, came: &Came) -> bool {
        let (entries, bytes) = came.fresh();
        self.arrival = self.arrival.max(came.arrival());
        self.unsaved += entries;
        self.unsaved_bytes += bytes;
        entries > 0
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
            read: 0,
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

    /// How many entries were read to be applied to documents.
    pub(crate) fn read(&self) -> u64 {
        self.lock().read
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
            let mut stored = Stored::after(storage, space, id, arrival, Live::All);
            let copied = |store: &Readers| store.base_documents(space, id.subject(), arrival);
            if stored.next().transpose()?.is_none() && storage.read(copied)?.is_empty() {
                let last = stored.arrival();
                if last > arrival {
                    self.lock().renote(space, id, arrival, last);
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
        Document::new(id).catch_up(PORTION_BYTES, |_| {
            let (copied, stored) = self.lock().reading(storage, (space, id), 0, false)?;
            Ok::<_, StoreError>(copied.0.into_iter().map(Ok).chain(stored))
        })
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

    /// All entries of a document that are here and arrived after another, in whatever form. Live ones
    /// that build on what is not `checked` are left out.
    fn reading<'a>(
        &mut self,
        storage: &'a Storage,
        (space, id): (SpaceId, DocumentId),
        after: u64,
        checked: bool,
    ) -> Result<Reading<'a>, StoreError> {
        // What comes while this is read is read again: it may come among what was read before it.
        let until = storage.read(Readers::arrived)?;
        let checkpoints = || self.checkpoints(storage, space);
        let copied = entries_of_copies(storage, checkpoints, space, id, after)?;
        let known = self.checkpoints.clone();
        let live = if checked {
            Live::All
        } else {
            Live::Without(Box::new(move || {
                let checkpoints = || Checkpoints::read(storage, space, known.as_ref());
                waiting_feeds(storage, checkpoints, space, id)
            }))
        };
        let stored = Stored::after(storage, space, id, after, live);
        Ok((copied, stored.until(until)))
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
        let (document, mut seen) = match cached {
            Some(cached) => cached,
            None => self.load(storage, space, id),
        };
        let came = Came::default();
        let document = document.catch_up(PORTION_BYTES, |wanted| {
            let after = if wanted == Wanted::New {
                seen.arrival
            } else {
                0
            };
            let (copied, stored) = self.reading(storage, (space, id), after, checked)?;
            Ok::<_, StoreError>(came.reading(wanted, copied, stored))
        })?;
        self.read += came.read();
        if !seen.came(&came) {
            return Ok((document, seen));
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
    let copied = storage.read(|store| store.base_documents(space, id.subject(), after))?;
    if copied.iter().any(|document| document.arrival <= until) {
        return Ok(true);
    }
    let mut from = after;
    loop {
        let some = storage.read(|store| store.some_entries_of(id.subject(), from, LOOK_BYTES))?;
        let mut up_to = some.iter().filter(|entry| entry.arrival <= until);
        if up_to.any(|entry| entry.space == space) {
            return Ok(true);
        }
        match some.last() {
            Some(last) if last.arrival < until => from = last.arrival,
            Some(_) | None => return Ok(false),
        }
    }
}
