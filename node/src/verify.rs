//! Checks a whole store: from the signature of the root key to the last entry and record.
//!
//! Nothing that is remembered of earlier checks is used. Every payload is hashed, every chain and
//! signature computed again, and every record made again from its entries alone.

mod entries;
mod records;

use node_feed::{FeedName, SpaceId, Subject};
use node_store::StoreError;

use crate::Node;
use crate::node::Inner;

/// How often something is looked at again that changes meanwhile.
const TRIES: usize = 5;

/// What is being checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The file itself, by its database.
    File,
    /// Who may read and write: the authority log.
    Access,
    /// Entries of spaces.
    Entries,
    /// Records, against their entries.
    Records,
}

impl Part {
    /// Its name, as it is shown.
    pub const fn name(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Access => "access",
            Self::Entries => "entries",
            Self::Records => "records",
        }
    }
}

/// How far a check has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// What is being checked.
    pub part: Part,
    /// How many of it were.
    pub done: u64,
    /// How many there are, about: more may arrive meanwhile.
    pub of: u64,
}

/// What a check found in order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Verified {
    /// Spaces with entries.
    pub spaces: u64,
    /// Feeds in them.
    pub feeds: u64,
    /// Entries that count, each with its chain, signature and payload.
    pub entries: u64,
    /// Records that are made of changes, each made again.
    pub records: u64,
    /// Kept entries that no longer count; these are not checked.
    pub evidence: u64,
}

/// Why a check found nothing in order, or did not come to its end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// The first thing that is wrong.
    #[error(transparent)]
    Wrong(#[from] Wrong),
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Whoever asked is gone.
    #[error("the check was broken off")]
    BrokenOff,
}

/// Something that is wrong in a store.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Wrong {
    /// An entry, or what should stand in its place.
    #[error(
        "space {space}, feed {feed}, entry {number}: {why}. Keep the folder as it is and restore a \
         backup: what was shared comes back from the others"
    )]
    Entry {
        /// The space.
        space: SpaceId,
        /// The feed.
        feed: FeedName,
        /// The entry's number.
        number: u64,
        /// What is wrong.
        why: String,
    },
    /// Entries without their payloads, of which nothing says that they may lack them.
    #[error(
        "space {space}, feed {feed}, entry {number} and {more} more lack what was written in them: it \
         comes from another member of the space that holds it; if none does, restore a backup"
    )]
    Lacking {
        /// The space.
        space: SpaceId,
        /// The feed of the first.
        feed: FeedName,
        /// The number of the first.
        number: u64,
        /// How many more there are in the space.
        more: u64,
    },
    /// A record is shown as its entries do not make it.
    #[error("space {space}, record {record}: {why}. `rebuild` makes it again from its entries")]
    Record {
        /// The space.
        space: SpaceId,
        /// The record.
        record: Subject,
        /// What is wrong.
        why: String,
    },
}

impl Node {
    /// Checks the whole store, and tells how far it has come; `told` says whether to go on. May be
    /// called while the node serves; what arrives meanwhile may be left out. Takes about a
    /// millisecond for every record and a fifth of one for every signature.
    ///
    /// # Errors
    /// [`VerifyError`]: the first thing wrong is named, and nothing is changed.
    pub fn verify(&self, told: impl FnMut(Progress) -> bool) -> Result<Verified, VerifyError> {
        let mut check = Check {
            inner: &self.inner,
            told,
            progress: Progress {
                part: Part::File,
                done: 0,
                of: 1,
            },
            found: Verified::default(),
        };
        check.begin(Part::File, 1)?;
        self.inner.storage.check()?;
        check.step(1)?;
        check.entries()?;
        check.records()?;
        Ok(check.found)
    }
}

/// A check that is under way.
struct Check<'a, F> {
    inner: &'a Inner,
    told: F,
    progress: Progress,
    found: Verified,
}

impl<F: FnMut(Progress) -> bool> Check<'_, F> {
    fn begin(&mut self, part: Part, of: u64) -> Result<(), VerifyError> {
        let done = 0;
        self.progress = Progress { part, done, of };
        self.step(0)
    }

    fn step(&mut self, more: u64) -> Result<(), VerifyError> {
        self.progress.done += more;
        self.progress.of = self.progress.of.max(self.progress.done);
        if (self.told)(self.progress) {
            Ok(())
        } else {
            Err(VerifyError::BrokenOff)
        }
    }

    fn read<T>(
        &self,
        question: impl FnOnce(&node_store::Readers) -> Result<T, StoreError>,
    ) -> Result<T, VerifyError> {
        Ok(self.inner.storage.read(question)?)
    }
}
