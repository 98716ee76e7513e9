//! Which clients' certificates a server accepts, to be replaced while it runs.

use std::sync::{Arc, PoisonError, RwLock};

use rustls::client::danger::HandshakeSignatureValid;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{DigitallySignedStruct, DistinguishedName, SignatureScheme};

use super::acceptor::roots;
use super::error::TlsError;
use super::provider;

/// The authorities whose clients an [`Acceptor`](super::Acceptor) accepts at present. A client may show
/// no certificate at all.
#[derive(Debug)]
pub struct LiveClients(RwLock<Arc<dyn ClientCertVerifier>>);

impl LiveClients {
    pub(super) fn of(authority_pem: &str) -> Result<Self, TlsError> {
        Ok(Self(RwLock::new(verifier(authority_pem)?)))
    }

    /// Accepts clients of these authorities (PEM), and no others, from the next handshake on.
    /// Connections that stand are unaffected.
    ///
    /// # Errors
    /// [`TlsError`] if one of them cannot be used; those before stay in use.
    pub fn replace(&self, authority_pem: &str) -> Result<(), TlsError> {
        let next = verifier(authority_pem)?;
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = next;
        Ok(())
    }

    fn now(&self) -> Arc<dyn ClientCertVerifier> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl ClientCertVerifier for LiveClients {
    fn offer_client_auth(&self) -> bool {
        true
    }

    fn client_auth_mandatory(&self) -> bool {
        false
    }

    /// None are named: a node has one certificate and shows it to whoever asks.
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        own: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        self.now().verify_client_cert(own, others, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let verifier = self.now();
        verifier.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let verifier = self.now();
        verifier.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.now().supported_verify_schemes()
    }
}

pub(super) fn verifier(authority_pem: &str) -> Result<Arc<dyn ClientCertVerifier>, TlsError> {
    let roots = Arc::new(roots(authority_pem)?);
    WebPkiClientVerifier::builder_with_provider(roots, provider())
        .allow_unauthenticated()
        .build()
        .map_err(|error| TlsError::Setup(error.to_string()))
}
