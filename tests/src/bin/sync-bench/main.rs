//! `cargo sync-bench`: what syncing costs, with real nodes over loopback TLS and SQLite stores.
//!
//! docs/performance.md says what is measured and how, and what was found.

mod apart;
mod attend;
mod coordinator_process;
mod crowd;
mod draft;
mod fanout;
mod figures;
mod founding;
mod growth;
mod ingest;
mod initial;
mod light_peer;
mod lists;
mod long;
mod open;
mod pages;
mod pen;
mod reconnect;
mod relay;
mod restored;
mod sample;
mod simulate;
mod stage;
mod versus;

use std::path::PathBuf;

use clap::{Parser, Subcommand};

/// Measures what syncing costs.
#[derive(Debug, Parser)]
#[command(name = "sync-bench")]
struct Arguments {
    #[command(subcommand)]
    scenario: Scenario,
    /// Print one JSON object a result, on a line of its own.
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Scenario {
    /// A hub that was in sync connects again.
    Reconnect(reconnect::Options),
    /// A hub whose folder was put back to an older copy connects again.
    Restored(restored::Options),
    /// One more change of a document with a long history is relayed.
    Relay(relay::Options),
    /// A hub that holds nothing yet takes its first copy.
    Initial(initial::Options),
    /// A store that holds much is opened.
    Open(open::Options),
    /// The changes of all entries are taken out of a store.
    Growth(growth::Options),
    /// One end sends entries as fast as the coordinator takes them.
    Ingest(ingest::Options),
    /// One hub writes, and others receive it through the coordinator.
    Fanout(fanout::Options),
    /// Made-up records are listed, filtered, counted and searched.
    Lists(lists::Options),
    /// A hub is filled with a year of made-up work and asked for what looks at many records.
    Sample(sample::Options),
    /// Every page of a hub with a year of made-up work, and of the coordinator, is asked for.
    Pages(pages::Options),
    /// The engines of many hubs run in virtual time with the load of a year.
    Simulate(simulate::Options),
    /// Many hubs, each a process of its own, come back after a week apart.
    Apart(apart::Options),
    /// Causeway beside automerge-repo and samod, on the same workload.
    Versus(versus::Options),
    /// Serves a coordinator's folder until standard input ends: what the scenarios start.
    #[command(hide = true)]
    Coordinate {
        /// The coordinator's data folder.
        folder: PathBuf,
    },
    /// Runs a hub's node and does what standard input says: what `apart` starts.
    #[command(hide = true)]
    Attend {
        /// The node's data folder.
        folder: PathBuf,
    },
    /// Opens all documents of a space and says what that took: what `open` starts.
    #[command(hide = true)]
    Look {
        /// The node's data folder.
        folder: PathBuf,
        /// The space's id.
        space: String,
    },
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let figures = match arguments.scenario {
        Scenario::Coordinate { folder } => return coordinator_process::serve(&folder).await,
        Scenario::Attend { folder } => return Box::pin(attend::serve(&folder)).await,
        Scenario::Look { folder, space } => return long::say(&folder, &space),
        Scenario::Pages(options) => {
            for figures in Box::pin(pages::measure(&options)).await? {
                figures.print(arguments.json);
            }
            return Ok(());
        }
        Scenario::Simulate(options) => return simulate::measure(&options, arguments.json),
        Scenario::Versus(options) => {
            return Box::pin(versus::measure(&options, arguments.json)).await;
        }
        Scenario::Reconnect(options) => Box::pin(reconnect::measure(&options)).await?,
        Scenario::Restored(options) => Box::pin(restored::measure(&options)).await?,
        Scenario::Relay(options) => Box::pin(relay::measure(&options)).await?,
        Scenario::Initial(options) => Box::pin(initial::measure(&options)).await?,
        Scenario::Open(options) => Box::pin(open::measure(&options)).await?,
        Scenario::Growth(options) => Box::pin(growth::measure(&options)).await?,
        Scenario::Ingest(options) => Box::pin(ingest::measure(&options)).await?,
        Scenario::Fanout(options) => Box::pin(fanout::measure(&options)).await?,
        Scenario::Lists(options) => lists::measure(&options)?,
        Scenario::Apart(options) => Box::pin(apart::measure(&options)).await?,
        Scenario::Sample(options) => Box::pin(sample::measure(&options)).await?,
    };
    figures.print(arguments.json);
    Ok(())
}
