//! `restore`: puts a backup in the place of the store.

use std::path::Path;

use anyhow::Result;
use serde_json::json;

use super::output::Output;
use crate::restore::Restore;

pub(super) fn run(data: &Path, file: &Path, confirm: bool, output: Output) -> Result<()> {
    let restore = Restore::prepare(data, file)?;
    if !confirm {
        let value = json!({ "restored": false, "entries": restore.entries(), "now": restore.entries_now() });
        output.print(&value, || {
            format!(
                "the backup holds {} entries, the store {}; the store is kept as store.db.replaced\n\
                 nothing was changed; add --confirm to restore",
                restore.entries(),
                restore.entries_now()
            )
        });
        return Ok(());
    }
    let entries = restore.entries();
    restore.commit()?;
    let value = json!({ "restored": true, "entries": entries });
    output.print(&value, || {
        "restored; start the node: what it had sent since comes back from the others".to_owned()
    });
    Ok(())
}
