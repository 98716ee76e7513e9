//! People's accounts, their sessions, and audit lines.

use rusqlite::{Params, Row as Columns, params};

use super::row::signed;
use super::{Sql, SqliteStore};
use crate::{AccountRow, AuditLine, Readers, SessionRow, StoreError, TriesRow};

/// How many names that no account has are remembered with the tries under them.
const TRIES_UNKNOWN_MAX: u32 = 4_000;
/// How many audit lines are kept of what was done; the oldest go first.
const DONE_LINES_MAX: u32 = 200_000;
/// The same of what was refused, which a visitor may cause at will.
const REFUSED_LINES_MAX: u32 = 50_000;
/// After how many new lines the old ones are looked for.
const LINES_BETWEEN: i64 = 256;

/// The tables of accounts, at one moment.
#[derive(Debug)]
pub struct AccountTables<'a>(&'a Sql);

impl SqliteStore {
    /// Reads and changes accounts in one durable change, with nothing else in between.
    ///
    /// # Errors
    /// [`StoreError`], also of `work`; nothing was changed then.
    pub fn change_accounts<T>(
        &mut self,
        work: impl FnOnce(&AccountTables<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.change(|sql| work(&AccountTables(sql)))
    }
}

impl Readers {
    /// Reads accounts as they are at one moment.
    ///
    /// # Errors
    /// [`StoreError`] if the file cannot be read.
    pub fn accounts<T>(
        &self,
        question: impl FnOnce(&AccountTables<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.ask(|sql| question(&AccountTables(sql)))
    }
}

impl AccountTables<'_> {
    /// All accounts, by id.
    ///
    /// # Errors
    /// [`StoreError`] if the file cannot be read.
    pub fn all(&self) -> Result<Vec<AccountRow>, StoreError> {
        let sql = "SELECT id, name, json FROM accounts ORDER BY id";
        self.0.all(sql, [], account)
    }

    /// The account of that id.
    ///
    /// # Errors
    /// [`StoreError`] if the file cannot be read.
    pub fn account(&self, id: [u8; 8]) -> Result<Option<AccountRow>, StoreError> {
        let sql = "SELECT id, name, json FROM accounts WHERE id = ?1";
        self.0.one(sql, [id], account)
    }

    /// The account that is found by this name.
    ///
    /// # Errors
    /// [`StoreError`] if the file cannot be read.
    pub fn account_named(&self, name: &str) -> Result<Option<AccountRow>, StoreError> {
        let sql = "SELECT id, name, json FROM accounts WHERE name = ?1";
        self.0.one(sql, [name], account)
    }

    /// Adds an account, or replaces what is kept of it.
    ///
    /// # Errors
    /// [`StoreError`] if it cannot be written, or another account has its name.
    pub fn put_account(&self, row: &AccountRow) -> Result<(), StoreError> {
        let sql = "INSERT INTO accounts (id, name, json) VALUES (?1, ?2, ?3) \
                   ON CONFLICT (id) DO UPDATE SET name = excluded.name, json = excluded.json";
        self.write(sql, params![row.id, row.name, row.json])
    }

    /// Removes an account and its sessions.
    ///
    /// # Errors
    /// [`StoreError`] if it cannot be written.
    pub fn remove_account(&self, id: [u8; 8]) -> Result<(), StoreError> {
        self.write("DELETE FROM accounts WHERE id = ?1", [id])
    }

    /// The session of that hash.
    ///
    /// # Errors
    /// [`StoreError`] if the file cannot be read.
    pub fn session(&self, hash: [u8; 32]) -> Result<Option<SessionRow>, StoreError> {
        let sql = "SELECT hash, account, begun_ms, seen_ms, json FROM account_sessions \
                   WHERE hash = ?1";
        self.0.one(sql, [hash], session)
    }

    /// The sessions of an account, the oldest first.
    ///
    /// # Errors
    /// [`StoreError`] if the file cannot be read.
    pub fn sessions_of(&self, account: [u8; 8]) -> Result<Vec<SessionRow>, StoreError> {
        let sql = "SELECT hash, account, begun_ms, seen_ms, json FROM account_sessions \
                   WHERE account = ?1 ORDER BY begun_ms, hash";
        self.0.all(sql, [account], session)
    }

    /// Adds a session, or replaces what is kept of it.
    ///
    /// # Errors
    /// [`StoreError`] if it cannot be written, or there is no such account.
    pub fn put_session(&self, row: &SessionRow) -> Result<(), StoreError> {
        let sql = "INSERT OR REPLACE INTO account_sessions (hash, account, begun_ms, seen_ms, \
                   json) VALUES (?1, ?2, ?3, ?4, ?5)";
        let (begun, seen) = (signed(row.begun_ms), signed(row.seen_ms));
        let params = params![row.hash, row.account, begun, seen, row.json];
        self.write(sql, params)
    }

    /// Notes when a session was used last. One that has ended stays ended.
    ///
    /// # Errors
    /// [`StoreError`] if it cannot be written.
    pub fn session_seen(&self, hash: [u8; 32], seen_ms: u64) -> Result<(), StoreError> {
        let sql = "UPDATE account_sessions SET seen_ms = ?2 WHERE hash = ?1 AND seen_ms < ?2";
        self.write(sql, params![hash, signed(seen_ms)])
    }

    /// Ends a session.
    ///
    /// # Errors
    /// [`StoreError`] if it cannot be written.
    pub fn end_session(&self, hash: [u8; 32]) -> Result<(), StoreError> {
        self.write("DELETE FROM account_sessions WHERE hash = ?1", [hash])
    }

    /// Ends the sessions of an account, but for `keep`.
    ///
    /// # Errors
    /// [`StoreError`] if it cannot be written.
    pub fn end_sessions_of(
        &self,
        account: [u8; 8],
        keep: Option<[u8; 32]>,
    ) -> Result<(), StoreError> {
        let sql = "DELETE FROM account_sessions WHERE account = ?1 AND hash IS NOT ?2";
        self.write(sql, params![account, keep])
    }

    /// Ends all sessions that began, or were used last, before these moments.
    ///
    /// # Errors
    /// [`StoreError`] if it cannot be written.
    pub fn end_sessions_before(&self, begun_ms: u64, seen_ms: u64) -> Result<(), StoreError> {
        let sql = "DELETE FROM account_sessions WHERE begun_ms < ?1 OR seen_ms < ?2";
        self.write(sql, params![signed(begun_ms), signed(seen_ms)])
    }

    /// Ends all sessions.
    ///
    /// # Errors
    /// [`StoreError`] if it cannot be written.
    pub fn end_all_sessions(&self) -> Result<(), StoreError> {
        self.write("DELETE FROM account_sessions", [])
    }

    /// The tries under a name.
    ///
    /// # Errors
    /// [`StoreError`] if the file cannot be read.
    pub fn tries(&self, name: [u8; 32]) -> Result<Option<TriesRow>, StoreError> {
        let sql = "SELECT name, failed, wait_until_ms, last_ms, known FROM account_tries \
                   WHERE name = ?1";
        self.0.one(sql, [name], tries)
    }

    /// Keeps the tries under a name. Of names that no account has, only the latest are kept.
    ///
    /// # Errors
    /// [`StoreError`] if it cannot be written.
    pub fn put_tries(&self, row: &TriesRow) -> Result<(), StoreError> {
        let sql = "INSERT OR REPLACE INTO account_tries (name, failed, wait_until_ms, last_ms, \
                   known) VALUES (?1, ?2, ?3, ?4, ?5)";
        let (wait, last) = (signed(row.wait_until_ms), signed(row.last_ms));
        self.write(sql, params![row.name, row.failed, wait, last, row.known])?;
        let sql = "DELETE FROM account_tries WHERE known = 0 AND last_ms < \
                   (SELECT last_ms FROM account_tries WHERE known = 0 \
                    ORDER BY last_ms DESC LIMIT 1 OFFSET ?1)";
        self.write(sql, [TRIES_UNKNOWN_MAX])
    }

    /// Forgets the tries under a name.
    ///
    /// # Errors
    /// [`StoreError`] if it cannot be written.
    pub fn forget_tries(&self, name: [u8; 32]) -> Result<(), StoreError> {
        self.write("DELETE FROM account_tries WHERE name = ?1", [name])
    }

    /// Adds an audit line. What was refused never pushes out what was done.
    ///
    /// # Errors
    /// [`StoreError`] if it cannot be written.
    pub fn add_audit_line(&self, line: &AuditLine) -> Result<(), StoreError> {
        let sql = "INSERT INTO audit_lines (time_ms, who, event, about, allowed) \
                   VALUES (?1, ?2, ?3, ?4, ?5)";
        let time = signed(line.time_ms);
        let params = params![time, line.who, line.event, line.about, line.allowed];
        self.write(sql, params)?;
        if self.0.connection.last_insert_rowid() % LINES_BETWEEN != 0 {
            return Ok(());
        }
        self.prune_audit_lines(true, DONE_LINES_MAX)?;
        self.prune_audit_lines(false, REFUSED_LINES_MAX)
    }

    /// Keeps the latest audit lines of what was done, or of what was refused.
    fn prune_audit_lines(&self, allowed: bool, most: u32) -> Result<(), StoreError> {
        let sql = "DELETE FROM audit_lines WHERE allowed = ?1 AND id <= \
                   (SELECT id FROM audit_lines WHERE allowed = ?1 \
                    ORDER BY id DESC LIMIT 1 OFFSET ?2)";
        self.write(sql, params![allowed, most])
    }

    /// The latest audit lines, the newest first.
    ///
    /// # Errors
    /// [`StoreError`] if the file cannot be read.
    pub fn audit_lines(&self, limit: u32) -> Result<Vec<AuditLine>, StoreError> {
        let sql = "SELECT time_ms, who, event, about, allowed FROM audit_lines \
                   ORDER BY id DESC LIMIT ?1";
        self.0.all(sql, [limit], audit_line)
    }

    /// Up to `limit` audit lines after that number, the oldest first, each with its number. Numbers
    /// are never used again.
    ///
    /// # Errors
    /// [`StoreError`] if the file cannot be read.
    pub fn audit_lines_after(
        &self,
        after: u64,
        limit: u32,
    ) -> Result<Vec<(u64, AuditLine)>, StoreError> {
        let sql = "SELECT time_ms, who, event, about, allowed, id FROM audit_lines \
                   WHERE id > ?1 ORDER BY id LIMIT ?2";
        self.0.all(sql, params![signed(after), limit], |row| {
            Ok((row.get::<_, i64>(5)?.cast_unsigned(), audit_line(row)?))
        })
    }

    /// The number of the last audit line that was ever written; 0 if none was.
    ///
    /// # Errors
    /// [`StoreError`] if the file cannot be read.
    pub fn last_audit_line(&self) -> Result<u64, StoreError> {
        let sql = "SELECT seq FROM sqlite_sequence WHERE name = 'audit_lines'";
        let last = self.0.one(sql, [], |row| row.get::<_, i64>(0))?;
        Ok(last.unwrap_or(0).cast_unsigned())
    }

    fn write(&self, sql: &str, params: impl Params) -> Result<(), StoreError> {
        self.0.connection.prepare_cached(sql)?.execute(params)?;
        Ok(())
    }
}

fn account(row: &Columns<'_>) -> rusqlite::Result<AccountRow> {
    Ok(AccountRow {
        id: row.get(0)?,
        name: row.get(1)?,
        json: row.get(2)?,
    })
}

fn session(row: &Columns<'_>) -> rusqlite::Result<SessionRow> {
    Ok(SessionRow {
        hash: row.get(0)?,
        account: row.get(1)?,
        begun_ms: row.get::<_, i64>(2)?.cast_unsigned(),
        seen_ms: row.get::<_, i64>(3)?.cast_unsigned(),
        json: row.get(4)?,
    })
}

fn tries(row: &Columns<'_>) -> rusqlite::Result<TriesRow> {
    Ok(TriesRow {
        name: row.get(0)?,
        failed: row.get(1)?,
        wait_until_ms: row.get::<_, i64>(2)?.cast_unsigned(),
        last_ms: row.get::<_, i64>(3)?.cast_unsigned(),
        known: row.get(4)?,
    })
}

fn audit_line(row: &Columns<'_>) -> rusqlite::Result<AuditLine> {
    Ok(AuditLine {
        time_ms: row.get::<_, i64>(0)?.cast_unsigned(),
        who: row.get(1)?,
        event: row.get(2)?,
        about: row.get(3)?,
        allowed: row.get(4)?,
    })
}
