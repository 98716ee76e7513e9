//! The contract that every store keeps.

use std::collections::BTreeMap;

use bytes::Bytes;
use node_feed::{
    Authority, AuthorityLog, Checkpoint, CopyOffer, CopyPlace, CopySlice, CopyTaken, FeedName,
    FeedTree, Hash, Height, KeptEntry, Kind, LogFeed, NetworkId, NodeId, Opening, Receipt, Refusal,
    Run, SpaceId, Subject, VerifiedRun,
};

use crate::{
    Appended, BaseDocument, CopiedFeed, CopyPlaced, Evidence, PeerMemory, StoreError, StoredEntry,
    Totals, Withheld,
};

/// Reading what is held.
///
/// Every method fails with [`StoreError`] if the file cannot be read; the in-memory store never
/// fails.
#[expect(
    clippy::missing_errors_doc,
    reason = "all methods fail alike, as the trait's text says"
)]
pub trait ReadStore {
    /// The spaces with at least one entry that counts.
    fn spaces(&self) -> Result<Vec<SpaceId>, StoreError>;

    /// Every writer's feeds in `space`. Costs as much as there are feeds, whatever their length.
    fn trees(&self, space: SpaceId) -> Result<BTreeMap<[u8; 32], FeedTree>, StoreError>;

    /// Who writes which feed of `space`. A branch has its trunk's opening unless it starts at 0.
    fn openings(&self, space: SpaceId) -> Result<BTreeMap<FeedName, Opening>, StoreError>;

    /// Runs that hold the entries from the given numbers on, in the order of arrival, so that
    /// causes come first.
    ///
    /// At least one run if there is any entry, and about `bytes_max` of payload at most. Every run
    /// ends at a proof; one that starts in a trunk may therefore end in one of its branches.
    fn read(
        &self,
        space: SpaceId,
        from: &[(FeedName, u64)],
        bytes_max: usize,
    ) -> Result<Vec<Run>, StoreError>;

    /// The hash of entry `number`, if `feed` itself holds it.
    fn hash_at(
        &self,
        space: SpaceId,
        feed: FeedName,
        number: u64,
    ) -> Result<Option<Hash>, StoreError>;

    /// Which of `points` are held in any feed of `writer`, in the same order.
    fn find(
        &self,
        space: SpaceId,
        writer: [u8; 32],
        points: &[Height],
    ) -> Result<Vec<bool>, StoreError>;

    /// Points of every feed of `writer`: its tip, 1, 2, 4, 8… before it, and its first entry.
    fn sample(&self, space: SpaceId, writer: [u8; 32]) -> Result<Vec<Height>, StoreError>;

    /// The terms of the authority log, for [`AuthorityLog`].
    fn log_feeds(&self, network: NetworkId) -> Result<Vec<LogFeed>, StoreError>;

    /// Up to `limit` entries of all spaces after `arrival`, in the order of arrival, live ones among
    /// them.
    fn arrivals_after(&self, arrival: u64, limit: usize) -> Result<Vec<StoredEntry>, StoreError>;

    /// The entries about `subject` that arrived after `after_arrival`, in the order of arrival, live
    /// ones among them.
    fn entries_of(
        &self,
        subject: Subject,
        after_arrival: u64,
    ) -> Result<Vec<StoredEntry>, StoreError>;

    /// The first of these entries, as many as [weigh](StoredEntry::weight) about `bytes_max`
    /// together: one at least if there is any.
    fn some_entries_of(
        &self,
        subject: Subject,
        after_arrival: u64,
        bytes_max: usize,
    ) -> Result<Vec<StoredEntry>, StoreError>;

    /// The entry with this hash, if it counts.
    fn entry(&self, hash: Hash) -> Result<Option<StoredEntry>, StoreError>;

    /// The distinct subjects of the entries of `kind` in `space`, live ones among them, in the order of
    /// their bytes.
    fn subjects(&self, space: SpaceId, kind: Kind) -> Result<Vec<Subject>, StoreError>;

    /// Whether its owner erased `subject`.
    fn is_erased(&self, subject: Subject) -> Result<bool, StoreError>;

    /// The entries of `space` that no longer count.
    fn evidence(&self, space: SpaceId) -> Result<Vec<Evidence>, StoreError>;

    /// The entries of `space` whose payload is lacking although nothing held here replaces or
    /// erases it; none of a space that this hub left. Costs as much as there are dropped payloads.
    fn withheld(&self, space: SpaceId) -> Result<Vec<Withheld>, StoreError>;

    /// How much is held. Looks at every entry, so it is for people and not for each request.
    fn totals(&self) -> Result<Totals, StoreError>;

    /// The names of the settings that begin with `prefix`, in order.
    fn settings(&self, prefix: &str) -> Result<Vec<String>, StoreError>;

    /// A setting's value.
    fn setting(&self, key: &str) -> Result<Option<Bytes>, StoreError>;

    /// What is remembered of `peer`.
    fn peer_memory(&self, peer: NodeId) -> Result<Option<PeerMemory>, StoreError>;

    /// What `peer` refused.
    fn refusals(&self, peer: NodeId) -> Result<Vec<Refusal>, StoreError>;

    /// The latest receipt of each node for `space`.
    fn receipts(&self, space: SpaceId) -> Result<Vec<Receipt>, StoreError>;

    /// The last checkpoint of `feed` that is held whole: its parts in order, and the height of the
    /// last.
    fn checkpoint(
        &self,
        space: SpaceId,
        feed: FeedName,
        through: u64,
    ) -> Result<Option<(Vec<Checkpoint>, Height)>, StoreError>;

    /// An entry of `feed` as a first copy carries it, if `feed` itself holds it.
    fn kept(
        &self,
        space: SpaceId,
        feed: FeedName,
        height: Height,
    ) -> Result<Option<KeptEntry>, StoreError>;

    /// The first copies that are under way.
    fn copies(&self) -> Result<Vec<(SpaceId, CopyPlace)>, StoreError>;

    /// Each feed of `space` of which only what follows a checkpoint is held, with the number at
    /// which that ends: of what was placed, and of the copy under way once it is verified. Cheap.
    fn base_numbers(&self, space: SpaceId) -> Result<Vec<(FeedName, u64)>, StoreError>;

    /// The feeds of the copy of `space` that is under way; none before all that their checkpoints
    /// need is here and was verified.
    fn copied_feeds(&self, space: SpaceId) -> Result<Vec<CopiedFeed>, StoreError>;

    /// What came of a document after `after_arrival` by first copies, whole ones and one that is
    /// under way, in the order of arrival. What of it counts the checkpoints prove.
    fn base_documents(
        &self,
        space: SpaceId,
        document: Subject,
        after_arrival: u64,
    ) -> Result<Vec<BaseDocument>, StoreError>;

    /// The spaces into which a document came by first copies.
    fn base_spaces(&self, document: Subject) -> Result<Vec<SpaceId>, StoreError>;

    /// Up to `limit` documents of `space` that came by first copies, in the order of their bytes.
    fn bases(
        &self,
        space: SpaceId,
        after: Option<Subject>,
        limit: usize,
    ) -> Result<Vec<Subject>, StoreError>;

    /// Up to `limit` documents of copies under way that are not checked, of any space, in the order
    /// of their bytes.
    fn unchecked(
        &self,
        after: Option<(SpaceId, Subject)>,
        limit: usize,
    ) -> Result<Vec<(SpaceId, Subject)>, StoreError>;

    /// Those of all copies under way that are not checked and have live entries, of any space.
    fn live_unchecked(&self) -> Result<Vec<(SpaceId, Subject)>, StoreError>;

    /// How many are not checked.
    fn unchecked_count(&self) -> Result<u64, StoreError>;
}

/// Storing entries and what belongs to them.
///
/// Every method is one durable change: when it returns, what it did survives a power cut, and if
/// it fails with a [`StoreError`], nothing of it was done.
#[expect(
    clippy::missing_errors_doc,
    reason = "all methods fail alike, as the trait's text says"
)]
pub trait EntryStore: ReadStore {
    /// Stores runs in order, and answers each.
    ///
    /// Repeating a run is harmless. Later runs see what earlier ones did; a refused run affects
    /// no other. `authority` decides what counts. Erasures are obeyed in the same change. What follows
    /// the head of a first copy that is under way is kept with that copy.
    fn append(
        &mut self,
        authority: &Authority,
        runs: Vec<VerifiedRun>,
    ) -> Result<Vec<Appended>, StoreError>;

    /// Applies `authority` to all that is held: entries that no longer count leave their feeds as
    /// evidence, and evidence that counts again comes back, with new arrivals. Live entries that do not
    /// count any more go. Returns the spaces whose feeds or live entries changed; their documents must
    /// be rebuilt.
    ///
    /// Cheap when nothing changed for a writer. See [`settle_authority`] for when to call it.
    fn reconcile(&mut self, authority: &Authority) -> Result<Vec<SpaceId>, StoreError>;

    /// Begins the first copy that `peer` offers, or goes on with it if it is the one under way. It
    /// takes the place of another of the same space.
    fn offer_copy(&mut self, peer: NodeId, offer: &CopyOffer) -> Result<CopyTaken, StoreError>;

    /// Keeps a slice of a first copy. Once its head is whole, every feed is verified against its
    /// checkpoint and `authority`. Repeating a slice is harmless.
    fn take_copy(
        &mut self,
        authority: &Authority,
        slice: &CopySlice,
    ) -> Result<CopyTaken, StoreError>;

    /// Notes that documents of the first copy under way were checked: those that have these arrivals.
    fn set_checked(&mut self, space: SpaceId, arrivals: &[u64]) -> Result<(), StoreError>;

    /// Puts the copy with this digest of its bases in its place: its feeds count from then on, live
    /// entries with them, which get new arrivals. Not
    /// before all its documents were checked, and if more came of its feeds since, they are to be
    /// checked again.
    fn place_copy(
        &mut self,
        authority: &Authority,
        space: SpaceId,
        id: Hash,
    ) -> Result<CopyPlaced, StoreError>;

    /// Forgets the copy of `space` that is under way, if its bases have this digest; whether they
    /// had.
    fn drop_copy(&mut self, space: SpaceId, id: Hash) -> Result<bool, StoreError>;

    /// Takes the feeds of a writer out of `space` of which one is held from a base on only, so that
    /// they are fetched whole. What is held of them stays as evidence, and comes back with what is
    /// fetched. Returns whether there was one; then documents must be rebuilt.
    fn drop_base(&mut self, space: SpaceId, writer: [u8; 32]) -> Result<bool, StoreError>;

    /// Drops the payloads of card revisions that a held revision replaces and whose author's time
    /// is before `before_ms`. Returns how many.
    fn drop_replaced_cards(&mut self, before_ms: u64) -> Result<u64, StoreError>;

    /// Sets a setting, or removes it.
    fn set_setting(&mut self, key: &str, value: Option<&[u8]>) -> Result<(), StoreError>;

    /// Replaces what is remembered of `peer`.
    fn remember_peer(&mut self, peer: NodeId, memory: &PeerMemory) -> Result<(), StoreError>;

    /// Notes a refusal by `peer`; a later one of the same feed replaces it.
    fn store_refusal(&mut self, peer: NodeId, refusal: &Refusal) -> Result<(), StoreError>;

    /// Forgets what `peer` refused.
    fn clear_refusals(&mut self, peer: NodeId) -> Result<(), StoreError>;

    /// Keeps a receipt if it is later than the one held of the same node and space.
    fn store_receipt(&mut self, receipt: &Receipt) -> Result<(), StoreError>;
}

/// Folds the authority log that `store` holds and reconciles the store with it, until both agree.
///
/// To be called at start and whenever entries of the authority's space were stored. More than one
/// pass is needed when a new term chooses one branch of a forked one: only then does the log go
/// on beyond the fork.
///
/// # Errors
/// [`StoreError`] of the store.
pub fn settle_authority(
    store: &mut impl EntryStore,
    network: NetworkId,
) -> Result<(Authority, Vec<SpaceId>), StoreError> {
    let log_space = SpaceId::authority(network);
    let mut changed = std::collections::BTreeSet::new();
    loop {
        let authority = AuthorityLog::new(network, store.log_feeds(network)?).fold();
        let spaces = store.reconcile(&authority)?;
        let again = spaces.contains(&log_space);
        changed.extend(spaces);
        if !again {
            return Ok((authority, changed.into_iter().collect()));
        }
    }
}
