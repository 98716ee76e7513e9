//! What is kept of each released version, in `tests/fixtures/<version>/`, so that every later one can be
//! held against it.
//!
//! `cargo run -p tests --bin record-release` makes the folder of the version in Cargo.toml. Once a version
//! is released its folder is never changed.

mod manifest;
mod pack;
mod sessions;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

pub use manifest::{Account, Holds, Manifest, Space};
pub use pack::{pack, unpack};
pub use sessions::{RecordedSession, SaidFrame, Sessions};

/// The version of this tree.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// One version that was released.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Release {
    folder: PathBuf,
}

impl Release {
    /// All that are kept.
    ///
    /// # Errors
    /// If the folder cannot be read.
    pub fn all() -> io::Result<Vec<Self>> {
        let mut all = Vec::new();
        for entry in fs::read_dir(fixtures())? {
            let folder = entry?.path();
            if folder.is_dir() {
                all.push(Self { folder });
            }
        }
        all.sort();
        Ok(all)
    }

    /// That of this tree's version, whether it is there or not.
    pub fn of_now() -> Self {
        let folder = fixtures().join(VERSION);
        Self { folder }
    }

    /// The version.
    pub fn version(&self) -> String {
        let name = self.folder.file_name().unwrap_or_default();
        name.to_string_lossy().into_owned()
    }

    /// Its folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The descriptors of its protocol files.
    pub fn protocol(&self) -> PathBuf {
        self.folder.join("protocol.binpb")
    }

    /// The data folders of a small network, packed: see [`Manifest`].
    pub fn stores(&self) -> PathBuf {
        self.folder.join("stores.zip")
    }

    /// What these folders hold.
    pub fn manifest(&self) -> PathBuf {
        self.folder.join("stores.json")
    }

    /// What two ends said to each other, packed: see [`Sessions`].
    pub fn sessions(&self) -> PathBuf {
        self.folder.join("sessions.json.zst")
    }

    /// The names and numbers that others rely on, a line each.
    pub fn words(&self) -> PathBuf {
        self.folder.join("words.txt")
    }
}

/// The root of this tree.
pub fn root() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().unwrap_or(tests).to_owned()
}

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")
}
