//! What left this hub.

use node_feed::{DecodeError, Hash, SpaceId, Subject};
use rusqlite::{Row as Columns, params};

use super::row::{signed, unreadable};
use super::{Sql, SqliteStore};
use crate::{Disclosure, DisclosureAction, Readers, StoreError};

impl SqliteStore {
    /// Notes durably that something left this hub.
    ///
    /// # Errors
    /// [`StoreError`] if it cannot be written; nothing is noted then.
    pub fn add_disclosure(&mut self, disclosure: &Disclosure) -> Result<(), StoreError> {
        self.change(|sql| sql.add_disclosure(disclosure))
    }

    /// What left this hub, oldest first: of one record or its copy, or in all.
    ///
    /// # Errors
    /// [`StoreError`] if the file cannot be read.
    pub fn disclosures(&self, subject: Option<Subject>) -> Result<Vec<Disclosure>, StoreError> {
        self.ask(|sql| sql.disclosures(subject))
    }
}

impl Readers {
    /// What left this hub, oldest first: of one record or its copy, or in all.
    ///
    /// # Errors
    /// [`StoreError`] if the file cannot be read.
    pub fn disclosures(&self, subject: Option<Subject>) -> Result<Vec<Disclosure>, StoreError> {
        self.ask(|sql| sql.disclosures(subject))
    }
}

impl Sql {
    fn add_disclosure(&self, disclosure: &Disclosure) -> Result<(), StoreError> {
        let sql = "INSERT INTO disclosures \
                   (time_ms, space, subject, copy, action, by, readers, fields, digest) \
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
        self.connection.prepare_cached(sql)?.execute(params![
            signed(disclosure.time_ms),
            disclosure.space.as_bytes(),
            disclosure.subject.as_bytes(),
            disclosure.copy.as_ref().map(Subject::as_bytes),
            disclosure.action.as_str(),
            disclosure.by,
            serde_json::json!(disclosure.readers).to_string(),
            serde_json::json!(disclosure.fields).to_string(),
            disclosure.digest.as_bytes(),
        ])?;
        Ok(())
    }

    fn disclosures(&self, subject: Option<Subject>) -> Result<Vec<Disclosure>, StoreError> {
        let sql = "SELECT time_ms, space, subject, copy, action, by, readers, fields, digest \
                   FROM disclosures WHERE ?1 IS NULL OR subject = ?1 OR copy = ?1 ORDER BY id";
        let subject = subject.as_ref().map(Subject::as_bytes);
        self.all(sql, [subject], disclosure)
    }
}

fn disclosure(row: &Columns<'_>) -> rusqlite::Result<Disclosure> {
    let action = DisclosureAction::from_word(row.get_ref(4)?.as_str()?);
    let unknown = || unreadable(4, DecodeError::Value("what was done with what left"));
    Ok(Disclosure {
        time_ms: row.get::<_, i64>(0)?.cast_unsigned(),
        space: SpaceId::from_bytes(row.get(1)?),
        subject: Subject::from_bytes(row.get(2)?),
        copy: row.get::<_, Option<_>>(3)?.map(Subject::from_bytes),
        action: action.ok_or_else(unknown)?,
        by: row.get(5)?,
        readers: texts(row, 6)?,
        fields: texts(row, 7)?,
        digest: Hash::from_bytes(row.get(8)?),
    })
}

fn texts(row: &Columns<'_>, column: usize) -> rusqlite::Result<Vec<String>> {
    let json = row.get_ref(column)?.as_str()?;
    serde_json::from_str(json).map_err(|error| unreadable(column, error))
}
