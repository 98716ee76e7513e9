//! What a connection costs those at its ends, and nobody else.

use node::Node;
use node_feed::{Access, SpaceId};
use node_store::{ReadStore, Readers};
use serde_json::json;
use tests::bare_peer::Seat;
use tests::world::{World, until};

const SOUTH: &str = "south-yorkshire";
const WEST: &str = "west-yorkshire";
const EAST: &str = "london-north-east";

fn make(node: &Node, space: SpaceId, body: &str) -> String {
    let fields = json!({ "title": "A practice", "body": body }).to_string();
    let made = node.create_record("practice", &space.to_string(), &fields);
    made.expect("it is made").id.to_string()
}

/// How many entries of a space a node holds.
fn entries(world: &World, name: &str, space: SpaceId) -> u64 {
    let store = Readers::open(world.path(name).join("store.db")).expect("the store is read");
    let trees = store.trees(space).expect("feeds");
    let feeds = trees.values().flat_map(|tree| tree.feeds().values());
    feeds.map(|feed| feed.next()).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn no_document_is_opened_to_find_out_what_differs() {
    let mut world = World::new().await;
    world.add_hub(SOUTH).await;
    let (space, _) = world.project("NCP24-11", &[SOUTH]).await;
    let south = world.hub(SOUTH).clone();
    for number in 0..20 {
        make(&south, space, &format!("Practice {number}."));
    }
    drop(south);
    world.agree(space).await;
    // What has come is in the lists; else it would be opened for these.
    let coordinator = world.coordinator().operations().node();
    for node in [world.hub(SOUTH), coordinator] {
        let listed = node.list_records("practice", &space.to_string());
        assert_eq!(listed.expect("a list").len(), 20);
    }
    world.stop_hub(SOUTH).await;
    world.stop_coordinator().await;
    world.start_coordinator().await;
    world.start_hub(SOUTH);
    let south = world.hub(SOUTH).clone();
    south.in_sync(1).await;
    let coordinator = world.coordinator().operations().node().clone();
    assert_eq!(south.documents_opened(), 0);
    assert_eq!(coordinator.documents_opened(), 0);

    // One that changed while they were apart is opened where it changed, and sent unopened.
    south.pause(true);
    until("they are apart", || south.peers_connected().is_empty()).await;
    make(&south, space, "One more.");
    let before = south.documents_opened();
    south.pause(false);
    south.in_sync(1).await;
    let all = entries(&world, SOUTH, space);
    until("it is sent", || {
        entries(&world, "coordinator", space) == all
    })
    .await;
    assert_eq!(south.documents_opened(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_that_never_reads_slows_nobody() {
    let mut world = World::new().await;
    world.stop_coordinator().await;
    let settings = world.path("coordinator").join("causeway.toml");
    let text = std::fs::read_to_string(&settings).expect("settings");
    std::fs::write(&settings, text + "in_flight_bytes_max = 65536\n").expect("settings");
    world.start_coordinator().await;
    for hub in [SOUTH, EAST] {
        world.add_hub(hub).await;
    }
    let (space, _) = world.project("NCP24-11", &[SOUTH, EAST]).await;
    let seat = Seat::take(world.invite(WEST)).await.expect("connected");
    let operations = world.coordinator().operations();
    operations.grant(space, WEST, Access::Write).expect("in");
    let log = SpaceId::authority(seat.network());
    let authority = operations.node().heights(log).expect("heights");
    let silent = seat.open(&authority).await.expect("a session");
    world.agree(space).await;
    // Ten times what may be under way to one peer.
    let south = world.hub(SOUTH).clone();
    let body = "It helps. ".repeat(3_900);
    for _ in 0..20 {
        make(&south, space, &body);
    }
    let all = entries(&world, SOUTH, space);
    until("the others have all of it", || {
        ["coordinator", EAST]
            .iter()
            .all(|name| entries(&world, name, space) == all)
    })
    .await;
    drop(silent);
}
