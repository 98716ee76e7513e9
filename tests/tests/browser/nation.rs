//! The coordinator's pages: which hub needs a call, where the nation is, and what guests see.

use std::time::Duration;

use node::Node;
use node::clock::now_ms;
use node::records::ReturnWanted;
use node_feed::{Access, SpaceKind};
use serde_json::{Value, json};
use tests::bare_peer::Seat;
use tests::browser::Browser;
use tests::world::{World, until};

const NCETM: &str = "coordinator";
const SOUTH: &str = "south-yorkshire";
const EAST: &str = "east-midlands";
const BODY: &str = "Department for Education";

fn make(node: &Node, kind: &str, space: &str, fields: &Value) -> String {
    let made = node.create_record(kind, space, &fields.to_string());
    made.expect("a record").id.to_string()
}

fn edit(node: &Node, id: &str, changes: &Value) {
    node.edit_record(id, "", &changes.to_string())
        .expect("edited");
}

fn endorse(node: &Node, thread: &str, code: &str) {
    let change = json!([{ "do": "include", "field": "endorsements", "element": code }]);
    edit(node, thread, &change);
}

#[tokio::test(flavor = "multi_thread")]
async fn c1_one_click_admits_the_hub_whose_number_is_the_same_on_both_screens() {
    let Some(browser) = Browser::start("connections").await else {
        return;
    };
    let mut world = World::new().await;
    world.add_hub(SOUTH).await;
    let west = world.new_node("west-yorkshire");
    let invitation = world.invite_to_wait("west-yorkshire");
    let text = invitation.to_toml().expect("an invitation");
    let connecting = west.connect(&text).expect("it asks");
    until("both ends have a number", || {
        connecting.check_number().is_some()
    })
    .await;
    let number = connecting.check_number().expect("a number").to_string();
    browser.at(world.pages(NCETM).await);
    let operator = world.person(NCETM, "operator", "");
    operator.sign_in(&browser).await;
    browser.begin_task().await;
    browser.visit("/connections").await;
    browser.wait_for("Waiting").await;
    let shown = browser.text_of(".check-number").await;
    let digits = |text: &str| {
        text.chars()
            .filter(char::is_ascii_digit)
            .collect::<String>()
    };
    assert_eq!(digits(&shown), digits(&number));
    browser.check_page().await;
    browser.screenshot("waiting").await;
    browser.click("Admit ").await;
    browser.wait_for("is admitted").await;
    assert!(browser.screens().await <= 3);
    let outcome = tokio::time::timeout(Duration::from_secs(60), connecting.outcome());
    let outcome = outcome.await.expect("it hears of it");
    assert_eq!(outcome, node::enrolment::ConnectingState::Admitted);

    // Ending a hub's access asks for its name.
    browser.visit(&format!("/connections/{SOUTH}/revoke")).await;
    browser.check_page().await;
    browser.fill("Type the hub's name", "West Yorkshire").await;
    browser.click("End its access").await;
    browser.wait_for("There is a problem").await;
    let operations = world.coordinator().operations();
    assert!(operations.revocation(SOUTH).is_ok(), "nothing has ended");
    let name = format!("{SOUTH} Maths Hub");
    browser.fill("Type the hub's name", &name).await;
    browser.click("End its access").await;
    browser.wait_for("has ended").await;
    assert!(operations.revocation(SOUTH).is_err(), "it has ended");
}

#[tokio::test(flavor = "multi_thread")]
async fn c2_the_silent_hub_stands_first_with_its_reason() {
    const SILENT: &str = "west-yorkshire";
    const NEVER: &str = "central";
    const THREE_DAYS_MS: u64 = 3 * 24 * 60 * 60 * 1_000 + 60_000;
    let Some(browser) = Browser::start("silent-hub").await else {
        return;
    };
    let mut world = World::new().await;
    world.add_hub(EAST).await;
    let silent = Seat::take(world.invite(SILENT)).await.expect("connected");
    let operations = world.coordinator().operations();
    // One hub was here three days ago.
    let registry = operations.registry();
    let seen = || registry.last_seen().expect("a list").first().copied();
    until("the first hub was here", || seen().is_some()).await;
    let mut earlier = seen().expect("somebody was here");
    earlier.node = silent.node();
    earlier.hub = silent.hub();
    earlier.seen_ms = now_ms() - THREE_DAYS_MS;
    registry.saw(earlier).expect("kept");
    operations
        .suspend(EAST, "Its computer is being replaced.")
        .expect("suspended");
    browser.at(world.pages(NCETM).await);
    let operator = world.person(NCETM, "operator", "");
    operator.sign_in(&browser).await;
    browser.visit("/connections").await;
    browser
        .wait_for("has not been heard of for two days: call it.")
        .await;
    let rows = browser.texts("#hubs tbody tr").await;
    assert!(
        rows[0].contains(SILENT) && rows[0].contains("Nothing was heard of it for 3 days."),
        "{rows:?}"
    );
    let of_east = rows.iter().find(|row| row.contains(EAST)).expect("listed");
    assert!(
        of_east.contains("It is suspended: Its computer is being replaced."),
        "{of_east}"
    );
    browser.check_page().await;
    browser.screenshot("silent").await;

    // One that never came is no less a call, and nobody says that it was heard of once.
    drop(Seat::take(world.invite(NEVER)).await.expect("connected"));
    browser.reload().await;
    let lead = browser.text_of("p.lead").await;
    let never = format!("{NEVER} Maths Hub was admitted and has never connected.");
    assert!(lead.contains(&never), "{lead}");
    browser.click(&format!("{SILENT} Maths Hub")).await;
    browser.wait_for("Its computer").await;
    let why = browser.text_of("#why").await;
    assert!(why.contains("Nothing was heard of it for 3 days."), "{why}");
    browser.check_page().await;
    browser.screenshot("one-hub").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn n4_a_project_shows_its_hubs_beside_each_other_and_never_a_person() {
    let Some(browser) = Browser::start("comparison").await else {
        return;
    };
    let mut world = World::new().await;
    for hub in [SOUTH, EAST] {
        world.add_hub(hub).await;
    }
    let (space, project) = world.project("NCP24-11", &[SOUTH, EAST]).await;
    let ncetm = world.coordinator().operations().node().clone();
    let listed = [
        "title",
        "project",
        "sessions_held",
        "schools",
        "outcomes",
        "adaptations",
        "state",
    ];
    let listed =
        listed.map(|it| json!({ "do": "include", "field": "agreed_fields", "element": it }));
    edit(&ncetm, &project, &json!(listed));
    let part = |hub: &str| {
        json!({ "do": "add", "field": "participation",
        "values": { "hub": hub, "status": "active", "quota": 2 } })
    };
    edit(&ncetm, &project, &json!([part(SOUTH), part(EAST)]));
    world.agree(space).await;
    let south = world.hub(SOUTH).clone();
    let signed = json!([{ "do": "include", "field": "signatures", "element": SOUTH }]);
    edit(&south, &project, &signed);
    tests::reader::until_it_may_write(&south).await;
    let rating = |rating: u32| {
        let name = json!({ "name": format!("Planted Person {rating}") });
        let leader = make(&south, "person", "", &name);
        json!({ "leader": leader, "outcome": "practice", "rating": rating })
    };
    let fields = json!({
        "title": "Fractions", "project": "NCP24-11", "phase": "primary", "year": "2026-27",
        "sessions": [
            { "date": "2027-01-12", "state": "held" }, { "date": "2027-02-12", "state": "held" },
        ],
        "ratings": [rating(2), rating(4), rating(4)], "adaptations": "Two half days.",
        "members": [{ "id": "hill", "organisation": "Hill School", "urn": "100001" }],
        "statuses": [{ "member": "hill", "status": "accepted", "as_at": "2026-10-01" }],
    });
    let group = make(&south, "work-group", "", &fields);
    south
        .publish_record(&group, &space.to_string(), true, "")
        .expect("shared");
    let finding = json!([{ "do": "add", "field": "findings",
        "values": { "claim": "It lasts", "evidence": "Books" } }]);
    edit(&south, &project, &finding);
    world.agree(space).await;
    let shown = ncetm.show_record(&project).expect("the project").fields;
    let against = json!([{ "do": "add", "field": "positions", "values": {
        "finding": shown["findings"][0]["id"], "stance": "against", "reason": "Not here", "evidence": "Visits",
    } }]);
    edit(world.hub(EAST), &project, &against);
    world.agree(space).await;

    browser.at(world.pages(NCETM).await);
    let analyst = world.person(NCETM, "analyst", "");
    analyst.sign_in(&browser).await;
    browser.begin_task().await;
    browser.visit("/").await;
    browser.click("Projects").await;
    browser.click("A project").await;
    browser.wait_for("The hubs compared").await;
    assert!(browser.screens().await <= 3);
    assert_eq!(
        browser.text_of("#compared-in-short").await,
        "1 of 2 hubs shared 1 group, with 2 sessions held and 1 school reached. \
         The hubs disagree on 1 finding."
    );
    let rows = browser.texts("#compared-groups tbody tr").await;
    let row = |hub: &str| rows.iter().find(|row| row.contains(hub)).expect("a row");
    assert!(!row(SOUTH).contains("Not told"), "{rows:?}");
    assert!(
        row(EAST).contains("Not told"),
        "who shared nothing is no zero: {rows:?}"
    );
    let outcomes = browser.text_of("#compared-outcomes").await;
    for words in [
        "Professional learning",
        "Practice",
        "Pupils",
        "School policy",
        "3.3",
        "3 ratings",
    ] {
        assert!(outcomes.contains(words), "{words}: {outcomes}");
    }
    let adapted = browser.text_of("#compared-adaptations").await;
    assert!(adapted.contains("Two half days."), "{adapted}");
    let against = browser.text_of("#compared-against").await;
    assert!(
        against.contains(EAST) && against.contains("It lasts"),
        "{against}"
    );
    assert!(!browser.has("Planted Person").await, "never a person");
    assert!(!browser.has("this hub").await, "NCETM is no hub");
    browser.check_page().await;
    browser.screenshot("compared").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn n1_the_national_picture_names_who_is_missing_and_its_charts_have_tables() {
    let Some(browser) = Browser::start("picture").await else {
        return;
    };
    let mut world = World::new().await;
    for hub in [SOUTH, EAST] {
        world.add_hub(hub).await;
        tests::reader::until_it_may_write(world.hub(hub)).await;
    }
    let south = world.hub(SOUTH);
    for held in 0..3 {
        let sessions = json!([{ "date": "2027-01-12", "state": "held" }]);
        let fields = json!({ "title": format!("Group {held}"), "phase": "primary", "year": "2026-27",
            "sessions": sessions });
        make(south, "work-group", "", &fields);
    }
    let wanted = ReturnWanted {
        measure: "sessions-held".to_owned(),
        period: "2026-27 spring".to_owned(),
        as_at: "2027-02-28".to_owned(),
        ..ReturnWanted::default()
    };
    let kept = south.compute_return(&wanted, true).expect("counted").kept;
    let kept = kept.expect("kept").id.to_string();
    edit(south, &kept, &json!({ "state": "submitted" }));
    let pair = south.spaces().expect("spaces").into_iter();
    let pair = pair.filter(|space| space.kind == SpaceKind::Pair);
    let pair = pair
        .map(|space| space.id)
        .next()
        .expect("a space with NCETM");
    let copy = south.publish_record(&kept, &pair.to_string(), true, "");
    let copy = copy.expect("sent").id.expect("a copy").to_string();
    let ncetm = world.coordinator().operations().node();
    until("the return arrives", || ncetm.show_record(&copy).is_ok()).await;
    browser.at(world.pages(NCETM).await);
    let analyst = world.person(NCETM, "analyst", "");
    analyst.sign_in(&browser).await;
    browser.visit("/").await;
    browser.wait_for("The national picture").await;
    let in_short = browser.text_of("#in-short").await;
    assert!(
        in_short.starts_with("1 of 2 hubs' returns is in."),
        "{in_short}"
    );
    let missing = browser.text_of("#missing").await;
    assert!(
        missing.contains(EAST) && !missing.contains(SOUTH),
        "{missing}"
    );
    assert!(browser.count("figure.chart").await >= 2);
    assert_eq!(
        browser.count("figure.chart").await,
        browser.count("figure.chart table").await,
        "each chart has a table"
    );
    for figure in browser.texts("figure.chart").await {
        assert!(figure.contains("As at 28 February 2027."), "{figure}");
        assert!(
            figure.contains("Sessions"),
            "it says what is counted: {figure}"
        );
    }
    assert!(browser.has("No return").await, "who is missing is no zero");
    browser.check_page().await;
    browser.screenshot("picture").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn f1_to_f3_a_guest_sees_its_own_question_and_the_answer_once_it_is_sent() {
    let Some(browser) = Browser::start("policy-guest").await else {
        return;
    };
    let mut world = World::new().await;
    for hub in [SOUTH, EAST] {
        world.add_hub(hub).await;
    }
    let operations = world.coordinator().operations();
    let forum = operations.create_space(SpaceKind::Forum, "National forum");
    let forum = forum.expect("a forum");
    for hub in [SOUTH, EAST] {
        operations.grant(forum, hub, Access::Write).expect("access");
    }
    let ncetm = operations.node().clone();
    let ask = |title: &str, by: &str| {
        let fields = json!({ "title": title, "kind": "question", "question": "How often?",
            "asked_by": by, "due": "2027-03-31", "state": "drafting" });
        make(&ncetm, "forum-thread", &forum.to_string(), &fields)
    };
    let thread = ask("Calculators in Year 6", BODY);
    let others = ask("Somebody else's question", "Another body");
    let (south, east) = (world.hub(SOUTH).clone(), world.hub(EAST).clone());
    for hub in [&south, &east] {
        until("the question arrives", || hub.show_record(&thread).is_ok()).await;
    }
    edit(&south, &thread, &json!({ "position": "Once a week." }));
    world.agree(forum).await;
    endorse(&south, &thread, SOUTH);
    world.agree(forum).await;

    browser.at(world.pages(NCETM).await);
    let guest = world.person(NCETM, "policy guest", BODY);
    guest.sign_in(&browser).await;
    browser.visit("/").await;
    browser.wait_for("Your questions").await;
    assert_eq!(browser.count("#questions > li").await, 1);
    browser.check_page().await;
    browser.click("Calculators in Year 6").await;
    browser.wait_for("The hubs are working on it").await;
    assert!(
        !browser.has("Once a week.").await,
        "a draft is nothing for guests"
    );

    // The position changes after one endorsed it, and is sent: that endorsement counts no more.
    edit(
        &east,
        &thread,
        &json!({ "position": "Once or twice a week." }),
    );
    world.agree(forum).await;
    endorse(&east, &thread, EAST);
    edit(&east, &thread, &json!({ "state": "sent" }));
    world.agree(forum).await;
    browser.reload().await;
    browser.wait_for("The hubs' joint position").await;
    assert_eq!(
        browser.text_of("#endorsed").await,
        "1 hub endorses exactly this text."
    );
    assert!(browser.has("Once or twice a week.").await);
    browser.check_page().await;
    browser.screenshot("answer").await;

    // Nothing else exists for a guest, and each attempt leaves a line.
    let refused = || {
        let lines = ncetm.accounts().audit_lines(50).expect("lines");
        lines.iter().filter(|line| !line.allowed).count()
    };
    let before = refused();
    for elsewhere in [
        format!("/questions/{others}"),
        format!("/forum-threads/{others}"),
        "/connections".to_owned(),
        "/picture".to_owned(),
    ] {
        browser.visit(&elsewhere).await;
        browser.wait_for("You do not have access to this").await;
        assert!(!browser.has("Somebody else's question").await);
    }
    until("every refusal is noted", || refused() >= before + 4).await;
}
