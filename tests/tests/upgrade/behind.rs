//! A node that is one version behind: what only a newer version understands is carried, counted, passed on
//! as it is and set aside with a reason; it holds nothing up, and is taken up after an upgrade.

use std::path::Path;

use bytes::Bytes;
use node::Node;
use node::clock::now_ms;
use node_document::{Author, Document, EditError, Value};
use node_feed::{
    Access, Changes, DocumentId, Entry, Fact, Kind, Nonce, Run, SpaceId, Subject, Writers,
};
use proto::sync::v1::frame::Message;
use proto::sync::v1::{Goodbye, Refused};
use rusqlite::Connection;
use serde_json::{Value as Json, json};
use tests::bare_peer::{BareFeed, Seat};
use tests::world::{World, until};

use crate::held::entries_of;

const SOUTH: &str = "south-yorkshire";
const WEST: &str = "west-yorkshire";
const NORTH: &str = "north-yorkshire";
const EAST: &str = "east-riding";
/// A kind of entry and a fact that no version knows.
const LATER_KIND: u8 = 77;
const LATER_FACT: u8 = 99;

fn make(node: &Node, space: SpaceId, title: &str) -> String {
    let fields = json!({ "title": title, "body": "Ten minutes a day." });
    let made = node.create_record("practice", &space.to_string(), &fields.to_string());
    made.expect("it is made").id.to_string()
}

fn titled(node: &Node, id: &str, title: &str) {
    let edited = node.edit_record(id, "", &json!({ "title": title }).to_string());
    edited.expect("it is edited");
}

fn title(node: &Node, id: &str) -> Json {
    let shown = node.show_record(id);
    shown.map_or(Json::Null, |shown| shown.fields["title"].clone())
}

fn set_aside(node: &Node) -> Vec<String> {
    let status = node.status().expect("a status");
    let aside = status["set_aside"].as_array().expect("a list");
    let aside = aside.iter().filter_map(Json::as_str);
    aside.map(str::to_owned).collect()
}

fn entry(kind: Kind, subject: Subject, payload: impl Into<Bytes>) -> Entry {
    Entry {
        time_ms: now_ms(),
        kind,
        subject,
        payload: payload.into(),
    }
}

/// Changes of a document: with these fields, and packed as no version packs them yet if `later`.
fn changes(
    feed: &BareFeed,
    seat: &Seat,
    document: &mut Document,
    fields: &[(&str, &str)],
    later: bool,
) -> Entry {
    let author = Author {
        writer: *feed.key.public().as_bytes(),
        hub: seat.hub(),
        nonce: Nonce([6; 16]),
    };
    let edited = document.edit(None, &author, now_ms(), |edit| {
        for (field, value) in fields {
            edit.put(&[field], &Value::from(*value))?;
        }
        Ok::<_, EditError>(())
    });
    let mut changes = edited.expect("an edit").changes(Nonce(node::random()));
    if later {
        // A chunk of type 9: a newer way to pack changes.
        let chunk = [
            b"\x85\x6f\x4a\x83\x01\x02\x03\x04\x09\x05".as_slice(),
            b"later",
        ]
        .concat();
        changes = Changes {
            chunks: vec![chunk.into()],
            ..changes
        };
    }
    entry(Kind::CHANGES, document.id().subject(), changes.encode())
}

/// What a hub of the next version writes: a record that every version knows, and beside it what this
/// one does not.
struct Future {
    feed: BareFeed,
    runs: Vec<Run>,
    known: String,
    kind_of_later: String,
}

impl Future {
    fn written(seat: &Seat, space: SpaceId, grant: node_feed::GrantId) -> Self {
        let (mut feed, open) = seat.feed(space, grant).expect("a feed");
        let id = |name: u8| DocumentId::new(seat.hub(), Writers::Members, [name; 15]);
        let mut documents = [1, 2, 3].map(|name| Document::new(id(name)));
        let payload = |text: &str| [[9; 16].as_slice(), text.as_bytes()].concat();
        let later = Kind(LATER_KIND);
        // Written by whoever is neither the owner alone nor all members, which no version knows.
        let mut about = *id(4).subject().as_bytes();
        about[8] = 3;
        let about = Subject::from_bytes(about);
        let practice = [("@kind", "practice"), ("title", "Known to all")];
        let timetable = [("@kind", "timetable"), ("title", "A timetable of 2031")];
        let mut written = vec![
            entry(later, Subject::NONE, payload("about nothing")),
            entry(
                later,
                documents[0].id().subject(),
                payload("about a record"),
            ),
            changes(&feed, seat, &mut documents[0], &practice, false),
            changes(&feed, seat, &mut documents[1], &timetable, false),
            changes(&feed, seat, &mut documents[2], &[("title", "x")], true),
        ];
        written.push(Entry {
            subject: about,
            ..changes(&feed, seat, &mut Document::new(id(4)), &practice, false)
        });
        written.push(entry(later, documents[0].id().subject(), payload("again")));
        let mut runs = vec![open];
        runs.push(feed.sign(written).expect("a run"));
        Self {
            feed,
            runs,
            known: documents[0].id().to_string(),
            kind_of_later: documents[1].id().to_string(),
        }
    }
}

/// Two hubs of this version, and a seat in the place of a hub of the next one, in one project.
async fn beside_the_next_version() -> (World, SpaceId, Seat, Future) {
    let mut world = World::new().await;
    for hub in [SOUTH, WEST] {
        world.add_hub(hub).await;
    }
    let (space, _) = world.project("NCP24-11", &[SOUTH, WEST]).await;
    let seat = Seat::take(world.invite(NORTH)).await.expect("connected");
    let operations = world.coordinator().operations();
    let granted = operations.grant(space, NORTH, Access::Write);
    granted.expect("access");
    let authority = operations.node().authority();
    let grant = authority.write_grant(seat.hub(), space).expect("a grant");
    let future = Future::written(&seat, space, grant);
    (world, space, seat, future)
}

fn coordinator(world: &World) -> &Node {
    world.coordinator().operations().node()
}

/// Waits until a node holds all that the seat wrote, and has looked at it.
async fn arrives(node: &Node, space: SpaceId, future: &Future) {
    let name = node_feed::FeedName::from_bytes(*future.feed.key.public().as_bytes());
    until("what the next version wrote arrives", || {
        let heights = node.heights(space).expect("heights");
        heights.get(&name) == future.feed.tip()
    })
    .await;
    node.catch_up().expect("lists");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_next_version_says_and_writes_is_carried_and_set_aside_and_holds_nothing_up() {
    let (mut world, space, seat, future) = beside_the_next_version().await;
    let log = SpaceId::authority(seat.network());
    let authority = coordinator(&world).heights(log).expect("heights");
    // It offers a higher version beside ours, and every frame has fields that are not known.
    let mut peer = seat.open_newer(&authority).await.expect("a session");
    peer.say_unknown().expect("a frame");
    for run in &future.runs {
        peer.send(space, run).expect("sent");
    }
    peer.say_unknown().expect("a frame");
    // Hello, two kinds of frame that nobody knows, and two with entries.
    let counted = peer.acknowledged(4).await;
    counted.expect("what is not known counts all the same");

    let writer = *future.feed.key.public().as_bytes();
    for node in [coordinator(&world), world.hub(SOUTH), world.hub(WEST)] {
        arrives(node, space, &future).await;
        let aside = set_aside(node);
        let count = |says: &str| aside.iter().filter(|it| it.contains(says)).count();
        assert_eq!(count("kind 77"), 3, "{aside:#?}");
        assert_eq!(count("packed in a way"), 1, "{aside:#?}");
        assert_eq!(count("about something"), 1, "{aside:#?}");
        assert_eq!(aside.len(), 5, "{aside:#?}");
        assert_eq!(title(node, &future.known), "Known to all");
        let later = node.show_record(&future.kind_of_later).expect("shown");
        assert_eq!(later.fields["unknown"]["title"], "A timetable of 2031");
    }
    // Byte for byte, on each of them.
    let sent = &future.runs[1];
    let held = entries_of(&world.path(WEST), space, &writer);
    assert_eq!(held.len(), 8);
    for ((row, entry), number) in held.iter().skip(1).zip(&sent.entries).zip(1..) {
        assert_eq!((row.0, row.2), (number, i64::from(entry.kind.0)));
        assert_eq!(row.3, entry.subject.as_bytes());
        assert_eq!(row.5.as_deref(), entry.payload.bytes().map(|it| &it[..]));
    }
    for name in ["coordinator", SOUTH] {
        assert_eq!(entries_of(&world.path(name), space, &writer), held);
    }

    // A refusal and an end for reasons that are not known end nothing else.
    let tip = coordinator(&world).heights(space).expect("heights");
    let (feed, height) = tip.iter().next().expect("a feed");
    let copy = Bytes::copy_from_slice;
    let refused = Refused {
        space: copy(space.as_bytes()),
        feed: copy(feed.as_bytes()),
        number: height.number,
        hash: copy(height.hash.as_bytes()),
        reason: 99,
        retry: true,
        version: "causeway 9.0".to_owned(),
        text: "a reason of 2031".to_owned(),
    };
    peer.say(Message::Refused(refused)).expect("said");
    let farewell = Goodbye {
        reason: 99,
        text: "an end of 2031".to_owned(),
    };
    peer.say(Message::Goodbye(farewell)).expect("said");
    until("the session has ended", || {
        !coordinator(&world).peers_connected().contains(&seat.node())
    })
    .await;

    // All goes on, for them and for whoever comes later.
    titled(
        world.hub(SOUTH),
        &future.known,
        "Changed by an older version",
    );
    make(world.hub(WEST), space, "Number talks");
    world.agree(space).await;
    world.add_hub(EAST).await;
    let operations = world.coordinator().operations();
    let granted = operations.grant(space, EAST, Access::Write);
    granted.expect("access");
    arrives(world.hub(EAST), space, &future).await;
    world.agree(space).await;
    let east = world.hub(EAST);
    assert_eq!(set_aside(east), set_aside(world.hub(SOUTH)));
    assert_eq!(title(east, &future.known), "Changed by an older version");
    assert_eq!(entries_of(&world.path(EAST), space, &writer), held);
    let verified = east.verify(|_| true);
    verified.expect("a store with what is not known is whole");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fact_of_a_newer_version_has_no_effect_and_those_after_it_have() {
    let mut world = World::new().await;
    world.add_hub(SOUTH).await;
    let operations = world.coordinator().operations();
    let log = SpaceId::authority(coordinator(&world).network().expect("a network"));
    let fact = Fact::Unknown(LATER_FACT);
    operations.authority().write(&[fact]).expect("written");
    let (space, _) = world.project("NCP24-11", &[SOUTH]).await;
    for node in [coordinator(&world), world.hub(SOUTH)] {
        node.catch_up().expect("lists");
        let aside = set_aside(node);
        assert_eq!(aside.len(), 1, "{aside:?}");
        assert!(aside[0].contains("fact 99"), "{aside:?}");
    }
    make(world.hub(SOUTH), space, "Written under a later grant");
    world.agree(space).await;
    let heights = |node: &Node| node.heights(log).expect("heights");
    assert_eq!(heights(world.hub(SOUTH)), heights(coordinator(&world)));
}

/// A hub that stands still, with a record that was changed after its lists were last saved.
async fn standing() -> (World, SpaceId, String, Vec<u8>) {
    let mut world = World::new().await;
    world.add_hub(SOUTH).await;
    let (space, _) = world.project("NCP24-11", &[SOUTH]).await;
    let id = make(world.hub(SOUTH), space, "As it was");
    // Often enough for its state to be saved.
    for round in 0..80 {
        titled(world.hub(SOUTH), &id, &format!("As it was, {round}"));
    }
    world.hub(SOUTH).catch_up().expect("lists");
    world.stop_hub(SOUTH).await;
    let state = state_of(&world.path(SOUTH), &id);
    world.start_hub(SOUTH);
    for round in 0..80 {
        titled(world.hub(SOUTH), &id, &format!("As it is, {round}"));
    }
    world.hub(SOUTH).catch_up().expect("lists");
    world.agree(space).await;
    world.stop_hub(SOUTH).await;
    (world, space, id, state)
}

fn lists(folder: &Path) -> Connection {
    Connection::open(folder.join("projections.db")).expect("the lists")
}

fn subject(id: &str) -> Vec<u8> {
    let id = id.parse::<DocumentId>().expect("an id");
    id.subject().as_bytes().to_vec()
}

fn state_of(folder: &Path, id: &str) -> Vec<u8> {
    let sql = "SELECT bytes FROM snapshots WHERE subject = ?1";
    let state = lists(folder).query_row(sql, [subject(id)], |row| row.get(0));
    state.expect("its state is saved")
}

/// Makes the lists what a program would have left that did not understand the last 80 changes of a
/// record: its state is the one before them, they are set aside, and its line is older.
fn as_an_older_program_left_it(folder: &Path, space: SpaceId, id: &str, state: &[u8]) {
    let lists = lists(folder);
    let subject = subject(id);
    let changed = lists.execute(
        "UPDATE snapshots SET bytes = ?2, arrival = (SELECT arrival FROM reflects) WHERE subject = ?1",
        (&subject, state),
    );
    assert_eq!(changed.expect("the state"), 1);
    let store = Connection::open(folder.join("store.db")).expect("the store");
    let last = store.query_row(
        "SELECT f.name, e.number, e.hash FROM entries e JOIN feeds f ON f.id = e.feed
         JOIN subjects s ON s.id = e.subject WHERE s.subject = ?1 ORDER BY arrival DESC LIMIT 1",
        [&subject],
        |row| {
            Ok((
                row.get::<_, Vec<u8>>(0)?,
                row.get::<_, i64>(1)?,
                row.get::<_, Vec<u8>>(2)?,
            ))
        },
    );
    let (feed, number, hash) = last.expect("its last entry");
    lists
        .execute(
            "INSERT INTO set_aside (space, subject, feed, number, hash, reason, alone)
             VALUES (?1, ?2, ?3, ?4, ?5, 'the change is packed in a way that is not allowed', 0)",
            (space.as_bytes(), &subject, feed, number, hash),
        )
        .expect("a verdict");
    let line = lists.execute(
        "UPDATE records SET title = 'As it was' WHERE subject = ?1",
        [&subject],
    );
    assert_eq!(line.expect("the line"), 1);
}

fn judged_by(folder: &Path, program: &str) {
    let changed = lists(folder).execute("UPDATE judged SET program = ?1", [program]);
    assert_eq!(changed.expect("the mark"), 1);
}

fn listed(node: &Node, space: SpaceId) -> Vec<String> {
    let listed = node.list_records("practice", &space.to_string());
    let listed = listed.expect("a list").into_iter();
    listed.map(|record| record.title).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_older_program_set_aside_is_taken_up_after_its_upgrade() {
    let (mut world, space, id, state) = standing().await;
    let folder = world.path(SOUTH);
    as_an_older_program_left_it(&folder, space, &id, &state);
    // By the same program it is not judged again at every start.
    world.start_hub(SOUTH);
    assert_eq!(set_aside(world.hub(SOUTH)).len(), 1);
    let before = title(world.hub(SOUTH), &id).to_string();
    assert!(before.contains("As it was"), "{before}");
    world.stop_hub(SOUTH).await;

    judged_by(&folder, "0.0.9");
    world.start_hub(SOUTH);
    let south = world.hub(SOUTH);
    assert_eq!(set_aside(south), [""; 0]);
    assert_eq!(title(south, &id), "As it is, 79");
    assert_eq!(listed(south, space), ["As it is, 79"]);
    world.agree(space).await;
    world.stop_hub(SOUTH).await;
    let by = lists(&folder).query_row("SELECT program FROM judged", [], |row| {
        row.get::<_, String>(0)
    });
    assert_eq!(by.expect("the mark"), tests::release::VERSION);
}

#[tokio::test(flavor = "multi_thread")]
async fn entries_of_a_kind_that_was_not_known_are_taken_up_after_the_upgrade() {
    let (mut world, space, id, _) = standing().await;
    let folder = world.path(SOUTH);
    // As a program would leave it that knew no changes at all.
    let lists = lists(&folder);
    for table in ["snapshots", "records", "cells"] {
        let gone = lists.execute(&format!("DELETE FROM {table}"), []);
        assert!(gone.expect("rows go") > 0, "{table}");
    }
    let set = lists.execute(
        "INSERT INTO set_aside (space, subject, feed, number, hash, reason, alone)
         VALUES (?1, ?2, zeroblob(32), 1, zeroblob(32), 'of a kind that only newer versions know', 1)",
        (space.as_bytes(), subject(&id)),
    );
    assert_eq!(set.expect("a verdict"), 1);
    drop(lists);
    world.start_hub(SOUTH);
    world.hub(SOUTH).catch_up().expect("lists");
    assert_eq!(listed(world.hub(SOUTH), space), [""; 0], "not by itself");
    world.stop_hub(SOUTH).await;
    judged_by(&folder, "0.0.9");
    world.start_hub(SOUTH);
    let south = world.hub(SOUTH);
    south.catch_up().expect("lists");
    assert_eq!(set_aside(south), [""; 0]);
    assert_eq!(listed(south, space), ["As it is, 79"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_are_made_by_the_declarations_of_the_new_version() {
    let (mut world, space, id, _) = standing().await;
    let folder = world.path(SOUTH);
    let change = |declarations: Option<&str>| {
        let lists = lists(&folder);
        let sql = "UPDATE records SET title = 'As the older version lists it' WHERE subject = ?1";
        assert_eq!(lists.execute(sql, [subject(&id)]).expect("the line"), 1);
        if let Some(declarations) = declarations {
            let sql = "UPDATE judged SET declarations = ?1";
            assert_eq!(lists.execute(sql, [declarations]).expect("the mark"), 1);
        }
    };
    change(None);
    world.start_hub(SOUTH);
    assert_eq!(
        listed(world.hub(SOUTH), space),
        ["As the older version lists it"],
        "nothing is made anew without cause"
    );
    world.stop_hub(SOUTH).await;
    change(Some("those of an older version"));
    world.start_hub(SOUTH);
    world.hub(SOUTH).catch_up().expect("lists");
    assert_eq!(listed(world.hub(SOUTH), space), ["As it is, 79"]);
}
