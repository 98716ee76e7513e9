//! The marks, while the line is cut at each step.

use tests::reader::{Visitor, serve_pages, until_it_may_write};
use tests::world::World;

/// Waits until the marks of a record say so.
async fn until_marks(lead: &Visitor, path: &str, words: &str) {
    let begun = std::time::Instant::now();
    loop {
        let marks = lead.get(path).await;
        if marks.says(words) {
            return;
        }
        assert!(
            begun.elapsed().as_secs() < 60,
            "never {words}: {}",
            marks.text()
        );
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_is_saved_then_sent_then_received_and_the_page_says_just_that() {
    let mut world = World::new().await;
    world.add_hub("east").await;
    world.add_hub("north").await;
    let (_, id) = world.project("NCP26-01", &["east", "north"]).await;
    let east = world.hub("east").clone();
    until_it_may_write(&east).await;
    let pages = serve_pages(&east).await;
    let lead = Visitor::sign_in(&east, &pages, "Ama Lead", "hub lead", "");
    let made = east
        .create_record("plan", "", r#"{"title": "Plan"}"#)
        .expect("made");
    let own = lead.get(&format!("/plans/{}/marks", made.id)).await;
    assert_eq!(
        own.text(),
        "Saved",
        "what is shared with nobody is saved, and no more"
    );

    world.stop_hub("north").await;
    world.stop_coordinator().await;
    let path = format!("/project-records/{id}/change/project");
    let page = lead.read(&path).await;
    let saved = lead
        .fill(&page, &path, &[("question", "Does it help?")])
        .await;
    assert_eq!(saved.status, 303, "{}", saved.text());
    let marks = format!("/project-records/{id}/marks");
    let page = lead.read(&format!("/project-records/{id}/all")).await;
    assert!(page.says("Saved, not sent yet"), "{}", page.text());
    assert!(!page.says("Received"), "{}", page.text());

    world.start_coordinator().await;
    until_marks(&lead, &marks, "Sent").await;
    assert!(
        !lead.get(&marks).await.says("Received"),
        "no other hub has it"
    );

    world.start_hub("north");
    until_marks(&lead, &marks, "Received by 1 of 1").await;
}
