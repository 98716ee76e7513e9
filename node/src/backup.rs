//! Backups: copies of the store that were opened and checked, sealed to an operator's key, made by
//! themselves and kept as long as the settings say.
//!
//! A backup holds no writer key: two copies of a node never write under one. The format of a sealed
//! one is age (age-encryption.org/v1), so that it can be opened without Causeway.

mod config;
mod error;
mod keeper;
mod kept;
mod key;
mod sealed;

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use crate::Node;
use crate::audit::{Event, Fields};
use crate::folder::with_suffix;

pub use config::BackupConfig;
pub use error::BackupError;
pub(crate) use keeper::{Keeper, keep};
pub use kept::Kept;
pub use key::{BackupKey, Recipient};
pub use sealed::{is_sealed, unseal};

/// A backup that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackedUp {
    /// Its size in bytes.
    pub bytes: u64,
    /// How many entries it holds.
    pub entries: u64,
}

impl Node {
    /// Writes a checked copy of the store to a file that does not exist, sealed to these keys; open
    /// to whoever can read the file if there is none. May be called while the node serves.
    ///
    /// What is sealed is the copy that was checked. It cannot be opened again here, where the secret
    /// key is not.
    ///
    /// # Errors
    /// [`BackupError`]; nothing is left of it then.
    pub fn backup(&self, path: &Path, to: &[Recipient]) -> Result<BackedUp, BackupError> {
        let _one = self.inner.keeper.making();
        let unwritten = |source| BackupError::Unwritten {
            path: path.to_owned(),
            source,
        };
        if path.exists() {
            return Err(unwritten(std::io::ErrorKind::AlreadyExists.into()));
        }
        // Nothing that is not checked and whole ever has the backup's name.
        let unfinished = with_suffix(path, ".unfinished");
        let copy = if to.is_empty() {
            unfinished.clone()
        } else {
            open_copy(self.inner.folder.path())
        };
        let copy = Leftover::new(copy)?;
        let unfinished = Leftover::new(unfinished)?;
        self.inner.keep_audit_head()?;
        self.inner.storage.backup(&copy.0)?;
        let entries = crate::restore::refresh(&copy.0)?;
        if !to.is_empty() {
            sealed::seal(&copy.0, &unfinished.0, to)?;
        }
        let bytes = fs::metadata(&unfinished.0).map_err(unwritten)?.len();
        // What is not noted is not handed out.
        let fields = Fields::new()
            .with("bytes", bytes)
            .with("entries", entries)
            .with("keys", to.len());
        self.inner.note(Event::BackupComplete, fields)?;
        fs::rename(&unfinished.0, path).map_err(unwritten)?;
        let folder = path.parent().filter(|it| !it.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new(".")))
            .and_then(|folder| folder.sync_all())
            .map_err(unwritten)?;
        Ok(BackedUp { bytes, entries })
    }
}

/// Where the copy stands before it is sealed.
fn open_copy(folder: &Path) -> PathBuf {
    folder.join("backup.open")
}

/// Deletes the copy that a backup left behind which was broken off.
pub(crate) fn sweep(folder: &Path) {
    let copy = open_copy(folder);
    for left in [with_suffix(&copy, ".unfinished"), copy] {
        if let Err(error) = Leftover::new(left) {
            tracing::warn!(%error, "what a backup left cannot be deleted");
        }
    }
}

/// A file that is deleted with this, and before it is made.
struct Leftover(PathBuf);

impl Leftover {
    fn new(path: PathBuf) -> Result<Self, BackupError> {
        let leftover = Self(path);
        match leftover.delete() {
            Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
                Err(BackupError::Unwritten {
                    path: leftover.0.clone(),
                    source,
                })
            }
            Ok(()) | Err(_) => Ok(leftover),
        }
    }

    fn delete(&self) -> std::io::Result<()> {
        for suffix in ["-wal", "-shm", "-journal"] {
            let _gone = fs::remove_file(with_suffix(&self.0, suffix));
        }
        fs::remove_file(&self.0)
    }
}

impl Drop for Leftover {
    fn drop(&mut self) {
        let _gone = self.delete();
    }
}
