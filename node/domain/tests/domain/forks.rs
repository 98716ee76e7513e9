//! Records made from others, and what is offered to them.

use node_domain::{PLAN, PRACTICE, fork, offers};
use node_feed::SpaceKind;
use serde_json::{Value as Json, json};

use crate::publishing::{by_program, publish_into, with_copy};
use crate::world::Hub;

#[test]
fn w8_a_practice_keeps_its_first_maker_on_every_way() {
    let made = Hub::with_record(1, &PRACTICE, json!({"title": "Bars", "body": "One.\nTwo."}));
    let shared = publish_into(&made, &PRACTICE, SpaceKind::Project, &[]).expect("clean");
    let shared = with_copy(3, &shared);
    let heads = shared.document.heads().to_string();
    let values = fork(&shared.document.view(), &PRACTICE, "abcd", &heads, "south");
    let values = Json::Object(values.expect("a practice is forked"));
    assert_eq!(
        values,
        json!({
            "title": "Bars", "body": "One.\nTwo.", "tags": [], "fork_of": "abcd",
            "fork_heads": heads, "first_made_by": "north",
        })
    );
    let forked = by_program(4, &PRACTICE, values);
    assert_eq!(forked.field("state"), "idea", "a fork begins anew");
    let again = publish_into(&forked, &PRACTICE, SpaceKind::Project, &[]).expect("clean");
    assert_eq!(again.fields["first_made_by"], "north");
    assert_eq!(again.fields["fork_of"], "abcd");
    let plan = Hub::with_record(1, &PLAN, json!({"title": "Plan"}));
    let refused = fork(&plan.document.view(), &PLAN, "abcd", "", "north").expect_err("no fork");
    assert!(
        refused
            .to_string()
            .starts_with("a plan is not made from another")
    );
}

#[test]
fn p5_changes_to_the_original_are_offered_one_by_one() {
    let first = json!({"title": "Bars", "body": "One.\nTwo.\nThree.", "tags": ["ratio"]});
    let mut original = Hub::with_record(1, &PRACTICE, first.clone());
    let mut forked = Hub::with_record(2, &PRACTICE, first);
    let then = original.read();
    forked.edit(json!([{"do": "set", "field": "body", "value": "One.\nMine.\nThree."}]));
    let offered =
        |original: &Hub, forked: &Hub| offers(&PRACTICE, &then, &original.read(), &forked.read());
    assert!(offered(&original, &forked).is_empty());
    original.edit(json!([
        {"do": "set", "field": "title", "value": "Bar models"},
        {"do": "set", "field": "body", "value": "One!\nTwo.\nThree.\nFour."},
        {"do": "include", "field": "tags", "element": "models"},
        {"do": "exclude", "field": "tags", "element": "ratio"},
        {"do": "count", "field": "uses", "by": 1},
    ]));
    let all = offered(&original, &forked);
    let fields = all
        .iter()
        .map(|offer| offer.field.as_str())
        .collect::<Vec<_>>();
    assert_eq!(fields, ["title", "body", "body", "tags", "tags"]);
    let shown = [&all[1].then, &all[1].now, &all[1].mine];
    assert_eq!(shown, ["One.", "One!", "One."]);
    let mut left = all.len();
    while let Some(offer) = offered(&original, &forked).first() {
        forked.edit(serde_json::to_value([&offer.change]).expect("a change"));
        left -= 1;
        assert_eq!(offered(&original, &forked).len(), left);
    }
    assert_eq!(forked.field("body"), "One!\nMine.\nThree.\nFour.");
    assert_eq!(forked.field("title"), "Bar models");
    assert_eq!(forked.field("tags"), json!(["models"]));
}
