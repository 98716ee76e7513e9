//! Looking at a file that somebody else may have open, without changing it.

use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::ErrorCode;

use super::connect;
use crate::StoreError;

/// How many of SQLite's steps pass between two looks at the clock.
const STEPS: i32 = 100_000;

/// How much of a file was looked through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// All of it.
    Whole,
    /// As much as there was time for.
    Partly,
}

/// Looks through the store at `path` for at most `limit`, whether a program has it open or not: whether
/// it is a store of this program, of a version that it knows, and whole in its structure.
///
/// # Errors
/// [`StoreError`], as opening it would.
pub fn look_at_store(path: impl AsRef<Path>, limit: Duration) -> Result<Look, StoreError> {
    let path = path.as_ref();
    let sql = connect::reader(path)?;
    connect::recognise(&sql.connection, path)?;
    let begun = Instant::now();
    let is_late = move || begun.elapsed() > limit;
    sql.connection.progress_handler(STEPS, Some(is_late))?;
    match sql.check("quick_check") {
        Ok(()) => Ok(Look::Whole),
        Err(StoreError::Statement(error))
            if error.sqlite_error_code() == Some(ErrorCode::OperationInterrupted) =>
        {
            Ok(Look::Partly)
        }
        Err(error) => Err(error),
    }
}
