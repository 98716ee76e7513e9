//! What Causeway is measured beside stands outside the workspace, and is the same everywhere.

use serde_json::Value;

use crate::workspace::{locked, none, read, read_toml};

const SAMOD: &str = "tests/peers/samod";
const AUTOMERGE_REPO: &str = "tests/peers/automerge-repo";

#[test]
fn the_peers_are_no_part_of_the_workspace() {
    let root = read_toml("Cargo.toml");
    let excluded = root["workspace"]["exclude"].as_array();
    let excluded = excluded.expect("a list of what is excluded");
    assert!(excluded.iter().any(|it| it.as_str() == Some("tests/peers")));
    let manifest = read_toml(format!("{SAMOD}/Cargo.toml"));
    assert!(
        manifest.contains_key("workspace"),
        "{SAMOD} is a workspace of its own"
    );
    let ours = locked().into_iter().map(|package| package.name);
    let theirs = ours.filter(|name| name.starts_with("samod") || name.starts_with("peer-"));
    none(
        &theirs
            .map(|name| format!("{name} is in the workspace's lockfile"))
            .collect::<Vec<_>>(),
    );
}

#[test]
fn the_peers_have_lockfiles_of_their_own() {
    let lock = read_toml(format!("{SAMOD}/Cargo.lock"));
    let packages = lock["package"].as_array().expect("a list of packages");
    let version = packages
        .iter()
        .find(|package| package["name"].as_str() == Some("samod"))
        .and_then(|package| package["version"].as_str())
        .expect("samod is locked");
    let manifest = read_toml(format!("{SAMOD}/Cargo.toml"));
    let asked = manifest["dependencies"]["samod"]["version"].as_str();
    assert_eq!(asked, Some(format!("={version}").as_str()));

    let package = read_json(&format!("{AUTOMERGE_REPO}/package.json"));
    let lock = read_json(&format!("{AUTOMERGE_REPO}/package-lock.json"));
    let asked = package["dependencies"].as_object().expect("dependencies");
    let mut faults = Vec::new();
    for (name, version) in asked {
        if lock["packages"][""]["dependencies"][name] != *version {
            faults.push(format!("{name}: package.json and its lockfile differ"));
        }
        if lock["packages"][format!("node_modules/{name}")]["version"] != *version {
            faults.push(format!(
                "{name} is not locked at {version}: name one version"
            ));
        }
    }
    none(&faults);
}

#[test]
fn the_comparison_has_its_place_in_the_documents() {
    let text = read("docs/performance.md");
    let place = |mark: &str| {
        let found = text.match_indices(mark).map(|(place, _)| place);
        let found = found.collect::<Vec<_>>();
        assert_eq!(found.len(), 1, "{mark} stands once in docs/performance.md");
        found[0]
    };
    assert!(place("<!-- versus:begin -->") < place("<!-- versus:end -->"));
}

fn read_json(path: &str) -> Value {
    serde_json::from_str(&read(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}
