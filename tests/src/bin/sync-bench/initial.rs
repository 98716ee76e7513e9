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
    checked: Duration,
    peak_rss_kib: Option<u64>,
}

pub(crate) async fn measure(options: &Options) -> anyhow::Result<Figures> {
    ensure!(options.runs > 0, "at least one run is needed");
    let mut runs = Vec::new();
    for _ in 0..options.runs {
        runs.push(take(options.documents).await?);
    }
    let median = |of: fn(&Run) -> Duration| {
        let all = runs.iter().map(of).collect::<Vec<_>>();
        percentile(&all, 50).map(milliseconds)
    };
    let costs = runs.iter().map(|run| run.cost).collect::<Vec<_>>();
    let peaks = runs.iter().filter_map(|run| run.peak_rss_kib);
    Ok(Figures::of("initial")
        .with("documents", options.documents)
        .with("start", "cold")
        .with_sessions(&costs)
        .with_some("durable_ms", median(|run| run.durable))
        .with_some("checked_ms", median(|run| run.checked))
        .with_some("peak_rss_kib", peaks.max()))
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
    let noticed = Instant::now();
    // What came as a copy is checked by now; what came as entries is not yet made documents of.
    let reader = joiner.clone();
    tokio::task::spawn_blocking(move || reader.catch_up()).await??;
    let left = joiner.unchecked_documents()?;
    ensure!(left == 0, "{left} documents were not checked");
    let checked = cost.wall + noticed.elapsed();
    // Entries are durable when both ends are equal; a copy is before, while it is checked.
    let earlier = durable.map_or(Duration::ZERO, |durable| noticed.duration_since(durable));
    let durable = cost.wall.saturating_sub(earlier);
    let peak_rss_kib = coordinator.peak_rss_kib();
    running.stop(Duration::from_secs(5)).await;
    Ok(Run {
        cost,
        durable,
        checked,
        peak_rss_kib,
    })
}

/// What the hub that wrote the documents holds.
fn held(stage: &Stage, space: SpaceId) -> anyhow::Result<Heights> {
    Ok(Node::open(&stage.hub())?.heights(space)?)
}
