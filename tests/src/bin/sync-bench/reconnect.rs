//! A hub that was in sync with the coordinator connects again: nothing changed, or a few documents
//! did at the hub.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use node::{Node, SessionCost};

use crate::coordinator_process::CoordinatorProcess;
use crate::draft::Draft;
use crate::figures::Figures;
use crate::founding::{in_sync, is_free, point_at};
use crate::stage::{Saved, Stage};

/// How many new changes a changed document has.
pub(crate) const NEW_CHANGES: usize = 5;

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// How many documents both ends hold.
    #[arg(long, default_value_t = 500)]
    documents: usize,
    /// How many of them have five new changes at the hub.
    #[arg(long, default_value_t = 0)]
    changed: usize,
    /// Over how many spaces they are spread.
    #[arg(long, default_value_t = 1)]
    spaces: usize,
    /// How many times the hub connects.
    #[arg(long, default_value_t = 5)]
    runs: usize,
}

pub(crate) async fn measure(options: &Options) -> anyhow::Result<Figures> {
    ensure!(options.runs > 0, "at least one run is needed");
    ensure!(
        options.changed <= options.documents,
        "more documents changed than there are"
    );
    let stage = Stage::with(options.documents, options.spaces).await?;
    let coordinator = CoordinatorProcess::start(&stage.coordinator())?;
    point_at(&stage.hub(), coordinator.address()).await?;
    let mut changed = pick(stage.saved()?, options.changed);
    // The coordinator's process is new, and so is the key that it shows.
    connect(&stage, &mut []).await?;
    let mut costs = Vec::new();
    for _ in 0..options.runs {
        costs.push(connect(&stage, &mut changed).await?);
    }
    Ok(Figures::of("reconnect")
        .with("documents", options.documents)
        .with("changed", options.changed)
        .with("spaces", options.spaces)
        .with("start", "warm")
        .with_sessions(&costs)
        .with_some("peak_rss_kib", coordinator.peak_rss_kib()))
}

/// Documents spread over all of them, and so over all spaces.
pub(crate) fn pick<T>(saved: Vec<T>, count: usize) -> Vec<T> {
    let step = saved.len() / count.max(1);
    saved.into_iter().step_by(step.max(1)).take(count).collect()
}

/// Writes what is new while nobody is connected, connects, and says what that cost.
pub(crate) async fn connect(stage: &Stage, changed: &mut [Saved]) -> anyhow::Result<SessionCost> {
    let hub = Node::open(&stage.hub())?;
    for saved in changed {
        write(&hub, saved)?;
    }
    let writer = hub.clone();
    tokio::task::spawn_blocking(move || writer.catch_up()).await??;
    let running = hub.start();
    in_sync(&hub).await?;
    let cost = hub.session_cost().context("the session left no figures")?;
    // Both sign for what they hold, and remember it: the next connection finds nothing new.
    tokio::time::sleep(Duration::from_millis(
        2 * hub.config().sync.receipt_interval_ms,
    ))
    .await;
    running.stop(Duration::from_secs(5)).await;
    drop(hub);
    is_free(&stage.hub()).await?;
    Ok(cost)
}

fn write(hub: &Node, saved: &mut Saved) -> anyhow::Result<()> {
    let mut draft = Draft::load(&saved.draft, &hub.author(saved.space)?)?;
    for _ in 0..NEW_CHANGES {
        hub.write(saved.space, draft.next()?)?;
    }
    saved.draft = draft.save();
    Ok(())
}
