//! `backup`: a consistent copy of the store.

use std::path::Path;

use anyhow::{Context, Result};
use proto::hub::v1::BackupRequest;
use serde_json::json;

use super::Client;
use super::output::Output;

pub(super) async fn run(mut client: Client, file: &Path, output: Output) -> Result<()> {
    let path = std::path::absolute(file).context("the backup's place cannot be found")?;
    let path = path
        .to_str()
        .context("the backup's name is not plain text")?
        .to_owned();
    let done = client.backup(BackupRequest { path }).await?.into_inner();
    let value = json!({ "bytes": done.bytes, "entries": done.entries });
    output.print(&value, || {
        format!(
            "{} entries, {} bytes: checked and complete",
            done.entries, done.bytes
        )
    });
    Ok(())
}
