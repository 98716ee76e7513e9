//! Why the store could not do what it was asked.

use std::path::PathBuf;
use std::sync::Arc;

/// Why the store could not do what it was asked. Nothing acknowledged is lost by any of these.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The disk or the allowed size is used up. Nothing was stored; it works again by itself once
    /// there is room.
    #[error(
        "the disk is full, or has less left than is kept in reserve: nothing was stored. Make room; the store goes on by itself"
    )]
    Full,
    /// Reading or writing the disk failed. The store takes no more writes until it is opened again.
    #[error(
        "the disk failed while the store used it ({0}). Check the disk, then start the program again"
    )]
    Disk(Arc<rusqlite::Error>),
    /// An earlier write failed, so no more are taken until the store is opened again.
    #[error(
        "an earlier write to the store failed, so it takes no more. Check the disk, then start the program again"
    )]
    Stopped,
    /// Bytes of the file are not what was written. Retrying does not help.
    #[error(
        "the store is damaged ({0}). Keep the file, restore a backup, and start again: what was shared comes back from the others"
    )]
    Corrupt(String),
    /// The file belongs to another program.
    #[error("{0} is not a store of Causeway; name another folder")]
    Foreign(PathBuf),
    /// The file was written by a newer version of the program.
    #[error(
        "this store was written by a newer Causeway (schema {found}; this program knows {known}): upgrade the program"
    )]
    Newer {
        /// The schema's number in the file.
        found: i64,
        /// The highest number that this program knows.
        known: i64,
    },
    /// The SQLite that was linked has a fault that can damage stores.
    #[error("SQLite {0} is too old for safe storage; build with 3.51.3 or newer")]
    Library(&'static str),
    /// Another process holds the store. Trying again can help.
    #[error("another program is using the store; stop it and try again")]
    Busy,
    /// A file could not be made or moved.
    #[error("{path} cannot be written: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: Arc<std::io::Error>,
    },
    /// The schema could not be brought up to date. Nothing was changed.
    #[error("the store could not be upgraded: {0}")]
    Migration(Arc<rusqlite_migration::Error>),
    /// SQLite refused a statement, which is a fault of this program.
    #[error("the store refused a statement: {0}")]
    Statement(Arc<rusqlite::Error>),
    /// The thread that writes has ended.
    #[error("the store is closed")]
    Closed,
}

impl StoreError {
    /// Whether the same call may succeed later without anyone restarting the program.
    pub const fn may_pass(&self) -> bool {
        matches!(self, Self::Full | Self::Busy)
    }

    /// Whether bytes of the file are not what was written.
    pub const fn is_damage(&self) -> bool {
        matches!(self, Self::Corrupt(_) | Self::Foreign(_))
    }

    /// Whether what is on the disk can no longer be trusted to take writes.
    pub(crate) const fn stops_writing(&self) -> bool {
        matches!(self, Self::Disk(_) | Self::Corrupt(_))
    }
}

impl From<rusqlite::Error> for StoreError {
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "every other code means a statement that SQLite refused"
    )]
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode;
        // A value of the wrong type or width in a row: this program never wrote it.
        let foreign_value = matches!(
            error,
            rusqlite::Error::FromSqlConversionFailure(..)
                | rusqlite::Error::IntegralValueOutOfRange(..)
                | rusqlite::Error::InvalidColumnType(..)
        );
        // A write-ahead log's index that cannot grow: SQLite calls a full disk this, too.
        let no_room = matches!(
            error,
            rusqlite::Error::SqliteFailure(rusqlite::ffi::Error { extended_code, .. }, _)
                if extended_code == rusqlite::ffi::SQLITE_IOERR_SHMSIZE
        );
        if no_room {
            return Self::Full;
        }
        let Some(code) = error.sqlite_error_code() else {
            return if foreign_value {
                Self::Corrupt(error.to_string())
            } else {
                Self::Statement(Arc::new(error))
            };
        };
        match code {
            ErrorCode::DiskFull => Self::Full,
            ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => {
                Self::Corrupt(error.to_string())
            }
            ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => Self::Busy,
            ErrorCode::SystemIoFailure | ErrorCode::CannotOpen | ErrorCode::ReadOnly => {
                Self::Disk(Arc::new(error))
            }
            _ => Self::Statement(Arc::new(error)),
        }
    }
}
