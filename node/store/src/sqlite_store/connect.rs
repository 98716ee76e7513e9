//! Opening connections, with every setting that durability and erasing rest on.

use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::Sql;
use super::schema::{APPLICATION_ID, SCHEMA, migrate};
use crate::StoreError;

/// Earlier ones can damage a file when its write-ahead log is reset.
const SQLITE_MIN: i32 = 3_051_003;
/// How long a change waits for another process.
pub(super) const BUSY: Duration = Duration::from_secs(5);

#[derive(PartialEq, Eq)]
pub(super) enum File {
    New,
    Known,
}

/// The connection that writes; the file is made and brought up to date.
pub(super) fn writer(path: &Path) -> Result<Sql, StoreError> {
    if rusqlite::version_number() < SQLITE_MIN {
        return Err(StoreError::Library(rusqlite::version()));
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY)?;
    if recognise(&connection, path)? == File::New {
        connection.pragma_update(None, "application_id", APPLICATION_ID)?;
    }
    let mode: String =
        connection.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get(0))?;
    if mode != "wal" {
        return Err(StoreError::Busy);
    }
    for (setting, value) in [
        ("synchronous", "FULL"),
        ("secure_delete", "ON"),
        ("foreign_keys", "ON"),
        ("journal_size_limit", "67108864"),
    ] {
        set(&connection, setting, value)?;
    }
    bound(&connection, "-32768")?;
    migrate(&mut connection)?;
    Ok(Sql::new(connection))
}

/// A connection that only reads.
pub(crate) fn reader(path: &Path) -> Result<Sql, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY)?;
    bound(&connection, "-8192")?;
    Ok(Sql::new(connection))
}

/// Refuses a file that holds no store yet.
pub(super) fn is_made(path: &Path) -> Result<(), StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY)?;
    match recognise(&connection, path)? {
        File::Known => Ok(()),
        File::New => Err(StoreError::Corrupt("it is empty".to_owned())),
    }
}

/// Refuses a file of another program or of a newer version of this one, without touching it.
pub(super) fn recognise(connection: &Connection, path: &Path) -> Result<File, StoreError> {
    let number = |name: &str| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let tables: i64 =
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    let owner = number("application_id")?;
    if owner != APPLICATION_ID && (owner != 0 || tables > 0) {
        return Err(StoreError::Foreign(path.to_path_buf()));
    }
    let found = number("user_version")?;
    if found > SCHEMA {
        return Err(StoreError::Newer {
            found,
            known: SCHEMA,
        });
    }
    Ok(if owner == APPLICATION_ID {
        File::Known
    } else {
        File::New
    })
}

/// Bounds memory: a cache of that many KiB, and no mapped file, whose read errors kill a process.
fn bound(connection: &Connection, cache: &str) -> Result<(), StoreError> {
    connection.set_prepared_statement_cache_capacity(96);
    // How a question is answered is written in it: it is not planned anew for each value.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    set(connection, "cache_size", cache)?;
    set(connection, "mmap_size", "0")?;
    set(connection, "temp_store", "MEMORY")
}

fn set(connection: &Connection, setting: &str, value: &str) -> Result<(), StoreError> {
    // Some settings answer with a row and some do not.
    connection.execute_batch(&format!("PRAGMA {setting} = {value}"))?;
    Ok(())
}
