//! What leaves a hub, and what does not.

use node_domain::{GROUP_SUMMARY, PROJECT, WORK_GROUP, figures, publish};
use node_feed::HubId;
use serde_json::{Value as Json, json};

use crate::world::Hub;

const ALL: &[&str] = &[
    "code",
    "title",
    "kind",
    "phase",
    "project",
    "year",
    "state",
    "sessions_held",
    "accepted",
    "started",
    "withdrawn",
    "completed",
    "schools",
];

fn group() -> Hub {
    let mut hub = Hub::with_record(
        1,
        &WORK_GROUP,
        json!({
            "title": "Year 7 ratio", "project": "NCP24-11", "phase": "secondary",
            "sessions": [
                {"date": "2026-10-06", "state": "held"}, {"date": "2026-11-03", "state": "held"},
                {"date": "2026-12-01"},
            ],
            "members": [
                {"id": "m1", "organisation": "Hill School", "urn": "106001", "person": "abcd"},
                {"id": "m2", "organisation": "Hill School", "urn": "106001"},
                {"id": "m3", "organisation": "Vale College", "urn": "106002"},
            ],
            "notes": "private to the hub",
        }),
    );
    let status = |member: &str, status: &str, day: &str| {
        let values = json!({"member": member, "status": status, "as_at": day});
        json!({"do": "add", "field": "statuses", "values": values})
    };
    hub.edit(json!([
        status("m1", "completed", "2026-11-20"),
        status("m1", "started", "2026-09-20"),
        status("m2", "withdrawn", "2026-10-20"),
        status("m3", "started", "2026-09-20"),
    ]));
    hub
}

#[test]
fn a_preview_shows_exactly_what_leaves() {
    let preview = publish(&group().document.view(), &WORK_GROUP, ALL, &[]).expect("clean");
    assert_eq!(preview.kind, &GROUP_SUMMARY);
    assert_eq!(
        Json::Object(preview.fields),
        json!({
            "title": "Year 7 ratio", "phase": "secondary", "project": "NCP24-11",
            "state": "planned", "sessions_held": 2,
            "accepted": 0, "started": 1, "withdrawn": 1, "completed": 1,
            "schools": [
                {"id": "106001", "urn": "106001", "name": "Hill School", "status": "completed"},
                {"id": "106002", "urn": "106002", "name": "Vale College", "status": "started"},
            ],
        })
    );
    assert!(preview.withheld.is_empty());
}

#[test]
fn what_the_agreement_does_not_list_stays() {
    let hub = group();
    let agreement = ["title", "project", "sessions_held"];
    let preview = publish(&hub.document.view(), &WORK_GROUP, &agreement, &[]).expect("clean");
    assert_eq!(preview.fields.len(), 3);
    assert!(preview.withheld.contains(&"schools"));
    let refused = publish(&hub.document.view(), &WORK_GROUP, &["project"], &[]).unwrap_err();
    assert!(
        refused
            .to_string()
            .contains("'Title' is needed in a group summary")
    );
    let never = publish(&hub.document.view(), &PROJECT, ALL, &[]).unwrap_err();
    assert_eq!(never.to_string(), "a project is not published");
}

#[test]
fn a_text_that_names_a_person_does_not_leave() {
    let mut hub = group();
    for (title, found) in [
        ("Ratio with jane  DOE", Some("names Jane Doe")),
        (
            "Ask (j.doe@hill.sch.uk).",
            Some("e-mail address j.doe@hill.sch.uk"),
        ),
        ("Ratio with Janet Doering", None),
    ] {
        hub.edit(json!([{"do": "set", "field": "title", "value": title}]));
        let names = ["Jane Doe".to_owned()];
        let preview = publish(&hub.document.view(), &WORK_GROUP, ALL, &names);
        match found {
            Some(found) => assert!(preview.unwrap_err().to_string().contains(found)),
            None => assert!(preview.is_ok()),
        }
    }
}

#[test]
fn publishing_again_changes_only_what_changed() {
    let mut hub = group();
    let preview = publish(&hub.document.view(), &WORK_GROUP, ALL, &[]).expect("clean");
    let mut summary = Hub::with_record(3, &GROUP_SUMMARY, Json::Object(preview.fields.clone()));
    assert!(preview.changes(&summary.document.view()).is_empty());
    let session = hub.item("sessions", 2);
    hub.edit(json!([
        {"do": "set", "field": format!("sessions/{session}/state"), "value": "held"},
        {"do": "remove", "field": "members", "item": "m3"},
        {"do": "add", "field": "members", "values": {"organisation": "Dale", "urn": "106003"}},
    ]));
    let preview = publish(&hub.document.view(), &WORK_GROUP, ALL, &[]).expect("clean");
    let changes = preview.changes(&summary.document.view());
    assert_eq!(changes.len(), 3);
    summary.edit(serde_json::to_value(changes).expect("changes"));
    assert!(preview.changes(&summary.document.view()).is_empty());
    assert_eq!(summary.field("sessions_held"), 3);
}

#[test]
fn national_figures_count_each_school_once() {
    let (north, south) = (HubId::from_bytes([1; 8]), HubId::from_bytes([2; 8]));
    let preview = publish(&group().document.view(), &WORK_GROUP, ALL, &[]).expect("clean");
    let summary = &preview.fields;
    let figures = figures([(north, summary), (north, summary), (south, summary)]);
    let at_north = &figures[&("NCP24-11".to_owned(), north)];
    assert_eq!(
        (
            at_north.groups,
            at_north.sessions_held,
            at_north.schools.len()
        ),
        (2, 4, 2)
    );
    let mut once = summary.clone();
    once.insert("origin".to_owned(), json!("a record"));
    let repeated = node_domain::figures([(north, &once), (north, &once), (south, &once)]);
    let groups = repeated.values().map(|figures| figures.groups);
    assert_eq!(
        groups.collect::<Vec<_>>(),
        [1, 1],
        "published twice counts once"
    );
    let mut all = at_north.clone();
    all.add(&figures[&("NCP24-11".to_owned(), south)]);
    assert_eq!(
        (all.groups, all.sessions_held, all.schools.len()),
        (3, 6, 2)
    );
}
