//! Settling keeps what stood, and can be undone.

use node_document::Heads;
use node_domain::{
    ConflictCause, PROJECT_WORK, WORK_GROUP, history, reopen, settled, version_counts,
};
use serde_json::{Value as Json, json};

use crate::world::{Hub, meet};
use crate::{raised, write};

fn two_phases() -> (Hub, Hub) {
    let mut left = Hub::with_record(
        1,
        &PROJECT_WORK,
        json!({"code": "P", "title": "Project", "phase": "primary",
            "protocol": "Groups meet six times."}),
    );
    let mut right = left.joined_by(2);
    left.edit(json!([{"do": "set", "field": "phase", "value": "secondary"}]));
    right.edit(json!([{"do": "set", "field": "phase", "value": "post-16"}]));
    meet(&mut left, &mut right);
    (left, right)
}

#[test]
fn x6_what_was_not_chosen_is_kept_with_author_and_time_and_what_stood_before() {
    let (mut left, mut right) = two_phases();
    let stood = left.versions()[0].versions.clone();
    left.settle("phase", json!("post-16"));
    meet(&mut left, &mut right);
    let kept = settled(&right.document.view(), &PROJECT_WORK);
    assert_eq!(kept.len(), 1);
    let kept = &kept[0];
    assert_eq!(
        (kept.path.as_str(), kept.label.as_str(), kept.cause.as_str()),
        ("phase", "Phase tried first", "values")
    );
    assert_eq!(kept.chosen, "post-16");
    assert_eq!(kept.versions, stood);
    assert_eq!(kept.by.hub, left.author.hub);
    assert!(!kept.reopened);
    assert!(right.read().keys().all(|name| !name.starts_with('@')));
    let steps = history(&right.document.view(), &PROJECT_WORK, &Heads::default());
    assert!(steps.iter().all(|step| !step.path.starts_with('@')));
    assert!(steps.iter().any(|step| step.value == "secondary"));
}

#[test]
fn what_was_settled_is_opened_again_and_settled_once_more() {
    let (mut left, mut right) = two_phases();
    let counts = |hub: &Hub| {
        let counts = version_counts(&hub.document, &PROJECT_WORK);
        (
            counts.open,
            counts.to_decide,
            counts.settled,
            counts.reopened,
        )
    };
    assert_eq!(counts(&left), (1, 1, 0, 0));
    left.settle("phase", json!("post-16"));
    assert_eq!(counts(&left), (0, 0, 1, 0));
    meet(&mut left, &mut right);
    let id = settled(&right.document.view(), &PROJECT_WORK)[0].id.clone();
    let edited = reopen(&right.document, None, &id, &right.by()).expect("it was settled");
    right.save(&edited);
    meet(&mut left, &mut right);
    let open = left.versions();
    assert_eq!(open[0].cause, ConflictCause::Reopened);
    assert_eq!(
        (open[0].path.as_str(), open[0].versions.len()),
        ("phase", 2)
    );
    assert_eq!(counts(&left), (1, 1, 0, 1));
    left.settle("phase", json!("secondary"));
    meet(&mut left, &mut right);
    assert_eq!(right.field("phase"), "secondary");
    assert_eq!(counts(&right), (0, 0, 2, 0));
    let unknown = reopen(&right.document, None, "none", &right.by()).unwrap_err();
    assert_eq!(
        unknown.to_string(),
        "nothing was settled under the id 'none'"
    );
}

#[test]
fn a_sentence_of_two_is_shown_as_each_left_it_and_as_it_was() {
    let (mut left, mut right) = two_phases();
    left.settle("phase", json!("post-16"));
    meet(&mut left, &mut right);
    let set = |text: &str| json!([{"do": "set", "field": "protocol", "value": text}]);
    left.edit(set("Groups meet six or seven times."));
    right.edit(set("Groups meet six times online."));
    meet(&mut left, &mut right);
    let found = left.versions();
    let says = found[0].versions.iter().map(|version| {
        assert_eq!(version.before, [json!("Groups meet six times.")]);
        (version.author.hub, version.value.clone())
    });
    let says = says.collect::<Vec<_>>();
    assert!(says.contains(&(left.author.hub, json!("Groups meet six or seven times."))));
    assert!(says.contains(&(right.author.hub, json!("Groups meet six times online."))));
    left.settle("protocol", Json::Null);
    let kept = settled(&left.document.view(), &PROJECT_WORK);
    assert_eq!(kept[1].cause, "sentence");
    assert_eq!(kept[1].chosen, Json::Null);
}

#[test]
fn a_step_that_is_not_allowed_may_be_chosen_after_all() {
    let mut hub = Hub::with_record(1, &WORK_GROUP, json!({"title": "Year 7"}));
    write(&mut hub, |edit| edit.put(&["state"], &"completed".into()));
    assert_eq!(hub.versions()[0].cause, ConflictCause::StepNotAllowed);
    hub.settle("state", json!("completed"));
    assert!(hub.versions().is_empty());
    assert_eq!(hub.field("state"), "completed");
}

#[test]
fn what_a_watch_raised_is_opened_again_as_what_it_is() {
    let rating = |rating: i64| json!({"outcome": "practice", "rating": rating});
    let mut hub = Hub::with_record(
        1,
        &WORK_GROUP,
        json!({"title": "Year 7", "ratings": [rating(1), rating(4)]}),
    );
    let path = hub.versions()[0].path.clone();
    hub.settle(&path, Json::Null);
    assert!(hub.versions().is_empty());
    let id = settled(&hub.document.view(), &WORK_GROUP)[0].id.clone();
    let edited = reopen(&hub.document, None, &id, &hub.by()).expect("it was settled");
    hub.save(&edited);
    assert_eq!(raised(&hub, "two-ratings").len(), 1);
    assert_eq!(version_counts(&hub.document, &WORK_GROUP).reopened, 1);
}

#[test]
fn what_nobody_changes_is_left_as_it_is() {
    let mut left = Hub::with_record(
        1,
        &WORK_GROUP,
        json!({"title": "Year 7", "members": [{"id": "m", "organisation": "Hill"}],
            "statuses": [{"id": "s", "member": "m", "status": "applied", "as_at": "2026-11-03"}]}),
    );
    let mut right = left.joined_by(2);
    let path = ["statuses", "s", "status"];
    write(&mut left, |edit| edit.put(&path, &"started".into()));
    write(&mut right, |edit| edit.put(&path, &"completed".into()));
    meet(&mut left, &mut right);
    assert_eq!(left.versions()[0].cause, ConflictCause::Values);
    left.settle("statuses/s/status", Json::Null);
    assert!(left.versions().is_empty());
    assert_ne!(left.field("statuses")[0]["status"], Json::Null);
}

#[test]
fn choosing_one_wording_of_a_sentence_leaves_the_rest_of_the_text_alone() {
    let mut left = Hub::with_record(
        1,
        &PROJECT_WORK,
        json!({"code": "P", "title": "Project",
            "protocol": "Groups meet six times. Leaders write it down."}),
    );
    let mut right = left.joined_by(2);
    let protocol = |text: &str| json!([{"do": "set", "field": "protocol", "value": text}]);
    left.edit(protocol(
        "Groups meet eight times. Two leaders write it down.",
    ));
    right.edit(protocol("Groups meet six evenings. Leaders write it down."));
    meet(&mut left, &mut right);
    let open = left.versions();
    assert!(
        matches!(open[0].cause, ConflictCause::Sentence(_)),
        "{open:?}"
    );
    let place = open[0]
        .versions
        .iter()
        .position(|version| version.value == "Groups meet eight times.");
    let place = place.expect("the sentence as the left hub wrote it");
    let choice = open[0].choice(&left.document, place).expect("a choice");
    assert_eq!(
        choice,
        "Groups meet eight times. Two leaders write it down."
    );
    assert_eq!(open[0].choice(&left.document, 9), None);
    left.settle("protocol", choice);
    meet(&mut left, &mut right);
    assert!(right.versions().is_empty());
    assert_eq!(
        right.read()["protocol"],
        "Groups meet eight times. Two leaders write it down."
    );
}
