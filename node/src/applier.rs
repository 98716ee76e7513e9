//! Turns what arrived into documents' states and rows for lists, apart from receiving it.

mod copies;
mod judged;
mod touched;
mod unknown;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use node_domain::{CardRecord, Form, Kind as RecordKind, Row, UNKNOWN, UNKNOWN_CARD};
use node_feed::{
    CardId, Checkpoint, DocumentId, FeedName, Hash, Kind, SpaceId, SpaceKind, Subject, Tag,
};
use node_store::{Evidence, ReadStore, Readers, RecordRow, SetAsideRow, StoreError, StoredEntry};

use self::touched::Touched;
use crate::cards::card_view;
use crate::node::Inner;
use crate::pace::Pace;
use crate::storage::record_row;

/// How many entries are read at once.
const BATCH_ENTRIES: usize = 1_024;
/// How many are looked at before what they change is made and it is noted how far that came. With
/// fewer, a long document is made over and over while much of it is new. Many records are not waited
/// for so long: what was erased meanwhile must go.
const GATHERED_MAX: usize = 1 << 16;
/// How many documents that checkpoints list are noted at most.
const LISTED_MAX: usize = 100_000;
/// How many lines are written together at most.
const LINES_TOGETHER: usize = 512;
/// How many saved states are brought up between two looks whether anything else is to be done.
const FRESHENED_TOGETHER: usize = 64;

/// The cell of a line with the number of versions that are open in its record.
pub(crate) const OPEN_VERSIONS: &str = "@open";
/// The cell with the number of those that were settled, also where they were opened again.
pub(crate) const SETTLED_VERSIONS: &str = "@settled";

/// The thread that applies. It ends when the node is dropped.
#[derive(Debug, Default)]
pub(crate) struct Applier {
    shared: Arc<Shared>,
    /// Held by whoever applies: the thread, or a command that wants to see the newest.
    applying: Mutex<()>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// What was applied, and what applying alone took.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Applied {
    pub(crate) entries: u64,
    took: Duration,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    woken: Condvar,
}

#[derive(Debug, Default)]
struct State {
    pace: Pace,
    stop: bool,
    rebuild: BTreeSet<SpaceId>,
    /// Documents that a checkpoint lists, and when it arrived: their saved states are brought up
    /// to it once nothing else is to be done.
    listed: BTreeMap<(SpaceId, Subject), u64>,
    /// Feeds with a checkpoint that was not looked through.
    checkpoints: BTreeSet<(SpaceId, FeedName)>,
    /// First copies of which only erasures are lacking, and since when.
    waits: BTreeMap<(SpaceId, Hash), Instant>,
    /// Whether lists held, once, all that was there.
    caught_up: bool,
    /// Whether it was looked whether an earlier process left lines of entries that were cut.
    checked: bool,
}

impl Applier {
    /// Starts the thread of `inner`.
    pub(crate) fn start(inner: &Arc<Inner>) {
        let applier = inner.applier();
        let shared = Arc::clone(&applier.shared);
        let weak = Arc::downgrade(inner);
        let thread = std::thread::Builder::new()
            .name("causeway-apply".to_owned())
            .spawn(move || run(&shared, &weak));
        match thread {
            Ok(thread) => *lock(&applier.thread) = Some(thread),
            // Lists are then only brought up to date when they are asked for.
            Err(error) => tracing::error!(%error, "the thread for documents cannot be started"),
        }
        applier.wake();
    }

    /// Says that entries arrived.
    pub(crate) fn wake(&self) {
        let is_first = self.shared.lock().pace.arrived(Instant::now());
        // Once awake, the thread looks by itself whether more came.
        if is_first {
            self.shared.woken.notify_one();
        }
    }

    /// Says that something arrived that must not be shown any longer.
    pub(crate) fn hurry(&self) {
        self.shared.lock().pace.hurry();
        self.wake();
        self.shared.woken.notify_one();
    }

    /// Says that entries of `space` stopped or began to count.
    pub(crate) fn rebuild(&self, space: SpaceId) {
        let mut state = self.shared.lock();
        state.rebuild.insert(space);
        state.pace.hurry();
    }

    /// Brings the saved states of documents that checkpoints list up to them, so that who copies
    /// them finds them ready. Ends early if anything else is to be done.
    fn freshen_listed(&self, inner: &Inner) -> Result<(), StoreError> {
        loop {
            let mut some = Vec::new();
            {
                let mut state = self.shared.lock();
                if state.is_wanted() {
                    return Ok(());
                }
                while some.len() < FRESHENED_TOGETHER
                    && let Some(listed) = state.listed.pop_first()
                {
                    some.push(listed);
                }
            }
            if some.is_empty() {
                break;
            }
            let _applying = lock(&self.applying);
            for ((space, subject), arrival) in some {
                if let Ok(id) = DocumentId::try_from(subject) {
                    inner.library.freshen(&inner.storage, space, id, arrival)?;
                }
            }
        }
        inner.library.save_pending(&inner.storage)?;
        loop {
            let (space, feed) = {
                let mut state = self.shared.lock();
                if state.is_wanted() {
                    return Ok(());
                }
                match state.checkpoints.pop_first() {
                    Some(checkpoint) => checkpoint,
                    None => return Ok(()),
                }
            };
            crate::checkpoints::verified(inner, space, feed, u64::MAX)?;
        }
    }

    /// Notes the documents that a checkpoint lists.
    fn note_listed(&self, entry: &StoredEntry) {
        let checkpoint = entry.payload.bytes().map(|bytes| Checkpoint::decode(bytes));
        if let Some(Ok(checkpoint)) = checkpoint {
            let is_last = checkpoint.is_last();
            let listed = checkpoint.documents.into_iter();
            let listed = listed.map(|(subject, _)| ((entry.space, subject), entry.arrival));
            let mut state = self.shared.lock();
            if is_last {
                state.checkpoints.insert((entry.space, entry.feed));
            }
            // Those that are left out are brought up to date when they are asked for.
            let room = LISTED_MAX.saturating_sub(state.listed.len());
            state.listed.extend(listed.take(room));
        }
    }

    /// Applies all that has arrived, now, and says how many entries that were. What arrives
    /// meanwhile is left for the next time, or this would not end while others write.
    ///
    /// # Errors
    /// [`StoreError`] if the store cannot be read or the rows cannot be written.
    pub(crate) fn catch_up(&self, inner: &Inner) -> Result<Applied, StoreError> {
        let applied = tracing::info_span!("apply").in_scope(|| self.apply_all(inner))?;
        inner.metrics.entries_applied.increment(applied.entries);
        self.shared.lock().caught_up = true;
        Ok(applied)
    }

    /// Whether lists held, once since the start, all that had arrived by then.
    pub(crate) fn is_caught_up(&self) -> bool {
        self.shared.lock().caught_up
    }

    fn apply_all(&self, inner: &Inner) -> Result<Applied, StoreError> {
        let _applying = lock(&self.applying);
        // A backup may be restored before the node is connected again. What is whose cannot be told
        // until then.
        if inner.membership().is_none() {
            return Ok(Applied::default());
        }
        self.rebuild_changed(inner)?;
        let mut applied = Applied::default();
        // What arrives meanwhile is for the next time.
        let until = inner.storage.read(Readers::arrived)?;
        loop {
            let mut reflects = inner.storage.reflects()?;
            if reflects == 0 {
                // The lists are new: what came by first copies is in no entry.
                project_based(inner)?;
            }
            let begun = Instant::now();
            let mut touched = Touched::default();
            let mut gathered = 0;
            let mut is_all = false;
            while !is_all && gathered < GATHERED_MAX && touched.len() < BATCH_ENTRIES {
                let entries = inner
                    .storage
                    .read(|store| store.arrivals_after(reflects, BATCH_ENTRIES))?;
                reflects = entries.last().map_or(until, |last| last.arrival);
                is_all = reflects >= until;
                gathered += entries.len();
                touched.add(inner, &entries)?;
            }
            if gathered == 0 {
                return Ok(applied);
            }
            touched.project(inner)?;
            applied.took += begun.elapsed();
            applied.entries += gathered as u64;
            inner.storage.set_reflects(reflects)?;
            inner.listed.send_modify(|times| *times += 1);
            if is_all {
                return Ok(applied);
            }
        }
    }
}

impl Applier {
    /// Makes all lines of those spaces anew in which other entries count than when they were made.
    /// A space stays due until that has succeeded, in a later process too.
    fn rebuild_changed(&self, inner: &Inner) -> Result<(), StoreError> {
        let (due, checked) = {
            let mut state = self.shared.lock();
            (std::mem::take(&mut state.rebuild), state.checked)
        };
        let rebuilt = due.iter().try_for_each(|space| rebuild(inner, *space));
        if !due.is_empty() {
            inner.listed.send_modify(|times| *times += 1);
        }
        if rebuilt.is_err() {
            self.shared.lock().rebuild.extend(due);
        }
        rebuilt?;
        if !checked {
            for space in outdated(inner)? {
                rebuild(inner, space)?;
            }
            judged::judge_again(inner)?;
            self.shared.lock().checked = true;
        }
        Ok(())
    }
}

impl Drop for Applier {
    fn drop(&mut self) {
        self.shared.lock().stop = true;
        self.shared.woken.notify_one();
        let thread = lock(&self.thread).take();
        // The last clone of the node may be dropped by the thread itself.
        if let Some(thread) = thread
            && thread.thread().id() != std::thread::current().id()
        {
            let _ended = thread.join();
        }
    }
}

impl State {
    /// Whether there is something else to be done than what can wait.
    fn is_wanted(&self) -> bool {
        self.stop || self.pace.due().is_some_and(|due| due <= Instant::now())
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn run(shared: &Shared, inner: &Weak<Inner>) {
    loop {
        let mut state = shared.lock();
        while !state.stop {
            let now = Instant::now();
            let woken = &shared.woken;
            state = match state.pace.due() {
                // Whether an erasure has come is looked at again from time to time.
                None if !state.waits.is_empty() => {
                    let waited = woken.wait_timeout(state, copies::LOOKED_EVERY);
                    let (mut state, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
                    if timeout.timed_out() {
                        state.pace.arrived(now);
                    }
                    state
                }
                None => woken.wait(state).unwrap_or_else(PoisonError::into_inner),
                Some(due) if now < due => {
                    let waited = woken.wait_timeout(state, due - now);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
                Some(_) => break,
            };
        }
        if state.stop {
            return;
        }
        state.pace.begin();
        drop(state);
        let Some(inner) = inner.upgrade() else {
            return;
        };
        let applier = inner.applier();
        let applied = applier.catch_up(&inner).unwrap_or_else(|error| {
            tracing::error!(%error, "what arrived cannot be shown yet");
            Applied::default()
        });
        if let Err(error) = inner.storage.scrub_if_needed() {
            tracing::warn!(%error, "what was taken out of the lists is not overwritten yet");
        }
        shared
            .lock()
            .pace
            .end(Instant::now(), applied.took, applied.entries);
        if let Err(error) = copies::check(applier, &inner) {
            tracing::error!(%error, "what was copied cannot be checked yet");
            shared.lock().pace.arrived(Instant::now());
        }
        crate::checkpoints::after_many(&inner);
        if let Err(error) = applier.freshen_listed(&inner) {
            tracing::warn!(%error, "documents' states were not kept");
        }
    }
}

/// The spaces whose lines were made when other entries counted.
fn outdated(inner: &Inner) -> Result<BTreeSet<SpaceId>, StoreError> {
    let mut spaces = inner.storage.read(ReadStore::spaces)?;
    spaces.extend(inner.storage.listed_spaces()?);
    let mut outdated = inner.storage.to_renew()?;
    for space in spaces {
        let evidence = inner.storage.read(|store| store.evidence(space))?;
        let settled = inner.storage.settled(space)?;
        if settled.unwrap_or_else(|| digest(space, &[])) != digest(space, &evidence) {
            outdated.insert(space);
        }
    }
    Ok(outdated)
}

/// The digest of a space's entries that no longer count.
fn digest(space: SpaceId, evidence: &[Evidence]) -> Hash {
    let mut bytes = space.as_bytes().to_vec();
    for entry in evidence {
        bytes.extend_from_slice(entry.feed.as_bytes());
        bytes.extend_from_slice(entry.height.hash.as_bytes());
    }
    Hash::of(Tag::Evidence, &[&bytes])
}

fn rebuild(inner: &Inner, space: SpaceId) -> Result<(), StoreError> {
    // Read first: what is cut or dropped meanwhile makes the space due again.
    let evidence = inner.storage.read(|store| store.evidence(space))?;
    let renewal = inner.storage.renewal(space)?;
    let dropped = || inner.storage.drop_space(space);
    inner.library.renew_space(space, dropped)?;
    inner.memo.forget();
    unknown::note_all(inner, space)?;
    make_lines(inner, space)?;
    let settled = digest(space, &evidence);
    inner.storage.set_settled(space, settled)?;
    inner.storage.renewed(space, renewal)
}

/// Makes the lines of all records of a space, those that are there already among them.
fn make_lines(inner: &Inner, space: SpaceId) -> Result<(), StoreError> {
    let subjects = inner.storage.read(|store| {
        Ok((
            store.subjects(space, Kind::CHANGES)?,
            store.subjects(space, Kind::CARD)?,
        ))
    })?;
    let mut lines = Lines::new(inner);
    let documents = subjects.0;
    let based = inner
        .storage
        .read(|store| store.bases(space, None, usize::MAX))?;
    let cards = subjects.1.into_iter().map(|card| (card, Kind::CARD));
    let documents = documents.into_iter().chain(based);
    let documents = documents.map(|document| (document, Kind::CHANGES));
    for (subject, kind) in cards.chain(documents).collect::<BTreeMap<_, _>>() {
        project(&mut lines, space, subject, kind)?;
    }
    lines.write()
}

fn project_based(inner: &Inner) -> Result<(), StoreError> {
    let mut lines = Lines::new(inner);
    // Of some spaces nothing is held but a copy that is under way.
    let (spaces, unchecked) = inner.storage.read(|store| {
        let copied = store.copies()?.into_iter().map(|(space, _)| space);
        let spaces = store.spaces()?.into_iter().chain(copied);
        let unchecked = store.unchecked(None, usize::MAX)?;
        Ok((
            spaces.collect::<BTreeSet<_>>(),
            unchecked.into_iter().collect::<BTreeSet<_>>(),
        ))
    })?;
    for space in spaces {
        let based = inner
            .storage
            .read(|store| store.bases(space, None, usize::MAX))?;
        for document in based {
            // Those that are not checked yet come with their check.
            if !unchecked.contains(&(space, document)) {
                project(&mut lines, space, document, Kind::CHANGES)?;
            }
        }
    }
    lines.write()
}

/// Takes out what is kept of a subject, if its owner erased it: anyone may name it.
fn drop_erased(inner: &Inner, subject: Subject) -> Result<(), StoreError> {
    if !inner.storage.read(|store| store.is_erased(subject))? {
        return Ok(());
    }
    let dropped = || inner.storage.drop_subject(subject);
    inner.library.forget_subject(subject, dropped)?;
    // What is erased is nowhere any more, not in what was worked out from it either.
    inner.memo.forget();
    Ok(())
}

/// Makes a record's line anew. Whoever writes to a space may write a card under the id of another's
/// document, or changes under that of a card: what is none takes the line of the other away no more than
/// it makes one.
fn project(
    lines: &mut Lines<'_>,
    space: SpaceId,
    subject: Subject,
    kind: Kind,
) -> Result<(), StoreError> {
    let inner = lines.inner;
    let row = if kind == Kind::CARD {
        let card = card_row(inner, space, subject)?;
        card.map_or_else(|| document_row(inner, space, subject), |row| Ok(Some(row)))
    } else {
        let document = document_row(inner, space, subject)?;
        document.map_or_else(|| card_row(inner, space, subject), |row| Ok(Some(row)))
    };
    lines.put_or_drop(space, subject, row?)
}

/// The line of a document, if it is one that may stand there. What of it was set aside is noted.
fn document_row(
    inner: &Inner,
    space: SpaceId,
    subject: Subject,
) -> Result<Option<Row>, StoreError> {
    let Ok(id) = DocumentId::try_from(subject) else {
        return Ok(None);
    };
    let (row, aside) = inner.library.with(&inner.storage, space, id, |document| {
        let aside = document.set_aside().map(|aside| SetAsideRow {
            space,
            feed: aside.feed,
            number: aside.number,
            hash: aside.hash,
            subject,
            reason: aside.to_string(),
            alone: false,
        });
        let aside = aside.collect::<Vec<_>>();
        let view = document.view();
        let kind = node_domain::kind_or_unknown(&view);
        let kind = kind.filter(|kind| kind.form == Form::Document && document.is_begun());
        let kind = kind.filter(|kind| fits(inner, kind, space, subject));
        let row = kind.map(|kind| {
            let counts = node_domain::version_counts(document, kind);
            with_versions(
                node_domain::row(&view, kind),
                counts.open,
                counts.settled + counts.reopened,
            )
        });
        (row, aside)
    })?;
    inner.storage.put_set_aside(space, subject, &aside)?;
    Ok(row)
}

/// Whether records of this kind may stand in a space.
pub(crate) fn fits(inner: &Inner, kind: &RecordKind, space: SpaceId, subject: Subject) -> bool {
    let authority = inner.authority();
    let Some(record) = authority.spaces().get(&space) else {
        return false;
    };
    let issued = !kind.coordinators
        || record.kind != SpaceKind::Network
        || inner.coordinator_hub() == Some(subject.owner());
    // Where records of a newer version belong, it knows.
    *kind == UNKNOWN || *kind == UNKNOWN_CARD || (kind.spaces.contains(&record.kind) && issued)
}

/// Lines that are written together.
struct Lines<'a> {
    inner: &'a Inner,
    rows: Vec<RecordRow>,
}

impl<'a> Lines<'a> {
    const fn new(inner: &'a Inner) -> Self {
        let rows = Vec::new();
        Self { inner, rows }
    }

    fn put_or_drop(
        &mut self,
        space: SpaceId,
        subject: Subject,
        row: Option<Row>,
    ) -> Result<(), StoreError> {
        let storage = &self.inner.storage;
        match row {
            Some(row) if !storage.read(|store| store.is_erased(subject))? => {
                self.rows.push(record_row(space, subject, row));
                if self.rows.len() >= LINES_TOGETHER {
                    self.write()?;
                }
                Ok(())
            }
            Some(_) | None => {
                self.rows
                    .retain(|row| (row.space, row.subject) != (space, subject));
                storage.drop_row(space, subject)?;
                self.inner.memo.forget();
                Ok(())
            }
        }
    }

    fn write(&mut self) -> Result<(), StoreError> {
        self.inner.storage.put_rows(&self.rows)?;
        self.inner.library.save_pending(&self.inner.storage)?;
        let kinds = self.rows.iter().map(|row| row.kind.as_str());
        self.inner.memo.changed(kinds);
        self.rows.clear();
        Ok(())
    }
}

/// The line of a card, if it is one that may stand there.
fn card_row(inner: &Inner, space: SpaceId, subject: Subject) -> Result<Option<Row>, StoreError> {
    let Ok(card) = CardId::try_from(subject) else {
        return Ok(None);
    };
    let view = card_view(inner, space, card)?;
    let shown = CardRecord::shown(&view).filter(|record| {
        record.kind.form == Form::Card && fits(inner, record.kind, space, subject)
    });
    let open = CardRecord::conflicts(&view).len();
    Ok(shown.map(|record| with_versions(record.row(), open, 0)))
}

/// A line that says how many versions are open and settled in its record, so that those with any
/// are found without opening all. No field's name begins like theirs.
fn with_versions(mut row: Row, open: usize, settled: usize) -> Row {
    for (cell, count) in [(OPEN_VERSIONS, open), (SETTLED_VERSIONS, settled)] {
        if count > 0 {
            row.cells.push((cell.to_owned(), count.into()));
        }
    }
    row
}
