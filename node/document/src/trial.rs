//! The part of the gate that applies changes: on a copy, saved, loaded again and compared.

use std::collections::BTreeMap;

use automerge::{Automerge, LoadOptions, ObjId, OnPartialLoad, ReadDoc, VerificationMode};

use crate::candidate::{Candidate, guarded};
use crate::heads::Heads;
use crate::limits::DEPTH_MAX;
use crate::outcome::{Fault, SetAsideReason};

/// A document that was saved and loaded again after new changes were applied to it.
#[derive(Clone)]
pub(crate) struct Trial {
    pub(crate) automerge: Automerge,
    pub(crate) saved: Vec<u8>,
}

impl Trial {
    /// Applies `candidates` to a copy of `base`. Nothing remains of a failed attempt.
    pub(crate) fn attempt(base: &Automerge, candidates: &[&Candidate]) -> Result<Self, Fault> {
        let scratch = guarded(SetAsideReason::Unfit, || {
            let mut scratch = base.clone();
            let changes = candidates
                .iter()
                .flat_map(|candidate| candidate.changes.clone());
            scratch
                .apply_changes(changes.collect::<Vec<_>>())
                .map_err(|error| Fault::new(SetAsideReason::Unfit, error.to_string()))?;
            for candidate in candidates {
                check_depth(&scratch, &candidate.made)?;
            }
            Ok(scratch)
        })?;
        guarded(SetAsideReason::Poison, || {
            let saved = scratch.save();
            let automerge = load(&saved)
                .map_err(|error| Fault::new(SetAsideReason::Poison, error.to_string()))?;
            if automerge.get_heads() != scratch.get_heads() {
                return Err(Fault::new(SetAsideReason::Poison, "its heads changed"));
            }
            check_kept(base, &automerge, candidates)?;
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

/// An entry must be provable from the saved document once its own chunks are gone.
fn check_kept(
    base: &Automerge,
    document: &Automerge,
    candidates: &[&Candidate],
) -> Result<(), Fault> {
    let new = document.get_changes(&base.get_heads());
    let new = new
        .iter()
        .map(|change| (change.hash(), change.raw_bytes()))
        .collect::<BTreeMap<_, _>>();
    for change in candidates.iter().flat_map(|candidate| &candidate.changes) {
        let kept = match new.get(&change.hash()) {
            Some(kept) => *kept == change.raw_bytes(),
            // One that was there before was looked at then.
            None => base.get_change_meta_by_hash(&change.hash()).is_some(),
        };
        if !kept {
            return Err(Fault::new(SetAsideReason::Poison, "its bytes changed"));
        }
    }
    Ok(())
}
