//! What holds on every page, whoever made it.

use std::collections::{BTreeSet, VecDeque};

use node_feed::{Access, SpaceKind};
use tests::browser::{Browser, Key};
use tests::walk::kind_of;
use tests::world::{World, until};

const HUB: &str = "south-yorkshire";

/// A hub with a year of made-up work, and the browser at its pages.
async fn year(browser: &Browser) -> World {
    let mut world = World::new().await;
    world.add_hub(HUB).await;
    fill(&world, 3).await;
    browser.at(world.pages(HUB).await);
    world
}

/// The same in a made-up nation, with a project and the forum.
async fn year_in_a_nation(browser: &Browser) -> World {
    let mut world = World::new().await;
    let operations = world.coordinator().operations().clone();
    operations.sample(1, true).expect("a nation");
    world.add_hub(HUB).await;
    world.project("NCP26-01", &[HUB]).await;
    let authority = operations.node().authority();
    let mut spaces = authority.spaces().iter();
    let forum = spaces.find(|(_, space)| space.kind == SpaceKind::Forum);
    let forum = *forum.expect("a forum").0;
    operations.grant(forum, HUB, Access::Write).expect("access");
    fill(&world, 5).await;
    browser.at(world.pages(HUB).await);
    world
}

/// Fills a hub once it knows so many spaces.
async fn fill(world: &World, spaces: usize) {
    until("the hub knows its spaces", || {
        let known = world.hub(HUB).spaces();
        known.is_ok_and(|known| known.len() >= spaces)
    })
    .await;
    world.hub(HUB).sample(1, true).expect("a year");
}

/// What ends a session, hands out a file or is no page.
const NOT_A_PAGE: [&str; 5] = [
    "/assets",
    "/sign-out",
    "/events",
    "/sw.js",
    "/account/sign-out",
];

/// Looks at one page of each kind to which links lead from this one, whoever made it.
async fn walk(browser: &Browser, from: &str) -> BTreeSet<String> {
    let (mut faults, mut kinds) = (Vec::new(), BTreeSet::from([kind_of(from)]));
    let mut open = VecDeque::from([from.to_owned()]);
    while let Some(path) = open.pop_front() {
        browser.visit(&path).await;
        faults.extend(browser.faults().await);
        browser.screenshot(&name_of(&kind_of(&path))).await;
        for link in browser.links("a[href^='/']").await {
            let outside = NOT_A_PAGE.iter().any(|other| link.starts_with(other));
            if !outside && !link.contains("/export?") && kinds.insert(kind_of(&link)) {
                open.push_back(link);
            }
        }
    }
    none(&faults);
    kinds
}

fn name_of(path: &str) -> String {
    match path.trim_matches('/') {
        "" => "home".to_owned(),
        path => path.replace('/', "-").replace(['{', '}'], ""),
    }
}

/// Fails if the walk has not come to one of these.
fn came_to(kinds: &BTreeSet<String>, wanted: &[&str]) {
    let missed = wanted.iter().filter(|path| !kinds.contains(**path));
    let missed = missed.collect::<Vec<_>>();
    assert!(missed.is_empty(), "no link leads to {missed:?}: {kinds:?}");
}

fn none(faults: &[String]) {
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_of_a_hub_reads_well_fits_everywhere_and_shows_no_id() {
    let Some(browser) = Browser::start("every-page-of-a-hub").await else {
        return;
    };
    let world = year_in_a_nation(&browser).await;
    browser.visit("/sign-in").await;
    browser.check_page().await;
    browser.screenshot("sign-in").await;
    world.person(HUB, "hub lead", "").sign_in(&browser).await;
    let kinds = walk(&browser, "/").await;
    came_to(
        &kinds,
        &[
            "/access",
            "/account",
            "/all",
            "/commissions/{id}",
            "/directory",
            "/export",
            "/forum-threads/{id}",
            "/import",
            "/people/duplicates",
            "/plans/{id}",
            "/plans/{id}/share",
            "/practices/{id}",
            "/project-records/{id}",
            "/reach",
            "/returns/count",
            "/search",
            "/settings",
            "/sharing",
            "/strategic-leadership-groups/{id}",
            "/work-groups/{id}",
            "/work-groups/{id}/history",
            "/work-groups/{id}/register/{id}",
            "/work-groups/{id}/share",
        ],
    );
    // What stands nowhere while there is nothing of it.
    for path in ["/held", "/jobs", "/versions"] {
        browser.visit(path).await;
        browser.check_page().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_of_who_leads_a_work_group_reads_well_and_fits_everywhere() {
    let Some(browser) = Browser::start("every-page-of-a-group-lead").await else {
        return;
    };
    let world = year(&browser).await;
    let node = world.hub(HUB);
    let groups = node.list_records("work-group", "").expect("work groups");
    let leader = groups.iter().find_map(|group| {
        let shown = node.show_record(&group.id.to_string()).ok()?;
        shown.fields["leaders"][0]["person"]
            .as_str()
            .map(str::to_owned)
    });
    let leader = leader.expect("somebody leads a work group");
    world
        .person(HUB, "work group lead", &leader)
        .sign_in(&browser)
        .await;
    let kinds = walk(&browser, "/").await;
    came_to(
        &kinds,
        &[
            "/work-groups/{id}",
            "/work-groups/{id}/register/{id}",
            "/practices/{id}",
        ],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_of_the_coordinator_reads_well_fits_everywhere_and_shows_no_id() {
    let Some(browser) = Browser::start("every-page-of-the-coordinator").await else {
        return;
    };
    let mut world = World::new().await;
    let operations = world.coordinator().operations();
    operations.sample(1, true).expect("a nation");
    world.add_hub(HUB).await;
    browser.at(world.pages("coordinator").await);
    let operator = world.person("coordinator", "operator", "");
    operator.sign_in(&browser).await;
    let kinds = walk(&browser, "/picture").await;
    came_to(&kinds, &["/connections", "/picture", "/projects/{id}"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_keyboard_reaches_everything_and_shows_where_it_is() {
    let Some(browser) = Browser::start("keyboard").await else {
        return;
    };
    let world = year(&browser).await;
    world.person(HUB, "hub lead", "").sign_in(&browser).await;
    for path in ["/", "/work-groups"] {
        browser.visit(path).await;
        browser.press(Key::Tab).await;
        assert_eq!(browser.focused().await, "Skip to main content", "{path}");
        assert!(browser.focus_is_visible().await, "{path}: the skip link");
        let mut seen = Vec::new();
        loop {
            browser.press(Key::Tab).await;
            let ended = browser.script("return document.activeElement === document.body", vec![]);
            if ended.await == true {
                break;
            }
            assert!(
                seen.len() < 200,
                "{path}: the keyboard goes round: {seen:?}"
            );
            let focused = browser.focused().await;
            let visible = browser.focus_is_visible().await;
            assert!(visible, "{path}: {focused} after {seen:?}");
            seen.push(focused);
        }
        let places = browser.texts("nav a").await;
        let missed = places.iter().filter(|place| !seen.contains(place));
        assert_eq!(missed.count(), 0, "{path}: {places:?} in {seen:?}");
        browser.visit(path).await;
        browser.press(Key::Tab).await;
        browser.press(Key::Enter).await;
        browser.press(Key::Tab).await;
        let within = browser.script(
            "return document.activeElement.closest('main') !== null",
            vec![],
        );
        assert_eq!(within.await, true, "{path}: the skip link skips");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_scripts_records_are_read_and_changed() {
    let Some(browser) = Browser::start("without-scripts").await else {
        return;
    };
    let world = year(&browser).await;
    browser.scripts(false).await;
    world.person(HUB, "hub lead", "").sign_in(&browser).await;
    browser.visit("/organisations").await;
    browser.click_in("main", "Association").await;
    browser.screenshot("record").await;
    browser.click_on("main a[href*='/change/']").await;
    browser
        .fill("Name", "Society of Larkmoor Mathematicians")
        .await;
    browser.screenshot("form").await;
    browser.click("Save").await;
    browser.wait_for("Society of Larkmoor Mathematicians").await;
    assert!(!browser.path().await.contains("/change/"));
    browser.screenshot("changed").await;
    none(&browser.complaints().await);
}
