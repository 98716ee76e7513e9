//! Causeway beside automerge-repo and samod: the same documents and changes, one machine, one
//! invocation.
//!
//! The peers are driven by small programs of ours in `tests/peers`, outside the workspace, that are
//! built and run from here. One that cannot be built, fails or takes too long is reported with what
//! it said, and the others are measured all the same.

mod causeway;
mod driver;
mod figure;
mod peer;
mod picture;
mod section;
mod task;
mod workload;

use std::time::Duration;

use anyhow::ensure;

use crate::figures::Figures;
use crate::stage::target;
use figure::Figure;
use peer::Site;
use task::{Outcome, System, Task};
use workload::Workload;

/// In how many documents the hub has made new changes, where it has.
const CHANGED: usize = 10;

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// How many documents there are: each of these numbers is measured.
    #[arg(long, value_delimiter = ',', default_values_t = [1_000, 5_000])]
    documents: Vec<usize>,
    /// How many hubs receive what one writes.
    #[arg(long, default_value_t = 40)]
    readers: usize,
    /// How many edits that one makes.
    #[arg(long, default_value_t = 200)]
    edits: usize,
    /// Measure this one alone, and leave docs/performance.md as it is.
    #[arg(long, value_enum)]
    only: Option<System>,
    /// How long one measurement may take.
    #[arg(long, default_value_t = 120)]
    limit_seconds: u64,
}

/// Measures everything, prints each figure and ratio as soon as it is known, and writes what was
/// found into docs/performance.md if it is complete.
pub(crate) async fn measure(options: &Options, json: bool) -> anyhow::Result<()> {
    ensure!(
        options
            .documents
            .iter()
            .all(|documents| *documents >= CHANGED),
        "ten documents at least are needed: ten of them change"
    );
    ensure!(
        options.readers > 0 && options.edits > 0,
        "a reader and an edit at least are needed"
    );
    let mut versus = Versus {
        limit: Duration::from_secs(options.limit_seconds),
        systems: System::ALL
            .into_iter()
            .filter(|system| options.only.is_none_or(|only| only == *system))
            .collect(),
        outcomes: Vec::new(),
        json,
    };
    let built = driver::build_all(&versus.systems, &target()?).await;
    for documents in &options.documents {
        let documents = *documents;
        let mut workload = Workload::of(documents).await?;
        let mut sites = sites(&built, &workload);
        let tasks = [
            Task::FirstCopy { documents },
            Task::Reconnect {
                documents,
                changed: 0,
            },
            Task::Reconnect {
                documents,
                changed: CHANGED,
            },
        ];
        for task in tasks {
            versus.carry_out(task, &mut sites, &mut workload).await?;
        }
    }
    let mut workload = Workload::of(CHANGED).await?;
    let mut sites = sites(&built, &workload);
    let (readers, edits) = (options.readers, options.edits);
    let tasks = [
        Task::FanOut {
            readers,
            edits,
            rate: 20,
        },
        Task::FanOut {
            readers,
            edits,
            rate: 0,
        },
        Task::Killed { documents: CHANGED },
    ];
    for task in tasks {
        versus.carry_out(task, &mut sites, &mut workload).await?;
    }
    if options.only.is_none() {
        section::write(&versus.outcomes, &built)?;
    }
    Ok(())
}

/// A comparison under way.
struct Versus {
    limit: Duration,
    systems: Vec<System>,
    outcomes: Vec<Outcome>,
    json: bool,
}

impl Versus {
    /// Has every system carry out one task, one right after the other.
    async fn carry_out(
        &mut self,
        task: Task,
        sites: &mut Sites<'_>,
        workload: &mut Workload,
    ) -> anyhow::Result<()> {
        let changes = workload.prepare(task)?;
        let first = self.outcomes.len();
        if self.systems.contains(&System::Causeway) {
            let measured = causeway::measure(task, self.limit).await;
            self.note(System::Causeway, task, measured);
        }
        for (system, site) in sites {
            let measured = match site {
                Ok(site) => site.measure(task, &changes, self.limit).await,
                Err(reason) => Err(anyhow::anyhow!(reason.clone())),
            };
            self.note(*system, task, measured);
        }
        let outcomes = &self.outcomes[first..];
        for ratio in ratios(outcomes) {
            ratio.print(self.json);
        }
        Ok(())
    }

    fn note(&mut self, system: System, task: Task, measured: anyhow::Result<Vec<(Figure, f64)>>) {
        let measured = measured.map_err(|error| format!("{error:#}"));
        let outcome = Outcome {
            system,
            task,
            measured,
        };
        outcome.figures().print(self.json);
        self.outcomes.push(outcome);
    }
}

/// Where each peer holds its documents; why it does not, of those that could not be built.
type Sites<'a> = Vec<(System, Result<Site<'a>, String>)>;

fn sites<'a>(built: &'a driver::Built, workload: &Workload) -> Sites<'a> {
    let sites = built.iter().map(|(system, driver)| {
        let site = driver.as_ref().map_err(String::clone);
        (
            *system,
            site.map(|driver| Site::new(driver, system.name(), workload)),
        )
    });
    sites.collect()
}

/// How Causeway's figures compare with each peer's, of one task.
fn ratios(outcomes: &[Outcome]) -> Vec<Figures> {
    let Some(ours) = outcomes
        .iter()
        .find(|outcome| outcome.system == System::Causeway)
    else {
        return Vec::new();
    };
    let mut ratios = Vec::new();
    for theirs in outcomes
        .iter()
        .filter(|outcome| outcome.system != System::Causeway)
    {
        for figure in Figure::COMPARED {
            if let (Some(our), Some(their)) = (ours.get(figure), theirs.get(figure)) {
                let ratio = theirs.task.describe(Figures::of("versus ratio"));
                ratios.push(
                    ratio
                        .with("peer", theirs.system.name())
                        .with("figure", figure.name())
                        .with("causeway", figure.number(our))
                        .with("theirs", figure.number(their))
                        .with_some("causeway_to_peer", figure::ratio(our, their)),
                );
            }
        }
    }
    ratios
}
