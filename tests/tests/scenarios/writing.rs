//! Making, changing and reading records, as the scenarios do it.

use node::Node;
use node::records::RecordsError;
use serde_json::{Value, json};
use tests::world::until;

/// Waits until a hub knows its own space, its pair with the coordinator and every hub's.
pub(crate) async fn has_its_spaces(node: &Node) {
    until("the hub knows its spaces", || {
        node.spaces().is_ok_and(|spaces| spaces.len() >= 3)
    })
    .await;
}

/// Makes a record, and returns its id.
#[track_caller]
pub(crate) fn make(node: &Node, kind: &str, space: &str, fields: &Value) -> String {
    let made = node.create_record(kind, space, &fields.to_string());
    made.expect("the record is made").id.to_string()
}

/// What a page of a record that is rendered now gives back when it is saved.
#[track_caller]
pub(crate) fn page(node: &Node, id: &str) -> String {
    node.show_record(id).expect("the record is shown").heads
}

/// Saves a page: an object of fields to set, or an array of changes. Without a page, the newest.
pub(crate) fn save(
    node: &Node,
    id: &str,
    page: &str,
    changes: &Value,
) -> Result<String, RecordsError> {
    let edited = node.edit_record(id, page, &changes.to_string());
    edited.map(|edited| edited.heads)
}

/// A record's fields.
#[track_caller]
pub(crate) fn fields(node: &Node, id: &str) -> Value {
    node.show_record(id).expect("the record is shown").fields
}

/// The id of the item of a list in which a field says `value`.
#[track_caller]
pub(crate) fn item(node: &Node, id: &str, list: &str, field: &str, value: &str) -> String {
    let fields = fields(node, id);
    let items = fields[list].as_array().cloned().unwrap_or_default();
    let found = items.iter().find(|item| item[field] == value);
    let found = found.unwrap_or_else(|| panic!("{list} has no item with {field} {value}"));
    found["id"].as_str().expect("an id").to_owned()
}

/// A change that sets a field.
pub(crate) fn set(field: &str, value: impl Into<Value>) -> Value {
    let value: Value = value.into();
    json!({ "do": "set", "field": field, "value": value })
}

/// A change that puts an element into a set.
pub(crate) fn include(field: &str, element: &str) -> Value {
    json!({ "do": "include", "field": field, "element": element })
}

/// A change that adds an item to a list or log.
#[expect(
    clippy::needless_pass_by_value,
    reason = "what json! makes is passed on"
)]
pub(crate) fn add(field: &str, values: Value) -> Value {
    json!({ "do": "add", "field": field, "values": values })
}

/// A new person's card in a hub.
#[track_caller]
pub(crate) fn person(node: &Node, name: &str) -> String {
    let email = name.to_lowercase().replace(' ', ".") + "@example.org";
    make(node, "person", "", &json!({ "name": name, "email": email }))
}

/// The titles of the records of a kind that a node shows, in one space or all.
#[track_caller]
pub(crate) fn titles(node: &Node, kind: &str, space: &str) -> Vec<String> {
    let listed = node.list_records(kind, space).expect("a list");
    listed.into_iter().map(|record| record.title).collect()
}
