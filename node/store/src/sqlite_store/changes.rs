//! What is written to the store's file.

use bytes::Bytes;
use node_feed::{FeedName, Hash, Kind, NodeId, Payload, Proof, Receipt, Refusal, SpaceId, Subject};
use rusqlite::{Params, params};

use super::row::{ENTRY, bound, entry, payload_columns, proof_bytes, signed};
use super::{Sql, opening};
use crate::shelf::{EvidenceRow, Row, Shelf, without_bytes};
use crate::writer_feeds::{FeedKey, WriterFeeds};
use crate::{PeerMemory, StoreError};

impl Sql {
    pub(super) fn write(&self, sql: &str, params: impl Params) -> Result<(), StoreError> {
        self.connection.prepare_cached(sql)?.execute(params)?;
        Ok(())
    }

    pub(super) fn subject_id(
        &self,
        subject: Subject,
        space: SpaceId,
        kind: Kind,
    ) -> Result<i64, StoreError> {
        let sql = "SELECT id FROM subjects WHERE subject = ?1 AND space = ?2 AND kind = ?3";
        let params = params![subject.as_bytes(), space.as_bytes(), kind.0];
        if let Some(id) = self.one(sql, params, |row| row.get(0))? {
            return Ok(id);
        }
        let sql = "INSERT INTO subjects (subject, space, kind) VALUES (?1, ?2, ?3)";
        self.write(sql, params)?;
        Ok(self.connection.last_insert_rowid())
    }

    /// Replaces the payloads of `table`'s rows that `condition` picks by what is left of them.
    pub(super) fn drop_payloads(
        &mut self,
        table: &str,
        key: &str,
        condition: &str,
        value: impl rusqlite::ToSql,
    ) -> Result<(), StoreError> {
        let sql = format!(
            "SELECT {ENTRY}, e.{key} FROM {table} e CROSS JOIN subjects s ON s.id = e.subject \
             WHERE {condition} AND e.payload IS NOT NULL"
        );
        // Only what has bytes to drop; a subject's payloads are within what memory may hold.
        let rows = self.all(&sql, params![value], |row| {
            Ok((row.get::<_, i64>(9)?, entry(row)?))
        })?;
        let sql = format!(
            "UPDATE {table} SET payload = NULL, dropped_hash = ?2, dropped_length = ?3 \
             WHERE {key} = ?1"
        );
        for (key, row) in rows {
            if row.kind.stands() {
                continue;
            }
            if let Payload::Dropped { hash, length } = without_bytes(row.kind, &row.payload) {
                self.write(&sql, params![key, hash.as_bytes(), length])?;
                self.log_holds_dropped = true;
            }
        }
        Ok(())
    }
}

impl Shelf for Sql {
    fn create_feed(
        &mut self,
        feeds: &WriterFeeds,
        name: FeedName,
        start: u64,
    ) -> Result<FeedKey, StoreError> {
        let writer = match self.writer_id(feeds.space, feeds.writer)? {
            Some(writer) => writer,
            None => {
                let sql = "INSERT INTO writers (space, writer, applied) VALUES (?1, ?2, ?3)";
                let params = params![feeds.space.as_bytes(), feeds.writer, feeds.applied];
                self.write(sql, params)?;
                self.connection.last_insert_rowid()
            }
        };
        let sql = "INSERT INTO feeds (writer, name, start) VALUES (?1, ?2, ?3)";
        self.write(sql, params![writer, name.as_bytes(), signed(start)])?;
        Ok(FeedKey(self.connection.last_insert_rowid()))
    }

    fn delete_feed(&mut self, feed: FeedKey) -> Result<(), StoreError> {
        self.write("DELETE FROM feeds WHERE id = ?1", [feed.0])
    }

    fn save_writer(&mut self, feeds: &WriterFeeds) -> Result<(), StoreError> {
        let sql = "UPDATE writers SET applied = ?3 \
                   WHERE space = ?1 AND writer = ?2 AND applied <> ?3";
        let params = params![feeds.space.as_bytes(), feeds.writer, feeds.applied];
        self.write(sql, params)?;
        let sql = "UPDATE feeds SET parent = ?2, tip = ?3, tip_hash = ?4, opening = ?5, \
                   base = ?6 WHERE id = ?1";
        for feed in feeds.feeds.values() {
            let place = &feed.place;
            let params = params![
                feed.key.0,
                place.parent.as_ref().map(FeedName::as_bytes),
                place.tip.map(|tip| signed(tip.number)),
                place.tip.as_ref().map(|tip| tip.hash.as_bytes()),
                feed.opening.as_ref().map(opening::encode),
                signed(place.base),
            ];
            self.write(sql, params)?;
        }
        Ok(())
    }

    fn insert(&mut self, space: SpaceId, feed: FeedKey, row: Row) -> Result<(), StoreError> {
        let subject = self.subject_id(row.subject, space, row.kind)?;
        let (dropped_hash, dropped_length, payload) = payload_columns(&row);
        let sql = "INSERT INTO entries (feed, number, hash, time_ms, subject, dropped_hash, \
                   dropped_length, proof, payload) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
        let params = params![
            feed.0,
            signed(row.height.number),
            row.height.hash.as_bytes(),
            signed(row.time_ms),
            subject,
            dropped_hash,
            dropped_length,
            row.proof.as_ref().map(proof_bytes),
            payload,
        ];
        self.write(sql, params)
    }

    fn move_rows(&mut self, feed: FeedKey, number: u64, to: FeedKey) -> Result<(), StoreError> {
        let sql = "UPDATE entries SET feed = ?3 WHERE feed = ?1 AND number >= ?2";
        self.write(sql, params![feed.0, bound(number), to.0])
    }

    fn delete_rows(&mut self, feed: FeedKey, number: u64) -> Result<(), StoreError> {
        let sql = "DELETE FROM entries WHERE feed = ?1 AND number >= ?2";
        self.write(sql, params![feed.0, bound(number)])?;
        let sql = "DELETE FROM links WHERE feed = ?1 AND number >= ?2";
        self.write(sql, params![feed.0, bound(number)])
    }

    fn set_proof(
        &mut self,
        feed: FeedKey,
        number: u64,
        proof: Option<Proof>,
    ) -> Result<(), StoreError> {
        let sql = "UPDATE entries SET proof = ?3 WHERE feed = ?1 AND number = ?2";
        let proof = proof.as_ref().map(proof_bytes);
        self.write(sql, params![feed.0, bound(number), proof])
    }

    fn fill(&mut self, feed: FeedKey, number: u64, payload: &Bytes) -> Result<(), StoreError> {
        let sql = "UPDATE entries SET payload = ?3, dropped_hash = NULL, dropped_length = NULL \
                   WHERE feed = ?1 AND number = ?2";
        self.write(sql, params![feed.0, bound(number), &payload[..]])
    }

    fn drop_payload(&mut self, arrival: u64) -> Result<(), StoreError> {
        self.drop_payloads("entries", "arrival", "e.arrival = ?1", bound(arrival))
    }

    fn erase(&mut self, subject: Subject) -> Result<(), StoreError> {
        let bytes = subject.as_bytes();
        self.write(
            "INSERT OR IGNORE INTO erased (subject) VALUES (?1)",
            [bytes],
        )?;
        self.write("DELETE FROM bases WHERE subject = ?1", [bytes])?;
        self.write("DELETE FROM archives WHERE subject = ?1", [bytes])?;
        self.log_holds_dropped = true;
        let ids = "SELECT id FROM subjects WHERE subject = ?1";
        let ids = self.all(ids, [bytes], |row| row.get::<_, i64>(0))?;
        for id in ids {
            self.drop_payloads("entries", "arrival", "e.subject = ?1", id)?;
            self.drop_payloads("evidence", "id", "e.subject = ?1", id)?;
            self.drop_payloads("live_entries", "arrival", "e.subject = ?1", id)?;
        }
        Ok(())
    }

    fn add_evidence(&mut self, feeds: &WriterFeeds, left: EvidenceRow) -> Result<(), StoreError> {
        let row = &left.row;
        let subject = self.subject_id(row.subject, feeds.space, row.kind)?;
        let writer = self.writer_id(feeds.space, feeds.writer)?;
        let (dropped_hash, dropped_length, payload) = payload_columns(row);
        let sql = "INSERT OR REPLACE INTO evidence (writer, number, hash, previous, reason, \
                   time_ms, subject, dropped_hash, dropped_length, proof, payload) \
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)";
        let params = params![
            writer,
            signed(row.height.number),
            row.height.hash.as_bytes(),
            left.previous.as_bytes(),
            left.reason as u8,
            signed(row.time_ms),
            subject,
            dropped_hash,
            dropped_length,
            row.proof.as_ref().map(proof_bytes),
            payload,
        ];
        self.write(sql, params)
    }

    fn delete_evidence(&mut self, feeds: &WriterFeeds, hash: Hash) -> Result<(), StoreError> {
        let writer = self.writer_id(feeds.space, feeds.writer)?;
        let sql = "DELETE FROM evidence WHERE writer = ?1 AND hash = ?2";
        self.write(sql, params![writer, hash.as_bytes()])
    }

    fn set_setting(&mut self, key: &str, value: Option<&[u8]>) -> Result<(), StoreError> {
        match value {
            Some(value) => {
                let sql = "INSERT OR REPLACE INTO settings (key, value) VALUES (?1, ?2)";
                self.write(sql, params![key, value])
            }
            None => self.write("DELETE FROM settings WHERE key = ?1", [key]),
        }
    }

    fn remember_peer(&mut self, peer: NodeId, memory: &PeerMemory) -> Result<(), StoreError> {
        let peer = peer.as_bytes();
        self.write("DELETE FROM peer_heights WHERE peer = ?1", [peer])?;
        let sql = "INSERT OR REPLACE INTO peers (peer, root) VALUES (?1, ?2)";
        self.write(sql, params![peer, memory.root.as_ref().map(Hash::as_bytes)])?;
        let sql = "INSERT INTO peer_heights (peer, space, heights) VALUES (?1, ?2, ?3)";
        for (space, heights) in &memory.spaces {
            self.write(sql, params![peer, space.as_bytes(), heights.encode()])?;
        }
        Ok(())
    }

    fn store_refusal(&mut self, peer: NodeId, refusal: &Refusal) -> Result<(), StoreError> {
        let sql = "INSERT OR REPLACE INTO refusals (peer, space, feed, number, hash, reason, \
                   version) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
        let params = params![
            peer.as_bytes(),
            refusal.space.as_bytes(),
            refusal.feed.as_bytes(),
            signed(refusal.number),
            refusal.hash.as_bytes(),
            refusal.reason as u8,
            refusal.version,
        ];
        self.write(sql, params)
    }

    fn clear_refusals(&mut self, peer: NodeId) -> Result<(), StoreError> {
        self.write("DELETE FROM refusals WHERE peer = ?1", [peer.as_bytes()])
    }

    fn store_receipt(&mut self, receipt: &Receipt) -> Result<(), StoreError> {
        let (space, node) = (receipt.space.as_bytes(), receipt.node.as_bytes());
        let sql = "SELECT time_ms FROM receipts WHERE space = ?1 AND node = ?2";
        let held = self.one(sql, params![space, node], |row| row.get::<_, i64>(0))?;
        if held.is_some_and(|held| held.cast_unsigned() >= receipt.time_ms) {
            return Ok(());
        }
        let sql = "INSERT OR REPLACE INTO receipts (space, node, time_ms, heights, signature) \
                   VALUES (?1, ?2, ?3, ?4, ?5)";
        let params = params![
            space,
            node,
            signed(receipt.time_ms),
            receipt.heights.encode(),
            receipt.signature.0,
        ];
        self.write(sql, params)
    }
}
