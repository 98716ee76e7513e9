//! The authority that signs the network's certificates, and the one before it, which is still
//! accepted until it is retired.

use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock};

use bytes::Bytes;
use node::folder::{FolderError, remove_file, write_private};
use node::tls::{CertificateAuthority, CertificateError};

use crate::saved_keys::{SavedKeysError, read_certificates, replace_certificates};

/// Where the certificate of the authority before is kept.
const FORMER: &str = "authority-former.pem";

/// Why the authority was not replaced.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CertificatesError {
    /// There would be three.
    #[error(
        "the authority before this one is still accepted: end that with `certificates retire` before \
         there is another"
    )]
    Former,
    /// A file cannot be written.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// The authority cannot be used.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
}

/// The authorities of one coordinator's data folder.
#[derive(Debug)]
pub struct Certificates {
    folder: PathBuf,
    state: RwLock<State>,
}

#[derive(Debug)]
struct State {
    issuer: CertificateAuthority,
    /// PEM.
    former: Option<String>,
}

impl Certificates {
    /// Reads them.
    ///
    /// # Errors
    /// [`SavedKeysError`], which names the file that is missing or damaged.
    pub fn read(folder: &Path) -> Result<Self, SavedKeysError> {
        let issuer = read_certificates(folder)?;
        let file = folder.join(FORMER);
        let former = match std::fs::read_to_string(&file) {
            Ok(former) => Some(former),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(source) => return Err(FolderError::Io { path: file, source }.into()),
        };
        // The process ended before the next one was in its place.
        let former = former.filter(|former| *former != issuer.certificate_pem());
        let folder = folder.to_owned();
        let state = RwLock::new(State { issuer, former });
        Ok(Self { folder, state })
    }

    /// The authority that signs now.
    pub fn issuer(&self) -> CertificateAuthority {
        self.with(|state| state.issuer.clone())
    }

    /// Its certificate as the record of access names it, DER.
    pub fn named(&self) -> Bytes {
        self.with(|state| Bytes::copy_from_slice(state.issuer.certificate()))
    }

    /// The authorities whose certificates are accepted, PEM.
    pub fn accepted_pem(&self) -> String {
        self.with(|state| {
            let former = state.former.as_deref().unwrap_or_default();
            format!("{}{former}", state.issuer.certificate_pem())
        })
    }

    /// When the authority before ends, in ms since 1970, if it is still accepted.
    ///
    /// # Errors
    /// [`CertificatesError::Certificate`] if its file is damaged.
    pub fn former_ends_ms(&self) -> Result<Option<u64>, CertificatesError> {
        let former = self.with(|state| state.former.clone());
        let end = former.map(|former| node::tls::certificate_ends_ms(&former));
        Ok(end.transpose()?)
    }

    /// Signs with `next` from now on, durably; certificates of the one before stay good. Asked again
    /// for the same one it changes nothing.
    ///
    /// # Errors
    /// [`CertificatesError`]; the one before signs on then.
    pub fn replace(&self, next: CertificateAuthority) -> Result<(), CertificatesError> {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        if next.certificate() == state.issuer.certificate() {
            // The process may have ended between its two files.
            return Ok(replace_certificates(&self.folder, &next)?);
        }
        if state.former.is_some() {
            return Err(CertificatesError::Former);
        }
        let former = state.issuer.certificate_pem();
        write_private(&self.folder.join(FORMER), former.as_bytes())?;
        replace_certificates(&self.folder, &next)?;
        *state = State {
            issuer: next,
            former: Some(former),
        };
        Ok(())
    }

    /// Accepts certificates of the authority before no longer; says whether any was.
    ///
    /// # Errors
    /// [`CertificatesError::Folder`]; it is accepted on then.
    pub fn retire(&self) -> Result<bool, CertificatesError> {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        if state.former.is_none() {
            return Ok(false);
        }
        remove_file(&self.folder.join(FORMER))?;
        state.former = None;
        Ok(true)
    }

    fn with<T>(&self, look: impl FnOnce(&State) -> T) -> T {
        look(&self.state.read().unwrap_or_else(PoisonError::into_inner))
    }
}
