//! A hub's records complete, and back into a fresh node.

use node_domain::{
    Complete, CompleteRecord, Form, KINDS, Kind, Manifest, Merge, PERSON, WORK_GROUP, create,
    recreate,
};
use serde_json::json;

use crate::world::{by, for_creation, made, object, rich};

fn documents() -> impl Iterator<Item = &'static Kind> {
    KINDS.into_iter().filter(|kind| kind.form == Form::Document)
}

fn records() -> Vec<CompleteRecord> {
    let record = |(at, kind): (usize, &&'static Kind)| CompleteRecord {
        id: format!("id{at}"),
        kind: kind.name.to_owned(),
        space_kind: "hub".to_owned(),
        fields: rich(kind),
        heads: "abc".to_owned(),
        versions: 1,
    };
    let kinds = KINDS.iter().chain(KINDS.iter());
    kinds.enumerate().map(record).collect()
}

#[test]
fn a_rich_record_of_every_kind_is_made_anew_equal() {
    for kind in documents() {
        let before = rich(kind);
        let after = made(kind, |document| recreate(document, kind, &before, &by()));
        assert_eq!(after, before, "{}", kind.name);
    }
}

#[test]
fn a_record_that_was_created_and_read_is_made_anew_equal() {
    for kind in documents() {
        let mut values = for_creation(kind, &rich(kind));
        // A record begins in its first state.
        let states = kind
            .fields
            .iter()
            .filter(|field| matches!(field.merge, Merge::State(_)));
        for state in states {
            values.shift_remove(state.name);
        }
        let before = made(kind, |document| create(document, kind, &values, &by()));
        let after = made(kind, |document| recreate(document, kind, &before, &by()));
        assert_eq!(after, before, "{}", kind.name);
    }
}

#[test]
fn what_only_a_newer_version_knows_is_made_anew_too() {
    let mut before = rich(&WORK_GROUP);
    before.insert("phase".to_owned(), json!("nursery"));
    before["sessions"][0]["room"] = json!("12");
    before.insert(
        "unknown".to_owned(),
        json!({"badges": {"b1": {"name": "Gold"}}, "colour": "green"}),
    );
    let after = made(&WORK_GROUP, |document| {
        recreate(document, &WORK_GROUP, &before, &by())
    });
    assert_eq!(after, before);
    let plain = for_creation(&WORK_GROUP, &before);
    assert_eq!(plain["places"], 12);
    assert!(!plain.contains_key("unknown") && !plain.contains_key("kind_of_record"));
    assert!(plain["sessions"][0].get("room").is_none());
}

#[test]
fn nonsense_is_refused_or_left_out_and_cards_are_no_documents() {
    let nonsense = object(json!({
        "title": {"a": [1]}, "sessions": "x", "members": [1, {"id": "a", "organisation": 1.5}],
        "places": {"issued": 5, "taken": 9, "taken_for": {"a/b": 2, "c": i64::MAX, "d": i64::MAX}}, "enquiries": "many", "state": 5, "unknown": [],
    }));
    let after = made(&WORK_GROUP, |document| {
        recreate(document, &WORK_GROUP, &nonsense, &by())
    });
    assert_eq!(after["state"], "planned");
    assert_eq!(
        (&after["places"]["issued"], &after["places"]["taken"]),
        (&json!(5), &json!(5))
    );
    for id in ["", "a/b"] {
        let bad = object(json!({"members": [{"id": id}]}));
        let by = by();
        let id = node_feed::DocumentId::new(by.author.hub, WORK_GROUP.writers, [9; 15]);
        let document = node_document::Document::new(id);
        assert!(recreate(&document, &WORK_GROUP, &bad, &by).is_err());
        assert!(recreate(&document, &PERSON, &bad, &by).is_err());
    }
}

#[test]
fn a_complete_export_reads_back_equal() {
    let records = records();
    let complete = Complete::new(&records, "hub1", "2026-11-24");
    assert_eq!(complete.files.len(), KINDS.len() + 1);
    let file = &complete.manifest.files[0];
    assert_eq!((file.name.as_str(), file.records), ("commission.jsonl", 2));
    let read = Complete::read(&complete.files);
    assert_eq!(read.damaged, []);
    assert!(!read.other_schema);
    assert_eq!(read.manifest, complete.manifest);
    let mut back = read.records;
    back.sort_by_key(|record| record.id[2..].parse::<usize>().expect("a number"));
    assert_eq!(back, records);
}

#[test]
fn what_is_damaged_is_told_by_name_and_hinders_nothing_else() {
    let complete = Complete::new(&records(), "hub1", "2026-11-24");
    let all = records().len();
    let told = |files| {
        let read = Complete::read(files);
        let told = read
            .damaged
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>();
        (read.records.len(), told)
    };

    let mut files = complete.files.clone();
    let plans = String::from_utf8(files["plan.jsonl"].clone()).expect("text");
    files.insert(
        "plan.jsonl".to_owned(),
        plans.replacen("2026-27", "2025-26", 1).into_bytes(),
    );
    let (count, messages) = told(&files);
    assert_eq!(count, all - 1);
    assert_eq!(
        messages,
        [
            "plan.jsonl: it is not as it was written: 1 of 2 records in it are whole",
            "plan.jsonl, line 1: record id9 is not as it was written",
        ]
    );

    let mut files = complete.files.clone();
    let half = files["plan.jsonl"].len() - 10;
    files.get_mut("plan.jsonl").expect("a file").truncate(half);
    files.remove("partner.jsonl");
    files.insert("virus.exe".to_owned(), vec![1]);
    let (count, messages) = told(&files);
    assert_eq!(count, all - 3);
    assert_eq!(messages.len(), 4);
    assert_eq!(
        messages[0],
        "partner.jsonl: it is missing, and 2 records with it"
    );
    assert!(messages[3].starts_with("virus.exe: it does not belong"));

    // Without its manifest the records still speak for themselves.
    let mut files = complete.files.clone();
    files.remove(Manifest::NAME);
    let (count, messages) = told(&files);
    assert_eq!(
        (count, messages),
        (all, vec!["manifest.json: it is missing".to_owned()])
    );

    let mut files = complete.files;
    files.insert(
        Manifest::NAME.to_owned(),
        b"{\"format\":\"other\",\"schema\":\"\",\"made\":\"\",\"hub\":\"\",\"files\":[]}".to_vec(),
    );
    let (count, messages) = told(&files);
    assert_eq!(count, 0);
    assert!(messages[0].contains("its format is 'other'"));
}
