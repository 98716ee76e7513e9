//! A node's data folder: what stands where, and the lock that keeps it to one process.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

/// Why a data folder cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FolderError {
    /// The folder was never set up.
    #[error("{} holds no node yet: run `init` there first", .0.display())]
    Missing(PathBuf),
    /// The folder already holds a node.
    #[error("{} already holds a node; choose another folder, or use the one that is there", .0.display())]
    Exists(PathBuf),
    /// Another process has it open.
    #[error("{} is in use by another process: stop it first, or let it do the work", .0.display())]
    Locked(PathBuf),
    /// A file in it cannot be read or written.
    #[error("{} cannot be used: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file in it does not hold what it should.
    #[error("{} is damaged: {what}; take it from a backup", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
}

/// An open data folder. While it exists no other process can open the same one.
#[derive(Debug)]
pub struct DataFolder {
    path: PathBuf,
    _lock: File,
}

impl DataFolder {
    /// Makes a new data folder, which only its owner may read.
    ///
    /// # Errors
    /// [`FolderError::Exists`] if a node is there already, else [`FolderError::Io`].
    pub fn create(path: &Path) -> Result<Self, FolderError> {
        if path.join(Self::IDENTITY).exists() {
            return Err(FolderError::Exists(path.to_owned()));
        }
        fs::create_dir_all(path).map_err(|source| io_error(path, source))?;
        private(path, 0o700)?;
        Self::lock(path)
    }

    /// Opens a data folder that holds a node.
    ///
    /// # Errors
    /// [`FolderError::Missing`] if none is there, [`FolderError::Locked`] if it is in use.
    pub fn open(path: &Path) -> Result<Self, FolderError> {
        if !path.join(Self::IDENTITY).exists() {
            return Err(FolderError::Missing(path.to_owned()));
        }
        Self::lock(path)
    }

    const IDENTITY: &'static str = "identity.key";

    /// Whether the folder at `path` holds a node.
    ///
    /// # Errors
    /// The system's, if it cannot be looked into.
    pub fn is_one(path: &Path) -> io::Result<bool> {
        path.join(Self::IDENTITY).try_exists()
    }

    /// The folder itself.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The node's identity key.
    pub fn identity(&self) -> PathBuf {
        Self::identity_in(&self.path)
    }

    /// The same, in the folder at `path`.
    pub(crate) fn identity_in(path: &Path) -> PathBuf {
        path.join(Self::IDENTITY)
    }

    /// The entries and what else is durable.
    pub fn store(&self) -> PathBuf {
        Self::store_in(&self.path)
    }

    /// The entries and what else is durable, in the folder at `path`.
    pub fn store_in(path: &Path) -> PathBuf {
        path.join("store.db")
    }

    /// What can be rebuilt from the store.
    pub fn projections(&self) -> PathBuf {
        self.path.join("projections.db")
    }

    /// What was done and refused.
    pub fn audit(&self) -> PathBuf {
        Self::audit_in(&self.path)
    }

    /// What was done and refused, in the folder at `path`.
    pub fn audit_in(path: &Path) -> PathBuf {
        path.join("audit.db")
    }

    /// Which network this node belongs to.
    pub fn membership(&self) -> PathBuf {
        Self::membership_in(&self.path)
    }

    /// The same, in the folder at `path`.
    pub(crate) fn membership_in(path: &Path) -> PathBuf {
        path.join("membership.toml")
    }

    /// The invitation of a request to connect that has no outcome yet.
    pub fn connecting(&self) -> PathBuf {
        Self::connecting_in(&self.path)
    }

    /// The same, in the folder at `path`.
    pub(crate) fn connecting_in(path: &Path) -> PathBuf {
        path.join("connecting.toml")
    }

    /// The TLS certificate chain and its key, in one file so that they always belong together.
    pub fn credentials(&self) -> PathBuf {
        Self::credentials_in(&self.path)
    }

    /// The same, in the folder at `path`.
    pub(crate) fn credentials_in(path: &Path) -> PathBuf {
        path.join("credentials.pem")
    }

    /// The settings, in the folder at `path`.
    pub fn config(path: &Path) -> PathBuf {
        path.join("causeway.toml")
    }

    /// The socket of the running process's own service, in the folder at `path`.
    pub fn socket(path: &Path) -> PathBuf {
        path.join("node.sock")
    }

    fn lock(path: &Path) -> Result<Self, FolderError> {
        let file = path.join("lock");
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&file)
            .map_err(|source| io_error(&file, source))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self {
                path: path.to_owned(),
                _lock: lock,
            }),
            Err(TryLockError::WouldBlock) => Err(FolderError::Locked(path.to_owned())),
            Err(TryLockError::Error(source)) => Err(io_error(&file, source)),
        }
    }
}

/// Writes a file that does not exist yet, which its owner alone may read, and waits until it is on
/// the disk.
///
/// # Errors
/// [`FolderError`] if it is there already or cannot be written.
pub fn write_new(path: &Path, contents: &[u8]) -> Result<(), FolderError> {
    let written = create_private_file(path)
        .and_then(|mut file| file.write_all(contents).and_then(|()| file.sync_all()));
    written.map_err(|source| io_error(path, source))
}

/// Makes a file that does not exist yet, which its owner alone may read.
///
/// # Errors
/// What the system says.
pub(crate) fn create_private_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.create_new(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Makes a folder that its owner alone may look into.
///
/// # Errors
/// [`FolderError`] if it is there already or cannot be made.
pub fn create_private(path: &Path) -> Result<(), FolderError> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
        .create(path)
        .map_err(|source| io_error(path, source))
}

/// Writes a file that only its owner may read, whole or not at all, durably.
///
/// # Errors
/// [`FolderError::Io`]; the file is then as it was.
pub fn write_private(path: &Path, contents: &[u8]) -> Result<(), FolderError> {
    let failed = |source| io_error(path, source);
    let temporary = with_suffix(path, ".new");
    let mut options = OpenOptions::new();
    options.create(true).truncate(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&temporary).map_err(failed)?;
    file.write_all(contents)
        .and_then(|()| file.sync_all())
        .map_err(failed)?;
    fs::rename(&temporary, path).map_err(failed)?;
    if let Some(folder) = path.parent() {
        // The rename itself must survive a power cut.
        File::open(folder)
            .and_then(|folder| folder.sync_all())
            .map_err(failed)?;
    }
    Ok(())
}

/// The path with `suffix` after its last letter.
pub(crate) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// Reads a file that holds a key's 32-byte seed in hexadecimal.
///
/// # Errors
/// [`FolderError::Io`] or [`FolderError::Damaged`].
pub fn read_seed(path: &Path) -> Result<Zeroizing<[u8; 32]>, FolderError> {
    let text = Zeroizing::new(fs::read_to_string(path).map_err(|source| io_error(path, source))?);
    let mut seed = Zeroizing::new([0; 32]);
    hex::decode_to_slice(text.trim(), seed.as_mut_slice()).map_err(|_| FolderError::Damaged {
        path: path.to_owned(),
        what: "it should hold 64 hexadecimal digits".to_owned(),
    })?;
    Ok(seed)
}

/// Writes a key's seed so that [`read_seed`] reads it.
///
/// # Errors
/// [`FolderError::Io`].
pub fn write_seed(path: &Path, seed: &[u8; 32]) -> Result<(), FolderError> {
    write_private(path, Zeroizing::new(hex::encode(seed) + "\n").as_bytes())
}

fn io_error(path: &Path, source: io::Error) -> FolderError {
    FolderError::Io {
        path: path.to_owned(),
        source,
    }
}

#[cfg(unix)]
fn private(path: &Path, mode: u32) -> Result<(), FolderError> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
        .map_err(|source| io_error(path, source))
}

#[cfg(not(unix))]
fn private(_path: &Path, _mode: u32) -> Result<(), FolderError> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_folder_serves_one_process() {
        let parent = tempfile::tempdir().expect("a temporary folder");
        let path = parent.path().join("hub");
        assert!(matches!(
            DataFolder::open(&path),
            Err(FolderError::Missing(_))
        ));
        let folder = DataFolder::create(&path).expect("a new folder");
        write_seed(&folder.identity(), &[7; 32]).expect("a key is written");
        assert!(matches!(
            DataFolder::open(&path),
            Err(FolderError::Locked(_))
        ));
        assert!(matches!(
            DataFolder::create(&path),
            Err(FolderError::Exists(_))
        ));
        drop(folder);
        let folder = DataFolder::open(&path).expect("the folder is free again");
        assert_eq!(
            *read_seed(&folder.identity()).expect("the key is there"),
            [7; 32]
        );
        fs::write(folder.identity(), "not a key").expect("a file is written");
        assert!(matches!(
            read_seed(&folder.identity()),
            Err(FolderError::Damaged { .. })
        ));
    }
}
