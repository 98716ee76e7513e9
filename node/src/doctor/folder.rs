//! Is the data folder there, and its owner's alone?

use std::fs::Metadata;
use std::path::Path;

use serde::Deserialize;

use super::Finding;
use crate::config::{SyncConfig, read_toml};
use crate::folder::{DataFolder, FolderError};
use crate::platform;
use crate::proxy::Proxies;

const CHECK: &str = "data folder";
/// The number of the user who may do everything.
const ROOT: Option<u32> = Some(0);

/// Whether the data folder holds a node that its owner alone may look into, and all of it is the
/// owner's.
pub(super) fn folder(data: &Path, running: bool) -> Finding {
    let shown = data.display();
    let about = match std::fs::metadata(data) {
        Ok(about) => about,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Finding::fault(CHECK, FolderError::Missing(data.to_owned()).to_string());
        }
        Err(source) => return unusable(data, source),
    };
    let (user, owner) = (platform::user(), platform::owner(&about));
    if user != ROOT && user != owner {
        let owner = owner.map(platform::user_name).unwrap_or_default();
        return Finding::fault(
            CHECK,
            format!(
                "{shown} belongs to another user, {owner}; run this as that user, with sudo -u {owner}"
            ),
        );
    }
    match DataFolder::is_one(data) {
        Ok(true) => {}
        Ok(false) => {
            return Finding::fault(CHECK, FolderError::Missing(data.to_owned()).to_string());
        }
        Err(source) => return unusable(data, source),
    }
    if platform::may_others_enter(&about) {
        return Finding::fault(
            CHECK,
            format!("others on this computer may look into {shown}; run: chmod 700 {shown}"),
        );
    }
    if let Some(finding) = files(data, &about) {
        return finding;
    }
    let runs = if running {
        "the program runs"
    } else {
        "the program does not run at present"
    };
    Finding::ok(CHECK, format!("{shown} is its owner's alone, and {runs}"))
}

fn files(data: &Path, folder: &Metadata) -> Option<Finding> {
    let listed = match std::fs::read_dir(data) {
        Ok(listed) => listed,
        Err(source) => return Some(unusable(data, source)),
    };
    for entry in listed.flatten() {
        let path = entry.path();
        let Ok(about) = entry.metadata() else {
            continue;
        };
        let shown = path.display();
        // Settings may be root's, who wrote them, as long as they are read.
        let is_settings = path == DataFolder::config(data);
        if !is_settings && platform::owner(&about) != platform::owner(folder) {
            let data = data.display();
            return Some(Finding::fault(
                CHECK,
                format!(
                    "{shown} belongs to another user than the folder, as after a command was run as \
                     root; run: chown -R --reference={data} {data}"
                ),
            ));
        }
        let secret = path
            .extension()
            .is_some_and(|end| end == "key" || end == "pem");
        if secret && platform::may_others_enter(&about) {
            return Some(Finding::fault(
                CHECK,
                format!(
                    "others on this computer may read {shown}, which holds a key; run: chmod 600 {shown}"
                ),
            ));
        }
    }
    settings(data)
}

/// What is looked at of settings, a node's or a coordinator's.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Seen {
    sync: SyncConfig,
}

/// Settings are no secret, unless a password stands in them. They may be a link to where a system keeps its
/// settings, which is no folder of the owner's alone.
fn settings(data: &Path) -> Option<Finding> {
    let path = DataFolder::config(data);
    let about = std::fs::metadata(&path).ok()?;
    let seen: Seen = read_toml(&path).ok()?;
    let secret = matches!(&seen.sync.proxy, Proxies::Fixed(proxy) if proxy.contains('@'));
    if !secret || !platform::may_everybody_read(&about) {
        return None;
    }
    let shown = path.display();
    Some(Finding::warning(
        CHECK,
        format!(
            "everybody on this computer may read {shown}, in which the proxy's password stands; run: \
             chmod 600 {shown}"
        ),
    ))
}

fn unusable(data: &Path, source: std::io::Error) -> Finding {
    let path = data.to_owned();
    Finding::fault(CHECK, FolderError::Io { path, source }.to_string())
}
