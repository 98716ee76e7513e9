//! A hub that lacks much is sent documents, and not the changes that made them.

use std::path::Path;

use node::Node;
use node_feed::{Access, SpaceId};
use node_store::{ReadStore, Readers};
use serde_json::{Value, json};
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
fn copied(path: &Path, space: SpaceId) -> (usize, usize) {
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
    assert_eq!(copied(&world.path(WEST), space), (8, 1));
    let south = world.hub(SOUTH).clone();
    assert_eq!(copied(&world.path(SOUTH), space), (0, 0));
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
    assert_eq!(copied(&world.path("coordinator"), space).0, 8);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forged_document_is_found_and_all_is_fetched_again_change_by_change() {
    let (mut world, space, ids) = grown().await;
    world.add_hub(WEST).await;
    let operations = world.coordinator().operations();
    operations.grant(space, WEST, Access::Write).expect("in");
    let west = world.hub(WEST).clone();
    until("the west has it", || west.show_record(&ids[7]).is_ok()).await;
    world.agree(space).await;
    is_checked(&west).await;
    drop(west);
    world.stop_hub(WEST).await;

    // The copy had another document in the place of one, and was never looked at.
    let path = world.path(WEST);
    let store = rusqlite::Connection::open(path.join("store.db")).expect("the store");
    let swapped = store.execute(
        "UPDATE bases SET state = 1, bytes = (SELECT bytes FROM bases ORDER BY subject DESC LIMIT 1)
         WHERE subject = (SELECT subject FROM bases ORDER BY subject LIMIT 1)",
        [],
    );
    assert_eq!(swapped.expect("it is swapped"), 1);
    drop(store);
    for file in std::fs::read_dir(&path).expect("a folder") {
        let file = file.expect("a file").path();
        let name = file
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        if name.starts_with("projections") {
            std::fs::remove_file(file).expect("lists can be made again");
        }
    }
    world.start_hub(WEST);
    until("nothing rests on the copy any more", || {
        copied(&path, space) == (0, 0)
    })
    .await;
    world.agree(space).await;
    let (south, west) = (world.hub(SOUTH).clone(), world.hub(WEST).clone());
    for id in &ids {
        until("it is shown again", || west.show_record(id).is_ok()).await;
        assert_eq!(shown(&west, id), shown(&south, id));
    }
}
