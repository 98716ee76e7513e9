//! What is known of a peer's copy of one space, and how far each feed was sent to it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use node_feed::{FeedName, Height, Heights, Parting, Retry, TreeFeed};

use crate::space::Space;
use crate::{CopyHeld, CopyPlan};

/// How often the place where two copies of a writer part is looked for in one session.
const SEARCHES_MAX: u32 = 16;

/// How often a peer may ask for it of one writer: with room for questions that it says again because
/// heights were asked for in between.
const PROBES_MAX: u32 = 16 * SEARCHES_MAX;

/// What becomes of a question which points of a writer are held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Finding {
    /// They are looked up.
    Begun,
    /// Points of it are being looked up already, and what is said of them answers this as well.
    UnderWay,
    /// No honest peer asks so often.
    TooOften,
}

/// How a space is sent.
#[derive(Debug, Default)]
pub(crate) enum Sending {
    /// Whether anything is to be copied was not asked yet.
    #[default]
    Undecided,
    /// It is being found out whether these feeds can be copied.
    Planning(BTreeSet<FeedName>),
    /// A first copy was offered.
    Offered(Arc<CopyPlan>),
    /// A first copy is under way, and this is its next piece.
    Copy { plan: Arc<CopyPlan>, next: usize },
    /// All of a copy was sent. What it stands for counts once the peer has checked it.
    Sent(Arc<CopyPlan>),
    /// The peer takes another copy, or checks one; these feeds of it wait for that.
    Waiting(BTreeSet<FeedName>),
    /// Entry by entry.
    Entries,
}

impl Sending {
    /// Whether a copy is under way that stands for entries of a feed, or is about to be.
    fn concerns(&self, feed: &FeedName) -> bool {
        match self {
            Self::Undecided | Self::Entries => false,
            Self::Planning(feeds) | Self::Waiting(feeds) => feeds.contains(feed),
            Self::Offered(plan) | Self::Copy { plan, .. } | Self::Sent(plan) => {
                plan.bases.get(feed).is_some()
            }
        }
    }
}

/// What is sent of copied feeds while their copy is under way: the entries after their checkpoints.
#[derive(Debug, Default)]
struct Live {
    /// The checkpoints; none before the peer has all that proves them.
    bases: Heights,
    /// The number after the last entry sent.
    next: BTreeMap<FeedName, u64>,
}

/// One space of one session.
#[derive(Debug, Default)]
pub(crate) struct PeerSpace {
    /// What the peer holds, as far as is known; none if nothing is.
    theirs: Option<Arc<Heights>>,
    /// Whether the peer said so in this session, or only in an earlier one.
    exact: bool,
    /// Number of the frame in which the peer last said all its heights.
    stated: u64,
    /// The feeds whose height differs from ours.
    differing: BTreeSet<FeedName>,
    /// The number after the last entry sent. Where there is none, `theirs` says where to begin.
    sent: BTreeMap<FeedName, u64>,
    /// Writers whose copies were found to part: heights of these under one name need not be of
    /// one branch.
    parted: BTreeSet<[u8; 32]>,
    searching: BTreeSet<[u8; 32]>,
    searches: BTreeMap<[u8; 32], u32>,
    /// Writers of whom points of the peer's are being looked up, and whether it is to be answered.
    finding: BTreeSet<([u8; 32], bool)>,
    /// How often the peer asked where copies part.
    probes: BTreeMap<[u8; 32], u32>,
    refused_writers: BTreeMap<[u8; 32], Retry>,
    /// Feeds that the peer takes only up to before this number.
    refused_from: BTreeMap<FeedName, u64>,
    /// How it is sent.
    pub(crate) sending: Sending,
    live: Live,
    /// The first copy that the peer holds a part of.
    pub(crate) their_copy: Option<CopyHeld>,
    /// The feeds that the peer holds from a checkpoint on only, if it said so in this session.
    pub(crate) their_bases: Option<BTreeMap<FeedName, u64>>,
    /// Writers of whom the peer sent what may part from a base here, of which it is to tell how far it
    /// holds them.
    pub(crate) parted_at_base: BTreeMap<[u8; 32], Parting>,
    /// Feeds that cannot be copied from here.
    not_copied: BTreeSet<FeedName>,
    /// Whether the peer wants entries and no copies.
    entries_only: bool,
    /// Whether heights were sent that the peer is to answer.
    pub(crate) asked: bool,
    /// Whether the peer was told "not yet".
    pub(crate) not_yet: bool,
    /// Whether it lacks what cannot be sent from here.
    pub(crate) is_stuck: bool,
}

impl PeerSpace {
    pub(crate) const fn is_known(&self) -> bool {
        self.theirs.is_some()
    }

    pub(crate) fn is_equal(&self) -> bool {
        self.exact && self.theirs.is_some() && self.differing.is_empty()
    }

    /// Of how many feeds it is known how far the peer holds them.
    pub(crate) fn heights_known(&self) -> usize {
        self.theirs.as_ref().map_or(0, |theirs| theirs.len())
    }

    /// Starts from what the peer holds: by its own word of now (`exact`) or of an earlier session.
    pub(crate) fn begin(&mut self, theirs: Option<Arc<Heights>>, exact: bool, ours: &Heights) {
        self.theirs = theirs;
        self.exact = exact;
        self.compare(ours);
    }

    /// Takes the peer's word on its heights, said in frame number `frame`. `keep` are the feeds of
    /// which something is on its way; all others are sent from there on.
    pub(crate) fn restate(
        &mut self,
        theirs: Heights,
        frame: u64,
        keep: &BTreeSet<FeedName>,
        space: &Space,
    ) {
        self.stated = frame;
        for (name, height) in theirs.iter() {
            self.advance(name, height, space);
        }
        // What was refused for now counts as not sent.
        let refused = self.refused_writers.iter();
        for (writer, _) in refused.filter(|(_, retry)| **retry == Retry::NotYet) {
            self.parted.remove(writer);
            self.live.next.remove(&FeedName::from_bytes(*writer));
        }
        let parted = &self.parted;
        self.sent.retain(|name, _| {
            let writer = space.writer_of(name);
            keep.contains(name) || writer.is_some_and(|writer| parted.contains(&writer))
        });
        self.refused_writers
            .retain(|_, retry| *retry == Retry::Never);
        self.theirs = Some(Arc::new(theirs));
        self.exact = true;
        self.asked = false;
        self.compare(space.heights());
    }

    /// The peer's heights as they would be after these changes to `base`.
    pub(crate) fn changed(base: &Heights, changes: &[(FeedName, Height)]) -> Heights {
        let mut heights = base.clone();
        for (name, height) in changes {
            heights.set(*name, *height);
        }
        heights
    }

    /// How far the peer is known to hold a feed.
    pub(crate) fn height(&self, feed: &FeedName) -> Option<Height> {
        self.theirs.as_ref()?.get(feed)
    }

    /// The peer said that these are its heights now.
    pub(crate) fn confirm(&mut self, heights: &[(FeedName, Height)], space: &Space) {
        for (name, height) in heights {
            if let Some(theirs) = &mut self.theirs {
                Arc::make_mut(theirs).set(*name, *height);
            }
            self.advance(*name, *height, space);
        }
        self.update(heights.iter().map(|(name, _)| *name), space.heights());
    }

    /// The peer sent, in frame number `frame`, entries of our feed `name` up to `last`, so it holds
    /// them; what it said of its heights later counts for more.
    pub(crate) fn holds(&mut self, name: FeedName, last: Height, frame: u64, space: &Space) {
        if let Some(theirs) = &mut self.theirs
            && frame > self.stated
            && theirs
                .get(&name)
                .is_none_or(|held| held.number < last.number)
        {
            Arc::make_mut(theirs).set(name, last);
        }
        if let Some(sent) = self.sent.get_mut(&name) {
            *sent = (*sent).max(last.number.saturating_add(1));
        }
        self.update([name], space.heights());
    }

    /// The peer holds just what we do.
    pub(crate) fn holds_all(&mut self, ours: &Arc<Heights>) {
        self.theirs = Some(Arc::clone(ours));
        self.exact = true;
        self.differing.clear();
        self.sent.clear();
        self.parted.clear();
    }

    /// The peer holds just these, which we held a moment ago.
    pub(crate) fn held(&mut self, theirs: Arc<Heights>, ours: &Heights) {
        self.theirs = Some(theirs);
        self.exact = true;
        self.compare(ours);
    }

    /// Our heights of these feeds changed.
    pub(crate) fn update(&mut self, feeds: impl IntoIterator<Item = FeedName>, ours: &Heights) {
        let Some(theirs) = &self.theirs else {
            return;
        };
        for name in feeds {
            if theirs.get(&name) == ours.get(&name) {
                self.differing.remove(&name);
            } else {
                self.differing.insert(name);
            }
        }
    }

    /// Our heights changed in any way.
    pub(crate) fn compare(&mut self, ours: &Heights) {
        self.differing.clear();
        let Some(theirs) = self.theirs.clone() else {
            return;
        };
        if *theirs != *ours {
            let names = theirs.iter().chain(ours.iter()).map(|(name, _)| name);
            self.update(names.collect::<Vec<_>>(), ours);
        }
    }

    /// Number of the next entry of a feed that the peer must be sent.
    pub(crate) fn position(&self, name: &FeedName, feed: &TreeFeed) -> u64 {
        let theirs = || Some(self.theirs.as_ref()?.get(name)?.number.saturating_add(1));
        if let Some(live) = self.live_from(name) {
            return theirs().map_or(live, |theirs| live.max(theirs));
        }
        let position = self.sent.get(name).copied().or_else(theirs);
        position.unwrap_or(feed.start).max(feed.start)
    }

    pub(crate) fn set_sent(&mut self, name: FeedName, next: u64) {
        if self.live_from(&name).is_some() {
            self.live.next.insert(name, next);
        } else {
            self.sent.insert(name, next);
        }
    }

    /// A fork moved our entries from `start` on from `from` to the feed `to`.
    pub(crate) fn rename(&mut self, from: &FeedName, to: FeedName, start: u64) {
        if let Some(sent) = self.sent.get_mut(from)
            && *sent > start
        {
            let moved = std::mem::replace(sent, start);
            self.sent.insert(to, moved);
        }
    }

    /// What the peer lacks and may be sent: of each writer the first feed that it lacks anything
    /// of, so that a branch never goes before what it branches from.
    pub(crate) fn wants(&self, space: &Space, limit: usize) -> Vec<(FeedName, u64)> {
        let mut wants = Vec::new();
        for (writer, tree) in space.trees() {
            if self.is_held_back(writer) {
                continue;
            }
            let needed = tree.feeds().iter().filter_map(|(name, feed)| {
                let from = self.position(name, feed);
                (from < feed.next()).then_some((feed.start, *name, from))
            });
            if let Some((_, name, from)) = needed.min()
                && self.takes(&name, from)
                && !self.is_held_up(&name)
                && tree.feeds().get(&name).is_none_or(|feed| feed.holds(from))
            {
                wants.push((name, from));
                if wants.len() == limit {
                    break;
                }
            }
        }
        wants
    }

    /// Whether it may be asked what of the space can be copied.
    pub(crate) const fn may_plan(&self) -> bool {
        matches!(self.sending, Sending::Undecided)
    }

    /// The feeds that the peer is better sent a first copy of, each with the number of the first
    /// entry that it lacks: of which it holds nothing and lacks so many entries, or lacks some that
    /// are not held here.
    pub(crate) fn copyable(&self, space: &Space, entries_min: u64) -> Vec<(FeedName, u64)> {
        let mut feeds = Vec::new();
        for (writer, tree) in space.trees() {
            if self.is_held_back(writer) || tree.is_forked() {
                continue;
            }
            for (name, feed) in tree.feeds() {
                let from = self.position(name, feed);
                let lacks = feed.next().saturating_sub(from);
                let many = from == feed.start && lacks >= entries_min;
                let must = lacks > 0 && !feed.holds(from);
                let may = self.takes(name, from) && !self.not_copied.contains(name);
                if (many || must) && may {
                    feeds.push((*name, from));
                }
            }
        }
        feeds
    }

    /// Decides anew how the space is sent: what is held of it changed in other ways than growing.
    pub(crate) fn plan_again(&mut self) {
        if !self.entries_only {
            self.sending = Sending::Undecided;
        }
    }

    /// Tries again what could not be copied.
    pub(crate) fn copy_again(&mut self) {
        self.not_copied.clear();
        self.plan_again();
    }

    /// Whether the peer lacks what this node holds no entries of, and may not be sent a copy.
    pub(crate) fn lacks_unsendable(&self, space: &Space) -> bool {
        let mut feeds = space.trees().values().flat_map(|tree| tree.feeds());
        matches!(self.sending, Sending::Entries)
            && feeds.any(|(name, feed)| {
                let from = self.position(name, feed);
                from < feed.next() && !feed.holds(from) && self.takes(name, from)
            })
    }

    /// The peer takes another copy. What that stands for waits until it is told of again; all else is
    /// sent entry by entry as far as it can be.
    pub(crate) fn wait_for_copy(&mut self, feeds: impl Iterator<Item = FeedName>) {
        let copy = self.their_copy.as_ref();
        let is_in = |feed: &FeedName| copy.is_some_and(|copy| copy.bases.get(feed).is_some());
        let feeds = feeds.filter(is_in).collect();
        let bases = copy.filter(|copy| copy.documents.is_some());
        let bases = bases.map(|copy| copy.bases.clone());
        self.sending = Sending::Waiting(feeds);
        self.go_on_live(bases);
    }

    /// A copy was offered.
    pub(crate) fn offered(&mut self, plan: Arc<CopyPlan>) {
        self.sending = Sending::Offered(plan);
        self.live = Live::default();
    }

    /// Goes on with a copy from this piece on.
    pub(crate) fn go_on_with(&mut self, plan: Arc<CopyPlan>, next: usize) {
        let bases = (next >= plan.head()).then(|| plan.bases.clone());
        self.sending = Sending::Copy { plan, next };
        self.go_on_live(bases);
    }

    /// All that proves the checkpoints of a copy was sent: entries after these are sent from now on.
    pub(crate) fn begin_live(&mut self, bases: &Heights) {
        self.live = Live {
            bases: bases.clone(),
            next: BTreeMap::new(),
        };
    }

    /// The peer has all that proves these checkpoints. Nothing after them is sent twice.
    fn go_on_live(&mut self, bases: Option<Heights>) {
        let bases = bases.unwrap_or_default();
        if self.live.bases != bases {
            self.begin_live(&bases);
        }
    }

    /// Sends no more of a feed beside its copy: the peer does not take it. Whether any was sent so.
    pub(crate) fn end_live(&mut self, feed: FeedName) -> bool {
        let is_live = self.live_from(&feed).is_some() && self.live.next.contains_key(&feed);
        if is_live {
            self.live.next.insert(feed, u64::MAX);
        }
        is_live
    }

    /// The number of the next entry of a copied feed that is sent beside the copy, if any is.
    fn live_from(&self, feed: &FeedName) -> Option<u64> {
        let base = self.live.bases.get(feed)?;
        self.sending.concerns(feed).then(|| {
            let next = self.live.next.get(feed).copied();
            next.unwrap_or(base.number.saturating_add(1))
        })
    }

    /// Whether entries of a feed wait for a copy.
    fn is_held_up(&self, feed: &FeedName) -> bool {
        self.sending.concerns(feed) && self.live_from(feed).is_none()
    }

    /// Whether the peer would hear of a copy now.
    pub(crate) fn may_offer(&self) -> bool {
        self.their_copy.as_ref().is_none_or(|held| held.open)
    }

    /// These feeds are sent entry by entry; the others are decided anew.
    pub(crate) fn do_not_copy(&mut self, feeds: impl IntoIterator<Item = FeedName>) {
        self.not_copied.extend(feeds);
        self.sending = Sending::Undecided;
    }

    /// The peer said whether it wants entries only, and which copy it holds a part of. `is_idle` is
    /// whether nothing of one is on its way to it, so that this is how far it is now.
    pub(crate) fn hear_of_copies(&mut self, whole: bool, held: Option<CopyHeld>, is_idle: bool) {
        self.their_copy = held;
        let bases = self.their_copy.as_ref().map(|copy| &copy.bases);
        if bases != Some(&self.live.bases) {
            self.live = Live::default();
        }
        if whole {
            self.entries_only = true;
            self.sending = Sending::Entries;
            return;
        }
        if std::mem::take(&mut self.entries_only) {
            self.sending = Sending::Undecided;
        }
        let is_under_way = |sending: &Sending| {
            matches!(
                sending,
                Sending::Planning(_) | Sending::Waiting(_) | Sending::Offered(_)
            )
        };
        match (&mut self.sending, &self.their_copy) {
            (Sending::Undecided | Sending::Entries, _) => {}
            (Sending::Planning(_), None) => {}
            // It said so before it heard of the offer.
            (Sending::Offered(_), None) if !is_idle => {}
            (
                Sending::Offered(_) | Sending::Copy { .. } | Sending::Sent(_) | Sending::Waiting(_),
                None,
            ) => {
                self.sending = Sending::Undecided;
            }
            (
                Sending::Offered(plan) | Sending::Copy { plan, .. } | Sending::Sent(plan),
                Some(held),
            ) if held.bases == plan.bases => {
                let (plan, documents) = (Arc::clone(plan), held.documents);
                if !held.open {
                    let bases = documents.map(|_| plan.bases.clone());
                    self.sending = Sending::Sent(plan);
                    self.go_on_live(bases);
                } else if is_under_way(&self.sending) || is_idle {
                    let next = plan.next(documents);
                    self.go_on_with(plan, next);
                }
            }
            (Sending::Planning(_), Some(_)) => {}
            (_, Some(_)) => self.sending = Sending::Undecided,
        }
    }

    /// Whether a run of `feed` from `first` on is just what the peer needs next.
    pub(crate) fn takes_next(&self, name: &FeedName, first: u64, space: &Space) -> bool {
        let (Some(feed), Some(writer)) = (space.feed(name), space.writer_of(name)) else {
            return false;
        };
        let parent = feed.parent.and_then(|parent| {
            let place = space.feed(&parent)?;
            Some(self.position(&parent, place) >= feed.start)
        });
        self.theirs.is_some()
            && !self.is_held_back(&writer)
            && parent.unwrap_or(true)
            && self.takes(name, first)
            && !self.is_held_up(name)
            && self.position(name, feed) == first
    }

    fn is_held_back(&self, writer: &[u8; 32]) -> bool {
        self.searching.contains(writer) || self.refused_writers.contains_key(writer)
    }

    fn takes(&self, name: &FeedName, from: u64) -> bool {
        self.refused_from.get(name).is_none_or(|end| from < *end)
    }

    /// Sends nothing more of a writer. Whether that is news: what is refused for good stays so.
    pub(crate) fn refuse_writer(&mut self, writer: [u8; 32], retry: Retry) -> bool {
        let known = self.refused_writers.entry(writer).or_insert(Retry::NotYet);
        let is_news = *known == Retry::NotYet && retry == Retry::Never;
        if is_news {
            *known = retry;
        }
        is_news
    }

    pub(crate) fn is_refused(&self, writer: &[u8; 32]) -> bool {
        self.refused_writers.contains_key(writer)
    }

    /// Sends nothing of a feed from `number` on. Whether that is news.
    pub(crate) fn refuse_from(&mut self, feed: FeedName, number: u64) -> bool {
        let end = self.refused_from.entry(feed).or_insert(u64::MAX);
        std::mem::replace(end, number.min(*end)) > number
    }

    /// Refusals are void: access changed.
    pub(crate) fn forget_refusals(&mut self) {
        self.refused_writers.clear();
        self.refused_from.clear();
    }

    pub(crate) fn is_searching(&self, writer: &[u8; 32]) -> bool {
        self.searching.contains(writer)
    }

    pub(crate) const fn searching(&self) -> &BTreeSet<[u8; 32]> {
        &self.searching
    }

    /// Notes that the place where the copies part is being looked for; false if it was looked for
    /// too often, and the writer is given up for this session.
    pub(crate) fn search(&mut self, writer: [u8; 32]) -> bool {
        let searches = self.searches.entry(writer).or_default();
        *searches += 1;
        if *searches > SEARCHES_MAX {
            self.refused_writers.insert(writer, Retry::NotYet);
            return false;
        }
        self.searching.insert(writer)
    }

    /// Points of a writer that is held here are to be looked up, for an answer or for our own use.
    pub(crate) fn begin_find(&mut self, writer: [u8; 32], answer: bool) -> Finding {
        if !self.finding.insert((writer, answer)) {
            return Finding::UnderWay;
        }
        if answer {
            let probes = self.probes.entry(writer).or_default();
            *probes += 1;
            if *probes > PROBES_MAX {
                self.finding.remove(&(writer, answer));
                return Finding::TooOften;
            }
        }
        Finding::Begun
    }

    /// They were looked up.
    pub(crate) fn end_find(&mut self, writer: [u8; 32], answer: bool) {
        self.finding.remove(&(writer, answer));
    }

    /// Takes note of which of our points of `writer` the peer holds too: all that does not lead to
    /// one of them is sent.
    pub(crate) fn part(&mut self, writer: [u8; 32], common: &[(FeedName, u64)], space: &Space) {
        let is_asked = self.searching.remove(&writer);
        let tree = space.trees().get(&writer);
        // Of a writer that only the peer speaks of nothing is remembered.
        if is_asked || tree.is_some() {
            self.parted.insert(writer);
        }
        let Some(tree) = tree else {
            return;
        };
        let mut next = BTreeMap::<FeedName, u64>::new();
        for (name, number) in common {
            let mut at = Some((*name, number.saturating_add(1)));
            while let Some((name, after)) = at {
                let end = next.entry(name).or_default();
                *end = after.max(*end);
                at = tree
                    .feeds()
                    .get(&name)
                    .and_then(|feed| Some((feed.parent?, feed.start)));
            }
        }
        for (name, feed) in tree.feeds() {
            self.sent
                .insert(*name, next.get(name).copied().unwrap_or(feed.start));
        }
    }

    /// Moves the position in a feed to after what the peer is known to hold. Of a writer whose
    /// copies part, a height counts only if it is our own tip.
    fn advance(&mut self, name: FeedName, height: Height, space: &Space) {
        let is_tip = space.heights().get(&name) == Some(height);
        let parted = space
            .writer_of(&name)
            .is_some_and(|writer| self.parted.contains(&writer));
        if let Some(sent) = self.sent.get_mut(&name)
            && (is_tip || !parted)
        {
            *sent = (*sent).max(height.number.saturating_add(1));
        }
    }
}
