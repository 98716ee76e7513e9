//! A node: its store, its keys, its documents, and what it knows of the network.

mod inner;

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock, Weak};
use std::time::Duration;

use node_document::Author;
use node_feed::{
    Authority, Entry, Height, Heights, HubId, NetworkId, NodeId, Nonce, SecretKey, SpaceId,
};
use node_store::{Compacted, ReadStore, SqliteStore, StoreError};
use node_sync::{Engine, Message};
use tokio::sync::{mpsc, watch};

use crate::accounts::Door;
use crate::applier::Applier;
use crate::archive::Archiving;
use crate::arrivals::Arrivals;
use crate::audit::{self, Audit};
use crate::author::{self, Authors, WriteError};
use crate::backup::{self, Keeper};
use crate::checkpoints::{self, Checkpoints};
use crate::config::{Config, ConfigError};
use crate::copying::{CopiedDocuments, Copying};
use crate::driver::{self, Event, Events};
use crate::enrolment::{Current, Enrolled, Invitation};
use crate::folder::{DataFolder, FolderError, write_seed};
use crate::identity;
use crate::library::Library;
use crate::marks::Marks;
use crate::membership::{CoordinatorContact, Membership};
use crate::metrics::{Metrics, WatchPort};
use crate::peers::{Peers, RefusedEntry, RefusedSession};
use crate::quotas::Quotas;
use crate::readiness::Reachable;
use crate::session::{SessionCost, TappedFrame};
use crate::storage::Storage;
use crate::suspended::Suspended;
use crate::tls::{CertificateError, Traffic};
use crate::{link, random};

pub(crate) use inner::{Inner, heights_of};

/// Why a node cannot be set up, opened or connected.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NodeError {
    /// The data folder cannot be used.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// The settings cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The store cannot be opened.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The audit log cannot be opened.
    #[error(
        "the audit log cannot be used: {0}. Keep a copy of audit.db; if it is damaged, move it away, \
         and the next start begins another"
    )]
    Audit(#[source] StoreError),
    /// The certificate that `connect` saved cannot be used.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// The store is gone from a folder that had one.
    #[error(
        "{} lacks its store: a restore was broken off, or the file was moved. Put it back, or run \
         `restore` with a backup",
        .0.display()
    )]
    StoreMissing(PathBuf),
    /// The node belongs to another network.
    #[error(
        "this node belongs to another network already; set up a new one in a folder of its own"
    )]
    OtherNetwork,
}

/// Why the store did not take or give something.
pub type StoreAccessError = StoreError;

/// A node. Cheap to clone; all clones are one node, which is closed when the last is dropped.
#[derive(Debug, Clone)]
pub struct Node {
    pub(crate) inner: Arc<Inner>,
}

/// A node's running tasks.
#[derive(Debug)]
pub struct Running {
    inner: Arc<Inner>,
    stop: watch::Sender<bool>,
    tasks: Vec<tokio::task::JoinHandle<()>>,
    metrics: Option<SocketAddr>,
}

impl Node {
    /// Sets up a new node in a folder that holds none.
    ///
    /// # Errors
    /// [`NodeError`]; see [`FolderError::Exists`].
    pub fn create(path: &Path) -> Result<Self, NodeError> {
        DataFolder::own(path)?;
        let config = Config::read(&DataFolder::config(path))?;
        Self::create_with(path, SecretKey::from_seed(&random::<32>()), config)
    }

    /// Finishes the setting up of a node that was broken off, as on a full disk; none if there was nothing
    /// to finish: a folder whose node was connected, or asked to be, is left as it is.
    ///
    /// # Errors
    /// [`NodeError`].
    pub fn finish(path: &Path) -> Result<Option<Self>, NodeError> {
        DataFolder::own(path)?;
        let config = Config::read(&DataFolder::config(path))?;
        let folder = DataFolder::open(path)?;
        let later = [
            folder.membership(),
            folder.connecting(),
            folder.credentials(),
        ];
        // The log's first line is the last step.
        if later.iter().any(|file| file.exists()) || Audit::is_begun(&folder) {
            return Ok(None);
        }
        Self::assemble(folder, config).map(Some)
    }

    /// Sets up a new node with these settings and an identity that exists, as a coordinator's
    /// saved one.
    ///
    /// # Errors
    /// [`NodeError`].
    pub fn create_with(
        path: &Path,
        identity: SecretKey,
        config: Config,
    ) -> Result<Self, NodeError> {
        let folder = DataFolder::create(path)?;
        write_seed(&folder.identity(), &identity.seed())?;
        Self::assemble(folder, config)
    }

    /// Makes the store's file in `path` smaller, if it is much larger than it need be. Says what came
    /// of it, to be logged once the node's settings are known.
    ///
    /// # Errors
    /// [`NodeError`]: it is as it was.
    pub fn compact(path: &Path) -> Result<Option<Compacted>, NodeError> {
        let folder = DataFolder::open(path)?;
        Ok(SqliteStore::compact(folder.store())?)
    }

    /// Opens the node in `path`, with the settings that are there.
    ///
    /// # Errors
    /// [`NodeError`].
    pub fn open(path: &Path) -> Result<Self, NodeError> {
        DataFolder::own(path)?;
        Self::open_with(path, Config::read(&DataFolder::config(path))?)
    }

    /// Opens the node in `path` with these settings.
    ///
    /// # Errors
    /// [`NodeError`].
    pub fn open_with(path: &Path, config: Config) -> Result<Self, NodeError> {
        let folder = DataFolder::open(path)?;
        if !folder.store().exists() {
            return Err(NodeError::StoreMissing(path.to_owned()));
        }
        Self::assemble(folder, config)
    }

    pub(crate) fn assemble(folder: DataFolder, config: Config) -> Result<Self, NodeError> {
        backup::sweep(folder.path());
        let identity = identity::open(&folder)?;
        let membership = Membership::read(&folder)?;
        let metrics = Metrics::new(config.metrics.address().is_some());
        let storage = Storage::open(&folder, metrics.store(), config.limits.disk_reserve_bytes)?;
        let node = identity.public().node();
        let own_nodes = identity::settle_writers(&storage, node)?;
        let audit = Audit::open(&folder, node, storage.audit_head()?).map_err(NodeError::Audit)?;
        let network = membership.as_ref().map(|membership| membership.network);
        let authority = match network {
            None => Arc::new(Authority::new(NetworkId::from_bytes([0; 16]))),
            Some(network) => storage.settle_authority(network, |_| {})?.authority,
        };
        let inner = Arc::new(Inner {
            library: Library::new(config.documents.cache_bytes_max),
            metrics,
            audit,
            reachable: Reachable::default(),
            door: Door::default(),
            quotas: Arc::new(Quotas::new(config.limits.clone())),
            config,
            marks: Marks::default(),
            peers: Peers::new(),
            suspended: Suspended::load(&storage)?,
            paused: watch::channel(false).0,
            arrivals: watch::channel(Arrivals::default()).0,
            copying: watch::channel(Copying::default()).0,
            listed: watch::channel(0).0,
            packer: Arc::default(),
            tap: OnceLock::new(),
            frame_tap: OnceLock::new(),
            tally: Mutex::new(None),
            authors: Authors::default(),
            checkpoints: Checkpoints::default(),
            archiving: Archiving::default(),
            keeper: Keeper::default(),
            storage,
            nonce: Nonce(random()),
            folder,
            identity,
            own_nodes,
            replacing: tokio::sync::Mutex::default(),
            reopen: watch::channel(false).0,
            successor: Mutex::default(),
            seeing: Mutex::default(),
            joined: watch::channel(membership.is_some()).0,
            connecting: Current::default(),
            membership: RwLock::new(membership),
            authority: Arc::new(RwLock::new(authority)),
            events: Events::default(),
            applier: Applier::default(),
            memo: crate::records::Memo::default(),
            publishing: std::sync::Mutex::new(()),
            sessions: AtomicU64::new(1),
        });
        inner.note_contact()?;
        inner.take_in_accounts();
        inner.note_own_access();
        inner.notice_hub_nodes();
        inner.load_marks()?;
        Applier::start(&inner);
        Ok(Self { inner })
    }

    /// This node's id.
    pub fn id(&self) -> NodeId {
        self.inner.identity.public().node()
    }

    /// This node's identity key.
    pub fn identity(&self) -> &SecretKey {
        &self.inner.identity
    }

    /// The settings.
    pub fn config(&self) -> &Config {
        &self.inner.config
    }

    /// The data folder.
    pub fn folder(&self) -> &Path {
        self.inner.folder.path()
    }

    /// Where the own service's socket is.
    pub fn socket(&self) -> PathBuf {
        DataFolder::socket(self.inner.folder.path())
    }

    /// The network that this node belongs to.
    pub fn network(&self) -> Option<NetworkId> {
        self.inner.membership().map(|membership| membership.network)
    }

    /// The hub that this node belongs to.
    pub fn hub(&self) -> Option<HubId> {
        self.inner.membership().map(|membership| membership.hub)
    }

    /// What the authority log says now.
    pub fn authority(&self) -> Arc<Authority> {
        self.inner.authority()
    }

    /// Checks that this node may join `network`.
    ///
    /// # Errors
    /// [`NodeError::OtherNetwork`].
    pub fn may_join(&self, network: NetworkId) -> Result<(), NodeError> {
        match self.network() {
            Some(own) if own != network => Err(NodeError::OtherNetwork),
            _ => Ok(()),
        }
    }

    /// Keeps what connecting brought: the network, the hub, the certificate.
    ///
    /// # Errors
    /// [`NodeError`].
    pub fn join(&self, invitation: &Invitation, enrolled: &Enrolled) -> Result<(), NodeError> {
        self.may_join(enrolled.network)?;
        self.inner.keep_credentials(&enrolled.credentials)?;
        self.set_membership(Membership {
            network: enrolled.network,
            hub: enrolled.hub,
            coordinator: Some(CoordinatorContact {
                address: invitation.address.clone(),
                // Another key that it has by now is pinned once the record of access names it.
                identity: invitation.coordinator,
                authority_pem: invitation.authority_pem.clone(),
            }),
        })
    }

    /// Says which network this node belongs to, and as which hub.
    ///
    /// # Errors
    /// [`NodeError::OtherNetwork`] or [`NodeError::Folder`].
    pub fn set_membership(&self, membership: Membership) -> Result<(), NodeError> {
        self.may_join(membership.network)?;
        membership.write(&self.inner.folder)?;
        let member = membership.to_bytes();
        self.inner
            .storage
            .set_setting(Membership::SETTING, Some(&member))?;
        *self
            .inner
            .membership
            .write()
            .unwrap_or_else(PoisonError::into_inner) = Some(membership);
        self.inner.note_contact()?;
        self.inner.settle_authority()?;
        self.inner.joined.send_replace(true);
        Ok(())
    }

    /// Starts talking to peers, as soon as this node is connected to a network; a request to
    /// connect that has no outcome yet goes on. Must be called within a tokio runtime, once.
    pub fn start(&self) -> Running {
        let (stop, stopped) = watch::channel(false);
        let mut tasks = Vec::new();
        if let Err(error) = self.note_start() {
            tracing::error!(%error, "the audit log lacks the start");
        }
        tasks.push(tokio::spawn(write_counted(
            Arc::downgrade(&self.inner),
            stopped.clone(),
        )));
        let metrics = self.serve_metrics(&stopped).map(|(address, task)| {
            tasks.push(task);
            address
        });
        if let Err(error) = self.inner.know_writers() {
            tracing::error!(%error, "whose feeds are cannot be read, so no quota holds for them");
        }
        tasks.push(tokio::spawn(learn_usage(
            Arc::downgrade(&self.inner),
            stopped.clone(),
        )));
        // The queue first: what is written while the engine is made waits there.
        if let Some(events) = self.inner.events.listen() {
            match self.inner.engine() {
                Ok(Some(engine)) => tasks.extend(self.begin(engine, events, &stopped)),
                Ok(None) => {
                    tracing::warn!("this node is not connected to a network yet");
                    tasks.push(tokio::spawn(begin_once_joined(
                        self.clone(),
                        events,
                        stopped,
                    )));
                }
                Err(error) => tracing::error!(%error, "the store cannot be read"),
            }
        }
        if let Err(error) = self.resume_connecting() {
            tracing::error!(%error, "the request to connect cannot go on");
        }
        if !self.inner.config.backup.folder.is_empty() {
            let inner = Arc::downgrade(&self.inner);
            tasks.push(tokio::spawn(backup::keep(inner, stop.subscribe())));
        }
        Running {
            inner: Arc::clone(&self.inner),
            stop,
            tasks,
            metrics,
        }
    }

    fn note_start(&self) -> Result<(), StoreError> {
        let version = audit::Fields::new().with("version", env!("CARGO_PKG_VERSION"));
        self.inner.note(audit::Event::Started, version)?;
        self.inner.log_audit_head();
        self.note_settings(self.config())
    }

    /// Serves metrics, as the settings say. Where they cannot be, that is said, and the node goes on.
    fn serve_metrics(
        &self,
        stopped: &watch::Receiver<bool>,
    ) -> Option<(SocketAddr, tokio::task::JoinHandle<()>)> {
        let address = self.config().metrics.address()?;
        match WatchPort::listen(address) {
            Ok(port) => {
                let (address, node) = (port.address(), Arc::downgrade(&self.inner));
                let task = tokio::spawn(port.serve(node, stopped.clone()));
                Some((address, task))
            }
            Err(error) => {
                tracing::error!(%address, %error, "metrics cannot be served: choose another \
                    [metrics] listen, or stop the program that uses it");
                None
            }
        }
    }

    fn begin(
        &self,
        engine: Engine,
        events: mpsc::UnboundedReceiver<Event>,
        stopped: &watch::Receiver<bool>,
    ) -> Vec<tokio::task::JoinHandle<()>> {
        let inner = Arc::clone(&self.inner);
        let mut tasks = vec![tokio::spawn(driver::run(inner, engine, events))];
        tasks.extend(self.dial(stopped.clone()));
        tasks.extend(identity::begin(&self.inner, stopped.clone()));
        let inner = Arc::downgrade(&self.inner);
        tasks.push(tokio::spawn(keep_in_order(inner, stopped.clone())));
        tasks
    }

    fn dial(&self, stopped: watch::Receiver<bool>) -> Option<tokio::task::JoinHandle<()>> {
        let membership = self.inner.membership()?;
        let contact = membership.coordinator?;
        // After a restore with the recovery words there is none yet, and a new one is asked for.
        let restored = !self.inner.folder.credentials().exists();
        match self.inner.credentials().map(Some) {
            Err(_) if restored => Some(tokio::spawn(link::run(
                Arc::clone(&self.inner),
                membership.network,
                contact,
                None,
                stopped,
            ))),
            Ok(credentials) => {
                let inner = Arc::clone(&self.inner);
                Some(tokio::spawn(link::run(
                    inner,
                    membership.network,
                    contact,
                    credentials,
                    stopped,
                )))
            }
            Err(error) => {
                tracing::error!(%error, "the certificate cannot be used: connect this hub again");
                None
            }
        }
    }

    /// Signs and stores an entry of this node's own feed in `space`. The records do this for
    /// documents and cards.
    ///
    /// # Errors
    /// [`WriteError`]; nothing was written then.
    pub fn write(&self, space: SpaceId, entry: Entry) -> Result<Height, WriteError> {
        self.write_all(space, vec![entry])
    }

    /// Signs and stores entries of this node's own feed in `space` under one signature: all of
    /// them, or none.
    ///
    /// # Errors
    /// [`WriteError`]; nothing was written then. [`WriteError::Run`] if they are too many.
    pub fn write_all(&self, space: SpaceId, entries: Vec<Entry>) -> Result<Height, WriteError> {
        let author = self.inner.authors.of(space);
        let mut author = author::lock(&author);
        self.inner.writer(&mut author, space)?;
        self.inner
            .write(&mut author, space, entries)
            .map(|wrote| wrote.last)
    }

    /// Who this process writes as in `space`: what the actors of its changes are derived from.
    ///
    /// # Errors
    /// [`WriteError`] if this hub may not write there, or the store cannot be read.
    pub fn author(&self, space: SpaceId) -> Result<Author, WriteError> {
        let author = self.inner.authors.of(space);
        let mut author = author::lock(&author);
        let writer = self.inner.writer(&mut author, space)?;
        Ok(Author {
            writer,
            hub: self.inner.own()?.hub,
            nonce: self.inner.nonce,
        })
    }

    /// The heights of a space.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn heights(&self, space: SpaceId) -> Result<Heights, StoreError> {
        let trees = self.inner.storage.read(|store| store.trees(space))?;
        Ok(heights_of(&trees))
    }

    /// The nodes with a session now.
    pub fn peers_connected(&self) -> BTreeSet<NodeId> {
        self.inner.peers.connected()
    }

    /// The nodes that were heard of since this one started.
    pub fn peers_heard(&self) -> BTreeSet<NodeId> {
        self.inner.peers.heard_of()
    }

    /// When a node was heard of last since this one started, in ms since 1970.
    pub fn heard_ms(&self, node: &NodeId) -> Option<u64> {
        self.inner.peers.heard_ms(node)
    }

    /// Changes whenever a peer connects, goes, becomes equal, stops being so, or is refused
    /// something.
    pub fn peer_changes(&self) -> watch::Receiver<u64> {
        self.inner.peers.changes()
    }

    /// The entries of peers that were refused here since the start, with their reasons.
    pub fn refused_entries(&self) -> Vec<RefusedEntry> {
        self.inner.peers.refused_entries()
    }

    /// The sessions that were refused here since the start, with their reasons.
    pub fn refused_sessions(&self) -> Vec<RefusedSession> {
        self.inner.peers.refused_sessions()
    }

    /// Waits until everything shared with `peers` peers at least is known to be equal.
    pub async fn in_sync(&self, peers: usize) {
        let mut changes = self.inner.peers.changes();
        while self.inner.peers.equal_now().len() < peers {
            if changes.changed().await.is_err() {
                return;
            }
        }
    }

    /// How many entries this node holds that no node of `hub` is known to hold.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn lag_of_hub(&self, hub: HubId) -> Result<u64, StoreError> {
        let authority = self.authority();
        let mut lag = 0;
        for space in authority.spaces().keys() {
            if authority.access(hub, *space).is_none() {
                continue;
            }
            for (feed, height) in self.heights(*space)?.iter() {
                let of_hub = |node: &NodeId| authority.hub_of(node) == Some(hub);
                let held = self.inner.marks.highest(*space, feed, of_hub);
                lag += held.map_or(height.number + 1, |held| height.number.saturating_sub(held));
            }
        }
        Ok(lag)
    }

    /// What went over the last connection that this node dialled.
    pub fn traffic(&self) -> Option<Arc<Traffic>> {
        self.inner.tally().map(|tally| Arc::clone(tally.traffic()))
    }

    /// What the last session that this node dialled had cost when both ends last knew that they
    /// were equal.
    pub fn session_cost(&self) -> Option<SessionCost> {
        self.inner.tally()?.cost()
    }

    /// How many entries came from peers; it changes with each that does.
    pub fn arrivals(&self) -> watch::Receiver<Arrivals> {
        self.inner.arrivals.subscribe()
    }

    /// How many changes are here of those that others share and that are being copied, and how many
    /// those are, as far as is known; none while nothing is copied.
    pub fn copied(&self) -> Option<(u64, u64)> {
        self.inner.copying.borrow().headway()
    }

    /// How far first copies have come; none if none is under way.
    pub fn copied_documents(&self) -> Option<CopiedDocuments> {
        self.inner.copying.borrow().copied_documents()
    }

    /// How many documents of first copies are here and not checked yet.
    ///
    /// # Errors
    /// [`StoreAccessError`] if the store cannot be read.
    pub fn unchecked_documents(&self) -> Result<u64, StoreAccessError> {
        self.inner.storage.read(ReadStore::unchecked_count)
    }

    /// How often a document was opened that was not in memory, since this process started.
    pub fn documents_opened(&self) -> u64 {
        self.inner.library.opened()
    }

    /// How many stored entries were read since the start to bring documents up to date. One that is
    /// opened from its saved state reads none of those that it holds.
    pub fn entries_applied(&self) -> u64 {
        self.inner.library.read()
    }

    /// Changes whenever lists have taken up something new, from here or from a peer.
    pub(crate) fn listed(&self) -> watch::Receiver<u64> {
        self.inner.listed.subscribe()
    }

    /// A number for the next request, which its log lines carry.
    pub(crate) fn next_request(&self) -> u64 {
        self.inner.sessions.fetch_add(1, Ordering::Relaxed)
    }

    /// Everything that this node's sessions say and hear from now on, as it was before it was
    /// packed and encrypted; for exercises and tests that search the wire. It is given once.
    pub fn tap(&self) -> Option<mpsc::UnboundedReceiver<Message>> {
        let (sender, messages) = mpsc::unbounded_channel();
        self.inner.tap.set(sender).ok()?;
        Some(messages)
    }

    /// Every frame that sessions begun from now on say and hear, as it goes over the wire within the
    /// encryption; for keeping what a version says for later ones. It is given once.
    pub fn tap_frames(&self) -> Option<mpsc::UnboundedReceiver<TappedFrame>> {
        let (sender, frames) = mpsc::unbounded_channel();
        self.inner.frame_tap.set(sender).ok()?;
        Some(frames)
    }

    /// Stops or resumes talking to peers, as an unplugged cable would.
    pub fn pause(&self, paused: bool) {
        self.inner.paused.send_replace(paused);
    }

    /// Whether it is stopped so.
    pub fn is_paused(&self) -> bool {
        *self.inner.paused.borrow()
    }
}

impl Running {
    /// Where metrics are served; none if they are not.
    pub const fn metrics_address(&self) -> Option<SocketAddr> {
        self.metrics
    }

    /// Ends every session and waits for the tasks to end, at most `grace` for all of them, and two seconds
    /// more until the audit log says so.
    pub async fn stop(self, grace: Duration) {
        let until = tokio::time::Instant::now() + grace;
        self.inner.connecting.stop();
        let inner = Arc::clone(&self.inner);
        let checkpoints = tokio::task::spawn_blocking(move || checkpoints::at_close(&inner));
        if tokio::time::timeout_at(until, checkpoints).await.is_err() {
            tracing::warn!("checkpoints were still being written when the time to stop had passed");
        }
        self.inner.event(Event::Stop);
        let _told = self.stop.send(true);
        for task in self.tasks {
            if tokio::time::timeout_at(until, task).await.is_err() {
                tracing::warn!("a task was still running when the time to stop had passed");
            }
        }
        let inner = self.inner;
        inner.reachable.set(false);
        let noted = tokio::task::spawn_blocking(move || {
            inner.note_what_was_counted(true);
            if let Err(error) = inner.note(audit::Event::Stopped, audit::Fields::new()) {
                tracing::error!(%error, "the audit log lacks the end");
            }
            inner.log_audit_head();
        });
        if tokio::time::timeout(NOTING, noted).await.is_err() {
            tracing::warn!(
                "the audit log was still being written when the time to stop had passed"
            );
        }
    }
}

/// How long the last lines of the audit log may take.
const NOTING: Duration = Duration::from_secs(2);
/// How often it is looked whether what was counted is due in the audit log.
const COUNTED_INTERVAL: Duration = Duration::from_secs(5);

/// Writes into the audit log what was counted, as it becomes due.
async fn write_counted(inner: Weak<Inner>, mut stopped: watch::Receiver<bool>) {
    let mut times = tokio::time::interval(COUNTED_INTERVAL);
    times.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _stopped = stopped.wait_for(|stop| *stop) => return,
            _ = times.tick() => {}
        }
        let Some(inner) = inner.upgrade() else {
            return;
        };
        let written = tokio::task::spawn_blocking(move || inner.note_what_was_counted(false));
        let _written = written.await;
    }
}

/// Reads once a day what is kept of each hub: what was erased or archived counts no longer.
async fn learn_usage(inner: Weak<Inner>, mut stopped: watch::Receiver<bool>) {
    const EVERY: Duration = Duration::from_hours(24);
    loop {
        let Some(inner) = inner.upgrade() else {
            return;
        };
        let read = tokio::task::spawn_blocking(move || inner.learn_usage());
        if read.await.is_err() {
            return;
        }
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            _stopped = stopped.wait_for(|stopped| *stopped) => return,
        }
    }
}

/// Waits until the node is connected to a network, and begins to talk to peers then.
async fn begin_once_joined(
    node: Node,
    events: mpsc::UnboundedReceiver<Event>,
    mut stopped: watch::Receiver<bool>,
) {
    let mut joined = node.inner.joined.subscribe();
    tokio::select! {
        _stopped = stopped.wait_for(|stop| *stop) => return,
        _joined = joined.wait_for(|joined| *joined) => {}
    }
    let tasks = match node.inner.engine() {
        Ok(Some(engine)) => node.begin(engine, events, &stopped),
        Ok(None) => Vec::new(),
        Err(error) => {
            tracing::error!(%error, "the store cannot be read");
            Vec::new()
        }
    };
    drop(node);
    for task in tasks {
        let _ended = task.await;
    }
}

/// How long after its start a node first looks what it need not keep, and how often after that.
const ORDER_FIRST: Duration = Duration::from_secs(30);
const ORDER_INTERVAL: Duration = Duration::from_secs(600);

/// From time to time: what need not be kept is removed, and what is not wished is taken back.
async fn keep_in_order(inner: Weak<Inner>, mut stopped: watch::Receiver<bool>) {
    let first = tokio::time::Instant::now() + ORDER_FIRST;
    let mut times = tokio::time::interval_at(first, ORDER_INTERVAL);
    times.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = stopped.changed() => return,
            _ = times.tick() => {}
        }
        let Some(inner) = inner.upgrade() else {
            return;
        };
        let stop = stopped.clone();
        let done = tokio::task::spawn_blocking(move || {
            let node = Node { inner };
            checkpoints::daily(&node.inner);
            node.withdraw_unwished()?;
            node.retain()?;
            if let Err(error) = node.archive_daily(|| *stop.borrow()) {
                tracing::warn!(%error, "changes of old entries stay where they are for a day");
            }
            Ok::<_, crate::records::RecordsError>(())
        });
        if let Ok(Err(error)) = done.await {
            tracing::warn!(%error, "what need not be kept is not removed yet");
        }
    }
}
