//! A small network to tell stories about.

use std::collections::BTreeMap;

use bytes::Bytes;
use node_feed::{
    Access, Authority, Cut, CutTarget, Entry, Fact, FeedCut, FeedName, FeedTree, GrantId, Hash,
    Height, Heights, HubId, Kind, NetworkId, NodeOpen, Nonce, PublicKey, Run, SecretKey, SpaceId,
    Subject, Tag, VerifiedRun,
};
use node_store::{Appended, Check, EntryStore, Refused, SqliteStore, Stored};

pub(crate) const SPACE: SpaceId = SpaceId::from_bytes([7; 16]);
/// A kind that no version knows.
pub(crate) const NOTE: Kind = Kind(200);

pub(crate) struct World {
    pub(crate) network: NetworkId,
    pub(crate) authority: Authority,
}

pub(crate) struct Hub {
    pub(crate) id: HubId,
    pub(crate) identity: SecretKey,
}

/// Writes one feed. A clone that goes on writing forks it.
#[derive(Clone)]
pub(crate) struct Pen {
    pub(crate) network: NetworkId,
    pub(crate) space: SpaceId,
    pub(crate) key: SecretKeyClone,
    pub(crate) tip: Option<Height>,
    time_ms: u64,
}

/// Keys are not cloned by accident; here it is the point.
pub(crate) struct SecretKeyClone(pub(crate) SecretKey);

impl Clone for SecretKeyClone {
    fn clone(&self) -> Self {
        Self(SecretKey::from_seed(&self.0.seed()))
    }
}

impl World {
    pub(crate) fn new() -> Self {
        let network = SecretKey::from_seed(&[1; 32]).public().network();
        Self {
            network,
            authority: Authority::new(network),
        }
    }

    pub(crate) fn take(&mut self, fact: Fact) -> Hash {
        let hash = Hash::of(Tag::Entry, &[&self.authority.length().to_le_bytes()]);
        self.authority.take(hash, Some(fact));
        hash
    }

    pub(crate) fn hub(&mut self, number: u8) -> Hub {
        let hub = Hub {
            id: HubId::from_bytes([number; 8]),
            identity: SecretKey::from_seed(&[number; 32]),
        };
        self.take(Fact::Hub {
            hub: hub.id,
            code: format!("H{number}"),
            name: format!("Hub {number}"),
        });
        self.take(Fact::Node {
            hub: hub.id,
            node: hub.identity.public().node(),
        });
        hub
    }

    pub(crate) fn grant(&mut self, hub: &Hub, space: SpaceId) -> GrantId {
        let hash = self.take(Fact::Grant {
            space,
            hub: hub.id,
            access: Access::Write,
        });
        GrantId::from_bytes(*hash.as_bytes())
    }

    pub(crate) fn cut(&mut self, hub: &Hub, feeds: &[(&Pen, Height)]) {
        let feeds = feeds.iter().map(|(pen, last)| FeedCut {
            space: pen.space,
            writer: *pen.public().as_bytes(),
            last: *last,
        });
        self.take(Fact::Cut(Cut {
            target: CutTarget::Grant(hub.id, SPACE),
            reason: "the story wants it".to_owned(),
            feeds: feeds.collect(),
        }));
    }

    /// A hub with a pen in the space, and the run that opens its feed.
    pub(crate) fn writer(&mut self, number: u8) -> (Hub, Pen, VerifiedRun) {
        let hub = self.hub(number);
        let grant = self.grant(&hub, SPACE);
        let (pen, open) = self.pen(&hub, grant, [number; 32]);
        (hub, pen, open)
    }

    pub(crate) fn pen(&self, hub: &Hub, grant: GrantId, seed: [u8; 32]) -> (Pen, VerifiedRun) {
        let mut pen = Pen::new(self.network, SPACE, SecretKey::from_seed(&seed));
        let open = pen.open(hub, grant, Nonce(*b"sixteen  random!"));
        (pen, open)
    }
}

impl Pen {
    pub(crate) fn new(network: NetworkId, space: SpaceId, key: SecretKey) -> Self {
        Self {
            network,
            space,
            key: SecretKeyClone(key),
            tip: None,
            time_ms: 1_000,
        }
    }

    pub(crate) fn public(&self) -> PublicKey {
        self.key.0.public()
    }

    pub(crate) fn writer(&self) -> [u8; 32] {
        *self.public().as_bytes()
    }

    pub(crate) fn feed(&self) -> FeedName {
        FeedName::from_bytes(self.writer())
    }

    pub(crate) fn open(&mut self, hub: &Hub, grant: GrantId, random: Nonce) -> VerifiedRun {
        let open = NodeOpen::sign(
            self.network,
            self.space,
            &self.public(),
            &hub.identity,
            (hub.id, grant),
            Vec::new(),
            random,
        );
        let payload = open.encode().expect("an open");
        self.sign(vec![(Kind::OPEN, Subject::NONE, payload)])
    }

    /// One run of notes.
    pub(crate) fn write(&mut self, texts: &[&str]) -> VerifiedRun {
        let notes = texts.iter().map(|text| (NOTE, Subject::NONE, note(text)));
        self.sign(notes.collect())
    }

    pub(crate) fn note_on(&mut self, subject: Subject, text: &str) -> VerifiedRun {
        self.sign(vec![(NOTE, subject, note(text))])
    }

    pub(crate) fn sign(&mut self, entries: Vec<(Kind, Subject, Bytes)>) -> VerifiedRun {
        let entries = entries.into_iter().map(|(kind, subject, payload)| {
            self.time_ms += 1;
            Entry {
                time_ms: self.time_ms,
                kind,
                subject,
                payload,
            }
        });
        let entries = entries.collect();
        let run = Run::sign(self.network, self.space, &self.key.0, self.tip, entries);
        let run = run.expect("a run");
        self.tip = Some(run.last());
        run
    }

    pub(crate) fn tip(&self) -> Height {
        self.tip.expect("an open feed")
    }
}

pub(crate) fn note(text: &str) -> Bytes {
    let mut bytes = b"sixteen  random!".to_vec();
    bytes.extend_from_slice(text.as_bytes());
    Bytes::from(bytes)
}

pub(crate) fn sqlite(folder: &tempfile::TempDir) -> SqliteStore {
    SqliteStore::open(folder.path().join("store.db"), Check::Always).expect("a store")
}

pub(crate) fn append(
    store: &mut impl EntryStore,
    authority: &Authority,
    run: &VerifiedRun,
) -> Appended {
    let mut answers = store
        .append(authority, vec![run.clone()])
        .expect("an answer");
    assert_eq!(answers.len(), 1);
    answers.remove(0)
}

#[track_caller]
pub(crate) fn keep(
    store: &mut impl EntryStore,
    authority: &Authority,
    run: &VerifiedRun,
) -> Stored {
    match append(store, authority, run) {
        Appended::Stored(stored) => stored,
        other @ (Appended::Held | Appended::Live(_) | Appended::Refused(_)) => {
            panic!("not stored: {other:?}")
        }
    }
}

#[track_caller]
pub(crate) fn refuse(
    store: &mut impl EntryStore,
    authority: &Authority,
    run: &VerifiedRun,
) -> Refused {
    match append(store, authority, run) {
        Appended::Refused(refused) => refused,
        other @ (Appended::Held | Appended::Live(_) | Appended::Stored(_)) => {
            panic!("not refused: {other:?}")
        }
    }
}

pub(crate) fn trees(store: &impl EntryStore) -> BTreeMap<[u8; 32], FeedTree> {
    store.trees(SPACE).expect("trees")
}

pub(crate) fn heights(store: &impl EntryStore) -> Heights {
    let trees = trees(store);
    let feeds = trees.values().flat_map(FeedTree::feeds);
    feeds
        .filter_map(|(name, feed)| Some((*name, feed.tip?)))
        .collect()
}

/// Every run of the space, as a peer who has nothing would get them.
pub(crate) fn everything(store: &impl EntryStore) -> Vec<Run> {
    let mut from = Vec::new();
    for tree in trees(store).values() {
        from.extend(tree.feeds().iter().map(|(name, feed)| (*name, feed.start)));
    }
    store.read(SPACE, &from, usize::MAX).expect("runs")
}

/// Sends everything `from` one store to another, checked as a peer checks it.
pub(crate) fn send(world: &World, from: &impl EntryStore, to: &mut impl EntryStore) {
    for run in everything(from) {
        let key = PublicKey::from_bytes(&run.writer).expect("a key");
        let cuts = world.authority.cuts_of(SPACE, &run.writer);
        let run = run
            .verify(world.network, SPACE, &key, &cuts)
            .expect("a proof");
        append(to, &world.authority, &run);
    }
}

/// The texts of all notes that count, in the order of arrival.
pub(crate) fn texts(store: &impl EntryStore) -> Vec<String> {
    let entries = store.arrivals_after(0, usize::MAX).expect("entries");
    entries
        .iter()
        .filter(|entry| entry.kind == NOTE)
        .map(|entry| match entry.payload.bytes() {
            Some(bytes) => String::from_utf8_lossy(&bytes[16..]).into_owned(),
            None => "-".to_owned(),
        })
        .collect()
}
