//! What records refer to.

use std::collections::BTreeMap;

use node_domain::{
    FieldChange, LEADER, PLAN, Reference, WORK_GROUP, references_in, references_in_changes,
    renamed, replace_reference,
};
use serde_json::{Value as Json, json};

use crate::world::{Hub, object};

fn told(references: &[Reference]) -> Vec<(&str, &str, &str)> {
    references
        .iter()
        .map(|it| (it.field.as_str(), it.kind, it.id.as_str()))
        .collect()
}

#[test]
fn references_are_found_in_changes_in_objects_and_in_records() {
    let changes = json!([
        {"do": "add", "field": "leaders", "id": "l1", "values": {"person": "ann", "role": "lead"}},
        {"do": "set", "field": "members/m1/person", "value": "bob"},
        {"do": "set", "field": "members/m1/person", "value": null},
        {"do": "set", "field": "title", "value": "ann"},
    ]);
    let changes = serde_json::from_value::<Vec<FieldChange>>(changes).expect("changes");
    assert_eq!(
        told(&references_in_changes(&WORK_GROUP, &changes)),
        [
            ("leaders/l1/person", "person", "ann"),
            ("members/m1/person", "person", "bob")
        ]
    );
    let leader = object(json!({"name": "Ann", "person": "ann"}));
    assert_eq!(
        told(&references_in(&LEADER, &leader)),
        [("person", "person", "ann")]
    );
    let values = json!({"title": "Year 7", "leaders": [{"id": "l1", "person": "ann"}]});
    let hub = Hub::with_record(1, &WORK_GROUP, values);
    let found = references_in(&WORK_GROUP, &hub.read());
    assert_eq!(told(&found), [("leaders/l1/person", "person", "ann")]);
}

#[test]
fn one_person_takes_the_place_of_another_and_what_stays_in_logs_is_told() {
    let mut hub = Hub::with_record(
        1,
        &PLAN,
        json!({"title": "Plan", "needs": [{"id": "n1", "statement": "Ratio"}],
            "severities": [{"id": "s1", "need": "n1", "member": "ann", "severity": 3}]}),
    );
    let (changes, left) = replace_reference(&hub.document.view(), &PLAN, "ann", "bob");
    assert!(changes.is_empty());
    assert_eq!(left, ["severities/s1/member"]);
    hub = Hub::with_record(
        1,
        &WORK_GROUP,
        json!({"title": "Year 7", "leaders": [{"person": "ann"}, {"person": "cat"}],
            "members": [{"organisation": "Hill", "person": "ann"}]}),
    );
    let (changes, left) = replace_reference(&hub.document.view(), &WORK_GROUP, "ann", "bob");
    assert!(left.is_empty());
    hub.edit(serde_json::to_value(changes).expect("changes"));
    assert_eq!(hub.field("leaders")[0]["person"], "bob");
    assert_eq!(hub.field("leaders")[1]["person"], "cat");
    assert_eq!(hub.field("members")[0]["person"], "bob");
}

#[test]
fn an_object_is_rewritten_for_the_node_that_it_is_brought_into() {
    let values = json!({
        "title": "ann", "leaders": [{"id": "ann", "person": "ann"}],
        "places": {"issued": 3, "taken": 1, "held": {"old": 2}},
    });
    let names = BTreeMap::from(
        [("ann", "bob"), ("old", "new")].map(|(from, to)| (from.to_owned(), to.to_owned())),
    );
    let renamed = renamed(&WORK_GROUP, &object(values), &names);
    assert_eq!(
        Json::Object(renamed),
        json!({
            "title": "ann", "leaders": [{"id": "ann", "person": "bob"}],
            "places": {"issued": 3, "taken": 1, "held": {"new": 2}},
        })
    );
}
