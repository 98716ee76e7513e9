//! What leaves a hub, and what does not.

use node_document::Document;
use node_domain::{
    CardRecord, GROUP_SUMMARY, Kind, LEADER, MEASURES, PLAN, PRACTICE, PROJECT, Preview, Publish,
    RETURN, RecordError, ReturnOf, WORK_GROUP, compute, create, evaluation, figures, preview_card,
    preview_document, publishing_step, return_fields, signed_until,
};
use node_feed::{DocumentId, HubId, SpaceKind};
use serde_json::{Value as Json, json};

use crate::world::{Hub, object};

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
    "outcomes",
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
            "ratings": [
                {"outcome": "practice", "rating": 3}, {"outcome": "practice", "rating": 4},
                {"outcome": "pupils", "rating": 2},
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

/// A hub whose program has just made a record, and goes on writing.
pub(crate) fn by_program(name: u8, kind: &'static Kind, values: Json) -> Hub {
    let id = DocumentId::new(HubId::from_bytes([name; 8]), kind.writers, [9; 15]);
    let mut hub = Hub::new(name, Document::new(id));
    hub.program = true;
    let edited = create(&hub.document, kind, &object(values), &hub.by()).expect("as declared");
    hub.save(&edited);
    hub
}

/// A hub whose program has published a copy.
pub(crate) fn with_copy(name: u8, preview: &Preview) -> Hub {
    by_program(name, preview.kind, Json::Object(preview.fields.clone()))
}

pub(crate) fn publish_into(
    hub: &Hub,
    kind: &'static Kind,
    into: SpaceKind,
    names: &[&str],
) -> Result<Preview, RecordError> {
    let from = if into == SpaceKind::Network {
        SpaceKind::Project
    } else {
        SpaceKind::Hub
    };
    let agreed = ALL.iter().map(|field| (*field).to_owned()).collect();
    let names = names
        .iter()
        .map(|name| (*name).to_owned())
        .collect::<Vec<_>>();
    let wish = Publish {
        step: publishing_step(kind, from, into)?,
        agreed: Some(&agreed),
        names: &names,
        made_by: "north",
    };
    preview_document(&hub.document.view(), kind, &wish)
}

fn summary(hub: &Hub) -> Preview {
    publish_into(hub, &WORK_GROUP, SpaceKind::Project, &[]).expect("clean")
}

fn refused(preview: Result<Preview, RecordError>) -> String {
    preview.expect_err("refused").to_string()
}

#[test]
fn w5_a_preview_shows_exactly_what_leaves() {
    let preview = summary(&group());
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
            "outcomes": [
                {"id": "practice", "outcome": "practice", "mean": 350, "count": 2},
                {"id": "pupils", "outcome": "pupils", "mean": 200, "count": 1},
            ],
            "hub": "north",
        })
    );
    let not_agreed = ["protocol_version", "measure_version", "adaptations"];
    assert_eq!(preview.withheld, not_agreed);
}

#[test]
fn h5_what_the_agreement_does_not_list_stays_and_without_one_nothing_leaves() {
    let hub = group();
    let step = publishing_step(&WORK_GROUP, SpaceKind::Hub, SpaceKind::Project).expect("a step");
    let publish = |agreed: Option<&[&str]>| {
        let agreed = agreed.map(|fields| fields.iter().map(|field| (*field).to_owned()).collect());
        let wish = Publish {
            step,
            agreed: agreed.as_ref(),
            names: &[],
            made_by: "",
        };
        preview_document(&hub.document.view(), &WORK_GROUP, &wish)
    };
    let preview = publish(Some(&["title", "project", "sessions_held"])).expect("clean");
    assert_eq!(preview.fields.len(), 3);
    assert!(preview.withheld.contains(&"schools"));
    let unnamed = refused(publish(Some(&["project"])));
    assert!(unnamed.contains("'Title' is needed in a group summary"));
    let unsigned = refused(publish(None));
    assert!(unsigned.starts_with("this hub has not signed a data agreement there"));
}

#[test]
fn a_record_goes_one_step_at_a_time_and_is_told_which_steps_there_are() {
    let step = |kind, into| publishing_step(kind, SpaceKind::Hub, into).map(|step| step.to);
    assert_eq!(step(&PRACTICE, SpaceKind::Project), Ok("practice"));
    let leap = step(&PRACTICE, SpaceKind::Network).expect_err("two steps at once");
    assert_eq!(
        leap.to_string(),
        "a practice is not published from the hub to all hubs: only from the hub to a project, \
         or from a project to all hubs"
    );
    let never = step(&PROJECT, SpaceKind::Project).expect_err("never");
    assert_eq!(never.to_string(), "a project is not published");
}

#[test]
fn w4_a_text_that_names_a_person_does_not_leave_and_may_stay_in_the_hub() {
    let mut hub = group();
    // By hand an address cannot be entered; it may have come in otherwise.
    hub.program = true;
    for (title, found) in [
        ("Ratio with jane  DOE", Some("names Jane Doe")),
        ("J. Doe's ratio", Some("names Jane Doe")),
        (
            "Ask (j.doe@hill.sch.uk).",
            Some("e-mail address j.doe@hill.sch.uk"),
        ),
        ("Ring 01234 567890", Some("telephone number 01234 567890")),
        ("Ratio with Janet Doering", None),
        ("Jane and the doe", None),
    ] {
        hub.edit(json!([{"do": "set", "field": "title", "value": title}]));
        let preview = publish_into(&hub, &WORK_GROUP, SpaceKind::Project, &["Jane Doe"]);
        match found {
            Some(found) => {
                let why = refused(preview);
                assert!(why.contains(found), "{why}");
                assert!(why.contains("'Title'") && why.contains("or keep the record in the hub"));
            }
            None => assert!(preview.is_ok(), "{title}"),
        }
    }
}

#[test]
fn w4_a_file_over_the_limit_does_not_leave() {
    let mut hub = Hub::with_record(
        1,
        &PRACTICE,
        json!({"title": "Bars", "tags": ["ratio", "by Jane Doe"], "files": [
            {"name": "film.mp4", "bytes": 10_000_001}, {"name": "plan.pdf", "bytes": 10_000_000},
        ]}),
    );
    let publish = |hub: &Hub| publish_into(hub, &PRACTICE, SpaceKind::Project, &["Jane Doe"]);
    let why = refused(publish(&hub));
    assert!(why.contains("(film.mp4): only files of at most 10 MB are published; take it out"));
    assert!(why.contains("'Tags' names Jane Doe"), "in sets too: {why}");
    let film = hub.item("files", 0);
    hub.edit(json!([
        {"do": "remove", "field": "files", "item": film},
        {"do": "exclude", "field": "tags", "element": "by Jane Doe"},
    ]));
    assert!(publish(&hub).is_ok());
}

#[test]
fn h2_a_plan_leaves_once_it_is_submitted_as_its_kept_copy_and_with_that_copy_s_hash() {
    let kept = |title: &str| {
        let needs = json!([{"id": "n1", "statement": "Ratio", "raised_at": "the board"}]);
        json!({"title": title, "year": "2026-27", "needs": needs}).to_string()
    };
    let mut hub = by_program(
        1,
        &PLAN,
        json!({
            "title": "Edited since", "year": "2026-27", "state": "submitted",
            "copies": [
                {"version": 2, "state": "submitted", "hash": "bb", "content": kept("Plan")},
                {"version": 1, "state": "board", "hash": "aa", "content": kept("Early plan")},
            ],
            "board_comments": [{"text": "for the board alone"}],
        }),
    );
    let publish = |hub: &Hub| publish_into(hub, &PLAN, SpaceKind::Pair, &[]);
    let fields = Json::Object(publish(&hub).expect("submitted").fields);
    assert_eq!(fields["copy_hash"], "bb");
    assert_eq!(fields["title"], "Plan");
    assert_eq!(fields["needs"], json!([{"id": "n1", "statement": "Ratio"}]));
    assert!(!fields.to_string().contains("board"), "{fields}");
    hub.edit(json!([{"do": "set", "field": "state", "value": "returned"}]));
    assert_eq!(
        refused(publish(&hub)),
        "a plan goes to the hub's space with the coordinator only when 'State' is submitted or \
         agreed or amended: here it is returned"
    );
}

#[test]
fn a_leader_is_published_by_the_person_s_own_wish_alone() {
    let step = publishing_step(&LEADER, SpaceKind::Hub, SpaceKind::Network).expect("a step");
    let names = ["Jane Doe".to_owned(), "John Roe".to_owned()];
    let publish = |values: Json| {
        let card = CardRecord::new(&LEADER, &object(values), false).expect("as declared");
        let wish = Publish {
            step,
            agreed: None,
            names: &names,
            made_by: "north",
        };
        preview_card(&card, &wish)
    };
    let mut card = json!({
        "name": "Jane Doe", "person": "abcd", "notes": "for the hub", "strengths": "Jane Doe: bars",
    });
    let silent = refused(publish(card.clone()));
    assert_eq!(silent, "Jane Doe has not agreed to be found by other hubs");
    card["opted_in"] = json!(false);
    assert_eq!(refused(publish(card.clone())), silent);
    card["opted_in"] = json!(true);
    let fields = Json::Object(publish(card.clone()).expect("wished").fields);
    assert_eq!(
        fields,
        json!({"name": "Jane Doe", "strengths": "Jane Doe: bars"})
    );
    card["strengths"] = json!("as Mr Roe says");
    assert!(
        refused(publish(card)).contains("names John Roe"),
        "others are not asked"
    );
}

#[test]
fn publishing_again_changes_only_what_changed() {
    let mut hub = group();
    let preview = summary(&hub);
    let mut copy = with_copy(3, &preview);
    assert!(preview.changes(&copy.document.view()).is_empty());
    let session = hub.item("sessions", 2);
    hub.edit(json!([
        {"do": "set", "field": format!("sessions/{session}/state"), "value": "held"},
        {"do": "remove", "field": "members", "item": "m3"},
        {"do": "add", "field": "members", "values": {"organisation": "Dale", "urn": "106003"}},
        {"do": "set", "field": "phase", "value": null},
    ]));
    let preview = summary(&hub);
    let changes = preview.changes(&copy.document.view());
    assert_eq!(changes.len(), 4);
    copy.edit(serde_json::to_value(changes).expect("changes"));
    assert!(preview.changes(&copy.document.view()).is_empty());
    assert_eq!(copy.field("sessions_held"), 3);
    assert_eq!(copy.field("phase"), Json::Null, "taken out again");
}

#[test]
fn a_copy_follows_texts_tags_items_and_states_and_keeps_what_others_added() {
    let mut hub = Hub::with_record(
        1,
        &PRACTICE,
        json!({"title": "Bars", "body": "Draw one.", "tags": ["ratio", "bars"], "files": [
            {"id": "a", "name": "a.pdf", "bytes": 1}, {"id": "b", "name": "b.pdf", "bytes": 2},
        ]}),
    );
    let publish = |hub: &Hub| publish_into(hub, &PRACTICE, SpaceKind::Project, &[]).expect("clean");
    let mut copy = with_copy(3, &publish(&hub));
    assert_eq!(copy.field("first_made_by"), "north");
    copy.edit(json!([
        {"do": "add", "field": "adoptions", "values": {"context": "Year 8"}},
        {"do": "count", "field": "uses", "by": 4},
        {"do": "include", "field": "named_hubs", "element": "south"},
    ]));
    for state in ["trial", "captured"] {
        hub.edit(json!([{"do": "set", "field": "state", "value": state}]));
    }
    hub.edit(json!([
        {"do": "set", "field": "body", "value": "Draw one bar."},
        {"do": "exclude", "field": "tags", "element": "bars"},
        {"do": "include", "field": "tags", "element": "models"},
        {"do": "move", "field": "files", "item": "b"},
        {"do": "set", "field": "files/a/name", "value": "c.pdf"},
        {"do": "add", "field": "files", "after": "b", "values": {"name": "d.pdf", "bytes": 3}},
    ]));
    let preview = publish(&hub);
    copy.edit(serde_json::to_value(preview.changes(&copy.document.view())).expect("changes"));
    assert!(preview.changes(&copy.document.view()).is_empty());
    for field in ["body", "tags", "files", "state"] {
        assert_eq!(copy.field(field), hub.field(field), "{field}");
    }
    assert_eq!(copy.field("uses"), 4);
    assert_eq!(copy.field("adoptions").as_array().map(Vec::len), Some(1));
    assert_eq!(copy.field("named_hubs"), json!(["south"]));
}

#[test]
fn what_was_counted_stays_in_the_hub_when_a_return_is_submitted() {
    let groups = [("secretrecord".to_owned(), group().read())];
    let sources = [("secretrecord".to_owned(), "aa".to_owned())];
    let of = ReturnOf {
        hub: "north",
        period: "autumn 2026-27",
        as_at: "2026-12-31",
        computed_at: "2027-01-10T09:00:00Z",
        sources: &sources,
        replaces: None,
    };
    for measure in MEASURES {
        let computed = compute(measure, of.as_at, groups.clone(), 2);
        let fields = return_fields(measure, &computed, &of);
        let mut hub = by_program(1, &RETURN, Json::Object(fields));
        hub.edit(json!([{"do": "set", "field": "state", "value": "submitted"}]));
        let preview = publish_into(&hub, &RETURN, SpaceKind::Pair, &[]).expect("submitted");
        let copy = with_copy(1, &preview);
        assert_eq!(copy.field("measure"), measure.name);
        assert_eq!(copy.field("cells"), hub.field("cells"));
        assert_eq!(copy.field("source_hash"), computed.source_hash);
        let text = Json::Object(copy.read()).to_string();
        assert!(!text.contains("secretrecord"), "{text}");
    }
}

#[test]
fn h9_an_evaluation_goes_into_the_plan_and_once_is_enough() {
    let mut group = group().read();
    group.insert("year".to_owned(), json!("2026-27"));
    group.insert("state".to_owned(), json!("completed"));
    let found = evaluation("2026-27", [("g1", &group)]);
    let mut plan = Hub::with_record(1, &PLAN, json!({"title": "Plan", "year": "2026-27"}));
    plan.edit(serde_json::to_value(found.changes(&plan.read())).expect("changes"));
    let outcomes = plan.field("outcomes");
    assert_eq!(outcomes[0]["id"], "practice");
    assert_eq!(outcomes[0]["rating"], 350);
    assert!(found.changes(&plan.read()).is_empty());
}

#[test]
fn an_agreement_ends_on_the_day_that_was_signed_or_earlier() {
    let mut coordinator = Hub::with_record(
        1,
        &node_domain::PROJECT_WORK,
        json!({"code": "NCP24-11", "title": "Ratio", "agreement_until": "2027-08-31"}),
    );
    let proposer = coordinator.author.hub;
    let mut north = coordinator.joined_by(2);
    let signer = north.author.hub;
    north.edit(json!([{"do": "include", "field": "signatures", "element": "north"}]));
    crate::world::meet(&mut coordinator, &mut north);
    let until = |hub: &Hub| signed_until(&hub.document, ("north", signer), proposer);
    assert_eq!(until(&north).as_deref(), Some("2027-08-31"));
    let set = |day: &str| json!([{"do": "set", "field": "agreement_until", "value": day}]);
    coordinator.edit(set("2028-08-31"));
    let signed = until(&coordinator);
    assert_eq!(
        signed.as_deref(),
        Some("2027-08-31"),
        "not prolonged unsigned"
    );
    coordinator.edit(set("2027-03-31"));
    assert_eq!(until(&coordinator).as_deref(), Some("2027-03-31"));
    north.edit(set("2030-01-01"));
    assert_eq!(
        until(&north).as_deref(),
        Some("2027-08-31"),
        "not by another hub"
    );
}

#[test]
fn national_figures_count_each_school_once() {
    let (north, south) = (HubId::from_bytes([1; 8]), HubId::from_bytes([2; 8]));
    let summary = &summary(&group()).fields;
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
