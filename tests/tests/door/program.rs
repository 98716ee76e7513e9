//! `causeway-node` as a process of its own, and the world that it is set up in.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use node::enrolment::Invitation;
use serde_json::Value;
use tests::world::World;

use crate::middle::HOST;

/// How long anything may take before a test gives up.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A world whose coordinator is dialled by a name that only a proxy knows, or by its address.
pub(crate) async fn named_world() -> World {
    let mut world = World::new().await;
    let address = world.coordinator_address();
    world.stop_coordinator().await;
    let settings = format!(
        "[listen]\naddress = \"{address}\"\npublic = \"{address}\"\nnames = [\"127.0.0.1\", \"{HOST}\"]\n"
    );
    let path = world.path("coordinator").join("causeway.toml");
    std::fs::write(path, settings).expect("settings");
    world.start_coordinator().await;
    world
}

/// The invitation with the coordinator's name in the place of its address.
pub(crate) fn by_name(world: &World, mut invitation: Invitation) -> Invitation {
    let named = format!("{HOST}:{}", world.coordinator_address().port());
    invitation.address = named.parse().expect("an address");
    invitation
}

/// Writes an invitation to a file in the world's folder.
pub(crate) fn written(world: &World, name: &str, invitation: &Invitation) -> PathBuf {
    let path = world.path(name);
    invitation.write(&path).expect("an invitation file");
    path
}

/// A new folder with settings for short pauses, a free port for pages, and these lines.
pub(crate) fn folder(world: &World, name: &str, more_of_sync: &str) -> PathBuf {
    let path = world.path(name);
    std::fs::create_dir_all(&path).expect("a folder");
    let settings = format!(
        "[sync]\nreconnect_ms_min = 100\nreconnect_ms_max = 1000\nreceipt_interval_ms = 100\n\
         {more_of_sync}\n[web]\nlisten = \"127.0.0.1:0\"\n"
    );
    std::fs::write(path.join("causeway.toml"), settings).expect("settings");
    path
}

/// `causeway-node` with these words, in an environment without a proxy.
pub(crate) fn command(data: &Path, words: &[&str]) -> Command {
    program("node", data, words)
}

/// `causeway-coordinator` with these words.
pub(crate) fn coordinator(data: &Path, words: &[&str]) -> Command {
    program("coordinator", data, words)
}

fn program(part: &str, data: &Path, words: &[&str]) -> Command {
    // The demo is both programs, so that Cargo builds one more binary and not two.
    let mut command = Command::new(env!("CARGO_BIN_EXE_causeway-demo"));
    command.args([part, "--data"]).arg(data).args(words);
    for name in ["HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"] {
        command.env_remove(name).env_remove(name.to_lowercase());
    }
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// How a command ended: its code, and what it said on each stream.
pub(crate) struct Said {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) error: String,
}

/// Runs a command to its end, away from the threads on which the coordinator answers it.
pub(crate) async fn run(mut command: Command) -> Said {
    let output = tokio::task::spawn_blocking(move || command.output());
    let output = tokio::time::timeout(PATIENCE, output)
        .await
        .expect("it ends by itself");
    let output = output.expect("it is run").expect("it runs");
    Said {
        code: output.status.code(),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        error: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// What the doctor says in JSON, by the name of the check.
pub(crate) fn checks(said: &Said) -> Vec<Value> {
    let value: Value = serde_json::from_str(&said.out)
        .unwrap_or_else(|error| panic!("{error}: {}{}", said.out, said.error));
    value["checks"].as_array().expect("checks").clone()
}
