//! What this node refused its peers: entries and sessions.

use std::collections::VecDeque;

use node_feed::{NodeId, Refusal};

/// How many refusals are kept for people to read.
const KEPT_MAX: usize = 500;
/// How many of them may be one peer's, so that one cannot push out what is known of the others.
const KEPT_OF_ONE_MAX: usize = 20;

/// Entries of a feed that a peer sent and that this node refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedEntry {
    /// Who sent them.
    pub peer: NodeId,
    /// The first of them, and why.
    pub refusal: Refusal,
    /// How many times.
    pub times: u64,
    /// When last, in ms since 1970.
    pub time_ms: u64,
}

/// A session that this node refused or ended for a fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedSession {
    /// With whom, as far as its certificate or its proof says.
    pub peer: Option<NodeId>,
    /// Why, in words.
    pub why: String,
    /// How many times.
    pub times: u64,
    /// When last, in ms since 1970.
    pub time_ms: u64,
}

impl RefusedEntry {
    pub(super) fn note(kept: &mut VecDeque<Self>, peer: NodeId, refusal: Refusal, time_ms: u64) {
        let same = |it: &Self| {
            let (one, other) = (&it.refusal, &refusal);
            it.peer == peer
                && (one.space, one.feed, one.reason) == (other.space, other.feed, other.reason)
        };
        let times = take(kept, same).map_or(1, |earlier| earlier.times + 1);
        let noted = Self {
            peer,
            refusal,
            times,
            time_ms,
        };
        keep(kept, noted, |it| it.peer == peer);
    }
}

impl RefusedSession {
    pub(super) fn note(kept: &mut VecDeque<Self>, peer: Option<NodeId>, why: &str, time_ms: u64) {
        let times = take(kept, |it| it.peer == peer && it.why == why);
        let noted = Self {
            peer,
            why: why.to_owned(),
            times: times.map_or(1, |earlier| earlier.times + 1),
            time_ms,
        };
        keep(kept, noted, |it| it.peer == peer);
    }
}

fn take<T>(kept: &mut VecDeque<T>, same: impl Fn(&T) -> bool) -> Option<T> {
    let at = kept.iter().position(same)?;
    kept.remove(at)
}

/// Adds to the end; the oldest of the same peer, or of all, make room.
fn keep<T>(kept: &mut VecDeque<T>, noted: T, of_peer: impl Fn(&T) -> bool) {
    kept.push_back(noted);
    if kept.iter().filter(|it| of_peer(it)).count() > KEPT_OF_ONE_MAX {
        take(kept, of_peer);
    }
    if kept.len() > KEPT_MAX {
        kept.pop_front();
    }
}

#[cfg(test)]
mod tests {
    use node_feed::{FeedName, Hash, RefusalReason, SpaceId};

    use super::*;

    #[test]
    fn one_peer_pushes_out_nothing_of_the_others_and_repeats_are_counted() {
        let refusal = |feed: u8| Refusal {
            space: SpaceId::from_bytes([1; 16]),
            feed: FeedName::from_bytes([feed; 32]),
            number: 3,
            hash: Hash::ZERO,
            reason: RefusalReason::Grant,
            version: "causeway".to_owned(),
        };
        let [loud, quiet] = [1, 2].map(|name| NodeId::from_bytes([name; 32]));
        let mut kept = VecDeque::new();
        RefusedEntry::note(&mut kept, quiet, refusal(0), 1);
        for feed in 0..100 {
            RefusedEntry::note(&mut kept, loud, refusal(feed), 2);
        }
        RefusedEntry::note(&mut kept, quiet, refusal(0), 3);
        assert_eq!(kept.len(), KEPT_OF_ONE_MAX + 1);
        let of_quiet = kept.iter().find(|it| it.peer == quiet).expect("kept");
        assert_eq!((of_quiet.times, of_quiet.time_ms), (2, 3));
    }
}
