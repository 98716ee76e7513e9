//! The demo holds what it promises: it is run as people run it, and its last line is read.

use std::path::Path;
use std::process::{Command, Output};

use node_domain::Sheet;
use node_domain::sample::{HubYear, SampleOptions, Scale};
use serde_json::{Value, json};

#[test]
fn the_demo_plays_to_its_end_and_all_of_it_holds() {
    let outcome = played(&["--once"]);
    assert_eq!(outcome["seed"], 1);
    assert_eq!(outcome["sheet"], Value::Null);
    assert!(outcome["published"].as_u64() >= Some(3), "{outcome}");
}

#[test]
fn a_hub_lead_brings_her_own_sheet_and_her_groups_take_part() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("our groups.xlsx");
    let of_another_year = SampleOptions::new(7, "her-hub", Scale::Small);
    let (headers, mut rows) = HubYear::generate(&of_another_year).groups_sheet();
    let groups = HubYear::generate(&of_another_year).groups.len();
    let phase = headers.iter().position(|header| header == "Phase");
    // One row is wrong, and hinders no other.
    rows[0][phase.expect("a column of phases")] = "under water".to_owned();
    let sheet = Sheet::new(headers, rows)
        .write_xlsx("Groups")
        .expect("a workbook");
    std::fs::write(&file, sheet).expect("the sheet is written");

    let name = file.to_str().expect("a name in UTF-8");
    let outcome = played(&["--once", "--seed", "5", "--groups", name]);
    assert_eq!(outcome["seed"], 5);
    let sheet = &outcome["sheet"];
    let number = |name: &str| {
        let number = sheet[name].as_u64();
        number.unwrap_or_else(|| panic!("{name} in {sheet}"))
    };
    assert!(number("recognised") >= 6, "{sheet}");
    assert!(number("wrong") >= 1, "{sheet}");
    assert!(number("imported") >= 2, "{sheet}");
    assert!(number("imported") < groups as u64, "{sheet}");
    assert!(number("people") >= 1, "{sheet}");
    assert_eq!(number("added_by_second_import"), 0, "{sheet}");
    assert_eq!(
        number("published") + number("kept_back"),
        number("imported"),
        "{sheet}"
    );
    let figures = outcome["figures_after"]
        .as_array()
        .expect("rows of figures");
    let counted = figures.iter().filter_map(|row| row["groups"].as_u64());
    assert_eq!(Some(counted.sum::<u64>()), outcome["published"].as_u64());
    assert!(outcome["published"].as_u64() > Some(number("published")));
}

#[test]
fn a_sheet_that_cannot_be_read_ends_it_before_anything_is_started() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let refused = |file: &Path| {
        let (file, data) = (file.to_string_lossy(), data.to_string_lossy());
        let output = demo(&["--once", "--data", &data, "--groups", &file]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert_eq!(String::from_utf8_lossy(&output.stdout), "", "{said}");
        said
    };
    let missing = refused(&folder.path().join("nowhere.xlsx"));
    assert!(missing.contains("cannot be read"), "{missing}");
    for (name, content) in [
        ("picture.xlsx", b"\x89PNG\r\n".as_slice()),
        ("empty.csv", b"".as_slice()),
        ("headings.csv", b"Work group,Code\n".as_slice()),
        ("birds.csv", b"Bird,Wingspan\nHeron,180\n".as_slice()),
    ] {
        let file = folder.path().join(name);
        std::fs::write(&file, content).expect("the file is written");
        let said = refused(&file);
        assert!(said.contains(name) && said.lines().count() == 1, "{said}");
    }
    assert!(!data.exists(), "a folder was made");
}

#[test]
fn a_time_that_is_none_is_refused_in_a_sentence() {
    for (pace, why) in [
        ("soon", "write seconds or minutes, as 90s or 3m"),
        ("3", "write seconds or minutes, as 90s or 3m"),
        ("5s", "the story takes between 10s and 60m"),
        ("2000m", "the story takes between 10s and 60m"),
    ] {
        let output = demo(&["--once", "--pace", pace]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && said.contains(why), "{said}");
        assert_eq!(String::from_utf8_lossy(&output.stdout), "", "{said}");
    }
}

fn demo(arguments: &[&str]) -> Output {
    let mut demo = Command::new(env!("CARGO_BIN_EXE_causeway-demo"));
    demo.args(arguments).output().expect("the demo runs")
}

/// Plays the demo, and makes sure of what every play must come to.
fn played(arguments: &[&str]) -> Value {
    let played = demo(arguments);
    let said = String::from_utf8_lossy(&played.stdout);
    assert!(
        played.status.success(),
        "{said}\n{}",
        String::from_utf8_lossy(&played.stderr)
    );
    println!("{said}");
    let last = said.lines().last().expect("a last line");
    let outcome = serde_json::from_str::<Value>(last).expect("the last line is JSON");
    for (name, wanted) in [
        ("hubs", json!(3)),
        ("pages", json!(4)),
        ("converged", json!(true)),
        ("coordinator_rebuilt", json!(true)),
        ("figures_as_counted", json!(true)),
        ("previewed_is_published", json!(true)),
        ("restored_hub_rejoined", json!(true)),
        ("acknowledged_lost", json!(0)),
        ("private_values_at_coordinator", json!(0)),
        ("control_values_at_coordinator", json!(3)),
    ] {
        assert_eq!(outcome[name], wanted, "{name} in {last}");
    }
    assert_eq!(outcome["figures_before"], outcome["figures_after"]);
    assert_eq!(outcome["versions_shown"], outcome["versions_settled"]);
    assert_eq!(outcome["published"], outcome["disclosures"]);
    outcome
}
