//! A checked copy of the store.

use std::path::Path;
use std::sync::Arc;

use rusqlite::Connection;
use rusqlite::backup::{Backup, StepResult};

use super::Sql;
use crate::{StoreError, platform};

/// Copies to a file beside `path`, checks it, and only then gives it its name.
pub(crate) fn backup(sql: &Sql, path: &Path) -> Result<(), StoreError> {
    let file_error = |source: std::io::Error| StoreError::File {
        path: path.to_path_buf(),
        source: Arc::new(source),
    };
    if path.exists() {
        return Err(file_error(std::io::ErrorKind::AlreadyExists.into()));
    }
    let mut unfinished = path.as_os_str().to_owned();
    unfinished.push(".unfinished");
    let unfinished = Path::new(&unfinished);
    if unfinished.exists() {
        std::fs::remove_file(unfinished).map_err(file_error)?;
    }
    let outcome =
        copy(sql, unfinished).and_then(|()| std::fs::rename(unfinished, path).map_err(file_error));
    if outcome.is_err()
        && let Err(error) = std::fs::remove_file(unfinished)
    {
        tracing::debug!(%error, "an unfinished backup is left");
    }
    outcome
}

fn copy(sql: &Sql, path: &Path) -> Result<(), StoreError> {
    private_file(path)?;
    let mut copy = Connection::open(path)?;
    {
        let backup = Backup::new(&sql.connection, &mut copy)?;
        // All pages in one step, so that all are of one moment.
        while backup.step(-1)? != StepResult::Done {
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
    }
    drop(copy);
    check_and_sync(path)
}

/// Checks a copy, and makes it one file that is complete without a log beside it and on the disk
/// when this returns.
pub(super) fn check_and_sync(path: &Path) -> Result<(), StoreError> {
    let copy = Connection::open(path)?;
    copy.pragma_update_and_check(None, "journal_mode", "delete", |_| Ok(()))?;
    let copy = Sql::new(copy);
    copy.check("integrity_check")?;
    drop(copy);
    let synced = std::fs::File::open(path).and_then(|file| file.sync_all());
    synced.map_err(|source| StoreError::File {
        path: path.to_path_buf(),
        source: Arc::new(source),
    })
}

/// Makes the empty file first, so that nobody else may read what SQLite writes into it.
pub(super) fn private_file(path: &Path) -> Result<(), StoreError> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    let made = platform::private(&mut options).open(path);
    made.map(drop).map_err(|source| StoreError::File {
        path: path.to_path_buf(),
        source: Arc::new(source),
    })
}
