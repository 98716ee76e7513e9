//! What comes in.

use std::collections::BTreeMap;
use std::sync::Arc;

use node_feed::{
    Authority, CopyPiece, CopyTaken, FeedName, FeedTree, Hash, Height, NodeId, Parting, Refusal,
    RefusalReason, Run, SpaceId, Subject, TreeFeed, VerifiedRun,
};

use crate::{CopyPlan, Message, PeerMemory};

/// One connection, numbered by the driver. A number is never used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId(pub u64);

/// Ties the answer of the store to what was asked of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(pub u64);

/// The store could not write or read; nothing of what was asked took place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the store cannot write at the moment")]
pub struct StorageDown;

/// A run that is durable, and what it did to its writer's feeds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// The part of the run that was new.
    pub run: VerifiedRun,
    /// The feed that its last entry stands in.
    pub feed: FeedName,
    /// Every feed of the writer that is new or changed, also those that a fork renamed.
    pub feeds: Vec<(FeedName, TreeFeed)>,
    /// Feeds that are no more.
    pub removed: Vec<FeedName>,
    /// Whether it forked the feed.
    pub forked: bool,
}

/// What became of one run of [`Effect::Append`](crate::Effect::Append).
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::large_enum_variant,
    reason = "nearly every answer is the large one"
)]
pub enum AppendResult {
    /// Every entry was held already.
    Held,
    /// The run, or the part of it that was new, is durable.
    Stored(Stored),
    /// It follows what a first copy under way proves of its feed. It is durable with that, or no more
    /// is kept there; it is not held before [`Input::CopyPlaced`].
    Live {
        /// Whether it was seen to follow, so that whoever sent it holds it.
        proven: bool,
    },
    /// Nothing of it was stored.
    Refused {
        /// The feed that it would have extended; the trunk's name if that is not known.
        feed: FeedName,
        /// Number of the first entry refused.
        number: u64,
        /// Its hash.
        hash: Hash,
        /// Why.
        reason: RefusalReason,
        /// Whether it parts from a feed where only a checkpoint stands for what came before.
        at_base: Option<Parting>,
    },
}

/// One thing that happened.
#[derive(Debug)]
pub enum Input {
    /// A connection stands.
    Connected {
        /// Its number.
        session: SessionId,
        /// The TLS exporter of the connection, which both ends sign.
        exporter: [u8; 32],
        /// The node that was dialled; none on the accepting end.
        dialled: Option<NodeId>,
        /// What is remembered of the node that was dialled. The accepting end is asked for it with
        /// [`Effect::Recall`](crate::Effect::Recall) when it knows its peer.
        memory: Option<PeerMemory>,
        /// What the node that was dialled refused.
        refusals: Vec<Refusal>,
        /// Whether this connection's other end showed the TLS key with which the node that was
        /// dialled has proven itself before: it may then be sent entries before its Hello comes.
        known: bool,
    },
    /// The answer to [`Effect::Recall`](crate::Effect::Recall).
    Recalled {
        /// The session.
        session: SessionId,
        /// What is remembered of the peer.
        memory: Option<PeerMemory>,
        /// What the peer refused.
        refusals: Vec<Refusal>,
    },
    /// A message arrived, in the order in which the peer sent them. A frame that does not decode
    /// is for the driver to answer, with [`Goodbye::Malformed`](crate::Goodbye::Malformed).
    Received {
        /// The session.
        session: SessionId,
        /// The message.
        message: Message,
    },
    /// A frame arrived of a kind that only newer versions know: it counts, and says nothing.
    PassedOver {
        /// The session.
        session: SessionId,
    },
    /// The connection is gone.
    Disconnected {
        /// The session.
        session: SessionId,
    },
    /// The answer to [`Effect::Append`](crate::Effect::Append): one result for each run, in order.
    Appended {
        /// The append.
        ticket: Ticket,
        /// What became of the runs.
        results: Result<Vec<AppendResult>, StorageDown>,
    },
    /// The answer to [`Effect::Read`](crate::Effect::Read); empty if there is nothing. If reading
    /// failed the session ends, and the peer is sent what it lacks at the next.
    Read {
        /// The read.
        ticket: Ticket,
        /// The runs.
        runs: Result<Vec<Run>, StorageDown>,
    },
    /// The answer to [`Effect::Sample`](crate::Effect::Sample).
    Sampled {
        /// The question.
        ticket: Ticket,
        /// Points of every feed of the writer.
        points: Vec<Height>,
    },
    /// The answer to [`Effect::Find`](crate::Effect::Find).
    Found {
        /// The question.
        ticket: Ticket,
        /// For each point the feed that itself holds it, if any does.
        held: Vec<Option<FeedName>>,
    },
    /// The answer to [`Effect::PlanCopy`](crate::Effect::PlanCopy); none if they cannot.
    CopyPlanned {
        /// The question.
        ticket: Ticket,
        /// What the copy is made of.
        plan: Option<CopyPlan>,
    },
    /// The answer to [`Effect::ReadCopy`](crate::Effect::ReadCopy): at least one piece, or those of
    /// the copy's feeds that it cannot be made with.
    CopyRead {
        /// The question.
        ticket: Ticket,
        /// The pieces.
        pieces: Result<Result<Vec<CopyPiece>, Vec<FeedName>>, StorageDown>,
    },
    /// The answer to [`Effect::OfferCopy`](crate::Effect::OfferCopy) or
    /// [`Effect::TakeCopy`](crate::Effect::TakeCopy).
    CopyTaken {
        /// The offer, or the part.
        ticket: Ticket,
        /// What became of it.
        result: Result<CopyTaken, StorageDown>,
    },
    /// The documents of the copy of a space that was under way were checked, and it was put in its
    /// place.
    CopyPlaced {
        /// The space.
        space: SpaceId,
        /// The feeds that have a base now, each with its writer key.
        feeds: Vec<([u8; 32], FeedName, TreeFeed)>,
    },
    /// The copy of a space that was under way turned out to be none that can be used, and is gone.
    CopyDropped {
        /// The space.
        space: SpaceId,
        /// The peer that offered it last.
        peer: NodeId,
        /// The document because of which it cannot be used, if it is one.
        document: Option<Subject>,
        /// How it is not what was signed, if it is not.
        forged: Option<String>,
    },
    /// The answer to [`Effect::DropBase`](crate::Effect::DropBase).
    BaseDropped {
        /// The space.
        space: SpaceId,
        /// All its feeds now.
        trees: BTreeMap<[u8; 32], FeedTree>,
    },
    /// This node wrote something itself, and it is durable.
    Written(Stored),
    /// The authority log was folded again, and the store reconciled with it.
    AuthorityChanged {
        /// The new state.
        authority: Arc<Authority>,
        /// All feeds of each space whose feeds reconciling changed.
        spaces: BTreeMap<SpaceId, BTreeMap<[u8; 32], FeedTree>>,
    },
    /// Time passed: what [`Engine::next_deadline`](crate::Engine::next_deadline) asked for.
    Tick,
}
