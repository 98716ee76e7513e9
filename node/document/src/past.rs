//! Where a document stood on a date, and which change had seen which.

use std::collections::{BTreeMap, BTreeSet};

use automerge::ChangeHash;

use crate::document::Document;
use crate::heads::Heads;

impl Document {
    /// Where it stood at a time, in milliseconds since 1970: with every change that its author
    /// dated no later, as far as all that it builds on was dated so too. Times are the authors'
    /// own, so this is for display.
    pub fn heads_on(&self, time_ms: u64) -> Heads {
        let mut then = BTreeMap::<ChangeHash, bool>::new();
        for change in self.automerge.get_changes_meta(&[]) {
            let author = self.book.author_of_op(&change.actor, change.start_op);
            let known = change.deps.iter().all(|dep| then.contains_key(dep));
            if known && author.is_some_and(|author| author.time_ms <= time_ms) {
                for dep in &change.deps {
                    then.insert(*dep, false);
                }
                then.insert(change.hash, true);
            }
        }
        let last = then.into_iter().filter(|(_, last)| *last);
        Heads::new(last.map(|(hash, _)| hash.0).collect())
    }

    /// Whether whoever wrote at `later` had seen all of `earlier`, or wrote it.
    pub fn saw(&self, later: &Heads, earlier: &Heads) -> bool {
        let mut wanted = earlier.to_automerge().into_iter().collect::<BTreeSet<_>>();
        let last_op = |hash: &ChangeHash| {
            let meta = self.automerge.get_change_meta_by_hash(hash);
            meta.map(|meta| meta.max_op)
        };
        // Counters grow along every chain of causes, so nothing older need be looked at.
        let Some(floor) = wanted.iter().map(last_op).min().flatten() else {
            return wanted.is_empty();
        };
        let mut queue = later.to_automerge();
        let mut visited = queue.iter().copied().collect::<BTreeSet<_>>();
        while let Some(hash) = queue.pop() {
            wanted.remove(&hash);
            if wanted.is_empty() {
                return true;
            }
            let Some(meta) = self.automerge.get_change_meta_by_hash(&hash) else {
                continue;
            };
            queue.extend(meta.deps.into_iter().filter(|dep| {
                last_op(dep).is_some_and(|last| last >= floor) && visited.insert(*dep)
            }));
        }
        false
    }
}
