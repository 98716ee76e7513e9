//! The file's tables, and how an older file is brought up to date.

use std::sync::Arc;

use rusqlite::Connection;
use rusqlite_migration::{Error, M, Migrations};

use crate::StoreError;

/// Says in the file's header that it is a store of Causeway ("CSWY").
pub(super) const APPLICATION_ID: i64 = 0x4353_5759;

/// Only ever added to: each step is the schema's next number.
const STEPS: &[M<'static>] = &[
    M::up(include_str!("schema_1.sql")),
    M::up(include_str!("schema_2.sql")),
    M::up(include_str!("schema_3.sql")),
    M::up(include_str!("schema_4.sql")),
    M::up(include_str!("schema_5.sql")),
    M::up(include_str!("schema_6.sql")),
];

/// The highest schema that this program knows.
pub(super) const SCHEMA: i64 = STEPS.len() as i64;

/// Brings the file's schema up to date.
pub(super) fn migrate(connection: &mut Connection) -> Result<(), StoreError> {
    match Migrations::from_slice(STEPS).to_latest(connection) {
        Ok(()) => Ok(()),
        Err(Error::RusqliteError { err, .. }) => Err(err.into()),
        Err(error) => Err(StoreError::Migration(Arc::new(error))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_steps_make_a_schema() {
        assert_eq!(Migrations::from_slice(STEPS).validate(), Ok(()));
    }
}
