//! What stands beside a header: the payloads of the kinds that this version knows.
//!
//! Every payload begins with 16 random bytes that are stored and dropped with it, so that an
//! erased payload cannot be guessed from its hash.

mod card;
mod changes;
mod checkpoint;
mod erase;
mod open;

use std::fmt;

use bytes::Bytes;

use crate::chunk::ChunkError;
use crate::{DecodeError, Hash, KeyError, Kind, Tag};

pub use card::{CARD_REPLACES_MAX, Card};
pub use changes::Changes;
pub use checkpoint::{Checkpoint, Trail};
pub use erase::{ERASE_IDS_MAX, Erase};
pub use open::{AuthorityOpen, EARLIER_FEEDS_MAX, NodeOpen, Open};

/// The largest payload that carriage takes, whatever its kind: 1 MiB.
pub const PAYLOAD_BYTES_MAX: usize = 1 << 20;
/// The smallest payload: its random bytes alone.
pub const PAYLOAD_BYTES_MIN: usize = RANDOM_BYTES;
const RANDOM_BYTES: usize = 16;

/// 16 random bytes: a payload's own, or the start nonce from which actors are derived.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Nonce(pub [u8; 16]);

/// Why a payload is not what its kind says.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PayloadError {
    /// It is larger than [`PAYLOAD_BYTES_MAX`] or has no random bytes.
    #[error("the payload has {0} bytes; between 16 and 1048576 are allowed")]
    Size(usize),
    /// A `changes` payload does not split into chunks.
    #[error("the payload does not split into changes: {0}")]
    Chunks(#[from] ChunkError),
    /// Its fields do not decode.
    #[error("the payload cannot be read: {0}")]
    Decode(#[from] DecodeError),
    /// A list in it is longer than allowed.
    #[error("the payload names {found} {what}; at most {limit} are allowed")]
    Count {
        /// What is counted.
        what: &'static str,
        /// How many there are.
        found: usize,
        /// How many there may be.
        limit: usize,
    },
    /// A key or signature in it does not hold.
    #[error("the payload's signature does not hold: {0}")]
    Key(#[from] KeyError),
    /// It was made for another network, space or writer.
    #[error("the payload was made for another feed")]
    Elsewhere,
    /// An `open` stands after number 0, or something else at number 0.
    #[error("number 0 of a feed must be its open, and no other entry may be one")]
    Opening,
    /// It is of a kind whose payload always stands (see [`Kind::stands`]), but was dropped or has
    /// a subject by whose erasure it could be.
    #[error("the payload of an open, erase or grant must be sent, and its subject must be zero")]
    Stands,
}

/// A payload as a node holds it.
#[derive(Clone, PartialEq, Eq)]
pub enum Payload {
    /// Its bytes.
    Held(Bytes),
    /// Dropped after it was replaced or erased: what is left to prove the chain.
    Dropped {
        /// The payload's hash.
        hash: Hash,
        /// The payload's length in bytes.
        length: u32,
    },
}

impl Payload {
    /// The hash that a header of `kind` commits to.
    ///
    /// # Errors
    /// [`PayloadError::Size`], held or dropped, or [`PayloadError::Chunks`] for `changes` that do
    /// not split.
    pub fn hash(&self, kind: Kind) -> Result<Hash, PayloadError> {
        // What is too large to be carried whole must not get by as dropped.
        let length = match self {
            Self::Held(bytes) => bytes.len(),
            Self::Dropped { length, .. } => usize::try_from(*length).unwrap_or(usize::MAX),
        };
        if !(PAYLOAD_BYTES_MIN..=PAYLOAD_BYTES_MAX).contains(&length) {
            return Err(PayloadError::Size(length));
        }
        match self {
            Self::Dropped { hash, .. } => Ok(*hash),
            Self::Held(bytes) if kind == Kind::CHANGES => Changes::decode(bytes)?.checked_hash(),
            Self::Held(bytes) => Ok(Hash::of(Tag::Payload, &[bytes])),
        }
    }

    /// The payload's length in bytes, dropped or not.
    pub fn length(&self) -> u32 {
        match self {
            // Longer ones are refused before they are signed or taken.
            Self::Held(bytes) => u32::try_from(bytes.len()).unwrap_or(u32::MAX),
            Self::Dropped { length, .. } => *length,
        }
    }

    /// The bytes, unless they were dropped.
    pub const fn bytes(&self) -> Option<&Bytes> {
        match self {
            Self::Held(bytes) => Some(bytes),
            Self::Dropped { .. } => None,
        }
    }
}

/// Payloads hold personal data and must not reach a log: only the length is printed.
impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Held(bytes) => write!(f, "Held({} bytes)", bytes.len()),
            Self::Dropped { hash, length } => write!(f, "Dropped({hash:?}, {length} bytes)"),
        }
    }
}

const fn check_count(what: &'static str, found: usize, limit: usize) -> Result<(), PayloadError> {
    if found > limit {
        Err(PayloadError::Count { what, found, limit })
    } else {
        Ok(())
    }
}
