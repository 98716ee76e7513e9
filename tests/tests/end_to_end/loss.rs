//! What comes back when something is lost.

use node::restore::Restore;
use serde_json::json;
use tests::folders::copy;
use tests::world::{World, until};

fn note(node: &node::Node, space: &str, title: &str) -> String {
    let fields = json!({ "title": title }).to_string();
    node.create_record("practice", space, &fields)
        .expect("a practice is saved")
        .id
        .to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_hubs_give_everything_shared_back_to_a_new_coordinator() {
    let mut world = World::new().await;
    for hub in ["south-yorkshire", "west-yorkshire"] {
        world.add_hub(hub).await;
    }
    let (space, record) = world
        .project("NCP24-11", &["south-yorkshire", "west-yorkshire"])
        .await;
    note(
        world.hub("south-yorkshire"),
        &space.to_string(),
        "Before the loss",
    );
    world.agree(space).await;
    let hubs = world
        .coordinator()
        .operations()
        .node()
        .authority()
        .hubs()
        .clone();

    world.lose_coordinator().await;
    note(
        world.hub("west-yorkshire"),
        &space.to_string(),
        "While it was gone",
    );
    world.agree(space).await;
    let operations = world.coordinator().operations();
    assert_eq!(*operations.node().authority().hubs(), hubs);
    let refused = operations.create_space(node_feed::SpaceKind::Project, "x");
    let refused = refused
        .expect_err("it may not change access yet")
        .to_string();
    assert!(refused.contains("authority take-over"), "{refused}");
    let other = node_feed::SecretKey::from_seed(&[1; 32]);
    assert!(
        operations.take_over(&other, false).is_err(),
        "another root key is refused"
    );
    assert_eq!(
        operations
            .take_over(&world.keys().root, false)
            .expect("taken over"),
        2
    );

    operations
        .node()
        .edit_record(&record, "", r#"{"question": "Still here?"}"#)
        .expect("edited");
    world.agree(space).await;
    world.add_hub("london-thames").await;
    let operations = world.coordinator().operations();
    operations
        .grant(space, "london-thames", node_feed::Access::Read)
        .expect("granted");
    world.agree(space).await;
    let listed = world
        .hub("london-thames")
        .list_records("practice", "")
        .expect("a list");
    assert_eq!(listed.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_coordinator_cannot_take_over_before_a_hub_has_reported() {
    let mut world = World::new().await;
    world.add_hub("south-yorkshire").await;
    let (space, _) = world.project("NCP24-11", &["south-yorkshire"]).await;
    world.agree(space).await;
    world.stop_hub("south-yorkshire").await;
    world.lose_coordinator().await;
    let take_over = |world: &World, anyway| {
        let operations = world.coordinator().operations();
        let taken = operations.take_over(&world.keys().root, anyway);
        taken.map_err(|error| error.to_string())
    };
    for anyway in [false, true] {
        let refused = take_over(&world, anyway).expect_err("there is nothing to go on from");
        assert!(refused.contains("wait until a hub"), "{refused}");
    }
    world.start_hub("south-yorkshire");
    world.agree(space).await;
    world.stop_hub("south-yorkshire").await;
    world.stop_coordinator().await;
    world.start_coordinator().await;
    let refused = take_over(&world, false).expect_err("what it holds may be old");
    assert!(refused.contains("no hub has reported"), "{refused}");
    assert_eq!(take_over(&world, true), Ok(2));
    world.start_hub("south-yorkshire");
    note(world.hub("south-yorkshire"), &space.to_string(), "And on");
    world.agree(space).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_network_that_was_begun_twice_loses_nothing_and_goes_on_after_a_take_over() {
    let mut world = World::new().await;
    world.add_hub("south-yorkshire").await;
    let (space, _) = world.project("NCP24-11", &["south-yorkshire"]).await;
    let text = space.to_string();
    note(world.hub("south-yorkshire"), &text, "Shared");
    let own = note(world.hub("south-yorkshire"), "", "The hub's own");
    world.agree(space).await;
    world.begin_again().await;
    until("the coordinator sees two first terms", || {
        let node = world.coordinator().operations().node();
        node.authority().is_frozen()
    })
    .await;

    let operations = world.coordinator().operations();
    assert_eq!(
        operations
            .take_over(&world.keys().root, false)
            .expect("taken over"),
        2
    );
    world.agree(space).await;
    let south = world.hub("south-yorkshire");
    until("the hub knows the new term", || {
        let log = south.authority_log().expect("the log is read");
        log.current().is_some_and(|(_, term)| term == 2)
    })
    .await;
    let listed = south.list_records("practice", &text).expect("a list");
    assert_eq!(listed.len(), 1);
    assert!(south.show_record(&own).is_ok());
    let status = south.status().expect("a status");
    let hub = south.hub().expect("it is connected");
    let first_facts = 6;
    assert!(
        status["no_longer_counting"]
            .as_u64()
            .is_some_and(|left| left <= first_facts),
        "no more than what was begun twice: {status}"
    );
    assert!(south.authority().access(hub, space).is_some());
    note(south, &text, "And on");
    world.agree(space).await;
    let listed = world
        .coordinator()
        .operations()
        .node()
        .list_records("practice", &text);
    assert_eq!(listed.expect("a list").len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hub_set_back_to_an_older_copy_takes_back_what_it_had_sent() {
    let mut world = World::new().await;
    world.add_hub("south-yorkshire").await;
    let (space, _) = world.project("NCP24-11", &["south-yorkshire"]).await;
    let text = space.to_string();
    note(world.hub("south-yorkshire"), &text, "One");
    world.agree(space).await;
    world.stop_hub("south-yorkshire").await;
    copy(&world.path("south-yorkshire"), &world.path("older")).expect("it is copied");

    world.start_hub("south-yorkshire");
    note(world.hub("south-yorkshire"), &text, "Two");
    world.agree(space).await;
    world.stop_hub("south-yorkshire").await;
    std::fs::remove_dir_all(world.path("south-yorkshire")).expect("deleted");
    copy(&world.path("older"), &world.path("south-yorkshire")).expect("it is copied");

    world.start_hub("south-yorkshire");
    let south = world.hub("south-yorkshire");
    until("what it had sent is back", || {
        south
            .list_records("practice", &text)
            .is_ok_and(|listed| listed.len() == 2)
    })
    .await;
    let noticed = south.status().expect("a status")["noticed"].to_string();
    assert!(noticed.contains("older state"), "{noticed}");
    note(south, &text, "Three");
    world.agree(space).await;
    let feeds = world
        .coordinator()
        .operations()
        .node()
        .heights(space)
        .expect("heights");
    assert_eq!(
        feeds.len(),
        3,
        "the coordinator's feed, the hub's first, and its new one"
    );
    let listed = world
        .coordinator()
        .operations()
        .node()
        .list_records("practice", &text);
    assert_eq!(listed.expect("a list").len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_is_restored_under_fresh_keys_and_filled_by_the_others() {
    let mut world = World::new().await;
    world.add_hub("south-yorkshire").await;
    let (space, _) = world.project("NCP24-11", &["south-yorkshire"]).await;
    let text = space.to_string();
    let south = world.hub("south-yorkshire");
    note(south, &text, "One");
    let kept = note(south, "", "A practice of this hub's own");
    let backup = world.path("backup.db");
    let made = south.backup(&backup, &[]).expect("a backup");
    let entries = made.entries;
    assert!(
        south.backup(&backup, &[]).is_err(),
        "a backup is never overwritten"
    );
    note(south, &text, "Two");
    world.agree(space).await;
    world.stop_hub("south-yorkshire").await;

    let data = world.path("south-yorkshire");
    let damaged = world.path("damaged.db");
    std::fs::write(&damaged, "no store").expect("a file");
    assert!(Restore::prepare(&data, &damaged, None).is_err());
    let restore = Restore::prepare(&data, &backup, None).expect("the backup is whole");
    assert_eq!(restore.entries(), entries);
    let bytes = std::fs::read(&backup).expect("the backup");
    assert!(
        !bytes.windows(7).any(|window| window == b"writer/"),
        "a backup holds no keys"
    );
    restore.commit().expect("restored");
    world.start_hub("south-yorkshire");
    let south = world.hub("south-yorkshire");
    note(south, &text, "Three");
    world.agree(space).await;
    let listed = south.list_records("practice", &text).expect("a list");
    assert_eq!(listed.len(), 3);
    assert!(south.show_record(&kept).is_ok());
}
