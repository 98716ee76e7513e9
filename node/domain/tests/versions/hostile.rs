//! What a hostile hub writes into a shared record under its own key, and what it cannot do by it.

use node_document::{Edit, EditError};
use node_domain::{
    FORUM_THREAD, HUB_PROFILE, LEADER_DAYS, PROJECT_WORK, RecordError, WORK_GROUP, create,
    cross_watches, differs_from_frozen, endorsements, frozen_copies, kind_name, kind_of, problems,
    raised_is_settled, released, reopen, settle_raised, settled,
};
use serde_json::{Value as Json, json};

use crate::world::{Hub, meet, object};
use crate::{raised, write};

fn include(element: &str) -> Json {
    json!([{"do": "include", "field": "endorsements", "element": element}])
}

fn set(field: &str, value: &str) -> Json {
    json!([{"do": "set", "field": field, "value": value}])
}

fn put_item(
    edit: &mut Edit<'_>,
    list: &str,
    item: &str,
    parts: &[(&str, node_document::Value)],
) -> Result<(), EditError> {
    let last = edit.last_item(&[list]);
    edit.place_item(&[list], item, last.as_deref())?;
    for (part, value) in parts {
        edit.put(&[list, item, part], value)?;
    }
    Ok(())
}

#[test]
fn forty_thousand_endorsements_of_one_hub_crowd_out_nobody_else() {
    let position = "We agree. ".repeat(20_000);
    let text = |from: usize| node_document::Value::from(&position[from..]);
    let mut thread = Hub::with_record(1, &FORUM_THREAD, json!({"title": "Funding"}));
    let mut hostile = thread.joined_by(2);
    write(&mut thread, |edit| edit.put(&["position"], &text(0)));
    thread.edit(include("north"));
    meet(&mut thread, &mut hostile);
    write(&mut hostile, |edit| {
        for at in 0..40_000 {
            edit.put(&["endorsements", &format!("a{at}")], &true.into())?;
        }
        Ok(())
    });
    meet(&mut thread, &mut hostile);
    let found = endorsements(&thread.document, &FORUM_THREAD);
    assert_eq!(found.len(), 21);
    assert!(found.iter().any(|it| it.element == "north" && it.exact));
    write(&mut thread, |edit| edit.put(&["position"], &text(10)));
    let stale = raised(&thread, "stale-endorsements");
    assert_eq!(stale[0].versions.len(), 21);
    let before = stale[0].versions[0].before[0].as_str().expect("a text");
    assert_eq!(
        before.chars().count(),
        10_001,
        "long texts are told in part"
    );
}

#[test]
fn nobody_but_the_owner_says_what_kind_of_record_it_is_and_the_owner_says_it_once() {
    let mut owner = Hub::with_record(1, &PROJECT_WORK, json!({"code": "P", "title": "Project"}));
    let mut hostile = owner.joined_by(2);
    let page = owner.document.heads();
    let kind = |hub: &Hub| kind_of(&hub.document.view()).map(|kind| kind.name);
    write(&mut hostile, |edit| {
        edit.put(&["@kind"], &"forum-thread".into())
    });
    meet(&mut owner, &mut hostile);
    assert_eq!(kind(&owner), Ok("project-work"));
    write(&mut hostile, |edit| edit.clear(&["@kind"]));
    meet(&mut owner, &mut hostile);
    assert_eq!(kind(&owner), Ok("project-work"));
    owner.edit(set("title", "Still a project"));
    write(&mut owner, |edit| edit.put(&["@kind"], &"plan".into()));
    assert_eq!(kind(&owner), Ok("project-work"));
    let then = owner.document.view_at(&page).expect("it stood so");
    assert_eq!(kind_name(&then).as_deref(), Some("project-work"));
    // A record that its owner never began is none.
    let unknown = node_document::Document::new(owner.document.id());
    let mut stolen = Hub::new(2, unknown);
    write(&mut stolen, |edit| edit.put(&["@kind"], &"plan".into()));
    assert_eq!(kind_name(&stolen.document.view()), None);
}

#[test]
fn a_kind_of_cards_is_no_kind_of_documents() {
    let begun = Hub::with_record(1, &WORK_GROUP, json!({"title": "Year 7"}));
    let mut hub = Hub::new(1, node_document::Document::new(begun.document.id()));
    write(&mut hub, |edit| edit.put(&["@kind"], &"person".into()));
    let found = kind_of(&hub.document.view()).map(|kind| kind.name);
    assert_eq!(found, Err(RecordError::UnknownKind("person".to_owned())));
}

#[test]
fn nobody_issues_passes_takes_or_gives_back_the_places_of_others() {
    let values = json!({"title": "Secondary", "leader": "abcd", "term": "autumn", "days": 5});
    let mut owner = Hub::with_record(1, &LEADER_DAYS, values);
    let mut hostile = owner.joined_by(2);
    owner.edit(json!([{"do": "take", "field": "days", "count": 2}]));
    meet(&mut owner, &mut hostile);
    let stood = owner.field("days");
    assert_eq!((&stood["issued"], &stood["taken"]), (&json!(5), &json!(2)));
    let (its, other) = (hostile.author.hub.to_string(), owner.author.hub.to_string());
    let steps = hostile.document.view().items(&["days"]);
    write(&mut hostile, |edit| {
        let step = |name: &str, hub: &str, count: i64| {
            [
                ("step", name.into()),
                ("hub", hub.into()),
                ("count", count.into()),
                ("to", its.as_str().into()),
            ]
        };
        put_item(edit, "days", "f1", &step("issue", &its, 100))?;
        put_item(edit, "days", "f2", &step("issue", &other, 100))?;
        put_item(edit, "days", "f3", &step("pass", &other, 3))?;
        put_item(edit, "days", "f4", &step("give back", &other, 2))?;
        let mut reversed = step("pass", &its, -3);
        reversed[3].1 = other.as_str().into();
        put_item(edit, "days", "f5", &reversed)?;
        // What stands is written over, one step in every part, and another is taken out.
        put_item(edit, "days", &steps[1], &step("take", &its, 0))?;
        edit.remove_item(&["days"], &steps[0])
    });
    meet(&mut owner, &mut hostile);
    assert_eq!(owner.field("days"), stood);
    let told = problems(&owner.document.view(), &LEADER_DAYS);
    let told = told
        .iter()
        .filter(|it| it.message.contains("by a hub that may not"));
    assert_eq!(told.count(), 6);
    owner.edit(json!([{"do": "take", "field": "days", "count": 3}]));
    let over = json!([{"do": "take", "field": "days", "count": 1}]);
    assert!(owner.try_edit(None, over).is_err());
}

#[test]
fn only_the_owners_answers_need_days_and_a_forged_one_frees_none() {
    let values = json!({"title": "Secondary", "leader": "abcd", "term": "autumn", "days": 2,
        "requests": [{"id": "n", "days": 2, "need": "Proof"}, {"id": "s", "days": 2, "need": "Mechanics"}]});
    let mut owner = Hub::with_record(1, &LEADER_DAYS, values);
    let mut hostile = owner.joined_by(2);
    let answer = |request: &str, answer: &str| {
        let values = json!({"request": request, "answer": answer, "days": 2});
        json!([{"do": "add", "field": "answers", "values": values}])
    };
    owner.edit(answer("n", "confirmed"));
    meet(&mut owner, &mut hostile);
    let given = owner.item("answers", 0);
    write(&mut hostile, |edit| {
        edit.put(&["answers", &given, "answer"], &"cancelled".into())?;
        let parts = [
            ("request", "n".into()),
            ("answer", "cancelled".into()),
            ("days", 2.into()),
        ];
        put_item(edit, "answers", "forged", &parts)
    });
    meet(&mut owner, &mut hostile);
    owner.edit(answer("s", "confirmed"));
    assert_eq!(
        owner.notes.len(),
        1,
        "the days are still given to the first"
    );
    assert_eq!(owner.field("days")["taken_for"], json!({"n": 2}));
    let told = problems(&owner.document.view(), &LEADER_DAYS);
    assert!(
        told.iter()
            .any(|it| it.field == "answers/forged" && it.message.contains("may not"))
    );
}

#[test]
fn a_release_is_the_owners_alone_and_stays_as_it_was_kept() {
    let values = json!({"code": "P", "title": "Project", "protocol": "Groups meet."});
    let mut owner = Hub::with_record(1, &PROJECT_WORK, values);
    owner.edit(set("protocol_state", "released"));
    let mut hostile = owner.joined_by(2);
    let kept = frozen_copies(&owner.document.view(), &PROJECT_WORK);
    let item = owner.item("releases", 0);
    let content = r#"{"protocol":"Nobody meets."}"#;
    let hash = blake3::hash(content.as_bytes()).to_hex().to_string();
    let parts = |version: i64| {
        [
            ("version", version.into()),
            ("content", content.into()),
            ("hash", hash.as_str().into()),
        ]
    };
    write(&mut hostile, |edit| {
        put_item(edit, "releases", "forged", &parts(2))?;
        put_item(edit, "releases", &item, &parts(1))
    });
    meet(&mut owner, &mut hostile);
    assert_eq!(frozen_copies(&owner.document.view(), &PROJECT_WORK), kept);
    assert!(differs_from_frozen(&owner.document.view(), &PROJECT_WORK).is_empty());
    let told = problems(&owner.document.view(), &PROJECT_WORK);
    let forged = told
        .iter()
        .find(|problem| problem.field == "releases/forged");
    assert!(forged.is_some_and(|it| it.message.contains("written by a hub that may not")));
}

#[test]
fn what_a_member_sends_counts_if_it_is_genuine_and_no_number_is_beyond_the_last() {
    let mut owner = Hub::with_record(1, &FORUM_THREAD, json!({"title": "Funding"}));
    let mut member = owner.joined_by(2);
    let content = r#"{"position":"We agree."}"#;
    let hash = blake3::hash(content.as_bytes()).to_hex().to_string();
    let copy = |version: i64, hash: &str| {
        [
            ("version", version.into()),
            ("content", content.into()),
            ("hash", hash.into()),
        ]
    };
    write(&mut member, |edit| {
        put_item(edit, "copies", "a", &copy(1, &hash))?;
        put_item(edit, "copies", "b", &copy(2, "00"))?;
        put_item(edit, "copies", "c", &copy(i64::MAX, &hash))
    });
    meet(&mut owner, &mut member);
    let copies = frozen_copies(&owner.document.view(), &FORUM_THREAD);
    assert_eq!(
        copies.iter().map(|copy| copy.version).collect::<Vec<_>>(),
        [1]
    );
    assert_eq!(
        released(&owner.document, &FORUM_THREAD)
            .expect("sent")
            .copies
            .len(),
        1
    );
    let told = problems(&owner.document.view(), &FORUM_THREAD);
    let told = told
        .iter()
        .filter(|it| it.message.contains("by a hub that may not"));
    assert_eq!(told.count(), 2);
    // The next copy goes on from what counts.
    owner.edit(set("state", "drafting"));
    owner.edit(set("position", "We agree in part."));
    owner.edit(set("state", "sent"));
    let copies = frozen_copies(&owner.document.view(), &FORUM_THREAD);
    assert_eq!(copies.last().map(|copy| copy.version), Some(2));
}

#[test]
fn a_copy_beyond_all_measure_is_not_read_and_none_is_kept() {
    let mut hub = Hub::with_record(1, &FORUM_THREAD, json!({"title": "Funding"}));
    hub.edit(set("state", "drafting"));
    let long = "x".repeat(200_001);
    write(&mut hub, |edit| {
        edit.put(&["position"], &long.as_str().into())?;
        let content = json!({ "position": long }).to_string();
        let hash = blake3::hash(content.as_bytes()).to_hex().to_string();
        let parts = [
            ("version", 1.into()),
            ("content", content.as_str().into()),
            ("hash", hash.as_str().into()),
        ];
        put_item(edit, "copies", "a", &parts)
    });
    let copies = frozen_copies(&hub.document.view(), &FORUM_THREAD);
    assert!(!copies[0].genuine && copies[0].content.is_empty());
    let refused = hub.try_edit(None, set("state", "sent")).unwrap_err();
    assert!(
        refused.to_string().contains("at most 200000 bytes"),
        "{refused}"
    );
}

fn two_phases() -> (Hub, Hub) {
    let values = json!({"code": "P", "title": "Project", "phase": "primary"});
    let mut left = Hub::with_record(1, &PROJECT_WORK, values);
    let mut right = left.joined_by(2);
    left.edit(set("phase", "secondary"));
    right.edit(set("phase", "post-16"));
    meet(&mut left, &mut right);
    (left, right)
}

#[test]
fn a_settler_cannot_put_words_into_the_mouth_of_another_hub() {
    let (mut left, mut right) = two_phases();
    right.settle("phase", json!("post-16"));
    let id = settled(&right.document.view(), &PROJECT_WORK)[0].id.clone();
    let path = ["@settled", id.as_str(), "versions"];
    let versions = right.document.view().get(&path).expect("kept");
    let versions = versions
        .as_str()
        .expect("a text")
        .replace("secondary", "early years");
    write(&mut right, |edit| {
        edit.put(&path, &versions.as_str().into())
    });
    meet(&mut left, &mut right);
    let kept = &settled(&left.document.view(), &PROJECT_WORK)[0];
    for (at, version) in kept.versions.iter().enumerate() {
        // Both are hub 2's own: the one that it wrote, and the one that it made up.
        assert_eq!(version.author.hub, right.author.hub);
        assert_eq!(kept.is_proven(at), version.value == "post-16");
        assert_eq!(version.before.is_empty(), version.value != "post-16");
    }
}

#[test]
fn what_is_proven_is_told_with_its_author_and_what_stood_before() {
    let (mut left, mut right) = two_phases();
    let stood = left.versions()[0].versions.clone();
    right.settle("phase", json!("post-16"));
    let id = settled(&right.document.view(), &PROJECT_WORK)[0].id.clone();
    let path = ["@settled", id.as_str(), "versions"];
    let versions = right.document.view().get(&path).expect("kept");
    // Another time, and another word for what stood before.
    let mut forged: Json = serde_json::from_str(versions.as_str().expect("a text")).expect("json");
    for version in forged.as_array_mut().expect("versions") {
        version["time_ms"] = json!(1);
        version["hub"] = json!("0000000000000000");
        version["before"] = json!(["early years"]);
    }
    write(&mut right, |edit| {
        edit.put(&path, &forged.to_string().as_str().into())
    });
    meet(&mut left, &mut right);
    assert_eq!(
        settled(&left.document.view(), &PROJECT_WORK)[0].versions,
        stood
    );
}

#[test]
fn items_that_a_watch_raised_are_proven_where_they_say_what_was_written() {
    let rating = |rating: i64| json!({"outcome": "practice", "rating": rating});
    let values = json!({"title": "Year 7", "ratings": [rating(1), rating(4)]});
    let mut hub = Hub::with_record(1, &WORK_GROUP, values);
    let path = hub.versions()[0].path.clone();
    hub.settle(&path, Json::Null);
    let kept = &settled(&hub.document.view(), &WORK_GROUP)[0];
    assert!(kept.is_proven(0) && kept.is_proven(1) && !kept.is_proven(2));
}

#[test]
fn opening_again_counts_for_what_is_declared_and_once_for_each_path() {
    let (mut left, mut hostile) = two_phases();
    left.settle("phase", json!("post-16"));
    meet(&mut left, &mut hostile);
    write(&mut hostile, |edit| {
        for at in 0..3_000 {
            let path = match at % 3 {
                0 => "phase".to_owned(),
                1 => format!("nowhere{at}"),
                _ => format!("!nothing/{at}"),
            };
            let id = format!("f{at}");
            put_item(edit, "@settled", &id, &[("path", path.as_str().into())])?;
            edit.put(&["@reopened", &id], &true.into())?;
        }
        Ok(())
    });
    meet(&mut left, &mut hostile);
    let open = left.versions();
    assert_eq!(
        open.iter().map(|it| it.path.as_str()).collect::<Vec<_>>(),
        ["phase"]
    );
    assert_eq!(open[0].label, "Phase tried first");
    assert_eq!(settled(&left.document.view(), &PROJECT_WORK).len(), 1_000);
}

#[test]
fn what_was_raised_from_other_records_is_settled_until_it_is_another_or_opened_again() {
    let kinds = node_domain::KINDS.into_iter();
    let kind = kinds
        .filter(|kind| kind.form == node_domain::Form::Document)
        .find(|kind| cross_watches(kind).next().is_some());
    let kind = kind.expect("a kind with such a watch");
    let path = format!("!{}", cross_watches(kind).next().expect("a watch").name);
    let mut required = kind.fields.iter().filter(|field| field.required);
    assert!(required.next().is_some());
    let begun = Hub::with_record(1, &HUB_PROFILE, object_for(&HUB_PROFILE));
    let mut hub = Hub::new(1, node_document::Document::new(begun.document.id()));
    let values = object(object_for(kind));
    let edited = create(
        &hub.document,
        kind,
        &values,
        &node_domain::By {
            program: true,
            ..hub.by()
        },
    );
    hub.save(&edited.expect("as declared"));

    let is_settled =
        |hub: &Hub, fingerprint: &str| raised_is_settled(&hub.document.view(), &path, fingerprint);
    assert!(!is_settled(&hub, "one"));
    let edited = settle_raised(&hub.document, &path, "Shared", "one", &hub.by());
    hub.save(&edited.expect("settled"));
    assert!(is_settled(&hub, "one") && !is_settled(&hub, "two"));
    let kept = settled(&hub.document.view(), kind);
    assert_eq!(
        (kept[0].path.as_str(), kept[0].label.as_str()),
        (path.as_str(), "Shared")
    );
    let edited = reopen(&hub.document, None, &kept[0].id, &hub.by()).expect("it was settled");
    hub.save(&edited);
    assert!(!is_settled(&hub, "one"));
    assert!(
        hub.versions().is_empty(),
        "whoever holds the others tells it"
    );
    let edited = settle_raised(&hub.document, &path, "Shared", "two", &hub.by());
    hub.save(&edited.expect("settled once more"));
    assert!(is_settled(&hub, "two"));
    for wrong in ["!none", "phase", ""] {
        assert!(settle_raised(&hub.document, wrong, "Shared", "one", &hub.by()).is_err());
    }
}

/// The least that a record of a kind needs.
fn object_for(kind: &node_domain::Kind) -> Json {
    use node_domain::Check;
    let required = kind.fields.iter().filter(|field| field.required);
    let value = |check: Check| match check {
        Check::Date => json!("2026-11-24"),
        Check::Number(least, _) | Check::Pence(least, _) => json!(least),
        Check::YesNo | Check::Consent => json!(true),
        Check::Urn | Check::Urns => json!("106001"),
        Check::OneOf(codes) => json!(codes[0]),
        Check::AcademicYear => json!("2026-27"),
        Check::Time => json!("16:30"),
        Check::Email => json!("a@b.uk"),
        Check::Text(_) | Check::Reference(_) => json!("abc"),
    };
    required
        .map(|field| (field.name.to_owned(), value(field.check)))
        .collect::<node_domain::Object>()
        .into()
}
