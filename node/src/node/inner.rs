//! What all clones of a node share, and the ways through which its parts reach each other.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock};

use node_feed::{
    Authority, CopyTaken, Entry, FeedName, FeedTree, Hash, Height, Heights, HubId, NetworkId,
    NodeId, Nonce, PublicKey, Refusal, SecretKey, SpaceId, Subject,
};
use node_store::{ReadStore, StoreError};
use node_sync::{Engine, Held, Input, Message, Own, SessionId};
use tokio::sync::{mpsc, watch};
use zeroize::Zeroizing;

use super::NodeError;
use crate::accounts::Door;
use crate::applier::Applier;
use crate::archive::Archiving;
use crate::arrivals::Arrivals;
use crate::audit::Audit;
use crate::author::{self, Authors, Identity, WriteError, Wrote};
use crate::backup::Keeper;
use crate::checkpoints::Checkpoints;
use crate::clock::now_ms;
use crate::config::Config;
use crate::copying::Copying;
use crate::driver::{Event, Events};
use crate::enrolment::{Current, EnrolError, renew};
use crate::folder::{DataFolder, FolderError, write_private};
use crate::grpc::packer::Packer;
use crate::library::Library;
use crate::marks::Marks;
use crate::membership::{CoordinatorContact, Membership};
use crate::metrics::Metrics;
use crate::peers::Peers;
use crate::quotas::Quotas;
use crate::readiness::Reachable;
use crate::records::Memo;
use crate::session::{FrameTap, Tally};
use crate::storage::{Settled, Storage};
use crate::suspended::Suspended;
use crate::tls::{Connector, Credentials, TlsError, pem};

/// Why a certificate was not renewed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RenewError {
    /// The coordinator cannot be dialled.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The coordinator did not give one.
    #[error(transparent)]
    Enrol(#[from] EnrolError),
    /// It could not be kept.
    #[error(transparent)]
    Folder(#[from] FolderError),
}

pub(crate) struct Inner {
    pub(crate) config: Config,
    pub(crate) storage: Storage,
    pub(crate) metrics: Metrics,
    pub(crate) audit: Audit,
    pub(crate) reachable: Reachable,
    pub(crate) library: Library,
    pub(crate) door: Door,
    pub(crate) marks: Marks,
    pub(crate) peers: Peers,
    pub(crate) suspended: Suspended,
    pub(crate) paused: watch::Sender<bool>,
    pub(crate) arrivals: watch::Sender<Arrivals>,
    /// How far the copying of what others share has come.
    pub(crate) copying: watch::Sender<Copying>,
    /// Changes whenever lists have taken up something new.
    pub(crate) listed: watch::Sender<u64>,
    pub(crate) packer: Arc<Packer>,
    /// Where all that sessions say and hear is told, if anybody listens.
    pub(crate) tap: OnceLock<mpsc::UnboundedSender<Message>>,
    /// And who listens to the frames.
    pub(crate) frame_tap: OnceLock<FrameTap>,
    /// Of the last connection that was dialled.
    pub(super) tally: Mutex<Option<Arc<Tally>>>,
    pub(crate) authors: Authors,
    pub(crate) checkpoints: Checkpoints,
    pub(crate) archiving: Archiving,
    pub(crate) keeper: Keeper,
    pub(crate) quotas: Arc<Quotas>,
    /// From which this process's actors are derived.
    pub(crate) nonce: Nonce,
    pub(crate) identity: SecretKey,
    /// This node, and those that it was before, as far as is known.
    pub(crate) own_nodes: BTreeSet<NodeId>,
    /// Held while the identity key is replaced.
    pub(crate) replacing: tokio::sync::Mutex<()>,
    /// Whether whoever runs this node is to open its folder anew.
    pub(crate) reopen: watch::Sender<bool>,
    /// To whom the pinned coordinator's key led, until that one is pinned.
    pub(crate) successor: Mutex<Option<PublicKey>>,
    /// Held while it is kept which nodes of the hub were seen.
    pub(crate) seeing: Mutex<()>,
    pub(crate) membership: RwLock<Option<Membership>>,
    /// Whether there is a membership; sessions begin once there is.
    pub(super) joined: watch::Sender<bool>,
    /// The request to connect that is made at present, or was last.
    pub(crate) connecting: Current,
    pub(super) authority: Arc<RwLock<Arc<Authority>>>,
    pub(crate) events: Events,
    pub(super) applier: Applier,
    /// Answers about records that cost much.
    pub(crate) memo: Memo,
    pub(super) sessions: AtomicU64,
    /// Held while something is published or withdrawn.
    pub(super) publishing: Mutex<()>,
    /// Dropped last, so that whoever finds its lock free finds the files closed.
    pub(crate) folder: DataFolder,
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Node")
            .field("folder", &self.folder.path())
            .finish_non_exhaustive()
    }
}

impl Inner {
    /// Tells whoever listens of a message.
    pub(crate) fn overhear(&self, message: &Message) {
        if let Some(tap) = self.tap.get() {
            let _gone = tap.send(message.clone());
        }
    }

    pub(crate) fn membership(&self) -> Option<Membership> {
        self.membership
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// A peer takes entries later, and says why; people read it in the status until all is equal.
    pub(crate) fn held_back(&self, refusal: &Refusal) {
        let authority = self.authority();
        let title = authority
            .spaces()
            .get(&refusal.space)
            .map(|it| it.title.clone());
        let title = title.unwrap_or_else(|| refusal.space.to_string());
        let why = refusal.reason;
        self.peers
            .failed(format!("what was written in \"{title}\" waits here: {why}"));
    }

    /// Whose writers are, for the quotas.
    pub(crate) fn know_writers(&self) -> Result<(), StoreError> {
        self.quotas
            .know(self.storage.read(node_store::Readers::writer_hubs)?);
        Ok(())
    }

    /// What of each hub is kept, for the quotas.
    pub(crate) fn learn_usage(&self) {
        match self.storage.read(node_store::Readers::writer_bytes) {
            Ok(kept) => self.quotas.learn(kept),
            Err(error) => tracing::error!(%error, "what each hub has stored here cannot be read"),
        }
    }

    pub(crate) fn authority(&self) -> Arc<Authority> {
        Arc::clone(
            &self
                .authority
                .read()
                .unwrap_or_else(PoisonError::into_inner),
        )
    }

    /// The hub that the coordinator is.
    pub(crate) fn coordinator_hub(&self) -> Option<HubId> {
        let membership = self.membership()?;
        match membership.coordinator {
            // Its key may have a successor by now, and be ended.
            Some(contact) => {
                let authority = self.authority();
                let record = authority.nodes().get(&contact.identity.node());
                record.map(|record| record.hub)
            }
            None => Some(membership.hub),
        }
    }

    /// Nothing else is published or withdrawn while this is held.
    pub(crate) fn publishing(&self) -> MutexGuard<'_, ()> {
        self.publishing
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn applier(&self) -> &Applier {
        &self.applier
    }

    /// Hands the engine an input; without a running engine there is nobody to tell.
    pub(crate) fn send(&self, input: Input) {
        self.events.input(input);
    }

    pub(crate) fn event(&self, event: Event) {
        self.events.send(event);
    }

    pub(crate) fn keep_tally(&self, tally: &Arc<Tally>) {
        let mut kept = self.tally.lock().unwrap_or_else(PoisonError::into_inner);
        *kept = Some(Arc::clone(tally));
    }

    pub(super) fn tally(&self) -> Option<Arc<Tally>> {
        self.tally
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    pub(crate) fn next_session(&self) -> SessionId {
        SessionId(self.sessions.fetch_add(1, Ordering::Relaxed))
    }

    /// Wakes what turns entries into documents and rows.
    pub(crate) fn arrived(&self) {
        self.applier.wake();
    }

    /// Why no session is held with `node`, if its hub is suspended here.
    pub(crate) fn turned_away(&self, node: &NodeId) -> Option<String> {
        let hub = self.authority().hub_of(node)?;
        self.suspended.sentence(&hub)
    }

    pub(crate) fn retire_writer(self: &Arc<Self>, space: SpaceId, writer: [u8; 32]) {
        // An edit holds the writing end while it waits for the disk; the driver must not.
        let inner = Arc::clone(self);
        tokio::task::spawn_blocking(move || {
            if let Err(error) = inner.authors.retire(&inner.storage, space, writer) {
                tracing::error!(%error, "that a key is not used any more could not be kept");
            }
        });
    }

    pub(crate) fn clear_refusals(&self, peer: Option<NodeId>) {
        match peer {
            Some(peer) => self.storage.clear_refusals(peer),
            None => {
                for peer in self.authority().nodes().keys() {
                    self.storage.clear_refusals(*peer);
                }
            }
        }
    }

    /// Folds the authority log again, applies its cuts, and tells the engine.
    pub(crate) fn settle_authority(&self) -> Result<(), StoreError> {
        let Some(membership) = self.membership() else {
            return Ok(());
        };
        let (known, events) = (Arc::clone(&self.authority), self.events.clone());
        // On the store's thread, so that an older state never takes the place of a newer one.
        let told = move |settled: &Settled| {
            let authority = Arc::clone(&settled.authority);
            *known.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&authority);
            let spaces = settled.trees.clone();
            events.input(Input::AuthorityChanged { authority, spaces });
        };
        let settled = self.storage.settle_authority(membership.network, told)?;
        for space in settled.trees.keys() {
            self.library.forget_space(*space);
            self.applier.rebuild(*space);
        }
        self.note_own_access();
        self.notice_hub_nodes();
        self.pin_successor();
        self.arrived();
        Ok(())
    }

    /// A part of a first copy is durable.
    pub(crate) fn copied(&self, space: SpaceId, taken: &CopyTaken, bytes: usize) {
        match taken {
            CopyTaken::Partly(place) => {
                let documents = place.documents.unwrap_or(0);
                self.copying.send_modify(|copying| {
                    copying.documents(space, documents, place.of, bytes, now_ms());
                });
                if place.documents.is_some() {
                    self.applier.wake();
                }
            }
            CopyTaken::Lost => {}
            CopyTaken::Refused { why, .. } => {
                tracing::error!(%space, why, "a first copy is not taken");
                self.copying.send_modify(|copying| copying.placed(space));
            }
        }
    }

    /// Takes out the first copy of a space with this digest of its bases, if it is still under way,
    /// and has it fetched another way: because of this document, if of any.
    ///
    /// # Errors
    /// [`StoreError`] if the store does not take it.
    pub(crate) fn drop_copy(
        &self,
        space: SpaceId,
        id: Hash,
        document: Option<Subject>,
        forged: Option<String>,
    ) -> Result<(), StoreError> {
        let storage = &self.storage;
        if storage.drop_copy(space, id, document, forged, &self.events)? {
            self.copying.send_modify(|copying| copying.placed(space));
            self.forget_copy(space);
        }
        Ok(())
    }

    /// What came of a first copy is gone: what was made of it goes too. Waits for whoever edits a
    /// document, and so for the store.
    pub(crate) fn forget_copy(&self, space: SpaceId) {
        self.library.forget_space(space);
        self.applier.rebuild(space);
        self.applier.wake();
    }

    /// Takes a writer's feeds out of a space, to be fetched whole.
    ///
    /// # Errors
    /// [`StoreError`] if the store does not take it.
    pub(crate) fn drop_base(&self, space: SpaceId, writer: [u8; 32]) -> Result<(), StoreError> {
        if !self.storage.drop_base(space, writer, &self.events)? {
            return Ok(());
        }
        self.library.forget_space(space);
        self.applier.rebuild(space);
        self.applier.wake();
        Ok(())
    }

    /// Who this node writes as.
    pub(crate) fn own(&self) -> Result<Identity, WriteError> {
        let membership = self.membership().ok_or(WriteError::NoAccess)?;
        Ok(Identity {
            network: membership.network,
            hub: membership.hub,
            identity: self.identity.clone(),
        })
    }

    /// The key that the next entry in `space` is written under.
    pub(crate) fn writer(
        &self,
        author: &mut author::Author,
        space: SpaceId,
    ) -> Result<[u8; 32], WriteError> {
        author.writer(&self.storage, &self.authority(), &self.own()?, space)
    }

    /// The key in use in `space` and the end of its feed, if the next entry follows there.
    pub(crate) fn standing(
        &self,
        author: &mut author::Author,
        space: SpaceId,
    ) -> Result<Option<([u8; 32], Height)>, WriteError> {
        let own = self.own()?;
        Ok(author.standing(&self.storage, &self.authority(), &own, space)?)
    }

    /// Signs entries, stores them durably, and only then tells anyone.
    pub(crate) fn write(
        &self,
        author: &mut author::Author,
        space: SpaceId,
        entries: Vec<Entry>,
    ) -> Result<Wrote, WriteError> {
        self.checkpoints.count(space, entries.len());
        let wrote = author.write(
            &self.storage,
            &self.authority(),
            &self.own()?,
            space,
            entries,
            &self.events,
        )?;
        self.arrived();
        Ok(wrote)
    }

    /// Whether a certificate comes from another authority than the one that the record of access names
    /// by now.
    pub(crate) fn is_of_former_authority(&self, credentials: &Credentials) -> bool {
        let named = self
            .authority()
            .certificates()
            .map(|der| pem("CERTIFICATE", der));
        named.is_some_and(|named| !credentials.is_of(&named))
    }

    /// Gets and keeps a new certificate, whatever there was before.
    ///
    /// # Errors
    /// Why there is none.
    pub(crate) async fn new_certificate(
        &self,
        contact: &CoordinatorContact,
        network: NetworkId,
    ) -> Result<Credentials, RenewError> {
        let renewed = renew(
            self.connector(contact, None)?,
            &contact.identity,
            network,
            &self.identity,
        );
        let renewed = renewed.await?;
        self.keep_credentials(&renewed)?;
        tracing::info!("this node has a new certificate");
        Ok(renewed)
    }

    /// What dials the coordinator, and shows it `credentials` if there are any.
    ///
    /// # Errors
    /// [`TlsError`] if an authority or certificate cannot be used.
    pub(crate) fn connector(
        &self,
        contact: &CoordinatorContact,
        credentials: Option<&Credentials>,
    ) -> Result<Connector, TlsError> {
        let dial = |authority_pem: &str| {
            Connector::new(contact.address.clone(), authority_pem, credentials)
        };
        // The authority that the record of access names; before there is any, and where what it names is
        // no certificate, the invitation's.
        let named = self
            .authority()
            .certificates()
            .map(|der| pem("CERTIFICATE", der));
        let connector = match named.map(|named| dial(&named)) {
            Some(Ok(connector)) => connector,
            Some(Err(_)) | None => dial(&contact.authority_pem)?,
        };
        let connector = connector.through(self.config.sync.proxy.clone());
        Ok(match self.storage.proven_key(contact.identity.node()) {
            Some(key) => connector.knowing(&*key),
            None => connector,
        })
    }

    /// Notes in the store, and so in its backups, how the coordinator is reached: whoever restores
    /// one with the recovery words needs no new invitation.
    pub(crate) fn note_contact(&self) -> Result<(), StoreError> {
        let text = self.membership().and_then(|it| it.to_text().ok());
        let Some(text) = text else {
            return Ok(());
        };
        let noted = self
            .storage
            .read(|store| store.setting(Membership::CONTACT_SETTING))?;
        if noted.is_some_and(|noted| noted == text.as_bytes()) {
            return Ok(());
        }
        self.storage
            .set_setting(Membership::CONTACT_SETTING, Some(text.as_bytes()))
    }

    pub(super) fn keep_credentials(&self, credentials: &Credentials) -> Result<(), FolderError> {
        let (chain, key) = (credentials.chain_pem(), credentials.key_pem());
        let text = Zeroizing::new(format!("{chain}\n{}", *key));
        self.metrics
            .certificate_ends("node", credentials.not_after_ms());
        write_private(&self.folder.credentials(), text.as_bytes())
    }

    pub(super) fn credentials(&self) -> Result<Credentials, NodeError> {
        let path = self.folder.credentials();
        let text = std::fs::read_to_string(&path).map(Zeroizing::new);
        let text = text.map_err(|source| FolderError::Io { path, source })?;
        let credentials = Credentials::from_pem(&text, &text)?;
        self.metrics
            .certificate_ends("node", credentials.not_after_ms());
        Ok(credentials)
    }

    /// The engine with all that is held; none before the node is connected.
    pub(super) fn engine(&self) -> Result<Option<Engine>, StoreError> {
        let Some(membership) = self.membership() else {
            return Ok(None);
        };
        let (mut held, mut writers) = (Held::default(), BTreeMap::new());
        self.storage.read(|store| {
            for space in store.spaces()? {
                held.spaces.insert(space, store.trees(space)?);
                held.receipts.extend(store.receipts(space)?);
            }
            held.copies = store.copies()?.into_iter().collect();
            for name in store.settings(author::WRITER_SETTINGS)? {
                let space = name[author::WRITER_SETTINGS.len()..].parse::<SpaceId>();
                let saved = store.setting(&name)?.unwrap_or_default();
                let seed = saved.get(..32).and_then(|seed| seed.try_into().ok());
                if let (Ok(space), Some(seed)) = (space, seed) {
                    let key = SecretKey::from_seed(seed);
                    let keys: &mut BTreeSet<_> = writers.entry(space).or_default();
                    keys.insert(*key.public().as_bytes());
                }
            }
            Ok(())
        })?;
        let own = Own {
            hub: membership.hub,
            identity: self.identity.clone(),
            software: concat!("causeway ", env!("CARGO_PKG_VERSION")).to_owned(),
            relay: membership.coordinator.is_none(),
            writers,
        };
        let config = node_sync::Config {
            bytes_in_flight_max: usize::try_from(self.config.sync.in_flight_bytes_max)
                .unwrap_or(usize::MAX),
            receipt_interval_ms: self.config.sync.receipt_interval_ms,
            first_copies: self.config.sync.first_copies,
            copy_entries_min: self.config.sync.copy_entries_min,
            ..node_sync::Config::default()
        };
        Ok(Some(Engine::new(config, own, self.authority(), held)))
    }

    /// What receipts and remembered heights say of where this node's edits are.
    pub(super) fn load_marks(&self) -> Result<(), StoreError> {
        let authority = self.authority();
        let mut known = BTreeMap::<(SpaceId, NodeId), Heights>::new();
        self.storage.read(|store| {
            for space in store.spaces()? {
                for receipt in store.receipts(space)? {
                    known.insert((space, receipt.node), receipt.heights);
                }
            }
            for peer in authority.nodes().keys() {
                for (space, heights) in store.peer_memory(*peer)?.unwrap_or_default().spaces {
                    // Either may be the later: what it said in a session, or in its receipt.
                    let kept = known.entry((space, *peer)).or_default();
                    for (feed, height) in heights.iter() {
                        if kept
                            .get(&feed)
                            .is_none_or(|kept| kept.number < height.number)
                        {
                            kept.set(feed, height);
                        }
                    }
                }
            }
            Ok(())
        })?;
        for ((space, node), heights) in known {
            let heights = heights.iter().collect::<Vec<_>>();
            self.marks.peer_holds(node, space, &heights, true);
        }
        Ok(())
    }
}

/// The heights of a space whose feeds these are.
pub(crate) fn heights_of(trees: &BTreeMap<[u8; 32], FeedTree>) -> Heights {
    let feeds = trees.values().flat_map(FeedTree::feeds);
    feeds
        .filter_map(|(name, feed): (&FeedName, _)| feed.tip.map(|tip| (*name, tip)))
        .collect()
}
