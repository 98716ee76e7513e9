//! What the coordinator's operator sees and does, and what holds for every kind of record:
//! scenarios C1 to C9, W1 and X1 to X9.

use std::path::Path;
use std::time::Duration;

use automerge::transaction::Transactable;
use automerge::{ActorId, AutoCommit, ROOT};
use bytes::Bytes;
use coordinator::operations::{ChosenEnd, Health, NodeHealth};
use node::Node;
use node::clock::now_ms;
use node::enrolment::{Invitation, OneTimeCode, enrol};
use node::restore::Restore;
use node_document::{Author, Document, EditError, Value};
use node_feed::{
    Access, Changes, DocumentId, Entry, Hash, Heights, Kind, Nonce, Proof, RefusalReason, Run,
    SecretKey, Signature, SpaceId, SpaceKind, Tag, Writers,
};
use node_sync::Goodbye;
use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};
use serde_json::{Value as Json, json};
use tests::bare_peer::{BareFeed, Seat};
use tests::folders::{copy, put_back};
use tests::relay::Relay;
use tests::world::{World, until};

const SOUTH: &str = "south-yorkshire";
const WEST: &str = "west-yorkshire";
const NORTH: &str = "north-east";
const DAY: Duration = Duration::from_secs(86_400);

/// A coordinator and these hubs, sharing a project.
async fn world_of(hubs: &[&'static str]) -> (World, SpaceId, String) {
    let mut world = World::new().await;
    for hub in hubs {
        world.add_node(hub, hub, None).await;
    }
    let (space, project) = world.project("NCP24-11", hubs).await;
    (world, space, project)
}

fn coordinator(world: &World) -> &Node {
    world.coordinator().operations().node()
}

fn make(node: &Node, kind: &str, space: SpaceId, fields: &Json) -> String {
    let made = node.create_record(kind, &space.to_string(), &fields.to_string());
    made.expect("a record is saved").id.to_string()
}

fn practice(node: &Node, space: SpaceId, title: &str) -> String {
    make(node, "practice", space, &json!({ "title": title }))
}

fn edit(node: &Node, record: &str, changes: &Json) {
    node.edit_record(record, "", &changes.to_string())
        .expect("an edit is saved");
}

fn titles(node: &Node, space: SpaceId) -> Vec<String> {
    let listed = node.list_records("practice", &space.to_string());
    let listed = listed.expect("practices are listed").into_iter();
    listed.map(|record| record.title).collect()
}

fn health(world: &World) -> Health {
    let health = world.coordinator().operations().health(2 * DAY);
    health.expect("how the network stands")
}

fn node_health(world: &World, seat: &Seat) -> NodeHealth {
    let health = health(world);
    health
        .node(&seat.node())
        .expect("the node is known")
        .clone()
}

fn says(lines: &[String], words: &str) -> bool {
    lines.iter().any(|line| line.contains(words))
}

/// The authority log as the coordinator holds it.
fn authority_heights(world: &World) -> Heights {
    let node = coordinator(world);
    let network = node.network().expect("a network");
    let heights = node.heights(SpaceId::authority(network));
    heights.expect("heights are read")
}

/// The space that a hub shares with the coordinator alone.
fn pair_of(world: &World, node: &Node) -> SpaceId {
    let authority = coordinator(world).authority();
    let hub = node.hub().expect("it is connected");
    let spaces = authority.spaces().iter();
    let mut pairs = spaces.filter(|(space, record)| {
        record.kind == SpaceKind::Pair && authority.access(hub, **space).is_some()
    });
    *pairs.next().expect("every hub has one").0
}

/// An entry that makes a practice, as `feed` writes it.
fn practice_by(
    seat: &Seat,
    feed: &BareFeed,
    name: u8,
    title: &str,
    time_ms: u64,
) -> (DocumentId, Entry) {
    let id = DocumentId::new(seat.hub(), Writers::Members, [name; 15]);
    let author = Author {
        writer: *feed.key.public().as_bytes(),
        hub: seat.hub(),
        nonce: Nonce([name; 16]),
    };
    let edited = Document::new(id).edit(None, &author, time_ms, |edit| {
        edit.put(&["@kind"], &Value::from("practice"))?;
        edit.put(&["title"], &Value::from(title))?;
        Ok::<_, EditError>(())
    });
    let changes = edited.expect("changes").changes(Nonce(node::random()));
    (id, entry(id, changes.encode(), time_ms))
}

fn entry(id: DocumentId, payload: Bytes, time_ms: u64) -> Entry {
    Entry {
        time_ms,
        kind: Kind::CHANGES,
        subject: id.subject(),
        payload,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn c1_an_invitation_that_admits_at_once_connects_and_a_bad_code_leaves_only_a_line() {
    let world = World::new().await;
    let operations = world.coordinator().operations();
    let invitation = world.invite(SOUTH);
    let node = Node::create(&world.path(SOUTH)).expect("a node");
    let enrolled = enrol(&invitation, node.identity(), now_ms()).await;
    let enrolled = enrolled.expect("connected");
    node.join(&invitation, &enrolled).expect("it is kept");
    let nodes = operations.nodes();
    assert_eq!(nodes.len(), 1);
    assert_eq!(nodes[0].check_number, "", "nobody compared one");
    assert_eq!(node.check_number(), None);

    let hub = invitation.hub;
    let length = coordinator(&world).authority().length();
    let expired = OneTimeCode::generate().expect("random bytes");
    let registry = operations.registry();
    let made = registry.invite(hub, expired.as_bytes(), now_ms() - 1, now_ms() - 1_000);
    made.expect("an invitation whose time is over");
    let wrong = OneTimeCode::generate().expect("random bytes");
    let with = |code| Invitation {
        code,
        ..invitation.clone()
    };
    let cases = [
        (with(wrong), "not known"),
        (invitation.clone(), "used already"),
        (with(expired), "expired"),
    ];
    for (invitation, words) in cases {
        let stranger = SecretKey::from_seed(&node::random::<32>());
        let refused = enrol(&invitation, &stranger, now_ms()).await;
        let refused = refused.expect_err("it is refused").to_string();
        assert!(refused.contains(words), "{refused}");
        let line = registry.audit(1).expect("audit lines").remove(0);
        assert_eq!(line.event.name(), "code refused");
        assert!(line.reason.contains(words), "{}", line.reason);
        assert!(refused.contains(&line.reason), "both sides read the same");
    }
    assert_eq!(coordinator(&world).authority().length(), length);
    assert_eq!(operations.nodes(), nodes);
    assert_eq!(registry.certificates(hub).expect("read").len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn c2_health_names_the_silent_and_the_gap_heals() {
    let (mut world, space, _) = world_of(&[SOUTH, WEST]).await;
    world.agree(space).await;
    world.stop_hub(WEST).await;
    practice(world.hub(SOUTH), space, "One that waits");
    let seat = Seat::take(world.invite(NORTH)).await.expect("connected");
    let operations = world.coordinator().operations();
    operations
        .grant(space, NORTH, Access::Write)
        .expect("access");
    until("the coordinator has what waits", || {
        titles(coordinator(&world), space).len() == 1
    })
    .await;

    // A node that sends number 5 and 6, and not 3 and 4.
    let grant = coordinator(&world)
        .authority()
        .write_grant(seat.hub(), space);
    let (mut feed, open) = seat.feed(space, grant.expect("a grant")).expect("a feed");
    let authority = authority_heights(&world);
    let mut peer = seat.open(&authority).await.expect("a session");
    let mut runs = Vec::new();
    for name in 1..=6 {
        let (_, entry) = practice_by(&seat, &feed, name, &format!("North {name}"), now_ms());
        runs.push(feed.sign(vec![entry]).expect("signed"));
    }
    peer.send(space, &open).expect("sent");
    for run in &runs[..2] {
        peer.send(space, run).expect("sent");
    }
    let refused = peer.refused(space, &runs[4]).await.expect("refused");
    assert_eq!(
        (refused.reason, refused.retry),
        (RefusalReason::Gap as i32, true)
    );

    let later = now_ms() + 172_860_000;
    let board = || {
        let operations = world.coordinator().operations();
        operations.health_at(later, 2 * DAY).expect("health")
    };
    let seen = board();
    let west = &seen.hubs[0];
    assert_eq!(west.code, WEST, "the silent one is first");
    assert!(west.silent && west.waiting > 0 && west.nodes[0].holds > 0);
    assert!(
        says(&west.why, "nothing was heard of it for 2 days"),
        "{:?}",
        west.why
    );
    assert!(says(&west.why, "wait"), "{:?}", west.why);
    assert_eq!(seen.hubs.iter().filter(|hub| hub.silent).count(), 1);
    let north = seen.hub(NORTH).expect("listed");
    let gap = &north.nodes[0].gaps[0];
    assert_eq!((gap.from, gap.to), (3, 4));
    assert!(
        says(&north.why, "entries 3 to 4 are missing here"),
        "{:?}",
        north.why
    );
    let text = seen.text();
    assert!(
        text.contains("SILENT") && text.contains("missing here"),
        "{text}"
    );

    for run in &runs[2..] {
        peer.send(space, run).expect("sent");
    }
    until("the gap is closed", || {
        let north = board().hub(NORTH).expect("listed").clone();
        north.nodes[0].gaps.is_empty() && north.why.is_empty()
    })
    .await;
    assert_eq!(titles(coordinator(&world), space).len(), 7);

    // A restart forgets neither when a node was here nor what it held.
    let before = health(&world).hub(WEST).expect("listed").clone();
    drop(peer);
    world.stop_coordinator().await;
    world.start_coordinator().await;
    let after = health(&world).hub(WEST).expect("listed").clone();
    assert_eq!(after.last_seen_ms, before.last_seen_ms);
    assert!(after.last_seen_ms.is_some());
    assert_eq!(after.nodes[0].holds, before.nodes[0].holds);
    world.start_hub(WEST);
    world.agree(space).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn c4_a_bad_peer_is_refused_with_a_reason_and_slows_nobody() {
    let (mut world, space, _) = world_of(&[SOUTH, WEST]).await;
    let seat = Seat::take(world.invite(NORTH)).await.expect("connected");
    let operations = world.coordinator().operations();
    operations
        .grant(space, NORTH, Access::Write)
        .expect("access");
    let readable = operations
        .create_space(SpaceKind::Forum, "To read alone")
        .expect("a space");
    operations
        .grant(readable, NORTH, Access::Read)
        .expect("access");
    let known = coordinator(&world).authority();
    let grant = known.write_grant(seat.hub(), space).expect("a grant");
    let authority = authority_heights(&world);
    let mut peer = seat.open(&authority).await.expect("a session");

    // Where it may not write, and where it may not even read.
    let private = pair_of(&world, world.hub(SOUTH));
    for (where_to, reason) in [
        (readable, RefusalReason::Grant),
        (private, RefusalReason::GrantUnknown),
    ] {
        let (_, open) = seat.feed(where_to, grant).expect("a feed");
        let refused = peer.refused(where_to, &open).await.expect("refused");
        assert_eq!(refused.reason, reason as i32);
        assert!(!refused.text.is_empty());
    }

    // A clock three days ahead: carried, and nothing is ordered by it.
    let (mut feed, open) = seat.feed(space, grant).expect("a feed");
    peer.send(space, &open).expect("sent");
    let ahead = now_ms() + 3 * 86_400_000 + 60_000;
    let (dated, from_the_future) = practice_by(&seat, &feed, 1, "From the future", ahead);
    let run = feed.sign(vec![from_the_future]).expect("signed");
    peer.send(space, &run).expect("sent");
    let dated = dated.to_string();
    let south = world.hub(SOUTH);
    until("it is carried", || south.show_record(&dated).is_ok()).await;
    edit(south, &dated, &json!({ "title": "Edited today" }));

    // A record of a kind that has no place in a project, and more steps than a change may hold.
    let stray = DocumentId::new(seat.hub(), Writers::Members, [2; 15]);
    let author = Author {
        writer: *feed.key.public().as_bytes(),
        hub: seat.hub(),
        nonce: Nonce([2; 16]),
    };
    let edited = Document::new(stray).edit(None, &author, now_ms(), |edit| {
        edit.put(&["@kind"], &Value::from("work-group"))?;
        edit.put(&["notes"], &Value::from("Somebody's private words"))?;
        Ok::<_, EditError>(())
    });
    let payload = edited.expect("changes").changes(Nonce([2; 16])).encode();
    let stray_entry = entry(stray, payload, ahead);
    let (flood, flood_entry) = flood_by(&seat, &feed, ahead);
    let run = feed.sign(vec![stray_entry, flood_entry]).expect("signed");
    peer.send(space, &run).expect("sent");

    // Signatures that do not hold: the third ends the session.
    let (_, honest) = seat.feed(space, grant).expect("a feed");
    let forged = Run {
        proof: Proof::Signature(Signature([7; 64])),
        ..honest
    };
    for _ in 0..2 {
        let refused = peer.refused(space, &forged).await.expect("refused");
        assert_eq!(refused.reason, RefusalReason::Forged as i32);
        assert!(refused.text.contains("signature"), "{}", refused.text);
    }
    peer.send(space, &forged).expect("sent");
    let farewell = peer.farewell().await.expect("a sentence");
    assert!(!farewell.is_empty());

    // The others go on, and see nothing of what does not belong there.
    practice(world.hub(WEST), space, "Work goes on");
    world.agree(space).await;
    for node in [world.hub(SOUTH), world.hub(WEST), coordinator(&world)] {
        assert_eq!(titles(node, space), ["Edited today", "Work goes on"]);
        for id in [stray, flood] {
            assert!(node.show_record(&id.to_string()).is_err());
        }
        assert_eq!(node.list_versions(&dated).expect("versions"), json!([]));
    }
    let status = world.hub(SOUTH).status().expect("a status");
    assert!(
        status["set_aside"].to_string().contains("steps"),
        "{status}"
    );
    let bad = node_health(&world, &seat);
    for words in [
        "its access does not allow writing",
        "it has no access",
        "a signature or checksum in it does not hold",
        "its clock is 3 days fast",
        "set aside",
    ] {
        assert!(says(&bad.why, words), "\"{words}\" in {:#?}", bad.why);
    }
    let healthy = health(&world);
    for hub in [SOUTH, WEST] {
        assert_eq!(healthy.hub(hub).expect("listed").why, [""; 0]);
    }
    until("each refusal leaves a line", || {
        let lines = world.coordinator().operations().registry().audit(50);
        let lines = lines.expect("audit lines");
        let refused = lines
            .iter()
            .filter(|line| line.event.name() == "entry refused");
        refused.filter(|line| line.hub == Some(seat.hub())).count() >= 3
    })
    .await;

    // A frame that cannot be read ends its session, and that is said at both ends.
    let mut peer = seat.open(&authority).await.expect("it may come back");
    peer.send_malformed().expect("sent");
    let told = peer.farewell().await.expect("a sentence");
    assert!(told.contains("cannot be read"), "{told}");
    let bad = node_health(&world, &seat);
    assert!(says(&bad.why, "cannot be read"), "{:#?}", bad.why);

    // One action suspends it, also across a restart, and one lets it in again.
    let mut peer = seat.open(&authority).await.expect("it may come back");
    let operations = world.coordinator().operations();
    operations
        .suspend(NORTH, "it sends what it should not")
        .expect("suspended");
    let told = peer.farewell().await.expect("a sentence");
    assert!(told.contains("it sends what it should not"), "{told}");
    world.stop_coordinator().await;
    world.start_coordinator().await;
    let refused = seat.open(&authority).await.expect_err("refused");
    assert!(
        refused.to_string().contains("it sends what it should not"),
        "{refused}"
    );
    assert_eq!(
        health(&world).hub(NORTH).expect("listed").state,
        "suspended"
    );
    let operations = world.coordinator().operations();
    operations.resume(NORTH).expect("let in again");
    operations.resume(NORTH).expect_err("it is not suspended");
    seat.open(&authority).await.expect("a session again");
}

/// A change with more steps than one may hold: well-formed, and small by run-length coding.
fn flood_by(seat: &Seat, feed: &BareFeed, time_ms: u64) -> (DocumentId, Entry) {
    let id = DocumentId::new(seat.hub(), Writers::Members, [3; 15]);
    let (writer, nonce) = (feed.key.public(), Nonce([3; 16]));
    let actor = Hash::of(Tag::Actor, &[writer.as_bytes(), id.as_bytes(), &nonce.0]);
    let mut document = AutoCommit::new().with_actor(ActorId::from(&actor.as_bytes()[..16]));
    for step in 0..100_001 {
        document.put(ROOT, "title", step % 2).expect("a step");
    }
    document.commit();
    let change = document.get_last_local_change().expect("a change");
    let chunk = Bytes::copy_from_slice(change.raw_bytes());
    let changes = Changes {
        random: Nonce([4; 16]),
        nonce,
        chunks: vec![chunk],
    };
    let payload = changes.encode();
    Changes::decode(&payload).expect("carriage has nothing against it");
    (id, entry(id, payload, time_ms))
}

#[tokio::test(flavor = "multi_thread")]
async fn c5_hubs_work_on_without_the_coordinator() {
    let hubs = [SOUTH, WEST, NORTH];
    let (mut world, space, project) = world_of(&hubs).await;
    world.agree(space).await;
    world.stop_coordinator().await;
    for (number, hub) in hubs.into_iter().enumerate() {
        let node = world.hub(hub);
        let made = practice(node, space, &format!("By {hub}"));
        edit(node, &made, &json!({ "body": format!("Tried at {hub}.") }));
        edit(
            node,
            &project,
            &json!({ "question": format!("Question {number}?") }),
        );
        make(
            node,
            "person",
            own_space(node),
            &json!({ "name": "Ada Ford" }),
        );
        let marks = node.show_record(&made).expect("shown").marks;
        assert!(
            !marks.sent && marks.unsent > 0,
            "saved, and not called sent"
        );
    }
    world.start_coordinator().await;
    world.agree(space).await;
    let state = |node: &Node| {
        let spaces = node.spaces().expect("spaces are listed");
        let summary = spaces.into_iter().find(|summary| summary.id == space);
        let summary = summary.expect("it is shared");
        (summary.digest, summary.documents_digest, summary.entries)
    };
    let expected = state(coordinator(&world));
    for hub in hubs {
        assert_eq!(state(world.hub(hub)), expected, "{hub}");
        assert_eq!(titles(world.hub(hub), space).len(), 3);
        let versions = world.hub(hub).list_versions(&project).expect("versions");
        let asked = versions.as_array().into_iter().flatten();
        let mut asked = asked.filter(|open| open["field"] == "question");
        let asked = asked.next().expect("all three questions stand");
        assert_eq!(asked["versions"].as_array().map(Vec::len), Some(3));
    }
}

fn own_space(node: &Node) -> SpaceId {
    let spaces = node.spaces().expect("spaces are listed");
    let mut own = spaces.iter().filter(|space| space.kind == SpaceKind::Hub);
    own.next().expect("every hub has one").id
}

#[tokio::test(flavor = "multi_thread")]
async fn c9_a_revoked_node_counts_to_its_cut() {
    let mut world = World::new().await;
    for hub in [SOUTH, WEST] {
        world.add_node(hub, hub, None).await;
    }
    world.add_node("laptop", SOUTH, None).await;
    let (space, _) = world.project("NCP24-11", &[SOUTH, WEST]).await;
    let laptop = world.hub("laptop");
    until("the laptop may write", || {
        laptop
            .authority()
            .access(laptop.hub().expect("a hub"), space)
            .is_some()
    })
    .await;
    practice(laptop, space, "Before the theft");
    let private = make(
        laptop,
        "practice",
        own_space(laptop),
        &json!({ "title": "For us alone" }),
    );
    let writer = laptop.author(space).expect("it may write").writer;
    let tips = laptop.heights(space).expect("heights");
    let honest = tips.get(&node_feed::FeedName::from_bytes(writer));
    let honest = honest.expect("its feed").number;
    practice(laptop, space, "By the thief");
    practice(world.hub(SOUTH), space, "By its hub");
    world.agree(space).await;
    let stolen = laptop.id();

    let operations = world.coordinator().operations();
    let which = stolen.to_string();
    let ends = [ChosenEnd {
        space,
        writer,
        number: Some(honest),
        hash: None,
    }];
    let preview = operations
        .node_revocation(&which, &ends)
        .expect("a preview");
    assert_eq!((preview.others, preview.lost), (1, 1));
    assert!(
        operations.node_revocation(SOUTH, &[]).is_err(),
        "it has two nodes"
    );
    operations
        .revoke_node(&which, WEST, "stolen", &ends)
        .expect_err("another hub's code confirms nothing");
    let above = [ChosenEnd {
        number: Some(honest + 100),
        ..ends[0].clone()
    }];
    assert!(
        operations.node_revocation(&which, &above).is_err(),
        "only lower"
    );
    assert!(
        operations
            .node_revocation(&coordinator(&world).id().to_string(), &[])
            .is_err()
    );
    operations
        .revoke_node(&which, SOUTH, "the laptop was stolen", &ends)
        .expect("revoked");

    until("its session ends", || {
        !coordinator(&world).peers_connected().contains(&stolen)
    })
    .await;
    let expected = ["Before the theft", "By its hub"];
    for hub in [SOUTH, WEST] {
        until("what stands above the cut counts no more", || {
            titles(world.hub(hub), space) == expected
        })
        .await;
    }
    assert_eq!(titles(coordinator(&world), space), expected);
    // Whether it has heard of it yet or not, what it writes goes nowhere.
    let late = json!({ "title": "By the thief afterwards" }).to_string();
    let late = laptop.create_record("practice", &space.to_string(), &late);
    if let Err(refused) = late {
        assert!(
            refused
                .to_string()
                .contains("access of this node has ended"),
            "{refused}"
        );
    }
    until("the thief is told", || {
        let status = world.hub("laptop").status().expect("a status");
        status["trouble"].to_string().contains("not any more")
    })
    .await;
    assert!(
        laptop.show_record(&private).is_ok(),
        "the hub's own records are not touched"
    );
    practice(world.hub(SOUTH), space, "Its hub goes on");

    // One that joins later, and the restart of one that was there.
    world.add_node(NORTH, NORTH, None).await;
    let operations = world.coordinator().operations();
    operations
        .grant(space, NORTH, Access::Write)
        .expect("access");
    world.stop_hub(WEST).await;
    world.start_hub(WEST);
    let expected = ["Before the theft", "By its hub", "Its hub goes on"];
    for hub in [NORTH, SOUTH, WEST] {
        until("all come to the same", || {
            titles(world.hub(hub), space) == expected
        })
        .await;
    }
    let operations = world.coordinator().operations();
    let nodes = operations.nodes();
    let ended = nodes.iter().find(|node| node.node == stolen);
    assert!(ended.is_some_and(|node| node.revoked && !node.connected));
    let hub = ended.expect("listed").hub;
    let refused = operations
        .admit(hub, stolen)
        .expect_err("it never comes back");
    assert!(
        refused.to_string().contains("was revoked, for good"),
        "{refused}"
    );
    assert_eq!(health(&world).hub(SOUTH).expect("listed").nodes.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn w1_a_register_offline() {
    let mut world = World::new().await;
    let relay = Relay::start(world.coordinator_address()).await;
    let relay = relay.expect("a cable");
    world.add_node(SOUTH, SOUTH, Some(relay.address())).await;
    let south = world.hub(SOUTH);
    until("the hub knows its spaces", || {
        south.spaces().is_ok_and(|spaces| spaces.len() == 3)
    })
    .await;
    let pair = pair_of(&world, south);
    let group = make(south, "work-group", pair, &json!({ "title": "Ratio" }));
    let mut changes = vec![json!({
        "do": "add", "field": "sessions", "id": "s1", "values": { "date": "2027-01-12" },
    })];
    for member in 1..=15 {
        changes.push(json!({
            "do": "add", "field": "members", "id": format!("m{member}"),
            "values": { "organisation": format!("School {member}") },
        }));
    }
    edit(south, &group, &json!(changes));
    world.agree(pair).await;

    // How much a session takes in which one mark goes over: where to cut the next ones.
    south.pause(true);
    until("the session has ended", || {
        coordinator(&world).peers_connected().is_empty()
    })
    .await;
    let carried = relay.carried();
    edit(south, &group, &json!({ "title": "Ratio and proportion" }));
    south.pause(false);
    world.agree(pair).await;
    let whole = relay.carried() - carried;

    south.pause(true);
    until("the session has ended", || {
        coordinator(&world).peers_connected().is_empty()
    })
    .await;
    let mut marks = vec!["present"; 13];
    marks.extend(["absent", "substitute"]);
    for (index, mark) in marks.iter().enumerate() {
        edit(
            south,
            &group,
            &json!([{
                "do": "add", "field": "attendance",
                "values": { "session": "s1", "member": format!("m{}", index + 1), "mark": mark },
            }]),
        );
    }
    let attendance = |node: &Node| {
        let shown = node.show_record(&group).expect("the group is shown").fields;
        let lines = shown["attendance"].as_array().cloned().unwrap_or_default();
        lines
            .iter()
            .map(|line| format!("{} {}", line["member"], line["mark"]).replace('"', ""))
            .collect::<Vec<_>>()
    };
    let written = attendance(south);
    assert_eq!(written.len(), 15);
    assert_eq!(attendance(coordinator(&world)), [""; 0]);
    relay.cut_after(whole / 2);
    south.pause(false);
    for part in [whole * 3 / 4, u64::MAX / 2] {
        until("the connection drops", || relay.is_cut()).await;
        relay.cut_after(part);
        relay.mend();
    }
    world.agree(pair).await;
    assert!(!relay.is_cut());
    let arrived = attendance(coordinator(&world));
    assert_eq!(arrived, written, "all, once, and in order");
    let expected = marks.iter().enumerate();
    let expected = expected.map(|(index, mark)| format!("m{} {mark}", index + 1));
    assert_eq!(arrived, expected.collect::<Vec<_>>());
    let heights = |node: &Node| node.heights(pair).expect("heights");
    assert_eq!(heights(coordinator(&world)), heights(south));
    // The acknowledgement of the last entry comes a moment after both hold it.
    until("the marks say that all is sent", || {
        let marks = south.show_record(&group).expect("shown").marks;
        marks.sent && marks.unsent == 0
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn x1_any_order_same_state() {
    let seed = std::env::var("CAUSEWAY_SEED").ok();
    let seed = seed.and_then(|seed| seed.parse().ok());
    let seed = seed.unwrap_or_else(|| u64::from_le_bytes(node::random()));
    println!("CAUSEWAY_SEED={seed}");
    let mut dice = ChaCha8Rng::seed_from_u64(seed);
    let hubs = [SOUTH, WEST, NORTH];
    let (world, space, project) = world_of(&hubs).await;
    for round in 0..3 {
        for hub in hubs {
            world.hub(hub).pause(dice.next_u32() % 3 > 0);
        }
        for step in 0..9 {
            let hub = hubs[dice.next_u32() as usize % 3];
            let node = world.hub(hub);
            let change = match dice.next_u32() % 4 {
                0 => {
                    json!([{ "do": "set", "field": "question", "value": format!("{hub} {round} {step}?") }])
                }
                1 => {
                    json!([{ "do": "set", "field": "protocol", "value": format!("We meet {step} times. {hub} writes.") }])
                }
                2 => json!([{ "do": "include", "field": "agreed_fields", "element": "title" }]),
                _ => json!([{ "do": "exclude", "field": "agreed_fields", "element": "title" }]),
            };
            // A set that only its owner may fill is refused before anything is signed.
            let _saved_or_refused = node.edit_record(&project, "", &change.to_string());
            if dice.next_u32() % 3 == 0 {
                practice(node, space, &format!("Practice {round} {step} of {hub}"));
            }
        }
        let first = dice.next_u32() as usize % 3;
        for turn in 0..3 {
            world.hub(hubs[(first + turn) % 3]).pause(false);
        }
        world.agree(space).await;
        let shown = |node: &Node| node.show_record(&project).expect("shown").fields;
        for hub in hubs {
            assert_eq!(
                shown(world.hub(hub)),
                shown(coordinator(&world)),
                "seed {seed}"
            );
        }
    }
    for seed in (0..20).map(|_| dice.next_u32() % 1_000_000).map(u64::from) {
        let outcome = tests::simulation::World::new(seed, false).run();
        assert_eq!(outcome.broken, [""; 0], "seed {seed} of the simulation");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn x3_nothing_acknowledged_is_lost() {
    let (mut world, space, _) = world_of(&[SOUTH, WEST]).await;
    practice(world.hub(WEST), space, "Early");
    world.agree(space).await;
    let office = world.path("coordinator");
    world.stop_coordinator().await;
    copy(&office, &world.path("old-coordinator")).expect("it is copied");
    world.start_coordinator().await;
    practice(world.hub(WEST), space, "After the backup");
    world.agree(space).await;

    // South's machine loses its power right after the screen said "saved".
    let south = world.hub(SOUTH);
    south.pause(true);
    let saved = (0..5).map(|number| practice(south, space, &format!("Saved {number}")));
    let saved = saved.collect::<Vec<_>>();
    copy(&world.path(SOUTH), &world.path("after-the-power-cut")).expect("it is copied");
    world.stop_hub(SOUTH).await;
    put_back(&world.path("after-the-power-cut"), &world.path(SOUTH)).expect("it is put back");

    // And the coordinator's disk is replaced by an old backup.
    world.stop_coordinator().await;
    put_back(&world.path("old-coordinator"), &office).expect("it is put back");
    world.start_coordinator().await;
    world.start_hub(SOUTH);
    world.agree(space).await;
    for node in [world.hub(SOUTH), world.hub(WEST), coordinator(&world)] {
        assert_eq!(titles(node, space).len(), 7);
        for record in &saved {
            assert!(node.show_record(record).is_ok());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn x4_after_an_erasure_no_replica_holds_the_plain_value() {
    const PLANTED: &str = "Quillon Ashgrove-Planted";
    const CARD: &str = "Perpetua Thornbury-Planted";
    let (mut world, space, _) = world_of(&[SOUTH, WEST]).await;
    let south = world.hub(SOUTH);
    let shared = practice(south, space, PLANTED);
    let person = make(south, "person", own_space(south), &json!({ "name": CARD }));
    edit(
        south,
        &shared,
        &json!({ "body": format!("{PLANTED} tried this.") }),
    );
    world.agree(space).await;
    edit(
        world.hub(WEST),
        &shared,
        &json!({ "body": "Nobody is named here." }),
    );
    practice(world.hub(WEST), space, "Control");
    world.agree(space).await;
    let names = [SOUTH, WEST, "coordinator"];
    for name in names {
        assert!(
            holds(&world.path(name), PLANTED),
            "{name}: the search finds what is there"
        );
    }
    assert!(holds(&world.path(SOUTH), CARD));

    let refused = world.hub(WEST).erase(&[&shared]).expect_err("not its own");
    assert!(
        refused.to_string().contains("only that hub may erase it"),
        "{refused}"
    );
    assert_eq!(world.hub(SOUTH).erasure(&shared).expect("a title"), PLANTED);
    let south = world.hub(SOUTH);
    assert_eq!(south.erase(&[&shared, &person]).expect("erased"), 2);
    assert!(south.show_record(&shared).is_err() && south.show_record(&person).is_err());
    // Written by a hub that had not heard of it yet: it brings nothing back.
    let _late_or_refused = world
        .hub(WEST)
        .edit_record(&shared, "", r#"{"body": "Late"}"#);
    world.agree(space).await;
    for node in [world.hub(SOUTH), world.hub(WEST), coordinator(&world)] {
        until("it has left the lists", || {
            titles(node, space) == ["Control"]
        })
        .await;
        assert!(node.show_record(&shared).is_err());
    }
    let backup = world.path("fresh");
    std::fs::create_dir(&backup).expect("a folder");
    let south = world.hub(SOUTH);
    south
        .backup(&backup.join("backup.db"), &[])
        .expect("a backup");
    for hub in [SOUTH, WEST] {
        world.stop_hub(hub).await;
    }
    world.stop_coordinator().await;
    for name in names.into_iter().chain(["fresh"]) {
        let folder = world.path(name);
        for planted in [PLANTED, "Quillon", CARD, "Thornbury"] {
            assert!(!holds(&folder, planted), "{name} still holds \"{planted}\"");
        }
    }
    assert!(
        holds(&world.path("coordinator"), "Control"),
        "the search still works"
    );
}

/// Whether any file of a folder holds `text`, in its raw bytes or in what its tables hold once
/// documents are decoded.
fn holds(folder: &Path, text: &str) -> bool {
    let files = std::fs::read_dir(folder).expect("a folder");
    files
        .map(|entry| entry.expect("an entry").path())
        .any(|path| {
            let raw = std::fs::read(&path).unwrap_or_default();
            let is_store = path.extension().is_some_and(|extension| extension == "db");
            contains(&raw, text) || (is_store && decoded(&path).iter().any(|it| contains(it, text)))
        })
}

fn contains(bytes: &[u8], text: &str) -> bool {
    memchr::memmem::find(bytes, text.as_bytes()).is_some()
}

/// Every text and blob of a store's tables; of those that hold Automerge's chunks, also every
/// value that they ever held.
fn decoded(path: &Path) -> Vec<Vec<u8>> {
    let store = rusqlite::Connection::open(path).expect("the store opens");
    let tables = "SELECT name FROM sqlite_master WHERE type = 'table'";
    let mut tables = store.prepare(tables).expect("a statement");
    let tables = tables.query_map([], |row| row.get::<_, String>(0));
    let tables = tables.expect("tables").map(|name| name.expect("a name"));
    let mut found = Vec::new();
    for table in tables {
        let mut rows = store
            .prepare(&format!("SELECT * FROM \"{table}\""))
            .expect("a table");
        let width = rows.column_count();
        let mut rows = rows.query([]).expect("rows");
        while let Some(row) = rows.next().expect("a row") {
            for column in 0..width {
                use rusqlite::types::ValueRef;
                match row.get_ref(column).expect("a column") {
                    ValueRef::Text(bytes) | ValueRef::Blob(bytes) => {
                        found.push(bytes.to_vec());
                        found.extend(chunks(bytes));
                    }
                    ValueRef::Null | ValueRef::Integer(_) | ValueRef::Real(_) => {}
                }
            }
        }
    }
    found
}

/// The changes that are in `bytes`, uncompressed.
fn chunks(bytes: &[u8]) -> Vec<Vec<u8>> {
    let magic = [0x85, 0x6f, 0x4a, 0x83];
    let mut found = Vec::new();
    for at in memchr::memmem::find_iter(bytes, &magic) {
        if let Ok(mut document) = AutoCommit::load(&bytes[at..]) {
            let changes = document.get_changes(&[]);
            found.extend(changes.iter().map(|change| change.raw_bytes().to_vec()));
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn x7_a_restored_node_converges() {
    let (mut world, space, _) = world_of(&[SOUTH, WEST]).await;
    let south = world.hub(SOUTH);
    practice(south, space, "Before the backup");
    let erased = practice(south, space, "Perpetua Thornbury-Planted");
    let own = make(
        south,
        "practice",
        own_space(south),
        &json!({ "title": "For us alone" }),
    );
    world.agree(space).await;
    let backup = world.path("backup.db");
    south.backup(&backup, &[]).expect("a backup");
    practice(south, space, "After the backup");
    south.erase(&[&erased]).expect("erased");
    practice(world.hub(WEST), space, "By another hub");
    world.agree(space).await;
    let expected = ["After the backup", "Before the backup", "By another hub"];
    for time in ["once", "again"] {
        world.stop_hub(SOUTH).await;
        let mut restore = None;
        until("the folder is free and the backup whole", || {
            restore = Restore::prepare(&world.path(SOUTH), &backup, None).ok();
            restore.is_some()
        })
        .await;
        restore.expect("prepared").commit().expect("restored");
        world.start_hub(SOUTH);
        world.agree(space).await;
        for node in [world.hub(SOUTH), world.hub(WEST), coordinator(&world)] {
            until("all show the same", || titles(node, space) == expected).await;
            assert!(
                node.show_record(&erased).is_err(),
                "restored {time}, and still erased"
            );
        }
        let south = world.hub(SOUTH);
        assert!(south.show_record(&own).is_ok());
        let health = health(&world);
        assert_eq!(health.hub(SOUTH).expect("listed").nodes[0].gaps, []);
    }
    world.stop_hub(SOUTH).await;
    let store = world.path(SOUTH).join("store.db");
    let found = decoded(&store);
    assert!(!found.iter().any(|bytes| contains(bytes, "Thornbury")));
}

#[tokio::test(flavor = "multi_thread")]
async fn x9_every_refusal_has_a_reason() {
    // What carriage and sessions can answer.
    let reasons = (1..=u8::MAX).map_while(RefusalReason::from_number);
    let reasons = reasons.map(|reason| reason.to_string()).collect::<Vec<_>>();
    assert_eq!(reasons.len(), 10);
    let farewells = [
        Goodbye::Stopping,
        Goodbye::Version,
        Goodbye::Unproven,
        Goodbye::NotAdmitted,
        Goodbye::Replaced,
        Goodbye::Malformed,
        Goodbye::Budget,
        Goodbye::Storage,
        Goodbye::Other,
    ];
    let farewells = farewells.map(|reason| reason.sentence().to_owned());
    for sentence in reasons.iter().chain(&farewells) {
        let words = sentence.split_whitespace().count();
        assert!(words >= 5, "\"{sentence}\" tells nobody anything");
        assert!(
            !sentence.contains("::") && !sentence.contains("Error"),
            "{sentence}"
        );
    }

    // And what reaches the hub that was refused.
    let (world, space, _) = world_of(&[SOUTH]).await;
    let south = world.hub(SOUTH);
    let mine = practice(south, space, "Mine");
    world.agree(space).await;
    let operations = world.coordinator().operations();
    operations
        .suspend(SOUTH, "its clock must be set")
        .expect("suspended");
    until("the hub reads why", || {
        let status = south.status().expect("a status");
        status["trouble"]
            .to_string()
            .contains("its clock must be set")
    })
    .await;
    edit(south, &mine, &json!({ "body": "Written meanwhile." }));
    assert!(!south.show_record(&mine).expect("shown").marks.sent);
    let board = health(&world);
    let shown = board.hub(SOUTH).expect("listed");
    assert_eq!(shown.state, "suspended");
    assert!(says(&shown.why, "its clock must be set"), "{:?}", shown.why);
    operations.resume(SOUTH).expect("let in again");
    world.agree(space).await;
    until("what waited is sent", || {
        south.show_record(&mine).expect("shown").marks.sent
    })
    .await;

    let sentences = [
        operations.revoke("nobody", "").map(drop),
        operations.suspend("nobody", ""),
        operations.suspend("coordinator", ""),
        operations.resume(SOUTH),
        operations.node_revocation("nothing", &[]).map(drop),
        operations.revoke_node(SOUTH, "wrong", "", &[]).map(drop),
    ]
    .map(|refused| refused.expect_err("refused").to_string());
    for sentence in sentences {
        assert!(sentence.split_whitespace().count() >= 5, "{sentence}");
    }
}
