//! `restore`: puts a backup in the place of the store.

use std::path::Path;

use anyhow::Result;
use serde_json::json;

use super::output::Output;
use crate::Lost;
use crate::restore::Restore;

pub(super) fn run(data: &Path, file: &Path, confirm: bool, output: Output) -> Result<()> {
    let restore = Restore::prepare(data, file)?;
    if !confirm {
        let value = json!({
            "restored": false, "entries": restore.entries(), "now": restore.entries_now(),
            "lost": restore.lost(),
        });
        output.print(&value, || {
            format!(
                "the backup holds {} entries, the store {}; the store is kept as store.db.replaced\n{}\
                 nothing was changed; add --confirm to restore",
                restore.entries(),
                restore.entries_now(),
                restore.lost().map_or_else(String::new, Lost::in_words),
            )
        });
        return Ok(());
    }
    let (entries, lost) = (restore.entries(), restore.lost().cloned());
    restore.commit()?;
    let value = json!({ "restored": true, "entries": entries, "lost": lost });
    output.print(&value, || {
        let lost = lost.as_ref().map_or_else(String::new, Lost::in_words);
        format!("{lost}restored; start the node: what it had sent since comes back from the others")
    });
    Ok(())
}
