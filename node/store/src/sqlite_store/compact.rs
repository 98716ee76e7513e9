//! Making the file as small as what it holds.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::backup::{check_and_sync, private_file};
use super::{Sql, SqliteStore, connect};
use crate::{StoreError, platform};

/// How many bytes must be spared at least.
const SPARED_MIN: u64 = 4 << 20;
/// And which part of the file, one in so many.
const SPARED_PART: u64 = 4;

/// How many bytes a file had and has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Compacted {
    /// Before.
    pub before: u64,
    /// Now.
    pub after: u64,
}

impl SqliteStore {
    /// Writes the file at `path` anew if what archives have spared is a fourth of it or more: SQLite
    /// gives no space back by itself, and half-empty pages are not filled. Nobody may have it open.
    /// Says what came of it if it was.
    ///
    /// It takes about a second for 100 MB, and as much space as the new file has until it is done.
    /// The new file takes the place of the old one in one step, once it was checked and is on the
    /// disk. It is tried once for what was spared, so that a start that is broken off because it
    /// takes too long is not followed by others. What stood in the old file's blocks is then the file
    /// system's to overwrite.
    ///
    /// # Errors
    /// [`StoreError`] if the new file cannot be written; the old one is as it was then.
    pub fn compact(path: impl AsRef<Path>) -> Result<Option<Compacted>, StoreError> {
        let named = path.as_ref();
        let failed = |source| file_error(named, source);
        if !named.exists() {
            return Ok(None);
        }
        // Where the name is a link, the file that it leads to is meant.
        let path = std::fs::canonicalize(named).map_err(failed)?;
        let unfinished = beside(&path, ".compacted");
        remove(&unfinished)?;
        let mut sql = connect::writer(&path)?;
        let spared = sql.spared()?;
        let before = size(&path)?;
        // After a crash it is looked through first, which opening does.
        if spared < SPARED_MIN.max(before / SPARED_PART) || sql.is_marked_open()? {
            return Ok(None);
        }
        sql.set_spared(0)?;
        let written = write(sql, &path, &unfinished);
        if written.is_err() {
            remove(&unfinished)?;
        }
        written?;
        let after = size(&path)?;
        Ok(Some(Compacted { before, after }))
    }
}

fn write(sql: Sql, path: &Path, unfinished: &Path) -> Result<(), StoreError> {
    private_file(unfinished)?;
    keep_owner(path, unfinished)?;
    let name = unfinished.to_str().ok_or_else(|| {
        let named = std::io::Error::other("its name is no text, which SQLite needs");
        file_error(path, named)
    })?;
    sql.connection.execute("VACUUM INTO ?1", [name])?;
    check_and_sync(unfinished)?;
    if rows(&connect::reader(unfinished)?)? != rows(&sql)? {
        let fault = "the file that was written anew does not hold the same";
        return Err(StoreError::Corrupt(fault.to_owned()));
    }
    // The last connection takes the log beside the file with it.
    drop(sql);
    if beside(path, "-wal").exists() {
        // Somebody else has it open, and what is in the log is of the old file.
        return Err(StoreError::Busy);
    }
    // A log that came back after a power cut would be read into the new file.
    sync_folder(path)?;
    std::fs::rename(unfinished, path).map_err(|source| file_error(path, source))?;
    sync_folder(path)
}

/// How many rows the tables have in which anything is that nobody else may have.
fn rows(sql: &Sql) -> Result<Vec<i64>, StoreError> {
    let tables = ["entries", "evidence", "archives", "bases", "settings"];
    let counts = tables.map(|table| {
        let sql_count = format!("SELECT count(*) FROM {table}");
        Ok(sql
            .connection
            .query_row(&sql_count, [], |row| row.get::<_, i64>(0))?)
    });
    counts.into_iter().collect()
}

/// Gives the new file the mode of the old one. One of another owner is not made: whoever reads the
/// old one could not read it.
fn keep_owner(path: &Path, unfinished: &Path) -> Result<(), StoreError> {
    let failed = |source| file_error(path, source);
    let old = std::fs::metadata(path).map_err(failed)?;
    let new = std::fs::metadata(unfinished).map_err(failed)?;
    if !platform::is_of_same_owner(&old, &new) {
        let other = "it is another user's; run this as the user that it belongs to";
        return Err(failed(std::io::Error::other(other)));
    }
    std::fs::set_permissions(unfinished, old.permissions()).map_err(failed)
}

/// The name is the folder's, and as durable as that.
fn sync_folder(path: &Path) -> Result<(), StoreError> {
    match path.parent() {
        Some(folder) => platform::sync_folder(folder).map_err(|source| file_error(path, source)),
        None => Ok(()),
    }
}

fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(end);
    PathBuf::from(name)
}

fn size(path: &Path) -> Result<u64, StoreError> {
    let found = std::fs::metadata(path);
    Ok(found.map_err(|source| file_error(path, source))?.len())
}

/// Takes away what an attempt that was interrupted left.
fn remove(unfinished: &Path) -> Result<(), StoreError> {
    for file in [
        unfinished.to_path_buf(),
        beside(unfinished, "-wal"),
        beside(unfinished, "-shm"),
    ] {
        match std::fs::remove_file(&file) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(file_error(&file, error));
            }
            Ok(()) | Err(_) => {}
        }
    }
    Ok(())
}

fn file_error(path: &Path, source: std::io::Error) -> StoreError {
    StoreError::File {
        path: path.to_path_buf(),
        source: Arc::new(source),
    }
}
