//! Why a backup was not made or cannot be opened.

use std::path::PathBuf;

use node_store::StoreError;

/// Why a backup was not made or cannot be opened. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// A file cannot be written or deleted.
    #[error("{} cannot be written: {source}", path.display())]
    Unwritten {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file cannot be read.
    #[error("{} cannot be read: {source}", path.display())]
    Unread {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The store cannot be copied, or the copy is not whole.
    #[error("the store could not be backed up: {0}")]
    Store(#[from] StoreError),
    /// It is sealed, and no key was named.
    #[error("{} is sealed: name the file of the key that opens it (--key)", .0.display())]
    Sealed(PathBuf),
    /// It is sealed to other keys.
    #[error("the key does not open {}: it is sealed to another one", .0.display())]
    OtherKey(PathBuf),
    /// It ends too early or was changed.
    #[error("{} is damaged or half-written; use another backup", .0.display())]
    Damaged(PathBuf),
    /// The text is no public key.
    #[error("\"{0}\" is no key to seal backups to: such a key begins with age1")]
    Recipient(String),
    /// The file holds no secret key.
    #[error("{} holds no key of backups: such a key begins with AGE-SECRET-KEY-1", .0.display())]
    Key(PathBuf),
}
