//! Between the session engine's messages and frames. Wire types go no further than this.

mod receipts;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use node_feed::{
    CopyOffer, CopyPiece, CopySlice, Decoder, Encoder, FeedName, Hash, Height, Heights, NodeId,
    Refusal, RefusalReason, Retry, Run, Signature, SpaceId,
};
use node_sync::{
    Changed, CopyHeld, Farewell, Goodbye, Hello, Message, PROTOCOL_VERSION, SpaceHeights,
};
use prost::Message as _;
use proto::sync::v1 as wire;
use zstd::bulk::{Compressor, Decompressor};

use super::packer::Packer;
use crate::clock::now_ms;

/// The largest frame, encoded: a run of the largest payloads with room to spare.
pub(crate) const FRAME_BYTES_MAX: usize = 4 << 20;
/// The largest `packed` of entries once unpacked.
const UNPACKED_BYTES_MAX: usize = 8 << 20;
/// How many further spaces' entries a frame may hold.
const SECTIONS_MAX: usize = 1_024;
/// What a section has: a space, and where its runs begin.
const SECTION_BYTES: usize = 16 + 4;
/// Quick, and enough for what is mostly hashes and deflated text.
const ZSTD_LEVEL: i32 = 1;

thread_local! {
    /// Setting one up costs more than a small frame does.
    static COMPRESSOR: RefCell<Option<Compressor<'static>>> = const { RefCell::new(None) };
    static DECOMPRESSOR: RefCell<Option<Decompressor<'static>>> = const { RefCell::new(None) };
}

/// Why a frame is an offence.
#[derive(Debug, thiserror::Error)]
#[error("a frame that the protocol does not allow: {0}")]
pub struct FrameError(String);

/// The messages of an encoded frame, as a session reads them.
///
/// # Errors
/// [`FrameError`] as for a session's, which ends with it.
pub fn read_frame(bytes: &[u8]) -> Result<Vec<Message>, FrameError> {
    let frame = wire::Frame::decode(bytes).map_err(|error| FrameError(error.to_string()))?;
    to_messages(frame)
}

/// A message as a frame, encoded, as a session says it.
pub fn write_frame(message: &Message) -> Bytes {
    to_frame(message, &Packer::default()).encode_to_vec().into()
}

/// The frame that carries `message`.
pub(crate) fn to_frame(message: &Message, packer: &Packer) -> wire::Frame {
    use wire::frame::Message as Wire;
    let message = match message {
        Message::Hello(hello) => Wire::Hello(from_hello(hello)),
        Message::Spaces {
            digests: all,
            authority,
        } => Wire::Spaces(wire::Spaces {
            spaces: digests(all),
            authority: heights(authority.iter()),
        }),
        Message::Heights(said) => Wire::Heights(wire::Heights {
            space: copy(said.space.as_bytes()),
            ask: said.ask,
            digest: copy(said.digest.as_bytes()),
            heights: based(&said.heights, &said.bases),
            base_digest: said
                .base
                .map(|base| copy(base.as_bytes()))
                .unwrap_or_default(),
            whole: said.whole,
            copy: said.copy.as_ref().map(|held| wire::CopyHeld {
                bases: heights(held.bases.iter()),
                listed: held.documents.is_some(),
                documents: held.documents.unwrap_or(0),
                open: held.open,
            }),
        }),
        Message::CopyOffer(offer) => Wire::CopyOffer(wire::CopyOffer {
            space: copy(offer.space.as_bytes()),
            bases: heights(offer.bases.iter()),
            documents: offer.documents,
        }),
        Message::Copy(slice) => Wire::Copy(from_slice(slice)),
        Message::Entries { space, runs } => Wire::Entries(packer.pack(*space, runs)),
        Message::Acknowledged {
            space,
            digest,
            heights: changed,
            through,
        } => Wire::Acknowledged(wire::Acknowledged {
            space: copy(space.as_bytes()),
            digest: Some(digest)
                .filter(|digest| **digest != Hash::ZERO)
                .map(|digest| copy(digest.as_bytes()))
                .unwrap_or_default(),
            heights: heights(changed.iter().copied()),
            through: *through,
        }),
        Message::Refused(refusal) => Wire::Refused(wire::Refused {
            space: copy(refusal.space.as_bytes()),
            feed: copy(refusal.feed.as_bytes()),
            number: refusal.number,
            hash: copy(refusal.hash.as_bytes()),
            reason: refusal.reason as i32,
            retry: refusal.reason.retry() == Retry::NotYet,
            version: refusal.version.clone(),
            text: refusal.reason.to_string(),
        }),
        Message::Receipts(said) => Wire::Receipts(receipts::from_receipts(said)),
        Message::ReceiptsHeld(held) => Wire::ReceiptsHeld(receipts::from_held(held)),
        Message::Probe {
            space,
            writer,
            points: sent,
        } => Wire::Probe(wire::Probe {
            space: copy(space.as_bytes()),
            writer: copy(writer),
            points: points(sent),
        }),
        Message::Common {
            space,
            writer,
            points: held,
        } => Wire::Common(wire::Common {
            space: copy(space.as_bytes()),
            writer: copy(writer),
            points: points(held),
        }),
        Message::Goodbye(farewell) => Wire::Goodbye(wire::Goodbye {
            reason: from_goodbye(farewell.reason) as i32,
            text: farewell.text.clone(),
        }),
    };
    wire::Frame {
        message: Some(message),
    }
}

/// The frame that carries several messages with entries, compressed together.
pub(crate) fn to_shared_frame(parts: &[(SpaceId, Arc<[Run]>)]) -> wire::Frame {
    let parts = parts.iter().map(|(space, runs)| (*space, runs.as_ref()));
    wire::Frame {
        message: Some(wire::frame::Message::Entries(pack_all(parts))),
    }
}

/// The messages that `frame` carries; none for a kind that only newer versions know.
///
/// # Errors
/// [`FrameError`] if a field has the wrong width or what it carries does not decode.
pub(crate) fn to_messages(frame: wire::Frame) -> Result<Vec<Message>, FrameError> {
    use wire::frame::Message as Wire;
    let Some(message) = frame.message else {
        return Ok(Vec::new());
    };
    Ok(vec![match message {
        Wire::Hello(hello) => Message::Hello(Box::new(to_hello(hello)?)),
        Wire::Spaces(said) => Message::Spaces {
            digests: to_digests(&said.spaces)?,
            authority: to_heights(&said.authority)?.into_iter().collect(),
        },
        Wire::Heights(said) => Message::Heights(SpaceHeights {
            space: space(&said.space)?,
            base: optional_hash(&said.base_digest)?,
            digest: hash(&said.digest)?,
            heights: to_heights(&said.heights)?,
            bases: to_bases(&said.heights)?,
            ask: said.ask,
            whole: said.whole,
            copy: said.copy.map(to_copy_held).transpose()?,
        }),
        Wire::CopyOffer(offer) => Message::CopyOffer(CopyOffer {
            space: space(&offer.space)?,
            bases: to_heights(&offer.bases)?.into_iter().collect(),
            documents: offer.documents,
        }),
        Wire::Copy(slice) => Message::Copy(to_slice(&slice)?),
        Wire::Entries(entries) => return unpack(&entries),
        Wire::Acknowledged(said) => Message::Acknowledged {
            space: space(&said.space)?,
            digest: optional_hash(&said.digest)?.unwrap_or(Hash::ZERO),
            heights: to_heights(&said.heights)?,
            through: said.through,
        },
        Wire::Refused(refused) => Message::Refused(to_refusal(refused)?),
        Wire::Receipts(said) => Message::Receipts(receipts::to_receipts(&said)?),
        Wire::ReceiptsHeld(held) => Message::ReceiptsHeld(receipts::to_held(&held)?),
        Wire::Probe(probe) => Message::Probe {
            space: space(&probe.space)?,
            writer: array(&probe.writer, "a writer")?,
            points: to_points(&probe.points)?,
        },
        Wire::Common(common) => Message::Common {
            space: space(&common.space)?,
            writer: array(&common.writer, "a writer")?,
            points: to_points(&common.points)?,
        },
        Wire::Goodbye(goodbye) => Message::Goodbye(Farewell {
            reason: to_goodbye(goodbye.reason()),
            text: goodbye.text,
        }),
    }])
}

/// Entries, encoded and compressed.
pub(super) fn pack(space: SpaceId, runs: &[Run]) -> wire::Entries {
    pack_all(std::iter::once((space, runs)))
}

fn pack_all<'a>(parts: impl Iterator<Item = (SpaceId, &'a [Run])>) -> wire::Entries {
    let mut bytes = Vec::new();
    let (mut first, mut sections) = (Bytes::new(), Vec::new());
    for (at, (space, runs)) in parts.enumerate() {
        if at == 0 {
            first = copy(space.as_bytes());
        } else {
            let start = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
            sections.extend_from_slice(space.as_bytes());
            sections.extend_from_slice(&start.to_le_bytes());
        }
        let mut encoder = Encoder::new();
        for run in runs {
            run.encode(&mut encoder);
        }
        bytes.extend_from_slice(&encoder.finish());
    }
    let (packed, unpacked_length) = pack_bytes(&bytes);
    wire::Entries {
        space: first,
        sections: sections.into(),
        packed,
        unpacked_length,
    }
}

fn from_slice(slice: &CopySlice) -> wire::Copy {
    let mut encoder = Encoder::new();
    for piece in slice.pieces.iter() {
        piece.encode(&mut encoder);
    }
    let (packed, unpacked_length) = pack_bytes(&encoder.finish());
    wire::Copy {
        space: copy(slice.space.as_bytes()),
        id: copy(slice.id.as_bytes()),
        before: slice.before,
        packed,
        unpacked_length,
        ends: slice.ends,
    }
}

fn to_slice(slice: &wire::Copy) -> Result<CopySlice, FrameError> {
    let bytes = unpack_bytes(&slice.packed, slice.unpacked_length)?;
    let pieces = CopyPiece::decode_all(&bytes).map_err(|error| FrameError(error.to_string()))?;
    Ok(CopySlice {
        space: space(&slice.space)?,
        id: hash(&slice.id)?,
        before: slice.before,
        pieces: pieces.into(),
        ends: slice.ends,
    })
}

fn to_copy_held(held: wire::CopyHeld) -> Result<CopyHeld, FrameError> {
    Ok(CopyHeld {
        bases: to_heights(&held.bases)?.into_iter().collect(),
        documents: held.listed.then_some(held.documents),
        open: held.open,
    })
}

/// The bytes, compressed, and how many they are.
fn pack_bytes(bytes: &[u8]) -> (Bytes, u32) {
    // Compressing into memory fails only for want of memory, which ends the process anyway; an
    // empty frame is then the peer's to refuse.
    let packed = compress(bytes).unwrap_or_default();
    (
        packed.into(),
        u32::try_from(bytes.len()).unwrap_or(u32::MAX),
    )
}

/// What [`pack_bytes`] packed; never more than a frame may hold.
fn unpack_bytes(packed: &[u8], length: u32) -> Result<Bytes, FrameError> {
    let length = length as usize;
    if length > UNPACKED_BYTES_MAX {
        return Err(FrameError(format!("{length} bytes packed in one frame")));
    }
    let bytes = decompress(packed, length)
        .map_err(|error| FrameError(format!("a frame does not unpack: {error}")))?;
    if bytes.len() != length {
        return Err(FrameError(
            "a frame unpacks to another length than said".to_owned(),
        ));
    }
    Ok(bytes.into())
}

fn unpack(entries: &wire::Entries) -> Result<Vec<Message>, FrameError> {
    let (sections, rest) = entries.sections.as_chunks::<SECTION_BYTES>();
    if sections.len() > SECTIONS_MAX || !rest.is_empty() {
        return Err(FrameError(format!(
            "{} bytes of sections in one frame",
            entries.sections.len()
        )));
    }
    let mut starts = Vec::with_capacity(sections.len());
    for section in sections {
        let mut input = Decoder::new(section);
        let space = input.array("a space").map(SpaceId::from_bytes);
        let start = input.u32("a start");
        let both = space.and_then(|space| Ok((start?, space)));
        starts.push(both.map_err(|error| FrameError(error.to_string()))?);
    }
    let bytes = unpack_bytes(&entries.packed, entries.unpacked_length)?;
    let mut messages = Vec::with_capacity(1 + starts.len());
    let first = space(&entries.space)?;
    let (mut at, mut of) = (0, first);
    let mut room = Message::RUNS_MAX;
    for (end, next) in starts.into_iter().chain([(entries.unpacked_length, first)]) {
        let end = end as usize;
        // A section is never empty, so that no frame stands for more messages than it has runs.
        if end <= at || end > bytes.len() {
            return Err(FrameError(
                "entries are cut into spaces in a wrong place".to_owned(),
            ));
        }
        let runs = Run::decode_all(&bytes.slice(at..end));
        let runs = runs.map_err(|error| FrameError(error.to_string()))?;
        room = room
            .checked_sub(runs.len())
            .ok_or_else(|| FrameError(format!("more than {} runs", Message::RUNS_MAX)))?;
        messages.push(Message::Entries {
            space: of,
            runs: runs.into(),
        });
        (at, of) = (end, next);
    }
    Ok(messages)
}

fn compress(bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    COMPRESSOR.with_borrow_mut(|kept| match kept {
        Some(compressor) => compressor.compress(bytes),
        None => kept.insert(Compressor::new(ZSTD_LEVEL)?).compress(bytes),
    })
}

fn decompress(packed: &[u8], length: usize) -> std::io::Result<Vec<u8>> {
    DECOMPRESSOR.with_borrow_mut(|kept| match kept {
        Some(decompressor) => decompressor.decompress(packed, length),
        None => kept.insert(Decompressor::new()?).decompress(packed, length),
    })
}

fn from_hello(hello: &Hello) -> wire::Hello {
    let optional = |hash: &Option<Hash>| {
        let bytes = hash.as_ref().map(|hash| copy(hash.as_bytes()));
        bytes.unwrap_or_default()
    };
    wire::Hello {
        // The first version is every program's until there is a second.
        versions: Some(&hello.versions)
            .filter(|versions| ***versions != [PROTOCOL_VERSION])
            .cloned()
            .unwrap_or_default(),
        node: hello
            .node
            .map(|node| copy(node.as_bytes()))
            .unwrap_or_default(),
        session_signature: copy(&hello.signature.0),
        since: optional(&hello.since),
        agreed: hello.agreed,
        changed: hello.changed.iter().map(from_changed).collect(),
        authority: heights(hello.authority.iter().flat_map(Heights::iter)),
        root: optional(&hello.root),
        receipts: hello.receipts,
        software: hello.software,
        clock_ms: now_ms(),
    }
}

fn to_hello(hello: wire::Hello) -> Result<Hello, FrameError> {
    let since = optional_hash(&hello.since)?;
    let is_difference = since.is_some() || hello.agreed;
    let authority = to_heights(&hello.authority)?
        .into_iter()
        .collect::<Heights>();
    let node = Some(&hello.node).filter(|node| !node.is_empty());
    Ok(Hello {
        versions: if hello.versions.is_empty() {
            vec![PROTOCOL_VERSION]
        } else {
            hello.versions
        },
        node: node
            .map(|node| array(node, "a node").map(NodeId::from_bytes))
            .transpose()?,
        signature: Signature(array(&hello.session_signature, "a signature")?),
        since,
        agreed: hello.agreed,
        authority: Some(authority).filter(|held| !is_difference || !held.is_empty()),
        root: optional_hash(&hello.root)?,
        receipts: hello.receipts,
        changed: hello
            .changed
            .iter()
            .map(to_changed)
            .collect::<Result<_, _>>()?,
        software: hello.software,
    })
}

fn from_changed((space, changed): &(SpaceId, Changed)) -> wire::SpaceChange {
    let (digest, changed) = match changed {
        Changed::Digest(digest) => (copy(digest.as_bytes()), Vec::new()),
        Changed::Heights(changed) => (Bytes::new(), heights(changed.iter().copied())),
    };
    wire::SpaceChange {
        space: copy(space.as_bytes()),
        digest,
        heights: changed,
    }
}

fn to_changed(said: &wire::SpaceChange) -> Result<(SpaceId, Changed), FrameError> {
    let changed = match optional_hash(&said.digest)? {
        Some(digest) => Changed::Digest(digest),
        None => Changed::Heights(to_heights(&said.heights)?),
    };
    Ok((space(&said.space)?, changed))
}

fn to_refusal(refused: wire::Refused) -> Result<Refusal, FrameError> {
    let known = u8::try_from(refused.reason)
        .ok()
        .and_then(RefusalReason::from_number);
    // A reason that only newer versions know is as final as the sender says.
    let unknown = if refused.retry {
        RefusalReason::Storage
    } else {
        RefusalReason::Grant
    };
    Ok(Refusal {
        space: space(&refused.space)?,
        feed: FeedName::from_bytes(array(&refused.feed, "a feed")?),
        number: refused.number,
        hash: hash(&refused.hash)?,
        reason: known.unwrap_or(unknown),
        version: refused.version,
    })
}

const fn from_goodbye(reason: Goodbye) -> wire::goodbye::Reason {
    match reason {
        Goodbye::Stopping => wire::goodbye::Reason::Stopping,
        Goodbye::Version => wire::goodbye::Reason::Version,
        Goodbye::Unproven => wire::goodbye::Reason::Unproven,
        Goodbye::NotAdmitted => wire::goodbye::Reason::NotAdmitted,
        Goodbye::Replaced => wire::goodbye::Reason::Replaced,
        Goodbye::Malformed => wire::goodbye::Reason::Malformed,
        Goodbye::Budget => wire::goodbye::Reason::Budget,
        Goodbye::Storage => wire::goodbye::Reason::Storage,
        Goodbye::Other => wire::goodbye::Reason::Unspecified,
    }
}

const fn to_goodbye(reason: wire::goodbye::Reason) -> Goodbye {
    match reason {
        wire::goodbye::Reason::Unspecified => Goodbye::Other,
        wire::goodbye::Reason::Stopping => Goodbye::Stopping,
        wire::goodbye::Reason::Version => Goodbye::Version,
        wire::goodbye::Reason::Unproven => Goodbye::Unproven,
        wire::goodbye::Reason::NotAdmitted => Goodbye::NotAdmitted,
        wire::goodbye::Reason::Replaced => Goodbye::Replaced,
        wire::goodbye::Reason::Malformed => Goodbye::Malformed,
        wire::goodbye::Reason::Budget => Goodbye::Budget,
        wire::goodbye::Reason::Storage => Goodbye::Storage,
    }
}

fn digests(spaces: &[(SpaceId, Hash)]) -> Vec<wire::SpaceDigest> {
    spaces
        .iter()
        .map(|(space, digest)| wire::SpaceDigest {
            space: copy(space.as_bytes()),
            digest: copy(digest.as_bytes()),
        })
        .collect()
}

fn to_digests(spaces: &[wire::SpaceDigest]) -> Result<Vec<(SpaceId, Hash)>, FrameError> {
    spaces
        .iter()
        .map(|said| Ok((space(&said.space)?, hash(&said.digest)?)))
        .collect()
}

fn heights(heights: impl Iterator<Item = (FeedName, Height)>) -> Vec<wire::Height> {
    heights
        .map(|(feed, height)| wire::Height {
            feed: copy(feed.as_bytes()),
            number: height.number,
            hash: copy(height.hash.as_bytes()),
            base: 0,
        })
        .collect()
}

/// Heights, each with the base of its feed, if it has one.
fn based(said: &[(FeedName, Height)], bases: &BTreeMap<FeedName, u64>) -> Vec<wire::Height> {
    let mut heights = heights(said.iter().copied());
    for ((feed, _), height) in said.iter().zip(&mut heights) {
        height.base = bases.get(feed).copied().unwrap_or(0);
    }
    heights
}

fn to_bases(heights: &[wire::Height]) -> Result<BTreeMap<FeedName, u64>, FrameError> {
    let based = heights.iter().filter(|said| said.base > 0);
    based
        .map(|said| {
            Ok((
                FeedName::from_bytes(array(&said.feed, "a feed")?),
                said.base,
            ))
        })
        .collect()
}

fn to_heights(heights: &[wire::Height]) -> Result<Vec<(FeedName, Height)>, FrameError> {
    heights
        .iter()
        .map(|said| {
            let feed = FeedName::from_bytes(array(&said.feed, "a feed")?);
            Ok((
                feed,
                Height {
                    number: said.number,
                    hash: hash(&said.hash)?,
                },
            ))
        })
        .collect()
}

fn points(points: &[Height]) -> Vec<wire::Point> {
    points
        .iter()
        .map(|point| wire::Point {
            number: point.number,
            hash: copy(point.hash.as_bytes()),
        })
        .collect()
}

fn to_points(points: &[wire::Point]) -> Result<Vec<Height>, FrameError> {
    points
        .iter()
        .map(|point| {
            Ok(Height {
                number: point.number,
                hash: hash(&point.hash)?,
            })
        })
        .collect()
}

fn space(bytes: &[u8]) -> Result<SpaceId, FrameError> {
    array(bytes, "a space").map(SpaceId::from_bytes)
}

fn hash(bytes: &[u8]) -> Result<Hash, FrameError> {
    array(bytes, "a hash").map(Hash::from_bytes)
}

fn optional_hash(bytes: &[u8]) -> Result<Option<Hash>, FrameError> {
    if bytes.is_empty() {
        Ok(None)
    } else {
        hash(bytes).map(Some)
    }
}

fn array<const N: usize>(bytes: &[u8], what: &str) -> Result<[u8; N], FrameError> {
    bytes
        .try_into()
        .map_err(|_| FrameError(format!("{what} of {} bytes instead of {N}", bytes.len())))
}

fn copy(bytes: &[u8]) -> Bytes {
    Bytes::copy_from_slice(bytes)
}
