//! Puts a backup in the place of a node's store.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use node_store::{Check, EntryStore, ReadStore, SqliteStore, StoreError};

use crate::author;
use crate::folder::{DataFolder, FolderError};
use crate::lost::Lost;
use crate::membership::Membership;

/// Why a backup cannot be restored. The store is then as it was.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RestoreError {
    /// The data folder cannot be used.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// The backup is not a whole store of this or an earlier version.
    #[error("{} cannot be restored: {source}", path.display())]
    Backup {
        /// The backup.
        path: PathBuf,
        /// What is wrong with it.
        source: StoreError,
    },
    /// The backup is another hub's or network's.
    #[error(
        "{} is a backup of another hub or network; restore it into a folder that is connected as \
         that hub",
        .0.display()
    )]
    OtherHub(PathBuf),
    /// A file cannot be copied or moved.
    #[error("{} cannot be used: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

/// A backup that was checked and copied beside the store, ready to take its place.
#[derive(Debug)]
pub struct Restore {
    folder: DataFolder,
    copy: PathBuf,
    entries: u64,
    entries_now: u64,
    lost: Option<Lost>,
}

impl Restore {
    /// Checks the backup at `file` and copies it beside the store in `data`, which no process may
    /// have open. The copy writes under fresh keys: what the node wrote after the backup was made
    /// stays its own, and comes back from the others.
    ///
    /// # Errors
    /// [`RestoreError`].
    pub fn prepare(data: &Path, file: &Path) -> Result<Self, RestoreError> {
        let folder = DataFolder::open(data)?;
        let copy = folder.path().join("store.db.restoring");
        remove_store(&copy)?;
        fs::copy(file, &copy).map_err(|source| io(file, source))?;
        let membership = Membership::read(&folder)?;
        let member = membership.as_ref().map(Membership::to_bytes);
        let entries = refresh(&copy).map_err(|source| RestoreError::Backup {
            path: file.to_owned(),
            source,
        })?;
        let backed_up = SqliteStore::open(&copy, Check::AfterCrash)
            .and_then(|store| store.setting(Membership::SETTING))
            .map_err(|source| RestoreError::Backup {
                path: file.to_owned(),
                source,
            })?;
        if backed_up.is_some_and(|backed_up| Some(backed_up.to_vec()) != member) {
            return Err(RestoreError::OtherHub(file.to_owned()));
        }
        let now =
            SqliteStore::open(folder.store(), Check::AfterCrash).and_then(|store| store.totals());
        // A damaged store is a reason to restore, not a reason against it.
        let entries_now = now.map_or(0, |totals| totals.entries);
        let lost = membership.map(|membership| {
            let mut backup = SqliteStore::open(&copy, Check::AfterCrash)?;
            let lost = Lost::find(&folder, &backup, membership.network)?;
            let told = serde_json::json!(lost).to_string();
            backup.set_setting(Lost::SETTING, Some(told.as_bytes()))?;
            Ok(lost)
        });
        let lost = lost.transpose().map_err(|source| RestoreError::Backup {
            path: file.to_owned(),
            source,
        })?;
        Ok(Self {
            folder,
            copy,
            entries,
            entries_now,
            lost,
        })
    }

    /// Entries in the backup.
    pub const fn entries(&self) -> u64 {
        self.entries
    }

    /// Entries in the store that it would replace; 0 if that cannot be read.
    pub const fn entries_now(&self) -> u64 {
        self.entries_now
    }

    /// What does not come back: changes in the hub's own space since the backup. None if the folder
    /// was never connected.
    pub const fn lost(&self) -> Option<&Lost> {
        self.lost.as_ref()
    }

    /// Puts the copy in the store's place and keeps the old store as `store.db.replaced`.
    ///
    /// # Errors
    /// [`RestoreError::Io`].
    pub fn commit(self) -> Result<(), RestoreError> {
        let store = self.folder.store();
        let replaced = self.folder.path().join("store.db.replaced");
        remove_store(&replaced)?;
        remove_store(&self.folder.projections())?;
        // The old store keeps its name until the copy takes it, so that there is one at all times.
        if store.exists() {
            fs::hard_link(&store, &replaced).map_err(|source| io(&store, source))?;
        }
        let log = with_suffix(&store, "-wal");
        if log.exists() {
            let kept = with_suffix(&replaced, "-wal");
            fs::rename(&log, kept).map_err(|source| io(&log, source))?;
        }
        fs::rename(&self.copy, &store).map_err(|source| io(&store, source))?;
        let folder = self.folder.path();
        File::open(folder)
            .and_then(|file| file.sync_all())
            .map_err(|source| io(folder, source))
    }
}

impl Drop for Restore {
    fn drop(&mut self) {
        // After a commit there is nothing left to remove.
        let _gone = remove_store(&self.copy);
    }
}

/// Takes out of a copied store what must not live twice (writer keys and the incarnation), and
/// counts its entries.
///
/// # Errors
/// [`StoreError`] if it is not a whole store.
pub(crate) fn refresh(copy: &Path) -> Result<u64, StoreError> {
    let mut store = SqliteStore::open(copy, Check::Always)?;
    for key in store.settings(author::WRITER_SETTINGS)? {
        store.set_setting(&key, None)?;
    }
    store.set_setting(crate::node::INCARNATION_SETTING, None)?;
    store.set_setting(Lost::SETTING, None)?;
    Ok(store.totals()?.entries)
}

fn remove_store(path: &Path) -> Result<(), RestoreError> {
    for suffix in ["", "-wal", "-shm"] {
        let file = with_suffix(path, suffix);
        match fs::remove_file(&file) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(io(&file, error));
            }
            _ => {}
        }
    }
    Ok(())
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

fn io(path: &Path, source: std::io::Error) -> RestoreError {
    RestoreError::Io {
        path: path.to_owned(),
        source,
    }
}
