//! Making the file as small as what it holds.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::backup::{check_and_sync, private_file};
use super::{Sql, SqliteStore, connect};
use crate::StoreError;

/// How many bytes must be spared at least.
const SPARED_MIN: u64 = 4 << 20;
/// And which part of the file, one in so many.
const SPARED_PART: u64 = 4;

impl SqliteStore {
    /// Writes the file at `path` anew if what archives have spared is a fourth of it or more: SQLite
    /// gives no space back by itself, and half-empty pages are not filled. Nobody may have it open.
    /// Returns whether it was.
    ///
    /// It takes about a second for 100 MB, and as much space as the new file has until it is done.
    /// The new file takes the place of the old one in one step, once it was checked and is on the
    /// disk.
    ///
    /// # Errors
    /// [`StoreError`] if the new file cannot be written; the old one is as it was then.
    pub fn compact(path: impl AsRef<Path>) -> Result<bool, StoreError> {
        let path = path.as_ref();
        let unfinished = beside(path, ".compacted");
        remove(&unfinished)?;
        if !path.exists() {
            return Ok(false);
        }
        let sql = connect::writer(path)?;
        let spared = sql.spared()?;
        let bytes = size(path)?;
        // After a crash it is looked through first, which opening does.
        if spared < SPARED_MIN.max(bytes / SPARED_PART) || sql.is_marked_open()? {
            return Ok(false);
        }
        let written = write(sql, path, &unfinished);
        if written.is_err() {
            remove(&unfinished)?;
        }
        written?;
        tracing::info!(
            before = bytes,
            after = size(path)?,
            "the store's file is smaller"
        );
        Ok(true)
    }
}

fn write(sql: Sql, path: &Path, unfinished: &Path) -> Result<(), StoreError> {
    private_file(unfinished)?;
    let name = unfinished.to_string_lossy();
    sql.connection.execute("VACUUM INTO ?1", [&*name])?;
    let mut copy = connect::writer(unfinished)?;
    copy.set_spared(0)?;
    drop(copy);
    check_and_sync(unfinished)?;
    // The last connection takes the log beside the file with it.
    drop(sql);
    let log = beside(path, "-wal");
    if log.exists() {
        // Somebody else has it open, and what is in the log is of the old file.
        return Err(StoreError::Busy);
    }
    let failed = |source| file_error(path, source);
    std::fs::rename(unfinished, path).map_err(failed)?;
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or_else(|| Path::new("."));
    // The name is the folder's, and as durable as that.
    #[cfg(unix)]
    std::fs::File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(failed)?;
    Ok(())
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
