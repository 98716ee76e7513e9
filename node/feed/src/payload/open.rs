//! The payloads of `open`, of a node and of the authority log.

use bytes::Bytes;

use super::{Nonce, PayloadError, check_count};
use crate::{
    DecodeError, Decoder, Encoder, FeedName, GrantId, Height, HubId, NetworkId, NodeId, PublicKey,
    SecretKey, Signature, SpaceId, Tag,
};

/// How many earlier feeds an `open` may list.
pub const EARLIER_FEEDS_MAX: usize = 4_096;

/// An `open` payload, of either form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Open {
    /// Of a node's feed.
    Node(NodeOpen),
    /// Of one term of the authority log.
    Authority(AuthorityOpen),
}

impl Open {
    const NODE: u8 = 1;
    const AUTHORITY: u8 = 2;

    /// Reads a payload; whether its signature holds is for `verify` of either form.
    ///
    /// # Errors
    /// [`PayloadError`] if its fields do not decode.
    pub fn decode(bytes: &[u8]) -> Result<Self, PayloadError> {
        let mut input = Decoder::new(bytes);
        let random = Nonce(input.array("the random bytes")?);
        let open = match input.u8("the form of the open")? {
            Self::NODE => Self::Node(NodeOpen::decode(random, &mut input)?),
            Self::AUTHORITY => Self::Authority(AuthorityOpen::decode(random, &mut input)?),
            _ => return Err(DecodeError::Value("the form of the open").into()),
        };
        input.end()?;
        Ok(open)
    }
}

/// Number 0 of a node's feed: the node's identity key says that the writer key is its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeOpen {
    /// The payload's own random bytes.
    pub random: Nonce,
    /// The hub that writes.
    pub hub: HubId,
    /// The node that writes.
    pub node: NodeId,
    /// The grant it writes under.
    pub grant: GrantId,
    /// Where this node's earlier feeds of the space end, as far as it knows. It informs only.
    pub earlier: Vec<(FeedName, Height)>,
    /// The identity key's signature.
    pub signature: Signature,
}

impl NodeOpen {
    /// Signs an open of the feed of `writer` in `space`.
    pub fn sign(
        network: NetworkId,
        space: SpaceId,
        writer: &PublicKey,
        identity: &SecretKey,
        (hub, grant): (HubId, GrantId),
        earlier: Vec<(FeedName, Height)>,
        random: Nonce,
    ) -> Self {
        let node = identity.public().node();
        let mut open = Self {
            random,
            hub,
            node,
            grant,
            earlier,
            signature: Signature([0; 64]),
        };
        let said = open.said();
        open.signature = identity.sign(
            Tag::Open,
            &[
                network.as_bytes(),
                space.as_bytes(),
                writer.as_bytes(),
                &said,
            ],
        );
        open
    }

    /// The payload's bytes.
    ///
    /// # Errors
    /// [`PayloadError::Count`] if it lists too many earlier feeds.
    pub fn encode(&self) -> Result<Bytes, PayloadError> {
        check_count("earlier feeds", self.earlier.len(), EARLIER_FEEDS_MAX)?;
        let mut out = Encoder::new();
        out.bytes(&self.random.0)
            .u8(Open::NODE)
            .bytes(&self.said())
            .bytes(&self.signature.0);
        Ok(out.finish())
    }

    /// Checks the identity key's signature for the feed of `writer` in `space`.
    ///
    /// # Errors
    /// [`PayloadError::Key`] if the node's key is not one or its signature does not hold.
    pub fn verify(
        &self,
        network: NetworkId,
        space: SpaceId,
        writer: &PublicKey,
    ) -> Result<(), PayloadError> {
        let parts: [&[u8]; 4] = [
            network.as_bytes(),
            space.as_bytes(),
            writer.as_bytes(),
            &self.said(),
        ];
        PublicKey::from_bytes(self.node.as_bytes())?.verify(Tag::Open, &parts, &self.signature)?;
        Ok(())
    }

    fn said(&self) -> Bytes {
        let mut out = Encoder::new();
        out.bytes(self.hub.as_bytes())
            .bytes(self.node.as_bytes())
            .bytes(self.grant.as_bytes());
        out.length(self.earlier.len());
        for (feed, height) in &self.earlier {
            out.bytes(feed.as_bytes())
                .u64(height.number)
                .bytes(height.hash.as_bytes());
        }
        out.finish()
    }

    fn decode(random: Nonce, input: &mut Decoder<'_>) -> Result<Self, PayloadError> {
        let hub = HubId::from_bytes(input.array("the hub")?);
        let node = NodeId::from_bytes(input.array("the node")?);
        let grant = GrantId::from_bytes(input.array("the grant")?);
        let count = input.length("the count of earlier feeds")?;
        check_count("earlier feeds", count, EARLIER_FEEDS_MAX)?;
        let mut earlier = Vec::new();
        for _ in 0..count {
            let feed = FeedName::from_bytes(input.array("an earlier feed")?);
            earlier.push((feed, Height::decode(input)?));
        }
        let signature = Signature(input.array("the signature")?);
        Ok(Self {
            random,
            hub,
            node,
            grant,
            earlier,
            signature,
        })
    }
}

/// Number 0 of one term of the authority log: the root key says who writes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthorityOpen {
    /// The payload's own random bytes.
    pub random: Nonce,
    /// The root key, whose hash is the network's id.
    pub root: [u8; 32],
    /// A higher term always wins.
    pub term: u64,
    /// The last entry of the earlier term that counts, and its writer; none in the first term.
    pub continues: Option<(FeedName, Height)>,
    /// The root key's signature.
    pub signature: Signature,
}

impl AuthorityOpen {
    /// Signs the open of a term written by `writer`.
    pub fn sign(
        root: &SecretKey,
        writer: &PublicKey,
        term: u64,
        continues: Option<(FeedName, Height)>,
        random: Nonce,
    ) -> Self {
        let public = root.public();
        let mut open = Self {
            random,
            root: *public.as_bytes(),
            term,
            continues,
            signature: Signature([0; 64]),
        };
        let said = open.said();
        open.signature = root.sign(
            Tag::AuthorityOpen,
            &[public.network().as_bytes(), writer.as_bytes(), &said],
        );
        open
    }

    /// The payload's bytes.
    pub fn encode(&self) -> Bytes {
        let mut out = Encoder::new();
        out.bytes(&self.random.0)
            .u8(Open::AUTHORITY)
            .bytes(&self.said())
            .bytes(&self.signature.0);
        out.finish()
    }

    /// Checks that the root key of `network` names `writer`.
    ///
    /// # Errors
    /// [`PayloadError::Elsewhere`] if the root key is another network's, [`PayloadError::Key`] if
    /// the signature does not hold.
    pub fn verify(&self, network: NetworkId, writer: &PublicKey) -> Result<(), PayloadError> {
        let root = PublicKey::from_bytes(&self.root)?;
        if root.network() != network {
            return Err(PayloadError::Elsewhere);
        }
        let parts: [&[u8]; 3] = [network.as_bytes(), writer.as_bytes(), &self.said()];
        root.verify(Tag::AuthorityOpen, &parts, &self.signature)?;
        Ok(())
    }

    fn said(&self) -> Bytes {
        let mut out = Encoder::new();
        out.bytes(&self.root).u64(self.term);
        match &self.continues {
            None => out.u8(0),
            Some((feed, height)) => out
                .u8(1)
                .bytes(feed.as_bytes())
                .u64(height.number)
                .bytes(height.hash.as_bytes()),
        };
        out.finish()
    }

    fn decode(random: Nonce, input: &mut Decoder<'_>) -> Result<Self, PayloadError> {
        let root = input.array("the root key")?;
        let term = input.u64("the term")?;
        let continues = match input.u8("the flag of an earlier term")? {
            0 => None,
            1 => {
                let feed = FeedName::from_bytes(input.array("the earlier term's feed")?);
                Some((feed, Height::decode(input)?))
            }
            _ => return Err(DecodeError::Value("the flag of an earlier term").into()),
        };
        let signature = Signature(input.array("the signature")?);
        Ok(Self {
            random,
            root,
            term,
            continues,
            signature,
        })
    }
}
