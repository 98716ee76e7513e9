//! One hub's node, or the coordinator: its engine, and what its disk holds.

use std::collections::BTreeMap;

use node::Pauses;
use node_feed::{FeedName, Run, SecretKey, SpaceId, TreeFeed, VerifiedRun};
use node_feed::{NodeId, RefusalReason};
use node_sync::{AppendResult, Engine, Stored};

use super::library::Library;
use super::line::Line;

/// One node.
#[derive(Debug)]
pub(super) struct Post {
    pub(super) engine: Engine,
    pub(super) node: NodeId,
    /// The keys that it writes with.
    pub(super) keys: BTreeMap<SpaceId, SecretKey>,
    /// Of each feed held, the number of the next entry.
    pub(super) held: BTreeMap<SpaceId, BTreeMap<[u8; 32], u64>>,
    /// The projects that it takes part in.
    pub(super) projects: Vec<SpaceId>,
    pub(super) pair: Option<SpaceId>,
    /// Its line, out and in.
    pub(super) lines: [Line; 2],
    /// When it last dialled, in microseconds, and the pauses until it dials again.
    pub(super) dialled_at: u64,
    pub(super) pauses: Pauses,
    /// When it looks at its engine's deadline next.
    pub(super) look_at: Option<u64>,
}

impl Post {
    /// Stores a run. Nobody forks here, so a feed is its writer's trunk.
    pub(super) fn append(&mut self, run: VerifiedRun) -> AppendResult {
        let (space, writer, last) = (run.space(), *run.writer(), run.last());
        let feed = FeedName::from_bytes(writer);
        let next = self
            .held
            .entry(space)
            .or_default()
            .entry(writer)
            .or_default();
        let refused = AppendResult::Refused {
            feed,
            number: run.first(),
            hash: run.hash_at(run.first()).unwrap_or(node_feed::Hash::ZERO),
            reason: RefusalReason::Gap,
            at_base: None,
        };
        if last.number < *next {
            return AppendResult::Held;
        }
        if run.first() > *next {
            return refused;
        }
        let new = if run.first() == *next {
            Some(run)
        } else {
            run.from(*next)
        };
        let Some(run) = new else {
            return refused;
        };
        *next = last.number + 1;
        let tree = TreeFeed {
            parent: None,
            start: 0,
            tip: Some(last),
            base: 0,
        };
        AppendResult::Stored(Stored {
            run,
            feed,
            feeds: vec![(feed, tree)],
            removed: Vec::new(),
            forked: false,
        })
    }

    /// Reads runs, feed after feed.
    pub(super) fn read(
        &self,
        library: &Library,
        space: SpaceId,
        from: &[(FeedName, u64)],
        bytes_max: usize,
    ) -> Vec<Run> {
        let mut runs = Vec::new();
        let mut left = bytes_max;
        let Some(held) = self.held.get(&space) else {
            return runs;
        };
        for (feed, number) in from {
            let writer = *feed.as_bytes();
            let end = held.get(&writer).copied().unwrap_or_default();
            if left == 0 {
                break;
            }
            if let Some((run, bytes)) = library.read(space, writer, (*number, end), left) {
                left = left.saturating_sub(bytes);
                runs.push(run);
            }
        }
        runs
    }

    /// How many entries it holds.
    pub(super) fn entries(&self) -> u64 {
        self.held.values().flat_map(BTreeMap::values).sum()
    }
}
