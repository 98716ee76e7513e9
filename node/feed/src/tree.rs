//! One writer's feed and, after a fork, its branches.
//!
//! A fork is carried, not dropped. With two signed entries under one number the trunk ends before
//! it, and each branch goes on as a feed of its own, named by the hash of its first entry. So all
//! nodes that hold the same entries have the same feeds, whatever they saw first.

use std::collections::BTreeMap;

use crate::{Admission, FeedName, Hash, Height, RefusalReason, VerifiedRun};

/// Why a run finds no place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TreeError {
    /// The entry before the run's first is not held.
    #[error("an entry before number {0} is missing")]
    Gap(u64),
    /// The run parts, or may part, from what is held at or before the base, whose entries are not
    /// held: the feed must be fetched whole to tell where.
    #[error("entry {0} may part from a feed of which only what follows its base is held")]
    Base(u64, Parting),
}

/// Whether something parts from a feed before its base.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parting {
    /// It does not lead to anything that is held: it may be of another branch.
    Perhaps,
    /// Another entry is held under one of its numbers.
    Proven,
}

/// One feed of the tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TreeFeed {
    /// The feed that it branches from; none for the trunk.
    pub parent: Option<FeedName>,
    /// Number of its first entry.
    pub start: u64,
    /// The last entry held; none for a trunk that forked at number 0.
    pub tip: Option<Height>,
    /// The number of the checkpoint that the feed was copied from; 0 if all its entries are held.
    /// Of the entries before it only those are held that the checkpoint keeps. Only a trunk
    /// without a fork at or before it has one.
    pub base: u64,
}

impl TreeFeed {
    /// Whether all entries from this number on are held.
    pub const fn holds(&self, number: u64) -> bool {
        self.base == 0 || number > self.base
    }

    /// The number that the next entry would have.
    pub fn next(&self) -> u64 {
        self.tip.map_or(self.start, |tip| tip.number + 1)
    }
}

/// What storing a run does to the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Graft {
    /// Every entry is held already.
    Held,
    /// The entries from `from` on go to the end of `feed`, which is new if it has no entries, or to
    /// where they are missing in it before its base.
    Extend {
        /// The feed.
        feed: FeedName,
        /// Number of the first entry that is new.
        from: u64,
    },
    /// `trunk` ends before `from`: what it holds from there on becomes the feed `moved`, and the
    /// run's entries from `from` on become the feed `branch`. The feeds that branched from
    /// `trunk` now branch from `moved`, if there is one.
    Fork {
        /// The feed that ends.
        trunk: FeedName,
        /// Name of what it held from `from` on; none if it ended there already.
        moved: Option<FeedName>,
        /// Name of the new branch.
        branch: FeedName,
        /// Number of the first entry that is new.
        from: u64,
    },
}

/// All feeds of one writer in one space.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FeedTree {
    feeds: BTreeMap<FeedName, TreeFeed>,
}

impl FeedTree {
    /// A tree of these feeds.
    pub const fn new(feeds: BTreeMap<FeedName, TreeFeed>) -> Self {
        Self { feeds }
    }

    /// The feeds.
    pub const fn feeds(&self) -> &BTreeMap<FeedName, TreeFeed> {
        &self.feeds
    }

    /// Where `run` belongs. `hash_at` gives the hash of any entry that a feed of the tree itself
    /// holds, from its `start` to its `tip`.
    ///
    /// # Errors
    /// [`TreeError::Gap`] if the entry before the run is not held.
    pub fn graft(
        &self,
        run: &VerifiedRun,
        hash_at: impl Fn(FeedName, u64) -> Option<Hash>,
    ) -> Result<Graft, TreeError> {
        let before = run.first().checked_sub(1).map(|number| Height {
            number,
            hash: run.previous(),
        });
        let chain = run.entries().map(|(height, _)| height);
        self.place(*run.writer(), before, chain, hash_at)
    }

    /// Where the entries of `chain` belong, the first of which follows `before` (none for number
    /// 0). They must be linked and signed by `writer`; [`FeedTree::graft`] is this for a run.
    ///
    /// # Errors
    /// [`TreeError::Gap`] if `before` is not held; [`TreeError::Base`] if the chain parts from a
    /// feed where its entries are not held, or ends there without leading to one that is.
    pub fn place(
        &self,
        writer: [u8; 32],
        before: Option<Height>,
        chain: impl IntoIterator<Item = Height>,
        hash_at: impl Fn(FeedName, u64) -> Option<Hash>,
    ) -> Result<Graft, TreeError> {
        let gap = || {
            let number = before.map_or(0, |before| before.number.saturating_add(1));
            TreeError::Gap(number)
        };
        // Whether the entry before is known to be the one that is held here.
        let mut linked = true;
        let mut at = match before {
            None => FeedName::from_bytes(writer),
            Some(before) => match self.holder(before, &hash_at) {
                Some(holder) => holder,
                None => {
                    linked = false;
                    let covering = self.covers(before.number).ok_or_else(gap)?;
                    if hash_at(covering, before.number).is_some() {
                        // Another entry is held under its number.
                        return Err(TreeError::Base(before.number, Parting::Proven));
                    }
                    covering
                }
            },
        };
        let mut last = before.map_or(0, |before| before.number);
        // The first that is missing before a base.
        let mut missing = None;
        for height in chain {
            last = height.number;
            let Some(feed) = self.feeds.get(&at) else {
                return Ok(Graft::Extend {
                    feed: at,
                    from: height.number,
                });
            };
            let from = missing.unwrap_or(height.number);
            if height.number < feed.next() {
                let held = hash_at(at, height.number);
                if held == Some(height.hash) {
                    linked = true;
                    continue;
                }
                if held.is_none() && !feed.holds(height.number) {
                    if linked {
                        missing.get_or_insert(height.number);
                    }
                    continue;
                }
                let is_whole = missing.is_none() && feed.holds(height.number);
                if !linked || !is_whole {
                    return Err(TreeError::Base(height.number, Parting::Proven));
                }
                return Ok(Graft::Fork {
                    trunk: at,
                    moved: held.map(|hash| FeedName::from_bytes(*hash.as_bytes())),
                    branch: FeedName::from_bytes(*height.hash.as_bytes()),
                    from: height.number,
                });
            }
            if !self.has_branches(at) {
                return Ok(Graft::Extend { feed: at, from });
            }
            if missing.is_some() {
                return Err(TreeError::Base(height.number, Parting::Perhaps));
            }
            let branch = FeedName::from_bytes(*height.hash.as_bytes());
            if !self.feeds.contains_key(&branch) {
                return Ok(Graft::Fork {
                    trunk: at,
                    moved: None,
                    branch,
                    from: height.number,
                });
            }
            at = branch;
        }
        match missing {
            Some(from) => Ok(Graft::Extend { feed: at, from }),
            None if linked => Ok(Graft::Held),
            None => Err(TreeError::Base(last, Parting::Perhaps)),
        }
    }

    /// Whether and how far a run counts, under what the authority log says of the feed: the run
    /// itself, or the part of it up to a cut.
    ///
    /// # Errors
    /// The reason, if no new entry of it counts.
    pub fn admit(
        &self,
        admission: &Admission,
        run: &VerifiedRun,
        hash_at: impl Fn(FeedName, u64) -> Option<Hash>,
    ) -> Result<VerifiedRun, RefusalReason> {
        let cuts = match admission {
            Admission::All => return Ok(run.clone()),
            Admission::NotYet(reason) | Admission::Never(reason) => return Err(*reason),
            Admission::UpTo(cuts) => cuts,
        };
        // What leads up to a cut, or up to where it may be, is held for a reason.
        if self.holder(run.last(), &hash_at).is_some() {
            return Ok(run.clone());
        }
        // Below a cut that is not held yet: whether it leads there will be known when it is.
        let last = run.last().number;
        let may_lead = |cut: &Height| last < cut.number && self.holder(*cut, &hash_at).is_none();
        if cuts.iter().any(may_lead) {
            return Ok(run.clone());
        }
        run.through_any(cuts).ok_or(RefusalReason::Cut)
    }

    /// How far each feed counts under `cuts`: the number after the last entry that does. Feeds
    /// that are left out do not count at all.
    ///
    /// While the entry that a cut names is not held, all that is numbered below it counts, for
    /// the time being. So the holder must ask this when the authority log grows **and** whenever
    /// it stored a run of a feed that has cuts. It takes out what does not count, and where one
    /// branch is left of a fork it joins that to the feed it goes on from: the fork is none any
    /// more, and nodes that never saw it have the same feeds.
    ///
    /// After a fork at number 0 each branch has an `open` and so cuts of its own: the answer under
    /// some cuts is then that of the branches that they are for.
    pub fn counted(
        &self,
        cuts: &[Height],
        hash_at: impl Fn(FeedName, u64) -> Option<Hash>,
    ) -> BTreeMap<FeedName, u64> {
        let mut counted = BTreeMap::<FeedName, u64>::new();
        let mut raise = |feed: FeedName, next: u64| {
            let entry = counted.entry(feed).or_default();
            *entry = next.max(*entry);
        };
        for cut in cuts {
            if let Some(holder) = self.holder(*cut, &hash_at) {
                let mut next = cut.number + 1;
                let mut at = Some(holder);
                while let Some((name, feed)) = at.and_then(|at| self.feeds.get_key_value(&at)) {
                    raise(*name, next);
                    next = feed.start;
                    at = feed.parent;
                }
            } else {
                for (name, feed) in &self.feeds {
                    let next = feed.next().min(cut.number);
                    if next > feed.start {
                        raise(*name, next);
                    }
                }
            }
        }
        counted
    }

    /// The feed that was copied from a checkpoint after this number, and so stands for the entry
    /// under it without holding it.
    fn covers(&self, number: u64) -> Option<FeedName> {
        let mut feeds = self.feeds.iter();
        let covering = feeds.find(|(_, feed)| feed.start <= number && number < feed.base);
        covering.map(|(name, _)| *name)
    }

    /// The feed that itself holds this entry.
    pub fn holder(
        &self,
        height: Height,
        hash_at: impl Fn(FeedName, u64) -> Option<Hash>,
    ) -> Option<FeedName> {
        self.feeds
            .iter()
            .filter(|(_, feed)| feed.start <= height.number && height.number < feed.next())
            .map(|(name, _)| *name)
            .find(|name| hash_at(*name, height.number) == Some(height.hash))
    }

    /// Whether any feed branches from `name`.
    pub fn has_branches(&self, name: FeedName) -> bool {
        self.feeds.values().any(|feed| feed.parent == Some(name))
    }

    /// Whether the writer forked.
    pub fn is_forked(&self) -> bool {
        self.feeds.len() > 1
    }
}

impl VerifiedRun {
    /// The part of the run up to the last of `cuts` that is in it.
    fn through_any(&self, cuts: &[Height]) -> Option<Self> {
        cuts.iter()
            .filter(|cut| self.hash_at(cut.number) == Some(cut.hash))
            .max_by_key(|cut| cut.number)
            .and_then(|cut| self.through(*cut))
    }
}
