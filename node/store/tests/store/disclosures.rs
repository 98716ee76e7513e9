//! What left this hub is noted for good.

use node_feed::{Hash, HubId, SpaceId, Subject};
use node_store::{Check, Disclosure, DisclosureAction, Readers, SqliteStore, Writer};

use crate::world::sqlite;

fn subject(owner: u8) -> Subject {
    Subject::from_bytes([owner; 24])
}

fn disclosure(time_ms: u64, record: u8, copy: Option<u8>) -> Disclosure {
    Disclosure {
        time_ms,
        space: SpaceId::from_bytes([7; 16]),
        subject: subject(record),
        copy: copy.map(subject),
        action: DisclosureAction::Published,
        by: "The hub's lead, \"as agreed\"".to_owned(),
        readers: vec!["NCETM".to_owned(), "H3 \u{201c}East\u{201d}".to_owned()],
        fields: vec!["title".to_owned(), "schools/urn".to_owned()],
        digest: Hash::from_bytes([9; 32]),
    }
}

#[test]
fn what_left_is_told_of_each_record_oldest_first_and_survives_restarts_and_backups() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = sqlite(&folder);
    let first = disclosure(2, 1, Some(11));
    let other = disclosure(1, 2, None);
    let withdrawn = Disclosure {
        action: DisclosureAction::Withdrawn,
        ..disclosure(3, 1, Some(11))
    };
    for disclosure in [&first, &other, &withdrawn] {
        store.add_disclosure(disclosure).unwrap();
    }
    let all = [first.clone(), other.clone(), withdrawn.clone()];
    assert_eq!(store.disclosures(None).unwrap(), all);
    let readers = Readers::open(store.path()).unwrap();
    let of_first = [first, withdrawn];
    assert_eq!(readers.disclosures(Some(subject(1))).unwrap(), of_first);
    assert_eq!(
        readers.disclosures(Some(subject(11))).unwrap(),
        of_first,
        "of the copy"
    );
    assert_eq!(readers.disclosures(Some(subject(2))).unwrap(), [other]);
    assert!(readers.disclosures(Some(subject(3))).unwrap().is_empty());
    let copy = folder.path().join("backup.db");
    readers.backup(&copy).unwrap();
    drop((store, readers));
    for file in [copy, folder.path().join("store.db")] {
        let store = SqliteStore::open(file, Check::Always).unwrap();
        assert_eq!(store.disclosures(None).unwrap(), all);
    }
}

#[test]
fn a_store_of_the_first_schema_is_brought_up_to_date_and_keeps_what_it_holds() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    drop(sqlite(&folder));
    let old = rusqlite::Connection::open(&path).unwrap();
    old.execute_batch(
        "DROP TABLE disclosures; DROP TABLE left_spaces; DROP TABLE accounts;
         DROP TABLE account_sessions; DROP TABLE account_tries; DROP TABLE audit_lines;
         DROP TABLE copy_pieces; DROP TABLE copy_lists; DROP TABLE copy_ends;
         DROP TABLE live_entries; DROP TABLE copies; DROP TABLE links;
         DROP TABLE checked_bases; DROP TABLE bases; DROP TABLE archives;
         ALTER TABLE feeds DROP COLUMN base;
         PRAGMA user_version = 1;
         INSERT INTO settings (key, value) VALUES ('kept', x'05')",
    )
    .unwrap();
    drop(old);
    let store = SqliteStore::open(&path, Check::Always).unwrap();
    assert!(store.disclosures(None).unwrap().is_empty());
    let kept = node_store::ReadStore::setting(&store, "kept").unwrap();
    assert_eq!(kept.as_deref(), Some(&[5][..]));
}

#[test]
fn a_disclosure_is_durable_when_the_writer_answers() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let writer = Writer::start(sqlite(&folder)).unwrap();
    let noted = disclosure(5, 1, None);
    let handle = writer.handle();
    let (sent, hub) = (noted.clone(), HubId::from_bytes([1; 8]));
    handle
        .call(move |store| store.add_disclosure(&sent))
        .unwrap();
    let readers = Readers::open(&path).unwrap();
    assert_eq!(readers.disclosures(Some(subject(1))).unwrap(), [noted]);
    assert_eq!(subject(1).owner(), hub);
}
