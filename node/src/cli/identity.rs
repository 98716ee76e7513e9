//! `identity`: by which key this node is known, and another one.

use std::path::Path;

use anyhow::Result;
use clap::Subcommand;
use proto::hub::v1::{IdentityRequest, ReplaceIdentityRequest};
use serde_json::json;

use super::Client;
use super::output::Output;

/// What to do with the identity key.
#[derive(Debug, Subcommand)]
pub(super) enum IdentityCommand {
    /// Says by which key this node is known.
    Show,
    /// Takes another key, as when this one may have been copied: nobody enrols again, and what was
    /// written stays this hub's. The words of the recovery sheet are others after it.
    Rotate {
        /// Do it; without this, only say how it stands.
        #[arg(long)]
        confirm: bool,
    },
}

pub(super) async fn run(data: &Path, command: IdentityCommand, output: Output) -> Result<()> {
    let end = match command {
        IdentityCommand::Rotate { confirm: true } => {
            // It has to hear from the coordinator, and to be closed and opened.
            let mut client = super::client_of_running(data).await?;
            let answer = client.replace_identity(ReplaceIdentityRequest {}).await?;
            let node = answer.into_inner().node;
            output.print(&json!({ "node": node }), || {
                format!(
                    "this node is {node} from now on\nprint the recovery sheet again and destroy the \
                     old one, and make a backup: those made before no longer come back with the words"
                )
            });
            return Ok(());
        }
        IdentityCommand::Rotate { confirm: false } => {
            "\nnothing was changed; add --confirm to do it"
        }
        IdentityCommand::Show => "",
    };
    show(super::client(data).await?, end, output).await
}

/// Says by which key a node is known, with `end` after it.
///
/// # Errors
/// A sentence, if the node cannot say.
pub async fn show(mut client: Client, end: &str, output: Output) -> Result<()> {
    let known = client.identity(IdentityRequest {}).await?.into_inner();
    let value = json!({
        "node": known.node, "network": known.network, "former": known.former,
        "successor": known.successor,
    });
    output.print(&value, || {
        let mut text = format!("this node is {}", known.node);
        if !known.successor.is_empty() {
            text += &format!("\nit becomes {} when it is next started", known.successor);
        }
        if !known.former.is_empty() {
            text += &format!(
                "\nit was {}, whose access ends by itself once all that it wrote has arrived",
                known.former
            );
        }
        text + end
    });
    Ok(())
}
