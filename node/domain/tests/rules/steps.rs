//! Steps that ask for something, fields that are locked, items that stay.

use node_domain::{COMMISSION, HUB, PLAN, PROJECT_WORK, RETURN, STRATEGIC_GROUP};
use serde_json::{Value as Json, json};

use crate::world::{Hub, meet};

#[track_caller]
fn check_refused(hub: &mut Hub, changes: Json, why: &str) {
    let refused = hub
        .try_edit(None, changes)
        .expect_err("it is against a rule");
    assert_eq!(refused.to_string(), why);
}

fn set(field: &str, value: &str) -> Json {
    json!({"do": "set", "field": field, "value": value})
}

#[test]
fn a_step_that_needs_fields_names_those_that_are_missing() {
    let mut plan = Hub::with_record(1, &PLAN, json!({"title": "Plan", "state": "board"}));
    check_refused(
        &mut plan,
        json!([set("state", "submitted")]),
        "'Year' is missing: 'State' cannot become 'submitted' without it; 'Priorities' is \
         missing: 'State' cannot become 'submitted' without it; 'Items' is missing: 'State' \
         cannot become 'submitted' without it",
    );
    plan.edit(json!([
        set("state", "submitted"),
        set("year", "2026-27"),
        {"do": "add", "field": "priorities", "values": {"title": "Ratio"}},
        {"do": "add", "field": "items", "values": {"title": "Two groups"}},
    ]));
    let mut hub = Hub::with_record(1, &HUB, json!({"code": "H1", "title": "North"}));
    check_refused(
        &mut hub,
        json!([set("status", "active")]),
        "'Region' is missing: 'Status' cannot become 'active' without it",
    );
}

fn project() -> (Hub, Hub) {
    let left = Hub::with_record(
        1,
        &PROJECT_WORK,
        json!({"code": "P", "title": "Project", "protocol": "Groups meet six times."}),
    );
    let right = left.joined_by(2);
    (left, right)
}

#[test]
fn c7_a_protocol_is_released_once_its_versions_are_settled_or_left_to_the_text() {
    let (mut left, mut right) = project();
    left.edit(json!([set("protocol", "Groups meet seven times.")]));
    right.edit(json!([set("protocol", "Groups meet six times online.")]));
    meet(&mut left, &mut right);
    assert_eq!(left.versions().len(), 1);
    let release = json!([set("protocol_state", "released")]);
    let why = "'Protocol' stands in several versions: settle them before 'State of the protocol' \
               becomes 'released', or say yes to 'Open versions of the protocol are left to the text as \
               it is'";
    check_refused(&mut left, release.clone(), why);
    let mut settled = left.clone();
    settled.settle("protocol", Json::Null);
    settled.edit(release.clone());
    left.edit(json!([
        set("left_as_is", "yes"),
        set("protocol_state", "released")
    ]));
    assert_eq!(left.field("protocol_state"), "released");
    let refused = right.try_edit(None, release).unwrap_err();
    assert!(
        refused
            .to_string()
            .contains("only the owner of the record takes")
    );
}

#[test]
fn c7_what_is_written_into_a_released_protocol_becomes_a_proposal() {
    let (mut left, mut right) = project();
    let page = right.document.heads();
    left.edit(json!([set("protocol_state", "released")]));
    meet(&mut left, &mut right);
    let change = json!([set("protocol", "Groups meet seven times.")]);
    for at in [None, Some(&page)] {
        right.try_edit(at, change.clone()).expect("a proposal");
        assert_eq!(
            right.notes,
            [
                "'Protocol' cannot be changed while it is 'released': your text stands among \
                 'Proposals for the protocol' instead"
            ]
        );
    }
    meet(&mut left, &mut right);
    assert_eq!(left.field("protocol"), "Groups meet six times.");
    let proposals = left.field("proposals");
    assert_eq!(proposals.as_array().map(Vec::len), Some(2));
    assert_eq!(proposals[0]["field"], "protocol");
    assert_eq!(proposals[0]["text"], "Groups meet seven times.");
    // Saying what stands is no change; drafting again opens the text.
    left.edit(json!([set("protocol", "Groups meet six times.")]));
    assert!(left.notes.is_empty());
    left.edit(json!([
        set("protocol_state", "drafting"),
        set("protocol", "Groups meet eight times."),
    ]));
    assert!(left.notes.is_empty());
    assert_eq!(left.field("protocol"), "Groups meet eight times.");
}

#[test]
fn p2_the_amount_of_an_accepted_commission_cannot_be_changed() {
    let mut hub = Hub::with_record(
        1,
        &COMMISSION,
        json!({
            "title": "Early years", "partner": "abcd", "budget": 400_000,
            "deliverables": [{"id": "d2", "title": "Report"}],
        }),
    );
    let steps = ["offered", "accepted", "active"].map(|state| set("state", state));
    hub.edit(json!(steps));
    check_refused(
        &mut hub,
        json!([set("budget", "£5,000.00")]),
        "'Budget' cannot be changed while 'State' is 'active'",
    );
    hub.edit(json!([
        set("budget", "£4,000.00"),
        set("deliverables/d2/state", "done"),
        set("deliverables/d2/evidence", "The report is in the files."),
    ]));
    assert_eq!(hub.field("deliverables")[0]["state"], "done");
}

#[test]
fn of_two_budgets_entered_before_it_was_locked_one_can_still_be_chosen() {
    let mut left = Hub::with_record(
        1,
        &COMMISSION,
        json!({"title": "Early years", "partner": "abcd", "budget": 1, "state": "offered"}),
    );
    let mut right = left.joined_by(2);
    left.edit(json!([{"do": "set", "field": "budget", "value": 2}]));
    right.edit(json!([
        {"do": "set", "field": "budget", "value": 3}, set("state", "accepted"),
    ]));
    meet(&mut left, &mut right);
    assert_eq!(left.versions().len(), 1);
    left.settle("budget", json!(2));
    assert_eq!(left.field("budget"), 2);
    let refused = left.try_edit(None, json!([{"do": "set", "field": "budget", "value": 3}]));
    assert!(refused.is_err());
}

#[test]
fn a_measure_that_is_being_recorded_keeps_its_question() {
    let (mut hub, _) = project();
    let measure = json!({"name": "Fluency", "version": 1, "question": "Ten minutes."});
    hub.edit(json!([{"do": "add", "field": "measures", "id": "m", "values": measure}]));
    hub.edit(json!([
        set("measures/m/question", "Five minutes."),
        set("state", "running")
    ]));
    let why = "an item of 'Measures' keeps what it says: add a new one, and leave the old";
    for change in [
        set("measures/m/question", "Two minutes."),
        json!({"do": "remove", "field": "measures", "item": "m"}),
    ] {
        check_refused(&mut hub, json!([change]), why);
    }
    hub.edit(json!([
        {"do": "add", "field": "measures", "id": "n",
         "values": {"name": "Fluency", "version": 2, "replaces": 1}},
        set("measures/n/question", "Two minutes."),
    ]));
    let values = json!({
        "title": "Autumn", "period": "autumn", "measure": "groups", "measure_version": 1,
        "as_at": "2026-12-31", "cells": [{"id": "c", "cell": "groups", "value": 4}],
    });
    let mut figures = Hub::with_record(1, &RETURN, values);
    let why = "an item of 'Cells' keeps what it says: add a new one, and leave the old";
    check_refused(
        &mut figures,
        json!([{"do": "set", "field": "cells/c/value", "value": 5}]),
        why,
    );
}

#[test]
fn an_item_that_names_another_names_one_that_is_there() {
    let mut board = Hub::with_record(1, &STRATEGIC_GROUP, json!({"title": "Board"}));
    let meeting = json!({"title": "Autumn", "date": "2026-11-24"});
    let paper = |meeting: &str| {
        json!({"do": "add", "field": "papers", "id": "p",
        "values": {"meeting": meeting, "title": "Budget"}})
    };
    // In whatever order they are entered.
    board.edit(json!([
        paper("m"),
        {"do": "add", "field": "meetings", "id": "m", "values": meeting},
    ]));
    let why = "'Meeting' names 'x', which is not among 'Meetings'; name one that is there";
    check_refused(&mut board, json!([set("papers/p/meeting", "x")]), why);
    let page = board.document.heads();
    board.edit(json!([{"do": "add", "field": "meetings", "id": "n", "values": meeting}]));
    let moved = board.try_edit(Some(&page), json!([set("papers/p/meeting", "n")]));
    assert!(
        moved.is_ok(),
        "it is there, though the page does not show it"
    );
}
