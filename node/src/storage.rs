//! The store's two files, as the node uses them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use node_feed::{
    Authority, CopyOffer, CopyPlace, CopySlice, CopyTaken, FeedTree, Hash, HubId, Kind, NetworkId,
    NodeId, Receipt, Refusal, SpaceId, Subject, VerifiedRun,
};
use node_store::{
    AccountTables, Appended, ArchivedDocument, AuditHead, Cell, CellValue, Check, CopyPlaced,
    Disclosure, EntryStore, ForeignPlace, JudgedBy, ListQuery, Listing, ProjectionReaders,
    Projections, RENEW_SETTINGS, ReadStore, Readers, RecordRow, SavedState, SetAsideRow,
    SqliteStore, StoreError, Writer, WriterHandle, settle_authority,
};
use node_sync::Input;
use serde_json::Value as Json;

use crate::archive::unarchive_own;
use crate::audit::HEAD_SETTING;
use crate::driver::{Events, to_stored};
use crate::folder::DataFolder;
use crate::metrics::{StoreMetrics, free_bytes};
use crate::quotas::spares;

/// The store: one thread that writes, readers apart, and the file of what can be rebuilt.
#[derive(Debug)]
pub(crate) struct Storage {
    readers: Readers,
    handle: WriterHandle,
    /// Before what writes, so that the file is whole when that closes.
    lists: ProjectionReaders,
    projections: Mutex<Projections>,
    /// Bytes of its disk below which nothing new is taken in.
    reserve: u64,
    /// Where the disk's room is asked for.
    data: PathBuf,
    /// Whether the store takes no more changes.
    stopped: Arc<AtomicBool>,
    /// Last, so that it closes after the readers.
    _writer: Writer,
}

/// The authority log's state, and the feeds of every space that it changed.
#[derive(Debug, Clone)]
pub(crate) struct Settled {
    pub(crate) authority: Arc<Authority>,
    pub(crate) trees: BTreeMap<SpaceId, BTreeMap<[u8; 32], FeedTree>>,
}

impl Storage {
    /// Opens both files. Projections that cannot be used are made anew.
    /// Where less than `reserve` bytes are left on the disk nothing new is taken in.
    pub(crate) fn open(
        folder: &DataFolder,
        metrics: StoreMetrics,
        reserve: u64,
    ) -> Result<Self, StoreError> {
        let store = SqliteStore::open(folder.store(), Check::AfterCrash)?;
        let readers = Readers::open(folder.store())?;
        let stopped = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&stopped);
        let writer = Writer::start_watched(store, move |batch| {
            metrics.batch(batch);
            told.store(batch.stopped, Ordering::Relaxed);
        })?;
        let projections = Projections::open(folder.projections())?;
        let lists = ProjectionReaders::open(folder.projections())?;
        Ok(Self {
            readers,
            handle: writer.handle(),
            lists,
            projections: Mutex::new(projections),
            reserve,
            data: folder.path().to_owned(),
            stopped,
            _writer: writer,
        })
    }

    /// Asks the store something.
    pub(crate) fn read<T>(
        &self,
        question: impl FnOnce(&Readers) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        question(&self.readers)
    }

    /// Whether the store takes no more changes until it is opened again: its disk failed.
    pub(crate) fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }

    /// Whether what is left on the disk is for what has been begun: for what ends access, erases, and
    /// makes room. Where the system does not tell, a full disk is noticed when it is full.
    fn is_low(&self) -> bool {
        free_bytes(&self.data).is_some_and(|free| free < self.reserve)
    }

    /// Whether runs are not taken for want of room: those that end access or erase always are.
    fn has_no_room(&self, authority: &Authority, runs: &[VerifiedRun]) -> bool {
        let access = SpaceId::authority(authority.network());
        let spared = |run: &VerifiedRun| run.space() == access || spares(run);
        !runs.iter().all(spared) && self.is_low()
    }

    /// Stores runs, and calls `done` once it is known whether they are durable.
    pub(crate) fn append(
        &self,
        authority: &Arc<Authority>,
        runs: Vec<VerifiedRun>,
        done: impl FnOnce(Result<Vec<Appended>, StoreError>) + Send + 'static,
    ) {
        if self.has_no_room(authority, &runs) {
            done(Err(StoreError::Full));
            return;
        }
        if self
            .handle
            .append(Arc::clone(authority), runs, done)
            .is_err()
        {
            tracing::error!("the store is closed, and entries arrived");
        }
    }

    /// Begins a first copy, and calls `done` on the store's thread once it is known whether that is
    /// durable, with whether documents of another one are gone.
    pub(crate) fn offer_copy(
        &self,
        peer: NodeId,
        offer: CopyOffer,
        done: impl FnOnce(Result<(CopyTaken, bool), StoreError>) + Send + 'static,
    ) {
        if self.is_low() {
            let refused = CopyTaken::Refused {
                why: StoreError::Full.to_string(),
                forged: false,
            };
            done(Ok((refused, false)));
            return;
        }
        let offer = move |store: &mut SqliteStore| {
            let space = offer.space;
            noting_loss(store, space, |store| store.offer_copy(peer, &offer))
        };
        if self.handle.submit(offer, done).is_err() {
            tracing::error!("the store is closed, and a copy was offered");
        }
    }

    /// Keeps a part of a first copy, and calls `done` on the store's thread once it is known whether
    /// it is durable, with whether documents of the copy are gone.
    pub(crate) fn take_copy(
        &self,
        authority: &Arc<Authority>,
        slice: CopySlice,
        done: impl FnOnce(Result<(CopyTaken, bool), StoreError>) + Send + 'static,
    ) {
        let authority = Arc::clone(authority);
        let take = move |store: &mut SqliteStore| {
            noting_loss(store, slice.space, |store| {
                store.take_copy(&authority, &slice)
            })
        };
        if self.handle.submit(take, done).is_err() {
            tracing::error!("the store is closed, and a copy arrived");
        }
    }

    /// Notes that documents of a first copy were checked: those that have these arrivals.
    pub(crate) fn set_checked(&self, space: SpaceId, arrivals: Vec<u64>) -> Result<(), StoreError> {
        self.handle
            .call(move |store| store.set_checked(space, &arrivals))
    }

    /// The spaces of which what was made of a first copy that was dropped is to be made again.
    pub(crate) fn to_renew(&self) -> Result<BTreeSet<SpaceId>, StoreError> {
        let names = self.read(|store| store.settings(RENEW_SETTINGS))?;
        let spaces = names.iter().filter_map(|name| {
            let space = name.strip_prefix(RENEW_SETTINGS)?;
            space.parse::<SpaceId>().ok()
        });
        Ok(spaces.collect())
    }

    /// What notes that a space is to be renewed; none if it is not.
    pub(crate) fn renewal(&self, space: SpaceId) -> Result<Option<Bytes>, StoreError> {
        self.read(|store| store.setting(&format!("{RENEW_SETTINGS}{space}")))
    }

    /// Notes that a space was renewed, unless it must be once more since `renewal` was read.
    pub(crate) fn renewed(&self, space: SpaceId, renewal: Option<Bytes>) -> Result<(), StoreError> {
        if renewal.is_none() {
            return Ok(());
        }
        let name = format!("{RENEW_SETTINGS}{space}");
        self.handle.call(move |store| {
            if store.setting(&name)? == renewal {
                store.set_setting(&name, None)?;
            }
            Ok(())
        })
    }

    /// Puts a first copy in its place, and tells the engine.
    pub(crate) fn place_copy(
        &self,
        authority: &Arc<Authority>,
        space: SpaceId,
        id: Hash,
        events: &Events,
    ) -> Result<CopyPlaced, StoreError> {
        let (authority, events) = (Arc::clone(authority), events.clone());
        let place = move |store: &mut SqliteStore| {
            let peer = peer_of_copy(store, space)?;
            Ok((peer, store.place_copy(&authority, space, id)?))
        };
        let told = move |(peer, placed): &(Option<NodeId>, CopyPlaced)| match placed {
            CopyPlaced::Placed(feeds) => {
                let feeds = feeds.clone();
                events.input(Input::CopyPlaced { space, feeds });
            }
            CopyPlaced::Refused(_) => tell_dropped(&events, space, *peer, None, None),
            CopyPlaced::Not => {}
        };
        self.wait(place, told).map(|(_, placed)| placed)
    }

    /// Takes out the first copy of a space that has this digest of its bases, if it is still under
    /// way, and tells the engine. Whether it was.
    pub(crate) fn drop_copy(
        &self,
        space: SpaceId,
        id: Hash,
        document: Option<Subject>,
        forged: Option<String>,
        events: &Events,
    ) -> Result<bool, StoreError> {
        let events = events.clone();
        let drop = move |store: &mut SqliteStore| {
            let peer = peer_of_copy(store, space)?;
            let dropped = store.drop_copy(space, id)?;
            Ok(peer.map(|peer| (peer, dropped)))
        };
        let told = move |dropped: &Option<(NodeId, bool)>| {
            if let Some((peer, true)) = dropped {
                tell_dropped(&events, space, Some(*peer), document, forged);
            }
        };
        let dropped = self.wait(drop, told)?;
        Ok(dropped.is_some_and(|(_, dropped)| dropped))
    }

    /// Takes a writer's feeds out of a space, to be fetched whole, and tells the engine.
    pub(crate) fn drop_base(
        &self,
        space: SpaceId,
        writer: [u8; 32],
        events: &Events,
    ) -> Result<bool, StoreError> {
        let events = events.clone();
        let drop = move |store: &mut SqliteStore| {
            let dropped = store.drop_base(space, writer)?;
            Ok(dropped.then_some(store.trees(space)?))
        };
        let told = move |trees: &Option<BTreeMap<[u8; 32], FeedTree>>| {
            if let Some(trees) = trees.clone() {
                events.input(Input::BaseDropped { space, trees });
            }
        };
        self.wait(drop, told).map(|trees| trees.is_some())
    }

    /// Stores runs and waits until they are durable. The engine is told of them on the store's
    /// thread, so that it hears of all changes in the order in which they were made.
    pub(crate) fn append_now(
        &self,
        authority: &Arc<Authority>,
        runs: Vec<VerifiedRun>,
        events: &Events,
    ) -> Result<Vec<Appended>, StoreError> {
        if self.has_no_room(authority, &runs) {
            return Err(StoreError::Full);
        }
        let authority = Arc::clone(authority);
        let events = events.clone();
        self.wait(
            move |store| store.append(&authority, runs),
            move |appended| {
                for appended in appended {
                    if let Appended::Stored(stored) = appended {
                        events.input(Input::Written(to_stored(stored.clone())));
                    }
                }
            },
        )
    }

    /// Folds the authority log and applies it to all that is held.
    /// `told` is called on the store's thread, before it makes any later change.
    pub(crate) fn settle_authority(
        &self,
        network: NetworkId,
        told: impl FnOnce(&Settled) + Send + 'static,
    ) -> Result<Settled, StoreError> {
        let settle = move |store: &mut SqliteStore| {
            let (authority, changed) = settle_authority(store, network)?;
            let mut changed = changed.into_iter().collect::<BTreeSet<_>>();
            changed.extend(store.renew_foreign(&authority)?);
            let trees = changed
                .into_iter()
                .map(|space| Ok((space, store.trees(space)?)))
                .collect::<Result<_, StoreError>>()?;
            Ok(Settled {
                authority: Arc::new(authority),
                trees,
            })
        };
        self.wait(settle, told)
    }

    /// Makes a change, tells of it on the store's thread, and waits until all that is done.
    fn wait<T: Send + 'static>(
        &self,
        change: impl FnOnce(&mut SqliteStore) -> Result<T, StoreError> + Send + 'static,
        told: impl FnOnce(&T) + Send + 'static,
    ) -> Result<T, StoreError> {
        let (answer, answered) = std::sync::mpsc::sync_channel(1);
        self.handle.submit(change, move |outcome| {
            if let Ok(done) = &outcome {
                told(done);
            }
            // Whoever asked waits below, unless its thread was ended meanwhile.
            let _gone = answer.send(outcome);
        })?;
        answered.recv().unwrap_or(Err(StoreError::Closed))
    }

    /// Sets a setting durably.
    pub(crate) fn set_setting(&self, key: &str, value: Option<&[u8]>) -> Result<(), StoreError> {
        let (key, value) = (key.to_owned(), value.map(Bytes::copy_from_slice));
        self.handle
            .call(move |store| store.set_setting(&key, value.as_deref()))
    }

    /// Remembers a peer's heights. Losing them costs bytes at the next session and nothing else.
    pub(crate) fn remember(&self, peer: NodeId, memory: node_sync::PeerMemory) {
        let memory = node_store::PeerMemory {
            root: Some(memory.root),
            spaces: memory.spaces,
        };
        self.later("a peer's heights", move |store| {
            store.remember_peer(peer, &memory)
        });
    }

    /// The TLS key over which a peer proved itself last, as the one that accepted.
    pub(crate) fn proven_key(&self, peer: NodeId) -> Option<Bytes> {
        let name = proven_key(peer);
        self.read(|store| store.setting(&name)).ok().flatten()
    }

    /// Keeps the TLS key over which a peer proved itself.
    pub(crate) fn keep_proven_key(&self, peer: NodeId, key: Arc<[u8]>) {
        let name = proven_key(peer);
        self.later("a peer's key", move |store| {
            store.set_setting(&name, Some(&key))
        });
    }

    /// Remembers where the audit log ends. An earlier end is remembered as well as the last.
    pub(crate) fn remember_audit_head(&self, head: AuditHead) {
        self.later("the end of the audit log", move |store| {
            store.set_setting(HEAD_SETTING, Some(&head.to_bytes()))
        });
    }

    /// Where the audit log ended when that was last remembered.
    pub(crate) fn audit_head(&self) -> Result<Option<AuditHead>, StoreError> {
        let head = self.read(|store| store.setting(HEAD_SETTING))?;
        Ok(head.and_then(|head| AuditHead::from_bytes(&head)))
    }

    /// Keeps what a peer refused.
    pub(crate) fn store_refusal(&self, peer: NodeId, refusal: Refusal) {
        self.later("a refusal", move |store| {
            store.store_refusal(peer, &refusal)
        });
    }

    /// Forgets what a peer refused.
    pub(crate) fn clear_refusals(&self, peer: NodeId) {
        self.later("refusals", move |store| store.clear_refusals(peer));
    }

    /// Keeps a receipt.
    pub(crate) fn store_receipt(&self, receipt: Receipt) {
        self.later("a receipt", move |store| store.store_receipt(&receipt));
    }

    /// Notes durably that something left this hub.
    pub(crate) fn add_disclosure(&self, disclosure: &Disclosure) -> Result<(), StoreError> {
        let disclosure = disclosure.clone();
        self.handle
            .call(move |store| store.add_disclosure(&disclosure))
    }

    /// What left this hub, oldest first: of one record or its copy, or in all.
    pub(crate) fn disclosures(
        &self,
        subject: Option<Subject>,
    ) -> Result<Vec<Disclosure>, StoreError> {
        self.read(|store| store.disclosures(subject))
    }

    /// Keeps archives of documents, and returns how many bytes were taken out of their entries.
    pub(crate) fn archive(
        &self,
        space: SpaceId,
        documents: Vec<ArchivedDocument>,
    ) -> Result<u64, StoreError> {
        if documents.is_empty() {
            return Ok(0);
        }
        self.handle
            .call(move |store| store.archive(space, &documents))
    }

    /// Puts payloads back into the entries of a document, and says whether no archive is needed any
    /// more.
    pub(crate) fn unarchive(
        &self,
        space: SpaceId,
        document: Subject,
        payloads: Vec<Bytes>,
    ) -> Result<bool, StoreError> {
        self.handle
            .call(move |store| store.unarchive(space, document, payloads))
    }

    /// Notes that the archive of a document does not give back these payloads, and says of how many
    /// entries they are.
    pub(crate) fn lose_archived(
        &self,
        space: SpaceId,
        document: Subject,
        lost: BTreeSet<Hash>,
    ) -> Result<u64, StoreError> {
        self.handle
            .call(move |store| store.lose_archived(space, document, &lost))
    }

    /// Drops what other hubs than `keep` wrote in a space that it has left, and says what it was
    /// about. Other changes are made in between.
    pub(crate) fn drop_foreign(
        &self,
        space: SpaceId,
        keep: HubId,
    ) -> Result<Vec<Subject>, StoreError> {
        unarchive_own(self, space, keep)?;
        let mut subjects = BTreeSet::new();
        let mut place = Some(ForeignPlace::default());
        while let Some(after) = place {
            let slice = self
                .handle
                .call(move |store| store.drop_foreign_slice(space, keep, after))?;
            subjects.extend(slice.subjects);
            place = slice.next;
        }
        Ok(subjects.into_iter().collect())
    }

    /// Reads and changes accounts in one durable change, with nothing else in between.
    pub(crate) fn change_accounts<T: Send + 'static>(
        &self,
        work: impl FnOnce(&AccountTables<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.handle.call(move |store| store.change_accounts(work))
    }

    /// Reads accounts.
    pub(crate) fn accounts<T>(
        &self,
        question: impl FnOnce(&AccountTables<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.readers.accounts(question)
    }

    /// Notes when a session was used last. Losing it ends the session sooner and nothing else.
    pub(crate) fn session_seen(&self, hash: [u8; 32], seen_ms: u64) {
        self.later("when a session was used", move |store| {
            store.change_accounts(|tables| tables.session_seen(hash, seen_ms))
        });
    }

    /// Checks the store's file.
    pub(crate) fn check(&self) -> Result<(), StoreError> {
        self.readers.check()
    }

    /// Writes a checked copy of the store.
    pub(crate) fn backup(&self, path: &Path) -> Result<(), StoreError> {
        self.readers.backup(path)
    }

    /// How far, in order of arrival, the rows reflect the store.
    pub(crate) fn reflects(&self) -> Result<u64, StoreError> {
        self.lists.reflects()
    }

    /// Notes how far the rows reflect the store.
    pub(crate) fn set_reflects(&self, arrival: u64) -> Result<(), StoreError> {
        self.projections().set_reflects(arrival)
    }

    /// A document's saved state and how far it had seen the store.
    pub(crate) fn snapshot(&self, space: SpaceId, subject: Subject) -> Option<(u64, Bytes)> {
        self.lists.snapshot(space, subject).ok().flatten()
    }

    /// How far a document's saved state had seen the store.
    pub(crate) fn snapshot_arrival(&self, space: SpaceId, subject: Subject) -> Option<u64> {
        self.lists.snapshot_arrival(space, subject).ok().flatten()
    }

    /// Keeps documents' states. Losing them costs time at the next opening and nothing else.
    pub(crate) fn save_snapshots(&self, states: &[SavedState]) -> Result<(), StoreError> {
        self.projections().save_snapshots(states)
    }

    /// Puts records' lines in: all of them, or none.
    pub(crate) fn put_rows(&self, rows: &[RecordRow]) -> Result<(), StoreError> {
        self.projections().put_records(rows)
    }

    /// Takes out a record's line in one space.
    pub(crate) fn drop_row(&self, space: SpaceId, subject: Subject) -> Result<(), StoreError> {
        self.projections().drop_record(space, subject)
    }

    /// A record's lines, one for each space that it is listed in.
    pub(crate) fn lines_of(&self, subject: Subject) -> Result<Vec<RecordRow>, StoreError> {
        self.lists.lines_of(subject)
    }

    /// What no longer counted in a space when its lines were last made.
    pub(crate) fn settled(&self, space: SpaceId) -> Result<Option<Hash>, StoreError> {
        self.lists.settled(space)
    }

    /// Notes what did not count in a space when its lines were made.
    pub(crate) fn set_settled(&self, space: SpaceId, evidence: Hash) -> Result<(), StoreError> {
        self.projections().set_settled(space, evidence)
    }

    /// The spaces of which lines or saved states are kept.
    pub(crate) fn listed_spaces(&self) -> Result<Vec<SpaceId>, StoreError> {
        self.lists.spaces()
    }

    /// The lines of one kind or all, in one space or all.
    pub(crate) fn rows(
        &self,
        kind: Option<&str>,
        space: Option<SpaceId>,
    ) -> Result<Vec<RecordRow>, StoreError> {
        self.lists.records(kind, space)
    }

    /// A part of the records that fit a query, and how many there are in all.
    pub(crate) fn list(&self, query: &ListQuery) -> Result<Listing, StoreError> {
        self.lists.list(query)
    }

    /// How many of the records that fit a query have each value of a field.
    pub(crate) fn count_by(
        &self,
        query: &ListQuery,
        field: &str,
    ) -> Result<Vec<(CellValue, u64)>, StoreError> {
        self.lists.count_by(query, field)
    }

    /// The lines of the records of which any field has this value.
    pub(crate) fn referring(&self, value: &str) -> Result<Vec<RecordRow>, StoreError> {
        self.lists.referring(value)
    }

    /// Removes what is left of lines and states that were taken out, if any were.
    pub(crate) fn scrub_if_needed(&self) -> Result<(), StoreError> {
        let mut projections = self.projections();
        if projections.needs_scrub()? {
            projections.scrub()?;
        }
        Ok(())
    }

    /// Takes out a record's line and its saved state.
    pub(crate) fn drop_subject(&self, subject: Subject) -> Result<(), StoreError> {
        self.projections().drop_subject(subject)
    }

    /// Takes out all lines and saved states of a space.
    pub(crate) fn drop_space(&self, space: SpaceId) -> Result<(), StoreError> {
        self.projections().drop_space(space)
    }

    /// Replaces what is set aside of a document.
    pub(crate) fn put_set_aside(
        &self,
        space: SpaceId,
        subject: Subject,
        rows: &[SetAsideRow],
    ) -> Result<(), StoreError> {
        self.projections().put_set_aside(space, subject, rows)
    }

    /// Notes an entry that is set aside by itself.
    pub(crate) fn add_set_aside(&self, row: &SetAsideRow) -> Result<(), StoreError> {
        self.projections().add_set_aside(row)
    }

    /// By which program what is set aside was judged.
    pub(crate) fn judged_by(&self) -> Result<Option<JudgedBy>, StoreError> {
        self.projections().judged_by()
    }

    /// Notes by which program all that is set aside was judged.
    pub(crate) fn set_judged_by(&self, by: &JudgedBy) -> Result<(), StoreError> {
        self.projections().set_judged_by(by)
    }

    /// How many entries are set aside.
    pub(crate) fn set_aside_count(&self) -> Result<u64, StoreError> {
        self.lists.set_aside_count()
    }

    /// All that is set aside.
    pub(crate) fn set_aside(&self) -> Result<Vec<SetAsideRow>, StoreError> {
        self.lists.set_aside()
    }

    fn later(
        &self,
        what: &'static str,
        change: impl FnOnce(&mut SqliteStore) -> Result<(), StoreError> + Send + 'static,
    ) {
        let done = move |outcome: Result<(), StoreError>| {
            if let Err(error) = outcome {
                tracing::warn!(%error, what, "this was not kept");
            }
        };
        if self.handle.submit(change, done).is_err() {
            tracing::debug!(what, "the store is closed, so this was not kept");
        }
    }

    fn projections(&self) -> MutexGuard<'_, Projections> {
        self.projections
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// The documents of a space that were not erased, in the order of their bytes: of entries, and of
/// first copies.
pub(crate) fn documents_of(
    store: &impl ReadStore,
    space: SpaceId,
) -> Result<BTreeSet<Subject>, StoreError> {
    let mut documents = store.bases(space, None, usize::MAX)?;
    documents.extend(store.subjects(space, Kind::CHANGES)?);
    standing(store, documents)
}

/// The cards of a space that were not erased, in the order of their bytes.
pub(crate) fn cards_of(
    store: &impl ReadStore,
    space: SpaceId,
) -> Result<BTreeSet<Subject>, StoreError> {
    standing(store, store.subjects(space, Kind::CARD)?)
}

/// Who took a first copy holds nothing at all of what was erased before.
fn standing(
    store: &impl ReadStore,
    subjects: Vec<Subject>,
) -> Result<BTreeSet<Subject>, StoreError> {
    let mut standing = BTreeSet::new();
    for subject in subjects {
        if !store.is_erased(subject)? {
            standing.insert(subject);
        }
    }
    Ok(standing)
}

/// The line that stands for a record in lists.
pub(crate) fn record_row(space: SpaceId, subject: Subject, row: node_domain::Row) -> RecordRow {
    let shown = row.columns.iter();
    let shown = shown.map(|(name, _, shown)| ((*name).to_owned(), shown.clone().into()));
    let json = Json::Object(shown.collect()).to_string();
    let cells = row.cells.into_iter().filter_map(|(field, value)| {
        let value = match value {
            Json::String(text) => CellValue::Text(text),
            Json::Number(number) => CellValue::Number(number.as_i64()?),
            // Of these the line has no cells.
            Json::Null | Json::Bool(_) | Json::Array(_) | Json::Object(_) => return None,
        };
        Some(Cell { field, value })
    });
    RecordRow {
        space,
        subject,
        kind: row.kind.to_owned(),
        title: row.title,
        json,
        searched: row.searched,
        cells: cells.collect(),
    }
}

fn peer_of_copy(store: &SqliteStore, space: SpaceId) -> Result<Option<NodeId>, StoreError> {
    let copies = store.copies()?.into_iter();
    let mut here = copies.filter(|(at, _)| *at == space);
    Ok(here.next().map(|(_, place)| place.peer))
}

fn tell_dropped(
    events: &Events,
    space: SpaceId,
    peer: Option<NodeId>,
    document: Option<Subject>,
    forged: Option<String>,
) {
    if let Some(peer) = peer {
        events.input(Input::CopyDropped {
            space,
            peer,
            document,
            forged,
        });
    }
}

fn proven_key(peer: NodeId) -> String {
    format!("proven-key/{peer}")
}

/// What is remembered of a peer, as the engine takes it.
pub(crate) fn to_memory(memory: node_store::PeerMemory) -> Option<node_sync::PeerMemory> {
    Some(node_sync::PeerMemory {
        root: memory.root?,
        spaces: memory.spaces,
    })
}

/// What `change` returns, and whether documents or live entries of a first copy of `space` are gone by
/// it.
fn noting_loss<T>(
    store: &mut SqliteStore,
    space: SpaceId,
    change: impl FnOnce(&mut SqliteStore) -> Result<T, StoreError>,
) -> Result<(T, bool), StoreError> {
    let begun = |store: &SqliteStore| {
        let copies = store.copies()?.into_iter();
        let is_begun = |place: &CopyPlace| place.documents.is_some();
        let mut copies = copies.filter(|(at, place)| *at == space && is_begun(place));
        Ok::<_, StoreError>(copies.next().map(|(_, place)| place.bases))
    };
    let before = begun(store)?;
    let changed = change(store)?;
    let gone = before.is_some() && begun(store)? != before;
    Ok((changed, gone))
}
