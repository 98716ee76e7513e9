//! Puts a backup in the place of a node's store.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use node_feed::{AuthorityLog, HubId, NetworkId, SecretKey};
use node_store::{AuditHead, AuditLog, Check, EntryStore, ReadStore, SqliteStore, StoreError};

use crate::audit::{ACCOUNTS, Event, Fields, HEAD_SETTING};
use crate::author;
use crate::backup::{BackupError, BackupKey, is_sealed, unseal};
use crate::came_back::HeldThen;
use crate::clock::now_ms;
use crate::folder::{DataFolder, FolderError, create_private_file, with_suffix, write_seed};
use crate::lost::Lost;
use crate::membership::Membership;

/// Why a backup cannot be restored. The store is then as it was, but for [`RestoreError::Identity`].
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
    /// The recovery words are another node's.
    #[error(
        "these recovery words are not those of the node that made this backup; compare each with \
         the sheet"
    )]
    Words,
    /// The backup does not say how the coordinator is reached.
    #[error(
        "this backup is from before recovery words: it does not say how NCETM is reached. Restore \
         it without the words, and ask NCETM for a new invitation"
    )]
    NoContact,
    /// The backup cannot be read or opened.
    #[error(transparent)]
    Unopened(#[from] BackupError),
    /// The audit log does not take the line that says so.
    #[error(
        "the audit log cannot be used: {0}. Nothing was restored; if audit.db is damaged, keep it in \
         another place and try again"
    )]
    Audit(#[source] StoreError),
    /// The store was restored, and the node's identity could not be kept.
    #[error(
        "the backup was restored, but not which node it is of: {0}. Restore it again with the words"
    )]
    Identity(#[source] Box<RestoreError>),
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
    /// Where the audit log ended when the backup was made.
    audit_head: Option<AuditHead>,
    lost: Option<Lost>,
    given_back: Option<(SecretKey, Membership)>,
}

/// What a backup is, before anything is done with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackupLooked {
    /// Entries in it.
    pub entries: u64,
    /// The name of the hub that made it; empty if it was never connected.
    pub hub_name: String,
    /// Whether the node is connected again by restoring it, without a new invitation.
    pub connects: bool,
}

/// Looks at a backup, which nobody else may have open, and changes nothing but the copy that it is:
/// whether it is whole, of the network and hub of `own`, and of the node with that identity.
///
/// # Errors
/// [`RestoreError`]; it cannot be restored then.
pub fn look_at_backup(
    file: &Path,
    own: Option<&Membership>,
    identity: Option<&SecretKey>,
) -> Result<BackupLooked, RestoreError> {
    let broken = |source| RestoreError::Backup {
        path: file.to_owned(),
        source,
    };
    let store = SqliteStore::open_made(file, Check::Always).map_err(broken)?;
    let entries = store.totals().map_err(broken)?.entries;
    let made_by = whose(&store).map_err(broken)?;
    check_whose(file, &store, own, identity)?;
    let mut hub_name = String::new();
    if let Some((network, hub)) = made_by {
        let feeds = store.log_feeds(network).map_err(broken)?;
        let authority = AuthorityLog::new(network, feeds).fold();
        if let Some(record) = authority.hubs().get(&hub) {
            hub_name.clone_from(&record.name);
        }
    }
    Ok(BackupLooked {
        entries,
        hub_name,
        connects: own.is_some() || identity.is_some(),
    })
}

/// The network and hub of the node that made a backup.
fn whose(store: &SqliteStore) -> Result<Option<(NetworkId, HubId)>, StoreError> {
    let noted = store.setting(Membership::SETTING)?;
    Ok(noted.and_then(|noted| {
        let (network, hub) = noted.split_at_checked(NetworkId::BYTES)?;
        Some((
            NetworkId::try_from(network).ok()?,
            HubId::try_from(hub).ok()?,
        ))
    }))
}

/// Checks that a backup may come to a node; with the identity of the node that made it, how that
/// one is connected.
fn check_whose(
    file: &Path,
    store: &SqliteStore,
    own: Option<&Membership>,
    identity: Option<&SecretKey>,
) -> Result<Option<Membership>, RestoreError> {
    let broken = |source| RestoreError::Backup {
        path: file.to_owned(),
        source,
    };
    let made_by = whose(store).map_err(broken)?;
    if let (Some(own), Some(made_by)) = (own, made_by)
        && (own.network, own.hub) != made_by
    {
        return Err(RestoreError::OtherHub(file.to_owned()));
    }
    let Some(identity) = identity else {
        return Ok(None);
    };
    let (network, hub) = made_by.ok_or(RestoreError::NoContact)?;
    let feeds = store.log_feeds(network).map_err(broken)?;
    let authority = AuthorityLog::new(network, feeds).fold();
    if authority.hub_of(&identity.public().node()) != Some(hub) {
        return Err(RestoreError::Words);
    }
    let contact = store.setting(Membership::CONTACT_SETTING).map_err(broken)?;
    let contact = contact.and_then(|text| Membership::from_text(&text));
    let contact = contact.filter(|it| (it.network, it.hub) == (network, hub));
    contact.map(Some).ok_or(RestoreError::NoContact)
}

impl Restore {
    /// Checks the backup at `file`, which `key` opens if it is sealed, and copies it beside the store
    /// in `data`, which no process may have open. The copy writes under fresh keys: what the node wrote after the backup was made
    /// stays its own, and comes back from the others.
    ///
    /// # Errors
    /// [`RestoreError`].
    pub fn prepare(
        data: &Path,
        file: &Path,
        key: Option<&BackupKey>,
    ) -> Result<Self, RestoreError> {
        Self::prepare_in(DataFolder::open(data)?, file, key, None, false)
    }

    /// The same for a new node, which may not be connected yet. With the identity of the node that
    /// made the backup it becomes that node, connected as that one was; without, it has to be
    /// connected with a new invitation.
    ///
    /// # Errors
    /// [`RestoreError`].
    pub fn prepare_as(
        data: &Path,
        file: &Path,
        identity: Option<&SecretKey>,
    ) -> Result<Self, RestoreError> {
        Self::prepare_in(DataFolder::open(data)?, file, None, identity, true)
    }

    fn prepare_in(
        folder: DataFolder,
        file: &Path,
        key: Option<&BackupKey>,
        identity: Option<&SecretKey>,
        may_be_new: bool,
    ) -> Result<Self, RestoreError> {
        let copy = folder.path().join("store.db.restoring");
        remove_store(&copy)?;
        bring(file, &copy, key)?;
        let membership = Membership::read(&folder)?;
        let entries = refresh(&copy).map_err(|source| RestoreError::Backup {
            path: file.to_owned(),
            source,
        })?;
        let broken = |source| RestoreError::Backup {
            path: file.to_owned(),
            source,
        };
        let backup = SqliteStore::open(&copy, Check::AfterCrash).map_err(broken)?;
        let made_by = whose(&backup).map_err(broken)?;
        if made_by.is_some() && membership.is_none() && !may_be_new {
            return Err(RestoreError::OtherHub(file.to_owned()));
        }
        let contact = check_whose(file, &backup, membership.as_ref(), identity)?;
        let audit_head = backup.setting(HEAD_SETTING).map_err(broken)?;
        drop(backup);
        // A damaged store is a reason to restore, not a reason against it.
        let now = SqliteStore::open(folder.store(), Check::AfterCrash).ok();
        let entries_now = now.as_ref().and_then(|store| store.totals().ok());
        let entries_now = entries_now.map_or(0, |totals| totals.entries);
        let hub = membership.as_ref().map(|it| it.hub);
        let hub = hub.or(made_by.map(|(_, hub)| hub));
        let network = membership.map(|it| it.network);
        let network = network.or(made_by.map(|(network, _)| network));
        let lost = network.map(|network| {
            let mut backup = SqliteStore::open(&copy, Check::AfterCrash)?;
            if let Some(hub) = hub {
                let then = HeldThen::find(&backup, now.as_ref(), network, hub, now_ms())?;
                let told = serde_json::json!(then).to_string();
                backup.set_setting(HeldThen::SETTING, Some(told.as_bytes()))?;
            }
            drop(now);
            let lost = Lost::find(&folder, &backup, network)?;
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
            audit_head: audit_head.and_then(|head| AuditHead::from_bytes(&head)),
            lost,
            given_back: identity.cloned().zip(contact),
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

    /// Puts the copy in the store's place and keeps the old store as `store.db.replaced`. The audit log
    /// stays, and says first that this is done; a crash in between may note too much, never too little.
    ///
    /// # Errors
    /// [`RestoreError::Audit`] or [`RestoreError::Io`].
    pub fn commit(self) -> Result<(), RestoreError> {
        self.note()?;
        let store = self.folder.store();
        let replaced = self.folder.path().join("store.db.replaced");
        remove_store(&replaced)?;
        remove_store(&self.folder.projections())?;
        // The old store keeps its name until the copy takes it, so that there is one at all times.
        if store.exists() {
            // Some file systems know no second name for a file.
            fs::hard_link(&store, &replaced)
                .or_else(|_| fs::copy(&store, &replaced).map(|_| ()))
                .map_err(|source| io(&store, source))?;
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
            .map_err(|source| io(folder, source))?;
        self.give_identity_back()
            .map_err(|source| RestoreError::Identity(Box::new(source)))
    }

    /// Makes this folder the node's that made the backup, if its identity was given. Last: without it the
    /// store is as after a restore without the words, and can be restored again with them.
    fn give_identity_back(&self) -> Result<(), RestoreError> {
        let Some((identity, membership)) = &self.given_back else {
            return Ok(());
        };
        write_seed(&self.folder.identity(), &identity.seed())?;
        membership.write(&self.folder)?;
        // All these are another node's from here on.
        let others = [
            self.folder.credentials(),
            self.folder.connecting(),
            self.folder.identity_next(),
            self.folder.succession(),
        ];
        for file in others {
            remove(&file)?;
        }
        Ok(())
    }

    /// Notes in the audit log that the copy takes the store's place, and in the copy where the log
    /// then ends.
    fn note(&self) -> Result<(), RestoreError> {
        let noted = self.note_in_log().map_err(RestoreError::Audit);
        let head = noted?.to_bytes();
        let kept = SqliteStore::open(&self.copy, Check::AfterCrash)
            .and_then(|mut copy| copy.set_setting(HEAD_SETTING, Some(&head)));
        kept.map_err(RestoreError::Audit)
    }

    fn note_in_log(&self) -> Result<AuditHead, StoreError> {
        let mut log = AuditLog::open(&self.folder.audit())?;
        let mut fields = Fields::new()
            .with("entries", self.entries)
            .with("entries_before", self.entries_now);
        if let Some((identity, _)) = &self.given_back {
            fields = fields.with("node", identity.public().node());
        }
        if let Some(head) = self.audit_head {
            // Of this log, or of the one on the computer where the backup was made.
            fields = fields
                .with("backup_line", head.number)
                .with("backup_hash", head.hash);
        }
        let mut copy = SqliteStore::open(&self.copy, Check::AfterCrash)?;
        // Its lines were taken in when they were new, here or there.
        let last = copy.change_accounts(|tables| tables.last_audit_line())?;
        log.append(&[fields.line(Event::Restored)], Some((ACCOUNTS, last)))
    }
}

impl Drop for Restore {
    fn drop(&mut self) {
        // After a commit there is nothing left to remove.
        let _gone = remove_store(&self.copy);
    }
}

/// Copies a backup, and opens it if it is sealed.
fn bring(file: &Path, copy: &Path, key: Option<&BackupKey>) -> Result<(), RestoreError> {
    if is_sealed(file)? {
        let key = key.ok_or_else(|| BackupError::Sealed(file.to_owned()))?;
        let opened = unseal(file, copy, key);
        if opened.is_err() {
            remove_store(copy)?;
        }
        return Ok(opened?);
    }
    // Whoever may read the backup need not read the store.
    let copied = File::open(file).and_then(|mut from| {
        let mut to = create_private_file(copy)?;
        std::io::copy(&mut from, &mut to)?;
        to.sync_all()
    });
    if copied.is_err() {
        remove_store(copy)?;
    }
    // Of the two only the copy can find no room.
    copied.map_err(|source| {
        let full = [ErrorKind::StorageFull, ErrorKind::QuotaExceeded].contains(&source.kind());
        io(if full { copy } else { file }, source)
    })
}

/// Takes out of a copied store what must not live twice (writer keys, people's
/// sessions and open links), and counts its entries.
///
/// # Errors
/// [`StoreError`] if it is not a whole store.
pub(crate) fn refresh(copy: &Path) -> Result<u64, StoreError> {
    let mut store = SqliteStore::open_made(copy, Check::Always)?;
    for key in store.settings(author::WRITER_SETTINGS)? {
        store.set_setting(&key, None)?;
    }
    store.set_setting(Lost::SETTING, None)?;
    store.set_setting(HeldThen::SETTING, None)?;
    crate::accounts::refresh(&mut store)?;
    Ok(store.totals()?.entries)
}

fn remove_store(path: &Path) -> Result<(), RestoreError> {
    for suffix in ["", "-wal", "-shm"] {
        remove(&with_suffix(path, suffix))?;
    }
    Ok(())
}

fn remove(file: &Path) -> Result<(), RestoreError> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(io(file, error)),
        Ok(()) | Err(_) => Ok(()),
    }
}

fn io(path: &Path, source: std::io::Error) -> RestoreError {
    RestoreError::Io {
        path: path.to_owned(),
        source,
    }
}
