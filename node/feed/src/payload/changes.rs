//! The payload of `changes`.

use std::fmt;

use bytes::Bytes;

use super::{Nonce, PayloadError, RANDOM_BYTES};
use crate::chunk::{change_hash, check_chunk, split_chunks};
use crate::{Decoder, Encoder, Hash, Tag};

/// A `changes` payload: Automerge changes of one document, in causal order.
#[derive(Clone, PartialEq, Eq)]
pub struct Changes {
    /// The payload's own random bytes.
    pub random: Nonce,
    /// The start nonce from which the changes' actors are derived.
    pub nonce: Nonce,
    /// The changes' chunks, at least one.
    pub chunks: Vec<Bytes>,
}

impl Changes {
    /// The payload's bytes.
    pub fn encode(&self) -> Bytes {
        let mut out = Encoder::new();
        out.bytes(&self.random.0).bytes(&self.nonce.0);
        for chunk in &self.chunks {
            out.bytes(chunk);
        }
        out.finish()
    }

    /// Reads a payload, without copying the chunks.
    ///
    /// # Errors
    /// [`PayloadError`] if it is too short or does not split into chunks.
    pub fn decode(bytes: &Bytes) -> Result<Self, PayloadError> {
        let mut input = Decoder::new(bytes);
        let random = Nonce(input.array("the random bytes")?);
        let nonce = Nonce(input.array("the start nonce")?);
        let chunks = split_chunks(&bytes.slice(2 * RANDOM_BYTES..))?;
        Ok(Self {
            random,
            nonce,
            chunks,
        })
    }

    /// The payload's hash: it commits to the change hashes, so that an entry can be proved from a
    /// saved document after its chunks are gone.
    pub fn hash(&self) -> Hash {
        let hashes = self.chunks.iter().map(|chunk| change_hash(chunk));
        self.hash_of(&hashes.collect::<Vec<_>>())
    }

    /// The payload's hash, if it commits to every byte of the payload.
    pub(super) fn checked_hash(&self) -> Result<Hash, PayloadError> {
        let hashes = self.chunks.iter().map(|chunk| check_chunk(chunk));
        Ok(self.hash_of(&hashes.collect::<Result<Vec<_>, _>>()?))
    }

    fn hash_of(&self, hashes: &[[u8; 32]]) -> Hash {
        Hash::of(
            Tag::Changes,
            &[&self.random.0, &self.nonce.0, hashes.as_flattened()],
        )
    }
}

/// Without what the changes say, as for [`Payload`](crate::Payload).
impl fmt::Debug for Changes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Changes({} chunks)", self.chunks.len())
    }
}
