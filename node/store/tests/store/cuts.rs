//! Where access ended.

use node_feed::{Height, RefusalReason};
use node_store::{EntryStore, MemoryStore};

use crate::world::{SPACE, World, heights, keep, refuse, send, texts, trees};

on_every_store! {
    fn above_a_cut_nothing_is_taken_and_below_everything(store) {
        let mut world = World::new();
        let (hub, mut pen, open) = world.writer(2);
        let run = pen.write(&["one", "two"]);
        let late = pen.write(&["three"]);
        let cut = Height { number: 1, hash: run.hash_at(1).unwrap() };
        world.cut(&hub, &[(&pen, cut)]);
        keep(store, &world.authority, &open);
        let stored = keep(store, &world.authority, &run);
        assert_eq!(stored.run.last(), cut);
        let refused = refuse(store, &world.authority, &run);
        assert_eq!((refused.number, refused.reason), (2, RefusalReason::Cut));
        assert_eq!(refuse(store, &world.authority, &late).reason, RefusalReason::Gap);
        assert_eq!(texts(store), ["one"]);
        // The cut proves the end, so it can be passed on without the signature above it.
        let mut second = MemoryStore::new();
        send(&world, store, &mut second);
        assert_eq!(trees(store), trees(&second));
    }

    fn what_is_above_a_cut_leaves_as_evidence(store) {
        let mut world = World::new();
        let (hub, mut pen, open) = world.writer(2);
        let run = pen.write(&["one", "two", "three"]);
        let before = world.authority.clone();
        store.append(&world.authority, vec![open, run.clone()]).unwrap();
        assert!(store.reconcile(&world.authority).unwrap().is_empty());

        let cut = Height { number: 2, hash: run.hash_at(2).unwrap() };
        world.cut(&hub, &[(&pen, cut)]);
        assert_eq!(store.reconcile(&world.authority).unwrap(), [SPACE]);
        assert!(store.reconcile(&world.authority).unwrap().is_empty());
        assert_eq!(texts(store), ["one", "two"]);
        assert_eq!(heights(store).get(&pen.feed()), Some(cut));
        let evidence = store.evidence(SPACE).unwrap();
        assert_eq!(evidence.len(), 1);
        assert_eq!((evidence[0].height, evidence[0].reason), (run.last(), RefusalReason::Cut));
        let mut second = MemoryStore::new();
        send(&world, store, &mut second);
        assert_eq!(trees(store), trees(&second));

        // A new term may not know the cut; then it all counts again, proofs included.
        assert_eq!(store.reconcile(&before).unwrap(), [SPACE]);
        assert_eq!(texts(store), ["one", "two", "three"]);
        assert!(store.evidence(SPACE).unwrap().is_empty());
        world.authority = before;
        let mut third = MemoryStore::new();
        send(&world, store, &mut third);
        assert_eq!(trees(store), trees(&third));
    }

    fn a_feed_that_a_cut_does_not_list_counts_as_empty(store) {
        let mut world = World::new();
        let (hub, mut pen, open) = world.writer(2);
        let run = pen.write(&["one"]);
        store.append(&world.authority, vec![open, run]).unwrap();
        world.cut(&hub, &[]);
        assert_eq!(store.reconcile(&world.authority).unwrap(), [SPACE]);
        assert!(store.spaces().unwrap().is_empty());
        assert!(trees(store).is_empty());
        assert_eq!(store.evidence(SPACE).unwrap().len(), 2);
        assert_eq!(store.totals().unwrap().evidence, 2);
    }

    fn after_a_cut_leaves_one_branch_it_is_the_trunk_again(store) {
        let mut world = World::new();
        let (hub, mut pen, open) = world.writer(2);
        let mut clone = pen.clone();
        let run = pen.write(&["one", "two"]);
        let fork = clone.write(&["ONE"]);
        store.append(&world.authority, vec![open.clone(), run.clone(), fork.clone()]).unwrap();
        world.cut(&hub, &[(&pen, run.last())]);
        store.reconcile(&world.authority).unwrap();
        let mut never_forked = MemoryStore::new();
        never_forked.append(&world.authority, vec![open, run]).unwrap();
        assert_eq!(trees(store), trees(&never_forked));
        assert_eq!(texts(store), ["one", "two"]);
        assert_eq!(refuse(store, &world.authority, &fork).reason, RefusalReason::Cut);
    }

    fn the_branch_that_leads_to_a_cut_replaces_one_that_does_not(store) {
        let mut world = World::new();
        let (hub, mut pen, open) = world.writer(2);
        let mut clone = pen.clone();
        let stray = clone.write(&["stray"]);
        let run = pen.write(&["one", "two"]);
        world.cut(&hub, &[(&pen, run.last())]);
        keep(store, &world.authority, &open);
        // Below a cut that is not held yet nobody can tell.
        keep(store, &world.authority, &stray);
        let stored = keep(store, &world.authority, &run);
        assert_eq!((stored.feed, stored.run.last()), (pen.feed(), run.last()));
        assert_eq!(texts(store), ["one", "two"]);
        assert_eq!(trees(store)[&pen.writer()].feeds().len(), 1);
        assert_eq!(store.evidence(SPACE).unwrap().len(), 1);
    }

    fn what_no_proof_covers_any_more_leaves_until_it_comes_with_one(store) {
        let mut world = World::new();
        let (hub, mut pen, open) = world.writer(2);
        let mut honest = pen.clone();
        let stray = pen.write(&["a", "b", "c"]);
        let leads = honest.write(&["a", "b", "C"]);
        store.append(&world.authority, vec![open, stray]).unwrap();
        world.cut(&hub, &[(&honest, leads.last())]);
        store.reconcile(&world.authority).unwrap();
        // The only signature stood above what can count.
        assert!(texts(store).is_empty());
        keep(store, &world.authority, &leads);
        assert_eq!(texts(store), ["a", "b", "C"]);
        assert_eq!(store.evidence(SPACE).unwrap().len(), 1);
    }
}
