//! Feeds with two entries under one number.

use node_feed::{FeedName, Nonce};
use node_store::{Appended, EntryStore, MemoryStore};

use crate::world::{SPACE, World, append, everything, heights, keep, send, texts, trees};

on_every_store! {
    fn both_branches_are_kept_and_the_trunk_ends_before_them(store) {
        let mut world = World::new();
        let (_, mut pen, open) = world.writer(2);
        let common = pen.write(&["one"]);
        let mut clone = pen.clone();
        let run = pen.write(&["two", "three"]);
        let fork = clone.write(&["TWO"]);
        store
            .append(&world.authority, vec![open, common.clone(), run.clone()])
            .unwrap();
        let stored = keep(store, &world.authority, &fork);

        let branch = FeedName::from_bytes(*fork.last().hash.as_bytes());
        let moved = FeedName::from_bytes(*run.hash_at(2).unwrap().as_bytes());
        assert!(stored.forked);
        assert_eq!((stored.feed, stored.feeds.len()), (branch, 3));
        let heights = heights(store);
        assert_eq!(heights.get(&pen.feed()), Some(common.last()));
        assert_eq!(heights.get(&moved), Some(run.last()));
        assert_eq!(heights.get(&branch), Some(fork.last()));

        let next = clone.write(&["THREE"]);
        assert_eq!(keep(store, &world.authority, &next).feed, branch);
        let next = pen.write(&["four"]);
        assert_eq!(keep(store, &world.authority, &next).feed, moved);
        assert_eq!(append(store, &world.authority, &fork), Appended::Held);
        assert_eq!(store.openings(SPACE).unwrap().len(), 3);
    }

    fn a_trunk_ended_in_the_middle_of_a_run_can_still_be_proved(store) {
        let mut world = World::new();
        let (_, pen, open) = world.writer(2);
        let mut one = pen.clone();
        let mut other = pen;
        let run = one.write(&["a", "b", "c", "d"]);
        let fork = other.write(&["a", "b", "C"]);
        store.append(&world.authority, vec![open, run, fork]).unwrap();
        let mut second = MemoryStore::new();
        send(&world, store, &mut second);
        assert_eq!(trees(store), trees(&second));
        // The trunk alone, for a peer that has none of it.
        let runs = store.read(SPACE, &[(one.feed(), 1)], 1).unwrap();
        assert_eq!((runs.len(), runs[0].first), (1, 1));
        assert!(runs[0].entries.len() > 2, "it goes on to where its proof is");
    }

    fn a_fork_at_the_start_leaves_an_empty_trunk(store) {
        let mut world = World::new();
        let hub = world.hub(2);
        let grant = world.grant(&hub, SPACE);
        let (mut one, open) = world.pen(&hub, grant, [2; 32]);
        let mut other = one.clone();
        other.tip = None;
        let second_grant = world.grant(&hub, SPACE);
        let reopened = other.open(&hub, second_grant, Nonce([9; 16]));
        let run = one.write(&["one"]);
        let fork = other.write(&["other"]);
        for run in [&open, &run, &reopened, &fork] {
            keep(store, &world.authority, run);
        }
        assert_eq!(trees(store)[&one.writer()].feeds().len(), 3);
        assert_eq!(heights(store).len(), 2);
        assert_eq!(store.openings(SPACE).unwrap().len(), 2);
        let mut second = MemoryStore::new();
        send(&world, store, &mut second);
        assert_eq!(trees(store), trees(&second));
    }

    fn a_fork_below_a_fork_hands_its_branches_on(store) {
        let mut world = World::new();
        let (_, mut pen, open) = world.writer(2);
        keep(store, &world.authority, &open);
        let mut early = pen.clone();
        let run = pen.write(&["a", "b"]);
        let mut late = pen.clone();
        keep(store, &world.authority, &run);
        keep(store, &world.authority, &pen.write(&["c"]));
        keep(store, &world.authority, &late.write(&["C"]));
        let stored = keep(store, &world.authority, &early.write(&["A"]));
        assert!(stored.forked);
        let tree = &trees(store)[&pen.writer()];
        let moved = FeedName::from_bytes(*run.hash_at(1).unwrap().as_bytes());
        let below = tree.feeds().values().filter(|feed| feed.parent == Some(moved));
        assert_eq!(below.count(), 2);
        assert_eq!(tree.feeds().len(), 5);
        assert_eq!(everything(store).iter().map(|run| run.entries.len()).sum::<usize>(), 6);
        assert_eq!(texts(store), ["a", "b", "c", "C", "A"]);
    }
}
