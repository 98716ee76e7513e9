//! What only one kind of system has stands in one module of each crate.

use std::path::Path;

use crate::sources::{code_of, is_test};
use crate::workspace::{files, none, read_toml};

/// What only Unix has, or asks which system this is.
const OF_ONE_SYSTEM: [&str; 16] = [
    "cfg(unix",
    "cfg(not(unix",
    "cfg(windows",
    "cfg(target_os",
    "cfg!(",
    "os::unix",
    "os::linux",
    "os::windows",
    "libc::",
    "rustix::",
    "use nix",
    "sd_notify",
    "etcetera",
    "signal::unix",
    "UnixStream",
    "UnixListener",
];
/// The crates that only Unix has.
const CRATES: [&str; 4] = ["etcetera", "nix", "rustix", "sd-notify"];

/// Whether a file belongs to a crate's module for that, or to no program.
fn may(file: &Path) -> bool {
    let in_module = file
        .components()
        .any(|part| part.as_os_str() == "platform" || part.as_os_str() == "platform.rs");
    in_module || file.starts_with("tests") || is_test(file)
}

#[test]
fn what_only_one_system_has_stands_in_one_module_of_each_crate() {
    let mut faults = Vec::new();
    for file in files(".rs").into_iter().filter(|file| !may(file)) {
        for (number, line) in code_of(&file) {
            if let Some(word) = OF_ONE_SYSTEM.iter().find(|word| line.contains(**word)) {
                faults.push(format!(
                    "{}:{number}: {word} belongs into the crate's src/platform",
                    file.display()
                ));
            }
        }
    }
    none(&faults);
}

#[test]
fn crates_that_only_unix_has_are_used_there_alone() {
    let mut faults = Vec::new();
    for file in files("Cargo.toml") {
        if file.starts_with("tests") {
            continue;
        }
        let manifest = read_toml(&file);
        let general = manifest.get("dependencies").and_then(|it| it.as_table());
        for name in CRATES {
            if general.is_some_and(|general| general.contains_key(name)) {
                faults.push(format!(
                    "{}: {name} goes under [target.'cfg(unix)'.dependencies]",
                    file.display()
                ));
            }
        }
    }
    none(&faults);
}
