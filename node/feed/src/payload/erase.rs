//! The payload of `erase`.

use bytes::Bytes;

use super::{Nonce, PayloadError, check_count};
use crate::{Decoder, Encoder, Subject};

/// How many ids one `erase` may name.
pub const ERASE_IDS_MAX: usize = 1_000;

/// An `erase` payload: ids whose payloads are dropped and that are never used again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Erase {
    /// The payload's own random bytes.
    pub random: Nonce,
    /// Documents, cards and files, at most 1,000.
    pub subjects: Vec<Subject>,
}

impl Erase {
    /// The payload's bytes.
    ///
    /// # Errors
    /// [`PayloadError::Count`] if it names too many ids.
    pub fn encode(&self) -> Result<Bytes, PayloadError> {
        check_count("ids", self.subjects.len(), ERASE_IDS_MAX)?;
        let mut out = Encoder::new();
        out.bytes(&self.random.0)
            .u16(u16::try_from(self.subjects.len()).unwrap_or(u16::MAX));
        for subject in &self.subjects {
            out.bytes(subject.as_bytes());
        }
        Ok(out.finish())
    }

    /// Reads a payload.
    ///
    /// # Errors
    /// [`PayloadError`] if its fields do not decode.
    pub fn decode(bytes: &[u8]) -> Result<Self, PayloadError> {
        let mut input = Decoder::new(bytes);
        let random = Nonce(input.array("the random bytes")?);
        let count = usize::from(input.u16("the count of ids")?);
        check_count("ids", count, ERASE_IDS_MAX)?;
        let subjects = (0..count)
            .map(|_| input.array("an id").map(Subject::from_bytes))
            .collect::<Result<Vec<_>, _>>()?;
        input.end()?;
        Ok(Self { random, subjects })
    }
}
