//! What is done again and again in these scenarios.

use node::Node;
use node::records::{EditedRecord, Find, ReturnWanted};
use node_feed::{SpaceId, SpaceKind};
use serde_json::{Value, json};
use tests::world::{World, until};

/// Real hubs' codes.
pub(crate) const HUBS: [&str; 12] = [
    "south-yorkshire",
    "west-yorkshire",
    "abacus-nw",
    "archimedes-ne",
    "boolean",
    "cambridge",
    "central",
    "cheshire-and-wirral",
    "east-midlands-west",
    "east-midlands-south",
    "enigma",
    "glow",
];

pub(crate) const SOUTH: &str = HUBS[0];
pub(crate) const WEST: &str = HUBS[1];

/// A network of these hubs, each with its first spaces.
pub(crate) async fn network(hubs: &[&'static str]) -> World {
    let mut world = World::new().await;
    for hub in hubs {
        world.add_hub(hub).await;
    }
    for hub in hubs {
        settled(world.hub(hub)).await;
    }
    world
}

/// Waits until a hub has its own space, its pair with NCETM and the one of every hub.
pub(crate) async fn settled(node: &Node) {
    until("the hub has its first spaces", || {
        [SpaceKind::Hub, SpaceKind::Pair, SpaceKind::Network]
            .into_iter()
            .all(|kind| find_space(node, kind).is_some())
    })
    .await;
}

fn find_space(node: &Node, kind: SpaceKind) -> Option<SpaceId> {
    let spaces = node.spaces().expect("spaces are listed");
    let found = spaces.into_iter().find(|space| space.kind == kind);
    found.map(|space| space.id)
}

/// The first space of a kind that the node reads.
pub(crate) fn space(node: &Node, kind: SpaceKind) -> SpaceId {
    find_space(node, kind).unwrap_or_else(|| panic!("there is a {} space", kind.name()))
}

/// The coordinator's node.
pub(crate) fn ncetm(world: &World) -> &Node {
    world.coordinator().operations().node()
}

/// Makes a record, in the space with this id or where the kind belongs.
pub(crate) fn make(node: &Node, kind: &str, space: &str, fields: &Value) -> String {
    let made = node.create_record(kind, space, &fields.to_string());
    made.unwrap_or_else(|error| panic!("a {kind}: {error}"))
        .id
        .to_string()
}

/// Edits the newest of a record.
pub(crate) fn edit(node: &Node, id: &str, changes: &Value) -> EditedRecord {
    edit_at(node, id, "", changes)
}

/// Edits a record as an older page shows it.
pub(crate) fn edit_at(node: &Node, id: &str, heads: &str, changes: &Value) -> EditedRecord {
    let edited = node.edit_record(id, heads, &changes.to_string());
    edited.unwrap_or_else(|error| panic!("{changes}: {error}"))
}

/// Why an edit is refused.
pub(crate) fn refused(node: &Node, id: &str, changes: &Value) -> String {
    let refused = node.edit_record(id, "", &changes.to_string());
    refused.expect_err("it is refused").to_string()
}

/// Includes elements in a set.
pub(crate) fn include(node: &Node, id: &str, field: &str, elements: &[&str]) {
    let changes = elements
        .iter()
        .map(|element| json!({ "do": "include", "field": field, "element": element }));
    edit(node, id, &changes.collect());
}

/// A change that adds an item.
pub(crate) fn add(field: &str, values: &Value) -> Value {
    json!({ "do": "add", "field": field, "values": values })
}

/// A record's fields.
pub(crate) fn fields(node: &Node, id: &str) -> Value {
    let shown = node.show_record(id);
    shown.unwrap_or_else(|error| panic!("{id}: {error}")).fields
}

/// The ids of all records of a kind that a node lists.
pub(crate) fn all(node: &Node, kind: &str) -> Vec<String> {
    let find = Find {
        kind: kind.to_owned(),
        ..Find::default()
    };
    let found = node.find_records(&find).expect("a list");
    let ids = found.records.iter().map(|record| record.id.to_string());
    ids.collect()
}

/// Waits until a node shows a record.
pub(crate) async fn arrives(node: &Node, id: &str) {
    until("the record arrives", || node.show_record(id).is_ok()).await;
}

/// Publishes a record after looking at what leaves, and gives the copy's id.
pub(crate) fn publish(node: &Node, id: &str, space: SpaceId) -> String {
    let text = space.to_string();
    let shown = node.publish_record(id, &text, false, "");
    let shown = shown.unwrap_or_else(|error| panic!("{id} is shown: {error}"));
    let digest = shown.digest.to_string();
    let published = node.publish_record(id, &text, true, &digest);
    let copy = published.expect("published").id.expect("a copy");
    copy.to_string()
}

/// Counts a measure, keeps the return, submits it and sends it to NCETM. Gives the return's id in
/// the hub, and the copy's.
pub(crate) fn report(node: &Node, wanted: &ReturnWanted) -> (String, String) {
    let computed = node.compute_return(wanted, true).expect("computed");
    let id = computed.kept.expect("kept").id.to_string();
    edit(node, &id, &json!({ "state": "submitted" }));
    let copy = publish(node, &id, space(node, SpaceKind::Pair));
    (id, copy)
}

/// What a return of a measure is to count.
pub(crate) fn wanted(measure: &str, version: u32, as_at: &str) -> ReturnWanted {
    ReturnWanted {
        measure: measure.to_owned(),
        version,
        period: "2026-27 spring".to_owned(),
        as_at: as_at.to_owned(),
        ..ReturnWanted::default()
    }
}

/// Lists fields in a project's data agreement, and lets hubs sign it.
pub(crate) async fn agree_on(
    world: &World,
    (space, project): (SpaceId, &str),
    listed: &[&str],
    hubs: &[&str],
) {
    include(ncetm(world), project, "agreed_fields", listed);
    world.agree(space).await;
    for hub in hubs {
        include(world.hub(hub), project, "signatures", &[hub]);
    }
    world.agree(space).await;
}
