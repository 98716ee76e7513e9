//! The part of the gate that looks at one entry alone.

use std::panic::{AssertUnwindSafe, catch_unwind};

use automerge::legacy::OpType;
use automerge::{Change, ObjId};
use node_feed::{DocumentId, Writers, change_hash};

use crate::actor::ActorBase;
use crate::columns::count_operations;
use crate::entry::ChangesEntry;
use crate::limits::{CHANGES_MAX, OPERATIONS_MAX};
use crate::outcome::{Fault, SetAsideReason};

/// An entry's changes, read and checked as far as they can be without the document.
#[derive(Debug, Clone)]
pub(crate) struct Candidate {
    pub(crate) changes: Vec<Change>,
    /// The objects that the changes make.
    pub(crate) made: Vec<ObjId>,
}

impl Candidate {
    /// Reads the changes of `entry`.
    pub(crate) fn read(document: DocumentId, entry: &ChangesEntry) -> Result<Self, Fault> {
        let chunks = &entry.changes.chunks;
        let mut gate = Gate::open(document, entry, chunks.len())?;
        for chunk in chunks {
            let counted = count_operations(chunk, &change_hash(chunk))?;
            gate.pass(counted, || {
                Change::try_from(&chunk[..])
                    .map_err(|error| Fault::new(SetAsideReason::Malformed, error.to_string()))
            })?;
        }
        Ok(gate.candidate)
    }

    /// Checks changes that were taken out of a document as those of `entry`, whose own chunks are
    /// not looked at.
    pub(crate) fn check(
        document: DocumentId,
        entry: &ChangesEntry,
        changes: Vec<Change>,
    ) -> Result<Self, Fault> {
        let mut gate = Gate::open(document, entry, changes.len())?;
        for change in changes {
            let counted = count_operations(change.raw_bytes(), &change.hash().0)?;
            gate.pass(counted, || Ok(change))?;
        }
        Ok(gate.candidate)
    }
}

/// What the changes of one entry pass, one after the other.
struct Gate {
    base: ActorBase,
    operations: u64,
    candidate: Candidate,
}

impl Gate {
    fn open(document: DocumentId, entry: &ChangesEntry, changes: usize) -> Result<Self, Fault> {
        if document.writers() == Writers::Owner && entry.hub != document.owner() {
            return Err(SetAsideReason::NotOwner.into());
        }
        if changes > CHANGES_MAX {
            let detail = format!("{changes} changes, at most {CHANGES_MAX} are allowed");
            return Err(Fault::new(SetAsideReason::TooManyOperations, detail));
        }
        Ok(Self {
            base: ActorBase::derive(&entry.writer, document, entry.changes.nonce),
            operations: 0,
            candidate: Candidate {
                changes: Vec::with_capacity(changes),
                made: Vec::new(),
            },
        })
    }

    /// Takes the next change, which was counted before it is read.
    fn pass(
        &mut self,
        counted: u64,
        read: impl FnOnce() -> Result<Change, Fault>,
    ) -> Result<(), Fault> {
        self.operations = self.operations.saturating_add(counted);
        if self.operations > OPERATIONS_MAX {
            let operations = self.operations;
            let detail = format!("{operations} steps, at most {OPERATIONS_MAX} are allowed");
            return Err(Fault::new(SetAsideReason::TooManyOperations, detail));
        }
        let (change, made) = guarded(SetAsideReason::Malformed, || {
            let change = read()?;
            let made = made(&change, counted)?;
            Ok((change, made))
        })?;
        if self.base.level(change.actor_id()).is_none() {
            return Err(SetAsideReason::WrongActor.into());
        }
        if change.author().is_some() {
            return Err(SetAsideReason::AuthorField.into());
        }
        self.candidate.changes.push(change);
        self.candidate.made.extend(made);
        Ok(())
    }
}

/// Runs `work` and turns a panic of Automerge's into a fault. What `work` touches must be thrown
/// away when it fails.
pub(crate) fn guarded<T>(
    reason: SetAsideReason,
    work: impl FnOnce() -> Result<T, Fault>,
) -> Result<T, Fault> {
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|_| Err(Fault::new(reason, "the attempt broke off")))
}

/// The objects that a change makes.
fn made(change: &Change, counted: u64) -> Result<Vec<ObjId>, Fault> {
    if change.is_empty() || change.len() as u64 != counted {
        return Err(Fault::new(
            SetAsideReason::Malformed,
            "its steps do not add up",
        ));
    }
    let expanded = change.decode();
    let made = expanded
        .operations
        .iter()
        .zip(change.start_op().get()..)
        .filter(|(operation, _)| matches!(operation.action, OpType::Make(_)))
        .map(|(_, counter)| ObjId::Id(counter, change.actor_id().clone(), 0))
        .collect();
    Ok(made)
}
