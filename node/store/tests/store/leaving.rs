//! A hub that left a space keeps its own work whole, and nothing that others wrote.

use bytes::Bytes;
use node_feed::{CardId, DocumentId, HubId, Payload, Subject, Writers};
use node_store::{Check, EntryStore, ForeignPlace, MemoryStore, ReadStore, SqliteStore};

use crate::world::{Hub, Pen, SPACE, World, heights, keep, send, sqlite, texts, trees};

/// Two hubs in a space: each has a document, and each wrote in both.
struct Story {
    world: World,
    own: Hub,
    other: Hub,
    other_pen: Pen,
    own_document: Subject,
    other_document: Subject,
    folder: tempfile::TempDir,
    store: SqliteStore,
}

fn document(hub: HubId) -> Subject {
    DocumentId::new(hub, Writers::Members, [1; 15]).subject()
}

impl Story {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut store = sqlite(&folder);
        let mut world = World::new();
        let (own, mut own_pen, own_open) = world.writer(2);
        let (other, mut other_pen, other_open) = world.writer(3);
        let (own_document, other_document) = (document(own.id), document(other.id));
        for run in [
            &own_open,
            &other_open,
            &own_pen.note_on(own_document, "own"),
            &other_pen.note_on(own_document, "other's in own"),
            &other_pen.note_on(other_document, "other's"),
            &own_pen.note_on(other_document, "own in other's"),
            &other_pen.note_on(other_document, "other's again"),
        ] {
            keep(&mut store, &world.authority, run);
        }
        Self {
            world,
            own,
            other,
            other_pen,
            own_document,
            other_document,
            folder,
            store,
        }
    }

    fn leave(&mut self) -> Vec<Subject> {
        self.store.drop_foreign(SPACE, self.own.id).unwrap()
    }
}

#[test]
fn what_others_wrote_goes_and_what_proves_it_stays_and_own_records_stay_whole() {
    let mut story = Story::new();
    let before = (trees(&story.store), heights(&story.store));
    assert_eq!(story.leave(), [story.other_document]);
    let left = ["own", "other's in own", "-", "own in other's", "-"];
    assert_eq!(texts(&story.store), left);
    assert_eq!((trees(&story.store), heights(&story.store)), before);
    assert!(
        story.store.withheld(SPACE).unwrap().is_empty(),
        "it is known why"
    );
    assert!(story.leave().is_empty(), "nothing more is there to drop");
    let own = story.store.entries_of(story.own_document, 0).unwrap();
    assert!(own.iter().all(|entry| entry.payload.bytes().is_some()));

    // Signatures and chain hold without the payloads.
    let mut second = MemoryStore::new();
    send(&story.world, &story.store, &mut second);
    assert_eq!(trees(&second), before.0);
    story.store.check().unwrap();
}

#[test]
fn the_bytes_are_overwritten_and_another_space_is_not_touched() {
    let mut story = Story::new();
    let planted = "planted value of another hub";
    let secret = story.other_pen.note_on(story.other_document, planted);
    keep(&mut story.store, &story.world.authority, &secret);
    let files = ["store.db", "store.db-wal"].map(|name| story.folder.path().join(name));
    let holds = || {
        files.iter().any(|file| {
            let bytes = std::fs::read(file).unwrap_or_default();
            bytes
                .windows(planted.len())
                .any(|window| window == planted.as_bytes())
        })
    };
    assert!(holds());
    let elsewhere = node_feed::SpaceId::from_bytes([8; 16]);
    assert!(
        story
            .store
            .drop_foreign(elsewhere, story.own.id)
            .unwrap()
            .is_empty()
    );
    assert!(holds());
    story.leave();
    assert!(!holds());
}

#[test]
fn a_hub_that_may_read_again_gets_everything_again() {
    let mut story = Story::new();
    let mut coordinator = MemoryStore::new();
    send(&story.world, &story.store, &mut coordinator);
    let all = (heights(&coordinator), texts(&coordinator).len());
    let authority = story.world.authority.clone();
    story.world.cut(&story.own, &[]);
    assert!(story.world.authority.access(story.own.id, SPACE).is_none());
    story.leave();
    // Without access nothing is fetched again, however often it is asked for.
    assert!(
        story
            .store
            .renew_foreign(&story.world.authority)
            .unwrap()
            .is_empty()
    );
    let path = story.store.path().to_path_buf();
    drop(story.store);

    let mut store = SqliteStore::open(path, Check::Always).unwrap();
    assert_eq!(store.renew_foreign(&authority).unwrap(), [SPACE]);
    assert!(
        store.renew_foreign(&authority).unwrap().is_empty(),
        "once is enough"
    );
    assert_eq!(texts(&store), ["own", "own in other's"]);
    assert_eq!(
        trees(&store).len(),
        1,
        "of the other nothing is said to be held"
    );
    assert!(!store.reconcile(&authority).unwrap().contains(&SPACE));

    send(&story.world, &coordinator, &mut store);
    assert_eq!(heights(&store), all.0);
    assert_eq!(texts(&store).len(), all.1);
    assert!(texts(&store).iter().all(|text| text != "-"));
    assert!(store.withheld(SPACE).unwrap().is_empty());
    store.check().unwrap();
}

#[test]
fn evidence_of_others_goes_too_and_their_cut_still_holds() {
    let mut story = Story::new();
    let before = story.world.authority.clone();
    let other = Hub {
        id: story.other.id,
        identity: node_feed::SecretKey::from_seed(&story.other.identity.seed()),
    };
    story.world.cut(&other, &[]);
    story.store.reconcile(&story.world.authority).unwrap();
    assert_eq!(texts(&story.store), ["own", "own in other's"]);
    assert_eq!(story.leave(), [story.other_document]);
    assert_eq!(texts(&story.store), ["own", "own in other's"]);
    assert_eq!(story.store.evidence(SPACE).unwrap().len(), 4);
    // It comes back without the payloads if the cut is void.
    story.store.reconcile(&before).unwrap();
    let mut back = texts(&story.store);
    back.sort_unstable();
    assert_eq!(back, ["-", "-", "other's in own", "own", "own in other's"]);
}

#[test]
fn a_large_space_is_done_in_slices_between_which_others_may_write() {
    let mut story = Story::new();
    let card = CardId::new(story.other.id, Writers::Owner, [5; 15]).subject();
    for number in 0..60 {
        let subject = if number % 2 == 0 {
            card
        } else {
            story.own_document
        };
        let notes = (0..10).map(|_| (crate::world::NOTE, subject, crate::world::note("text")));
        let run = story.other_pen.sign(notes.collect());
        keep(&mut story.store, &story.world.authority, &run);
    }
    let (mut place, mut slices) = (ForeignPlace::default(), 0);
    let mut subjects = std::collections::BTreeSet::new();
    loop {
        let slice = story
            .store
            .drop_foreign_slice(SPACE, story.own.id, place)
            .unwrap();
        subjects.extend(slice.subjects);
        slices += 1;
        story.store.set_setting("slices", Some(&[slices])).unwrap();
        match slice.next {
            Some(next) => place = next,
            None => break,
        }
    }
    assert!(slices > 2, "{slices}");
    assert_eq!(subjects, [card, story.other_document].into_iter().collect());
    let all = story.store.arrivals_after(0, usize::MAX).unwrap();
    let held = |payload: &Payload| payload.bytes().map_or(0, Bytes::len) > 0;
    let of = |subject: Subject| all.iter().filter(move |entry| entry.subject == subject);
    assert!(of(card).all(|entry| !held(&entry.payload)));
    assert!(of(story.own_document).all(|entry| held(&entry.payload)));
    assert_eq!(of(story.own_document).count(), 302);
}
