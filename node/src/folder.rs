//! A node's data folder: what stands where, and the lock that keeps it to one process.

mod usual;

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::platform;

pub use usual::UsualFolders;

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
    /// It is another user's. Root is refused as well: what root writes there, its owner cannot open.
    #[error(
        "{} belongs to the user {owner}: run this as that user, with sudo -u {owner}, or name another \
         folder with --data",
        path.display()
    )]
    Foreign {
        /// The folder.
        path: PathBuf,
        /// Its owner's name.
        owner: String,
    },
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
    /// [`FolderError::Exists`] if a node is there already, [`FolderError::Foreign`] if it is another
    /// user's, else [`FolderError::Io`].
    pub fn create(path: &Path) -> Result<Self, FolderError> {
        fs::create_dir_all(path).map_err(|source| io_error(path, source))?;
        Self::own(path)?;
        if Self::is_one(path).map_err(|source| io_error(path, source))? {
            return Err(FolderError::Exists(path.to_owned()));
        }
        platform::make_private(path).map_err(|source| io_error(path, source))?;
        Self::lock(path)
    }

    /// Opens a data folder that holds a node.
    ///
    /// # Errors
    /// [`FolderError::Missing`] if none is there, [`FolderError::Foreign`] if it is another user's,
    /// [`FolderError::Locked`] if it is in use.
    pub fn open(path: &Path) -> Result<Self, FolderError> {
        Self::own(path)?;
        if !Self::is_one(path).map_err(|source| io_error(path, source))? {
            return Err(FolderError::Missing(path.to_owned()));
        }
        Self::lock(path)
    }

    /// Checks that the folder at `path`, if it is there, is not one that another user has for itself.
    ///
    /// # Errors
    /// [`FolderError::Foreign`].
    pub fn own(path: &Path) -> Result<(), FolderError> {
        const ROOT: Option<u32> = Some(0);
        let Ok(about) = fs::metadata(path) else {
            return Ok(());
        };
        let (user, owner) = (platform::user(), platform::owner(&about));
        let Some(owner) = owner.filter(|_| owner != user) else {
            return Ok(());
        };
        // Some systems give out folders of root's to a group, as a volume.
        let shut_out = path.join(Self::IDENTITY).try_exists().is_err();
        if user == ROOT || shut_out {
            return Err(FolderError::Foreign {
                path: path.to_owned(),
                owner: platform::user_name(owner),
            });
        }
        Ok(())
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

    /// The key that takes the identity key's place once it is admitted.
    pub(crate) fn identity_next(&self) -> PathBuf {
        self.path.join("identity.next")
    }

    /// The identity key's word on the one that takes its place, until the former is ended.
    pub(crate) fn succession(&self) -> PathBuf {
        self.path.join("succession")
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
    platform::private(&mut options).open(path)
}

/// Makes a folder that its owner alone may look into.
///
/// # Errors
/// [`FolderError`] if it is there already or cannot be made.
pub fn create_private(path: &Path) -> Result<(), FolderError> {
    platform::private_folder(&mut fs::DirBuilder::new())
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
    let mut file = platform::private(&mut options)
        .open(&temporary)
        .map_err(failed)?;
    file.write_all(contents)
        .and_then(|()| file.sync_all())
        .map_err(failed)?;
    fs::rename(&temporary, path).map_err(failed)?;
    if let Some(folder) = path.parent() {
        // The rename itself must survive a power cut.
        platform::sync_folder(folder).map_err(failed)?;
    }
    Ok(())
}

/// Deletes a file, durably.
///
/// # Errors
/// [`FolderError::Io`].
pub fn remove_file(path: &Path) -> Result<(), FolderError> {
    let failed = |source| io_error(path, source);
    fs::remove_file(path).map_err(failed)?;
    match path.parent() {
        Some(folder) => platform::sync_folder(folder).map_err(failed),
        None => Ok(()),
    }
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
