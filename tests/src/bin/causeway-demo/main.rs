//! `cargo demo`: a coordinator and three hubs, each a process of its own, play the main job.
//!
//! `cargo run` builds one binary, so this one also is the two programs: with a hidden first
//! argument it runs the command line of `causeway-node` or of `causeway-coordinator`.

mod digests;
mod ledger;
mod member;
mod outcome;
mod part;
mod play;
mod register;
mod search;
mod secrets;
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
struct Arguments {
    /// Ends after the last step; the exit code says whether all held, and the last line is JSON.
    #[arg(long)]
    once: bool,
    /// Keeps everything in this folder, which must be empty or new.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
}

fn main() -> ExitCode {
    if let Some(code) = part::run() {
        return code;
    }
    node::cli::main(Arguments::try_parse(), |arguments| {
        play::run(arguments.once, arguments.data)
    })
}
