//! What comes of the feeds of a first copy while that is under way.

use node_feed::{Erase, Height, Kind, Nonce, RefusalReason, Subject, VerifiedRun};
use node_store::{
    Appended, CopyPlaced, EntryStore, MemoryStore, RENEW_SETTINGS, ReadStore, StoredEntry,
};

use crate::copies::{Story, check_none, document, is_whole, place, take};
use crate::world::{Hub, SPACE, append, heights, keep, refuse, sqlite, texts, trees};

/// The runs of the source from this number on.
fn runs_from(story: &Story, number: u64) -> Vec<VerifiedRun> {
    let from = [(story.pen.feed(), number)];
    let runs = story.source.read(SPACE, &from, 1 << 20).unwrap();
    let key = story.pen.public();
    let runs = runs.into_iter();
    let runs = runs.map(|run| run.verify(story.world.network, SPACE, &key, &[]).unwrap());
    runs.collect()
}

/// Takes all of the copy. What follows its checkpoint is the notes "a", "b" and "c", from 22 on.
fn taken(store: &mut impl EntryStore) -> Story {
    let story = Story::new();
    assert!(is_whole(&take(store, &story, &story.copy())));
    story
}

#[track_caller]
fn live(store: &mut impl EntryStore, story: &Story, run: &VerifiedRun) -> usize {
    match append(store, &story.world.authority, run) {
        Appended::Live(news) => news.map_or(0, |news| news.count()),
        other @ (Appended::Held | Appended::Stored(_) | Appended::Refused(_)) => {
            panic!("not kept with the copy: {other:?}")
        }
    }
}

fn arrived(store: &impl EntryStore) -> Vec<StoredEntry> {
    store.arrivals_after(0, 99).unwrap()
}

fn is_to_be_renewed(store: &impl EntryStore) -> bool {
    !store.settings(RENEW_SETTINGS).unwrap().is_empty()
}

/// The hub's access ends at this entry.
fn cut(story: &mut Story, number: u64) {
    let hash = story.source.hash_at(SPACE, story.pen.feed(), number);
    let hash = hash.unwrap().unwrap();
    let hub = Hub {
        id: story.hub.id,
        identity: story.hub.identity.clone(),
    };
    let pen = story.pen.clone();
    story.world.cut(&hub, &[(&pen, Height { number, hash })]);
}

on_every_store! {
    fn what_follows_a_copy_under_way_is_kept_with_it_and_held_once_it_is_placed(store) {
        let mut story = taken(store);
        for run in runs_from(&story, 22) {
            live(store, &story, &run);
        }
        let run = story.pen.note_on(story.documents[1], "on a document");
        keep(&mut story.source, &story.world.authority, &run);
        assert_eq!(live(store, &story, &run), 1);
        assert_eq!(texts(store), ["a", "b", "c", "on a document"], "it can be shown");
        assert!(arrived(store).iter().all(|entry| entry.live && entry.opening.is_some()));
        let of_it = store.entries_of(story.documents[1], 0).unwrap();
        assert_eq!(of_it[0].height, run.last());
        assert_eq!(store.entries_of(story.documents[1], of_it[0].arrival).unwrap(), []);
        assert_eq!(store.live_unchecked().unwrap(), [(SPACE, story.documents[1])]);
        // Nothing of it counts before the copy does.
        assert!(heights(store).is_empty() && trees(store).is_empty());
        assert_eq!(store.read(SPACE, &[(story.pen.feed(), 22)], 1).unwrap(), []);
        assert!(matches!(place(store, &story), CopyPlaced::Placed(feeds)
            if feeds[0].2.tip == Some(story.pen.tip())));
        assert_eq!(heights(store), heights(&story.source));
        assert_eq!(texts(store), ["6", "a", "b", "c", "on a document"]);
        assert!(arrived(store).iter().all(|entry| !entry.live));
        assert_eq!(runs_from(&story, 22).len(), store.read(SPACE, &[(story.pen.feed(), 22)], 1)
            .unwrap().len(), "it is handed on");
        assert_eq!(store.live_unchecked().unwrap(), []);
    }

    fn what_is_repeated_or_overlaps_is_kept_once(store) {
        let mut story = taken(store);
        let all = runs_from(&story, 21);
        let [all] = all.as_slice() else { panic!("one run") };
        let first = runs_from(&story, 22)[0].clone();
        assert_eq!((first.first(), all.first()), (22, 21));
        assert_eq!(live(store, &story, all), 3, "the checkpoint itself is in the head");
        assert_eq!(live(store, &story, all), 0);
        assert_eq!(live(store, &story, &first), 0);
        let more = story.pen.write(&["d"]);
        keep(&mut story.source, &story.world.authority, &more);
        assert_eq!(live(store, &story, &runs_from(&story, 22)[0]), 1);
        assert_eq!(texts(store), ["a", "b", "c", "d"]);
        let arrivals = arrived(store).into_iter().map(|it| it.arrival).collect::<Vec<_>>();
        assert!(arrivals.is_sorted());
    }

    fn what_does_not_follow_is_a_gap_as_before(store) {
        let mut story = Story::new();
        let copy = story.copy();
        let mut fork = story.pen.clone();
        let hash = story.source.hash_at(SPACE, story.pen.feed(), 22).unwrap().unwrap();
        fork.tip = Some(Height { number: 22, hash });
        let gap = |store: &mut _, run: &VerifiedRun, story: &Story| {
            assert_eq!(refuse(store, &story.world.authority, run).reason, RefusalReason::Gap);
        };
        let runs = runs_from(&story, 22);
        // Nothing proves it before the head is whole.
        gap(store, &runs[0], &story);
        take(store, &story, &copy.first(1));
        gap(store, &runs[0], &story);
        take(store, &story, &copy.first(3));
        // Beyond a hole, on another branch, or of a writer that is not copied.
        let late = story.pen.write(&["late"]);
        gap(store, &late, &story);
        assert_eq!(live(store, &story, &runs[0]), 3);
        let branch = fork.write(&["branch"]);
        gap(store, &branch, &story);
        let branch = fork.write(&["branch", "branch"]);
        gap(store, &branch, &story);
        assert_eq!(texts(store), ["a", "b", "c"]);
        assert_eq!(live(store, &story, &late), 1);
    }

    fn beyond_a_cut_nothing_is_kept(store) {
        let mut story = taken(store);
        cut(&mut story, 23);
        let runs = runs_from(&story, 22);
        assert_eq!(live(store, &story, &runs[0]), 2, "up to the cut it is");
        let refused = refuse(store, &story.world.authority, &runs[0]);
        assert_eq!((refused.reason, refused.number), (RefusalReason::Cut, 24));
        assert!(matches!(place(store, &story), CopyPlaced::Placed(_)));
        story.source.reconcile(&story.world.authority).unwrap();
        assert_eq!(heights(store), heights(&story.source));
        assert_eq!(texts(store), ["6", "a", "b"]);
    }

    fn a_cut_takes_out_what_was_kept_beyond_it_and_leaves_the_copy(store) {
        let mut story = taken(store);
        for run in runs_from(&story, 22) {
            live(store, &story, &run);
        }
        cut(&mut story, 22);
        assert!(!is_to_be_renewed(store));
        assert_eq!(store.reconcile(&story.world.authority).unwrap(), [SPACE]);
        assert_eq!(texts(store), ["a"]);
        assert!(is_to_be_renewed(store), "it may have been shown");
        assert!(store.reconcile(&story.world.authority).unwrap().is_empty());
        assert!(matches!(place(store, &story), CopyPlaced::Placed(_)));
        story.source.reconcile(&story.world.authority).unwrap();
        assert_eq!(heights(store), heights(&story.source));
    }

    fn with_a_copy_that_is_dropped_go_its_live_entries(store) {
        let story = taken(store);
        for run in runs_from(&story, 22) {
            live(store, &story, &run);
        }
        let id = story.copy().offer.bases.digest(SPACE);
        assert!(store.drop_copy(SPACE, id).unwrap());
        check_none(store);
        assert_eq!(arrived(store), []);
        assert!(is_to_be_renewed(store));
        // Entry by entry it comes again.
        crate::world::send(&story.world, &story.source, store);
        assert_eq!(heights(store), heights(&story.source));
    }

    fn documents_that_were_begun_after_the_checkpoint_are_named(store) {
        let mut story = taken(store);
        for run in runs_from(&story, 22) {
            live(store, &story, &run);
        }
        let new = document(story.hub.id, 9);
        let run = story.pen.note_on(new, "new");
        live(store, &story, &run);
        let named = store.subjects(SPACE, crate::world::NOTE).unwrap();
        assert!(named.contains(&new));
        assert_eq!(store.live_unchecked().unwrap(), [], "it is not to be checked");
    }

    fn an_erasure_that_is_live_is_obeyed_at_once(store) {
        let mut story = taken(store);
        for run in runs_from(&story, 22) {
            live(store, &story, &run);
        }
        let run = story.pen.note_on(story.documents[0], "to be erased");
        live(store, &story, &run);
        let erase = Erase { random: Nonce([4; 16]), subjects: vec![story.documents[0]] };
        let run = story.pen.sign(vec![(Kind::ERASE, Subject::NONE, erase.encode().unwrap())]);
        live(store, &story, &run);
        assert!(store.is_erased(story.documents[0]).unwrap());
        assert_eq!(texts(store), ["a", "b", "c", "-"]);
        assert_eq!(store.bases(SPACE, None, 9).unwrap(), [story.documents[1]]);
        // What is kept of it proves the rest as before.
        assert!(matches!(place(store, &story), CopyPlaced::Placed(_)));
        assert_eq!(heights(store).get(&story.pen.feed()), Some(story.pen.tip()));
        assert_eq!(texts(store), ["-", "a", "b", "c", "-"]);
    }

    fn what_came_another_way_meanwhile_is_held_once(store) {
        let story = taken(store);
        for run in runs_from(&story, 22) {
            live(store, &story, &run);
        }
        crate::world::send(&story.world, &story.source, store);
        assert_eq!(heights(store), heights(&story.source));
        assert!(matches!(place(store, &story), CopyPlaced::Refused(_)), "nobody needs it");
        assert_eq!(heights(store), heights(&story.source));
        assert_eq!(texts(store).len(), 23);
    }
}

#[test]
fn live_entries_outlive_the_process() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut store = sqlite(&folder);
    let story = taken(&mut store);
    live(&mut store, &story, &runs_from(&story, 22)[0]);
    drop(store);
    let mut store = sqlite(&folder);
    assert_eq!(texts(&store), ["a", "b", "c"]);
    assert_eq!(live(&mut store, &story, &runs_from(&story, 22)[0]), 0);
    assert!(matches!(place(&mut store, &story), CopyPlaced::Placed(_)));
    assert_eq!(heights(&store), heights(&story.source));
}

#[test]
fn no_more_than_so_much_is_kept_beside_a_copy_and_none_of_it_is_refused() {
    let mut store = MemoryStore::new();
    let mut story = taken(&mut store);
    live(&mut store, &story, &runs_from(&story, 22)[0]);
    let large = "x".repeat(500_000);
    let mut kept = 0;
    for _ in 0..200 {
        let run = story.pen.write(&[&large]);
        kept += live(&mut store, &story, &run);
    }
    assert!((100..200).contains(&kept), "{kept}");
    assert!(matches!(place(&mut store, &story), CopyPlaced::Placed(_)));
    let tip = heights(&store).get(&story.pen.feed());
    assert_eq!(tip.map(|tip| tip.number), Some(24 + kept as u64));
}
