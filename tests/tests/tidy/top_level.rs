//! The top level holds what it is meant to hold, and nothing else.

use std::collections::BTreeSet;
use std::fs;

use crate::workspace::{none, read, root};

const NEEDED: [&str; 21] = [
    ".cargo",
    ".ci",
    ".gitignore",
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE",
    "README.md",
    "SECURITY.md",
    "clippy.toml",
    "coordinator",
    "deny.toml",
    "deploy",
    "docs",
    "node",
    "proto",
    "rust-toolchain.toml",
    "rustfmt.toml",
    "tests",
];

#[test]
fn the_top_level_holds_only_what_it_should() {
    let needed = BTreeSet::from(NEEDED.map(str::to_owned));
    let ignored = read(".gitignore");
    let ignored = ignored.lines().map(|line| line.trim_matches('/'));
    let mut allowed = ignored.map(str::to_owned).collect::<BTreeSet<_>>();
    allowed.insert(".git".to_owned());
    let found = fs::read_dir(root())
        .expect("the workspace's folder can be read")
        .map(|entry| {
            let name = entry
                .expect("the workspace's folder can be read")
                .file_name();
            name.to_string_lossy().into_owned()
        });
    let found = found.collect::<BTreeSet<_>>();
    let mut faults = Vec::new();
    for name in needed.difference(&found) {
        faults.push(format!("{name} is missing"));
    }
    for name in found
        .difference(&needed)
        .filter(|name| !allowed.contains(*name))
    {
        faults.push(format!("{name} does not belong at the top level"));
    }
    none(&faults);
}
