//! Needs that several people rank.

use node_domain::{PLAN, WORK_GROUP, ranking};
use serde_json::{Value as Json, json};

use crate::world::{Hub, meet};

fn score(need: &str, member: &str, severity: u8) -> Json {
    let values = json!({"need": need, "member": member, "severity": severity});
    json!({"do": "add", "field": "severities", "values": values})
}

#[test]
fn h1_every_score_is_kept_and_the_chair_confirms_the_order_that_follows() {
    let needs = (1..=4).map(|n| json!({"id": format!("n{n}"), "statement": format!("Need {n}")}));
    let mut left = Hub::with_record(
        1,
        &PLAN,
        json!({"title": "Plan", "needs": needs.collect::<Vec<_>>()}),
    );
    let mut right = left.joined_by(2);
    left.edit(json!([
        score("n1", "ann", 5),
        score("n1", "ann", 1),
        score("n2", "ann", 3),
        score("n3", "ann", 5),
    ]));
    right.edit(json!([
        score("n1", "bob", 2),
        score("n2", "bob", 2),
        score("n3", "bob", 3)
    ]));
    meet(&mut left, &mut right);
    let ranked = ranking(&left.document.view(), &PLAN).expect("needs are ranked");
    let told = ranked
        .iter()
        .map(|it| (it.title.as_str(), it.mean_hundredths, it.differs));
    assert_eq!(
        told.collect::<Vec<_>>(),
        [
            ("Need 3", Some(400), true),
            ("Need 2", Some(250), false),
            ("Need 1", Some(150), false),
            ("Need 4", None, false),
        ]
    );
    let scores = [("ann".to_owned(), 5), ("bob".to_owned(), 3)];
    assert_eq!(ranked[0].scores, scores);
    left.edit(json!([{"do": "confirm", "field": "needs"}]));
    let order = (0..4).map(|at| left.item("needs", at));
    assert_eq!(order.collect::<Vec<_>>(), ["n3", "n2", "n1", "n4"]);
    let decision = &left.field("decisions")[0];
    assert_eq!(decision["about"], "Order of 'Needs', 1970-01-01");
    assert_eq!(
        decision["outcome"],
        "1. Need 3 (4.00); 2. Need 2 (2.50); 3. Need 1 (1.50); 4. Need 4 (no score)"
    );
    assert_eq!(decision["on"], "1970-01-01");
    right.edit(json!([{"do": "confirm", "field": "needs", "about": "Autumn ranking"}]));
    assert_eq!(right.field("decisions")[0]["about"], "Autumn ranking");
}

#[test]
fn what_nobody_scored_and_what_is_not_ranked_cannot_be_confirmed() {
    let mut plan = Hub::with_record(1, &PLAN, json!({"title": "Plan"}));
    let confirm = |field: &str| json!([{"do": "confirm", "field": field}]);
    let early = plan.try_edit(None, confirm("needs")).unwrap_err();
    assert!(early.to_string().contains("nobody has given a score yet"));
    let other = plan.try_edit(None, confirm("items")).unwrap_err();
    assert!(other.to_string().contains("'items' is not put into order"));
    let group = Hub::with_record(1, &WORK_GROUP, json!({"title": "Year 7"}));
    assert_eq!(ranking(&group.document.view(), &WORK_GROUP), None);
}
