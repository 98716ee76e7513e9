//! Which command was given, and with what.

use anyhow::{Context as _, bail};

use crate::{fanout, folder, sync};

/// Carries out the command that `given` begins with.
pub(crate) async fn carry_out(given: &[String]) -> anyhow::Result<()> {
    let given = given.iter().map(String::as_str).collect::<Vec<_>>();
    match given.as_slice() {
        ["seed", folder, documents, ids] => folder::seed(folder, documents, ids).await,
        ["serve", folder] => folder::serve(folder).await,
        ["held", folder, ids] => folder::held(folder, ids).await,
        ["sync", folder, port, ids, at_once, changes @ ..] => {
            let changes = changes.first().copied();
            sync::sync(folder, port.parse()?, ids, at_once.parse()?, changes).await
        }
        ["fanout", folder, port, ids, changes, readers, rate] => {
            let (readers, rate) = (readers.parse()?, rate.parse()?);
            fanout::fanout(folder, port.parse()?, ids, changes, readers, rate).await
        }
        _ => bail!(
            "there is no command {}",
            given.first().context("no command is given")?
        ),
    }
}
