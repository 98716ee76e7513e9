//! One more change of a document with a long history is relayed: what that costs the coordinator,
//! apart from applying it.

use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use proto::sync::v1::Entries;
use proto::sync::v1::frame::Message;

use crate::coordinator_process::CoordinatorProcess;
use crate::crowd::take;
use crate::draft::Draft;
use crate::figures::{Figures, milliseconds, percentile};
use crate::founding::{Founding, coordinator_folder};
use crate::ingest::{acknowledged, flood};
use crate::light_peer::LightPeer;
use crate::pen::Pen;
use crate::stage::temporary;

/// How many changes of the history are signed together.
const TOGETHER: usize = 500;
/// The thread that applies, as the system names it.
const APPLIER: &str = "causeway-apply";
/// The history counts as applied once its thread has done nothing for this long.
const QUIET: Duration = Duration::from_secs(3);

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// How many changes the document has before.
    #[arg(long, default_value_t = 100_000)]
    history: usize,
    /// How many more are relayed, one by one.
    #[arg(long, default_value_t = 200)]
    edits: usize,
    /// How many a second; 0 makes it as many as it goes.
    #[arg(long, default_value_t = 20)]
    rate: u32,
}

pub(crate) async fn measure(options: &Options) -> anyhow::Result<Figures> {
    ensure!(options.edits > 0, "an edit at least is needed");
    let folder = temporary()?;
    let founding = Founding::begin(folder.path()).await?;
    let space = founding.space("Relay")?;
    let (writer, reader) = (
        founding.seat_of("writer").await?,
        founding.seat_of("reader").await?,
    );
    founding.grant(space, "writer")?;
    founding.grant(space, "reader")?;
    let authority = founding.authority()?;
    let grants = founding.node().authority();
    let grant = grants
        .write_grant(writer.enrolled.hub, space)
        .context("the writer may not write")?;
    founding.end().await?;

    let (mut pen, opening) = Pen::new(&writer, space, grant)?;
    let mut draft = Draft::new(pen.author());
    let mut frames = Vec::new();
    for begun in (0..options.history).step_by(TOGETHER) {
        let count = TOGETHER.min(options.history - begun);
        let written = (0..count).map(|_| draft.next());
        let frame = pen.sign(written.collect::<anyhow::Result<_>>()?)?;
        let bytes = frame.unpacked_length as usize;
        frames.push((frame, bytes));
    }
    let edits = (0..options.edits).map(|_| pen.sign(vec![draft.next()?]));
    let edits = edits.collect::<anyhow::Result<Vec<_>>>()?;

    let coordinator = CoordinatorProcess::start(&coordinator_folder(folder.path()))?;
    let mut sender = LightPeer::connect(&writer, coordinator.address(), &authority).await?;
    let opened = sender.say(Message::Entries(opening))?;
    acknowledged(&mut sender, opened).await?;
    flood(&mut sender, frames).await?;
    let mut receiver = LightPeer::connect(&reader, coordinator.address(), &authority).await?;
    take(&mut receiver, options.history + 1).await?;
    applied(&coordinator).await?;

    let before = coordinator.cpu()?;
    let begun = Instant::now();
    let mut delays = Vec::new();
    if options.rate == 0 {
        let edits = edits.into_iter().map(|edit| {
            let bytes = edit.unpacked_length as usize;
            (edit, bytes)
        });
        let (sent, received) = tokio::join!(
            flood(&mut sender, edits.collect()),
            take(&mut receiver, options.edits)
        );
        sent?;
        received?;
    } else {
        delays = pace(&mut sender, &mut receiver, edits, options.rate).await?;
    }
    let wall = begun.elapsed();
    let after = coordinator.cpu()?;
    let each = |cpu: Duration| {
        let micros = cpu.as_secs_f64() * 1_000_000.0;
        (micros / options.edits as f64 * 10.0).round() / 10.0
    };
    Ok(Figures::of("relay")
        .with("history", options.history)
        .with("edits", options.edits)
        .with("rate", options.rate)
        .with_walls(&[wall])
        .with_some("p50_ms", percentile(&delays, 50).map(milliseconds))
        .with_some("p99_ms", percentile(&delays, 99).map(milliseconds))
        .with("relay_cpu_us", each(after.since(&before, APPLIER, false)))
        .with("apply_cpu_us", each(after.since(&before, APPLIER, true)))
        .with_some("peak_rss_kib", coordinator.peak_rss_kib()))
}

/// Relays one by one, and says how long each took.
async fn pace(
    sender: &mut LightPeer,
    receiver: &mut LightPeer,
    edits: Vec<Entries>,
    rate: u32,
) -> anyhow::Result<Vec<Duration>> {
    let begun = Instant::now();
    let mut delays = Vec::with_capacity(edits.len());
    for (number, edit) in edits.into_iter().enumerate() {
        let due = Duration::from_secs(number as u64) / rate;
        tokio::time::sleep(due.saturating_sub(begun.elapsed())).await;
        let sent = Instant::now();
        let frame = sender.say(Message::Entries(edit))?;
        take(receiver, 1).await?;
        delays.push(sent.elapsed());
        acknowledged(sender, frame).await?;
    }
    Ok(delays)
}

/// Waits until the coordinator has applied what it holds.
async fn applied(coordinator: &CoordinatorProcess) -> anyhow::Result<()> {
    let mut last = coordinator.cpu()?;
    loop {
        tokio::time::sleep(QUIET).await;
        let now = coordinator.cpu()?;
        if now.since(&last, APPLIER, true) < QUIET / 100 {
            return Ok(());
        }
        last = now;
    }
}
