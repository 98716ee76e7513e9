//! What is taken out of lists is gone from their file.

use std::path::{Path, PathBuf};

use std::collections::BTreeMap;

use node_feed::{SpaceId, Subject};
use node_store::{Cell, ListQuery, ProjectionReaders, Projections, RecordRow, SavedState};
use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};

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
        searched: format!("Also called {title}"),
        cells: vec![Cell::text("name", title)],
    }
}

/// Lines, and saved states: short ones that stand among others, and long ones on pages of their own.
fn plant(projections: &mut Projections) {
    projections
        .put_record(&row(OTHER, "Somebody else"))
        .unwrap();
    projections.put_record(&row(PERSON, PLANTED)).unwrap();
    for repeat in [1, 500] {
        let state = PLANTED.repeat(repeat);
        let state = SavedState {
            space: SPACE,
            subject: PERSON,
            arrival: 7,
            bytes: state.into(),
        };
        projections.save_snapshots(&[state]).unwrap();
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
    plant(&mut projections);
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
    plant(&mut projections);
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

/// How many records are found by a word.
fn found(projections: &Projections, word: &str) -> u64 {
    let query = ListQuery {
        words: word.to_owned(),
        ..ListQuery::default()
    };
    projections.list(&query).unwrap().total
}

/// A word that shares no more than its first letters with another.
fn word(dice: &mut ChaCha8Rng) -> String {
    let letters = std::iter::repeat_with(|| char::from(b'a' + (dice.next_u32() % 26) as u8));
    letters.take(16).collect()
}

/// Words in titles, texts and cells, taken out one by one, by record and by space, and replaced.
#[test]
fn of_many_lines_that_come_and_go_only_the_words_of_those_that_are_there_are_in_the_files() {
    let mut seed = [0; 32];
    seed[..8].copy_from_slice(&u64::from(std::process::id()).to_le_bytes());
    println!("seed {seed:?}");
    let mut dice = ChaCha8Rng::from_seed(seed);
    let folder = tempfile::tempdir().unwrap();
    let files = Files::of(folder.path());
    let mut projections = files.open();
    let readers = ProjectionReaders::open(&files.0[0]).unwrap();
    let mut there = BTreeMap::<(u8, u8), String>::new();
    let mut gone = Vec::new();
    let space = |number| SpaceId::from_bytes([number; 16]);
    let subject = |number| Subject::from_bytes([number; 24]);
    for _ in 0..150 {
        let (at, who) = ((dice.next_u32() % 3) as u8, (dice.next_u32() % 200) as u8);
        match dice.next_u32() % 20 {
            0 => {
                projections.drop_space(space(at)).unwrap();
                gone.extend(
                    there
                        .extract_if(.., |key, _| key.0 == at)
                        .map(|(_, word)| word),
                );
            }
            1..4 => {
                projections.drop_subject(subject(who)).unwrap();
                gone.extend(
                    there
                        .extract_if(.., |key, _| key.1 == who)
                        .map(|(_, word)| word),
                );
            }
            4..8 => {
                projections.drop_record(space(at), subject(who)).unwrap();
                gone.extend(there.remove(&(at, who)));
            }
            _ => {
                let mut rows = Vec::new();
                for _ in 0..dice.next_u32() % 40 {
                    let who = (dice.next_u32() % 200) as u8;
                    let word = word(&mut dice);
                    let text = format!("{word} ").repeat((dice.next_u32() % 30) as usize + 1);
                    rows.push(RecordRow {
                        space: space(at),
                        searched: text,
                        ..row(subject(who), &word)
                    });
                    gone.extend(there.insert((at, who), word));
                }
                projections.put_records(&rows).unwrap();
            }
        }
    }
    projections.drop_subject(subject(0)).unwrap();
    gone.extend(
        there
            .extract_if(.., |key, _| key.1 == 0)
            .map(|(_, word)| word),
    );
    assert!(projections.needs_scrub().unwrap());
    projections.scrub().unwrap();
    assert!(!projections.needs_scrub().unwrap());
    println!(
        "{} lines are there, {} words are gone",
        there.len(),
        gone.len()
    );
    for word in there.values() {
        assert_eq!(found(&projections, word), 1, "{word} is found");
    }
    let all = readers.records(None, None).unwrap();
    assert_eq!(all.len(), there.len());
    for word in gone {
        assert_eq!(found(&projections, &word), 0, "{word} is found no more");
        assert!(!files.hold(&word[6..]), "nothing is left of {word}");
    }
}

#[test]
fn a_space_that_is_taken_out_leaves_nothing_either() {
    let folder = tempfile::tempdir().unwrap();
    let files = Files::of(folder.path());
    let mut projections = files.open();
    plant(&mut projections);
    projections.drop_space(SPACE).unwrap();
    assert!(!files.hold(PLANTED) && !files.hold("Somebody else"));
}
