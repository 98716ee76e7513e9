//! What is refused, and what a refusal leaves behind.

use serde_json::{Value, json};
use tests::hall::{Hall, LEAD, SENIOR_LINK, STRANGER};
use tests::visitor::Visitor;
use tests::world::until;

use crate::once::mark;

async fn send(visitor: &Visitor, path: &str, marks: Value) -> (u16, Value) {
    let body = json!({ "account": visitor.account, "marks": marks });
    let answer = visitor.json(path, &body).await;
    (answer.status, answer.json())
}

#[tokio::test(flavor = "multi_thread")]
async fn marks_need_the_sessions_own_proof_and_account() {
    let hall = Hall::new(true).await;
    let lead = hall.visitor(LEAD);
    let path = hall.register() + "/marks";
    let marks = json!([mark(1, &hall.members[0], "present")]);
    let body = json!({ "account": lead.account, "marks": marks }).to_string();
    let json_type = ("content-type", "application/json");
    let csrf = ("x-csrf", lead.csrf.as_str());
    let without = lead.ask("POST", &path, &[json_type], &body).await;
    assert_eq!(
        (without.status, &without.json()["why"]),
        (403, &json!("csrf"))
    );
    let wrong = lead
        .ask("POST", &path, &[json_type, ("x-csrf", "0")], &body)
        .await;
    assert_eq!(wrong.status, 403);
    let kind = ("content-type", "text/plain");
    assert_eq!(
        lead.ask("POST", &path, &[kind, csrf], &body).await.status,
        415
    );
    let elsewhere = [json_type, csrf, ("origin", "https://elsewhere.example")];
    assert_eq!(lead.ask("POST", &path, &elsewhere, &body).await.status, 421);
    let mut nobody = lead.clone();
    nobody.cookie.clear();
    let answer = nobody.ask("POST", &path, &[json_type, csrf], &body).await;
    assert_eq!(answer.status, 303);
    assert!(
        answer.headers.contains("location: /sign-in"),
        "{}",
        answer.headers
    );
    let others = json!({ "account": "0123456789abcdef", "marks": marks });
    assert_eq!(lead.json(&path, &others).await.status, 409);
    assert_eq!(hall.marks(), []);
    assert_eq!(send(&lead, &path, marks).await.0, 200);
    assert_eq!(hall.marks().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_list_of_marks_is_refused_whole() {
    let hall = Hall::new(true).await;
    let lead = hall.visitor(LEAD);
    let path = hall.register() + "/marks";
    let headers = [("content-type", "application/json"), ("x-csrf", &lead.csrf)];
    let deep = "[".repeat(100_000);
    let long = format!("{{\"account\": \"{}\"}}", "a".repeat(200_000));
    for body in [
        "",
        "null",
        "[]",
        "{}",
        "{\"account\": 1}",
        &deep,
        &long,
        "\u{0}",
    ] {
        let answer = lead.ask("POST", &path, &headers, body).await;
        assert!(
            [400, 413].contains(&answer.status),
            "{}: {}",
            answer.status,
            answer.body
        );
    }
    let (status, _) = send(&lead, &path, json!([{ "key": 7 }])).await;
    assert_eq!(status, 400);
    let many = (0..201).map(|number| mark(number, &hall.members[0], "present"));
    let (status, body) = send(&lead, &path, many.collect()).await;
    assert_eq!(status, 422, "{body}");
    assert_eq!(hall.marks(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_wrong_mark_is_refused_and_those_around_it_are_taken() {
    let hall = Hall::new(true).await;
    let lead = hall.visitor(LEAD);
    let path = hall.register() + "/marks";
    let known = &hall.members[0];
    let mut short = mark(4, known, "present");
    short["key"] = json!("short");
    let mut shaped = mark(5, known, "present");
    shaped["key"] = json!("../attendance/00000000000");
    let marks = json!([
        mark(1, known, "present"),
        mark(2, "nobody", "present"),
        mark(3, &hall.members[1], "late"),
        short,
        shaped,
        mark(1, &hall.members[1], "present"),
        mark(6, &hall.members[2], "absent"),
    ]);
    let (status, body) = send(&lead, &path, marks).await;
    assert_eq!(status, 200, "{body}");
    let taken = body["taken"]
        .as_array()
        .expect("what became of them")
        .iter();
    let saved = taken.map(|it| it["saved"] == true).collect::<Vec<_>>();
    assert_eq!(
        saved,
        [true, false, false, false, false, false, true],
        "{body}"
    );
    assert_eq!(hall.marks().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_of_another_group_is_not_there() {
    let hall = Hall::new(true).await;
    let lead = hall.visitor(LEAD);
    let marks = json!([mark(1, &hall.members[0], "present")]);
    for session in ["other", "none", "%2e%2e"] {
        let path = format!("/work-groups/{}/register/{session}", hall.group);
        assert_eq!(
            send(&lead, &(path.clone() + "/marks"), marks.clone())
                .await
                .0,
            404
        );
        assert_eq!(lead.get(&path).await.status, 404);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_no_access_is_refused_and_a_line_says_so() {
    let hall = Hall::new(true).await;
    let path = hall.register() + "/marks";
    let marks = json!([mark(1, &hall.members[0], "present")]);
    for name in [STRANGER, SENIOR_LINK] {
        let visitor = hall.visitor(name);
        let lines = || {
            let lines = hall.node().accounts().audit_lines(100).expect("lines");
            let refused = lines.into_iter().filter(|line| {
                let who = line.who.map(|who| who.to_string());
                line.event == "refused" && who.as_ref() == Some(&visitor.account)
            });
            refused.count()
        };
        let (status, body) = send(&visitor, &path, marks.clone()).await;
        assert_eq!((status, &body["why"]), (403, &json!("role")), "{name}");
        until("the refusal is noted", || lines() == 1).await;
        for (count, path) in [(2, hall.register()), (3, path.clone())] {
            assert_eq!(visitor.get(&path).await.status, 403, "{name}: {path}");
            until("this one too", || lines() == count).await;
        }
    }
    assert_eq!(hall.marks(), []);
}
