//! Receipts, from the node that signs them over the coordinator to the hub that wrote.

use serde_json::json;
use tests::world::{World, until};

const SOUTH: &str = "south-yorkshire";
const WEST: &str = "west-yorkshire";

/// The south writes, and hears that the west holds it: from the west's receipt alone, since the two
/// are not connected.
async fn heard(world: &World, record: &str, protocol: &str) {
    let south = world.hub(SOUTH);
    let changes = json!({ "protocol": protocol }).to_string();
    south
        .edit_record(record, "", &changes)
        .expect("an edit is saved");
    until("the west's receipt is here", || {
        let marks = south.show_record(record).expect("it is shown").marks;
        (marks.received, marks.members, marks.unsent) == (1, 1, 0)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_wrote_hears_who_holds_it_change_after_change_and_after_restarts() {
    let mut world = World::new().await;
    for hub in [SOUTH, WEST] {
        world.add_hub(hub).await;
    }
    let (space, record) = world.project("NCP24-11", &[SOUTH, WEST]).await;
    world.agree(space).await;
    for protocol in ["Weekly.", "Every week.", "Every second week."] {
        heard(&world, &record, protocol).await;
    }
    // Neither remembers what the other end of a session could rebuild receipts from.
    world.stop_coordinator().await;
    world.start_coordinator().await;
    for protocol in ["Monthly.", "Every month."] {
        heard(&world, &record, protocol).await;
    }
    world.stop_hub(WEST).await;
    world.start_hub(WEST);
    for protocol in ["Termly.", "Every term."] {
        heard(&world, &record, protocol).await;
    }
}
