//! What other hubs wrote in a space that this hub has left.

use std::collections::BTreeSet;

use node_feed::{Authority, HubId, Kind, Opening, SpaceId, Subject};
use rusqlite::{Row as Columns, params};

use super::row::bound;
use super::{Sql, SqliteStore};
use crate::StoreError;
use crate::ledger::{drop_copy, evident_opening};
use crate::shelf::{ReadShelf, Shelf};
use crate::writer_feeds::{FeedKey, WriterFeeds};

/// How many entries are looked at in one change.
const SLICE: usize = 256;

/// How far [`SqliteStore::drop_foreign_slice`] has come. The default is the start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ForeignPlace(Place);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// The first entry that was not looked at.
    Entries { feed: FeedKey, number: i64 },
    /// The same of the evidence, which follows.
    Evidence { id: i64 },
}

impl Default for Place {
    fn default() -> Self {
        Self::Entries {
            feed: FeedKey(0),
            number: 0,
        }
    }
}

/// What one slice did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ForeignSlice {
    /// What the payloads that it dropped were about.
    pub subjects: BTreeSet<Subject>,
    /// Where the next slice begins; none if this was the last.
    pub next: Option<ForeignPlace>,
}

impl SqliteStore {
    /// Drops the payloads of what other hubs than `keep` wrote in a space that it has left, and
    /// says what they were about. Several durable changes, so that others can be made between them.
    ///
    /// Everything stays that proves what was written (headers, hashes, signatures), and everything
    /// about the records that `keep` owns. Archives of others' records go: what `keep` wrote itself is
    /// to be put back before. If it may read the space again,
    /// [`SqliteStore::renew_foreign`] makes sure that all of it is fetched again.
    ///
    /// # Errors
    /// [`StoreError`]; what was dropped by then is dropped, and doing it again goes on.
    pub fn drop_foreign(
        &mut self,
        space: SpaceId,
        keep: HubId,
    ) -> Result<Vec<Subject>, StoreError> {
        let mut subjects = BTreeSet::new();
        let mut place = Some(ForeignPlace::default());
        while let Some(after) = place {
            let slice = self.drop_foreign_slice(space, keep, after)?;
            subjects.extend(slice.subjects);
            place = slice.next;
        }
        Ok(subjects.into_iter().collect())
    }

    /// One slice of [`SqliteStore::drop_foreign`], in one durable change.
    ///
    /// # Errors
    /// [`StoreError`]; nothing was dropped then.
    pub fn drop_foreign_slice(
        &mut self,
        space: SpaceId,
        keep: HubId,
        after: ForeignPlace,
    ) -> Result<ForeignSlice, StoreError> {
        self.change(|sql| {
            let mut slice = sql.drop_foreign_slice(space, keep, after)?;
            if after == ForeignPlace::default() {
                slice.subjects.extend(sql.drop_foreign_bases(space, keep)?);
            }
            if !slice.subjects.is_empty() {
                let left = "INSERT OR IGNORE INTO left_spaces (space, hub) VALUES (?1, ?2)";
                let mut statement = sql.connection.prepare_cached(left)?;
                statement.execute(params![space.as_bytes(), keep.as_bytes()])?;
            }
            Ok(slice)
        })
    }

    /// Makes sure that what [`SqliteStore::drop_foreign`] dropped is fetched again, now that the
    /// hub may read the space once more: a feed that says it holds an entry is not sent it again,
    /// so every foreign feed that lacks a payload is forgotten as a whole. Returns the spaces whose
    /// feeds changed, whose documents must be rebuilt.
    ///
    /// # Errors
    /// [`StoreError`]; nothing has changed then.
    pub fn renew_foreign(&mut self, authority: &Authority) -> Result<Vec<SpaceId>, StoreError> {
        let left = self.ask(Sql::left_spaces)?;
        let may_read = |(space, hub): &(SpaceId, HubId)| authority.access(*hub, *space).is_some();
        let again = left.into_iter().filter(may_read).collect::<Vec<_>>();
        if again.is_empty() {
            return Ok(Vec::new());
        }
        self.change(|sql| {
            let mut changed = BTreeSet::new();
            for (space, hub) in again {
                if sql.forget_foreign(space, hub)? {
                    changed.insert(space);
                }
                let left = "DELETE FROM left_spaces WHERE space = ?1 AND hub = ?2";
                let mut statement = sql.connection.prepare_cached(left)?;
                statement.execute(params![space.as_bytes(), hub.as_bytes()])?;
            }
            Ok(changed.into_iter().collect())
        })
    }
}

impl Sql {
    fn left_spaces(&self) -> Result<Vec<(SpaceId, HubId)>, StoreError> {
        let sql = "SELECT space, hub FROM left_spaces ORDER BY space, hub";
        self.all(sql, [], |row| {
            Ok((
                SpaceId::from_bytes(row.get(0)?),
                HubId::from_bytes(row.get(1)?),
            ))
        })
    }

    fn drop_foreign_slice(
        &mut self,
        space: SpaceId,
        keep: HubId,
        after: ForeignPlace,
    ) -> Result<ForeignSlice, StoreError> {
        let writers = self.writers_in(space)?;
        let mut subjects = BTreeSet::new();
        let next = match after.0 {
            Place::Entries { feed, number } => {
                self.drop_entries(&writers, keep, (feed, number), &mut subjects)?
            }
            Place::Evidence { id } => self.drop_evidence(&writers, keep, id, &mut subjects)?,
        };
        let next = next.map(ForeignPlace);
        Ok(ForeignSlice { subjects, next })
    }

    fn drop_entries(
        &mut self,
        writers: &[WriterFeeds],
        keep: HubId,
        (from, number): (FeedKey, i64),
        subjects: &mut BTreeSet<Subject>,
    ) -> Result<Option<Place>, StoreError> {
        let feeds = writers.iter().flat_map(|writer| writer.feeds.values());
        let foreign = feeds.filter(|feed| feed.opening.is_some_and(|it| is_foreign(&it, keep)));
        let mut foreign = foreign.map(|feed| feed.key).collect::<Vec<_>>();
        foreign.sort_unstable();
        let mut left = SLICE;
        for feed in foreign.into_iter().filter(|feed| *feed >= from) {
            let first = if feed == from { number } else { 0 };
            let sql = "SELECT e.number, e.arrival, e.payload IS NOT NULL, s.kind, s.subject \
                       FROM entries e CROSS JOIN subjects s ON s.id = e.subject \
                       WHERE e.feed = ?1 AND e.number >= ?2 ORDER BY e.number LIMIT ?3";
            let found = self.all(sql, params![feed.0, first, bound(left as u64)], Looked::at)?;
            for entry in found.iter().filter(|entry| entry.is_foreign(keep)) {
                self.drop_payload(entry.key.cast_unsigned())?;
                subjects.insert(entry.subject);
            }
            left -= found.len().min(left);
            if let (0, Some(last)) = (left, found.last()) {
                let number = last.place + 1;
                return Ok(Some(Place::Entries { feed, number }));
            }
        }
        Ok(Some(Place::Evidence { id: 0 }))
    }

    /// Takes out the copy that is under way, and what earlier ones and archives hold of documents that
    /// other hubs own.
    fn drop_foreign_bases(
        &mut self,
        space: SpaceId,
        keep: HubId,
    ) -> Result<Vec<Subject>, StoreError> {
        let owned = "space = ?1 AND substr(subject, 1, 8) <> ?2";
        let key = params![space.as_bytes(), keep.as_bytes()];
        let sql = format!("SELECT DISTINCT subject FROM bases WHERE {owned}");
        let mut gone = self.all(&sql, key, |row| row.get(0).map(Subject::from_bytes))?;
        let live = "SELECT DISTINCT s.subject FROM live_entries e \
                    CROSS JOIN copies c ON c.id = e.copy CROSS JOIN subjects s ON s.id = e.subject \
                    WHERE c.space = ?1 AND substr(s.subject, 1, 8) <> ?2";
        gone.extend(self.all(live, key, |row| row.get(0).map(Subject::from_bytes))?);
        drop_copy(self, space)?;
        self.write(&format!("DELETE FROM bases WHERE {owned}"), key)?;
        self.write(&format!("DELETE FROM archives WHERE {owned}"), key)?;
        self.log_holds_dropped = true;
        Ok(gone)
    }

    fn drop_evidence(
        &mut self,
        writers: &[WriterFeeds],
        keep: HubId,
        from: i64,
        subjects: &mut BTreeSet<Subject>,
    ) -> Result<Option<Place>, StoreError> {
        let foreign = self.foreign_writers(writers, keep)?;
        let sql = "SELECT e.writer, e.id, e.payload IS NOT NULL, s.kind, s.subject \
                   FROM evidence e CROSS JOIN subjects s ON s.id = e.subject \
                   WHERE e.id >= ?1 ORDER BY e.id LIMIT ?2";
        let found = self.all(sql, params![from, bound(SLICE as u64)], Looked::at)?;
        let of_foreign = found.iter().filter(|entry| foreign.contains(&entry.place));
        for entry in of_foreign.filter(|entry| entry.is_foreign(keep)) {
            self.drop_payloads("evidence", "id", "e.id = ?1", entry.key)?;
            subjects.insert(entry.subject);
        }
        let last = found.last().filter(|_| found.len() == SLICE);
        Ok(last.map(|last| Place::Evidence { id: last.key + 1 }))
    }

    /// Takes out all feeds and evidence of foreign writers of whom a payload was dropped. Says
    /// whether there were any.
    fn forget_foreign(&mut self, space: SpaceId, keep: HubId) -> Result<bool, StoreError> {
        let writers = self.writers_in(space)?;
        let mut forgotten = false;
        for writer in self.foreign_writers(&writers, keep)? {
            let sql = "SELECT 1 FROM feeds f CROSS JOIN entries e INDEXED BY entries_dropped \
                       ON e.feed = f.id WHERE f.writer = ?1 AND e.payload IS NULL \
                       UNION ALL \
                       SELECT 1 FROM evidence WHERE writer = ?1 AND payload IS NULL \
                       UNION ALL \
                       SELECT 1 FROM feeds WHERE writer = ?1 AND base > 0 LIMIT 1";
            if self.one(sql, [writer], |_| Ok(()))?.is_none() {
                continue;
            }
            for sql in [
                "DELETE FROM links WHERE feed IN (SELECT id FROM feeds WHERE writer = ?1)",
                "DELETE FROM entries WHERE feed IN (SELECT id FROM feeds WHERE writer = ?1)",
                "DELETE FROM feeds WHERE writer = ?1",
                "DELETE FROM evidence WHERE writer = ?1",
                "DELETE FROM writers WHERE id = ?1",
            ] {
                self.connection.prepare_cached(sql)?.execute([writer])?;
            }
            self.log_holds_dropped = true;
            forgotten = true;
        }
        Ok(forgotten)
    }

    /// The numbers of the writers of whom everything is another hub's.
    fn foreign_writers(
        &self,
        writers: &[WriterFeeds],
        keep: HubId,
    ) -> Result<Vec<i64>, StoreError> {
        let mut foreign = Vec::new();
        for feeds in writers {
            let held = feeds.feeds.values().filter_map(|feed| feed.opening);
            let mut openings = held.collect::<Vec<_>>();
            if openings.is_empty() {
                openings.extend(self.evidence_of(feeds)?.iter().filter_map(evident_opening));
            }
            let all = openings.iter().all(|opening| is_foreign(opening, keep));
            if all && !openings.is_empty() {
                foreign.extend(self.writer_id(feeds.space, feeds.writer)?);
            }
        }
        Ok(foreign)
    }
}

/// An entry, without what it says.
struct Looked {
    /// Where it stands: its number, or its writer if it is evidence.
    place: i64,
    key: i64,
    held: bool,
    kind: Kind,
    subject: Subject,
}

impl Looked {
    fn at(row: &Columns<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            place: row.get(0)?,
            key: row.get(1)?,
            held: row.get(2)?,
            kind: Kind(row.get(3)?),
            subject: Subject::from_bytes(row.get(4)?),
        })
    }

    /// Whether its payload goes, if another hub wrote it.
    fn is_foreign(&self, keep: HubId) -> bool {
        self.held && !self.kind.stands() && self.subject.owner() != keep
    }
}

fn is_foreign(opening: &Opening, keep: HubId) -> bool {
    match opening {
        Opening::Node { hub, .. } => *hub != keep,
        // The authority log is no hub's.
        Opening::Authority { .. } => false,
    }
}
