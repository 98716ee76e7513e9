//! What hubs do together: projects, what is shared with them, and the practice library.

use node::Node;
use serde_json::{Value, json};
use tests::browser::Browser;
use tests::world::{World, until};

const SOUTH: &str = "south-yorkshire";
const EAST: &str = "east-midlands";

fn make(node: &Node, kind: &str, space: &str, fields: &Value) -> String {
    let made = node.create_record(kind, space, &fields.to_string());
    made.expect("a record").id.to_string()
}

fn edit(node: &Node, id: &str, changes: &Value) {
    node.edit_record(id, "", &changes.to_string())
        .expect("edited");
}

fn include(field: &str, elements: &[&str]) -> Value {
    let each = elements.iter();
    let each = each.map(|it| json!({ "do": "include", "field": field, "element": it }));
    each.collect()
}

fn group() -> Value {
    json!({
        "title": "Planted group 7719", "project": "NCP24-11", "phase": "primary",
        "year": "2026-27", "protocol_version": 2,
        "sessions": [{ "date": "2027-01-12", "state": "held" }],
        "members": [{ "organisation": "Hill School", "urn": "100001" }], "notes": "Ours.",
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn h5_a_hub_joins_a_project_and_nothing_is_sent_before_it_signs() {
    let Some(browser) = Browser::start("h5-project").await else {
        return;
    };
    let mut world = World::new().await;
    world.add_hub(SOUTH).await;
    let (space, project) = world.project("NCP24-11", &[SOUTH]).await;
    let coordinator = world.coordinator().operations().node();
    let listed = ["title", "project", "phase", "sessions_held", "schools"];
    edit(coordinator, &project, &include("agreed_fields", &listed));
    let row = |hub: &str, status: &str| json!({ "do": "add", "field": "participation", "values": { "hub": hub, "status": status } });
    edit(
        coordinator,
        &project,
        &json!([
            row("north", "joined"),
            row("west", "active"),
            row("kent", "joined")
        ]),
    );
    for text in ["Version one.", "Version two.", "Version three."] {
        edit(
            coordinator,
            &project,
            &json!({ "protocol_state": "drafting" }),
        );
        edit(coordinator, &project, &json!({ "protocol": text }));
        edit(
            coordinator,
            &project,
            &json!({ "protocol_state": "released" }),
        );
    }
    world.agree(space).await;
    make(world.hub(SOUTH), "work-group", "", &group());
    let address = world.pages(SOUTH).await;
    browser.at(address);
    let person = world.person(SOUTH, "hub lead", "");
    person.sign_in(&browser).await;
    browser.visit(&format!("/project-records/{project}")).await;
    browser.begin_task().await;
    assert_eq!(browser.text_of("[data-total=joined]").await, "2");
    assert_eq!(browser.text_of("[data-protocol]").await, "3");
    let groups = browser.text_of("#our-groups").await;
    assert!(
        groups.contains("Version 2") && groups.contains("ersion 3 is out"),
        "{groups}"
    );
    browser.check_page().await;
    browser.screenshot("project").await;
    browser.click("Join the project").await;
    browser.wait_for("What is shared, of each work group").await;
    let agreed = browser.text_of("#agreed").await;
    assert!(
        agreed.contains("Sessions held") && agreed.contains("Schools"),
        "{agreed}"
    );
    let sample = browser.text_of("#sample").await;
    assert!(
        sample.contains("Planted group 7719") && !sample.contains("Ours."),
        "{sample}"
    );
    browser.check_page().await;
    browser.screenshot("agreement").await;
    world.agree(space).await;
    let coordinator = world.coordinator().operations().node();
    let summaries = || {
        coordinator
            .list_records("group-summary", "")
            .expect("a list")
    };
    assert_eq!(summaries(), [], "nothing is sent before signing");
    browser.click("Sign the data agreement").await;
    browser.wait_for("Signed.").await;
    assert!(browser.screens().await <= 3);
    assert_eq!(browser.text_of("[data-total=joined]").await, "3");
    world.agree(space).await;
    assert_eq!(summaries(), [], "signing alone sends nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn w5_what_is_shared_is_what_was_shown_and_is_noted_once() {
    let Some(browser) = Browser::start("w5-share").await else {
        return;
    };
    let mut world = World::new().await;
    world.add_hub(SOUTH).await;
    let (space, project) = world.project("NCP24-11", &[SOUTH]).await;
    let coordinator = world.coordinator().operations().node();
    let listed = ["title", "project", "phase", "adaptations"];
    edit(coordinator, &project, &include("agreed_fields", &listed));
    world.agree(space).await;
    let south = world.hub(SOUTH);
    edit(south, &project, &include("signatures", &[SOUTH]));
    let mut planted = group();
    planted["notes"] = json!("Write to planted.person@example.org.");
    let id = make(south, "work-group", "", &planted);
    let address = world.pages(SOUTH).await;
    browser.at(address);
    let person = world.person(SOUTH, "hub lead", "");
    person.sign_in(&browser).await;
    browser.visit(&format!("/work-groups/{id}/share")).await;
    browser.begin_task().await;
    browser.wait_for("Exactly this leaves").await;
    for label in ["Title", "Project", "Phase"] {
        assert!(browser.has(label).await, "{label} is listed");
    }
    assert!(!browser.text().await.contains("planted.person"));
    let receipts = async || browser.text_of("#receipts").await;
    assert_eq!(receipts().await, "It has not left this hub.");
    browser.check_page().await;
    browser.screenshot("preview").await;
    browser.click("Share with").await;
    browser
        .wait_for("It left, or was taken back, 1 time.")
        .await;
    assert!(browser.screens().await <= 3);
    browser.check_page().await;
    browser.screenshot("shared").await;
    let south = world.hub(SOUTH);
    let left = south.disclosures(&id).expect("disclosures");
    assert_eq!(left.as_array().map(Vec::len), Some(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_library_says_what_works_for_whom_and_proven_where() {
    let Some(browser) = Browser::start("practice-library").await else {
        return;
    };
    let mut world = World::new().await;
    world.add_hub(SOUTH).await;
    world.add_hub(EAST).await;
    let south = world.hub(SOUTH);
    until("the network is there", || {
        south.spaces().is_ok_and(|spaces| spaces.len() >= 3)
    })
    .await;
    let spaces = south.spaces().expect("spaces");
    let network = spaces
        .iter()
        .find(|it| it.kind == node_feed::SpaceKind::Network);
    let network = network.expect("the network").id;
    let original = make(
        south,
        "practice",
        &network.to_string(),
        &json!({
            "title": "Counting in steps", "phase": "primary",
            "body": "Begin every lesson with a zigzagged number line.",
        }),
    );
    for state in ["trial", "captured", "tested"] {
        edit(south, &original, &json!({ "state": state }));
    }
    let east = world.hub(EAST);
    until("the practice arrives", || {
        east.show_record(&original).is_ok()
    })
    .await;
    edit(
        east,
        &original,
        &json!([{ "do": "add", "field": "adoptions", "values": {
            "context": "Year 2 in three schools", "result": "Pupils count on with confidence",
        } }]),
    );
    let address = world.pages(EAST).await;
    browser.at(address);
    let person = world.person(EAST, "hub lead", "");
    person.sign_in(&browser).await;
    browser.visit("/practices").await;
    browser.begin_task().await;
    browser.fill("Words", "zigzagged").await;
    browser.click_in("main", "Search").await;
    browser.wait_for("1 practice of 1 found").await;
    let adoptions = browser.text_of("[data-adoptions]").await;
    assert!(
        adoptions.contains("Pupils count on with confidence"),
        "{adoptions}"
    );
    browser.check_page().await;
    browser.screenshot("found").await;
    browser.click("Counting in steps").await;
    browser.check_page().await;
    browser.screenshot("practice").await;
    browser.click("Use this in our hub").await;
    browser.wait_for("This is the copy of this hub").await;
    assert!(browser.screens().await <= 3);
    let origin = browser.text_of("#origin").await;
    assert!(
        origin.starts_with("Adapted from “Counting in steps” of "),
        "{origin}"
    );
    browser.check_page().await;
    browser.screenshot("copy").await;
}
