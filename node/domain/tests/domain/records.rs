//! Making, checking, reading and remembering records.

use node_document::{Document, Heads};
use node_domain::{
    KINDS, PROJECT, PROJECT_WORK, RecordError, WORK_GROUP, create, edit, history, kind_name,
    missing, row,
};
use node_feed::{DocumentId, HubId, Writers};
use serde_json::{Value as Json, json};

use crate::world::{Hub, object};

#[track_caller]
fn check_refused(values: Json, messages: &[&str]) {
    let owner = HubId::from_bytes([1; 8]);
    let hub = Hub::new(
        1,
        Document::new(DocumentId::new(owner, Writers::Members, [9; 15])),
    );
    let refused = create(&hub.document, &WORK_GROUP, &object(values), &hub.by());
    let Err(RecordError::Problems(problems)) = refused else {
        panic!("{refused:?}")
    };
    let found = problems
        .iter()
        .map(|problem| problem.message.as_str())
        .collect::<Vec<_>>();
    assert_eq!(found, messages);
}

#[test]
fn a_record_that_is_not_as_declared_is_refused_with_every_problem() {
    check_refused(json!({}), &["'Title' is missing"]);
    check_refused(
        json!({"title": "x", "phase": "x", "sessions": [{"date": "soon"}, {}], "nonsense": 1}),
        &[
            "there is no field 'nonsense'; the fields are code, title, kind, phase, priority, \
             plan_item, project, protocol_version, measure_version, adaptations, year, state, places, \
             leaders, sessions, members, statuses, attendance, ratings, enquiries, evidence, \
             reflections, narrative, notes",
            "'Phase' must be one of early years, primary, secondary, post-16, all: got 'x'",
            "'Date' must be a date such as 2026-11-24: got 'soon'",
            "'Date' is missing",
        ],
    );
    check_refused(
        json!({"title": "x", "state": "running"}),
        &["'State' cannot go from 'planned' to 'running': only recruiting, cancelled may follow"],
    );
}

#[test]
fn a_change_that_is_wrong_in_part_changes_nothing() {
    let mut hub = Hub::with_record(1, &WORK_GROUP, json!({"title": "Year 7"}));
    let before = hub.document.heads();
    let refused = hub.try_edit(
        None,
        json!([
            {"do": "set", "field": "title", "value": "Year 8"},
            {"do": "set", "field": "title", "value": null},
            {"do": "count", "field": "title", "by": 1},
            {"do": "set", "field": "sessions", "value": "x"},
            {"do": "set", "field": "title/x/y", "value": "x"},
        ]),
    );
    let Err(RecordError::Problems(problems)) = refused else {
        panic!("{refused:?}")
    };
    assert_eq!(problems.len(), 4);
    assert_eq!(problems[0].message, "'Title' cannot be left empty");
    assert_eq!(hub.document.heads(), before);
}

#[test]
fn a_record_reads_back_with_its_fields_in_the_declared_order() {
    let hub = Hub::with_record(
        1,
        &PROJECT,
        json!({
            "title": "Mastering number", "code": "NCP24-11", "kind": "national",
            "phases": ["primary"], "codes": [{"year": "2024-25", "code": "NCP24-11"}],
            "summary": "Number sense.", "stage": "idea",
        }),
    );
    let record = hub.read();
    let names = record.keys().map(String::as_str).collect::<Vec<_>>();
    assert_eq!(
        names,
        [
            "kind_of_record",
            "code",
            "title",
            "kind",
            "stage",
            "summary",
            "phases",
            "codes"
        ]
    );
    assert_eq!(record["codes"][0]["year"], "2024-25");
    let line = row(&hub.document.view(), &PROJECT);
    assert_eq!(line.title, "Mastering number");
    assert_eq!(line.columns[0], ("code", "Code", "NCP24-11".to_owned()));
    assert!(line.searched.contains("Number sense."));
    assert!(missing(&hub.document.view(), &PROJECT).is_empty());
    assert_eq!(kind_name(&hub.document.view()).as_deref(), Some("project"));
    // What was read can be entered again as it is.
    let mut values = record.clone();
    values.shift_remove("kind_of_record");
    values.shift_remove("stage");
    let again = Hub::with_record(1, &PROJECT, Json::Object(values));
    assert_eq!(again.field("codes"), record["codes"]);
}

#[test]
fn history_tells_who_changed_which_field_and_when() {
    let mut hub = Hub::with_record(1, &WORK_GROUP, json!({"title": "Year 7"}));
    hub.edit(json!([{"do": "set", "field": "phase", "value": "secondary"}]));
    hub.edit(json!([{"do": "set", "field": "phase", "value": null}]));
    let view = hub.document.view();
    let mut steps = history(&view, &WORK_GROUP, &Heads::default());
    steps.retain(|step| step.is_of("phase"));
    let told = steps
        .iter()
        .map(|step| (step.label.as_str(), step.value.clone(), step.author.time_ms));
    assert_eq!(
        told.collect::<Vec<_>>(),
        [
            ("Phase", json!("secondary"), 2_000),
            ("Phase", Json::Null, 3_000)
        ]
    );
    let all = history(&view, &WORK_GROUP, &Heads::default());
    assert!(
        all.iter()
            .any(|step| step.path == "title" && step.value == "Year 7")
    );
    assert!(all.iter().all(|step| !step.path.starts_with('@')));
}

#[test]
fn what_a_newer_version_wrote_is_carried_and_shown() {
    let mut hub = Hub::with_record(
        1,
        &WORK_GROUP,
        json!({"title": "Year 7", "sessions": [{"date": "2026-11-03"}]}),
    );
    let session = hub.item("sessions", 0);
    let edited = hub.document.edit(None, &hub.author, 1, |edit| {
        edit.put(&["colour"], &"green".into())?;
        edit.put(&["badges", "b1", "name"], &"Gold".into())?;
        edit.put(&["sessions", &session, "room"], &"12".into())?;
        edit.put(&["phase"], &"nursery".into())
    });
    let edited: node_document::Edited<()> = edited
        .map_err(|e: node_document::EditError| e)
        .expect("allowed");
    let mut entry = hub.sent[0].clone();
    entry.number = 1;
    entry.changes = edited.changes(hub.author.nonce);
    hub.number = 2;
    hub.document.apply(&[entry]);
    // A code from a newer list is accepted and shown.
    assert_eq!(hub.field("phase"), "nursery");
    assert_eq!(
        hub.field("unknown"),
        json!({"badges": {"b1": {"name": "Gold"}}, "colour": "green"})
    );
    assert_eq!(hub.field("sessions")[0]["room"], "12");
    hub.edit(json!([{"do": "set", "field": "title", "value": "Year 8"}]));
    assert_eq!(hub.field("unknown")["colour"], "green");
}

#[test]
fn a_kind_that_only_a_newer_version_knows_is_said_by_name() {
    let known = Hub::with_record(1, &WORK_GROUP, json!({"title": "Year 7"}));
    let mut hub = Hub::new(1, node_document::Document::new(known.document.id()));
    let edited: Result<node_document::Edited<()>, node_document::EditError> =
        hub.document.edit(None, &hub.author, 1, |edit| {
            edit.put(&["@kind"], &"trial-arm".into())
        });
    hub.save(&edited.expect("allowed"));
    let error = edit(&hub.document, None, &[], &hub.by()).unwrap_err();
    assert_eq!(error, RecordError::UnknownKind("trial-arm".to_owned()));
}

#[test]
fn only_the_owner_fills_in_what_is_the_owners() {
    let mut owner = Hub::with_record(1, &PROJECT_WORK, json!({"code": "P", "title": "Project"}));
    let mut member = owner.joined_by(2);
    let leave = json!([{"do": "set", "field": "left_as_is", "value": "yes"}]);
    let refused = member.try_edit(None, leave.clone()).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "only the owner of the record changes 'Open versions of the protocol are left to the \
         text as it is'"
    );
    owner.edit(leave);
}

#[test]
fn a_second_record_in_a_document_and_a_card_as_a_document_are_refused() {
    let hub = Hub::with_record(1, &WORK_GROUP, json!({"title": "Year 7"}));
    let twice = create(
        &hub.document,
        &WORK_GROUP,
        &object(json!({"title": "x"})),
        &hub.by(),
    );
    assert_eq!(twice.unwrap_err(), RecordError::Exists);
    let person = KINDS[5];
    let card = create(
        &Document::new(hub.document.id()),
        person,
        &object(json!({})),
        &hub.by(),
    );
    assert_eq!(card.unwrap_err(), RecordError::Form("Person"));
}
