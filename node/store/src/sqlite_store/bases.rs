//! First copies in the store's file.

use std::collections::BTreeSet;

use bytes::Bytes;
use node_feed::{Hash, Heights, NodeId, SpaceId, Subject};
use rusqlite::{Row as Columns, params};

use super::Sql;
use super::row::{bound, unreadable};
use crate::shelf::{Bases, ReadBases};
use crate::writer_feeds::FeedKey;
use crate::{BaseDocument, CopyPlace, StoreError};

/// The states of a document that came with a copy.
const ARRIVING: i64 = 0;
const UNCHECKED: i64 = 1;
const CHECKED: i64 = 2;

impl ReadBases for Sql {
    fn copy_place(&self, space: SpaceId) -> Result<Option<CopyPlace>, StoreError> {
        let sql = "SELECT space, peer, bases, pieces, of FROM copies WHERE space = ?1";
        let found = self.one(sql, [space.as_bytes()], place)?;
        Ok(found.map(|(_, place)| place))
    }

    fn copies(&self) -> Result<Vec<(SpaceId, CopyPlace)>, StoreError> {
        let sql = "SELECT space, peer, bases, pieces, of FROM copies ORDER BY space";
        self.all(sql, [], place)
    }

    fn copy_pieces(&self, space: SpaceId) -> Result<Vec<Bytes>, StoreError> {
        let sql = "SELECT bytes FROM copy_pieces WHERE space = ?1 ORDER BY number";
        self.all(sql, [space.as_bytes()], |row| {
            row.get::<_, Vec<u8>>(0).map(Bytes::from)
        })
    }

    fn is_arriving(&self, space: SpaceId, subject: Subject) -> Result<bool, StoreError> {
        let sql = "SELECT 1 FROM bases WHERE space = ?1 AND subject = ?2 AND state = ?3";
        let key = params![space.as_bytes(), subject.as_bytes(), ARRIVING];
        Ok(self.one(sql, key, |_| Ok(()))?.is_some())
    }

    fn base(&self, space: SpaceId, subject: Subject) -> Result<Option<BaseDocument>, StoreError> {
        let sql = "SELECT state, bytes FROM bases WHERE space = ?1 AND subject = ?2 AND state > 0";
        let key = params![space.as_bytes(), subject.as_bytes()];
        self.one(sql, key, |row| {
            Ok(BaseDocument {
                checked: row.get::<_, i64>(0)? == CHECKED,
                bytes: row.get::<_, Vec<u8>>(1)?.into(),
            })
        })
    }

    fn link(&self, feed: FeedKey, number: u64) -> Result<Option<Hash>, StoreError> {
        let sql = "SELECT previous FROM links WHERE feed = ?1 AND number = ?2";
        self.one(sql, params![feed.0, bound(number)], |row| {
            row.get(0).map(Hash::from_bytes)
        })
    }

    fn base_spaces(&self, subject: Subject) -> Result<Vec<SpaceId>, StoreError> {
        let sql = "SELECT space FROM bases INDEXED BY bases_of_subjects \
                   WHERE subject = ?1 AND state > 0 ORDER BY space";
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
        let sql = "SELECT subject FROM bases WHERE space = ?1 AND subject > ?2 AND state > 0 \
                   ORDER BY subject LIMIT ?3";
        // Every subject is longer than nothing, and so after it.
        let after = after.map(|after| after.as_bytes().to_vec());
        let key = params![
            space.as_bytes(),
            after.unwrap_or_default(),
            bound(limit as u64)
        ];
        self.all(sql, key, |row| row.get(0).map(Subject::from_bytes))
    }

    fn unchecked_spaces(&self) -> Result<Vec<SpaceId>, StoreError> {
        let sql = "SELECT DISTINCT space FROM bases INDEXED BY bases_unchecked WHERE state = 1";
        self.all(sql, [], |row| row.get(0).map(SpaceId::from_bytes))
    }

    fn unchecked(
        &self,
        after: Option<(SpaceId, Subject)>,
        limit: usize,
    ) -> Result<Vec<(SpaceId, Subject)>, StoreError> {
        let sql = "SELECT space, subject FROM bases INDEXED BY bases_unchecked \
                   WHERE state = 1 AND (space, subject) > (?1, ?2) \
                   ORDER BY space, subject LIMIT ?3";
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
        let sql = "SELECT count(*) FROM bases INDEXED BY bases_unchecked WHERE state = 1";
        let count = self.one(sql, [], |row| row.get::<_, i64>(0))?;
        Ok(count.map_or(0, i64::cast_unsigned))
    }
}

impl Bases for Sql {
    fn set_copy(&mut self, space: SpaceId, place: &CopyPlace) -> Result<(), StoreError> {
        let sql = "INSERT INTO copies (space, peer, bases, pieces, of) VALUES (?1, ?2, ?3, ?4, ?5) \
                   ON CONFLICT (space) DO UPDATE SET peer = ?2, bases = ?3, pieces = ?4, of = ?5";
        self.write(
            sql,
            params![
                space.as_bytes(),
                place.peer.as_bytes(),
                place.bases.encode(),
                bound(place.documents),
                bound(place.of),
            ],
        )
    }

    fn set_link(&mut self, feed: FeedKey, number: u64, previous: Hash) -> Result<(), StoreError> {
        let sql = "INSERT OR REPLACE INTO links (feed, number, previous) VALUES (?1, ?2, ?3)";
        self.write(sql, params![feed.0, bound(number), previous.as_bytes()])
    }

    fn add_copy_piece(&mut self, space: SpaceId, bytes: &Bytes) -> Result<(), StoreError> {
        let sql = "INSERT INTO copy_pieces (space, number, bytes) VALUES \
                   (?1, (SELECT count(*) FROM copy_pieces WHERE space = ?1), ?2)";
        self.write(sql, params![space.as_bytes(), &bytes[..]])
    }

    fn drop_copy_pieces(&mut self, space: SpaceId) -> Result<(), StoreError> {
        let sql = "DELETE FROM copy_pieces WHERE space = ?1";
        self.write(sql, [space.as_bytes()])
    }

    fn put_arriving(
        &mut self,
        space: SpaceId,
        subject: Subject,
        bytes: &Bytes,
    ) -> Result<(), StoreError> {
        let sql = "INSERT OR REPLACE INTO bases (space, subject, state, bytes) \
                   VALUES (?1, ?2, ?3, ?4)";
        let (space, subject) = (space.as_bytes(), subject.as_bytes());
        self.write(sql, params![space, subject, ARRIVING, &bytes[..]])
    }

    fn place_arriving(
        &mut self,
        space: SpaceId,
        documents: &BTreeSet<Subject>,
    ) -> Result<(), StoreError> {
        for subject in documents {
            let key = params![space.as_bytes(), subject.as_bytes()];
            let sql = "DELETE FROM bases WHERE space = ?1 AND subject = ?2 AND state > 0";
            self.write(sql, key)?;
            let sql = "UPDATE bases SET state = 1 WHERE space = ?1 AND subject = ?2";
            self.write(sql, key)?;
        }
        Ok(())
    }

    fn end_copy(&mut self, space: SpaceId) -> Result<(), StoreError> {
        let key = [space.as_bytes()];
        self.write("DELETE FROM bases WHERE space = ?1 AND state = 0", key)?;
        self.write("DELETE FROM copy_pieces WHERE space = ?1", key)?;
        self.write("DELETE FROM copies WHERE space = ?1", key)
    }

    fn set_checked(&mut self, space: SpaceId, subjects: &[Subject]) -> Result<(), StoreError> {
        let sql = "UPDATE bases SET state = ?3 WHERE space = ?1 AND subject = ?2 AND state = ?4";
        for subject in subjects {
            let (space, subject) = (space.as_bytes(), subject.as_bytes());
            self.write(sql, params![space, subject, CHECKED, UNCHECKED])?;
        }
        Ok(())
    }

    fn drop_base_documents(&mut self, space: SpaceId) -> Result<bool, StoreError> {
        let sql = "SELECT 1 FROM bases WHERE space = ?1 AND state > 0 LIMIT 1";
        let any = self.one(sql, [space.as_bytes()], |_| Ok(()))?.is_some();
        self.write("DELETE FROM bases WHERE space = ?1", [space.as_bytes()])?;
        self.log_holds_dropped |= any;
        Ok(any)
    }
}

fn place(columns: &Columns<'_>) -> rusqlite::Result<(SpaceId, CopyPlace)> {
    let bases = columns.get_ref(2)?.as_blob()?;
    let place = CopyPlace {
        peer: NodeId::from_bytes(columns.get(1)?),
        bases: Heights::decode(bases).map_err(|error| unreadable(2, error))?,
        documents: columns.get::<_, i64>(3)?.cast_unsigned(),
        of: columns.get::<_, i64>(4)?.cast_unsigned(),
    };
    Ok((SpaceId::from_bytes(columns.get(0)?), place))
}
