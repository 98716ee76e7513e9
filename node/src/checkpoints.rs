//! Checkpoints of this node's own feeds: what others need of them before they can be copied.
//!
//! One is written after every 10,000 entries of a feed. At close, and a day after the last, one is
//! written only if it spares others more than it costs them: it lists every document that the
//! feed ever changed, so that a few entries in a feed of thousands of documents are sent whole for
//! less.
//!
//! And checkpoints of others: what one says is looked through before anything is copied on its word,
//! so that nobody is sent what its author made up.

use std::collections::{BTreeMap, BTreeSet, btree_map};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use node_feed::{
    Card, CardId, Changes, Checkpoint, DocumentId, Entry, FeedName, Hash, Height, Kind, Nonce,
    Opening, Payload, RUN_BYTES_MAX, RunEntry, SpaceId, Subject, Trail, change_hash,
};
use node_store::{ReadStore, StoreError};

use crate::Node;
use crate::author::{self, WRITER_SETTINGS, WriteError};
use crate::clock::now_ms;
use crate::node::Inner;
use crate::random;

/// After how many entries a feed gets a checkpoint, whatever it costs.
const ENTRIES_MAX: u64 = 10_000;
/// How many entries there must be at least for one that is written earlier.
const ENTRIES_MIN: u64 = 64;
/// And how many documents it may list for each of them.
const DOCUMENTS_AN_ENTRY: u64 = 4;
/// How long after the last one an earlier one is written.
const DAY_MS: u64 = 24 * 60 * 60 * 1_000;
/// About how many bytes of entries are read at once.
const SLICE_BYTES: usize = 1 << 20;

/// How long one that does not say what is held is not looked through again.
const WRONG_FOR: Duration = Duration::from_mins(10);

/// When a checkpoint is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Occasion {
    /// Many entries were written.
    Many,
    /// From time to time.
    Daily,
    /// The node stops.
    Close,
    /// Somebody wants one.
    Asked,
}

/// What is known of the own feeds' need of checkpoints.
#[derive(Debug, Default)]
pub(crate) struct Checkpoints {
    /// Held by whoever writes one.
    writing: Mutex<()>,
    /// How many entries were written since this process started, or since the last checkpoint.
    written: Mutex<BTreeMap<SpaceId, u64>>,
    /// Checkpoints that did not say what is held, and when that was found.
    wrong: Mutex<BTreeMap<Hash, Instant>>,
}

impl Checkpoints {
    /// Notes that entries were written in a space.
    pub(crate) fn count(&self, space: SpaceId, entries: usize) {
        let mut written = lock(&self.written);
        let count = written.entry(space).or_default();
        *count = count.saturating_add(entries as u64);
    }

    /// Whether one was found not to say what is held a short time ago.
    fn was_wrong(&self, checkpoint: Height) -> bool {
        let wrong = lock(&self.wrong);
        let found = wrong.get(&checkpoint.hash);
        found.is_some_and(|found| found.elapsed() < WRONG_FOR)
    }

    fn is_wrong(&self, checkpoint: Height) {
        let mut wrong = lock(&self.wrong);
        wrong.retain(|_, found| found.elapsed() < WRONG_FOR);
        wrong.insert(checkpoint.hash, Instant::now());
    }

    fn reset(&self, space: SpaceId) {
        lock(&self.written).remove(&space);
    }

    fn long(&self) -> Vec<SpaceId> {
        let written = lock(&self.written);
        let long = written.iter().filter(|(_, count)| **count >= ENTRIES_MAX);
        long.map(|(space, _)| *space).collect()
    }
}

/// Writes checkpoints where many entries were written.
pub(crate) fn after_many(inner: &Inner) {
    if !inner.config.sync.first_copies {
        return;
    }
    for space in inner.checkpoints.long() {
        inner.checkpoints.reset(space);
        tell(space, write(inner, space, Occasion::Many));
    }
}

/// Writes those that are due since yesterday.
pub(crate) fn daily(inner: &Inner) {
    write_all(inner, Occasion::Daily);
}

/// Writes those that are worth it before the node stops.
pub(crate) fn at_close(inner: &Inner) {
    write_all(inner, Occasion::Close);
}

impl Node {
    /// Writes a checkpoint into this node's own feed in `space`, due or not. Returns where it
    /// ends; none if there is no feed to write it into, nothing came since the last, or what it
    /// must say of a document is not held.
    ///
    /// # Errors
    /// [`WriteError`]; nothing was written then, or a part of it, which nobody uses.
    pub fn write_checkpoint(&self, space: SpaceId) -> Result<Option<Height>, WriteError> {
        write(&self.inner, space, Occasion::Asked)
    }

    /// Writes the checkpoints that a node writes when it stops.
    pub fn write_due_checkpoints(&self) {
        at_close(&self.inner);
    }
}

/// The last checkpoint of a feed up to a number that says what the entries here say, or that the feed
/// was copied from. What one says of entries is looked through once; one that says something else is
/// looked at again when erasures may have come.
///
/// # Errors
/// [`StoreError`] if the store cannot be read.
pub(crate) fn verified(
    inner: &Inner,
    space: SpaceId,
    feed: FeedName,
    through: u64,
) -> Result<Option<(Vec<Checkpoint>, Height)>, StoreError> {
    let name = verified_setting(space, feed);
    let (place, known) = inner.storage.read(|store| {
        let trees = store.trees(space)?;
        let tree = trees.get(feed.as_bytes());
        let tree = tree.filter(|tree| !tree.is_forked());
        let place = tree.and_then(|tree| tree.feeds().get(&feed).copied());
        let known = store.setting(&name)?.and_then(|bytes| decode(&bytes));
        let is_held = match known {
            Some(known) => store.hash_at(space, feed, known.number)? == Some(known.hash),
            None => false,
        };
        Ok((place, known.filter(|_| is_held)))
    })?;
    let Some(place) = place else {
        return Ok(None);
    };
    let at = |through| {
        inner
            .storage
            .read(|store| store.checkpoint(space, feed, through))
    };
    let is_good =
        |height: Height| known == Some(height) || height.number == place.base && place.base > 0;
    let Some((parts, height)) = at(through)? else {
        return Ok(None);
    };
    if is_good(height) || is_true(inner, space, feed, (&parts, height), known, place.base)? {
        if known.is_none_or(|known| known.number < height.number) && height.number != place.base {
            inner.storage.set_setting(&name, Some(&encode(height)))?;
        }
        return Ok(Some((parts, height)));
    }
    // The one that is known to be good, or that the feed was copied from.
    let earlier = known.map_or(0, |known| known.number).max(place.base);
    let earlier = Some(earlier).filter(|earlier| *earlier > 0 && *earlier <= through);
    let found = earlier.map_or(Ok(None), at)?;
    Ok(found.filter(|(_, height)| is_good(*height)))
}

/// Whether a checkpoint says what the entries before it do.
fn is_true(
    inner: &Inner,
    space: SpaceId,
    feed: FeedName,
    (parts, height): (&[Checkpoint], Height),
    known: Option<Height>,
    base: u64,
) -> Result<bool, StoreError> {
    if inner.checkpoints.was_wrong(height) {
        return Ok(false);
    }
    let first = height.number + 1 - parts.len() as u64;
    let from = known.map_or(0, |known| known.number);
    let from = Some(from)
        .filter(|from| *from < first)
        .unwrap_or(0)
        .max(base);
    let from = Some(from).filter(|from| *from > 0 && *from < first);
    let mut draft = Draft::after(inner, space, feed, from)?;
    let is_held = match first.checked_sub(1) {
        Some(last) => draft.extend(inner, last)?,
        None => true,
    };
    if is_held && draft.agrees(inner, parts)? {
        return Ok(true);
    }
    tracing::warn!(%space, %feed, number = height.number,
        "a checkpoint does not say what is held of the entries before it, and is not used");
    inner.checkpoints.is_wrong(height);
    Ok(false)
}

fn verified_setting(space: SpaceId, feed: FeedName) -> String {
    format!("checkpoint/{space}/{feed}")
}

fn encode(height: Height) -> Vec<u8> {
    let number = height.number.to_le_bytes();
    [&number[..], height.hash.as_bytes()].concat()
}

fn decode(bytes: &[u8]) -> Option<Height> {
    let (number, hash) = bytes.split_first_chunk::<8>()?;
    Some(Height {
        number: u64::from_le_bytes(*number),
        hash: Hash::from_bytes(hash.try_into().ok()?),
    })
}

fn write_all(inner: &Inner, occasion: Occasion) {
    if !inner.config.sync.first_copies {
        // Nobody has a use for them.
        return;
    }
    let settings = inner
        .storage
        .read(|store| store.settings(WRITER_SETTINGS))
        .unwrap_or_default();
    let spaces = settings
        .iter()
        .filter_map(|name| name[WRITER_SETTINGS.len()..].parse::<SpaceId>().ok());
    for space in spaces {
        tell(space, write(inner, space, occasion));
    }
}

fn tell(space: SpaceId, outcome: Result<Option<Height>, WriteError>) {
    match outcome {
        Ok(Some(height)) => tracing::debug!(%space, number = height.number, "a checkpoint"),
        Ok(None) => {}
        // Without it others are sent more, and nothing is lost.
        Err(error) => tracing::warn!(%space, %error, "no checkpoint was written"),
    }
}

fn write(inner: &Inner, space: SpaceId, occasion: Occasion) -> Result<Option<Height>, WriteError> {
    let network = inner.membership().map(|membership| membership.network);
    if network.is_none_or(|network| SpaceId::authority(network) == space) {
        return Ok(None);
    }
    let _one = lock(&inner.checkpoints.writing);
    let author = inner.authors.of(space);
    let Some((writer, tip)) = inner.standing(&mut author::lock(&author), space)? else {
        return Ok(None);
    };
    let mut draft = Draft::after(inner, space, FeedName::from_bytes(writer), Some(u64::MAX))?;
    if !draft.is_due(inner, occasion, tip)? || !draft.extend(inner, tip.number)? {
        return Ok(None);
    }
    let entries = tip.number + 1 - draft.first;
    if !is_worth(occasion, entries, draft.documents.len() as u64) {
        return Ok(None);
    }
    // What is written while it was gathered comes into it too; from here on nothing is.
    let mut author = author::lock(&author);
    let Some((still, tip)) = inner.standing(&mut author, space)? else {
        return Ok(None);
    };
    if still != writer || !draft.extend(inner, tip.number)? {
        return Ok(None);
    }
    let (documents, kept) = draft.finish(inner)?;
    let parts = Checkpoint::split(&documents, &kept, || Nonce(random()))?;
    let entries = parts.iter().map(|part| Entry {
        time_ms: now_ms(),
        kind: Kind::CHECKPOINT,
        subject: Subject::NONE,
        payload: part.encode(),
    });
    let mut last = None;
    for run in in_runs(entries) {
        last = Some(inner.write(&mut author, space, run)?.last);
    }
    inner.checkpoints.reset(space);
    if let Some(height) = last {
        let name = verified_setting(space, FeedName::from_bytes(writer));
        inner.storage.set_setting(&name, Some(&encode(height)))?;
    }
    Ok(last)
}

fn is_worth(occasion: Occasion, entries: u64, documents: u64) -> bool {
    match occasion {
        Occasion::Many | Occasion::Asked => true,
        Occasion::Daily | Occasion::Close => {
            entries >= ENTRIES_MIN && documents <= entries.saturating_mul(DOCUMENTS_AN_ENTRY)
        }
    }
}

/// Entries in lists of which each can be signed together.
fn in_runs(entries: impl Iterator<Item = Entry>) -> Vec<Vec<Entry>> {
    let mut runs = Vec::<Vec<Entry>>::new();
    let mut bytes = RUN_BYTES_MAX;
    for entry in entries {
        bytes += entry.payload.len();
        match runs.last_mut() {
            Some(run) if bytes <= RUN_BYTES_MAX => run.push(entry),
            Some(_) | None => {
                bytes = entry.payload.len();
                runs.push(vec![entry]);
            }
        }
    }
    runs
}

/// What the next checkpoint of a feed says, as far as it was gathered. No document is loaded for
/// it.
struct Draft {
    space: SpaceId,
    feed: FeedName,
    /// The first entry after the last checkpoint.
    first: u64,
    /// The first entry that was not looked at.
    next: u64,
    documents: BTreeMap<Subject, Trail>,
    kept: BTreeMap<u64, Hash>,
    /// When the last checkpoint was written, or the feed was opened.
    last_ms: u64,
}

impl Draft {
    /// What the last checkpoint up to a number said; nothing if there is to be none.
    fn after(
        inner: &Inner,
        space: SpaceId,
        feed: FeedName,
        through: Option<u64>,
    ) -> Result<Self, StoreError> {
        let mut draft = Self {
            space,
            feed,
            first: 0,
            next: 0,
            documents: BTreeMap::new(),
            kept: BTreeMap::new(),
            last_ms: 0,
        };
        inner.storage.read(|store| {
            let last = match through {
                Some(through) => store.checkpoint(space, feed, through)?,
                None => None,
            };
            let hash = match last {
                Some((parts, height)) => {
                    for part in parts {
                        draft.documents.extend(part.documents);
                        let kept = part.kept.iter().map(|kept| (kept.number, kept.hash));
                        draft.kept.extend(kept);
                    }
                    draft.first = height.number + 1;
                    Some(height.hash)
                }
                None => store.hash_at(space, feed, 0)?,
            };
            if let Some(entry) = hash.map_or(Ok(None), |hash| store.entry(hash))? {
                draft.last_ms = entry.time_ms;
            }
            Ok(())
        })?;
        draft.next = draft.first;
        Ok(draft)
    }

    fn is_due(&self, inner: &Inner, occasion: Occasion, tip: Height) -> Result<bool, StoreError> {
        let entries = (tip.number + 1).saturating_sub(self.first);
        // One that is copied itself has its entries elsewhere.
        let whole = inner.storage.read(|store| {
            let trees = store.trees(self.space)?;
            let place = trees.get(self.feed.as_bytes()).and_then(|tree| {
                let forked = tree.is_forked();
                tree.feeds().get(&self.feed).filter(|_| !forked).copied()
            });
            Ok(place.is_some_and(|place| place.base == 0))
        })?;
        let due = match occasion {
            Occasion::Many => entries >= ENTRIES_MAX,
            Occasion::Daily => {
                entries >= ENTRIES_MAX
                    || entries >= ENTRIES_MIN && now_ms().saturating_sub(self.last_ms) >= DAY_MS
            }
            Occasion::Close => entries >= ENTRIES_MIN,
            Occasion::Asked => entries > 0,
        };
        Ok(whole && due)
    }

    /// Takes in the entries up to this one, in slices. Returns whether all that is needed of them is
    /// held.
    fn extend(&mut self, inner: &Inner, last: u64) -> Result<bool, StoreError> {
        while self.next <= last {
            let from = [(self.feed, self.next)];
            let runs = inner.storage.runs(self.space, &from, SLICE_BYTES)?;
            let before = self.next;
            for run in runs {
                for (entry, number) in run.entries.iter().zip(run.first..) {
                    if number == self.next && number <= last {
                        if !self.take(inner, number, entry)? {
                            tracing::debug!(
                                space = %self.space, number,
                                "no checkpoint: a change of a record is not held"
                            );
                            return Ok(false);
                        }
                        self.next += 1;
                    }
                }
            }
            if self.next == before {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn take(&mut self, inner: &Inner, number: u64, entry: &RunEntry) -> Result<bool, StoreError> {
        let document = DocumentId::try_from(entry.subject);
        if entry.kind == Kind::CHECKPOINT {
            return Ok(true);
        }
        if entry.kind != Kind::CHANGES || document.is_err() {
            let hash = |store: &node_store::Readers| store.hash_at(self.space, self.feed, number);
            let hash = inner.storage.read(hash)?;
            self.kept.extend(hash.map(|hash| (number, hash)));
            return Ok(true);
        }
        let changes = match &entry.payload {
            Payload::Held(bytes) => Changes::decode(bytes).ok(),
            Payload::Dropped { .. } => None,
        };
        let Some(changes) = changes else {
            return inner.storage.read(|store| store.is_erased(entry.subject));
        };
        let hashes = changes.chunks.iter().map(|chunk| change_hash(chunk));
        let trail = self.documents.entry(entry.subject).or_insert(Trail::START);
        *trail = trail.with(number, entry.time_ms, &hashes.collect::<Vec<_>>());
        Ok(true)
    }

    /// Whether a checkpoint says the same: of every document that is not erased, and keeping
    /// everything but what was erased and what its author replaced.
    fn agrees(&self, inner: &Inner, parts: &[Checkpoint]) -> Result<bool, StoreError> {
        let said = parts.iter().flat_map(|part| part.documents.iter().copied());
        let said = said.collect::<BTreeMap<_, _>>();
        let kept = parts.iter().flat_map(|part| &part.kept);
        let kept = kept.map(|height| (height.number, height.hash));
        let kept = kept.collect::<BTreeMap<_, _>>();
        inner.storage.read(|store| {
            for (subject, trail) in &said {
                let same = self.documents.get(subject) == Some(trail);
                if !same && !store.is_erased(*subject)? {
                    return Ok(false);
                }
            }
            for subject in self.documents.keys() {
                if !said.contains_key(subject) && !store.is_erased(*subject)? {
                    return Ok(false);
                }
            }
            if kept.iter().any(|it| self.kept.get(it.0) != Some(it.1)) {
                return Ok(false);
            }
            for (number, hash) in &self.kept {
                if kept.contains_key(number) {
                    continue;
                }
                let entry = store.entry(*hash)?;
                let may_go = match entry {
                    None => true,
                    Some(entry) if entry.kind.stands() => false,
                    Some(entry) if entry.kind == Kind::CARD => true,
                    Some(entry) => store.is_erased(entry.subject)?,
                };
                if !may_go {
                    return Ok(false);
                }
            }
            Ok(true)
        })
    }

    /// The lists, without what was erased and what was replaced.
    #[expect(clippy::type_complexity, reason = "the two lists of a checkpoint")]
    fn finish(self, inner: &Inner) -> Result<(Vec<(Subject, Trail)>, Vec<Height>), StoreError> {
        inner.storage.read(|store| {
            let mut documents = Vec::new();
            for (subject, trail) in self.documents {
                if !store.is_erased(subject)? {
                    documents.push((subject, trail));
                }
            }
            let mut kept = Vec::new();
            let mut replaced = BTreeMap::<Subject, BTreeSet<Hash>>::new();
            for (number, hash) in self.kept {
                let Some(entry) = store.entry(hash)? else {
                    continue;
                };
                if !entry.kind.stands() && store.is_erased(entry.subject)? {
                    continue;
                }
                if entry.kind == Kind::CARD {
                    let of_card = match replaced.entry(entry.subject) {
                        btree_map::Entry::Occupied(known) => known.into_mut(),
                        btree_map::Entry::Vacant(place) => {
                            place.insert(replaced_of(store, self.space, entry.subject)?)
                        }
                    };
                    if of_card.contains(&hash) {
                        continue;
                    }
                }
                kept.push(Height { number, hash });
            }
            Ok((documents, kept))
        })
    }
}

/// The revisions of a card that a revision of its owner replaces.
fn replaced_of(
    store: &impl ReadStore,
    space: SpaceId,
    subject: Subject,
) -> Result<BTreeSet<Hash>, StoreError> {
    let Ok(card) = CardId::try_from(subject) else {
        return Ok(BTreeSet::new());
    };
    let mut replaced = BTreeSet::new();
    for entry in store.entries_of(subject, 0)? {
        let by_owner =
            matches!(entry.opening, Some(Opening::Node { hub, .. }) if hub == card.owner());
        if entry.space != space || entry.kind != Kind::CARD || !by_owner {
            continue;
        }
        let revision = entry.payload.bytes().map(Card::decode);
        if let Some(Ok(revision)) = revision {
            replaced.extend(revision.replaces);
        }
    }
    Ok(replaced)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
