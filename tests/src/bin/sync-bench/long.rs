//! A document with a long history is made of its entries once, and opened from its saved state: how
//! long that takes, and how much memory.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use node::Node;
use node_feed::{Hash, SpaceId};
use serde_json::{Value, json};

use crate::coordinator_process::peak_rss_kib;
use crate::draft::Draft;
use crate::figures::{Figures, milliseconds, percentile};
use crate::founding::{Founding, is_admitted, is_free, node_folder};
use crate::stage::temporary;

const HUB: &str = "hub";
/// How many changes are signed together.
const TOGETHER: usize = 500;

pub(crate) async fn measure(changes: usize, runs: usize) -> anyhow::Result<Figures> {
    let folder = temporary()?;
    let hub = node_folder(folder.path(), HUB);
    let space = write(folder.path(), changes).await?;
    // What the hub saved while it wrote.
    std::fs::remove_file(hub.join("projections.db"))?;
    let made = look(&hub, space)?;
    let mut opened = Vec::new();
    for _ in 0..runs {
        let again = look(&hub, space)?;
        ensure!(again.digest == made.digest, "another document was opened");
        ensure!(again.applied == 0, "entries were applied again");
        opened.push(again);
    }
    let times = opened.iter().map(|run| run.took).collect::<Vec<_>>();
    Ok(Figures::of("open")
        .with("history", changes)
        .with("applied", made.applied)
        .with("rebuild_ms", milliseconds(made.took))
        .with_some("rebuild_peak_rss_kib", made.peak_rss_kib)
        .with_walls(&times)
        .with_some("open_ms", percentile(&times, 50).map(milliseconds))
        .with_some(
            "peak_rss_kib",
            opened.iter().filter_map(|run| run.peak_rss_kib).max(),
        ))
}

/// Writes a document of so many entries at a hub, and returns its space.
async fn write(folder: &Path, changes: usize) -> anyhow::Result<SpaceId> {
    let founding = Founding::begin(folder).await?;
    let hub = founding.node_of(HUB).await?;
    let space = founding.space("Long")?;
    founding.grant(space, HUB)?;
    let running = hub.start();
    is_admitted(&hub, &[space]).await?;
    running.stop(Duration::from_secs(5)).await;
    founding.end().await?;
    let mut draft = Draft::new(&hub.author(space)?);
    for begun in (0..changes).step_by(TOGETHER) {
        let count = TOGETHER.min(changes - begun);
        let written = (0..count).map(|_| draft.next());
        hub.write_all(space, written.collect::<anyhow::Result<_>>()?)?;
    }
    // Else it would go on with what was written, and keep the folder.
    tokio::task::spawn_blocking(move || hub.catch_up()).await??;
    is_free(&node_folder(folder, HUB)).await?;
    Ok(space)
}

/// What a process found that opened the document.
struct Look {
    digest: Value,
    applied: u64,
    took: Duration,
    peak_rss_kib: Option<u64>,
}

/// Has a new process open the documents of a space.
fn look(folder: &Path, space: SpaceId) -> anyhow::Result<Look> {
    let output = Command::new(std::env::current_exe()?)
        .arg("look")
        .arg(folder)
        .arg(space.to_string())
        .stderr(Stdio::inherit())
        .output()
        .context("the process that opens the document cannot be started")?;
    let said = serde_json::from_slice::<Value>(&output.stdout)
        .context("the process that opens the document ended early")?;
    let micros = said["micros"].as_u64().context("no time is said")?;
    Ok(Look {
        digest: said["digest"].clone(),
        applied: said["applied"].as_u64().context("no entries are said")?,
        took: Duration::from_micros(micros),
        peak_rss_kib: said["peak_rss_kib"].as_u64(),
    })
}

/// Opens all documents of a space, and says on standard output what that took.
#[expect(clippy::print_stdout, reason = "this is what the other process reads")]
pub(crate) fn say(folder: &Path, space: &str) -> anyhow::Result<()> {
    let node = Node::open(folder)?;
    let begun = Instant::now();
    node.catch_up()?;
    let digest = digest(&node, space)?;
    let micros = u64::try_from(begun.elapsed().as_micros())?;
    let said = json!({
        "digest": digest.to_string(),
        "applied": node.entries_applied(),
        "micros": micros,
        "peak_rss_kib": peak_rss_kib(std::process::id()),
    });
    println!("{said}");
    Ok(())
}

fn digest(node: &Node, space: &str) -> anyhow::Result<Hash> {
    let spaces = node.spaces()?.into_iter();
    let mut here = spaces.filter(|found| found.id.to_string() == space);
    let found = here.next().context("the hub has no such space")?;
    Ok(found.documents_digest)
}
