//! `sample`: fills a new coordinator with a nation, to try it out.

use anyhow::Result;
use clap::Args;
use node::cli::output::{Output, plain, table};
use proto::coordinator::v1::SampleRequest;
use serde_json::Value;

use super::Client;

/// Which nation.
#[derive(Debug, Args)]
pub(super) struct SampleArguments {
    /// The same seed makes the same nation, and the schools of the same hubs' years.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// About a seventh of the schools.
    #[arg(long)]
    small: bool,
}

pub(super) async fn run(
    mut client: Client,
    arguments: SampleArguments,
    output: Output,
) -> Result<()> {
    let SampleArguments { seed, small } = arguments;
    let made = client
        .sample(SampleRequest { seed, small })
        .await?
        .into_inner();
    let value = serde_json::from_str::<Value>(&made.json)?;
    output.print(&value, || {
        let made = value.get("made").and_then(Value::as_object);
        let rows = made.into_iter().flatten();
        let rows = rows.map(|(kind, count)| vec![kind.clone(), plain(count)]);
        table(&["MADE", ""], &rows.collect::<Vec<_>>())
    });
    Ok(())
}
