//! Which entries can be applied next, judged without Automerge.

use std::collections::{BTreeMap, BTreeSet};

use automerge::{ActorId, Automerge, Change, ChangeHash};
use node_feed::FeedName;

use crate::book::Book;
use crate::candidate::Candidate;
use crate::entry::ChangesEntry;
use crate::limits::{ACTORS_MAX, COUNTER_GAP_MAX, COUNTER_MAX};
use crate::outcome::{Fault, SetAsideReason, WaitingCause};

/// What stands in the way of an entry.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Ready,
    Waiting(WaitingCause),
    SetAside(Fault),
    /// It takes the place of entries of this feed from this number on.
    TakesPlaceOf(FeedName, u64),
}

/// A document together with the entries planned on top of it.
#[derive(Debug)]
pub(crate) struct Plan<'a> {
    document: &'a Automerge,
    book: &'a Book,
    /// Planned changes → their last operation's counter.
    changes: BTreeMap<[u8; 32], u64>,
    seqs: BTreeMap<ActorId, u64>,
    sources: BTreeMap<(ActorId, u64), (FeedName, u64)>,
    new_actors: BTreeMap<FeedName, BTreeSet<ActorId>>,
}

impl<'a> Plan<'a> {
    pub(crate) fn new(document: &'a Automerge, book: &'a Book) -> Self {
        Self {
            document,
            book,
            changes: BTreeMap::new(),
            seqs: BTreeMap::new(),
            sources: BTreeMap::new(),
            new_actors: BTreeMap::new(),
        }
    }

    /// Counts an entry as applied.
    pub(crate) fn add(&mut self, entry: &ChangesEntry, candidate: &Candidate) {
        let feed = entry.feed;
        for change in &candidate.changes {
            let actor = change.actor_id();
            if self.last_seq(actor) == 0 {
                self.new_actors
                    .entry(feed)
                    .or_default()
                    .insert(actor.clone());
            }
            let seq = self.last_seq(actor).max(change.seq());
            self.seqs.insert(actor.clone(), seq);
            self.sources
                .insert((actor.clone(), change.seq()), (feed, entry.number));
            self.changes.insert(change.hash().0, last_op(change));
        }
    }

    pub(crate) fn judge(&self, entry: &ChangesEntry, candidate: &Candidate) -> Verdict {
        if self
            .book
            .giving_way
            .get(&entry.feed)
            .is_some_and(|from| entry.number >= *from)
        {
            return Verdict::SetAside(SetAsideReason::Collision.into());
        }
        if let Some(cause) = self.missing(candidate) {
            return Verdict::Waiting(cause);
        }
        // Judged as if the changes before it in the entry were there.
        let mut within = Within {
            seqs: BTreeMap::new(),
            ops: BTreeMap::new(),
        };
        for change in &candidate.changes {
            let hash = change.hash().0;
            if self.last_op_of(&hash).is_none() {
                let verdict = self.judge_change(entry, change, &within);
                if verdict != Verdict::Ready {
                    return verdict;
                }
            }
            within.seqs.insert(change.actor_id().clone(), change.seq());
            within.ops.insert(hash, last_op(change));
        }
        let known = self.book.actors_of(entry.feed)
            + self.new_actors.get(&entry.feed).map_or(0, BTreeSet::len);
        let new = within
            .seqs
            .keys()
            .filter(|actor| self.last_seq(actor) == 0)
            .count();
        if known + new > ACTORS_MAX {
            let detail = format!("at most {ACTORS_MAX} are allowed");
            return Verdict::SetAside(Fault::new(SetAsideReason::TooManyActors, detail));
        }
        Verdict::Ready
    }

    fn missing(&self, candidate: &Candidate) -> Option<WaitingCause> {
        let missing = self.missing_changes(candidate);
        let aside = missing
            .iter()
            .find_map(|hash| self.book.set_aside_holding(hash));
        match aside {
            Some((feed, number)) => Some(WaitingCause::BuildsOnSetAside { feed, number }),
            None if missing.is_empty() => None,
            None => Some(WaitingCause::Missing(missing.into_iter().collect())),
        }
    }

    /// The changes that an entry builds on and that are not there.
    pub(crate) fn missing_changes(&self, candidate: &Candidate) -> BTreeSet<[u8; 32]> {
        let mut inside = BTreeSet::new();
        let mut missing = BTreeSet::new();
        for change in &candidate.changes {
            for dependency in change.deps() {
                if !inside.contains(&dependency.0) && self.last_op_of(&dependency.0).is_none() {
                    missing.insert(dependency.0);
                }
            }
            inside.insert(change.hash().0);
        }
        missing
    }

    fn judge_change(&self, entry: &ChangesEntry, change: &Change, within: &Within) -> Verdict {
        let actor = change.actor_id();
        let last = within
            .seqs
            .get(actor)
            .copied()
            .unwrap_or_else(|| self.last_seq(actor));
        if change.seq() != last + 1 {
            return self.judge_collision(entry, change, last);
        }
        let others = change.other_actor_ids();
        if others
            .iter()
            .any(|other| self.last_seq(other) == 0 && !within.seqs.contains_key(other))
        {
            return Verdict::SetAside(SetAsideReason::UnknownActor.into());
        }
        let behind = change
            .deps()
            .iter()
            .filter_map(|hash| {
                within
                    .ops
                    .get(&hash.0)
                    .copied()
                    .or_else(|| self.last_op_of(&hash.0))
            })
            .max()
            .unwrap_or(0);
        let start = change.start_op().get();
        if start <= behind || start > behind + COUNTER_GAP_MAX || last_op(change) > COUNTER_MAX {
            return Verdict::SetAside(SetAsideReason::Counter.into());
        }
        Verdict::Ready
    }

    /// Two branches of a fork used one actor: the trunk is applied, or else the branch with the lower
    /// name.
    fn judge_collision(&self, entry: &ChangesEntry, change: &Change, last: u64) -> Verdict {
        let detail = format!("step {} after step {last}", change.seq());
        let out_of_order = Verdict::SetAside(Fault::new(SetAsideReason::OutOfOrder, detail));
        if change.seq() > last {
            return out_of_order;
        }
        let trunk = FeedName::from_bytes(entry.writer);
        let step = (change.actor_id().clone(), change.seq());
        let planned = self.sources.get(&step).copied();
        match planned.or_else(|| self.book.source(&step.0, step.1)) {
            None => out_of_order,
            Some((feed, _)) if feed == entry.feed => out_of_order,
            Some((feed, number)) if feed != trunk && (entry.feed == trunk || entry.feed < feed) => {
                Verdict::TakesPlaceOf(feed, number)
            }
            Some(_) => Verdict::SetAside(SetAsideReason::Collision.into()),
        }
    }

    fn last_seq(&self, actor: &ActorId) -> u64 {
        self.seqs
            .get(actor)
            .copied()
            .unwrap_or_else(|| self.book.last_seq(actor))
    }

    /// The last operation's counter of a change that is applied or planned.
    fn last_op_of(&self, hash: &[u8; 32]) -> Option<u64> {
        self.changes.get(hash).copied().or_else(|| {
            self.document
                .get_change_meta_by_hash(&ChangeHash(*hash))
                .map(|meta| meta.max_op)
        })
    }
}

struct Within {
    seqs: BTreeMap<ActorId, u64>,
    ops: BTreeMap<[u8; 32], u64>,
}

/// The counter of a change's last operation, or of the one before it if it holds none.
pub(crate) fn last_op(change: &Change) -> u64 {
    change.start_op().get() + change.len() as u64 - 1
}
