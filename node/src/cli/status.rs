//! `status`: says where this node stands.

use std::path::Path;

use anyhow::{Context, Result};
use clap::Args;
use proto::hub::v1::StatusRequest;
use serde_json::Value;

use super::output::{Output, plain, table};
use super::{Client, WatchArguments, client_of_running, watch};

/// How it is shown.
#[derive(Debug, Args)]
pub struct StatusArguments {
    #[command(flatten)]
    watch: WatchArguments,
}

impl StatusArguments {
    /// Whether it is shown again and again.
    pub const fn is_watch(&self) -> bool {
        self.watch.watch
    }
}

pub(super) async fn run(data: &Path, arguments: &StatusArguments, output: Output) -> Result<()> {
    if arguments.is_watch() {
        return run_watch(data, arguments, output).await;
    }
    show(super::client(data).await?, output).await
}

/// Shows where a node stands.
///
/// # Errors
/// A sentence, if the node cannot answer.
pub async fn show(client: Client, output: Output) -> Result<()> {
    let (value, text) = look(client).await?;
    output.print(&value, || text);
    Ok(())
}

/// Shows where the node that runs on `data` stands, until Ctrl-C.
///
/// # Errors
/// A sentence, if none runs.
pub async fn run_watch(data: &Path, arguments: &StatusArguments, output: Output) -> Result<()> {
    watch(&arguments.watch, output, || async {
        look(client_of_running(data).await?).await
    })
    .await
}

async fn look(mut client: Client) -> Result<(Value, String)> {
    let answer = client.status(StatusRequest {}).await?.into_inner();
    let value: Value = serde_json::from_str(&answer.json).context("the status is not JSON")?;
    let rows = value.as_object().into_iter().flatten();
    let rows = rows.map(|(name, value)| vec![name.replace('_', " "), plain(value)]);
    let text = table(&["STATUS", ""], &rows.collect::<Vec<_>>());
    Ok((value, text))
}
