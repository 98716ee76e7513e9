//! The keys from which a coordinator can be rebuilt: root, certificate authority and identity.
//!
//! They are written once, to a folder that belongs in a safe. The root key is read from there
//! when a new term of the authority log begins, and is in no data folder.

use std::path::{Path, PathBuf};
use std::{fs, io};

use node::folder::{FolderError, read_seed, remove_file, write_private, write_seed};
use node::tls::{CertificateAuthority, CertificateError};
use node_feed::{HubId, NetworkId, SecretKey, Succession};
use zeroize::Zeroizing;

use crate::successions::Successions;

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
    /// How that key came from earlier ones, the first first.
    pub successions: Vec<Succession>,
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
            successions: Vec::new(),
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

    /// Deletes keys of a network that never began, as far as that can be done.
    pub(crate) fn remove(folder: &Path) {
        let files = [
            Self::ROOT,
            Self::IDENTITY,
            Self::AUTHORITY,
            Self::AUTHORITY_KEY,
            Self::HUB,
        ];
        for file in files {
            // One that was never written is not there.
            let _gone = fs::remove_file(folder.join(file));
        }
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
        let root = SecretKey::from_seed(&*read_seed(&folder.join(Self::ROOT))?);
        let mut successions = Successions::read(folder)?.line().to_vec();
        let mut identity = SecretKey::from_seed(&*read_seed(&folder.join(Self::IDENTITY))?);
        // Whether the coordinator took the next one before its disk was lost is not known: who knows the
        // former one alone follows from that.
        let next = folder.join(NextIdentity::FILE);
        if next.exists() {
            let next = SecretKey::from_seed(&*read_seed(&next)?);
            if next.public() != identity.public() {
                let network = root.public().network();
                let succession = Succession::sign(network, &identity, next.public().node());
                successions.retain(|one| one.former != succession.former);
                successions.push(succession);
                identity = next;
            }
        }
        Ok(Self {
            authority: read_certificates(folder)?,
            identity,
            root,
            successions,
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

/// An authority that takes the place of the one in a folder of saved keys, once the coordinator signs
/// with it.
#[derive(Debug)]
pub struct NextAuthority {
    folder: PathBuf,
    authority: CertificateAuthority,
}

impl NextAuthority {
    /// Where it waits: whoever begins again goes on with the same one.
    const FILE: &'static str = "authority-next.pem";

    /// Makes one beside the keys in `folder`, or takes the one that was made and not adopted.
    ///
    /// # Errors
    /// [`SavedKeysError`]: the folder must hold a network's keys, and be writable.
    pub fn prepare(folder: &Path) -> Result<Self, SavedKeysError> {
        let keys = SavedKeys::read(folder)?;
        let file = folder.join(Self::FILE);
        let made = match fs::read_to_string(&file) {
            Ok(text) => {
                let text = Zeroizing::new(text);
                Some(CertificateAuthority::from_pem(&text, &text)?)
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(source) => return Err(FolderError::Io { path: file, source }.into()),
        };
        // One that was adopted, and not deleted before the process ended, is no next one.
        let made = made.filter(|made| made.certificate() != keys.authority.certificate());
        let authority = match made {
            Some(made) => made,
            None => {
                let network = keys.root.public().network();
                CertificateAuthority::generate(network, node::clock::now_ms())?
            }
        };
        write_private(&file, both_pem(&authority).as_bytes())?;
        Ok(Self {
            folder: folder.to_owned(),
            authority,
        })
    }

    /// Its key and certificate.
    pub fn to_pem(&self) -> String {
        both_pem(&self.authority).to_string()
    }

    /// Puts it in the place of the one before, after the coordinator did.
    ///
    /// # Errors
    /// [`SavedKeysError::Folder`]; it can be prepared and adopted again then.
    pub fn adopt(self) -> Result<(), SavedKeysError> {
        write_certificates(&self.folder, &self.authority)?;
        Ok(remove_file(&self.folder.join(Self::FILE))?)
    }
}

/// An identity key that takes the place of the one in a folder of saved keys, once the coordinator has
/// it. The root key may be elsewhere.
#[derive(Debug)]
pub struct NextIdentity {
    folder: PathBuf,
    next: SecretKey,
    succession: Succession,
}

impl NextIdentity {
    /// Where it waits: whoever begins again goes on with the same one.
    const FILE: &'static str = "identity-next.key";

    /// Makes one beside the keys in `folder`, or takes the one that was made and not adopted.
    ///
    /// # Errors
    /// [`SavedKeysError`]: the folder must hold the coordinator's identity key, and be writable.
    pub fn prepare(folder: &Path, network: NetworkId) -> Result<Self, SavedKeysError> {
        let identity = folder.join(SavedKeys::IDENTITY);
        let identity = SecretKey::from_seed(&*read_seed(&identity)?);
        let file = folder.join(Self::FILE);
        let next = match file.exists() {
            true => SecretKey::from_seed(&*read_seed(&file)?),
            false => SecretKey::from_seed(&node::random::<32>()),
        };
        let known = Successions::read(folder)?;
        let adopted = known.line().iter().find(|one| {
            next.public() == identity.public() && one.successor == identity.public().node()
        });
        let succession = match adopted {
            // It is in its place, and the process ended before this file was deleted.
            Some(succession) => succession.clone(),
            None => Succession::sign(network, &identity, next.public().node()),
        };
        write_seed(&file, &next.seed())?;
        Ok(Self {
            folder: folder.to_owned(),
            next,
            succession,
        })
    }

    /// Its seed.
    pub fn to_hex(&self) -> Zeroizing<String> {
        Zeroizing::new(hex::encode(*self.next.seed()))
    }

    /// The former key's word on it.
    pub const fn succession(&self) -> &Succession {
        &self.succession
    }

    /// Puts it in the place of the one before, after the coordinator did.
    ///
    /// # Errors
    /// [`SavedKeysError::Folder`]; it can be prepared and adopted again then.
    pub fn adopt(self) -> Result<(), SavedKeysError> {
        Successions::read(&self.folder)?.add(&self.succession)?;
        write_seed(&self.folder.join(SavedKeys::IDENTITY), &self.next.seed())?;
        Ok(remove_file(&self.folder.join(Self::FILE))?)
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
    Ok(replace_certificates(folder, authority)?)
}

/// The same where others may be: those before stay in use, or these are, never one of each. Key and
/// certificate stand together in the key's file, and the certificate alone, for people, in its own.
///
/// # Errors
/// [`FolderError`].
pub(crate) fn replace_certificates(
    folder: &Path,
    authority: &CertificateAuthority,
) -> Result<(), FolderError> {
    let key = folder.join(SavedKeys::AUTHORITY_KEY);
    write_private(&key, both_pem(authority).as_bytes())?;
    let certificate = authority.certificate_pem();
    write_private(&folder.join(SavedKeys::AUTHORITY), certificate.as_bytes())
}

fn both_pem(authority: &CertificateAuthority) -> Zeroizing<String> {
    let (key, certificate) = (authority.key_pem(), authority.certificate_pem());
    Zeroizing::new(format!("{}{certificate}", *key))
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
    let key = Zeroizing::new(read(SavedKeys::AUTHORITY_KEY)?);
    // Folders that were set up before both stood together have it in its own file alone.
    let certificate = match key.contains("BEGIN CERTIFICATE") {
        true => key.clone(),
        false => Zeroizing::new(read(SavedKeys::AUTHORITY)?),
    };
    Ok(CertificateAuthority::from_pem(&certificate, &key)?)
}
