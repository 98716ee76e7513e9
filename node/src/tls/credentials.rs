//! What one end shows in a handshake.

use std::fmt;
use std::time::Duration;

use data_encoding::BASE64;
use rcgen::{CertificateParams, KeyPair, PKCS_ECDSA_P256_SHA256};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use zeroize::Zeroizing;

use super::certificate::{self, CertificateError, CertificateSubject};
use super::live_clients::verifier;

/// A key for TLS alone (ECDSA P-256). Never the identity key: it may sit on a machine that
/// terminates TLS, and it changes whenever a certificate is renewed.
pub struct TlsKey(KeyPair);

impl TlsKey {
    /// Makes a new key.
    ///
    /// # Errors
    /// [`CertificateError::Making`] if the system gives no random bytes.
    pub fn generate() -> Result<Self, CertificateError> {
        Ok(Self(KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?))
    }

    /// Reads a key from PEM.
    ///
    /// # Errors
    /// [`CertificateError::Making`] if the text holds no key that can be used.
    pub fn from_pem(text: &str) -> Result<Self, CertificateError> {
        Ok(Self(KeyPair::from_pem(text)?))
    }

    /// The key as PEM (PKCS #8), for a file that only this program's user may read.
    pub fn to_pem(&self) -> Zeroizing<String> {
        Zeroizing::new(self.0.serialize_pem())
    }

    /// A certificate request (PKCS #10, DER). It names nothing: the authority takes only the
    /// key out of it.
    ///
    /// # Errors
    /// [`CertificateError::Making`] if signing it fails.
    pub fn request(&self) -> Result<Vec<u8>, CertificateError> {
        Ok(CertificateParams::default()
            .serialize_request(&self.0)?
            .der()
            .to_vec())
    }

    pub(super) const fn pair(&self) -> &KeyPair {
        &self.0
    }
}

impl fmt::Debug for TlsKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TlsKey")
    }
}

/// Where in its lifetime a certificate is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lifetime {
    /// Before it.
    Early,
    /// Within.
    Now,
    /// After it.
    Over,
}

/// A certificate chain, the own certificate first, and its key.
pub struct Credentials {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
    start_ms: u64,
    end_ms: u64,
}

impl Credentials {
    /// Takes a chain (DER, own certificate first) and the key that it was made for.
    ///
    /// # Errors
    /// [`CertificateError::Encoding`] if the first certificate cannot be read,
    /// [`CertificateError::Mismatch`] if it is for another key.
    pub fn new(
        chain: Vec<CertificateDer<'static>>,
        key: &TlsKey,
    ) -> Result<Self, CertificateError> {
        let own = chain.first().ok_or(CertificateError::Encoding)?;
        if certificate::public_key(own)? != key.pair().public_key_raw() {
            return Err(CertificateError::Mismatch);
        }
        Self::from_parts(chain, &key.to_pem())
    }

    /// Reads a chain and a key from PEM. Also takes a publicly trusted server certificate,
    /// whatever the kind of its key.
    ///
    /// # Errors
    /// [`CertificateError::Pem`] or [`CertificateError::Encoding`] if either cannot be read.
    pub fn from_pem(chain: &str, key: &str) -> Result<Self, CertificateError> {
        Self::from_parts(certificate::chain_from_pem(chain)?, key)
    }

    /// The chain as PEM.
    pub fn chain_pem(&self) -> String {
        self.chain
            .iter()
            .map(|certificate| pem("CERTIFICATE", certificate))
            .collect()
    }

    /// The key as PEM, for a file that only this program's user may read.
    pub fn key_pem(&self) -> Zeroizing<String> {
        Zeroizing::new(pem("PRIVATE KEY", self.key.secret_der()))
    }

    /// When the certificate ends, in ms since 1970.
    pub const fn not_after_ms(&self) -> u64 {
        self.end_ms
    }

    /// Where in its lifetime the certificate is at `now_ms`.
    pub(crate) const fn lifetime(&self, now_ms: u64) -> Lifetime {
        if now_ms < self.start_ms {
            Lifetime::Early
        } else if now_ms < self.end_ms {
            Lifetime::Now
        } else {
            Lifetime::Over
        }
    }

    /// Whose certificate it is.
    ///
    /// # Errors
    /// [`CertificateError`] if it names no node.
    pub(crate) fn subject(&self) -> Result<CertificateSubject, CertificateError> {
        let own = self.chain.first().ok_or(CertificateError::Encoding)?;
        CertificateSubject::read(own)
    }

    /// Whether it is a node's certificate that comes from one of these authorities (PEM), whatever
    /// today's date is.
    pub(crate) fn is_of(&self, authority_pem: &str) -> bool {
        let Some((own, others)) = self.chain.split_first() else {
            return false;
        };
        let last = Duration::from_millis(self.end_ms.saturating_sub(1));
        verifier(authority_pem).is_ok_and(|verifier| {
            let last = UnixTime::since_unix_epoch(last);
            verifier.verify_client_cert(own, others, last).is_ok()
        })
    }

    /// Whether the key is the one that the certificate is for, as it is where this program wrote both.
    pub(crate) fn belong_together(&self) -> bool {
        let key = TlsKey::from_pem(&self.key_pem());
        key.is_ok_and(|key| Self::new(self.chain(), &key).is_ok())
    }

    /// Whether a third or less of the lifetime is left at `now_ms`, so that it is time to renew.
    pub const fn renewal_due(&self, now_ms: u64) -> bool {
        now_ms
            >= self
                .end_ms
                .saturating_sub(self.end_ms.saturating_sub(self.start_ms) / 3)
    }

    pub(super) fn chain(&self) -> Vec<CertificateDer<'static>> {
        self.chain.clone()
    }

    pub(super) fn key(&self) -> PrivateKeyDer<'static> {
        self.key.clone_key()
    }

    fn from_parts(
        chain: Vec<CertificateDer<'static>>,
        key: &str,
    ) -> Result<Self, CertificateError> {
        let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).map_err(|source| {
            CertificateError::Pem {
                what: "private key",
                source,
            }
        })?;
        let own = chain.first().ok_or(CertificateError::Encoding)?;
        let (start_ms, end_ms) = certificate::validity_ms(own)?;
        Ok(Self {
            chain,
            key,
            start_ms,
            end_ms,
        })
    }
}

impl Clone for Credentials {
    fn clone(&self) -> Self {
        Self {
            chain: self.chain(),
            key: self.key(),
            ..*self
        }
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("not_after_ms", &self.end_ms)
            .finish_non_exhaustive()
    }
}

/// PEM of one item: 64 characters a line.
pub(crate) fn pem(label: &str, der: &[u8]) -> String {
    let body = Zeroizing::new(BASE64.encode(der));
    let mut text = format!("-----BEGIN {label}-----\n");
    let mut rest = body.as_str();
    while !rest.is_empty() {
        let (line, tail) = rest.split_at(rest.len().min(64));
        text.push_str(line);
        text.push('\n');
        rest = tail;
    }
    text.push_str(&format!("-----END {label}-----\n"));
    text
}
