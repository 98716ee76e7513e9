//! What holds on every page, whoever made it.

use tests::browser::{Browser, Key};
use tests::world::{World, until};

const HUB: &str = "south-yorkshire";

/// A hub with a year of made-up work, and the browser at its pages.
async fn year(browser: &Browser) -> World {
    let mut world = World::new().await;
    world.add_hub(HUB).await;
    until("the hub knows its spaces", || {
        world
            .hub(HUB)
            .spaces()
            .is_ok_and(|spaces| spaces.len() >= 3)
    })
    .await;
    world.hub(HUB).sample(1, true).expect("a year");
    browser.at(world.pages(HUB).await);
    world
}

/// Looks at each page, and at what the first link from it to one of its own kind leads to.
async fn look(browser: &Browser, paths: &[String]) -> Vec<String> {
    let mut faults = Vec::new();
    for path in paths {
        browser.visit(path).await;
        faults.extend(browser.faults().await);
        browser.screenshot(&name_of(path)).await;
        let below = format!("main a[href^='{}/']", path.trim_end_matches('/'));
        let links = match path.as_str() {
            "/" => Vec::new(),
            _ => browser.links(&below).await,
        };
        let record = links.iter().find(|link| {
            let last = link.rsplit('/').next().unwrap_or_default();
            link.matches('/').count() == 2 && !matches!(last, "new" | "export")
        });
        if let Some(record) = record {
            browser.visit(record).await;
            faults.extend(browser.faults().await);
            browser.screenshot(&format!("{}-one", name_of(path))).await;
        }
    }
    faults
}

fn name_of(path: &str) -> String {
    match path.trim_matches('/') {
        "" => "home".to_owned(),
        path => path.replace(['/', '?', '='], "-"),
    }
}

fn none(faults: &[String]) {
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_of_a_hub_reads_well_fits_everywhere_and_shows_no_id() {
    let Some(browser) = Browser::start("every-page-of-a-hub").await else {
        return;
    };
    let world = year(&browser).await;
    browser.visit("/sign-in").await;
    let mut faults = browser.faults().await;
    browser.screenshot("sign-in").await;
    world.person(HUB, "hub lead", "").sign_in(&browser).await;
    let mut paths = browser.links("nav a").await;
    assert!(paths.len() > 5, "{paths:?}");
    for path in [
        "/account",
        "/access",
        "/versions",
        "/sharing",
        "/search?q=fractions",
    ] {
        if !paths.iter().any(|it| it == path) {
            paths.push(path.to_owned());
        }
    }
    faults.extend(look(&browser, &paths).await);
    none(&faults);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_of_the_coordinator_reads_well_fits_everywhere_and_shows_no_id() {
    let Some(browser) = Browser::start("every-page-of-the-coordinator").await else {
        return;
    };
    let mut world = World::new().await;
    world.add_hub(HUB).await;
    browser.at(world.pages("coordinator").await);
    let operator = world.person("coordinator", "operator", "");
    operator.sign_in(&browser).await;
    let paths = browser.links("nav a").await;
    assert!(paths.len() > 3, "{paths:?}");
    none(&look(&browser, &paths).await);
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
