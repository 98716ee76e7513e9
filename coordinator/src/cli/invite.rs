//! `invite`: makes an invitation file for one hub.

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Args;
use node::cli::output::Output;
use node::enrolment::Invitation;
use proto::coordinator::v1::InviteRequest;
use serde_json::json;

use super::Client;

/// Whom to invite.
#[derive(Debug, Args)]
pub(super) struct InviteArguments {
    /// The hub's code, such as south-yorkshire.
    code: String,
    /// The hub's name.
    #[arg(long)]
    name: String,
    /// How long the invitation is good for, in hours; the setting listen.invitation_hours if left out.
    #[arg(long, default_value_t = 0)]
    hours: u32,
    /// Admit the node that uses it at once, without comparing check numbers; for scripts.
    #[arg(long)]
    admit_at_once: bool,
    /// The invitation file to write.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

pub(super) async fn run(
    mut client: Client,
    arguments: InviteArguments,
    output: Output,
) -> Result<()> {
    let InviteArguments {
        code,
        name,
        hours,
        admit_at_once,
        out,
    } = arguments;
    anyhow::ensure!(
        !out.exists(),
        "{} exists already; choose another name",
        out.display()
    );
    let answer = client
        .invite(InviteRequest {
            code: code.clone(),
            name,
            hours,
            admit_at_once,
        })
        .await?
        .into_inner();
    let invitation = Invitation::from_toml(&answer.invitation)?;
    invitation
        .write(&out)
        .context("the code was made and is lost; invite the hub again")?;
    let value = json!({ "code": code, "file": out, "expires_ms": invitation.expires_ms });
    output.print(&value, || {
        format!(
            "{} is good until {}; pass it on as you would a password",
            out.display(),
            node::cli::output::moment(invitation.expires_ms)
        )
    });
    Ok(())
}
