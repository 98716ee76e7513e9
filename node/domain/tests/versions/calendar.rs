//! Sessions in calendars.

use node_domain::{WORK_GROUP, concerned, dated_items};
use serde_json::json;

use crate::world::{Hub, meet};
use crate::write;

#[test]
fn w2_two_dates_of_one_session_are_both_kept_and_shown_as_two() {
    let mut left = Hub::with_record(
        1,
        &WORK_GROUP,
        json!({"title": "Year 7", "leaders": [{"person": "p1"}, {"person": "p2"}], "sessions": [
            {"id": "s3", "date": "2027-03-10", "start": "16:30", "minutes": 90, "venue": "Hall"},
            {"id": "s4", "date": "2027-04-10", "state": "cancelled"},
        ]}),
    );
    let mut right = left.joined_by(2);
    let moved = |day: &str, why: &str| {
        json!([{"do": "set", "field": "sessions/s3/date", "value": day},
            {"do": "set", "field": "sessions/s3/moved_because", "value": why}])
    };
    left.edit(moved("2027-03-12", "The hall is shut."));
    right.edit(moved("2027-03-14", "Inspection."));
    meet(&mut left, &mut right);
    let found = dated_items(&left.document.view(), &WORK_GROUP);
    assert_eq!(found.len(), 2);
    assert_eq!((found[0].versions, found[1].versions), (2, 1));
    assert_eq!(found[0].start.as_deref(), Some("16:30"));
    assert_eq!(
        (found[0].minutes, found[0].venue.as_str()),
        (Some(90), "Hall")
    );
    assert!(found[1].cancelled && !found[0].cancelled);
    let told = left.versions();
    let dates = told
        .iter()
        .find(|conflict| conflict.path == "sessions/s3/date");
    assert_eq!(dates.map(|dates| dates.versions.len()), Some(2));
    let reasons = told
        .iter()
        .find(|conflict| conflict.path == "sessions/s3/moved_because");
    assert_eq!(reasons.map(|reasons| reasons.versions.len()), Some(2));
    let people = concerned(&left.document.view(), &WORK_GROUP).persons;
    assert_eq!(people, ["p1", "p2"]);
    left.settle("sessions/s3/date", json!("2027-03-14"));
    let found = dated_items(&left.document.view(), &WORK_GROUP);
    assert_eq!(
        (found[0].date.as_str(), found[0].versions),
        ("2027-03-14", 1)
    );
    // A day that does not exist stands in no calendar.
    write(&mut left, |edit| {
        edit.put(&["sessions", "s4", "date"], &"soon".into())
    });
    assert_eq!(dated_items(&left.document.view(), &WORK_GROUP).len(), 1);
}
