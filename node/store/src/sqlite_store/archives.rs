//! Changes that were taken out of their entries, since a saved document gives them back.
//!
//! Nothing of an entry is lost by it: header, hash and signature stay in its row, and the archive of
//! its document holds the rest. What is in an archive is opaque here.

use std::collections::BTreeMap;

use bytes::Bytes;
use node_feed::{Hash, Kind, Payload, SpaceId, Subject};
use rusqlite::params;

use super::row::{ENTRY, bound, entry};
use super::{Sql, SqliteStore};
use crate::shelf::{ReadShelf, Shelf, without_bytes};
use crate::{Readers, StoreError};

/// A document that gives back the payloads of entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArchivedDocument {
    /// The document.
    pub document: Subject,
    /// What gives back these payloads, and all that an earlier archive of the document gave back;
    /// opaque here.
    pub bytes: Bytes,
    /// The arrivals of the entries whose payloads it gives back from now on.
    pub arrivals: Vec<u64>,
}

/// How many bytes archives have spared since the file was compacted.
const SPARED: &str = "causeway.spared";

impl SqliteStore {
    /// Keeps archives of documents in the place of earlier ones, and takes the payloads that they
    /// give back out of their entries. Returns how many bytes these had.
    ///
    /// Arrivals of anything but changes of the document are passed over, and nothing is kept of one
    /// that was erased.
    ///
    /// # Errors
    /// [`StoreError`] if it cannot be written; nothing has changed then.
    pub fn archive(
        &mut self,
        space: SpaceId,
        documents: &[ArchivedDocument],
    ) -> Result<u64, StoreError> {
        self.change(|sql| {
            let mut taken = 0;
            for document in documents {
                taken += sql.archive(space, document)?;
            }
            Ok(taken)
        })
    }

    /// Puts payloads back into the entries out of which they were taken, and forgets the archive
    /// once nothing needs it. Returns whether that is so.
    ///
    /// # Errors
    /// [`StoreError`] if it cannot be written; nothing has changed then.
    pub fn unarchive(
        &mut self,
        space: SpaceId,
        document: Subject,
        payloads: Vec<Bytes>,
    ) -> Result<bool, StoreError> {
        self.change(|sql| sql.unarchive(space, document, payloads))
    }
}

impl Readers {
    /// The archive of a document.
    ///
    /// # Errors
    /// [`StoreError`] if the file cannot be read.
    pub fn archive_of(
        &self,
        space: SpaceId,
        document: Subject,
    ) -> Result<Option<Bytes>, StoreError> {
        self.ask(|sql| sql.archive_of(space, document))
    }

    /// The documents of a space that have archives, in the order of their bytes.
    ///
    /// # Errors
    /// [`StoreError`] if the file cannot be read.
    pub fn archived_in(&self, space: SpaceId) -> Result<Vec<Subject>, StoreError> {
        self.ask(|sql| sql.archived_in(space))
    }
}

impl Sql {
    fn archive_of(&self, space: SpaceId, document: Subject) -> Result<Option<Bytes>, StoreError> {
        let sql = "SELECT bytes FROM archives WHERE subject = ?1 AND space = ?2";
        let key = params![document.as_bytes(), space.as_bytes()];
        self.one(sql, key, |row| row.get::<_, Vec<u8>>(0).map(Bytes::from))
    }

    fn archived_in(&self, space: SpaceId) -> Result<Vec<Subject>, StoreError> {
        let sql = "SELECT subject FROM archives WHERE space = ?1 ORDER BY subject";
        self.all(sql, [space.as_bytes()], |row| {
            row.get(0).map(Subject::from_bytes)
        })
    }

    fn archive(&mut self, space: SpaceId, made: &ArchivedDocument) -> Result<u64, StoreError> {
        let (document, bytes) = (made.document, &made.bytes);
        if self.is_erased(document)? {
            return Ok(0);
        }
        let earlier = self.archive_of(space, document)?;
        let earlier = earlier.map_or(0, |earlier| earlier.len() as u64);
        let key = params![document.as_bytes(), space.as_bytes(), &bytes[..]];
        let sql = "INSERT OR REPLACE INTO archives (subject, space, bytes) VALUES (?1, ?2, ?3)";
        self.write(sql, key)?;
        let held = format!(
            "SELECT {ENTRY} FROM entries e CROSS JOIN subjects s ON s.id = e.subject \
             WHERE e.arrival = ?1 AND s.subject = ?2 AND s.space = ?3 AND s.kind = ?4 \
             AND length(e.payload) > 0"
        );
        let take_out = "UPDATE entries SET payload = x'', dropped_hash = ?2, dropped_length = ?3 \
                        WHERE arrival = ?1";
        let mut taken = 0;
        for arrival in &made.arrivals {
            let arrival = bound(*arrival);
            let key = params![
                arrival,
                document.as_bytes(),
                space.as_bytes(),
                Kind::CHANGES.0
            ];
            let Some(row) = self.one(&held, key, entry)? else {
                continue;
            };
            if let Payload::Dropped { hash, length } = without_bytes(row.kind, &row.payload) {
                self.write(take_out, params![arrival, hash.as_bytes(), length])?;
                taken += u64::from(length);
            }
        }
        let spared = (self.spared()? + taken + earlier).saturating_sub(bytes.len() as u64);
        self.set_spared(spared)?;
        Ok(taken)
    }

    fn unarchive(
        &mut self,
        space: SpaceId,
        document: Subject,
        payloads: Vec<Bytes>,
    ) -> Result<bool, StoreError> {
        let mut by_hash = BTreeMap::<Hash, Bytes>::new();
        for payload in payloads {
            // What has no hash is no changes, and so is in no entry.
            if let Ok(hash) = Payload::Held(payload.clone()).hash(Kind::CHANGES) {
                by_hash.insert(hash, payload);
            }
        }
        let mut all = true;
        for (table, key) in [("entries", "arrival"), ("evidence", "id")] {
            let sql = format!(
                "SELECT e.{key}, e.dropped_hash FROM subjects s CROSS JOIN {table} e \
                 ON e.subject = s.id WHERE s.subject = ?1 AND s.space = ?2 AND s.kind = ?3 \
                 AND length(e.payload) = 0"
            );
            let of = params![document.as_bytes(), space.as_bytes(), Kind::CHANGES.0];
            let archived = self.all(&sql, of, |row| {
                Ok((row.get::<_, i64>(0)?, Hash::from_bytes(row.get(1)?)))
            })?;
            let put_back = format!(
                "UPDATE {table} SET payload = ?2, dropped_hash = NULL, dropped_length = NULL \
                 WHERE {key} = ?1"
            );
            for (row, hash) in archived {
                match by_hash.get(&hash) {
                    Some(payload) => self.write(&put_back, params![row, &payload[..]])?,
                    None => all = false,
                }
            }
        }
        if all {
            let sql = "DELETE FROM archives WHERE subject = ?1 AND space = ?2";
            self.write(sql, params![document.as_bytes(), space.as_bytes()])?;
        }
        Ok(all)
    }

    /// How many bytes archives have spared since the file was compacted.
    pub(super) fn spared(&self) -> Result<u64, StoreError> {
        let bytes = self.setting(SPARED)?;
        let bytes = bytes.and_then(|bytes| bytes[..].try_into().ok());
        Ok(bytes.map_or(0, u64::from_le_bytes))
    }

    pub(super) fn set_spared(&mut self, bytes: u64) -> Result<(), StoreError> {
        self.set_setting(SPARED, Some(&bytes.to_le_bytes()))
    }
}
