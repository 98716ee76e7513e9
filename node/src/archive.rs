//! Archives: where a document gives back the changes of old entries, these are taken out of the
//! entries.
//!
//! Of an entry stays what proves it, and when its changes are asked for they are made again of the
//! document and found by the payload's hash. So the store grows by what is written and not by how
//! often.

mod given_back;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use node_document::{archive, unarchive};
use node_feed::{Changes, DocumentId, FeedName, Kind, SpaceId, Subject};
use node_store::{ArchivedDocument, ReadStore, StoreError, StoredEntry};

pub(crate) use self::given_back::unarchive_own;
use crate::Node;
use crate::checkpoints;
use crate::clock::now_ms;
use crate::node::Inner;

/// How often it is looked what is old enough.
const ROUND: Duration = Duration::from_hours(24);
/// When that was done last.
const LAST_ROUND: &str = "archive/round";
/// How many entries of a document must be old enough for it to be worth a look, and of how many the
/// changes are taken out at a time.
const ENTRIES_MIN: usize = 8;
const ENTRIES_MAX: usize = 4_096;
/// What an archive may add, of what it takes out: three parts of four.
const ADDED_PARTS: (usize, usize) = (3, 4);
/// How many archives are made durable together, how many bytes of them, and of how many entries.
const TOGETHER: usize = 64;
const TOGETHER_BYTES: usize = 1 << 20;

/// Held by whoever archives.
#[derive(Debug, Default)]
pub(crate) struct Archiving(Mutex<()>);

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

    /// Archives what the settings let be archived, if that was not done for a day. Returns how many
    /// bytes that were.
    ///
    /// # Errors
    /// As [`Node::archive_before`].
    pub fn archive_daily(&self, stop: impl Fn() -> bool) -> Result<u64, StoreError> {
        let inner = &self.inner;
        let settings = &inner.config.documents;
        let now = now_ms();
        let last = inner.storage.read(|store| store.setting(LAST_ROUND))?;
        let last = last.and_then(|bytes| Some(u64::from_le_bytes(bytes[..].try_into().ok()?)));
        // A clock that was put back does not keep it from being done.
        let since = last.map(|last| Duration::from_millis(now.abs_diff(last)));
        if !settings.archive || since.is_some_and(|since| since < ROUND) {
            return Ok(0);
        }
        let age = settings.archive_after().as_millis();
        let age = u64::try_from(age).unwrap_or(u64::MAX);
        let archived = archive_before(inner, now.saturating_sub(age), &stop);
        // Also if it failed, which the next round may not.
        if !stop() {
            let now = now.to_le_bytes();
            inner.storage.set_setting(LAST_ROUND, Some(&now))?;
        }
        archived
    }
}

fn archive_before(
    inner: &Inner,
    before_ms: u64,
    stop: impl Fn() -> bool,
) -> Result<u64, StoreError> {
    let lock = &inner.archiving.0;
    let _one = lock.lock().unwrap_or_else(PoisonError::into_inner);
    let mut taken = 0;
    for space in spaces(inner)? {
        if stop() {
            break;
        }
        let (limits, documents) = checkpointed(inner, space)?;
        let mut made = Vec::new();
        let (mut bytes, mut entries) = (0, 0);
        for document in documents {
            if stop() {
                break;
            }
            let Ok(id) = DocumentId::try_from(document) else {
                continue;
            };
            if let Some(one) = make(inner, space, id, &limits, before_ms)? {
                bytes += one.bytes.len();
                entries += one.arrivals.len();
                made.push(one);
            }
            if made.len() >= TOGETHER || bytes >= TOGETHER_BYTES || entries >= ENTRIES_MAX {
                taken += inner.storage.archive(space, std::mem::take(&mut made))?;
                (bytes, entries) = (0, 0);
            }
        }
        taken += inner.storage.archive(space, made)?;
    }
    if taken > 0 {
        tracing::info!(bytes = taken, "changes of old entries were archived");
    }
    Ok(taken)
}

/// The spaces that may be archived: of those that this hub left it drops what others wrote.
fn spaces(inner: &Inner) -> Result<Vec<SpaceId>, StoreError> {
    let Some((network, hub)) = inner.membership().map(|it| (it.network, it.hub)) else {
        return Ok(Vec::new());
    };
    let kept = inner.config.documents.kept_spaces();
    let authority = inner.authority();
    let may_not = |space: &SpaceId| {
        let is_left = authority.access(hub, *space).is_none();
        *space == SpaceId::authority(network)
            || kept.contains(space)
            || authority.spaces().contains_key(space) && is_left
    };
    let mut spaces = inner.storage.read(ReadStore::spaces)?;
    spaces.retain(|space| !may_not(space));
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
            && !entry.live
            && entry.time_ms < before_ms
            && limit.is_some_and(|limit| entry.height.number <= *limit)
    };
    let old = held.iter().filter(is_old).filter_map(|entry| {
        let changes = Changes::decode(entry.payload.bytes()?).ok()?;
        Some((entry.arrival, entry.payload.length() as usize, changes))
    });
    let old = old.take(ENTRIES_MAX).collect::<Vec<_>>();
    let Some((last, ..)) = old.last().filter(|_| old.len() >= ENTRIES_MIN) else {
        return Ok(None);
    };
    let earlier = inner
        .storage
        .read(|store| store.archive_of(space, document))?;
    let mut entries = match earlier.as_ref().map(|bytes| unarchive(id, bytes)) {
        Some(Ok(entries)) => entries,
        None => Vec::new(),
        Some(Err(error)) => {
            tracing::error!(%space, %document, %error, "an archive cannot be read");
            return Ok(None);
        }
    };
    let before = entries.len();
    entries.extend(old.iter().map(|(.., changes)| changes.clone()));
    let snapshot = inner.library.fresh(&inner.storage, space, id, *last)?;
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
