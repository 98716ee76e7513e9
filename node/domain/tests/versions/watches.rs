//! What is raised to people, though every single edit was right.

use node_domain::{
    COMMISSION, ConflictCause, FORUM_THREAD, HUB, PLAN, PRACTICE, PROJECT_WORK, STRATEGIC_GROUP,
    WORK_GROUP, concerned, cross_watches, settle, version_counts,
};
use serde_json::{Value as Json, json};

use crate::raised;
use crate::world::{Hub, meet};

fn add(list: &str, values: Json) -> Json {
    json!([{"do": "add", "field": list, "values": values}])
}

fn set(path: &str, value: impl Into<Json>) -> Json {
    json!([{"do": "set", "field": path, "value": value.into()}])
}

#[test]
fn two_leaders_who_rate_one_outcome_differently_are_listed_until_it_is_said_to_be_well() {
    let mut left = Hub::with_record(1, &WORK_GROUP, json!({"title": "Year 7"}));
    let mut right = left.joined_by(2);
    let rate = |rating| add("ratings", json!({"outcome": "practice", "rating": rating}));
    left.edit(rate(2));
    left.edit(add("ratings", json!({"outcome": "pupils", "rating": 4})));
    meet(&mut left, &mut right);
    assert!(left.versions().is_empty());
    // Having seen the first, the second still means what it says.
    right.edit(rate(3));
    meet(&mut left, &mut right);
    let found = raised(&left, "two-ratings");
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].label, "Ratings: Rating");
    assert!(found[0].path.starts_with("!two-ratings/") && found[0].decide);
    let says = found[0].versions.iter();
    let says = says.map(|version| (version.value["rating"].clone(), version.author.hub));
    assert_eq!(
        says.collect::<Vec<_>>(),
        [(json!(2), left.author.hub), (json!(3), right.author.hub)]
    );
    let path = found[0].path.clone();
    let refused = settle(&left.document, None, &path, &json!(3), &left.by()).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "change the items themselves, or settle it as it is"
    );
    left.settle(&path, Json::Null);
    meet(&mut left, &mut right);
    assert!(right.versions().is_empty());
    let again = settle(&left.document, None, &path, &Json::Null, &left.by()).unwrap_err();
    assert!(again.to_string().contains("nothing is open here"));
    // Something new to disagree about opens it.
    let rating = format!("ratings/{}/rating", right.item("ratings", 2));
    right.edit(set(&rating, 1));
    meet(&mut left, &mut right);
    assert_eq!(raised(&left, "two-ratings")[0].path, path);
    right.edit(set(&rating, 2));
    assert!(right.versions().is_empty());
}

#[test]
fn p7_minutes_merge_and_one_decision_with_two_outcomes_is_raised_to_the_chair() {
    let mut left = Hub::with_record(
        1,
        &STRATEGIC_GROUP,
        json!({
            "title": "Board", "members": [{"person": "chair1", "role": "chair"}],
            "meetings": [{"title": "May", "date": "2026-05-04", "minutes": "We met. We left."}],
        }),
    );
    let mut right = left.joined_by(2);
    let minutes = format!("meetings/{}/minutes", left.item("meetings", 0));
    left.edit(set(&minutes, "We met at noon. We left."));
    right.edit(set(&minutes, "We met. We left late."));
    let decide = |outcome| add("decisions", json!({"about": "Budget", "outcome": outcome}));
    left.edit(decide("agreed"));
    right.edit(decide("put off"));
    meet(&mut left, &mut right);
    let merged = left.field("meetings")[0]["minutes"].clone();
    assert_eq!(merged, "We met at noon. We left late.");
    let found = left.versions();
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(
        found[0].cause,
        ConflictCause::Watch {
            name: "two-outcomes",
            sentence: "one decision was entered with different outcomes",
        }
    );
    let mut hubs = found[0].versions.iter().map(|version| version.author.hub);
    assert!(hubs.any(|hub| hub == left.author.hub) && hubs.all(|hub| hub == right.author.hub));
    let told = concerned(&left.document.view(), &STRATEGIC_GROUP);
    assert!(told.roles.contains(&"chair"));
    assert_eq!(told.persons, ["chair1"]);
    // A correction is a new entry, whose author saw both.
    left.edit(decide("agreed"));
    meet(&mut left, &mut right);
    assert!(right.versions().is_empty());
}

#[test]
fn an_entry_that_saw_the_other_and_the_same_entry_twice_are_not_raised() {
    let mut left = Hub::with_record(
        1,
        &WORK_GROUP,
        json!({"title": "Year 7", "sessions": [{"id": "s", "date": "2026-11-03"}],
            "members": [{"id": "m", "organisation": "Hill"}]}),
    );
    let mut right = left.joined_by(2);
    let mark = |mark| {
        add(
            "attendance",
            json!({"session": "s", "member": "m", "mark": mark}),
        )
    };
    left.edit(mark("absent"));
    right.edit(mark("absent"));
    meet(&mut left, &mut right);
    assert!(left.versions().is_empty());
    right.edit(mark("present"));
    meet(&mut left, &mut right);
    assert!(left.versions().is_empty());
    left.edit(mark("part"));
    right.edit(mark("substitute"));
    meet(&mut left, &mut right);
    assert_eq!(raised(&left, "two-marks")[0].versions.len(), 2);
}

#[test]
fn somebody_who_withdrew_and_completed_at_once_is_raised() {
    let mut left = Hub::with_record(
        1,
        &WORK_GROUP,
        json!({"title": "Year 7", "members": [{"id": "m", "organisation": "Hill"}]}),
    );
    let mut right = left.joined_by(2);
    let stand = |status| {
        let values = json!({"member": "m", "status": status, "as_at": "2026-11-03"});
        add("statuses", values)
    };
    left.edit(stand("withdrawn"));
    right.edit(stand("started"));
    right.edit(stand("completed"));
    meet(&mut left, &mut right);
    let found = raised(&left, "withdrawn-and-completed");
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].versions.len(), 2);
    left.edit(stand("completed"));
    assert!(left.versions().is_empty());
}

#[test]
fn a7_the_same_invoice_twice_and_a_budget_overrun_are_flagged() {
    let mut left = Hub::with_record(1, &COMMISSION, json!({"title": "Number", "budget": 10_000}));
    let mut right = left.joined_by(2);
    let line = |kind: &str, pence: i64, reference: &str| {
        let values = json!({
            "kind": kind, "from": "hub", "to": "partner", "pence": pence, "reference": reference,
        });
        add("money", values)
    };
    left.edit(line("invoice", 4_000, "I-7"));
    right.edit(line("invoice", 4_000, "I-7"));
    right.edit(line("invoice", 4_000, ""));
    meet(&mut left, &mut right);
    let found = raised(&left, "same-invoice");
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].versions.len(), 2);
    left.edit(line("commitment", 9_000, "C-1"));
    right.edit(line("commitment", 9_000, "C-2"));
    assert!(raised(&left, "over-budget").is_empty());
    meet(&mut left, &mut right);
    let found = raised(&left, "over-budget");
    assert_eq!(
        (found[0].label.as_str(), found[0].versions.len()),
        ("Budget", 2)
    );
    left.settle(&found[0].path.clone(), Json::Null);
    assert!(raised(&left, "over-budget").is_empty());
    left.edit(line("commitment", 1, "C-3"));
    assert_eq!(raised(&left, "over-budget").len(), 1);
    left.edit(line("correction", -8_001, "C-2"));
    assert!(raised(&left, "over-budget").is_empty());
}

#[test]
fn a_plan_edited_after_it_was_submitted_is_shown_against_its_copy() {
    let mut hub = Hub::with_record(
        1,
        &PLAN,
        json!({
            "title": "Plan", "year": "2026-27", "priorities": [{"title": "Number"}],
            "items": [{"title": "Groups", "money": 5_000}], "impact": "None yet.",
        }),
    );
    hub.edit(set("state", "board"));
    let money = format!("items/{}/money", hub.item("items", 0));
    hub.edit(set(&money, 6_000));
    assert!(hub.versions().is_empty(), "the board is still at it");
    hub.edit(set("state", "submitted"));
    assert!(hub.versions().is_empty(), "{:?}", hub.versions());
    hub.edit(add("board_comments", json!({"text": "The board's own."})));
    assert!(hub.versions().is_empty());
    hub.edit(set(&money, 7_000));
    hub.edit(set("impact", "Some."));
    hub.edit(add("priorities", json!({"title": "Ratio"})));
    let found = raised(&hub, "edited-after");
    assert_eq!(found.len(), 1);
    let says = found[0].versions.iter().map(|version| {
        let value = &version.value;
        (
            value["field"].as_str().unwrap_or_default(),
            &value["then"],
            &value["now"],
        )
    });
    let says = says.collect::<Vec<_>>();
    assert_eq!(says.len(), 3);
    assert!(says.contains(&(money.as_str(), &json!(6_000), &json!(7_000))));
    assert!(says.contains(&("impact", &json!("None yet."), &json!("Some."))));
    assert_eq!(found[0].versions[0].before.len(), 1);
}

#[test]
fn a_measure_changed_while_hubs_record_is_raised_and_before_that_is_not() {
    let mut left = Hub::with_record(
        1,
        &PROJECT_WORK,
        json!({"code": "P", "title": "Project",
            "measures": [{"name": "Fluency", "version": 1, "question": "Five minutes."}]}),
    );
    let mut right = left.joined_by(2);
    let question = format!("measures/{}/question", left.item("measures", 0));
    left.edit(set(&question, "Six minutes."));
    meet(&mut left, &mut right);
    assert!(left.versions().is_empty());
    // Neither knows of the other: one begins, the other changes what is recorded.
    left.edit(set("state", "running"));
    right.edit(set(&question, "Ten minutes."));
    meet(&mut left, &mut right);
    let found = raised(&left, "measure-changed");
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].versions.len(), 1);
    let version = &found[0].versions[0];
    assert_eq!(version.value, "Ten minutes.");
    assert_eq!(version.before, [json!("Six minutes.")]);
    assert_eq!(version.author.hub, right.author.hub);
    left.settle(&found[0].path.clone(), Json::Null);
    assert!(left.versions().is_empty());
}

#[test]
fn f3_endorsements_of_another_text_are_stale_until_renewed() {
    let mut left = Hub::with_record(
        1,
        &FORUM_THREAD,
        json!({"title": "Funding", "position": "We agree."}),
    );
    let mut right = left.joined_by(2);
    let endorse = json!([{"do": "include", "field": "endorsements", "element": "north"}]);
    right.edit(endorse.clone());
    meet(&mut left, &mut right);
    assert!(left.versions().is_empty());
    left.edit(set("position", "We agree in part."));
    meet(&mut left, &mut right);
    let found = raised(&right, "stale-endorsements");
    assert_eq!(found.len(), 1);
    let version = &found[0].versions[0];
    assert_eq!(
        (&version.value, &version.before[0]),
        (&json!("north"), &json!("We agree."))
    );
    right.edit(endorse);
    meet(&mut left, &mut right);
    assert!(left.versions().is_empty());
}

#[test]
fn a_practice_retired_while_hubs_use_it_is_raised() {
    let mut hub = Hub::with_record(1, &PRACTICE, json!({"title": "Bar models"}));
    hub.edit(set("state", "retired"));
    assert!(hub.versions().is_empty());
    hub.edit(add("adoptions", json!({"context": "Year 5"})));
    let found = raised(&hub, "retired-while-adopted");
    assert_eq!(
        found[0].versions[0].value["hub"],
        hub.author.hub.to_string()
    );
    assert_eq!(version_counts(&hub.document, &PRACTICE).to_decide, 1);
}

#[test]
fn watches_that_need_other_records_are_left_to_whoever_holds_them() {
    let names = cross_watches(&HUB).map(|watch| watch.name);
    assert_eq!(
        names.collect::<Vec<_>>(),
        ["area-twice", "vacant-with-groups", "transfer-unsent"]
    );
    assert_eq!(cross_watches(&WORK_GROUP).count(), 0);
}
