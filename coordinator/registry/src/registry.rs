//! The register's file.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};
use rusqlite_migration::{Error as MigrationError, MigrationDefinitionError, SchemaVersion};

use crate::error::RegistryError;
use crate::schema::migrations;

/// How long a call waits while another process (a command beside the server) writes.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// The coordinator's register. Calls from many threads are served one after the other.
pub struct Registry {
    connection: Mutex<Connection>,
    /// Who is told that something was written.
    told: OnceLock<Box<dyn Fn() + Send + Sync>>,
}

impl Registry {
    /// Opens the register at `path`, makes it if there is none, and brings it up to date.
    ///
    /// # Errors
    /// [`RegistryError::Newer`] and [`RegistryError::Damaged`] name the file and what to do;
    /// the file is then left as it is.
    pub fn open(path: &Path) -> Result<Self, RegistryError> {
        let mut connection = Connection::open(path)?;
        connection.busy_timeout(BUSY_TIMEOUT)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        // What was answered must survive power loss: a code is used once, and for good.
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "secure_delete", "ON")?;
        check(&connection, path)?;
        migrations()
            .to_latest(&mut connection)
            .map_err(|error| migration_error(path.to_owned(), error))?;
        Ok(Self {
            connection: Mutex::new(connection),
            told: OnceLock::new(),
        })
    }

    /// Calls `told` from now on whenever something was written that may have left audit lines, once it
    /// is durable and before the caller hears of it. Only the first who asks is told.
    pub fn tell(&self, told: impl Fn() + Send + Sync + 'static) {
        // A second one has no use for what the first takes in.
        let _first = self.told.set(Box::new(told));
    }

    pub(crate) fn wrote(&self) {
        if let Some(told) = self.told.get() {
            told();
        }
    }

    /// Looks whether the register at `path` can be used, whether a program has it open or not, and
    /// changes nothing.
    ///
    /// # Errors
    /// As [`Registry::open`].
    pub fn look(path: &Path) -> Result<(), RegistryError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags)?;
        connection.busy_timeout(BUSY_TIMEOUT)?;
        check(&connection, path)?;
        let path = path.to_owned();
        match migrations().current_version(&connection) {
            Ok(SchemaVersion::Outside(_)) => Err(RegistryError::Newer { path }),
            Ok(SchemaVersion::Inside(_) | SchemaVersion::NoneSet) => Ok(()),
            Err(error) => Err(migration_error(path, error)),
        }
    }

    /// The connection. A thread that panicked in a transaction left it rolled back, so the lock
    /// can be taken all the same.
    pub(crate) fn lock(&self) -> MutexGuard<'_, Connection> {
        self.connection
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs `work` in one transaction that holds the write lock from its start, so that nothing
    /// it read can change before it writes, in whatever process.
    pub(crate) fn write<T>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, RegistryError>,
    ) -> Result<T, RegistryError> {
        let mut connection = self.lock();
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let result = work(&transaction)?;
        transaction.commit()?;
        drop(connection);
        self.wrote();
        Ok(result)
    }
}

impl std::fmt::Debug for Registry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Registry").finish_non_exhaustive()
    }
}

fn check(connection: &Connection, path: &Path) -> Result<(), RegistryError> {
    let found: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if found == "ok" {
        return Ok(());
    }
    Err(RegistryError::Damaged {
        path: path.to_owned(),
        found,
    })
}

fn migration_error(path: PathBuf, error: MigrationError) -> RegistryError {
    let too_far =
        MigrationError::MigrationDefinition(MigrationDefinitionError::DatabaseTooFarAhead);
    if error == too_far {
        RegistryError::Newer { path }
    } else {
        RegistryError::Migration(error)
    }
}

/// Times are stored as SQLite's signed integers; those beyond them mean "never".
pub(crate) fn stored(time_ms: u64) -> i64 {
    i64::try_from(time_ms).unwrap_or(i64::MAX)
}

/// A time as it was stored.
pub(crate) fn read(time_ms: i64) -> u64 {
    u64::try_from(time_ms).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_register_of_a_newer_version_is_refused_by_name_and_left_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("registry.db");
        let registry = Registry::open(&path).expect("a register");
        registry
            .lock()
            .pragma_update(None, "user_version", 99)
            .expect("a later version");
        drop(registry);
        let refusal = Registry::open(&path).expect_err("refused");
        assert!(matches!(refusal, RegistryError::Newer { .. }), "{refusal}");
        assert!(refusal.to_string().contains("registry.db"), "{refusal}");
    }
}
