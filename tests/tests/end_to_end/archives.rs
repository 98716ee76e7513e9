//! The changes of old entries are taken out of the store, and nobody can tell.

use node::Node;
use node_feed::{Access, DocumentId, Kind, SpaceId};
use node_store::{ReadStore, Readers};
use serde_json::{Value, json};
use tests::world::{World, until};

const SOUTH: &str = "south-yorkshire";
const WEST: &str = "west-yorkshire";
/// Whatever was written until now is old.
const ALL: u64 = u64::MAX;

fn edit(node: &Node, id: &str, body: &str) {
    let edited = node.edit_record(id, "", &json!({ "body": body }).to_string());
    edited.expect("it is edited");
}

/// The south has written four practices in 60 changes, with a checkpoint.
async fn grown() -> (World, SpaceId, Vec<String>) {
    let mut world = World::new().await;
    world.add_hub(SOUTH).await;
    let (space, _) = world.project("NCP24-11", &[SOUTH]).await;
    let south = world.hub(SOUTH).clone();
    let made = (0..4).map(|number| {
        let fields = json!({ "title": format!("Practice {number}"), "body": "Ten minutes." });
        let made = south.create_record("practice", &space.to_string(), &fields.to_string());
        made.expect("it is made").id.to_string()
    });
    let ids = made.collect::<Vec<_>>();
    for round in 0..14 {
        for id in &ids {
            edit(&south, id, &format!("We met {round} times. It helps."));
        }
    }
    let written = south.write_checkpoint(space).expect("a checkpoint");
    assert!(written.is_some());
    world.agree(space).await;
    (world, space, ids)
}

/// What people see of records: their fields, and who wrote what when.
fn shown(node: &Node, ids: &[String]) -> Vec<(Value, Value)> {
    let shown = ids.iter().map(|id| {
        let fields = node.show_record(id).expect("it is shown").fields;
        let history = node.record_history(id, "").expect("its history");
        (fields, history)
    });
    shown.collect()
}

/// How many entries of changes of a space lack them, and how many documents have archives.
fn archived(world: &World, name: &str, space: SpaceId) -> (usize, usize) {
    let store = Readers::open(world.path(name).join("store.db")).expect("the store is read");
    let entries = store.arrivals_after(0, usize::MAX).expect("entries");
    let changes = entries
        .iter()
        .filter(|entry| entry.space == space && entry.kind == Kind::CHANGES);
    let lacking = changes.filter(|entry| entry.payload.bytes().is_none());
    let archives = store.archived_in(space).expect("archives");
    (lacking.count(), archives.len())
}

#[tokio::test(flavor = "multi_thread")]
async fn records_and_their_history_are_as_they_were() {
    let (mut world, space, ids) = grown().await;
    let before = shown(world.hub(SOUTH), &ids);
    let south = world.hub(SOUTH).clone();
    assert_eq!(south.archive_before(1, || false).expect("a look"), 0);
    assert_eq!(archived(&world, SOUTH, space), (0, 0), "nothing is so old");
    assert_eq!(south.archive_before(ALL, || true).expect("a look"), 0);
    assert!(south.archive_before(ALL, || false).expect("archived") > 0);
    assert_eq!(archived(&world, SOUTH, space), (60, 4));
    assert_eq!(south.archive_before(ALL, || false).expect("a look"), 0);
    assert_eq!(shown(&south, &ids), before);
    drop(south);

    // Nothing but what the store holds: saved states and lists are made anew.
    world.stop_hub(SOUTH).await;
    std::fs::remove_file(world.path(SOUTH).join("projections.db")).expect("it is there");
    world.start_hub(SOUTH);
    let south = world.hub(SOUTH).clone();
    until("the lists are there", || {
        let listed = south.list_records("practice", &space.to_string());
        listed.is_ok_and(|listed| listed.len() == 4)
    })
    .await;
    assert_eq!(shown(&south, &ids), before);

    // What is written on top is archived with it, once a checkpoint speaks for it.
    for round in 0..10 {
        edit(&south, &ids[0], &format!("Round {round}, a year later."));
    }
    let later = shown(&south, &ids);
    assert_eq!(south.archive_before(ALL, || false).expect("a look"), 0);
    let written = south.write_checkpoint(space).expect("a checkpoint");
    assert!(written.is_some());
    assert!(south.archive_before(ALL, || false).expect("archived") > 0);
    assert_eq!(archived(&world, SOUTH, space), (70, 4));
    assert_eq!(shown(&south, &ids), later);
    world.agree(space).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hub_that_takes_no_documents_is_sent_every_entry() {
    let (mut world, space, ids) = grown().await;
    let coordinator = world.coordinator().operations().node().clone();
    assert!(coordinator.archive_before(ALL, || false).expect("archived") > 0);
    drop(coordinator);
    assert_eq!(archived(&world, "coordinator", space), (60, 4));
    let before = shown(world.hub(SOUTH), &ids);
    // The coordinator alone can send it anything.
    world.stop_hub(SOUTH).await;
    let node = world.new_node(WEST);
    let settings = world.path(WEST).join("causeway.toml");
    let text = std::fs::read_to_string(&settings).expect("settings");
    std::fs::write(&settings, text + "first_copies = false\n").expect("settings");
    let invitation = world.invite(WEST);
    world.connect(&node, &invitation).await;
    drop(node);
    world.start_hub(WEST);
    let operations = world.coordinator().operations();
    operations.grant(space, WEST, Access::Write).expect("in");
    let west = world.hub(WEST).clone();
    until("the west has all of it", || {
        ids.iter().all(|id| west.show_record(id).is_ok()) && archived(&world, WEST, space) == (0, 0)
    })
    .await;
    world.agree(space).await;
    assert_eq!(shown(&west, &ids), before);
    let store = Readers::open(world.path(WEST).join("store.db")).expect("the store is read");
    assert!(store.bases(space, None, 1).expect("documents").is_empty());
    assert!(store.withheld(space).expect("a look").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_coordinator_that_lost_its_disk_gets_everything_back() {
    let (mut world, space, ids) = grown().await;
    let south = world.hub(SOUTH).clone();
    assert!(south.archive_before(ALL, || false).expect("archived") > 0);
    let before = shown(&south, &ids);
    world.lose_coordinator().await;
    world.agree(space).await;
    assert_eq!(archived(&world, "coordinator", space), (0, 0));
    let coordinator = world.coordinator().operations().node().clone();
    assert_eq!(shown(&coordinator, &ids), before);
    let store = Readers::open(world.path("coordinator").join("store.db"));
    let store = store.expect("the store is read");
    assert!(store.bases(space, None, 1).expect("documents").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_is_erased_is_in_no_archive() {
    let (world, space, ids) = grown().await;
    let south = world.hub(SOUTH).clone();
    let coordinator = world.coordinator().operations().node().clone();
    for node in [&south, &coordinator] {
        assert!(node.archive_before(ALL, || false).expect("archived") > 0);
    }
    south.erase(&[&ids[1]]).expect("erased");
    world.agree(space).await;
    for name in [SOUTH, "coordinator"] {
        assert_eq!(archived(&world, name, space), (60, 3), "{name}");
    }
    assert!(south.show_record(&ids[1]).is_err());
    // And what is left can still be proved, and read.
    until("nothing is lacking", || {
        let store = Readers::open(world.path("coordinator").join("store.db"));
        let store = store.expect("the store is read");
        store.withheld(space).expect("a look").is_empty()
    })
    .await;
    assert_eq!(shown(&coordinator, &ids[2..]), shown(&south, &ids[2..]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hub_that_leaves_keeps_what_it_wrote_and_no_archive_of_others() {
    let (mut world, space, ids) = grown().await;
    let south = world.hub(SOUTH).clone();
    world.add_hub(WEST).await;
    let operations = world.coordinator().operations();
    operations.grant(space, WEST, Access::Write).expect("in");
    world.agree(space).await;
    let west = world.hub(WEST).clone();
    until("the west has it", || west.show_record(&ids[0]).is_ok()).await;
    let fields = json!({ "title": "The west's own", "body": "Ours." }).to_string();
    let own = west.create_record("practice", &space.to_string(), &fields);
    let own = own.expect("it is made").id.to_string();
    for round in 0..20 {
        edit(&west, &own, &format!("Round {round}."));
    }
    west.write_checkpoint(space).expect("a checkpoint");
    // It wrote in one of the south's records, too.
    for round in 0..10 {
        edit(&west, &ids[1], &format!("The west met {round} times."));
    }
    world.agree(space).await;
    south.write_checkpoint(space).expect("a checkpoint");
    west.write_checkpoint(space).expect("a checkpoint");
    world.agree(space).await;
    assert!(west.archive_before(ALL, || false).expect("archived") > 0);
    let archives = archived(&world, WEST, space).1;
    assert!(
        archives > 1,
        "{archives}: others' records are archived as well"
    );
    let before = shown(&west, std::slice::from_ref(&own));
    world.agree(space).await;
    let operations = world.coordinator().operations();
    operations.withdraw(space, WEST, "it leaves").expect("out");
    let hub = west.hub().expect("connected");
    until("the west has heard of it", || {
        west.authority().access(hub, space).is_none()
    })
    .await;
    west.retain().expect("others' work is removed");
    assert_eq!(archived(&world, WEST, space).1, 1, "that of its own record");
    assert!(west.show_record(&ids[0]).is_err());
    assert_eq!(shown(&west, std::slice::from_ref(&own)), before);
    // It is let in again, and everybody has everything.
    assert_eq!(west.archive_before(ALL, || false).expect("a look"), 0);
    let operations = world.coordinator().operations();
    operations.grant(space, WEST, Access::Write).expect("in");
    until("the west has it again", || {
        west.show_record(&ids[1]).is_ok()
    })
    .await;
    world.agree(space).await;
    assert_eq!(shown(&west, &ids), shown(&south, &ids));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_settings_say_what_is_archived() {
    let (mut world, space, _) = grown().await;
    let settings = world.path(SOUTH).join("causeway.toml");
    let kept = format!("keep_changes = [\"{space}\"]");
    for said in ["archive = false", &kept, "archive_after_days = 1"] {
        world.stop_hub(SOUTH).await;
        std::fs::write(&settings, format!("[documents]\n{said}\n")).expect("settings");
        world.start_hub(SOUTH);
        let south = world.hub(SOUTH);
        assert_eq!(south.archive_daily(|| false).expect("a look"), 0, "{said}");
        assert_eq!(archived(&world, SOUTH, space), (0, 0), "{said}");
    }
    // Nothing is a day old; and of the day's look is remembered that it was taken.
    let south = world.hub(SOUTH);
    assert!(south.archive_before(ALL, || false).expect("archived") > 0);
    assert_eq!(archived(&world, SOUTH, space), (60, 4));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_damaged_archive_lacks_is_told_and_all_else_works() {
    let (mut world, space, ids) = grown().await;
    let south = world.hub(SOUTH).clone();
    assert!(south.archive_before(ALL, || false).expect("archived") > 0);
    let before = shown(&south, &ids[1..]);
    drop(south);
    world.stop_hub(SOUTH).await;
    let folder = world.path(SOUTH);
    std::fs::remove_file(folder.join("projections.db")).expect("it is there");
    let damaged = ids[0].parse::<DocumentId>().expect("an id").subject();
    let store = rusqlite::Connection::open(folder.join("store.db")).expect("the store");
    let of = "SELECT bytes FROM archives WHERE subject = ?1";
    let bytes = store.query_row(of, [damaged.as_bytes()], |row| row.get::<_, Vec<u8>>(0));
    let mut bytes = bytes.expect("an archive");
    bytes[200] ^= 1;
    let flip = "UPDATE archives SET bytes = ?2 WHERE subject = ?1";
    let flipped = store.execute(flip, rusqlite::params![damaged.as_bytes(), bytes]);
    assert_eq!(flipped.expect("it is changed"), 1);
    drop(store);
    world.start_hub(SOUTH);
    let south = world.hub(SOUTH).clone();
    until("the others are listed", || {
        let listed = south.list_records("practice", &space.to_string());
        listed.is_ok_and(|listed| listed.len() >= 3)
    })
    .await;
    assert_eq!(shown(&south, &ids[1..]), before);
    let store = Readers::open(folder.join("store.db")).expect("the store is read");
    let lacking = store.withheld(space).expect("a look");
    assert_eq!(lacking.len(), 15);
    assert!(lacking.iter().all(|lacking| lacking.subject == damaged));
    // Whoever comes later is told so, and gets the rest.
    edit(&south, &ids[1], "And on.");
    until("it is sent", || {
        let marks = south.show_record(&ids[1]).expect("it is shown").marks;
        marks.unsent == 0
    })
    .await;
}
