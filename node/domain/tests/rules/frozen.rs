//! Copies that are kept for good.

use node_domain::{
    FORUM_THREAD, PLAN, PROJECT_WORK, differences, differs_from_frozen, frozen_copies,
};
use serde_json::{Value as Json, json};

use crate::world::{Hub, object};

fn plan() -> Hub {
    Hub::with_record(
        1,
        &PLAN,
        json!({
            "title": "Plan", "year": "2026-27",
            "needs": [{"id": "n1", "statement": "Ratio"}, {"id": "n2", "statement": "Algebra"}],
            "priorities": [{"title": "Ratio"}],
            "items": [{"id": "i1", "title": "Two groups", "money": 1_000}],
            "board_comments": [{"text": "Private."}],
        }),
    )
}

fn step(to: &str) -> Json {
    json!({"do": "set", "field": "state", "value": to})
}

#[test]
fn h2_a_copy_with_its_hash_is_kept_at_each_step_and_a_later_edit_is_told_apart() {
    let mut hub = plan();
    hub.edit(json!([step("board")]));
    hub.edit(json!([
        step("submitted"),
        {"do": "set", "field": "items/i1/money", "value": 2_000},
    ]));
    let copies = frozen_copies(&hub.document.view(), &PLAN);
    let told = copies
        .iter()
        .map(|copy| (copy.version, copy.state.as_str(), copy.on.as_str()))
        .collect::<Vec<_>>();
    let day = "1970-01-01";
    assert_eq!(told, [(1, "board", day), (2, "submitted", day)]);
    assert!(copies.iter().all(|copy| copy.genuine));
    assert_ne!(copies[0].hash, copies[1].hash);
    assert_eq!(copies[1].content["items"][0]["money"], 2_000);
    assert!(
        !Json::Object(copies[1].content.clone())
            .to_string()
            .contains("Private")
    );
    assert_eq!(differs_from_frozen(&hub.document.view(), &PLAN), []);
    hub.edit(json!([
        {"do": "set", "field": "items/i1/money", "value": 3_000},
        {"do": "add", "field": "needs", "id": "n3", "values": {"statement": "Proof"}},
        {"do": "remove", "field": "needs", "item": "n1"},
    ]));
    let differences = differs_from_frozen(&hub.document.view(), &PLAN);
    let told = differences
        .iter()
        .map(|it| (it.path.as_str(), it.label.as_str()));
    assert_eq!(
        told.collect::<Vec<_>>(),
        [
            ("needs/n1", "Needs"),
            ("needs/n3", "Needs"),
            ("items/i1/money", "Items: Money")
        ]
    );
    assert_eq!(differences[1].before, Json::Null);
    assert_eq!(
        (&differences[2].before, &differences[2].after),
        (&json!(2_000), &json!(3_000))
    );
}

#[test]
fn each_of_several_steps_of_one_edit_keeps_a_copy_and_staying_keeps_none() {
    let mut hub = plan();
    hub.edit(json!([step("board"), step("submitted"), step("agreed")]));
    hub.edit(json!([step("agreed")]));
    let copies = frozen_copies(&hub.document.view(), &PLAN);
    let states = copies.iter().map(|copy| copy.state.as_str());
    assert_eq!(states.collect::<Vec<_>>(), ["board", "submitted", "agreed"]);
}

#[test]
fn a_copy_that_was_tampered_with_is_not_genuine() {
    let mut hub = plan();
    hub.program = true;
    hub.edit(json!([{"do": "add", "field": "copies", "values": {
        "version": 1, "state": "board", "hash": "00", "content": "{\"title\":\"Other\"}",
    }}]));
    let copies = frozen_copies(&hub.document.view(), &PLAN);
    assert!(!copies[0].genuine);
    assert_eq!(copies[0].content["title"], "Other");
}

#[test]
fn a_release_and_a_position_keep_just_what_is_released() {
    let mut project = Hub::with_record(
        1,
        &PROJECT_WORK,
        json!({"code": "P", "title": "Project", "protocol": "Groups meet."}),
    );
    project.edit(json!([{"do": "set", "field": "protocol_state", "value": "released"}]));
    let copies = frozen_copies(&project.document.view(), &PROJECT_WORK);
    assert_eq!(
        copies[0].content,
        object(json!({"protocol": "Groups meet."}))
    );
    let mut thread = Hub::with_record(1, &FORUM_THREAD, json!({"title": "Qualifications"}));
    thread.edit(json!([step("drafting")]));
    let early = thread.try_edit(None, json!([step("sent")])).unwrap_err();
    assert!(early.to_string().contains("'Joint position' is missing"));
    thread.edit(json!([
        {"do": "set", "field": "position", "value": "We agree."}, step("sent"),
    ]));
    let copies = frozen_copies(&thread.document.view(), &FORUM_THREAD);
    assert_eq!(copies[0].content, object(json!({"position": "We agree."})));
}

#[test]
fn another_order_is_a_difference_of_its_own() {
    let mut hub = plan();
    let before = hub.read();
    hub.edit(json!([{"do": "move", "field": "needs", "item": "n2"}]));
    let found = differences(&PLAN, &before, &hub.read());
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].path, "needs");
    assert_eq!(found[0].before, json!(["Ratio", "Algebra"]));
    assert_eq!(found[0].after, json!(["Algebra", "Ratio"]));
}
