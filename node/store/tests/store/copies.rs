//! First copies: checkpoints and documents in the place of entries.

use bytes::Bytes;
use node_feed::{
    CardId, Checkpoint, CopyOffer, CopyPiece, CopySlice, CopyTaken, DocumentId, Erase, Hash,
    Heights, HubId, Kind, NodeId, Nonce, Parting, Payload, Subject, Trail, VerifiedRun, Writers,
};
use node_store::{CopyPlaced, EntryStore, MemoryStore, ReadStore, SqliteStore};

use crate::world::{
    Hub, NOTE, Pen, SPACE, World, append, heights, keep, note, refuse, send, sqlite, texts, trees,
};

const PEER: NodeId = NodeId::from_bytes([9; 32]);

pub(crate) fn document(hub: HubId, number: u8) -> Subject {
    DocumentId::new(hub, Writers::Members, [number; 15]).subject()
}

/// A hub that wrote twenty notes about two documents, then a checkpoint, then three notes more.
pub(crate) struct Story {
    pub(crate) world: World,
    pub(crate) hub: Hub,
    pub(crate) pen: Pen,
    pub(crate) source: MemoryStore,
    pub(crate) documents: [Subject; 2],
}

impl Story {
    pub(crate) fn new() -> Self {
        let mut world = World::new();
        let (hub, mut pen, open) = world.writer(2);
        let mut source = MemoryStore::new();
        let documents = [document(hub.id, 1), document(hub.id, 2)];
        keep(&mut source, &world.authority, &open);
        for number in 0..20 {
            let run = pen.note_on(documents[number % 2], &format!("{number}"));
            keep(&mut source, &world.authority, &run);
        }
        let kept = [0, 7].map(|number| {
            let feed = pen.feed();
            let hash = source.hash_at(SPACE, feed, number).unwrap().unwrap();
            node_feed::Height { number, hash }
        });
        let run = checkpoint(&mut pen, &documents, &kept);
        keep(&mut source, &world.authority, &run);
        for text in ["a", "b", "c"] {
            keep(&mut source, &world.authority, &pen.write(&[text]));
        }
        Self {
            world,
            hub,
            pen,
            source,
            documents,
        }
    }

    pub(crate) fn copy(&self) -> Copy {
        Copy::of(&self.source, &self.pen)
    }
}

fn checkpoint(pen: &mut Pen, documents: &[Subject], kept: &[node_feed::Height]) -> VerifiedRun {
    let listed = documents
        .iter()
        .map(|document| (*document, Trail(Hash::from_bytes([3; 32]))))
        .collect::<Vec<_>>();
    let parts = Checkpoint::split(&listed, kept, || Nonce([8; 16])).unwrap();
    let parts = parts.iter();
    pen.sign(
        parts
            .map(|part| (Kind::CHECKPOINT, Subject::NONE, part.encode()))
            .collect(),
    )
}

/// The copy of one feed, a piece a slice.
#[derive(Clone)]
pub(crate) struct Copy {
    pub(crate) offer: CopyOffer,
    pub(crate) slices: Vec<CopySlice>,
}

impl Copy {
    fn of(source: &MemoryStore, pen: &Pen) -> Self {
        let (parts, base) = source
            .checkpoint(SPACE, pen.feed(), u64::MAX)
            .unwrap()
            .expect("a checkpoint");
        let first = base.number + 1 - parts.len() as u64;
        let runs = source.read(SPACE, &[(pen.feed(), first)], 1).unwrap();
        let mut pieces = vec![CopyPiece::Proof(runs[0].clone())];
        let mut documents = Vec::new();
        for part in parts {
            for height in part.kept {
                let kept = source.kept(SPACE, pen.feed(), height).unwrap();
                pieces.push(CopyPiece::Kept(kept.expect("an entry that is kept")));
            }
            documents.extend(part.documents.into_iter().map(|(subject, _)| subject));
        }
        let head = pieces.len();
        let saved = documents.iter().map(|subject| CopyPiece::Document {
            subject: *subject,
            bytes: saved(*subject),
        });
        pieces.extend(saved);
        let bases = [(pen.feed(), base)].into_iter().collect::<Heights>();
        let slice = |(index, piece): (usize, CopyPiece)| CopySlice {
            space: SPACE,
            id: bases.digest(SPACE),
            before: index.checked_sub(head).unwrap_or(index) as u64,
            pieces: [piece].into(),
            ends: index + 1 == head,
        };
        Self {
            slices: pieces.into_iter().enumerate().map(slice).collect(),
            offer: CopyOffer {
                space: SPACE,
                bases: bases.clone(),
                documents: documents.len() as u64,
            },
        }
    }

    /// The same with one of its pieces changed.
    fn with(&self, change: impl Fn(&mut CopyPiece)) -> Self {
        let mut copy = self.clone();
        for slice in &mut copy.slices {
            let mut pieces = slice.pieces.to_vec();
            pieces.iter_mut().for_each(&change);
            slice.pieces = pieces.into();
        }
        copy
    }

    /// Only its first slices.
    pub(crate) fn first(&self, slices: usize) -> Self {
        let mut copy = self.clone();
        copy.slices.truncate(slices);
        copy
    }
}

fn saved(document: Subject) -> Bytes {
    Bytes::from([b"saved ".as_slice(), document.as_bytes()].concat())
}

pub(crate) fn take(store: &mut impl EntryStore, story: &Story, copy: &Copy) -> CopyTaken {
    let mut taken = store.offer_copy(PEER, &copy.offer).unwrap();
    for slice in &copy.slices {
        taken = store.take_copy(&story.world.authority, slice).unwrap();
        if let CopyTaken::Refused { .. } = taken {
            break;
        }
    }
    taken
}

/// As if its documents had been checked.
pub(crate) fn place(store: &mut impl EntryStore, story: &Story) -> CopyPlaced {
    for document in story.documents {
        let came = store.base_documents(SPACE, document, 0).unwrap();
        let arrivals = came.iter().map(|it| it.arrival).collect::<Vec<_>>();
        store.set_checked(SPACE, &arrivals).unwrap();
    }
    let copies = store.copies().unwrap();
    let id = copies
        .first()
        .map_or(Hash::ZERO, |(space, place)| place.bases.digest(*space));
    store.place_copy(&story.world.authority, SPACE, id).unwrap()
}

/// Takes all of a copy and puts it in its place, as if its documents had been checked.
#[track_caller]
fn placed(store: &mut impl EntryStore, story: &Story) {
    assert!(is_whole(&take(store, story, &story.copy())));
    assert!(matches!(place(store, story), CopyPlaced::Placed(feeds) if feeds.len() == 1));
}

pub(crate) fn is_whole(taken: &CopyTaken) -> bool {
    matches!(taken, CopyTaken::Partly(place) if place.is_whole())
}

#[track_caller]
fn refused(store: &mut impl EntryStore, story: &Story, copy: &Copy) -> String {
    match take(store, story, copy) {
        CopyTaken::Refused { why, .. } => {
            check_none(store);
            why
        }
        other @ (CopyTaken::Partly(_) | CopyTaken::Lost) => panic!("taken: {other:?}"),
    }
}

#[track_caller]
pub(crate) fn check_none(store: &impl EntryStore) {
    assert!(heights(store).is_empty(), "nothing of it counts");
    assert!(store.copies().unwrap().is_empty());
    assert_eq!(store.bases(SPACE, None, 9).unwrap(), []);
    assert_eq!(store.copied_feeds(SPACE).unwrap(), []);
}

on_every_store! {
    fn a_copy_stands_for_the_entries_before_its_checkpoint(store) {
        let story = Story::new();
        assert!(is_whole(&take(store, &story, &story.copy())));
        // Before its documents were checked nobody is told that anything of it is held.
        assert!(heights(store).is_empty());
        let copied = store.copied_feeds(SPACE).unwrap();
        assert_eq!((copied[0].writer, copied[0].base.number), (story.pen.writer(), 21));
        assert_eq!(store.unchecked_count().unwrap(), 2);
        let id = store.copies().unwrap()[0].1.bases.digest(SPACE);
        let early = store.place_copy(&story.world.authority, SPACE, id).unwrap();
        assert_eq!(early, CopyPlaced::Not, "nothing was checked");
        assert!(matches!(place(store, &story), CopyPlaced::Placed(_)));
        // The run of the checkpoint ends with it: 21 is its number.
        let tree = trees(store);
        let place = tree[&story.pen.writer()].feeds()[&story.pen.feed()];
        assert_eq!((place.base, place.tip.unwrap().number), (21, 21));
        assert_eq!(texts(store), ["6"], "what the checkpoint keeps is here");
        assert_eq!(store.bases(SPACE, None, 9).unwrap(), story.documents);
        let base = store.base_documents(SPACE, story.documents[0], 0).unwrap();
        assert_eq!(base[0].bytes, saved(story.documents[0]));
        assert!(store.copies().unwrap().is_empty());
        // What follows comes entry by entry, and then both hold the same.
        let rest = story.source.read(SPACE, &[(story.pen.feed(), 22)], 1 << 20).unwrap();
        for run in rest {
            let run = run.verify(story.world.network, SPACE, &story.pen.public(), &[]).unwrap();
            keep(store, &story.world.authority, &run);
        }
        assert_eq!(heights(store), heights(&story.source));
    }

    fn documents_and_entries_arrive_in_one_order(store) {
        let mut story = Story::new();
        let copy = story.copy();
        take(store, &story, &copy.first(copy.slices.len() - 1));
        let grant = story.world.grant(&story.hub, SPACE);
        let (_, open) = story.world.pen(&story.hub, grant, [5; 32]);
        keep(store, &story.world.authority, &open);
        take(store, &story, &copy);
        let arrival = |document| store.base_documents(SPACE, document, 0).unwrap()[0].arrival;
        let between = store.arrivals_after(0, 9).unwrap()[0].arrival;
        assert!(arrival(story.documents[0]) < between);
        assert!(arrival(story.documents[1]) > between);
        assert_eq!(store.base_documents(SPACE, story.documents[0], between).unwrap(), []);
    }

    fn what_is_repeated_of_a_copy_is_harmless(store) {
        let story = Story::new();
        let copy = story.copy();
        take(store, &story, &copy.first(4));
        take(store, &story, &copy.first(4));
        placed(store, &story);
        let before = heights(store);
        // A second time all of it is here already.
        assert!(is_whole(&take(store, &story, &copy)));
        assert_eq!(place(store, &story), CopyPlaced::Placed(vec![]));
        assert_eq!(heights(store), before);
    }

    fn a_part_that_does_not_follow_is_passed_over(store) {
        let story = Story::new();
        let copy = story.copy();
        let mut gap = copy.clone();
        gap.slices.remove(1);
        let CopyTaken::Partly(place) = take(store, &story, &gap) else { panic!("partly") };
        assert_eq!(place.documents, None);
        let mut gap = copy.clone();
        gap.slices.remove(3);
        let CopyTaken::Partly(place) = take(store, &story, &gap) else { panic!("partly") };
        assert_eq!((place.documents, place.of), (Some(0), 2));
        assert!(is_whole(&take(store, &story, &copy)));
    }

    fn the_entries_that_a_copy_stands_for_make_the_feed_whole(store) {
        let story = Story::new();
        placed(store, &story);
        let runs = story.source.read(SPACE, &[(story.pen.feed(), 0)], 1 << 20).unwrap();
        let runs = runs.into_iter().map(|run| {
            run.verify(story.world.network, SPACE, &story.pen.public(), &[]).unwrap()
        });
        let runs = runs.collect::<Vec<_>>();
        // One that leads to nothing that is held may be of another branch.
        let loose = runs.iter().find(|run| run.first() > 8 && run.last().number < 20);
        let loose = loose.cloned().or_else(|| runs[0].from(9)?.through(story_height(&story, 12)));
        if let Some(loose) = loose {
            let refused = refuse(store, &story.world.authority, &loose);
            assert_eq!(refused.at_base, Some(Parting::Perhaps));
        }
        for run in &runs {
            append(store, &story.world.authority, run);
        }
        assert_eq!(heights(store), heights(&story.source));
        assert_eq!(trees(store), trees(&story.source), "nothing is missing any more");
        let mut both = [texts(store), texts(&story.source)];
        both.iter_mut().for_each(|texts| texts.sort());
        assert_eq!(both[0], both[1]);
    }

    fn a_node_with_a_copy_hands_it_on(store) {
        let story = Story::new();
        placed(store, &story);
        let (parts, base) = store.checkpoint(SPACE, story.pen.feed(), 99).unwrap().unwrap();
        assert_eq!(base.number, 21);
        let runs = store.read(SPACE, &[(story.pen.feed(), 21)], 1).unwrap();
        let [run] = runs.as_slice() else { panic!("one run") };
        run.clone().verify(story.world.network, SPACE, &story.pen.public(), &[]).unwrap();
        for height in &parts[0].kept {
            let kept = store.kept(SPACE, story.pen.feed(), *height).unwrap().unwrap();
            assert_eq!(kept.hash(story.world.network, SPACE), Ok(height.hash));
        }
        // What is not here cannot be read, rather than with a gap in it.
        assert_eq!(store.read(SPACE, &[(story.pen.feed(), 3)], 1).unwrap(), []);
    }

    fn a_copy_that_lacks_anything_is_not_placed(store) {
        let story = Story::new();
        let copy = story.copy();
        for missing in 0..copy.slices.len() {
            let mut lacking = copy.clone();
            lacking.slices[missing].pieces = [].into();
            let taken = take(store, &story, &lacking);
            assert!(!is_whole(&taken), "{missing}");
            assert!(!matches!(place(store, &story), CopyPlaced::Placed(_)));
            assert!(heights(store).is_empty());
            store.drop_copy(SPACE, copy.offer.bases.digest(SPACE)).unwrap();
            check_none(store);
        }
        assert_eq!(
            store.take_copy(&story.world.authority, &copy.slices[0]).unwrap(),
            CopyTaken::Lost
        );
    }

    fn forged_pieces_are_refused(store) {
        let story = Story::new();
        let copy = story.copy();
        let forged = |bytes: &str| Payload::Held(note(bytes));
        let why = refused(store, &story, &copy.with(|piece| {
            if let CopyPiece::Kept(kept) = piece && kept.entry.kind == NOTE {
                kept.entry.payload = forged("another note");
            }
        }));
        assert!(why.contains("keeps"), "{why}");
        let why = refused(store, &story, &copy.with(|piece| {
            if let CopyPiece::Proof(run) = piece {
                run.entries[0].time_ms += 1;
            }
        }));
        assert!(why.contains("signature"), "{why}");
        // A checkpoint that another hub signed is not this feed's.
        let mut world = World::new();
        world.hub(2);
        let (_, mut other, _) = world.writer(3);
        other.tip = Some(story.pen.tip());
        let foreign = checkpoint(&mut other, &story.documents, &[]);
        refused(store, &story, &copy.with(|piece| {
            if let CopyPiece::Proof(run) = piece {
                *run = foreign.as_run().clone();
            }
        }));
        // A document under the name of another, and one that nobody lists.
        for other in [story.documents[1], document(story.hub.id, 7)] {
            let why = refused(store, &story, &copy.with(|piece| {
                if let CopyPiece::Document { subject, .. } = piece {
                    *subject = other;
                }
            }));
            assert!(why.contains("list next"), "{why}");
        }
    }

    fn a_checkpoint_that_keeps_what_comes_after_it_is_refused(store) {
        let mut story = Story::new();
        let tip = story.pen.tip();
        let kept = [node_feed::Height {
            number: tip.number + 1,
            hash: Hash::from_bytes([1; 32]),
        }];
        let run = checkpoint(&mut story.pen, &story.documents, &kept);
        keep(&mut story.source, &story.world.authority, &run);
        let (_, base) =
            story.source.checkpoint(SPACE, story.pen.feed(), u64::MAX).unwrap().unwrap();
        let bases = [(story.pen.feed(), base)].into_iter().collect::<Heights>();
        let offer = CopyOffer { space: SPACE, bases: bases.clone(), documents: 2 };
        store.offer_copy(PEER, &offer).unwrap();
        let slice = CopySlice {
            space: SPACE,
            id: bases.digest(SPACE),
            before: 0,
            pieces: [CopyPiece::Proof(run.as_run().clone())].into(),
            ends: true,
        };
        let taken = store.take_copy(&story.world.authority, &slice).unwrap();
        assert!(matches!(taken, CopyTaken::Refused { why, forged: true } if why.contains("after it")));
    }

    fn a_copy_of_a_hub_without_access_is_refused(store) {
        let mut story = Story::new();
        let copy = story.copy();
        let below = story.source.hash_at(SPACE, story.pen.feed(), 5).unwrap().unwrap();
        let cut = node_feed::Height { number: 5, hash: below };
        // Before all of it is here, and after.
        take(store, &story, &copy);
        let hub = Hub { id: story.hub.id, identity: story.hub.identity.clone() };
        let pen = story.pen.clone();
        story.world.cut(&hub, &[(&pen, cut)]);
        assert!(matches!(place(store, &story), CopyPlaced::Refused(why) if why.contains("cut")));
        check_none(store);
        let why = refused(store, &story, &copy);
        assert!(why.contains("cut"), "{why}");
    }

    fn a_cut_below_a_copy_takes_the_feed_out_and_it_is_fetched_again(store) {
        let mut story = Story::new();
        placed(store, &story);
        let below = story.source.hash_at(SPACE, story.pen.feed(), 5).unwrap().unwrap();
        let cut = node_feed::Height { number: 5, hash: below };
        let hub = Hub { id: story.hub.id, identity: story.hub.identity.clone() };
        let pen = story.pen.clone();
        story.world.cut(&hub, &[(&pen, cut)]);
        assert_eq!(store.reconcile(&story.world.authority).unwrap(), [SPACE]);
        assert!(heights(store).is_empty());
        assert!(store.reconcile(&story.world.authority).unwrap().is_empty());
        assert!(!store.evidence(SPACE).unwrap().is_empty(), "nothing is lost");
        // Entry by entry it comes back up to the cut.
        story.source.reconcile(&story.world.authority).unwrap();
        send(&story.world, &story.source, store);
        assert_eq!(heights(store), heights(&story.source));
        assert_eq!(texts(store), ["0", "1", "2", "3", "4"]);
    }

    fn a_cut_at_the_tip_leaves_a_copy_alone(store) {
        let mut story = Story::new();
        placed(store, &story);
        let tip = *heights(store).get(&story.pen.feed()).as_ref().unwrap();
        let hub = Hub { id: story.hub.id, identity: story.hub.identity.clone() };
        let pen = story.pen.clone();
        story.world.cut(&hub, &[(&pen, tip)]);
        assert_eq!(store.reconcile(&story.world.authority).unwrap(), []);
        assert_eq!(store.bases(SPACE, None, 9).unwrap(), story.documents);
    }

    fn a_fork_below_a_copy_is_carried_once_the_feed_is_whole(store) {
        let mut story = Story::new();
        placed(store, &story);
        // Something that only this node was sent.
        let last = story.source.read(SPACE, &[(story.pen.feed(), 22)], 1 << 20).unwrap();
        for run in last {
            let run = run.verify(story.world.network, SPACE, &story.pen.public(), &[]).unwrap();
            keep(store, &story.world.authority, &run);
        }
        let only_here = story.pen.write(&["only here"]);
        keep(store, &story.world.authority, &only_here);
        // A clone of the hub wrote on after entry 4, and further than the copy.
        let mut clone = story.pen.clone();
        let hash = story.source.hash_at(SPACE, story.pen.feed(), 4).unwrap().unwrap();
        clone.tip = Some(node_feed::Height { number: 4, hash });
        let texts = ["branch"; 30];
        let branch = clone.write(&texts);
        let refused = refuse(store, &story.world.authority, &branch);
        assert_eq!(refused.at_base, Some(Parting::Proven));
        assert!(store.drop_base(SPACE, story.pen.writer()).unwrap());
        assert!(!store.drop_base(SPACE, story.pen.writer()).unwrap());
        assert!(heights(store).is_empty());
        keep(&mut story.source, &story.world.authority, &branch);
        send(&story.world, &story.source, store);
        // What only this node had follows what was fetched, and is back.
        keep(&mut story.source, &story.world.authority, &only_here);
        assert_eq!(heights(store), heights(&story.source));
        assert_eq!(trees(store), trees(&story.source));
        assert!(store.evidence(SPACE).unwrap().is_empty());
    }

    fn another_branch_is_never_joined_to_what_a_copy_holds(store) {
        let story = Story::new();
        placed(store, &story);
        let start = story.source.read(SPACE, &[(story.pen.feed(), 0)], 1 << 20).unwrap();
        for run in start {
            let run = run.verify(story.world.network, SPACE, &story.pen.public(), &[]).unwrap();
            if let Some(run) = run.through(story_height(&story, 4)) {
                keep(store, &story.world.authority, &run);
                break;
            }
            keep(store, &story.world.authority, &run);
        }
        let before = trees(store);
        // A clone of the hub wrote on after entry 4; entry 7 is held here as the copy keeps it.
        let mut clone = story.pen.clone();
        clone.tip = Some(story_height(&story, 4));
        let up_to_it = clone.write(&["branch 5", "branch 6"]);
        let over_it = clone.write(&["branch 7"]);
        let after_it = clone.write(&["branch 8"]);
        for run in [up_to_it, over_it, after_it] {
            let refused = refuse(store, &story.world.authority, &run);
            assert_eq!(refused.at_base, Some(Parting::Proven), "{}", run.first());
            assert_eq!(trees(store), before);
        }
    }

    fn a_node_that_holds_the_beginning_goes_on_from_a_copy(store) {
        let story = Story::new();
        let runs = story.source.read(SPACE, &[(story.pen.feed(), 0)], 1).unwrap();
        let run = runs[0].clone().verify(story.world.network, SPACE, &story.pen.public(), &[]);
        let run = run.unwrap();
        keep(store, &story.world.authority, &run);
        let held = run.last().number;
        assert!(held < 21);
        placed(store, &story);
        let place = trees(store)[&story.pen.writer()].feeds()[&story.pen.feed()];
        assert_eq!((place.start, place.base, place.tip.unwrap().number), (0, 21, 21));
        send(&story.world, &story.source, store);
        assert_eq!(heights(store), heights(&story.source));

        // Where its beginning is another, the copy is not for it.
        let mut other = MemoryStore::new();
        let mut clone = story.pen.clone();
        let hash = story.source.hash_at(SPACE, story.pen.feed(), 4).unwrap().unwrap();
        clone.tip = Some(node_feed::Height { number: 4, hash });
        let branch = clone.write(&["x", "y", "z"]);
        keep_up_to(&mut other, &story, 4);
        keep(&mut other, &story.world.authority, &branch);
        let taken = take(&mut other, &story, &story.copy());
        assert!(
            matches!(taken, CopyTaken::Refused { forged: false, ref why } if why.contains("parts")),
            "{taken:?}"
        );
    }

    fn erasures_reach_what_came_by_copies(store) {
        let mut story = Story::new();
        let [erased, stays] = story.documents;
        let copy = story.copy();
        take(store, &story, &copy.first(copy.slices.len() - 1));
        let erase = Erase { random: Nonce([4; 16]), subjects: vec![erased] };
        let payload = erase.encode().unwrap();
        // The owner writes the erasure with another of its feeds, which is here already.
        let grant = story.world.grant(&story.hub, SPACE);
        let (mut second, open) = story.world.pen(&story.hub, grant, [5; 32]);
        keep(store, &story.world.authority, &open);
        let run = second.sign(vec![(Kind::ERASE, Subject::NONE, payload)]);
        keep(store, &story.world.authority, &run);
        assert_eq!(store.base_documents(SPACE, erased, 0).unwrap(), []);
        assert!(is_whole(&take(store, &story, &copy)));
        assert!(matches!(place(store, &story), CopyPlaced::Placed(_)));
        assert_eq!(store.base_documents(SPACE, erased, 0).unwrap(), []);
        assert_eq!(store.bases(SPACE, None, 9).unwrap(), [stays]);
    }

    fn a_later_offer_takes_the_place_of_an_earlier(store) {
        let mut story = Story::new();
        take(store, &story, &story.copy().first(4));
        let documents = story.documents;
        let kept = [node_feed::Height {
            number: 0,
            hash: story.source.hash_at(SPACE, story.pen.feed(), 0).unwrap().unwrap(),
        }];
        let run = checkpoint(&mut story.pen, &documents, &kept);
        keep(&mut story.source, &story.world.authority, &run);
        let later = story.copy();
        let CopyTaken::Partly(before) = take(store, &story, &later.first(0)) else {
            panic!("partly");
        };
        assert_eq!(before.documents, None);
        placed(store, &story);
        let place = trees(store)[&story.pen.writer()].feeds()[&story.pen.feed()];
        assert_eq!(place.base, 25);
    }
}

fn story_height(story: &Story, number: u64) -> node_feed::Height {
    let hash = story
        .source
        .hash_at(SPACE, story.pen.feed(), number)
        .unwrap()
        .unwrap();
    node_feed::Height { number, hash }
}

/// Stores the entries of the story's feed up to a number, each as a run of its own.
fn keep_up_to(store: &mut MemoryStore, story: &Story, last: u64) {
    let mut cut = 0;
    while cut <= last {
        let runs = story
            .source
            .read(SPACE, &[(story.pen.feed(), cut)], 1)
            .unwrap();
        let run = runs[0]
            .clone()
            .verify(story.world.network, SPACE, &story.pen.public(), &[]);
        let run = run.unwrap();
        assert!(run.last().number <= last, "runs of one entry");
        cut = run.last().number + 1;
        keep(store, &story.world.authority, &run);
    }
}

#[test]
fn an_erased_card_is_nowhere_in_a_copy_that_is_under_way() {
    let mut world = World::new();
    let (hub, mut pen, open) = world.writer(2);
    let mut source = MemoryStore::new();
    keep(&mut source, &world.authority, &open);
    let card = CardId::new(hub.id, Writers::Owner, [3; 15]).subject();
    let words = "a name that must go";
    let run = pen.note_on(card, words);
    keep(&mut source, &world.authority, &run);
    let kept = [open.last(), run.last()];
    let run = checkpoint(&mut pen, &[], &kept);
    keep(&mut source, &world.authority, &run);
    let story = Story {
        hub: Hub {
            id: hub.id,
            identity: hub.identity.clone(),
        },
        documents: [card; 2],
        world,
        pen,
        source,
    };
    let folder = tempfile::tempdir().expect("a folder");
    let mut store = sqlite(&folder);
    let copy = story.copy();
    take(&mut store, &story, &copy.first(copy.slices.len() - 1));
    let mut story = story;
    let grant = story.world.grant(&hub, SPACE);
    let (mut second, open) = story.world.pen(&hub, grant, [5; 32]);
    keep(&mut store, &story.world.authority, &open);
    let erase = Erase {
        random: Nonce([4; 16]),
        subjects: vec![card],
    };
    let run = second.sign(vec![(Kind::ERASE, Subject::NONE, erase.encode().unwrap())]);
    keep(&mut store, &story.world.authority, &run);
    for file in std::fs::read_dir(folder.path()).expect("files") {
        let bytes = std::fs::read(file.expect("a file").path()).expect("bytes");
        let found = bytes
            .windows(words.len())
            .any(|window| window == words.as_bytes());
        assert!(!found);
    }
    // The rest still proves itself.
    let rest = Copy {
        slices: copy.slices[copy.slices.len() - 1..].to_vec(),
        ..copy
    };
    assert!(is_whole(&take(&mut store, &story, &rest)));
}

#[test]
fn a_copy_goes_on_where_it_was_broken_off() {
    let story = Story::new();
    let folder = tempfile::tempdir().expect("a folder");
    let copy = story.copy();
    for end in 1..copy.slices.len() {
        let mut store = sqlite(&folder);
        take(&mut store, &story, &copy.first(end));
        drop(store);
        let store = sqlite(&folder);
        let [(space, place)] = &store.copies().expect("copies")[..] else {
            panic!("one copy");
        };
        assert_eq!(*space, SPACE);
        let here = (end as u64).checked_sub(3);
        assert_eq!(place.documents, here);
        assert_eq!(
            store.copied_feeds(SPACE).expect("feeds").len(),
            usize::from(here.is_some())
        );
    }
    let mut store: SqliteStore = sqlite(&folder);
    // Only what is lacking need be said.
    let rest = Copy {
        slices: copy.slices[copy.slices.len() - 1..].to_vec(),
        ..copy
    };
    assert!(is_whole(&take(&mut store, &story, &rest)));
    assert_eq!(store.unchecked_count().expect("a count"), 2);
    let came = store.base_documents(SPACE, story.documents[0], 0);
    let came = came.expect("a document");
    store.set_checked(SPACE, &[came[0].arrival]).expect("noted");
    drop(store);
    let store = sqlite(&folder);
    assert_eq!(
        store.unchecked(None, 9).expect("documents"),
        [(SPACE, story.documents[1])]
    );
}
