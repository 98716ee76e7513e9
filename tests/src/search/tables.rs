//! Every column of every table of an SQLite file.

use std::path::Path;

use anyhow::Result;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};

/// Whether a file's bytes are an SQLite database's.
pub(super) fn is_database(bytes: &[u8]) -> bool {
    bytes.starts_with(b"SQLite format 3\0")
}

/// Hands every text and blob of the database to `look`, with the names of its table and column.
pub(super) fn read(path: &Path, mut look: impl FnMut(&str, &str, &[u8])) -> Result<()> {
    let database = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    database.busy_timeout(std::time::Duration::from_secs(5))?;
    let mut names = database.prepare("SELECT name FROM sqlite_master WHERE type = 'table'")?;
    let tables = names
        .query_map([], |row| row.get::<_, String>(0))?
        .collect::<Result<Vec<_>, _>>()?;
    for table in tables {
        let mut all = database.prepare(&format!("SELECT * FROM \"{table}\""))?;
        let columns = all
            .column_names()
            .into_iter()
            .map(str::to_owned)
            .collect::<Vec<_>>();
        let mut rows = all.query([])?;
        while let Some(row) = rows.next()? {
            for (index, column) in columns.iter().enumerate() {
                if let ValueRef::Text(content) | ValueRef::Blob(content) = row.get_ref(index)? {
                    look(&table, column, content);
                }
            }
        }
    }
    Ok(())
}
