//! One document: Automerge behind the guard.

use std::fmt;

use automerge::{Automerge, ChangeHash};
use bytes::Bytes;
use node_feed::{DecodeError, Decoder, DocumentId, Encoder, FeedName, Hash};

use crate::apply::Batch;
use crate::book::Book;
use crate::candidate::{Candidate, guarded};
use crate::edit::{Edit, EditError, Edited};
use crate::entry::{Author, ChangesEntry};
use crate::heads::Heads;
use crate::outcome::{Outcome, SetAside, SetAsideReason};
use crate::trial::{self, Trial};
use crate::view::View;

/// The first bytes of a saved document, with the version of its format.
const FORMAT: &[u8; 8] = b"cwdoc\0\0\x02";

/// One Automerge document, with who wrote what in it.
///
/// It changes only by [`apply`](Self::apply), and what a change must pass first is the same for a
/// node's own edits and for everybody else's.
#[derive(Clone)]
pub struct Document {
    pub(crate) id: DocumentId,
    pub(crate) automerge: Automerge,
    pub(crate) book: Book,
    pub(crate) saved: Bytes,
}

/// Why a saved document cannot be opened. Build it again from its entries.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// It was saved by another version, or is no saved document.
    #[error("the saved record is of a format that this version does not read; rebuild it")]
    Format,
    /// It is another document.
    #[error("the saved record is another one; rebuild it")]
    OtherDocument,
    /// What stands beside Automerge's part cannot be read.
    #[error("the saved record cannot be read: {0}; rebuild it")]
    Book(#[from] DecodeError),
    /// Automerge cannot load its part, or it is not at the heads that were saved.
    #[error("the saved record is damaged: {0}; rebuild it")]
    Damaged(String),
}

impl Document {
    /// An empty document.
    pub fn new(id: DocumentId) -> Self {
        let automerge = Automerge::new();
        let saved = automerge.save().into();
        Self {
            id,
            automerge,
            book: Book::default(),
            saved,
        }
    }

    /// Opens what [`save`](Self::save) gave.
    ///
    /// # Errors
    /// [`LoadError`]: the document must be built again from its entries.
    pub fn load(id: DocumentId, state: &[u8]) -> Result<Self, LoadError> {
        let (digest, book, saved) = take_apart(id, state)?;
        let saved = Bytes::copy_from_slice(saved);
        let automerge = guarded(SetAsideReason::Poison, || {
            trial::load(&saved).map_err(|error| {
                crate::outcome::Fault::new(SetAsideReason::Poison, error.to_string())
            })
        })
        .map_err(|fault| LoadError::Damaged(fault.detail))?;
        let document = Self {
            id,
            automerge,
            book,
            saved,
        };
        if document.digest() == digest {
            Ok(document)
        } else {
            Err(LoadError::Damaged(
                "its heads are not those that were saved".to_owned(),
            ))
        }
    }

    /// Its saved state: the document's bytes, with all that is remembered about it. No other node
    /// ever sees it.
    pub fn save(&self) -> Vec<u8> {
        let mut out = Encoder::new();
        out.bytes(FORMAT)
            .bytes(self.id.as_bytes())
            .bytes(self.digest().as_bytes());
        self.book.encode(&mut out);
        out.bytes(&self.saved);
        out.finish().to_vec()
    }

    /// An empty document of the same id, to which all its entries are then applied again: after
    /// [`Outcome::Rebuild`], after a cut, after an upgrade that may understand more. Which branch
    /// of a fork gives way is kept.
    pub fn emptied(&self) -> Self {
        let mut document = Self::new(self.id);
        document.book.giving_way.clone_from(&self.book.giving_way);
        document
    }

    /// Applies entries and says what became of each, in the order given.
    ///
    /// # Contract
    /// Give the entries of one feed from the first that waits on, without gaps among those of
    /// this document. Repetition, and any order between feeds, are harmless. Give many at once:
    /// the cost is one saving and loading of the document for each call, not for each entry.
    pub fn apply(&mut self, entries: &[ChangesEntry]) -> Vec<Outcome> {
        Batch::new(self.id, entries, &self.book).run(self)
    }

    /// Applies the entry that was signed over `edited`, as [`apply`](Self::apply) would, without
    /// trying the changes a second time if nothing came in between.
    pub fn apply_edited<T>(&mut self, entry: &ChangesEntry, edited: &Edited<T>) -> Outcome {
        let unchanged = edited.before == self.heads()
            && entry.changes.chunks == edited.chunks
            && entry.changes.nonce == edited.author.nonce
            && (entry.writer, entry.hub) == (edited.author.writer, edited.author.hub)
            && !self.book.waiting.contains_key(&entry.feed)
            && self
                .book
                .decided
                .get(&entry.feed)
                .is_none_or(|last| *last < entry.number);
        match &edited.passed {
            Some((candidate, trial)) if unchanged => {
                self.accept(trial.clone(), &[(entry, candidate)]);
                Outcome::Applied
            }
            Some(_) | None => self
                .apply(std::slice::from_ref(entry))
                .pop()
                .unwrap_or(Outcome::Applied),
        }
    }

    /// Makes changes at the current heads, or at the heads a page was rendered from.
    ///
    /// The document stays as it is: the result becomes an entry, and that is applied. The changes
    /// have passed the whole gate, so that no honest node signs what it would set aside.
    ///
    /// # Errors
    /// Whatever `work` returns, or [`EditError`] if the changes cannot be made here.
    pub fn edit<T, E: From<EditError>>(
        &self,
        at: Option<&Heads>,
        author: &Author,
        time_ms: u64,
        work: impl FnOnce(&mut Edit<'_>) -> Result<T, E>,
    ) -> Result<Edited<T>, E> {
        Edited::make(self, at, author, time_ms, work)
    }

    /// The document's id.
    pub const fn id(&self) -> DocumentId {
        self.id
    }

    /// Where it stands.
    pub fn heads(&self) -> Heads {
        Heads::from_automerge(&self.automerge.get_heads())
    }

    /// A digest of where it stands: equal documents have equal digests.
    pub fn digest(&self) -> Hash {
        self.heads().digest()
    }

    /// Whether nothing was ever applied to it.
    pub fn is_empty(&self) -> bool {
        self.automerge.is_empty()
    }

    /// The last number of `feed` that was applied or set aside.
    pub fn decided(&self, feed: &FeedName) -> Option<u64> {
        self.book.decided.get(feed).copied()
    }

    /// The first number that waits, of each feed in which one does.
    pub fn waiting(&self) -> impl Iterator<Item = (FeedName, u64)> + '_ {
        self.book
            .waiting
            .iter()
            .map(|(feed, number)| (*feed, *number))
    }

    /// Whether one of them may not have to wait any longer: all that it builds on is here now, or its
    /// branch has lost, or it is not known what it waits for.
    pub(crate) fn may_go_on(&self) -> bool {
        let here = |hash: &[u8; 32]| {
            let change = self.automerge.get_change_meta_by_hash(&ChangeHash(*hash));
            change.is_some()
        };
        self.waiting().any(|(feed, number)| {
            let giving_way = self.book.giving_way.get(&feed);
            let missing = self.book.missing.get(&feed);
            giving_way.is_some_and(|from| *from <= number)
                || missing.is_none_or(|missing| missing.iter().all(here))
        })
    }

    /// What was set aside, by feed and number.
    pub fn set_aside(&self) -> impl Iterator<Item = &SetAside> + '_ {
        self.book.all_set_aside()
    }

    /// How many actors this writer key has here. A node goes on under a new key well before there
    /// are [`ACTORS_MAX`](crate::limits::ACTORS_MAX): each start of a process, and each lane, is one.
    pub fn actors_of(&self, writer: &[u8; 32]) -> usize {
        self.book.actors_of_writer(writer)
    }

    /// Whether its owner has changed it here. One that only others speak of was never begun in
    /// this space.
    pub fn is_begun(&self) -> bool {
        self.book.knows(self.id.owner())
    }

    /// Reads it as it stands.
    pub const fn view(&self) -> View<'_> {
        View::new(self, None)
    }

    /// Reads it as it stood at `heads`; nothing if it does not hold them.
    pub fn view_at(&self, heads: &Heads) -> Option<View<'_>> {
        self.holds(heads)
            .then(|| View::new(self, Some(heads.to_automerge())))
    }

    /// The raw chunk of the change with this hash, as it was signed.
    pub fn change(&self, hash: &[u8; 32]) -> Option<Bytes> {
        use automerge::ReadDoc as _;
        let change = self
            .automerge
            .get_change_by_hash(&automerge::ChangeHash(*hash))?;
        Some(Bytes::copy_from_slice(change.raw_bytes()))
    }

    /// Bytes that it takes in memory, roughly, by what loaded documents were measured to take.
    pub fn weight(&self) -> usize {
        use automerge::ReadDoc as _;
        const EMPTY: usize = 12_000;
        const OPERATION: u64 = 20;
        const CHANGE: u64 = 128;
        let stats = self.automerge.stats();
        let loaded = stats.num_ops * OPERATION + stats.num_changes * CHANGE;
        let loaded = usize::try_from(loaded).unwrap_or(usize::MAX);
        EMPTY.saturating_add(loaded) + self.saved.len() + self.book.weight()
    }

    pub(crate) fn holds(&self, heads: &Heads) -> bool {
        let known = |hash| self.automerge.get_change_meta_by_hash(hash).is_some();
        heads.to_automerge().iter().all(known)
    }

    /// Takes over a document that passed its trial.
    pub(crate) fn accept(&mut self, trial: Trial, applied: &[(&ChangesEntry, &Candidate)]) {
        self.note_applied(applied);
        self.automerge = trial.automerge;
        self.saved = trial.saved.into();
    }

    /// Notes who wrote what was applied.
    pub(crate) fn note_applied(&mut self, applied: &[(&ChangesEntry, &Candidate)]) {
        for (entry, candidate) in applied {
            for change in &candidate.changes {
                // A change that another entry brought before stays that entry's.
                if self.book.last_seq(change.actor_id()) < change.seq() {
                    let last_op = crate::plan::last_op(change);
                    self.book
                        .record(entry, change.actor_id(), change.seq(), last_op);
                } else {
                    self.book.note_repeating(entry);
                }
            }
            self.book.decide(entry.feed, entry.number);
        }
    }
}

/// The digest, the book and Automerge's part of what [`Document::save`] gave, not looked into.
pub(crate) fn take_apart(id: DocumentId, state: &[u8]) -> Result<(Hash, Book, &[u8]), LoadError> {
    let mut input = Decoder::new(state);
    if input.take(FORMAT.len(), "the format").ok() != Some(FORMAT.as_slice()) {
        return Err(LoadError::Format);
    }
    if input.array("the document's id")? != *id.as_bytes() {
        return Err(LoadError::OtherDocument);
    }
    let digest = Hash::from_bytes(input.array("the digest")?);
    let book = Book::decode(&mut input)?;
    Ok((digest, book, input.rest()))
}

impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Document({} at {:?})", self.id, self.digest())
    }
}
