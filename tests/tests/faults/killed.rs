//! Programs that are killed (SIGKILL) at random moments.

use std::collections::BTreeSet;
use std::time::Duration;

use node::Node;
use tests::world::World;

use crate::chance::Chance;
use crate::left::Left;
use crate::program::{Program, add_hub, equal, held_by};
use crate::writing::Writing;

const ROUNDS: usize = 6;
/// How long people write before the kill, at most.
const WRITING_MS_MAX: u64 = 400;
/// How long a program that is killed while it opens its store may have had for it.
const OPENING_MS_MAX: u64 = 150;

#[tokio::test(flavor = "multi_thread")]
async fn a_hub_killed_while_people_write_has_all_that_it_said_was_saved() {
    let mut chance = Chance::new();
    let mut world = World::new().await;
    add_hub(&mut world, "south-yorkshire").await;
    let (space, _) = world.project("NCP24-11", &["south-yorkshire"]).await;
    let space = space.to_string();
    world.stop_hub("south-yorkshire").await;

    let mut hub = Program::hub(&world.path("south-yorkshire"));
    let (mut acknowledged, mut asked) = (BTreeSet::new(), 0);
    for _ in 0..ROUNDS {
        hub.start().await;
        let writing = Writing::over(&hub.client(), &space);
        chance.moment(WRITING_MS_MAX).await;
        hub.kill().await;
        let (told, tried) = writing.end().await;
        acknowledged.extend(told);
        asked += tried;
        let missing = Left::by(hub.folder());
        assert_eq!(missing.lacks(&acknowledged), [] as [&String; 0]);
        if chance.coin() {
            // Killed again while it opens its store, or shortly after.
            let process = hub.launch(&[]);
            chance.moment(OPENING_MS_MAX).await;
            process.kill().await.expect("it is killed");
        }
    }
    assert!(!acknowledged.is_empty(), "nothing was written");
    println!("{} of {asked} were said to be saved", acknowledged.len());

    hub.start().await;
    let listed = hub.notes(&space).await;
    let missing = acknowledged.difference(&listed).collect::<Vec<_>>();
    assert_eq!(missing, [] as [&String; 0]);
    assert!(listed.len() <= asked, "each is there once");
    let coordinator = world.coordinator().operations().node();
    equal(async || vec![hub.held(&space).await, held_by(coordinator, &space)]).await;
    assert_eq!(notes(coordinator, &space), listed);
    assert_quiet(&hub.status().await);
    assert_quiet(&coordinator.status().expect("a status"));
    hub.stop().await;
    assert_eq!(
        Left::by(hub.folder()).lacks(&acknowledged),
        [] as [&String; 0]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_coordinator_killed_while_hubs_push_has_all_that_they_were_told_is_sent() {
    let mut chance = Chance::new();
    let mut world = World::new().await;
    let codes = ["south-yorkshire", "west-yorkshire"];
    for code in codes {
        add_hub(&mut world, code).await;
    }
    let (space, _) = world.project("NCP24-11", &codes).await;
    let space = space.to_string();
    world.stop_coordinator().await;

    let mut coordinator = Program::coordinator(&world.path("coordinator"));
    let hubs = codes.map(|code| world.hub(code).clone());
    let writing = hubs.each_ref().map(|hub| Writing::at(hub, &space));
    let mut sent = BTreeSet::new();
    for _ in 0..ROUNDS {
        coordinator.start().await;
        // So that every round has a session in it.
        while hubs.iter().any(|hub| hub.peers_connected().is_empty()) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        chance.moment(WRITING_MS_MAX).await;
        for (hub, writing) in hubs.iter().zip(&writing) {
            sent.extend(sent_of(hub, &writing.acknowledged()));
        }
        coordinator.kill().await;
        let left = Left::by(coordinator.folder());
        assert_eq!(left.lacks(&sent), [] as [&String; 0]);
    }
    assert!(!sent.is_empty(), "nothing was sent");
    let mut acknowledged = BTreeSet::new();
    for writing in writing {
        acknowledged.extend(writing.end().await.0);
    }
    println!(
        "{} were saved; of {} looked at before a kill it was said that they are sent",
        acknowledged.len(),
        sent.len()
    );

    coordinator.start().await;
    equal(async || {
        let [south, west] = hubs.each_ref().map(|hub| held_by(hub, &space));
        vec![coordinator.held(&space).await, south, west]
    })
    .await;
    assert_eq!(coordinator.notes(&space).await, acknowledged);
    for hub in &hubs {
        assert_eq!(notes(hub, &space), acknowledged);
        assert_quiet(&hub.status().expect("a status"));
    }
    assert_quiet(&coordinator.status().await);
    coordinator.stop().await;
    assert_eq!(
        Left::by(coordinator.folder()).lacks(&acknowledged),
        [] as [&String; 0]
    );
}

/// The newest records of a hub of which it says that they are sent.
fn sent_of(hub: &Node, records: &[String]) -> Vec<String> {
    let is_sent = |id: &&String| hub.show_record(id).expect("a record").marks.sent;
    let newest = records.iter().rev().take(40);
    newest.filter(is_sent).cloned().collect()
}

fn notes(node: &Node, space: &str) -> BTreeSet<String> {
    let listed = node.list_records("practice", space).expect("a list");
    listed.iter().map(|record| record.id.to_string()).collect()
}

/// Nothing is held for checking, refused or alarming.
fn assert_quiet(status: &serde_json::Value) {
    for name in ["alarms", "set_aside", "refused"] {
        assert_eq!(status[name], serde_json::json!([]), "{name} in {status}");
    }
}
