//! Between the session engine's messages and frames. Wire types go no further than this.

use std::sync::Arc;

use bytes::Bytes;
use node_feed::{
    Encoder, FeedName, Hash, Height, Heights, HubId, Incarnation, NodeId, Receipt, Refusal,
    RefusalReason, Retry, Run, Signature, SpaceId,
};
use node_sync::{Farewell, Goodbye, Hello, Message, SpaceHeights};
use proto::sync::v1 as wire;

use super::packer::Packer;
use crate::clock::now_ms;

/// The largest frame, encoded: a run of the largest payloads with room to spare.
pub(crate) const FRAME_BYTES_MAX: usize = 4 << 20;
/// The largest `packed` of entries once unpacked.
const UNPACKED_BYTES_MAX: usize = 8 << 20;
/// Quick, and enough for what is mostly hashes and deflated text.
const ZSTD_LEVEL: i32 = 1;

/// Why a frame is an offence.
#[derive(Debug, thiserror::Error)]
#[error("a frame that the protocol does not allow: {0}")]
pub(crate) struct FrameError(String);

/// The frame that carries `message`.
pub(crate) fn to_frame(message: &Message, packer: &Packer) -> wire::Frame {
    use wire::frame::Message as Wire;
    let message = match message {
        Message::Hello(hello) => Wire::Hello(from_hello(hello)),
        Message::Spaces(spaces) => Wire::Spaces(wire::Spaces {
            spaces: digests(spaces),
        }),
        Message::Heights(said) => Wire::Heights(wire::Heights {
            space: copy(said.space.as_bytes()),
            ask: said.ask,
            digest: copy(said.digest.as_bytes()),
            heights: heights(said.heights.iter().copied()),
            base_digest: said
                .base
                .map(|base| copy(base.as_bytes()))
                .unwrap_or_default(),
        }),
        Message::Entries { space, runs } => Wire::Entries(packer.pack(*space, runs)),
        Message::Acknowledged {
            space,
            digest,
            heights: changed,
            through,
        } => Wire::Acknowledged(wire::Acknowledged {
            space: copy(space.as_bytes()),
            digest: copy(digest.as_bytes()),
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
        Message::Receipts(receipts) => Wire::Receipts(wire::Receipts {
            receipts: receipts.iter().map(from_receipt).collect(),
        }),
        Message::ReceiptsHeld(held) => Wire::ReceiptsHeld(wire::ReceiptsHeld {
            receipts: held
                .iter()
                .map(|(space, node, time_ms)| wire::HeldReceipt {
                    space: copy(space.as_bytes()),
                    node: copy(node.as_bytes()),
                    time_ms: *time_ms,
                })
                .collect(),
        }),
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

/// The message that `frame` carries; none for a kind that only newer versions know.
///
/// # Errors
/// [`FrameError`] if a field has the wrong width or what it carries does not decode.
pub(crate) fn to_message(frame: wire::Frame) -> Result<Option<Message>, FrameError> {
    use wire::frame::Message as Wire;
    let Some(message) = frame.message else {
        return Ok(None);
    };
    Ok(Some(match message {
        Wire::Hello(hello) => Message::Hello(Box::new(to_hello(hello)?)),
        Wire::Spaces(spaces) => Message::Spaces(to_digests(&spaces.spaces)?),
        Wire::Heights(said) => Message::Heights(SpaceHeights {
            space: space(&said.space)?,
            base: optional_hash(&said.base_digest)?,
            digest: hash(&said.digest)?,
            heights: to_heights(&said.heights)?,
            ask: said.ask,
        }),
        Wire::Entries(entries) => Message::Entries {
            space: space(&entries.space)?,
            runs: unpack(&entries)?,
        },
        Wire::Acknowledged(said) => Message::Acknowledged {
            space: space(&said.space)?,
            digest: hash(&said.digest)?,
            heights: to_heights(&said.heights)?,
            through: said.through,
        },
        Wire::Refused(refused) => Message::Refused(to_refusal(refused)?),
        Wire::Receipts(receipts) => Message::Receipts(
            receipts
                .receipts
                .iter()
                .map(to_receipt)
                .collect::<Result<_, _>>()?,
        ),
        Wire::ReceiptsHeld(held) => Message::ReceiptsHeld(
            held.receipts
                .iter()
                .map(|held| {
                    let node = NodeId::from_bytes(array(&held.node, "a node")?);
                    Ok((space(&held.space)?, node, held.time_ms))
                })
                .collect::<Result<_, FrameError>>()?,
        ),
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
    }))
}

/// Entries, encoded and compressed.
pub(super) fn pack(space: SpaceId, runs: &[Run]) -> wire::Entries {
    let mut encoder = Encoder::new();
    for run in runs {
        run.encode(&mut encoder);
    }
    let bytes = encoder.finish();
    // Compressing into memory fails only for want of memory, which ends the process anyway; an
    // empty frame is then the peer's to refuse.
    let packed = zstd::bulk::compress(&bytes, ZSTD_LEVEL).unwrap_or_default();
    wire::Entries {
        space: copy(space.as_bytes()),
        packed: packed.into(),
        unpacked_length: u32::try_from(bytes.len()).unwrap_or(u32::MAX),
    }
}

fn unpack(entries: &wire::Entries) -> Result<Arc<[Run]>, FrameError> {
    let length = entries.unpacked_length as usize;
    if length > UNPACKED_BYTES_MAX {
        return Err(FrameError(format!(
            "{length} bytes of entries in one frame"
        )));
    }
    let bytes = zstd::bulk::decompress(&entries.packed, length)
        .map_err(|error| FrameError(format!("entries do not unpack: {error}")))?;
    if bytes.len() != length {
        return Err(FrameError(
            "entries unpack to another length than said".to_owned(),
        ));
    }
    let runs =
        Run::decode_all(&Bytes::from(bytes)).map_err(|error| FrameError(error.to_string()))?;
    Ok(runs.into())
}

fn from_hello(hello: &Hello) -> wire::Hello {
    wire::Hello {
        versions: hello.versions.clone(),
        node: copy(hello.node.as_bytes()),
        hub: copy(hello.hub.as_bytes()),
        incarnation: copy(hello.incarnation.as_bytes()),
        session_signature: copy(&hello.signature.0),
        authority_digest: copy(hello.authority_digest.as_bytes()),
        authority: heights(hello.authority.iter()),
        // Where nothing changed, the root is the one that both remember: said once.
        root: Some(hello.root)
            .filter(|root| hello.since != Some(*root))
            .map(|root| copy(root.as_bytes()))
            .unwrap_or_default(),
        since: hello
            .since
            .map(|since| copy(since.as_bytes()))
            .unwrap_or_default(),
        changed: digests(&hello.changed),
        software: hello.software.clone(),
        receipts: copy(hello.receipts.as_bytes()),
        clock_ms: now_ms(),
    }
}

fn to_hello(hello: wire::Hello) -> Result<Hello, FrameError> {
    let since = optional_hash(&hello.since)?;
    let root = optional_hash(&hello.root)?.or(since);
    Ok(Hello {
        node: NodeId::from_bytes(array(&hello.node, "a node")?),
        hub: HubId::from_bytes(array(&hello.hub, "a hub")?),
        incarnation: Incarnation::from_bytes(array(&hello.incarnation, "an incarnation")?),
        signature: Signature(array(&hello.session_signature, "a signature")?),
        authority_digest: hash(&hello.authority_digest)?,
        authority: to_heights(&hello.authority)?.into_iter().collect(),
        root: root.ok_or_else(|| FrameError("a Hello without a root".to_owned()))?,
        receipts: hash(&hello.receipts)?,
        since,
        changed: to_digests(&hello.changed)?,
        versions: hello.versions,
        software: hello.software,
    })
}

fn from_receipt(receipt: &Receipt) -> wire::Receipt {
    wire::Receipt {
        space: copy(receipt.space.as_bytes()),
        node: copy(receipt.node.as_bytes()),
        time_ms: receipt.time_ms,
        heights: heights(receipt.heights.iter()),
        signature: copy(&receipt.signature.0),
    }
}

fn to_receipt(receipt: &wire::Receipt) -> Result<Receipt, FrameError> {
    Ok(Receipt {
        space: space(&receipt.space)?,
        node: NodeId::from_bytes(array(&receipt.node, "a node")?),
        time_ms: receipt.time_ms,
        heights: to_heights(&receipt.heights)?
            .into_iter()
            .collect::<Heights>(),
        signature: Signature(array(&receipt.signature, "a signature")?),
    })
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
