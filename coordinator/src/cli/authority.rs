//! `authority`: the record of access.

use std::path::PathBuf;

use anyhow::Result;
use clap::Subcommand;
use node::cli::output::Output;
use proto::coordinator::v1::{AuthorityRequest, TakeOverRequest};
use serde_json::json;

use super::Client;
use crate::saved_keys::SavedKeys;

/// What to do with the record of access.
#[derive(Debug, Subcommand)]
pub(super) enum AuthorityCommand {
    /// Says which term this coordinator knows, and which hubs have reported.
    Show,
    /// Begins a new term with the root key, after a restore or a rebuild.
    TakeOver {
        /// The folder of the saved keys.
        #[arg(long, value_name = "FOLDER")]
        saved_keys: PathBuf,
        /// Do it; without this, only say what is known.
        #[arg(long)]
        confirm: bool,
        /// Do it even if no hub has reported since the coordinator started: what hubs hold and it
        /// lacks will not count.
        #[arg(long)]
        anyway: bool,
    },
}

pub(super) async fn run(
    mut client: Client,
    command: AuthorityCommand,
    output: Output,
) -> Result<()> {
    let known = client.authority(AuthorityRequest {}).await?.into_inner();
    let reported = if known.reported.is_empty() {
        "none yet".to_owned()
    } else {
        known.reported.join(", ")
    };
    let standing = format!(
        "term {} with {} entries; hubs that have reported: {reported}",
        known.term, known.length
    );
    let value = json!({
        "term": known.term, "length": known.length, "may_write": known.may_write,
        "reported": known.reported,
    });
    let AuthorityCommand::TakeOver {
        saved_keys,
        confirm: true,
        anyway,
    } = command
    else {
        output.print(&value, || {
            match (known.may_write, matches!(command, AuthorityCommand::Show)) {
                (true, _) => format!("{standing}; this coordinator may change access"),
                (false, true) => format!(
                    "{standing}; this coordinator may not change access until it takes over"
                ),
                (false, false) => {
                    format!("{standing}\nnothing was changed; add --confirm to take over")
                }
            }
        });
        return Ok(());
    };
    let root = SavedKeys::read_root(&saved_keys)?;
    let root = bytes::Bytes::copy_from_slice(root.seed().as_ref());
    let term = client
        .take_over(TakeOverRequest { root, anyway })
        .await?
        .into_inner()
        .term;
    output.print(&json!({ "term": term }), || {
        format!("term {term} begins; this coordinator may change access")
    });
    Ok(())
}
