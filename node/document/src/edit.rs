//! Making changes.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};

use automerge::transaction::{CommitOptions, OwnedTransaction, Transactable as _};
use automerge::{AutomergeError, ObjId, ObjType, ROOT, ReadDoc as _, ScalarValue};
use bytes::Bytes;
use node_feed::{Changes, FeedName, Hash, Nonce};

use crate::actor::ActorBase;
use crate::candidate::Candidate;
use crate::cut;
use crate::document::Document;
use crate::entry::{Author, ChangesEntry};
use crate::heads::Heads;
use crate::limits::LANES_MAX;
use crate::order::{Order, Orders};
use crate::outcome::Fault;
use crate::path;
use crate::plan::{Plan, Verdict};
use crate::read::Reader;
use crate::trial::Trial;
use crate::value::Value;

/// Why changes cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EditError {
    /// The document does not hold the heads that the page was rendered from. Reload the page.
    #[error("this page was made from a version of the record that is not here; reload the page")]
    UnknownHeads,
    /// Every lane is taken by an edit that the page has not seen. Reload the page.
    #[error(
        "{LANES_MAX} other edits were made since this page was opened; keep your text, reload the page and enter it again"
    )]
    LanesTaken,
    /// The result would be set aside everywhere.
    #[error("this change cannot be made: {0}")]
    Refused(String),
    /// A value that cannot be put: a text, a count or something not understood.
    #[error("this kind of value cannot be set as a whole")]
    NotScalar,
    /// There is no such item.
    #[error("the list has no item {0}; it may have been removed")]
    NoItem(String),
    /// Automerge refused an operation.
    #[error("the change does not fit the record: {0}")]
    Unfit(String),
}

impl From<AutomergeError> for EditError {
    fn from(error: AutomergeError) -> Self {
        Self::Unfit(error.to_string())
    }
}

impl From<Fault> for EditError {
    fn from(fault: Fault) -> Self {
        Self::Refused(if fault.detail.is_empty() {
            fault.reason.to_string()
        } else {
            format!("{} ({})", fault.reason, fault.detail)
        })
    }
}

/// Changes that were made and have passed the gate, but are not yet signed or applied.
#[derive(Clone)]
pub struct Edited<T> {
    /// What the work returned.
    pub value: T,
    pub(crate) chunks: Vec<Bytes>,
    pub(crate) before: Heads,
    pub(crate) passed: Option<(Candidate, Trial)>,
    pub(crate) author: Author,
}

impl<T> Edited<T> {
    /// Whether the work changed nothing, so that there is nothing to sign.
    pub fn is_empty(&self) -> bool {
        self.chunks.is_empty()
    }

    /// The payload of the entry to sign. `random` must come from a cryptographic source.
    pub fn changes(&self, random: Nonce) -> Changes {
        Changes {
            random,
            nonce: self.author.nonce,
            chunks: self.chunks.clone(),
        }
    }

    /// Where the document stands once the entry is applied.
    pub fn heads_after(&self) -> Heads {
        self.passed
            .as_ref()
            .map_or_else(|| self.before.clone(), |(_, trial)| trial.heads())
    }

    pub(crate) fn make<E: From<EditError>>(
        document: &Document,
        at: Option<&Heads>,
        author: &Author,
        time_ms: u64,
        work: impl FnOnce(&mut Edit<'_>) -> Result<T, E>,
    ) -> Result<Self, E> {
        let before = document.heads();
        let broke_off = || EditError::Unfit("the attempt broke off".to_owned());
        let attempt = || -> Result<_, E> {
            let mut edit = Edit::begin(document, at.filter(|at| **at != before), author)?;
            let value = work(&mut edit)?;
            Ok((value, edit.commit(time_ms)?))
        };
        let (value, chunk) =
            catch_unwind(AssertUnwindSafe(attempt)).unwrap_or_else(|_| Err(broke_off().into()))?;
        let chunks = Vec::from_iter(chunk);
        let mut edited = Self {
            value,
            chunks,
            before,
            passed: None,
            author: *author,
        };
        if !edited.is_empty() {
            edited.passed = Some(edited.pass_gate(document, author, time_ms)?);
        }
        Ok(edited)
    }

    fn pass_gate(
        &self,
        document: &Document,
        author: &Author,
        time_ms: u64,
    ) -> Result<(Candidate, Trial), EditError> {
        let feed = FeedName::from_bytes(author.writer);
        let entry = ChangesEntry {
            feed,
            number: document
                .decided(&feed)
                .map_or(0, |last| last.saturating_add(1)),
            hash: Hash::ZERO,
            writer: author.writer,
            hub: author.hub,
            time_ms,
            changes: self.changes(Nonce([0; 16])),
        };
        let candidate = Candidate::read(document.id, &entry)?;
        match Plan::new(&document.automerge, &document.book).judge(&entry, &candidate) {
            Verdict::Ready => {}
            Verdict::SetAside(fault) => return Err(fault.into()),
            Verdict::Waiting(_) | Verdict::TakesPlaceOf(..) => return Err(EditError::UnknownHeads),
        }
        let trial = Trial::attempt(&document.automerge, &[&candidate])?;
        Ok((candidate, trial))
    }
}

impl<T: std::fmt::Debug> std::fmt::Debug for Edited<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Edited")
            .field("value", &self.value)
            .field("changes", &self.chunks.len())
            .finish_non_exhaustive()
    }
}

/// An edit in progress. It reads what it has written itself.
///
/// A path names a value from the document's root: a field, `[list, item]` or
/// `[list, item, field]`, `[set, element]`.
pub struct Edit<'a> {
    transaction: OwnedTransaction,
    document: &'a Document,
    base: ActorBase,
    /// The order of the lists that were asked for: long ones are added to many times.
    orders: RefCell<Orders>,
}

impl<'a> Edit<'a> {
    fn begin(
        document: &'a Document,
        at: Option<&Heads>,
        author: &Author,
    ) -> Result<Self, EditError> {
        let base = ActorBase::derive(&author.writer, document.id, author.nonce);
        let automerge = document.automerge.clone().with_actor(base.actor());
        let heads = match at {
            Some(heads) if !document.holds(heads) => return Err(EditError::UnknownHeads),
            Some(heads) => Some(heads.to_automerge()),
            None => None,
        };
        let transaction = automerge
            .into_transaction(None, heads.as_deref())
            .map_err(|error| EditError::Unfit(error.to_string()))?;
        Ok(Self {
            transaction,
            document,
            base,
            orders: RefCell::default(),
        })
    }

    /// The document that is edited, as it stands without this edit.
    pub const fn document(&self) -> &Document {
        self.document
    }

    /// The value that is shown at `path`.
    pub fn get(&self, path: &[&str]) -> Option<Value> {
        self.reader().get(&path::key(path))
    }

    /// All concurrent values at `path`; the last is shown.
    pub fn values(&self, path: &[&str]) -> Vec<Value> {
        self.reader()
            .values(&path::key(path))
            .into_iter()
            .map(|(value, _)| value)
            .collect()
    }

    /// The parts right below `path`, sorted.
    pub fn children(&self, path: &[&str]) -> Vec<String> {
        self.reader().children(path).into_iter().collect()
    }

    /// The items of the list at `path`, in order.
    pub fn items(&self, path: &[&str]) -> Vec<String> {
        self.ordered(path, |order| order.items().map(str::to_owned).collect())
    }

    /// The last item of the list at `path`.
    pub fn last_item(&self, path: &[&str]) -> Option<String> {
        self.ordered(path, |order| order.items().next_back().map(str::to_owned))
    }

    /// Whether the list at `path` has this item.
    pub fn has_item(&self, path: &[&str], item: &str) -> bool {
        self.ordered(path, |order| order.has(item))
    }

    /// Sets the value at `path`, in place of all concurrent ones. Setting what already stands
    /// there alone changes nothing.
    ///
    /// # Errors
    /// [`EditError::NotScalar`] for a text or a count.
    pub fn put(&mut self, path: &[&str], value: &Value) -> Result<(), EditError> {
        if self.values(path).as_slice() == std::slice::from_ref(value) {
            return Ok(());
        }
        let scalar = value.to_scalar().ok_or(EditError::NotScalar)?;
        self.forget_order_around(path);
        Ok(self.transaction.put(ROOT, path::key(path), scalar)?)
    }

    /// Takes the value at `path` away.
    ///
    /// # Errors
    /// [`EditError::Unfit`] if Automerge refuses.
    pub fn clear(&mut self, path: &[&str]) -> Result<(), EditError> {
        if self.get(path).is_some() {
            self.forget_order_around(path);
            self.transaction.delete(ROOT, path::key(path))?;
        }
        Ok(())
    }

    /// Brings the text at `path` to `text` by the differences alone, so that what others change
    /// elsewhere in it merges.
    ///
    /// # Errors
    /// [`EditError::Unfit`] if Automerge refuses.
    pub fn update_text(&mut self, path: &[&str], text: &str) -> Result<(), EditError> {
        let key = path::key(path);
        match self.transaction.get(ROOT, key.as_str())? {
            Some((automerge::Value::Object(ObjType::Text), id)) => {
                let standing = self.transaction.text(&id)?;
                if standing != text {
                    let before = self.characters(&id);
                    self.transaction.update_text(&id, text)?;
                    for cut in cut::cuts(&standing, &before, &self.characters(&id)) {
                        let key = path::cut_prefix(path) + &cut.anchor;
                        let value = cut::value(&cut, self.reader().get(&key).as_ref());
                        self.transaction.put(ROOT, key, value)?;
                    }
                }
                Ok(())
            }
            Some(_) | None => self.replace_text(path, text),
        }
    }

    /// Puts a new text at `path` in place of all concurrent ones.
    ///
    /// # Errors
    /// [`EditError::Unfit`] if Automerge refuses.
    pub fn replace_text(&mut self, path: &[&str], text: &str) -> Result<(), EditError> {
        self.forget_order_around(path);
        let id = self
            .transaction
            .put_object(ROOT, path::key(path), ObjType::Text)?;
        Ok(self.transaction.splice_text(&id, 0, 0, text)?)
    }

    /// Notes that the overlapping edits of the text at `path` were seen, as it stands now.
    ///
    /// # Errors
    /// [`EditError::Unfit`] if Automerge refuses.
    pub fn mark_overlaps_seen(&mut self, path: &[&str]) -> Result<(), EditError> {
        let heads = Heads::from_automerge(&self.transaction.get_heads()).to_string();
        Ok(self.transaction.put(ROOT, path::seen_key(path), heads)?)
    }

    /// Adds `by` to the count at `path`, which begins at nothing.
    ///
    /// # Errors
    /// [`EditError::Unfit`] if Automerge refuses, as when something else stands there.
    pub fn increment(&mut self, path: &[&str], by: i64) -> Result<(), EditError> {
        let key = path::key(path);
        if matches!(self.get(path), Some(Value::Count(_))) {
            Ok(self.transaction.increment(ROOT, key, by)?)
        } else {
            self.forget_order_around(path);
            Ok(self.transaction.put(ROOT, key, ScalarValue::counter(by))?)
        }
    }

    /// Says that the item `item` of the list at `path` is there, without a place in the order.
    /// One who changes an item says so again, so that a removal elsewhere does not hide the change.
    ///
    /// # Errors
    /// [`EditError::Unfit`] if Automerge refuses.
    pub fn keep_item(&mut self, path: &[&str], item: &str) -> Result<(), EditError> {
        let at = [path, &[item]].concat();
        // Automerge takes putting the same value again for no change, so the mark counts up.
        let times = match self.get(&at) {
            Some(Value::Int(times)) => times.wrapping_add(1),
            Some(_) | None => 1,
        };
        self.transaction.put(ROOT, path::key(&at), times)?;
        let rank = || self.reader().rank(path, item);
        self.orders.borrow_mut().keep(&path::key(path), item, rank);
        Ok(())
    }

    /// Places the item after another, or first, adding it if it is not there. Its id must be new
    /// and random if it is added.
    ///
    /// # Errors
    /// [`EditError::NoItem`] if there is no item `after`.
    pub fn place_item(
        &mut self,
        path: &[&str],
        item: &str,
        after: Option<&str>,
    ) -> Result<(), EditError> {
        let rank = self
            .ordered(path, |order| order.rank_after(after, item))
            .ok_or_else(|| EditError::NoItem(after.unwrap_or_default().to_owned()))?;
        self.keep_item(path, item)?;
        let key = path::rank_key(&[path, &[item]].concat());
        self.transaction.put(ROOT, key, rank.as_str())?;
        self.orders.borrow_mut().place(&path::key(path), item, rank);
        Ok(())
    }

    /// Takes an item out of the list at `path`. What stands in it is kept in the history, and
    /// shows again if somebody else changed the item at the same time.
    ///
    /// # Errors
    /// [`EditError::NoItem`] if it is not there.
    pub fn remove_item(&mut self, path: &[&str], item: &str) -> Result<(), EditError> {
        if !self.reader().present(path, item) {
            return Err(EditError::NoItem(item.to_owned()));
        }
        self.transaction
            .delete(ROOT, path::key(&[path, &[item]].concat()))?;
        self.orders.borrow_mut().remove(&path::key(path), item);
        Ok(())
    }

    /// Reads the order of the list at `path`, once.
    fn ordered<T>(&self, path: &[&str], read: impl FnOnce(&Order) -> T) -> T {
        let mut orders = self.orders.borrow_mut();
        read(orders.of(path::key(path), || self.reader().ranked(path)))
    }

    /// What is written right below a list by its path may be an item of it.
    fn forget_order_around(&self, path: &[&str]) {
        if let Some((_, list)) = path.split_last() {
            self.orders.borrow_mut().forget(&path::key(list));
        }
    }

    fn characters(&self, text: &ObjId) -> Vec<ObjId> {
        let characters = self.transaction.list_range(text, ..);
        characters.map(|item| item.id()).collect()
    }

    fn reader(&self) -> Reader<'_, OwnedTransaction> {
        Reader {
            document: &self.transaction,
            at: None,
            whole: None,
        }
    }

    /// The raw chunk of the change, if anything was changed.
    fn commit(self, time_ms: u64) -> Result<Option<Bytes>, EditError> {
        let seconds = i64::try_from(time_ms / 1_000).unwrap_or(i64::MAX);
        let options = CommitOptions::default().with_time(seconds);
        let (automerge, hash, _) = self.transaction.commit_with(options);
        let Some(change) = hash.and_then(|hash| automerge.get_change_by_hash(&hash)) else {
            return Ok(None);
        };
        if self.base.level(change.actor_id()).is_none() {
            return Err(EditError::LanesTaken);
        }
        Ok(Some(Bytes::copy_from_slice(change.raw_bytes())))
    }
}

impl std::fmt::Debug for Edit<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Edit of {:?}", self.document)
    }
}
