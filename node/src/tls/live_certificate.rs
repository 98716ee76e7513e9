//! A server certificate that can be replaced while the server runs.

use std::sync::{Arc, PoisonError, RwLock};

use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use super::credentials::Credentials;
use super::error::TlsError;

/// The certificate that an [`Acceptor`](super::Acceptor) shows at present.
#[derive(Debug)]
pub struct LiveCertificate(RwLock<Arc<CertifiedKey>>);

impl LiveCertificate {
    pub(super) fn new(credentials: &Credentials) -> Result<Self, TlsError> {
        Ok(Self(RwLock::new(certified(credentials)?)))
    }

    /// Shows `credentials` from the next handshake on. Connections that stand are unaffected.
    ///
    /// # Errors
    /// [`TlsError::Setup`] if certificate and key do not fit; the old ones stay in use.
    pub fn replace(&self, credentials: &Credentials) -> Result<(), TlsError> {
        let certified = certified(credentials)?;
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = certified;
        Ok(())
    }
}

impl ResolvesServerCert for LiveCertificate {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(
            &self.0.read().unwrap_or_else(PoisonError::into_inner),
        ))
    }
}

fn certified(credentials: &Credentials) -> Result<Arc<CertifiedKey>, TlsError> {
    let provider = super::provider();
    let certified = CertifiedKey::from_der(credentials.chain(), credentials.key(), &provider)?;
    Ok(Arc::new(certified))
}
