//! First copies: checkpoints and documents in the place of entries.

use bytes::Bytes;
use node_feed::{
    Checkpoint, CopyBegins, CopyPiece, CopySlice, DocumentId, Erase, Hash, Heights, HubId, Kind,
    NodeId, Nonce, Payload, Subject, Trail, VerifiedRun, Writers,
};
use node_store::{
    Appended, CopyTaken, EntryStore, MemoryStore, PlacedCopy, ReadStore, SqliteStore,
};

use crate::world::{
    Hub, NOTE, Pen, SPACE, World, append, heights, keep, note, refuse, send, sqlite, texts, trees,
};

const PEER: NodeId = NodeId::from_bytes([9; 32]);

fn document(hub: HubId, number: u8) -> Subject {
    DocumentId::new(hub, Writers::Members, [number; 15]).subject()
}

/// A hub that wrote twenty notes about two documents, then a checkpoint, then three notes more.
struct Story {
    world: World,
    hub: Hub,
    pen: Pen,
    source: MemoryStore,
    documents: [Subject; 2],
}

impl Story {
    fn new() -> Self {
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

    fn slices(&self) -> Vec<CopySlice> {
        slices(&self.source, &self.pen)
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
fn slices(source: &MemoryStore, pen: &Pen) -> Vec<CopySlice> {
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
    let of = documents.len() as u64;
    let count = pieces.len();
    pieces
        .into_iter()
        .enumerate()
        .map(|(index, piece)| CopySlice {
            space: SPACE,
            id: bases.digest(SPACE),
            begins: (index == 0).then(|| CopyBegins {
                bases: bases.clone(),
                documents: of,
                anew: false,
            }),
            documents_before: index.saturating_sub(head) as u64,
            pieces: [piece].into(),
            last: index + 1 == count,
        })
        .collect()
}

fn saved(document: Subject) -> Bytes {
    Bytes::from([b"saved ".as_slice(), document.as_bytes()].concat())
}

fn take(store: &mut impl EntryStore, story: &Story, slices: &[CopySlice]) -> CopyTaken {
    let mut taken = None;
    for slice in slices {
        taken = Some(
            store
                .take_copy(&story.world.authority, PEER, slice)
                .unwrap(),
        );
        if let Some(CopyTaken::Refused { .. }) = taken {
            break;
        }
    }
    taken.expect("an answer")
}

#[track_caller]
fn placed(store: &mut impl EntryStore, story: &Story) -> PlacedCopy {
    match take(store, story, &story.slices()) {
        CopyTaken::Placed(placed) => placed,
        other @ (CopyTaken::Partly(_) | CopyTaken::Lost | CopyTaken::Refused { .. }) => {
            panic!("not placed: {other:?}")
        }
    }
}

#[track_caller]
fn refused(store: &mut impl EntryStore, story: &Story, slices: &[CopySlice]) -> String {
    match take(store, story, slices) {
        CopyTaken::Refused { why, .. } => {
            assert!(heights(store).is_empty(), "nothing of it counts");
            assert!(store.copies().unwrap().is_empty());
            assert_eq!(store.bases(SPACE, None, 9).unwrap(), []);
            why
        }
        other @ (CopyTaken::Partly(_) | CopyTaken::Lost | CopyTaken::Placed(_)) => {
            panic!("taken: {other:?}")
        }
    }
}

/// The same copy with one of its pieces changed.
fn with(slices: Vec<CopySlice>, change: impl Fn(&mut CopyPiece)) -> Vec<CopySlice> {
    let changed = slices.into_iter().map(|mut slice| {
        let mut pieces = slice.pieces.to_vec();
        pieces.iter_mut().for_each(&change);
        slice.pieces = pieces.into();
        slice
    });
    changed.collect()
}

on_every_store! {
    fn a_copy_stands_for_the_entries_before_its_checkpoint(store) {
        let story = Story::new();
        let placed = placed(store, &story);
        assert_eq!(placed.documents, 2);
        // The run of the checkpoint ends with it: 21 is its number.
        let tree = trees(store);
        let place = tree[&story.pen.writer()].feeds()[&story.pen.feed()];
        assert_eq!((place.base, place.tip.unwrap().number), (21, 21));
        assert_eq!(texts(store), ["6"], "what the checkpoint keeps is here");
        assert_eq!(store.bases(SPACE, None, 9).unwrap(), story.documents);
        let base = store.base(SPACE, story.documents[0]).unwrap().unwrap();
        assert_eq!((base.bytes, base.checked), (saved(story.documents[0]), false));
        assert_eq!(store.unchecked_count().unwrap(), 2);
        store.set_checked(SPACE, &story.documents).unwrap();
        assert_eq!(store.unchecked_spaces().unwrap(), []);
        // What follows comes entry by entry, and then both hold the same.
        let rest = story.source.read(SPACE, &[(story.pen.feed(), 22)], 1 << 20).unwrap();
        for run in rest {
            let run = run.verify(story.world.network, SPACE, &story.pen.public(), &[]).unwrap();
            keep(store, &story.world.authority, &run);
        }
        assert_eq!(heights(store), heights(&story.source));
    }

    fn what_is_repeated_of_a_copy_is_harmless(store) {
        let story = Story::new();
        let slices = story.slices();
        take(store, &story, &slices[..4]);
        take(store, &story, &slices[..4]);
        assert!(matches!(take(store, &story, &slices), CopyTaken::Placed(_)));
        let before = heights(store);
        // A second time all of it is here already.
        let again = take(store, &story, &slices);
        assert_eq!(again, CopyTaken::Placed(PlacedCopy { feeds: vec![], documents: 0 }));
        assert_eq!(heights(store), before);
    }

    fn entries_that_the_copy_stands_for_count_as_held(store) {
        let story = Story::new();
        placed(store, &story);
        for run in story.source.read(SPACE, &[(story.pen.feed(), 0)], 1 << 20).unwrap() {
            let run = run.verify(story.world.network, SPACE, &story.pen.public(), &[]).unwrap();
            append(store, &story.world.authority, &run);
        }
        assert_eq!(heights(store), heights(&story.source));
        assert_eq!(texts(store), ["6", "a", "b", "c"]);
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

    fn a_copy_that_lacks_anything_is_refused(store) {
        let story = Story::new();
        for missing in 1..story.slices().len() {
            let mut slices = story.slices();
            slices[missing].pieces = [].into();
            refused(store, &story, &slices);
        }
        let mut slices = story.slices();
        slices[0].begins = None;
        assert_eq!(take(store, &story, &slices), CopyTaken::Lost);
    }

    fn forged_pieces_are_refused(store) {
        let story = Story::new();
        let forged = |bytes: &str| Payload::Held(note(bytes));
        let why = refused(store, &story, &with(story.slices(), |piece| {
            if let CopyPiece::Kept(kept) = piece && kept.entry.kind == NOTE {
                kept.entry.payload = forged("another note");
            }
        }));
        assert!(why.contains("keeps"), "{why}");
        let why = refused(store, &story, &with(story.slices(), |piece| {
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
        refused(store, &story, &with(story.slices(), |piece| {
            if let CopyPiece::Proof(run) = piece {
                *run = foreign.as_run().clone();
            }
        }));
    }

    fn a_copy_of_a_hub_without_access_is_refused(store) {
        let mut story = Story::new();
        let below = story.source.hash_at(SPACE, story.pen.feed(), 5).unwrap().unwrap();
        let cut = node_feed::Height { number: 5, hash: below };
        let hub = Hub { id: story.hub.id, identity: story.hub.identity.clone() };
        let pen = story.pen.clone();
        story.world.cut(&hub, &[(&pen, cut)]);
        let why = refused(store, &story, &story.slices());
        assert!(why.contains("cut"), "{why}");
    }

    fn a_cut_below_a_copy_takes_out_all_that_rests_on_it(store) {
        let mut story = Story::new();
        placed(store, &story);
        let below = story.source.hash_at(SPACE, story.pen.feed(), 5).unwrap().unwrap();
        let cut = node_feed::Height { number: 5, hash: below };
        let hub = Hub { id: story.hub.id, identity: story.hub.identity.clone() };
        let pen = story.pen.clone();
        story.world.cut(&hub, &[(&pen, cut)]);
        assert_eq!(store.reconcile(&story.world.authority).unwrap(), [SPACE]);
        assert!(heights(store).is_empty());
        assert_eq!(store.bases(SPACE, None, 9).unwrap(), []);
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

    fn a_fork_below_a_copy_asks_for_the_whole_feed(store) {
        let mut story = Story::new();
        placed(store, &story);
        // A clone of the hub wrote on after entry 4, and further than the copy.
        let mut clone = story.pen.clone();
        let hash = story.source.hash_at(SPACE, story.pen.feed(), 4).unwrap().unwrap();
        clone.tip = Some(node_feed::Height { number: 4, hash });
        let texts = ["branch"; 30];
        let branch = clone.write(&texts);
        let refused = refuse(store, &story.world.authority, &branch);
        assert!(refused.at_base);
        assert!(store.drop_bases(SPACE).unwrap());
        assert!(heights(store).is_empty());
        keep(&mut story.source, &story.world.authority, &branch);
        send(&story.world, &story.source, store);
        assert_eq!(heights(store), heights(&story.source));
        assert_eq!(trees(store), trees(&story.source));
    }

    fn what_was_whole_before_a_copy_stays_when_the_copy_goes(store) {
        let story = Story::new();
        let runs = story.source.read(SPACE, &[(story.pen.feed(), 0)], 1).unwrap();
        let run = runs[0].clone().verify(story.world.network, SPACE, &story.pen.public(), &[]);
        let run = run.unwrap();
        let Appended::Stored(first) = append(store, &story.world.authority, &run) else {
            panic!("not stored");
        };
        placed(store, &story);
        assert!(store.drop_bases(SPACE).unwrap());
        assert_eq!(heights(store).get(&story.pen.feed()), Some(first.run.last()));
        send(&story.world, &story.source, store);
        assert_eq!(heights(store), heights(&story.source));
    }

    fn erasures_reach_what_came_by_copies(store) {
        let mut story = Story::new();
        let [erased, stays] = story.documents;
        let slices = story.slices();
        take(store, &story, &slices[..slices.len() - 1]);
        let erase = Erase { random: Nonce([4; 16]), subjects: vec![erased] };
        let payload = erase.encode().unwrap();
        // The owner writes the erasure with another of its feeds, which is here already.
        let grant = story.world.grant(&story.hub, SPACE);
        let (mut second, open) = story.world.pen(&story.hub, grant, [5; 32]);
        keep(store, &story.world.authority, &open);
        let run = second.sign(vec![(Kind::ERASE, Subject::NONE, payload)]);
        keep(store, &story.world.authority, &run);
        assert!(matches!(take(store, &story, &slices), CopyTaken::Placed(_)));
        assert_eq!(store.base(SPACE, erased).unwrap(), None);
        assert_eq!(store.bases(SPACE, None, 9).unwrap(), [stays]);
        let _ = &mut story;
    }

    fn another_copy_takes_the_place_only_if_it_says_so(store) {
        let mut story = Story::new();
        let earlier = story.slices();
        take(store, &story, &earlier[..4]);
        let documents = story.documents;
        let kept = [node_feed::Height {
            number: 0,
            hash: story.source.hash_at(SPACE, story.pen.feed(), 0).unwrap().unwrap(),
        }];
        let run = checkpoint(&mut story.pen, &documents, &kept);
        keep(&mut story.source, &story.world.authority, &run);
        let mut later = story.slices();
        let CopyTaken::Partly(place) = take(store, &story, &later[..1]) else {
            panic!("taken");
        };
        assert_eq!(place.documents, 1, "the copy under way goes on");
        if let Some(begins) = &mut later[0].begins {
            begins.anew = true;
        }
        assert!(matches!(take(store, &story, &later), CopyTaken::Placed(_)));
        let place = trees(store)[&story.pen.writer()].feeds()[&story.pen.feed()];
        assert_eq!(place.base, 25);
    }
}

#[test]
fn a_copy_goes_on_where_it_was_broken_off() {
    let story = Story::new();
    let folder = tempfile::tempdir().expect("a folder");
    let slices = story.slices();
    for end in 1..slices.len() {
        let mut store = sqlite(&folder);
        take(&mut store, &story, &slices[..end]);
        drop(store);
        let store = sqlite(&folder);
        let [(space, place)] = &store.copies().expect("copies")[..] else {
            panic!("one copy");
        };
        assert_eq!(*space, SPACE);
        assert_eq!(place.documents, (end as u64).saturating_sub(3));
    }
    let mut store: SqliteStore = sqlite(&folder);
    // What is no document is said again, and the documents that are here are not.
    let rest = slices.iter().filter(|slice| {
        slice.documents_before > 0 || slice.pieces.len() > 1 || !is_document(slice)
    });
    let rest = rest.cloned().collect::<Vec<_>>();
    assert!(rest.len() < slices.len());
    assert!(matches!(
        take(&mut store, &story, &rest),
        CopyTaken::Placed(_)
    ));
    assert_eq!(store.unchecked_count().expect("a count"), 2);
}

fn is_document(slice: &CopySlice) -> bool {
    matches!(slice.pieces[0], CopyPiece::Document { .. })
}
