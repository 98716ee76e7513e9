//! The other end of a session without a store or a conscience: it is connected by invitation,
//! proves who it is, and then sends whatever it is told to.

mod frames;
mod newer;

use std::collections::BTreeMap;

use anyhow::{Context as _, bail, ensure};
use bytes::Bytes;
use node::clock::now_ms;
use node::enrolment::{Enrolled, Invitation, enrol};
use node::tls::Connector;
use node_feed::{
    CopyOffer, CopyPiece, Encoder, Entry, GrantId, Heights, Kind, NodeOpen, Nonce, Run, SecretKey,
    SpaceId, Subject, root_digest,
};
use node_sync::{PROTOCOL_VERSION, session_signature, software_mark};
use prost::Message as _;
use proto::sync::v1::frame::Message;
use proto::sync::v1::{self as wire, Acknowledged, Entries, Frame, Height, Hello, Refused};
use tokio::sync::mpsc;
use tokio_stream::wrappers::UnboundedReceiverStream;
use tonic::Streaming;
use tonic::codegen::http::uri::PathAndQuery;

use self::frames::Frames;

/// Where a session is asked for.
const SESSION: &str = "/causeway.sync.v1.Sync/Session";
/// How many bytes a section of a frame with entries has.
const SECTION_BYTES: usize = 20;

/// A node that was connected, and that is nothing but its keys.
#[derive(Debug)]
pub struct Seat {
    identity: SecretKey,
    enrolled: Enrolled,
    invitation: Invitation,
}

/// A session of it.
#[derive(Debug)]
pub struct BarePeer {
    outgoing: mpsc::UnboundedSender<Bytes>,
    incoming: Streaming<Frame>,
    received: u64,
    /// Whether it speaks as a program of a later version would.
    newer: bool,
}

/// A feed that it writes.
#[derive(Debug)]
pub struct BareFeed {
    /// Its writer key.
    pub key: SecretKey,
    /// The space.
    pub space: SpaceId,
    network: node_feed::NetworkId,
    tip: Option<node_feed::Height>,
}

impl Seat {
    /// Connects a new node with an invitation.
    ///
    /// # Errors
    /// Why it was refused.
    pub async fn take(invitation: Invitation) -> anyhow::Result<Self> {
        let identity = SecretKey::from_seed(&node::random::<32>());
        let enrolled = enrol(&invitation, &identity, now_ms()).await?;
        Ok(Self {
            identity,
            enrolled,
            invitation,
        })
    }

    /// The node.
    pub fn node(&self) -> node_feed::NodeId {
        self.identity.public().node()
    }

    /// The network.
    pub const fn network(&self) -> node_feed::NetworkId {
        self.enrolled.network
    }

    /// Its hub.
    pub const fn hub(&self) -> node_feed::HubId {
        self.enrolled.hub
    }

    /// Opens a session, as a node that holds the authority log as far as `authority` says.
    ///
    /// # Errors
    /// The reason that the other end gives.
    pub async fn open(&self, authority: &Heights) -> anyhow::Result<BarePeer> {
        self.open_as(authority, false).await
    }

    /// The same as a program of a later version: it speaks one more version of the protocol, and every
    /// frame, and what is in it, has fields that nobody knows yet.
    ///
    /// # Errors
    /// The reason that the other end gives.
    pub async fn open_newer(&self, authority: &Heights) -> anyhow::Result<BarePeer> {
        self.open_as(authority, true).await
    }

    async fn open_as(&self, authority: &Heights, newer: bool) -> anyhow::Result<BarePeer> {
        let Invitation {
            address,
            authority_pem,
            ..
        } = &self.invitation;
        let credentials = Some(&self.enrolled.credentials);
        let connector = Connector::new(address.clone(), authority_pem, credentials)?;
        let connection = connector.connect().await?;
        let (outgoing, frames) = mpsc::unbounded_channel();
        let mut hello = self.hello(&connection.info.exporter, authority);
        if newer {
            hello.versions.insert(0, PROTOCOL_VERSION + 1);
        }
        outgoing.send(encoded(Message::Hello(hello), newer))?;
        let mut client = tonic::client::Grpc::new(connection.channel);
        client.ready().await?;
        let frames = tonic::Request::new(UnboundedReceiverStream::new(frames));
        let frames = client.streaming(frames, PathAndQuery::from_static(SESSION), Frames);
        let frames = frames.await;
        let incoming = match frames {
            Ok(frames) => frames.into_inner(),
            Err(status) => bail!("{}", status.message()),
        };
        let mut peer = BarePeer {
            outgoing,
            incoming,
            received: 0,
            newer,
        };
        let first = peer.next().await?;
        if let Message::Goodbye(farewell) = &first {
            bail!("{}", farewell.text);
        }
        ensure!(
            matches!(first, Message::Hello(_)),
            "the other end does not begin with a Hello"
        );
        Ok(peer)
    }

    /// A feed in `space` under `grant`, and its first run, which opens it.
    ///
    /// # Errors
    /// If it cannot be signed.
    pub fn feed(&self, space: SpaceId, grant: GrantId) -> anyhow::Result<(BareFeed, Run)> {
        let mut feed = BareFeed {
            key: SecretKey::from_seed(&node::random::<32>()),
            space,
            network: self.enrolled.network,
            tip: None,
        };
        let open = NodeOpen::sign(
            feed.network,
            space,
            &feed.key.public(),
            &self.identity,
            (self.enrolled.hub, grant),
            Vec::new(),
            Nonce(node::random()),
        );
        let open = Entry {
            time_ms: now_ms(),
            kind: Kind::OPEN,
            subject: Subject::NONE,
            payload: open.encode()?,
        };
        let run = feed.sign(vec![open])?;
        Ok((feed, run))
    }

    fn hello(&self, exporter: &[u8; 32], authority: &Heights) -> Hello {
        let network = self.enrolled.network;
        let copy = Bytes::copy_from_slice;
        let log = SpaceId::authority(network);
        let root = root_digest(&BTreeMap::from([(log, authority.digest(log))]));
        let signature = session_signature(&self.identity, network, exporter, true);
        let heights = authority.iter().map(|(feed, height)| Height {
            feed: copy(feed.as_bytes()),
            number: height.number,
            hash: copy(height.hash.as_bytes()),
            base: 0,
        });
        Hello {
            versions: vec![PROTOCOL_VERSION],
            node: copy(self.node().as_bytes()),
            session_signature: copy(&signature.0),
            authority: heights.collect(),
            root: copy(root.as_bytes()),
            since: Bytes::new(),
            agreed: false,
            changed: Vec::new(),
            software: software_mark("bare peer"),
            receipts: 0,
            clock_ms: now_ms(),
        }
    }
}

impl BareFeed {
    /// Its last entry.
    pub const fn tip(&self) -> Option<node_feed::Height> {
        self.tip
    }

    /// Signs entries as the next of this feed.
    ///
    /// # Errors
    /// If they are too many or too large.
    pub fn sign(&mut self, entries: Vec<Entry>) -> anyhow::Result<Run> {
        let run = Run::sign(self.network, self.space, &self.key, self.tip, entries)?;
        self.tip = Some(run.last());
        Ok(run.as_run().clone())
    }
}

impl BarePeer {
    /// Sends a run, as it is.
    ///
    /// # Errors
    /// If the session has ended.
    pub fn send(&self, space: SpaceId, run: &Run) -> anyhow::Result<()> {
        let mut encoder = Encoder::new();
        run.encode(&mut encoder);
        let bytes = encoder.finish();
        self.say(Message::Entries(Entries {
            space: Bytes::copy_from_slice(space.as_bytes()),
            sections: Bytes::new(),
            packed: zstd::bulk::compress(&bytes, 1)?.into(),
            unpacked_length: u32::try_from(bytes.len())?,
        }))
    }

    /// Sends a frame with a space that is too short to be one.
    ///
    /// # Errors
    /// If the session has ended.
    pub fn send_malformed(&self) -> anyhow::Result<()> {
        self.say(Message::Entries(Entries {
            space: Bytes::from_static(b"short"),
            ..Entries::default()
        }))
    }

    /// Sends a run, and waits for the refusal.
    ///
    /// # Errors
    /// If it is not refused, or the session ends.
    pub async fn refused(&mut self, space: SpaceId, run: &Run) -> anyhow::Result<Refused> {
        self.send(space, run)?;
        loop {
            let message = self.next().await?;
            if let Message::Goodbye(farewell) = &message {
                bail!("{}", farewell.text);
            }
            if let Message::Refused(refused) = message {
                return Ok(refused);
            }
        }
    }

    /// Offers a first copy of the feed of this checkpoint and sends all of it as soon as it is taken:
    /// what comes before the documents, and the documents. Returns whether it was then declined.
    ///
    /// # Errors
    /// If the session ends, or the offer is not taken.
    pub async fn copy(
        &mut self,
        offer: &CopyOffer,
        head: &[CopyPiece],
        documents: &[CopyPiece],
    ) -> anyhow::Result<bool> {
        self.begin_copy(offer, head, documents).await?;
        let space = Bytes::copy_from_slice(offer.space.as_bytes());
        let said = self.heights(&space, |said| said.copy.is_none()).await?;
        Ok(said.whole)
    }

    /// The same up to where all of it is sent.
    ///
    /// # Errors
    /// If the session ends, or the offer is not taken.
    pub async fn begin_copy(
        &mut self,
        offer: &CopyOffer,
        head: &[CopyPiece],
        documents: &[CopyPiece],
    ) -> anyhow::Result<()> {
        let space = Bytes::copy_from_slice(offer.space.as_bytes());
        let id = offer.bases.digest(offer.space);
        let bases = offer.bases.iter().map(|(feed, height)| Height {
            feed: Bytes::copy_from_slice(feed.as_bytes()),
            number: height.number,
            hash: Bytes::copy_from_slice(height.hash.as_bytes()),
            base: 0,
        });
        self.say(Message::CopyOffer(wire::CopyOffer {
            space: space.clone(),
            bases: bases.collect(),
            documents: offer.documents,
        }))?;
        self.heights(&space, |said| {
            said.copy.as_ref().is_some_and(|copy| copy.open)
        })
        .await?;
        for (pieces, ends) in [(head, true), (documents, false)] {
            let mut encoder = Encoder::new();
            pieces.iter().for_each(|piece| piece.encode(&mut encoder));
            let bytes = encoder.finish();
            self.say(Message::Copy(wire::Copy {
                space: space.clone(),
                id: Bytes::copy_from_slice(id.as_bytes()),
                before: 0,
                packed: zstd::bulk::compress(&bytes, 1)?.into(),
                unpacked_length: u32::try_from(bytes.len())?,
                ends,
            }))?;
        }
        Ok(())
    }

    /// The next heights of a space of which this is true.
    async fn heights(
        &mut self,
        space: &Bytes,
        is_wanted: impl Fn(&wire::Heights) -> bool,
    ) -> anyhow::Result<wire::Heights> {
        loop {
            let message = self.next().await?;
            if let Message::Goodbye(farewell) = &message {
                bail!("{}", farewell.text);
            }
            if let Message::Heights(said) = message
                && said.space == *space
                && is_wanted(&said)
            {
                return Ok(said);
            }
        }
    }

    /// The sentence with which the other end says goodbye.
    ///
    /// # Errors
    /// If it ends the session without one.
    pub async fn farewell(&mut self) -> anyhow::Result<String> {
        loop {
            if let Message::Goodbye(farewell) = self.next().await? {
                return Ok(farewell.text);
            }
        }
    }

    /// The next message, acknowledged as far as that makes room for more.
    async fn next(&mut self) -> anyhow::Result<Message> {
        let frame = self.incoming.message().await?;
        let frame = frame.context("the other end ended the session")?;
        let message = frame.message.context("a frame of a newer version")?;
        self.received += 1;
        if let Message::Entries(entries) = &message {
            self.received += (entries.sections.len() / SECTION_BYTES) as u64;
            let answer = Acknowledged {
                space: entries.space.clone(),
                // Nothing is held.
                digest: Bytes::from_static(&[0; 32]),
                heights: Vec::new(),
                through: self.received,
            };
            // What was sent before the session ended can still be read.
            let _ended = self.say(Message::Acknowledged(answer));
        }
        Ok(message)
    }

    /// Sends a message, as it is.
    ///
    /// # Errors
    /// If the session has ended.
    pub fn say(&self, message: Message) -> anyhow::Result<()> {
        let frame = encoded(message, self.newer);
        self.outgoing.send(frame).context("the session has ended")
    }

    /// Sends a frame of a kind that nobody knows yet.
    ///
    /// # Errors
    /// If the session has ended.
    pub fn say_unknown(&self) -> anyhow::Result<()> {
        let frame = newer::unknown_frame();
        self.outgoing.send(frame).context("the session has ended")
    }

    /// Waits until the other end says that it has dealt with so many of this peer's frames.
    ///
    /// # Errors
    /// If the session ends before.
    pub async fn acknowledged(&mut self, through: u64) -> anyhow::Result<()> {
        loop {
            let message = self.next().await?;
            if let Message::Goodbye(farewell) = &message {
                bail!("{}", farewell.text);
            }
            if let Message::Acknowledged(said) = message
                && said.through >= through
            {
                return Ok(());
            }
        }
    }
}

/// A frame as it goes over the wire.
fn encoded(message: Message, newer: bool) -> Bytes {
    if newer {
        return newer::frame(&message);
    }
    let message = Some(message);
    Frame { message }.encode_to_vec().into()
}
