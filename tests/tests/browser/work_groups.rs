//! Work groups and their registers, as whoever leads one uses them.

use serde_json::json;
use tests::browser::Browser;
use tests::hall::{ADMINISTRATOR, Hall, LEAD, Line, day};
use tests::visitor::{PASSWORD, Visitor, code, email};

/// Shows a browser's pages somebody's session.
async fn carry(browser: &Browser, visitor: &Visitor) {
    browser.visit("/offline").await;
    let script = "document.cookie = arguments[0] + '; path=/';";
    browser.script(script, vec![json!(visitor.cookie)]).await;
}

/// Forgets it, as when it has ended.
async fn forget(browser: &Browser, visitor: &Visitor) {
    let name = visitor.cookie.split('=').next().unwrap_or_default();
    let script = "document.cookie = arguments[0] + '=; path=/; max-age=0';";
    browser.script(script, vec![json!(name)]).await;
}

async fn mark(browser: &Browser, member: &str, mark: &str) {
    browser
        .click_in(&format!("[data-member={member}]"), mark)
        .await;
}

async fn states(browser: &Browser) -> Vec<String> {
    browser.texts(".register-state").await
}

async fn all_are(browser: &Browser, count: usize, state: &str) {
    browser
        .wait_until(&format!("{count} marks are {state}"), async || {
            let states = states(browser).await;
            states.iter().filter(|it| it.contains(state)).count() == count
        })
        .await;
}

const KEPT: &str = "also opens on this device without a network";

/// A hall, and the browser of its lead at the register, which it has kept.
async fn at_the_register(browser: &Browser, offline: bool) -> (Hall, Visitor) {
    let hall = Hall::new(offline).await;
    browser.at(hall.address());
    let lead = hall.visitor(LEAD);
    carry(browser, &lead).await;
    browser.visit(&hall.register()).await;
    browser.wait_for(KEPT).await;
    (hall, lead)
}

#[tokio::test(flavor = "multi_thread")]
async fn w1_fifteen_marks_made_in_a_hall_without_a_network_arrive_once() {
    let Some(browser) = Browser::start("w1-register").await else {
        return;
    };
    let hall = Hall::new(true).await;
    browser.at(hall.address());
    let code = code(node::clock::now_ms());
    browser.sign_in(&email(LEAD), PASSWORD, Some(&code)).await;
    browser.visit("/").await;
    browser.begin_task().await;
    browser.click("Work groups").await;
    browser.wait_for("of yours").await;
    browser.check_page().await;
    browser.screenshot("list").await;
    browser.click("Ratio in Year 7").await;
    browser
        .wait_for("15 teachers from 5 schools are coming")
        .await;
    browser.check_page().await;
    browser.screenshot("group").await;
    browser.click("Mark the register").await;
    browser.wait_for("Register of session 2").await;
    assert!(browser.screens().await <= 3, "three screens from home");
    browser.wait_for(KEPT).await;
    browser.check_page().await;

    browser.offline().await;
    for (index, member) in hall.members.iter().enumerate() {
        let said = match index {
            13 => "Absent",
            14 => "Substitute",
            _ => "Present",
        };
        mark(&browser, member, said).await;
    }
    all_are(&browser, 15, "On this device").await;
    browser.wait_for("15 marks wait on this device").await;
    browser.screenshot("on-this-device").await;
    // The laptop is closed, and opened again while there is still no network.
    browser.visit("/work-groups").await;
    browser.wait_for("You are offline").await;
    browser
        .wait_for("15 marks on this device, not sent yet")
        .await;
    browser.screenshot("offline").await;
    browser.click("Ratio in Year 7, session 2").await;
    all_are(&browser, 15, "On this device").await;
    assert_eq!(browser.text_of("[data-total=present]").await, "13");
    assert_eq!(hall.marks(), []);

    let drops = [Line::DropsAfter, Line::Whole, Line::DropsBefore];
    hall.line(&drops);
    browser.online().await;
    all_are(&browser, 15, "Saved").await;
    browser.screenshot("saved").await;
    assert_eq!(hall.drops_left(), 0, "the line dropped twice");
    let marks = hall.marks();
    let members = marks.iter().map(|(member, _)| member);
    let order = members.collect::<Vec<_>>();
    assert_eq!(order, hall.members.iter().collect::<Vec<_>>());
    let count = |said: &str| marks.iter().filter(|(_, mark)| mark == said).count();
    assert_eq!(
        (count("present"), count("absent"), count("substitute")),
        (13, 1, 1)
    );
    // What the browser noted while there was no network is no fault of the page.
    browser.complaints().await;
    browser.check_page().await;

    browser.visit(&format!("/work-groups/{}", hall.group)).await;
    browser.wait_for("13 present, 1 substitute, 1 absent").await;
    let signed_up = browser.text_of("[data-total=signed-up]").await;
    let completed = browser.text_of("[data-total=completed]").await;
    assert!(signed_up.starts_with("Signed up 15") && completed.starts_with("Completed 0"));
}

#[tokio::test(flavor = "multi_thread")]
async fn marks_wait_until_whoever_made_them_signs_in_again_and_go_as_nobody_elses() {
    let Some(browser) = Browser::start("register-accounts").await else {
        return;
    };
    let (hall, lead) = at_the_register(&browser, false).await;
    browser.wait_for("Testa Sampleton 01").await;
    browser.wait_for(KEPT).await;
    browser.offline().await;
    browser.visit(&hall.register()).await;
    browser.wait_for("Teacher 1").await;
    assert!(
        !browser.has("Sampleton").await,
        "the hub keeps no names on devices"
    );
    mark(&browser, "m00", "Present").await;
    mark(&browser, "m01", "Absent").await;
    mark(&browser, "m01", "Part").await;
    all_are(&browser, 2, "On this device").await;
    browser.screenshot("without-names").await;

    forget(&browser, &lead).await;
    browser.online().await;
    browser.wait_for("Sign in again to send 2 marks").await;
    browser.screenshot("signed-out").await;
    let links = browser.links("[data-line] a").await;
    assert!(links[0].starts_with("/sign-in?next="), "{links:?}");
    assert_eq!(hall.marks(), []);

    carry(&browser, &hall.visitor(ADMINISTRATOR)).await;
    browser.visit(&hall.register()).await;
    browser.wait_for(KEPT).await;
    all_are(&browser, 15, "Not marked").await;
    assert_eq!(hall.marks(), [], "they are another account's");

    carry(
        &browser,
        &Visitor::sign_in(hall.node(), hall.address(), LEAD, 30_000),
    )
    .await;
    browser.visit("/").await;
    browser
        .wait_until("the marks are sent from any page", async || {
            hall.marks().len() == 2
        })
        .await;
    let marks = hall.marks();
    let marks = marks
        .iter()
        .map(|(who, mark)| (who.as_str(), mark.as_str()));
    assert_eq!(
        marks.collect::<Vec<_>>(),
        [("m00", "present"), ("m01", "part")]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn two_tabs_send_the_same_once_and_signing_out_warns_of_what_is_unsent() {
    let Some(browser) = Browser::start("register-tabs").await else {
        return;
    };
    let (hall, _) = at_the_register(&browser, true).await;
    browser.open_tab().await;
    browser.visit(&hall.register()).await;
    browser.wait_for(KEPT).await;
    hall.line_always(Line::DropsAfter);
    for member in &hall.members[..3] {
        mark(&browser, member, "Present").await;
    }
    all_are(&browser, 3, "On this device").await;
    browser.go_to_tab(0).await;
    all_are(&browser, 3, "On this device").await;

    browser.visit("/account").await;
    browser.click("Sign out").await;
    browser
        .wait_for("3 marks are on this device and not saved yet")
        .await;
    assert!(browser.path().await.starts_with("/account"));
    browser.screenshot("sign-out").await;
    browser.visit(&hall.register()).await;
    hall.line_always(Line::Whole);
    all_are(&browser, 3, "Saved").await;
    browser.go_to_tab(1).await;
    all_are(&browser, 3, "Saved").await;
    assert_eq!(
        hall.marks().len(),
        3,
        "though three were taken again and again"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn w2_two_leads_see_the_two_dates_of_one_session_with_both_reasons() {
    let Some(browser) = Browser::start("w2-two-dates").await else {
        return;
    };
    let hall = Hall::new(true).await;
    browser.at(hall.address());
    let (lead, desk) = (hall.visitor(LEAD), hall.visitor(ADMINISTRATOR));
    carry(&browser, &lead).await;
    let path = format!("/work-groups/{}/sessions/next/move", hall.group);
    browser.visit(&path).await;
    browser.check_page().await;
    // The other page is rendered before this one is saved.
    let other = desk.get(&path).await.body;
    let heads = other
        .split_once("name=\"heads\" value=\"")
        .expect("heads")
        .1;
    let heads = heads.split_once('"').expect("heads").0;
    browser.fill("New date", &day(9)).await;
    browser
        .fill("Why it is moved", "The hall is let that day")
        .await;
    browser.screenshot("move").await;
    browser.click("Move the session").await;
    browser.wait_for("Session 3 is on").await;
    let (date, was) = (day(11), day(7));
    let fields = [
        ("heads", heads),
        ("date", date.as_str()),
        ("was_date", was.as_str()),
        ("start", "16:00"),
        ("was_start", "16:00"),
        ("venue", "Village hall"),
        ("was_venue", "Village hall"),
        ("moved_because", "Half the schools are closed"),
    ];
    assert_eq!(desk.form(&path, &fields).await.status, 303);
    browser.visit(&format!("/work-groups/{}", hall.group)).await;
    browser.wait_for("Session 3 stands on two dates").await;
    let banner = browser.text_of("[data-two-versions]").await;
    assert!(banner.contains("The hall is let that day"), "{banner}");
    assert!(banner.contains("Half the schools are closed"), "{banner}");
    browser.check_page().await;
    browser.screenshot("two-dates").await;
}

/// Whether this device opens the register without a network.
async fn opens_offline(browser: &Browser, hall: &Hall) -> bool {
    browser.offline().await;
    browser.visit(&hall.register()).await;
    browser
        .wait_until("something is shown", async || {
            browser.has("Register of session").await || browser.has("You are offline").await
        })
        .await;
    let opens = browser.has("Register of session").await;
    browser.visit("/offline").await;
    browser.wait_for("Not sent from this device").await;
    assert_eq!(browser.has("No register is kept").await, !opens);
    browser.online().await;
    opens
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kept_register_is_forgotten_when_it_is_old_or_the_visit_has_ended() {
    let Some(browser) = Browser::start("register-forgotten").await else {
        return;
    };
    let (hall, lead) = at_the_register(&browser, true).await;
    // As if it had been kept so many days ago.
    let days_ago = async |days: u64| {
        let script = "return (async (days) => {
            for (const name of await caches.keys()) {
                if (!name.startsWith('causeway-registers-')) continue;
                const cache = await caches.open(name);
                for (const request of await cache.keys()) {
                    const kept = await cache.match(request);
                    const headers = new Headers(kept.headers);
                    headers.set('x-causeway-kept-at', Date.now() - days * 86400000);
                    await cache.put(request, new Response(await kept.blob(), { headers }));
                }
            }
        })(arguments[0]);";
        browser.script(script, vec![json!(days)]).await;
    };
    browser.visit("/offline").await;
    days_ago(13).await;
    assert!(opens_offline(&browser, &hall).await);
    days_ago(15).await;
    assert!(!opens_offline(&browser, &hall).await);

    browser.visit(&hall.register()).await;
    browser.wait_for(KEPT).await;
    assert!(opens_offline(&browser, &hall).await);
    forget(&browser, &lead).await;
    browser.visit(&hall.register()).await;
    browser.wait_for("Sign in").await;
    browser
        .wait_until("it is forgotten", async || {
            let script = "return caches.keys().then((names) => \
                names.filter((name) => name.startsWith('causeway-registers-')).length);";
            browser.script(script, vec![]).await == 0
        })
        .await;
    assert!(!opens_offline(&browser, &hall).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mark_that_the_device_has_no_room_for_says_so_and_can_be_made_again() {
    let Some(browser) = Browser::start("register-full").await else {
        return;
    };
    let (hall, _) = at_the_register(&browser, true).await;
    mark(&browser, "m00", "Present").await;
    all_are(&browser, 1, "Saved").await;
    let full = "window.put = IDBObjectStore.prototype.put;
        IDBObjectStore.prototype.put = () => { throw new DOMException('full', 'QuotaExceededError'); };";
    browser.script(full, vec![]).await;
    mark(&browser, "m00", "Absent").await;
    mark(&browser, "m01", "Part").await;
    all_are(&browser, 2, "Not kept on this device").await;
    browser.wait_for("no room for 2 marks").await;
    browser.check_page().await;
    browser.screenshot("no-room").await;
    assert_eq!(browser.text_of("[data-total=present]").await, "1");
    assert_eq!(browser.text_of("[data-total=part]").await, "0");
    let room = "IDBObjectStore.prototype.put = window.put;";
    browser.script(room, vec![]).await;
    mark(&browser, "m01", "Part").await;
    all_are(&browser, 1, "Saved").await;
    mark(&browser, "m00", "Absent").await;
    all_are(&browser, 2, "Saved").await;
    browser.wait_gone("no room for").await;
    browser
        .wait_until("both are at the hub", async || hall.marks().len() == 3)
        .await;
}
