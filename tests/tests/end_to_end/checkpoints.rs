//! Checkpoints: what a feed is, without its entries.

use std::collections::BTreeMap;
use std::path::Path;

use bytes::Bytes;
use node::Node;
use node::clock::now_ms;
use node_document::{Document, EditError};
use node_feed::{
    Card, CardId, Changes, Checkpoint, DocumentId, Entry, Erase, FeedName, Hash, Height, Kind,
    Nonce, SpaceId, Subject, Trail, Writers, change_hash,
};
use node_store::{ProjectionReaders, Projections, ReadStore, Readers, SavedState};
use serde_json::json;
use tests::world::{World, until};

fn write(node: &Node, space: SpaceId, kind: Kind, subject: Subject, payload: Bytes) -> Height {
    let entry = Entry {
        time_ms: now_ms(),
        kind,
        subject,
        payload,
    };
    node.write(space, entry).expect("an entry is written")
}

/// Writes a document of one change.
fn write_document(node: &Node, space: SpaceId, name: u8) -> Subject {
    let hub = node.hub().expect("the node is connected");
    let id = DocumentId::new(hub, Writers::Members, [name; 15]);
    let author = node.author(space).expect("the hub may write");
    let edited = Document::new(id).edit(None, &author, now_ms(), |edit| {
        edit.put(&["title"], &"a title".into())?;
        Ok::<_, EditError>(())
    });
    let changes = edited.expect("an edit").changes(Nonce([name; 16]));
    write(node, space, Kind::CHANGES, id.subject(), changes.encode());
    id.subject()
}

fn write_card(node: &Node, space: SpaceId, card: CardId, replaces: Vec<Hash>) -> Height {
    let revision = Card {
        random: Nonce([7; 16]),
        replaces,
        body: Bytes::from_static(b"{}"),
    };
    let payload = revision.encode().expect("a card");
    write(node, space, Kind::CARD, card.subject(), payload)
}

fn last(path: &Path, space: SpaceId, feed: FeedName) -> Option<(Vec<Checkpoint>, Height)> {
    let store = Readers::open(path.join("store.db")).expect("the store is read");
    let last = store.checkpoint(space, feed, u64::MAX);
    last.expect("the store is read")
}

/// What the entries themselves say.
fn trail(path: &Path, space: SpaceId, feed: FeedName, subject: Subject) -> Trail {
    let store = Readers::open(path.join("store.db")).expect("the store is read");
    let entries = store.entries_of(subject, 0).expect("the store is read");
    let own = entries
        .iter()
        .filter(|it| (it.space, it.feed) == (space, feed));
    let own = own.map(|entry| (entry.height.number, entry));
    let own = own.collect::<BTreeMap<_, _>>();
    own.values().fold(Trail::START, |trail, entry| {
        let bytes = entry.payload.bytes().expect("its payload is held");
        let changes = Changes::decode(bytes).expect("changes");
        let hashes = changes.chunks.iter().map(|chunk| change_hash(chunk));
        let hashes = hashes.collect::<Vec<_>>();
        trail.with(entry.height.number, entry.time_ms, &hashes)
    })
}

fn edit(node: &Node, record: &str, number: usize) {
    let change = json!({ "protocol": format!("We meet {number} times.") });
    node.edit_record(record, "", &change.to_string())
        .expect("an edit is saved");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_checkpoint_says_what_a_feed_is_without_its_entries() {
    let mut world = World::new().await;
    world.add_hub("south-yorkshire").await;
    let (space, record) = world.project("NCP24-11", &["south-yorkshire"]).await;
    let south = world.hub("south-yorkshire").clone();
    let path = world.path("south-yorkshire");
    let nothing = south.write_checkpoint(space).expect("there is no feed yet");
    assert_eq!(nothing, None);

    (0..3).for_each(|number| edit(&south, &record, number));
    let feed = FeedName::from_bytes(south.author(space).expect("a feed").writer);
    let shared = record.parse::<DocumentId>().expect("an id").subject();
    let own = write_document(&south, space, 1);
    let gone = write_document(&south, space, 2);
    let card = CardId::new(south.hub().expect("connected"), Writers::Owner, [3; 15]);
    let first = write_card(&south, space, card, Vec::new());
    let second = write_card(&south, space, card, vec![first.hash]);
    let unknown = Bytes::from_static(&[9; 40]);
    let unknown = write(&south, space, Kind(99), Subject::NONE, unknown);
    let erase = Erase {
        random: Nonce([4; 16]),
        subjects: vec![gone],
    };
    let erase = erase.encode().expect("an erase");
    let erase = write(&south, space, Kind::ERASE, Subject::NONE, erase);

    let written = south.write_checkpoint(space).expect("it is written");
    let (parts, end) = last(&path, space, feed).expect("a checkpoint");
    assert_eq!(written, Some(end));
    let [part] = parts.as_slice() else {
        panic!("{} parts", parts.len())
    };
    let mut documents = vec![shared, own];
    documents.sort_unstable();
    let documents = documents.into_iter();
    let documents = documents.map(|subject| (subject, trail(&path, space, feed, subject)));
    assert_eq!(part.documents, documents.collect::<Vec<_>>());
    assert_eq!(part.kept[0].number, 0, "the open");
    assert_eq!(part.kept[1..], [second, unknown, erase]);
    // Nothing came since.
    assert_eq!(south.write_checkpoint(space).expect("none is due"), None);

    // The next one goes on where the last one ended, and what was replaced since leaves it.
    edit(&south, &record, 4);
    let third = write_card(&south, space, card, vec![second.hash]);
    south.write_checkpoint(space).expect("it is written");
    let (parts, later) = last(&path, space, feed).expect("a checkpoint");
    assert!(later.number > end.number);
    let said = parts[0].documents.iter().find(|(it, _)| *it == shared);
    let said = said.map(|(_, trail)| *trail);
    assert_eq!(said, Some(trail(&path, space, feed, shared)));
    assert_eq!(parts[0].kept[1..], [unknown, erase, third]);
    // Others get it as any other entry.
    world.agree(space).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_stops_leaves_a_checkpoint_only_where_it_spares_something() {
    let mut world = World::new().await;
    world.add_hub("south-yorkshire").await;
    let (space, record) = world.project("NCP24-11", &["south-yorkshire"]).await;
    let path = world.path("south-yorkshire");
    let south = world.hub("south-yorkshire").clone();
    (0..60).for_each(|number| edit(&south, &record, number));
    let feed = FeedName::from_bytes(south.author(space).expect("a feed").writer);
    drop(south);
    world.stop_hub("south-yorkshire").await;
    world.start_hub("south-yorkshire");
    assert_eq!(last(&path, space, feed), None, "few entries are sent whole");
    (60..70).for_each(|number| edit(world.hub("south-yorkshire"), &record, number));
    world.stop_hub("south-yorkshire").await;
    world.start_hub("south-yorkshire");
    let (_, end) = last(&path, space, feed).expect("a checkpoint");
    // Opened, 70 edits, the checkpoint.
    assert_eq!(end.number, 71);
    world.agree(space).await;
    // One does not call for the next.
    world.stop_hub("south-yorkshire").await;
    world.start_hub("south-yorkshire");
    let again = last(&path, space, feed).map(|(_, end)| end);
    assert_eq!(again, Some(end));
}

/// How far the store had been seen when a document was saved, and what was saved.
fn saved(path: &Path, space: SpaceId, subject: Subject) -> Option<(u64, Bytes)> {
    let lists = ProjectionReaders::open(path.join("projections.db")).expect("lists are read");
    lists.snapshot(space, subject).expect("lists are read")
}

fn last_arrival(path: &Path, subject: Subject) -> u64 {
    let store = Readers::open(path.join("store.db")).expect("the store is read");
    let entries = store.entries_of(subject, 0).expect("the store is read");
    entries.last().expect("an entry of it").arrival
}

#[tokio::test(flavor = "multi_thread")]
async fn every_document_is_saved_and_brought_up_to_a_checkpoint() {
    let mut world = World::new().await;
    world.add_hub("south-yorkshire").await;
    let (space, record) = world.project("NCP24-11", &["south-yorkshire"]).await;
    let path = world.path("south-yorkshire");
    let south = world.hub("south-yorkshire").clone();
    let shared = record.parse::<DocumentId>().expect("an id").subject();
    let others = (1..40).map(|name| write_document(&south, space, name));
    let others = others.collect::<Vec<_>>();
    until("all are saved", || {
        let all = others.iter().chain([&shared]);
        all.into_iter().all(|it| saved(&path, space, *it).is_some())
    })
    .await;
    // A long text is not saved anew for each small change.
    let long = json!({ "protocol": "We meet weekly. ".repeat(200) });
    south
        .edit_record(&record, "", &long.to_string())
        .expect("an edit is saved");
    until("the long text is saved", || {
        saved(&path, space, shared)
            .is_some_and(|(arrival, _)| arrival >= last_arrival(&path, shared))
    })
    .await;
    let small = json!({ "phase": "primary" });
    south
        .edit_record(&record, "", &small.to_string())
        .expect("an edit is saved");
    south.catch_up().expect("it is listed");
    let (behind, _) = saved(&path, space, shared).expect("it is saved");
    assert!(behind < last_arrival(&path, shared), "it waits for more");
    // A checkpoint that lists it brings it up.
    south.write_checkpoint(space).expect("it is written");
    until("it is brought up", || {
        saved(&path, space, shared)
            .is_some_and(|(arrival, _)| arrival >= last_arrival(&path, shared))
    })
    .await;
    let (_, bytes) = saved(&path, space, shared).expect("it is saved");
    let id = DocumentId::try_from(shared).expect("a document");
    let document = Document::load(id, &bytes).expect("it opens");
    assert_eq!(document.view().get(&["phase"]), Some("primary".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_saved_document_of_an_earlier_version_is_made_again() {
    let mut world = World::new().await;
    world.add_hub("south-yorkshire").await;
    let (space, record) = world.project("NCP24-11", &["south-yorkshire"]).await;
    let path = world.path("south-yorkshire");
    let shared = record.parse::<DocumentId>().expect("an id").subject();
    edit(world.hub("south-yorkshire"), &record, 3);
    until("it is saved", || saved(&path, space, shared).is_some()).await;
    world.stop_hub("south-yorkshire").await;
    let (arrival, bytes) = saved(&path, space, shared).expect("it is saved");
    let mut earlier = bytes.to_vec();
    earlier[7] = 1;
    let state = SavedState {
        space,
        subject: shared,
        arrival,
        bytes: earlier.into(),
    };
    let lists = Projections::open(path.join("projections.db"));
    let mut lists = lists.expect("nobody else writes them");
    lists.save_snapshots(&[state]).expect("it is kept");
    drop(lists);
    world.start_hub("south-yorkshire");
    let shown = world.hub("south-yorkshire").show_record(&record);
    let fields = shown.expect("it is made of its entries").fields;
    assert_eq!(fields["protocol"], "We meet 3 times.");
}
