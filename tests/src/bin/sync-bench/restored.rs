//! A hub's folder is put back to an older copy: it takes its lost entries back and goes on under a
//! new key.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use node::{Node, SessionCost};
use tests::folders::copy;

use crate::coordinator_process::CoordinatorProcess;
use crate::draft::Draft;
use crate::figures::Figures;
use crate::founding::{in_sync, is_free, point_at, wait_for};
use crate::reconnect::{connect, pick};
use crate::stage::{Saved, Stage, temporary};

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// How many documents both ends hold.
    #[arg(long, default_value_t = 500)]
    documents: usize,
    /// How many of them have five changes that the copy lacks.
    #[arg(long, default_value_t = 10)]
    changed: usize,
    /// Over how many spaces they are spread.
    #[arg(long, default_value_t = 1)]
    spaces: usize,
    /// How many times it is put back.
    #[arg(long, default_value_t = 3)]
    runs: usize,
}

pub(crate) async fn measure(options: &Options) -> anyhow::Result<Figures> {
    ensure!(
        options.runs > 0 && options.changed > 0 && options.changed <= options.documents,
        "at least one run and one changed document are needed, of those that there are"
    );
    let mut costs = Vec::new();
    for _ in 0..options.runs {
        costs.push(restore(options).await?);
    }
    Ok(Figures::of("restored")
        .with("documents", options.documents)
        .with("changed", options.changed)
        .with("spaces", options.spaces)
        .with_sessions(&costs))
}

async fn restore(options: &Options) -> anyhow::Result<SessionCost> {
    let stage = Stage::with(options.documents, options.spaces).await?;
    let coordinator = CoordinatorProcess::start(&stage.coordinator())?;
    point_at(&stage.hub(), coordinator.address()).await?;
    let mut changed = pick(stage.saved()?, options.changed);
    // The hub works on after the copy was made.
    let older = temporary()?;
    copy(&stage.hub(), older.path())?;
    connect(&stage, &mut changed).await?;
    std::fs::remove_dir_all(stage.hub())?;
    copy(older.path(), &stage.hub())?;

    let hub = Node::open(&stage.hub())?;
    let before = feeds(&hub, &changed)?;
    let lacking = hub.heights(changed[0].space)?;
    let running = hub.start();
    let space = changed[0].space;
    wait_for("the lost entries", || Ok(hub.heights(space)? != lacking)).await?;
    in_sync(&hub).await?;
    let cost = hub.session_cost().context("the session left no figures")?;
    // It never signs with the old key again.
    for saved in &mut changed {
        let mut draft = Draft::load(&saved.draft, &hub.author(saved.space)?)?;
        hub.write(saved.space, draft.next()?)?;
    }
    ensure!(
        feeds(&hub, &changed)? > before,
        "the hub went on under its old key"
    );
    in_sync(&hub).await?;
    running.stop(Duration::from_secs(5)).await;
    drop(hub);
    is_free(&stage.hub()).await?;
    Ok(cost)
}

/// How many feeds the spaces of these documents have.
fn feeds(hub: &Node, changed: &[Saved]) -> anyhow::Result<usize> {
    let spaces = changed.iter().map(|saved| saved.space);
    let spaces = spaces.collect::<std::collections::BTreeSet<_>>();
    let counts = spaces
        .into_iter()
        .map(|space| Ok(hub.heights(space)?.len()))
        .collect::<anyhow::Result<Vec<_>>>()?;
    Ok(counts.into_iter().sum())
}
