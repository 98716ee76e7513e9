//! One hub edits one document; others receive every edit through the coordinator.

use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use node::Node;
use node_feed::{RUN_ENTRIES_MAX, SpaceId};

use crate::coordinator_process::CoordinatorProcess;
use crate::crowd::{Invited, Receivers, Times};
use crate::draft::Draft;
use crate::figures::{Figures, milliseconds, per_second, percentile};
use crate::founding::{Founding, coordinator_folder, is_admitted, point_at};
use crate::stage::temporary;

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// How many hubs receive.
    #[arg(long, default_value_t = 40)]
    readers: usize,
    /// How many edits are made.
    #[arg(long, default_value_t = 200)]
    edits: usize,
    /// How many edits are made a second; 0 makes them as fast as it goes.
    #[arg(long, default_value_t = 20)]
    rate: u32,
    /// How many edits are signed and stored together.
    #[arg(long, default_value_t = 1)]
    run: usize,
    /// What receivers do with what they receive.
    #[arg(long, value_enum, default_value = "store")]
    receivers: Receivers,
}

pub(crate) async fn measure(options: &Options) -> anyhow::Result<Figures> {
    ensure!(
        options.readers > 0 && options.edits > 0,
        "a reader and an edit at least are needed"
    );
    ensure!(
        (1..RUN_ENTRIES_MAX).contains(&options.run),
        "a run has between 1 and 1023 entries"
    );
    let folder = temporary()?;
    let founding = Founding::begin(folder.path()).await?;
    let space = founding.space("Fan-out")?;
    let writer = founding.node_of("writer").await?;
    founding.grant(space, "writer")?;
    let readers = Invited::invite(&founding, space, options.readers, options.receivers).await?;
    let authority = founding.authority()?;
    founding.end().await?;

    let coordinator = CoordinatorProcess::start(&coordinator_folder(folder.path()))?;
    let writer = reopen(writer, &coordinator).await?;
    let running = writer.start();
    is_admitted(&writer, &[space]).await?;
    let mut draft = Draft::new(&writer.author(space)?);
    writer.write(space, draft.next()?)?;
    let crowd = readers
        .gather(&coordinator, &authority, &writer, space)
        .await?;
    // What signing for the first entry brings passes.
    let receipts = Duration::from_millis(writer.config().sync.receipt_interval_ms);
    tokio::time::sleep(receipts * 2).await;

    let following = crowd.follow(options.edits);
    let pace = Pace {
        edits: options.edits,
        rate: options.rate,
        run: options.run,
    };
    let hub = writer.clone();
    let commits = tokio::task::spawn_blocking(move || pace.write(&hub, space, draft)).await??;
    let times = following
        .join_all()
        .await
        .into_iter()
        .collect::<anyhow::Result<Vec<_>>>()?;
    let peak_rss_kib = coordinator.peak_rss_kib();
    running.stop(Duration::from_secs(5)).await;
    summary(options, &commits, &times, peak_rss_kib)
}

async fn reopen(node: Node, coordinator: &CoordinatorProcess) -> anyhow::Result<Node> {
    let folder = node.folder().to_owned();
    drop(node);
    point_at(&folder, coordinator.address()).await?;
    Ok(Node::open(&folder)?)
}

/// When edits were made.
#[derive(Default)]
struct Commits {
    begun: Vec<Instant>,
    /// At the writer.
    durable: Vec<Instant>,
}

/// How edits are made.
struct Pace {
    edits: usize,
    rate: u32,
    run: usize,
}

impl Pace {
    /// Makes them, and says when each was begun, and when it was durable at the writer.
    fn write(&self, hub: &Node, space: SpaceId, mut draft: Draft) -> anyhow::Result<Commits> {
        // Automerge's part is done before: what is measured begins with signing.
        let edits = (0..self.edits).map(|_| draft.next());
        let mut edits = edits.collect::<anyhow::Result<Vec<_>>>()?.into_iter();
        let start = Instant::now();
        let mut commits = Commits::default();
        while commits.durable.len() < self.edits {
            let done = commits.durable.len();
            let together = done + self.run.min(self.edits - done);
            if self.rate > 0 {
                let due = Duration::from_secs(done as u64) / self.rate;
                std::thread::sleep(due.saturating_sub(start.elapsed()));
            }
            commits.begun.resize(together, Instant::now());
            hub.write_all(space, edits.by_ref().take(together - done).collect())?;
            commits.durable.resize(together, Instant::now());
        }
        Ok(commits)
    }
}

fn summary(
    options: &Options,
    commits: &Commits,
    times: &[Times],
    peak_rss_kib: Option<u64>,
) -> anyhow::Result<Figures> {
    let stores = options.receivers == Receivers::Store;
    let received = delays(&commits.durable, times, |times| &times.received)?;
    let (mut durable, mut whole) = (Vec::new(), Vec::new());
    if stores {
        durable = delays(&commits.durable, times, |times| &times.durable)?;
        whole = delays(&commits.begun, times, |times| &times.durable)?;
    }
    let first = commits.durable.first().context("nothing was written")?;
    let last = times
        .iter()
        .filter_map(|times| times.durable.last().max(times.received.last()));
    let last = last.max().context("nothing was received")?;
    let wall = last.duration_since(*first);
    Ok(Figures::of("fanout")
        .with("readers", options.readers)
        .with("edits", options.edits)
        .with("run", options.run)
        .with("rate", options.rate)
        .with("receivers", if stores { "store" } else { "count" })
        .with_walls(&[wall])
        .with_some("entries_per_s", per_second(options.edits as u64, wall))
        .with_some("p50_ms", percentile(&received, 50).map(milliseconds))
        .with_some("p99_ms", percentile(&received, 99).map(milliseconds))
        .with_some(
            "all_durable_p50_ms",
            percentile(&durable, 50).map(milliseconds),
        )
        .with_some("whole_p50_ms", percentile(&whole, 50).map(milliseconds))
        .with_some("whole_p99_ms", percentile(&whole, 99).map(milliseconds))
        .with_some("peak_rss_kib", peak_rss_kib))
}

/// How long each edit took from one of its times until the last receiver had it.
fn delays(
    since: &[Instant],
    times: &[Times],
    of: impl Fn(&Times) -> &Vec<Instant>,
) -> anyhow::Result<Vec<Duration>> {
    let mut delays = Vec::with_capacity(since.len());
    for (number, since) in since.iter().enumerate() {
        let mut last = *since;
        for times in times {
            last = last.max(*of(times).get(number).context("an edit was not received")?);
        }
        delays.push(last.duration_since(*since));
    }
    Ok(delays)
}
