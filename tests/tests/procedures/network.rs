//! A coordinator and hubs on computers of their own, set up by commands.

use std::net::TcpListener;

use serde_json::Value;
use tempfile::TempDir;

use crate::machine::Machine;

/// The hub of most stories.
pub(crate) const SOUTH: &str = "south-yorkshire";
pub(crate) const SOUTH_NAME: &str = "South Yorkshire Maths Hub";

const QUICK: &str = "[sync]\nreconnect_ms_min = 100\nreconnect_ms_max = 1000\n\
                     receipt_interval_ms = 100\n";

/// A network. All its folders are deleted when it is dropped.
pub(crate) struct Network {
    folder: TempDir,
    port: u16,
    pub(crate) coordinator: Machine,
}

impl Network {
    /// A new network, whose coordinator serves.
    pub(crate) async fn begin() -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
        let port = free.expect("a free port").port();
        let coordinator = coordinator(&folder, "ncetm", port);
        let mut network = Self {
            folder,
            port,
            coordinator,
        };
        let ncetm = &mut network.coordinator;
        ncetm.run("causeway-coordinator init --new-keys keys").await;
        ncetm.serve("causeway-coordinator serve").await;
        network
    }

    /// Another computer for the coordinator, with what was in the safe.
    pub(crate) fn new_coordinator(&self, name: &str) -> Machine {
        coordinator(&self.folder, name, self.port)
    }

    /// A new computer, for a hub's node.
    pub(crate) fn computer(&self, name: &str) -> Machine {
        let settings = format!("{QUICK}[web]\nlisten = \"127.0.0.1:0\"\n");
        Machine::new(self.folder.path().join(name), "causeway-data", &settings)
    }

    /// A hub on a new computer, connected and serving.
    pub(crate) async fn hub(&self, code: &str, name: &str) -> Machine {
        let mut hub = self.computer(code);
        let file = hub.path("invitation.toml");
        let file = file.display();
        let invite = format!(
            "causeway-coordinator invite {code} --name '{name}' --admit-at-once --out {file}"
        );
        self.coordinator.run(&invite).await;
        hub.start("causeway-node setup invitation.toml");
        hub.says("connected as").await;
        hub.answers().await;
        hub
    }

    /// Makes a project's space that these hubs write in; returns its id, and that of its record.
    pub(crate) async fn project(&self, hubs: &[&str]) -> (String, String) {
        let ncetm = &self.coordinator;
        let made = ncetm
            .json("causeway-coordinator space create project 'A project' --code NCP27-01")
            .await;
        let space = text(&made["space"]);
        for hub in hubs {
            let grant = format!("causeway-coordinator space grant {space} {hub}");
            ncetm.run(&grant).await;
        }
        (space, text(&made["record"]))
    }
}

/// Makes a record at a hub; returns its id.
pub(crate) async fn record(at: &Machine, kind: &str, more: &str) -> String {
    let made = at
        .json(&format!("causeway-node record new {kind} {more}"))
        .await;
    text(&made["id"])
}

/// The id of the one node that a hub has.
pub(crate) async fn node_of(ncetm: &Machine, code: &str) -> String {
    let nodes = ncetm.json("causeway-coordinator node list").await;
    let nodes = nodes.as_array().expect("a list");
    let mut nodes = nodes.iter().filter(|node| node["hub"] == code);
    let node = text(&nodes.next().expect("it has one")["node"]);
    assert!(nodes.next().is_none(), "it has no other");
    node
}

/// A text in JSON.
pub(crate) fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

fn coordinator(folder: &TempDir, name: &str, port: u16) -> Machine {
    let address = format!("127.0.0.1:{port}");
    let settings = format!(
        "{QUICK}[listen]\naddress = \"{address}\"\npublic = \"{address}\"\n[web]\nlisten = \"\"\n"
    );
    Machine::new(folder.path().join(name), "coordinator-data", &settings)
}
