//! `backup`: a consistent copy of the store, and the keys to which backups are sealed.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::Args;
use proto::hub::v1::BackupRequest;
use serde_json::json;

use super::Client;
use super::output::Output;
use crate::backup::BackupKey;

/// What `backup` takes.
#[derive(Debug, Args)]
pub struct BackupArguments {
    /// A file that does not exist yet.
    file: PathBuf,
    /// A public key to which it is sealed, as `backup-key` prints it; may be said several times.
    /// Without one, those of the setting backup.keys.
    #[arg(long = "key", value_name = "KEY")]
    keys: Vec<String>,
    /// Do not seal it: whoever has the file can read it.
    #[arg(long, conflicts_with = "keys")]
    open: bool,
}

/// Backs up the store of the node that the client is of.
///
/// # Errors
/// A sentence; there is no backup then.
pub async fn run(mut client: Client, arguments: BackupArguments, output: Output) -> Result<()> {
    let BackupArguments { file, keys, open } = arguments;
    let path = std::path::absolute(file).context("the backup's place cannot be found")?;
    let path = path
        .to_str()
        .context("the backup's name is not plain text")?
        .to_owned();
    let request = BackupRequest { path, keys, open };
    let written = request.path.clone();
    let done = client.backup(request).await?.into_inner();
    super::ensure_seen(&written)?;
    let value = json!({ "bytes": done.bytes, "entries": done.entries, "keys": done.keys });
    output.print(&value, || {
        let sealed = match done.keys {
            0 => "not sealed: whoever has it can read it".to_owned(),
            1 => "sealed to a key".to_owned(),
            keys => format!("sealed to {keys} keys"),
        };
        format!(
            "{} entries, {} bytes: checked and complete, {sealed}",
            done.entries, done.bytes
        )
    });
    Ok(())
}

/// Makes a key for backups, and writes the secret part to a file that does not exist.
///
/// # Errors
/// A sentence, if the file cannot be written.
pub fn new_key(file: &Path, output: Output) -> Result<()> {
    let key = BackupKey::generate();
    key.write(file)?;
    let public = key.recipient().to_string();
    output.print(&json!({ "key": public }), || {
        format!(
            "{public}\nThis is the public key: put it into the setting backup.keys. {} opens the \
             backups: keep it in a safe and take it off this machine. Without it no backup can be \
             restored.",
            file.display()
        )
    });
    Ok(())
}
