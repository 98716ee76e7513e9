//! Three hubs with a replica each of one record, which meet in any order and are restored.

use std::collections::BTreeMap;

use node_document::{Author, ChangesEntry, Document, Heads, Outcome};
use node_domain::{By, FieldChange, Kind, Object, create, edit, kind_of, read};
use node_feed::{DocumentId, FeedName, Hash, HubId, Nonce, Tag};
use serde_json::Value as Json;

use crate::world::object;

/// Which entry: its feed and number.
pub(crate) type EntryName = ([u8; 32], usize);

/// One hub's replica.
#[derive(Debug, Clone)]
pub(crate) struct Replica {
    pub(crate) hub: HubId,
    writer: [u8; 32],
    pub(crate) document: Document,
    /// Every entry that it holds, by feed.
    entries: BTreeMap<[u8; 32], Vec<ChangesEntry>>,
    /// A page that somebody has open.
    page: Option<Heads>,
}

/// The hubs, and what was saved of each.
#[derive(Debug)]
pub(crate) struct Replicas {
    pub(crate) all: Vec<Replica>,
    saved: Vec<Replica>,
    restored: u8,
}

impl Replica {
    fn new(name: u8, document: Document) -> Self {
        Self {
            hub: HubId::from_bytes([name; 8]),
            writer: [name; 32],
            document,
            entries: BTreeMap::new(),
            page: None,
        }
    }

    fn by(&self) -> By {
        let number = self.entries.get(&self.writer).map_or(0, Vec::len);
        let mut random = [self.writer[0]; 16];
        random[..8].copy_from_slice(&number.to_le_bytes());
        By {
            author: Author {
                writer: self.writer,
                hub: self.hub,
                nonce: Nonce([self.writer[0]; 16]),
            },
            time_ms: 1_000,
            random,
            program: false,
        }
    }

    fn sign(&mut self, changes: node_feed::Changes) -> EntryName {
        let by = self.by();
        let feed = self.entries.entry(self.writer).or_default();
        let entry = ChangesEntry {
            feed: FeedName::from_bytes(self.writer),
            number: feed.len().try_into().expect("few entries"),
            hash: Hash::of(Tag::Entry, &[&by.random]),
            writer: self.writer,
            hub: self.hub,
            time_ms: by.time_ms,
            changes,
        };
        feed.push(entry.clone());
        assert_eq!(self.document.apply(&[entry]), [Outcome::Applied]);
        (self.writer, self.entries[&self.writer].len() - 1)
    }

    pub(crate) fn read(&self) -> Object {
        let view = self.document.view();
        read(&view, kind_of(&view).expect("declared"))
    }

    /// Takes from the other what it has not got, of each feed up to `most` entries.
    fn take(&mut self, other: &Self, most: usize, only: impl Fn(&ChangesEntry) -> bool) {
        for (feed, entries) in &other.entries {
            let held = self.entries.entry(*feed).or_default();
            let new = entries.iter().skip(held.len()).take(most);
            held.extend(new.take_while(|entry| only(entry)).cloned());
        }
        let open = |entry: &&ChangesEntry| {
            let decided = self.document.decided(&entry.feed);
            decided.is_none_or(|last| entry.number > last)
        };
        let entries = self.entries.values().flatten().filter(open).cloned();
        for outcome in self.document.apply(&entries.collect::<Vec<_>>()) {
            assert!(
                matches!(outcome, Outcome::Applied | Outcome::Waiting(_)),
                "{outcome:?}"
            );
        }
    }
}

impl Replicas {
    /// The first of three hubs has made a record, and all have it.
    pub(crate) fn new(kind: &'static Kind, values: Json) -> Self {
        let owner = HubId::from_bytes([1; 8]);
        let empty = Document::new(DocumentId::new(owner, kind.writers, [9; 15]));
        let mut first = Replica::new(1, empty.clone());
        let made =
            create(&first.document, kind, &object(values), &first.by()).expect("as declared");
        first.sign(made.changes(Nonce([0; 16])));
        let mut all = vec![first.clone()];
        for name in [2, 3] {
            let mut other = Replica::new(name, empty.clone());
            other.take(&first, usize::MAX, |_| true);
            all.push(other);
        }
        Self {
            saved: all.clone(),
            all,
            restored: 0,
        }
    }

    /// A hub's person opens a page, and leaves it open.
    pub(crate) fn open_page(&mut self, at: usize) {
        self.all[at].page = Some(self.all[at].document.heads());
    }

    /// An edit, from the page that is open or from a new one; which entry, if it was allowed.
    pub(crate) fn edit(&mut self, at: usize, old_page: bool, changes: Json) -> Option<EntryName> {
        let changes = serde_json::from_value::<Vec<FieldChange>>(changes).expect("changes");
        let replica = &mut self.all[at];
        let page = replica.page.as_ref().filter(|_| old_page);
        let edited = edit(&replica.document, page, &changes, &replica.by()).ok()?;
        let random = Nonce(replica.by().random);
        Some(replica.sign(edited.changes(random)))
    }

    /// One takes up to so many new entries of each feed from the other.
    pub(crate) fn sync(&mut self, from: usize, into: usize, most: usize) {
        let other = self.all[from].clone();
        self.all[into].take(&other, most, |_| true);
    }

    /// A backup is made.
    pub(crate) fn save(&mut self, at: usize) {
        self.saved[at] = self.all[at].clone();
    }

    /// The disk has died: the backup takes its place. It takes back its own entries as far as
    /// anybody has them, with what those build on, and goes on under a new key.
    pub(crate) fn restore(&mut self, at: usize) {
        self.restored += 1;
        let hub = self.all[at].hub;
        let mut replica = self.saved[at].clone();
        replica.page = None;
        let others = self
            .all
            .iter()
            .enumerate()
            .filter(|(other, _)| *other != at);
        let others = others.map(|(_, other)| other.clone()).collect::<Vec<_>>();
        for other in &others {
            replica.take(other, usize::MAX, |entry| entry.hub == hub);
        }
        if replica.document.waiting().next().is_some() {
            for other in &others {
                replica.take(other, usize::MAX, |_| true);
            }
        }
        replica.writer = [100 + self.restored; 32];
        self.all[at] = replica;
    }

    /// All have all that anybody has.
    pub(crate) fn settle_down(&mut self) {
        for _ in 0..2 {
            for (from, into) in [(0, 1), (1, 2), (2, 0), (1, 0), (2, 1)] {
                self.sync(from, into, usize::MAX);
            }
        }
        let digest = self.all[0].document.digest();
        for replica in &self.all {
            assert_eq!(replica.document.digest(), digest);
            assert!(replica.document.waiting().next().is_none());
        }
    }

    /// Whether an entry is still there, once all have all.
    pub(crate) fn survives(&self, (feed, number): EntryName) -> bool {
        let entries = self.all[0].entries.get(&feed);
        entries.is_some_and(|entries| number < entries.len())
    }
}
