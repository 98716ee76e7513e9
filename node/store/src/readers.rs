//! Reading from many threads while one writes.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use crate::StoreError;
use crate::sqlite_store::{Sql, backup, reader};

/// How many idle connections are kept.
const IDLE_MAX: usize = 8;

/// Connections that only read the file of a [`SqliteStore`](crate::SqliteStore).
///
/// Every question is answered from one moment of the store, and never waits for the writer.
#[derive(Debug)]
pub struct Readers {
    path: PathBuf,
    idle: Mutex<Vec<Sql>>,
}

impl Readers {
    /// Readers of the store at `path`, which must be open for writing.
    ///
    /// # Errors
    /// [`StoreError`] if it cannot be read.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        let path = path.as_ref().to_path_buf();
        let first = reader(&path)?;
        Ok(Self {
            path,
            idle: Mutex::new(vec![first]),
        })
    }

    /// Writes a checked copy of the store to `path`, which must not exist, while others write.
    ///
    /// # Errors
    /// [`StoreError`] if it cannot be written or does not pass the check.
    pub fn backup(&self, path: impl AsRef<Path>) -> Result<(), StoreError> {
        let sql = self.take()?;
        let outcome = backup(&sql, path.as_ref());
        self.give_back(sql);
        outcome
    }

    /// Answers a question from one moment of the store. The moment ends with it, so that the
    /// write-ahead log can be emptied.
    pub(crate) fn ask<T>(
        &self,
        question: impl FnOnce(&Sql) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let sql = self.take()?;
        sql.execute("BEGIN")?;
        let answer = question(&sql);
        // A connection that cannot end its question is not used for another.
        if sql.execute("ROLLBACK").is_ok() {
            self.give_back(sql);
        }
        answer
    }

    fn take(&self) -> Result<Sql, StoreError> {
        let idle = self.lock().pop();
        idle.map_or_else(|| reader(&self.path), Ok)
    }

    fn give_back(&self, sql: Sql) {
        let mut idle = self.lock();
        if idle.len() < IDLE_MAX {
            idle.push(sql);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Sql>> {
        // Nothing that could be left half done happens while it is held.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
