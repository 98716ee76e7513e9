//! Identifiers. All are plain bytes, hold no creation time, and print as lower-case base32.

use std::fmt;
use std::str::FromStr;

use data_encoding::{BASE32_NOPAD, DecodeKind};

/// Why a text or a byte string is not an identifier.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// The text holds characters outside lower-case base32.
    #[error("an id has only the letters a to z and the digits 2 to 7")]
    Characters,
    /// The text or the bytes are too short or too long.
    #[error("an id of this kind has {expected} bytes, this one has {found}")]
    Length {
        /// Bytes that an id of this kind has.
        expected: usize,
        /// Bytes that were given.
        found: usize,
    },
    /// The byte that says who may write is not one that this version knows.
    #[error("the id does not say who may write it")]
    Writers,
}

macro_rules! byte_id {
    ($(#[$doc:meta])* $name:ident, $width:expr) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; $width]);

        impl $name {
            /// Width in bytes.
            pub const BYTES: usize = $width;

            /// The id that these bytes are.
            pub const fn from_bytes(bytes: [u8; $width]) -> Self {
                Self(bytes)
            }

            /// The id's bytes, as they stand in signed entries.
            pub const fn as_bytes(&self) -> &[u8; $width] {
                &self.0
            }
        }

        impl TryFrom<&[u8]> for $name {
            type Error = IdError;

            fn try_from(bytes: &[u8]) -> Result<Self, IdError> {
                match <[u8; $width]>::try_from(bytes) {
                    Ok(bytes) => Ok(Self(bytes)),
                    Err(_) => Err(IdError::Length { expected: $width, found: bytes.len() }),
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&BASE32_NOPAD.encode(&self.0).to_ascii_lowercase())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                let text = text.trim().to_ascii_uppercase();
                let bytes = BASE32_NOPAD.decode(text.as_bytes()).map_err(|error| {
                    match error.kind {
                        DecodeKind::Length => IdError::Length {
                            expected: $width,
                            found: text.len() * 5 / 8,
                        },
                        DecodeKind::Symbol | DecodeKind::Trailing | DecodeKind::Padding => {
                            IdError::Characters
                        }
                    }
                })?;
                Self::try_from(bytes.as_slice())
            }
        }
    };
}

byte_id!(
    /// A hub, or the coordinator, as an organisation: 8 random bytes.
    HubId,
    8
);
byte_id!(
    /// A node: the bytes of its Ed25519 identity key.
    NodeId,
    32
);
byte_id!(
    /// A network: the first 16 bytes of the hash of its root key.
    NetworkId,
    16
);
byte_id!(
    /// A space: 16 random bytes, except the authority log's, whose id is the network id.
    SpaceId,
    16
);
byte_id!(
    /// A grant: the hash of the authority log's entry that made it.
    GrantId,
    32
);
byte_id!(
    /// A feed within its space: its writer key, or for a branch of a fork the hash of the
    /// branch's first entry.
    FeedName,
    32
);
byte_id!(
    /// What an entry is about: a document, a card or a file. All zero where it has none.
    ///
    /// Owner's hub id (8) ‖ who may write (1) ‖ random (15), so ownership needs no lookup.
    Subject,
    24
);

impl SpaceId {
    /// The space of the authority log of `network`.
    pub const fn authority(network: NetworkId) -> Self {
        Self(network.0)
    }
}

impl Subject {
    /// The subject of an entry that is about nothing.
    pub const NONE: Self = Self([0; 24]);

    /// The hub that owns it.
    pub fn owner(&self) -> HubId {
        let mut hub = [0; 8];
        hub.copy_from_slice(&self.0[..8]);
        HubId(hub)
    }
}

/// Who may write a document, card or file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Writers {
    /// Only the hub that owns it.
    Owner = 1,
    /// Every hub with a write grant for its space.
    Members = 2,
}

impl TryFrom<u8> for Writers {
    type Error = IdError;

    fn try_from(byte: u8) -> Result<Self, IdError> {
        match byte {
            1 => Ok(Self::Owner),
            2 => Ok(Self::Members),
            _ => Err(IdError::Writers),
        }
    }
}

macro_rules! subject_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Subject);

        impl $name {
            /// A new id. `random` must come from a cryptographic source.
            pub fn new(owner: HubId, writers: Writers, random: [u8; 15]) -> Self {
                let mut bytes = [0; 24];
                bytes[..8].copy_from_slice(owner.as_bytes());
                bytes[8] = writers as u8;
                bytes[9..].copy_from_slice(&random);
                Self(Subject(bytes))
            }

            /// The hub that owns it.
            pub fn owner(&self) -> HubId {
                self.0.owner()
            }

            /// Who may write it.
            pub fn writers(&self) -> Writers {
                if self.0.0[8] == Writers::Owner as u8 { Writers::Owner } else { Writers::Members }
            }

            /// The same id as an entry's subject.
            pub const fn subject(&self) -> Subject {
                self.0
            }

            /// The id's bytes, as they stand in signed entries.
            pub const fn as_bytes(&self) -> &[u8; 24] {
                self.0.as_bytes()
            }
        }

        impl TryFrom<Subject> for $name {
            type Error = IdError;

            fn try_from(subject: Subject) -> Result<Self, IdError> {
                Writers::try_from(subject.0[8]).map(|_| Self(subject))
            }
        }

        impl TryFrom<&[u8]> for $name {
            type Error = IdError;

            fn try_from(bytes: &[u8]) -> Result<Self, IdError> {
                Self::try_from(Subject::try_from(bytes)?)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.0)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                Self::try_from(Subject::from_str(text)?)
            }
        }
    };
}

subject_id!(
    /// One Automerge document in exactly one space.
    DocumentId
);
subject_id!(
    /// A small record without history; all personal data lives in cards.
    CardId
);
subject_id!(
    /// A content-addressed file.
    FileId
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_print_and_parse() {
        let hub = HubId::from_bytes([7; 8]);
        let document = DocumentId::new(hub, Writers::Members, [9; 15]);
        assert_eq!(document.to_string().parse(), Ok(document));
        assert_eq!(document.owner(), hub);
        assert_eq!(document.writers(), Writers::Members);
    }

    #[test]
    fn a_text_that_is_no_id_says_why() {
        assert_eq!("not an id!".parse::<HubId>(), Err(IdError::Characters));
        let long = Subject::from_bytes([1; 24]).to_string();
        assert_eq!(
            long.parse::<HubId>(),
            Err(IdError::Length {
                expected: 8,
                found: 24
            })
        );
        assert_eq!(
            Subject::from_bytes([9; 24]).to_string().parse::<CardId>(),
            Err(IdError::Writers)
        );
    }
}
