//! `health`: how every hub and node stands.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use clap::Args;
use node::cli::output::Output;
use node::cli::{WatchArguments, parse_span, watch};
use proto::coordinator::v1::HealthRequest;
use serde_json::Value;

use super::Client;
use crate::operations::Health;

/// From when on a node is silent.
#[derive(Debug, Args)]
pub(super) struct HealthArguments {
    /// After how long without a word a node counts as silent: 30m, 12h or 2d.
    #[arg(long, default_value = "2d", value_parser = parse_span)]
    silent_for: Duration,
    #[command(flatten)]
    watch: WatchArguments,
}

pub(super) async fn run(data: &Path, arguments: &HealthArguments, output: Output) -> Result<()> {
    let silent_for = arguments.silent_for;
    if arguments.watch.watch {
        return watch(&arguments.watch, output, || async {
            look(super::client_of_running(data).await?, silent_for).await
        })
        .await;
    }
    let (value, text) = look(super::clients(data).await?.0, silent_for).await?;
    output.print(&value, || text);
    Ok(())
}

async fn look(mut client: Client, silent_for: Duration) -> Result<(Value, String)> {
    let silent_for_ms = u64::try_from(silent_for.as_millis()).unwrap_or(u64::MAX);
    let answer = client.health(HealthRequest { silent_for_ms }).await?;
    let json = answer.into_inner().json;
    let health: Health = serde_json::from_str(&json).context("the answer is not JSON")?;
    Ok((serde_json::from_str(&json)?, health.text()))
}
