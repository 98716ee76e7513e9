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
