//! The demo holds what it promises: it is run as people run it, and its last line is read.

use std::process::Command;

use serde_json::{Value, json};

#[test]
fn the_demo_plays_to_its_end_and_all_of_it_holds() {
    let played = Command::new(env!("CARGO_BIN_EXE_causeway-demo"))
        .arg("--once")
        .output()
        .expect("the demo runs");
    let said = String::from_utf8_lossy(&played.stdout);
    assert!(
        played.status.success(),
        "{said}\n{}",
        String::from_utf8_lossy(&played.stderr)
    );
    let last = said.lines().last().expect("a last line");
    let outcome = serde_json::from_str::<Value>(last).expect("the last line is JSON");
    for (name, wanted) in [
        ("hubs", json!(3)),
        ("converged", json!(true)),
        ("coordinator_rebuilt", json!(true)),
        ("restored_hub_rejoined", json!(true)),
        ("acknowledged_lost", json!(0)),
        ("private_values_at_coordinator", json!(0)),
        ("control_values_at_coordinator", json!(3)),
    ] {
        assert_eq!(outcome[name], wanted, "{name} in {last}");
    }
    assert_eq!(outcome["figures_before"], outcome["figures_after"]);
    assert_eq!(outcome["versions_shown"], outcome["versions_settled"]);
}
