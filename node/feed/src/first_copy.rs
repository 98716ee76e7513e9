//! What a first copy is made of.

use std::sync::Arc;

use bytes::Bytes;

use crate::{
    DecodeError, Decoder, Encoder, Hash, Header, Heights, NetworkId, NodeId, PayloadError, Run,
    RunEntry, RunError, SpaceId, Subject, Tag,
};

/// What a first copy of a space is of: instead of all entries of some feeds, the checkpoints that
/// stand for them and the documents that these list, packed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopyOffer {
    /// The space.
    pub space: SpaceId,
    /// The feeds whose entries it stands for, each with the last part of its checkpoint. Their
    /// digest names the copy.
    pub bases: Heights,
    /// How many documents it has.
    pub documents: u64,
}

/// A slice of a first copy: pieces that follow one another, as one message carries them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopySlice {
    /// The space.
    pub space: SpaceId,
    /// Which copy this is a slice of: the digest of the space at its bases.
    pub id: Hash,
    /// How many of the copy's documents come before those in this slice; in one without documents,
    /// how many of its other pieces do.
    pub before: u64,
    /// The pieces: documents, or others.
    pub pieces: Arc<[CopyPiece]>,
    /// Whether these are the last that are no documents.
    pub ends: bool,
}

/// A first copy that is under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopyPlace {
    /// Who offered it.
    pub peer: NodeId,
    /// The checkpoints that it stands on.
    pub bases: Heights,
    /// How many of its documents are here, in their order; none before all that the checkpoints
    /// need is here and was verified.
    pub documents: Option<u64>,
    /// How many there are in all: as offered, and then as the checkpoints list them.
    pub of: u64,
}

impl CopyPlace {
    /// Whether all of it is here.
    pub fn is_whole(&self) -> bool {
        self.documents == Some(self.of)
    }
}

/// What became of an offer or a slice of a first copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CopyTaken {
    /// It is durable. Also the answer to what was here before.
    Partly(CopyPlace),
    /// Nothing of the copy that it is a slice of is here (any more): it must be offered again.
    Lost,
    /// The copy cannot be taken, and all that came of it is gone.
    Refused {
        /// Why, in a sentence.
        why: String,
        /// Whether no honest node would send it, be it not what was signed or too large; else this
        /// node knows more than the sender.
        forged: bool,
    },
}

/// An entry that a checkpoint keeps, without the entries around it. Its hash stands in the
/// checkpoint, which proves it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptEntry {
    /// The feed's writer key.
    pub writer: [u8; 32],
    /// Its number.
    pub number: u64,
    /// The hash of the entry before it.
    pub previous: Hash,
    /// The entry.
    pub entry: RunEntry,
}

/// One piece of the first copy of a space.
///
/// Pieces come in this order: of each feed the run from the first part of its checkpoint up to a
/// proof, then what the checkpoints keep, then the documents that they list, by rising ids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CopyPiece {
    /// Entries that follow one another, the first of which begins a checkpoint or goes on with it.
    Proof(Run),
    /// An entry that a checkpoint keeps.
    Kept(KeptEntry),
    /// A packed document, opaque to carriage; empty if it was erased since.
    Document {
        /// The document.
        subject: Subject,
        /// Its packed bytes.
        bytes: Bytes,
    },
}

impl KeptEntry {
    /// The entry's hash.
    ///
    /// # Errors
    /// [`PayloadError`] if its payload is not what its kind says.
    pub fn hash(&self, network: NetworkId, space: SpaceId) -> Result<Hash, PayloadError> {
        let header = Header {
            space,
            writer: self.writer,
            number: self.number,
            previous: self.previous,
            time_ms: self.entry.time_ms,
            kind: self.entry.kind,
            subject: self.entry.subject,
            payload_hash: self.entry.checked_hash(self.number)?,
            payload_length: self.entry.payload.length(),
        };
        Ok(Hash::of(
            Tag::Entry,
            &[network.as_bytes(), &header.encode()],
        ))
    }
}

impl CopyPiece {
    /// Appends the piece to `out`, as it stands on the wire.
    pub fn encode(&self, out: &mut Encoder) {
        match self {
            Self::Proof(run) => run.encode(out.u8(1)),
            Self::Kept(kept) => {
                out.u8(2).bytes(&kept.writer).u64(kept.number);
                kept.entry.encode(out.bytes(kept.previous.as_bytes()));
            }
            Self::Document { subject, bytes } => {
                out.u8(3).bytes(subject.as_bytes());
                out.length(bytes.len()).bytes(bytes);
            }
        }
    }

    /// Reads all the pieces that `bytes` holds. What they carry shares its memory.
    ///
    /// # Errors
    /// [`RunError::Decode`] or [`RunError::Size`] if it is anything but whole pieces.
    pub fn decode_all(bytes: &Bytes) -> Result<Vec<Self>, RunError> {
        let mut pieces = Vec::new();
        let mut rest = bytes.clone();
        while !rest.is_empty() {
            let mut input = Decoder::new(&rest);
            let (piece, length) = match input.u8("the number of a piece")? {
                1 => {
                    let (run, length) = Run::decode(&rest.slice(1..))?;
                    (Self::Proof(run), 1 + length)
                }
                2 => {
                    let kept = KeptEntry {
                        writer: input.array("the writer")?,
                        number: input.u64("the number")?,
                        previous: Hash::from_bytes(input.array("the previous hash")?),
                        entry: RunEntry::decode(&rest, &mut input)?,
                    };
                    (Self::Kept(kept), rest.len() - input.rest().len())
                }
                3 => {
                    let subject = Subject::from_bytes(input.array("the document")?);
                    let length = input.length("the document's length")?;
                    let saved = rest.slice_ref(input.take(length, "the document's bytes")?);
                    let piece = Self::Document {
                        subject,
                        bytes: saved,
                    };
                    (piece, rest.len() - input.rest().len())
                }
                _ => return Err(DecodeError::Value("the number of a piece").into()),
            };
            rest = rest.slice(length..);
            pieces.push(piece);
        }
        Ok(pieces)
    }

    /// How many bytes it has before a frame is compressed; of a run without a signature a few less.
    pub fn weight(&self) -> usize {
        const HEAD: usize = 1 + 32 + 8 + 32;
        const ENTRY: usize = 8 + 1 + 24 + 1 + 4;
        let entry =
            |entry: &RunEntry| ENTRY + entry.payload.bytes().map_or(32, |payload| payload.len());
        match self {
            Self::Proof(run) => HEAD + 67 + run.entries.iter().map(entry).sum::<usize>(),
            Self::Kept(kept) => HEAD + entry(&kept.entry),
            Self::Document { bytes, .. } => 29 + bytes.len(),
        }
    }
}
