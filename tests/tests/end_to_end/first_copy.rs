//! A hub that lacks much is sent documents, and not the changes that made them.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use node::Node;
use node_document::{Author, ChangesEntry, Document, EditError, copied};
use node_feed::{
    Access, Checkpoint, CopyOffer, CopyPiece, DocumentId, Entry, FeedName, GrantId, Hash, Height,
    Heights, HubId, KeptEntry, Kind, Nonce, RefusalReason, Run, SpaceId, Subject, Trail, Writers,
    change_hash,
};
use node_store::{ReadStore, Readers};
use serde_json::{Value, json};
use tests::bare_peer::{BareFeed, Seat};
use tests::world::{World, until};

const SOUTH: &str = "south-yorkshire";
const WEST: &str = "west-yorkshire";

fn make(node: &Node, space: SpaceId, title: &str) -> String {
    let fields = json!({ "title": title, "body": "Ten minutes a day." });
    let made = node.create_record("practice", &space.to_string(), &fields.to_string());
    made.expect("it is made").id.to_string()
}

fn edit(node: &Node, id: &str, body: &str) {
    let edited = node.edit_record(id, "", &json!({ "body": body }).to_string());
    edited.expect("it is edited");
}

/// What people see of a record: its fields, and who wrote what when.
fn shown(node: &Node, id: &str) -> (Value, Value) {
    let fields = node.show_record(id).expect("it is shown").fields;
    let history = node.record_history(id, "").expect("its history");
    (fields, history)
}

/// The south has written eight practices in 120 changes, with a checkpoint, and gone on.
async fn grown() -> (World, SpaceId, Vec<String>) {
    let mut world = World::new().await;
    world.add_hub(SOUTH).await;
    let (space, _) = world.project("NCP24-11", &[SOUTH]).await;
    let south = world.hub(SOUTH).clone();
    let made = (0..8).map(|number| make(&south, space, &format!("Practice {number}")));
    let ids = made.collect::<Vec<_>>();
    for round in 0..14 {
        for id in &ids {
            edit(&south, id, &format!("We met {round} times. It helps."));
        }
    }
    let written = south.write_checkpoint(space).expect("a checkpoint");
    assert!(written.is_some_and(|height| height.number > 100));
    edit(&south, &ids[0], "After the checkpoint.");
    world.agree(space).await;
    (world, space, ids)
}

/// How many documents of a store came by first copies, and how many of its feeds have a base.
fn came(path: &Path, space: SpaceId) -> (usize, usize) {
    let store = Readers::open(path.join("store.db")).expect("the store is read");
    let documents = store.bases(space, None, usize::MAX).expect("documents");
    let trees = store.trees(space).expect("feeds");
    let feeds = trees.values().flat_map(|tree| tree.feeds().values());
    (documents.len(), feeds.filter(|feed| feed.base > 0).count())
}

async fn is_checked(node: &Node) {
    until("all documents are checked", || {
        node.unchecked_documents().expect("a count") == 0
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hub_that_joins_late_takes_documents_and_not_their_changes() {
    let (mut world, space, ids) = grown().await;
    world.add_hub(WEST).await;
    let operations = world.coordinator().operations();
    operations.grant(space, WEST, Access::Write).expect("in");
    let west = world.hub(WEST).clone();
    until("the west has heard of its access", || {
        west.authority()
            .access(west.hub().expect("connected"), space)
            .is_some()
    })
    .await;
    world.agree(space).await;
    is_checked(&west).await;
    assert_eq!(came(&world.path(WEST), space), (8, 1));
    let south = world.hub(SOUTH).clone();
    assert_eq!(came(&world.path(SOUTH), space), (0, 0));
    for id in &ids {
        assert_eq!(shown(&west, id), shown(&south, id));
    }
    let listed = west.list_records("practice", &space.to_string());
    assert_eq!(listed.expect("a list").len(), 8);
    // It works on from there, and everybody signs for what they hold.
    edit(&west, &ids[3], "The west joins in.");
    world.agree(space).await;
    assert_eq!(shown(&west, &ids[3]), shown(&south, &ids[3]));
    until("the south's change has reached all", || {
        let marks = south.show_record(&ids[0]).expect("it is shown").marks;
        marks.received == 1
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_came_by_a_copy_fills_a_new_coordinator() {
    let (mut world, space, ids) = grown().await;
    let before = shown(world.hub(SOUTH), &ids[2]);
    world.add_hub(WEST).await;
    let operations = world.coordinator().operations();
    operations.grant(space, WEST, Access::Write).expect("in");
    let west = world.hub(WEST).clone();
    until("the west has it", || {
        west.show_record(&ids[2]).is_ok() && west.unchecked_documents().is_ok_and(|left| left == 0)
    })
    .await;
    world.agree(space).await;
    // Only the west is left.
    world.stop_hub(SOUTH).await;
    world.lose_coordinator().await;
    let coordinator = world.coordinator().operations().node().clone();
    until("the coordinator has it again", || {
        coordinator.show_record(&ids[2]).is_ok()
    })
    .await;
    world.agree(space).await;
    is_checked(&coordinator).await;
    assert_eq!(shown(&coordinator, &ids[2]), before);
    assert_eq!(came(&world.path("coordinator"), space).0, 8);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_was_erased_since_the_checkpoint_keeps_no_copy_back() {
    let (mut world, space, ids) = grown().await;
    let south = world.hub(SOUTH).clone();
    south.erase(&[&ids[5]]).expect("it is erased");
    world.agree(space).await;
    world.add_hub(WEST).await;
    let operations = world.coordinator().operations();
    operations.grant(space, WEST, Access::Write).expect("in");
    let west = world.hub(WEST).clone();
    until("the west has the others", || {
        west.show_record(&ids[6]).is_ok()
    })
    .await;
    world.agree(space).await;
    is_checked(&west).await;
    assert_eq!(came(&world.path(WEST), space), (7, 1));
    assert!(west.show_record(&ids[5]).is_err());
    let listed = west.list_records("practice", &space.to_string());
    assert_eq!(listed.expect("a list").len(), 7);
}

/// A hub's feed with two documents and a checkpoint, of which nobody holds an entry.
struct Story {
    hub: HubId,
    author: Author,
    entries: Vec<ChangesEntry>,
    offer: CopyOffer,
    head: Vec<CopyPiece>,
    feed: BareFeed,
    documents: [Document; 2],
}

const TITLES: [&str; 2] = ["The first", "The second"];

impl Story {
    /// Each document is made with one change and given a body with another.
    fn new(seat: &Seat, space: SpaceId, grant: GrantId) -> Self {
        let (mut feed, open) = seat.feed(space, grant).expect("a feed");
        let writer = *feed.key.public().as_bytes();
        let author = Author {
            writer,
            hub: seat.hub(),
            nonce: Nonce([6; 16]),
        };
        let mut documents = [1, 2].map(|name| Document::new(document(seat.hub(), name)));
        let mut written = Vec::new();
        for (at, title) in TITLES.into_iter().enumerate() {
            written.push((at, vec![("@kind", "practice"), ("title", title)]));
        }
        written.extend([0, 1].map(|at| (at, vec![("body", "Ten minutes a day.")])));
        let mut entries = Vec::new();
        let mut trails = [Trail::START; 2];
        for ((at, fields), number) in written.into_iter().zip(1..) {
            let edited = documents[at].edit(None, &author, 1, |edit| {
                for (field, value) in fields {
                    edit.put(&[field], &value.into())?;
                }
                Ok::<_, EditError>(())
            });
            let changes = edited.expect("an edit").changes(Nonce([number as u8; 16]));
            let hashes = changes.chunks.iter().map(|chunk| change_hash(chunk));
            trails[at] = trails[at].with(number, 1, &hashes.collect::<Vec<_>>());
            let entry = ChangesEntry {
                feed: FeedName::from_bytes(writer),
                number,
                hash: Hash::ZERO,
                writer,
                hub: seat.hub(),
                time_ms: 1,
                changes,
            };
            documents[at].apply(std::slice::from_ref(&entry));
            entries.push((documents[at].id(), entry));
        }
        let signed = entries.iter().map(|(id, entry)| Entry {
            time_ms: 1,
            kind: Kind::CHANGES,
            subject: id.subject(),
            payload: entry.changes.encode(),
        });
        feed.sign(signed.collect()).expect("signed");
        let opened = KeptEntry {
            writer,
            number: 0,
            previous: Hash::ZERO,
            entry: open.entries[0].clone(),
        };
        let network = seat.network();
        let hash = opened.hash(network, space).expect("an opening");
        let listed = [0, 1].map(|at| (documents[at].id().subject(), trails[at]));
        let kept = [Height { number: 0, hash }];
        let parts = Checkpoint::split(&listed, &kept, || Nonce([8; 16])).expect("one part");
        let checkpoint = Entry {
            time_ms: 1,
            kind: Kind::CHECKPOINT,
            subject: Subject::NONE,
            payload: parts[0].encode(),
        };
        let proof = feed.sign(vec![checkpoint]).expect("signed");
        let base = feed.tip().expect("it is written");
        let bases = [(FeedName::from_bytes(writer), base)];
        Self {
            hub: seat.hub(),
            author,
            entries: entries.into_iter().map(|(_, entry)| entry).collect(),
            offer: CopyOffer {
                space,
                bases: bases.into_iter().collect(),
                documents: 2,
            },
            head: vec![CopyPiece::Proof(proof), CopyPiece::Kept(opened)],
            feed,
            documents,
        }
    }

    /// Its hub goes on: a document gets another body.
    fn writes(&mut self, at: usize, body: &str) -> Run {
        let fields = [("body", body)];
        let id = self.documents[at].id();
        let (author, document) = (&self.author, &mut self.documents[at]);
        changed(&mut self.feed, author, (id, document), &fields)
    }

    /// Its hub begins another document.
    fn begins(&mut self, name: u8, title: &str) -> Run {
        let id = document(self.hub, name);
        let fields = [("@kind", "practice"), ("title", title)];
        let of_it = (id, &mut Document::new(id));
        changed(&mut self.feed, &self.author, of_it, &fields)
    }

    /// A document as its sender packs it, of so many of its entries.
    fn packed(&self, at: usize, entries: usize) -> Vec<u8> {
        let id = document(self.hub, at as u8 + 1);
        let mut document = Document::new(id);
        let of_it = self.entries.iter().skip(at).step_by(2).take(entries);
        document.apply(&of_it.cloned().collect::<Vec<_>>());
        self.pack(&document)
    }

    fn pack(&self, document: &Document) -> Vec<u8> {
        let bases = self.offer.bases.iter();
        let bases = bases.map(|(feed, base)| (feed, base.number)).collect();
        let packed = copied(&document.save(), document.id(), &bases);
        packed.expect("it can be copied").to_vec()
    }

    /// The second document with something in it that its hub never signed.
    fn forged(&self) -> Vec<u8> {
        let mut document = Document::new(document(self.hub, 2));
        let mut forged = self.entries[1].clone();
        document.apply(&[forged.clone()]);
        let edited = document.edit(None, &self.author, 1, |edit| {
            edit.put(&["body"], &"An hour a day.".into())?;
            Ok::<_, EditError>(())
        });
        forged.number = 4;
        forged.changes = edited.expect("an edit").changes(Nonce([4; 16]));
        document.apply(&[forged]);
        self.pack(&document)
    }

    fn pieces(&self, second: Vec<u8>) -> [CopyPiece; 2] {
        let bytes = [self.packed(0, 2), second];
        let mut at = 0;
        bytes.map(|bytes| {
            at += 1;
            CopyPiece::Document {
                subject: document(self.hub, at).subject(),
                bytes: bytes.into(),
            }
        })
    }
}

/// One more entry of a feed, which changes a document.
fn changed(
    feed: &mut BareFeed,
    author: &Author,
    (id, document): (DocumentId, &mut Document),
    fields: &[(&str, &str)],
) -> Run {
    let edited = document.edit(None, author, 1, |edit| {
        for (field, value) in fields {
            edit.put(&[field], &(*value).into())?;
        }
        Ok::<_, EditError>(())
    });
    let number = feed.tip().map_or(0, |tip| tip.number + 1);
    let changes = edited.expect("an edit").changes(Nonce([number as u8; 16]));
    let entry = Entry {
        time_ms: 1,
        kind: Kind::CHANGES,
        subject: id.subject(),
        payload: changes.encode(),
    };
    document.apply(&[ChangesEntry {
        feed: FeedName::from_bytes(author.writer),
        number,
        hash: Hash::ZERO,
        writer: author.writer,
        hub: author.hub,
        time_ms: 1,
        changes,
    }]);
    feed.sign(vec![entry]).expect("signed")
}

fn document(hub: HubId, name: u8) -> DocumentId {
    DocumentId::new(hub, Writers::Members, [name; 15])
}

/// A project with the south, and a peer that is nothing but its keys in the place of the west.
async fn with_a_seat() -> (World, SpaceId, Seat, GrantId) {
    let mut world = World::new().await;
    world.add_hub(SOUTH).await;
    let (space, _) = world.project("NCP24-11", &[SOUTH]).await;
    let seat = Seat::take(world.invite(WEST)).await.expect("connected");
    let operations = world.coordinator().operations();
    let grant = operations.grant(space, WEST, Access::Write);
    grant.expect("access");
    let known = operations.node().authority();
    let grant = known.write_grant(seat.hub(), space).expect("a grant");
    (world, space, seat, grant)
}

#[tokio::test(flavor = "multi_thread")]
async fn who_saves_while_one_copy_takes_the_place_of_another_is_not_held_up() {
    let (world, space, seat, grant) = with_a_seat().await;
    let coordinator = world.coordinator().operations().node().clone();
    let log = SpaceId::authority(seat.network());
    let authority = coordinator.heights(log).expect("heights");
    let id = make(&coordinator, space, "A practice");
    let stop = Arc::new(AtomicBool::new(false));
    let (editor, stopped) = (coordinator.clone(), Arc::clone(&stop));
    let edits = std::thread::spawn(move || {
        let mut edits = 0;
        while !stopped.load(Ordering::Relaxed) {
            edit(&editor, &id, &format!("We met {edits} times."));
            edits += 1;
        }
        edits
    });
    let mut peer = seat.open(&authority).await.expect("a session");
    for _ in 0..10 {
        let story = Story::new(&seat, space, grant);
        let [first, _] = story.pieces(Vec::new());
        let first = [first];
        let begun = peer.begin_copy(&story.offer, &story.head, &first);
        begun.await.expect("it takes the place of the one before");
        until("its first document is here", || {
            came(&world.path("coordinator"), space).0 == 1
        })
        .await;
    }
    stop.store(true, Ordering::Relaxed);
    until("the last edit is saved", || edits.is_finished()).await;
    assert!(edits.join().expect("no edit fails") > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forged_a_swapped_and_a_stale_document_of_a_copy_are_found() {
    let (mut world, space, seat, grant) = with_a_seat().await;
    let log = SpaceId::authority(seat.network());
    let authority = world.coordinator().operations().node().heights(log);
    let authority = authority.expect("heights");
    let story = Story::new(&seat, space, grant);
    let feed = FeedName::from_bytes(story.author.writer);
    let mut swapped = story.packed(0, 2);
    // Its name alone is another's.
    swapped[8..32].copy_from_slice(document(story.hub, 2).as_bytes());
    let bad = [
        ("forged", story.forged()),
        ("swapped", story.packed(0, 2)),
        ("renamed", swapped),
        ("stale", story.packed(1, 1)),
        ("gone", story.packed(1, 0)),
        ("garbled", vec![7; 300]),
    ];
    for (what, second) in bad {
        // Whoever sends such a copy is not heard again for a while: each is another process.
        world.stop_coordinator().await;
        world.start_coordinator().await;
        let coordinator = world.coordinator().operations().node().clone();
        let mut peer = seat.open(&authority).await.expect("a session");
        let pieces = story.pieces(second);
        let declined = peer.copy(&story.offer, &story.head, &pieces).await;
        assert!(declined.expect(what), "{what}");
        assert_eq!(
            coordinator.heights(space).expect("heights").get(&feed),
            None
        );
        assert_eq!(came(&world.path("coordinator"), space), (0, 0), "{what}");
        let titles = coordinator.list_records("practice", &space.to_string());
        assert_eq!(titles.expect("a list").len(), 0, "{what}");
        drop((coordinator, peer));
    }

    world.stop_coordinator().await;
    world.start_coordinator().await;
    let mut peer = seat.open(&authority).await.expect("a session");
    let pieces = story.pieces(story.packed(1, 2));
    let declined = peer.copy(&story.offer, &story.head, &pieces).await;
    assert!(!declined.expect("an honest copy"));
    let coordinator = world.coordinator().operations().node().clone();
    let base = story.offer.bases.get(&feed);
    assert_eq!(
        coordinator.heights(space).expect("heights").get(&feed),
        base
    );
    // It reaches the south as any other.
    world.agree(space).await;
    let second = document(story.hub, 2).to_string();
    let shown = world.hub(SOUTH).show_record(&second).expect("shown").fields;
    assert_eq!(shown["title"], TITLES[1]);
    assert_eq!(shown["body"], "Ten minutes a day.");
}

/// The body that a node shows of a record; none if it shows none.
fn body(node: &Node, id: DocumentId) -> Option<String> {
    let shown = node.show_record(&id.to_string()).ok()?;
    Some(shown.fields["body"].as_str()?.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_written_while_a_copy_is_under_way_is_shown_before_the_copy_is_placed() {
    let (mut world, space, seat, grant) = with_a_seat().await;
    let coordinator = world.coordinator().operations().node().clone();
    let authority = coordinator.heights(SpaceId::authority(seat.network()));
    let authority = authority.expect("heights");
    let mut story = Story::new(&seat, space, grant);
    let [first, second, third] = [1, 2, 3].map(|name| document(story.hub, name));
    let feed = FeedName::from_bytes(story.author.writer);
    let pieces = story.pieces(story.packed(1, 2));
    let mut peer = seat.open(&authority).await.expect("a session");
    // The second document does not come for now, so that nothing of the copy can be placed.
    let begun = peer.begin_copy(&story.offer, &story.head, &pieces[..1]);
    begun.await.expect("it is taken");
    for run in [
        story.writes(1, "Half an hour."),
        story.writes(0, "Fifteen minutes a day."),
        story.begins(3, "The third"),
    ] {
        peer.send(space, &run).expect("sent");
    }
    until("the edit is shown", || {
        body(&coordinator, first).as_deref() == Some("Fifteen minutes a day.")
    })
    .await;
    until("a record that was begun since is listed", || {
        let listed = coordinator.list_records("practice", &space.to_string());
        listed.is_ok_and(|listed| listed.len() == 2)
    })
    .await;
    let is_shown = |node: &Node| node.show_record(&third.to_string()).is_ok();
    assert!(is_shown(&coordinator));
    // What builds on a record that is not here waits for it.
    assert!(coordinator.show_record(&second.to_string()).is_err());
    let heights = heights_of(&coordinator, space);
    assert_eq!(heights.get(&feed), None, "nothing of it counts");
    assert_eq!(came(&world.path("coordinator"), space), (1, 0));
    drop((peer, coordinator));

    // Nothing of that is lost with the process.
    world.stop_coordinator().await;
    world.start_coordinator().await;
    let coordinator = world.coordinator().operations().node().clone();
    until("the edit is shown", || {
        body(&coordinator, first).as_deref() == Some("Fifteen minutes a day.")
    })
    .await;
    assert!(is_shown(&coordinator));
    let mut peer = seat.open(&authority).await.expect("a session");
    let declined = peer.copy(&story.offer, &story.head, &pieces).await;
    assert!(!declined.expect("an honest copy"));
    assert_eq!(heights_of(&coordinator, space).get(&feed), story.feed.tip());
    until("the edit of the second is shown", || {
        body(&coordinator, second).as_deref() == Some("Half an hour.")
    })
    .await;
    // It reaches the south as any other.
    world.agree(space).await;
    let south = world.hub(SOUTH);
    assert_eq!(
        body(south, first).as_deref(),
        Some("Fifteen minutes a day.")
    );
    assert_eq!(body(south, second).as_deref(), Some("Half an hour."));
    assert!(is_shown(south));
    assert_eq!(
        shown(south, &second.to_string()),
        shown(&coordinator, &second.to_string())
    );
}

fn heights_of(node: &Node, space: SpaceId) -> Heights {
    node.heights(space).expect("heights")
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_came_beside_a_copy_is_shown_once_the_copy_is_refused() {
    let (world, space, seat, grant) = with_a_seat().await;
    let coordinator = world.coordinator().operations().node().clone();
    let authority = coordinator.heights(SpaceId::authority(seat.network()));
    let authority = authority.expect("heights");
    let mut story = Story::new(&seat, space, grant);
    let first = document(story.hub, 1);
    let pieces = story.pieces(story.forged());
    let mut peer = seat.open(&authority).await.expect("a session");
    let begun = peer.begin_copy(&story.offer, &story.head, &pieces[..1]);
    begun.await.expect("it is taken");
    let runs = [
        story.writes(0, "Fifteen minutes a day."),
        story.begins(3, "The third"),
    ];
    for run in &runs {
        peer.send(space, run).expect("sent");
    }
    let listed = || {
        let listed = coordinator.list_records("practice", &space.to_string());
        listed.expect("a list").len()
    };
    until("both are shown", || {
        listed() == 2 && body(&coordinator, first).as_deref() == Some("Fifteen minutes a day.")
    })
    .await;
    let declined = peer.copy(&story.offer, &story.head, &pieces).await;
    assert!(declined.expect("it is forged"));
    until("nothing of it is shown", || {
        listed() == 0 && coordinator.show_record(&first.to_string()).is_err()
    })
    .await;
    assert_eq!(came(&world.path("coordinator"), space), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_forged_beside_a_copy_is_found() {
    let (world, space, seat, grant) = with_a_seat().await;
    let coordinator = world.coordinator().operations().node().clone();
    let authority = coordinator.heights(SpaceId::authority(seat.network()));
    let authority = authority.expect("heights");
    let mut story = Story::new(&seat, space, grant);
    let first = document(story.hub, 1);
    let pieces = story.pieces(story.packed(1, 2));
    let mut peer = seat.open(&authority).await.expect("a session");
    let begun = peer.begin_copy(&story.offer, &story.head, &pieces[..1]);
    begun.await.expect("it is taken");
    until("the first record is shown", || {
        body(&coordinator, first).is_some()
    })
    .await;
    let honest = story.writes(0, "Fifteen minutes a day.");
    let mut moved = honest.clone();
    moved.previous = Hash::from_bytes([1; 32]);
    let mut another = honest.clone();
    another.writer = *seat
        .feed(space, grant)
        .expect("a feed")
        .0
        .key
        .public()
        .as_bytes();
    let forged = RefusalReason::Forged as u32;
    for run in [&moved, &another] {
        let refused = peer.refused(space, run).await.expect("it is refused");
        assert_eq!(refused.reason as u32, forged);
    }
    // Signed by its writer, but beyond what came.
    let next = story.writes(0, "An hour a day.");
    let refused = peer.refused(space, &next).await.expect("it is refused");
    assert_eq!(refused.reason as u32, RefusalReason::Gap as u32);
    assert_eq!(
        body(&coordinator, first).as_deref(),
        Some("Ten minutes a day.")
    );
    for run in [&honest, &next] {
        peer.send(space, run).expect("sent");
    }
    until("what is honest is shown", || {
        body(&coordinator, first).as_deref() == Some("An hour a day.")
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hub_that_joins_while_others_write_on_misses_nothing() {
    let (mut world, space, ids) = grown().await;
    world.add_hub(WEST).await;
    let (south, stop) = (world.hub(SOUTH).clone(), Arc::new(AtomicBool::new(false)));
    let (stopped, all) = (Arc::clone(&stop), ids.clone());
    let edits = std::thread::spawn(move || {
        let mut rounds = 0;
        while !stopped.load(Ordering::Relaxed) {
            for id in &all {
                edit(&south, id, &format!("Written on, {rounds} times."));
            }
            rounds += 1;
        }
    });
    let operations = world.coordinator().operations();
    operations.grant(space, WEST, Access::Write).expect("in");
    let west = world.hub(WEST).clone();
    until("the west has it", || {
        west.show_record(&ids[7]).is_ok() && came(&world.path(WEST), space) == (8, 1)
    })
    .await;
    stop.store(true, Ordering::Relaxed);
    until("the last edit is saved", || edits.is_finished()).await;
    edits.join().expect("no edit fails");
    world.agree(space).await;
    let south = world.hub(SOUTH).clone();
    for id in &ids {
        assert_eq!(shown(&west, id), shown(&south, id));
    }
}
