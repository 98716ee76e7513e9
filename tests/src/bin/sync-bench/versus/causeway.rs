//! Causeway carries out the tasks, by way of the scenarios that measure it alone.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use clap::{Args, Parser};
use coordinator::Coordinator;
use node::Node;
use node_feed::SpaceId;

use crate::coordinator_process::CoordinatorProcess;
use crate::draft::Draft;
use crate::figures::Figures;
use crate::founding::{in_sync, is_free, point_at};
use crate::reconnect::NEW_CHANGES;
use crate::stage::{Saved, Stage};
use crate::versus::figure::Figure;
use crate::versus::task::Task;
use crate::{fanout, initial, reconnect};

/// How often a hub connects again, whatever it holds: this is quick.
const RECONNECTS: usize = 3;

/// Carries out a task.
pub(crate) async fn measure(task: Task, limit: Duration) -> anyhow::Result<Vec<(Figure, f64)>> {
    // Building a stage takes long and is not what is measured.
    if let Task::FirstCopy { documents } | Task::Reconnect { documents, .. } = task {
        drop(Stage::with(documents, 1).await?);
    }
    let measuring = Box::pin(carry_out(task));
    let measured = tokio::time::timeout(limit, measuring).await;
    measured.with_context(|| format!("not done in {} s", limit.as_secs()))?
}

async fn carry_out(task: Task) -> anyhow::Result<Vec<(Figure, f64)>> {
    match task {
        Task::FirstCopy { documents } => {
            let options = options::<initial::Options>(&[
                ("--documents", documents),
                ("--runs", task.runs()),
            ])?;
            let figures = Box::pin(initial::measure(&options)).await?;
            Ok(common(&figures))
        }
        Task::Reconnect { documents, changed } => {
            let options = options::<reconnect::Options>(&[
                ("--documents", documents),
                ("--changed", changed),
                ("--spaces", 1),
                ("--runs", RECONNECTS),
            ])?;
            let figures = Box::pin(reconnect::measure(&options)).await?;
            Ok(common(&figures))
        }
        Task::FanOut {
            readers,
            edits,
            rate,
        } => {
            let options = options::<fanout::Options>(&[
                ("--readers", readers),
                ("--edits", edits),
                ("--rate", rate as usize),
            ])?;
            let figures = Box::pin(fanout::measure(&options)).await?;
            // As the peers are timed: from before the edit, and here until it is durable.
            let all = [
                (Figure::P50, "whole_p50_ms"),
                (Figure::P99, "whole_p99_ms"),
                (Figure::PerSecond, Figure::PerSecond.name()),
                (Figure::Memory, Figure::Memory.name()),
            ];
            Ok(all
                .into_iter()
                .filter_map(|(it, name)| Some((it, figures.number(name)?)))
                .collect())
        }
        Task::Killed { documents } => killed(documents, task.runs()).await,
    }
}

/// What a first copy and a reconnect have in common.
fn common(figures: &Figures) -> Vec<(Figure, f64)> {
    let get = |figure: Figure| Some((figure, figures.number(figure.name())?));
    let bytes = figures
        .number("bytes_sent")
        .zip(figures.number("bytes_received"));
    let mut common = Vec::new();
    common.extend(get(Figure::Wall));
    common.extend(get(Figure::Durable));
    common.extend(get(Figure::Checked));
    common.extend(bytes.map(|(sent, received)| (Figure::Bytes, sent + received)));
    common.extend(get(Figure::Memory));
    common.extend(get(Figure::Runs));
    common
}

/// A scenario's options, with its own defaults for what is not given.
fn options<T: Args>(given: &[(&str, usize)]) -> anyhow::Result<T> {
    #[derive(Parser)]
    struct Alone<T: Args> {
        #[command(flatten)]
        options: T,
    }
    let mut arguments = vec!["sync-bench".to_owned()];
    for (name, value) in given {
        arguments.extend([(*name).to_owned(), value.to_string()]);
    }
    Ok(Alone::<T>::try_parse_from(arguments)?.options)
}

/// Kills the coordinator as soon as the hub knows that both are equal, and counts what is left.
async fn killed(documents: usize, runs: usize) -> anyhow::Result<Vec<(Figure, f64)>> {
    let (mut acknowledged, mut kept) = (0, 0);
    for _ in 0..runs {
        let stage = Stage::with(documents, 1).await?;
        let saved = stage.saved()?;
        let space = saved.first().context("there is no document")?.space;
        let coordinator = CoordinatorProcess::start(&stage.coordinator())?;
        point_at(&stage.hub(), coordinator.address()).await?;
        let hub = Node::open(&stage.hub())?;
        let before = entries(&hub, space)?;
        write(&hub, &saved)?;
        let running = hub.start();
        in_sync(&hub).await?;
        coordinator.kill()?;
        let wrote = entries(&hub, space)? - before;
        ensure!(
            wrote >= (documents * NEW_CHANGES) as u64,
            "the hub wrote {wrote} entries only"
        );
        running.stop(Duration::from_secs(5)).await;
        is_free(&stage.coordinator()).await?;
        let coordinator = Coordinator::open(&stage.coordinator())?;
        let left = held_of(coordinator.operations().node(), &hub, space)?;
        acknowledged += wrote;
        kept += left.saturating_sub(before);
    }
    Ok(vec![
        (Figure::Acknowledged, acknowledged as f64),
        (Figure::Kept, kept as f64),
        (Figure::Runs, runs as f64),
    ])
}

fn write(hub: &Node, saved: &[Saved]) -> anyhow::Result<()> {
    for saved in saved {
        let mut draft = Draft::load(&saved.draft, &hub.author(saved.space)?)?;
        for _ in 0..NEW_CHANGES {
            hub.write(saved.space, draft.next()?)?;
        }
    }
    Ok(())
}

/// How many entries of a space a node holds.
fn entries(node: &Node, space: SpaceId) -> anyhow::Result<u64> {
    let heights = node.heights(space)?;
    Ok(heights.iter().map(|(_, height)| height.number).sum())
}

/// How many of the entries of a space that `hub` holds are held by `node` too.
fn held_of(node: &Node, hub: &Node, space: SpaceId) -> anyhow::Result<u64> {
    let (theirs, ours) = (node.heights(space)?, hub.heights(space)?);
    let held = ours.iter().map(|(feed, height)| {
        let held = theirs.get(&feed).map_or(0, |held| held.number);
        held.min(height.number)
    });
    Ok(held.sum())
}
