//! `cargo sync-bench`: what syncing costs, with real nodes over loopback TLS and SQLite stores.
//!
//! docs/performance.md says what is measured and how, and what was found.

mod coordinator_process;
mod crowd;
mod draft;
mod fanout;
mod figures;
mod founding;
mod ingest;
mod initial;
mod light_peer;
mod lists;
mod pages;
mod reconnect;
mod sample;
mod stage;

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
    /// A hub that holds nothing yet takes its first copy.
    Initial(initial::Options),
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
    /// Serves a coordinator's folder until standard input ends: what the scenarios start.
    #[command(hide = true)]
    Coordinate {
        /// The coordinator's data folder.
        folder: PathBuf,
    },
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let figures = match arguments.scenario {
        Scenario::Coordinate { folder } => return coordinator_process::serve(&folder).await,
        Scenario::Pages(options) => {
            for figures in Box::pin(pages::measure(&options)).await? {
                figures.print(arguments.json);
            }
            return Ok(());
        }
        Scenario::Reconnect(options) => Box::pin(reconnect::measure(&options)).await?,
        Scenario::Initial(options) => Box::pin(initial::measure(&options)).await?,
        Scenario::Ingest(options) => Box::pin(ingest::measure(&options)).await?,
        Scenario::Fanout(options) => Box::pin(fanout::measure(&options)).await?,
        Scenario::Lists(options) => lists::measure(&options)?,
        Scenario::Sample(options) => Box::pin(sample::measure(&options)).await?,
    };
    figures.print(arguments.json);
    Ok(())
}
