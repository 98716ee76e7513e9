//! The real binary: what a person at a terminal sees.

use std::path::Path;
use std::process::{Command, Output};

const NODE: &str = env!("CARGO_BIN_EXE_causeway-node");

fn run(data: &Path, arguments: &[&str]) -> Output {
    // A node that should refuse to serve and does not is ended with code 124.
    Command::new("timeout")
        .args(["20", NODE, "--data"])
        .arg(data)
        .args(arguments)
        .output()
        .expect("the program runs")
}

/// Checks how a command ends and what it says on standard error, or, if it succeeds, on standard
/// output.
fn check(output: &Output, code: i32, says: &str) {
    let text = if code == 0 {
        &output.stdout
    } else {
        &output.stderr
    };
    let text = String::from_utf8_lossy(text);
    assert_eq!(output.status.code(), Some(code), "{text}");
    assert!(text.contains(says), "\"{text}\" should say \"{says}\"");
    assert!(!text.contains("panicked"), "{text}");
}

#[test]
fn a_new_node_is_set_up_once_and_says_what_to_do_next() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let data = folder.path().join("hub");
    check(&run(&data, &["status"]), 1, "run `init` there first");
    check(&run(&data, &["init"]), 0, "connect");
    check(&run(&data, &["init"]), 1, "already holds a node");
    check(&run(&data, &["status"]), 0, "not sent");
    check(&run(&data, &["--json", "space", "list"]), 0, "[]");
}

#[test]
fn wrong_usage_ends_with_64() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    check(&run(folder.path(), &["recrod", "list"]), 64, "record");
    check(&run(folder.path(), &["record", "show"]), 64, "<ID>");
}

#[test]
fn the_doctor_ends_with_2_when_it_finds_something_and_says_what_to_do() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let data = folder.path().join("hub");
    let output = run(&data, &["doctor"]);
    check(&output, 2, "1 fault and 1 warning found");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains("holds no node yet"), "{text}");
    check(&run(&data, &["init"]), 0, "");
    let output = run(&data, &["doctor"]);
    check(&output, 2, "1 warning found");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        text.contains("-> run `setup` with the invitation file"),
        "{text}"
    );
    let output = run(&data, &["--json", "doctor"]);
    let told: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(told["found"], 1);
    assert_eq!(told["checks"][0]["check"], "settings");
    assert_eq!(told["checks"][0]["verdict"], "ok");
    let nowhere = folder.path().join("nothing.invitation");
    let nowhere = nowhere.to_str().expect("plain text");
    check(&run(&data, &["doctor", nowhere]), 1, "cannot be read");
}

#[test]
fn what_cannot_be_written_ends_with_73() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let data = folder.path().join("hub");
    check(&run(&data, &["init"]), 0, "");
    let file = data.join("store.db").join("backup.db");
    let file = file.to_str().expect("plain text");
    check(&run(&data, &["backup", file]), 73, "cannot be written");
}

#[test]
fn a_store_is_checked_and_made_again_and_a_damaged_one_ends_with_2() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let data = folder.path().join("hub");
    check(&run(&data, &["verify"]), 1, "run `init` there first");
    check(&run(&data, &["init"]), 0, "");
    check(&run(&data, &["verify"]), 0, "all is in order");
    check(&run(&data, &["--json", "verify"]), 0, "\"in_order\": true");
    check(&run(&data, &["rebuild"]), 0, "made again");
    let store = data.join("store.db");
    let mut bytes = std::fs::read(&store).expect("the store");
    bytes[..64].fill(0x55);
    std::fs::write(&store, bytes).expect("it is damaged");
    check(&run(&data, &["verify"]), 2, "the store");
    check(&run(&data, &["rebuild"]), 1, "the store");
    std::fs::remove_file(&store).expect("it is gone");
    check(&run(&data, &["verify"]), 2, "lacks its store");
}

#[test]
fn a_backup_is_sealed_to_a_key_and_restored_with_it_once_that_is_confirmed() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let data = folder.path().join("hub");
    check(&run(&data, &["init"]), 0, "");
    let path = |name: &str| folder.path().join(name).display().to_string();
    let (key, file, open) = (path("hub.key"), path("hub.db.age"), path("hub.db"));
    let made = run(&data, &["--json", "backup-key", &key]);
    check(&made, 0, "age1");
    let made = serde_json::from_slice::<serde_json::Value>(&made.stdout).expect("JSON");
    let public = made["key"].as_str().expect("a key");
    check(&run(&data, &["backup-key", &key]), 1, "hub.key");
    check(
        &run(&data, &["backup", &file, "--key", "age1x"]),
        1,
        "is no key",
    );
    check(
        &run(&data, &["backup", &file, "--key", public]),
        0,
        "sealed to a key",
    );
    check(
        &run(&data, &["backup", &file, "--key", public]),
        73,
        "exists",
    );
    check(
        &run(&data, &["backup", &open, "--open"]),
        0,
        "whoever has it",
    );
    check(&run(&data, &["restore", &file]), 1, "--key");
    check(
        &run(&data, &["restore", &file, "--key", &open]),
        1,
        "hub.db",
    );
    check(
        &run(&data, &["restore", &file, "--key", &key]),
        0,
        "nothing was changed",
    );
    let confirmed = ["restore", &file, "--key", &key, "--confirm"];
    check(&run(&data, &confirmed), 0, "restored");
    check(&run(&data, &["restored"]), 0, "no backup was restored");
    check(&run(&data, &["verify"]), 0, "all is in order");
}

#[test]
fn a_bad_setting_stops_the_node_before_it_opens_anything() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let data = folder.path().join("hub");
    check(&run(&data, &["init"]), 0, "");
    let settings = data.join("causeway.toml");
    std::fs::write(&settings, "[sync]\nreconnect_ms_max = 1\n").expect("settings are written");
    check(
        &run(&data, &["serve"]),
        64,
        "sync.reconnect_ms_max = 1 is out of bounds",
    );
    std::fs::write(&settings, "[sink]\n").expect("settings are written");
    check(&run(&data, &["serve"]), 64, "sink");
    std::fs::write(&settings, "[log]\nlevel = \"node=loud\"\n").expect("settings are written");
    check(&run(&data, &["serve"]), 64, "log.level");
    assert!(!data.join("node.sock").exists());
}

#[test]
fn a_node_that_was_never_connected_says_so() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let data = folder.path().join("hub");
    check(&run(&data, &["init"]), 0, "");
    let group = ["record", "new", "work-group", "--set", "title=Algebra"];
    check(&run(&data, &group), 77, "NCETM gives access");
    let nowhere = folder.path().join("nothing.invitation");
    let nowhere = nowhere.to_str().expect("plain text");
    check(&run(&data, &["connect", nowhere]), 1, "cannot be read");
    let damaged = folder.path().join("damaged.invitation");
    std::fs::write(&damaged, "code = 1").expect("a file");
    let damaged = damaged.to_str().expect("plain text");
    check(&run(&data, &["connect", damaged]), 1, "sent again");
    check(&run(&data, &["restore", damaged]), 1, "cannot be restored");
    check(
        &run(&data, &["record", "list", "--kind", "grup"]),
        1,
        "the kinds are",
    );
}
