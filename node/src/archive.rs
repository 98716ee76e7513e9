//! Archives: where a document gives back the changes of old entries, these are taken out of the
//! entries.
//!
//! Of an entry stays what proves it, and when its changes are asked for they are made again of the
//! document and compared with the payload's hash. So the store grows by what is written and not by
//! how often.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bytes::Bytes;
use node_document::{archive, unarchive};
use node_feed::{
    Changes, DocumentId, FeedName, Hash, Kind, NetworkId, Payload, Run, SpaceId, Subject,
};
use node_store::{ArchivedDocument, ReadStore, StoreError, StoredEntry};

use crate::Node;
use crate::checkpoints;
use crate::clock::now_ms;
use crate::node::Inner;
use crate::storage::Storage;

/// How often it is looked what is old enough.
const ROUND: Duration = Duration::from_hours(24);
/// When that was done last.
const LAST_ROUND: &str = "archive/round";
/// How many entries of a document must be old enough for it to be worth a look.
const ENTRIES_MIN: usize = 8;
/// What an archive may add, of what it takes out: three parts of four.
const ADDED_PARTS: (usize, usize) = (3, 4);
/// How many archives are made durable together, and how many bytes of them.
const TOGETHER: usize = 64;
const TOGETHER_BYTES: usize = 1 << 20;

impl Node {
    /// Takes the changes of entries that were written before this time, and that a checkpoint speaks
    /// for, out of the store, where their documents give them back. Returns how many bytes that
    /// were. Ends early, with what was done done, once `stop` says so.
    ///
    /// # Errors
    /// [`StoreError`]; what was archived by then is, and the next time goes on.
    pub fn archive_before(
        &self,
        before_ms: u64,
        stop: impl Fn() -> bool,
    ) -> Result<u64, StoreError> {
        archive_before(&self.inner, before_ms, stop)
    }
}

/// Archives what the settings let be archived, once a day.
pub(crate) fn daily(inner: &Inner, stop: impl Fn() -> bool) -> Result<(), StoreError> {
    let settings = &inner.config.documents;
    if !settings.archive {
        return Ok(());
    }
    let now = now_ms();
    let last = inner.storage.read(|store| store.setting(LAST_ROUND))?;
    let last = last.and_then(|bytes| Some(u64::from_le_bytes(bytes[..].try_into().ok()?)));
    // A clock that was put back does not keep it from being done.
    let since = last.map(|last| now.abs_diff(last));
    if since.is_some_and(|since| u128::from(since) < ROUND.as_millis()) {
        return Ok(());
    }
    let age = Duration::from_hours(24).as_millis() as u64 * settings.archive_after_days;
    let bytes = archive_before(inner, now.saturating_sub(age), &stop)?;
    if bytes > 0 {
        tracing::info!(bytes, "changes of old entries were archived");
    }
    if !stop() {
        let now = now.to_le_bytes();
        inner.storage.set_setting(LAST_ROUND, Some(&now))?;
    }
    Ok(())
}

fn archive_before(
    inner: &Inner,
    before_ms: u64,
    stop: impl Fn() -> bool,
) -> Result<u64, StoreError> {
    let Some(network) = inner.membership().map(|membership| membership.network) else {
        return Ok(0);
    };
    let mut taken = 0;
    for space in spaces(inner, network)? {
        let (limits, documents) = checkpointed(inner, space)?;
        let mut made = Vec::new();
        let mut bytes = 0;
        for document in documents {
            if stop() {
                break;
            }
            let Ok(id) = DocumentId::try_from(document) else {
                continue;
            };
            let one = make(inner, space, id, &limits, before_ms)?;
            bytes += one.as_ref().map_or(0, |one| one.bytes.len());
            made.extend(one);
            if made.len() >= TOGETHER || bytes >= TOGETHER_BYTES {
                taken += inner.storage.archive(space, std::mem::take(&mut made))?;
                bytes = 0;
            }
        }
        taken += inner.storage.archive(space, made)?;
    }
    Ok(taken)
}

/// The spaces that may be archived.
fn spaces(inner: &Inner, network: NetworkId) -> Result<Vec<SpaceId>, StoreError> {
    let kept = inner.config.documents.kept_spaces();
    let log = SpaceId::authority(network);
    let mut spaces = inner.storage.read(ReadStore::spaces)?;
    spaces.retain(|space| *space != log && !kept.contains(space));
    Ok(spaces)
}

/// Up to which number each feed has a checkpoint that says what is held, and the documents that
/// these list. Who lacks what comes before a checkpoint is sent documents, and no entries.
fn checkpointed(
    inner: &Inner,
    space: SpaceId,
) -> Result<(BTreeMap<FeedName, u64>, BTreeSet<Subject>), StoreError> {
    let trees = inner.storage.read(|store| store.trees(space))?;
    let mut limits = BTreeMap::new();
    let mut documents = BTreeSet::new();
    for feed in trees.values().flat_map(|tree| tree.feeds().keys()) {
        if let Some((parts, height)) = checkpoints::verified(inner, space, *feed, u64::MAX)? {
            limits.insert(*feed, height.number);
            let listed = parts.into_iter().flat_map(|part| part.documents);
            documents.extend(listed.map(|(subject, _)| subject));
        }
    }
    Ok((limits, documents))
}

/// Makes the archive of a document; none if it would spare little, or its changes must stay.
fn make(
    inner: &Inner,
    space: SpaceId,
    id: DocumentId,
    limits: &BTreeMap<FeedName, u64>,
    before_ms: u64,
) -> Result<Option<ArchivedDocument>, StoreError> {
    let document = id.subject();
    let held = inner.storage.read(|store| store.entries_of(document, 0))?;
    let is_old = |entry: &&StoredEntry| {
        let limit = limits.get(&entry.feed);
        entry.space == space
            && entry.kind == Kind::CHANGES
            && entry.time_ms < before_ms
            && limit.is_some_and(|limit| entry.height.number <= *limit)
    };
    let old = held.iter().filter(is_old).filter_map(|entry| {
        let changes = Changes::decode(entry.payload.bytes()?).ok()?;
        Some((entry.arrival, entry.payload.length() as usize, changes))
    });
    let old = old.collect::<Vec<_>>();
    let Some(last) = old.iter().map(|(arrival, ..)| *arrival).max() else {
        return Ok(None);
    };
    if old.len() < ENTRIES_MIN {
        return Ok(None);
    }
    let earlier = inner
        .storage
        .read(|store| store.archive_of(space, document))?;
    let mut entries = match &earlier {
        Some(bytes) => read(document, id, bytes)?,
        None => Vec::new(),
    };
    let before = entries.len();
    entries.extend(old.iter().map(|(.., changes)| changes.clone()));
    let snapshot = inner.library.fresh(&inner.storage, space, id, last)?;
    let made = match archive(id, &snapshot, &entries) {
        Ok(made) => made,
        Err(why) => {
            tracing::debug!(%space, %document, %why, "a record's changes stay in their entries");
            return Ok(None);
        }
    };
    let (kept, new) = made.holds.split_at(before);
    let arrivals = old.iter().zip(new).filter(|(_, holds)| **holds);
    let arrivals = arrivals.map(|((arrival, bytes, _), _)| (*arrival, *bytes));
    let (arrivals, bytes) = arrivals.unzip::<_, _, Vec<_>, Vec<_>>();
    let spared = bytes.into_iter().sum::<usize>();
    let added = made.bytes.len();
    let added = added.saturating_sub(earlier.map_or(0, |earlier| earlier.len()));
    let is_worth = added.saturating_mul(ADDED_PARTS.1) < spared.saturating_mul(ADDED_PARTS.0);
    // What an earlier archive gives back, this one must.
    let is_whole = kept.iter().all(|holds| *holds);
    Ok((is_worth && is_whole).then_some(ArchivedDocument {
        document,
        bytes: made.bytes,
        arrivals,
    }))
}

/// Puts all changes of a space back into their entries.
///
/// # Errors
/// [`StoreError`], also if an archive does not give back what was put into it.
pub(crate) fn unarchive_space(storage: &Storage, space: SpaceId) -> Result<(), StoreError> {
    for document in storage.read(|store| store.archived_in(space))? {
        let back = GivenBack::read(storage, space, document)?;
        let payloads = back.0.into_values().collect();
        if !storage.unarchive(space, document, payloads)? {
            return Err(damaged(document, "it lacks changes of its entries"));
        }
    }
    Ok(())
}

impl Storage {
    /// The runs that [`ReadStore::read`] gives, with what archives give back.
    pub(crate) fn runs(
        &self,
        space: SpaceId,
        from: &[(FeedName, u64)],
        bytes_max: usize,
    ) -> Result<Vec<Run>, StoreError> {
        let mut runs = self.read(|store| store.read(space, from, bytes_max))?;
        let mut archives = Archives::new(self);
        for entry in runs.iter_mut().flat_map(|run| &mut run.entries) {
            if entry.kind == Kind::CHANGES {
                archives.give_back(space, entry.subject, &mut entry.payload)?;
            }
        }
        Ok(runs)
    }

    /// The entries that [`ReadStore::entries_of`] gives, with what archives give back.
    pub(crate) fn entries_of(
        &self,
        subject: Subject,
        after: u64,
    ) -> Result<Vec<StoredEntry>, StoreError> {
        let mut entries = self.read(|store| store.entries_of(subject, after))?;
        let mut archives = Archives::new(self);
        for entry in &mut entries {
            if entry.kind == Kind::CHANGES {
                archives.give_back(entry.space, subject, &mut entry.payload)?;
            }
        }
        Ok(entries)
    }
}

/// The archives that one question needs. They are not kept any longer: what is erased meanwhile must
/// be gone.
struct Archives<'a> {
    storage: &'a Storage,
    opened: BTreeMap<(SpaceId, Subject), GivenBack>,
}

impl<'a> Archives<'a> {
    const fn new(storage: &'a Storage) -> Self {
        Self {
            storage,
            opened: BTreeMap::new(),
        }
    }

    fn give_back(
        &mut self,
        space: SpaceId,
        document: Subject,
        payload: &mut Payload,
    ) -> Result<(), StoreError> {
        let Payload::Dropped { hash, .. } = payload else {
            return Ok(());
        };
        let key = (space, document);
        if !self.opened.contains_key(&key) {
            let back = GivenBack::read(self.storage, space, document)?;
            self.opened.insert(key, back);
        }
        let bytes = self.opened.get(&key).and_then(|back| back.0.get(hash));
        if let Some(bytes) = bytes {
            *payload = Payload::Held(bytes.clone());
        }
        Ok(())
    }
}

/// What the archive of a document gives back, by the payloads' hashes: nothing if there is none.
struct GivenBack(BTreeMap<Hash, Bytes>);

impl GivenBack {
    fn read(storage: &Storage, space: SpaceId, document: Subject) -> Result<Self, StoreError> {
        let bytes = storage.read(|store| store.archive_of(space, document))?;
        let (Some(bytes), Ok(id)) = (bytes, DocumentId::try_from(document)) else {
            return Ok(Self(BTreeMap::new()));
        };
        let entries = read(document, id, &bytes)?.into_iter();
        Ok(Self(entries.map(|it| (it.hash(), it.encode())).collect()))
    }
}

fn read(document: Subject, id: DocumentId, bytes: &[u8]) -> Result<Vec<Changes>, StoreError> {
    unarchive(id, bytes).map_err(|why| damaged(document, &why.to_string()))
}

fn damaged(document: Subject, why: &str) -> StoreError {
    StoreError::Corrupt(format!("the archive of record {document}: {why}"))
}
