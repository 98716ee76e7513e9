//! Tagged BLAKE3.

use std::fmt;

/// What a hash or signature is for. Every use has a tag of its own, so that bytes made for
/// one can never stand for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tag {
    /// The signed bytes of an entry.
    Entry,
    /// The payload of any entry but `changes`.
    Payload,
    /// The payload of a `changes` entry.
    Changes,
    /// The base actor of a writer in a document.
    Actor,
    /// The digest of a space's heights.
    Space,
    /// The digest over several spaces.
    Root,
    /// The network's id, from its root key.
    Network,
    /// An identity key's signature in a node's `open`.
    Open,
    /// The root key's signature in the authority log's `open`.
    AuthorityOpen,
    /// A receipt.
    Receipt,
    /// The digest over the receipts that a node holds.
    Receipts,
    /// An identity key's signature over a TLS session's exporter.
    Session,
    /// An identity key's signature on a request to connect.
    Enrolment,
    /// A one-time code, as it is stored.
    Code,
    /// The six-digit check number of a request to connect.
    Check,
    /// An identity key's signature on the one that takes its place.
    Succession,
    /// The mark of where a node's feeds end.
    Ends,
    /// What the coordinator commits itself to before it hears a node's part of their check number.
    CheckCommitment,
    /// A node's part of a check number, and the signature that it is made from, which is never sent.
    CheckNonce,
    /// The digest of what a space's documents and cards have become, for comparing nodes.
    Documents,
    /// The name of a private record on the copy that was published of it.
    Origin,
    /// The digest of what publishing would let out, as a person was shown it.
    Preview,
    /// The digest of a space's entries that no longer count, kept beside a node's lists.
    Evidence,
    /// The chained digest of one feed's entries about one document.
    Trail,
    /// A saved document that gives back the changes of entries, kept beside them.
    Archive,
    /// The mark of a program's name and version.
    Software,
    /// A line of an audit log, together with the one before it.
    Audit,
    /// The mark of a setting's text in an audit log.
    Setting,
}

impl Tag {
    /// The tag's bytes, ended by a zero so that no tag begins another.
    pub const fn as_bytes(self) -> &'static [u8] {
        match self {
            Self::Entry => b"causeway/1 entry\0",
            Self::Payload => b"causeway/1 payload\0",
            Self::Changes => b"causeway/1 changes\0",
            Self::Actor => b"causeway/1 actor\0",
            Self::Space => b"causeway/1 space\0",
            Self::Root => b"causeway/1 root\0",
            Self::Network => b"causeway/1 network\0",
            Self::Open => b"causeway/1 open\0",
            Self::AuthorityOpen => b"causeway/1 authority open\0",
            Self::Receipt => b"causeway/1 receipt\0",
            Self::Receipts => b"causeway/1 receipts\0",
            Self::Session => b"causeway/1 session\0",
            Self::Enrolment => b"causeway/1 enrolment\0",
            Self::Code => b"causeway/1 code\0",
            Self::Check => b"causeway/1 check\0",
            Self::Succession => b"causeway/1 succession\0",
            Self::Ends => b"causeway/1 ends\0",
            Self::CheckCommitment => b"causeway/1 check commitment\0",
            Self::CheckNonce => b"causeway/1 check nonce\0",
            Self::Documents => b"causeway/1 documents\0",
            Self::Origin => b"causeway/1 origin\0",
            Self::Preview => b"causeway/1 preview\0",
            Self::Evidence => b"causeway/1 evidence\0",
            Self::Trail => b"causeway/1 trail\0",
            Self::Archive => b"causeway/1 archive\0",
            Self::Software => b"causeway/1 software\0",
            Self::Audit => b"causeway/1 audit\0",
            Self::Setting => b"causeway/1 setting\0",
        }
    }
}

/// A BLAKE3 hash of tagged bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hash([u8; 32]);

impl Hash {
    /// Stands before number 0 of a feed.
    pub const ZERO: Self = Self([0; 32]);

    /// The hash of `parts`, one after the other, under `tag`.
    pub fn of(tag: Tag, parts: &[&[u8]]) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(tag.as_bytes());
        for part in parts {
            hasher.update(part);
        }
        Self(*hasher.finalize().as_bytes())
    }

    /// The hash that these bytes are.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The hash's bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl TryFrom<&[u8]> for Hash {
    type Error = crate::IdError;

    fn try_from(bytes: &[u8]) -> Result<Self, Self::Error> {
        <[u8; 32]>::try_from(bytes)
            .map(Self)
            .map_err(|_| crate::IdError::Length {
                expected: 32,
                found: bytes.len(),
            })
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&data_encoding::HEXLOWER.encode(&self.0))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hash({}…)", data_encoding::HEXLOWER.encode(&self.0[..6]))
    }
}
