//! What can be made again from the entries: saved documents, lines of lists, what is set aside.
//!
//! A file of its own with a writer of its own, so that making lists never holds up what must be
//! durable. It says how far, in the store's order of arrival, it reflects the store; a file that
//! cannot be used is thrown away and made anew.

use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use node_feed::{FeedName, Hash, SpaceId, Subject};
use rusqlite::{Connection, OptionalExtension, Params, Row, params};

use crate::StoreError;

/// Of another number, the file is made anew: there is nothing in it to bring along.
const SCHEMA: i64 = 2;
const TABLES: &str = include_str!("projections.sql");
/// How long a change waits for another process.
const BUSY: Duration = Duration::from_secs(5);

/// The line that stands for a record in lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordRow {
    /// The space it is in.
    pub space: SpaceId,
    /// The document or card.
    pub subject: Subject,
    /// The name of its kind.
    pub kind: String,
    /// Its title.
    pub title: String,
    /// Its columns, as a JSON object.
    pub json: String,
}

/// An entry that is stored and passed on, but not applied here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetAsideRow {
    /// The space it is in.
    pub space: SpaceId,
    /// The feed it is in.
    pub feed: FeedName,
    /// Its number.
    pub number: u64,
    /// Its hash.
    pub hash: Hash,
    /// What it is about.
    pub subject: Subject,
    /// Why, in words.
    pub reason: String,
}

/// The file. What is taken out is overwritten, in the write-ahead log too as soon as no reader
/// needs it.
#[derive(Debug)]
pub struct Projections {
    connection: Connection,
    /// Lines were taken out whose bytes may still stand in the write-ahead log.
    log_holds_dropped: Cell<bool>,
}

impl Projections {
    /// Opens the file at `path`, and makes it anew if it is damaged or of another version.
    ///
    /// # Errors
    /// [`StoreError`] if it can neither be used nor made.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        let path = path.as_ref();
        match Self::connect(path) {
            Ok(Some(projections)) => return Ok(projections),
            Ok(None) => {}
            Err(StoreError::Corrupt(what)) => {
                tracing::warn!(what, "the file of lists is damaged and is made anew");
            }
            Err(error) => return Err(error),
        }
        for suffix in ["", "-wal", "-shm"] {
            let mut name = path.as_os_str().to_owned();
            name.push(suffix);
            let file = PathBuf::from(name);
            match std::fs::remove_file(&file) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    let source = std::sync::Arc::new(error);
                    return Err(StoreError::File { path: file, source });
                }
                _ => {}
            }
        }
        Self::connect(path)?.ok_or_else(|| StoreError::Foreign(path.to_owned()))
    }

    /// How far, in order of arrival, the lines reflect the store.
    ///
    /// # Errors
    /// [`StoreError`] if the file cannot be read.
    pub fn reflects(&self) -> Result<u64, StoreError> {
        let sql = "SELECT arrival FROM reflects";
        let arrival = self
            .connection
            .query_row(sql, [], |row| row.get::<_, i64>(0))
            .optional()?;
        Ok(arrival.map_or(0, i64::cast_unsigned))
    }

    /// Notes how far the lines reflect the store.
    ///
    /// # Errors
    /// [`StoreError`] if the file cannot be written.
    pub fn set_reflects(&self, arrival: u64) -> Result<(), StoreError> {
        let sql = "INSERT INTO reflects (id, arrival) VALUES (1, ?1)
                   ON CONFLICT (id) DO UPDATE SET arrival = excluded.arrival";
        self.write(sql, [arrival.cast_signed()])
    }

    /// A document's saved state, and how far it had seen the store.
    ///
    /// # Errors
    /// [`StoreError`] if the file cannot be read.
    pub fn snapshot(
        &self,
        space: SpaceId,
        subject: Subject,
    ) -> Result<Option<(u64, Bytes)>, StoreError> {
        let sql = "SELECT arrival, bytes FROM snapshots WHERE space = ?1 AND subject = ?2";
        let found = self
            .connection
            .prepare_cached(sql)?
            .query_row(key(space, subject), |row| {
                Ok((
                    row.get::<_, i64>(0)?.cast_unsigned(),
                    row.get::<_, Vec<u8>>(1)?.into(),
                ))
            });
        Ok(found.optional()?)
    }

    /// Keeps a document's state.
    ///
    /// # Errors
    /// [`StoreError`] if the file cannot be written.
    pub fn save_snapshot(
        &self,
        space: SpaceId,
        subject: Subject,
        arrival: u64,
        bytes: &[u8],
    ) -> Result<(), StoreError> {
        let sql = "INSERT INTO snapshots (space, subject, arrival, bytes) VALUES (?1, ?2, ?3, ?4)
                   ON CONFLICT (space, subject)
                   DO UPDATE SET arrival = excluded.arrival, bytes = excluded.bytes";
        let arrival = arrival.cast_signed();
        self.write(
            sql,
            params![space.as_bytes(), subject.as_bytes(), arrival, bytes],
        )
    }

    /// Puts a record's line in, in the place of an earlier one of the same space.
    ///
    /// # Errors
    /// [`StoreError`] if the file cannot be written.
    pub fn put_record(&self, row: &RecordRow) -> Result<(), StoreError> {
        let sql = "INSERT INTO records (subject, space, kind, title, json)
                   VALUES (?1, ?2, ?3, ?4, ?5)
                   ON CONFLICT (space, subject) DO UPDATE SET
                   kind = excluded.kind, title = excluded.title, json = excluded.json";
        let (subject, space) = (row.subject.as_bytes(), row.space.as_bytes());
        self.write(sql, params![subject, space, row.kind, row.title, row.json])
    }

    /// Takes a record's line out.
    ///
    /// # Errors
    /// [`StoreError`] if the file cannot be written.
    pub fn drop_record(&self, space: SpaceId, subject: Subject) -> Result<(), StoreError> {
        let sql = "DELETE FROM records WHERE space = ?1 AND subject = ?2";
        let mut statement = self.connection.prepare_cached(sql)?;
        if statement.execute(key(space, subject))? > 0 {
            self.log_holds_dropped.set(true);
            self.wipe_log();
        }
        Ok(())
    }

    /// A record's lines, one for each space that it is listed in.
    ///
    /// # Errors
    /// [`StoreError`] if the file cannot be read.
    pub fn lines_of(&self, subject: Subject) -> Result<Vec<RecordRow>, StoreError> {
        let sql = "SELECT subject, space, kind, title, json FROM records WHERE subject = ?1
                   ORDER BY space";
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows = statement.query_map([subject.as_bytes()], record_row)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The lines of one kind or all, in one space or all, by kind and title.
    ///
    /// # Errors
    /// [`StoreError`] if the file cannot be read.
    pub fn records(
        &self,
        kind: Option<&str>,
        space: Option<SpaceId>,
    ) -> Result<Vec<RecordRow>, StoreError> {
        let sql = "SELECT subject, space, kind, title, json FROM records
                   WHERE (?1 IS NULL OR kind = ?1) AND (?2 IS NULL OR space = ?2)
                   ORDER BY kind, title, subject, space";
        let mut statement = self.connection.prepare_cached(sql)?;
        let space = space.map(|space| space.as_bytes().to_vec());
        let rows = statement.query_map(params![kind, space], record_row)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Replaces what is set aside of a document.
    ///
    /// # Errors
    /// [`StoreError`] if the file cannot be written.
    pub fn put_set_aside(
        &mut self,
        space: SpaceId,
        subject: Subject,
        rows: &[SetAsideRow],
    ) -> Result<(), StoreError> {
        let transaction = self.connection.transaction()?;
        let sql = "DELETE FROM set_aside WHERE space = ?1 AND subject = ?2";
        transaction
            .prepare_cached(sql)?
            .execute(key(space, subject))?;
        for row in rows {
            let sql = "INSERT OR REPLACE INTO set_aside
                       (space, subject, feed, number, hash, reason) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
            let number = row.number.cast_signed();
            let (feed, hash) = (row.feed.as_bytes(), row.hash.as_bytes());
            let (space, subject) = (space.as_bytes(), subject.as_bytes());
            let columns = params![space, subject, feed, number, hash, row.reason];
            transaction.prepare_cached(sql)?.execute(columns)?;
        }
        transaction.commit()?;
        self.wipe_log();
        Ok(())
    }

    /// All that is set aside.
    ///
    /// # Errors
    /// [`StoreError`] if the file cannot be read.
    pub fn set_aside(&self) -> Result<Vec<SetAsideRow>, StoreError> {
        let sql = "SELECT space, subject, feed, number, hash, reason FROM set_aside
                   ORDER BY space, subject, feed, number";
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows = statement.query_map([], |row| {
            Ok(SetAsideRow {
                space: SpaceId::from_bytes(row.get(0)?),
                subject: Subject::from_bytes(row.get(1)?),
                feed: FeedName::from_bytes(row.get(2)?),
                number: row.get::<_, i64>(3)?.cast_unsigned(),
                hash: Hash::from_bytes(row.get(4)?),
                reason: row.get(5)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Takes out all that is kept of a document or card.
    ///
    /// # Errors
    /// [`StoreError`] if the file cannot be written.
    pub fn drop_subject(&mut self, subject: Subject) -> Result<(), StoreError> {
        self.drop_where("subject", subject.as_bytes())
    }

    /// Takes out all that is kept of a space. Until [`Projections::set_settled`] says otherwise,
    /// its lines count as not made.
    ///
    /// # Errors
    /// [`StoreError`] if the file cannot be written.
    pub fn drop_space(&mut self, space: SpaceId) -> Result<(), StoreError> {
        self.set_settled(space, Hash::ZERO)?;
        self.drop_where("space", space.as_bytes())
    }

    /// The digest of what no longer counted in a space when its lines were last made; none if
    /// they were never made anew.
    ///
    /// # Errors
    /// [`StoreError`] if the file cannot be read.
    pub fn settled(&self, space: SpaceId) -> Result<Option<Hash>, StoreError> {
        let sql = "SELECT evidence FROM settled WHERE space = ?1";
        let mut statement = self.connection.prepare_cached(sql)?;
        let found = statement.query_row([space.as_bytes()], |row| row.get(0).map(Hash::from_bytes));
        Ok(found.optional()?)
    }

    /// Notes that a space's lines were made, and the digest of what did not count then.
    ///
    /// # Errors
    /// [`StoreError`] if the file cannot be written.
    pub fn set_settled(&self, space: SpaceId, evidence: Hash) -> Result<(), StoreError> {
        let sql = "INSERT INTO settled (space, evidence) VALUES (?1, ?2)
                   ON CONFLICT (space) DO UPDATE SET evidence = excluded.evidence";
        self.write(sql, params![space.as_bytes(), evidence.as_bytes()])
    }

    /// The spaces of which anything is kept.
    ///
    /// # Errors
    /// [`StoreError`] if the file cannot be read.
    pub fn spaces(&self) -> Result<Vec<SpaceId>, StoreError> {
        let sql = "SELECT space FROM records UNION SELECT space FROM snapshots
                   UNION SELECT space FROM set_aside UNION SELECT space FROM settled";
        let mut statement = self.connection.prepare_cached(sql)?;
        let spaces = statement.query_map([], |row| row.get(0).map(SpaceId::from_bytes))?;
        Ok(spaces.collect::<Result<_, _>>()?)
    }

    fn drop_where(&mut self, column: &str, value: &[u8]) -> Result<(), StoreError> {
        let transaction = self.connection.transaction()?;
        for table in ["records", "snapshots", "set_aside"] {
            transaction.execute(&format!("DELETE FROM {table} WHERE {column} = ?1"), [value])?;
        }
        transaction.commit()?;
        self.log_holds_dropped.set(true);
        self.wipe_log();
        Ok(())
    }

    fn write(&self, sql: &str, params: impl Params) -> Result<(), StoreError> {
        self.connection.prepare_cached(sql)?.execute(params)?;
        self.wipe_log();
        Ok(())
    }

    /// Empties the write-ahead log of what was taken out. A reader that still needs it is not
    /// waited for: the next change tries again.
    fn wipe_log(&self) {
        if !self.log_holds_dropped.get() {
            return;
        }
        let busy = |row: &Row<'_>| row.get::<_, i64>(0);
        let wiped = self.connection.busy_timeout(Duration::ZERO).and_then(|()| {
            self.connection
                .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], busy)
        });
        match wiped {
            Ok(busy) => self.log_holds_dropped.set(busy != 0),
            Err(error) => tracing::debug!(%error, "the write-ahead log is in use"),
        }
        if let Err(error) = self.connection.busy_timeout(BUSY) {
            tracing::warn!(%error, "the waiting time for lists could not be set");
        }
    }

    /// Opens the file; none if it is of another version.
    fn connect(path: &Path) -> Result<Option<Self>, StoreError> {
        let connection = Connection::open(path)?;
        connection.busy_timeout(BUSY)?;
        connection.query_row("PRAGMA journal_mode = WAL", [], |row| {
            row.get::<_, String>(0)
        })?;
        // Losing the last changes in a power cut only means making them again.
        connection.execute_batch("PRAGMA synchronous = NORMAL; PRAGMA secure_delete = ON")?;
        let read = |name: &str| connection.pragma_query_value(None, name, |row| row.get(0));
        let tables = "SELECT count(*) FROM sqlite_schema";
        let tables: i64 = connection.query_row(tables, [], |row| row.get(0))?;
        let version: i64 = read("user_version")?;
        if tables == 0 {
            connection.execute_batch(TABLES)?;
            connection.pragma_update(None, "user_version", SCHEMA)?;
        } else if version != SCHEMA {
            return Ok(None);
        }
        Ok(Some(Self {
            connection,
            // What was taken out just before a crash may not have been wiped yet.
            log_holds_dropped: Cell::new(true),
        }))
    }
}

const fn key(space: SpaceId, subject: Subject) -> ([u8; 16], [u8; 24]) {
    (*space.as_bytes(), *subject.as_bytes())
}

fn record_row(row: &Row<'_>) -> rusqlite::Result<RecordRow> {
    Ok(RecordRow {
        subject: Subject::from_bytes(row.get(0)?),
        space: SpaceId::from_bytes(row.get(1)?),
        kind: row.get(2)?,
        title: row.get(3)?,
        json: row.get(4)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(subject: u8, kind: &str, title: &str) -> RecordRow {
        RecordRow {
            space: SpaceId::from_bytes([1; 16]),
            subject: Subject::from_bytes([subject; 24]),
            kind: kind.to_owned(),
            title: title.to_owned(),
            json: "{}".to_owned(),
        }
    }

    #[test]
    fn lines_are_listed_replaced_and_taken_out() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("projections.db");
        let projections = Projections::open(&path).expect("a new file");
        for line in [
            row(1, "practice", "B"),
            row(2, "practice", "A"),
            row(1, "practice", "C"),
        ] {
            projections.put_record(&line).expect("a line is written");
        }
        let titles = |projections: &Projections| {
            let rows = projections
                .records(Some("practice"), None)
                .expect("lines are read");
            rows.into_iter().map(|row| row.title).collect::<Vec<_>>()
        };
        assert_eq!(titles(&projections), ["A", "C"]);
        projections.set_reflects(7).expect("a note is written");
        drop(projections);
        let mut projections = Projections::open(&path).expect("the same file");
        assert_eq!(projections.reflects().expect("a note is read"), 7);
        projections
            .drop_subject(Subject::from_bytes([1; 24]))
            .expect("a line is taken out");
        assert_eq!(titles(&projections), ["A"]);
    }

    #[test]
    fn a_line_in_one_space_never_takes_the_place_of_one_in_another() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("projections.db");
        let mut projections = Projections::open(path).expect("a new file");
        let (here, subject) = (row(1, "practice", "Here"), Subject::from_bytes([1; 24]));
        let there = RecordRow {
            space: SpaceId::from_bytes([2; 16]),
            ..row(1, "practice", "There")
        };
        for line in [&here, &there] {
            projections.put_record(line).expect("a line is written");
        }
        let lines = |projections: &Projections| projections.lines_of(subject).expect("lines");
        assert_eq!(lines(&projections), [here.clone(), there.clone()]);
        projections.drop_record(here.space, subject).expect("out");
        assert_eq!(lines(&projections), std::slice::from_ref(&there));
        projections.drop_space(there.space).expect("out");
        assert_eq!(lines(&projections), []);
        let settled = projections.settled(there.space).expect("a note is read");
        assert_eq!(settled, Some(Hash::ZERO), "its lines count as not made");
    }

    #[test]
    fn a_damaged_file_is_made_anew() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("projections.db");
        std::fs::write(
            &path,
            "this is no database, and long enough to be taken for one",
        )
        .expect("a file is written");
        let projections = Projections::open(&path).expect("a new file in its place");
        assert_eq!(projections.reflects().expect("nothing is reflected"), 0);
    }
}
