//! Sessions of a coordinator with hubs, with a frame of each kind in them.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result, ensure};
use data_encoding::HEXLOWER;
use node::{Node, TappedFrame};
use node_feed::{Access, SpaceId};
use prost::Message as _;
use proto::sync::v1::Frame;
use proto::sync::v1::frame::Message;
use rusqlite::Connection;
use serde_json::{Value, json};
use tests::bare_peer::Seat;
use tests::folders::{copy, put_back};
use tests::release::{RecordedSession, Release, SaidFrame, Sessions};
use tests::world::{World, until};
use tokio::sync::mpsc::UnboundedReceiver;

use crate::network::{edit, practice};

const SOUTH: &str = "south-yorkshire";
const WEST: &str = "west-yorkshire";
const EAST: &str = "east-riding";
const STRANGER: &str = "north-yorkshire";
/// How many kinds of frame there are.
const KINDS: usize = 13;

/// Plays sessions and keeps what was said.
pub(crate) async fn record(release: &Release) -> Result<()> {
    let mut world = World::new().await;
    let coordinator = world.coordinator().operations().node().clone();
    let tap = coordinator.tap_frames().context("nobody listens yet")?;
    for hub in [SOUTH, WEST] {
        world.add_hub(hub).await;
    }
    let (space, _) = world.project("NCP24-11", &[SOUTH, WEST]).await;
    let id = grown(&world, space).await?;
    apart(&mut world, space, &id).await?;
    forked(&mut world, space).await?;
    // Whoever joins now takes a first copy.
    world.add_hub(EAST).await;
    let operations = world.coordinator().operations();
    operations.grant(space, EAST, Access::Read)?;
    world.agree(space).await;
    refused(&world, &coordinator).await?;
    drop(coordinator);
    let later = forgotten(&mut world).await?;
    world.agree(space).await;
    let coordinator = world.coordinator().operations().node().clone();
    let network = coordinator.network().context("a network")?;
    let mut heights = BTreeMap::new();
    let log = SpaceId::authority(network);
    let spaces = coordinator.spaces()?.into_iter().map(|it| it.id);
    for hub in [SOUTH, WEST, EAST] {
        world.stop_hub(hub).await;
    }
    for space in spaces.chain([log]) {
        let held = coordinator.heights(space)?.encode();
        heights.insert(space.to_string(), HEXLOWER.encode(&held));
    }
    let recorded = Sessions {
        network: network.to_string(),
        coordinator: coordinator.id().to_string(),
        sessions: sessions([tap, later])?,
        heights,
    };
    drop(coordinator);
    world.stop_coordinator().await;
    recorded.write(&release.sessions())
}

fn body(text: &str) -> Value {
    json!({ "body": text })
}

/// Enough for a checkpoint and a first copy.
async fn grown(world: &World, space: SpaceId) -> Result<String> {
    let south = world.hub(SOUTH);
    let made = (0..8).map(|number| practice(south, space, &format!("Practice {number}")));
    let ids = made.collect::<Result<Vec<_>>>()?;
    for round in 0..14 {
        for id in &ids {
            edit(
                south,
                id,
                &body(&format!("We met {round} times. It helps.")),
            )?;
        }
    }
    ensure!(south.write_checkpoint(space)?.is_some(), "no checkpoint");
    edit(world.hub(SOUTH), &ids[0], &body("After the checkpoint."))?;
    world.agree(space).await;
    ids.into_iter().next().context("a record")
}

/// A session in which nothing is new, and one after both wrote apart.
async fn apart(world: &mut World, space: SpaceId, id: &str) -> Result<()> {
    world.stop_hub(SOUTH).await;
    world.start_hub(SOUTH);
    let connected = |world: &World| !world.hub(SOUTH).peers_connected().is_empty();
    until("it is connected again", || connected(world)).await;
    world.hub(SOUTH).pause(true);
    until("the cable is out", || !connected(world)).await;
    edit(world.hub(SOUTH), id, &body("Written apart by the hub."))?;
    let coordinator = world.coordinator().operations().node();
    edit(coordinator, id, &body("Written apart by NCETM."))?;
    world.hub(SOUTH).pause(false);
    world.agree(space).await;
    Ok(())
}

/// A hub goes on from an older copy of its folder, so that both ends look for where its feed parts.
async fn forked(world: &mut World, space: SpaceId) -> Result<()> {
    let (folder, aside) = (world.path(WEST), world.path("west-aside"));
    practice(world.hub(WEST), space, "Before it parts")?;
    world.agree(space).await;
    world.stop_hub(WEST).await;
    copy(&folder, &aside)?;
    world.start_hub(WEST);
    practice(world.hub(WEST), space, "On one branch")?;
    world.agree(space).await;
    world.stop_hub(WEST).await;
    put_back(&aside, &folder)?;
    let apart = world.open(&folder);
    practice(&apart, space, "On the other branch")?;
    drop(apart);
    // With what it last knew of the coordinator it would send that at once, and nobody had to look.
    let store = Connection::open(folder.join("store.db"))?;
    store.execute_batch("DELETE FROM peer_heights; DELETE FROM peers")?;
    drop(store);
    world.start_hub(WEST);
    world.agree(space).await;
    Ok(())
}

/// A hub without a grant writes all the same, and then says what cannot be read.
async fn refused(world: &World, coordinator: &Node) -> Result<()> {
    let seat = Seat::take(world.invite(STRANGER)).await?;
    let (space, _) = world.project("NCP24-99", &[]).await;
    let operations = world.coordinator().operations();
    operations.grant(space, STRANGER, Access::Write)?;
    let grant = coordinator.authority().write_grant(seat.hub(), space);
    let (_, open) = seat.feed(space, grant.context("a grant")?)?;
    operations.withdraw(space, STRANGER, "it was a mistake")?;
    let log = SpaceId::authority(seat.network());
    let mut peer = seat.open(&coordinator.heights(log)?).await?;
    peer.refused(space, &open).await?;
    peer.send_malformed()?;
    peer.farewell().await?;
    Ok(())
}

/// The coordinator forgets what it last knew of the hubs, who remember it.
async fn forgotten(world: &mut World) -> Result<UnboundedReceiver<TappedFrame>> {
    for hub in [SOUTH, WEST, EAST] {
        world.hub(hub).pause(true);
    }
    world.stop_coordinator().await;
    let store = Connection::open(world.path("coordinator").join("store.db"))?;
    store.execute_batch("DELETE FROM peer_heights; DELETE FROM peers")?;
    drop(store);
    world.start_coordinator().await;
    let coordinator = world.coordinator().operations().node();
    let tap = coordinator.tap_frames().context("nobody listens yet")?;
    for hub in [SOUTH, WEST, EAST] {
        world.hub(hub).pause(false);
    }
    until("all are connected again", || {
        coordinator.peers_connected().len() >= 3
    })
    .await;
    Ok(tap)
}

/// What was overheard, session by session.
fn sessions(taps: [UnboundedReceiver<TappedFrame>; 2]) -> Result<Vec<RecordedSession>> {
    let mut sessions = BTreeMap::<(usize, u64), RecordedSession>::new();
    let mut kinds = BTreeSet::new();
    let overheard = taps.into_iter().enumerate();
    let overheard = overheard.flat_map(|(life, mut tap)| {
        std::iter::from_fn(move || tap.try_recv().ok().map(|tapped| (life, tapped)))
    });
    for (life, tapped) in overheard {
        let message = Frame::decode(tapped.bytes.clone())?.message;
        kinds.insert(name(&message.context("a kind that is known")?));
        let session = sessions.entry((life, tapped.session));
        let session = session.or_insert_with(|| RecordedSession {
            exporter: HEXLOWER.encode(&tapped.exporter),
            frames: Vec::new(),
        });
        session.frames.push(SaidFrame {
            said: tapped.said,
            frame: HEXLOWER.encode(&tapped.bytes),
        });
    }
    ensure!(
        kinds.len() == KINDS,
        "only frames of these kinds: {kinds:?}"
    );
    let frames = sessions.values().map(|it| it.frames.len());
    println!(
        "{} sessions with {} frames of {} kinds",
        sessions.len(),
        frames.sum::<usize>(),
        kinds.len()
    );
    Ok(sessions.into_values().collect())
}

const fn name(message: &Message) -> &'static str {
    match message {
        Message::Hello(_) => "hello",
        Message::Spaces(_) => "spaces",
        Message::Heights(_) => "heights",
        Message::Entries(_) => "entries",
        Message::Acknowledged(_) => "acknowledged",
        Message::Refused(_) => "refused",
        Message::Receipts(_) => "receipts",
        Message::Probe(_) => "probe",
        Message::Common(_) => "common",
        Message::Goodbye(_) => "goodbye",
        Message::ReceiptsHeld(_) => "receipts held",
        Message::Copy(_) => "copy",
        Message::CopyOffer(_) => "copy offer",
    }
}
