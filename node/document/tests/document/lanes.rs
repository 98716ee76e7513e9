//! Edits from pages that were rendered some time ago.

use node_document::{EditError, Heads, Outcome, Value};

use crate::world::Hub;

#[test]
fn two_pages_rendered_before_either_saved_both_count() {
    let mut hub = Hub::new(3);
    hub.put(&["phase"], "primary");
    let page = hub.document.heads();
    let mut entries = Vec::new();
    for phase in ["secondary", "post-16"] {
        let edited = hub.edit_at(Some(&page), |edit| {
            assert_eq!(edit.get(&["phase"]), Some("primary".into()));
            edit.put(&["phase"], &phase.into())
        });
        entries.push(edited.expect("a lane is free"));
    }
    let mut values = hub.document.view().values(&["phase"]);
    values.sort();
    assert_eq!(values, [Value::from("post-16"), "secondary".into()]);
    // A page that has seen both settles it.
    hub.put(&["phase"], "secondary");
    assert_eq!(hub.document.view().values(&["phase"]), ["secondary".into()]);
    // Both versions say what stood there before.
    let view = hub.document.clone();
    assert_eq!(view.view().history(&["phase"]).len(), 4);
}

#[test]
fn texts_from_two_old_pages_merge() {
    let mut hub = Hub::new(3);
    hub.text(&["body"], "One fish. Two fish.");
    let page = hub.document.heads();
    for text in ["One red fish. Two fish.", "One fish. Two blue fish."] {
        hub.edit_at(Some(&page), |edit| edit.update_text(&["body"], text))
            .expect("a lane");
    }
    let text = hub.document.view().get(&["body"]);
    assert_eq!(
        text,
        Some(Value::Text("One red fish. Two blue fish.".to_owned()))
    );
}

#[test]
fn a_lane_is_used_again_once_its_last_edit_was_seen() {
    let mut hub = Hub::new(3);
    hub.put(&["title"], "a");
    for round in 0..100 {
        let page = hub.document.heads();
        for _ in 0..2 {
            let title = format!("round {round}");
            hub.edit_at(Some(&page), |edit| {
                edit.put(&["title"], &title.as_str().into())
            })
            .expect("a lane is free");
        }
    }
}

#[test]
fn when_all_lanes_are_taken_the_page_says_so() {
    let mut hub = Hub::new(3);
    hub.put(&["title"], "a");
    let page = hub.document.heads();
    let mut edit =
        |number: i64| hub.edit_at(Some(&page), |edit| edit.put(&["number"], &number.into()));
    for number in 0..65 {
        edit(number).expect("the base actor or a lane is free");
    }
    assert_eq!(edit(65), Err(EditError::LanesTaken));
    // At the current heads there is always room.
    hub.put(&["number"], 66);
}

#[test]
fn a_page_from_another_history_is_told_to_reload() {
    let mut hub = Hub::new(3);
    hub.put(&["title"], "a");
    let elsewhere = Heads::new(vec![[9; 32]]);
    let edited = hub.edit_at(Some(&elsewhere), |edit| edit.put(&["title"], &"b".into()));
    assert_eq!(edited, Err(EditError::UnknownHeads));
}

#[test]
fn an_edit_that_others_overtook_still_applies() {
    let mut hub = Hub::new(3);
    let mut other = Hub::new(4);
    hub.put(&["title"], "a");
    let edited = hub
        .document
        .edit(None, &hub.author, 5, |edit| {
            edit.put(&["title"], &"b".into())
        })
        .expect("allowed");
    hub.take(&[other.put(&["kind"], "national")]);
    let entry = hub.entry(edited.changes(hub.author.nonce), 5);
    assert_eq!(hub.document.apply_edited(&entry, &edited), Outcome::Applied);
    assert_eq!(hub.document.view().get(&["title"]), Some("b".into()));
    assert_eq!(hub.document.view().get(&["kind"]), Some("national".into()));
}

#[test]
fn an_edit_that_changes_nothing_is_empty() {
    let mut hub = Hub::new(3);
    hub.edit(|edit| {
        edit.put(&["title"], &"a".into())?;
        edit.update_text(&["body"], "text")
    });
    let edited = hub.document.edit(None, &hub.author, 5, |edit| {
        edit.put(&["title"], &"a".into())?;
        edit.update_text(&["body"], "text")
    });
    assert!(edited.is_ok_and(|edited: node_document::Edited<()>| edited.is_empty()));
}
