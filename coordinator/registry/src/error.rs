//! What can go wrong with the register itself.

use std::path::PathBuf;

/// Why the register cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RegistryError {
    /// SQLite failed: a full disk, a lock held too long, a broken file. Nothing was changed;
    /// trying again may help.
    #[error("the register cannot be read or written: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// The file was written by a newer version of this program. Install that version.
    #[error("{path} was written by a newer version of this program; install that version")]
    Newer {
        /// The file.
        path: PathBuf,
    },
    /// The schema could not be brought up to date. The old one is still there.
    #[error("the register cannot be brought up to date: {0}")]
    Migration(rusqlite_migration::Error),
    /// SQLite's own check found damage. Put a backup in its place, or move it away: open
    /// invitations must then be made anew.
    #[error("{path} is damaged ({found}); restore it from a backup, or move it away")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The first thing found.
        found: String,
    },
    /// A row holds what no version writes.
    #[error("the register holds a row that cannot be read: {0}")]
    Row(&'static str),
    /// The serial number is in use. Issue the certificate again under another.
    #[error("a certificate with this serial number was issued already; issue it again")]
    SerialTaken,
    /// The system gave no random bytes. Trying again may help.
    #[error("the system gave no random bytes: {0}")]
    Random(#[from] getrandom::Error),
}
