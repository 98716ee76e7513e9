//! A hub's evaluation of a year.

use node_domain::{FieldChange, Object, evaluation};
use serde_json::{Value as Json, json};

use crate::object;

fn group(at: usize, state: &str, ratings: &[(&str, &str, i64)]) -> Object {
    let ratings = ratings.iter().map(
        |(leader, outcome, rating)| json!({"leader": leader, "outcome": outcome, "rating": rating}),
    );
    object(json!({
        "title": format!("Group {at}"), "year": "2026-27", "state": state,
        "ratings": ratings.collect::<Json>(), "narrative": if at == 0 { "Much." } else { "" },
    }))
}

/// Nine finished groups, the leaders of two of which disagree, and one that still runs.
fn groups() -> Vec<(String, Object)> {
    let groups = (0..10).map(|at| {
        let group = match at {
            0 => group(at, "completed", &[("a", "pupils", 4), ("b", "pupils", 1)]),
            1 => group(
                at,
                "completed",
                &[("a", "practice", 2), ("b", "practice", 3)],
            ),
            // Said again, it is said otherwise.
            2 => group(at, "completed", &[("a", "pupils", 1), ("a", "pupils", 3)]),
            9 => group(at, "running", &[("a", "pupils", 1)]),
            _ => group(at, "completed", &[("a", "pupils", 3), ("b", "pupils", 3)]),
        };
        (format!("g{at}"), group)
    });
    groups.collect()
}

#[test]
fn h9_ratings_come_from_the_groups_and_leaders_who_disagree_are_listed() {
    let groups = groups();
    let groups = || groups.iter().map(|(id, group)| (id.as_str(), group));
    let found = evaluation("2026-27", groups());
    assert_eq!(found.groups, 9);
    let outcomes = found.outcomes.iter();
    let outcomes = outcomes.map(|one| (one.outcome.as_str(), one.mean, one.groups, one.ratings));
    // Each group counts once: (250 + 7 × 300) / 8.
    assert_eq!(
        outcomes.collect::<Vec<_>>(),
        [("practice", 250, 1, 2), ("pupils", 294, 8, 15)]
    );
    let disagreeing = found
        .disagreeing
        .iter()
        .map(|one| (one.group.as_str(), &one.ratings[..]));
    assert_eq!(
        disagreeing.collect::<Vec<_>>(),
        [("g0", &[4, 1][..]), ("g1", &[2, 3][..])]
    );
    assert_eq!(found.narratives.len(), 1);
    assert_eq!(evaluation("2025-26", groups()).groups, 0);
    assert_eq!(evaluation("", groups()), found, "no year is all of them");
}

#[test]
fn h9_the_plan_takes_the_ratings_and_keeps_what_people_wrote() {
    let groups = groups();
    let found = evaluation(
        "2026-27",
        groups.iter().map(|(id, group)| (id.as_str(), group)),
    );
    let plan = object(json!({"outcomes": [
        {"id": "own", "outcome": "pupils", "rating": 294, "groups": 7, "narrative": "Ours."},
    ]}));
    let changes = found.changes(&plan);
    assert_eq!(
        changes,
        [
            FieldChange::Add {
                field: "outcomes".to_owned(),
                after: None,
                id: Some("practice".to_owned()),
                values: object(json!({"outcome": "practice", "rating": 250, "groups": 1})),
            },
            FieldChange::set("outcomes/own/groups", 8),
        ]
    );
}
