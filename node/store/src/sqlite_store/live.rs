//! Live entries in the store's file.

use node_feed::{FeedName, Hash, Height, Kind, Opening, Proof, SpaceId, Subject};
use rusqlite::{Row as Columns, params};

use super::row::{ENTRY, bound, entry, payload_columns, proof_bytes, signed, unreadable};
use super::{Sql, opening};
use crate::shelf::{Live, LiveEnd, Most, ROW_BYTES, ReadLive, Row};
use crate::{StoreError, StoredEntry};

/// The copy under way of the space `?1`.
const COPY: &str = "(SELECT id FROM copies WHERE space = ?1)";

/// What [`stored`] reads: of live entries, with their subjects, copies and feeds.
const STORED: &str = "e.arrival, c.space, e.feed, n.opening FROM live_entries e \
     CROSS JOIN subjects s ON s.id = e.subject CROSS JOIN copies c ON c.id = e.copy \
     CROSS JOIN copy_ends n ON n.copy = e.copy AND n.feed = e.feed";

impl ReadLive for Sql {
    fn live_end(&self, space: SpaceId, feed: FeedName) -> Result<Option<LiveEnd>, StoreError> {
        let sql = "SELECT n.number, n.hash, n.opening, c.live_bytes FROM copies c \
                   CROSS JOIN copy_ends n ON n.copy = c.id WHERE c.space = ?1 AND n.feed = ?2";
        let key = params![space.as_bytes(), feed.as_bytes()];
        let end = self.one(sql, key, |row| {
            let head = height(row)?;
            Ok(LiveEnd {
                tip: head,
                head,
                opening: opened(row, 2)?,
                bytes: row.get::<_, i64>(3)?.cast_unsigned(),
            })
        })?;
        let Some(mut end) = end else {
            return Ok(None);
        };
        let sql = format!(
            "SELECT number, hash FROM live_entries WHERE copy = {COPY} AND feed = ?2 \
             ORDER BY number DESC LIMIT 1"
        );
        if let Some(last) = self.one(&sql, key, height)? {
            end.tip = last;
        }
        Ok(Some(end))
    }

    fn live_hash(
        &self,
        space: SpaceId,
        feed: FeedName,
        number: u64,
    ) -> Result<Option<Hash>, StoreError> {
        let sql = format!(
            "SELECT hash FROM live_entries WHERE copy = {COPY} AND feed = ?2 AND number = ?3"
        );
        let key = params![space.as_bytes(), feed.as_bytes(), bound(number)];
        self.one(&sql, key, |row| row.get(0).map(Hash::from_bytes))
    }

    fn live_rows(
        &self,
        space: SpaceId,
        feed: FeedName,
        number: u64,
        limit: usize,
    ) -> Result<Vec<Row>, StoreError> {
        let sql = format!(
            "SELECT {ENTRY} FROM live_entries e CROSS JOIN subjects s ON s.id = e.subject \
             WHERE e.copy = {COPY} AND e.feed = ?2 AND e.number >= ?3 \
             ORDER BY e.number LIMIT ?4"
        );
        let key = params![
            space.as_bytes(),
            feed.as_bytes(),
            bound(number),
            bound(limit as u64)
        ];
        self.all(&sql, key, entry)
    }

    fn live_after(&self, arrival: u64, most: Most) -> Result<Vec<StoredEntry>, StoreError> {
        let sql = format!("SELECT {ENTRY}, {STORED} WHERE e.arrival > ?1 ORDER BY e.arrival");
        self.most(&sql, params![bound(arrival)], most, stored)
    }

    fn live_of(
        &self,
        subject: Subject,
        after: u64,
        most: Most,
    ) -> Result<Vec<StoredEntry>, StoreError> {
        let sql = format!(
            "SELECT {ENTRY}, {STORED} WHERE e.subject = ?1 AND e.arrival > ?2 ORDER BY e.arrival"
        );
        self.most_of(&sql, subject, after, most, stored)
    }

    fn live_subjects(&self, space: SpaceId, kind: Kind) -> Result<Vec<Subject>, StoreError> {
        let sql = format!(
            "SELECT DISTINCT s.subject FROM live_entries e \
             CROSS JOIN subjects s ON s.id = e.subject \
             WHERE e.copy = {COPY} AND s.kind = ?2 ORDER BY s.subject"
        );
        self.all(&sql, params![space.as_bytes(), kind.0], |row| {
            row.get(0).map(Subject::from_bytes)
        })
    }

    fn live_unchecked(&self) -> Result<Vec<(SpaceId, Subject)>, StoreError> {
        let sql = "SELECT DISTINCT c.space, s.subject FROM live_entries e \
                   CROSS JOIN copies c ON c.id = e.copy \
                   CROSS JOIN subjects s ON s.id = e.subject \
                   CROSS JOIN bases b ON b.copy = e.copy AND b.subject = s.subject \
                   WHERE NOT EXISTS (SELECT 1 FROM checked_bases WHERE base = b.id) \
                   ORDER BY c.space, s.subject";
        self.all(sql, [], |row| {
            let space = SpaceId::from_bytes(row.get(0)?);
            Ok((space, Subject::from_bytes(row.get(1)?)))
        })
    }
}

impl Live for Sql {
    fn set_live_ends(
        &mut self,
        space: SpaceId,
        ends: &[(FeedName, Height, Opening)],
    ) -> Result<(), StoreError> {
        let sql = format!(
            "INSERT OR REPLACE INTO copy_ends (copy, feed, number, hash, opening) \
             VALUES ({COPY}, ?2, ?3, ?4, ?5)"
        );
        for (feed, end, opening) in ends {
            let row = params![
                space.as_bytes(),
                feed.as_bytes(),
                signed(end.number),
                end.hash.as_bytes(),
                opening::encode(opening),
            ];
            self.write(&sql, row)?;
        }
        Ok(())
    }

    fn add_live(&mut self, space: SpaceId, feed: FeedName, row: Row) -> Result<(), StoreError> {
        let arrival = self.next_arrival()?;
        let subject = self.subject_id(row.subject, space, row.kind)?;
        let (dropped_hash, dropped_length, payload) = payload_columns(&row);
        let sql = format!(
            "INSERT INTO live_entries (arrival, copy, feed, number, hash, time_ms, subject, \
             dropped_hash, dropped_length, proof, payload) \
             VALUES (?2, {COPY}, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)"
        );
        let columns = params![
            space.as_bytes(),
            arrival,
            feed.as_bytes(),
            signed(row.height.number),
            row.height.hash.as_bytes(),
            signed(row.time_ms),
            subject,
            dropped_hash,
            dropped_length,
            row.proof.as_ref().map(proof_bytes),
            payload,
        ];
        self.write(&sql, columns)?;
        let sql = "UPDATE copies SET live_bytes = live_bytes + ?2 WHERE space = ?1";
        self.write(sql, params![space.as_bytes(), signed(row.weight())])
    }

    fn drop_live(&mut self, space: SpaceId, feed: FeedName, number: u64) -> Result<(), StoreError> {
        let sql =
            format!("DELETE FROM live_entries WHERE copy = {COPY} AND feed = ?2 AND number >= ?3");
        let key = params![space.as_bytes(), feed.as_bytes(), bound(number)];
        self.log_holds_dropped = true;
        self.write(&sql, key)?;
        let left = format!(
            "UPDATE copies SET live_bytes = (SELECT coalesce(sum({ROW_BYTES} + \
             coalesce(length(payload), 0)), 0) FROM live_entries WHERE copy = copies.id) \
             WHERE space = ?1"
        );
        self.write(&left, [space.as_bytes()])
    }

    fn set_live_proof(
        &mut self,
        space: SpaceId,
        feed: FeedName,
        number: u64,
        proof: Proof,
    ) -> Result<(), StoreError> {
        let sql = format!(
            "UPDATE live_entries SET proof = ?4 WHERE copy = {COPY} AND feed = ?2 AND number = ?3"
        );
        let (space, feed) = (space.as_bytes(), feed.as_bytes());
        let row = params![space, feed, bound(number), proof_bytes(&proof)];
        self.write(&sql, row)
    }
}

fn height(columns: &Columns<'_>) -> rusqlite::Result<Height> {
    Ok(Height {
        number: columns.get::<_, i64>(0)?.cast_unsigned(),
        hash: Hash::from_bytes(columns.get(1)?),
    })
}

fn opened(columns: &Columns<'_>, column: usize) -> rusqlite::Result<Opening> {
    let bytes = columns.get_ref(column)?.as_blob()?;
    opening::decode(bytes).map_err(|error| unreadable(column, error))
}

fn stored(columns: &Columns<'_>) -> rusqlite::Result<StoredEntry> {
    let row = entry(columns)?;
    let feed = FeedName::from_bytes(columns.get(11)?);
    Ok(StoredEntry {
        arrival: columns.get::<_, i64>(9)?.cast_unsigned(),
        space: SpaceId::from_bytes(columns.get(10)?),
        // Only trunks are copied, and these bear their writers' names.
        writer: *feed.as_bytes(),
        feed,
        opening: Some(opened(columns, 12)?),
        height: row.height,
        time_ms: row.time_ms,
        kind: row.kind,
        subject: row.subject,
        payload: row.payload,
        live: true,
    })
}
