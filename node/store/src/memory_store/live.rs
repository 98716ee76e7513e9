//! Live entries in memory.

use std::collections::BTreeSet;

use node_feed::{FeedName, Hash, Height, Kind, Opening, Proof, SpaceId, Subject};

use super::MemoryStore;
use super::bases::Copying;
use crate::shelf::{Live, LiveEnd, Most, ReadLive, Row, without_bytes};
use crate::{StoreError, StoredEntry};

/// A live entry with its arrival.
#[derive(Debug, Clone)]
pub(super) struct LiveRow {
    arrival: u64,
    row: Row,
}

impl Copying {
    /// Drops the payloads about a subject.
    pub(super) fn erase_live(&mut self, subject: Subject) {
        for LiveRow { row, .. } in self.live.values_mut() {
            if row.subject == subject && !row.kind.stands() {
                row.payload = without_bytes(row.kind, &row.payload);
            }
        }
    }
}

impl MemoryStore {
    /// All live entries, in the order of arrival.
    fn all_live(&self) -> Vec<StoredEntry> {
        let copies = self.copies.iter();
        let all = copies.flat_map(|(space, copying)| {
            let rows = copying.live.iter();
            rows.map(|((feed, _), LiveRow { arrival, row })| StoredEntry {
                arrival: *arrival,
                space: *space,
                feed: *feed,
                writer: *feed.as_bytes(),
                height: row.height,
                opening: copying.ends.get(feed).map(|(_, opening)| *opening),
                time_ms: row.time_ms,
                kind: row.kind,
                subject: row.subject,
                payload: row.payload.clone(),
                live: true,
            })
        });
        let mut all = all.collect::<Vec<_>>();
        all.sort_by_key(|entry| entry.arrival);
        all
    }
}

impl ReadLive for MemoryStore {
    fn live_end(&self, space: SpaceId, feed: FeedName) -> Result<Option<LiveEnd>, StoreError> {
        let found = self.copies.get(&space).and_then(|copying| {
            let (head, opening) = copying.ends.get(&feed)?;
            let mut rows = copying.live.range((feed, 0)..=(feed, u64::MAX));
            let last = rows.next_back().map(|(_, live)| live.row.height);
            Some(LiveEnd {
                tip: last.unwrap_or(*head),
                head: *head,
                opening: *opening,
                bytes: copying.live_bytes,
            })
        });
        Ok(found)
    }

    fn live_hash(
        &self,
        space: SpaceId,
        feed: FeedName,
        number: u64,
    ) -> Result<Option<Hash>, StoreError> {
        let copying = self.copies.get(&space);
        let found = copying.and_then(|copying| copying.live.get(&(feed, number)));
        Ok(found.map(|live| live.row.height.hash))
    }

    fn live_rows(
        &self,
        space: SpaceId,
        feed: FeedName,
        number: u64,
        limit: usize,
    ) -> Result<Vec<Row>, StoreError> {
        let copying = self.copies.get(&space).into_iter();
        let rows = copying.flat_map(|it| it.live.range((feed, number)..=(feed, u64::MAX)));
        Ok(rows.take(limit).map(|(_, live)| live.row.clone()).collect())
    }

    fn live_after(&self, arrival: u64, most: Most) -> Result<Vec<StoredEntry>, StoreError> {
        let all = self.all_live().into_iter();
        let after = all.filter(|entry| entry.arrival > arrival);
        most.take(after.map(Ok))
    }

    fn live_of(
        &self,
        subject: Subject,
        after: u64,
        most: Most,
    ) -> Result<Vec<StoredEntry>, StoreError> {
        let all = self.all_live().into_iter();
        let of_it = all.filter(|entry| entry.subject == subject && entry.arrival > after);
        most.take(of_it.map(Ok))
    }

    fn live_subjects(&self, space: SpaceId, kind: Kind) -> Result<Vec<Subject>, StoreError> {
        let all = self.all_live().into_iter();
        let here = all.filter(|entry| entry.space == space && entry.kind == kind);
        let subjects = here.map(|entry| entry.subject).collect::<BTreeSet<_>>();
        Ok(subjects.into_iter().collect())
    }

    fn live_unchecked(&self) -> Result<Vec<(SpaceId, Subject)>, StoreError> {
        let all = self.all_live().into_iter();
        let unchecked = all.filter(|entry| {
            let copying = self.copies.get(&entry.space);
            copying.is_some_and(|copying| copying.is_unchecked(&entry.subject))
        });
        let unchecked = unchecked.map(|entry| (entry.space, entry.subject));
        Ok(unchecked.collect::<BTreeSet<_>>().into_iter().collect())
    }
}

impl Live for MemoryStore {
    fn set_live_ends(
        &mut self,
        space: SpaceId,
        ends: &[(FeedName, Height, Opening)],
    ) -> Result<(), StoreError> {
        if let Some(copying) = self.copies.get_mut(&space) {
            let ends = ends.iter();
            let ends = ends.map(|(feed, end, opening)| (*feed, (*end, *opening)));
            copying.ends.extend(ends);
        }
        Ok(())
    }

    fn add_live(&mut self, space: SpaceId, feed: FeedName, row: Row) -> Result<(), StoreError> {
        self.arrival += 1;
        let arrival = self.arrival;
        if let Some(copying) = self.copies.get_mut(&space) {
            copying.live_bytes = copying.live_bytes.saturating_add(row.weight());
            let key = (feed, row.height.number);
            copying.live.insert(key, LiveRow { arrival, row });
        }
        Ok(())
    }

    fn drop_live(&mut self, space: SpaceId, feed: FeedName, number: u64) -> Result<(), StoreError> {
        if let Some(copying) = self.copies.get_mut(&space) {
            let live = &mut copying.live;
            live.retain(|(at, held), _| *at != feed || *held < number);
            let left = live.values().map(|live| live.row.weight());
            copying.live_bytes = left.sum();
        }
        Ok(())
    }

    fn set_live_proof(
        &mut self,
        space: SpaceId,
        feed: FeedName,
        number: u64,
        proof: Proof,
    ) -> Result<(), StoreError> {
        let copying = self.copies.get_mut(&space);
        if let Some(live) = copying.and_then(|it| it.live.get_mut(&(feed, number))) {
            live.row.proof = Some(proof);
        }
        Ok(())
    }
}
