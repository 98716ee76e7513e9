//! Storing runs.

use node_feed::{DocumentId, Hash, Kind, Nonce, Opening, RefusalReason, SpaceId, Subject, Writers};
use node_store::{Appended, EntryStore, MemoryStore};

use crate::world::{NOTE, SPACE, World, heights, keep, refuse, texts};

on_every_store! {
    fn what_is_appended_is_held(store) {
        let mut world = World::new();
        let (hub, mut pen, open) = world.writer(2);
        let stored = keep(store, &world.authority, &open);
        assert!(matches!(stored.opening, Some(Opening::Node { hub: of, .. }) if of == hub.id));
        let run = pen.write(&["one", "two"]);
        let stored = keep(store, &world.authority, &run);
        assert_eq!(stored.run, run);
        assert_eq!(stored.feed, pen.feed());
        assert_eq!(stored.feeds.len(), 1);
        assert_eq!(stored.feeds[0].1.tip, Some(run.last()));
        assert!(!stored.forked && stored.removed.is_empty() && stored.opening.is_none());

        assert_eq!(heights(store).get(&pen.feed()), Some(run.last()));
        assert_eq!(texts(store), ["one", "two"]);
        assert_eq!(store.spaces().unwrap(), [SPACE]);
        assert_eq!(store.hash_at(SPACE, pen.feed(), 1).unwrap(), run.hash_at(1));
        assert_eq!(store.hash_at(SPACE, pen.feed(), 3).unwrap(), None);
        let entry = store.entry(run.last().hash).unwrap().unwrap();
        assert_eq!((entry.height, entry.feed), (run.last(), pen.feed()));
        assert_eq!(store.entry(Hash::ZERO).unwrap(), None);
        assert_eq!(store.totals().unwrap().entries, 3);
    }

    fn repeating_a_run_is_harmless(store) {
        let mut world = World::new();
        let (_, mut pen, open) = world.writer(2);
        let run = pen.write(&["one", "two"]);
        let next = pen.write(&["three"]);
        let runs = vec![open.clone(), run.clone(), run.clone(), next.clone(), open, run];
        let answers = store.append(&world.authority, runs).unwrap();
        let held = answers.iter().map(|answer| *answer == Appended::Held);
        assert_eq!(held.collect::<Vec<_>>(), [false, false, true, false, true, true]);
        assert_eq!(texts(store), ["one", "two", "three"]);
    }

    fn of_a_run_that_overlaps_only_the_new_part_is_stored(store) {
        let mut world = World::new();
        let (_, pen, open) = world.writer(2);
        let mut short = pen.clone();
        let mut long = pen;
        keep(store, &world.authority, &open);
        keep(store, &world.authority, &short.write(&["one", "two"]));
        let run = long.write(&["one", "two", "three"]);
        let stored = keep(store, &world.authority, &run);
        assert_eq!((stored.run.first(), stored.run.count()), (3, 1));
        assert_eq!(texts(store), ["one", "two", "three"]);
    }

    fn a_gap_is_refused_and_affects_no_other_run(store) {
        let mut world = World::new();
        let (_, mut pen, open) = world.writer(2);
        let (_, mut other, other_open) = world.writer(3);
        let missing = pen.write(&["missing"]);
        let late = pen.write(&["late"]);
        let note = other.write(&["other"]);
        let runs = vec![open, late.clone(), other_open, note];
        let answers = store.append(&world.authority, runs).unwrap();
        let Appended::Refused(refused) = &answers[1] else {
            panic!("not refused: {:?}", answers[1]);
        };
        assert_eq!((refused.number, refused.reason), (2, RefusalReason::Gap));
        assert_eq!((refused.feed, refused.hash), (pen.feed(), late.last().hash));
        assert_eq!(texts(store), ["other"]);
        keep(store, &world.authority, &missing);
        keep(store, &world.authority, &late);
        assert_eq!(texts(store), ["other", "missing", "late"]);
    }

    fn only_feeds_opened_under_a_known_grant_are_taken(store) {
        let mut world = World::new();
        let (hub, _, open) = world.writer(2);
        let unknown = World::new();
        let refused = refuse(store, &unknown.authority, &open);
        assert_eq!(refused.reason, RefusalReason::GrantUnknown);

        let elsewhere = world.grant(&hub, SpaceId::from_bytes([8; 16]));
        let (_, open) = world.pen(&hub, elsewhere, [9; 32]);
        let refused = refuse(store, &world.authority, &open);
        assert_eq!(refused.reason, RefusalReason::Grant);

        let stranger = world.hub(5);
        let grant = world.grant(&hub, SPACE);
        let (mut pen, _) = world.pen(&stranger, grant, [9; 32]);
        pen.tip = None;
        let open = pen.open(&stranger, grant, Nonce([3; 16]));
        let refused = refuse(store, &world.authority, &open);
        assert_eq!(refused.reason, RefusalReason::Grant);
        assert!(store.spaces().unwrap().is_empty());
    }

    fn an_open_that_its_node_did_not_sign_is_refused(store) {
        let mut world = World::new();
        let (_, mut pen, open) = world.writer(2);
        pen.tip = None;
        let payload = open.as_run().entries[0].payload.bytes().unwrap();
        let mut forged = payload.to_vec();
        *forged.last_mut().unwrap() ^= 1;
        let run = pen.sign(vec![(Kind::OPEN, Subject::NONE, forged.into())]);
        let refused = refuse(store, &world.authority, &run);
        assert_eq!((refused.number, refused.reason), (0, RefusalReason::Open));
        assert!(store.spaces().unwrap().is_empty());
    }

    fn arrivals_grow_and_are_asked_for_by_subject_and_kind(store) {
        let mut world = World::new();
        let (hub, mut pen, open) = world.writer(2);
        let document = DocumentId::new(hub.id, Writers::Owner, [1; 15]).subject();
        let other = DocumentId::new(hub.id, Writers::Owner, [2; 15]).subject();
        keep(store, &world.authority, &open);
        for (subject, text) in [(document, "one"), (other, "two"), (document, "three")] {
            keep(store, &world.authority, &pen.note_on(subject, text));
        }
        let entries = store.entries_of(document, 0).unwrap();
        assert_eq!(entries.len(), 2);
        assert!(entries[0].arrival < entries[1].arrival);
        assert_eq!(store.entries_of(document, entries[0].arrival).unwrap(), entries[1..]);
        let some = |after, bytes| store.some_entries_of(document, after, bytes).unwrap();
        assert_eq!(some(0, 1), entries[..1]);
        assert_eq!(some(0, entries[0].weight() + 1), entries);
        assert_eq!(some(entries[0].arrival, 1), entries[1..]);
        assert!(some(entries[1].arrival, 1).is_empty());
        assert_eq!(store.subjects(SPACE, NOTE).unwrap(), [document, other]);
        let first = store.arrivals_after(0, 2).unwrap();
        let rest = store.arrivals_after(first[1].arrival, 9).unwrap();
        assert_eq!((first.len(), rest.len()), (2, 2));
        assert!(store.arrivals_after(u64::MAX, 9).unwrap().is_empty());
    }

    fn of_large_entries_few_are_read_at_once(store) {
        let mut world = World::new();
        let (hub, mut pen, open) = world.writer(2);
        let document = DocumentId::new(hub.id, Writers::Owner, [1; 15]).subject();
        keep(store, &world.authority, &open);
        let text = "x".repeat(900_000);
        for _ in 0..24 {
            keep(store, &world.authority, &pen.note_on(document, &text));
        }
        let (mut all, mut after, mut times) = (0, 0, 0);
        loop {
            let some = store.arrivals_after(after, 1_024).unwrap();
            let Some(last) = some.last() else { break };
            after = last.arrival;
            assert!(some.len() < 22, "{}", some.len());
            (all, times) = (all + some.len(), times + 1);
        }
        assert_eq!((all, times), (25, 2));
    }
}
