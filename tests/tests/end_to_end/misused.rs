//! Whoever holds the coordinator's keys and writes what no command of its does.

use node::Node;
use node_feed::{Access, Fact, SpaceId, SpaceKind};
use serde_json::json;
use tests::world::{World, until};

const SOUTH: &str = "south-yorkshire";

/// The hub's own space.
fn own_space(node: &Node) -> SpaceId {
    let spaces = node.spaces().expect("spaces are listed");
    let mut own = spaces.iter().filter(|space| space.kind == SpaceKind::Hub);
    own.next().expect("every hub has one").id
}

#[tokio::test(flavor = "multi_thread")]
async fn who_gives_themselves_a_hubs_own_space_gets_nothing_of_it() {
    let mut world = World::new().await;
    world.add_hub(SOUTH).await;
    let (space, _) = world.project("NCP24-11", &[SOUTH]).await;
    let south = world.hub(SOUTH);
    let own = own_space(south);
    let person = json!({ "name": "Quillon Testerton" }).to_string();
    let person = south.create_record("person", "", &person).expect("a card");
    let person = person.id.to_string();

    // No command does this; the key of the record of access can.
    let operations = world.coordinator().operations();
    let coordinator = operations.node();
    let hub = coordinator.hub().expect("the coordinator's own hub");
    let title = "Something to share".to_owned();
    let kind = SpaceKind::Project;
    let given = Fact::Grant {
        space: own,
        hub,
        access: Access::Read,
    };
    let renamed = Fact::Space {
        space: own,
        kind,
        title,
    };
    let written = operations.authority();
    written
        .write(&[given.clone(), renamed, given])
        .expect("it writes what it likes");
    let length = coordinator.authority().length();
    until("the hub has heard of it", || {
        south.authority().length() == length
    })
    .await;
    let shared = json!({ "title": "Shared after it" }).to_string();
    let shared = south.create_record("practice", &space.to_string(), &shared);
    let shared = shared.expect("a practice").id.to_string();
    until("what is shared arrives", || {
        coordinator.show_record(&shared).is_ok()
    })
    .await;
    world.stop_hub(SOUTH).await;
    world.start_hub(SOUTH);
    world.agree(space).await;

    let operations = world.coordinator().operations();
    let coordinator = operations.node();
    assert_eq!(coordinator.heights(own).expect("heights").len(), 0);
    assert!(coordinator.show_record(&person).is_err());
    let south = world.hub(SOUTH);
    assert_eq!(own_space(south), own, "it is the hub's own as before");
    assert!(south.show_record(&person).is_ok());

    // Nor does a node that is admitted in the hub's name get any of it, though it writes as the hub.
    world.add_node("another", SOUTH, None).await;
    let another = world.hub("another");
    until("it holds what the hub shares", || {
        another.show_record(&shared).is_ok()
    })
    .await;
    assert_eq!(another.hub(), world.hub(SOUTH).hub());
    assert!(another.show_record(&person).is_err());
}
