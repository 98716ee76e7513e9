//! Reading lists from many threads while lines are written.

use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use node_feed::{Hash, SpaceId, Subject};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::{CellValue, ListQuery, Listing, RecordRow, SetAsideRow, list, saved};
use crate::StoreError;
use crate::pool::Pool;

/// How long a question waits while the file is being made anew.
const BUSY: Duration = Duration::from_secs(5);

/// Connections that only read the file of [`Projections`](super::Projections).
///
/// Every question is answered from one moment of the file, and never waits for the writer. None
/// must be open when the file is made anew.
#[derive(Debug)]
pub struct ProjectionReaders(Pool<Connection>);

impl ProjectionReaders {
    /// Readers of the file at `path`, which must be open as [`Projections`](super::Projections).
    ///
    /// # Errors
    /// [`StoreError`] if it cannot be read.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        Pool::open(path.as_ref(), reader).map(Self)
    }

    /// A part of the records that fit a query, and how many there are in all.
    ///
    /// # Errors
    /// [`StoreError`] if the file cannot be read.
    pub fn list(&self, query: &ListQuery) -> Result<Listing, StoreError> {
        self.ask(|connection| list::list(connection, query))
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
        self.ask(|connection| list::count_by(connection, query, field))
    }

    /// The lines of the records of which any field has this value.
    ///
    /// # Errors
    /// [`StoreError`] if the file cannot be read.
    pub fn referring(&self, value: &str) -> Result<Vec<RecordRow>, StoreError> {
        self.ask(|connection| list::referring(connection, value))
    }

    /// A record's lines, one for each space that it is listed in.
    ///
    /// # Errors
    /// [`StoreError`] if the file cannot be read.
    pub fn lines_of(&self, subject: Subject) -> Result<Vec<RecordRow>, StoreError> {
        self.ask(|connection| list::lines_of(connection, subject))
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
        self.ask(|connection| list::records(connection, kind, space))
    }

    /// How far, in order of arrival, the lines reflect the store.
    ///
    /// # Errors
    /// [`StoreError`] if the file cannot be read.
    pub fn reflects(&self) -> Result<u64, StoreError> {
        self.ask(saved::reflects)
    }

    /// The digest of what no longer counted in a space when its lines were last made; none if
    /// they were never made anew.
    ///
    /// # Errors
    /// [`StoreError`] if the file cannot be read.
    pub fn settled(&self, space: SpaceId) -> Result<Option<Hash>, StoreError> {
        self.ask(|connection| saved::settled(connection, space))
    }

    /// The spaces of which anything is kept.
    ///
    /// # Errors
    /// [`StoreError`] if the file cannot be read.
    pub fn spaces(&self) -> Result<Vec<SpaceId>, StoreError> {
        self.ask(saved::spaces)
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
        self.ask(|connection| saved::snapshot(connection, space, subject))
    }

    /// How far a document's saved state had seen the store.
    ///
    /// # Errors
    /// [`StoreError`] if the file cannot be read.
    pub fn snapshot_arrival(
        &self,
        space: SpaceId,
        subject: Subject,
    ) -> Result<Option<u64>, StoreError> {
        self.ask(|connection| saved::snapshot_arrival(connection, space, subject))
    }

    /// All that is set aside.
    ///
    /// # Errors
    /// [`StoreError`] if the file cannot be read.
    pub fn set_aside(&self) -> Result<Vec<SetAsideRow>, StoreError> {
        self.ask(saved::set_aside)
    }

    /// How many entries are set aside.
    ///
    /// # Errors
    /// [`StoreError`] if the file cannot be read.
    pub fn set_aside_count(&self) -> Result<u64, StoreError> {
        self.ask(saved::set_aside_count)
    }

    /// The moment ends with the answer, so that the write-ahead log can be emptied.
    fn ask<T>(
        &self,
        question: impl FnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let connection = self.0.take()?;
        connection.execute_batch("BEGIN")?;
        let answer = question(&connection);
        // A connection that cannot end its question is not used for another.
        if connection.execute_batch("ROLLBACK").is_ok() {
            self.0.give_back(connection);
        }
        answer
    }
}

fn reader(path: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY)?;
    connection.set_prepared_statement_cache_capacity(64);
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    // Room for the indexes of a hundred thousand lines.
    connection.execute_batch("PRAGMA cache_size = -16384; PRAGMA mmap_size = 0")?;
    Ok(connection)
}
