//! The smallest thing that holds feeds: one writer's entries, in memory.

use std::collections::BTreeMap;

use node_feed::{
    Admission, FeedName, FeedTree, Graft, Hash, Height, Heights, RefusalReason, TreeError,
    TreeFeed, VerifiedRun,
};

/// One node's copy of the entries of one writer in one space.
#[derive(Debug, Clone)]
pub(crate) struct Holder {
    admission: Admission,
    /// The hash of one number 0 that was opened under another grant, and what counts of it.
    apart: Option<(Hash, Admission)>,
    tree: FeedTree,
    hashes: BTreeMap<FeedName, BTreeMap<u64, Hash>>,
}

impl Holder {
    pub(crate) fn new(admission: Admission) -> Self {
        Self {
            admission,
            apart: None,
            tree: FeedTree::default(),
            hashes: BTreeMap::new(),
        }
    }

    /// The authority log grew.
    pub(crate) fn hear(&mut self, admission: Admission) {
        self.admission = admission;
        self.settle();
    }

    /// What begins with the entry `open` has an admission of its own.
    pub(crate) fn hear_apart(&mut self, open: Hash, admission: Admission) {
        self.apart = Some((open, admission));
        self.settle();
    }

    /// Stores what counts of `run`; returns whether anything was new.
    pub(crate) fn take(&mut self, run: &VerifiedRun) -> Result<bool, RefusalReason> {
        let hash_at = |feed, number| self.hash_at(feed, number);
        let run = self.tree.admit(&self.admission, run, hash_at)?;
        let graft = self
            .tree
            .graft(&run, hash_at)
            .map_err(|error| match error {
                TreeError::Gap(_) | TreeError::Base(..) => RefusalReason::Gap,
            })?;
        let (feed, from, parent) = match graft {
            Graft::Held => return Ok(false),
            Graft::Extend { feed, from } => (feed, from, None),
            Graft::Fork {
                trunk,
                moved,
                branch,
                from,
            } => {
                self.split(trunk, moved, from);
                (branch, from, Some(trunk))
            }
        };
        let new = run.entries().filter(|(height, _)| height.number >= from);
        let hashes = self.hashes.entry(feed).or_default();
        hashes.extend(new.map(|(height, _)| (height.number, height.hash)));
        let mut feeds = self.tree.feeds().clone();
        let place = TreeFeed {
            parent,
            start: from,
            tip: None,
            base: 0,
        };
        feeds.entry(feed).or_insert(place).tip = Some(run.last());
        self.tree = FeedTree::new(feeds);
        self.settle();
        Ok(true)
    }

    /// What is said to a peer.
    pub(crate) fn heights(&self) -> Heights {
        let feeds = self.tree.feeds().iter();
        feeds
            .filter_map(|(name, feed)| Some((*name, feed.tip?)))
            .collect()
    }

    pub(crate) fn feeds(&self) -> &BTreeMap<FeedName, TreeFeed> {
        self.tree.feeds()
    }

    /// Every entry held.
    pub(crate) fn entries(&self) -> Vec<Height> {
        let hashes = self.hashes.values().flatten();
        let mut entries = hashes
            .map(|(number, hash)| Height {
                number: *number,
                hash: *hash,
            })
            .collect::<Vec<_>>();
        entries.sort_unstable();
        entries
    }

    /// The admission of what begins with `root`'s number 0.
    fn admission_of(&self, root: FeedName) -> Admission {
        let first = self.hash_at(root, 0);
        let own = self.apart.as_ref().filter(|(open, _)| Some(*open) == first);
        own.map_or_else(
            || self.admission.clone(),
            |(_, admission)| admission.clone(),
        )
    }

    fn hash_at(&self, feed: FeedName, number: u64) -> Option<Hash> {
        self.hashes.get(&feed)?.get(&number).copied()
    }

    /// Ends `trunk` before `from`; what it held from there on becomes `moved`.
    fn split(&mut self, trunk: FeedName, moved: Option<FeedName>, from: u64) {
        let mut feeds = self.tree.feeds().clone();
        if let Some(moved) = moved {
            for feed in feeds.values_mut().filter(|feed| feed.parent == Some(trunk)) {
                feed.parent = Some(moved);
            }
            let hashes = self.hashes.entry(trunk).or_default().split_off(&from);
            self.hashes.insert(moved, hashes);
            let tip = from.checked_sub(1).and_then(|number| {
                self.hash_at(trunk, number)
                    .map(|hash| Height { number, hash })
            });
            if let Some(feed) = feeds.get_mut(&trunk) {
                let branch = TreeFeed {
                    parent: Some(trunk),
                    start: from,
                    tip: feed.tip,
                    base: 0,
                };
                feed.tip = tip;
                feeds.insert(moved, branch);
            }
        }
        self.tree = FeedTree::new(feeds);
    }

    /// Takes out what does not count, and joins what is no branch any more.
    fn settle(&mut self) {
        let feeds = self.tree.feeds().keys();
        let counted = feeds.map(|name| (*name, self.counted(*name)));
        for (name, next) in counted.collect::<BTreeMap<_, _>>() {
            let hashes = self.hashes.entry(name).or_default();
            hashes.retain(|number, _| *number < next);
        }
        let mut feeds = self.tree.feeds().clone();
        for (name, feed) in &mut feeds {
            let last = self
                .hashes
                .get(name)
                .and_then(|hashes| hashes.last_key_value());
            feed.tip = last.map(|(number, hash)| Height {
                number: *number,
                hash: *hash,
            });
        }
        let forked_at_0 = |name: &FeedName| self.tree.feeds()[name].tip.is_none();
        feeds.retain(|name, feed| feed.tip.is_some() || forked_at_0(name));
        while let Some((branch, into)) = only_branch(&feeds) {
            let hashes = self.hashes.remove(&branch).unwrap_or_default();
            self.hashes.entry(into).or_default().extend(hashes);
            let tip = feeds.remove(&branch).and_then(|feed| feed.tip);
            for feed in feeds
                .values_mut()
                .filter(|feed| feed.parent == Some(branch))
            {
                feed.parent = Some(into);
            }
            if let Some(feed) = feeds.get_mut(&into) {
                feed.tip = tip;
            }
        }
        // A trunk that forked at number 0 goes with its last branch.
        let parents = feeds
            .values()
            .filter_map(|feed| feed.parent)
            .collect::<Vec<_>>();
        feeds.retain(|name, feed| feed.tip.is_some() || parents.contains(name));
        self.hashes.retain(|_, hashes| !hashes.is_empty());
        self.tree = FeedTree::new(feeds);
    }

    /// How far one feed counts, by the admission of the number 0 that it goes back to.
    fn counted(&self, name: FeedName) -> u64 {
        let feeds = self.tree.feeds();
        let mut root = name;
        while let Some(parent) = feeds[&root].parent.filter(|_| feeds[&root].start > 0) {
            root = parent;
        }
        match self.admission_of(root) {
            Admission::All | Admission::NotYet(_) => feeds[&name].next(),
            Admission::Never(_) => 0,
            Admission::UpTo(cuts) => {
                let counted = self
                    .tree
                    .counted(&cuts, |feed, number| self.hash_at(feed, number));
                counted.get(&name).copied().unwrap_or(0)
            }
        }
    }
}

/// A feed that alone branches from another, and that other.
fn only_branch(feeds: &BTreeMap<FeedName, TreeFeed>) -> Option<(FeedName, FeedName)> {
    feeds.iter().find_map(|(name, feed)| {
        let parent = feed.parent?;
        let branches = feeds.values().filter(|feed| feed.parent == Some(parent));
        (branches.count() == 1).then_some((*name, parent))
    })
}
