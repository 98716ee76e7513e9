//! A certificate in files that somebody else makes and renews, such as certbot.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use zeroize::Zeroizing;

use super::certificate::CertificateError;
use super::credentials::Credentials;

/// Why the files cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CertificateFilesError {
    /// A file cannot be read.
    #[error("{} cannot be read: {source}; check the settings `certificate` and `key`", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// What is in them cannot be used.
    #[error("{} with {}: {source}", certificate.display(), key.display())]
    Certificate {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's file.
        key: PathBuf,
        /// What is wrong.
        source: CertificateError,
    },
}

/// The file of a certificate with its chain, and the file of its key; both PEM.
#[derive(Debug, Clone)]
pub struct CertificateFiles {
    certificate: PathBuf,
    key: PathBuf,
}

/// When each of the files was last changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stamp([Option<SystemTime>; 2]);

impl CertificateFiles {
    /// These two files, which need not be there yet.
    pub fn new(certificate: impl Into<PathBuf>, key: impl Into<PathBuf>) -> Self {
        Self {
            certificate: certificate.into(),
            key: key.into(),
        }
    }

    /// One file that holds both.
    pub(crate) fn in_one(file: PathBuf) -> Self {
        Self {
            certificate: file.clone(),
            key: file,
        }
    }

    /// Reads both.
    ///
    /// # Errors
    /// [`CertificateFilesError`], which names the file.
    pub fn read(&self) -> Result<Credentials, CertificateFilesError> {
        let read = |path: &Path| {
            fs::read_to_string(path).map_err(|source| CertificateFilesError::Read {
                path: path.to_owned(),
                source,
            })
        };
        let key = Zeroizing::new(read(&self.key)?);
        Credentials::from_pem(&read(&self.certificate)?, &key).map_err(|source| {
            CertificateFilesError::Certificate {
                certificate: self.certificate.clone(),
                key: self.key.clone(),
                source,
            }
        })
    }

    /// What changes when they are to be read again.
    pub fn stamp(&self) -> Stamp {
        let changed = |path: &Path| fs::metadata(path).and_then(|it| it.modified()).ok();
        Stamp([changed(&self.certificate), changed(&self.key)])
    }
}
