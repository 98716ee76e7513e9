//! One machine: a node's keys, its store, and the engine while the process runs.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use node_feed::{Authority, FeedName, GrantId, Height, HubId, NodeId, SecretKey, SpaceId};
use node_store::{MemoryStore, ReadStore, settle_authority};
use node_sync::{Config, Engine, Held, Own, SessionId};

use super::copies::CopyCounts;
use super::disk::Job;

/// The key that a node writes with in one space.
#[derive(Debug, Clone)]
pub(crate) struct Writer {
    pub(crate) key: SecretKey,
    pub(crate) grant: GrantId,
}

/// What outlives the process, and what a backup holds.
#[derive(Debug, Clone)]
pub(crate) struct Folder {
    pub(crate) store: MemoryStore,
    pub(crate) writers: BTreeMap<SpaceId, Writer>,
}

/// An entry that a person was told is saved.
#[derive(Debug, Clone)]
pub(crate) struct Saved {
    pub(crate) space: SpaceId,
    pub(crate) writer: [u8; 32],
    pub(crate) height: Height,
    /// Whether it was said to be durable at the coordinator too.
    pub(crate) sent: bool,
}

/// One machine.
#[derive(Debug)]
pub(crate) struct Machine {
    pub(crate) name: usize,
    pub(crate) hub: HubId,
    pub(crate) identity: SecretKey,
    pub(crate) folder: Folder,
    pub(crate) backup: Folder,
    pub(crate) authority: Arc<Authority>,
    /// None while the process is down.
    pub(crate) engine: Option<Engine>,
    /// Counts lives of the process: what was asked of the disk in an earlier one is lost.
    pub(crate) life: u64,
    pub(crate) jobs: VecDeque<Job>,
    /// Spaces with a whole copy whose documents are to be looked at.
    pub(crate) whole_copies: BTreeSet<SpaceId>,
    pub(crate) copies: CopyCounts,
    pub(crate) disk_free_at: u64,
    pub(crate) tick_at: Option<u64>,
    pub(crate) disk_fails: bool,
    /// Whether it writes as soon as it runs.
    pub(crate) writes_at_boot: bool,
    pub(crate) saved: Vec<Saved>,
    pub(crate) equal: BTreeSet<SessionId>,
}

impl Machine {
    pub(crate) fn new(
        name: usize,
        hub: HubId,
        identity: SecretKey,
        authority: Arc<Authority>,
    ) -> Self {
        let folder = Folder {
            store: MemoryStore::new(),
            writers: BTreeMap::new(),
        };
        Self {
            name,
            hub,
            identity,
            backup: folder.clone(),
            folder,
            authority,
            engine: None,
            life: 0,
            jobs: VecDeque::new(),
            whole_copies: BTreeSet::new(),
            copies: CopyCounts::default(),
            disk_free_at: 0,
            tick_at: None,
            disk_fails: false,
            writes_at_boot: false,
            saved: Vec::new(),
            equal: BTreeSet::new(),
        }
    }

    pub(crate) fn node(&self) -> NodeId {
        self.identity.public().node()
    }

    /// Starts the process on what the folder holds.
    pub(crate) fn boot(&mut self) {
        let network = self.authority.network();
        let store = &mut self.folder.store;
        let Ok((authority, _)) = settle_authority(store, network) else {
            return;
        };
        self.authority = Arc::new(authority);
        let spaces = store.spaces().unwrap_or_default();
        let receipts = spaces
            .iter()
            .flat_map(|space| store.receipts(*space).unwrap_or_default())
            .collect();
        let trees = spaces
            .iter()
            .map(|space| (*space, store.trees(*space).unwrap_or_default()))
            .collect();
        let writers = self.folder.writers.iter();
        let own = Own {
            hub: self.hub,
            identity: self.identity.clone(),
            software: "causeway 0.1.0".to_owned(),
            relay: self.name == 0,
            writers: writers
                .map(|(space, writer)| (*space, BTreeSet::from([*writer.key.public().as_bytes()])))
                .collect(),
        };
        let copies = store.copies().unwrap_or_default().into_iter();
        let copies = copies.collect::<BTreeMap<_, _>>();
        let begun = copies.values().filter(|place| place.documents.is_some());
        self.copies.resumed += begun.filter(|place| !place.is_whole()).count();
        let whole = copies.iter().filter(|(_, place)| place.is_whole());
        self.whole_copies = whole.map(|(space, _)| *space).collect();
        let held = Held {
            spaces: trees,
            receipts,
            copies,
        };
        self.engine = Some(Engine::new(
            config(),
            own,
            Arc::clone(&self.authority),
            held,
        ));
    }

    /// Ends the process; what was not durable is lost.
    pub(crate) fn crash(&mut self) {
        self.engine = None;
        self.life += 1;
        self.jobs.clear();
        self.disk_free_at = 0;
        self.tick_at = None;
        self.equal.clear();
    }

    /// The coordinator, or a hub, holds `height` of `feed`: what leads there was sent.
    pub(crate) fn mark_sent(&mut self, space: SpaceId, feed: FeedName, height: Height) {
        let store = &self.folder.store;
        let here = store.hash_at(space, feed, height.number);
        if here.ok().flatten() != Some(height.hash) {
            return;
        }
        for saved in &mut self.saved {
            if saved.space == space
                && FeedName::from_bytes(saved.writer) == feed
                && saved.height.number <= height.number
                && store
                    .hash_at(space, feed, saved.height.number)
                    .ok()
                    .flatten()
                    == Some(saved.height.hash)
            {
                saved.sent = true;
            }
        }
    }
}

/// Small limits, so that short runs reach them.
const fn config() -> Config {
    Config {
        bytes_in_flight_max: 3_000,
        batch_bytes: 900,
        receipt_interval_ms: 8_000,
        remember_interval_ms: 2_000,
        retry_ms: 5_000,
        hello_timeout_ms: 5_000,
        first_copies: true,
        copy_entries_min: 2,
        offences_max: 3,
    }
}
