//! First copies in the store's file.

use bytes::Bytes;
use node_feed::{CopyPlace, FeedName, Hash, Heights, NodeId, SpaceId, Subject};
use rusqlite::{Row as Columns, params};

use super::Sql;
use super::row::{bound, unreadable};
use crate::shelf::{Bases, ReadBases};
use crate::writer_feeds::FeedKey;
use crate::{BaseDocument, BaseStage, StoreError};

/// How many bytes a document's id has.
const SUBJECT_BYTES: usize = 24;

/// The copy under way of the space `?1`.
const COPY: &str = "(SELECT id FROM copies WHERE space = ?1)";

impl ReadBases for Sql {
    fn copy_place(&self, space: SpaceId) -> Result<Option<CopyPlace>, StoreError> {
        let sql = "SELECT space, peer, bases, documents, of FROM copies WHERE space = ?1";
        let found = self.one(sql, [space.as_bytes()], place)?;
        Ok(found.map(|(_, place)| place))
    }

    fn copies(&self) -> Result<Vec<(SpaceId, CopyPlace)>, StoreError> {
        let sql = "SELECT space, peer, bases, documents, of FROM copies ORDER BY space";
        self.all(sql, [], place)
    }

    fn copy_pieces(&self, space: SpaceId) -> Result<Vec<Bytes>, StoreError> {
        let sql = format!("SELECT bytes FROM copy_pieces WHERE copy = {COPY} ORDER BY number");
        self.all(&sql, [space.as_bytes()], |row| {
            row.get::<_, Vec<u8>>(0).map(Bytes::from)
        })
    }

    fn copy_size(&self, space: SpaceId) -> Result<(u64, u64), StoreError> {
        let sql = format!(
            "SELECT count(*), coalesce(sum(length(bytes)), 0) FROM copy_pieces WHERE copy = {COPY}"
        );
        let size = self.one(&sql, [space.as_bytes()], |row| {
            let (pieces, bytes) = (row.get::<_, i64>(0)?, row.get::<_, i64>(1)?);
            Ok((pieces.cast_unsigned(), bytes.cast_unsigned()))
        })?;
        Ok(size.unwrap_or_default())
    }

    fn copy_list(&self, space: SpaceId) -> Result<Vec<Subject>, StoreError> {
        let sql = format!("SELECT list FROM copy_lists WHERE copy = {COPY}");
        let list = self.one(&sql, [space.as_bytes()], |row| row.get::<_, Vec<u8>>(0))?;
        let list = list.unwrap_or_default();
        let (subjects, _) = list.as_chunks::<SUBJECT_BYTES>();
        Ok(subjects.iter().copied().map(Subject::from_bytes).collect())
    }

    fn copy_tips(&self, space: SpaceId) -> Result<Heights, StoreError> {
        let sql = format!("SELECT tips FROM copy_lists WHERE copy = {COPY} AND tips IS NOT NULL");
        let tips = self.one(&sql, [space.as_bytes()], |row| {
            let bytes = row.get_ref(0)?.as_blob()?;
            Heights::decode(bytes).map_err(|error| unreadable(0, error))
        })?;
        Ok(tips.unwrap_or_default())
    }

    fn base_numbers(&self, space: SpaceId) -> Result<Vec<(FeedName, u64)>, StoreError> {
        let sql = "SELECT f.name, f.base FROM writers w CROSS JOIN feeds f ON f.writer = w.id \
                   WHERE w.space = ?1 AND f.base > 0 ORDER BY f.name";
        self.all(sql, [space.as_bytes()], |row| {
            let base = row.get::<_, i64>(1)?.cast_unsigned();
            Ok((FeedName::from_bytes(row.get(0)?), base))
        })
    }

    fn link(&self, feed: FeedKey, number: u64) -> Result<Option<Hash>, StoreError> {
        let sql = "SELECT previous FROM links WHERE feed = ?1 AND number = ?2";
        self.one(sql, params![feed.0, bound(number)], |row| {
            row.get(0).map(Hash::from_bytes)
        })
    }

    fn base_documents(
        &self,
        space: SpaceId,
        subject: Subject,
        after: u64,
    ) -> Result<Vec<BaseDocument>, StoreError> {
        let sql = "SELECT arrival, bytes, \
                   EXISTS (SELECT 1 FROM copies WHERE id = b.copy), \
                   EXISTS (SELECT 1 FROM checked_bases WHERE base = b.id) \
                   FROM bases b INDEXED BY bases_of_subjects \
                   WHERE subject = ?1 AND space = ?2 AND arrival > ?3 ORDER BY arrival";
        let key = params![subject.as_bytes(), space.as_bytes(), bound(after)];
        self.all(sql, key, |row| {
            Ok(BaseDocument {
                arrival: row.get::<_, i64>(0)?.cast_unsigned(),
                bytes: row.get::<_, Vec<u8>>(1)?.into(),
                stage: match (row.get(2)?, row.get(3)?) {
                    (false, _) => BaseStage::Placed,
                    (true, false) => BaseStage::Unchecked,
                    (true, true) => BaseStage::Checked,
                },
            })
        })
    }

    fn base_spaces(&self, subject: Subject) -> Result<Vec<SpaceId>, StoreError> {
        let sql = "SELECT DISTINCT space FROM bases INDEXED BY bases_of_subjects \
                   WHERE subject = ?1 ORDER BY space";
        self.all(sql, [subject.as_bytes()], |row| {
            row.get(0).map(SpaceId::from_bytes)
        })
    }

    fn bases(
        &self,
        space: SpaceId,
        after: Option<Subject>,
        limit: usize,
    ) -> Result<Vec<Subject>, StoreError> {
        let sql = "SELECT DISTINCT subject FROM bases INDEXED BY bases_of_spaces \
                   WHERE space = ?1 AND subject > ?2 ORDER BY subject LIMIT ?3";
        // Every subject is longer than nothing, and so after it.
        let after = after.map(|after| after.as_bytes().to_vec());
        let after = after.unwrap_or_default();
        let key = params![space.as_bytes(), after, bound(limit as u64)];
        self.all(sql, key, |row| row.get(0).map(Subject::from_bytes))
    }

    fn unchecked(
        &self,
        after: Option<(SpaceId, Subject)>,
        limit: usize,
    ) -> Result<Vec<(SpaceId, Subject)>, StoreError> {
        let sql = "SELECT c.space, b.subject FROM copies c CROSS JOIN bases b ON b.copy = c.id \
                   WHERE (c.space, b.subject) > (?1, ?2) \
                   AND NOT EXISTS (SELECT 1 FROM checked_bases WHERE base = b.id) \
                   ORDER BY c.space, b.subject LIMIT ?3";
        let (space, subject) = match &after {
            Some((space, subject)) => (space.as_bytes().to_vec(), subject.as_bytes().to_vec()),
            None => (Vec::new(), Vec::new()),
        };
        self.all(sql, params![space, subject, bound(limit as u64)], |row| {
            Ok((
                SpaceId::from_bytes(row.get(0)?),
                Subject::from_bytes(row.get(1)?),
            ))
        })
    }

    fn unchecked_count(&self) -> Result<u64, StoreError> {
        let sql = "SELECT count(*) FROM copies c CROSS JOIN bases b ON b.copy = c.id \
                   WHERE NOT EXISTS (SELECT 1 FROM checked_bases WHERE base = b.id)";
        let count = self.one(sql, [], |row| row.get::<_, i64>(0))?;
        Ok(count.map_or(0, i64::cast_unsigned))
    }
}

impl Bases for Sql {
    fn set_copy(&mut self, space: SpaceId, place: &CopyPlace) -> Result<(), StoreError> {
        let sql = "INSERT INTO copies (space, peer, bases, documents, of) \
                   VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (space) \
                   DO UPDATE SET peer = ?2, bases = ?3, documents = ?4, of = ?5";
        self.write(
            sql,
            params![
                space.as_bytes(),
                place.peer.as_bytes(),
                place.bases.encode(),
                place.documents.map(bound),
                bound(place.of),
            ],
        )
    }

    fn set_copy_list(&mut self, space: SpaceId, documents: &[Subject]) -> Result<(), StoreError> {
        let list = documents.iter().flat_map(Subject::as_bytes).copied();
        let list = list.collect::<Vec<_>>();
        let sql = format!("INSERT OR REPLACE INTO copy_lists (copy, list) VALUES ({COPY}, ?2)");
        self.write(&sql, params![space.as_bytes(), list])
    }

    fn set_copy_tips(&mut self, space: SpaceId, tips: &Heights) -> Result<(), StoreError> {
        let sql = format!("UPDATE copy_lists SET tips = ?2 WHERE copy = {COPY}");
        self.write(&sql, params![space.as_bytes(), tips.encode()])
    }

    fn set_link(&mut self, feed: FeedKey, number: u64, previous: Hash) -> Result<(), StoreError> {
        let sql = "INSERT OR REPLACE INTO links (feed, number, previous) VALUES (?1, ?2, ?3)";
        self.write(sql, params![feed.0, bound(number), previous.as_bytes()])
    }

    fn add_copy_piece(&mut self, space: SpaceId, bytes: &Bytes) -> Result<(), StoreError> {
        let sql = format!(
            "INSERT INTO copy_pieces (copy, number, bytes) SELECT c.id, \
             (SELECT coalesce(max(number) + 1, 0) FROM copy_pieces WHERE copy = c.id), ?2 \
             FROM copies c WHERE c.id = {COPY}"
        );
        self.write(&sql, params![space.as_bytes(), &bytes[..]])
    }

    fn drop_copy_pieces(&mut self, space: SpaceId) -> Result<(), StoreError> {
        let sql = format!("DELETE FROM copy_pieces WHERE copy = {COPY}");
        self.write(&sql, [space.as_bytes()])
    }

    fn add_base(
        &mut self,
        space: SpaceId,
        subject: Subject,
        bytes: &Bytes,
    ) -> Result<(), StoreError> {
        let arrival = self.next_arrival()?;
        let sql = format!(
            "INSERT OR REPLACE INTO bases (copy, space, subject, arrival, bytes) \
             VALUES ({COPY}, ?1, ?2, ?3, ?4)"
        );
        let (space, subject) = (space.as_bytes(), subject.as_bytes());
        self.write(&sql, params![space, subject, arrival, &bytes[..]])
    }

    fn end_copy(&mut self, space: SpaceId, keep: bool) -> Result<(), StoreError> {
        let key = [space.as_bytes()];
        let sql = format!(
            "DELETE FROM checked_bases WHERE base IN (SELECT id FROM bases WHERE copy = {COPY})"
        );
        self.write(&sql, key)?;
        let sql = format!(
            "DELETE FROM bases WHERE copy = {COPY}{}",
            // What was erased at the sender has come here by its erasure.
            if keep { " AND length(bytes) = 0" } else { "" }
        );
        self.write(&sql, key)?;
        self.write("DELETE FROM copies WHERE space = ?1", key)?;
        self.log_holds_dropped = true;
        Ok(())
    }

    fn set_checked(&mut self, space: SpaceId, arrivals: &[u64]) -> Result<(), StoreError> {
        let sql = format!(
            "INSERT OR IGNORE INTO checked_bases (base) \
             SELECT id FROM bases WHERE copy = {COPY} AND arrival = ?2"
        );
        for arrival in arrivals {
            self.write(&sql, params![space.as_bytes(), bound(*arrival)])?;
        }
        Ok(())
    }

    fn clear_checked(&mut self, space: SpaceId) -> Result<(), StoreError> {
        let sql = format!(
            "DELETE FROM checked_bases WHERE base IN (SELECT id FROM bases WHERE copy = {COPY})"
        );
        self.write(&sql, [space.as_bytes()])
    }
}

impl Sql {
    /// The next arrival, which no entry is given then.
    pub(super) fn next_arrival(&self) -> Result<i64, StoreError> {
        let sql = "UPDATE sqlite_sequence SET seq = seq + 1 WHERE name = 'entries' RETURNING seq";
        if let Some(arrival) = self.one(sql, [], |row| row.get(0))? {
            return Ok(arrival);
        }
        let sql = "INSERT INTO sqlite_sequence (name, seq) VALUES ('entries', 1)";
        self.write(sql, [])?;
        Ok(1)
    }
}

fn place(columns: &Columns<'_>) -> rusqlite::Result<(SpaceId, CopyPlace)> {
    let bases = columns.get_ref(2)?.as_blob()?;
    let place = CopyPlace {
        peer: NodeId::from_bytes(columns.get(1)?),
        bases: Heights::decode(bases).map_err(|error| unreadable(2, error))?,
        documents: columns.get::<_, Option<i64>>(3)?.map(i64::cast_unsigned),
        of: columns.get::<_, i64>(4)?.cast_unsigned(),
    };
    Ok((SpaceId::from_bytes(columns.get(0)?), place))
}
