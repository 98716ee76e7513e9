//! What an entry of the authority log says.

use bytes::Bytes;

use crate::{DecodeError, Decoder, Encoder, Height, HubId, NodeId, Nonce, SpaceId};

/// What a hub may do in a space.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Access {
    /// Receive what is there.
    Read = 1,
    /// Receive and add.
    Write = 2,
}

/// What a space is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum SpaceKind {
    /// Travels among one hub's nodes alone.
    Hub = 1,
    /// A hub and the coordinator, or two hubs with the coordinator as relay.
    Pair = 2,
    /// The hubs of one collaborative project.
    Project = 3,
    /// The national forum.
    Forum = 4,
    /// Every hub.
    Network = 5,
}

impl SpaceKind {
    /// The kind's name, as commands write it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hub => "hub",
            Self::Pair => "pair",
            Self::Project => "project",
            Self::Forum => "forum",
            Self::Network => "network",
        }
    }
}

/// Where one writer's entries stop counting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeedCut {
    /// The space.
    pub space: SpaceId,
    /// The feed's writer key.
    pub writer: [u8; 32],
    /// The last entry that counts; it and its ancestors do.
    pub last: Height,
}

/// Whose writing a cut ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CutTarget {
    /// A hub's access to one space.
    Grant(HubId, SpaceId),
    /// All access of a hub.
    Hub(HubId),
    /// One node, for good.
    Node(NodeId),
}

/// The end of what a hub or node may write: a feed that is not listed counts as empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cut {
    /// Whose writing ends.
    pub target: CutTarget,
    /// Why, in words for the hub's administrator.
    pub reason: String,
    /// Where each feed ends.
    pub feeds: Vec<FeedCut>,
}

/// One fact of the authority log: the payload of a `grant` entry, after its random bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fact {
    /// A hub takes part under this code and name.
    Hub {
        /// Its id.
        hub: HubId,
        /// Its code, a label that may change.
        code: String,
        /// Its name.
        name: String,
    },
    /// A node belongs to a hub.
    Node {
        /// The hub.
        hub: HubId,
        /// The node's identity key.
        node: NodeId,
    },
    /// A space exists.
    Space {
        /// Its id.
        space: SpaceId,
        /// What it is for.
        kind: SpaceKind,
        /// What people call it.
        title: String,
    },
    /// A hub may read, or read and write, a space. The entry's hash is the grant's id.
    Grant {
        /// The space.
        space: SpaceId,
        /// The hub.
        hub: HubId,
        /// What it may do.
        access: Access,
    },
    /// A hub's or node's writing ends.
    Cut(Cut),
    /// The authority that signs nodes' certificates, as DER.
    Certificates {
        /// The certificate.
        authority: Bytes,
    },
    /// A fact that only newer versions know: carried, without effect here. Only decoding makes
    /// one; what it says stays in the entry, so it must not be encoded again.
    Unknown(u8),
}

impl Fact {
    /// The payload of the `grant` entry that says it.
    pub fn encode(&self, random: Nonce) -> Bytes {
        let mut out = Encoder::new();
        out.bytes(&random.0);
        match self {
            Self::Hub { hub, code, name } => {
                out.u8(1).bytes(hub.as_bytes()).text(code).text(name);
            }
            Self::Node { hub, node } => {
                out.u8(2).bytes(hub.as_bytes()).bytes(node.as_bytes());
            }
            Self::Space { space, kind, title } => {
                out.u8(3)
                    .bytes(space.as_bytes())
                    .u8(*kind as u8)
                    .text(title);
            }
            Self::Grant { space, hub, access } => {
                out.u8(4)
                    .bytes(space.as_bytes())
                    .bytes(hub.as_bytes())
                    .u8(*access as u8);
            }
            Self::Cut(cut) => {
                out.u8(5);
                cut.encode(&mut out);
            }
            Self::Certificates { authority } => {
                out.u8(6).length(authority.len()).bytes(authority);
            }
            Self::Unknown(number) => {
                out.u8(*number);
            }
        }
        out.finish()
    }

    /// Reads the payload of a `grant` entry.
    ///
    /// # Errors
    /// [`DecodeError`] if a fact of a known number does not decode; such an entry has no effect.
    pub fn decode(payload: &[u8]) -> Result<Self, DecodeError> {
        let mut input = Decoder::new(payload);
        input.take(16, "the random bytes")?;
        let fact = match input.u8("the fact's number")? {
            1 => Self::Hub {
                hub: HubId::from_bytes(input.array("the hub")?),
                code: input.text("the hub's code")?,
                name: input.text("the hub's name")?,
            },
            2 => Self::Node {
                hub: HubId::from_bytes(input.array("the hub")?),
                node: NodeId::from_bytes(input.array("the node")?),
            },
            3 => Self::Space {
                space: SpaceId::from_bytes(input.array("the space")?),
                kind: space_kind(input.u8("the space's kind")?)?,
                title: input.text("the space's title")?,
            },
            4 => Self::Grant {
                space: SpaceId::from_bytes(input.array("the space")?),
                hub: HubId::from_bytes(input.array("the hub")?),
                access: match input.u8("the access")? {
                    1 => Access::Read,
                    2 => Access::Write,
                    _ => return Err(DecodeError::Value("the access")),
                },
            },
            5 => Self::Cut(Cut::decode(&mut input)?),
            6 => {
                let length = input.length("the certificate's length")?;
                let authority = Bytes::copy_from_slice(input.take(length, "the certificate")?);
                Self::Certificates { authority }
            }
            // What follows is a newer version's to read.
            number => return Ok(Self::Unknown(number)),
        };
        input.end()?;
        Ok(fact)
    }
}

impl Cut {
    fn encode(&self, out: &mut Encoder) {
        match &self.target {
            CutTarget::Grant(hub, space) => {
                out.u8(1).bytes(hub.as_bytes()).bytes(space.as_bytes());
            }
            CutTarget::Hub(hub) => {
                out.u8(2).bytes(hub.as_bytes());
            }
            CutTarget::Node(node) => {
                out.u8(3).bytes(node.as_bytes());
            }
        }
        out.text(&self.reason).length(self.feeds.len());
        for feed in &self.feeds {
            out.bytes(feed.space.as_bytes()).bytes(&feed.writer);
            out.u64(feed.last.number).bytes(feed.last.hash.as_bytes());
        }
    }

    fn decode(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        let target = match input.u8("the cut's target")? {
            1 => CutTarget::Grant(
                HubId::from_bytes(input.array("the hub")?),
                SpaceId::from_bytes(input.array("the space")?),
            ),
            2 => CutTarget::Hub(HubId::from_bytes(input.array("the hub")?)),
            3 => CutTarget::Node(NodeId::from_bytes(input.array("the node")?)),
            _ => return Err(DecodeError::Value("the cut's target")),
        };
        let reason = input.text("the reason")?;
        let count = input.length("the count of feeds")?;
        let mut feeds = Vec::new();
        for _ in 0..count {
            let space = SpaceId::from_bytes(input.array("a feed's space")?);
            let writer = input.array("a feed's writer")?;
            feeds.push(FeedCut {
                space,
                writer,
                last: Height::decode(input)?,
            });
        }
        Ok(Self {
            target,
            reason,
            feeds,
        })
    }
}

const fn space_kind(number: u8) -> Result<SpaceKind, DecodeError> {
    Ok(match number {
        1 => SpaceKind::Hub,
        2 => SpaceKind::Pair,
        3 => SpaceKind::Project,
        4 => SpaceKind::Forum,
        5 => SpaceKind::Network,
        _ => return Err(DecodeError::Value("the space's kind")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fact_that_is_cut_off_goes_on_or_means_nothing_is_none() {
        let fact = Fact::Grant {
            space: SpaceId::from_bytes([1; 16]),
            hub: HubId::from_bytes([2; 8]),
            access: Access::Write,
        };
        let payload = fact.encode(Nonce([3; 16]));
        for end in 0..payload.len() {
            assert!(Fact::decode(&payload[..end]).is_err(), "{end}");
        }
        let longer = [&payload[..], &[0]].concat();
        assert_eq!(Fact::decode(&longer), Err(DecodeError::Trailing(1)));
        let mut senseless = payload.to_vec();
        *senseless.last_mut().expect("not empty") = 3;
        assert_eq!(
            Fact::decode(&senseless),
            Err(DecodeError::Value("the access"))
        );
        senseless[16] = 99;
        assert_eq!(Fact::decode(&senseless), Ok(Fact::Unknown(99)));
    }

    #[test]
    fn a_count_costs_nothing_before_what_it_counts_is_there() {
        let mut out = Encoder::new();
        out.bytes(&[0; 16]).u8(5).u8(2).bytes(&[0; 8]).text("");
        out.u32(u32::MAX);
        assert_eq!(
            Fact::decode(&out.finish()),
            Err(DecodeError::Ends("a feed's space"))
        );
    }
}
