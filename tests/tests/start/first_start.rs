//! Setting a hub up, from a link that was printed to a hub that works: C1 on the hub's screen.

use coordinator::operations::Operations;
use node::enrolment::Invitation;
use tests::world::{World, until};

use crate::asking::{PASSWORD, Site};

const SOUTH: &str = "south-yorkshire";

fn operations(world: &World) -> &Operations {
    world.coordinator().operations()
}

async fn choose(site: &Site, invitation: &Invitation) {
    let text = invitation.to_toml().expect("an invitation");
    let files: &[(&str, &str, &[u8])] = &[("invitation", "south.toml", text.as_bytes())];
    let sent = site.send("/start/connect", &[], files).await;
    assert_eq!((sent.status, sent.location()), (303, "/start/connect"));
}

async fn says(site: &Site, words: &str) -> String {
    for _ in 0..600 {
        let shown = site.live("/start/connect").await;
        if shown.has(words) {
            return shown.body;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    let shown = site.live("/start/connect").await;
    panic!("\"{words}\" is not said: {}", shown.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn c1_the_hub_sees_the_number_that_ncetm_sees_and_goes_on_by_itself() {
    let world = World::new().await;
    let node = world.new_node(SOUTH);
    let running = node.start();
    let site = Site::of(&node).await;
    // Nothing else is of use before, so everything leads there.
    for path in ["/", "/work-groups", "/import", "/export", "/held"] {
        let led = site.get(path).await;
        assert_eq!((led.status, led.location()), (303, "/start"), "{path}");
    }
    let first = site.get("/start").await;
    assert!(
        first.has("Connect this hub") && first.has("0 of 5 steps"),
        "{}",
        first.body
    );

    // A file that is no invitation is said to be none.
    let sent = site
        .send("/start/connect", &[], &[("invitation", "x.toml", b"hello")])
        .await;
    assert_eq!(sent.status, 200);
    assert!(sent.has("There is a problem"), "{}", sent.body);

    choose(&site, &world.invite_to_wait(SOUTH)).await;
    let shown = says(&site, "NCETM sees the same number").await;
    let waiting = operations(&world).waiting().expect("the waiting room");
    let number = waiting[0].check_number.to_string();
    assert!(shown.contains(&number), "{number}: {shown}");
    assert!(
        site.get("/start/connect")
            .await
            .has("http-equiv=\"refresh\"")
    );

    operations(&world)
        .admit_waiting(SOUTH, "an operator")
        .expect("admitted");
    let shown = says(&site, "has admitted this computer").await;
    assert!(
        shown.contains("data-ended") && shown.contains(&number),
        "{shown}"
    );
    let next = site.get("/start").await;
    assert!(next.has("1 of 5 steps"), "{}", next.body);
    until("the hub knows its name", || {
        node.hub_name().contains("Maths Hub")
    })
    .await;
    // Its home leads back until there are schools or groups, or somebody says that there are none.
    assert_eq!(site.get("/").await.location(), "/start");
    let skipped = site.post("/start/skip", &[("what", "schools")]).await;
    assert_eq!(skipped.location(), "/start");
    assert_eq!(site.get("/").await.status, 200);
    running.stop(std::time::Duration::from_secs(5)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn c1_a_refusal_is_read_with_its_reason_and_another_invitation_may_be_tried() {
    let world = World::new().await;
    let node = world.new_node(SOUTH);
    let running = node.start();
    let site = Site::of(&node).await;
    choose(&site, &world.invite_to_wait(SOUTH)).await;
    says(&site, "NCETM sees the same number").await;
    operations(&world)
        .refuse_waiting(SOUTH, "the numbers differed", "an operator")
        .expect("refused");
    says(&site, "the numbers differed").await;
    let again = site.get("/start/connect").await;
    assert!(
        again.has("the numbers differed") && again.has("Invitation file"),
        "{}",
        again.body
    );
    running.stop(std::time::Duration::from_secs(5)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn before_anybody_can_sign_in_every_page_says_where_the_link_is() {
    let world = World::new().await;
    let node = world.new_node(SOUTH);
    let config = node::config::WebConfig {
        listen: "127.0.0.1:0".to_owned(),
        ..Default::default()
    };
    let (site, routes) = (node::web::hub_site(), node::web::hub_routes());
    let pages = node::web::Pages::serve(&node, &config, site, routes).await;
    let pages = pages.expect("served").expect("wanted");
    let address = pages.address();
    let ask = |path: &'static str| async move {
        let stream = tokio::net::TcpStream::connect(address)
            .await
            .expect("it listens");
        crate::asking::ask(stream, &address.to_string(), "GET", path, &[], &[]).await
    };
    assert_eq!(ask("/work-groups").await.location(), "/start");
    let first = ask("/start").await;
    assert_eq!(first.status, 200);
    assert!(first.has("causeway-node account link"), "{}", first.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_recovery_sheet_is_shown_once_and_then_for_the_password_alone() {
    let mut world = World::new().await;
    world.add_hub("south-yorkshire").await;
    let node = world.hub(SOUTH).clone();
    let site = Site::of(&node).await;
    let sheet = "/start/recovery-sheet/show";
    let words_on = |body: &str| {
        let list = body
            .split("<ol class=\"recovery-words\">")
            .nth(1)
            .unwrap_or_default();
        let list = list.split("</ol>").next().unwrap_or_default();
        let words = list.split("<li>").skip(1);
        let words = words.map(|it| it.split("</li>").next().unwrap_or_default().to_owned());
        words.collect::<Vec<_>>()
    };
    let shown = site.post(sheet, &[]).await;
    let words = words_on(&shown.body);
    assert_eq!(words.len(), 24, "{}", shown.body);
    assert_eq!(shown.header("cache-control"), "no-store");

    let again = site.post(sheet, &[]).await;
    assert!(words_on(&again.body).is_empty());
    let wrong = site.post(sheet, &[("password", "not that one")]).await;
    assert!(words_on(&wrong.body).is_empty() && wrong.has("There is a problem"));
    let right = site.post(sheet, &[("password", PASSWORD)]).await;
    assert_eq!(words_on(&right.body), words);

    // It counts once two of its words are given back.
    let asked = site.get("/start/recovery-sheet/check").await;
    let number = |nth: usize| {
        let part = asked
            .body
            .split(">Word ")
            .nth(nth)
            .expect("two words are asked for");
        part.split('<')
            .next()
            .and_then(|it| it.trim().parse::<usize>().ok())
            .expect("a number")
    };
    let (first, second) = (&words[number(1) - 1], &words[number(2) - 1]);
    let wrong = site
        .post(
            "/start/recovery-sheet/check",
            &[("first", first), ("second", "zebra-no")],
        )
        .await;
    assert!(wrong.has("is not word"), "{}", wrong.body);
    assert!(
        site.get("/start").await.has("1 of 5"),
        "connected alone counts"
    );
    let right = site
        .post(
            "/start/recovery-sheet/check",
            &[("first", first), ("second", second)],
        )
        .await;
    assert_eq!(right.location(), "/start");
    assert!(site.get("/start").await.has("2 of 5"));
}
