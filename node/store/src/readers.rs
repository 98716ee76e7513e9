//! Reading from many threads while one writes.

use std::path::Path;

use node_feed::{HubId, SpaceId};

use crate::pool::Pool;
use crate::sqlite_store::{Sql, backup, reader};
use crate::{StoreError, WriterBytes};

/// Connections that only read the file of a [`SqliteStore`](crate::SqliteStore).
///
/// Every question is answered from one moment of the store, and never waits for the writer.
#[derive(Debug)]
pub struct Readers(Pool<Sql>);

impl Readers {
    /// Readers of the store at `path`, which must be open for writing.
    ///
    /// # Errors
    /// [`StoreError`] if it cannot be read.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        Pool::open(path.as_ref(), reader).map(Self)
    }

    /// Writes a checked copy of the store to `path`, which must not exist, while others write.
    ///
    /// # Errors
    /// [`StoreError`] if it cannot be written or does not pass the check.
    pub fn backup(&self, path: impl AsRef<Path>) -> Result<(), StoreError> {
        let sql = self.0.take()?;
        let outcome = backup(&sql, path.as_ref());
        self.0.give_back(sql);
        outcome
    }

    /// Checks the whole file, its indexes too, by the database's own means.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] with the first faults found.
    pub fn check(&self) -> Result<(), StoreError> {
        self.ask(|sql| sql.check("integrity_check"))
    }

    /// Up to which arrival all that has one is here, documents of first copies too; 0 if nothing is.
    ///
    /// # Errors
    /// [`StoreError`] if the file cannot be read.
    pub fn arrived(&self) -> Result<u64, StoreError> {
        self.ask(Sql::arrived)
    }

    /// Whose each writer is, as far as it is known.
    ///
    /// # Errors
    /// [`StoreError`] if the file cannot be read.
    pub fn writer_hubs(&self) -> Result<Vec<(SpaceId, [u8; 32], HubId)>, StoreError> {
        self.ask(Sql::writer_hubs)
    }

    /// How much is held of each writer. All entries are looked at, so it takes a second or two where
    /// there are a million.
    ///
    /// # Errors
    /// [`StoreError`] if the file cannot be read.
    pub fn writer_bytes(&self) -> Result<Vec<WriterBytes>, StoreError> {
        self.ask(Sql::writer_bytes)
    }

    /// Answers a question from one moment of the store. The moment ends with it, so that the
    /// write-ahead log can be emptied.
    pub(crate) fn ask<T>(
        &self,
        question: impl FnOnce(&Sql) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let sql = self.0.take()?;
        sql.execute("BEGIN")?;
        let answer = question(&sql);
        // A connection that cannot end its question is not used for another.
        if sql.execute("ROLLBACK").is_ok() {
            self.0.give_back(sql);
        }
        answer
    }
}
