//! A project across its hubs, and what they say of its findings.

use std::collections::BTreeMap;

use node_domain::{Object, comparison, synthesis};
use serde_json::{Value as Json, json};

use crate::object;

/// Twelve hubs, of which nine support the first finding and two dispute it.
fn project() -> Object {
    let participation = (0..12).map(|hub| {
        let status = if hub == 11 { "left" } else { "active" };
        json!({"hub": format!("hub{hub:02}"), "status": status, "quota": 4, "adaptations": ""})
    });
    let positions = (0..11).map(|hub| {
        let stance = if hub < 9 { "for" } else { "against" };
        json!({
            "finding": "f1", "hub": format!("id{hub}"), "stance": stance,
            "reason": format!("reason {hub}"), "evidence": format!("evidence {hub}"),
        })
    });
    object(json!({
        "code": "NCP24-11", "title": "Ratio", "state": "running",
        "participation": participation.collect::<Json>(),
        "findings": [
            {"id": "f1", "claim": "Bars help", "evidence": "12 groups", "hub": "id0"},
            {"id": "f2", "claim": "Talk helps", "hub": "id1"},
        ],
        "positions": positions.collect::<Json>(),
    }))
}

fn codes() -> BTreeMap<String, String> {
    (0..12)
        .map(|hub| (format!("id{hub}"), format!("hub{hub:02}")))
        .collect()
}

#[test]
fn n8_both_views_of_a_finding_stay_with_their_evidence() {
    let findings = synthesis(&project(), &codes());
    assert_eq!(findings[0].counts(), (9, 2));
    assert_eq!(findings[0].found_by, "hub00");
    let against = &findings[0].against[1];
    assert_eq!(
        (
            against.hub.as_str(),
            against.reason.as_str(),
            against.evidence.as_str()
        ),
        ("hub10", "reason 10", "evidence 10")
    );
    assert_eq!(findings[1].counts(), (0, 0));
}

#[test]
fn n8_a_hub_that_changes_its_mind_counts_once_and_its_earlier_word_is_kept() {
    let mut project = project();
    let positions = project["positions"].as_array_mut().expect("a log");
    positions.push(json!({"finding": "f1", "hub": "id0", "stance": "against", "reason": "anew"}));
    positions.push(json!({"finding": "f1", "hub": "id5", "stance": "undecided"}));
    let findings = synthesis(&project, &codes());
    assert_eq!(findings[0].counts(), (7, 3));
    let earlier = findings[0]
        .earlier
        .iter()
        .map(|position| position.stance.as_str());
    assert_eq!(earlier.collect::<Vec<_>>(), ["for", "for", "undecided"]);
}

#[test]
fn n4_hubs_are_compared_and_never_a_person() {
    let summary = |project: &str, held: i64, origin: &str| {
        object(json!({
            "project": project, "state": "running", "sessions_held": held, "origin": origin,
            "schools": [
                {"urn": "106001", "status": "completed"},
                {"urn": format!("10600{held}"), "status": "accepted"},
                {"urn": "106009", "status": "withdrawn"}, {"urn": "106008", "status": "waiting"},
                {"urn": "106007"},
            ],
            "outcomes": [
                {"outcome": "pupils", "mean": 100 * held, "count": held},
                {"outcome": "practice", "mean": 300, "count": 1},
            ],
            "adaptations": "shorter sessions", "leaders": [{"person": "secretperson"}],
        }))
    };
    let summaries = [
        ("hub03", summary("NCP24-11", 2, "a")),
        ("hub03", summary("NCP24-11", 3, "b")),
        ("hub03", summary("NCP24-11", 3, "b")),
        ("hub04", summary("NCP24-12", 4, "c")),
        ("hub88", summary("NCP24-11", 4, "d")),
    ];
    let summaries = summaries.iter().map(|(hub, summary)| (*hub, summary));
    let compared = comparison(&project(), summaries, &codes());
    assert_eq!(
        compared.hubs.len(),
        13,
        "twelve, and one that published without taking part"
    );
    let hub = &compared.hubs[3];
    assert_eq!((hub.hub.as_str(), hub.status.as_str()), ("hub03", "active"));
    assert_eq!((hub.groups, hub.sessions_held, hub.schools), (2, 5, 3));
    let outcomes = hub.outcomes.iter();
    let outcomes = outcomes.map(|one| (one.outcome.as_str(), one.mean, one.ratings));
    // (2 × 200 + 3 × 300) / 5, and in the order in which outcomes are declared.
    assert_eq!(
        outcomes.collect::<Vec<_>>(),
        [("practice", 300, 2), ("pupils", 260, 5)]
    );
    assert_eq!(hub.adaptations, ["shorter sessions"]);
    assert_eq!(
        (compared.hubs[4].groups, compared.hubs[11].status.as_str()),
        (0, "left")
    );
    assert_eq!(compared.hubs[9].against, ["Bars help"]);
    assert_eq!(compared.disputed.len(), 1);
    let told = serde_json::to_string(&compared).expect("plain values");
    assert!(!told.contains("secretperson"));
}

#[test]
fn a_cancelled_group_reaches_no_school_and_numbers_beyond_all_measure_crash_nothing() {
    let summary = |state: &str| {
        object(json!({
            "project": "NCP24-11", "state": state, "sessions_held": i64::MAX,
            "schools": [{"urn": "106001", "status": "started"}],
            "outcomes": [{"outcome": "pupils", "mean": i64::MAX, "count": i64::MAX}],
        }))
    };
    let compared = |summaries: &[Object]| {
        let summaries = summaries.iter().map(|summary| ("hub03", summary));
        comparison(&project(), summaries, &codes())
    };
    let cancelled = compared(&[summary("cancelled")]);
    assert_eq!((cancelled.schools, cancelled.hubs[3].groups), (0, 1));
    let twice = compared(&[summary("running"), summary("running")]);
    assert_eq!(twice.schools, 1);
    assert_eq!(twice.hubs[3].sessions_held, i64::MAX);
}
