//! The command itself.

use std::path::Path;
use std::process::{Command, Output};

fn run(data: &Path, words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_causeway-coordinator"))
        .arg("--data")
        .arg(data)
        .args(words)
        .output()
        .expect("the command runs")
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

#[test]
fn settings_that_cannot_be_used_leave_no_keys_behind() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (data, keys) = (folder.path().join("data"), folder.path().join("keys"));
    std::fs::create_dir(&data).expect("a folder");
    std::fs::write(
        data.join("causeway.toml"),
        "[listen]\npublic = \"no port\"\n",
    )
    .expect("settings");
    let keys_text = keys.to_string_lossy();
    let refused = run(&data, &["init", "--new-keys", &keys_text]);
    assert_eq!(refused.status.code(), Some(64), "{}", text(&refused));
    assert!(!keys.exists());
}

#[test]
fn revoking_says_first_what_it_would_end() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (data, keys) = (folder.path().join("data"), folder.path().join("keys"));
    let file = folder.path().join("invitation.toml");
    let (keys, file) = (keys.to_string_lossy(), file.to_string_lossy());
    let done = |words: &[&str]| {
        let output = run(&data, words);
        assert!(output.status.success(), "{}", text(&output));
        text(&output)
    };
    done(&["init", "--new-keys", &keys]);
    let code = "south-yorkshire";
    done(&["invite", code, "--name", "South", "--out", &file]);
    let said = done(&["revoke", code]);
    assert!(said.contains("add --confirm"), "{said}");
    done(&["space", "create", "network", "Notices"]);
    done(&["revoke", code, "--confirm"]);
    let refused = run(&data, &["revoke", code, "--confirm"]);
    assert!(text(&refused).contains("was revoked"), "{}", text(&refused));
}

#[test]
fn health_and_nodes_can_be_asked_before_anyone_has_connected() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (data, keys) = (folder.path().join("data"), folder.path().join("keys"));
    let file = folder.path().join("invitation.toml");
    let (keys, file) = (keys.to_string_lossy(), file.to_string_lossy());
    let done = |words: &[&str]| {
        let output = run(&data, words);
        assert!(output.status.success(), "{}", text(&output));
        text(&output)
    };
    done(&["init", "--new-keys", &keys]);
    let code = "south-yorkshire";
    done(&["invite", code, "--name", "South", "--out", &file]);
    let said = done(&["health"]);
    assert!(
        said.contains("invited") && said.contains("0 silent for 2 days"),
        "{said}"
    );
    let said = done(&["health", "--silent-for", "12h", "--json"]);
    assert!(said.contains("\"silent_for_ms\": 43200000"), "{said}");
    let wrong = run(&data, &["health", "--silent-for", "long"]);
    assert!(text(&wrong).contains("write it as 30m"), "{}", text(&wrong));
    assert!(done(&["node", "list"]).contains("CHECK NUMBER"));
    let nobody = run(&data, &["node", "revoke", code]);
    assert!(
        text(&nobody).contains("no node of a hub is named"),
        "{}",
        text(&nobody)
    );
    let said = done(&["suspend", code, "--why", "a test"]);
    assert!(said.contains("is suspended"), "{said}");
    assert!(done(&["health"]).contains("it is suspended (a test)"));
    assert!(done(&["resume", code]).contains("may connect again"));
    let again = run(&data, &["resume", code]);
    assert!(
        text(&again).contains("is not suspended"),
        "{}",
        text(&again)
    );
}

#[test]
fn a_new_network_is_filled_with_a_nation_and_its_records_come_out_again() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let data = folder.path().join("data");
    let file = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
    let done = |words: &[&str]| {
        let output = run(&data, words);
        assert!(output.status.success(), "{words:?}: {}", text(&output));
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    done(&["init", "--new-keys", &file("keys")]);
    let made = done(&["--json", "sample", "--seed", "5", "--small"]);
    let made = serde_json::from_str::<serde_json::Value>(&made).expect("JSON");
    let nation = node_domain::sample::Nation::generate(5, node_domain::sample::Scale::Small);
    let made = &made["made"];
    assert_eq!(made["programme"], 1);
    assert_eq!(made["hub"], nation.hubs.len());
    assert_eq!(made["project"], nation.projects.len());
    assert_eq!(made["forum-thread"], nation.threads.len());
    assert_eq!(made["organisation"], nation.register.len());
    let refused = run(&data, &["sample", "--seed", "5", "--small"]);
    assert!(!refused.status.success());
    assert!(
        text(&refused).contains("records in this network already"),
        "{}",
        text(&refused)
    );

    // All of it is where it belongs: a vacant area with its neighbours, projects, the forum.
    let hubs = done(&[
        "record",
        "list",
        "--kind",
        "hub",
        "--filter",
        "vacant is yes",
    ]);
    assert!(hubs.contains(node_domain::sample::VACANT_AREA), "{hubs}");
    assert!(hubs.contains("south-yorkshire, west-yorkshire"), "{hubs}");
    let threads = done(&["record", "list", "--kind", "forum-thread"]);
    assert!(
        threads.contains("Dates of the national meeting"),
        "{threads}"
    );

    let csv = file("projects.csv");
    done(&["export", "list", &csv, "--kind", "project"]);
    let csv = std::fs::read_to_string(&csv).expect("the list");
    assert!(
        csv.contains("NCP") && csv.contains("Supporting Core Maths"),
        "{csv}"
    );
    let complete = file("complete");
    done(&["export", "hub", &complete]);
    assert!(
        std::path::Path::new(&complete)
            .join("manifest.json")
            .exists()
    );
    let picture = done(&["report", "picture", "schools-completed", "2026-27 spring"]);
    assert!(picture.contains("missing"), "{picture}");
    let register = file("register.csv");
    let school = "URN,EstablishmentName,EstablishmentStatus (name)\n999999,A New School,Open\n";
    std::fs::write(&register, school).expect("a register");
    let import = ["--json", "import", "register", &register];
    let imported = serde_json::from_str::<serde_json::Value>(&done(&import)).expect("JSON");
    assert_eq!(
        (&imported["new"], &imported["wrong"]),
        (&1.into(), &0.into())
    );
    assert!(done(&["schema"]).contains("work-group"));
}
