//! Forks and cuts in any order of arrival: whoever holds the same entries holds the same feeds.

use node_feed::{Height, Nonce, VerifiedRun};
use node_store::{Appended, EntryStore, MemoryStore, ReadStore};
use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};

use crate::world::{Hub, Pen, SPACE, World, append, send, sqlite, trees};

struct Story {
    world: World,
    hub: Hub,
    runs: Vec<VerifiedRun>,
    pens: Vec<Pen>,
}

fn below(random: &mut ChaCha8Rng, bound: usize) -> usize {
    usize::try_from(random.next_u64() % bound as u64).expect("small")
}

/// One writer who forks again and again, at number 0 too.
fn story(random: &mut ChaCha8Rng) -> Story {
    let mut world = World::new();
    let (hub, pen, open) = world.writer(2);
    let mut pens = vec![pen.clone()];
    let mut runs = vec![open];
    if below(random, 3) == 0 {
        let grant = world.grant(&hub, SPACE);
        let mut again = pen;
        again.tip = None;
        runs.push(again.open(&hub, grant, Nonce([8; 16])));
        pens.push(again);
    }
    for step in 0..12 {
        let at = below(random, pens.len());
        if below(random, 3) == 0 {
            let clone = pens[at].clone();
            pens.push(clone);
        }
        // Branches may begin alike, so that forks stand inside runs as well as between them.
        let texts = (0..=below(random, 4)).map(|place| match below(random, 3) {
            0 => format!("{step}.{place}"),
            _ => format!("{place}"),
        });
        let texts = texts.collect::<Vec<_>>();
        let texts = texts.iter().map(String::as_str).collect::<Vec<_>>();
        runs.push(pens[at].write(&texts));
    }
    Story {
        world,
        hub,
        runs,
        pens,
    }
}

/// Hands over all runs in a random order, again and again until nothing new is taken.
fn deliver(random: &mut ChaCha8Rng, story: &Story, store: &mut impl EntryStore) {
    let mut runs = story.runs.clone();
    loop {
        for last in (1..runs.len()).rev() {
            runs.swap(last, below(random, last + 1));
        }
        let answers = store
            .append(&story.world.authority, runs.clone())
            .expect("answers");
        if !answers
            .iter()
            .any(|answer| matches!(answer, Appended::Stored(_)))
        {
            return;
        }
    }
}

#[test]
fn equal_entries_make_equal_feeds_in_any_order() {
    for seed in 0..60 {
        println!("seed {seed}");
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let story = story(&mut random);
        let folder = tempfile::tempdir().expect("a folder");
        let (mut one, mut other) = (MemoryStore::new(), sqlite(&folder));
        deliver(&mut random, &story, &mut one);
        deliver(&mut random, &story, &mut other);
        assert_eq!(trees(&one), trees(&other), "seed {seed}");
        for run in &story.runs {
            assert_eq!(
                append(&mut one, &story.world.authority, run),
                Appended::Held
            );
        }
        let (mut third, mut fourth) = (MemoryStore::new(), MemoryStore::new());
        send(&story.world, &other, &mut third);
        assert_eq!(trees(&one), trees(&third), "seed {seed}");
        send(&story.world, &third, &mut fourth);
        assert_eq!(trees(&one), trees(&fourth), "seed {seed}");
    }
}

#[test]
fn a_cut_leaves_the_same_whenever_it_is_learnt() {
    for seed in 0..60 {
        println!("seed {seed}");
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut story = story(&mut random);
        let before = story.world.authority.clone();
        let cuts = (0..=below(&mut random, 2)).map(|_| {
            let run = &story.runs[below(&mut random, story.runs.len())];
            let number = run.first() + below(&mut random, run.count()) as u64;
            Height {
                number,
                hash: run.hash_at(number).expect("in the run"),
            }
        });
        let cuts = cuts.collect::<Vec<_>>();
        let pen = story.pens[0].clone();
        let listed = cuts.iter().map(|cut| (&pen, *cut)).collect::<Vec<_>>();
        story.world.cut(&story.hub, &listed);
        let after = story.world.authority.clone();

        // One learns of the cut at last, one in the middle, one has known it from the start.
        let folder = tempfile::tempdir().expect("a folder");
        let (mut late, mut early) = (sqlite(&folder), MemoryStore::new());
        let mut middle = MemoryStore::new();
        story.world.authority = before.clone();
        deliver(&mut random, &story, &mut late);
        middle
            .append(&before, story.runs[..5].to_vec())
            .expect("answers");
        story.world.authority = after.clone();
        late.reconcile(&after).expect("reconciled");
        middle.reconcile(&after).expect("reconciled");
        deliver(&mut random, &story, &mut middle);
        deliver(&mut random, &story, &mut early);
        for _ in 0..2 {
            send(&story.world, &late, &mut middle);
            send(&story.world, &middle, &mut early);
            send(&story.world, &early, &mut late);
        }
        assert_eq!(trees(&late), trees(&middle), "seed {seed}");
        assert_eq!(trees(&late), trees(&early), "seed {seed}");
        for cut in &cuts {
            let held = late.find(SPACE, pen.writer(), &[*cut]).expect("an answer");
            assert_eq!(held, [true], "seed {seed}");
        }

        // And if the cut turns out not to count after all, everything is there again.
        story.world.authority = before.clone();
        let mut whole = MemoryStore::new();
        deliver(&mut random, &story, &mut whole);
        late.reconcile(&before).expect("reconciled");
        assert_eq!(trees(&late), trees(&whole), "seed {seed}");
        let mut copy = MemoryStore::new();
        send(&story.world, &late, &mut copy);
        assert_eq!(trees(&copy), trees(&whole), "seed {seed}");
    }
}
