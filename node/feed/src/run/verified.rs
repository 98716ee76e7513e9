//! Runs whose hashes were computed and whose proof holds.

use super::{Proof, Run, RunEntry};
use crate::{Hash, Height, SpaceId};

/// A run whose hashes were computed and whose proof holds. Only signing and verifying make one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedRun {
    space: SpaceId,
    run: Run,
    hashes: Vec<Hash>,
}

impl VerifiedRun {
    /// `hashes` are those of the run's entries, one each, and its proof holds or is about to be
    /// checked.
    pub(super) const fn new(space: SpaceId, run: Run, hashes: Vec<Hash>) -> Self {
        Self { space, run, hashes }
    }

    /// The space that the run is in.
    pub const fn space(&self) -> SpaceId {
        self.space
    }

    /// The feed's writer key.
    pub const fn writer(&self) -> &[u8; 32] {
        &self.run.writer
    }

    /// Number of the first entry.
    pub const fn first(&self) -> u64 {
        self.run.first
    }

    /// Hash of the entry before the first; zero before number 0.
    pub const fn previous(&self) -> Hash {
        self.run.previous
    }

    /// Number and hash of the last entry.
    pub fn last(&self) -> Height {
        let index = self.hashes.len() - 1;
        Height {
            number: self.run.first + index as u64,
            hash: self.hashes[index],
        }
    }

    /// How many entries it has, at least one.
    pub fn count(&self) -> usize {
        self.hashes.len()
    }

    /// The hash of entry `number`, if it is in the run.
    pub fn hash_at(&self, number: u64) -> Option<Hash> {
        let index = number.checked_sub(self.run.first)?;
        self.hashes.get(usize::try_from(index).ok()?).copied()
    }

    /// Every entry with its number and hash.
    pub fn entries(&self) -> impl Iterator<Item = (Height, &RunEntry)> {
        let heights = self.hashes.iter().zip(self.run.first..);
        heights
            .map(|(hash, number)| Height {
                number,
                hash: *hash,
            })
            .zip(&self.run.entries)
    }

    /// What proves the last entry.
    pub const fn proof(&self) -> Proof {
        self.run.proof
    }

    /// The run as it stands on the wire.
    pub const fn as_run(&self) -> &Run {
        &self.run
    }

    /// The run without its entries before `number`; none if nothing is left.
    pub fn from(&self, number: u64) -> Option<Self> {
        let skip = usize::try_from(number.saturating_sub(self.run.first)).ok()?;
        if skip == 0 {
            return Some(self.clone());
        }
        let previous = *self.hashes.get(skip - 1)?;
        if skip == self.hashes.len() {
            return None;
        }
        Some(Self {
            space: self.space,
            run: Run {
                writer: self.run.writer,
                first: number,
                previous,
                entries: self.run.entries[skip..].to_vec(),
                proof: self.run.proof,
            },
            hashes: self.hashes[skip..].to_vec(),
        })
    }

    /// The run up to `cut`, which proves what is left; none if `cut` is not one of its entries.
    pub fn through(&self, cut: Height) -> Option<Self> {
        if self.hash_at(cut.number) != Some(cut.hash) {
            return None;
        }
        let mut run = self.clone();
        let keep = usize::try_from(cut.number - self.run.first).ok()? + 1;
        if keep < run.hashes.len() {
            run.hashes.truncate(keep);
            run.run.entries.truncate(keep);
            run.run.proof = Proof::Cut;
        }
        Some(run)
    }
}
