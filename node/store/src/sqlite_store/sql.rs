//! A connection and the care that it needs.

use std::time::Duration;

use rusqlite::{Connection, OptionalExtension};

use super::row::bound;
use crate::StoreError;

/// A setting that is there while a program has the store open.
const OPEN: &str = "causeway.open";
/// The most pages that SQLite can have.
const PAGES_MAX: u64 = 4_294_967_294;
/// How many faults of a damaged file are told.
const FAULTS: usize = 3;

/// A connection to the store's file.
#[derive(Debug)]
pub(crate) struct Sql {
    pub(super) connection: Connection,
    /// Payloads were dropped whose bytes may still stand in the write-ahead log.
    pub(super) log_holds_dropped: bool,
}

impl Sql {
    pub(super) const fn new(connection: Connection) -> Self {
        Self {
            connection,
            // What was dropped just before a crash may not have been wiped yet.
            log_holds_dropped: true,
        }
    }

    pub(crate) fn execute(&self, statements: &str) -> Result<(), StoreError> {
        self.connection.execute_batch(statements)?;
        Ok(())
    }

    /// Whether no change is under way.
    pub(super) fn is_idle(&self) -> bool {
        self.connection.is_autocommit()
    }

    pub(super) fn is_marked_open(&self) -> Result<bool, StoreError> {
        let sql = "SELECT 1 FROM settings WHERE key = ?1";
        let found = self.connection.query_row(sql, [OPEN], |_| Ok(()));
        Ok(found.optional()?.is_some())
    }

    pub(super) fn mark_open(&self, open: bool) -> Result<(), StoreError> {
        let sql = if open {
            "INSERT OR REPLACE INTO settings (key, value) VALUES (?1, x'01')"
        } else {
            "DELETE FROM settings WHERE key = ?1"
        };
        self.connection.execute(sql, [OPEN])?;
        Ok(())
    }

    /// Runs one of SQLite's own checks of the whole file.
    pub(crate) fn check(&self, check: &str) -> Result<(), StoreError> {
        let mut faults = Vec::new();
        let asked = self.connection.pragma_query(None, check, |row| {
            if faults.len() < FAULTS {
                faults.push(row.get::<_, String>(0)?);
            }
            Ok(())
        });
        match asked {
            Ok(()) if faults == ["ok"] => Ok(()),
            Ok(()) => Err(StoreError::Corrupt(faults.join("; "))),
            Err(error) => Err(error.into()),
        }
    }

    /// Empties the write-ahead log of dropped payloads. A reader that still needs it is not waited
    /// for: the next change tries again.
    pub(super) fn wipe_log(&mut self) {
        if !self.log_holds_dropped {
            return;
        }
        let wiped = self.connection.busy_timeout(Duration::ZERO).and_then(|()| {
            self.connection
                .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| {
                    row.get::<_, i64>(0)
                })
        });
        match wiped {
            Ok(0) => self.log_holds_dropped = false,
            Ok(_) => {}
            Err(error) => tracing::debug!(%error, "the write-ahead log is in use"),
        }
        if let Err(error) = self.connection.busy_timeout(super::connect::BUSY) {
            tracing::warn!(%error, "the store's waiting time could not be set");
        }
    }

    pub(super) fn limit_bytes(&self, bytes_max: Option<u64>) -> Result<(), StoreError> {
        let page: u32 = self
            .connection
            .pragma_query_value(None, "page_size", |row| row.get(0))?;
        let pages = bytes_max.map_or(PAGES_MAX, |bytes| bytes / u64::from(page.max(1)));
        let pages = bound(pages.clamp(1, PAGES_MAX));
        self.connection
            .pragma_update_and_check(None, "max_page_count", pages, |_| Ok(()))?;
        Ok(())
    }
}
