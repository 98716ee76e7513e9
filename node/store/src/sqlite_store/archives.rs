//! Changes that were taken out of their entries, since a saved document gives them back.
//!
//! Nothing of an entry is lost by it: header, hash and signature stay in its row, and the archive of
//! its document holds the rest. What is in an archive is opaque here.

use std::collections::{BTreeMap, BTreeSet};

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
    /// A document is passed over that was erased, or of which one of the entries is not held any
    /// more as it was, so that what was decided before is still so.
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

    /// Notes that the archive of a document does not give back the payloads with these hashes: they
    /// are lacking from now on, like any that was never sent. Returns how many entries that are.
    ///
    /// # Errors
    /// [`StoreError`] if it cannot be written; nothing has changed then.
    pub fn lose_archived(
        &mut self,
        space: SpaceId,
        document: Subject,
        lost: &BTreeSet<Hash>,
    ) -> Result<u64, StoreError> {
        self.change(|sql| sql.lose_archived(space, document, lost))
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

    /// The documents of a space that have archives, in the order of their bytes. Looks at every
    /// archive.
    ///
    /// # Errors
    /// [`StoreError`] if the file cannot be read.
    pub fn archived_in(&self, space: SpaceId) -> Result<Vec<Subject>, StoreError> {
        self.ask(|sql| sql.archived_in(space))
    }

    /// The hashes of the payloads that the archive of a document must give back.
    ///
    /// # Errors
    /// [`StoreError`] if the file cannot be read.
    pub fn archived_payloads(
        &self,
        space: SpaceId,
        document: Subject,
    ) -> Result<BTreeSet<Hash>, StoreError> {
        self.ask(|sql| {
            let mut hashes = BTreeSet::new();
            for table in [ENTRIES, EVIDENCE] {
                let archived = sql.archived_rows(table, space, document)?;
                hashes.extend(archived.into_iter().map(|(_, hash)| hash));
            }
            Ok(hashes)
        })
    }
}

/// A table with payloads, and the name of its key.
type Table = (&'static str, &'static str);
const ENTRIES: Table = ("entries", "arrival");
const EVIDENCE: Table = ("evidence", "id");

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

    /// The rows of a document whose payload is archived: their keys, and the payloads' hashes.
    fn archived_rows(
        &self,
        (table, key): Table,
        space: SpaceId,
        document: Subject,
    ) -> Result<Vec<(i64, Hash)>, StoreError> {
        let sql = format!(
            "SELECT e.{key}, e.dropped_hash FROM subjects s CROSS JOIN {table} e \
             ON e.subject = s.id WHERE s.subject = ?1 AND s.space = ?2 AND s.kind = ?3 \
             AND length(e.payload) = 0"
        );
        let of = params![document.as_bytes(), space.as_bytes(), Kind::CHANGES.0];
        self.all(&sql, of, |row| {
            Ok((row.get(0)?, Hash::from_bytes(row.get(1)?)))
        })
    }

    fn archive(&mut self, space: SpaceId, made: &ArchivedDocument) -> Result<u64, StoreError> {
        let (document, bytes) = (made.document, &made.bytes);
        if self.is_erased(document)? || self.is_left(space)? {
            return Ok(0);
        }
        let held = format!(
            "SELECT {ENTRY} FROM entries e CROSS JOIN subjects s ON s.id = e.subject \
             WHERE e.arrival = ?1 AND s.subject = ?2 AND s.space = ?3 AND s.kind = ?4 \
             AND length(e.payload) > 0"
        );
        let mut rows = Vec::with_capacity(made.arrivals.len());
        for arrival in &made.arrivals {
            let arrival = bound(*arrival);
            let key = params![
                arrival,
                document.as_bytes(),
                space.as_bytes(),
                Kind::CHANGES.0
            ];
            let row = self.one(&held, key, entry)?;
            let left = row.map(|row| without_bytes(row.kind, &row.payload));
            let Some(Payload::Dropped { hash, length }) = left else {
                return Ok(0);
            };
            rows.push((arrival, hash, length));
        }
        let earlier = self.archive_of(space, document)?;
        let earlier = earlier.map_or(0, |earlier| earlier.len() as u64);
        let key = params![document.as_bytes(), space.as_bytes(), &bytes[..]];
        let sql = "INSERT OR REPLACE INTO archives (subject, space, bytes) VALUES (?1, ?2, ?3)";
        self.write(sql, key)?;
        let take_out = "UPDATE entries SET payload = x'', dropped_hash = ?2, dropped_length = ?3 \
                        WHERE arrival = ?1";
        let mut taken = 0;
        for (arrival, hash, length) in rows {
            self.write(take_out, params![arrival, hash.as_bytes(), length])?;
            taken += u64::from(length);
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
        let (mut all, mut put_back) = (true, 0);
        for (table, key) in [ENTRIES, EVIDENCE] {
            let sql = format!(
                "UPDATE {table} SET payload = ?2, dropped_hash = NULL, dropped_length = NULL \
                 WHERE {key} = ?1"
            );
            for (row, hash) in self.archived_rows((table, key), space, document)? {
                match by_hash.get(&hash) {
                    Some(payload) => {
                        self.write(&sql, params![row, &payload[..]])?;
                        put_back += payload.len() as u64;
                    }
                    None => all = false,
                }
            }
        }
        if all {
            let sql = "DELETE FROM archives WHERE subject = ?1 AND space = ?2";
            self.write(sql, params![document.as_bytes(), space.as_bytes()])?;
        }
        let spared = self.spared()?.saturating_sub(put_back);
        self.set_spared(spared)?;
        Ok(all)
    }

    fn lose_archived(
        &mut self,
        space: SpaceId,
        document: Subject,
        lost: &BTreeSet<Hash>,
    ) -> Result<u64, StoreError> {
        let mut count = 0;
        for (table, key) in [ENTRIES, EVIDENCE] {
            let sql = format!("UPDATE {table} SET payload = NULL WHERE {key} = ?1");
            for (row, hash) in self.archived_rows((table, key), space, document)? {
                if lost.contains(&hash) {
                    self.write(&sql, [row])?;
                    count += 1;
                }
            }
        }
        Ok(count)
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
