//! `status`: says where this node stands.

use anyhow::{Context, Result};
use proto::hub::v1::StatusRequest;
use serde_json::Value;

use super::Client;
use super::output::{Output, plain, table};

/// Shows where a node stands.
///
/// # Errors
/// A sentence, if the node cannot answer.
pub async fn run(mut client: Client, output: Output) -> Result<()> {
    let answer = client.status(StatusRequest {}).await?.into_inner();
    let value: Value = serde_json::from_str(&answer.json).context("the status is not JSON")?;
    output.print(&value, || {
        let rows = value.as_object().into_iter().flatten();
        let rows = rows.map(|(name, value)| vec![name.replace('_', " "), plain(value)]);
        table(&["STATUS", ""], &rows.collect::<Vec<_>>())
    });
    Ok(())
}
