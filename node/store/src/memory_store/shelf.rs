//! The memory store's rows.

use std::collections::BTreeSet;

use bytes::Bytes;
use node_feed::{
    FeedName, Hash, Height, Kind, NodeId, Payload, Proof, Receipt, Refusal, SpaceId, Subject,
};

use super::{MemoryStore, Placed};
use crate::shelf::{EvidenceRow, Mark, Most, ReadShelf, Row, Shelf, without_bytes};
use crate::writer_feeds::{FeedKey, WriterFeeds};
use crate::{Evidence, PeerMemory, StoreError, StoredEntry, Totals};

impl MemoryStore {
    fn placed(&self, feed: FeedKey, number: u64) -> Option<&Placed> {
        self.rows.get(self.numbers.get(&(feed, number))?)
    }

    fn placed_mut(&mut self, feed: FeedKey, number: u64) -> Option<&mut Placed> {
        self.rows.get_mut(self.numbers.get(&(feed, number))?)
    }

    fn arrivals_of(
        &self,
        feed: FeedKey,
        first: u64,
        last: u64,
    ) -> impl Iterator<Item = (u64, &Placed)> {
        let numbers = self.numbers.range((feed, first)..=(feed, last));
        numbers.filter_map(|(_, arrival)| Some((*arrival, self.rows.get(arrival)?)))
    }

    fn stored(&self, arrival: u64) -> Option<StoredEntry> {
        let Placed { feed, row } = self.rows.get(&arrival)?;
        let (space, writer, name) = *self.owners.get(feed)?;
        let feeds = self.writers.get(&(space, writer));
        Some(StoredEntry {
            arrival,
            space,
            feed: name,
            writer,
            height: row.height,
            opening: feeds.and_then(|feeds| feeds.feeds.get(&name)?.opening),
            time_ms: row.time_ms,
            kind: row.kind,
            subject: row.subject,
            payload: row.payload.clone(),
            live: false,
        })
    }

    fn evidence(&self, feeds: &WriterFeeds) -> impl Iterator<Item = &EvidenceRow> {
        let left = self.evidence.get(&(feeds.space, feeds.writer));
        left.into_iter().flat_map(|left| left.values())
    }

    fn entries_in(&self, space: SpaceId) -> impl Iterator<Item = StoredEntry> {
        let arrivals = self.rows.keys().filter_map(|arrival| self.stored(*arrival));
        arrivals.filter(move |entry| entry.space == space)
    }
}

impl ReadShelf for MemoryStore {
    fn spaces(&self) -> Result<Vec<SpaceId>, StoreError> {
        let held = self
            .writers
            .iter()
            .filter(|(_, feeds)| !feeds.feeds.is_empty());
        let spaces = held.map(|((space, _), _)| *space).collect::<BTreeSet<_>>();
        Ok(spaces.into_iter().collect())
    }

    fn writers(&self) -> Result<Vec<(SpaceId, [u8; 32])>, StoreError> {
        Ok(self.writers.keys().copied().collect())
    }

    fn writers_in(&self, space: SpaceId) -> Result<Vec<WriterFeeds>, StoreError> {
        let all = (space, [0; 32])..=(space, [255; 32]);
        Ok(self
            .writers
            .range(all)
            .map(|(_, feeds)| feeds.clone())
            .collect())
    }

    fn writer(&self, space: SpaceId, writer: [u8; 32]) -> Result<Option<WriterFeeds>, StoreError> {
        Ok(self.writers.get(&(space, writer)).cloned())
    }

    fn hash(&self, feed: FeedKey, number: u64) -> Result<Option<Hash>, StoreError> {
        Ok(self
            .placed(feed, number)
            .map(|placed| placed.row.height.hash))
    }

    fn count(&self, feed: FeedKey, through: u64) -> Result<u64, StoreError> {
        Ok(self.arrivals_of(feed, 0, through).count() as u64)
    }

    fn marks(&self, feed: FeedKey, number: u64, limit: usize) -> Result<Vec<Mark>, StoreError> {
        let placed = self.arrivals_of(feed, number, u64::MAX).take(limit);
        Ok(placed
            .map(|(arrival, placed)| Mark {
                arrival,
                number: placed.row.height.number,
                payload_bytes: placed.row.payload.bytes().map_or(0, Bytes::len),
                proven: placed.row.proof.is_some(),
            })
            .collect())
    }

    fn rows(&self, feed: FeedKey, first: u64, last: u64) -> Result<Vec<Row>, StoreError> {
        let placed = self.arrivals_of(feed, first, last);
        Ok(placed.map(|(_, placed)| placed.row.clone()).collect())
    }

    fn proof_before(&self, feed: FeedKey, before: u64) -> Result<Option<u64>, StoreError> {
        let numbers = self.numbers.range((feed, 0)..(feed, before)).rev();
        Ok(numbers
            .filter_map(|(_, arrival)| self.rows.get(arrival))
            .find(|placed| placed.row.proof.is_some())
            .map(|placed| placed.row.height.number))
    }

    fn cut_proofs(&self, feed: FeedKey) -> Result<Vec<Height>, StoreError> {
        Ok(self
            .arrivals_of(feed, 0, u64::MAX)
            .filter(|(_, placed)| placed.row.proof == Some(Proof::Cut))
            .map(|(_, placed)| placed.row.height)
            .collect())
    }

    fn dropped(&self, feed: FeedKey, first: u64, last: u64) -> Result<Vec<Height>, StoreError> {
        Ok(self
            .arrivals_of(feed, first, last)
            .filter(|(_, placed)| placed.row.payload.bytes().is_none())
            .map(|(_, placed)| placed.row.height)
            .collect())
    }

    fn dropped_in(&self, space: SpaceId) -> Result<Vec<StoredEntry>, StoreError> {
        let entries = self.entries_in(space);
        Ok(entries
            .filter(|entry| entry.payload.bytes().is_none())
            .collect())
    }

    /// Only a store in a file is ever made to forget what a hub left.
    fn is_left(&self, _space: SpaceId) -> Result<bool, StoreError> {
        Ok(false)
    }

    fn arrivals_after(&self, arrival: u64, most: Most) -> Result<Vec<StoredEntry>, StoreError> {
        let arrivals = self.rows.range(arrival.saturating_add(1)..);
        let entries = arrivals.filter_map(|(arrival, _)| self.stored(*arrival));
        most.take(entries.map(Ok))
    }

    fn some_entries_of(
        &self,
        subject: Subject,
        after: u64,
        most: Most,
    ) -> Result<Vec<StoredEntry>, StoreError> {
        let arrivals = self.subjects.get(&subject).into_iter();
        let arrivals = arrivals.flat_map(|all| all.range(after.saturating_add(1)..));
        let entries = arrivals.filter_map(|arrival| self.stored(*arrival));
        most.take(entries.map(Ok))
    }

    fn entry(&self, hash: Hash) -> Result<Option<StoredEntry>, StoreError> {
        Ok(self
            .hashes
            .get(&hash)
            .and_then(|arrival| self.stored(*arrival)))
    }

    fn subjects(&self, space: SpaceId, kind: Kind) -> Result<Vec<Subject>, StoreError> {
        let entries = self.entries_in(space).filter(|entry| entry.kind == kind);
        let subjects = entries.map(|entry| entry.subject).collect::<BTreeSet<_>>();
        Ok(subjects.into_iter().collect())
    }

    fn numbers_of(
        &self,
        _space: SpaceId,
        feed: FeedKey,
        kind: Kind,
        through: u64,
    ) -> Result<Vec<u64>, StoreError> {
        let placed = self.arrivals_of(feed, 0, through);
        let of_kind = placed.filter(|(_, placed)| placed.row.kind == kind);
        let numbers = of_kind.map(|(_, placed)| placed.row.height.number);
        Ok(numbers.collect())
    }

    fn revised_cards(&self) -> Result<Vec<Subject>, StoreError> {
        let held = |arrival: &u64| {
            self.rows.get(arrival).is_some_and(|placed| {
                placed.row.kind == Kind::CARD && placed.row.payload.bytes().is_some()
            })
        };
        let revised = self
            .subjects
            .iter()
            .filter(|(_, arrivals)| arrivals.iter().filter(|arrival| held(arrival)).count() > 1);
        Ok(revised.map(|(subject, _)| *subject).collect())
    }

    fn is_erased(&self, subject: Subject) -> Result<bool, StoreError> {
        Ok(self.erased.contains(&subject))
    }

    fn evidence_in(&self, space: SpaceId) -> Result<Vec<Evidence>, StoreError> {
        let all = self.evidence.range((space, [0; 32])..=(space, [255; 32]));
        let left = all.flat_map(|((_, writer), left)| left.values().map(move |row| (writer, row)));
        Ok(left
            .map(|(writer, left)| Evidence {
                feed: FeedName::from_bytes(*writer),
                height: left.row.height,
                reason: left.reason,
            })
            .collect())
    }

    fn has_evidence(&self, feeds: &WriterFeeds) -> Result<bool, StoreError> {
        Ok(self.evidence(feeds).next().is_some())
    }

    fn goes_on(&self, feeds: &WriterFeeds, height: Height) -> Result<bool, StoreError> {
        let left = self.evidence.get(&(feeds.space, feeds.writer));
        let next = height.number.saturating_add(1);
        let mut follow = left.into_iter().flat_map(|left| left.values());
        Ok(follow.any(|left| left.row.height.number == next && left.previous == height.hash))
    }

    fn evidence_of(&self, feeds: &WriterFeeds) -> Result<Vec<EvidenceRow>, StoreError> {
        Ok(self.evidence(feeds).cloned().collect())
    }

    fn totals(&self) -> Result<Totals, StoreError> {
        let bytes = self
            .rows
            .values()
            .filter_map(|placed| placed.row.payload.bytes());
        Ok(Totals {
            entries: self.rows.len() as u64,
            payload_bytes: bytes.map(|bytes| bytes.len() as u64).sum(),
            evidence: self.evidence.values().map(|left| left.len() as u64).sum(),
        })
    }

    fn settings(&self, prefix: &str) -> Result<Vec<String>, StoreError> {
        let names = self.settings.keys();
        Ok(names
            .filter(|name| name.starts_with(prefix))
            .cloned()
            .collect())
    }

    fn setting(&self, key: &str) -> Result<Option<Bytes>, StoreError> {
        Ok(self.settings.get(key).cloned())
    }

    fn peer_memory(&self, peer: NodeId) -> Result<Option<PeerMemory>, StoreError> {
        Ok(self.peers.get(&peer).cloned())
    }

    fn refusals(&self, peer: NodeId) -> Result<Vec<Refusal>, StoreError> {
        let refusals = self.refusals.get(&peer).into_iter();
        Ok(refusals.flat_map(|all| all.values().cloned()).collect())
    }

    fn receipts(&self, space: SpaceId) -> Result<Vec<Receipt>, StoreError> {
        let receipts = self.receipts.values();
        Ok(receipts
            .filter(|receipt| receipt.space == space)
            .cloned()
            .collect())
    }
}

impl Shelf for MemoryStore {
    fn create_feed(
        &mut self,
        feeds: &WriterFeeds,
        name: FeedName,
        _start: u64,
    ) -> Result<FeedKey, StoreError> {
        self.feeds_made += 1;
        let key = FeedKey(self.feeds_made);
        self.owners.insert(key, (feeds.space, feeds.writer, name));
        Ok(key)
    }

    fn delete_feed(&mut self, feed: FeedKey) -> Result<(), StoreError> {
        self.owners.remove(&feed);
        Ok(())
    }

    fn save_writer(&mut self, feeds: &WriterFeeds) -> Result<(), StoreError> {
        self.writers
            .insert((feeds.space, feeds.writer), feeds.clone());
        Ok(())
    }

    fn insert(&mut self, _space: SpaceId, feed: FeedKey, row: Row) -> Result<(), StoreError> {
        self.arrival += 1;
        let arrival = self.arrival;
        self.numbers.insert((feed, row.height.number), arrival);
        self.hashes.insert(row.height.hash, arrival);
        self.subjects
            .entry(row.subject)
            .or_default()
            .insert(arrival);
        self.rows.insert(arrival, Placed { feed, row });
        Ok(())
    }

    fn move_rows(&mut self, feed: FeedKey, number: u64, to: FeedKey) -> Result<(), StoreError> {
        let moved = self.arrivals_of(feed, number, u64::MAX);
        let moved = moved.map(|(arrival, placed)| (arrival, placed.row.height.number));
        for (arrival, number) in moved.collect::<Vec<_>>() {
            self.numbers.remove(&(feed, number));
            self.numbers.insert((to, number), arrival);
            if let Some(placed) = self.rows.get_mut(&arrival) {
                placed.feed = to;
            }
        }
        Ok(())
    }

    fn delete_rows(&mut self, feed: FeedKey, number: u64) -> Result<(), StoreError> {
        self.links
            .retain(|(at, linked), _| *at != feed || *linked < number);
        let gone = self.arrivals_of(feed, number, u64::MAX);
        for arrival in gone.map(|(arrival, _)| arrival).collect::<Vec<_>>() {
            if let Some(Placed { feed, row }) = self.rows.remove(&arrival) {
                self.numbers.remove(&(feed, row.height.number));
                self.hashes.remove(&row.height.hash);
                if let Some(arrivals) = self.subjects.get_mut(&row.subject) {
                    arrivals.remove(&arrival);
                }
            }
        }
        Ok(())
    }

    fn set_proof(
        &mut self,
        feed: FeedKey,
        number: u64,
        proof: Option<Proof>,
    ) -> Result<(), StoreError> {
        if let Some(placed) = self.placed_mut(feed, number) {
            placed.row.proof = proof;
        }
        Ok(())
    }

    fn fill(&mut self, feed: FeedKey, number: u64, payload: &Bytes) -> Result<(), StoreError> {
        if let Some(placed) = self.placed_mut(feed, number) {
            placed.row.payload = Payload::Held(payload.clone());
        }
        Ok(())
    }

    fn drop_payload(&mut self, arrival: u64) -> Result<(), StoreError> {
        if let Some(placed) = self.rows.get_mut(&arrival) {
            placed.row.payload = without_bytes(placed.row.kind, &placed.row.payload);
        }
        Ok(())
    }

    fn erase(&mut self, subject: Subject) -> Result<(), StoreError> {
        self.erased.insert(subject);
        self.bases.retain(|(_, held), _| *held != subject);
        for copying in self.copies.values_mut() {
            copying.documents.remove(&subject);
            copying.erase_live(subject);
        }
        let arrivals = self.subjects.get(&subject).cloned().unwrap_or_default();
        for arrival in arrivals {
            if self
                .rows
                .get(&arrival)
                .is_some_and(|placed| !placed.row.kind.stands())
            {
                self.drop_payload(arrival)?;
            }
        }
        for left in self
            .evidence
            .values_mut()
            .flat_map(|left| left.values_mut())
        {
            if left.row.subject == subject && !left.row.kind.stands() {
                left.row.payload = without_bytes(left.row.kind, &left.row.payload);
            }
        }
        Ok(())
    }

    fn add_evidence(&mut self, feeds: &WriterFeeds, row: EvidenceRow) -> Result<(), StoreError> {
        let left = self
            .evidence
            .entry((feeds.space, feeds.writer))
            .or_default();
        left.insert((row.row.height.number, row.row.height.hash), row);
        Ok(())
    }

    fn delete_evidence(&mut self, feeds: &WriterFeeds, hash: Hash) -> Result<(), StoreError> {
        if let Some(left) = self.evidence.get_mut(&(feeds.space, feeds.writer)) {
            left.retain(|(_, held), _| *held != hash);
        }
        Ok(())
    }

    fn set_setting(&mut self, key: &str, value: Option<&[u8]>) -> Result<(), StoreError> {
        match value {
            Some(value) => {
                let value = Bytes::copy_from_slice(value);
                self.settings.insert(key.to_owned(), value);
            }
            None => {
                self.settings.remove(key);
            }
        }
        Ok(())
    }

    fn remember_peer(&mut self, peer: NodeId, memory: &PeerMemory) -> Result<(), StoreError> {
        self.peers.insert(peer, memory.clone());
        Ok(())
    }

    fn store_refusal(&mut self, peer: NodeId, refusal: &Refusal) -> Result<(), StoreError> {
        let refusals = self.refusals.entry(peer).or_default();
        refusals.insert((refusal.space, refusal.feed), refusal.clone());
        Ok(())
    }

    fn clear_refusals(&mut self, peer: NodeId) -> Result<(), StoreError> {
        self.refusals.remove(&peer);
        Ok(())
    }

    fn store_receipt(&mut self, receipt: &Receipt) -> Result<(), StoreError> {
        let id = (receipt.space, receipt.node);
        let held = self.receipts.get(&id);
        if held.is_none_or(|held| held.time_ms < receipt.time_ms) {
            self.receipts.insert(id, receipt.clone());
        }
        Ok(())
    }
}
