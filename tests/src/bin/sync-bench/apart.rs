//! Hubs, each a process of its own, come back after a week in which nobody was connected: how long it
//! takes until all hold the same, and what it costs the coordinator.

use std::collections::BTreeMap;
use std::time::Instant;

use anyhow::ensure;
use node_feed::SpaceId;
use tests::nation::{Plan, Slot};

use crate::attend::{Answer, Hub, Order};
use crate::coordinator_process::CoordinatorProcess;
use crate::figures::{Figures, milliseconds};
use crate::founding::{Founding, coordinator_folder, node_folder, point_at};
use crate::stage::temporary;

/// All hubs dial within so many milliseconds.
const DIAL_MS: u64 = 1_000;
/// Entries of a record.
const ENTRIES: u64 = 2;
/// How hubs of neighbouring projects differ.
const STRIDE: usize = 5;
/// The thread that applies, as the system names it.
const APPLIER: &str = "causeway-apply";

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// How many hubs there are.
    #[arg(long, default_value_t = 40)]
    hubs: usize,
    /// How many weeks' load each has written.
    #[arg(long, default_value_t = 1)]
    weeks: u64,
}

pub(crate) async fn measure(options: &Options) -> anyhow::Result<Figures> {
    ensure!(options.hubs > 1, "two hubs at least are needed");
    let plan = Plan::of(options.hubs);
    let folder = temporary()?;
    let founding = Founding::begin(folder.path()).await?;
    let codes = (0..options.hubs).map(|hub| format!("hub-{hub}"));
    let codes = codes.collect::<Vec<_>>();
    for code in &codes {
        drop(founding.node_of(code).await?);
    }
    let places = Places::found(&founding, &plan, &codes)?;
    founding.end().await?;

    let coordinator = CoordinatorProcess::start(&coordinator_folder(folder.path()))?;
    let mut hubs = Vec::new();
    for code in &codes {
        let folder = node_folder(folder.path(), code);
        point_at(&folder, coordinator.address()).await?;
        hubs.push(Hub::start(&folder)?);
    }
    // A record of each hub in each of its spaces, so that all feeds are known to all.
    let mut held = Held::default();
    write(&mut hubs, &mut held, |hub| places.shares(hub, |_| 1))?;
    meet(&mut hubs, &places, &held, 0)?;
    all(&mut hubs, |_| Order::Apply)?;

    all(&mut hubs, |_| Order::Part)?;
    let records = plan.entries_of_week() * options.weeks / ENTRIES;
    write(&mut hubs, &mut held, |hub| places.load(hub, records))?;
    let before = coordinator.cpu()?;
    let begun = Instant::now();
    let costs = meet(&mut hubs, &places, &held, DIAL_MS)?;
    let met = begun.elapsed();
    let synced = coordinator.cpu()?;
    all(&mut hubs, |_| Order::Apply)?;
    let applied = begun.elapsed();
    let cpu = |apply: bool| milliseconds(synced.since(&before, APPLIER, apply));
    let each = |figure: fn(&Answer) -> u64| {
        let sum = costs.iter().map(figure).sum::<u64>();
        (sum / costs.len() as u64, costs.iter().map(figure).max())
    };
    let (bytes, bytes_max) = each(|answer| answer.bytes);
    let (message_bytes, _) = each(|answer| answer.message_bytes);
    let entries = records * ENTRIES * options.hubs as u64;
    Ok(Figures::of("apart")
        .with("hubs", options.hubs)
        .with("spaces", places.spaces.len())
        .with("entries", entries)
        .with_walls(&[met])
        .with("applied_ms", milliseconds(applied))
        .with("hub_bytes", bytes)
        .with_some("hub_bytes_max", bytes_max)
        .with("hub_message_bytes", message_bytes)
        .with("coordinator_cpu_ms", cpu(false))
        .with("coordinator_apply_cpu_ms", cpu(true))
        .with_some("peak_rss_kib", coordinator.peak_rss_kib())
        .with_some(
            "hub_peak_rss_kib",
            hubs.iter().filter_map(Hub::peak_rss_kib).max(),
        ))
}

/// Who writes where.
struct Places {
    spaces: BTreeMap<SpaceId, Vec<usize>>,
    network: SpaceId,
    forum: SpaceId,
    pairs: Vec<SpaceId>,
    projects: Vec<Vec<SpaceId>>,
}

impl Places {
    /// The spaces that the simulated nation has: one for all, a forum, one of each hub with the
    /// coordinator, and projects.
    fn found(founding: &Founding, plan: &Plan, codes: &[String]) -> anyhow::Result<Self> {
        let everyone = (0..codes.len()).collect::<Vec<_>>();
        let mut spaces = BTreeMap::new();
        let mut found = |title: &str, members: &[usize]| {
            let space = founding.space(title)?;
            for member in members {
                founding.grant(space, &codes[*member])?;
            }
            spaces.insert(space, members.to_vec());
            Ok::<_, anyhow::Error>(space)
        };
        let network = found("All hubs", &everyone)?;
        let forum = found("Forum", &everyone)?;
        let pairs = everyone.iter().map(|hub| found("Pair", &[*hub]));
        let pairs = pairs.collect::<anyhow::Result<Vec<_>>>()?;
        let mut projects = vec![Vec::new(); codes.len()];
        for number in 0..plan.projects() {
            let first = number * STRIDE;
            let members = (0..plan.members()).map(|member| (first + member) % codes.len());
            let members = members.collect::<Vec<_>>();
            let space = found(&format!("Project {number}"), &members)?;
            for member in members {
                projects[member].push(space);
            }
        }
        Ok(Self {
            spaces,
            network,
            forum,
            pairs,
            projects,
        })
    }

    /// How many records a hub writes in each of its spaces.
    fn shares(&self, hub: usize, share: impl Fn(SpaceId) -> u64) -> BTreeMap<SpaceId, u64> {
        let own = self.spaces.iter().filter(|(_, of)| of.contains(&hub));
        own.map(|(space, _)| (*space, share(*space))).collect()
    }

    /// Where so many records of a hub go. What the coordinator writes for all in the simulation, the
    /// hubs write here.
    fn load(&self, hub: usize, records: u64) -> BTreeMap<SpaceId, u64> {
        let mut load = BTreeMap::new();
        let mut projects = self.projects[hub].iter().cycle();
        for record in 0..records {
            let space = match Slot::of(record) {
                Slot::CoordinatorNetwork | Slot::Network => self.network,
                Slot::Forum => self.forum,
                Slot::Pair => self.pairs[hub],
                Slot::Project => *projects.next().unwrap_or(&self.pairs[hub]),
            };
            *load.entry(space).or_insert(0) += 1;
        }
        load
    }
}

/// How many entries of each space each hub has written.
#[derive(Debug, Default)]
struct Held(BTreeMap<String, BTreeMap<usize, u64>>);

fn write(
    hubs: &mut [Hub],
    held: &mut Held,
    load: impl Fn(usize) -> BTreeMap<SpaceId, u64>,
) -> anyhow::Result<()> {
    let answers = all(hubs, |hub| {
        let load = load(hub).into_iter();
        Order::Write(
            load.map(|(space, records)| (space.to_string(), records))
                .collect(),
        )
    })?;
    for (hub, answer) in answers.into_iter().enumerate() {
        for (space, entries) in answer.held {
            held.0.entry(space).or_default().insert(hub, entries);
        }
    }
    Ok(())
}

/// Has all connect within so many milliseconds, and waits until all hold what others wrote.
fn meet(
    hubs: &mut [Hub],
    places: &Places,
    held: &Held,
    within_ms: u64,
) -> anyhow::Result<Vec<Answer>> {
    let count = hubs.len() as u64;
    all(hubs, |hub| {
        let own = places.shares(hub, |space| {
            let of = held.0.get(&space.to_string());
            of.map_or(0, |of| of.values().sum())
        });
        let wanted = own.into_iter();
        let wanted = wanted.map(|(space, entries)| (space.to_string(), entries));
        Order::Meet(hub as u64 * within_ms / count, wanted.collect())
    })
}

/// Tells every hub what to do, and waits until all have done it.
fn all(hubs: &mut [Hub], order: impl Fn(usize) -> Order) -> anyhow::Result<Vec<Answer>> {
    for (number, hub) in hubs.iter_mut().enumerate() {
        hub.order(&order(number))?;
    }
    hubs.iter_mut().map(Hub::answer).collect()
}
