//! One conversation with a peer.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use node_feed::{
    CopyOffer, CopySlice, FeedName, Hash, Heights, HubId, NodeId, Refusal, Run, SpaceId,
};

use crate::peer_receipts::PeerReceipts;
use crate::peer_space::PeerSpace;
use crate::{Hello, Message, PeerMemory, Timestamp};

/// How far the conversation has got.
#[derive(Debug)]
pub(crate) enum Phase {
    /// Waiting for the peer's Hello.
    Greeting,
    /// The peer is proven; what is remembered of it is being looked up.
    Recalling(Box<Hello>),
    /// Both Hellos are said.
    Live,
}

/// The peer, proven.
#[derive(Debug, Clone)]
pub(crate) struct Peer {
    pub(crate) node: NodeId,
    /// None while the authority log that is held here does not know the node.
    pub(crate) hub: Option<HubId>,
    /// The mark of its software.
    pub(crate) software: u32,
}

/// Our heights of one space as the Hello summed them up.
#[derive(Debug, Clone)]
pub(crate) struct Said {
    pub(crate) heights: Arc<Heights>,
    pub(crate) digest: Hash,
}

/// A message that was sent and not yet acknowledged.
#[derive(Debug)]
pub(crate) struct Flight {
    pub(crate) frame: u64,
    pub(crate) bytes: usize,
    pub(crate) space: SpaceId,
    /// The feeds of which entries are in it; none in a part of a copy.
    pub(crate) feeds: Vec<FeedName>,
    /// What was held here when it was sent, and the digest of that.
    pub(crate) heights: Arc<Heights>,
    pub(crate) digest: Hash,
}

/// What a peer sent to be stored.
#[derive(Debug)]
pub(crate) enum Arrived {
    Entries { space: SpaceId, runs: Arc<[Run]> },
    Offer(CopyOffer),
    Copy(CopySlice),
}

/// Something that waits until the authority log is up to date.
#[derive(Debug)]
pub(crate) struct Waiting {
    pub(crate) frame: u64,
    pub(crate) arrived: Arrived,
}

/// An acknowledgement that is due.
#[derive(Debug, Default)]
pub(crate) struct Due {
    pub(crate) feeds: BTreeSet<FeedName>,
    /// The last frame that it answers.
    pub(crate) frame: u64,
    /// Whether anything of these frames was refused.
    pub(crate) refused: bool,
}

/// One session.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) exporter: [u8; 32],
    pub(crate) dialled: Option<NodeId>,
    pub(crate) phase: Phase,
    pub(crate) hello_due: Timestamp,
    pub(crate) peer: Option<Peer>,
    pub(crate) memory: Option<PeerMemory>,
    pub(crate) refusals: Vec<Refusal>,
    /// What our Hello summed up, by space; the authority's space is not in it.
    pub(crate) said: BTreeMap<SpaceId, Said>,
    /// The spaces that it was about.
    pub(crate) said_shared: BTreeSet<SpaceId>,
    pub(crate) said_authority: Said,
    pub(crate) said_receipts: u64,
    pub(crate) said_since: Option<Hash>,
    /// The spaces of which our Hello says all to a peer that remembers the same state.
    pub(crate) told: BTreeSet<SpaceId>,
    /// Whether both ends remember the same state.
    pub(crate) agreed: bool,
    /// Whether the peer's Spaces are still to come.
    pub(crate) awaits_spaces: bool,
    /// Whether both authority logs were the same at the Hello.
    pub(crate) same_authority: bool,

    pub(crate) spaces: BTreeMap<SpaceId, PeerSpace>,
    /// The spaces in which both ends do not hold the same, each with the count of heights that the
    /// peer is known to hold of it.
    pub(crate) unequal: BTreeMap<SpaceId, usize>,
    /// The sum of these counts.
    heights_known: usize,
    pub(crate) equal: bool,
    pub(crate) remembered: Option<Hash>,
    /// Whether anything changed since it was looked what is to be remembered.
    pub(crate) unremembered: bool,
    pub(crate) remember_due: Timestamp,

    pub(crate) frames_sent: u64,
    pub(crate) in_flight: VecDeque<Flight>,
    pub(crate) bytes_in_flight: usize,
    /// Spaces of which the peer may lack something.
    pub(crate) behind: BTreeSet<SpaceId>,
    /// How many reads for this session are on their way.
    pub(crate) reads: usize,
    pub(crate) last_read: Option<SpaceId>,
    /// Spaces whose heights the peer must be told whole, and whether it is to answer with its own.
    pub(crate) restate: BTreeMap<SpaceId, bool>,
    pub(crate) retry_due: Option<Timestamp>,

    pub(crate) frames_received: u64,
    /// Messages with entries that are not dealt with yet, with their bytes.
    pub(crate) inbound: BTreeMap<u64, usize>,
    /// What is to be acknowledged, with the feeds that became longer.
    pub(crate) acknowledge: BTreeMap<SpaceId, Due>,
    /// The feeds of which heights were left out of acknowledgements since any were said.
    pub(crate) said_plainly: BTreeMap<SpaceId, BTreeSet<FeedName>>,
    /// The last message of each space that was dealt with while its acknowledgement was not there.
    pub(crate) landed: BTreeMap<SpaceId, Flight>,
    pub(crate) waiting: VecDeque<Waiting>,
    pub(crate) offences: u32,
    /// How many receipts did not hold as the differences that they were said as.
    pub(crate) doubts: u32,
    /// How many points of the peer's are being looked up.
    pub(crate) points_sought: usize,

    pub(crate) receipts: PeerReceipts,
}

impl Session {
    pub(crate) fn new(exporter: [u8; 32], dialled: Option<NodeId>, hello_due: Timestamp) -> Self {
        Self {
            exporter,
            dialled,
            phase: Phase::Greeting,
            hello_due,
            peer: None,
            memory: None,
            refusals: Vec::new(),
            said: BTreeMap::new(),
            said_shared: BTreeSet::new(),
            said_authority: Said {
                heights: Arc::default(),
                digest: Hash::ZERO,
            },
            said_receipts: 0,
            said_since: None,
            told: BTreeSet::new(),
            agreed: false,
            awaits_spaces: false,
            same_authority: false,
            spaces: BTreeMap::new(),
            unequal: BTreeMap::new(),
            heights_known: 0,
            equal: false,
            remembered: None,
            unremembered: false,
            remember_due: Timestamp(0),
            frames_sent: 0,
            in_flight: VecDeque::new(),
            bytes_in_flight: 0,
            behind: BTreeSet::new(),
            reads: 0,
            last_read: None,
            restate: BTreeMap::new(),
            retry_due: None,
            frames_received: 0,
            inbound: BTreeMap::new(),
            acknowledge: BTreeMap::new(),
            said_plainly: BTreeMap::new(),
            landed: BTreeMap::new(),
            waiting: VecDeque::new(),
            offences: 0,
            doubts: 0,
            points_sought: 0,
            receipts: PeerReceipts::default(),
        }
    }

    pub(crate) const fn is_live(&self) -> bool {
        matches!(self.phase, Phase::Live)
    }

    /// Whether the peer still owes what opens a session: its Hello, or the Spaces that belong to it.
    pub(crate) const fn is_greeting(&self) -> bool {
        !self.is_live() || self.awaits_spaces
    }

    /// When it must be looked at, whatever comes; it may have passed.
    pub(crate) fn deadline(&self) -> Option<Timestamp> {
        let greeting = self.is_greeting().then_some(self.hello_due);
        let is_news = self.equal && self.unremembered;
        let remember = is_news.then_some(self.remember_due);
        let receipts = self.receipts.later_due();
        let all = [greeting, remember, self.retry_due, receipts];
        all.into_iter().flatten().min()
    }

    /// Who the peer has proven to be, and whether this end dialled it.
    pub(crate) fn key(&self) -> Option<(NodeId, bool)> {
        let peer = self.peer.as_ref()?;
        Some((peer.node, self.dialled.is_some()))
    }

    /// Whether the peer may be sent anything but heights: a node that called us and that our
    /// authority log does not know yet may only bring the log up to date.
    pub(crate) fn gives(&self) -> bool {
        self.dialled.is_some() || self.peer.as_ref().is_some_and(|peer| peer.hub.is_some())
    }

    /// Has our heights of a space said whole, and the peer's asked for if `ask`.
    pub(crate) fn restate(&mut self, space: SpaceId, ask: bool) {
        *self.restate.entry(space).or_default() |= ask;
    }

    /// The last frame that is dealt with, along with all before it.
    pub(crate) fn through(&self) -> u64 {
        self.inbound
            .first_key_value()
            .map_or(self.frames_received, |(frame, _)| frame - 1)
    }

    /// The heights that both ends remember of a space.
    pub(crate) fn base(&self, space: &SpaceId) -> Option<Heights> {
        let memory = self.memory.as_ref().filter(|_| self.agreed)?;
        Some(memory.spaces.get(space).cloned().unwrap_or_default())
    }

    /// The feeds of a space of which something is on its way to the peer.
    pub(crate) fn feeds_in_flight(&self, space: SpaceId) -> BTreeSet<FeedName> {
        self.in_flight
            .iter()
            .filter(|flight| flight.space == space)
            .flat_map(|flight| flight.feeds.iter().copied())
            .collect()
    }

    /// Whether anything of a first copy of a space is on its way to the peer.
    pub(crate) fn is_copying(&self, space: SpaceId) -> bool {
        let mut flights = self.in_flight.iter();
        flights.any(|flight| flight.space == space && flight.feeds.is_empty())
    }

    /// The peer dealt with every message up to frame `through`. Returns those of the space that it
    /// says more `about`; of each other space it is noted until its own acknowledgement comes.
    pub(crate) fn land(&mut self, through: u64, about: Option<SpaceId>) -> Vec<Flight> {
        let mut landed = Vec::new();
        landed.extend(about.and_then(|space| self.landed.remove(&space)));
        while let Some(mut flight) = self.in_flight.pop_front_if(|it| it.frame <= through) {
            self.bytes_in_flight -= flight.bytes;
            if Some(flight.space) == about {
                landed.push(flight);
                continue;
            }
            let before = self.landed.remove(&flight.space);
            flight
                .feeds
                .extend(before.into_iter().flat_map(|it| it.feeds));
            self.landed.insert(flight.space, flight);
        }
        landed
    }

    /// Goes on with a space that is shared with the peer.
    pub(crate) fn add_space(&mut self, space: SpaceId) {
        self.spaces.entry(space).or_default();
        self.weigh(space);
    }

    /// Forgets all spaces but these, and says which that were.
    pub(crate) fn keep_spaces(&mut self, kept: &BTreeSet<SpaceId>) -> Vec<SpaceId> {
        let is_kept = |space: &SpaceId| kept.contains(space);
        let gone = self.spaces.extract_if(.., |space, _| !is_kept(space));
        let gone = gone.map(|(space, _)| space).collect();
        self.unequal.retain(|space, _| is_kept(space));
        self.heights_known = self.unequal.values().sum();
        self.behind.retain(is_kept);
        self.landed.retain(|space, _| is_kept(space));
        gone
    }

    /// Brings `unequal` up to date for one space.
    pub(crate) fn weigh(&mut self, space: SpaceId) {
        let peer_space = self.spaces.get(&space).filter(|it| !it.is_equal());
        let known = peer_space.map(PeerSpace::heights_known);
        let before = match known {
            Some(known) => self.unequal.insert(space, known),
            None => self.unequal.remove(&space),
        };
        self.heights_known += known.unwrap_or(0);
        self.heights_known -= before.unwrap_or(0);
    }

    /// Whether the peer said more heights of a space, or of all, than any honest one does.
    pub(crate) fn is_told_too_much(&self, space: SpaceId) -> bool {
        let of_space = self.unequal.get(&space).copied().unwrap_or(0);
        of_space > Message::HEIGHTS_MAX || self.heights_known > Message::SESSION_HEIGHTS_MAX
    }
}
