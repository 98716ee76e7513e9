//! One writer's feeds in one space, with what the store knows of each.

use std::collections::BTreeMap;

use node_feed::{FeedName, FeedTree, Height, Opening, SpaceId, TreeFeed};

/// A store's own number for a feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct FeedKey(pub(crate) i64);

/// One feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Feed {
    pub(crate) key: FeedKey,
    pub(crate) place: TreeFeed,
    /// None for a trunk that forked at number 0, whose branches each have their own.
    pub(crate) opening: Option<Opening>,
}

/// One writer's feeds. Their shape depends on the entries held alone: every feed is a longest
/// stretch without a branch, and a feed with branches has at least two.
#[derive(Debug, Clone)]
pub(crate) struct WriterFeeds {
    pub(crate) space: SpaceId,
    pub(crate) writer: [u8; 32],
    pub(crate) feeds: BTreeMap<FeedName, Feed>,
    /// What the authority log said of this writer when it was last applied.
    pub(crate) applied: Vec<u8>,
}

impl WriterFeeds {
    pub(crate) const fn new(space: SpaceId, writer: [u8; 32]) -> Self {
        Self {
            space,
            writer,
            feeds: BTreeMap::new(),
            applied: Vec::new(),
        }
    }

    /// Makes the branches of `from` branches of `to`.
    pub(crate) fn hand_branches(&mut self, from: FeedName, to: FeedName) {
        for (name, feed) in &mut self.feeds {
            if feed.place.parent == Some(from) && *name != to {
                feed.place.parent = Some(to);
            }
        }
    }

    pub(crate) fn set_tip(&mut self, name: FeedName, tip: Option<Height>) {
        if let Some(feed) = self.feeds.get_mut(&name) {
            feed.place.tip = tip;
        }
    }

    pub(crate) const fn trunk(&self) -> FeedName {
        FeedName::from_bytes(self.writer)
    }

    pub(crate) fn tree(&self) -> FeedTree {
        FeedTree::new(self.places())
    }

    pub(crate) fn places(&self) -> BTreeMap<FeedName, TreeFeed> {
        let places = self.feeds.iter().map(|(name, feed)| (*name, feed.place));
        places.collect()
    }

    pub(crate) fn branches(&self, name: FeedName) -> Vec<FeedName> {
        self.feeds
            .iter()
            .filter(|(_, feed)| feed.place.parent == Some(name))
            .map(|(name, _)| *name)
            .collect()
    }

    /// The names of the feeds, those that start last first: branches before what they branch from.
    pub(crate) fn branches_first(&self) -> Vec<FeedName> {
        let mut names = self.feeds.keys().copied().collect::<Vec<_>>();
        names.sort_by_key(|name| {
            let feed = &self.feeds[name].place;
            (std::cmp::Reverse(feed.start), feed.tip.is_none())
        });
        names
    }
}
