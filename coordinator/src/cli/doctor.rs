//! `doctor`: says what is wrong, and what to do.

use std::path::Path;

use anyhow::Result;
use node::cli::output::Output;
use node::cli::report_findings;
use node::clock::now_ms;

pub(super) async fn run(data: &Path, output: Output) -> Result<()> {
    report_findings(&crate::doctor::examine(data, now_ms()).await, output)
}
