//! What comes from outside: one TLS stack, one registry, one version of each crate.

use std::collections::{BTreeMap, BTreeSet};

use toml::Value;

use crate::workspace::{locked, members, none, read_toml, tables};

const CRATES_IO: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// Other TLS stacks and other providers of rustls, whatever deny.toml says.
const TLS_RIVALS: [&str; 8] = [
    "aws-lc-rs",
    "aws-lc-sys",
    "boring",
    "native-tls",
    "openssl",
    "openssl-sys",
    "s2n-tls",
    "schannel",
];

#[test]
fn there_is_one_tls_stack() {
    let names = locked()
        .into_iter()
        .map(|package| package.name)
        .collect::<BTreeSet<_>>();
    let rivals = TLS_RIVALS.iter().filter(|rival| names.contains(**rival));
    none(
        &rivals
            .map(|rival| format!("{rival} is in Cargo.lock: rustls with ring, and no other"))
            .collect::<Vec<_>>(),
    );
    assert!(
        names.contains("rustls") && names.contains("ring"),
        "rustls with ring is the one"
    );
}

#[test]
fn what_deny_toml_denies_is_not_there_and_what_is_there_twice_is_explained() {
    let deny = read_toml("deny.toml");
    let denied = explained(&deny["bans"]["deny"]);
    let skipped = explained(&deny["bans"]["skip"]);
    let mut versions: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for package in locked() {
        versions
            .entry(package.name)
            .or_default()
            .insert(package.version);
    }
    let mut faults = Vec::new();
    for rival in TLS_RIVALS {
        if !denied.contains(rival) {
            faults.push(format!("deny.toml does not deny {rival}"));
        }
    }
    for name in denied.iter().filter(|name| versions.contains_key(*name)) {
        faults.push(format!(
            "{name} is denied in deny.toml and is in Cargo.lock"
        ));
    }
    for (name, versions) in versions {
        if versions.len() > 1 && !skipped.contains(&name) {
            faults.push(format!(
                "{name} is there in versions {}: use one, or explain it under `skip` in deny.toml",
                versions.into_iter().collect::<Vec<_>>().join(" and ")
            ));
        }
    }
    none(&faults);
}

#[test]
fn everything_comes_from_crates_io() {
    let foreign = locked().into_iter().filter_map(|package| {
        let source = package.source.filter(|source| source != CRATES_IO)?;
        Some(format!("{} comes from {source}", package.name))
    });
    none(&foreign.collect::<Vec<_>>());
}

#[test]
fn versions_stand_in_the_root_manifest_alone() {
    let mut faults = Vec::new();
    for (name, member) in members() {
        for kind in ["dependencies", "dev-dependencies", "build-dependencies"] {
            for (used, value) in tables(&member.manifest, kind).into_iter().flatten() {
                if value.get("workspace").and_then(Value::as_bool) != Some(true) {
                    faults.push(format!("{name}: write {used}.workspace = true"));
                }
            }
        }
    }
    none(&faults);
}

/// The crates of a list in deny.toml, each of which must have a reason.
fn explained(list: &Value) -> BTreeSet<String> {
    let list = list.as_array().expect("a list in deny.toml");
    list.iter()
        .map(|entry| {
            let text = |key: &str| entry.get(key).and_then(Value::as_str).unwrap_or_default();
            let name = text("crate").to_owned();
            assert!(
                !name.is_empty() && !text("reason").is_empty(),
                "no reason: {entry}"
            );
            name
        })
        .collect()
}
