//! What can be made again from the entries: saved documents, lines of lists, what is set aside.
//!
//! A file of its own with a writer of its own, so that making lists never holds up what must be
//! durable. It says how far, in the store's order of arrival, it reflects the store; a file that
//! cannot be used is thrown away and made anew.

mod ids;
mod judged_by;
mod lines;
mod list;
mod list_query;
mod matching;
mod order;
mod projection_readers;
mod record_row;
mod saved;
mod saved_state;
mod scrub;
mod set_aside_row;
mod words;

use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use node_feed::{Hash, SpaceId, Subject};
use rusqlite::{Connection, Params, Row, Transaction, params};

pub use self::judged_by::JudgedBy;
pub use self::list_query::{Filter, ListQuery, Listing, Sort};
pub use self::projection_readers::ProjectionReaders;
pub use self::record_row::{Cell, CellValue, RecordRow};
pub use self::saved_state::SavedState;
pub use self::set_aside_row::SetAsideRow;
use crate::StoreError;

/// Of another number, the file is made anew: there is nothing in it to bring along.
const SCHEMA: i64 = 5;
const TABLES: &str = include_str!("projections.sql");
/// How long a change waits for another process.
const BUSY: Duration = Duration::from_secs(5);

/// The file. What is taken out is overwritten where it stands, in the write-ahead log too as soon
/// as no reader needs it. Where it stood before SQLite moved it, [`Projections::scrub`] removes it.
#[derive(Debug)]
pub struct Projections {
    connection: Connection,
    /// Lines were taken out whose bytes may still stand in the write-ahead log.
    log_holds_dropped: std::cell::Cell<bool>,
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
        Self::delete(path)?;
        Self::connect(path)?.ok_or_else(|| StoreError::Foreign(path.to_owned()))
    }

    /// Deletes the file at `path`, which nothing may have open, so that all in it is made anew.
    ///
    /// # Errors
    /// [`StoreError::File`] if it cannot be deleted.
    pub fn delete(path: impl AsRef<Path>) -> Result<(), StoreError> {
        for suffix in ["", "-wal", "-shm"] {
            let mut name = path.as_ref().as_os_str().to_owned();
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
        Ok(())
    }

    /// How far, in order of arrival, the lines reflect the store.
    ///
    /// # Errors
    /// [`StoreError`] if the file cannot be read.
    pub fn reflects(&self) -> Result<u64, StoreError> {
        saved::reflects(&self.connection)
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
        saved::snapshot(&self.connection, space, subject)
    }

    /// Keeps documents' states: all of them, or none if this fails.
    ///
    /// # Errors
    /// [`StoreError`] if the file cannot be written.
    pub fn save_snapshots(&mut self, states: &[SavedState]) -> Result<(), StoreError> {
        if states.is_empty() {
            return Ok(());
        }
        self.change(|transaction| saved::put_snapshots(transaction, states))
    }

    /// Puts a record's line in, in the place of an earlier one of the same space.
    ///
    /// # Errors
    /// [`StoreError`] if the file cannot be written.
    pub fn put_record(&mut self, row: &RecordRow) -> Result<(), StoreError> {
        self.put_records(std::slice::from_ref(row))
    }

    /// Puts lines in, each in the place of an earlier one of the same record and space: all of
    /// them, or none if this fails.
    ///
    /// # Errors
    /// [`StoreError`] if the file cannot be written.
    pub fn put_records(&mut self, rows: &[RecordRow]) -> Result<(), StoreError> {
        if rows.is_empty() {
            return Ok(());
        }
        self.change(|transaction| lines::put(transaction, rows))
    }

    /// Takes a record's line out.
    ///
    /// # Errors
    /// [`StoreError`] if the file cannot be written.
    pub fn drop_record(&mut self, space: SpaceId, subject: Subject) -> Result<(), StoreError> {
        let Some(space) = lines::space_number(&self.connection, space)? else {
            return Ok(());
        };
        let line = params![space, subject.as_bytes()];
        if !lines::is_there(&self.connection, space, subject)? {
            return Ok(());
        }
        self.take_out(|transaction| {
            lines::take_out(transaction, "space = ?1 AND subject = ?2", line)
        })
    }

    /// A record's lines, one for each space that it is listed in.
    ///
    /// # Errors
    /// [`StoreError`] if the file cannot be read.
    pub fn lines_of(&self, subject: Subject) -> Result<Vec<RecordRow>, StoreError> {
        list::lines_of(&self.connection, subject)
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
        list::records(&self.connection, kind, space)
    }

    /// A part of the records that fit a query, and how many there are in all.
    ///
    /// # Errors
    /// [`StoreError`] if the file cannot be read.
    pub fn list(&self, query: &ListQuery) -> Result<Listing, StoreError> {
        list::list(&self.connection, query)
    }

    /// How many of the records that fit a query have each value of a field, by value. Sorting and
    /// the part that is wanted do not matter.
    ///
    /// # Errors
    /// [`StoreError`] if the file cannot be read.
    pub fn count_by(
        &self,
        query: &ListQuery,
        field: &str,
    ) -> Result<Vec<(CellValue, u64)>, StoreError> {
        list::count_by(&self.connection, query, field)
    }

    /// The lines of the records of which any field has this value.
    ///
    /// # Errors
    /// [`StoreError`] if the file cannot be read.
    pub fn referring(&self, value: &str) -> Result<Vec<RecordRow>, StoreError> {
        list::referring(&self.connection, value)
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
        // Of nearly all documents nothing is, and nothing was.
        if rows.is_empty() && !saved::is_any_set_aside(&self.connection, space, subject)? {
            return Ok(());
        }
        self.change(|transaction| saved::put_set_aside(transaction, space, subject, rows))
    }

    /// Notes an entry that is set aside by itself, whatever it is about.
    ///
    /// # Errors
    /// [`StoreError`] if the file cannot be written.
    pub fn add_set_aside(&mut self, row: &SetAsideRow) -> Result<(), StoreError> {
        self.change(|transaction| saved::add_set_aside(transaction, row))
    }

    /// By which program what is set aside was judged; none if nothing was yet.
    ///
    /// # Errors
    /// [`StoreError`] if the file cannot be read.
    pub fn judged_by(&self) -> Result<Option<JudgedBy>, StoreError> {
        judged_by::read(&self.connection)
    }

    /// Notes by which program all that is set aside was judged.
    ///
    /// # Errors
    /// [`StoreError`] if the file cannot be written.
    pub fn set_judged_by(&mut self, by: &JudgedBy) -> Result<(), StoreError> {
        self.change(|transaction| judged_by::write(transaction, by))
    }

    /// All that is set aside.
    ///
    /// # Errors
    /// [`StoreError`] if the file cannot be read.
    pub fn set_aside(&self) -> Result<Vec<SetAsideRow>, StoreError> {
        saved::set_aside(&self.connection)
    }

    /// Takes out all that is kept of a document or card.
    ///
    /// # Errors
    /// [`StoreError`] if the file cannot be written.
    pub fn drop_subject(&mut self, subject: Subject) -> Result<(), StoreError> {
        self.drop_where("subject", subject.as_bytes(), |transaction| {
            lines::take_out(transaction, "subject = ?1", [subject.as_bytes()])
        })
    }

    /// Takes out all that is kept of a space. Until [`Projections::set_settled`] says otherwise,
    /// its lines count as not made.
    ///
    /// # Errors
    /// [`StoreError`] if the file cannot be written.
    pub fn drop_space(&mut self, space: SpaceId) -> Result<(), StoreError> {
        self.set_settled(space, Hash::ZERO)?;
        let number = lines::space_number(&self.connection, space)?;
        self.drop_where("space", space.as_bytes(), |transaction| match number {
            Some(number) => lines::take_out(transaction, "space = ?1", [number]),
            None => Ok(0),
        })
    }

    /// The digest of what no longer counted in a space when its lines were last made; none if
    /// they were never made anew.
    ///
    /// # Errors
    /// [`StoreError`] if the file cannot be read.
    pub fn settled(&self, space: SpaceId) -> Result<Option<Hash>, StoreError> {
        saved::settled(&self.connection, space)
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
        saved::spaces(&self.connection)
    }

    /// Whether anything was taken out since the last [`Projections::scrub`].
    ///
    /// # Errors
    /// [`StoreError`] if the file cannot be read.
    pub fn needs_scrub(&self) -> Result<bool, StoreError> {
        scrub::is_due(&self.connection)
    }

    /// Removes what SQLite left of rows that were taken out, by writing everything that is kept
    /// anew: where it moves rows from one page to another, their bytes stay behind in what is then
    /// unused. Takes about as long as making lists of what is held; reading goes on meanwhile.
    ///
    /// # Errors
    /// [`StoreError`] if the file cannot be written; nothing has changed then.
    pub fn scrub(&mut self) -> Result<(), StoreError> {
        self.change(scrub::scrub)?;
        self.log_holds_dropped.set(true);
        self.wipe_log();
        Ok(())
    }

    fn drop_where(
        &mut self,
        column: &str,
        value: &[u8],
        take_out: impl FnOnce(&Transaction<'_>) -> Result<usize, StoreError>,
    ) -> Result<(), StoreError> {
        self.take_out(|transaction| {
            let mut count = take_out(transaction)?;
            for table in ["snapshots", "set_aside"] {
                let sql = format!("DELETE FROM {table} WHERE {column} = ?1");
                count += transaction.execute(&sql, [value])?;
            }
            Ok(count)
        })
    }

    /// Makes a change that says how many rows it took out.
    fn take_out(
        &mut self,
        work: impl FnOnce(&Transaction<'_>) -> Result<usize, StoreError>,
    ) -> Result<(), StoreError> {
        let taken_out = self.change(|transaction| {
            let count = work(transaction)?;
            if count > 0 {
                scrub::note(transaction)?;
            }
            Ok(count > 0)
        })?;
        if taken_out {
            self.log_holds_dropped.set(true);
            self.wipe_log();
        }
        Ok(())
    }

    /// Makes one change, of which nothing is done if it fails.
    fn change<T>(
        &mut self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let transaction = self.connection.transaction()?;
        let done = work(&transaction)?;
        transaction.commit()?;
        self.wipe_log();
        Ok(done)
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
        connection.set_prepared_statement_cache_capacity(64);
        connection.query_row("PRAGMA journal_mode = WAL", [], |row| {
            row.get::<_, String>(0)
        })?;
        // Losing the last changes in a power cut only means making them again.
        connection.execute_batch("PRAGMA synchronous = NORMAL")?;
        // What is sorted on the way is in no other file either.
        connection.execute_batch("PRAGMA secure_delete = ON; PRAGMA temp_store = MEMORY")?;
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
            log_holds_dropped: std::cell::Cell::new(true),
        }))
    }
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
            searched: String::new(),
            cells: Vec::new(),
        }
    }

    #[test]
    fn lines_are_listed_replaced_and_taken_out() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("projections.db");
        let mut projections = Projections::open(&path).expect("a new file");
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
