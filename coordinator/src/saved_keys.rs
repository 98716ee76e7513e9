//! The keys from which a coordinator can be rebuilt: root, certificate authority and identity.
//!
//! They are written once, to a folder that belongs in a safe. The root key is read from there
//! when a new term of the authority log begins, and is in no data folder.

use std::fs;
use std::path::{Path, PathBuf};

use node::folder::{FolderError, read_seed, write_private, write_seed};
use node::tls::{CertificateAuthority, CertificateError};
use node_feed::{HubId, SecretKey};

/// Why saved keys cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SavedKeysError {
    /// A file is missing, damaged or cannot be written.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// The certificate authority cannot be made or read.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// The folder holds keys already.
    #[error("{} holds keys already: give it as --saved-keys, or choose an empty folder", .0.display())]
    Exists(PathBuf),
    /// The hub id in the folder is not one.
    #[error("{} does not hold the coordinator's id", .0.display())]
    Hub(PathBuf),
}

/// The saved keys.
#[derive(Debug)]
pub struct SavedKeys {
    /// Names the network and begins every term of the authority log.
    pub root: SecretKey,
    /// Signs certificates.
    pub authority: CertificateAuthority,
    /// The coordinator's identity, which hubs pinned.
    pub identity: SecretKey,
    /// The coordinator's id among the hubs.
    pub hub: HubId,
}

impl SavedKeys {
    pub(crate) const ROOT: &'static str = "root.key";
    const IDENTITY: &'static str = "identity.key";
    const AUTHORITY: &'static str = "authority.pem";
    const AUTHORITY_KEY: &'static str = "authority-key.pem";
    const HUB: &'static str = "coordinator.id";

    /// Draws new keys.
    ///
    /// # Errors
    /// [`SavedKeysError::Certificate`] if the certificate authority cannot be made.
    pub fn generate(now_ms: u64) -> Result<Self, SavedKeysError> {
        let root = SecretKey::from_seed(&node::random::<32>());
        let authority = CertificateAuthority::generate(root.public().network(), now_ms)?;
        let identity = SecretKey::from_seed(&node::random::<32>());
        Ok(Self {
            root,
            authority,
            identity,
            hub: HubId::from_bytes(node::random()),
        })
    }

    /// Writes them to a folder that holds none.
    ///
    /// # Errors
    /// [`SavedKeysError::Exists`], or [`SavedKeysError::Folder`] if a file cannot be written.
    pub fn write(&self, folder: &Path) -> Result<(), SavedKeysError> {
        if folder.join(Self::ROOT).exists() {
            return Err(SavedKeysError::Exists(folder.to_owned()));
        }
        let failed = |source| FolderError::Io {
            path: folder.to_owned(),
            source,
        };
        fs::create_dir_all(folder).map_err(failed)?;
        write_private(
            &folder.join(Self::HUB),
            format!("{}\n", self.hub).as_bytes(),
        )?;
        write_seed(&folder.join(Self::IDENTITY), &self.identity.seed())?;
        write_certificates(folder, &self.authority)?;
        write_seed(&folder.join(Self::ROOT), &self.root.seed())?;
        Ok(())
    }

    /// Reads them.
    ///
    /// # Errors
    /// [`SavedKeysError`], which names the file that is missing or damaged.
    pub fn read(folder: &Path) -> Result<Self, SavedKeysError> {
        let hub = folder.join(Self::HUB);
        let text = fs::read_to_string(&hub).map_err(|source| FolderError::Io {
            path: hub.clone(),
            source,
        })?;
        Ok(Self {
            root: SecretKey::from_seed(&*read_seed(&folder.join(Self::ROOT))?),
            authority: read_certificates(folder)?,
            identity: SecretKey::from_seed(&*read_seed(&folder.join(Self::IDENTITY))?),
            hub: text.trim().parse().map_err(|_| SavedKeysError::Hub(hub))?,
        })
    }

    /// Reads the root key alone.
    ///
    /// # Errors
    /// [`SavedKeysError::Folder`] if it is missing or damaged.
    pub fn read_root(folder: &Path) -> Result<SecretKey, SavedKeysError> {
        Ok(SecretKey::from_seed(&*read_seed(&folder.join(Self::ROOT))?))
    }
}

/// Writes the certificate authority's certificate and key below `folder`.
///
/// # Errors
/// [`SavedKeysError::Folder`].
pub fn write_certificates(
    folder: &Path,
    authority: &CertificateAuthority,
) -> Result<(), SavedKeysError> {
    write_private(
        &folder.join(SavedKeys::AUTHORITY_KEY),
        authority.key_pem().as_bytes(),
    )?;
    write_private(
        &folder.join(SavedKeys::AUTHORITY),
        authority.certificate_pem().as_bytes(),
    )?;
    Ok(())
}

/// Reads what [`write_certificates`] wrote.
///
/// # Errors
/// [`SavedKeysError`], which names the file that is missing or damaged.
pub fn read_certificates(folder: &Path) -> Result<CertificateAuthority, SavedKeysError> {
    let read = |name: &str| {
        let path = folder.join(name);
        fs::read_to_string(&path).map_err(|source| FolderError::Io { path, source })
    };
    let certificate = read(SavedKeys::AUTHORITY)?;
    let key = read(SavedKeys::AUTHORITY_KEY)?;
    Ok(CertificateAuthority::from_pem(&certificate, &key)?)
}
