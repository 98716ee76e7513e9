//! Why carriage refuses an entry.

use std::fmt;

use crate::{FeedName, Hash, SpaceId};

/// Whether sending again can help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// The receiver lacks something; it asks again by itself once it has it.
    NotYet,
    /// Nothing from there on will be taken until grants or versions change.
    Never,
}

/// Why an entry was not admitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum RefusalReason {
    /// The receiver does not know the grant yet.
    GrantUnknown = 1,
    /// The receiver lacks the feed's opening or an entry before this one.
    Gap = 2,
    /// The hub is over its quota at the receiver.
    Quota = 3,
    /// The grant covers another hub or space, or only reading.
    Grant = 4,
    /// It stands above the cut that ended the hub's access.
    Cut = 5,
    /// A signature, hash or chain does not hold.
    Forged = 6,
    /// It is larger than carriage allows.
    Size = 7,
    /// The feed's opening does not hold.
    Open = 8,
    /// The receiver cannot store at the moment.
    Storage = 9,
    /// The authority log is forked; the network waits for the root key.
    Frozen = 10,
}

impl RefusalReason {
    /// All of them, in the order of their numbers.
    pub const ALL: [Self; 10] = [
        Self::GrantUnknown,
        Self::Gap,
        Self::Quota,
        Self::Grant,
        Self::Cut,
        Self::Forged,
        Self::Size,
        Self::Open,
        Self::Storage,
        Self::Frozen,
    ];

    /// Its word, for programs: it stays what it is.
    pub const fn word(self) -> &'static str {
        match self {
            Self::GrantUnknown => "grant-unknown",
            Self::Gap => "gap",
            Self::Quota => "quota",
            Self::Grant => "grant",
            Self::Cut => "cut",
            Self::Forged => "forged",
            Self::Size => "size",
            Self::Open => "open",
            Self::Storage => "storage",
            Self::Frozen => "frozen",
        }
    }

    /// Whether sending again can help.
    pub const fn retry(self) -> Retry {
        match self {
            Self::GrantUnknown | Self::Gap | Self::Quota | Self::Storage | Self::Frozen => {
                Retry::NotYet
            }
            Self::Grant | Self::Cut | Self::Forged | Self::Size | Self::Open => Retry::Never,
        }
    }

    /// The reason with this number.
    pub const fn from_number(number: u8) -> Option<Self> {
        Some(match number {
            1 => Self::GrantUnknown,
            2 => Self::Gap,
            3 => Self::Quota,
            4 => Self::Grant,
            5 => Self::Cut,
            6 => Self::Forged,
            7 => Self::Size,
            8 => Self::Open,
            9 => Self::Storage,
            10 => Self::Frozen,
            _ => return None,
        })
    }
}

impl fmt::Display for RefusalReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::GrantUnknown => {
                "the other side has not heard of this access yet; it will ask again when it has"
            }
            Self::Gap => "the other side lacks something written earlier; it will ask for it",
            Self::Quota => {
                "the other side takes no more for now of the hub that wrote it; it will ask again"
            }
            Self::Grant => "this hub has no access that allows writing here; ask NCETM for it",
            Self::Cut => "it was written after this hub's access here had ended",
            Self::Forged => "a signature or checksum in it does not hold",
            Self::Size => "it is larger than is allowed",
            Self::Open => "the start of this record of changes is not signed by a known node",
            Self::Storage => "the other side cannot store anything at the moment",
            Self::Frozen => "NCETM's record of access has two versions; NCETM must settle it first",
        })
    }
}

/// A refusal, as the sender stores it: it sends nothing of the feed from here on until access or
/// the receiver's version changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The space.
    pub space: SpaceId,
    /// The feed, as the receiver names it.
    pub feed: FeedName,
    /// Number of the first entry refused.
    pub number: u64,
    /// Its hash.
    pub hash: Hash,
    /// Why.
    pub reason: RefusalReason,
    /// The receiver's software version.
    pub version: String,
}
