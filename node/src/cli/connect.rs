//! `connect`: joins a network with an invitation.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::Args;
use serde_json::json;

use super::exit::Exit;
use super::output::{Output, moment};
use crate::Node;
use crate::enrolment::{CheckNumber, Connecting, ConnectingState, Invitation};

/// With which invitation.
#[derive(Debug, Args)]
pub(super) struct ConnectArguments {
    /// The invitation file, or `-` for standard input; without one, the request that was begun before goes
    /// on.
    file: Option<PathBuf>,
    /// Return once the request waits; `serve`, or `connect` again, goes on with it.
    #[arg(long)]
    no_wait: bool,
}

pub(super) async fn run(
    data: &Path,
    ConnectArguments { file, no_wait }: ConnectArguments,
    output: Output,
) -> Result<()> {
    let invitation = file.as_deref().map(Invitation::read).transpose()?;
    let node = super::open(data)?;
    let connecting = match invitation {
        Some(invitation) => node.connect(&invitation.to_toml()?)?,
        None => node
            .resume_connecting()?
            .context("no request to connect was begun here: give the invitation file")?,
    };
    let mut changes = connecting.changes();
    let mut told = false;
    let mut troubled = false;
    loop {
        let progress = changes.borrow_and_update().clone();
        match progress.state {
            ConnectingState::Admitted => {
                print(&node, &connecting, "admitted", output);
                return Ok(());
            }
            ConnectingState::Asking => {
                if let Some(trouble) = progress.trouble {
                    // With the file at hand the person tries again; what was begun before stays.
                    if file.is_some() {
                        node.forget_connecting()?;
                    }
                    return Err(Exit::Unreachable.with(trouble.to_string()).into());
                }
            }
            ConnectingState::Waiting { lapses_ms, .. } => {
                if no_wait {
                    print(&node, &connecting, "waiting", output);
                    return Ok(());
                }
                if let Some(number) = progress.check_number.filter(|_| !told) {
                    told = true;
                    eprintln!("{}", instruction(&connecting, number, lapses_ms));
                }
                if let Some(trouble) = progress.trouble.filter(|_| !troubled) {
                    troubled = true;
                    eprintln!("{trouble}; it is asked again until it answers");
                }
            }
            outcome @ (ConnectingState::Refused(_)
            | ConnectingState::Expired(_)
            | ConnectingState::Failed(_)) => {
                return Err(Exit::of_outcome(&outcome).into());
            }
        }
        changes.changed().await?;
    }
}

fn instruction(connecting: &Connecting, number: CheckNumber, lapses_ms: u64) -> String {
    format!(
        "check number {number}\n{} waits to be admitted: telephone NCETM and compare the number; it \
         must be the same on both screens. This goes on until {} and may be stopped with Ctrl-C: \
         `connect` again, or `serve`, goes on with it.",
        connecting.hub_name(),
        moment(lapses_ms)
    )
}

fn print(node: &Node, connecting: &Connecting, state: &str, output: Output) {
    let check = connecting.check_number().map(|number| number.to_string());
    let trouble = connecting.progress().trouble;
    let value = json!({
        "hub": connecting.hub_code(), "network": connecting.network().to_string(),
        "check_number": check, "state": state,
    });
    output.print(&value, || {
        let (hub, data) = (connecting.hub_name(), node.folder().display());
        let next = format!("start it next: causeway-node --data {data} serve");
        match (state, check) {
            ("admitted", Some(check)) => {
                format!("connected as {hub}; check number {check}\n{next}")
            }
            ("admitted", None) => format!("connected as {hub}\n{next}"),
            (_, Some(check)) => format!(
                "check number {check}\n{hub} waits to be admitted: telephone NCETM and compare \
                 the number; it must be the same on both screens\n{next}"
            ),
            (_, None) => format!(
                "{hub} waits to be admitted, and there is no check number yet: {}\n{next}",
                trouble.unwrap_or_default()
            ),
        }
    });
}
