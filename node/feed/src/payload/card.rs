//! The payload of `card`.

use std::fmt;

use bytes::Bytes;

use super::{Nonce, PAYLOAD_BYTES_MAX, PayloadError, check_count};
use crate::{CardId, DecodeError, Decoder, Encoder, Hash, HubId};

/// How many revisions one card revision may replace.
pub const CARD_REPLACES_MAX: usize = 16;
/// Card payloads are padded to a multiple of this, so that their length tells little.
const CARD_PADDING: usize = 256;
/// Room in a payload for what is not body: random bytes, replaced revisions, lengths, padding.
const CARD_OVERHEAD: usize = 1_024;

/// A `card` payload: one revision of a card.
#[derive(Clone, PartialEq, Eq)]
pub struct Card {
    /// The payload's own random bytes.
    pub random: Nonce,
    /// Entry hashes of the revisions that this one replaces, at most [`CARD_REPLACES_MAX`].
    pub replaces: Vec<Hash>,
    /// What the card says; empty for a card that was withdrawn.
    pub body: Bytes,
}

impl Card {
    /// The payload's bytes, padded.
    ///
    /// # Errors
    /// [`PayloadError::Count`] or [`PayloadError::Size`] if it is too large.
    pub fn encode(&self) -> Result<Bytes, PayloadError> {
        check_count("revisions", self.replaces.len(), CARD_REPLACES_MAX)?;
        if self.body.len() > PAYLOAD_BYTES_MAX - CARD_OVERHEAD {
            return Err(PayloadError::Size(self.body.len()));
        }
        let mut out = Encoder::new();
        out.bytes(&self.random.0)
            .u8(u8::try_from(self.replaces.len()).unwrap_or(u8::MAX));
        for hash in &self.replaces {
            out.bytes(hash.as_bytes());
        }
        out.length(self.body.len()).bytes(&self.body);
        let unpadded = out.finish();
        let mut padded = unpadded.to_vec();
        padded.resize(unpadded.len().next_multiple_of(CARD_PADDING), 0);
        Ok(Bytes::from(padded))
    }

    /// Reads a payload.
    ///
    /// # Errors
    /// [`PayloadError`] if its fields do not decode or it is not padded as it should be.
    pub fn decode(bytes: &Bytes) -> Result<Self, PayloadError> {
        let mut input = Decoder::new(bytes);
        let random = Nonce(input.array("the random bytes")?);
        let count = usize::from(input.u8("the count of revisions")?);
        check_count("revisions", count, CARD_REPLACES_MAX)?;
        let replaces = (0..count)
            .map(|_| input.array("a revision").map(Hash::from_bytes))
            .collect::<Result<Vec<_>, _>>()?;
        let length = input.length("the body's length")?;
        let body = bytes.slice_ref(input.take(length, "the body")?);
        let padding = input.rest();
        let whole = bytes.len().is_multiple_of(CARD_PADDING) && padding.len() < CARD_PADDING;
        if !whole || padding.iter().any(|byte| *byte != 0) {
            return Err(DecodeError::Value("the padding").into());
        }
        Ok(Self {
            random,
            replaces,
            body,
        })
    }
    /// Whether `card` may be written by a feed of `hub`: only its owner's may.
    pub fn may_write(card: CardId, hub: HubId) -> bool {
        card.owner() == hub
    }
}

/// Without what the card says, as for [`Payload`](crate::Payload).
impl fmt::Debug for Card {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Card")
            .field("replaces", &self.replaces)
            .field("bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}
