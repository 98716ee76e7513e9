//! Reading what to send.

use node_feed::{Hash, Height};
use node_store::{EntryStore, MemoryStore};

use crate::world::{SPACE, World, keep};

on_every_store! {
    fn runs_come_in_the_order_of_arrival_and_end_at_proofs(store) {
        let mut world = World::new();
        let (_, mut pen, open) = world.writer(2);
        let (_, mut other, other_open) = world.writer(3);
        keep(store, &world.authority, &open);
        keep(store, &world.authority, &pen.write(&["a"]));
        keep(store, &world.authority, &other_open);
        keep(store, &world.authority, &other.write(&["b", "c"]));
        keep(store, &world.authority, &pen.write(&["d", "e", "f"]));
        let from = [(pen.feed(), 0), (other.feed(), 0)];
        let runs = store.read(SPACE, &from, usize::MAX).unwrap();
        let shape = runs.iter().map(|run| (run.writer, run.first, run.entries.len()));
        assert_eq!(
            shape.collect::<Vec<_>>(),
            [(pen.writer(), 0, 2), (other.writer(), 0, 3), (pen.writer(), 2, 3)]
        );

        // From the middle of a run, which still ends where it was signed.
        let runs = store.read(SPACE, &[(pen.feed(), 3)], usize::MAX).unwrap();
        assert_eq!((runs.len(), runs[0].first, runs[0].entries.len()), (1, 3, 2));
        let at_two = store.hash_at(SPACE, pen.feed(), 2).unwrap().unwrap();
        assert_eq!(runs[0].previous, at_two);
        for run in runs {
            run.verify(world.network, SPACE, &pen.public(), &[]).unwrap();
        }
        assert!(store.read(SPACE, &[(pen.feed(), 5)], usize::MAX).unwrap().is_empty());
        assert!(store.read(SPACE, &[(pen.feed(), u64::MAX)], 1).unwrap().is_empty());
    }

    fn a_reading_is_bounded_but_never_empty_while_there_is_more(store) {
        let mut world = World::new();
        let (_, mut pen, open) = world.writer(2);
        keep(store, &world.authority, &open);
        for _ in 0..600 {
            keep(store, &world.authority, &pen.write(&["note"]));
        }
        let (mut next, mut rounds) = (0, 0);
        loop {
            let runs = store.read(SPACE, &[(pen.feed(), next)], 2_000).unwrap();
            let Some(last) = runs.last() else {
                break;
            };
            assert!(runs.iter().map(|run| run.entries.len()).sum::<usize>() <= 25);
            next = last.first + last.entries.len() as u64;
            rounds += 1;
        }
        assert_eq!(next, 601);
        assert!(rounds > 20);
        let one = store.read(SPACE, &[(pen.feed(), 1)], 0).unwrap();
        assert_eq!((one.len(), one[0].entries.len()), (1, 1));
    }

    fn points_are_sampled_and_found(store) {
        let mut world = World::new();
        let (_, mut pen, open) = world.writer(2);
        keep(store, &world.authority, &open);
        let run = pen.write(&["note"; 100]);
        keep(store, &world.authority, &run);
        let points = store.sample(SPACE, pen.writer()).unwrap();
        let numbers = points.iter().map(|point| point.number).collect::<Vec<_>>();
        assert_eq!(numbers, [100, 99, 98, 96, 92, 84, 68, 36, 0]);
        let asked = [points[3], Height { number: 96, hash: Hash::ZERO }, points[8]];
        assert_eq!(store.find(SPACE, pen.writer(), &asked).unwrap(), [true, false, true]);
        assert_eq!(store.find(SPACE, [9; 32], &asked).unwrap(), [false; 3]);
        assert!(store.sample(SPACE, [9; 32]).unwrap().is_empty());
    }
}
