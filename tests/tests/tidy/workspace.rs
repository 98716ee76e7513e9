//! The workspace as its manifests and its lockfile describe it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use toml::{Table, Value};
use walkdir::{DirEntry, WalkDir};

/// The folder of the workspace's root manifest.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("tests lies in the workspace")
        .to_owned()
}

/// Every file of the project whose name ends with `ending`, as a path below the root.
pub(crate) fn files(ending: &str) -> Vec<PathBuf> {
    let root = root();
    let ours = |entry: &DirEntry| {
        let name = entry.file_name().to_str().unwrap_or_default();
        entry.depth() != 1 || !matches!(name, ".git" | "target")
    };
    let mut files = Vec::new();
    for entry in WalkDir::new(&root)
        .sort_by_file_name()
        .into_iter()
        .filter_entry(ours)
    {
        let entry = entry.expect("the project's folders can be read");
        if entry.file_type().is_file() && entry.path().to_string_lossy().ends_with(ending) {
            files.push(
                entry
                    .path()
                    .strip_prefix(&root)
                    .expect("a path below the root")
                    .to_owned(),
            );
        }
    }
    files
}

/// The text of a file named by its path below the root.
pub(crate) fn read(path: impl AsRef<Path>) -> String {
    let path = path.as_ref();
    fs::read_to_string(root().join(path))
        .unwrap_or_else(|error| panic!("{} cannot be read: {error}", path.display()))
}

/// A TOML file named by its path below the root.
pub(crate) fn read_toml(path: impl AsRef<Path>) -> Table {
    let path = path.as_ref();
    read(path)
        .parse()
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Fails with every line of `faults`, if there are any.
pub(crate) fn none(faults: &[String]) {
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
}

/// One member of the workspace.
pub(crate) struct Member {
    /// Its folder, below the root.
    pub(crate) folder: String,
    /// Its manifest.
    pub(crate) manifest: Table,
    /// What it is built from: its dependencies and build dependencies, for every platform.
    pub(crate) uses: BTreeSet<String>,
    /// What only its tests use.
    pub(crate) tests_use: BTreeSet<String>,
}

/// All members, by package name.
pub(crate) fn members() -> BTreeMap<String, Member> {
    let root = read_toml("Cargo.toml");
    let folders = root["workspace"]["members"]
        .as_array()
        .expect("a list of members");
    folders
        .iter()
        .map(|folder| {
            let folder = folder.as_str().expect("a folder's name").to_owned();
            let manifest = read_toml(Path::new(&folder).join("Cargo.toml"));
            let name = manifest["package"]["name"]
                .as_str()
                .expect("a package name")
                .to_owned();
            let mut uses = packages(&manifest, "dependencies");
            uses.extend(packages(&manifest, "build-dependencies"));
            let tests_use = packages(&manifest, "dev-dependencies");
            (
                name,
                Member {
                    folder,
                    manifest,
                    uses,
                    tests_use,
                },
            )
        })
        .collect()
}

/// Every dependency table of the given kind in a manifest: the general one and each platform's.
pub(crate) fn tables<'a>(manifest: &'a Table, kind: &str) -> Vec<&'a Table> {
    let general = manifest.get(kind).and_then(Value::as_table);
    let platforms = manifest
        .get("target")
        .and_then(Value::as_table)
        .into_iter()
        .flatten();
    let platforms = platforms.filter_map(|(_, platform)| platform.get(kind)?.as_table());
    general.into_iter().chain(platforms).collect()
}

fn packages(manifest: &Table, kind: &str) -> BTreeSet<String> {
    let dependencies = tables(manifest, kind).into_iter().flatten();
    dependencies
        .map(|(key, value)| {
            let renamed = value.get("package").and_then(Value::as_str);
            renamed.unwrap_or(key).to_owned()
        })
        .collect()
}

/// One package of the lockfile.
pub(crate) struct Locked {
    pub(crate) name: String,
    pub(crate) version: String,
    /// Where it comes from; none for our own.
    pub(crate) source: Option<String>,
    /// The names of what it uses.
    pub(crate) uses: BTreeSet<String>,
}

/// Every package of the lockfile.
pub(crate) fn locked() -> Vec<Locked> {
    let lock = read_toml("Cargo.lock");
    let text = |package: &Value, key: &str| Some(package.get(key)?.as_str()?.to_owned());
    let packages = lock["package"].as_array().expect("a list of packages");
    packages
        .iter()
        .map(|package| {
            let uses = package
                .get("dependencies")
                .and_then(Value::as_array)
                .into_iter()
                .flatten();
            // "name", or "name version" where there are several.
            let name = |value: &Value| {
                value
                    .as_str()
                    .and_then(|text| text.split(' ').next())
                    .map(str::to_owned)
            };
            Locked {
                name: text(package, "name").expect("a name"),
                version: text(package, "version").expect("a version"),
                source: text(package, "source"),
                uses: uses.filter_map(name).collect(),
            }
        })
        .collect()
}
