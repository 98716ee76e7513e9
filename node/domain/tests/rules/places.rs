//! Places that things need, taken and given back with what is said of them.

use node_domain::{LEADER_DAYS, WORK_GROUP};
use serde_json::{Value as Json, json};

use crate::world::{Hub, meet};

fn group(places: Json) -> Hub {
    let members = json!([
        {"id": "p", "organisation": "Hill School"},
        {"id": "q", "organisation": "Vale College"},
        {"id": "r", "organisation": "Dale School"},
    ]);
    let values = json!({"title": "Year 7", "places": places, "members": members});
    Hub::with_record(1, &WORK_GROUP, values)
}

fn status(member: &str, status: &str, day: u8) -> Json {
    let as_at = format!("2026-09-{day:02}");
    let values = json!({"member": member, "status": status, "as_at": as_at});
    json!({"do": "add", "field": "statuses", "values": values})
}

/// What the last entry in the log says.
fn last(hub: &Hub) -> Json {
    let log = hub.field("statuses");
    let item = log.as_array().and_then(|items| items.last()).cloned();
    item.expect("an item")["status"].clone()
}

#[test]
fn a2_last_place_goes_to_one_of_two_pages_and_the_other_is_told_why() {
    let mut hub = group(json!(1));
    let page = hub.document.heads();
    let accepted = |member: &str| json!([status(member, "accepted", 20)]);
    hub.try_edit(Some(&page), accepted("p")).expect("a place");
    assert!(hub.notes.is_empty());
    hub.try_edit(Some(&page), accepted("q")).expect("waits");
    assert_eq!(
        hub.notes,
        [
            "there is no place left for 'Vale College' (of 'Places' this hub has none left): \
             'waiting' was entered instead of 'accepted'"
        ]
    );
    assert_eq!(last(&hub), "waiting");
    assert_eq!(
        hub.field("places"),
        json!({"issued": 1, "taken": 1, "held": {}, "taken_for": {"p": 1}})
    );
}

#[test]
fn a2_only_the_hub_that_holds_the_place_can_give_it_away() {
    let mut left = group(json!(1));
    let mut right = left.joined_by(2);
    left.edit(json!([status("p", "accepted", 20)]));
    right.edit(json!([status("q", "accepted", 20)]));
    assert_eq!(right.notes.len(), 1);
    meet(&mut left, &mut right);
    assert_eq!(left.field("places")["taken"], 1);
}

#[test]
fn several_items_of_one_edit_see_each_other_and_a_place_given_back_is_free_again() {
    let mut hub = group(json!(2));
    hub.edit(json!([
        status("p", "accepted", 20),
        status("q", "accepted", 20),
        status("r", "accepted", 20),
    ]));
    assert_eq!(hub.notes.len(), 1);
    assert_eq!(last(&hub), "waiting");
    hub.edit(json!([
        status("p", "started", 21),
        status("p", "completed", 22)
    ]));
    assert_eq!(hub.field("places")["taken"], 2);
    hub.edit(json!([
        status("q", "withdrawn", 21),
        status("r", "accepted", 21)
    ]));
    assert!(hub.notes.is_empty());
    assert_eq!(hub.field("places")["taken"], 2);
    // What was so on an earlier day does not change where somebody stands now.
    hub.edit(json!([status("q", "started", 20)]));
    assert_eq!(hub.field("places")["taken"], 2);
}

#[test]
fn two_items_of_an_old_page_cannot_spend_one_place_twice() {
    let mut hub = group(json!(2));
    let page = hub.document.heads();
    hub.edit(json!([status("p", "accepted", 20)]));
    let both = json!([status("q", "accepted", 20), status("r", "accepted", 20)]);
    hub.try_edit(Some(&page), both).expect("one of them waits");
    assert_eq!(hub.notes.len(), 1);
    let held = hub.field("places");
    let q_or_r = held["taken_for"]["q"] != held["taken_for"]["r"];
    assert!(held["taken_for"]["p"] == 1 && q_or_r, "{held}");
    assert_eq!((&held["issued"], &held["taken"]), (&json!(2), &json!(2)));
    let take = json!([{"do": "take", "field": "places", "count": 1}]);
    assert!(hub.try_edit(Some(&page), take).is_err());
    let back = json!([{"do": "give_back", "field": "places", "count": 1}]);
    assert!(
        hub.try_edit(None, back).is_err(),
        "it is taken for somebody"
    );
}

#[test]
fn of_two_pages_that_say_different_things_for_one_day_the_place_stays_until_one_is_seen() {
    let mut orders = Vec::new();
    for name in 1..=8 {
        let values = json!({
            "title": "Year 7", "places": 1, "members": [{"id": "p", "organisation": "Hill School"}],
        });
        let mut hub = Hub::with_record(name, &WORK_GROUP, values);
        let page = hub.document.heads();
        hub.edit(json!([status("p", "accepted", 20)]));
        hub.try_edit(Some(&page), json!([status("p", "withdrawn", 20)]))
            .expect("allowed");
        assert_eq!(hub.field("places")["taken"], 1);
        orders.push(last(&hub));
        hub.edit(json!([status("p", "waiting", 21)]));
        assert_eq!(hub.field("places")["taken"], 0);
    }
    // Which of the two comes last in the log is as good as chance.
    assert!(orders.contains(&json!("accepted")) && orders.contains(&json!("withdrawn")));
}

#[test]
fn without_places_there_is_no_bound_and_it_begins_with_what_stands() {
    let mut hub = group(Json::Null);
    hub.edit(json!([
        status("p", "accepted", 20),
        status("q", "accepted", 20)
    ]));
    assert!(hub.notes.is_empty());
    hub.edit(json!([{"do": "issue", "field": "places", "count": 2}]));
    assert_eq!(hub.field("places")["taken"], 2);
    hub.edit(json!([status("r", "accepted", 20)]));
    assert_eq!(hub.notes.len(), 1);
}

#[test]
fn a_hub_speaks_with_its_own_places_alone() {
    let mut left = group(json!(2));
    let mut right = left.joined_by(2);
    let other = right.author.hub.to_string();
    left.edit(json!([status("p", "accepted", 20)]));
    meet(&mut left, &mut right);
    let started = json!([status("p", "started", 21)]);
    let refused = right.try_edit(None, started.clone()).unwrap_err();
    let why = "'Hill School' (of 'Places' this hub has none left); what was said before stands";
    assert!(refused.to_string().contains(why), "{refused}");
    left.edit(json!([{"do": "pass", "field": "places", "to": other, "count": 1}]));
    meet(&mut left, &mut right);
    right.edit(started);
    meet(&mut left, &mut right);
    assert_eq!(left.field("places")["taken"], 2);
    // The place of what another hub has taken over comes back to the first.
    left.edit(json!([status("q", "accepted", 21)]));
    assert!(left.notes.is_empty());
    assert_eq!(left.field("places")["taken"], 2);
}

#[test]
fn h7_the_last_days_of_a_leader_are_confirmed_once() {
    let mut home = Hub::with_record(
        1,
        &LEADER_DAYS,
        json!({"title": "Secondary", "leader": "abcd", "term": "autumn", "days": 3}),
    );
    let (mut north, mut south) = (home.joined_by(2), home.joined_by(3));
    let request = |id: &str, days: u8, need: &str| {
        let values = json!({"days": days, "need": need});
        json!([{"do": "add", "field": "requests", "id": id, "values": values}])
    };
    north.edit(request("n", 2, "A-level teaching"));
    south.edit(request("s", 2, "Mechanics"));
    let asked = [north.sent.clone(), south.sent.clone()].concat();
    for hub in [&mut home, &mut north, &mut south] {
        hub.document.apply(&asked);
    }
    let answer = |request: &str, answer: &str, days: u8| {
        let values = json!({"request": request, "answer": answer, "days": days});
        json!([{"do": "add", "field": "answers", "values": values}])
    };
    let refused = north.try_edit(None, answer("n", "confirmed", 2));
    assert!(refused.is_err(), "the leader's own hub answers");
    home.edit(answer("n", "confirmed", 2));
    home.edit(answer("s", "confirmed", 2));
    assert_eq!(
        home.notes,
        [
            "there is no place left for 'Mechanics' (of 'Days' this hub has 1 left): 'declined' \
             was entered instead of 'confirmed'"
        ]
    );
    home.edit(answer("n", "confirmed", 3));
    assert!(home.notes.is_empty());
    let more = home
        .try_edit(None, answer("n", "confirmed", 4))
        .unwrap_err();
    assert!(more.to_string().contains("what was said before stands"));
    home.edit(answer("n", "cancelled", 3));
    assert_eq!(home.field("days")["taken"], 0);
    home.edit(answer("s", "confirmed", 2));
    meet(&mut home, &mut north);
    assert_eq!(north.field("days")["taken"], 2, "the other is told");
}
