//! How each peer stands, for an operator: what it holds and lacks, and what went wrong.

use std::collections::BTreeMap;

use node_feed::{
    FeedName, FeedTree, HubId, NodeId, Opening, Refusal, RefusalReason, SpaceId, TreeFeed,
};
use node_store::{ReadStore, StoreError};

use crate::Node;
use crate::clock::now_ms;
use crate::peers::RefusedEntry;

/// An entry whose author's time lies further ahead than this was written under a wrong clock.
const CLOCK_AHEAD_MS: u64 = 60_000;

/// One node of a hub, as this node knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerHealth {
    /// The node.
    pub node: NodeId,
    /// Whether it has a session now.
    pub connected: bool,
    /// When it was heard of last since this node started, in ms since 1970.
    pub heard_ms: Option<u64>,
    /// The time that its newest entry held here says, in ms since 1970.
    pub newest_entry_ms: Option<u64>,
    /// By how many ms its clock is ahead of this one's, as far as that is known.
    pub clock_ahead_ms: Option<i64>,
    /// What it holds and lacks of each space that it may read and that this node holds.
    pub spaces: Vec<SpaceLag>,
    /// Entries that this node lacks and has reason to await from it.
    pub gaps: Vec<Gap>,
    /// What it refused of what this node sent.
    pub refused_by_it: Vec<Refusal>,
    /// What this node refused of what it sent.
    pub refused_here: Vec<RefusedEntry>,
    /// Its entries that are carried, and that this node cannot use.
    pub set_aside: Vec<SetAsideEntry>,
}

/// What a node holds and lacks of one space.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpaceLag {
    /// The space.
    pub space: SpaceId,
    /// How many entries it is known to hold.
    pub holds: u64,
    /// How many entries held here it is not known to hold: the work that waits for it.
    pub waiting: u64,
}

/// Entries of a feed that are missing here although later ones were seen or announced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// The space.
    pub space: SpaceId,
    /// The feed.
    pub feed: FeedName,
    /// Number of the first entry that is missing.
    pub from: u64,
    /// Number of the last entry that is missing.
    pub to: u64,
}

/// An entry that is carried and not used, with the reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetAsideEntry {
    /// The space.
    pub space: SpaceId,
    /// The entry's number in its feed.
    pub number: u64,
    /// Why, in words.
    pub why: String,
}

/// One space as it is held here.
struct Held {
    space: SpaceId,
    feeds: BTreeMap<FeedName, (u64, u64)>,
    authors: BTreeMap<FeedName, NodeId>,
    newest_ms: BTreeMap<NodeId, u64>,
}

/// What a node lacks and has more of, as far as that is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PeerLag {
    pub(crate) node: NodeId,
    pub(crate) hub: HubId,
    /// Whether it has a session now.
    pub(crate) connected: bool,
    /// How many entries held here it is not known to hold.
    pub(crate) waiting: u64,
    /// How many entries it is known to hold that are not here.
    pub(crate) missing: u64,
}

impl Node {
    /// What each node that may take part lacks, this one not among them. It applies nothing and opens
    /// no document.
    pub(crate) fn peer_lags(&self) -> Result<Vec<PeerLag>, StoreError> {
        let authority = self.authority();
        let mut held = Vec::new();
        for space in self.inner.storage.read(ReadStore::spaces)? {
            let trees = self.inner.storage.read(|store| store.trees(space))?;
            held.push(Held::of(space, trees.values().flat_map(FeedTree::feeds)));
        }
        let connected = self.peers_connected();
        let standing = authority.nodes().iter();
        let standing = standing.filter(|(node, it)| **node != self.id() && it.ended.is_none());
        let lags = standing.map(|(node, record)| {
            let mut lag = PeerLag {
                node: *node,
                hub: record.hub,
                connected: connected.contains(node),
                waiting: 0,
                missing: 0,
            };
            let reads = |here: &&Held| authority.access(record.hub, here.space).is_some();
            for here in held.iter().filter(reads) {
                let there = self.inner.marks.held(here.space, *node);
                lag.waiting += here.lag(&there).waiting;
                let gaps = here.announced(&there).into_iter().filter(|gap| {
                    let cuts = authority.cuts_of(here.space, gap.feed.as_bytes());
                    cuts.is_empty()
                });
                lag.missing += gaps.fold(0, |sum: u64, gap| {
                    sum.saturating_add((gap.to.saturating_add(1)).saturating_sub(gap.from))
                });
            }
            lag
        });
        Ok(lags.collect())
    }

    /// How each node that may take part stands, this one not among them.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn peer_health(&self) -> Result<Vec<PeerHealth>, StoreError> {
        self.catch_up_if_possible();
        let authority = self.authority();
        let mut held = Vec::new();
        for space in self.inner.storage.read(ReadStore::spaces)? {
            held.push(self.held(space)?);
        }
        let aside = self.inner.storage.set_aside()?;
        let refused = self.refused_entries();
        let connected = self.peers_connected();
        let mut peers = Vec::new();
        for (node, record) in authority.nodes() {
            if *node == self.id() || record.ended.is_some() {
                continue;
            }
            // The record of access is told whole at every connection, and not remembered.
            let reads = |space: &SpaceId| authority.access(record.hub, *space).is_some();
            let mut health = PeerHealth {
                node: *node,
                connected: connected.contains(node),
                heard_ms: self.heard_ms(node),
                newest_entry_ms: held
                    .iter()
                    .filter_map(|it| it.newest_ms.get(node).copied())
                    .max(),
                clock_ahead_ms: self.inner.peers.clock_ahead_ms(node),
                spaces: Vec::new(),
                gaps: Vec::new(),
                refused_by_it: self.inner.storage.read(|store| store.refusals(*node))?,
                refused_here: refused
                    .iter()
                    .filter(|it| it.peer == *node)
                    .cloned()
                    .collect(),
                set_aside: Vec::new(),
            };
            for here in held.iter().filter(|here| reads(&here.space)) {
                let there = self.inner.marks.held(here.space, *node);
                health.spaces.push(here.lag(&there));
                let cut =
                    |feed: &FeedName| !authority.cuts_of(here.space, feed.as_bytes()).is_empty();
                let announced = here.announced(&there).into_iter();
                health.gaps.extend(announced.filter(|gap| !cut(&gap.feed)));
            }
            for here in &held {
                health.gaps.extend(here.skipped(&health.refused_here));
                let of_node = aside.iter().filter(|row| {
                    row.space == here.space && here.authors.get(&row.feed) == Some(node)
                });
                health.set_aside.extend(of_node.map(|row| SetAsideEntry {
                    space: row.space,
                    number: row.number,
                    why: row.reason.clone(),
                }));
            }
            health
                .gaps
                .sort_by_key(|gap| (gap.space, gap.feed, gap.from));
            health.gaps.dedup_by_key(|gap| (gap.space, gap.feed));
            let limit = now_ms() + CLOCK_AHEAD_MS;
            if let Some(newest) = health.newest_entry_ms.filter(|newest| *newest > limit) {
                // What it signs says more than what it says of itself.
                health.clock_ahead_ms = i64::try_from(newest - now_ms()).ok();
            }
            peers.push(health);
        }
        Ok(peers)
    }

    fn held(&self, space: SpaceId) -> Result<Held, StoreError> {
        self.inner.storage.read(|store| {
            let trees = store.trees(space)?;
            let openings = store.openings(space)?;
            let mut held = Held {
                space,
                feeds: BTreeMap::new(),
                authors: BTreeMap::new(),
                newest_ms: BTreeMap::new(),
            };
            for (name, feed) in trees.values().flat_map(FeedTree::feeds) {
                held.feeds.insert(*name, (feed.start, feed.next()));
                let Some(Opening::Node { node, .. }) = openings.get(name) else {
                    continue;
                };
                held.authors.insert(*name, *node);
                let tip = feed.tip.map(|tip| store.entry(tip.hash)).transpose()?;
                if let Some(entry) = tip.flatten() {
                    let newest = held.newest_ms.entry(*node).or_default();
                    *newest = entry.time_ms.max(*newest);
                }
            }
            Ok(held)
        })
    }
}

impl Held {
    fn of<'a>(space: SpaceId, feeds: impl Iterator<Item = (&'a FeedName, &'a TreeFeed)>) -> Self {
        let feeds = feeds.map(|(name, feed)| (*name, (feed.start, feed.next())));
        Self {
            space,
            feeds: feeds.collect(),
            authors: BTreeMap::new(),
            newest_ms: BTreeMap::new(),
        }
    }

    /// What a node that is known to hold `there` holds and lacks.
    fn lag(&self, there: &BTreeMap<FeedName, u64>) -> SpaceLag {
        let mut lag = SpaceLag {
            space: self.space,
            holds: 0,
            waiting: 0,
        };
        for (feed, (start, next)) in &self.feeds {
            let reached = there
                .get(feed)
                .map_or(*start, |last| last.saturating_add(1));
            lag.holds += reached.saturating_sub(*start);
            lag.waiting += next.saturating_sub(reached.max(*start));
        }
        lag
    }

    /// What a node is known to hold and has not been taken from it.
    fn announced(&self, there: &BTreeMap<FeedName, u64>) -> Vec<Gap> {
        let gaps = there.iter().filter_map(|(feed, last)| {
            let from = self.feeds.get(feed).map_or(0, |(_, next)| *next);
            (*last >= from).then_some(Gap {
                space: self.space,
                feed: *feed,
                from,
                to: *last,
            })
        });
        gaps.collect()
    }

    /// What is missing before entries that were refused because of it.
    fn skipped(&self, refused: &[RefusedEntry]) -> Vec<Gap> {
        let gaps = refused.iter().filter_map(|RefusedEntry { refusal, .. }| {
            let from = self.feeds.get(&refusal.feed).map_or(0, |(_, next)| *next);
            let missing = refusal.space == self.space
                && refusal.reason == RefusalReason::Gap
                && from < refusal.number;
            missing.then(|| Gap {
                space: self.space,
                feed: refusal.feed,
                from,
                to: refusal.number - 1,
            })
        });
        gaps.collect()
    }
}
