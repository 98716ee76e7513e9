//! Who sees and writes what.

use node_domain::{
    COMMISSION, ChangedBy, FieldChange, Kind, May, Object, PLAN, Problem, STRATEGIC_GROUP,
    WORK_GROUP, check_changes, delegations, role, visible,
};
use serde_json::{Value as Json, json};
use time::Date;
use time::macros::date;

use crate::world::Hub;

fn may(name: &str, kind: &Kind) -> &'static May {
    let role = role(name).expect("a role");
    role.with_kind(kind.name).next().expect("sees the kind")
}

fn seen(name: &str, kind: &Kind, hub: &Hub) -> Object {
    visible(may(name, kind), kind, hub.read())
}

fn changes(name: &str, kind: &Kind, changes: Json) -> Result<(), Problem> {
    let changes = serde_json::from_value::<Vec<FieldChange>>(changes).expect("changes");
    let by = ChangedBy {
        holder: "h",
        fields: &Object::new(),
    };
    check_changes(may(name, kind), kind, by, &changes)
}

#[test]
fn p1_the_board_has_all_papers_and_plans_and_nothing_of_participants() {
    let board = Hub::with_record(
        1,
        &STRATEGIC_GROUP,
        json!({"title": "Board", "meetings": [{"id": "m", "title": "May", "date": "2026-05-04"}],
            "papers": [{"meeting": "m", "title": "Budget", "text": "All of it."}]}),
    );
    let member = "strategic group member";
    assert_eq!(seen(member, &STRATEGIC_GROUP, &board), board.read());
    let plan = Hub::with_record(
        1,
        &PLAN,
        json!({"title": "Plan", "board_comments": [{"text": "Too much."}]}),
    );
    assert_eq!(seen(member, &PLAN, &plan), plan.read());
    let group = Hub::with_record(
        1,
        &WORK_GROUP,
        json!({"title": "Year 7", "members": [{"id": "m", "organisation": "Hill", "person": "p1"}],
            "leaders": [{"person": "p2"}], "statuses": [],
            "ratings": [{"leader": "p2", "outcome": "pupils", "rating": 3}]}),
    );
    let text = Json::Object(seen(member, &WORK_GROUP, &group)).to_string();
    assert!(text.contains("Year 7") && text.contains("pupils"));
    for hidden in ["Hill", "p1", "p2"] {
        assert!(!text.contains(hidden), "{text}");
    }
    assert_eq!(role(member).expect("a role").with_kind("person").count(), 0);
}

#[test]
fn the_board_scores_needs_and_its_chair_alone_fixes_their_order() {
    let score = json!([{"do": "add", "field": "severities",
        "values": {"need": "n", "member": "p", "severity": 4}}]);
    let confirm = json!([{"do": "confirm", "field": "needs"}]);
    let (member, chair) = ("strategic group member", "chair");
    assert_eq!(changes(member, &PLAN, score.clone()), Ok(()));
    assert_eq!(changes(chair, &PLAN, score), Ok(()));
    assert!(changes(member, &PLAN, confirm.clone()).is_err());
    assert_eq!(changes(chair, &PLAN, confirm), Ok(()));
}

#[test]
fn p2_a_partner_marks_a_deliverable_done_and_never_changes_an_amount() {
    let staff = "partner's staff";
    let done = json!([
        {"do": "set", "field": "deliverables/d/state", "value": "done"},
        {"do": "set", "field": "deliverables/d/evidence", "value": "Six groups met."},
    ]);
    assert_eq!(changes(staff, &COMMISSION, done), Ok(()));
    for refused in [
        json!([{"do": "set", "field": "budget", "value": 1}]),
        json!([{"do": "add", "field": "money", "values": {"pence": 1}}]),
        json!([{"do": "set", "field": "deliverables/d/title", "value": "Less"}]),
        json!([{"do": "add", "field": "deliverables", "values": {"state": "done"}}]),
        json!([{"do": "remove", "field": "deliverables", "item": "d"}]),
    ] {
        assert!(changes(staff, &COMMISSION, refused).is_err());
    }
    let refused = json!([{"do": "set", "field": "budget", "value": 1}]);
    assert_eq!(
        changes(staff, &COMMISSION, refused).unwrap_err().message,
        "this role does not change 'Budget' of a commission; it changes 'Deliverables: State', \
         'Deliverables: Evidence' alone"
    );
    let commission = Hub::with_record(
        1,
        &COMMISSION,
        json!({"title": "Number", "budget": 400_000, "notes": "Our own."}),
    );
    let seen = seen(staff, &COMMISSION, &commission);
    assert_eq!(seen["budget"], 400_000);
    assert!(!seen.contains_key("notes"));
}

#[test]
fn h3_a_delegated_role_holds_for_its_groups_until_the_day_and_ends_by_itself() {
    let delegation = |group: &str| {
        json!({"group": group, "role": "administrator", "from": "2026-09-01",
            "until": "2027-08-31"})
    };
    let mut hub = Hub::with_record(
        1,
        &COMMISSION,
        json!({"title": "Number", "partner": "p", "budget": 400_000,
            "delegations": [delegation("g1"), delegation("g2")]}),
    );
    assert!(
        delegations(&hub.document.view()).is_empty(),
        "a draft passes nothing on"
    );
    let step = |state: &str| json!([{"do": "set", "field": "state", "value": state}]);
    hub.edit(step("offered"));
    hub.edit(step("accepted"));
    let found = delegations(&hub.document.view());
    let groups = found.iter().map(|delegation| delegation.group.as_str());
    assert_eq!(groups.collect::<Vec<_>>(), ["g1", "g2"]);
    assert_eq!(found[0].role, "administrator");
    let holds = |day: Date| found[0].holds_on(day);
    assert!(holds(date!(2026 - 09 - 01)) && holds(date!(2027 - 08 - 31)));
    assert!(!holds(date!(2026 - 08 - 31)) && !holds(date!(2027 - 09 - 01)));
    hub.edit(step("withdrawn"));
    assert!(delegations(&hub.document.view()).is_empty());
}

#[test]
fn a_participant_adds_and_changes_only_the_own_reflections() {
    let standing = json!({"reflections": [
        {"id": "mine", "person": "h", "text": "Mine"}, {"id": "theirs", "person": "o"},
    ]});
    let standing = standing.as_object().cloned().unwrap_or_default();
    let by = ChangedBy {
        holder: "h",
        fields: &standing,
    };
    let group = may("participant", &WORK_GROUP);
    let tried = |change: Json| {
        let change = serde_json::from_value::<FieldChange>(change).expect("a change");
        check_changes(group, &WORK_GROUP, by, &[change])
    };
    for own in [
        json!({"do": "add", "field": "reflections", "values": {"person": "h", "text": "New"}}),
        json!({"do": "set", "field": "reflections/mine/text", "value": "Again"}),
        json!({"do": "remove", "field": "reflections", "item": "mine"}),
    ] {
        assert_eq!(tried(own), Ok(()));
    }
    for others in [
        json!({"do": "add", "field": "reflections", "values": {"person": "o", "text": "False"}}),
        json!({"do": "add", "field": "reflections", "values": {"text": "Nobody's"}}),
        json!({"do": "add", "field": "reflections", "id": "theirs", "values": {"person": "h"}}),
        json!({"do": "set", "field": "reflections/theirs/text", "value": "Taken"}),
        json!({"do": "set", "field": "reflections/theirs/person", "value": "h"}),
        json!({"do": "set", "field": "reflections/mine/person", "value": "o"}),
        json!({"do": "set", "field": "reflections", "value": []}),
        json!({"do": "remove", "field": "reflections", "item": "theirs"}),
        json!({"do": "move", "field": "reflections", "item": "theirs"}),
    ] {
        let refused = tried(others.clone()).expect_err("refused").message;
        assert!(
            refused.contains("only its holder's own items"),
            "{others}: {refused}"
        );
    }
}
