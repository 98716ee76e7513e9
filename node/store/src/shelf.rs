//! What the two stores must each provide: rows, and nothing of the rules.
//!
//! The rules (what a run does to feeds, what counts, what is sent) are in `ledger` and `reading`,
//! written once over these traits.

use bytes::Bytes;
use node_feed::{
    CopyPlace, FeedName, Hash, Height, Heights, Kind, NodeId, Opening, Payload, Proof, Receipt,
    Refusal, RefusalReason, SpaceId, Subject,
};

use crate::writer_feeds::{FeedKey, WriterFeeds};
use crate::{BaseDocument, Evidence, PeerMemory, StoreError, StoredEntry, Totals};

/// What a row takes beside its payload, about.
pub(crate) const ROW_BYTES: u64 = 200;

/// How much is read at once: so many entries, or about so many bytes of them. One at least.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Most {
    pub(crate) entries: usize,
    pub(crate) bytes: usize,
}

impl Most {
    /// Takes entries until they are as many.
    pub(crate) fn take<E>(
        &self,
        all: impl Iterator<Item = Result<StoredEntry, E>>,
    ) -> Result<Vec<StoredEntry>, E> {
        let mut some = Vec::new();
        let mut bytes = 0usize;
        for entry in all {
            let entry = entry?;
            bytes = bytes.saturating_add(entry.weight());
            some.push(entry);
            if self.is_full(some.len(), bytes) {
                break;
            }
        }
        Ok(some)
    }

    /// Entries that were each taken so, together in the order of arrival: up to where it is sure that
    /// nothing is missing in between.
    pub(crate) fn merged(
        &self,
        some: Vec<StoredEntry>,
        others: Vec<StoredEntry>,
    ) -> Vec<StoredEntry> {
        if others.is_empty() {
            return some;
        }
        let ends = |some: &[StoredEntry]| {
            let bytes = some.iter().map(StoredEntry::weight).sum();
            let last = some.last().filter(|_| self.is_full(some.len(), bytes));
            last.map_or(u64::MAX, |last| last.arrival)
        };
        let end = ends(&some).min(ends(&others));
        let mut all = some;
        all.extend(others);
        all.retain(|entry| entry.arrival <= end);
        all.sort_by_key(|entry| entry.arrival);
        let mut bytes = 0usize;
        let full = all.iter().enumerate().position(|(index, entry)| {
            bytes = bytes.saturating_add(entry.weight());
            self.is_full(index + 1, bytes)
        });
        all.truncate(full.map_or(usize::MAX, |index| index + 1));
        all
    }

    const fn is_full(&self, entries: usize, bytes: usize) -> bool {
        entries >= self.entries || bytes >= self.bytes
    }
}

/// One entry, as it lies in a feed.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) height: Height,
    pub(crate) time_ms: u64,
    pub(crate) kind: Kind,
    pub(crate) subject: Subject,
    pub(crate) payload: Payload,
    /// Whether an archive of the document gives back what the payload lacks.
    pub(crate) archived: bool,
    /// Set on a run's last entry only.
    pub(crate) proof: Option<Proof>,
}

/// What planning a read needs of an entry.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Mark {
    pub(crate) number: u64,
    pub(crate) arrival: u64,
    pub(crate) payload_bytes: usize,
    pub(crate) proven: bool,
}

/// An entry that left its feed.
#[derive(Debug, Clone)]
pub(crate) struct EvidenceRow {
    pub(crate) row: Row,
    /// The hash of the entry before it.
    pub(crate) previous: Hash,
    pub(crate) reason: RefusalReason,
}

/// What is held of first copies.
pub(crate) trait ReadBases {
    /// The copy of a space that is under way.
    fn copy_place(&self, space: SpaceId) -> Result<Option<CopyPlace>, StoreError>;
    /// Every copy that is under way.
    fn copies(&self) -> Result<Vec<(SpaceId, CopyPlace)>, StoreError>;
    /// What has come of it beside documents, in order.
    fn copy_pieces(&self, space: SpaceId) -> Result<Vec<Bytes>, StoreError>;
    /// How many pieces that is, and how many bytes.
    fn copy_size(&self, space: SpaceId) -> Result<(u64, u64), StoreError>;
    /// The documents that its checkpoints list.
    fn copy_list(&self, space: SpaceId) -> Result<Vec<Subject>, StoreError>;
    /// How far its feeds were held when its documents were begun to be checked.
    fn copy_tips(&self, space: SpaceId) -> Result<Heights, StoreError>;
    /// Each feed of a space that has a base, with its number.
    fn base_numbers(&self, space: SpaceId) -> Result<Vec<(FeedName, u64)>, StoreError>;
    /// The hash before an entry whose predecessor is not held.
    fn link(&self, feed: FeedKey, number: u64) -> Result<Option<Hash>, StoreError>;
    /// What came of a document after an arrival, by copies that were placed or are under way.
    fn base_documents(
        &self,
        space: SpaceId,
        subject: Subject,
        after: u64,
    ) -> Result<Vec<BaseDocument>, StoreError>;
    /// The spaces into which a document came by copies.
    fn base_spaces(&self, subject: Subject) -> Result<Vec<SpaceId>, StoreError>;
    /// Documents that came with copies, in the order of their bytes: all of a space after one.
    fn bases(
        &self,
        space: SpaceId,
        after: Option<Subject>,
        limit: usize,
    ) -> Result<Vec<Subject>, StoreError>;
    /// Up to `limit` documents of copies under way that are not checked, of any space after one.
    fn unchecked(
        &self,
        after: Option<(SpaceId, Subject)>,
        limit: usize,
    ) -> Result<Vec<(SpaceId, Subject)>, StoreError>;
    /// How many those are.
    fn unchecked_count(&self) -> Result<u64, StoreError>;
}

/// What is changed of first copies.
pub(crate) trait Bases: ReadBases {
    /// Notes how far a copy has come, or that it begins.
    fn set_copy(&mut self, space: SpaceId, place: &CopyPlace) -> Result<(), StoreError>;
    fn set_copy_list(&mut self, space: SpaceId, documents: &[Subject]) -> Result<(), StoreError>;
    fn set_copy_tips(&mut self, space: SpaceId, tips: &Heights) -> Result<(), StoreError>;
    fn set_link(&mut self, feed: FeedKey, number: u64, previous: Hash) -> Result<(), StoreError>;
    fn add_copy_piece(&mut self, space: SpaceId, bytes: &Bytes) -> Result<(), StoreError>;
    fn drop_copy_pieces(&mut self, space: SpaceId) -> Result<(), StoreError>;
    /// Adds a document to the copy under way, with the next arrival.
    fn add_base(
        &mut self,
        space: SpaceId,
        subject: Subject,
        bytes: &Bytes,
    ) -> Result<(), StoreError>;
    /// Ends the copy that is under way. Its documents are the space's own now, or gone.
    fn end_copy(&mut self, space: SpaceId, keep: bool) -> Result<(), StoreError>;
    /// Notes that those documents of the copy under way were checked that have these arrivals.
    fn set_checked(&mut self, space: SpaceId, arrivals: &[u64]) -> Result<(), StoreError>;
    /// Forgets that any were.
    fn clear_checked(&mut self, space: SpaceId) -> Result<(), StoreError>;
}

/// How far a feed of a copy under way is proven, live entries included.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LiveEnd {
    pub(crate) tip: Height,
    /// The last entry that the head proves.
    pub(crate) head: Height,
    pub(crate) opening: Opening,
    /// How many bytes all live entries of the copy have.
    pub(crate) bytes: u64,
}

/// What is held of live entries: what came of the feeds of a copy under way after its head.
pub(crate) trait ReadLive {
    /// How far a feed of the copy of a space is proven; none before the head of the copy is.
    fn live_end(&self, space: SpaceId, feed: FeedName) -> Result<Option<LiveEnd>, StoreError>;
    fn live_hash(
        &self,
        space: SpaceId,
        feed: FeedName,
        number: u64,
    ) -> Result<Option<Hash>, StoreError>;
    /// Up to `limit` rows from `number` on, in order.
    fn live_rows(
        &self,
        space: SpaceId,
        feed: FeedName,
        number: u64,
        limit: usize,
    ) -> Result<Vec<Row>, StoreError>;
    fn live_after(&self, arrival: u64, most: Most) -> Result<Vec<StoredEntry>, StoreError>;
    fn live_of(
        &self,
        subject: Subject,
        after: u64,
        most: Most,
    ) -> Result<Vec<StoredEntry>, StoreError>;
    fn live_subjects(&self, space: SpaceId, kind: Kind) -> Result<Vec<Subject>, StoreError>;
    /// The documents of copies under way that are not checked and have live entries.
    fn live_unchecked(&self) -> Result<Vec<(SpaceId, Subject)>, StoreError>;
}

/// What is changed of live entries. They go with their copy.
pub(crate) trait Live: ReadLive {
    /// Notes how far the head of the copy proves its feeds, and who opened them.
    fn set_live_ends(
        &mut self,
        space: SpaceId,
        ends: &[(FeedName, Height, Opening)],
    ) -> Result<(), StoreError>;
    /// Adds a row with the next arrival.
    fn add_live(&mut self, space: SpaceId, feed: FeedName, row: Row) -> Result<(), StoreError>;
    /// Removes the rows from `number` on.
    fn drop_live(&mut self, space: SpaceId, feed: FeedName, number: u64) -> Result<(), StoreError>;
    fn set_live_proof(
        &mut self,
        space: SpaceId,
        feed: FeedName,
        number: u64,
        proof: Proof,
    ) -> Result<(), StoreError>;
}

/// Rows to read.
pub(crate) trait ReadShelf: ReadBases + ReadLive {
    fn spaces(&self) -> Result<Vec<SpaceId>, StoreError>;
    /// Every writer ever seen, also those of whom only evidence is left.
    fn writers(&self) -> Result<Vec<(SpaceId, [u8; 32])>, StoreError>;
    fn writers_in(&self, space: SpaceId) -> Result<Vec<WriterFeeds>, StoreError>;
    fn writer(&self, space: SpaceId, writer: [u8; 32]) -> Result<Option<WriterFeeds>, StoreError>;

    fn hash(&self, feed: FeedKey, number: u64) -> Result<Option<Hash>, StoreError>;
    /// How many rows there are up to `through`.
    fn count(&self, feed: FeedKey, through: u64) -> Result<u64, StoreError>;
    /// Up to `limit` marks from `number` on, in order.
    fn marks(&self, feed: FeedKey, number: u64, limit: usize) -> Result<Vec<Mark>, StoreError>;
    /// The rows from `first` to `last`, in order.
    fn rows(&self, feed: FeedKey, first: u64, last: u64) -> Result<Vec<Row>, StoreError>;
    /// The last number below `before` that has a proof.
    fn proof_before(&self, feed: FeedKey, before: u64) -> Result<Option<u64>, StoreError>;
    /// The entries whose proof is a cut.
    fn cut_proofs(&self, feed: FeedKey) -> Result<Vec<Height>, StoreError>;
    /// The entries from `first` to `last` whose payload is dropped.
    fn dropped(&self, feed: FeedKey, first: u64, last: u64) -> Result<Vec<Height>, StoreError>;
    /// Every entry of `space` whose payload is dropped.
    fn dropped_in(&self, space: SpaceId) -> Result<Vec<StoredEntry>, StoreError>;
    /// Whether payloads of `space` were dropped because this hub left it.
    fn is_left(&self, space: SpaceId) -> Result<bool, StoreError>;

    fn arrivals_after(&self, arrival: u64, most: Most) -> Result<Vec<StoredEntry>, StoreError>;
    /// All of a subject, without live ones.
    fn entries_of(&self, subject: Subject, after: u64) -> Result<Vec<StoredEntry>, StoreError> {
        let most = Most {
            entries: usize::MAX,
            bytes: usize::MAX,
        };
        self.some_entries_of(subject, after, most)
    }
    fn some_entries_of(
        &self,
        subject: Subject,
        after: u64,
        most: Most,
    ) -> Result<Vec<StoredEntry>, StoreError>;
    fn entry(&self, hash: Hash) -> Result<Option<StoredEntry>, StoreError>;
    fn subjects(&self, space: SpaceId, kind: Kind) -> Result<Vec<Subject>, StoreError>;
    /// The numbers up to `through` of a feed's entries of a kind, in order.
    fn numbers_of(
        &self,
        space: SpaceId,
        feed: FeedKey,
        kind: Kind,
        through: u64,
    ) -> Result<Vec<u64>, StoreError>;
    /// Cards with more than one revision whose payload is held.
    fn revised_cards(&self) -> Result<Vec<Subject>, StoreError>;
    fn is_erased(&self, subject: Subject) -> Result<bool, StoreError>;
    fn evidence_in(&self, space: SpaceId) -> Result<Vec<Evidence>, StoreError>;
    fn has_evidence(&self, feeds: &WriterFeeds) -> Result<bool, StoreError>;
    /// Whether an entry that follows this one is among the evidence.
    fn goes_on(&self, feeds: &WriterFeeds, height: Height) -> Result<bool, StoreError>;
    /// In the order of the numbers.
    fn evidence_of(&self, feeds: &WriterFeeds) -> Result<Vec<EvidenceRow>, StoreError>;
    fn totals(&self) -> Result<Totals, StoreError>;

    fn settings(&self, prefix: &str) -> Result<Vec<String>, StoreError>;
    fn setting(&self, key: &str) -> Result<Option<Bytes>, StoreError>;
    fn peer_memory(&self, peer: NodeId) -> Result<Option<PeerMemory>, StoreError>;
    fn refusals(&self, peer: NodeId) -> Result<Vec<Refusal>, StoreError>;
    fn receipts(&self, space: SpaceId) -> Result<Vec<Receipt>, StoreError>;
}

/// Rows to write. Called within one change that is undone as a whole if anything fails.
pub(crate) trait Shelf: ReadShelf + Bases + Live {
    /// Makes room for a feed of `feeds`' writer, whom it makes known if need be.
    fn create_feed(
        &mut self,
        feeds: &WriterFeeds,
        name: FeedName,
        start: u64,
    ) -> Result<FeedKey, StoreError>;
    /// Removes a feed without rows.
    fn delete_feed(&mut self, feed: FeedKey) -> Result<(), StoreError>;
    /// Writes down what `feeds` says of feeds that exist already.
    fn save_writer(&mut self, feeds: &WriterFeeds) -> Result<(), StoreError>;

    /// Adds a row with the next arrival.
    fn insert(&mut self, space: SpaceId, feed: FeedKey, row: Row) -> Result<(), StoreError>;
    /// Moves the rows from `number` on to another feed.
    fn move_rows(&mut self, feed: FeedKey, number: u64, to: FeedKey) -> Result<(), StoreError>;
    /// Removes the rows from `number` on.
    fn delete_rows(&mut self, feed: FeedKey, number: u64) -> Result<(), StoreError>;
    fn set_proof(
        &mut self,
        feed: FeedKey,
        number: u64,
        proof: Option<Proof>,
    ) -> Result<(), StoreError>;
    fn fill(&mut self, feed: FeedKey, number: u64, payload: &Bytes) -> Result<(), StoreError>;
    /// Drops the payload of the entry that arrived at `arrival`.
    fn drop_payload(&mut self, arrival: u64) -> Result<(), StoreError>;
    /// Marks `subject` as erased and drops its payloads, in feeds and in the evidence.
    fn erase(&mut self, subject: Subject) -> Result<(), StoreError>;

    fn add_evidence(&mut self, feeds: &WriterFeeds, row: EvidenceRow) -> Result<(), StoreError>;
    fn delete_evidence(&mut self, feeds: &WriterFeeds, hash: Hash) -> Result<(), StoreError>;

    fn set_setting(&mut self, key: &str, value: Option<&[u8]>) -> Result<(), StoreError>;
    fn remember_peer(&mut self, peer: NodeId, memory: &PeerMemory) -> Result<(), StoreError>;
    fn store_refusal(&mut self, peer: NodeId, refusal: &Refusal) -> Result<(), StoreError>;
    fn clear_refusals(&mut self, peer: NodeId) -> Result<(), StoreError>;
    fn store_receipt(&mut self, receipt: &Receipt) -> Result<(), StoreError>;
}

impl Row {
    /// About how many bytes it takes.
    pub(crate) fn weight(&self) -> u64 {
        ROW_BYTES + self.payload.bytes().map_or(0, Bytes::len) as u64
    }
}

/// The same payload without its bytes.
pub(crate) fn without_bytes(kind: Kind, payload: &Payload) -> Payload {
    match payload.hash(kind) {
        Ok(hash) => Payload::Dropped {
            hash,
            length: payload.length(),
        },
        // Only a payload that carriage would have refused has no hash.
        Err(_) => payload.clone(),
    }
}
