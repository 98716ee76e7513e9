//! Changes that an archive gives back leave their entries, and nothing else of them changes.

use bytes::Bytes;
use node_feed::{
    Changes, DocumentId, Erase, Height, Kind, Nonce, Payload, Subject, VerifiedRun, Writers,
    change_hash,
};
use node_store::{
    ArchivedDocument, Check, EntryStore, MemoryStore, ReadStore, Readers, SqliteStore,
};

use crate::world::{Hub, Pen, SPACE, World, everything, keep, send, sqlite, trees};

/// A change as carriage sees it: its content is nobody's business here.
fn chunk(content: &[u8]) -> Bytes {
    let mut length = Vec::new();
    let mut rest = content.len();
    while rest > 0x7f {
        length.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    length.push(rest as u8);
    let head = [0x85, 0x6f, 0x4a, 0x83, 0, 0, 0, 0, 1];
    let mut chunk = [&head[..], &length, content].concat();
    let hash = change_hash(&chunk);
    chunk[4..8].copy_from_slice(&hash[..4]);
    Bytes::from(chunk)
}

fn payload(number: u8, bytes: usize) -> Bytes {
    let changes = Changes {
        random: Nonce([number; 16]),
        nonce: Nonce([7; 16]),
        chunks: vec![chunk(&vec![number; bytes])],
    };
    changes.encode()
}

/// A hub that changed one document ten times, and what was archived of that.
struct Story {
    world: World,
    hub: Hub,
    pen: Pen,
    document: Subject,
    payloads: Vec<Bytes>,
    folder: tempfile::TempDir,
    store: SqliteStore,
}

impl Story {
    fn new(bytes: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut store = sqlite(&folder);
        let mut world = World::new();
        let (hub, mut pen, open) = world.writer(2);
        keep(&mut store, &world.authority, &open);
        let document = DocumentId::new(hub.id, Writers::Owner, [1; 15]).subject();
        let payloads = (0..10).map(|number| payload(number, bytes));
        let payloads = payloads.collect::<Vec<_>>();
        for payload in &payloads {
            let run = pen.sign(vec![(Kind::CHANGES, document, payload.clone())]);
            keep(&mut store, &world.authority, &run);
        }
        Self {
            world,
            hub,
            pen,
            document,
            payloads,
            folder,
            store,
        }
    }

    /// Archives the first so many changes.
    fn archive(&mut self, entries: usize) -> u64 {
        let held = self.store.entries_of(self.document, 0).unwrap();
        let held = held.iter().take(entries);
        let made = ArchivedDocument {
            document: self.document,
            bytes: Bytes::from_static(b"all of them"),
            arrivals: held.map(|entry| entry.arrival).collect(),
        };
        self.store.archive(SPACE, &[made]).unwrap()
    }

    fn readers(&self) -> Readers {
        Readers::open(self.folder.path().join("store.db")).unwrap()
    }

    fn archived(&self) -> Option<Bytes> {
        self.readers().archive_of(SPACE, self.document).unwrap()
    }

    /// Which of the changes are held in their entries.
    fn held(&self) -> Vec<bool> {
        let entries = self.store.entries_of(self.document, 0).unwrap();
        let held = entries.iter().map(|entry| entry.payload.bytes().is_some());
        held.collect()
    }

    fn erase(&mut self) -> VerifiedRun {
        let erase = Erase {
            random: Nonce([4; 16]),
            subjects: vec![self.document],
        };
        let erase = (Kind::ERASE, Subject::NONE, erase.encode().unwrap());
        self.pen.sign(vec![erase])
    }
}

fn size(story: &Story) -> u64 {
    let path = story.folder.path().join("store.db");
    std::fs::metadata(path).unwrap().len()
}

#[test]
fn header_hash_and_signature_stay_and_what_comes_back_is_what_was_sent() {
    let mut story = Story::new(100);
    let before = (trees(&story.store), everything(&story.store));
    let bytes = story.payloads[..6].iter().map(Bytes::len).sum::<usize>();
    assert_eq!(story.archive(6), bytes as u64);
    assert_eq!(story.held(), [vec![false; 6], vec![true; 4]].concat());
    assert_eq!(trees(&story.store), before.0);
    assert!(
        story.store.withheld(SPACE).unwrap().is_empty(),
        "nothing is lacking"
    );
    // Chain and signatures hold without them.
    let mut second = MemoryStore::new();
    send(&story.world, &story.store, &mut second);
    assert_eq!(trees(&second), before.0);
    // Saying it again takes nothing more out.
    assert_eq!(story.archive(6), 0);
    assert_eq!(
        story.readers().archived_in(SPACE).unwrap(),
        [story.document]
    );

    let (document, payloads) = (story.document, story.payloads.clone());
    let all = story
        .store
        .unarchive(SPACE, document, payloads[..5].to_vec());
    assert!(
        !all.unwrap() && story.archived().is_some(),
        "one is lacking"
    );
    assert!(story.store.unarchive(SPACE, document, payloads).unwrap());
    assert_eq!(everything(&story.store), before.1);
    assert_eq!(story.archived(), None);
}

#[test]
fn only_changes_of_the_document_itself_are_taken_out() {
    let mut story = Story::new(100);
    let note = story.pen.write(&["a note"]);
    let stored = keep(&mut story.store, &story.world.authority, &note);
    let other = DocumentId::new(story.hub.id, Writers::Owner, [2; 15]).subject();
    let change = vec![(Kind::CHANGES, other, payload(99, 10))];
    let run = story.pen.sign(change);
    keep(&mut story.store, &story.world.authority, &run);
    let arrivals = (0..100).collect();
    let made = ArchivedDocument {
        document: story.document,
        bytes: Bytes::from_static(b"all of them"),
        arrivals,
    };
    story.store.archive(SPACE, &[made]).unwrap();
    assert_eq!(story.held(), [false; 10]);
    for hash in [stored.run.last().hash, run.last().hash] {
        let entry = story.store.entry(hash).unwrap().unwrap();
        assert!(entry.payload.bytes().is_some());
    }
}

#[test]
fn what_is_erased_is_in_no_archive() {
    let mut story = Story::new(100);
    story.archive(6);
    let erase = story.erase();
    keep(&mut story.store, &story.world.authority, &erase);
    assert_eq!((story.archived(), story.held()), (None, vec![false; 10]));
    let (document, payloads) = (story.document, story.payloads.clone());
    story.store.unarchive(SPACE, document, payloads).unwrap();
    assert_eq!(story.held(), [false; 10], "nor does it come back");
    story.archive(10);
    assert_eq!(story.archived(), None, "nor is it archived again");
}

#[test]
fn what_a_cut_takes_out_and_gives_back_is_still_archived() {
    let mut story = Story::new(100);
    let before = (trees(&story.store), everything(&story.store));
    story.archive(6);
    let admitted = story.world.authority.clone();
    let hash = story.store.hash_at(SPACE, story.pen.feed(), 3).unwrap();
    let (number, hash) = (3, hash.unwrap());
    story
        .world
        .cut(&story.hub, &[(&story.pen, Height { number, hash })]);
    story.store.reconcile(&story.world.authority).unwrap();
    assert_eq!(story.held(), [false; 3]);
    assert_eq!(story.store.evidence(SPACE).unwrap().len(), 7);
    story.store.reconcile(&admitted).unwrap();
    assert_eq!(trees(&story.store), before.0);
    assert!(story.store.withheld(SPACE).unwrap().is_empty());
    let (document, payloads) = (story.document, story.payloads.clone());
    assert!(story.store.unarchive(SPACE, document, payloads).unwrap());
    assert_eq!(everything(&story.store), before.1);
}

#[test]
fn what_left_its_feed_gets_its_changes_back_too() {
    let mut story = Story::new(100);
    let before = everything(&story.store);
    story.archive(6);
    let admitted = story.world.authority.clone();
    let hash = story.store.hash_at(SPACE, story.pen.feed(), 3).unwrap();
    let (number, hash) = (3, hash.unwrap());
    story
        .world
        .cut(&story.hub, &[(&story.pen, Height { number, hash })]);
    story.store.reconcile(&story.world.authority).unwrap();
    let (document, payloads) = (story.document, story.payloads.clone());
    assert!(story.store.unarchive(SPACE, document, payloads).unwrap());
    story.store.reconcile(&admitted).unwrap();
    assert_eq!(everything(&story.store), before);
}

#[test]
fn a_hub_that_leaves_drops_what_others_archived_changes_say() {
    let mut story = Story::new(100);
    story.archive(6);
    let own = story.world.hub(5);
    let gone = story.store.drop_foreign(SPACE, own.id).unwrap();
    assert_eq!(gone, [story.document]);
    assert_eq!(story.held(), [false; 10]);
    let (document, payloads) = (story.document, story.payloads.clone());
    story.store.unarchive(SPACE, document, payloads).unwrap();
    assert_eq!(story.held(), [false; 10]);
}

#[test]
fn the_file_is_made_smaller_when_nobody_has_it_open() {
    let mut story = Story::new(900_000);
    let path = story.folder.path().join("store.db");
    story.archive(4);
    let before = trees(&story.store);
    drop(story.store);
    assert!(
        !SqliteStore::compact(&path).unwrap(),
        "it would spare too little"
    );
    story.store = SqliteStore::open(&path, Check::Always).unwrap();
    story.archive(9);
    let larger = size(&story);
    assert!(!SqliteStore::compact(&path).unwrap(), "it is open");
    drop(story.store);
    // An attempt that was interrupted left this.
    std::fs::write(
        story.folder.path().join("store.db.compacted"),
        b"half a file",
    )
    .unwrap();
    assert!(SqliteStore::compact(&path).unwrap());
    assert!(!SqliteStore::compact(&path).unwrap(), "once");
    story.store = SqliteStore::open(&path, Check::Always).unwrap();
    let smaller = size(&story);
    assert!(smaller < larger / 4, "{smaller} of {larger} bytes");
    assert_eq!(trees(&story.store), before);
    assert_eq!(story.held(), [vec![false; 9], vec![true]].concat());
    let (document, payloads) = (story.document, story.payloads.clone());
    assert!(
        story
            .store
            .unarchive(SPACE, document, payloads.clone())
            .unwrap()
    );
    let entries = story.store.entries_of(document, 0).unwrap();
    let back = entries.into_iter().map(|entry| entry.payload);
    assert!(back.eq(payloads.into_iter().map(Payload::Held)));
    let left = std::fs::read_dir(story.folder.path()).unwrap();
    let left = left.map(|file| file.unwrap().file_name().into_string().unwrap());
    assert!(left.into_iter().all(|name| !name.contains("compacted")));
}

#[test]
fn a_file_that_is_not_there_or_no_store_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    assert!(!SqliteStore::compact(&path).unwrap());
    assert!(!path.exists());
    std::fs::write(
        &path,
        b"a letter to the governors, which is no store at all",
    )
    .unwrap();
    SqliteStore::compact(&path).unwrap_err();
    let kept = std::fs::read(&path).unwrap();
    assert!(kept.starts_with(b"a letter"));
}
