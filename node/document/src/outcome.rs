//! What became of an entry.

use std::fmt;

use node_feed::{FeedName, Hash};

/// What became of one entry given to [`Document::apply`](crate::Document::apply).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Its changes are in the document, now or since earlier.
    Applied,
    /// It cannot be applied yet. Give it again, with the later ones of its feed, when more
    /// entries of the document have come.
    Waiting(WaitingCause),
    /// It was not applied; the document is as if it had never come. Given again it is not tried
    /// again, except on a document built anew.
    SetAside(SetAside),
    /// It takes the place of an entry of another branch that was applied before. Build the
    /// document again: [`Document::emptied`](crate::Document::emptied), then all its entries.
    Rebuild,
}

/// Why an entry waits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WaitingCause {
    /// Changes that it builds on have not come.
    #[error("waits for {} earlier changes that have not arrived", .0.len())]
    Missing(Vec<[u8; 32]>),
    /// It builds on an entry that was set aside.
    #[error("builds on entry {number}, which was set aside")]
    BuildsOnSetAside {
        /// The feed of the entry set aside.
        feed: FeedName,
        /// Its number.
        number: u64,
    },
    /// An earlier entry of the same feed waits.
    #[error("waits for entry {0} of the same feed")]
    Behind(u64),
}

/// An entry that was set aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetAside {
    /// Its feed.
    pub feed: FeedName,
    /// Its number.
    pub number: u64,
    /// Its hash.
    pub hash: Hash,
    /// Why.
    pub reason: SetAsideReason,
    /// Figures or words that belong to the reason; may be empty.
    pub detail: String,
    /// The hashes of its changes, so that what builds on it is known.
    pub changes: Vec<[u8; 32]>,
}

impl fmt::Display for SetAside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.reason)?;
        if self.detail.is_empty() {
            Ok(())
        } else {
            write!(f, " ({})", self.detail)
        }
    }
}

/// Why an entry was set aside, in words for a hub's administrator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
#[non_exhaustive]
#[repr(u8)]
pub enum SetAsideReason {
    /// Only the owner may write the document.
    #[error("only the hub that owns this record may change it, and another hub did")]
    NotOwner = 1,
    /// A chunk of another type than a plain change.
    #[error("the change is packed in a way that is not allowed; only plain changes are")]
    NotPlain = 2,
    /// Automerge cannot read it, or its checksum is wrong.
    #[error("the change is damaged and cannot be read")]
    Malformed = 3,
    /// The actor does not follow from writer, document and start nonce.
    #[error("the change was written under a name that is not its author's")]
    WrongActor = 4,
    /// A change has an author field.
    #[error("the change carries an author field, which is not allowed")]
    AuthorField = 5,
    /// More changes or operations than one entry may hold.
    #[error("the change holds more steps than one change may")]
    TooManyOperations = 6,
    /// A string or key longer than allowed.
    #[error("the change holds a text or key that is longer than allowed")]
    TooLong = 7,
    /// Objects nested deeper than allowed.
    #[error("the change nests its content deeper than allowed")]
    TooDeep = 8,
    /// A sequence number that is not the next of its actor.
    #[error("the change skips or repeats a step of its author")]
    OutOfOrder = 9,
    /// More actors than one feed may have in one document.
    #[error("the author has started too many times in this record; a new writer key is due")]
    TooManyActors = 10,
    /// An operation counter behind or far ahead of what the change depends on.
    #[error("the change's step counter does not follow from what it builds on")]
    Counter = 11,
    /// It names an actor that has written nothing in the document.
    #[error("the change refers to an author who has written nothing here")]
    UnknownActor = 12,
    /// Automerge refused it, or failed while applying it.
    #[error("the change does not fit the record that it says it changes")]
    Unfit = 13,
    /// The document with it could not be saved and opened again unchanged.
    #[error("the record could not be saved and opened again with this change in it")]
    Poison = 14,
    /// The other branch of a fork wrote with the same actor and goes first.
    #[error("a copy of the same node wrote at the same time and its change goes first")]
    Collision = 15,
}

impl SetAsideReason {
    pub(crate) fn from_code(code: u8) -> Option<Self> {
        Some(match code {
            1 => Self::NotOwner,
            2 => Self::NotPlain,
            3 => Self::Malformed,
            4 => Self::WrongActor,
            5 => Self::AuthorField,
            6 => Self::TooManyOperations,
            7 => Self::TooLong,
            8 => Self::TooDeep,
            9 => Self::OutOfOrder,
            10 => Self::TooManyActors,
            11 => Self::Counter,
            12 => Self::UnknownActor,
            13 => Self::Unfit,
            14 => Self::Poison,
            15 => Self::Collision,
            _ => return None,
        })
    }
}

/// A reason with its detail, on its way to a [`SetAside`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) reason: SetAsideReason,
    pub(crate) detail: String,
}

impl Fault {
    pub(crate) fn new(reason: SetAsideReason, detail: impl Into<String>) -> Self {
        Self {
            reason,
            detail: detail.into(),
        }
    }
}

impl From<SetAsideReason> for Fault {
    fn from(reason: SetAsideReason) -> Self {
        Self {
            reason,
            detail: String::new(),
        }
    }
}
