//! `identity`: by which key the coordinator is known, and another one.

use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::Subcommand;
use node::cli::output::Output;
use proto::coordinator::v1::ReplaceIdentityRequest;
use proto::hub::v1::IdentityRequest;
use serde_json::json;

use super::Client;
use crate::saved_keys::NextIdentity;

/// What to do with the identity key.
#[derive(Debug, Subcommand)]
pub(super) enum IdentityCommand {
    /// Says by which key the coordinator is known.
    Show,
    /// Takes another key. Hubs stay connected to the network, and those that are away follow when they
    /// come back.
    Rotate {
        /// The folder of the saved keys, which gets the new key too; the root key may be elsewhere.
        #[arg(long, value_name = "FOLDER")]
        saved_keys: PathBuf,
        /// Do it; without this, only say how it stands.
        #[arg(long)]
        confirm: bool,
    },
}

pub(super) async fn run(
    (mut client, mut hub): (Client, node::cli::Client),
    command: IdentityCommand,
    output: Output,
) -> Result<()> {
    let end = match command {
        IdentityCommand::Rotate {
            saved_keys,
            confirm: true,
        } => {
            let known = hub.identity(IdentityRequest {}).await?.into_inner();
            let Ok(network) = known.network.parse() else {
                bail!("this coordinator has no network yet: run `init` first");
            };
            // The safe first: a key that is on one disk alone can be lost with it.
            let next = NextIdentity::prepare(&saved_keys, network)?;
            let node = next.succession().successor;
            let request = ReplaceIdentityRequest {
                next: next.to_hex().to_string(),
                succession: next.succession().to_string(),
            };
            client.replace_identity(request).await?;
            next.adopt()?;
            output.print(&json!({ "node": node.to_string() }), || {
                format!(
                    "the coordinator is {node} from now on, and its key is in {} too: put copies of \
                     identity.key and successions wherever the saved keys are kept",
                    saved_keys.display()
                )
            });
            return Ok(());
        }
        IdentityCommand::Rotate { confirm: false, .. } => {
            "\nnothing was changed; add --confirm to do it"
        }
        IdentityCommand::Show => "",
    };
    node::cli::show_identity(hub, end, output).await
}
