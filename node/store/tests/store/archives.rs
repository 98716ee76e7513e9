//! Changes that an archive gives back leave their entries, and nothing else of them changes.

use bytes::Bytes;
use node_feed::{
    Authority, Changes, DocumentId, Erase, Height, Kind, Nonce, Payload, Subject, VerifiedRun,
    Writers, change_hash,
};
use node_store::{
    ArchivedDocument, Check, EntryStore, MemoryStore, ReadStore, Readers, SqliteStore,
};

use crate::world::{Hub, Pen, SPACE, World, append, everything, keep, send, sqlite, trees};

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

    /// Archives the first so many changes, as far as they are not archived yet.
    fn archive(&mut self, entries: usize) -> u64 {
        let held = self.store.entries_of(self.document, 0).unwrap();
        let held = held.iter().take(entries);
        let held = held.filter(|entry| entry.payload.bytes().is_some());
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

    /// Ends the hub's access after its third change, and returns what was known before.
    fn cut(&mut self) -> Authority {
        let admitted = self.world.authority.clone();
        let hash = self.store.hash_at(SPACE, self.pen.feed(), 3).unwrap();
        let (number, hash) = (3, hash.unwrap());
        let last = Height { number, hash };
        self.world.cut(&self.hub, &[(&self.pen, last)]);
        self.store.reconcile(&self.world.authority).unwrap();
        admitted
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
fn a_document_is_passed_over_of_which_anything_is_not_as_it_was_said() {
    let mut story = Story::new(100);
    let note = story.pen.write(&["a note"]);
    keep(&mut story.store, &story.world.authority, &note);
    let entries = story.store.entries_of(story.document, 0).unwrap();
    let arrivals = entries.iter().map(|entry| entry.arrival);
    let arrivals = arrivals.collect::<Vec<_>>();
    let said = |arrivals: &[u64], more: u64| ArchivedDocument {
        document: story.document,
        bytes: Bytes::from_static(b"all of them"),
        arrivals: [arrivals, &[more]].concat(),
    };
    // One of something else, one that is not there.
    let made = [said(&arrivals, arrivals[9] + 1), said(&arrivals, 1_000)];
    assert_eq!(story.store.archive(SPACE, &made).unwrap(), 0);
    assert_eq!((story.archived(), story.held()), (None, vec![true; 10]));
    // One whose changes were taken out meanwhile, into an archive that this one does not know.
    story.archive(6);
    let bytes = story.archived();
    let other = ArchivedDocument {
        document: story.document,
        bytes: Bytes::from_static(b"others"),
        arrivals: arrivals[5..].to_vec(),
    };
    assert_eq!(story.store.archive(SPACE, &[other]).unwrap(), 0);
    assert_eq!(story.archived(), bytes);
}

#[test]
fn what_an_archive_does_not_give_back_is_lacking_and_can_come_again() {
    let mut story = Story::new(100);
    let sent = everything(&story.store);
    story.archive(6);
    let archived = story.readers();
    let archived = archived.archived_payloads(SPACE, story.document).unwrap();
    assert_eq!(archived.len(), 6);
    let lost = story.payloads[4..].iter();
    let hash = |payload: &Bytes| Payload::Held(payload.clone()).hash(Kind::CHANGES);
    // Those that are not archived are held, whatever is said of them.
    let lost = lost.map(|payload| hash(payload).unwrap()).collect();
    let document = story.document;
    assert_eq!(
        story.store.lose_archived(SPACE, document, &lost).unwrap(),
        2
    );
    let lacking = story.store.withheld(SPACE).unwrap();
    assert_eq!(lacking.len(), 2);
    for run in sent {
        let run = run.verify(story.world.network, SPACE, &story.pen.public(), &[]);
        append(&mut story.store, &story.world.authority, &run.unwrap());
    }
    assert!(story.store.withheld(SPACE).unwrap().is_empty());
    assert_eq!(story.held(), [vec![false; 4], vec![true; 6]].concat());
}

#[cfg(unix)]
#[test]
fn the_file_that_a_link_leads_to_is_made_smaller_and_keeps_its_mode() {
    use std::os::unix::fs::PermissionsExt as _;
    let mut story = Story::new(900_000);
    let path = story.folder.path().join("store.db");
    story.archive(9);
    drop(story.store);
    let mode = std::fs::Permissions::from_mode(0o640);
    std::fs::set_permissions(&path, mode).unwrap();
    let link = story.folder.path().join("elsewhere.db");
    std::os::unix::fs::symlink(&path, &link).unwrap();
    assert!(SqliteStore::compact(&link).unwrap().is_some());
    assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o640);
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
    let admitted = story.cut();
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
    let admitted = story.cut();
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
    assert_eq!((story.archived(), story.held()), (None, vec![false; 10]));
    assert_eq!(story.archive(10), 0, "nothing of it is archived again");
    assert_eq!(story.archived(), None);
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
    let outcome = SqliteStore::compact(&path).unwrap();
    assert_eq!(outcome, None, "it would spare too little");
    story.store = SqliteStore::open(&path, Check::Always).unwrap();
    story.archive(9);
    let larger = size(&story);
    assert_eq!(SqliteStore::compact(&path).unwrap(), None, "it is open");
    drop(story.store);
    // An attempt that was interrupted left this.
    std::fs::write(
        story.folder.path().join("store.db.compacted"),
        b"half a file",
    )
    .unwrap();
    let compacted = SqliteStore::compact(&path).unwrap().expect("smaller");
    assert_eq!(SqliteStore::compact(&path).unwrap(), None, "once");
    story.store = SqliteStore::open(&path, Check::Always).unwrap();
    let smaller = size(&story);
    assert_eq!((compacted.before, compacted.after), (larger, smaller));
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
    assert_eq!(SqliteStore::compact(&path).unwrap(), None);
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
