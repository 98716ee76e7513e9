//! Who fills a field in, and what no form takes.

use node_domain::{PLAN, PRACTICE, PROJECT_WORK, RETURN, STRATEGIC_GROUP, WORK_GROUP, create};
use serde_json::{Value as Json, json};

use crate::world::{Hub, object};

#[track_caller]
fn check_refused(hub: &mut Hub, change: Json, why: &str) {
    let refused = hub
        .try_edit(None, json!([change]))
        .expect_err("it is against a rule");
    assert_eq!(refused.to_string(), why);
}

#[test]
fn what_the_program_fills_in_is_refused_by_name_from_a_person_and_taken_from_the_program() {
    let mut plan = Hub::with_record(1, &PLAN, json!({"title": "Plan"}));
    let copy = json!({"do": "add", "field": "copies", "values": {"state": "agreed"}});
    check_refused(&mut plan, copy, "'Kept copies' is filled in by itself");
    let set = json!({"do": "set", "field": "origin", "value": "abc"});
    check_refused(&mut plan, set.clone(), "'Origin' is filled in by itself");
    let mut practice = Hub::with_record(1, &PRACTICE, json!({"title": "Bar models"}));
    let fork = json!({"do": "set", "field": "fork_of", "value": "abc"});
    check_refused(&mut practice, fork, "'Made from' is filled in by itself");
    plan.program = true;
    plan.edit(json!([set]));
    assert_eq!(plan.field("origin"), "abc");
    let mut figures = Hub::new(1, plan.document.emptied());
    let values = object(json!({
        "title": "Autumn", "period": "autumn", "measure": "groups", "measure_version": 1,
        "as_at": "2026-12-31", "computed_at": "now",
    }));
    let refused = create(&figures.document, &RETURN, &values, &figures.by()).unwrap_err();
    assert_eq!(refused.to_string(), "'Computed at' is filled in by itself");
    figures.program = true;
    assert!(create(&figures.document, &RETURN, &values, &figures.by()).is_ok());
}

#[test]
fn who_wrote_an_item_is_never_entered_and_never_stored() {
    let mut hub = Hub::with_record(1, &PROJECT_WORK, json!({"code": "P", "title": "Project"}));
    let finding = json!({"claim": "It helps.", "hub": "somebody else"});
    let add = json!({"do": "add", "field": "findings", "values": finding});
    check_refused(
        &mut hub,
        add.clone(),
        "'Findings: Found by' is filled in by itself",
    );
    hub.program = true;
    hub.edit(json!([add]));
    let item = hub.item("findings", 0);
    let stored = hub.document.view().get(&["findings", &item, "hub"]);
    assert_eq!(stored, None);
}

#[test]
fn a_person_is_named_by_card_and_addresses_stand_in_cards_alone() {
    let mut board = Hub::with_record(1, &STRATEGIC_GROUP, json!({"title": "Board"}));
    let member = json!({"do": "add", "field": "members", "values": {"person": "Jane Doe"}});
    let refused = board.try_edit(None, json!([member])).unwrap_err();
    let advice = "write the person's card id; make a card for them first";
    assert!(refused.to_string().contains(advice), "{refused}");
    let mut group = Hub::with_record(
        1,
        &WORK_GROUP,
        json!({"title": "Year 7", "notes": "Ask j.doe@hill.sch.uk."}),
    );
    let session = json!({"date": "2026-11-03", "plan": "Mail <j.doe@hill.sch.uk> first."});
    for change in [
        json!({"do": "set", "field": "evidence", "value": "See j.doe@hill.sch.uk, please."}),
        json!({"do": "set", "field": "priority", "value": "j.doe@hill.sch.uk"}),
        json!({"do": "add", "field": "sessions", "values": session}),
    ] {
        let refused = group.try_edit(None, json!([change])).unwrap_err();
        let why = "holds the e-mail address j.doe@hill.sch.uk; people's addresses stand in their \
                   cards alone";
        assert!(refused.to_string().contains(why), "{refused}");
    }
    assert_eq!(group.field("notes"), "Ask j.doe@hill.sch.uk.");
}

#[test]
fn what_the_program_brings_in_stands_as_it_stood() {
    let mut first = Hub::with_record(
        1,
        &WORK_GROUP,
        json!({
            "title": "Year 7", "places": 3, "state": "recruiting",
            "members": [{"id": "m1", "organisation": "Hill"}, {"id": "m2", "organisation": "Vale"}],
        }),
    );
    let status = |member: &str, status: &str| {
        let values = json!({"member": member, "status": status, "as_at": "2026-09-20"});
        json!({"do": "add", "field": "statuses", "values": values})
    };
    first.edit(json!([status("m1", "accepted"), status("m2", "applied")]));
    first.edit(json!([
        {"do": "pass", "field": "places", "to": "another", "count": 1},
        {"do": "set", "field": "state", "value": "running"},
    ]));
    let mut values = first.read();
    values.shift_remove("kind_of_record");
    let mut again = Hub::new(1, first.document.emptied());
    again.author.writer = [7; 32];
    again.program = true;
    let made = create(&again.document, &WORK_GROUP, &values, &again.by()).expect("as it stood");
    again.save(&made);
    assert_eq!(again.read(), first.read());
    // The member's place is still hers, and comes back with her withdrawal.
    again.program = false;
    again.edit(json!([status("m1", "withdrawn"), status("m2", "accepted")]));
    assert!(again.notes.is_empty(), "{:?}", again.notes);
    assert_eq!(again.field("places")["taken"], 1);
}
