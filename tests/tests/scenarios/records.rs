//! What the scenarios do with records, in few words.

use node::Node;
use node::records::RecordsError;
use node_feed::SpaceKind;
use serde_json::{Value, json};
use tests::world::{World, until};

pub(crate) const SOUTH: &str = "south-yorkshire";
pub(crate) const WEST: &str = "west-yorkshire";
pub(crate) const LONDON: &str = "london-thames";

/// A world with these hubs, each of which knows its first spaces.
pub(crate) async fn world_of(hubs: &[&'static str]) -> World {
    let mut world = World::new().await;
    for hub in hubs {
        world.add_hub(hub).await;
    }
    for hub in hubs {
        until("the hub knows its first spaces", || {
            world
                .hub(hub)
                .spaces()
                .is_ok_and(|spaces| spaces.len() == 3)
        })
        .await;
    }
    world
}

/// The one space of a kind that a hub may read.
pub(crate) fn space_of(node: &Node, kind: SpaceKind) -> String {
    let spaces = node.spaces().expect("spaces");
    let found = spaces.iter().filter(|space| space.kind == kind);
    let found = found.map(|space| space.id.to_string()).collect::<Vec<_>>();
    assert_eq!(found.len(), 1, "one space of this kind: {found:?}");
    found[0].clone()
}

pub(crate) fn make(node: &Node, kind: &str, fields: &Value) -> String {
    make_in(node, kind, "", fields)
}

pub(crate) fn make_in(node: &Node, kind: &str, space: &str, fields: &Value) -> String {
    let made = node.create_record(kind, space, &fields.to_string());
    made.unwrap_or_else(|error| panic!("{kind}: {error}"))
        .id
        .to_string()
}

pub(crate) fn person(node: &Node, name: &str) -> String {
    make(node, "person", &json!({ "name": name }))
}

/// Changes the record as it is, and says what was done otherwise than asked.
pub(crate) fn edit(node: &Node, id: &str, changes: &Value) -> Vec<String> {
    edit_at(node, id, "", changes)
}

/// Changes the record as a page shows it that was made at `heads`.
pub(crate) fn edit_at(node: &Node, id: &str, heads: &str, changes: &Value) -> Vec<String> {
    let edited = node.edit_record(id, heads, &changes.to_string());
    edited.unwrap_or_else(|error| panic!("{error}")).notes
}

pub(crate) fn refused<T: std::fmt::Debug>(result: Result<T, RecordsError>) -> String {
    result.expect_err("it is refused").to_string()
}

pub(crate) fn heads(node: &Node, id: &str) -> String {
    node.show_record(id).expect("the record").heads
}

pub(crate) fn field(node: &Node, id: &str, name: &str) -> Value {
    node.show_record(id).expect("the record").fields[name].clone()
}

/// The items of a list or log.
pub(crate) fn items(node: &Node, id: &str, list: &str) -> Vec<Value> {
    field(node, id, list)
        .as_array()
        .cloned()
        .unwrap_or_default()
}

/// One part of each of several objects.
pub(crate) fn each<'a>(objects: &'a [Value], part: &str) -> Vec<&'a str> {
    let part = objects.iter().map(|object| &object[part]);
    part.map(|part| part.as_str().unwrap_or_default()).collect()
}

/// What stands open in a record under a field, or was raised by a watch of this name.
pub(crate) fn open(node: &Node, id: &str, field: &str) -> Vec<Value> {
    let versions = node.list_versions(id).expect("versions");
    let versions = versions.as_array().cloned().unwrap_or_default();
    let about = |open: &Value| {
        let path = open["field"].as_str().unwrap_or_default();
        path.split('/').next() == Some(field)
    };
    versions.into_iter().filter(about).collect()
}

pub(crate) fn titles(node: &Node, kind: &str, space: &str) -> Vec<String> {
    let listed = node.list_records(kind, space).expect("a list");
    let mut titles = listed
        .into_iter()
        .map(|record| record.title)
        .collect::<Vec<_>>();
    titles.sort();
    titles
}

pub(crate) fn add(list: &str, values: &Value) -> Value {
    json!({ "do": "add", "field": list, "values": values })
}

pub(crate) fn add_as(list: &str, id: &str, values: &Value) -> Value {
    json!({ "do": "add", "field": list, "id": id, "values": values })
}

pub(crate) fn set(field: &str, value: &Value) -> Value {
    json!({ "do": "set", "field": field, "value": value })
}

pub(crate) fn include(field: &str, elements: &[&str]) -> Value {
    let include = elements
        .iter()
        .map(|element| json!({ "do": "include", "field": field, "element": element }));
    include.collect()
}

/// Whether any file of a node holds `text` in its bytes.
pub(crate) fn holds(world: &World, node: &str, text: &str) -> bool {
    let files = std::fs::read_dir(world.path(node)).expect("a folder");
    files
        .filter_map(|entry| std::fs::read(entry.expect("an entry").path()).ok())
        .any(|bytes| memchr::memmem::find(&bytes, text.as_bytes()).is_some())
}
