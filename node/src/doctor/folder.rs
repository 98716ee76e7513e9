//! Is the data folder there, and its owner's alone?

use std::fs::Metadata;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use super::Finding;
use crate::folder::{DataFolder, FolderError};

const CHECK: &str = "data folder";
/// What others than the owner may do.
const OTHERS: u32 = 0o077;

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
    let own = rustix::process::geteuid().as_raw();
    if own != 0 && own != about.uid() {
        return Finding::fault(
            CHECK,
            format!("{shown} belongs to another user; run this as the user that the node runs as"),
        );
    }
    match DataFolder::is_one(data) {
        Ok(true) => {}
        Ok(false) => {
            return Finding::fault(CHECK, FolderError::Missing(data.to_owned()).to_string());
        }
        Err(source) => return unusable(data, source),
    }
    if about.permissions().mode() & OTHERS != 0 {
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
        if about.uid() != folder.uid() {
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
        if secret && about.permissions().mode() & OTHERS != 0 {
            return Some(Finding::fault(
                CHECK,
                format!(
                    "others on this computer may read {shown}, which holds a key; run: chmod 600 {shown}"
                ),
            ));
        }
    }
    None
}

fn unusable(data: &Path, source: std::io::Error) -> Finding {
    let path = data.to_owned();
    Finding::fault(CHECK, FolderError::Io { path, source }.to_string())
}
