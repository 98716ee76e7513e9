//! The register and its group without scripts, and what a browser may keep of it.

use tests::hall::{ADMINISTRATOR, Hall, LEAD, SENIOR_LINK, STRANGER, day};

fn between<'a>(text: &'a str, before: &str, after: &str) -> &'a str {
    let (_, rest) = text
        .split_once(before)
        .unwrap_or_else(|| panic!("{before} is in {text}"));
    rest.split_once(after).expect("it ends").0
}

#[tokio::test(flavor = "multi_thread")]
async fn without_scripts_the_register_is_a_form_that_does_no_harm_when_sent_twice() {
    let hall = Hall::new(true).await;
    let lead = hall.visitor(LEAD);
    let page = lead.get(&hall.register()).await;
    assert_eq!(page.status, 200);
    assert!(page.body.contains("Testa Sampleton 01"), "{}", page.body);
    let heads = between(&page.body, "name=\"heads\" value=\"", "\"");
    let key = between(&page.body, "name=\"key\" value=\"", "\"");
    let fields = [
        ("heads", heads),
        ("key", key),
        ("stood-m00", " "),
        ("mark-m00", "present"),
        ("stood-m01", " "),
        ("mark-m01", "part"),
    ];
    for _ in 0..2 {
        let answer = lead.form(&hall.register(), &fields).await;
        assert_eq!(answer.status, 303, "{}", answer.body);
    }
    let entered = hall.marks();
    assert_eq!(entered.len(), 2, "{entered:?}");
    let page = lead.get(&hall.register()).await.body;
    assert!(page.contains("2 marks saved"), "{page}");
    assert!(page.contains("2 of 15 marked"), "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_goes_back_to_a_sent_form_changes_what_they_marked_with_it() {
    let hall = Hall::new(true).await;
    let lead = hall.visitor(LEAD);
    let page = lead.get(&hall.register()).await.body;
    let heads = between(&page, "name=\"heads\" value=\"", "\"");
    let key = between(&page, "name=\"key\" value=\"", "\"");
    let send = async |mark: &str| {
        let fields = [
            ("heads", heads),
            ("key", key),
            ("stood-m00", " "),
            ("mark-m00", mark),
        ];
        let answer = lead.form(&hall.register(), &fields).await;
        assert_eq!(answer.status, 303, "{}", answer.body);
        lead.get(&hall.register()).await.body
    };
    for mark in ["present", "absent", "absent", "part"] {
        let page = send(mark).await;
        assert!(page.contains("1 mark saved"), "{page}");
        let row = between(&page, "data-member=\"m00\"", ">");
        assert!(row.contains(&format!("data-mark=\"{mark}\"")), "{row}");
        assert!(!page.contains("Marked twice"), "{page}");
    }
    let page = send("present").await;
    assert!(page.contains("note-warning"), "{page}");
    assert!(
        page.contains("Testa Sampleton 01 stands as part, which was marked later"),
        "{page}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mark_that_is_marked_back_on_a_sent_form_is_marked_back() {
    let hall = Hall::new(true).await;
    let lead = hall.visitor(LEAD);
    let first = lead.get(&hall.register()).await.body;
    let key = between(&first, "name=\"key\" value=\"", "\"");
    let fields = [("key", key), ("stood-m00", " "), ("mark-m00", "present")];
    assert_eq!(lead.form(&hall.register(), &fields).await.status, 303);
    let page = lead.get(&hall.register()).await.body;
    let key = between(&page, "name=\"key\" value=\"", "\"");
    let stood = between(&page, "name=\"stood-m00\" value=\"", "\"");
    for (mark, said) in [
        ("present", "No mark was changed"),
        ("absent", "1 mark saved"),
        ("present", "1 mark saved"),
    ] {
        let fields = [("key", key), ("stood-m00", stood), ("mark-m00", mark)];
        assert_eq!(lead.form(&hall.register(), &fields).await.status, 303);
        let page = lead.get(&hall.register()).await.body;
        assert!(page.contains(said), "{mark}: {page}");
        assert_eq!(hall.marks().last().expect("a mark").1, mark);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mark_that_a_form_could_not_save_is_no_good_news() {
    let hall = Hall::new(true).await;
    let lead = hall.visitor(LEAD);
    let key = "0123456789abcdef";
    let fields = [
        ("key", key),
        ("mark-m00", "present"),
        ("mark-m01", "late"),
        ("mark-nobody", "present"),
    ];
    assert_eq!(lead.form(&hall.register(), &fields).await.status, 303);
    let page = lead.get(&hall.register()).await.body;
    assert!(page.contains("1 mark saved"), "{page}");
    assert!(page.contains("note-warning"), "{page}");
    assert!(
        page.contains("Testa Sampleton 02 was not marked: a mark is present, absent"),
        "{page}"
    );
    assert!(page.contains("no longer a member"), "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_offers_to_settle_two_marks_to_those_alone_whom_the_hub_lets_settle_them() {
    let hall = Hall::new(true).await;
    let (lead, desk) = (hall.visitor(LEAD), hall.visitor(ADMINISTRATOR));
    let opened = lead.get(&hall.register()).await.body;
    let heads = between(&opened, "name=\"heads\" value=\"", "\"");
    for (visitor, mark) in [(&lead, "present"), (&desk, "absent")] {
        let key = format!("0123456789abcdef-{mark}").replace('-', "");
        let fields = [("key", key.as_str()), ("heads", heads), ("mark-m00", mark)];
        assert_eq!(visitor.form(&hall.register(), &fields).await.status, 303);
    }
    assert!(
        desk.get(&hall.register())
            .await
            .body
            .contains("Both marks are kept"),
        "the second is told of the first"
    );
    let path = format!("/versions/{}", hall.group);
    let offers = |page: &str| {
        (
            page.contains("It is well as it is"),
            page.contains("does not choose"),
        )
    };
    let own = lead.get(&path).await.body;
    assert_eq!(offers(&own), (false, true), "{own}");
    let register = lead.get(&hall.register()).await.body;
    assert!(
        register.contains("Marked twice: see both marks"),
        "{register}"
    );
    let full = desk.get(&path).await.body;
    assert_eq!(offers(&full), (true, false), "{full}");
    let fields = [
        ("heads", between(&full, "name=\"heads\" value=\"", "\"")),
        ("field", between(&full, "name=\"field\" value=\"", "\"")),
        ("version", "as it is"),
    ];
    assert_eq!(lead.form(&path, &fields).await.status, 403);
    assert_eq!(desk.form(&path, &fields).await.status, 303);
    // What is settled is opened again by those who settle it.
    let again = |page: &str| page.contains("Open again");
    assert!(again(&desk.get(&path).await.body));
    assert!(!again(&lead.get(&path).await.body));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_browser_keeps_names_nobody_where_the_hub_does_not_allow_it() {
    let hall = Hall::new(false).await;
    let lead = hall.visitor(LEAD);
    let shown = lead.get(&hall.register()).await;
    assert!(shown.body.contains("Testa Sampleton 01"));
    assert!(!shown.headers.contains("x-causeway-register"));
    let kept = lead.get(&(hall.register() + "?offline=yes")).await;
    assert!(!kept.body.contains("Sampleton"), "{}", kept.body);
    assert!(kept.body.contains("Teacher 3") && kept.body.contains("Village School 5"));
    let whose = format!("x-causeway-register: {}", lead.account);
    assert!(kept.headers.contains(&whose), "{}", kept.headers);
    let worker = lead.get("/sw.js").await;
    assert!(worker.headers.contains("service-worker-allowed: /"));
    assert!(worker.headers.contains("cache-control: no-cache"));
    assert!(worker.body.starts_with("const VERSION"), "{}", worker.body);
    assert_eq!(lead.get("/offline").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn sign_ups_and_completions_are_totals_apart_as_at_a_day() {
    let hall = Hall::new(true).await;
    let desk = hall.visitor(ADMINISTRATOR);
    let group = format!("/work-groups/{}", hall.group);
    for member in &hall.members[..4] {
        let path = format!("{group}/members/{member}/status");
        let page = desk.get(&path).await.body;
        let heads = between(&page, "name=\"heads\" value=\"", "\"").to_owned();
        let fields = [
            ("heads", heads.as_str()),
            ("status", "completed"),
            ("as_at", &day(0)),
        ];
        assert_eq!(desk.form(&path, &fields).await.status, 303);
    }
    let figure = |page: &str, total: &str| {
        let card = between(page, &format!("data-total=\"{total}\""), "</li>").to_owned();
        between(&card, "class=\"figure\">", "<").to_owned()
    };
    let page = desk.get(&group).await.body;
    assert_eq!(
        (figure(&page, "signed-up"), figure(&page, "completed")),
        ("15".into(), "4".into())
    );
    let before = desk.get(&format!("{group}?as_at={}", day(-1))).await.body;
    assert_eq!(
        (figure(&before, "signed-up"), figure(&before, "completed")),
        ("15".into(), "0".into())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_finds_no_place_left_stands_on_the_waiting_list_and_reads_why() {
    let hall = Hall::new(true).await;
    let desk = hall.visitor(ADMINISTRATOR);
    let group = format!("/work-groups/{}", hall.group);
    for number in 0..6 {
        let name = format!("Overflow School {number}");
        let page = desk.get(&format!("{group}/members/new")).await.body;
        let heads = between(&page, "name=\"heads\" value=\"", "\"").to_owned();
        let fields = [
            ("heads", heads.as_str()),
            ("organisation", name.as_str()),
            ("status", "accepted"),
        ];
        let added = desk.form(&format!("{group}/members/new"), &fields).await;
        assert_eq!(added.status, 303, "{}", added.body);
        let page = desk.get(&group).await.body;
        assert_eq!(
            page.contains("no place left"),
            number == 5,
            "{number}: {page}"
        );
    }
    let page = desk.get(&group).await.body;
    assert!(page.contains("Full") && page.contains("On the waiting list"));
}

#[tokio::test(flavor = "multi_thread")]
async fn each_role_sees_its_own_groups_and_no_more_of_them_than_it_may() {
    let hall = Hall::new(true).await;
    let list = |body: &str| (body.contains("Ratio in Year 7"), body.contains("Fractions"));
    let lead = hall.visitor(LEAD).get("/work-groups?state=all").await.body;
    assert_eq!(list(&lead), (true, false));
    let stranger = hall.visitor(STRANGER);
    assert_eq!(
        list(&stranger.get("/work-groups?state=all").await.body),
        (false, true)
    );
    assert_eq!(
        stranger
            .get(&format!("/work-groups/{}", hall.group))
            .await
            .status,
        403
    );
    let link = hall.visitor(SENIOR_LINK);
    assert_eq!(list(&link.get("/work-groups").await.body), (true, true));
    let page = link.get(&format!("/work-groups/{}", hall.group)).await;
    assert_eq!(page.status, 200);
    assert!(!page.body.contains("Sampleton") && !page.body.contains("Village School"));
}
