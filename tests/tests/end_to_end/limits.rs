//! What one hub may use of a coordinator, and the room that is kept on its disk: whoever is over is told
//! *not yet* and why, loses nothing, and holds nobody else up.

use node_feed::SpaceId;
use serde_json::json;
use tests::world::{World, until};

const SOUTH: &str = "south-yorkshire";
const WEST: &str = "west-yorkshire";
const OVER: &str = "takes no more for now of the hub";

/// Starts the coordinator again with these limits, beside the settings that it had at first.
async fn limit(world: &mut World, limits: &str) {
    world.stop_coordinator().await;
    let path = world.path("coordinator").join("causeway.toml");
    let before = std::fs::read_to_string(&path).expect("settings");
    let first = before.split("[limits]").next().unwrap_or_default();
    std::fs::write(&path, format!("{first}\n[limits]\n{limits}\n")).expect("settings");
    world.start_coordinator().await;
}

fn edit(node: &node::Node, record: &str, text: &str) {
    node.edit_record(record, "", &json!({ "protocol": text }).to_string())
        .expect("an edit is saved");
}

fn protocol(node: &node::Node, record: &str) -> String {
    let shown = node.show_record(record).expect("the record is shown");
    shown.fields["protocol"]
        .as_str()
        .unwrap_or_default()
        .to_owned()
}

fn is_now_told(world: &World, hub: &str, why: &str) -> bool {
    let status = world.hub(hub).status().expect("how it stands");
    let trouble = status["trouble"].as_array().into_iter().flatten();
    let mut trouble = trouble.filter_map(|told| told.as_str());
    trouble.any(|told| told.contains(why))
}

async fn is_told(world: &World, hub: &str, why: &str) {
    until(why, || is_now_told(world, hub, why)).await;
}

/// Two hubs with a project of their own each, which both share with the coordinator.
async fn two() -> (World, SpaceId, String, String) {
    let mut world = World::new().await;
    let folder = world.path(SOUTH);
    std::fs::create_dir_all(&folder).expect("a folder");
    // What comes as a first copy is not counted.
    let settings = "[sync]\nfirst_copies = false\n";
    std::fs::write(folder.join("causeway.toml"), settings).expect("settings");
    world.add_hub(SOUTH).await;
    world.add_hub(WEST).await;
    let (space, south) = world.project("NCP24-11", &[SOUTH]).await;
    let (other, west) = world.project("NCP24-12", &[WEST]).await;
    edit(world.hub(SOUTH), &south, "A first draft");
    edit(world.hub(WEST), &west, "A first draft");
    world.agree(space).await;
    world.agree(other).await;
    (world, space, south, west)
}

/// What a hub wrote and was held back is with the coordinator once there is room, all of it.
async fn all_arrives(world: &World, record: &str, text: &str) {
    until("what waited has arrived", || {
        let node = world.coordinator().operations().node();
        protocol(node, record) == text
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hub_that_floods_is_told_not_yet_and_slows_nobody_else() {
    let (mut world, _, south, west) = two().await;
    limit(&mut world, "hub_entries_per_minute = 60").await;
    world.hub(SOUTH).in_sync(1).await;
    world.hub(WEST).in_sync(1).await;
    // Together, as after days without a network.
    world.hub(SOUTH).pause(true);
    for number in 0..1_100 {
        edit(world.hub(SOUTH), &south, &format!("Draft {number}"));
    }
    world.hub(SOUTH).pause(false);
    is_told(&world, SOUTH, OVER).await;
    let node = world.coordinator().operations().node();
    assert_ne!(protocol(node, &south), "Draft 1099");
    // NCETM sees which hub it is, and why.
    let refused = node.refused_entries();
    let refused = refused.iter().map(|it| it.refusal.reason.word());
    assert!(
        refused.clone().any(|word| word == "quota"),
        "{:?}",
        refused.collect::<Vec<_>>()
    );
    // Others notice nothing of it.
    edit(world.hub(WEST), &west, "We meet weekly.");
    all_arrives(&world, &west, "We meet weekly.").await;

    limit(&mut world, "").await;
    all_arrives(&world, &south, "Draft 1099").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_hub_has_stored_counts_after_a_restart_too() {
    let (mut world, space, south, _) = two().await;
    // As random as a text may be, so that nothing makes it small.
    let page = || hex::encode(node::random::<19_000>());
    for _ in 0..3 {
        edit(world.hub(SOUTH), &south, &page());
        // To find what two texts have in common that have nothing takes long.
        edit(world.hub(SOUTH), &south, "");
    }
    world.agree(space).await;
    limit(&mut world, "hub_bytes_max = 65536").await;
    world.hub(SOUTH).in_sync(1).await;
    // What is there is read while the coordinator serves already, so the first may still pass.
    let mut number = 0;
    until("it is told", || {
        number += 1;
        edit(world.hub(SOUTH), &south, &format!("Draft {number}"));
        is_now_told(&world, SOUTH, OVER)
    })
    .await;
    limit(&mut world, "").await;
    all_arrives(&world, &south, &format!("Draft {number}")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hub_has_as_many_sessions_as_it_may() {
    let (mut world, _, _, _) = two().await;
    limit(&mut world, "hub_sessions_max = 1").await;
    world.hub(SOUTH).in_sync(1).await;
    world.add_node("south-second", SOUTH, None).await;
    is_told(&world, "south-second", "sessions open already").await;
    world.hub(WEST).in_sync(1).await;
    // As soon as the other has gone there is a place.
    world.stop_hub(SOUTH).await;
    world.hub("south-second").in_sync(1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn below_its_reserve_a_disk_takes_nothing_new_and_goes_on_once_there_is_room() {
    let (mut world, _, south, _) = two().await;
    limit(&mut world, "disk_reserve_bytes = 1099511627776").await;
    edit(world.hub(SOUTH), &south, "We meet weekly.");
    is_told(&world, SOUTH, "cannot store anything at the moment").await;
    let node = world.coordinator().operations().node();
    let refused = node.edit_record(&south, "", r#"{ "phase": "primary" }"#);
    let refused = refused.expect_err("nothing new").to_string();
    assert!(refused.contains("kept in reserve"), "{refused}");
    // What says who may take part, and what ends it, is written all the same.
    world.invite("north-yorkshire");
    limit(&mut world, "").await;
    all_arrives(&world, &south, "We meet weekly.").await;
}
