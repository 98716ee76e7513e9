//! A server certificate that can be replaced while the server runs.

use std::sync::{Arc, PoisonError, RwLock};

use rustls::client::verify_server_name;
use rustls::pki_types::ServerName;
use rustls::server::{ClientHello, ParsedCertificate, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use super::address::Address;
use super::credentials::{Credentials, Lifetime};
use super::error::TlsError;
use crate::clock::now_ms;

/// The certificates that a server shows at present: its own, and one of a public authority to those
/// who ask for a name that this one is for, as long as it is valid.
#[derive(Debug)]
pub struct LiveCertificate(RwLock<Shown>);

#[derive(Debug)]
struct Shown {
    own: Arc<CertifiedKey>,
    public: Option<Public>,
}

#[derive(Debug)]
struct Public {
    certified: Arc<CertifiedKey>,
    credentials: Credentials,
}

impl LiveCertificate {
    pub(super) fn new(credentials: &Credentials) -> Result<Self, TlsError> {
        Ok(Self(RwLock::new(Shown {
            own: certified(credentials)?,
            public: None,
        })))
    }

    /// Shows `credentials` from the next handshake on. Connections that stand are unaffected.
    ///
    /// # Errors
    /// [`TlsError::Setup`] if certificate and key do not fit; the old ones stay in use.
    pub fn replace(&self, credentials: &Credentials) -> Result<(), TlsError> {
        let own = certified(credentials)?;
        self.0.write().unwrap_or_else(PoisonError::into_inner).own = own;
        Ok(())
    }

    /// Shows `credentials`, which must be for `address`, from the next handshake on to those who ask
    /// for a name that they are for, and its own certificate to all others and when they have run out.
    ///
    /// # Errors
    /// [`TlsError::Setup`] if certificate and key do not fit, [`TlsError::Names`] if they are for other
    /// names; what was shown before stays in use.
    pub fn show_public(&self, credentials: Credentials, address: &Address) -> Result<(), TlsError> {
        let certified = certified(&credentials)?;
        if !is_for(&certified, &address.server_name()?) {
            return Err(TlsError::Names(address.clone()));
        }
        let public = Public {
            certified,
            credentials,
        };
        self.0
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .public = Some(public);
        Ok(())
    }
}

impl ResolvesServerCert for LiveCertificate {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let shown = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let asked = hello.server_name().map(str::to_owned);
        let asked = asked.and_then(|name| ServerName::try_from(name).ok());
        let fits = |public: &&Public| {
            let is_named = asked
                .as_ref()
                .is_some_and(|it| is_for(&public.certified, it));
            is_named && public.credentials.lifetime(now_ms()) == Lifetime::Now
        };
        let certified = match shown.public.as_ref().filter(fits) {
            Some(public) => &public.certified,
            None => &shown.own,
        };
        Some(Arc::clone(certified))
    }
}

fn is_for(certified: &CertifiedKey, name: &ServerName<'_>) -> bool {
    let parsed = certified.end_entity_cert();
    let parsed = parsed.and_then(ParsedCertificate::try_from);
    parsed.is_ok_and(|parsed| verify_server_name(&parsed, name).is_ok())
}

fn certified(credentials: &Credentials) -> Result<Arc<CertifiedKey>, TlsError> {
    let provider = super::provider();
    let certified = CertifiedKey::from_der(credentials.chain(), credentials.key(), &provider)?;
    Ok(Arc::new(certified))
}
