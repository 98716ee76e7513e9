//! People: cards without history.

use node_document::{CardView, Revision};
use node_domain::{CardRecord, LEADER, PERSON, RecordError, WORK_GROUP};
use node_feed::{Hash, HubId};
use serde_json::json;

use crate::world::object;

fn person() -> CardRecord {
    let values = json!({"email": "jane@hill.sch.uk", "name": "Jane Doe", "phone": null});
    CardRecord::new(&PERSON, &object(values), false).expect("as declared")
}

fn revision(name: u8, record: &CardRecord) -> Revision {
    Revision {
        hash: Hash::from_bytes([name; 32]),
        replaces: Vec::new(),
        body: record.encode(),
        hub: HubId::from_bytes([1; 8]),
        time_ms: u64::from(name),
    }
}

#[test]
fn a_card_comes_back_as_it_was_with_what_a_newer_version_added() {
    let read = CardRecord::decode(&person().encode()).expect("reads");
    assert_eq!(read, person());
    let newer = br#"{"kind_of_record":"person","pronouns":"she","name":"Jane Doe"}"#;
    let changed = CardRecord::decode(newer)
        .and_then(|card| card.changed(&object(json!({"phone": "0114"})), false))
        .expect("reads");
    let names = changed
        .fields
        .keys()
        .map(String::as_str)
        .collect::<Vec<_>>();
    assert_eq!(names, ["name", "phone", "pronouns"]);
    let cleared = changed
        .changed(&object(json!({"phone": null})), false)
        .expect("allowed");
    assert!(!cleared.fields.contains_key("phone"));
}

#[test]
fn a_card_that_is_not_as_declared_is_refused() {
    let values = json!({"email": "jane", "needs": "x"});
    let refused = CardRecord::new(&PERSON, &object(values), false).unwrap_err();
    let RecordError::Problems(problems) = &refused else {
        panic!("{refused:?}")
    };
    assert_eq!(problems.len(), 3);
    assert!(
        refused
            .to_string()
            .contains("'E-mail' must be an e-mail address: got 'jane'")
    );
    assert!(refused.to_string().contains("'Name' is missing"));
    assert!(matches!(
        CardRecord::decode(b"{"),
        Err(RecordError::Card(_))
    ));
    assert!(matches!(
        CardRecord::decode(b"{}"),
        Err(RecordError::UnknownKind(_))
    ));
    let group = CardRecord::new(&WORK_GROUP, &object(json!({"title": "x"})), false);
    assert_eq!(group.unwrap_err(), RecordError::Form("Work group"));
}

#[test]
fn siblings_are_shown_field_by_field() {
    let other = person()
        .changed(&object(json!({"email": "j.doe@hill.sch.uk"})), false)
        .expect("allowed");
    let card = CardView::new([revision(2, &other), revision(1, &person())]);
    let conflicts = CardRecord::conflicts(&card);
    assert_eq!(conflicts.len(), 1);
    assert_eq!(
        (conflicts[0].field.as_str(), conflicts[0].label.as_str()),
        ("email", "E-mail")
    );
    let says = conflicts[0]
        .says
        .iter()
        .map(|says| says.value.clone())
        .collect::<Vec<_>>();
    assert_eq!(says, ["jane@hill.sch.uk", "j.doe@hill.sch.uk"]);
    let agreed = CardView::new([revision(1, &person()), revision(2, &person())]);
    assert!(CardRecord::conflicts(&agreed).is_empty());
}

#[test]
fn a_no_beats_every_yes_whichever_came_last() {
    let leader = |wish: &str, base: &str| {
        let values = json!({"name": "Jane Doe", "opted_in": wish, "base": base});
        CardRecord::new(&LEADER, &object(values), false).expect("as declared")
    };
    let (yes, no) = (leader("yes", "Hill School"), leader("no", "Vale College"));
    for (first, last) in [(&yes, &no), (&no, &yes)] {
        let card = CardView::new([revision(1, first), revision(2, last)]);
        let shown = CardRecord::shown(&card).expect("readable");
        assert_eq!(shown.fields["opted_in"], false);
        assert_eq!(shown.fields["base"], last.fields["base"]);
        let conflicts = CardRecord::conflicts(&card);
        let told = conflicts.iter().map(|conflict| conflict.field.as_str());
        assert_eq!(
            told.collect::<Vec<_>>(),
            ["base"],
            "the wish is no difference"
        );
    }
    let agreed = CardView::new([revision(1, &yes)]);
    let shown = CardRecord::shown(&agreed).expect("readable");
    assert_eq!(shown.fields["opted_in"], true);
    assert_eq!(CardRecord::shown(&CardView::default()), None);
}

#[test]
fn what_the_program_counts_is_not_entered_on_a_card_by_hand() {
    let values = object(json!({"name": "Jane Doe", "groups_led": 4}));
    let refused = CardRecord::new(&LEADER, &values, false).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "'Work groups led' is filled in by itself"
    );
    let counted = CardRecord::new(&LEADER, &values, true).expect("the program counts");
    let renamed = object(json!({"name": "Jane Roe"}));
    let changed = counted.changed(&renamed, false).expect("allowed");
    assert_eq!(changed.fields["groups_led"], 4);
    assert!(changed.changed(&values, false).is_err());
}

#[test]
fn a_kind_of_documents_is_no_kind_of_cards() {
    let body = json!({"kind_of_record": "plan", "title": "Plan"}).to_string();
    let error = CardRecord::decode(body.as_bytes()).unwrap_err();
    assert_eq!(error, RecordError::UnknownKind("plan".to_owned()));
}
