//! Looks at what a server shows, so that it can be said who shows it.

use std::sync::{Arc, Mutex, PoisonError};

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, SignatureScheme};
use std::time::Duration;
use tokio_rustls::TlsConnector;

use super::acceptor::roots;
use super::address::Address;
use super::certificate::{self, CertificateError};
use super::connector::reach;
use super::error::TlsError;
use super::fault::Fault;
use super::{HANDSHAKE_TIMEOUT, provider};
use crate::proxy::Proxies;

/// Most letters of a name that a stranger's certificate gives itself.
const NAME_LETTERS_MAX: usize = 80;

/// What a server showed.
#[derive(Debug, Clone)]
pub(crate) struct Shown {
    chain: Vec<CertificateDer<'static>>,
}

impl Shown {
    /// From whom the certificate says that it comes.
    pub(crate) fn issuer(&self) -> Option<String> {
        let own = self.chain.first()?;
        let name = certificate::issuer(own).ok()?;
        // A stranger chose it: it must not go on as a sentence of this program's.
        let is_plain = |letter: &char| letter.is_alphanumeric() || " .,-_()&*'/".contains(*letter);
        let name = name.chars().filter(is_plain);
        let name = name.take(NAME_LETTERS_MAX).collect::<String>();
        (!name.is_empty()).then_some(name)
    }

    /// Whether it comes from the authority in `authority_pem` and is for `address`, whatever today's
    /// date is.
    pub(crate) fn is_of(&self, authority_pem: &str, address: &Address) -> bool {
        self.try_is_of(authority_pem, address).is_ok()
    }

    fn try_is_of(&self, authority_pem: &str, address: &Address) -> Result<(), TlsError> {
        let (own, others) = self.chain.split_first().ok_or(CertificateError::Encoding)?;
        let (_, end_ms) = certificate::validity_ms(own)?;
        let last = UnixTime::since_unix_epoch(Duration::from_millis(end_ms.saturating_sub(1)));
        let name = address.server_name()?;
        trusting(authority_pem)?.verify_server_cert(own, others, &name, &[], last)?;
        Ok(())
    }
}

/// Connects to `address`, trusting anybody and saying nothing, to see who answers there: also to what
/// speaks no HTTP/2 or an older TLS.
///
/// # Errors
/// [`TlsError`]; [`TlsError::Handshake`] if not even TLS is spoken.
pub(crate) async fn look(address: &Address, proxies: &Proxies) -> Result<Shown, TlsError> {
    let witness = Arc::new(Witness::of_anybody());
    let config = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::<Witness>::clone(&witness))
        .with_no_client_auth();
    let stream = reach(address, proxies).await?;
    let handshake = TlsConnector::from(Arc::new(config)).connect(address.server_name()?, stream);
    let done = tokio::time::timeout(HANDSHAKE_TIMEOUT, handshake).await;
    // What was shown was shown, whatever became of the handshake afterwards.
    if let Some(shown) = witness.shown() {
        return Ok(shown);
    }
    let fault = match done {
        Err(_) => Fault::Timeout,
        Ok(Err(error)) => Fault::of_handshake(&error),
        Ok(Ok(_)) => Fault::NotTls,
    };
    Err(TlsError::Handshake {
        address: address.clone(),
        fault,
    })
}

/// Verifies servers, and keeps what the last one showed.
#[derive(Debug)]
pub(super) struct Witness {
    /// None to trust anybody.
    trusted: Option<Arc<WebPkiServerVerifier>>,
    /// A key whose holder has proven who it is.
    proven: Mutex<Option<Arc<[u8]>>>,
    shown: Mutex<Option<Shown>>,
}

impl Witness {
    /// Trusts servers of these authorities alone.
    pub(super) fn of(authority_pem: &str) -> Result<Self, TlsError> {
        Ok(Self {
            trusted: Some(trusting(authority_pem)?),
            proven: Mutex::default(),
            shown: Mutex::default(),
        })
    }

    /// Trusts anybody.
    pub(super) const fn of_anybody() -> Self {
        Self {
            trusted: None,
            proven: Mutex::new(None),
            shown: Mutex::new(None),
        }
    }

    /// Trusts the holder of this key too, from whom its certificate is and for what names: it has
    /// proven who it is. The last key that is given counts.
    pub(super) fn prove(&self, key: Arc<[u8]>) {
        *self.proven.lock().unwrap_or_else(PoisonError::into_inner) = Some(key);
    }

    fn has_proven(&self, certificate: &CertificateDer<'_>) -> bool {
        let proven = self.proven.lock().unwrap_or_else(PoisonError::into_inner);
        let key = certificate::public_key(certificate).ok();
        key.is_some_and(|key| proven.as_deref().is_some_and(|proven| *proven == *key))
    }

    /// What the last server showed.
    pub(super) fn shown(&self) -> Option<Shown> {
        self.shown
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Names in a fault who it was.
    pub(super) fn name(&self, fault: Fault) -> Fault {
        if fault == Fault::UnknownAuthority(None) {
            return Fault::UnknownAuthority(self.shown().and_then(|shown| shown.issuer()));
        }
        fault
    }
}

impl ServerCertVerifier for Witness {
    fn verify_server_cert(
        &self,
        own: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let chain = std::iter::once(own).chain(others);
        let chain = chain.map(|it| it.clone().into_owned()).collect();
        *self.shown.lock().unwrap_or_else(PoisonError::into_inner) = Some(Shown { chain });
        let Some(trusted) = &self.trusted else {
            return Ok(ServerCertVerified::assertion());
        };
        match trusted.verify_server_cert(own, others, name, ocsp, now) {
            Err(error) if Fault::of_tls(&error).is_of_stranger() && self.has_proven(own) => {
                match certificate::validity_ms(own) {
                    Ok((_, end_ms)) if end_ms < now.as_secs().saturating_mul(1000) => {
                        Err(rustls::CertificateError::Expired.into())
                    }
                    Ok(_) | Err(_) => Ok(ServerCertVerified::assertion()),
                }
            }
            verified => verified,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = provider().signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, &algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = provider().signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, &algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        provider()
            .signature_verification_algorithms
            .supported_schemes()
    }
}

fn trusting(authority_pem: &str) -> Result<Arc<WebPkiServerVerifier>, TlsError> {
    WebPkiServerVerifier::builder_with_provider(Arc::new(roots(authority_pem)?), provider())
        .build()
        .map_err(|error| TlsError::Setup(error.to_string()))
}
