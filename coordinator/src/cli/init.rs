//! `init`: sets up a network, or a coordinator from saved keys.

use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::Args;
use node::cli::output::Output;
use node::clock::now_ms;
use serde_json::json;

use crate::Coordinator;
use crate::saved_keys::SavedKeys;

/// Which keys to use.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(super) struct InitArguments {
    /// Begin a new network and write its keys to this folder, which belongs in a safe.
    #[arg(long, value_name = "FOLDER")]
    new_keys: Option<PathBuf>,
    /// Set up a coordinator for the network whose keys were saved in this folder.
    #[arg(long, value_name = "FOLDER")]
    saved_keys: Option<PathBuf>,
}

pub(super) fn run(data: &Path, arguments: &InitArguments, output: Output) -> Result<()> {
    let (coordinator, next) = match (&arguments.new_keys, &arguments.saved_keys) {
        (Some(folder), _) => {
            // Nothing that can be known beforehand may leave keys of a network that never began.
            Coordinator::check(data).map_err(super::with_code)?;
            let keys = SavedKeys::generate(now_ms())?;
            // The keys first: a network whose keys are lost cannot be rebuilt.
            keys.write(folder)?;
            let next = format!(
                "its keys are in {}: put a copy in a safe, and take root.key off this machine",
                folder.display()
            );
            let made = Coordinator::create(data, &keys).map_err(|error| {
                // The network never began, so that its keys are nobody's.
                undo(data, folder);
                super::with_code(error)
            })?;
            (made, next)
        }
        (None, Some(folder)) => {
            let next =
                "start it with `serve`; when the hubs have reported, run `authority take-over`";
            (
                Coordinator::set_up_again(data, &SavedKeys::read(folder)?)
                    .map_err(super::with_code)?,
                next.to_owned(),
            )
        }
        (None, None) => anyhow::bail!("give --new-keys or --saved-keys"),
    };
    let network = coordinator.network().to_string();
    let value = json!({ "network": network, "data": data });
    output.print(&value, || {
        format!(
            "the coordinator of network {network} is set up in {}\n{next}",
            data.display()
        )
    });
    Ok(())
}

/// Takes away what was made of a network that did not come about, so that it can be begun again.
fn undo(data: &Path, keys: &Path) {
    SavedKeys::remove(keys);
    if let Err(error) = Coordinator::remove_begun(data) {
        eprintln!(
            "what was begun could not be taken away ({error}): delete {} but for causeway.toml before you \
             try again",
            data.display()
        );
    }
}
