//! A hub's own pages: what needs me, planned against done, schools not met.

use node::Node;
use serde_json::{Value, json};
use tests::browser::Browser;
use tests::reader::until_it_may_write;
use tests::world::{World, until};

const SOUTH: &str = "south-yorkshire";

fn make(node: &Node, kind: &str, fields: &Value) -> String {
    let made = node.create_record(kind, "", &fields.to_string());
    made.expect("a record").id.to_string()
}

fn edit(node: &Node, id: &str, changes: &Value) {
    node.edit_record(id, "", &changes.to_string())
        .expect("edited");
}

/// A hub whose hub lead looks at its pages.
async fn hub(browser: &Browser) -> World {
    let mut world = World::new().await;
    world.add_hub(SOUTH).await;
    until_it_may_write(world.hub(SOUTH)).await;
    browser.at(world.pages(SOUTH).await);
    let lead = world.person(SOUTH, "hub lead", "");
    lead.sign_in(browser).await;
    world
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_page_counts_what_needs_me_and_never_hides_what_is_not_sent() {
    let Some(browser) = Browser::start("home").await else {
        return;
    };
    let world = hub(&browser).await;
    let south = world.hub(SOUTH);
    make(
        south,
        "work-group",
        &json!({ "title": "Something to begin with" }),
    );
    for address in ["Sam", "Sam"] {
        make(
            south,
            "person",
            &json!({ "name": format!("{address} Example"), "email": "sam@example.org" }),
        );
    }
    browser.visit("/").await;
    let open = browser.count("#needs > li").await;
    assert!(open > 0, "two cards with one address need somebody");
    let heading = browser.text_of("h1").await;
    let things = if open == 1 {
        "thing needs"
    } else {
        "things need"
    };
    assert_eq!(heading, format!("{open} {things} you"));
    browser.check_page().await;
    browser.screenshot("home").await;

    // The line is cut, and something shared is changed.
    south.pause(true);
    let profile = json!({ "code": SOUTH, "title": "South Yorkshire Maths Hub" });
    let profile = make(south, "hub-profile", &profile);
    for website in ["https://one.example", "https://two.example"] {
        edit(south, &profile, &json!({ "website": website }));
    }
    browser.visit("/").await;
    let line = browser.text_of("#sync-line").await;
    assert!(line.starts_with("Not sent: 3 changes, oldest "), "{line}");
    let text = browser.text().await.to_lowercase();
    assert!(
        !text.contains("up to date") && !text.contains("has been sent,"),
        "{text}"
    );
    browser.screenshot("not-sent").await;
    south.pause(false);
    until("all is sent", || {
        south.status().is_ok_and(|status| status["in_sync"] == true)
    })
    .await;
    // The page hears of it by itself.
    browser
        .wait_for("Everything that this hub shares has been sent")
        .await;
    // And of what a colleague does at the same node.
    let open = browser.count("#needs > li").await;
    for name in ["Kim Example", "K. Example"] {
        let card = json!({ "name": name, "email": "kim@example.org" });
        make(south, "person", &card);
    }
    browser
        .wait_until("what needs me is counted anew", async || {
            browser.count("#needs > li").await > open
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn h2_a_plan_is_submitted_and_its_copy_stays_while_the_plan_goes_on() {
    let Some(browser) = Browser::start("plan").await else {
        return;
    };
    let world = hub(&browser).await;
    let south = world.hub(SOUTH);
    let plan = json!({
        "title": "Plan of the year", "year": "2026-27",
        "priorities": [{ "title": "Pedagogy", "rank": 1 }],
        "items": [{ "title": "Mastery, focus A", "groups": 3, "schools": 12, "money": 500_000 }],
    });
    let plan = make(south, "plan", &plan);
    for (group, state) in [("A", "running"), ("B", "recruiting")] {
        let fields = json!({
            "title": format!("Group {group}"), "year": "2026-27", "plan_item": "Mastery, focus A",
            "members": [{ "organisation": "Hill School", "urn": "100001" }],
        });
        let id = make(south, "work-group", &fields);
        for step in ["recruiting", "running"] {
            edit(south, &id, &json!({ "state": step }));
            if step == state {
                break;
            }
        }
    }
    browser.visit("/plans").await;
    browser.begin_task().await;
    browser.click("Plan of the year").await;
    browser
        .wait_for("1 of 3 work groups planned is running or finished.")
        .await;
    browser.check_page().await;
    browser.click("Put it to the board").await;
    browser.wait_for("Board").await;
    browser.click("Submit it").await;
    browser.wait_for("Submitted").await;
    assert!(browser.screens().await <= 3);
    assert_eq!(browser.count("#copies > li").await, 2);
    browser.screenshot("submitted").await;

    // A later edit shows as a difference, and changes nothing of the copy.
    edit(
        south,
        &plan,
        &json!({ "title": "Plan of the year, reworded" }),
    );
    browser.reload().await;
    let differs = browser.text_of("#differences").await;
    assert!(differs.contains("1 thing has been changed"), "{differs}");
    browser.click_in("#copies", "Submitted on").await;
    browser.wait_for("Kept copy, read-only").await;
    assert!(browser.has("Plan of the year").await && !browser.has("Take the step").await);
    assert_eq!(browser.count("main form").await, 0, "a copy is not changed");
    browser.check_page().await;
    browser.screenshot("copy").await;

    // Each total opens the groups behind it: what only recruits is not among them.
    browser.back().await;
    browser.click_in("figure.chart", "Mastery, focus A").await;
    browser.wait_for("Group A").await;
    assert!(!browser.has("Group B").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn reach_adds_up_to_the_area_counts_a_school_once_and_lists_what_matches_none() {
    let Some(browser) = Browser::start("reach").await else {
        return;
    };
    let world = hub(&browser).await;
    let south = world.hub(SOUTH);
    for (urn, name) in [
        ("100001", "Hill School"),
        ("100002", "Dale School"),
        ("100003", "Moor School"),
    ] {
        let school = json!({
            "kind": "school", "urn": urn, "name": name, "phase": "primary", "status": "open",
            "local_authority": "Sheffield",
        });
        make(south, "organisation", &school);
    }
    for title in ["One", "Two"] {
        let members = json!([
            { "id": "a", "organisation": "Hill School", "urn": "100001" },
            { "id": "b", "organisation": "A school that nobody knows" },
        ]);
        let group = make(
            south,
            "work-group",
            &json!({ "title": title, "members": members }),
        );
        let fields = south.show_record(&group).expect("shown").fields;
        for member in fields["members"].as_array().expect("members") {
            let status = json!([{ "do": "add", "field": "statuses", "values": {
                "member": member["id"], "status": "accepted", "as_at": "2026-10-01" } }]);
            edit(south, &group, &status);
        }
    }
    browser.visit("/reach").await;
    browser
        .wait_for("We have not met 2 of the 3 schools in our area, and met 1.")
        .await;
    let figures = browser.texts(".figure").await;
    let figures = figures
        .iter()
        .map(|it| it.parse::<u32>().expect("a number"));
    let figures = figures.collect::<Vec<_>>();
    assert_eq!(
        figures[0] + figures[1],
        figures[2],
        "met and not met are the area"
    );
    assert!(
        browser
            .text_of("#unmatched")
            .await
            .contains("A school that nobody knows")
    );
    assert!(browser.has("Dale School").await && browser.has("Moor School").await);
    browser.check_page().await;
    browser.screenshot("reach").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a2_the_last_place_goes_to_who_came_first_and_the_other_is_told_why() {
    let Some(browser) = Browser::start("last-place").await else {
        return;
    };
    let world = hub(&browser).await;
    let south = world.hub(SOUTH);
    let member = |id: &str| json!({ "id": id, "organisation": format!("School {id}") });
    let group = make(
        south,
        "work-group",
        &json!({
            "title": "Ratio", "places": 2, "members": [member("o"), member("p"), member("q")],
            "statuses": [{ "member": "o", "status": "accepted", "as_at": "2026-09-04" }],
        }),
    );
    let colleague = browser.another().await;
    let person = world.person(SOUTH, "administrator", "");
    person.sign_in(&colleague).await;
    // Both pages are made while one place is left.
    for (who, school) in [(&browser, "p"), (&colleague, "q")] {
        who.visit(&format!("/work-groups/{group}/members/{school}/status"))
            .await;
        who.fill("Accepted", "yes").await;
    }
    browser.click_in("main", "Save").await;
    browser.wait_for("School p: accepted.").await;
    colleague.click_in("main", "Save").await;
    colleague.wait_for("waiting list").await;
    colleague.check_page().await;
    colleague.screenshot("waiting-list").await;
    let fields = south.show_record(&group).expect("shown").fields;
    assert_eq!(fields["places"]["taken"], 2, "{}", fields["places"]);
}
