//! The documents, opened when they are needed and brought up to what the store holds.

mod base;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use node_document::{Cache, ChangesEntry, Document, Outcome};
use node_feed::{Changes, DocumentId, FeedName, Kind, Opening, SpaceId, Subject};
use node_store::{ReadStore, SavedState, StoreError, StoredEntry};

use self::base::{Checkpoints, Opened};
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
    /// Spaces with a document that came by a first copy and can only be made of its entries.
    contested: BTreeSet<SpaceId>,
    /// What the first copies of the space stand on of which one was opened last.
    checkpoints: Option<Arc<Checkpoints>>,
}

/// What checking a document of a first copy found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Checked {
    /// It is what its authors signed.
    Yes,
    /// It holds changes whose entries may still be on their way.
    NotYet,
    /// It is not, for the reason said.
    Forged(String),
}

#[derive(Debug, Clone, Copy, Default)]
struct Seen {
    arrival: u64,
    /// The entries that came since it was saved, and the bytes of their changes.
    unsaved: usize,
    unsaved_bytes: usize,
    saved_bytes: usize,
    /// It came by a first copy that is not proven, and lacks what is in that.
    unproven: bool,
}

impl Seen {
    const fn saved(arrival: u64, bytes: usize) -> Self {
        Self {
            arrival,
            unsaved: 0,
            unsaved_bytes: 0,
            saved_bytes: bytes,
            unproven: false,
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
            contested: BTreeSet::new(),
            checkpoints: None,
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

    /// The spaces with documents that cannot be made of their first copies any more, each told
    /// once.
    pub(crate) fn take_contested(&self) -> BTreeSet<SpaceId> {
        std::mem::take(&mut self.lock().contested)
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

    /// Forgets all documents of a space and drops their saved states: a first copy brought more.
    ///
    /// # Errors
    /// [`StoreError`] if they cannot be dropped; they are then not used.
    pub(crate) fn renew_saved(&self, storage: &Storage, space: SpaceId) -> Result<(), StoreError> {
        self.lock().checkpoints = None;
        self.renew_space(space, || storage.drop_snapshots(space))
    }

    /// Checks a document that came by a first copy, if it is not opened already.
    ///
    /// # Errors
    /// [`StoreError`] if the store cannot be read.
    pub(crate) fn check(
        &self,
        storage: &Storage,
        space: SpaceId,
        id: DocumentId,
    ) -> Result<Checked, StoreError> {
        let mut shelf = self.lock();
        let unproven = shelf.seen.get(&(space, id)).is_some_and(|it| it.unproven);
        if unproven {
            shelf.cache.remove(space, id);
            shelf.seen.remove(&(space, id));
        }
        if shelf.cache.get(space, id).is_some() || shelf.saved(storage, space, id).is_some() {
            return Ok(Checked::Yes);
        }
        let checkpoints = shelf.checkpoints(storage, space)?;
        match checkpoints.open(storage, space, id)? {
            Opened::Document(document, entries, arrival) => {
                let mut seen = Seen::saved(arrival, 0);
                seen.came(&entries);
                shelf.keep(storage, space, &document, &mut seen);
                shelf.note(space, id, arrival, document.heads().to_string());
                shelf.cache.insert(space, *document);
                shelf.seen.insert((space, id), seen);
                shelf.forget_unloaded();
                Ok(Checked::Yes)
            }
            // It was taken out meanwhile.
            Opened::None => Ok(Checked::NotYet),
            Opened::NotYet => Ok(Checked::NotYet),
            Opened::Forged(what) => Ok(Checked::Forged(what)),
        }
    }

    /// Forgets what first copies stand on: all of them are checked.
    pub(crate) fn forget_checkpoints(&self) {
        self.lock().checkpoints = None;
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
        if let Some(known) = self
            .checkpoints
            .as_ref()
            .filter(|known| known.space() == space)
        {
            return Ok(Arc::clone(known));
        }
        let read = Checkpoints::read(storage, space)?;
        self.checkpoints = Some(Arc::clone(&read));
        Ok(read)
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
        if self.outdated.contains(&space) || seen.unproven {
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

    /// Opens a document, and returns what it saves as, which is kept; nothing of one that is not
    /// proven.
    fn bring_up(
        &mut self,
        storage: &Storage,
        space: SpaceId,
        id: DocumentId,
    ) -> Result<Bytes, StoreError> {
        let (document, mut seen) = self.open(storage, space, id)?;
        let mut bytes = Bytes::new();
        if !seen.unproven {
            bytes = document.save().into();
            // Of one that was erased nothing is kept.
            if !document.is_empty() {
                self.keep(storage, space, &document, &mut seen);
            }
        }
        self.note(space, id, seen.arrival, document.heads().to_string());
        self.cache.insert(space, document);
        self.seen.insert((space, id), seen);
        self.forget_unloaded();
        Ok(bytes)
    }

    /// The document as it was saved, as it came by a first copy, or empty.
    fn load(
        &mut self,
        storage: &Storage,
        space: SpaceId,
        id: DocumentId,
    ) -> Result<(Document, Seen), StoreError> {
        // A saved state that does not load can be made again from the entries.
        if let Some((arrival, bytes)) = self.saved(storage, space, id)
            && let Ok(document) = Document::load(id, &bytes)
        {
            return Ok((document, Seen::saved(arrival, bytes.len())));
        }
        let mut seen = Seen::default();
        if storage
            .read(|store| store.base(space, id.subject()))?
            .is_some()
        {
            let checkpoints = self.checkpoints(storage, space)?;
            if let Opened::Document(document, entries, arrival) =
                checkpoints.open(storage, space, id)?
            {
                seen.arrival = arrival;
                seen.came(&entries);
                return Ok((*document, seen));
            }
            // What is not proven yet is as if it had not come; the check says what is wrong.
            seen.unproven = true;
        }
        Ok((Document::new(id), seen))
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
        let cached = self
            .cache
            .remove(space, id)
            .zip(self.seen.remove(&(space, id)));
        let (mut document, mut seen) = match cached {
            Some(cached) => cached,
            None => self.load(storage, space, id)?,
        };
        let (entries, arrival) = entries_after(storage, space, id, seen.arrival)?;
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
            if storage
                .read(|store| store.base(space, id.subject()))?
                .is_some()
            {
                // Not all of its entries are here: it stays as it is until they are.
                self.contested.insert(space);
            } else {
                document = document.emptied();
                let (all, _) = entries_after(storage, space, id, 0)?;
                document.apply(&all);
            }
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

/// Whether an entry of the document arrived after `after`, `until` at the latest.
fn came_between(
    storage: &Storage,
    space: SpaceId,
    id: DocumentId,
    after: u64,
    until: u64,
) -> Result<bool, StoreError> {
    let entries = storage.read(|store| store.entries_of(id.subject(), after))?;
    let mut entries = entries.iter();
    Ok(entries.any(|entry| entry.space == space && entry.arrival <= until))
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
