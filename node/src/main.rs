//! `causeway-node`: parses, runs, reports.

use std::process::ExitCode;

use clap::Parser;
use node::cli::Arguments;

fn main() -> ExitCode {
    node::cli::main(Arguments::try_parse(), Arguments::run)
}
