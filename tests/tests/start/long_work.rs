//! Long work: it goes on while nobody looks, can be stopped, and outlives the program.

use tests::world::{World, until};

use crate::asking::{PASSWORD, Site};

const SOUTH: &str = "south-yorkshire";

#[tokio::test(flavor = "multi_thread")]
async fn what_is_taken_out_can_be_taken_once_and_by_its_owner_alone() {
    let mut world = World::new().await;
    world.add_hub(SOUTH).await;
    let node = world.hub(SOUTH).clone();
    let site = Site::of(&node).await;
    node.create_record("work-group", "", "{\"title\": \"Ratio\"}")
        .expect("a group");
    for (fields, name, begins) in [
        (
            &[("what", "list"), ("kind", "work-group"), ("format", "csv")][..],
            "work-groups.csv",
            "",
        ),
        (
            &[("what", "calendar")][..],
            "causeway.ics",
            "BEGIN:VCALENDAR",
        ),
        (&[("what", "everything")][..], ".zip", "PK"),
    ] {
        let begun = site.post("/export", fields).await;
        assert_eq!(begun.status, 303, "{}", begun.body);
        let page = begun.location().to_owned();
        let done = site.until_done(&page).await;
        assert!(
            done.has("The file is ready") && done.has(name),
            "{}",
            done.body
        );
        let file = format!("{page}/file");
        let forged = site.post_as_it_is(&file, &[("csrf", "no")]).await;
        assert_eq!(forged.status, 403);
        let taken = site.post(&file, &[]).await;
        assert_eq!(taken.status, 200);
        assert!(taken.header("content-disposition").contains(name));
        assert!(taken.body.contains(begins) && !taken.body.is_empty());
        assert_eq!(
            site.post(&file, &[]).await.status,
            410,
            "{name} can be taken once"
        );
    }
    let list = site.get("/jobs").await;
    assert!(list.has("Nothing of yours is going on"), "{}", list.body);
    assert_eq!(site.get("/jobs/999").await.status, 404);
    assert_eq!(site.get_as_nobody("/jobs/1").await.status, 303);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_that_is_stopped_says_what_was_done_and_the_same_file_does_the_rest() {
    let mut world = World::new().await;
    world.add_hub(SOUTH).await;
    let node = world.hub(SOUTH).clone();
    let site = Site::of(&node).await;
    let mut csv = String::from("Title,Phase\r\n");
    for number in 0..400 {
        csv += &format!("Group number {number},primary\r\n");
    }
    let files: &[(&str, &str, &[u8])] = &[("file", "groups.csv", csv.as_bytes())];
    let check = site
        .send("/import/work-groups", &[], files)
        .await
        .location()
        .to_owned();
    let begun = site.post(&check, &[("do", "import")]).await;
    let page = begun.location().to_owned();
    // It is stopped while it goes on, whenever that is.
    let stopped = site.post(&format!("{page}/stop"), &[]).await;
    assert_eq!(stopped.location(), page);
    let done = site.until_done(&page).await;
    let made = || node.list_records("work-group", "").expect("groups").len();
    let before = made();
    assert!(before < 400, "it was stopped in time");
    assert!(done.has(">Stopped<"), "{}", done.body);
    assert!(
        done.has("not done") || done.has("nothing was done"),
        "{}",
        done.body
    );
    // Every group that is there is whole.
    for record in node.list_records("work-group", "").expect("groups") {
        let shown = node.show_record(&record.id.to_string()).expect("a group");
        assert_eq!(shown.fields["phase"], "primary");
    }
    let again = site.post(&check, &[("do", "import")]).await;
    let done = site.until_done(again.location()).await;
    assert!(done.has(">Done<"), "{}", done.body);
    assert_eq!(made(), 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_is_made_and_work_of_before_is_still_told_after_a_new_start() {
    let mut world = World::new().await;
    world.add_hub(SOUTH).await;
    let node = world.hub(SOUTH).clone();
    let site = Site::of(&node).await;
    for wrong in [&[][..], &[("password", "not that one")]] {
        let refused = site.post("/settings/backup", wrong).await;
        assert!(refused.has("There is a problem"), "{}", refused.body);
    }
    let right = [("password", PASSWORD)];
    let begun = site.post("/settings/backup", &right).await;
    let page = begun.location().to_owned();
    let done = site.until_done(&page).await;
    assert!(done.has("The backup is whole"), "{}", done.body);
    let taken = site.post(&format!("{page}/file"), &[]).await;
    assert!(
        taken.body.starts_with("SQLite format 3"),
        "{}",
        taken.status
    );
    // What was going on when the program was stopped says so.
    let list = node.folder().join("jobs/list.json");
    let text = std::fs::read_to_string(&list).expect("the list is kept");
    std::fs::write(&list, text.replace("\"Done\"", "\"Running\"")).expect("it is changed");
    let token = site.token.clone();
    site.pages.stop(std::time::Duration::from_secs(1)).await;
    let listening = node::config::WebConfig {
        listen: "127.0.0.1:0".to_owned(),
        ..Default::default()
    };
    let (web, routes) = (node::web::hub_site(), node::web::hub_routes());
    let pages = node::web::Pages::serve(&node, &listening, web, routes).await;
    let pages = pages.expect("served").expect("wanted");
    let address = pages.address();
    let stream = tokio::net::TcpStream::connect(address)
        .await
        .expect("it listens");
    let cookie = format!("causeway-{}={token}", address.port());
    let host = address.to_string();
    let shown = crate::asking::ask(stream, &host, "GET", &page, &[("cookie", &cookie)], &[]).await;
    assert!(
        shown.has("Broken off") && shown.has("The program was stopped"),
        "{}",
        shown.body
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_copy_says_how_far_it_is_and_can_be_stopped() {
    let mut world = World::new().await;
    world.add_hub(SOUTH).await;
    let node = world.hub(SOUTH).clone();
    let site = Site::of(&node).await;
    node.pause(true);
    let operations = world.coordinator().operations();
    operations.sample(1, true).expect("a nation");
    let paused = site.get("/copying").await;
    assert!(paused.has("Sharing is paused"), "{}", paused.body);
    assert_eq!(node.copied(), None);

    // It goes on, says so, and is stopped.
    site.post("/settings/pause", &[]).await;
    let mut shown = false;
    until("a copy is under way", || node.copied().is_some()).await;
    while let Some((here, of)) = node.copied() {
        assert!(here < of, "{here} of {of}");
        shown |= site.get("/copying").await.has("is being copied here");
        if shown {
            break;
        }
    }
    assert!(shown, "its page says how far it is");
    site.post("/settings/pause", &[("pause", "yes")]).await;
    until("it is stopped", || node.copied().is_none()).await;

    // What came stays, and the rest follows.
    site.post("/settings/pause", &[]).await;
    let status = || node.status().is_ok_and(|status| status["in_sync"] == true);
    until("all is here", status).await;
    assert_eq!(node.copied(), None);
    let done = site.get("/copying").await;
    assert!(done.has("Nothing is being copied"), "{}", done.body);
}
