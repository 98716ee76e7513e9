//! What two engines say to each other. docs/protocol.md and sync.proto say how it is written.

use std::collections::BTreeMap;
use std::sync::Arc;

use node_feed::{
    CopyOffer, CopySlice, FeedName, Hash, Height, Heights, NetworkId, NodeId, Refusal, Run,
    SecretKey, Signature, SpaceId, Tag,
};

use crate::{CopyHeld, SaidReceipt};

/// The version of the protocol that this engine speaks.
pub const PROTOCOL_VERSION: u32 = 1;

/// One message of a session. Each is a frame; the frames of one direction are numbered from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// Says who speaks and sums up what it holds. The first message of either end.
    Hello(Box<Hello>),
    /// What the Hello left out; said by the dialling end if the other does not remember the
    /// `since` of its Hello.
    Spaces {
        /// The digest of every shared space that has any entry.
        digests: Vec<(SpaceId, Hash)>,
        /// The authority log's heights, whole.
        authority: Heights,
    },
    /// How far the sender holds the feeds of one space.
    Heights(SpaceHeights),
    /// Runs of one space, in the sender's arrival order. Shared, so that one encoding can serve
    /// all receivers.
    Entries {
        /// The space.
        space: SpaceId,
        /// The runs, at most [`Message::RUNS_MAX`].
        runs: Arc<[Run]>,
    },
    /// Offers a first copy, in the place of many entries. The answer are heights, which say whether
    /// it is taken, and from where on.
    CopyOffer(CopyOffer),
    /// A part of a first copy.
    Copy(CopySlice),
    /// What became durable at the sender; also the answer to receipts.
    Acknowledged {
        /// The space.
        space: SpaceId,
        /// The digest of all the sender's heights of the space; zero where it says nothing of the
        /// space, and only makes room.
        digest: Hash,
        /// The heights of the feeds that the entries were of. Left out where the sender, by all
        /// that it knows, now holds just what the receiver does.
        heights: Vec<(FeedName, Height)>,
        /// The number of the last frame that the sender has dealt with, along with all before it.
        through: u64,
    },
    /// An entry did not pass carriage. `retry` and the text on the wire follow from the reason. The
    /// version has at most [`Message::VERSION_BYTES_MAX`] bytes.
    Refused(Refusal),
    /// Signed words of nodes on what they hold, in rising order of space and node. The heights of
    /// all, rebuilt, are at most [`Message::RECEIPT_HEIGHTS_MAX`].
    Receipts(Vec<SaidReceipt>),
    /// The time of each receipt that the sender holds of these spaces: of all that are shared, after
    /// the Hellos, if their digests of receipts differ; later of those of which it could not rebuild
    /// a receipt. The receiver sends those that it has later.
    ReceiptsHeld(BTreeMap<SpaceId, BTreeMap<NodeId, u64>>),
    /// Points of all the sender's feeds of one writer: which of them does the receiver hold?
    Probe {
        /// The space.
        space: SpaceId,
        /// The writer key.
        writer: [u8; 32],
        /// The points, at most [`Message::POINTS_MAX`].
        points: Vec<Height>,
    },
    /// The points of a probe that the sender holds. Both ends then send all of this writer that
    /// does not lead to one of them.
    Common {
        /// The space.
        space: SpaceId,
        /// The writer key.
        writer: [u8; 32],
        /// The points held.
        points: Vec<Height>,
    },
    /// The last message of a session.
    Goodbye(Farewell),
}

impl Message {
    /// How many runs one message may have: checking a run costs a signature, however small it is.
    pub const RUNS_MAX: usize = 4_096;
    /// How many bytes the name and version of a program may have that refuses something.
    pub const VERSION_BYTES_MAX: usize = 256;
    /// How many points a probe may have.
    pub const POINTS_MAX: usize = 4_096;
    /// How many feeds one first copy may be of. A holder says them with its heights.
    pub const COPY_FEEDS_MAX: usize = 1_024;
    /// Of how many feeds of one space an end may say its heights, in whatever number of messages:
    /// more than one of them holds.
    pub const HEIGHTS_MAX: usize = 1 << 16;
    /// And of how many feeds of all the spaces together that differ.
    pub const SESSION_HEIGHTS_MAX: usize = 1 << 20;
    /// How many heights the receipts of one message may have together once they are rebuilt.
    pub const RECEIPT_HEIGHTS_MAX: usize = 1 << 20;
}

/// Opens a session.
///
/// The dialling end sums up what it holds as the difference to what it remembers both ends to have
/// had last (`since`). The accepting end answers in the same way if it remembers that too, and
/// else says all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hello {
    /// The protocol versions that the sender speaks.
    pub versions: Vec<u32>,
    /// The sender. The accepting end leaves it out: the other end knows whom it dialled.
    pub node: Option<NodeId>,
    /// Made by [`session_signature`].
    pub signature: Signature,
    /// The root digest that the dialling end remembers both ends to have had last.
    pub since: Option<Hash>,
    /// Whether the accepting end remembers the `since` of the other's Hello.
    pub agreed: bool,
    /// The authority log's heights, whole. Left out if they are those of `since`.
    pub authority: Option<Heights>,
    /// Root digest over the spaces that both may read, as far as the sender knows. Left out by an
    /// end that says differences.
    pub root: Option<Hash>,
    /// The first bytes of the digest over the receipts that the sender holds of these spaces.
    pub receipts: u64,
    /// How each space differs from `since`; without `since`, the digest of every shared space that
    /// has any entry. Left empty by the accepting end if the roots are equal.
    pub changed: Vec<(SpaceId, Changed)>,
    /// Made by [`software_mark`] of name and version of the sender's software.
    pub software: u32,
}

/// How a space differs from what both ends remember.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Changed {
    /// The heights that changed. No feed is gone, so that they say all.
    Heights(Vec<(FeedName, Height)>),
    /// The digest, where only whole heights can say what changed.
    Digest(Hash),
}

/// Stands for name and version of a program in a Hello. It only tells an upgrade from none.
pub fn software_mark(software: &str) -> u32 {
    let hash = Hash::of(Tag::Software, &[software.as_bytes()]);
    let [a, b, c, d, ..] = *hash.as_bytes();
    u32::from_le_bytes([a, b, c, d])
}

/// How far the sender holds the feeds of one space.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpaceHeights {
    /// The space.
    pub space: SpaceId,
    /// The digest that `heights` are the difference to: one that both remember. None if they are
    /// all that the sender holds.
    pub base: Option<Hash>,
    /// The digest of all the sender's heights of the space.
    pub digest: Hash,
    /// The heights.
    pub heights: Vec<(FeedName, Height)>,
    /// The feeds among them that the sender holds from a checkpoint on only, by its number. They
    /// count where the heights are all that it holds.
    pub bases: BTreeMap<FeedName, u64>,
    /// Whether the receiver is to answer with its own, whole.
    pub ask: bool,
    /// Whether the sender wants entries and no first copy.
    pub whole: bool,
    /// The first copy that the sender holds a part of.
    pub copy: Option<CopyHeld>,
}

/// Why a session ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Goodbye {
    /// The process is stopping.
    Stopping,
    /// No protocol version in common.
    Version,
    /// The session's signature does not prove the node.
    Unproven,
    /// The node is not admitted, or not any more.
    NotAdmitted,
    /// A later session of the same node took over.
    Replaced,
    /// A message that the protocol does not allow.
    Malformed,
    /// More was sent than the receiver had made room for.
    Budget,
    /// This end cannot store at the moment.
    Storage,
    /// A reason that only newer versions know.
    Other,
}

impl Goodbye {
    /// Its word, for programs: it stays what it is.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Stopping => "stopping",
            Self::Version => "version",
            Self::Unproven => "unproven",
            Self::NotAdmitted => "not-admitted",
            Self::Replaced => "replaced",
            Self::Malformed => "malformed",
            Self::Budget => "budget",
            Self::Storage => "storage",
            Self::Other => "other",
        }
    }

    /// What to tell a person.
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::Stopping => "the other side is stopping; it will be tried again",
            Self::Version => "the two programs speak no common version; upgrade the older one",
            Self::Unproven => "the other side did not prove that it is the node it says it is",
            Self::NotAdmitted => {
                "this node is not connected to the network, or not any more; ask NCETM"
            }
            Self::Replaced => "a later connection of the same node took over",
            Self::Malformed => "the other side received something that it could not read",
            Self::Budget => "more was sent than the other side had made room for",
            Self::Storage => "the other side cannot store anything at the moment",
            Self::Other => "the other side ended the connection",
        }
    }
}

/// The last message of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Farewell {
    /// Why.
    pub reason: Goodbye,
    /// One sentence for a person.
    pub text: String,
}

/// The identity key's signature on a session. `dialled` is whether the signer is the dialling
/// end, so that neither end can hand the other its own signature back.
pub fn session_signature(
    identity: &SecretKey,
    network: NetworkId,
    exporter: &[u8; 32],
    dialled: bool,
) -> Signature {
    identity.sign(
        Tag::Session,
        &[exporter, &[u8::from(!dialled)], network.as_bytes()],
    )
}
