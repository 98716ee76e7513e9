//! What an upgrade changes: what is set aside is judged again, and lines are made by the declarations
//! of now.

use std::collections::BTreeSet;

use node_domain::schema_version;
use node_store::{JudgedBy, ReadStore, StoreError};

use super::{make_lines, rebuild};
use crate::node::Inner;

/// Judges what is set aside once more if another program did it last: a newer version may know what an
/// older one did not, and so may an older one that was put back. Broken off, it is begun again at the
/// next start.
pub(super) fn judge_again(inner: &Inner) -> Result<(), StoreError> {
    let now = JudgedBy {
        program: env!("CARGO_PKG_VERSION").to_owned(),
        declarations: schema_version(),
    };
    let before = inner.storage.judged_by()?;
    if before.as_ref() == Some(&now) {
        return Ok(());
    }
    // What is in no list yet is judged when it is taken up.
    if inner.storage.reflects()? > 0 {
        let aside = inner.storage.set_aside()?;
        let aside = aside.iter().map(|row| row.space).collect::<BTreeSet<_>>();
        tracing::info!(
            before = before.as_ref().map(|it| it.program.as_str()),
            spaces = aside.len(),
            "what an earlier version set aside is looked at again"
        );
        for space in &aside {
            // A verdict stands in a document's saved state too, so that it is made of its entries.
            rebuild(inner, *space)?;
        }
        if before.is_none_or(|it| it.declarations != now.declarations) {
            for space in inner.storage.read(ReadStore::spaces)? {
                if !aside.contains(&space) {
                    make_lines(inner, space)?;
                }
            }
        }
    }
    inner.storage.set_judged_by(&now)
}
