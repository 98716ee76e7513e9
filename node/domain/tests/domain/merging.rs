//! One story for each merge type: two hubs edit apart, then meet.

use node_domain::{ConflictCause, PRACTICE, PROJECT_WORK, WORK_GROUP};
use serde_json::{Value as Json, json};

use crate::world::{Hub, meet};

fn project() -> (Hub, Hub) {
    let left = Hub::with_record(
        1,
        &PROJECT_WORK,
        json!({
            "code": "NCP24-11", "title": "Mastering number", "phase": "primary",
            "protocol": "Groups meet six times. Teachers try one task between meetings.",
        }),
    );
    let right = left.joined_by(2);
    (left, right)
}

#[test]
fn value_both_choices_stay_until_a_person_decides() {
    let (mut left, mut right) = project();
    left.edit(json!([{"do": "set", "field": "phase", "value": "secondary"}]));
    right.edit(json!([{"do": "set", "field": "phase", "value": "post-16"}]));
    meet(&mut left, &mut right);
    let found = left.versions();
    assert_eq!(found.len(), 1);
    let conflict = &found[0];
    assert_eq!(
        (conflict.path.as_str(), conflict.label.as_str()),
        ("phase", "Phase tried first")
    );
    assert!(conflict.decide && conflict.cause == ConflictCause::Values);
    assert_eq!(
        conflict.versions.last().map(|v| v.value.clone()),
        Some(left.field("phase"))
    );
    for version in &conflict.versions {
        let by = if version.value == "secondary" {
            &left
        } else {
            &right
        };
        assert_eq!(version.author.hub, by.author.hub);
        assert_eq!(version.before, [json!("primary")]);
    }
    right.settle("phase", json!("secondary"));
    meet(&mut left, &mut right);
    assert_eq!(left.field("phase"), "secondary");
    assert!(left.versions().is_empty());
}

#[test]
fn value_the_same_choice_twice_and_an_edit_that_saw_the_other_are_no_versions() {
    let (mut left, mut right) = project();
    left.edit(json!([{"do": "set", "field": "phase", "value": "secondary"}]));
    right.edit(json!([{"do": "set", "field": "phase", "value": "secondary"}]));
    meet(&mut left, &mut right);
    assert!(left.versions().is_empty());
    right.edit(json!([{"do": "set", "field": "phase", "value": "all"}]));
    meet(&mut left, &mut right);
    assert!(left.versions().is_empty());
    assert_eq!(left.field("phase"), "all");
}

#[test]
fn text_edits_of_one_paragraph_merge_and_one_sentence_is_shown_to_both() {
    let (mut left, mut right) = project();
    let set = |text: &str| json!([{"do": "set", "field": "protocol", "value": text}]);
    left.edit(set(
        "Groups meet six or seven times. Teachers try one task between meetings.",
    ));
    right.edit(set(
        "Groups meet six times online. Teachers try two tasks between meetings.",
    ));
    meet(&mut left, &mut right);
    let merged = left.field("protocol");
    for part in ["or seven", "online", "two tasks"] {
        assert!(
            merged.as_str().is_some_and(|text| text.contains(part)),
            "{merged}"
        );
    }
    let found = left.versions();
    assert_eq!(found.len(), 1);
    let ConflictCause::Sentence(sentence) = &found[0].cause else {
        panic!("{found:?}")
    };
    assert!(sentence.starts_with("Groups meet six"));
    assert_eq!(found[0].versions.len(), 2);
    assert!(found[0].decide, "the declaration asks for a decision");
    left.settle("protocol", Json::Null);
    meet(&mut left, &mut right);
    assert!(right.versions().is_empty());
    assert_eq!(right.field("protocol"), merged);
}

#[test]
fn list_items_from_both_are_there_in_one_order_and_can_be_moved() {
    let (mut left, mut right) = project();
    let add = |name: &str| json!([{"do": "add", "field": "measures", "values": {"name": name}}]);
    left.edit(add("Fluency"));
    meet(&mut left, &mut right);
    left.edit(add("Reasoning"));
    right.edit(add("Confidence"));
    meet(&mut left, &mut right);
    let names = |hub: &Hub| {
        let list = hub.field("measures");
        let names = list.as_array().into_iter().flatten();
        names
            .map(|item| item["name"].as_str().unwrap_or_default().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(names(&left).len(), 3);
    assert_eq!(names(&left)[0], "Fluency");
    let (first, last) = (left.item("measures", 0), left.item("measures", 2));
    left.edit(json!([{"do": "move", "field": "measures", "item": last}]));
    right.edit(json!([
        {"do": "set", "field": format!("measures/{first}/version"), "value": 2},
        {"do": "set", "field": format!("measures/{first}/question"), "value": "Ten minutes."},
    ]));
    meet(&mut left, &mut right);
    assert_eq!(left.item("measures", 0), last);
    assert_eq!(left.field("measures")[1]["version"], 2);
    assert_eq!(left.field("measures")[1]["question"], "Ten minutes.");
}

#[test]
fn list_an_item_edited_while_it_was_removed_stays() {
    let (mut left, mut right) = project();
    left.edit(json!([{"do": "add", "field": "measures", "values": {"name": "Fluency"}}]));
    meet(&mut left, &mut right);
    let item = left.item("measures", 0);
    left.edit(json!([{"do": "remove", "field": "measures", "item": item}]));
    right.edit(json!([{"do": "set", "field": format!("measures/{item}/version"), "value": 3}]));
    meet(&mut left, &mut right);
    assert_eq!(left.field("measures")[0]["version"], 3);
    let item = left.item("measures", 0);
    right.edit(json!([{"do": "remove", "field": "measures", "item": item}]));
    meet(&mut left, &mut right);
    assert_eq!(left.field("measures"), json!([]));
    let late = right.try_edit(
        None,
        json!([{"do": "set", "field": format!("measures/{item}/version"), "value": 4}]),
    );
    assert!(
        late.unwrap_err()
            .to_string()
            .contains("may have been removed")
    );
}

#[test]
fn list_two_dates_for_one_session_are_left_to_a_person() {
    let mut left = Hub::with_record(
        1,
        &WORK_GROUP,
        json!({"title": "Year 7", "sessions": [{"date": "2026-11-03", "venue": "Hall"}]}),
    );
    let mut right = left.joined_by(2);
    let path = format!("sessions/{}/date", left.item("sessions", 0));
    left.edit(json!([{"do": "set", "field": path, "value": "2026-11-10"}]));
    right.edit(json!([{"do": "set", "field": path, "value": "2026-11-17"}]));
    meet(&mut left, &mut right);
    let found = left.versions();
    assert_eq!(found.len(), 1);
    assert_eq!(
        (found[0].path.as_str(), found[0].label.as_str()),
        (path.as_str(), "Sessions: Date")
    );
    assert!(found[0].decide);
    left.settle(&path, json!("2026-11-17"));
    meet(&mut left, &mut right);
    assert!(right.versions().is_empty());
    assert_eq!(right.field("sessions")[0]["date"], "2026-11-17");
}

#[test]
fn set_adding_wins_for_tags_and_removing_wins_for_consent() {
    let mut left = Hub::with_record(
        1,
        &PRACTICE,
        json!({"title": "Bar models", "tags": ["ratio"], "named_hubs": ["north"]}),
    );
    let mut right = left.joined_by(2);
    let change = |how: &str, field: &str, element: &str| json!({"do": how, "field": field, "element": element});
    // Putting in what is in already is a wish of its own once somebody takes it out.
    left.edit(json!([
        change("exclude", "tags", "ratio"),
        change("exclude", "named_hubs", "north")
    ]));
    left.edit(json!([
        change("include", "tags", "ratio"),
        change("include", "named_hubs", "north")
    ]));
    meet(&mut left, &mut right);
    left.edit(json!([
        change("exclude", "tags", "ratio"),
        change("include", "tags", "algebra")
    ]));
    left.edit(json!([change("include", "tags", "ratio")]));
    right.edit(json!([
        change("exclude", "tags", "ratio"),
        change("exclude", "named_hubs", "north")
    ]));
    left.edit(json!([change("exclude", "named_hubs", "north")]));
    left.edit(json!([change("include", "named_hubs", "north")]));
    meet(&mut left, &mut right);
    assert_eq!(left.field("tags"), json!(["algebra", "ratio"]));
    assert_eq!(left.field("named_hubs"), json!([]));
    // Consent given after the withdrawal was seen holds.
    right.edit(json!([change("include", "named_hubs", "north")]));
    meet(&mut left, &mut right);
    assert_eq!(left.field("named_hubs"), json!(["north"]));
}

#[test]
fn count_increments_add_up() {
    let (mut left, mut right) = project();
    left.edit(json!([{"do": "count", "field": "recordings", "by": 3}]));
    right.edit(json!([{"do": "count", "field": "recordings", "by": 4}]));
    right.edit(json!([{"do": "count", "field": "recordings", "by": -1}]));
    meet(&mut left, &mut right);
    assert_eq!(left.field("recordings"), 6);
}

#[test]
fn log_both_entries_are_kept_and_none_is_changed() {
    let (mut left, mut right) = project();
    left.edit(json!([{"do": "add", "field": "findings", "values": {"claim": "It helps."}}]));
    meet(&mut left, &mut right);
    let finding = left.item("findings", 0);
    let position = |stance: &str| {
        let values = json!({"finding": finding, "stance": stance});
        json!([{"do": "add", "field": "positions", "values": values}])
    };
    left.edit(position("for"));
    right.edit(position("against"));
    meet(&mut left, &mut right);
    assert_eq!(left.field("positions").as_array().map(Vec::len), Some(2));
    let path = format!("findings/{finding}/claim");
    for change in [
        json!({"do": "set", "field": path, "value": "It does not."}),
        json!({"do": "remove", "field": "findings", "item": finding}),
    ] {
        let error = left
            .try_edit(None, json!([change]))
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("'Findings' is only ever added to"),
            "{error}"
        );
    }
}

#[test]
fn state_two_steps_that_cannot_both_hold_are_left_to_a_person() {
    let mut left = Hub::with_record(1, &WORK_GROUP, json!({"title": "Year 7"}));
    let mut right = left.joined_by(2);
    let step = |to: &str| json!([{"do": "set", "field": "state", "value": to}]);
    left.edit(step("recruiting"));
    right.edit(step("recruiting"));
    right.edit(step("running"));
    meet(&mut left, &mut right);
    assert_eq!(left.field("state"), "running");
    assert!(
        left.versions().is_empty(),
        "one came through the other: {:?}",
        left.versions()
    );
    left.edit(step("cancelled"));
    right.edit(step("completed"));
    meet(&mut left, &mut right);
    let found = left.versions();
    assert_eq!(found.len(), 1);
    assert!(found[0].decide && found[0].cause == ConflictCause::Steps);
    left.settle("state", json!("completed"));
    meet(&mut left, &mut right);
    assert!(right.versions().is_empty());
    assert_eq!(right.field("state"), "completed");
    let error = right
        .try_edit(None, step("planned"))
        .unwrap_err()
        .to_string();
    assert_eq!(
        error,
        "'State' cannot go from 'completed' to 'planned': nothing follows it"
    );
}

#[test]
fn places_cannot_be_given_away_twice_however_long_the_hubs_are_apart() {
    let mut left = Hub::with_record(1, &WORK_GROUP, json!({"title": "Year 7", "places": 10}));
    let mut right = left.joined_by(2);
    let other = right.author.hub.to_string();
    left.edit(json!([{"do": "pass", "field": "places", "to": other, "count": 4}]));
    // The other has not heard of them, and holds nothing yet.
    let early = right.try_edit(None, json!([{"do": "take", "field": "places", "count": 1}]));
    assert_eq!(
        early.unwrap_err().to_string(),
        "'Places' cannot spare 1: this hub holds 0"
    );
    meet(&mut left, &mut right);
    left.edit(json!([{"do": "take", "field": "places", "count": 6}]));
    right.edit(json!([{"do": "take", "field": "places", "count": 4}]));
    for hub in [&mut left, &mut right] {
        let more = hub.try_edit(None, json!([{"do": "take", "field": "places", "count": 1}]));
        assert!(more.is_err());
    }
    meet(&mut left, &mut right);
    assert_eq!(
        left.field("places"),
        json!({"issued": 10, "taken": 10, "held": {}})
    );
    right.edit(json!([{"do": "give_back", "field": "places", "count": 1}]));
    assert_eq!(right.field("places")["held"][&other], 1);
    let issued = right.try_edit(
        None,
        json!([{"do": "issue", "field": "places", "count": 1}]),
    );
    assert_eq!(
        issued.unwrap_err().to_string(),
        "only the owner may issue 'Places'"
    );
}

#[test]
fn places_an_old_page_cannot_spend_what_a_newer_one_has_spent() {
    let mut hub = Hub::with_record(1, &WORK_GROUP, json!({"title": "Year 7", "places": 1}));
    let page = hub.document.heads();
    let take = json!([{"do": "take", "field": "places", "count": 1}]);
    assert!(hub.try_edit(Some(&page), take.clone()).is_ok());
    assert!(hub.try_edit(Some(&page), take).is_err());
}
