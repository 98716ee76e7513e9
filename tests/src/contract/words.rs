//! The names and numbers beside the protocol files that others rely on, a line each.
//!
//! Scripts rely on commands, their options and how they end, dashboards on metrics, settings files on
//! settings, and what was written on kinds, fields and codes. A line that goes is a break; lines that come
//! are not.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context as _, Result};
use clap::{Command, CommandFactory as _};
use node::cli::Exit;
use node::metrics::METRICS;
use node_feed::{Access, Cut, CutTarget, Fact, HubId, Kind, NodeId, Nonce, SpaceId, SpaceKind};
use serde_json::Value as Json;
use toml::Table;

/// How a command may end.
const EXITS: [Exit; 7] = [
    Exit::Done,
    Exit::Failed,
    Exit::NotSo,
    Exit::Usage,
    Exit::Unreachable,
    Exit::CannotWrite,
    Exit::NotAllowed,
];

const SPACE_KINDS: [SpaceKind; 5] = [
    SpaceKind::Hub,
    SpaceKind::Pair,
    SpaceKind::Project,
    SpaceKind::Forum,
    SpaceKind::Network,
];

/// All of this tree's, whose root is `root`.
///
/// # Errors
/// If the sample settings cannot be read.
pub fn words(root: &Path) -> Result<BTreeSet<String>> {
    let mut words = BTreeSet::new();
    add_formats(&mut words);
    add_records(&mut words);
    for (program, command) in [
        ("node", node::cli::Arguments::command()),
        ("coordinator", coordinator::cli::Arguments::command()),
    ] {
        let file = root.join("deploy").join(program).with_extension("toml");
        let text = std::fs::read_to_string(&file).with_context(|| file.display().to_string())?;
        for (section, settings) in text.parse::<Table>()? {
            let settings = settings.as_table().into_iter().flat_map(Table::keys);
            words.extend(settings.map(|it| format!("setting of {program}: {section}.{it}")));
        }
        add_commands(&mut words, command.get_name(), &command);
    }
    for metric in METRICS {
        let (name, kind) = (metric.name, metric.kind.name());
        words.insert(format!(
            "metric {name}: {kind}, by {}",
            metric.labels.join(" ")
        ));
    }
    for exit in EXITS {
        words.insert(format!("end of commands {}: {exit:?}", exit as u8));
    }
    Ok(words)
}

/// Those lines of `released` that are not in `now`.
pub fn gone(released: &str, now: &BTreeSet<String>) -> Vec<String> {
    let gone = released.lines().filter(|line| !now.contains(*line));
    gone.map(str::to_owned).collect()
}

/// Numbers that are signed or stored.
fn add_formats(words: &mut BTreeSet<String>) {
    for number in 0..=u8::MAX {
        if let Some(name) = Kind(number).name() {
            words.insert(format!("kind of entry {number}: {name}"));
        }
    }
    for kind in SPACE_KINDS {
        words.insert(format!("kind of space {}: {}", kind as u8, kind.name()));
    }
    for access in [Access::Read, Access::Write] {
        words.insert(format!("access {}: {access:?}", access as u8));
    }
    for (name, fact) in facts() {
        // After the random bytes.
        let number = fact.encode(Nonce([0; 16]))[16];
        words.insert(format!("fact {number}: {name}"));
    }
}

fn facts() -> [(&'static str, Fact); 6] {
    let (hub, node) = (HubId::from_bytes([0; 8]), NodeId::from_bytes([0; 32]));
    let space = SpaceId::from_bytes([0; 16]);
    let (code, name, title) = (String::new(), String::new(), String::new());
    let (kind, access) = (SpaceKind::Hub, Access::Read);
    let cut = Cut {
        target: CutTarget::Hub(hub),
        reason: String::new(),
        feeds: Vec::new(),
    };
    let authority = bytes::Bytes::new();
    [
        ("hub", Fact::Hub { hub, code, name }),
        ("node", Fact::Node { hub, node }),
        ("space", Fact::Space { space, kind, title }),
        ("grant", Fact::Grant { space, hub, access }),
        ("cut", Fact::Cut(cut)),
        ("certificates", Fact::Certificates { authority }),
    ]
}

/// Kinds of record with their fields, and roles.
fn add_records(words: &mut BTreeSet<String>) {
    let told = node_domain::schema_json();
    for kind in list(&told["kinds"]) {
        let name = text(&kind["name"]);
        words.insert(format!("kind of record {name}: {}", text(&kind["form"])));
        for space in list(&kind["spaces"]) {
            words.insert(format!("kind of record {name}: in {}", text(space)));
        }
        add_fields(words, name, &kind["fields"]);
    }
    for role in list(&told["roles"]) {
        words.insert(format!("role {}", text(&role["name"])));
    }
}

fn add_fields(words: &mut BTreeSet<String>, of: &str, fields: &Json) {
    for field in list(fields) {
        let name = format!("{of}/{}", text(&field["name"]));
        let check = text(&field["check"]["is"]);
        words.insert(format!(
            "field {name}: {} {check}",
            text(&field["merge"]).trim()
        ));
        for code in list(&field["check"]["codes"]) {
            words.insert(format!("code of {name}: {}", text(code)));
        }
        for state in list(&field["states"]) {
            words.insert(format!("state of {name}: {}", text(&state["name"])));
        }
        add_fields(words, &name, &field["items"]);
    }
}

fn list(json: &Json) -> &[Json] {
    json.as_array().map_or(&[], Vec::as_slice)
}

fn text(json: &Json) -> &str {
    json.as_str().unwrap_or_default()
}

fn add_commands(words: &mut BTreeSet<String>, path: &str, command: &Command) {
    words.insert(format!("command {path}"));
    for argument in command.get_arguments() {
        match argument.get_long() {
            Some("help" | "version") => {}
            Some(long) => {
                words.insert(format!("command {path}: --{long}"));
            }
            None => {
                words.insert(format!("command {path}: {}", argument.get_id()));
            }
        }
    }
    for inner in command.get_subcommands() {
        add_commands(words, &format!("{path} {}", inner.get_name()), inner);
    }
}
