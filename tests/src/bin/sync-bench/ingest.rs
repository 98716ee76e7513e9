//! One end sends entries as fast as the coordinator verifies them and makes them durable.
//!
//! The sending end has signed everything before, and keeps as much in flight as the protocol
//! allows, so that only the coordinator is measured.

use std::collections::VecDeque;
use std::time::Instant;

use anyhow::{Context as _, bail, ensure};
use node::clock::now_ms;
use node_document::Author;
use node_feed::{
    Entry, GrantId, Height, Kind, NodeOpen, Nonce, RUN_ENTRIES_MAX, Run, SecretKey, SpaceId,
    Subject,
};
use proto::sync::v1::Entries;
use proto::sync::v1::frame::Message;

use crate::coordinator_process::CoordinatorProcess;
use crate::draft::{CHANGES, Draft};
use crate::figures::{Figures, per_second};
use crate::founding::{Founding, Seat, coordinator_folder};
use crate::light_peer::{LightPeer, entries};
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
    last: Height,
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
    let mut in_flight = VecDeque::new();
    let mut bytes_in_flight = 0;
    let mut last = None;
    for (frame, bytes) in load.frames {
        while bytes_in_flight > WINDOW_BYTES {
            let (through, held) = acknowledged(&mut peer, 0).await?;
            last = held;
            while in_flight
                .front()
                .is_some_and(|(number, _)| *number <= through)
            {
                bytes_in_flight -= in_flight.pop_front().map_or(0, |(_, bytes)| bytes);
            }
        }
        in_flight.push_back((peer.say(Message::Entries(frame))?, bytes));
        bytes_in_flight += bytes;
    }
    while last != Some(load.last) {
        last = acknowledged(&mut peer, 0).await?.1;
    }
    let wall = begun.elapsed();
    let count = u64::try_from(options.entries)?;
    Ok(Figures::of("ingest")
        .with("entries", options.entries)
        .with("run", options.run)
        .with_walls(&[wall])
        .with_some("entries_per_s", per_second(count, wall))
        .with_some("peak_rss_kib", coordinator.peak_rss_kib()))
}

/// Waits for an acknowledgement of frame `number` or a later one: what was dealt with, and where
/// the coordinator's copy of the feed stands.
async fn acknowledged(peer: &mut LightPeer, number: u64) -> anyhow::Result<(u64, Option<Height>)> {
    loop {
        match peer.next().await? {
            Message::Acknowledged(said) if said.through >= number => {
                let height = said.heights.first().map(|said| {
                    let hash = node_feed::Hash::try_from(said.hash.as_ref())?;
                    anyhow::Ok(Height {
                        number: said.number,
                        hash,
                    })
                });
                return Ok((said.through, height.transpose()?));
            }
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
            | Message::ReceiptsHeld(_) => {}
        }
    }
}

fn sign(seat: &Seat, space: SpaceId, grant: GrantId, options: &Options) -> anyhow::Result<Load> {
    let key = SecretKey::from_seed(&node::random());
    let (network, hub) = (seat.enrolled.network, seat.enrolled.hub);
    let random = || Nonce(node::random());
    let writer = key.public();
    let open = NodeOpen::sign(
        network,
        space,
        &writer,
        &seat.identity,
        (hub, grant),
        Vec::new(),
        random(),
    );
    let payload = open.encode()?;
    let open = Entry {
        time_ms: now_ms(),
        kind: Kind::OPEN,
        subject: Subject::NONE,
        payload,
    };
    let opening = Run::sign(network, space, &key, None, vec![open])?;
    let author = Author {
        writer: *writer.as_bytes(),
        hub,
        nonce: random(),
    };
    let mut written = Vec::with_capacity(options.entries);
    while written.len() < options.entries {
        let mut draft = Draft::new(&author);
        for _ in 0..CHANGES.min(options.entries - written.len()) {
            written.push(draft.next()?);
        }
    }
    let mut last = opening.last();
    let mut frames = Vec::new();
    for together in written.chunks(options.run) {
        let run = Run::sign(network, space, &key, Some(last), together.to_vec())?;
        last = run.last();
        let frame = entries(space, run.as_run())?;
        let bytes = frame.unpacked_length as usize;
        frames.push((frame, bytes));
    }
    Ok(Load {
        opening: entries(space, opening.as_run())?,
        frames,
        last,
    })
}
