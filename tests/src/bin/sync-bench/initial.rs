//! A hub that holds nothing yet takes its first copy from the coordinator.

use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use node::{Node, SessionCost};
use node_feed::{Heights, SpaceId};

use crate::coordinator_process::CoordinatorProcess;
use crate::figures::{Figures, milliseconds, percentile};
use crate::founding::{in_sync, point_at, wait_for};
use crate::stage::Stage;

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// How many documents there are.
    #[arg(long, default_value_t = 1_000)]
    documents: usize,
    /// How many times a new hub takes them.
    #[arg(long, default_value_t = 1)]
    runs: usize,
}

struct Run {
    cost: SessionCost,
    durable: Duration,
    peak_rss_kib: Option<u64>,
}

pub(crate) async fn measure(options: &Options) -> anyhow::Result<Figures> {
    ensure!(options.runs > 0, "at least one run is needed");
    let mut runs = Vec::new();
    for _ in 0..options.runs {
        runs.push(take(options.documents).await?);
    }
    let walls = runs.iter().map(|run| run.cost.wall).collect::<Vec<_>>();
    let durable = runs.iter().map(|run| run.durable).collect::<Vec<_>>();
    let handshakes = runs
        .iter()
        .map(|run| run.cost.handshake)
        .collect::<Vec<_>>();
    let most = |figure: fn(&Run) -> u64| runs.iter().map(figure).max();
    Ok(Figures::of("initial")
        .with("documents", options.documents)
        .with("start", "cold")
        .with_walls(&walls)
        .with_some("durable_ms", percentile(&durable, 50).map(milliseconds))
        .with_some("checked_ms", percentile(&walls, 50).map(milliseconds))
        .with_some(
            "handshake_ms",
            percentile(&handshakes, 50).map(milliseconds),
        )
        .with_some("message_bytes", most(|run| run.cost.message_bytes))
        .with_some("bytes_sent", most(|run| run.cost.bytes_sent))
        .with_some("bytes_received", most(|run| run.cost.bytes_received))
        .with_some("round_trips", most(|run| run.cost.round_trips.into()))
        .with_some(
            "peak_rss_kib",
            runs.iter().filter_map(|run| run.peak_rss_kib).max(),
        ))
}

async fn take(documents: usize) -> anyhow::Result<Run> {
    let stage = Stage::with(documents, 1).await?;
    let space = stage
        .saved()?
        .first()
        .context("there is no document")?
        .space;
    let expected = held(&stage, space)?;
    let coordinator = CoordinatorProcess::start(&stage.coordinator())?;
    point_at(&stage.joiner(), coordinator.address()).await?;
    let joiner = Node::open(&stage.joiner())?;
    let running = joiner.start();
    let mut durable = None;
    wait_for("the first copy", || {
        let is_here = joiner.copied_documents().is_some_and(|it| it.here == it.of);
        if is_here && durable.is_none() {
            durable = Some(Instant::now());
        }
        // Before the first news of access arrives, both ends share nothing and are equal.
        Ok(joiner.heights(space)? == expected)
    })
    .await?;
    in_sync(&joiner).await?;
    let cost = joiner
        .session_cost()
        .context("the session left no figures")?;
    // Both ends are equal once all documents were checked. They were durable before.
    let earlier = durable.map_or(Duration::ZERO, |durable| durable.elapsed());
    let durable = cost.wall.saturating_sub(earlier);
    let peak_rss_kib = coordinator.peak_rss_kib();
    running.stop(Duration::from_secs(5)).await;
    Ok(Run {
        cost,
        durable,
        peak_rss_kib,
    })
}

/// What the hub that wrote the documents holds.
fn held(stage: &Stage, space: SpaceId) -> anyhow::Result<Heights> {
    Ok(Node::open(&stage.hub())?.heights(space)?)
}
