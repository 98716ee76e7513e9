//! Is the database whole?

use std::path::Path;

use node_store::{Look, StoreError, look_at_store};

use super::{Finding, LIMIT};

/// Whether the store at `path` is one of this program's, and its structure is whole as far as it can
/// be looked through in time.
pub(super) fn database(check: &'static str, path: &Path) -> Finding {
    if !path.exists() {
        let why = format!(
            "{} is missing: a restore was broken off, or the file was moved; put it back, or run \
             `restore` with a backup",
            path.display()
        );
        return Finding::fault(check, why);
    }
    match look_at_store(path, LIMIT) {
        Ok(Look::Whole) => Finding::ok(check, "its structure is whole"),
        Ok(Look::Partly) => Finding::ok(
            check,
            format!(
                "nothing is wrong with what could be looked through in {} seconds; it is larger",
                LIMIT.as_secs()
            ),
        ),
        Err(StoreError::Corrupt(what)) => Finding::fault(
            check,
            format!(
                "the store is damaged ({}); keep the file, restore a backup, and start again: what \
                 was shared comes back from the others",
                what.replace("; ", ", ").replace('\n', ", ")
            ),
        ),
        Err(error) => Finding::fault(check, error.to_string()),
    }
}
