//! A store that holds much is opened: how soon it can sync, and what memory it takes when idle.

use std::time::{Duration, Instant};

use anyhow::ensure;
use node::Node;

use crate::coordinator_process::CoordinatorProcess;
use crate::draft::CHANGES;
use crate::figures::{Figures, milliseconds, percentile};
use crate::founding::{in_sync, is_free, point_at};
use crate::long;
use crate::stage::Stage;

/// How long the coordinator is left alone before its memory is read.
const IDLE: Duration = Duration::from_secs(5);

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// How many documents of fifty entries both ends hold.
    #[arg(long, default_value_t = 20_000)]
    documents: usize,
    /// How many times the hub's node is opened.
    #[arg(long, default_value_t = 5)]
    runs: usize,
    /// Instead, one document with so many changes is opened.
    #[arg(long)]
    changes: Option<usize>,
}

pub(crate) async fn measure(options: &Options) -> anyhow::Result<Figures> {
    ensure!(options.runs > 0, "at least one run is needed");
    if let Some(changes) = options.changes {
        return long::measure(changes, options.runs).await;
    }
    let stage = Stage::with(options.documents, 1).await?;
    let coordinator = CoordinatorProcess::start(&stage.coordinator())?;
    point_at(&stage.hub(), coordinator.address()).await?;
    let mut opened = Vec::new();
    for _ in 0..options.runs {
        let begun = Instant::now();
        let hub = Node::open(&stage.hub())?;
        // The engine with all that is held is made before this returns.
        let running = hub.start();
        opened.push(begun.elapsed());
        in_sync(&hub).await?;
        running.stop(Duration::from_secs(5)).await;
        drop(hub);
        is_free(&stage.hub()).await?;
    }
    tokio::time::sleep(IDLE).await;
    Ok(Figures::of("open")
        .with("documents", options.documents)
        .with("entries", options.documents * CHANGES)
        .with_walls(&opened)
        .with_some("open_ms", percentile(&opened, 50).map(milliseconds))
        .with_some("idle_rss_kib", coordinator.rss_kib())
        .with_some("peak_rss_kib", coordinator.peak_rss_kib()))
}
