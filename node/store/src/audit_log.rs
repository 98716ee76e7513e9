//! The audit log: what was done and refused, each line hashed together with the one before it.
//!
//! It is a file of its own beside the store, so that putting back an older store puts back no older
//! log. Lines are only ever added. What a line tells is the caller's; it holds no name of a person
//! and nothing of a record.

mod chained_line;
mod verifying;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use node_feed::Hash;
use rusqlite::{Connection, OpenFlags, OptionalExtension, Row, TransactionBehavior, params};

pub use self::chained_line::{AuditFields, AuditHead, ChainedLine, NewLine};
pub use self::verifying::{AuditFault, AuditVerified};
use crate::{StoreError, platform};

/// Says in the file's header that it is an audit log of Causeway ("CSWA").
const APPLICATION_ID: i64 = 0x4353_5741;
/// The number of the file's form.
const FORM: i64 = 1;
/// How long a line waits for another process.
const BUSY: Duration = Duration::from_secs(5);

/// Nobody changes a line by accident; who does it on purpose is found by [`AuditLog::verify`].
const TABLES: &str = "
    CREATE TABLE lines (
        number  INTEGER PRIMARY KEY,
        time_ms INTEGER NOT NULL,
        kind    TEXT    NOT NULL,
        fields  TEXT    NOT NULL,
        hash    BLOB    NOT NULL CHECK (length(hash) = 32)
    ) STRICT;
    CREATE INDEX lines_by_kind ON lines (kind, number);
    CREATE TRIGGER lines_stay BEFORE UPDATE ON lines
        BEGIN SELECT RAISE(ABORT, 'lines of an audit log are never changed'); END;
    CREATE TRIGGER lines_remain BEFORE DELETE ON lines
        BEGIN SELECT RAISE(ABORT, 'lines of an audit log are never removed'); END;
    -- How far lines that stand elsewhere first were taken in, by where they stand.
    CREATE TABLE taken (source TEXT PRIMARY KEY, upto INTEGER NOT NULL) STRICT, WITHOUT ROWID;
";

/// An audit log in an SQLite file. What a method wrote is on the disk when it returns.
#[derive(Debug)]
pub struct AuditLog {
    connection: Connection,
    path: PathBuf,
}

impl AuditLog {
    /// Opens the log at `path`, which is made if it does not exist.
    ///
    /// # Errors
    /// [`StoreError::Foreign`] and [`StoreError::Newer`] leave the file as it is; else as SQLite
    /// says it.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        private(path)?;
        let mut log = Self::connect(path, flags)?;
        if log.form()? == 0 {
            let begin = TransactionBehavior::Immediate;
            let transaction = log.connection.transaction_with_behavior(begin)?;
            transaction.execute_batch(TABLES)?;
            transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
            transaction.pragma_update(None, "user_version", FORM)?;
            transaction.commit()?;
        }
        log.connection
            .pragma_update_and_check(None, "journal_mode", "wal", |_| Ok(()))?;
        log.connection.pragma_update(None, "synchronous", "FULL")?;
        Ok(log)
    }

    /// Opens the log at `path` to look at it, while another process may write.
    ///
    /// # Errors
    /// As [`AuditLog::open`]; [`StoreError::File`] if there is none.
    pub fn look(path: &Path) -> Result<Self, StoreError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        if !path.exists() {
            return Err(StoreError::File {
                path: path.to_owned(),
                source: std::sync::Arc::new(std::io::ErrorKind::NotFound.into()),
            });
        }
        let log = Self::connect(path, flags)?;
        if log.form()? == 0 {
            return Err(StoreError::Foreign(path.to_owned()));
        }
        Ok(log)
    }

    fn connect(path: &Path, flags: OpenFlags) -> Result<Self, StoreError> {
        let connection = Connection::open_with_flags(path, flags)?;
        connection.busy_timeout(BUSY)?;
        Ok(Self {
            connection,
            path: path.to_owned(),
        })
    }

    /// The number of the file's form; 0 if it is empty.
    fn form(&self) -> Result<i64, StoreError> {
        let number = |name: &str| {
            self.connection
                .pragma_query_value(None, name, |row| row.get::<_, i64>(0))
        };
        let tables = "SELECT count(*) FROM sqlite_schema";
        let tables: i64 = self.connection.query_row(tables, [], |row| row.get(0))?;
        let (owner, form) = (number("application_id")?, number("user_version")?);
        if owner != APPLICATION_ID && (owner != 0 || tables > 0) {
            return Err(StoreError::Foreign(self.path.clone()));
        }
        if form > FORM {
            return Err(StoreError::Newer {
                found: form,
                known: FORM,
            });
        }
        Ok(form)
    }

    /// Adds lines: all of them, or none. With `taken`, notes that the lines of that source were
    /// taken in up to that number, in the same durable change. Returns where the log then ends.
    ///
    /// # Errors
    /// [`StoreError`] if they cannot be written.
    pub fn append(
        &mut self,
        lines: &[NewLine],
        taken: Option<(&str, u64)>,
    ) -> Result<AuditHead, StoreError> {
        let begin = TransactionBehavior::Immediate;
        let transaction = self.connection.transaction_with_behavior(begin)?;
        let mut head = head(&transaction)?;
        for line in lines {
            let chained = ChainedLine::after(&head, line);
            transaction
                .prepare_cached(
                    "INSERT INTO lines (number, time_ms, kind, fields, hash)
                     VALUES (?1, ?2, ?3, ?4, ?5)",
                )?
                .execute(params![
                    chained.number.cast_signed(),
                    chained.time_ms.cast_signed(),
                    chained.kind,
                    chained_line::to_text(&chained.fields),
                    chained.hash.as_bytes(),
                ])?;
            head = chained.head();
        }
        if let Some((source, upto)) = taken {
            transaction
                .prepare_cached(
                    "INSERT INTO taken (source, upto) VALUES (?1, ?2)
                     ON CONFLICT (source) DO UPDATE SET upto = excluded.upto",
                )?
                .execute(params![source, upto.cast_signed()])?;
        }
        transaction.commit()?;
        Ok(head)
    }

    /// Where the log ends.
    ///
    /// # Errors
    /// [`StoreError`] if the file cannot be read.
    pub fn head(&self) -> Result<AuditHead, StoreError> {
        head(&self.connection)
    }

    /// Up to which number the lines of a source were taken in; 0 if none was.
    ///
    /// # Errors
    /// [`StoreError`] if the file cannot be read.
    pub fn taken(&self, source: &str) -> Result<u64, StoreError> {
        let sql = "SELECT upto FROM taken WHERE source = ?1";
        let upto = self
            .connection
            .query_row(sql, [source], |row| row.get::<_, i64>(0));
        Ok(upto.optional()?.unwrap_or(0).cast_unsigned())
    }

    /// Up to `limit` lines after that number that are not older than `since_ms`, the oldest first.
    ///
    /// # Errors
    /// [`StoreError`] if the file cannot be read.
    pub fn lines(
        &self,
        after: u64,
        since_ms: u64,
        limit: usize,
    ) -> Result<Vec<ChainedLine>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT number, time_ms, kind, fields, hash FROM lines
             WHERE number > ?1 AND time_ms >= ?2 ORDER BY number LIMIT ?3",
        )?;
        let bounds = [after, since_ms, limit as u64].map(bound);
        let rows = statement.query_map(bounds, |row| Ok(line(row)))?;
        rows.map(|row| row?).collect()
    }

    /// All lines of one kind, the oldest first.
    ///
    /// # Errors
    /// [`StoreError`] if the file cannot be read.
    pub fn of_kind(&self, kind: &str) -> Result<Vec<ChainedLine>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT number, time_ms, kind, fields, hash FROM lines
             WHERE kind = ?1 ORDER BY number",
        )?;
        let rows = statement.query_map([kind], |row| Ok(line(row)))?;
        rows.map(|row| row?).collect()
    }

    /// When the latest line of one kind was written, in ms since 1970.
    ///
    /// # Errors
    /// [`StoreError`] if the file cannot be read.
    pub fn latest_ms(&self, kind: &str) -> Result<Option<u64>, StoreError> {
        let sql = "SELECT time_ms FROM lines WHERE kind = ?1 ORDER BY number DESC LIMIT 1";
        let time = self
            .connection
            .query_row(sql, [kind], |row| row.get::<_, i64>(0));
        Ok(time.optional()?.map(i64::cast_unsigned))
    }
}

fn head(connection: &Connection) -> Result<AuditHead, StoreError> {
    let sql = "SELECT number, hash FROM lines ORDER BY number DESC LIMIT 1";
    let last = connection.query_row(sql, [], |row| {
        let number = row.get::<_, i64>(0)?.cast_unsigned();
        let hash = Hash::from_bytes(row.get(1)?);
        Ok(AuditHead { number, hash })
    });
    Ok(last.optional()?.unwrap_or(AuditHead::NONE))
}

fn line(row: &Row<'_>) -> Result<ChainedLine, StoreError> {
    let fields: String = row.get(3)?;
    let fields: AuditFields = serde_json::from_str::<BTreeMap<_, _>>(&fields)
        .map_err(|_| StoreError::Corrupt("a line of the audit log".to_owned()))?;
    Ok(ChainedLine {
        number: row.get::<_, i64>(0)?.cast_unsigned(),
        time_ms: row.get::<_, i64>(1)?.cast_unsigned(),
        kind: row.get(2)?,
        fields,
        hash: Hash::from_bytes(row.get(4)?),
    })
}

/// What is beyond SQLite's numbers is beyond every line.
fn bound(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Makes the file first, so that nobody else may read what SQLite writes into it.
fn private(path: &Path) -> Result<(), StoreError> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(false);
    platform::private(&mut options)
        .open(path)
        .map(drop)
        .map_err(|source| StoreError::File {
            path: path.to_owned(),
            source: std::sync::Arc::new(source),
        })
}
