//! The part of the gate that applies changes: on a copy, saved, loaded again and compared.

use std::collections::{HashMap, HashSet};

use automerge::{
    Automerge, Change, ChangeHash, LoadOptions, ObjId, OnPartialLoad, ReadDoc, VerificationMode,
};
use node_feed::change_hash;

use crate::candidate::{Candidate, guarded};
use crate::columns::MAGIC;
use crate::heads::Heads;
use crate::limits::DEPTH_MAX;
use crate::outcome::{Fault, SetAsideReason};

/// How many operations are applied at once. Each time looks through what is there, so that there
/// are more where there is more.
const OPERATIONS_TOGETHER: u64 = 40_000;
/// Or one in so many of those that are there.
const TOGETHER_PART: u64 = 8;

/// A document that was saved and loaded again after new changes were applied to it.
#[derive(Clone)]
pub(crate) struct Trial {
    pub(crate) automerge: Automerge,
    pub(crate) saved: Vec<u8>,
}

impl Trial {
    /// Applies `candidates` to a copy of `base`. Nothing remains of a failed attempt.
    pub(crate) fn attempt(base: &Automerge, candidates: &[&Candidate]) -> Result<Self, Fault> {
        let scratch = apply(base, candidates)?;
        let added = candidates.iter().flat_map(|candidate| &candidate.changes);
        Self::of(
            base,
            scratch,
            &added.map(|change| change.hash().0).collect(),
        )
    }

    /// Saves `applied`, loads it again and compares: `base` with the changes `added`.
    pub(crate) fn of(
        base: &Automerge,
        applied: Automerge,
        added: &HashSet<[u8; 32]>,
    ) -> Result<Self, Fault> {
        guarded(SetAsideReason::Poison, || {
            let saved = applied.save();
            let heads = applied.get_heads();
            // Loading takes much memory for a moment.
            drop(applied);
            let automerge = load(&saved)
                .map_err(|error| Fault::new(SetAsideReason::Poison, error.to_string()))?;
            if automerge.get_heads() != heads {
                return Err(Fault::new(SetAsideReason::Poison, "its heads changed"));
            }
            check_kept(base, &automerge, added)?;
            Ok(Self { automerge, saved })
        })
    }

    pub(crate) fn heads(&self) -> Heads {
        Heads::from_automerge(&self.automerge.get_heads())
    }
}

/// Loads a saved document whole, with its heads checked.
pub(crate) fn load(saved: &[u8]) -> Result<Automerge, automerge::AutomergeError> {
    Automerge::load_with_options(
        saved,
        LoadOptions::new()
            .on_partial_load(OnPartialLoad::Error)
            .verification_mode(VerificationMode::Check),
    )
}

/// Applies `candidates`, which stand in causal order, to a copy of `base`.
pub(crate) fn apply(base: &Automerge, candidates: &[&Candidate]) -> Result<Automerge, Fault> {
    guarded(SetAsideReason::Unfit, || {
        let mut applied = base.clone();
        let changes = candidates.iter().flat_map(|one| &one.changes);
        apply_changes(&mut applied, changes.cloned())?;
        for candidate in candidates {
            check_depth(&applied, &candidate.made)?;
        }
        Ok(applied)
    })
}

/// Applies changes in causal order, some at a time: while they are applied, each of their
/// operations takes twenty times the memory that it takes then.
pub(crate) fn apply_changes(
    document: &mut Automerge,
    changes: impl Iterator<Item = Change>,
) -> Result<(), Fault> {
    let mut held = document.stats().num_ops;
    let mut changes = changes.peekable();
    while changes.peek().is_some() {
        let most = OPERATIONS_TOGETHER.max(held / TOGETHER_PART);
        let mut operations = 0;
        let mut some = Vec::new();
        while operations < most
            && let Some(change) = changes.next()
        {
            operations += change.len() as u64;
            some.push(change);
        }
        held += operations;
        document
            .apply_changes(some)
            .map_err(|error| Fault::new(SetAsideReason::Unfit, error.to_string()))?;
    }
    Ok(())
}

pub(crate) fn check_depth(document: &Automerge, made: &[ObjId]) -> Result<(), Fault> {
    for object in made {
        let parents = document
            .parents(object)
            .map_err(|error| Fault::new(SetAsideReason::Unfit, error.to_string()))?;
        if parents.take(DEPTH_MAX + 1).count() > DEPTH_MAX {
            let detail = format!("at most {DEPTH_MAX} levels are allowed");
            return Err(Fault::new(SetAsideReason::TooDeep, detail));
        }
    }
    Ok(())
}

/// An entry must be provable from the saved document once its own chunks are gone. What they were
/// follows from their hashes, since only plain chunks with the right checksum come this far.
fn check_kept(
    base: &Automerge,
    document: &Automerge,
    added: &HashSet<[u8; 32]>,
) -> Result<(), Fault> {
    let new = document.get_changes(&base.get_heads());
    let new = new.iter().map(|change| {
        let bytes = change.raw_bytes();
        let hash = change_hash(bytes);
        let begins = bytes.starts_with(&MAGIC) && bytes.get(4..8) == Some(&hash[..4]);
        (hash, begins)
    });
    let new = new.collect::<HashMap<_, _>>();
    let is_kept = |hash: &[u8; 32]| match new.get(hash) {
        Some(begins) => *begins,
        // One that was there before was looked at then.
        None => base.get_change_meta_by_hash(&ChangeHash(*hash)).is_some(),
    };
    if added.iter().all(is_kept) {
        Ok(())
    } else {
        Err(Fault::new(SetAsideReason::Poison, "its bytes changed"))
    }
}
