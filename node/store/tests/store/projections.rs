//! What is taken out of lists is gone from their file.

use std::path::{Path, PathBuf};

use node_feed::{SpaceId, Subject};
use node_store::{Projections, RecordRow};

const PLANTED: &str = "planted personal value";
const SPACE: SpaceId = SpaceId::from_bytes([1; 16]);
const PERSON: Subject = Subject::from_bytes([1; 24]);
const OTHER: Subject = Subject::from_bytes([2; 24]);

/// The file and its write-ahead log.
struct Files([PathBuf; 2]);

impl Files {
    fn of(folder: &Path) -> Self {
        Self(["projections.db", "projections.db-wal"].map(|name| folder.join(name)))
    }

    fn open(&self) -> Projections {
        Projections::open(&self.0[0]).unwrap()
    }

    fn reader(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(&self.0[0]).unwrap()
    }

    fn hold(&self, needle: &str) -> bool {
        let bytes = self.0.iter().filter_map(|file| std::fs::read(file).ok());
        let mut windows = bytes.map(|bytes| {
            let mut windows = bytes.windows(needle.len());
            windows.any(|window| window == needle.as_bytes())
        });
        windows.any(|found| found)
    }
}

fn row(subject: Subject, title: &str) -> RecordRow {
    RecordRow {
        space: SPACE,
        subject,
        kind: "person".to_owned(),
        title: title.to_owned(),
        json: format!(r#"{{"name":"{title}"}}"#),
    }
}

/// Lines, and saved states: short ones that stand among others, and long ones on pages of their own.
fn plant(projections: &Projections) {
    projections
        .put_record(&row(OTHER, "Somebody else"))
        .unwrap();
    projections.put_record(&row(PERSON, PLANTED)).unwrap();
    for repeat in [1, 500] {
        let state = PLANTED.repeat(repeat);
        let saved = projections.save_snapshot(SPACE, PERSON, 7, state.as_bytes());
        saved.unwrap();
    }
}

fn count(reader: &rusqlite::Connection) -> i64 {
    let sql = "SELECT count(*) FROM records";
    reader.query_row(sql, [], |row| row.get(0)).unwrap()
}

#[test]
fn erased_bytes_are_nowhere_in_the_files_while_a_reader_is_open() {
    let folder = tempfile::tempdir().unwrap();
    let files = Files::of(folder.path());
    let mut projections = files.open();
    plant(&projections);
    let reader = files.reader();
    assert_eq!(count(&reader), 2);
    assert!(files.hold(PLANTED));

    projections.drop_subject(PERSON).unwrap();
    assert!(!files.hold(PLANTED));
    assert!(files.hold("Somebody else"));
    assert_eq!(count(&reader), 1);
}

#[test]
fn a_reader_in_the_middle_of_reading_is_not_disturbed_and_only_delays_the_wiping() {
    let folder = tempfile::tempdir().unwrap();
    let files = Files::of(folder.path());
    let mut projections = files.open();
    plant(&projections);
    let reader = files.reader();
    reader.execute_batch("BEGIN").unwrap();
    assert_eq!(count(&reader), 2);

    projections.drop_subject(PERSON).unwrap();
    assert_eq!(count(&reader), 2);
    reader.execute_batch("ROLLBACK").unwrap();
    projections.set_reflects(8).unwrap();
    assert!(!files.hold(PLANTED));
    assert_eq!(count(&reader), 1);
}

#[test]
fn a_space_that_is_taken_out_leaves_nothing_either() {
    let folder = tempfile::tempdir().unwrap();
    let files = Files::of(folder.path());
    let mut projections = files.open();
    plant(&projections);
    projections.drop_space(SPACE).unwrap();
    assert!(!files.hold(PLANTED) && !files.hold("Somebody else"));
}
