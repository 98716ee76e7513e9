//! One way to answer the contract's questions, for every store.

/// Implements [`ReadStore`](crate::ReadStore) for a type with an `ask` method that lets its rows be read.
macro_rules! read_store {
    ($store:ty) => {
        impl $crate::ReadStore for $store {
            fn spaces(&self) -> Result<Vec<SpaceId>, StoreError> {
                self.ask(|shelf| ReadShelf::spaces(shelf))
            }

            fn trees(&self, space: SpaceId) -> Result<BTreeMap<[u8; 32], FeedTree>, StoreError> {
                self.ask(|shelf| reading::trees(shelf, space))
            }

            fn openings(&self, space: SpaceId) -> Result<BTreeMap<FeedName, Opening>, StoreError> {
                self.ask(|shelf| reading::openings(shelf, space))
            }

            fn read(
                &self,
                space: SpaceId,
                from: &[(FeedName, u64)],
                bytes_max: usize,
            ) -> Result<Vec<Run>, StoreError> {
                self.ask(|shelf| reading::read(shelf, space, from, bytes_max))
            }

            fn hash_at(
                &self,
                space: SpaceId,
                feed: FeedName,
                number: u64,
            ) -> Result<Option<Hash>, StoreError> {
                self.ask(|shelf| reading::hash_of(shelf, space, feed, number))
            }

            fn find(
                &self,
                space: SpaceId,
                writer: [u8; 32],
                points: &[Height],
            ) -> Result<Vec<bool>, StoreError> {
                self.ask(|shelf| reading::find(shelf, space, writer, points))
            }

            fn sample(&self, space: SpaceId, writer: [u8; 32]) -> Result<Vec<Height>, StoreError> {
                self.ask(|shelf| reading::sample(shelf, space, writer))
            }

            fn log_feeds(&self, network: NetworkId) -> Result<Vec<LogFeed>, StoreError> {
                self.ask(|shelf| reading::log_feeds(shelf, network))
            }

            fn arrivals_after(
                &self,
                arrival: u64,
                limit: usize,
            ) -> Result<Vec<StoredEntry>, StoreError> {
                self.ask(|shelf| reading::arrivals_after(shelf, arrival, limit))
            }

            fn entries_of(
                &self,
                subject: Subject,
                after_arrival: u64,
            ) -> Result<Vec<StoredEntry>, StoreError> {
                self.ask(|shelf| {
                    reading::some_entries_of(shelf, subject, after_arrival, usize::MAX)
                })
            }

            fn some_entries_of(
                &self,
                subject: Subject,
                after_arrival: u64,
                bytes_max: usize,
            ) -> Result<Vec<StoredEntry>, StoreError> {
                self.ask(|shelf| reading::some_entries_of(shelf, subject, after_arrival, bytes_max))
            }

            fn entry(&self, hash: Hash) -> Result<Option<StoredEntry>, StoreError> {
                self.ask(|shelf| ReadShelf::entry(shelf, hash))
            }

            fn subjects(&self, space: SpaceId, kind: Kind) -> Result<Vec<Subject>, StoreError> {
                self.ask(|shelf| reading::subjects(shelf, space, kind))
            }

            fn is_erased(&self, subject: Subject) -> Result<bool, StoreError> {
                self.ask(|shelf| ReadShelf::is_erased(shelf, subject))
            }

            fn evidence(&self, space: SpaceId) -> Result<Vec<Evidence>, StoreError> {
                self.ask(|shelf| ReadShelf::evidence_in(shelf, space))
            }

            fn withheld(&self, space: SpaceId) -> Result<Vec<Withheld>, StoreError> {
                self.ask(|shelf| reading::withheld(shelf, space))
            }

            fn totals(&self) -> Result<Totals, StoreError> {
                self.ask(|shelf| ReadShelf::totals(shelf))
            }

            fn settings(&self, prefix: &str) -> Result<Vec<String>, StoreError> {
                self.ask(|shelf| ReadShelf::settings(shelf, prefix))
            }

            fn setting(&self, key: &str) -> Result<Option<Bytes>, StoreError> {
                self.ask(|shelf| ReadShelf::setting(shelf, key))
            }

            fn peer_memory(&self, peer: NodeId) -> Result<Option<PeerMemory>, StoreError> {
                self.ask(|shelf| ReadShelf::peer_memory(shelf, peer))
            }

            fn refusals(&self, peer: NodeId) -> Result<Vec<Refusal>, StoreError> {
                self.ask(|shelf| ReadShelf::refusals(shelf, peer))
            }

            fn receipts(&self, space: SpaceId) -> Result<Vec<Receipt>, StoreError> {
                self.ask(|shelf| ReadShelf::receipts(shelf, space))
            }

            fn checkpoint(
                &self,
                space: SpaceId,
                feed: FeedName,
                through: u64,
            ) -> Result<Option<(Vec<Checkpoint>, Height)>, StoreError> {
                self.ask(|shelf| reading::checkpoint(shelf, space, feed, through))
            }

            fn kept(
                &self,
                space: SpaceId,
                feed: FeedName,
                height: Height,
            ) -> Result<Option<KeptEntry>, StoreError> {
                self.ask(|shelf| reading::kept(shelf, space, feed, height))
            }

            fn copies(&self) -> Result<Vec<(SpaceId, CopyPlace)>, StoreError> {
                self.ask(|shelf| ReadBases::copies(shelf))
            }

            fn base_numbers(&self, space: SpaceId) -> Result<Vec<(FeedName, u64)>, StoreError> {
                self.ask(|shelf| reading::base_numbers(shelf, space))
            }

            fn copied_feeds(&self, space: SpaceId) -> Result<Vec<CopiedFeed>, StoreError> {
                self.ask(|shelf| ledger::copied_feeds(shelf, space))
            }

            fn base_documents(
                &self,
                space: SpaceId,
                document: Subject,
                after_arrival: u64,
            ) -> Result<Vec<BaseDocument>, StoreError> {
                self.ask(|shelf| ReadBases::base_documents(shelf, space, document, after_arrival))
            }

            fn base_spaces(&self, document: Subject) -> Result<Vec<SpaceId>, StoreError> {
                self.ask(|shelf| ReadBases::base_spaces(shelf, document))
            }

            fn bases(
                &self,
                space: SpaceId,
                after: Option<Subject>,
                limit: usize,
            ) -> Result<Vec<Subject>, StoreError> {
                self.ask(|shelf| ReadBases::bases(shelf, space, after, limit))
            }

            fn unchecked(
                &self,
                after: Option<(SpaceId, Subject)>,
                limit: usize,
            ) -> Result<Vec<(SpaceId, Subject)>, StoreError> {
                self.ask(|shelf| ReadBases::unchecked(shelf, after, limit))
            }

            fn live_unchecked(&self) -> Result<Vec<(SpaceId, Subject)>, StoreError> {
                self.ask(|shelf| ReadLive::live_unchecked(shelf))
            }

            fn unchecked_count(&self) -> Result<u64, StoreError> {
                self.ask(|shelf| ReadBases::unchecked_count(shelf))
            }
        }
    };
}

/// Implements [`EntryStore`](crate::EntryStore) for a type with a `change` method that makes one
/// durable change of its rows.
macro_rules! entry_store {
    ($store:ty) => {
        impl $crate::EntryStore for $store {
            fn append(
                &mut self,
                authority: &Authority,
                runs: Vec<VerifiedRun>,
            ) -> Result<Vec<Appended>, StoreError> {
                self.change(|shelf| ledger::append(shelf, authority, runs))
            }

            fn reconcile(&mut self, authority: &Authority) -> Result<Vec<SpaceId>, StoreError> {
                self.change(|shelf| ledger::reconcile(shelf, authority))
            }

            fn offer_copy(
                &mut self,
                peer: NodeId,
                offer: &CopyOffer,
            ) -> Result<CopyTaken, StoreError> {
                self.change(|shelf| ledger::offer_copy(shelf, peer, offer))
            }

            fn take_copy(
                &mut self,
                authority: &Authority,
                slice: &CopySlice,
            ) -> Result<CopyTaken, StoreError> {
                self.change(|shelf| ledger::take_copy(shelf, authority, slice))
            }

            fn set_checked(&mut self, space: SpaceId, arrivals: &[u64]) -> Result<(), StoreError> {
                self.change(|shelf| Bases::set_checked(shelf, space, arrivals))
            }

            fn place_copy(
                &mut self,
                authority: &Authority,
                space: SpaceId,
                id: Hash,
            ) -> Result<CopyPlaced, StoreError> {
                self.change(|shelf| ledger::place_copy(shelf, authority, space, id))
            }

            fn drop_copy(&mut self, space: SpaceId, id: Hash) -> Result<bool, StoreError> {
                self.change(|shelf| {
                    let place = ReadBases::copy_place(shelf, space)?;
                    let is_it = place.is_some_and(|place| place.bases.digest(space) == id);
                    if is_it {
                        ledger::drop_copy(shelf, space)?;
                    }
                    Ok(is_it)
                })
            }

            fn drop_base(&mut self, space: SpaceId, writer: [u8; 32]) -> Result<bool, StoreError> {
                self.change(|shelf| ledger::drop_base(shelf, space, writer))
            }

            fn drop_replaced_cards(&mut self, before_ms: u64) -> Result<u64, StoreError> {
                self.change(|shelf| reading::drop_replaced_cards(shelf, before_ms))
            }

            fn set_setting(&mut self, key: &str, value: Option<&[u8]>) -> Result<(), StoreError> {
                self.change(|shelf| Shelf::set_setting(shelf, key, value))
            }

            fn remember_peer(
                &mut self,
                peer: NodeId,
                memory: &PeerMemory,
            ) -> Result<(), StoreError> {
                self.change(|shelf| Shelf::remember_peer(shelf, peer, memory))
            }

            fn store_refusal(&mut self, peer: NodeId, refusal: &Refusal) -> Result<(), StoreError> {
                self.change(|shelf| Shelf::store_refusal(shelf, peer, refusal))
            }

            fn clear_refusals(&mut self, peer: NodeId) -> Result<(), StoreError> {
                self.change(|shelf| Shelf::clear_refusals(shelf, peer))
            }

            fn store_receipt(&mut self, receipt: &Receipt) -> Result<(), StoreError> {
                self.change(|shelf| Shelf::store_receipt(shelf, receipt))
            }
        }
    };
}

use std::collections::BTreeMap;

use bytes::Bytes;
use node_feed::{
    Authority, Checkpoint, CopyOffer, CopyPlace, CopySlice, CopyTaken, FeedName, FeedTree, Hash,
    Height, KeptEntry, Kind, LogFeed, NetworkId, NodeId, Opening, Receipt, Refusal, Run, SpaceId,
    Subject, VerifiedRun,
};

use crate::shelf::{Bases, ReadBases, ReadLive, ReadShelf, Shelf};
use crate::{
    Appended, BaseDocument, CopiedFeed, CopyPlaced, Evidence, MemoryStore, PeerMemory, Readers,
    SqliteStore, StoreError, StoredEntry, Totals, Withheld, ledger, reading,
};

read_store!(MemoryStore);
entry_store!(MemoryStore);
read_store!(SqliteStore);
entry_store!(SqliteStore);
read_store!(Readers);
