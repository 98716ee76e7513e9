//! One end sends entries as fast as the coordinator verifies them and makes them durable.
//!
//! The sending end has signed everything before, and keeps as much in flight as the protocol
//! allows, so that only the coordinator is measured.

use std::collections::VecDeque;
use std::time::Instant;

use anyhow::{Context as _, bail, ensure};
use bytes::Bytes;
use node_feed::{FeedName, GrantId, Height, Heights, RUN_ENTRIES_MAX, SpaceId};
use proto::sync::v1::frame::Message;
use proto::sync::v1::{Acknowledged, Entries};

use crate::coordinator_process::CoordinatorProcess;
use crate::draft::{CHANGES, Draft};
use crate::figures::{Figures, per_second};
use crate::founding::{Founding, Seat, coordinator_folder};
use crate::light_peer::LightPeer;
use crate::pen::Pen;
use crate::stage::temporary;

/// Bytes that may be sent before they are acknowledged.
const WINDOW_BYTES: usize = 3 << 20;

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// How many entries are sent.
    #[arg(long, default_value_t = 20_000)]
    entries: usize,
    /// How many are signed together.
    #[arg(long, default_value_t = 1)]
    run: usize,
}

/// What is sent: frames, each with the bytes that it takes of the window.
struct Load {
    opening: Entries,
    frames: Vec<(Entries, usize)>,
    held: (FeedName, Height),
}

pub(crate) async fn measure(options: &Options) -> anyhow::Result<Figures> {
    ensure!(
        (1..RUN_ENTRIES_MAX).contains(&options.run),
        "a run has between 1 and 1023 entries"
    );
    let folder = temporary()?;
    let founding = Founding::begin(folder.path()).await?;
    let seat = founding.seat_of("sender").await?;
    let space = founding.space("Ingest")?;
    founding.grant(space, "sender")?;
    let authority = founding.authority()?;
    let grant = founding
        .node()
        .authority()
        .write_grant(seat.enrolled.hub, space);
    founding.end().await?;
    let load = sign(
        &seat,
        space,
        grant.context("the sender may not write")?,
        options,
    )?;
    let coordinator = CoordinatorProcess::start(&coordinator_folder(folder.path()))?;
    let mut peer = LightPeer::connect(&seat, coordinator.address(), &authority).await?;
    let opening = peer.say(Message::Entries(load.opening))?;
    acknowledged(&mut peer, opening).await?;

    let begun = Instant::now();
    let digest = flood(&mut peer, load.frames).await?;
    let wall = begun.elapsed();
    let held = Heights::from_iter([load.held]);
    ensure!(
        digest.as_ref() == held.digest(space).as_bytes(),
        "the coordinator holds something else than was sent"
    );
    let count = u64::try_from(options.entries)?;
    Ok(Figures::of("ingest")
        .with("entries", options.entries)
        .with("run", options.run)
        .with_walls(&[wall])
        .with_some("entries_per_s", per_second(count, wall))
        .with_some("peak_rss_kib", coordinator.peak_rss_kib()))
}

/// Sends frames as fast as they are dealt with; the digest that the coordinator says at the end.
pub(crate) async fn flood(
    peer: &mut LightPeer,
    frames: Vec<(Entries, usize)>,
) -> anyhow::Result<Bytes> {
    let mut in_flight = VecDeque::new();
    let mut bytes_in_flight = 0;
    let mut digest = Bytes::new();
    for (frame, bytes) in frames {
        while bytes_in_flight > WINDOW_BYTES {
            let said = acknowledged(peer, 0).await?;
            bytes_in_flight -= forget(&mut in_flight, said.through);
        }
        in_flight.push_back((peer.say(Message::Entries(frame))?, bytes));
        bytes_in_flight += bytes;
    }
    while !in_flight.is_empty() {
        let said = acknowledged(peer, 0).await?;
        forget(&mut in_flight, said.through);
        digest = said.digest;
    }
    Ok(digest)
}

/// Forgets the frames that were dealt with, and says how many bytes they had.
fn forget(in_flight: &mut VecDeque<(u64, usize)>, through: u64) -> usize {
    let mut bytes = 0;
    while let Some((_, freed)) = in_flight.pop_front_if(|(number, _)| *number <= through) {
        bytes += freed;
    }
    bytes
}

/// Waits for an acknowledgement of frame `number` or a later one.
pub(crate) async fn acknowledged(
    peer: &mut LightPeer,
    number: u64,
) -> anyhow::Result<Acknowledged> {
    loop {
        match peer.next().await? {
            Message::Acknowledged(said) if said.through >= number => return Ok(said),
            Message::Refused(refused) => bail!("the coordinator refuses: {}", refused.text),
            Message::Goodbye(farewell) => bail!("the coordinator leaves: {}", farewell.text),
            Message::Hello(_)
            | Message::Spaces(_)
            | Message::Heights(_)
            | Message::Entries(_)
            | Message::Acknowledged(_)
            | Message::Receipts(_)
            | Message::Probe(_)
            | Message::Common(_)
            | Message::ReceiptsHeld(_)
            | Message::CopyOffer(_)
            | Message::Copy(_) => {}
        }
    }
}

fn sign(seat: &Seat, space: SpaceId, grant: GrantId, options: &Options) -> anyhow::Result<Load> {
    let (mut pen, opening) = Pen::new(seat, space, grant)?;
    let mut written = Vec::with_capacity(options.entries);
    while written.len() < options.entries {
        let mut draft = Draft::new(pen.author());
        for _ in 0..CHANGES.min(options.entries - written.len()) {
            written.push(draft.next()?);
        }
    }
    let mut frames = Vec::new();
    for together in written.chunks(options.run) {
        let frame = pen.sign(together.to_vec())?;
        let bytes = frame.unpacked_length as usize;
        frames.push((frame, bytes));
    }
    Ok(Load {
        opening,
        frames,
        held: pen.held(),
    })
}
