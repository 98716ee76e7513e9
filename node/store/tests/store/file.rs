//! What only a file can promise.

use std::path::Path;

use node_feed::{DocumentId, Erase, Kind, Nonce, Subject, Writers};
use node_store::{Appended, Check, EntryStore, ReadStore, Readers, SqliteStore, StoreError};

use crate::world::{NOTE, SPACE, World, append, keep, note, sqlite, texts, trees};

fn contains(path: &Path, needle: &[u8]) -> bool {
    let bytes = std::fs::read(path).unwrap_or_default();
    bytes.windows(needle.len()).any(|window| window == needle)
}

#[test]
fn a_store_opened_again_is_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let mut world = World::new();
    let (_, mut pen, open) = world.writer(2);
    let mut clone = pen.clone();
    let run = pen.write(&["one", "two"]);
    let fork = clone.write(&["ONE"]);
    let mut store = sqlite(&folder);
    store
        .append(&world.authority, vec![open, run, fork])
        .unwrap();
    let before = (trees(&store), texts(&store));
    drop(store);
    for check in [Check::Always, Check::AfterCrash] {
        let mut store = SqliteStore::open(folder.path().join("store.db"), check).unwrap();
        assert_eq!((trees(&store), texts(&store)), before);
        assert!(store.reconcile(&world.authority).unwrap().is_empty());
    }
}

#[test]
fn erased_bytes_are_nowhere_in_the_files_while_a_reader_is_open() {
    const PLANTED: &[u8] = b"planted personal value";
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let log = folder.path().join("store.db-wal");
    let mut world = World::new();
    let (hub, mut pen, open) = world.writer(2);
    let subject = DocumentId::new(hub.id, Writers::Owner, [1; 15]).subject();
    let mut store = sqlite(&folder);
    let readers = Readers::open(&path).unwrap();
    keep(&mut store, &world.authority, &open);
    // Short ones stand among other rows, long ones on pages of their own.
    for repeat in [1, 10, 500] {
        let text = String::from_utf8(PLANTED.repeat(repeat)).unwrap();
        keep(&mut store, &world.authority, &pen.note_on(subject, &text));
        keep(&mut store, &world.authority, &pen.write(&["another"]));
    }
    assert_eq!(readers.entries_of(subject, 0).unwrap().len(), 3);
    assert!(contains(&path, PLANTED) || contains(&log, PLANTED));

    let erase = Erase {
        random: Nonce([4; 16]),
        subjects: vec![subject],
    };
    let run = pen.sign(vec![(Kind::ERASE, Subject::NONE, erase.encode().unwrap())]);
    keep(&mut store, &world.authority, &run);
    assert!(!contains(&path, PLANTED) && !contains(&log, PLANTED));
    let left = readers.entries_of(subject, 0).unwrap();
    assert!(left.iter().all(|entry| entry.payload.bytes().is_none()));
}

#[test]
fn what_a_crash_left_of_erased_bytes_is_wiped_when_the_store_is_opened_again() {
    const PLANTED: &[u8] = b"planted personal value";
    let folder = tempfile::tempdir().unwrap();
    let [path, log] = ["store.db", "store.db-wal"].map(|name| folder.path().join(name));
    let mut world = World::new();
    let (hub, mut pen, open) = world.writer(2);
    let subject = DocumentId::new(hub.id, Writers::Owner, [1; 15]).subject();
    let mut store = sqlite(&folder);
    keep(&mut store, &world.authority, &open);
    let text = String::from_utf8(PLANTED.to_vec()).unwrap();
    keep(&mut store, &world.authority, &pen.note_on(subject, &text));
    // A reader that is busy keeps the log from being emptied; then the program is killed.
    let reader = rusqlite::Connection::open(&path).unwrap();
    reader
        .execute_batch("BEGIN; SELECT count(*) FROM settings")
        .unwrap();
    let erase = Erase {
        random: Nonce([4; 16]),
        subjects: vec![subject],
    };
    let run = pen.sign(vec![(Kind::ERASE, Subject::NONE, erase.encode().unwrap())]);
    keep(&mut store, &world.authority, &run);
    assert!(contains(&log, PLANTED));
    let crashed = tempfile::tempdir().unwrap();
    for file in [&path, &log] {
        let name = file.file_name().unwrap();
        std::fs::copy(file, crashed.path().join(name)).unwrap();
    }

    let [path, log] = ["store.db", "store.db-wal"].map(|name| crashed.path().join(name));
    assert!(contains(&log, PLANTED));
    let store = sqlite(&crashed);
    assert!(store.is_erased(subject).unwrap());
    assert!(!contains(&path, PLANTED) && !contains(&log, PLANTED));
}

/// Brings a file back to what the program wrote before archives.
const FOURTH_SCHEMA: &str = "
    DROP TABLE archives;
    DROP INDEX bases_of_copies;
    DROP INDEX entries_by_hash;
    CREATE INDEX entries_by_hash ON entries (substr(hash, 1, 8));
    DROP TABLE copy_lists;
    DROP TABLE copy_ends;
    DROP TABLE live_entries;
    ALTER TABLE copies DROP COLUMN live_bytes;
    ALTER TABLE copies ADD COLUMN list BLOB NOT NULL DEFAULT x'';
    PRAGMA user_version = 4";

#[test]
fn a_store_with_a_copy_under_way_is_brought_up_to_date_and_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let mut world = World::new();
    let (_, mut pen, open) = world.writer(2);
    let run = pen.write(&["one", "two"]);
    let mut store = sqlite(&folder);
    store.append(&world.authority, vec![open, run]).unwrap();
    let before = (trees(&store), texts(&store));
    drop(store);
    let path = folder.path().join("store.db");
    let old = rusqlite::Connection::open(&path).unwrap();
    old.execute_batch(FOURTH_SCHEMA).unwrap();
    let copy = "INSERT INTO copies (space, peer, bases, documents, of, list) \
                VALUES (?1, zeroblob(32), ?2, 1, 2, zeroblob(48))";
    let bases = node_feed::Heights::new().encode();
    old.execute(copy, rusqlite::params![SPACE.as_bytes(), bases])
        .unwrap();
    drop(old);
    let store = SqliteStore::open(&path, Check::Always).unwrap();
    assert_eq!((trees(&store), texts(&store)), before);
    let last = pen.tip().hash;
    assert!(store.entry(last).unwrap().is_some(), "found by its hash");
    let copies = store.copies().unwrap();
    assert_eq!((copies.len(), copies[0].1.of), (1, 2));
    drop(store);
    let new = rusqlite::Connection::open(&path).unwrap();
    let list = "SELECT length(list) FROM copy_lists";
    let bytes = new.query_row(list, [], |row| row.get::<_, i64>(0));
    assert_eq!(bytes.unwrap(), 48);
}

#[test]
fn a_newer_schema_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    drop(sqlite(&folder));
    let path = folder.path().join("store.db");
    let connection = rusqlite::Connection::open(&path).unwrap();
    connection.pragma_update(None, "user_version", 7).unwrap();
    drop(connection);
    let error = SqliteStore::open(&path, Check::AfterCrash).unwrap_err();
    assert_eq!(
        error.to_string(),
        "this store was written by a newer Causeway (schema 7; this program knows 6): upgrade the program"
    );
}

#[test]
fn a_file_of_another_program_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let connection = rusqlite::Connection::open(&path).unwrap();
    connection.execute_batch("CREATE TABLE theirs (a)").unwrap();
    drop(connection);
    let bytes = std::fs::read(&path).unwrap();
    let error = SqliteStore::open(&path, Check::Always).unwrap_err();
    assert!(matches!(error, StoreError::Foreign(_)), "{error}");
    assert_eq!(std::fs::read(&path).unwrap(), bytes);

    std::fs::write(
        &path,
        b"no database at all, but long enough to be looked at",
    )
    .unwrap();
    let error = SqliteStore::open(&path, Check::Always).unwrap_err();
    assert!(matches!(error, StoreError::Corrupt(_)), "{error}");
}

#[test]
fn a_damaged_file_is_found_when_it_is_opened() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let mut world = World::new();
    let (_, mut pen, open) = world.writer(2);
    let mut store = sqlite(&folder);
    keep(&mut store, &world.authority, &open);
    for _ in 0..50 {
        keep(
            &mut store,
            &world.authority,
            &pen.write(&["a note that fills pages"; 10]),
        );
    }
    drop(store);
    let mut bytes = std::fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    let page = middle - middle % 4_096;
    bytes[page..page + 64].fill(0xa5);
    std::fs::write(&path, bytes).unwrap();
    let error = SqliteStore::open(&path, Check::Always).unwrap_err();
    assert!(matches!(error, StoreError::Corrupt(_)), "{error}");
}

#[test]
fn a_full_disk_loses_nothing_and_passes() {
    let folder = tempfile::tempdir().unwrap();
    let mut world = World::new();
    let (_, mut pen, open) = world.writer(2);
    let mut store = sqlite(&folder);
    keep(&mut store, &world.authority, &open);
    store.limit_bytes(Some(400_000)).unwrap();
    let long = "x".repeat(50_000);
    let mut acknowledged = 0;
    let refused = loop {
        let run = pen.write(&[&long]);
        match store.append(&world.authority, vec![run.clone()]) {
            Ok(answers) => {
                assert!(matches!(answers[0], Appended::Stored(_)));
                acknowledged += 1;
            }
            Err(error) => {
                assert!(
                    matches!(error, StoreError::Full) && error.may_pass(),
                    "{error}"
                );
                break run;
            }
        }
    };
    assert!(acknowledged > 1);
    assert_eq!(texts(&store).len(), acknowledged, "reading goes on");
    store.check().unwrap();
    assert!(!store.is_stopped());

    store.limit_bytes(None).unwrap();
    keep(&mut store, &world.authority, &refused);
    assert_eq!(texts(&store).len(), acknowledged + 1);
}

#[test]
fn when_one_of_several_changes_fails_the_others_stand() {
    let folder = tempfile::tempdir().unwrap();
    let mut world = World::new();
    let (_, mut pen, open) = world.writer(2);
    let mut store = sqlite(&folder);
    let note = pen.write(&["one"]);
    let outcomes = store
        .together(|store| {
            let first = append(store, &world.authority, &open);
            let failed = store.set_setting("key", Some(&[0; 8]));
            let second = append(store, &world.authority, &note);
            (first, failed, second)
        })
        .unwrap();
    assert!(matches!(outcomes.0, Appended::Stored(_)) && matches!(outcomes.2, Appended::Stored(_)));
    outcomes.1.unwrap();
    assert_eq!(texts(&store), ["one"]);
}

#[test]
fn a_backup_is_whole_and_never_replaces_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("backup.db");
    let mut world = World::new();
    let (_, mut pen, open) = world.writer(2);
    let mut store = sqlite(&folder);
    keep(&mut store, &world.authority, &open);
    keep(&mut store, &world.authority, &pen.write(&["one"]));
    store.backup(&copy).unwrap();
    keep(&mut store, &world.authority, &pen.write(&["two"]));
    let error = store.backup(&copy).unwrap_err();
    assert!(matches!(error, StoreError::File { .. }), "{error}");

    let restored = SqliteStore::open(&copy, Check::Always).unwrap();
    assert_eq!(texts(&restored), ["one"]);
    let readers = Readers::open(store.path()).unwrap();
    readers.backup(folder.path().join("other.db")).unwrap();
}

/// So that a million small entries fit where they should.
#[test]
fn an_entry_costs_little_beside_its_payload() {
    let alone = overhead(1);
    let together = overhead(10);
    println!("{alone} bytes an entry signed alone, {together} in runs of ten");
    assert!(alone <= 200 && together <= 150);
}

/// Bytes an entry beside its payload, when so many share a signature.
fn overhead(run: u64) -> u64 {
    const ENTRIES: u64 = 5_000;
    let folder = tempfile::tempdir().unwrap();
    let mut world = World::new();
    let (hub, mut pen, open) = world.writer(2);
    drop(sqlite(&folder));
    let path = folder.path().join("store.db");
    let empty = std::fs::metadata(&path).unwrap().len();
    let mut store = sqlite(&folder);
    let text = "about as long as a small change of a document is, which is a hundred bytes or so";
    let mut runs = vec![open];
    for first in (0..ENTRIES).step_by(usize::try_from(run).unwrap()) {
        let entries = (first..first + run).map(|number| {
            let id = u8::try_from(number / 50).unwrap();
            let subject = DocumentId::new(hub.id, Writers::Owner, [id; 15]).subject();
            (NOTE, subject, note(text))
        });
        runs.push(pen.sign(entries.collect()));
    }
    store.append(&world.authority, runs).unwrap();
    let payload = store.totals().unwrap().payload_bytes;
    drop(store);
    let size = std::fs::metadata(path).unwrap().len();
    (size - empty - payload) / ENTRIES
}
