//! The programs as processes of their own.

use std::path::Path;
use std::process::{Command, Output, Stdio};

/// A command of `node` or `coordinator`, as `causeway-node` and `causeway-coordinator` run it.
pub(crate) fn command(part: &str, data: &Path, words: &[&str]) -> Command {
    // The demo is both programs, so that Cargo builds one more binary and not two.
    let mut command = Command::new(env!("CARGO_BIN_EXE_causeway-demo"));
    command.arg(part).arg("--data").arg(data).args(words);
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// Runs it to its end.
pub(crate) fn run(part: &str, data: &Path, words: &[&str]) -> Output {
    let output = command(part, data, words).output();
    output.expect("the program runs")
}

/// What a command said on standard error.
pub(crate) fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}
