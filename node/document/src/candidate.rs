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
        if document.writers() == Writers::Owner && entry.hub != document.owner() {
            return Err(SetAsideReason::NotOwner.into());
        }
        let chunks = &entry.changes.chunks;
        if chunks.len() > CHANGES_MAX {
            let detail = format!(
                "{} changes, at most {CHANGES_MAX} are allowed",
                chunks.len()
            );
            return Err(Fault::new(SetAsideReason::TooManyOperations, detail));
        }
        let base = ActorBase::derive(&entry.writer, document, entry.changes.nonce);
        let mut candidate = Self {
            changes: Vec::with_capacity(chunks.len()),
            made: Vec::new(),
        };
        let mut operations = 0u64;
        for chunk in chunks {
            let counted = count_operations(chunk, &change_hash(chunk))?;
            operations = operations.saturating_add(counted);
            if operations > OPERATIONS_MAX {
                let detail = format!("{operations} steps, at most {OPERATIONS_MAX} are allowed");
                return Err(Fault::new(SetAsideReason::TooManyOperations, detail));
            }
            let (change, made) = guarded(SetAsideReason::Malformed, || read(chunk, counted))?;
            if base.level(change.actor_id()).is_none() {
                return Err(SetAsideReason::WrongActor.into());
            }
            if change.author().is_some() {
                return Err(SetAsideReason::AuthorField.into());
            }
            candidate.changes.push(change);
            candidate.made.extend(made);
        }
        Ok(candidate)
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

fn read(chunk: &[u8], counted: u64) -> Result<(Change, Vec<ObjId>), Fault> {
    let change = Change::try_from(chunk)
        .map_err(|error| Fault::new(SetAsideReason::Malformed, error.to_string()))?;
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
    Ok((change, made))
}
