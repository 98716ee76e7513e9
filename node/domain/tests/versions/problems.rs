//! What arrives against the declaration is shown with its reason, and hides nothing.

use node_document::Value;
use node_domain::{FORUM_THREAD, PERSON, WORK_GROUP, card_problems, problems, row};
use serde_json::json;

use crate::world::{Hub, meet, object};
use crate::write;

#[test]
fn everything_that_is_not_as_declared_is_told_and_shown_all_the_same() {
    let mut hub = Hub::with_record(
        1,
        &WORK_GROUP,
        json!({"title": "Year 7", "sessions": [{"id": "s", "date": "2026-11-03"}]}),
    );
    assert!(problems(&hub.document.view(), &WORK_GROUP).is_empty());
    write(&mut hub, |edit| {
        edit.put(&["title"], &Value::Bool(true))?;
        edit.put(&["code"], &"x".repeat(30).as_str().into())?;
        edit.put(&["phase"], &"nursery".into())?;
        edit.put(&["year"], &"2026".into())?;
        edit.put(&["protocol_version"], &"three".into())?;
        edit.put(&["state"], &"completed".into())?;
        edit.put(&["enquiries"], &"many".into())?;
        edit.put(&["narrative"], &7.into())?;
        edit.put(&["sessions", "s", "date"], &"2026-02-30".into())?;
        edit.place_item(&["ratings"], "r", None)?;
        edit.place_item(&["attendance"], "a", None)?;
        edit.put(&["attendance", "a", "session"], &"gone".into())?;
        edit.put(&["attendance", "a", "mark"], &"late".into())
    });
    let found = problems(&hub.document.view(), &WORK_GROUP);
    let told = found
        .iter()
        .map(|problem| (problem.field.as_str(), problem.message.as_str()))
        .collect::<Vec<_>>();
    let long = format!(
        "'Code' must have at most 20 characters: got '{}'",
        "x".repeat(30)
    );
    assert_eq!(
        told,
        [
            ("code", long.as_str()),
            ("title", "'Title' is not a text: it says 'yes'"),
            (
                "protocol_version",
                "'Version of the protocol' is not a whole number: it says 'three'"
            ),
            ("year", "'Year' must be a year such as 2026-27: got '2026'"),
            (
                "state",
                "'State' went from 'planned' to 'completed', a step that is not allowed"
            ),
            (
                "sessions/s/date",
                "'Date' must be a date such as 2026-11-24: got '2026-02-30'"
            ),
            ("attendance/a/member", "'Attendance: Member' is missing"),
            ("ratings/r/outcome", "'Ratings: Outcome' is missing"),
            ("ratings/r/rating", "'Ratings: Rating' is missing"),
            ("enquiries", "'Enquiries' is not a count: it says 'many'"),
            (
                "narrative",
                "'What changed' is not a text that several people can edit: it says '7'"
            ),
            (
                "attendance/a/session",
                "'Session' names 'gone', which is not among 'Sessions'"
            ),
        ]
    );
    let record = hub.read();
    assert_eq!(record["phase"], "nursery");
    assert_eq!(record["sessions"][0]["date"], "2026-02-30");
    assert_eq!(record["narrative"], 7);
    assert_eq!(row(&hub.document.view(), &WORK_GROUP).title, "yes");
}

#[test]
fn who_wrote_an_entry_is_proven_and_never_claimed() {
    let mut left = Hub::with_record(1, &FORUM_THREAD, json!({"title": "Funding"}));
    let mut right = left.joined_by(2);
    left.edit(json!([{"do": "add", "field": "posts", "values": {"text": "Ours."}}]));
    meet(&mut left, &mut right);
    let (post, other) = (left.item("posts", 0), left.author.hub.to_string());
    write(&mut right, |edit| {
        edit.update_text(&["posts", &post, "text"], "Ours, and theirs.")?;
        edit.keep_item(&["posts"], &post)?;
        edit.place_item(&["posts"], "forged", Some(&post))?;
        edit.put(&["posts", "forged", "hub"], &other.as_str().into())
    });
    meet(&mut left, &mut right);
    let posts = left.field("posts");
    assert_eq!(posts[0]["hub"], left.author.hub.to_string());
    assert_eq!(posts[1]["hub"], right.author.hub.to_string());
    let found = problems(&left.document.view(), &FORUM_THREAD);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].field, format!("posts/{post}"));
    assert!(
        found[0]
            .message
            .contains("entries stay as they were written")
    );
}

#[test]
fn a_card_that_arrived_otherwise_is_told_too() {
    let fields = object(json!({"email": "jane", "contact_wishes": "by pigeon", "urn": 5}));
    let told = card_problems(&PERSON, &fields);
    let told = told.iter().map(|problem| problem.message.as_str());
    assert_eq!(
        told.collect::<Vec<_>>(),
        [
            "'Name' is missing",
            "'E-mail' must be an e-mail address: got 'jane'",
            "'URN' is not a text: it says '5'",
        ]
    );
}

#[test]
fn a_line_of_a_list_holds_what_it_is_filtered_by_and_the_text_of_its_items() {
    let hub = Hub::with_record(
        1,
        &FORUM_THREAD,
        json!({"title": "Funding", "asked_by": "The ministry", "due": "2026-12-01",
            "posts": [{"text": "Half is enough.", "practice": "abc"}]}),
    );
    let line = row(&hub.document.view(), &FORUM_THREAD);
    assert!(line.searched.contains("Half is enough."));
    let cell = |name: &str| {
        let found = line.cells.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.clone())
    };
    assert_eq!(cell("asked_by"), Some(json!("The ministry")));
    assert_eq!(cell("posts/practice"), Some(json!("abc")));
    assert_eq!(cell("state"), Some(json!("open")));
    assert_eq!(cell("question"), None);
}
