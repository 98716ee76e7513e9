//! By which program what is set aside was judged.

use rusqlite::{Connection, OptionalExtension, Transaction};

use crate::StoreError;

/// The program that judged what is set aside, and made the lines. Another may judge otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JudgedBy {
    /// Its version.
    pub program: String,
    /// What its declarations are called.
    pub declarations: String,
}

pub(super) fn read(connection: &Connection) -> Result<Option<JudgedBy>, StoreError> {
    let sql = "SELECT program, declarations FROM judged";
    let found = connection.query_row(sql, [], |row| {
        Ok(JudgedBy {
            program: row.get(0)?,
            declarations: row.get(1)?,
        })
    });
    Ok(found.optional()?)
}

pub(super) fn write(transaction: &Transaction<'_>, by: &JudgedBy) -> Result<(), StoreError> {
    let sql = "INSERT OR REPLACE INTO judged (id, program, declarations) VALUES (1, ?1, ?2)";
    transaction.execute(sql, (&by.program, &by.declarations))?;
    Ok(())
}
