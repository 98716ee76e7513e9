//! Records in the browser: two versions, drafts, undo and marks.

use serde_json::json;
use tests::browser::Browser;
use tests::reader::until_it_may_write;
use tests::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn two_leads_move_one_session_and_one_of_them_chooses() {
    let Some(browser) = Browser::start("two-versions").await else {
        return;
    };
    let mut world = World::new().await;
    world.add_hub("east").await;
    let east = world.hub("east").clone();
    until_it_may_write(&east).await;
    let person = |name: &str| {
        let made = east.create_record("person", "", &json!({ "name": name }).to_string());
        made.expect("a person").id.to_string()
    };
    let (ama, ben) = (person("Ama Mensah"), person("Ben Okoro"));
    let group = json!({
        "title": "Reasoning", "leaders": [{ "person": ama }, { "person": ben }],
        "sessions": [{ "date": "2027-03-05", "venue": "Hall" }],
    });
    let made = east.create_record("work-group", "", &group.to_string());
    let id = made.expect("a group").id.to_string();
    let session = east.show_record(&id).expect("the group").fields["sessions"][0]["id"].clone();
    let session = session.as_str().expect("an id").to_owned();
    browser.at(world.pages("east").await);
    let other = browser.another().await;
    other.at(world.pages("east").await);
    world
        .person("east", "work group lead", &ama)
        .sign_in(&browser)
        .await;
    world
        .person("east", "work group lead", &ben)
        .sign_in(&other)
        .await;

    // Both open the session before either saves.
    let path = format!("/work-groups/{id}/items/sessions/{session}");
    browser.visit(&path).await;
    other.visit(&path).await;
    browser.fill("Date", "2027-03-12").await;
    browser.fill("Moved because", "The hall is taken").await;
    browser.click("Save").await;
    browser.wait_for("Saved").await;
    other.fill("Date", "2027-03-14").await;
    other.fill("Moved because", "Trains do not run").await;
    other.click("Save").await;
    other.wait_for("While you were editing").await;

    browser.begin_task().await;
    browser.visit("/versions").await;
    browser.check_page().await;
    browser.click("Reasoning: Sessions: Date").await;
    browser.wait_for("12 March 2027").await;
    assert!(browser.has("14 March 2027").await);
    assert!(browser.has("5 March 2027").await, "what stood before");
    assert!(browser.has("The hall is taken").await && browser.has("Trains do not run").await);
    browser.check_page().await;
    browser.screenshot("both").await;
    other
        .visit(&format!("/versions/{id}?field=sessions/{session}/date"))
        .await;
    browser.click_in(".card:first-child", "Choose this").await;
    browser.wait_for("Settled").await;
    assert!(browser.screens().await <= 3);

    // A stale tab does not settle it again.
    other.click_in(".card:last-child", "Choose this").await;
    other.wait_for("Nothing was changed by you").await;
    other.screenshot("stale").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draft_outlives_its_window_and_is_forgotten_once_it_is_saved() {
    let Some(browser) = Browser::start("drafts").await else {
        return;
    };
    let mut world = World::new().await;
    world.add_hub("east").await;
    let east = world.hub("east").clone();
    until_it_may_write(&east).await;
    let made = east.create_record("plan", "", r#"{"title": "Plan", "year": "2026-27"}"#);
    let id = made.expect("a plan").id.to_string();
    browser.at(world.pages("east").await);
    world.person("east", "hub lead", "").sign_in(&browser).await;
    let path = format!("/plans/{id}/change/impact");
    browser.visit(&path).await;
    browser.fill("Lessons", "Begin earlier.").await;
    browser.wait_for("On this device").await;
    browser.screenshot("on-this-device").await;

    // Another window opens it again, after the first was left without saving.
    browser.visit("/all").await;
    browser.open_tab().await;
    browser.visit(&path).await;
    browser.wait_for("You began changes here").await;
    assert_eq!(browser.value("Lessons").await, "");
    browser.check_page().await;
    browser.screenshot("offered").await;
    browser.click("Restore").await;
    assert_eq!(browser.value("Lessons").await, "Begin earlier.");
    browser.click("Save").await;
    browser.wait_for("Saved").await;
    assert_eq!(
        east.show_record(&id).expect("the plan").fields["lessons"],
        "Begin earlier."
    );
    browser.visit(&path).await;
    assert_eq!(browser.value("Lessons").await, "Begin earlier.");
    assert!(!browser.has("You began changes here").await);

    // What was saved is taken back.
    browser.fill("Lessons", "Begin later.").await;
    browser.click("Save").await;
    browser.wait_for("Saved").await;
    browser.click("Undo").await;
    browser.wait_for("Undone").await;
    assert_eq!(
        east.show_record(&id).expect("the plan").fields["lessons"],
        "Begin earlier."
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_typed_stays_while_the_node_does_not_answer() {
    let Some(browser) = Browser::start("drafts-offline").await else {
        return;
    };
    let mut world = World::new().await;
    world.add_hub("east").await;
    let east = world.hub("east").clone();
    until_it_may_write(&east).await;
    let made = east.create_record("plan", "", r#"{"title": "Plan"}"#);
    let id = made.expect("a plan").id.to_string();
    browser.at(world.pages("east").await);
    world.person("east", "hub lead", "").sign_in(&browser).await;
    let path = format!("/plans/{id}/change/impact");
    browser.visit(&path).await;
    browser.offline().await;
    browser.fill("Lessons", "Keep this.").await;
    browser.wait_for("On this device").await;
    assert!(!browser.has("Saved").await);
    browser.online().await;
    browser.visit(&path).await;
    browser.wait_for("You began changes here").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_records_have_no_faults_and_a_person_is_found_while_typing() {
    let Some(browser) = Browser::start("records").await else {
        return;
    };
    let mut world = World::new().await;
    world.add_hub("east").await;
    let east = world.hub("east").clone();
    until_it_may_write(&east).await;
    let node = east.clone();
    let made = tokio::task::spawn_blocking(move || node.sample(7, true)).await;
    made.expect("done").expect("a sample");
    let first = |kind: &str| {
        let records = east.list_records(kind, "").expect("listed");
        records.first().expect("one").id.to_string()
    };
    browser.at(world.pages("east").await);
    world.person("east", "hub lead", "").sign_in(&browser).await;
    let group = first("work-group");
    let plan = first("plan");
    let pages = [
        "/all".to_owned(),
        "/partners?sort=-state".to_owned(),
        "/partners/new".to_owned(),
        "/search?q=mastery".to_owned(),
        format!("/plans/{plan}/all"),
        format!("/plans/{plan}/history"),
        format!("/work-groups/{group}/all"),
        format!("/work-groups/{group}/change/work-group"),
        format!("/work-groups/{group}/items/attendance"),
        format!("/work-groups/{group}/erase"),
    ];
    for path in pages {
        browser.visit(&path).await;
        browser.check_page().await;
        browser.screenshot("page").await;
    }
    browser
        .visit(&format!("/work-groups/{group}/items/leaders/new"))
        .await;
    let people = east.list_records("person", "").expect("listed");
    let someone = people.last().expect("a person").title.clone();
    let word = someone.split(' ').next().expect("a name").to_owned();
    browser.type_into(".pick-search input", &word).await;
    browser.wait_for(&someone).await;
    browser.click_in(".pick-found", &someone).await;
    browser.check_page().await;
    browser.click("Save").await;
    browser.wait_for("Saved").await;
    assert!(browser.has(&someone).await);
}
