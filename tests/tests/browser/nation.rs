//! The coordinator's pages: which hub needs a call, where the nation is, and what guests see.

use std::time::Duration;

use node::Node;
use node::records::ReturnWanted;
use node_feed::{Access, SpaceKind};
use serde_json::{Value, json};
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
    let number = connecting.check_number().to_string();
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
