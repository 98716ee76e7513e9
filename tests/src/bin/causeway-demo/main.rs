//! `cargo demo`: a coordinator and three hubs, each a process of its own, play the main job.
//!
//! `cargo run` builds one binary, so this one also is the two programs: with a hidden first
//! argument it runs the command line of `causeway-node` or of `causeway-coordinator`.

mod digests;
mod expected;
mod ledger;
mod member;
mod outcome;
mod pace;
mod pages;
mod part;
mod play;
mod register;
mod secrets;
mod sheet;
mod stage;
mod steps;
mod story;
mod totals;
mod wait;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

/// Plays Causeway's main job with real parts, and says what happens in plain words.
#[derive(Debug, Parser)]
#[command(name = "cargo demo --")]
pub(crate) struct Arguments {
    /// Ends after the last step; the exit code says whether all held, and the last line is JSON.
    #[arg(long)]
    pub(crate) once: bool,
    /// Keeps everything in this folder, which must be empty or new.
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// From which the year of each hub is made up: the same seed, the same play.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,
    /// Your own work groups, as CSV or XLSX: they are imported into one hub and take part.
    #[arg(long, value_name = "FILE")]
    pub(crate) groups: Option<PathBuf>,
    /// Plays the story over this time, as 90s or 3m, and says before each step what comes and on
    /// which pages it shows.
    #[arg(long, value_name = "TIME", value_parser = pace::parse)]
    pub(crate) pace: Option<pace::Pace>,
}

fn main() -> ExitCode {
    if let Some(code) = part::run() {
        return code;
    }
    node::cli::main(Arguments::try_parse(), play::run)
}
