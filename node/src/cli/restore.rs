//! `restore`: puts a backup in the place of the store; `restored`: what came of it.

use std::io::{BufRead, IsTerminal, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::Args;
use proto::hub::v1::RestoredRequest;
use serde_json::{Value, json};

use super::Client;
use super::exit::Exit;
use super::output::{Output, plain, table};
use crate::Lost;
use crate::backup::BackupKey;
use crate::restore::Restore;

/// What `restore` takes.
#[derive(Debug, Args)]
pub struct RestoreArguments {
    /// The backup.
    file: PathBuf,
    /// The file of the key that opens it, if it is sealed.
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// Do it without asking.
    #[arg(long)]
    confirm: bool,
}

/// Says what restoring would do, asks, and does it; where nobody can be asked it does nothing unless
/// that was confirmed.
///
/// # Errors
/// A sentence; nothing was changed then.
pub fn run(data: &Path, arguments: RestoreArguments, output: Output) -> Result<()> {
    let RestoreArguments { file, key, confirm } = arguments;
    let key = key.map(|key| BackupKey::read(&key)).transpose()?;
    let restore = Restore::prepare(data, &file, key.as_ref())?;
    let would = would(&restore);
    let confirmed = confirm || output == Output::Text && asked(&would)?;
    if !confirmed {
        let value = json!({
            "restored": false, "entries": restore.entries(), "now": restore.entries_now(),
            "lost": restore.lost(),
        });
        output.print(&value, || {
            format!("{would}nothing was changed; add --confirm to restore")
        });
        return Ok(());
    }
    let (entries, lost) = (restore.entries(), restore.lost().cloned());
    restore.commit()?;
    let value = json!({ "restored": true, "entries": entries, "lost": lost });
    output.print(&value, || {
        let lost = lost.as_ref().map_or_else(String::new, Lost::in_words);
        format!(
            "{lost}restored; start the node: what it had sent since comes back from the others, and \
             `restored` says what did"
        )
    });
    Ok(())
}

fn would(restore: &Restore) -> String {
    format!(
        "the backup holds {} entries, the store {}; the store is kept as store.db.replaced\n{}",
        restore.entries(),
        restore.entries_now(),
        restore.lost().map_or_else(String::new, Lost::in_words),
    )
}

/// Asks whoever sits at the terminal; nobody said yes if there is none.
fn asked(would: &str) -> Result<bool> {
    if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        return Ok(false);
    }
    eprint!("{would}Put the backup in the place of the store? Type yes: ");
    std::io::stderr().flush().context("nobody can be asked")?;
    let mut answer = String::new();
    std::io::stdin()
        .lock()
        .read_line(&mut answer)
        .context("nobody can be asked")?;
    if answer.trim() == "yes" {
        return Ok(true);
    }
    Err(Exit::Failed.with("nothing was changed").into())
}

/// Says what the last restore brought back, and what not.
///
/// # Errors
/// A sentence, if the node cannot answer.
pub async fn restored(mut client: Client, output: Output) -> Result<()> {
    let answer = client.restored(RestoredRequest {}).await?.into_inner();
    let value: Value = serde_json::from_str(&answer.json).context("the answer is not JSON")?;
    output.print(&value, || {
        let Some(lost) = value.get("lost").filter(|it| !it.is_null()) else {
            return "no backup was restored here".to_owned();
        };
        let lost = serde_json::from_value::<Lost>(lost.clone());
        let lost = lost.map_or_else(|_| String::new(), |lost| lost.in_words());
        let rows = value["came_back"].as_array().into_iter().flatten();
        let rows = rows.map(|row| {
            let known = row.get("missing").filter(|it| !it.is_null());
            let missing = known.map_or_else(|| "not known".to_owned(), plain);
            vec![plain(&row["title"]), plain(&row["came"]), missing]
        });
        let rows = rows.collect::<Vec<_>>();
        let spaces = if rows.is_empty() {
            "nothing has come back from the others yet\n".to_owned()
        } else {
            table(&["SPACE", "CAME BACK", "NOT BACK"], &rows)
        };
        format!("{spaces}{lost}")
    });
    Ok(())
}
