//! A record as it was on any date, and bringing back what stood then.

use node_document::Heads;
use node_domain::{PRACTICE, WORK_GROUP, bring_back, history, read};
use serde_json::{Value as Json, json};

use crate::world::Hub;

fn group() -> Hub {
    Hub::with_record(
        1,
        &WORK_GROUP,
        json!({
            "title": "Year 7", "narrative": "It began.", "phase": "primary",
            "sessions": [{"date": "2026-11-03"}, {"date": "2026-11-10", "venue": "Hall"}],
        }),
    )
}

fn set(path: &str, value: impl Into<Json>) -> Json {
    json!([{"do": "set", "field": path, "value": value.into()}])
}

fn back(hub: &mut Hub, path: &str, then: &Heads) {
    let edited = bring_back(&hub.document, path, then, &hub.by()).expect("it stood then");
    hub.save(&edited);
}

#[track_caller]
fn check_refused(hub: &Hub, path: &str, then: &Heads, message: &str) {
    let refused = bring_back(&hub.document, path, then, &hub.by());
    let refused = refused.expect_err("it cannot be brought back");
    assert_eq!(refused.to_string(), message);
}

#[test]
fn a_record_is_read_as_it_was_on_any_date() {
    let mut hub = group(); // at 1,000
    hub.edit(set("phase", "secondary")); // at 2,000
    hub.edit(set("phase", Json::Null)); // at 3,000
    let phase = |time_ms| {
        let then = hub.document.heads_on(time_ms);
        let view = hub.document.view_at(&then).expect("its own heads");
        read(&view, &WORK_GROUP).get("phase").cloned()
    };
    assert_eq!(phase(999), None);
    assert_eq!(phase(1_999), Some(json!("primary")));
    assert_eq!(phase(2_000), Some(json!("secondary")));
    assert_eq!(phase(5_000), None);
}

#[test]
fn values_texts_and_allowed_steps_are_brought_back() {
    let mut hub = group();
    let then = hub.document.heads();
    hub.edit(json!([
        {"do": "set", "field": "phase", "value": "secondary"},
        {"do": "set", "field": "code", "value": "G1"},
        {"do": "set", "field": "narrative", "value": "It began. It ended."},
        {"do": "set", "field": "state", "value": "cancelled"},
    ]));
    for path in ["phase", "code", "narrative", "state"] {
        back(&mut hub, path, &then);
    }
    let record = hub.read();
    assert_eq!(record["phase"], "primary");
    assert!(!record.contains_key("code"));
    assert_eq!(record["narrative"], "It began.");
    assert_eq!(record["state"], "planned");
    let mut steps = history(&hub.document.view(), &WORK_GROUP, &Heads::default());
    steps.retain(|step| step.is_of("phase"));
    let told = steps.into_iter().map(|step| step.value);
    let expected = ["primary", "secondary", "primary"].map(|phase| json!(phase));
    assert_eq!(told.collect::<Vec<_>>(), expected);
    hub.edit(set("state", "recruiting"));
    check_refused(
        &hub,
        "state",
        &then,
        "'State' cannot go from 'recruiting' to 'planned': only running, cancelled may follow",
    );
}

#[test]
fn a_removed_item_comes_back_with_its_fields_to_its_place() {
    let mut hub = group();
    let item = hub.item("sessions", 0);
    let last = hub.item("sessions", 1);
    hub.edit(set(&format!("sessions/{item}/venue"), "Library"));
    hub.edit(json!([{"do": "add", "field": "sessions", "values": {"date": "2026-11-17"}}]));
    let then = hub.document.heads();
    hub.edit(set(&format!("sessions/{item}/start"), "16:30"));
    hub.edit(json!([{"do": "remove", "field": "sessions", "item": item}]));
    hub.edit(set(&format!("sessions/{last}/venue"), "Gym"));
    let path = format!("sessions/{item}/venue");
    check_refused(
        &hub,
        &path,
        &then,
        &format!("this item of 'Sessions' was removed; bring back sessions/{item} first"),
    );
    back(&mut hub, &format!("sessions/{item}"), &then);
    assert_eq!(hub.field("sessions").as_array().map(Vec::len), Some(3));
    assert_eq!(hub.field("sessions")[0]["venue"], "Library");
    assert_eq!(hub.field("sessions")[0]["date"], "2026-11-03");
    assert_eq!(hub.field("sessions")[0]["start"], Json::Null);
    back(&mut hub, &format!("sessions/{last}"), &then);
    assert_eq!(hub.field("sessions")[1]["venue"], "Hall");
    check_refused(
        &hub,
        "sessions/none",
        &then,
        "'Sessions' had no such item then",
    );
}

#[test]
fn what_cannot_be_brought_back_is_refused_with_a_sentence() {
    let hub = group();
    let then = hub.document.heads();
    check_refused(
        &hub,
        "statuses/x",
        &then,
        "'Where members stand' is not brought back: it is only ever added to: enter a correction \
         as a new item",
    );
    check_refused(
        &hub,
        "places",
        &then,
        "'Places' is not brought back: it holds places: issue, pass on, take or give back",
    );
    check_refused(
        &hub,
        "enquiries",
        &then,
        "'Enquiries' is not brought back: it is a count: add to it or take from it",
    );
    check_refused(
        &hub,
        "sessions",
        &then,
        "the items of 'Sessions' are brought back one by one: write sessions/ITEM",
    );
    let practice = Hub::with_record(1, &PRACTICE, json!({"title": "Bar models"}));
    check_refused(
        &practice,
        "origin",
        &practice.document.heads(),
        "'Origin' is not brought back: it is filled in by the program alone",
    );
}

#[test]
fn a_set_is_brought_back_element_by_element() {
    let values = json!({"title": "Bar models", "tags": ["ratio", "number"]});
    let mut hub = Hub::with_record(1, &PRACTICE, values);
    let then = hub.document.heads();
    hub.edit(json!([
        {"do": "exclude", "field": "tags", "element": "ratio"},
        {"do": "include", "field": "tags", "element": "algebra"},
    ]));
    back(&mut hub, "tags", &then);
    assert_eq!(hub.field("tags"), json!(["number", "ratio"]));
}

#[test]
fn history_tells_of_items_and_elements_in_a_persons_words() {
    let mut hub = group();
    let item = hub.item("sessions", 0);
    hub.edit(set(&format!("sessions/{item}/venue"), "Library"));
    hub.edit(json!([{"do": "remove", "field": "sessions", "item": item}]));
    let mut steps = history(&hub.document.view(), &WORK_GROUP, &Heads::default());
    steps.retain(|step| step.is_of("sessions"));
    let of_item = steps.iter().filter(|step| step.path.contains(&item));
    let told = of_item.map(|step| (step.label.as_str(), &step.value));
    let told = told.collect::<Vec<_>>();
    assert!(told.contains(&("Sessions", &json!(true))));
    assert!(told.contains(&("Sessions: Venue", &json!("Library"))));
    assert_eq!(told.last(), Some(&("Sessions", &Json::Null)));
    assert!(told.iter().all(|(_, value)| **value != 2));
    let values = json!({"title": "Bar models", "tags": ["ratio"]});
    let practice = Hub::with_record(1, &PRACTICE, values);
    let mut steps = history(&practice.document.view(), &PRACTICE, &Heads::default());
    steps.retain(|step| step.is_of("tags"));
    assert_eq!(
        (steps[0].label.as_str(), &steps[0].value),
        ("Tags: ratio", &json!(true))
    );
}
