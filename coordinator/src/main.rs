//! `causeway-coordinator`: parses, runs, reports.

use std::process::ExitCode;

use clap::Parser;
use coordinator::cli::Arguments;

fn main() -> ExitCode {
    node::cli::main(Arguments::try_parse(), Arguments::run)
}
