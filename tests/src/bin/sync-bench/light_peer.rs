//! The other end of a session without a store: it proves who it is, counts and sends frames, and
//! takes nothing in. What it measures is the coordinator alone.

use std::cell::RefCell;
use std::collections::BTreeMap;

use anyhow::{Context as _, bail, ensure};
use bytes::Bytes;
use node::tls::{Address, Connector};
use node_feed::{Encoder, Heights, NetworkId, Run, SpaceId, root_digest};
use node_sync::{PROTOCOL_VERSION, session_signature, software_mark};
use proto::sync::v1::frame::Message;
use proto::sync::v1::sync_client::SyncClient;
use proto::sync::v1::{Acknowledged, Entries, Frame, Height, Hello};
use tokio::sync::mpsc;
use tokio_stream::wrappers::UnboundedReceiverStream;
use tonic::Streaming;
use zstd::bulk::Decompressor;

use crate::founding::Seat;

const FRAME_BYTES_MAX: usize = 4 << 20;

/// How many bytes a section of a frame with entries has.
const SECTION_BYTES: usize = 20;

/// A session.
pub(crate) struct LightPeer {
    outgoing: mpsc::UnboundedSender<Frame>,
    incoming: Streaming<Frame>,
    sent: u64,
    received: u64,
}

impl LightPeer {
    /// Opens a session as the node in `seat`, which holds the authority log as far as `authority`
    /// says and nothing else.
    pub(crate) async fn connect(
        seat: &Seat,
        address: &Address,
        authority: &Heights,
    ) -> anyhow::Result<Self> {
        let credentials = Some(&seat.enrolled.credentials);
        let connector = Connector::new(address.clone(), &seat.authority_pem, credentials)?;
        let connection = connector.connect().await?;
        let (outgoing, frames) = mpsc::unbounded_channel();
        let hello = hello(seat, &connection.info.exporter, authority);
        outgoing.send(Frame {
            message: Some(Message::Hello(hello)),
        })?;
        let mut client = SyncClient::new(connection.channel)
            .max_decoding_message_size(FRAME_BYTES_MAX)
            .max_encoding_message_size(FRAME_BYTES_MAX);
        let incoming = client
            .session(UnboundedReceiverStream::new(frames))
            .await?
            .into_inner();
        let mut peer = Self {
            outgoing,
            incoming,
            sent: 1,
            received: 0,
        };
        let first = peer.next().await?;
        if let Message::Goodbye(farewell) = &first {
            bail!("the coordinator refuses: {}", farewell.text);
        }
        ensure!(
            matches!(first, Message::Hello(_)),
            "the coordinator does not begin with a Hello"
        );
        Ok(peer)
    }

    /// The next message, acknowledged as far as that makes room for more.
    pub(crate) async fn next(&mut self) -> anyhow::Result<Message> {
        let frame = self
            .incoming
            .message()
            .await?
            .context("the coordinator ended the session")?;
        let message = frame.message.context("a frame of a newer version")?;
        self.received += 1;
        if let Message::Entries(entries) = &message {
            self.received += (entries.sections.len() / SECTION_BYTES) as u64;
        }
        let space = match &message {
            Message::Entries(entries) => Some(&entries.space),
            Message::Receipts(receipts) => receipts.receipts.first().map(|first| &first.space),
            Message::Hello(_)
            | Message::Spaces(_)
            | Message::Heights(_)
            | Message::Acknowledged(_)
            | Message::Refused(_)
            | Message::ReceiptsHeld(_)
            | Message::CopyOffer(_)
            | Message::Copy(_)
            | Message::Probe(_)
            | Message::Common(_)
            | Message::Goodbye(_) => None,
        };
        if let Some(space) = space.cloned() {
            let through = self.received;
            // No heights: nothing is held.
            let digest = Bytes::from_static(&[0; 32]);
            let answer = Acknowledged {
                space,
                digest,
                heights: Vec::new(),
                through,
            };
            self.say(Message::Acknowledged(answer))?;
        }
        Ok(message)
    }

    /// Sends a message and returns its number.
    pub(crate) fn say(&mut self, message: Message) -> anyhow::Result<u64> {
        self.outgoing
            .send(Frame {
                message: Some(message),
            })
            .context("the session has ended")?;
        self.sent += 1;
        Ok(self.sent)
    }
}

/// A message with one run.
pub(crate) fn entries(space: SpaceId, run: &Run) -> anyhow::Result<Entries> {
    let mut encoder = Encoder::new();
    run.encode(&mut encoder);
    let bytes = encoder.finish();
    Ok(Entries {
        space: Bytes::copy_from_slice(space.as_bytes()),
        sections: Bytes::new(),
        packed: zstd::bulk::compress(&bytes, 1)?.into(),
        unpacked_length: u32::try_from(bytes.len())?,
    })
}

thread_local! {
    static DECOMPRESSOR: RefCell<Option<Decompressor<'static>>> = const { RefCell::new(None) };
}

/// How many entries a message has.
pub(crate) fn count(entries: &Entries) -> anyhow::Result<usize> {
    let length = entries.unpacked_length as usize;
    let bytes = DECOMPRESSOR.with_borrow_mut(|kept| match kept {
        Some(decompressor) => decompressor.decompress(&entries.packed, length),
        None => kept
            .insert(Decompressor::new()?)
            .decompress(&entries.packed, length),
    })?;
    let runs = Run::decode_all(&bytes.into())?;
    Ok(runs.iter().map(|run| run.entries.len()).sum())
}

fn hello(seat: &Seat, exporter: &[u8; 32], authority: &Heights) -> Hello {
    let network: NetworkId = seat.enrolled.network;
    let log = SpaceId::authority(network);
    let root = root_digest(&BTreeMap::from([(log, authority.digest(log))]));
    let copy = Bytes::copy_from_slice;
    Hello {
        versions: vec![PROTOCOL_VERSION],
        node: copy(seat.identity.public().node().as_bytes()),
        session_signature: copy(&session_signature(&seat.identity, network, exporter, true).0),
        authority: authority
            .iter()
            .map(|(feed, height)| Height {
                feed: copy(feed.as_bytes()),
                number: height.number,
                hash: copy(height.hash.as_bytes()),
                base: 0,
            })
            .collect(),
        root: copy(root.as_bytes()),
        since: Bytes::new(),
        agreed: false,
        changed: Vec::new(),
        software: software_mark("sync-bench"),
        receipts: 0,
        clock_ms: 0,
    }
}
