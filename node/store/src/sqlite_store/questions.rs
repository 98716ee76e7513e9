//! What is read of the store's file.

use std::collections::BTreeMap;

use bytes::Bytes;
use node_feed::{
    FeedName, Hash, Height, Heights, Kind, NodeId, Receipt, Refusal, RefusalReason, Signature,
    SpaceId, Subject,
};
use rusqlite::{OptionalExtension, Params, Row as Columns, params};

use super::Sql;
use super::row::{self, ENTRY, STORED, bound, unreadable};
use crate::shelf::{EvidenceRow, Mark, Most, ReadShelf, Row};
use crate::writer_feeds::{FeedKey, WriterFeeds};
use crate::{Evidence, PeerMemory, StoreError, StoredEntry, Totals};

impl Sql {
    /// All rows of an answer.
    pub(super) fn all<T>(
        &self,
        sql: &str,
        params: impl Params,
        read: impl FnMut(&Columns<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, StoreError> {
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows = statement.query_map(params, read)?;
        Ok(rows.collect::<rusqlite::Result<Vec<_>>>()?)
    }

    /// The first entries of an answer, which is read no further.
    pub(super) fn most(
        &self,
        sql: &str,
        params: impl Params,
        most: Most,
        read: impl FnMut(&Columns<'_>) -> rusqlite::Result<StoredEntry>,
    ) -> Result<Vec<StoredEntry>, StoreError> {
        let mut statement = self.connection.prepare_cached(sql)?;
        Ok(most.take(statement.query_map(params, read)?)?)
    }

    /// The first entries about a subject after an arrival; `sql` asks for those of one of its ids, one
    /// for each space and kind, which its index gives in order: to sort them all would be in memory.
    pub(super) fn most_of(
        &self,
        sql: &str,
        subject: Subject,
        after: u64,
        most: Most,
        read: fn(&Columns<'_>) -> rusqlite::Result<StoredEntry>,
    ) -> Result<Vec<StoredEntry>, StoreError> {
        let ids = "SELECT id FROM subjects WHERE subject = ?1";
        let ids = self.all(ids, [subject.as_bytes()], |row| row.get::<_, i64>(0))?;
        let mut some = Vec::new();
        for id in ids {
            let next = self.most(sql, params![id, bound(after)], most, read)?;
            some = most.merged(some, next);
        }
        Ok(some)
    }

    /// Up to which arrival everything that has one is here; 0 if nothing is.
    pub(crate) fn arrived(&self) -> Result<u64, StoreError> {
        let sql = "SELECT seq FROM sqlite_sequence WHERE name = 'entries'";
        let last = self.one(sql, [], |row| row.get::<_, i64>(0))?;
        Ok(last.map_or(0, i64::cast_unsigned))
    }

    /// The one row of an answer, if there is one.
    pub(super) fn one<T>(
        &self,
        sql: &str,
        params: impl Params,
        read: impl FnOnce(&Columns<'_>) -> rusqlite::Result<T>,
    ) -> Result<Option<T>, StoreError> {
        let mut statement = self.connection.prepare_cached(sql)?;
        Ok(statement.query_row(params, read).optional()?)
    }

    /// The store's own number for a writer.
    pub(super) fn writer_id(
        &self,
        space: SpaceId,
        writer: [u8; 32],
    ) -> Result<Option<i64>, StoreError> {
        let sql = "SELECT id FROM writers WHERE space = ?1 AND writer = ?2";
        self.one(sql, params![space.as_bytes(), writer], |row| row.get(0))
    }

    fn feeds_of(
        &self,
        id: i64,
    ) -> Result<BTreeMap<FeedName, crate::writer_feeds::Feed>, StoreError> {
        let sql = "SELECT id, name, parent, start, tip, tip_hash, opening, base FROM feeds \
                   WHERE writer = ?1";
        Ok(self.all(sql, [id], row::feed)?.into_iter().collect())
    }
}

fn height(columns: &Columns<'_>) -> rusqlite::Result<Height> {
    Ok(Height {
        number: columns.get::<_, i64>(0)?.cast_unsigned(),
        hash: Hash::from_bytes(columns.get(1)?),
    })
}

fn reason(columns: &Columns<'_>, column: usize) -> rusqlite::Result<RefusalReason> {
    let number: u8 = columns.get(column)?;
    RefusalReason::from_number(number).ok_or_else(|| {
        unreadable(
            column,
            node_feed::DecodeError::Value("the reason of a refusal"),
        )
    })
}

impl ReadShelf for Sql {
    fn spaces(&self) -> Result<Vec<SpaceId>, StoreError> {
        let sql = "SELECT DISTINCT space FROM writers w \
                   WHERE EXISTS (SELECT 1 FROM feeds f WHERE f.writer = w.id) ORDER BY space";
        self.all(sql, [], |row| row.get(0).map(SpaceId::from_bytes))
    }

    fn writers(&self) -> Result<Vec<(SpaceId, [u8; 32])>, StoreError> {
        let sql = "SELECT space, writer FROM writers ORDER BY space, writer";
        self.all(sql, [], |row| {
            Ok((SpaceId::from_bytes(row.get(0)?), row.get(1)?))
        })
    }

    fn writers_in(&self, space: SpaceId) -> Result<Vec<WriterFeeds>, StoreError> {
        let sql = "SELECT id, writer, applied FROM writers WHERE space = ?1 ORDER BY writer";
        let writers = self.all(sql, [space.as_bytes()], |row| {
            Ok((row.get::<_, i64>(0)?, row.get(1)?, row.get(2)?))
        })?;
        let feeds = writers.into_iter().map(|(id, writer, applied)| {
            Ok(WriterFeeds {
                space,
                writer,
                feeds: self.feeds_of(id)?,
                applied,
            })
        });
        feeds.collect()
    }

    fn writer(&self, space: SpaceId, writer: [u8; 32]) -> Result<Option<WriterFeeds>, StoreError> {
        let sql = "SELECT id, applied FROM writers WHERE space = ?1 AND writer = ?2";
        let found = self.one(sql, params![space.as_bytes(), writer], |row| {
            Ok((row.get::<_, i64>(0)?, row.get(1)?))
        })?;
        let Some((id, applied)) = found else {
            return Ok(None);
        };
        Ok(Some(WriterFeeds {
            space,
            writer,
            feeds: self.feeds_of(id)?,
            applied,
        }))
    }

    fn hash(&self, feed: FeedKey, number: u64) -> Result<Option<Hash>, StoreError> {
        let sql = "SELECT hash FROM entries WHERE feed = ?1 AND number = ?2";
        self.one(sql, params![feed.0, bound(number)], |row| {
            row.get(0).map(Hash::from_bytes)
        })
    }

    fn count(&self, feed: FeedKey, through: u64) -> Result<u64, StoreError> {
        let sql = "SELECT count(*) FROM entries WHERE feed = ?1 AND number <= ?2";
        let count = self.one(sql, params![feed.0, bound(through)], |row| {
            row.get::<_, i64>(0)
        })?;
        Ok(count.map_or(0, i64::cast_unsigned))
    }

    fn marks(&self, feed: FeedKey, number: u64, limit: usize) -> Result<Vec<Mark>, StoreError> {
        // What an archive gives back travels like what is held.
        let sql = "SELECT arrival, CASE length(payload) WHEN 0 THEN dropped_length \
                   ELSE coalesce(length(payload), 0) END, proof IS NOT NULL, number FROM entries \
                   WHERE feed = ?1 AND number >= ?2 ORDER BY number LIMIT ?3";
        self.all(
            sql,
            params![feed.0, bound(number), bound(limit as u64)],
            |row| {
                Ok(Mark {
                    arrival: row.get::<_, i64>(0)?.cast_unsigned(),
                    payload_bytes: row.get::<_, u32>(1)? as usize,
                    proven: row.get(2)?,
                    number: row.get::<_, i64>(3)?.cast_unsigned(),
                })
            },
        )
    }

    fn rows(&self, feed: FeedKey, first: u64, last: u64) -> Result<Vec<Row>, StoreError> {
        let sql = format!(
            "SELECT {ENTRY} FROM entries e CROSS JOIN subjects s ON s.id = e.subject \
             WHERE e.feed = ?1 AND e.number BETWEEN ?2 AND ?3 ORDER BY e.number"
        );
        self.all(&sql, params![feed.0, bound(first), bound(last)], row::entry)
    }

    fn proof_before(&self, feed: FeedKey, before: u64) -> Result<Option<u64>, StoreError> {
        let sql = "SELECT number FROM entries WHERE feed = ?1 AND number < ?2 \
                   AND proof IS NOT NULL ORDER BY number DESC LIMIT 1";
        self.one(sql, params![feed.0, bound(before)], |row| {
            row.get::<_, i64>(0).map(i64::cast_unsigned)
        })
    }

    fn cut_proofs(&self, feed: FeedKey) -> Result<Vec<Height>, StoreError> {
        let sql = "SELECT number, hash FROM entries WHERE feed = ?1 AND length(proof) = 0";
        self.all(sql, [feed.0], height)
    }

    fn dropped(&self, feed: FeedKey, first: u64, last: u64) -> Result<Vec<Height>, StoreError> {
        let sql = "SELECT number, hash FROM entries INDEXED BY entries_dropped \
                   WHERE feed = ?1 AND number BETWEEN ?2 AND ?3 AND payload IS NULL \
                   ORDER BY number";
        self.all(sql, params![feed.0, bound(first), bound(last)], height)
    }

    fn dropped_in(&self, space: SpaceId) -> Result<Vec<StoredEntry>, StoreError> {
        let sql = format!(
            "SELECT {STORED} FROM writers w CROSS JOIN feeds f ON f.writer = w.id \
             CROSS JOIN entries e INDEXED BY entries_dropped ON e.feed = f.id \
             CROSS JOIN subjects s ON s.id = e.subject \
             WHERE w.space = ?1 AND e.payload IS NULL ORDER BY e.arrival"
        );
        self.all(&sql, [space.as_bytes()], row::stored)
    }

    fn numbers_of(
        &self,
        space: SpaceId,
        feed: FeedKey,
        kind: Kind,
        through: u64,
    ) -> Result<Vec<u64>, StoreError> {
        let sql = "SELECT e.number FROM subjects s CROSS JOIN entries e ON e.subject = s.id \
                   WHERE s.space = ?1 AND s.kind = ?2 AND e.feed = ?3 AND e.number <= ?4 \
                   ORDER BY e.number";
        let key = params![space.as_bytes(), kind.0, feed.0, bound(through)];
        self.all(sql, key, |row| row.get::<_, i64>(0).map(i64::cast_unsigned))
    }

    fn is_left(&self, space: SpaceId) -> Result<bool, StoreError> {
        let sql = "SELECT 1 FROM left_spaces WHERE space = ?1";
        Ok(self.one(sql, [space.as_bytes()], |_| Ok(()))?.is_some())
    }

    fn arrivals_after(&self, arrival: u64, most: Most) -> Result<Vec<StoredEntry>, StoreError> {
        let sql = format!(
            "SELECT {STORED} FROM entries e CROSS JOIN feeds f ON f.id = e.feed \
             CROSS JOIN writers w ON w.id = f.writer CROSS JOIN subjects s ON s.id = e.subject \
             WHERE e.arrival > ?1 ORDER BY e.arrival"
        );
        self.most(&sql, params![bound(arrival)], most, row::stored)
    }

    fn some_entries_of(
        &self,
        subject: Subject,
        after: u64,
        most: Most,
    ) -> Result<Vec<StoredEntry>, StoreError> {
        let sql = format!(
            "SELECT {STORED} FROM entries e CROSS JOIN subjects s ON s.id = e.subject \
             CROSS JOIN feeds f ON f.id = e.feed CROSS JOIN writers w ON w.id = f.writer \
             WHERE e.subject = ?1 AND e.arrival > ?2 ORDER BY e.arrival"
        );
        self.most_of(&sql, subject, after, most, row::stored)
    }

    fn entry(&self, hash: Hash) -> Result<Option<StoredEntry>, StoreError> {
        let sql = format!(
            "SELECT {STORED} FROM entries e CROSS JOIN feeds f ON f.id = e.feed \
             CROSS JOIN writers w ON w.id = f.writer CROSS JOIN subjects s ON s.id = e.subject \
             WHERE substr(e.hash, 1, 4) = ?1 AND e.hash = ?2"
        );
        let bytes = hash.as_bytes();
        self.one(&sql, params![&bytes[..4], bytes], row::stored)
    }

    fn subjects(&self, space: SpaceId, kind: Kind) -> Result<Vec<Subject>, StoreError> {
        // A subject may be left without an entry that counts.
        let sql = "SELECT subject FROM subjects s WHERE space = ?1 AND kind = ?2 \
                   AND EXISTS (SELECT 1 FROM entries e WHERE e.subject = s.id) ORDER BY subject";
        self.all(sql, params![space.as_bytes(), kind.0], |row| {
            row.get(0).map(Subject::from_bytes)
        })
    }

    fn revised_cards(&self) -> Result<Vec<Subject>, StoreError> {
        let sql = "SELECT s.subject FROM subjects s CROSS JOIN entries e ON e.subject = s.id \
                   WHERE s.kind = ?1 AND e.payload IS NOT NULL \
                   GROUP BY s.subject HAVING count(*) > 1";
        self.all(sql, [Kind::CARD.0], |row| {
            row.get(0).map(Subject::from_bytes)
        })
    }

    fn is_erased(&self, subject: Subject) -> Result<bool, StoreError> {
        let sql = "SELECT 1 FROM erased WHERE subject = ?1";
        Ok(self.one(sql, [subject.as_bytes()], |_| Ok(()))?.is_some())
    }

    fn evidence_in(&self, space: SpaceId) -> Result<Vec<Evidence>, StoreError> {
        let sql = "SELECT e.number, e.hash, w.writer, e.reason FROM writers w \
                   CROSS JOIN evidence e ON e.writer = w.id \
                   WHERE w.space = ?1 ORDER BY w.writer, e.number, e.hash";
        self.all(sql, [space.as_bytes()], |row| {
            Ok(Evidence {
                height: height(row)?,
                feed: FeedName::from_bytes(row.get(2)?),
                reason: reason(row, 3)?,
            })
        })
    }

    fn has_evidence(&self, feeds: &WriterFeeds) -> Result<bool, StoreError> {
        let sql = "SELECT 1 FROM evidence e WHERE e.writer = \
                   (SELECT id FROM writers WHERE space = ?1 AND writer = ?2) LIMIT 1";
        let params = params![feeds.space.as_bytes(), feeds.writer];
        Ok(self.one(sql, params, |_| Ok(()))?.is_some())
    }

    fn goes_on(&self, feeds: &WriterFeeds, height: Height) -> Result<bool, StoreError> {
        let sql = "SELECT 1 FROM evidence e WHERE e.writer = \
                   (SELECT id FROM writers WHERE space = ?1 AND writer = ?2) \
                   AND e.number = ?3 AND e.previous = ?4 LIMIT 1";
        let params = params![
            feeds.space.as_bytes(),
            feeds.writer,
            bound(height.number.saturating_add(1)),
            height.hash.as_bytes(),
        ];
        Ok(self.one(sql, params, |_| Ok(()))?.is_some())
    }

    fn evidence_of(&self, feeds: &WriterFeeds) -> Result<Vec<EvidenceRow>, StoreError> {
        let sql = format!(
            "SELECT {ENTRY}, e.previous, e.reason FROM writers w \
             CROSS JOIN evidence e ON e.writer = w.id CROSS JOIN subjects s ON s.id = e.subject \
             WHERE w.space = ?1 AND w.writer = ?2 ORDER BY e.number, e.hash"
        );
        self.all(&sql, params![feeds.space.as_bytes(), feeds.writer], |row| {
            Ok(EvidenceRow {
                row: row::entry(row)?,
                previous: Hash::from_bytes(row.get(9)?),
                reason: reason(row, 10)?,
            })
        })
    }

    fn totals(&self) -> Result<Totals, StoreError> {
        let sql = "SELECT count(*), coalesce(sum(length(payload)), 0), \
                   (SELECT count(*) FROM evidence) FROM entries";
        let totals = self.one(sql, [], |row| {
            Ok(Totals {
                entries: row.get::<_, i64>(0)?.cast_unsigned(),
                payload_bytes: row.get::<_, i64>(1)?.cast_unsigned(),
                evidence: row.get::<_, i64>(2)?.cast_unsigned(),
            })
        })?;
        Ok(totals.unwrap_or_default())
    }

    fn settings(&self, prefix: &str) -> Result<Vec<String>, StoreError> {
        let sql = "SELECT key FROM settings WHERE substr(key, 1, length(?1)) = ?1 ORDER BY key";
        self.all(sql, [prefix], |row| row.get(0))
    }

    fn setting(&self, key: &str) -> Result<Option<Bytes>, StoreError> {
        let sql = "SELECT value FROM settings WHERE key = ?1";
        self.one(sql, [key], |row| row.get::<_, Vec<u8>>(0).map(Bytes::from))
    }

    fn peer_memory(&self, peer: NodeId) -> Result<Option<PeerMemory>, StoreError> {
        let sql = "SELECT root FROM peers WHERE peer = ?1";
        let root = self.one(sql, [peer.as_bytes()], |row| row.get::<_, Option<_>>(0))?;
        let Some(root) = root else {
            return Ok(None);
        };
        let sql = "SELECT space, heights FROM peer_heights WHERE peer = ?1";
        let spaces = self.all(sql, [peer.as_bytes()], |row| {
            Ok((SpaceId::from_bytes(row.get(0)?), heights(row, 1)?))
        })?;
        Ok(Some(PeerMemory {
            root: root.map(Hash::from_bytes),
            spaces: spaces.into_iter().collect(),
        }))
    }

    fn refusals(&self, peer: NodeId) -> Result<Vec<Refusal>, StoreError> {
        let sql = "SELECT number, hash, space, feed, reason, version FROM refusals \
                   WHERE peer = ?1 ORDER BY space, feed";
        self.all(sql, [peer.as_bytes()], |row| {
            let at = height(row)?;
            Ok(Refusal {
                space: SpaceId::from_bytes(row.get(2)?),
                feed: FeedName::from_bytes(row.get(3)?),
                number: at.number,
                hash: at.hash,
                reason: reason(row, 4)?,
                version: row.get(5)?,
            })
        })
    }

    fn receipts(&self, space: SpaceId) -> Result<Vec<Receipt>, StoreError> {
        let sql = "SELECT node, time_ms, heights, signature FROM receipts \
                   WHERE space = ?1 ORDER BY node";
        self.all(sql, [space.as_bytes()], |row| {
            Ok(Receipt {
                space,
                node: NodeId::from_bytes(row.get(0)?),
                time_ms: row.get::<_, i64>(1)?.cast_unsigned(),
                heights: heights(row, 2)?,
                signature: Signature(row.get(3)?),
            })
        })
    }
}

fn heights(columns: &Columns<'_>, column: usize) -> rusqlite::Result<Heights> {
    let bytes = columns.get_ref(column)?.as_blob()?;
    Heights::decode(bytes).map_err(|error| unreadable(column, error))
}
