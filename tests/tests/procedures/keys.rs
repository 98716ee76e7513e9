//! Keys that are replaced while hubs stay connected.

use std::path::Path;
use std::time::Duration;

use serde_json::Value;
use tests::world::until;

use crate::machine::Machine;
use crate::manual::Procedure;
use crate::network::{Network, SOUTH, SOUTH_NAME, text};

/// The safe's folder, wherever the manual has it.
fn from_safe(command: &str) -> String {
    command.replace("/media/safe", "keys")
}

/// The node's id, once it has no former one any more.
async fn settled(at: &Machine, command: &str) -> String {
    for _ in 0..600 {
        let ended = at.end(&format!("{command} --json")).await;
        // It closes and opens itself, and does not answer meanwhile.
        let known = serde_json::from_str::<Value>(ended.said.trim()).unwrap_or_default();
        if known["former"] == "" && known["successor"] == "" {
            return text(&known["node"]);
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("{command} names a former node still");
}

#[tokio::test(flavor = "multi_thread")]
async fn identity_keys_are_replaced() {
    let network = Network::begin().await;
    let ncetm = &network.coordinator;
    let mut south = network.hub(SOUTH, SOUTH_NAME).await;

    let mut manual = Procedure::part("Identity keys", "A node's key.");
    let said = south
        .run(&manual.next("causeway-node identity rotate"))
        .await;
    assert!(said.contains("nothing was changed"), "{said}");
    let before = settled(&south, "causeway-node identity show").await;
    let said = south
        .run(&manual.next("causeway-node identity rotate"))
        .await;
    assert!(said.contains("print the recovery sheet again"), "{said}");
    let after = settled(&south, &manual.next("causeway-node identity show")).await;
    assert_ne!(after, before);
    let nodes = ncetm.json("causeway-coordinator node list").await;
    let nodes = nodes.as_array().expect("a list");
    let state = |id: &str| {
        nodes
            .iter()
            .find(|node| node["node"] == id)
            .map(|node| &node["state"])
    };
    assert_eq!(state(&before), Some(&Value::from("revoked")), "{nodes:?}");
    assert_ne!(state(&after), Some(&Value::from("revoked")), "{nodes:?}");
    manual.done();

    let mut manual = Procedure::part("Identity keys", "The coordinator's key.");
    let root = ncetm.path("keys/root.key");
    std::fs::rename(&root, ncetm.path("root.key")).expect("it stays in the safe");
    let asked = from_safe(&manual.next("causeway-coordinator identity rotate"));
    assert!(ncetm.run(&asked).await.contains("nothing was changed"));
    let before = settled(ncetm, "causeway-coordinator identity show").await;
    ncetm
        .run(&from_safe(
            &manual.next("causeway-coordinator identity rotate"),
        ))
        .await;
    let after = settled(ncetm, &manual.next("causeway-coordinator identity show")).await;
    assert_ne!(after, before);
    let pinned = || read(&south.data().join("membership.toml"));
    until("the hub has followed", || pinned().contains(&after)).await;
    assert!(read(&ncetm.path("keys/successions")).contains(&after));
    manual.done();
    south.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_authority_signs_certificates() {
    let network = Network::begin().await;
    let ncetm = &network.coordinator;
    let mut south = network.hub(SOUTH, SOUTH_NAME).await;
    let mut manual = Procedure::part("Certificates", "Another authority.");
    let asked = from_safe(&manual.next("causeway-coordinator certificates rotate"));
    assert!(ncetm.run(&asked).await.contains("nothing was changed"));
    let authority = ncetm.path("keys/authority.pem");
    let before = read(&authority);
    for begins in [
        "causeway-coordinator certificates rotate",
        "causeway-coordinator certificates retire",
    ] {
        ncetm.run(&from_safe(&manual.next(begins))).await;
    }
    assert_ne!(read(&authority), before);
    manual.done();
    // It is turned away with the certificate that it had, and gets another.
    south.stop().await;
    let kept = south.data().join("credentials.pem");
    let old = read(&kept);
    south.serve("causeway-node serve").await;
    until("it has another", || read(&kept) != old).await;
    south.stop().await;
}

fn read(file: &Path) -> String {
    std::fs::read_to_string(file).expect("it is there")
}
