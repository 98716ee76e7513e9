//! What is to be done.

use std::sync::Arc;

use node_feed::{
    CopyOffer, CopySlice, FeedName, Height, Heights, NodeId, Receipt, Refusal, SpaceId, VerifiedRun,
};

use crate::{CopyPlan, Goodbye, Message, PeerMemory, SessionId, Ticket};

/// Why a session is closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CloseReason {
    /// This end says goodbye; the message was sent before.
    Ours(Goodbye, String),
    /// The peer said goodbye.
    Theirs(Goodbye, String),
    /// The peer said nothing in time.
    Silent,
}

/// Something that a person must hear of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Alarm {
    /// Two entries were signed under one number: a clone writes on, or a key is stolen.
    Fork {
        /// The space.
        space: SpaceId,
        /// The writer key.
        writer: [u8; 32],
    },
    /// The authority log is forked and waits for the root key.
    Frozen,
    /// A peer sent entries whose signature, chain or payload does not hold.
    Forged {
        /// The peer.
        peer: NodeId,
        /// The space.
        space: SpaceId,
        /// The writer that the entries claim.
        writer: [u8; 32],
        /// What does not hold.
        what: String,
    },
    /// A first copy that a peer sent does not hold together.
    Copy {
        /// The peer.
        peer: NodeId,
        /// The space.
        space: SpaceId,
        /// What is wrong with it.
        what: String,
    },
    /// Where a peer's copy of a feed parts from ours could not be found; the feed is not sent to
    /// it in this session.
    Lost {
        /// The peer.
        peer: NodeId,
        /// The space.
        space: SpaceId,
        /// The writer key.
        writer: [u8; 32],
    },
}

/// One thing that the driver must do. Effects are in order, and messages of one session must be
/// sent in this order.
#[derive(Debug)]
pub enum Effect {
    /// Send a message.
    Send {
        /// The session.
        session: SessionId,
        /// The message.
        message: Message,
    },
    /// Close the connection once what was sent before is out. No
    /// [`Input::Disconnected`](crate::Input::Disconnected) is needed for it, and one is harmless.
    Close {
        /// The session.
        session: SessionId,
        /// Why.
        reason: CloseReason,
    },
    /// Store runs of one space durably; answer with [`Input::Appended`](crate::Input::Appended).
    /// Appends must take effect in order.
    Append {
        /// Names the answer.
        ticket: Ticket,
        /// The session that sent them.
        session: SessionId,
        /// The runs.
        runs: Vec<VerifiedRun>,
    },
    /// Read entries; answer with [`Input::Read`](crate::Input::Read). At most one feed of each
    /// writer is asked for.
    Read {
        /// Names the answer.
        ticket: Ticket,
        /// The space.
        space: SpaceId,
        /// Feeds, each with the number of the first entry wanted.
        from: Vec<(FeedName, u64)>,
        /// About how many bytes at most.
        bytes_max: usize,
    },
    /// Say whether these feeds, each from this number on, can be sent as a first copy; answer with
    /// [`Input::CopyPlanned`](crate::Input::CopyPlanned).
    PlanCopy {
        /// Names the answer.
        ticket: Ticket,
        /// The space.
        space: SpaceId,
        /// The feeds, each with the number of the first entry that the peer lacks.
        feeds: Vec<(FeedName, u64)>,
        /// The copy that the peer holds a part of, to go on with if that can be done.
        bases: Option<Heights>,
    },
    /// Read the pieces of a first copy from this one on; answer with
    /// [`Input::CopyRead`](crate::Input::CopyRead).
    ReadCopy {
        /// Names the answer.
        ticket: Ticket,
        /// The space.
        space: SpaceId,
        /// The copy.
        plan: Arc<CopyPlan>,
        /// The first piece wanted.
        from: usize,
        /// About how many bytes at most.
        bytes_max: usize,
    },
    /// Begin the first copy that a peer offers, durably; answer with
    /// [`Input::CopyTaken`](crate::Input::CopyTaken). Takes effect in order with appends.
    OfferCopy {
        /// Names the answer.
        ticket: Ticket,
        /// The peer that sends it.
        peer: NodeId,
        /// What it is of.
        offer: CopyOffer,
    },
    /// Store a part of a first copy durably; answer with
    /// [`Input::CopyTaken`](crate::Input::CopyTaken). Takes effect in order with appends. Once all
    /// of it is here and its documents were checked, it is put in its place, which
    /// [`Input::CopyPlaced`](crate::Input::CopyPlaced) tells.
    TakeCopy {
        /// Names the answer.
        ticket: Ticket,
        /// The part.
        slice: CopySlice,
    },
    /// Take a writer's feeds out of a space, so that they are fetched whole; answer with
    /// [`Input::BaseDropped`](crate::Input::BaseDropped).
    DropBase {
        /// The space.
        space: SpaceId,
        /// The writer key.
        writer: [u8; 32],
    },
    /// Give points of every feed of a writer, thinning out towards the start; answer with
    /// [`Input::Sampled`](crate::Input::Sampled).
    Sample {
        /// Names the answer.
        ticket: Ticket,
        /// The space.
        space: SpaceId,
        /// The writer key.
        writer: [u8; 32],
    },
    /// Say which feeds of a writer hold these points; answer with
    /// [`Input::Found`](crate::Input::Found).
    Find {
        /// Names the answer.
        ticket: Ticket,
        /// The space.
        space: SpaceId,
        /// The writer key.
        writer: [u8; 32],
        /// The points.
        points: Vec<Height>,
    },
    /// Look up what is remembered of a peer; answer with
    /// [`Input::Recalled`](crate::Input::Recalled).
    Recall {
        /// The session.
        session: SessionId,
        /// The peer.
        peer: NodeId,
    },
    /// Remember this state of a peer, instead of any earlier one.
    Remember {
        /// The peer.
        peer: NodeId,
        /// What to remember.
        memory: PeerMemory,
    },
    /// A peer takes entries of a feed later: it will ask for them. For people alone.
    HeldBack {
        /// The peer.
        peer: NodeId,
        /// Which, and why.
        refusal: Refusal,
    },
    /// A peer refused an entry; to be kept, and given back when the peer connects again.
    Refused {
        /// The peer.
        peer: NodeId,
        /// What it said.
        refusal: Refusal,
    },
    /// Refusals are void: of one peer after its upgrade, or of all after a change of access.
    RefusalsCleared {
        /// The peer, or none for all.
        peer: Option<NodeId>,
    },
    /// Entries of the authority log became durable: fold the log, reconcile the store with it, and
    /// answer with [`Input::AuthorityChanged`](crate::Input::AuthorityChanged) in any case. What
    /// peers send of other spaces waits for it.
    AuthorityGrew,
    /// A peer holds entries of one of this node's own feeds that this node did not write in this
    /// life: it was restored or cloned and must go on with a new writer key. Said once a feed.
    OwnFeedAhead {
        /// The space.
        space: SpaceId,
        /// The writer key.
        writer: [u8; 32],
    },
    /// A peer holds this durably: what the mark *sent* rests on.
    PeerHolds {
        /// The peer.
        peer: NodeId,
        /// The space.
        space: SpaceId,
        /// The feeds of which this was learnt just now. It may be less than before.
        heights: Vec<(FeedName, Height)>,
        /// Whether these are all that the peer holds of the space.
        whole: bool,
    },
    /// A receipt, checked, of this or another node; to be kept if it is later than the one held.
    ReceiptStored {
        /// The receipt.
        receipt: Receipt,
    },
    /// Both ends hold the same in every space that they share, and both know it.
    Equal {
        /// The session.
        session: SessionId,
        /// The peer.
        peer: NodeId,
    },
    /// They no longer do.
    NotEqual {
        /// The session.
        session: SessionId,
        /// The peer.
        peer: NodeId,
    },
    /// Something that a person must hear of.
    Alarm(Alarm),
}
