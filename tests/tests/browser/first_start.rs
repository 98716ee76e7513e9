//! C1 and A1, as the hub sees them.

use std::time::Duration;

use node::Node;
use node::config::WebConfig;
use node::web::{Pages, hub_routes, hub_site};
use node_domain::Sheet;
use tests::browser::Browser;
use tests::person::Person;
use tests::world::{World, until};

const SOUTH: &str = "south-yorkshire";

async fn serve(node: &Node) -> Pages {
    let config = WebConfig {
        listen: "127.0.0.1:0".to_owned(),
        ..WebConfig::default()
    };
    let pages = Pages::serve(node, &config, hub_site(), hub_routes()).await;
    pages.expect("pages are served").expect("pages are wanted")
}

#[tokio::test(flavor = "multi_thread")]
async fn c1_a_hub_is_set_up_from_the_invitation_to_the_recovery_sheet() {
    let Some(browser) = Browser::start("first-start").await else {
        return;
    };
    let world = World::new().await;
    let node = world.new_node(SOUTH);
    let running = node.start();
    let pages = serve(&node).await;
    browser.at(pages.address());
    browser.visit("/").await;
    browser.wait_for("Nobody can sign in here yet").await;
    browser.check_page().await;
    browser.screenshot("nobody").await;
    let lead = Person::new(&node, "hub lead", "");
    lead.sign_in(&browser).await;
    browser.wait_for("Set this hub up").await;
    browser.check_page().await;
    browser.screenshot("tasks").await;

    // Choosing the file, and the number: two screens.
    let invitation = world.path("south.toml");
    let text = world
        .invite_to_wait(SOUTH)
        .to_toml()
        .expect("an invitation");
    std::fs::write(&invitation, text).expect("it is written");
    browser.click("Connect this hub").await;
    browser.begin_task().await;
    browser.check_page().await;
    browser.screenshot("connect").await;
    browser.choose_file("#field-invitation", &invitation).await;
    browser.click("Connect").await;
    browser.wait_for("NCETM sees the same number").await;
    browser.check_page().await;
    browser.screenshot("waiting").await;
    let operations = world.coordinator().operations();
    let waiting = operations.waiting().expect("the waiting room");
    assert_eq!(
        browser.text_of(".check-number").await,
        waiting[0].check_number
    );
    operations
        .admit_waiting(SOUTH, "an operator")
        .expect("admitted");
    browser.wait_for("NCETM has admitted this computer").await;
    assert!(browser.screens().await <= 3);
    browser.screenshot("admitted").await;
    browser.click("Continue").await;
    browser.wait_for("1 of 5 steps are done").await;

    browser.click("Print the recovery sheet").await;
    browser.check_page().await;
    browser.screenshot("recovery-sheet").await;
    browser.click("Show the sheet").await;
    browser.wait_for("For the safe").await;
    let words = browser.texts(".recovery-words li").await;
    assert_eq!(words.len(), 24);
    browser.click("I have printed it").await;
    browser.check_page().await;
    browser.screenshot("two-words").await;
    let labels = browser.texts("form label").await;
    for label in labels.iter().filter(|label| label.starts_with("Word ")) {
        let number = label.trim_start_matches("Word ").trim().parse::<usize>();
        let word = &words[number.expect("a number") - 1];
        let word = word.trim_start_matches(|letter: char| !letter.is_ascii_alphabetic());
        browser.fill(label, word).await;
    }
    browser.click("Check").await;
    browser.wait_for("2 of 5 steps are done").await;
    browser.screenshot("two-done").await;
    pages.stop(Duration::from_secs(1)).await;
    running.stop(Duration::from_secs(5)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a1_applicants_are_brought_in_in_three_screens() {
    let Some(browser) = Browser::start("bring-in").await else {
        return;
    };
    let mut world = World::new().await;
    world.add_hub(SOUTH).await;
    let node = world.hub(SOUTH).clone();
    let schools = world.path("schools.csv");
    let text = "Name,URN,Town\r\nAshwickham Primary School,100001,Dunford\r\n\
                Park Lane Primary School,100101,Dunford\r\nPark Lane Primary School,100102,Elmsby\r\n";
    std::fs::write(&schools, text).expect("a list of schools");
    until("the hub's space is here", || {
        let json = "{\"title\": \"Ratio\"}";
        node.create_record("work-group", "", json).is_ok()
    })
    .await;
    let rows = (0..12).map(|at| {
        let school = if at < 10 {
            "ashwickham pri"
        } else {
            "Park Lane Primary School"
        };
        vec![
            format!("Applicant Testname{at:02}"),
            format!("a{at}@example.org"),
            school.to_owned(),
        ]
    });
    let headers = ["Name", "Email", "School"].map(str::to_owned);
    let file = world.path("applicants.csv");
    std::fs::write(
        &file,
        Sheet::new(headers.to_vec(), rows.collect::<Vec<_>>()).write_csv(),
    )
    .expect("a file");

    browser.at(world.pages(SOUTH).await);
    let lead = world.person(SOUTH, "hub lead", "");
    lead.sign_in(&browser).await;
    for (path, name) in [
        ("/import", "import"),
        ("/import/schools", "schools"),
        ("/import/work-groups", "groups"),
        ("/export", "export"),
        ("/settings", "settings"),
        ("/held", "held"),
        ("/start", "start"),
        ("/start/restore", "restore"),
        ("/settings/restored", "restored"),
        ("/jobs", "jobs"),
    ] {
        browser.visit(path).await;
        browser.screenshot(name).await;
        browser.check_page().await;
    }
    // The schools come first, from a list of the hub's own.
    browser.visit("/import/schools").await;
    browser.choose_file("#field-file", &schools).await;
    browser.click("Look at it first").await;
    browser.wait_for("It would add 3").await;
    browser.click("Import these").await;
    browser.wait_for("3 rows were brought in").await;
    browser.visit("/import/members").await;
    browser.begin_task().await;
    browser.screenshot("members").await;
    browser.choose_file("#field-file", &file).await;
    browser.click("Look at it first").await;
    browser.wait_for("wait for your answer").await;
    browser.screenshot("asked").await;
    browser.check_page().await;
    browser.click("Park Lane Primary School, Elmsby").await;
    browser.click("Import these").await;
    browser.wait_for("12 rows were brought in").await;
    assert!(browser.screens().await <= 3, "{}", browser.screens().await);
    browser.screenshot("brought-in").await;
    browser.check_page().await;
    browser.visit("/settings").await;
    browser.fill("Your password", lead.password).await;
    browser.click("Back up now").await;
    browser.wait_for("The backup is whole").await;
    browser.screenshot("backup").await;
}
