//! One space as this node holds it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use node_feed::{FeedName, FeedTree, Hash, Heights, NodeId, SpaceId, TreeFeed};

use crate::Stored;

/// All feeds of one space. What is here is durable.
#[derive(Debug)]
pub(crate) struct Space {
    id: SpaceId,
    trees: BTreeMap<[u8; 32], FeedTree>,
    writers: BTreeMap<FeedName, [u8; 32]>,
    /// From which node entries of a feed last came, as far as this process saw any.
    bringers: BTreeMap<FeedName, NodeId>,
    /// Shared with every session whose peer holds the same, until either changes.
    heights: Arc<Heights>,
    digest: Hash,
    digest_is_old: bool,
}

impl Space {
    pub(crate) fn new(id: SpaceId, trees: BTreeMap<[u8; 32], FeedTree>) -> Self {
        let mut space = Self {
            id,
            trees: BTreeMap::new(),
            writers: BTreeMap::new(),
            bringers: BTreeMap::new(),
            heights: Arc::default(),
            digest: Hash::ZERO,
            digest_is_old: true,
        };
        space.replace(trees);
        space
    }

    /// Takes these feeds instead of those held so far, and says which heights changed.
    pub(crate) fn replace(&mut self, trees: BTreeMap<[u8; 32], FeedTree>) -> Vec<FeedName> {
        let mut heights = Heights::new();
        self.writers.clear();
        for (writer, tree) in &trees {
            for (name, feed) in tree.feeds() {
                self.writers.insert(*name, *writer);
                if let Some(tip) = feed.tip {
                    heights.set(*name, tip);
                }
            }
        }
        self.bringers
            .retain(|name, _| self.writers.contains_key(name));
        self.trees = trees;
        let old = std::mem::replace(&mut self.heights, Arc::new(heights));
        self.digest_is_old = true;
        let names = old.iter().chain(self.heights.iter()).map(|(name, _)| name);
        let changed = names.filter(|name| old.get(name) != self.heights.get(name));
        changed.collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// Takes note of what was stored, and says which feeds it concerns.
    pub(crate) fn apply(&mut self, stored: &Stored) -> Vec<FeedName> {
        let writer = *stored.run.writer();
        let tree = self.trees.entry(writer).or_default();
        let mut feeds = tree.feeds().clone();
        let heights = Arc::make_mut(&mut self.heights);
        for name in &stored.removed {
            feeds.remove(name);
            heights.remove(name);
            self.bringers.remove(name);
            self.writers.remove(name);
        }
        for (name, feed) in &stored.feeds {
            feeds.insert(*name, *feed);
            self.writers.insert(*name, writer);
            match feed.tip {
                Some(tip) => heights.set(*name, tip),
                None => heights.remove(name),
            }
        }
        *tree = FeedTree::new(feeds);
        self.digest_is_old = true;
        let changed = stored.feeds.iter().map(|(name, _)| *name);
        changed.chain(stored.removed.iter().copied()).collect()
    }

    /// Takes note of feeds that a first copy brought, and says which they are.
    pub(crate) fn place(&mut self, placed: &[([u8; 32], FeedName, TreeFeed)]) -> Vec<FeedName> {
        let heights = Arc::make_mut(&mut self.heights);
        for (writer, name, feed) in placed {
            let tree = self.trees.entry(*writer).or_default();
            let mut feeds = tree.feeds().clone();
            feeds.insert(*name, *feed);
            *tree = FeedTree::new(feeds);
            self.writers.insert(*name, *writer);
            if let Some(tip) = feed.tip {
                heights.set(*name, tip);
            }
        }
        self.digest_is_old = true;
        placed.iter().map(|(_, name, _)| *name).collect()
    }

    /// The feeds that are held from a checkpoint on only, by its number.
    pub(crate) fn bases(&self) -> BTreeMap<FeedName, u64> {
        let feeds = self.trees.values().flat_map(|tree| tree.feeds());
        let based = feeds.filter(|(_, feed)| feed.base > 0);
        based.map(|(name, feed)| (*name, feed.base)).collect()
    }

    pub(crate) const fn heights(&self) -> &Arc<Heights> {
        &self.heights
    }

    pub(crate) fn digest(&mut self) -> Hash {
        if self.digest_is_old {
            self.digest = self.heights.digest(self.id);
            self.digest_is_old = false;
        }
        self.digest
    }

    pub(crate) const fn trees(&self) -> &BTreeMap<[u8; 32], FeedTree> {
        &self.trees
    }

    pub(crate) fn writer_of(&self, feed: &FeedName) -> Option<[u8; 32]> {
        self.writers.get(feed).copied()
    }

    /// Notes which node entries of a feed came from.
    pub(crate) fn bring(&mut self, feed: FeedName, from: NodeId) {
        self.bringers.insert(feed, from);
    }

    pub(crate) fn bringer(&self, feed: &FeedName) -> Option<NodeId> {
        self.bringers.get(feed).copied()
    }

    pub(crate) fn feed(&self, name: &FeedName) -> Option<&TreeFeed> {
        self.trees.get(self.writers.get(name)?)?.feeds().get(name)
    }

    /// Whether the writer forked, as far as is known here.
    pub(crate) fn is_forked(&self, writer: &[u8; 32]) -> bool {
        self.trees.get(writer).is_some_and(FeedTree::is_forked)
    }
}
