//! Each mark is taken exactly once.

use serde_json::{Value, json};
use tests::hall::{ADMINISTRATOR, Hall, LEAD};

pub(crate) fn key(number: usize) -> String {
    format!("{number:032x}")
}

pub(crate) fn mark(number: usize, member: &str, mark: &str) -> Value {
    json!({ "key": key(number), "member": member, "mark": mark, "after": [], "heads": "" })
}

#[tokio::test(flavor = "multi_thread")]
async fn marks_that_are_sent_again_in_part_or_whole_arrive_once_and_in_order() {
    let hall = Hall::new(true).await;
    let lead = hall.visitor(LEAD);
    let path = hall.register() + "/marks";
    let marks = hall.members.iter().enumerate().map(|(index, member)| {
        let said = match index {
            13 => "absent",
            14 => "substitute",
            _ => "present",
        };
        mark(index, member, said)
    });
    let marks = marks.collect::<Vec<_>>();
    let send = async |marks: &[Value]| {
        let body = json!({ "account": lead.account, "marks": marks });
        let answer = lead.json(&path, &body).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.json()
    };
    send(&marks[..5]).await;
    // The answer was lost: the same again, with the next.
    let answer = send(&marks[..8]).await;
    let taken = answer["taken"].as_array().expect("what became of them");
    assert!(taken.iter().all(|it| it["saved"] == true), "{answer}");
    // Two tabs send the rest at once.
    let (one, other) = tokio::join!(send(&marks[5..]), send(&marks[5..]));
    for answer in [one, other] {
        let taken = answer["taken"].as_array().expect("what became of them");
        assert!(taken.iter().all(|it| it["saved"] == true), "{answer}");
    }
    send(&marks).await;
    let entered = hall.marks();
    let members = entered.iter().map(|(member, _)| member);
    assert_eq!(
        members.collect::<Vec<_>>(),
        hall.members.iter().collect::<Vec<_>>()
    );
    let count = |said: &str| entered.iter().filter(|(_, mark)| mark == said).count();
    assert_eq!(
        (count("present"), count("absent"), count("substitute")),
        (13, 1, 1)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_correction_follows_and_what_comes_late_does_not_bring_the_old_back() {
    let hall = Hall::new(true).await;
    let lead = hall.visitor(LEAD);
    let path = hall.register() + "/marks";
    let member = &hall.members[0];
    let send = async |marks: Value| {
        let body = json!({ "account": lead.account, "marks": marks });
        lead.json(&path, &body).await.json()
    };
    let first = mark(1, member, "present");
    let mut correction = mark(2, member, "absent");
    correction["after"] = json!([format!("mark-{}", key(1))]);
    send(json!([first])).await;
    send(json!([correction])).await;
    let answer = send(json!([first])).await;
    assert_eq!(answer["taken"][0]["saved"], true, "it is there");
    assert_eq!(
        answer["rows"][0]["mark"], "absent",
        "and does not count again"
    );
    let open = hall.node().list_versions(&hall.group).expect("versions");
    assert_eq!(
        open,
        json!([]),
        "a correction by whoever marked is no second version"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_two_people_marked_apart_is_kept_as_two_versions() {
    let hall = Hall::new(true).await;
    let (lead, desk) = (hall.visitor(LEAD), hall.visitor(ADMINISTRATOR));
    let path = hall.register() + "/marks";
    let member = &hall.members[0];
    let heads = lead.get(&path).await.json()["heads"].clone();
    let online = json!({ "account": desk.account, "marks": [mark(1, member, "absent")] });
    assert_eq!(desk.json(&path, &online).await.status, 200);
    let mut late = mark(2, member, "present");
    late["heads"] = heads;
    let offline = json!({ "account": lead.account, "marks": [late] });
    let answer = lead.json(&path, &offline).await.json();
    assert_eq!(answer["taken"][0]["saved"], true);
    let sentence = answer["taken"][0]["sentence"].as_str().expect("a sentence");
    assert!(sentence.contains("absent"), "{sentence}");
    let open = hall.node().list_versions(&hall.group).expect("versions");
    assert_eq!(
        open[0]["versions"].as_array().map(Vec::len),
        Some(2),
        "{open}"
    );
    let page = lead.get(&format!("/work-groups/{}", hall.group)).await;
    assert!(page.body.contains("has two different marks for session 2"));
}

#[tokio::test(flavor = "multi_thread")]
async fn marks_that_two_people_make_at_the_same_moment_never_hide_one_another() {
    let hall = Hall::new(true).await;
    let (lead, desk) = (hall.visitor(LEAD), hall.visitor(ADMINISTRATOR));
    let path = hall.register() + "/marks";
    for (index, pair) in hall.members.chunks(2).enumerate() {
        let heads = lead.get(&path).await.json()["heads"].clone();
        let send = async |visitor: &tests::visitor::Visitor, first: usize, said: &str| {
            let marks = pair.iter().enumerate().map(|(number, member)| {
                let mut made = mark(first + index * 2 + number, member, said);
                made["heads"] = heads.clone();
                made
            });
            let marks = marks.collect::<Vec<_>>();
            let body = json!({ "account": visitor.account, "marks": marks });
            let answer = visitor.json(&path, &body).await;
            assert_eq!(answer.status, 200, "{}", answer.body);
        };
        tokio::join!(send(&lead, 100, "present"), send(&desk, 200, "absent"));
    }
    let open = hall.node().list_versions(&hall.group).expect("versions");
    let twice = open.as_array().map(Vec::len);
    assert_eq!(twice, Some(hall.members.len()), "{open}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mark_from_a_page_too_old_to_stand_beside_others_is_taken_with_those_around_it() {
    let hall = Hall::new(true).await;
    let (lead, desk) = (hall.visitor(LEAD), hall.visitor(ADMINISTRATOR));
    let path = hall.register() + "/marks";
    let heads = lead.get(&path).await.json()["heads"].clone();
    let member = &hall.members[1];
    let online = json!({ "account": desk.account, "marks": [mark(1, member, "absent")] });
    assert_eq!(desk.json(&path, &online).await.status, 200);
    let page = heads.as_str().expect("heads");
    let edits = (0..100).take_while(|number| {
        let title = json!({ "title": format!("Ratio {number}") }).to_string();
        hall.node().edit_record(&hall.group, page, &title).is_ok()
    });
    let edits = edits.count();
    assert!(edits < 100, "the page stands beside no more edits");
    let marks = hall.members[..3].iter().enumerate().map(|(index, member)| {
        let mut late = mark(index + 2, member, "present");
        late["heads"] = heads.clone();
        late
    });
    let marks = marks.collect::<Vec<_>>();
    let body = json!({ "account": lead.account, "marks": marks });
    let answer = lead.json(&path, &body).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let answer = answer.json();
    let taken = answer["taken"].as_array().expect("what became of them");
    assert!(taken.iter().all(|it| it["saved"] == true), "{answer}");
    assert_eq!(hall.marks().len(), 4);
}
