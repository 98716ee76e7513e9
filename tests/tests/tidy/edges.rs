//! Which crate may use which. A new edge is a line here that a reviewer sees.

use std::collections::{BTreeMap, BTreeSet};

use crate::sources::code_of;
use crate::workspace::{Member, files, locked, members, none};

/// The crates of this workspace that each of them may use.
const ALLOWED: [(&str, &[&str]); 10] = [
    ("proto", &[]),
    ("node-feed", &[]),
    ("node-sync", &["node-feed"]),
    ("node-store", &["node-feed"]),
    ("node-document", &["node-feed"]),
    ("node-domain", &["node-document", "node-feed"]),
    (
        "node",
        &[
            "node-document",
            "node-domain",
            "node-feed",
            "node-store",
            "node-sync",
            "proto",
        ],
    ),
    ("coordinator-registry", &["node-feed"]),
    // Not node-store, node-sync or node-document: the coordinator has no private path to documents.
    (
        "coordinator",
        &[
            "coordinator-registry",
            "node",
            "node-domain",
            "node-feed",
            "proto",
        ],
    ),
    (
        "tests",
        &[
            "coordinator",
            "coordinator-registry",
            "node",
            "node-document",
            "node-domain",
            "node-feed",
            "node-store",
            "node-sync",
            "proto",
        ],
    ),
];

const NETWORK: [&str; 6] = ["hyper", "prost", "proto", "rustls", "tokio", "tonic"];
const DATABASE: [&str; 2] = ["libsqlite3-sys", "rusqlite"];
const DOCUMENTS: [&str; 2] = ["automerge", "autosurgeon"];

/// What each crate must never know, however far down its dependencies.
const NEVER: [(&str, &[&[&str]]); 7] = [
    ("proto", &[&DATABASE, &DOCUMENTS]),
    ("node-feed", &[&NETWORK, &DATABASE, &DOCUMENTS]),
    ("node-sync", &[&NETWORK, &DATABASE, &DOCUMENTS]),
    ("node-store", &[&NETWORK, &DOCUMENTS]),
    ("node-document", &[&NETWORK, &DATABASE]),
    ("node-domain", &[&NETWORK, &DATABASE]),
    ("coordinator-registry", &[&NETWORK, &DOCUMENTS]),
];

/// Time, files, sockets and threads: crates that take them as arguments must not reach for them.
const OUTSIDE: [&str; 7] = [
    "Instant::now",
    "SystemTime",
    "std::env::",
    "std::fs",
    "std::net",
    "std::process",
    "std::thread",
];

const INNER: [&str; 4] = [
    "node/document/src",
    "node/domain/src",
    "node/feed/src",
    "node/sync/src",
];

#[test]
fn crates_use_only_what_they_may() {
    let members = members();
    let allowed = BTreeMap::from(ALLOWED);
    let mut faults = Vec::new();
    for (name, member) in &members {
        let Some(allowed) = allowed.get(name.as_str()) else {
            faults.push(format!(
                "{name} is not in the list of edges: say what it may use"
            ));
            continue;
        };
        for used in member.uses.union(&member.tests_use) {
            if members.contains_key(used) && !allowed.contains(&used.as_str()) {
                faults.push(format!("{name} must not use {used}"));
            }
        }
    }
    none(&faults);
}

#[test]
fn crates_do_not_reach_what_they_must_never_know() {
    let members = members();
    let mut external: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for package in locked() {
        external
            .entry(package.name)
            .or_default()
            .extend(package.uses);
    }
    let mut faults = Vec::new();
    for (name, never) in NEVER {
        let reached = reach(name, &members, &external);
        for never in never.iter().copied().flatten() {
            if let Some(path) = reached.get(*never) {
                faults.push(format!(
                    "{name} must never know {never}, and reaches it by {path}"
                ));
            }
        }
    }
    none(&faults);
}

#[test]
fn inner_crates_reach_for_no_clock_file_socket_or_thread() {
    let mut faults = Vec::new();
    for file in files(".rs") {
        if !INNER.iter().any(|folder| file.starts_with(folder)) {
            continue;
        }
        for (number, line) in code_of(&file) {
            let code = line.split("//").next().unwrap_or_default();
            if let Some(word) = OUTSIDE.iter().find(|word| code.contains(**word)) {
                faults.push(format!(
                    "{}:{number}: {word} is not for this crate",
                    file.display()
                ));
            }
        }
    }
    none(&faults);
}

#[test]
fn packages_are_named_by_their_folder_and_share_the_workspace_settings() {
    let mut faults = Vec::new();
    for (name, member) in members() {
        if name != member.folder.replace('/', "-") {
            faults.push(format!(
                "{} holds {name}: name the package by its path",
                member.folder
            ));
        }
        let inherits = |table: &str, key: &str| {
            let value = member.manifest.get(table).and_then(|table| table.get(key));
            value.and_then(|value| value.get("workspace").or(Some(value))?.as_bool()) == Some(true)
        };
        for key in ["version", "edition", "rust-version", "license", "publish"] {
            if !inherits("package", key) {
                faults.push(format!("{name}: {key} is not the workspace's"));
            }
        }
        if !inherits("lints", "workspace") {
            faults.push(format!("{name}: the lints are not the workspace's"));
        }
    }
    none(&faults);
}

/// Everything that `name` is built from, each with the way to it.
///
/// Our own crates are followed by their manifests, which tell what is for tests alone; others by
/// the lockfile, which for them holds no tests.
fn reach(
    name: &str,
    members: &BTreeMap<String, Member>,
    external: &BTreeMap<String, BTreeSet<String>>,
) -> BTreeMap<String, String> {
    let mut reached = BTreeMap::new();
    let mut waiting = vec![(name.to_owned(), name.to_owned())];
    while let Some((package, path)) = waiting.pop() {
        let uses = match members.get(&package) {
            Some(member) => Some(&member.uses),
            None => external.get(&package),
        };
        for used in uses.into_iter().flatten() {
            if !reached.contains_key(used) {
                let path = format!("{path} > {used}");
                reached.insert(used.clone(), path.clone());
                waiting.push((used.clone(), path));
            }
        }
    }
    reached
}
