//! Writing all that is kept anew, so that nothing is left of what was taken out.

use rusqlite::{Connection, Transaction};

use crate::StoreError;

/// The tables that hold what people wrote, each with the order in which its rows need no moving.
const TABLES: [(&str, &str); 4] = [
    ("snapshots", "rowid"),
    ("records", "id"),
    ("cells", "record, field, value"),
    ("set_aside", "rowid"),
];

/// Notes that rows were taken out.
pub(super) fn note(transaction: &Transaction<'_>) -> Result<(), StoreError> {
    let sql = "INSERT OR IGNORE INTO taken_out (id) VALUES (1)";
    transaction.prepare_cached(sql)?.execute([])?;
    Ok(())
}

/// Whether rows were taken out since everything was last written anew.
pub(super) fn is_due(connection: &Connection) -> Result<bool, StoreError> {
    let sql = "SELECT EXISTS (SELECT 1 FROM taken_out)";
    let mut statement = connection.prepare_cached(sql)?;
    Ok(statement.query_row([], |row| row.get(0))?)
}

/// Copies every row to a new page, and drops the old ones, which SQLite then overwrites whole.
pub(super) fn scrub(transaction: &Transaction<'_>) -> Result<(), StoreError> {
    for (table, order) in TABLES {
        let sql = "SELECT sql FROM sqlite_schema WHERE type = 'table' AND name = ?1";
        let made: String = transaction.query_row(sql, [table], |row| row.get(0))?;
        let indexes = indexes(transaction, table)?;
        for (index, _) in &indexes {
            transaction.execute_batch(&format!("DROP INDEX {index}"))?;
        }
        transaction.execute_batch(&format!(
            "ALTER TABLE {table} RENAME TO old_{table};
             {made};
             INSERT INTO {table} SELECT * FROM old_{table} ORDER BY {order};
             DROP TABLE old_{table}"
        ))?;
        for (_, made) in &indexes {
            transaction.execute_batch(made)?;
        }
    }
    // This empties the index, and so its pages, before it fills it.
    transaction.execute_batch(
        "INSERT INTO words (words) VALUES ('rebuild');
         DELETE FROM taken_out",
    )?;
    Ok(())
}

/// The names of a table's indexes, and how they are made.
fn indexes(
    transaction: &Transaction<'_>,
    table: &str,
) -> Result<Vec<(String, String)>, StoreError> {
    let sql = "SELECT name, sql FROM sqlite_schema
               WHERE type = 'index' AND tbl_name = ?1 AND sql IS NOT NULL";
    let mut statement = transaction.prepare_cached(sql)?;
    let indexes = statement.query_map([table], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(indexes.collect::<Result<_, _>>()?)
}
