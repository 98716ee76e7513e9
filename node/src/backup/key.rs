//! The keys of backups: a public one that seals, and a secret one that opens.

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use age::secrecy::ExposeSecret;
use zeroize::Zeroizing;

use super::BackupError;
use crate::folder::{FolderError, write_new};

/// A public key, to which backups are sealed.
#[derive(Clone)]
pub struct Recipient(pub(super) age::x25519::Recipient);

impl FromStr for Recipient {
    type Err = BackupError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let key = text.trim().parse::<age::x25519::Recipient>();
        key.map(Self)
            .map_err(|_| BackupError::Recipient(text.to_owned()))
    }
}

impl fmt::Display for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A secret key, which opens backups. The node never needs it.
pub struct BackupKey(pub(super) age::x25519::Identity);

impl fmt::Debug for BackupKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BackupKey")
    }
}

impl BackupKey {
    /// Makes a new key.
    pub fn generate() -> Self {
        Self(age::x25519::Identity::generate())
    }

    /// The public key that belongs to it.
    pub fn recipient(&self) -> Recipient {
        Recipient(self.0.to_public())
    }

    /// Reads a key as [`write`](Self::write) or `age-keygen` writes it.
    ///
    /// # Errors
    /// [`BackupError::Unread`] or [`BackupError::Key`].
    pub fn read(file: &Path) -> Result<Self, BackupError> {
        let text = std::fs::read_to_string(file).map_err(|source| BackupError::Unread {
            path: file.to_owned(),
            source,
        })?;
        let text = Zeroizing::new(text);
        Self::from_text(&text).ok_or_else(|| BackupError::Key(file.to_owned()))
    }

    /// The key in a text whose other lines begin with `#`.
    pub fn from_text(text: &str) -> Option<Self> {
        let mut lines = text.lines().map(str::trim);
        let key = lines.find(|line| !line.is_empty() && !line.starts_with('#'))?;
        key.parse().ok().map(Self)
    }

    /// Writes the key to a file that does not exist, which its owner alone may read.
    ///
    /// # Errors
    /// [`FolderError`].
    pub fn write(&self, file: &Path) -> Result<(), FolderError> {
        let text = Zeroizing::new(format!(
            "# Opens the backups of a Causeway node. Keep it apart from them, and off the node.\n\
             # public key: {}\n{}\n",
            self.recipient(),
            self.0.to_string().expose_secret()
        ));
        write_new(file, text.as_bytes())
    }
}
