//! One signed step of a feed.

use std::fmt;

use bytes::Bytes;

use crate::{Encoder, Hash, Kind, NetworkId, SpaceId, Subject, Tag};

/// Bytes of an encoded header.
pub const HEADER_BYTES: usize = 16 + 32 + 8 + 32 + 8 + 1 + 24 + 32 + 4;

/// What an entry's signature covers, together with the tag and the network's id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// The space that the entry is in.
    pub space: SpaceId,
    /// The key of the feed's writer.
    pub writer: [u8; 32],
    /// The entry's place in its feed, from 0.
    pub number: u64,
    /// Hash of the entry before it; zero before number 0.
    pub previous: Hash,
    /// The author's time, in ms since 1970. For display, never for order.
    pub time_ms: u64,
    /// What the entry is.
    pub kind: Kind,
    /// What it is about.
    pub subject: Subject,
    /// The payload's hash.
    pub payload_hash: Hash,
    /// The payload's length in bytes.
    pub payload_length: u32,
}

impl Header {
    /// The canonical bytes: every field at its fixed width, little-endian.
    pub fn encode(&self) -> Bytes {
        let mut out = Encoder::new();
        out.bytes(self.space.as_bytes())
            .bytes(&self.writer)
            .u64(self.number)
            .bytes(self.previous.as_bytes())
            .u64(self.time_ms)
            .u8(self.kind.0)
            .bytes(self.subject.as_bytes())
            .bytes(self.payload_hash.as_bytes())
            .u32(self.payload_length);
        out.finish()
    }

    /// The entry's hash: of its signed bytes, so that it does not depend on the signature.
    pub fn hash(&self, network: NetworkId) -> Hash {
        Hash::of(Tag::Entry, &[network.as_bytes(), &self.encode()])
    }
}

/// An entry that is to be written: all that [`Run::sign`](crate::Run::sign) does not add itself.
#[derive(Clone)]
pub struct Entry {
    /// The author's time, in ms since 1970.
    pub time_ms: u64,
    /// What the entry is.
    pub kind: Kind,
    /// What it is about.
    pub subject: Subject,
    /// Its payload.
    pub payload: Bytes,
}

/// Without what the payload says, as for [`Payload`](crate::Payload).
impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry")
            .field("time_ms", &self.time_ms)
            .field("kind", &self.kind)
            .field("subject", &self.subject)
            .field("bytes", &self.payload.len())
            .finish_non_exhaustive()
    }
}
