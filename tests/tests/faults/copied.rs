//! Programs that are killed (SIGKILL) in the middle of a first copy.

use std::collections::BTreeSet;
use std::path::Path;

use node_feed::{Access, Hash, SpaceId, Tag};
use node_store::{ReadStore, Readers};
use serde_json::json;
use tests::relay::Relay;
use tests::world::{World, until};

use crate::program::{Program, equal, held_by};

const SOUTH: &str = "south-yorkshire";
const WEST: &str = "west-yorkshire";
const EAST: &str = "london-north-east";
const RECORDS: usize = 200;
/// Enough to begin a session and for a slice, and half of what the whole copy takes: who began anew
/// each time would come to no end.
const MORE_BYTES: u64 = 110_000;
/// About what beginning a session costs, and what was under way when it broke.
const SESSION_BYTES: u64 = 90_000;

/// What a hub that takes a copy has of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Nothing,
    /// Not all that the checkpoints need.
    Head,
    /// So many documents.
    Documents(u64),
    /// All, and so many are not checked.
    Checking(u64),
    /// It counts.
    Placed,
}

/// The south has written many records that nothing makes much smaller, with a checkpoint. Copies
/// travel in small slices.
async fn grown() -> (World, SpaceId) {
    let mut world = World::new().await;
    world.stop_coordinator().await;
    let settings = world.path("coordinator").join("causeway.toml");
    let text = std::fs::read_to_string(&settings).expect("settings");
    std::fs::write(&settings, text + "in_flight_bytes_max = 65536\n").expect("settings");
    world.start_coordinator().await;
    world.add_hub(SOUTH).await;
    let (space, _) = world.project("NCP24-11", &[SOUTH]).await;
    let south = world.hub(SOUTH).clone();
    let space_name = space.to_string();
    for number in 0..RECORDS {
        let words = (0..24u8).map(|word| {
            let seed = [u8::try_from(number).expect("few"), word];
            Hash::of(Tag::Actor, &[&seed]).to_string()
        });
        let body = words.collect::<Vec<_>>().join(" ");
        let fields = json!({ "title": format!("Practice {number}"), "body": body });
        let made = south.create_record("practice", &space_name, &fields.to_string());
        made.expect("it is made");
    }
    let written = south.write_checkpoint(space).expect("a checkpoint");
    assert!(written.is_some());
    world.agree(space).await;
    (world, space)
}

/// A hub that was just connected over a cable of its own, and does not run.
async fn newcomer(world: &mut World, code: &'static str, space: SpaceId) -> (Program, Relay) {
    let relay = Relay::start(world.coordinator_address()).await;
    let relay = relay.expect("a cable");
    world.add_node(code, code, Some(relay.address())).await;
    world.stop_hub(code).await;
    let operations = world.coordinator().operations();
    operations.grant(space, code, Access::Write).expect("in");
    (Program::hub(&world.path(code)), relay)
}

fn stage(folder: &Path, space: SpaceId) -> Stage {
    let store = Readers::open(folder.join("store.db")).expect("the store is read");
    let copies = store.copies().expect("copies").into_iter();
    let mut here = copies.filter(|(at, _)| *at == space);
    match here.next() {
        Some((_, place)) => match place.documents {
            None => Stage::Head,
            Some(documents) if documents < place.of => Stage::Documents(documents),
            Some(_) => Stage::Checking(store.unchecked_count().expect("a count")),
        },
        None if store.base_numbers(space).expect("bases").is_empty() => Stage::Nothing,
        None => Stage::Placed,
    }
}

/// Starts a hub, lets so many bytes pass, kills it, and says how far it came.
async fn killed_after(hub: &mut Program, relay: &Relay, bytes: u64, space: SpaceId) -> Stage {
    relay.cut_after(bytes);
    relay.mend();
    hub.start().await;
    let folder = hub.folder().to_owned();
    until("so much has passed, or all came", || {
        relay.is_cut() || stage(&folder, space) >= Stage::Checking(0)
    })
    .await;
    hub.kill().await;
    stage(&folder, space)
}

/// What a whole copy takes, beside all that is said to begin with.
async fn whole_copy(world: &mut World, space: SpaceId) -> u64 {
    let (mut east, relay) = newcomer(world, EAST, space).await;
    east.start().await;
    let coordinator = world.coordinator().operations().node();
    let name = space.to_string();
    equal(async || vec![east.held(&name).await, held_by(coordinator, &name)]).await;
    east.stop().await;
    relay.carried()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hub_killed_while_it_takes_a_copy_goes_on_from_there() {
    let (mut world, space) = grown().await;
    let whole = whole_copy(&mut world, space).await;
    let (mut west, relay) = newcomer(&mut world, WEST, space).await;
    let mut stages = BTreeSet::new();
    let (mut kills, mut bytes) = (0, 12_000);
    // Through the head and all documents, a bit further each time.
    let last = loop {
        let stage = killed_after(&mut west, &relay, bytes, space).await;
        stages.insert(stage);
        kills += 1;
        assert!(kills < 30, "it comes to no end: {stages:?}");
        bytes = MORE_BYTES;
        if stage >= Stage::Checking(0) {
            break stage;
        }
    };
    let named = |stage: &&Stage| matches!(stage, Stage::Head | Stage::Documents(1..));
    assert!(stages.iter().filter(named).count() > 1, "{stages:?}");
    let came = relay.carried();
    assert!(
        came < whole + kills * SESSION_BYTES && whole > MORE_BYTES * 3 / 2,
        "{came} bytes in {kills} goes, and {whole} in one: {stages:?}"
    );

    relay.mend();
    west.start().await;
    let name = space.to_string();
    let coordinator = world.coordinator().operations().node();
    equal(async || vec![west.held(&name).await, held_by(coordinator, &name)]).await;
    assert_eq!(west.notes(&name).await.len(), RECORDS);
    assert_eq!(stage(west.folder(), space), Stage::Placed);
    if last < Stage::Placed {
        // All was there, so that only checking was left.
        let rest = relay.carried() - came;
        assert!(
            rest < SESSION_BYTES.min(whole / 2),
            "{rest} bytes more, of {whole}"
        );
    }
    west.stop().await;
    println!("killed {kills} times: {stages:?}; {came} bytes, {whole} in one go");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_coordinator_killed_while_it_sends_a_copy_sends_the_rest() {
    let (mut world, space) = grown().await;
    let whole = whole_copy(&mut world, space).await;
    let (mut west, relay) = newcomer(&mut world, WEST, space).await;
    world.stop_coordinator().await;
    let mut coordinator = Program::coordinator(&world.path("coordinator"));
    coordinator.start().await;

    relay.cut_after(whole / 2);
    west.start().await;
    until("half of it has come", || relay.is_cut()).await;
    coordinator.kill().await;
    let half = stage(west.folder(), space);
    assert!(matches!(half, Stage::Documents(1..)), "{half:?}");

    coordinator.start().await;
    relay.mend();
    let name = space.to_string();
    equal(async || vec![west.held(&name).await, coordinator.held(&name).await]).await;
    assert_eq!(west.notes(&name).await.len(), RECORDS);
    assert_eq!(stage(west.folder(), space), Stage::Placed);
    let rest = relay.carried() - whole / 2;
    assert!(
        rest < whole / 2 + SESSION_BYTES,
        "{rest} bytes more, of {whole}"
    );
    west.stop().await;
    coordinator.stop().await;
    println!("killed at {half:?}: {rest} bytes more, {whole} in one go");
}
