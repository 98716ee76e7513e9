//! Consecutive entries of one feed under one signature.
//!
//! Every entry is chained to the one before, so one signature covers all before it. A run says
//! its space, writer, first number and previous hash once; everything else that can be computed
//! is recomputed by the receiver, and canonical bytes are rebuilt, never parsed.

mod verified;

use bytes::Bytes;

use crate::{
    DecodeError, Decoder, Encoder, Entry, Hash, Header, Height, KeyError, Kind, NetworkId, Payload,
    PayloadError, PublicKey, RefusalReason, SecretKey, Signature, SpaceId, Subject, Tag,
};

pub use verified::VerifiedRun;

/// How many entries a run may have.
pub const RUN_ENTRIES_MAX: usize = 1_024;
/// How many bytes of payload a run may have: 2 MiB, so that one run of largest entries fits a
/// frame with room to spare.
pub const RUN_BYTES_MAX: usize = 2 << 20;

/// The largest number that an entry may have, and the largest time. Nothing real comes near, and
/// every store can hold it.
pub const NUMBER_MAX: u64 = i64::MAX.unsigned_abs();

/// Why a run is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RunError {
    /// It has no entries, too many, or too many bytes.
    #[error(
        "a run has between 1 and 1024 entries and at most 2 MiB; this one has {entries} entries and {bytes} bytes"
    )]
    Size {
        /// Entries in it.
        entries: usize,
        /// Payload bytes in it.
        bytes: usize,
    },
    /// The signature does not hold for what was sent.
    #[error("the run's signature does not hold: {0}")]
    Signature(#[from] KeyError),
    /// It has no signature, and its last entry is not one that a cut names.
    #[error("the run has no signature and does not end where access was cut")]
    Unsigned,
    /// A payload is not what its kind says.
    #[error("entry {number}: {source}")]
    Payload {
        /// The entry's number.
        number: u64,
        /// What is wrong with it.
        source: PayloadError,
    },
    /// A number or time in it is larger than [`NUMBER_MAX`].
    #[error("a number or time in the run is larger than any real one")]
    Number,
    /// It begins with number 0, but names an entry before that.
    #[error("nothing stands before number 0 of a feed, but the run names something")]
    Start,
    /// The bytes are no run.
    #[error("the run cannot be read: {0}")]
    Decode(#[from] DecodeError),
}

impl RunError {
    /// What to answer the peer that sent the run.
    pub const fn reason(&self) -> RefusalReason {
        match self {
            Self::Size { .. }
            | Self::Payload {
                source: PayloadError::Size(_) | PayloadError::Count { .. },
                ..
            } => RefusalReason::Size,
            // The sender knows of a cut that this node has not heard of yet.
            Self::Unsigned => RefusalReason::GrantUnknown,
            Self::Payload {
                source: PayloadError::Opening,
                ..
            } => RefusalReason::Open,
            Self::Signature(_)
            | Self::Payload { .. }
            | Self::Number
            | Self::Start
            | Self::Decode(_) => RefusalReason::Forged,
        }
    }
}

/// One entry of a run: what cannot be recomputed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunEntry {
    /// The author's time, in ms since 1970.
    pub time_ms: u64,
    /// What the entry is.
    pub kind: Kind,
    /// What it is about.
    pub subject: Subject,
    /// Its payload.
    pub payload: Payload,
}

/// What proves a run's last entry, and so all of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// The writer's signature over the last entry.
    Signature(Signature),
    /// A cut in the authority log names the last entry's hash.
    Cut,
}

/// Consecutive entries of one feed, not yet checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// The feed's writer key.
    pub writer: [u8; 32],
    /// Number of the first entry.
    pub first: u64,
    /// Hash of the entry before the first; zero before number 0.
    pub previous: Hash,
    /// The entries, in order.
    pub entries: Vec<RunEntry>,
    /// What proves them.
    pub proof: Proof,
}

impl Run {
    /// Signs `entries` as the feed's next ones after `tip`, under one signature.
    ///
    /// Until the run is durable the caller must not sign another after the same tip, or the feed
    /// forks.
    ///
    /// # Errors
    /// [`RunError::Size`] or [`RunError::Payload`]; nothing is signed then.
    pub fn sign(
        network: NetworkId,
        space: SpaceId,
        key: &SecretKey,
        tip: Option<Height>,
        entries: Vec<Entry>,
    ) -> Result<VerifiedRun, RunError> {
        let entries = entries
            .into_iter()
            .map(|entry| RunEntry {
                time_ms: entry.time_ms,
                kind: entry.kind,
                subject: entry.subject,
                payload: Payload::Held(entry.payload),
            })
            .collect();
        let mut run = Self {
            writer: *key.public().as_bytes(),
            first: tip.map_or(0, |tip| tip.number.saturating_add(1)),
            previous: tip.map_or(Hash::ZERO, |tip| tip.hash),
            entries,
            proof: Proof::Cut,
        };
        let (hashes, signed) = run.chain(network, space)?;
        run.proof = Proof::Signature(key.sign(Tag::Entry, &[network.as_bytes(), &signed]));
        Ok(VerifiedRun::new(space, run, hashes))
    }

    /// Checks everything about the run that needs no other entry.
    ///
    /// `key` must be the run's writer; keys are costly to check, so the caller keeps them. `cuts`
    /// are where the authority log cuts this writer ([`Authority::cuts_of`](crate::Authority)): a
    /// run that ends at one of them needs no signature.
    ///
    /// # Errors
    /// [`RunError`]. A run that fails is refused whole.
    pub fn verify(
        self,
        network: NetworkId,
        space: SpaceId,
        key: &PublicKey,
        cuts: &[Height],
    ) -> Result<VerifiedRun, RunError> {
        if *key.as_bytes() != self.writer {
            return Err(KeyError::Key.into());
        }
        let (hashes, signed) = self.chain(network, space)?;
        let run = VerifiedRun::new(space, self, hashes);
        match &run.proof() {
            Proof::Signature(signature) => {
                key.verify(Tag::Entry, &[network.as_bytes(), &signed], signature)?;
            }
            Proof::Cut if cuts.contains(&run.last()) => {}
            Proof::Cut => return Err(RunError::Unsigned),
        }
        Ok(run)
    }

    /// Appends the run to `out`, as it stands on the wire. A run of another size than allowed
    /// comes out as one that nobody reads back.
    pub fn encode(&self, out: &mut Encoder) {
        out.bytes(&self.writer)
            .u64(self.first)
            .bytes(self.previous.as_bytes());
        out.u16(u16::try_from(self.entries.len()).unwrap_or(u16::MAX));
        for entry in &self.entries {
            entry.encode(out);
        }
        match &self.proof {
            Proof::Signature(signature) => out.u8(1).bytes(&signature.0),
            Proof::Cut => out.u8(0),
        };
    }

    /// Reads all the runs that `bytes` holds. Payloads share its memory.
    ///
    /// # Errors
    /// [`RunError::Decode`] if it is anything but whole runs.
    pub fn decode_all(bytes: &Bytes) -> Result<Vec<Self>, RunError> {
        let mut runs = Vec::new();
        let mut rest = bytes.clone();
        while !rest.is_empty() {
            let (run, length) = Self::decode(&rest)?;
            rest = rest.slice(length..);
            runs.push(run);
        }
        Ok(runs)
    }

    pub(crate) fn decode(bytes: &Bytes) -> Result<(Self, usize), RunError> {
        let mut input = Decoder::new(bytes);
        let writer = input.array("the writer")?;
        let first = input.u64("the first number")?;
        let previous = Hash::from_bytes(input.array("the previous hash")?);
        let count = usize::from(input.u16("the count of entries")?);
        if count == 0 || count > RUN_ENTRIES_MAX {
            return Err(RunError::Size {
                entries: count,
                bytes: 0,
            });
        }
        let entries = (0..count)
            .map(|_| RunEntry::decode(bytes, &mut input))
            .collect::<Result<Vec<_>, DecodeError>>()?;
        let proof = match input.u8("the proof")? {
            0 => Proof::Cut,
            1 => Proof::Signature(Signature(input.array("the signature")?)),
            _ => return Err(DecodeError::Value("the proof").into()),
        };
        let length = bytes.len() - input.rest().len();
        Ok((
            Self {
                writer,
                first,
                previous,
                entries,
                proof,
            },
            length,
        ))
    }

    /// Every entry's hash, and the signed bytes of the last.
    fn chain(&self, network: NetworkId, space: SpaceId) -> Result<(Vec<Hash>, Bytes), RunError> {
        self.check_bounds()?;
        let mut hashes = Vec::with_capacity(self.entries.len());
        let mut previous = self.previous;
        let mut signed = Bytes::new();
        for (entry, number) in self.entries.iter().zip(self.first..) {
            let payload_hash = entry
                .checked_hash(number)
                .map_err(|source| RunError::Payload { number, source })?;
            let header = Header {
                space,
                writer: self.writer,
                number,
                previous,
                time_ms: entry.time_ms,
                kind: entry.kind,
                subject: entry.subject,
                payload_hash,
                payload_length: entry.payload.length(),
            };
            signed = header.encode();
            previous = Hash::of(Tag::Entry, &[network.as_bytes(), &signed]);
            hashes.push(previous);
        }
        Ok((hashes, signed))
    }

    fn check_bounds(&self) -> Result<(), RunError> {
        let held = self
            .entries
            .iter()
            .filter_map(|entry| entry.payload.bytes());
        let bytes = held.map(Bytes::len).sum();
        let entries = self.entries.len();
        if entries == 0 || entries > RUN_ENTRIES_MAX || bytes > RUN_BYTES_MAX {
            return Err(RunError::Size { entries, bytes });
        }
        let last = self.first.saturating_add(entries as u64 - 1);
        let late = |entry: &RunEntry| entry.time_ms > NUMBER_MAX;
        if last > NUMBER_MAX || self.entries.iter().any(late) {
            return Err(RunError::Number);
        }
        if self.first == 0 && self.previous != Hash::ZERO {
            return Err(RunError::Start);
        }
        Ok(())
    }
}

impl RunEntry {
    /// The payload's hash, if the entry may stand at `number`.
    pub(crate) fn checked_hash(&self, number: u64) -> Result<Hash, PayloadError> {
        if (number == 0) != (self.kind == Kind::OPEN) {
            return Err(PayloadError::Opening);
        }
        let whole = self.subject == Subject::NONE && self.payload.bytes().is_some();
        if self.kind.stands() && !whole {
            return Err(PayloadError::Stands);
        }
        self.payload.hash(self.kind)
    }

    pub(crate) fn encode(&self, out: &mut Encoder) {
        out.u64(self.time_ms)
            .u8(self.kind.0)
            .bytes(self.subject.as_bytes());
        match &self.payload {
            Payload::Held(bytes) => out.u8(1).length(bytes.len()).bytes(bytes),
            Payload::Dropped { hash, length } => out.u8(0).u32(*length).bytes(hash.as_bytes()),
        };
    }

    pub(crate) fn decode(bytes: &Bytes, input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        let time_ms = input.u64("the time")?;
        let kind = Kind(input.u8("the kind")?);
        let subject = Subject::from_bytes(input.array("the subject")?);
        let held = input.u8("the flag of a payload")?;
        let length = input.u32("the payload's length")?;
        let payload = match held {
            1 => {
                let payload = input.take(length as usize, "the payload")?;
                Payload::Held(bytes.slice_ref(payload))
            }
            0 => {
                let hash = Hash::from_bytes(input.array("the payload's hash")?);
                Payload::Dropped { hash, length }
            }
            _ => return Err(DecodeError::Value("the flag of a payload")),
        };
        Ok(Self {
            time_ms,
            kind,
            subject,
            payload,
        })
    }
}
