//! The payload of `checkpoint`.

use bytes::Bytes;

use super::{Nonce, PAYLOAD_BYTES_MAX, PayloadError, RANDOM_BYTES, check_count};
use crate::{DecodeError, Decoder, Encoder, Hash, Height, Subject, Tag};

const DOCUMENT_BYTES: usize = 24 + 32;
const KEPT_BYTES: usize = 8 + 32;
const HEAD_BYTES: usize = RANDOM_BYTES + 2 + 2 + 4 + 4;

/// Where one feed stands in one document: a digest of all its entries about it, chained in the
/// order of their numbers. With the document it proves who wrote what in it, under which number
/// and when, without the entries themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Trail(pub Hash);

impl Trail {
    /// The trail before the feed's first entry about a document.
    pub const START: Self = Self(Hash::ZERO);

    /// The trail with one more `changes` entry: its number, its author's time in ms, and the
    /// hashes of its changes in any order.
    #[must_use]
    pub fn with(self, number: u64, time_ms: u64, changes: &[[u8; 32]]) -> Self {
        let mut changes = changes.to_vec();
        changes.sort_unstable();
        Self(Hash::of(
            Tag::Trail,
            &[
                self.0.as_bytes(),
                &number.to_le_bytes(),
                &time_ms.to_le_bytes(),
                changes.as_flattened(),
            ],
        ))
    }
}

/// A `checkpoint` payload, or one of several parts of a checkpoint that is too large for one: what
/// of a feed up to here is needed without the entries before it. Parts are consecutive entries.
///
/// By its author's word it replaces: every `changes` entry of a live document by the document with
/// its trail, and leaves out payloads that nobody needs any more. What else stands (the `open`,
/// current revisions of cards, erasures, kinds that this version does not know) is *kept*: it
/// travels as it is, and its hash stands here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// The payload's own random bytes.
    pub random: Nonce,
    /// Which part this is, from 0.
    pub part: u16,
    /// How many parts there are.
    pub parts: u16,
    /// The live documents that the feed has changed, by rising ids.
    pub documents: Vec<(Subject, Trail)>,
    /// The entries that are kept, by rising numbers.
    pub kept: Vec<Height>,
}

impl Checkpoint {
    /// How many parts there may be: a quarter of a GiB of lists.
    pub const PARTS_MAX: u16 = 256;

    /// A checkpoint of these lists, in as many parts as it needs. `random` gives each part its
    /// random bytes.
    ///
    /// # Errors
    /// [`PayloadError::Count`] if it would need more than [`Checkpoint::PARTS_MAX`] parts.
    pub fn split(
        documents: &[(Subject, Trail)],
        kept: &[Height],
        mut random: impl FnMut() -> Nonce,
    ) -> Result<Vec<Self>, PayloadError> {
        let room = (PAYLOAD_BYTES_MAX - HEAD_BYTES) / DOCUMENT_BYTES;
        let documents = documents.chunks(room).map(|part| (part, [].as_slice()));
        let room = (PAYLOAD_BYTES_MAX - HEAD_BYTES) / KEPT_BYTES;
        let kept = kept.chunks(room).map(|part| ([].as_slice(), part));
        let mut lists = documents.chain(kept).collect::<Vec<_>>();
        // What both have little of goes into one.
        if let [(documents, _), (_, kept)] = lists.as_slice()
            && documents.len() * DOCUMENT_BYTES + kept.len() * KEPT_BYTES
                <= PAYLOAD_BYTES_MAX - HEAD_BYTES
        {
            lists = vec![(*documents, *kept)];
        }
        if lists.is_empty() {
            lists.push(([].as_slice(), [].as_slice()));
        }
        let parts = u16::try_from(lists.len()).unwrap_or(u16::MAX);
        check_count("parts", lists.len(), usize::from(Self::PARTS_MAX))?;
        Ok(lists
            .into_iter()
            .zip(0..)
            .map(|((documents, kept), part)| Self {
                random: random(),
                part,
                parts,
                documents: documents.to_vec(),
                kept: kept.to_vec(),
            })
            .collect())
    }

    /// Whether this is the part after `before`, which are all that come before it: it says so, of
    /// as many parts, and both lists rise over all of them.
    pub fn goes_on(&self, before: &[Self]) -> bool {
        let mut listed = before.iter().rev().filter_map(|it| it.documents.last());
        let mut kept = before.iter().rev().filter_map(|it| it.kept.last());
        let rises = match (listed.next(), self.documents.first()) {
            (Some((last, _)), Some((first, _))) => last < first,
            _ => true,
        };
        let keeps_rise = match (kept.next(), self.kept.first()) {
            (Some(last), Some(first)) => last.number < first.number,
            _ => true,
        };
        usize::from(self.part) == before.len()
            && before
                .last()
                .is_none_or(|before| before.parts == self.parts)
            && rises
            && keeps_rise
    }

    /// Whether no part comes after this one.
    pub const fn is_last(&self) -> bool {
        self.part + 1 == self.parts
    }

    /// The payload's bytes.
    pub fn encode(&self) -> Bytes {
        let mut out = Encoder::new();
        out.bytes(&self.random.0).u16(self.part).u16(self.parts);
        out.length(self.documents.len());
        for (document, trail) in &self.documents {
            out.bytes(document.as_bytes()).bytes(trail.0.as_bytes());
        }
        out.length(self.kept.len());
        for kept in &self.kept {
            out.u64(kept.number).bytes(kept.hash.as_bytes());
        }
        out.finish()
    }

    /// Reads a payload.
    ///
    /// # Errors
    /// [`PayloadError::Decode`] if its fields do not decode, a list does not rise, or it is no part
    /// of its parts; [`PayloadError::Count`] if these are too many.
    pub fn decode(bytes: &[u8]) -> Result<Self, PayloadError> {
        let mut input = Decoder::new(bytes);
        let random = Nonce(input.array("the random bytes")?);
        let (part, parts) = (input.u16("the part")?, input.u16("the count of parts")?);
        let value = |what| PayloadError::Decode(DecodeError::Value(what));
        if part >= parts {
            return Err(value("the part"));
        }
        check_count("parts", parts.into(), Self::PARTS_MAX.into())?;
        let mut documents = Vec::<(Subject, Trail)>::new();
        for _ in 0..input.u32("the count of documents")? {
            let id = Subject::from_bytes(input.array("a document")?);
            let trail = Trail(Hash::from_bytes(input.array("a trail")?));
            if documents.last().is_some_and(|(last, _)| *last >= id) {
                return Err(value("the order of documents"));
            }
            documents.push((id, trail));
        }
        let mut kept = Vec::<Height>::new();
        for _ in 0..input.u32("the count of entries kept")? {
            let number = input.u64("a number")?;
            let hash = Hash::from_bytes(input.array("a hash")?);
            if kept.last().is_some_and(|last| last.number >= number) {
                return Err(value("the order of entries kept"));
            }
            kept.push(Height { number, hash });
        }
        input.end()?;
        Ok(Self {
            random,
            part,
            parts,
            documents,
            kept,
        })
    }
}
