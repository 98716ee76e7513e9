//! Receipts: signed words on what is held, the latest of each node and space.
//!
//! They travel as differences to a receipt that both ends hold, mostly the one before in the same
//! message: nodes that are up to date hold the same. What an end took for held and is not, the other
//! asks for by saying what it does hold.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use node_feed::{
    FeedName, Hash, Height, Heights, HubId, NUMBER_MAX, NodeId, Receipt, SpaceId, Tag,
};

use crate::held_receipt::HeldReceipt;
use crate::{Effect, Engine, Goodbye, Message, SaidHeights, SaidReceipt, SessionId, Timestamp};

/// How soon after a change a receipt is signed, as a part of the interval: what changes together
/// is told of together.
const DELAY_PART: u64 = 10;

/// How many intervals a relay keeps back receipts that tell a peer nothing of what came from it.
const WAIT_INTERVALS: u64 = 300;
/// The longest that it does.
const WAIT_MS_MAX: u64 = 600_000;
/// At how many moments of that time peers get what waits for them.
const WAIT_MOMENTS: u64 = 16;

/// Of how many feeds that are not held here a receipt may speak: whoever makes up feeds must not
/// have them kept.
const UNKNOWN_FEEDS_MAX: usize = 4_096;
/// How many receipts a session may bring that do not hold as differences to a receipt that is held.
/// Another may have its mark, but hardly twice.
const DOUBTS_MAX: u32 = 64;

/// The receipt before, in one message.
struct Before {
    space: SpaceId,
    /// None if it is a difference to a receipt that is not held, or does not hold.
    heights: Option<Heights>,
    /// Whether what it is the difference to is held, and it is none to that.
    is_doubtful: bool,
    /// Whether its heights, or those that it goes back to, were said whole in this message.
    is_whole: bool,
}

impl Engine {
    pub(super) fn schedule_all_receipts(&mut self) {
        let spaces = self.spaces.keys().copied().collect::<Vec<_>>();
        for space in spaces {
            self.schedule_receipt(space);
        }
    }

    /// Our heights of a space changed: a receipt is due, at most one each interval.
    pub(super) fn schedule_receipt(&mut self, space: SpaceId) {
        if self.receipts_due.get(&space).is_some()
            || space == self.authority_space()
            || !self.has_other_members(space)
        {
            return;
        }
        let last = self.own_receipt(space);
        let held = self.spaces.get(&space).map(crate::space::Space::heights);
        if held.is_none_or(|held| match last {
            Some(last) => last.heights == **held,
            None => held.is_empty(),
        }) {
            return;
        }
        let interval = self.config.receipt_interval_ms;
        let soon = self.now.after(interval / DELAY_PART);
        let next = last.map_or(soon, |last| Timestamp(last.time_ms).after(interval));
        // A clock that was set back must not silence a node.
        let due = next.clamp(soon, self.now.after(interval));
        self.receipts_due.set(space, Some(due));
    }

    pub(super) fn sign_receipts(&mut self) {
        let now = self.now;
        for space in self.receipts_due.take_passed(now) {
            if !self.has_other_members(space) {
                continue;
            }
            let last = self.own_receipt(space);
            let after_last = last.map_or(0, |last| last.time_ms.saturating_add(1));
            let heights = self.space(space).heights().as_ref().clone();
            // No frame would hold it.
            if heights.len() > Receipt::HEIGHTS_MAX {
                continue;
            }
            let receipt = Receipt::sign(
                self.authority.network(),
                space,
                &self.own.identity,
                now.0.max(after_last),
                heights,
            );
            self.keep_receipt(receipt, None);
        }
    }

    fn own_receipt(&self, space: SpaceId) -> Option<&Receipt> {
        let held = self.receipts.get(&(space, self.node));
        held.map(HeldReceipt::latest)
    }

    pub(super) fn take_receipts(&mut self, id: SessionId, receipts: Vec<SaidReceipt>) {
        let Some(space) = receipts.first().map(|receipt| receipt.space) else {
            self.leave(id, Goodbye::Malformed);
            return;
        };
        let lost = match self.take_said(id, receipts) {
            Ok(lost) => lost,
            Err(reason) => {
                self.leave(id, reason);
                return;
            }
        };
        // Before the acknowledgement, which would have them taken for held.
        if !lost.is_empty() {
            self.say_receipts_held(id, Some(&lost));
        }
        let Some(session) = self.sessions.get(&id) else {
            return;
        };
        let through = session.through();
        self.send(
            id,
            Message::Acknowledged {
                space,
                digest: Hash::ZERO,
                heights: Vec::new(),
                through,
            },
        );
    }

    /// Takes the receipts of one message, and says of which spaces any could not be rebuilt.
    fn take_said(
        &mut self,
        id: SessionId,
        receipts: Vec<SaidReceipt>,
    ) -> Result<BTreeSet<SpaceId>, Goodbye> {
        let mut lost = BTreeSet::new();
        let mut room = Message::RECEIPT_HEIGHTS_MAX;
        let (mut before, mut last) = (None, None);
        for said in receipts {
            let key = (said.space, said.node);
            if last.replace(key) >= Some(key) {
                return Err(Goodbye::Malformed);
            }
            let is_shared = self.shared_with(id, said.space);
            let mut rebuilt = self.rebuild(&said, is_shared, before.as_ref(), &mut room)?;
            if rebuilt.is_doubtful {
                self.doubt(id)?;
            }
            match &rebuilt.heights {
                None if is_shared => {
                    lost.insert(said.space);
                }
                Some(heights) if is_shared => {
                    let receipt = Receipt {
                        space: said.space,
                        node: said.node,
                        time_ms: said.time_ms,
                        heights: heights.clone(),
                        signature: said.signature,
                    };
                    if self.take_receipt(id, receipt) {
                        // It was signed, or is no news.
                    } else if rebuilt.is_whole {
                        self.offend(id)?;
                    } else {
                        self.doubt(id)?;
                        // What it goes back to may have another's mark: then so do those after it.
                        rebuilt.heights = None;
                        lost.insert(said.space);
                    }
                }
                None | Some(_) => {}
            }
            before = Some(rebuilt);
        }
        Ok(lost)
    }

    /// The heights of a receipt, within what one message may come to.
    fn rebuild(
        &self,
        said: &SaidReceipt,
        is_shared: bool,
        before: Option<&Before>,
        room: &mut usize,
    ) -> Result<Before, Goodbye> {
        let space = said.space;
        let mut take = |count: usize| {
            let fits = count <= Receipt::HEIGHTS_MAX && count <= *room;
            *room = room.saturating_sub(count);
            if fits {
                Ok(())
            } else {
                Err(Goodbye::Malformed)
            }
        };
        let (base, difference) = match &said.heights {
            SaidHeights::Whole(heights) => {
                take(heights.len())?;
                let heights = Some(heights.clone());
                return Ok(Before {
                    space,
                    heights,
                    is_doubtful: false,
                    is_whole: true,
                });
            }
            SaidHeights::Since { base, difference } => (base, difference),
        };
        let (from, is_whole) = match base {
            Some(_) if !is_shared => (None, false),
            Some(mark) => (self.heights_of(space, *mark), false),
            None => {
                let before = before.filter(|before| before.space == space);
                let before = before.ok_or(Goodbye::Malformed)?;
                (before.heights.as_ref().map(Cow::Borrowed), before.is_whole)
            }
        };
        let Some(from) = from else {
            return Ok(Before {
                space,
                heights: None,
                is_doubtful: false,
                is_whole,
            });
        };
        take((from.len() + difference.added.len()).saturating_sub(difference.gone.len()))?;
        let heights = difference.rebuild(&from).ok();
        if heights.is_none() && is_whole {
            return Err(Goodbye::Malformed);
        }
        Ok(Before {
            space,
            is_doubtful: heights.is_none(),
            heights,
            is_whole,
        })
    }

    /// Keeps a receipt that is news. False if its node did not sign it.
    fn take_receipt(&mut self, id: SessionId, receipt: Receipt) -> bool {
        if !self.is_news(&receipt) {
            return true;
        }
        if !self.is_signed(&receipt) {
            return false;
        }
        let (space, mark) = (receipt.space, receipt.mark());
        self.keep_receipt(receipt, Some(id));
        if let Some(session) = self.sessions.get_mut(&id) {
            session.receipts.holds(space, mark);
        }
        true
    }

    /// Counts a receipt that was said whole and that its node did not sign: no honest relay passes
    /// on such a one.
    fn offend(&mut self, id: SessionId) -> Result<(), Goodbye> {
        if let Some(session) = self.sessions.get_mut(&id) {
            session.offences += 1;
        }
        if self.has_offended(id) {
            return Err(Goodbye::Malformed);
        }
        Ok(())
    }

    /// Counts one that does not hold as a difference.
    fn doubt(&mut self, id: SessionId) -> Result<(), Goodbye> {
        let Some(session) = self.sessions.get_mut(&id) else {
            return Ok(());
        };
        session.doubts += 1;
        if session.doubts > DOUBTS_MAX {
            return Err(Goodbye::Malformed);
        }
        Ok(())
    }

    /// Whether a receipt is later than the one held, and its node's.
    fn is_news(&self, receipt: &Receipt) -> bool {
        let held = self.receipts.get(&(receipt.space, receipt.node));
        let hub = self.authority.hub_of(&receipt.node);
        receipt.node != self.node
            && held.is_none_or(|held| held.latest().time_ms < receipt.time_ms)
            && hub.is_some_and(|hub| self.authority.access(hub, receipt.space).is_some())
            && self.is_plausible(receipt)
    }

    /// Whether what a receipt says can be, by what is held here. Receipts run ahead of entries, but
    /// not by thousands of feeds.
    fn is_plausible(&self, receipt: &Receipt) -> bool {
        let held = self.spaces.get(&receipt.space);
        let is_unknown = |feed: &FeedName| held.and_then(|held| held.writer_of(feed)).is_none();
        let is_real = |height: &Height| height.number <= NUMBER_MAX;
        let unknown = receipt.heights.iter().filter(|(feed, _)| is_unknown(feed));
        unknown.count() <= UNKNOWN_FEEDS_MAX
            && receipt.heights.iter().all(|(_, height)| is_real(&height))
    }

    fn is_signed(&mut self, receipt: &Receipt) -> bool {
        let network = self.authority.network();
        let key = self.keyring.get(receipt.node.as_bytes());
        key.is_ok_and(|key| receipt.verify_by(network, &key).is_ok())
    }

    fn keep_receipt(&mut self, receipt: Receipt, origin: Option<SessionId>) {
        let key = (receipt.space, receipt.node);
        let is_own = receipt.node == self.node;
        let is_passed_on = self.own.relay || is_own;
        self.effects.push(Effect::ReceiptStored {
            receipt: receipt.clone(),
        });
        let news = match self.receipts.entry(key) {
            std::collections::btree_map::Entry::Occupied(mut held) => {
                held.get_mut().replace(receipt)
            }
            std::collections::btree_map::Entry::Vacant(place) => {
                let news = receipt.heights.iter().map(|(feed, _)| feed).collect();
                place.insert(HeldReceipt::new(receipt));
                news
            }
        };
        let concerned = self.bringers(key.0, &news);
        let wait = self
            .config
            .receipt_interval_ms
            .saturating_mul(WAIT_INTERVALS);
        let wait = wait.clamp(1, WAIT_MS_MAX);
        if !is_passed_on {
            return;
        }
        for id in self.concerned(key.0) {
            let Some(session) = self.sessions.get_mut(&id) else {
                continue;
            };
            let peer = session.peer.as_ref().map(|peer| peer.node);
            if Some(id) == origin || peer == Some(key.1) {
                continue;
            }
            let Some(peer) = peer.filter(|_| session.is_live()) else {
                session.receipts.owe(key);
                continue;
            };
            if !session.spaces.contains_key(&key.0) {
                continue;
            }
            if is_own || concerned.as_ref().is_none_or(|them| them.contains(&peer)) {
                session.receipts.owe(key);
                self.touched.insert(id);
            } else {
                session
                    .receipts
                    .owe_later(key, later(self.now, wait, &peer));
                self.note_deadline(id);
            }
        }
    }

    /// Entries of a feed came from a peer: whoever wrote them is there, or beyond it.
    pub(super) fn brought_by(&mut self, id: SessionId, space: SpaceId, feed: FeedName) {
        if let Some(peer) = self.peer_of(id) {
            self.space(space).bring(feed, peer);
        }
    }

    /// The peers from which entries of these feeds came; none if that is not known of all.
    fn bringers(&self, space: SpaceId, feeds: &BTreeSet<FeedName>) -> Option<BTreeSet<NodeId>> {
        let held = self.spaces.get(&space)?;
        feeds.iter().map(|feed| held.bringer(feed)).collect()
    }

    /// Sends the receipts that are due to a peer, one message at a time, so that a slow peer gets
    /// the latest of each and not all.
    pub(super) fn send_receipts(&mut self, id: SessionId) {
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        if !session.is_live() {
            return;
        }
        let due = session.receipts.due(self.now).map(std::mem::take);
        let Some(mut due) = due.filter(|due| !due.is_empty()) else {
            return;
        };
        let Some(session) = self.sessions.get(&id) else {
            return;
        };
        let peer = session.peer.as_ref().map(|peer| peer.node);
        let (mut said, mut last) = (Vec::new(), BTreeMap::new());
        let (mut bytes, mut room) = (0, Message::RECEIPT_HEIGHTS_MAX);
        let mut before = None::<&Receipt>;
        while bytes < self.config.batch_bytes
            && let Some(key) = due.first().copied()
        {
            let held = self.receipts.get(&key).map(HeldReceipt::latest);
            let shared = held.filter(|_| session.spaces.contains_key(&key.0));
            let Some(receipt) = shared.filter(|it| Some(it.node) != peer) else {
                due.pop_first();
                continue;
            };
            let Some(less) = room.checked_sub(receipt.heights.len()) else {
                break;
            };
            room = less;
            due.pop_first();
            let before_it = before.replace(receipt).filter(|it| it.space == key.0);
            let heights = match (before_it, session.receipts.base(key.0)) {
                (Some(before), _) => SaidHeights::since(None, &before.heights, &receipt.heights),
                (None, Some(mark)) => match self.heights_of(key.0, mark) {
                    Some(base) => SaidHeights::since(Some(mark), &base, &receipt.heights),
                    None => SaidHeights::Whole(receipt.heights.clone()),
                },
                (None, None) => SaidHeights::Whole(receipt.heights.clone()),
            };
            let receipt_said = SaidReceipt::of(receipt, heights);
            bytes += receipt_said.weight();
            last.insert(key.0, receipt.mark());
            said.push(receipt_said);
        }
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        for key in due {
            session.receipts.owe(key);
        }
        if !said.is_empty() {
            session.receipts.sent(session.frames_sent + 1, last);
            self.send(id, Message::Receipts(said));
        }
    }

    /// The heights of the receipt of a space with this mark, if it is kept.
    fn heights_of(&self, space: SpaceId, mark: u64) -> Option<Cow<'_, Heights>> {
        let mut held = self.receipts_for(space);
        held.find_map(|(_, held)| held.heights_of(mark))
    }

    fn receipts_for(&self, space: SpaceId) -> impl Iterator<Item = (NodeId, &HeldReceipt)> {
        let first = (space, NodeId::from_bytes([0; 32]));
        let last = (space, NodeId::from_bytes([u8::MAX; 32]));
        let held = self.receipts.range(first..=last);
        held.map(|((_, node), held)| (*node, held))
    }

    /// The first bytes of the digest over the receipts held of the spaces shared with a hub.
    pub(super) fn receipts_mark(&self, hub: Option<HubId>) -> u64 {
        let shared = self.shared(hub).into_iter().collect();
        let mut bytes = Vec::new();
        for (space, node, receipt) in self.receipts_of(&shared) {
            bytes.extend_from_slice(space.as_bytes());
            bytes.extend_from_slice(node.as_bytes());
            bytes.extend_from_slice(&receipt.latest().time_ms.to_le_bytes());
        }
        let digest = Hash::of(Tag::Receipts, &[&bytes]);
        let [a, b, c, d, e, f, g, h, ..] = *digest.as_bytes();
        u64::from_le_bytes([a, b, c, d, e, f, g, h])
    }

    /// Both Hellos are said: the two ends hold the same receipts, or tell each other which.
    pub(super) fn compare_receipts(&mut self, id: SessionId, are_same: bool) {
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        session.receipts.is_told = are_same;
        if !are_same {
            self.say_receipts_held(id, None);
            return;
        }
        let Some(session) = self.sessions.get(&id) else {
            return;
        };
        let shared = session.spaces.keys().copied().collect();
        let mut latest = BTreeMap::<SpaceId, &Receipt>::new();
        for (space, node, held) in self.receipts_of(&shared) {
            let (held, before) = (held.latest(), latest.get(&space));
            // One that came after our Hello is not among those that are the same.
            if before.is_none_or(|before| before.time_ms < held.time_ms)
                && !session.receipts.is_owed(&(space, node))
            {
                latest.insert(space, held);
            }
        }
        let marks = latest.into_iter();
        let marks = marks.map(|(space, receipt)| (space, receipt.mark()));
        let marks = marks.collect::<Vec<_>>();
        if let Some(session) = self.sessions.get_mut(&id) {
            for (space, mark) in marks {
                session.receipts.holds(space, mark);
            }
        }
    }

    /// Says which receipts are held here: of these spaces, or of all that are shared.
    fn say_receipts_held(&mut self, id: SessionId, spaces: Option<&BTreeSet<SpaceId>>) {
        let Some(session) = self.sessions.get(&id) else {
            return;
        };
        let authority = self.authority_space();
        let shared = session.spaces.keys().filter(|space| **space != authority);
        let shared = shared.filter(|space| spaces.is_none_or(|these| these.contains(*space)));
        let mut held = shared
            .map(|space| (*space, BTreeMap::new()))
            .collect::<BTreeMap<_, _>>();
        for (space, node, receipt) in self.receipts_of(&held.keys().copied().collect()) {
            if let Some(held) = held.get_mut(&space) {
                held.insert(node, receipt.latest().time_ms);
            }
        }
        self.send(id, Message::ReceiptsHeld(held));
    }

    pub(super) fn take_receipts_held(
        &mut self,
        id: SessionId,
        theirs: &BTreeMap<SpaceId, BTreeMap<NodeId, u64>>,
    ) {
        let Some(peer) = self.peer_of(id) else {
            return;
        };
        let Some(session) = self.sessions.get(&id) else {
            return;
        };
        let is_lost = session.receipts.is_told;
        let (mut lacking, mut bases) = (Vec::new(), Vec::new());
        for (space, theirs) in theirs {
            if !session.spaces.contains_key(space) {
                continue;
            }
            let mut latest = None;
            for (_, node, held) in self.receipts_of(&BTreeSet::from([*space])) {
                let time_ms = theirs.get(&node).copied();
                let is_passed_on = self.own.relay || node == self.node;
                let lacks = time_ms.is_none_or(|time_ms| time_ms < held.latest().time_ms);
                if is_passed_on && lacks && node != peer {
                    lacking.push((*space, node));
                }
                latest = latest.max(time_ms.and_then(|time| Some((time, held.mark_at(time)?))));
            }
            // Where one proved to be none, that which is said next is said whole.
            bases.push((*space, latest.filter(|_| !is_lost)));
        }
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        session.receipts.is_told = true;
        for (space, base) in bases {
            match base {
                Some((_, mark)) => session.receipts.holds(space, mark),
                None => session.receipts.lost(space),
            }
        }
        for key in lacking {
            session.receipts.owe(key);
        }
    }

    /// The receipts held of these spaces whose nodes may still read them.
    fn receipts_of(
        &self,
        spaces: &BTreeSet<SpaceId>,
    ) -> impl Iterator<Item = (SpaceId, NodeId, &HeldReceipt)> {
        spaces.iter().flat_map(|space| {
            let held = self.receipts_for(*space).filter(|(node, _)| {
                let hub = self.authority.hub_of(node);
                hub.is_some_and(|hub| self.authority.access(hub, *space).is_some())
            });
            held.map(|(node, held)| (*space, node, held))
        })
    }
}

/// When what waits for a peer goes next: one moment in each stretch of `wait`, not the same for all
/// peers, so that they do not all take their time at once.
fn later(now: Timestamp, wait: u64, peer: &NodeId) -> Timestamp {
    let [first, ..] = *peer.as_bytes();
    let offset = u64::from(first) % WAIT_MOMENTS * (wait / WAIT_MOMENTS);
    let stretches = (now.0 + wait - offset) / wait;
    Timestamp(stretches * wait + offset)
}
