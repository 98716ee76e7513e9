//! `certificates`: who signs certificates, and the authority's replacement.

use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::Subcommand;
use node::cli::output::Output;
use node::web::words;
use proto::coordinator::v1::{
    CertificatesRequest, ReplaceAuthorityRequest, RetireAuthorityRequest,
};
use serde_json::json;

use super::Client;
use crate::saved_keys::NextAuthority;

/// What to do with certificates.
#[derive(Debug, Subcommand)]
pub(super) enum CertificatesCommand {
    /// Says who signs certificates, whose are accepted, and until when.
    Show,
    /// Makes a new authority and signs with it from now on. Certificates of the one before stay good
    /// until `retire`.
    Rotate {
        /// The folder of the saved keys, which gets the new authority too.
        #[arg(long, value_name = "FOLDER")]
        saved_keys: PathBuf,
        /// Do it; without this, only say how they stand.
        #[arg(long)]
        confirm: bool,
    },
    /// Accepts certificates of the authority before no longer.
    Retire {
        /// Do it; without this, only say how they stand.
        #[arg(long)]
        confirm: bool,
    },
}

pub(super) async fn run(
    mut client: Client,
    command: CertificatesCommand,
    output: Output,
) -> Result<()> {
    match command {
        CertificatesCommand::Rotate {
            saved_keys,
            confirm: true,
        } => {
            // The safe first: an authority whose key is on one disk alone can be lost with it.
            let next = NextAuthority::prepare(&saved_keys)?;
            let authority = next.to_pem();
            let request = ReplaceAuthorityRequest { authority };
            client.replace_authority(request).await?;
            next.adopt()?;
            output.print(&json!({ "rotated": true }), || {
                format!(
                    "a new authority signs certificates, and is in {} too; nodes get a certificate of \
                     it when they next connect, and `certificates retire` ends the one before",
                    saved_keys.display()
                )
            });
        }
        CertificatesCommand::Retire { confirm: true } => {
            let answer = client.retire_authority(RetireAuthorityRequest {}).await?;
            if !answer.into_inner().retired {
                bail!("there is no authority before this one: `certificates rotate` makes another");
            }
            output.print(&json!({ "retired": true }), || {
                "certificates of the authority before are no longer accepted; a node that still has \
                 one gets another when it next connects"
                    .to_owned()
            });
        }
        CertificatesCommand::Show => show(client, "", output).await?,
        CertificatesCommand::Rotate { .. } | CertificatesCommand::Retire { .. } => {
            show(
                client,
                "\nnothing was changed; add --confirm to do it",
                output,
            )
            .await?;
        }
    }
    Ok(())
}

async fn show(mut client: Client, end: &str, output: Output) -> Result<()> {
    let stand = client.certificates(CertificatesRequest {}).await?;
    let stand = stand.into_inner();
    let value = json!({
        "authority_ends_ms": stand.authority_ends_ms, "former_ends_ms": stand.former_ends_ms,
        "server_ends_ms": stand.server_ends_ms, "public_ends_ms": stand.public_ends_ms,
    });
    output.print(&value, || {
        let lines = [
            ("the authority that signs", stand.authority_ends_ms),
            ("the authority before, still accepted", stand.former_ends_ms),
            ("the port's own certificate", stand.server_ends_ms),
            ("the port's public certificate", stand.public_ends_ms),
        ];
        let lines = lines.into_iter().filter(|(_, end_ms)| *end_ms > 0);
        let lines = lines.map(|(what, end_ms)| format!("{what}: until {}", words::moment(end_ms)));
        lines.collect::<Vec<_>>().join("\n") + end
    });
    Ok(())
}
