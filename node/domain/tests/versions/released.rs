//! What guests see of the forum.

use node_domain::{FORUM_THREAD, endorsements, released};
use serde_json::json;

use crate::world::{Hub, meet};

#[test]
fn f2_f5_a_guest_sees_a_position_once_sent_with_exact_endorsements_and_corrections_marked() {
    let mut left = Hub::with_record(
        1,
        &FORUM_THREAD,
        json!({"title": "Funding", "asked_by": "The ministry", "position": "We agree. Half is enough."}),
    );
    let mut right = left.joined_by(2);
    let endorse = |code: &str| json!([{"do": "include", "field": "endorsements", "element": code}]);
    let step = |state: &str| json!([{"do": "set", "field": "state", "value": state}]);
    left.edit(step("drafting"));
    left.edit(endorse("north"));
    meet(&mut left, &mut right);
    assert!(released(&left.document, &FORUM_THREAD).is_none());
    left.edit(json!([{"do": "set", "field": "position", "value": "We agree. Half would do."}]));
    meet(&mut left, &mut right);
    right.edit(endorse("south"));
    left.edit(step("sent"));
    meet(&mut left, &mut right);
    let view = released(&left.document, &FORUM_THREAD).expect("sent");
    assert_eq!(view.fields["asked_by"], "The ministry");
    assert!(!view.fields.contains_key("position") && !view.fields.contains_key("posts"));
    assert_eq!(view.copies.len(), 1);
    let copy = &view.copies[0];
    assert_eq!(copy.text, "We agree. Half would do.");
    let exact = copy
        .endorsed
        .iter()
        .map(|given| (given.element.as_str(), given.hub));
    assert_eq!(exact.collect::<Vec<_>>(), [("south", right.author.hub)]);
    assert_eq!(copy.changed_from, None);
    let stale = endorsements(&left.document, &FORUM_THREAD);
    let stale = stale.iter().filter(|given| !given.exact);
    assert_eq!(
        stale
            .map(|given| given.element.as_str())
            .collect::<Vec<_>>(),
        ["north"]
    );
    // Withdrawing beats endorsing.
    right.edit(json!([{"do": "exclude", "field": "endorsements", "element": "south"}]));
    let view = released(&right.document, &FORUM_THREAD).expect("sent");
    assert!(view.copies[0].endorsed.is_empty());
    left.edit(step("drafting"));
    left.edit(json!([{"do": "set", "field": "position", "value": "We agree. All is needed."}]));
    left.edit(step("sent"));
    let view = released(&left.document, &FORUM_THREAD).expect("sent");
    let last = &view.copies[1];
    assert_eq!(last.changed_from, Some(1));
    assert_eq!(last.taken_away, ["Half would do."]);
    assert_eq!(last.added, ["All is needed."]);
}
