//! The network's certificate authority.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use node_feed::{NetworkId, NodeId};
use rcgen::{
    BasicConstraints, CertificateParams, CertificateSigningRequestParams, CidrSubnet,
    DistinguishedName, DnType, ExtendedKeyUsagePurpose, GeneralSubtree, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, NameConstraints, PublicKeyData, SanType, SerialNumber, string::Ia5String,
};
use rustls::pki_types::{CertificateDer, CertificateSigningRequestDer};
use time::OffsetDateTime;
use zeroize::Zeroizing;

use super::certificate::{self, CertificateError, CertificateSubject};
use super::credentials::{Credentials, TlsKey, pem};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Lifetime of the authority's own certificate. Its end would stop the whole network, and its
/// key is replaced through the authority log, so it is long.
const AUTHORITY_DAYS: u32 = 20 * 365;

/// Lifetime of the authority of one node's pages.
const SITE_AUTHORITY_DAYS: u32 = 10 * 365;

/// Lifetime of a server's certificate; the coordinator makes itself a new one when it starts.
const SERVER_DAYS: u32 = 365;

/// Lifetime of a node's certificate.
const CLIENT_DAYS: u32 = 90;

/// How far before now certificates start, since clocks in schools run behind.
const CLOCK_ALLOWANCE: Duration = DAY;

/// A node's certificate, as issued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssuedCertificate {
    /// The certificate.
    pub certificate: CertificateDer<'static>,
    /// Its serial number: random, so unique.
    pub serial: [u8; 16],
    /// When it ends, in ms since 1970.
    pub not_after_ms: u64,
}

/// Issues the certificates of one network. Clones share one key.
#[derive(Clone)]
pub struct CertificateAuthority {
    issuer: Arc<Issuer<'static, KeyPair>>,
    certificate: CertificateDer<'static>,
}

impl CertificateAuthority {
    /// Makes a new authority with a key of its own.
    ///
    /// # Errors
    /// [`CertificateError`] if `now_ms` is no date or the system gives no random bytes.
    pub fn generate(network: NetworkId, now_ms: u64) -> Result<Self, CertificateError> {
        let key = TlsKey::generate()?.to_pem();
        let key = KeyPair::from_pem(&key)?;
        let mut params = parameters(&format!("Causeway {network}"), now_ms, AUTHORITY_DAYS)?;
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let certificate = params.self_signed(&key)?.der().clone();
        Ok(Self {
            issuer: Arc::new(Issuer::new(params, key)),
            certificate,
        })
    }

    /// Makes an authority for the pages of one node, which people install in their browsers: it can
    /// vouch for this host, a DNS name with the names below it or an IP address, and for no other.
    ///
    /// # Errors
    /// [`CertificateError`] if `now_ms` is no date or the system gives no random bytes.
    pub fn for_site(host: &str, now_ms: u64) -> Result<Self, CertificateError> {
        let key = TlsKey::generate()?.to_pem();
        let key = KeyPair::from_pem(&key)?;
        let name = format!("Causeway pages of {host}");
        let mut params = parameters(&name, now_ms, SITE_AUTHORITY_DAYS)?;
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let address = |text: &str| GeneralSubtree::DnsName(text.to_owned());
        // Names of a sort that is not mentioned would all be allowed.
        params.name_constraints = Some(match host.parse::<std::net::IpAddr>() {
            Err(_) => NameConstraints {
                permitted_subtrees: vec![address(host)],
                excluded_subtrees: vec![
                    GeneralSubtree::IpAddress(CidrSubnet::V4([0; 4], [0; 4])),
                    GeneralSubtree::IpAddress(CidrSubnet::V6([0; 16], [0; 16])),
                ],
            },
            Ok(ip) => NameConstraints {
                permitted_subtrees: vec![
                    GeneralSubtree::IpAddress(match ip {
                        std::net::IpAddr::V4(ip) => CidrSubnet::V4(ip.octets(), [255; 4]),
                        std::net::IpAddr::V6(ip) => CidrSubnet::V6(ip.octets(), [255; 16]),
                    }),
                    address("invalid"),
                ],
                excluded_subtrees: Vec::new(),
            },
        });
        let certificate = params.self_signed(&key)?.der().clone();
        Ok(Self {
            issuer: Arc::new(Issuer::new(params, key)),
            certificate,
        })
    }

    /// When the authority's certificate ends, in ms since 1970.
    ///
    /// # Errors
    /// [`CertificateError`] if it cannot be read.
    pub fn not_after_ms(&self) -> Result<u64, CertificateError> {
        Ok(certificate::validity_ms(&self.certificate)?.1)
    }

    /// Reads an authority that was saved.
    ///
    /// # Errors
    /// [`CertificateError`] if either text cannot be read, or they do not belong together.
    pub fn from_pem(certificate: &str, key: &str) -> Result<Self, CertificateError> {
        let key = KeyPair::from_pem(key)?;
        let chain = certificate::chain_from_pem(certificate)?;
        let certificate = chain.into_iter().next().ok_or(CertificateError::Encoding)?;
        if certificate::public_key(&certificate)? != key.public_key_raw() {
            return Err(CertificateError::Mismatch);
        }
        Ok(Self {
            issuer: Arc::new(Issuer::from_ca_cert_der(&certificate, key)?),
            certificate,
        })
    }

    /// The authority's certificate, which every node of the network trusts.
    pub fn certificate_pem(&self) -> String {
        pem("CERTIFICATE", &self.certificate)
    }

    /// The authority's certificate in DER.
    pub const fn certificate(&self) -> &CertificateDer<'static> {
        &self.certificate
    }

    /// The authority's key, to be kept with the saved keys.
    pub fn key_pem(&self) -> Zeroizing<String> {
        Zeroizing::new(self.issuer.key().serialize_pem())
    }

    /// A key and certificate for a server that is reached under `names` (DNS names or IP
    /// addresses), good for 365 days.
    ///
    /// # Errors
    /// [`CertificateError::Making`] if a name is not a DNS name or IP address.
    pub fn issue_server(
        &self,
        names: &[String],
        now_ms: u64,
    ) -> Result<Credentials, CertificateError> {
        let key = TlsKey::generate()?;
        let mut params = parameters("Causeway server", now_ms, SERVER_DAYS)?;
        params.subject_alt_names = CertificateParams::new(names)?.subject_alt_names;
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let (certificate, _) = self.sign(params, key.pair())?;
        Credentials::new(vec![certificate], &key)
    }

    /// A certificate for `node`, good for 90 days.
    ///
    /// Of the request (PKCS #10, DER) only the public key is taken, after the signature that
    /// proves its possession holds. Everything else in the certificate is decided here.
    ///
    /// # Errors
    /// [`CertificateError::Making`] if the request cannot be read or its signature fails.
    pub fn issue_client(
        &self,
        request: &[u8],
        network: NetworkId,
        node: NodeId,
        now_ms: u64,
    ) -> Result<IssuedCertificate, CertificateError> {
        let request = CertificateSigningRequestDer::from(request);
        let key = CertificateSigningRequestParams::from_der(&request)?.public_key;
        let mut params = parameters(&node.to_string(), now_ms, CLIENT_DAYS)?;
        let uri = Ia5String::try_from(CertificateSubject::uri(network, node))?;
        params.subject_alt_names = vec![SanType::URI(uri)];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let (certificate, serial) = self.sign(params, &key)?;
        let (_, not_after_ms) = certificate::validity_ms(&certificate)?;
        Ok(IssuedCertificate {
            certificate,
            serial,
            not_after_ms,
        })
    }

    fn sign(
        &self,
        mut params: CertificateParams,
        key: &impl PublicKeyData,
    ) -> Result<(CertificateDer<'static>, [u8; 16]), CertificateError> {
        let mut serial = [0; 16];
        getrandom::fill(&mut serial)?;
        // A serial number is positive, and its first byte is kept when it is not zero.
        serial[0] = (serial[0] & 0x7f) | 0x40;
        params.serial_number = Some(SerialNumber::from_slice(&serial));
        params.use_authority_key_identifier_extension = true;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.is_ca = IsCa::ExplicitNoCa;
        Ok((params.signed_by(key, &self.issuer)?.der().clone(), serial))
    }
}

impl fmt::Debug for CertificateAuthority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CertificateAuthority")
            .finish_non_exhaustive()
    }
}

fn parameters(
    common_name: &str,
    now_ms: u64,
    days: u32,
) -> Result<CertificateParams, CertificateError> {
    let seconds = i64::try_from(now_ms / 1000).map_err(|_| CertificateError::Time)?;
    let now = OffsetDateTime::from_unix_timestamp(seconds).map_err(|_| CertificateError::Time)?;
    let mut params = CertificateParams::default();
    params.not_before = now
        .checked_sub(span(CLOCK_ALLOWANCE))
        .ok_or(CertificateError::Time)?;
    params.not_after = now
        .checked_add(span(DAY * days))
        .ok_or(CertificateError::Time)?;
    params.distinguished_name = DistinguishedName::new();
    params
        .distinguished_name
        .push(DnType::CommonName, common_name);
    Ok(params)
}

fn span(duration: Duration) -> time::Duration {
    time::Duration::seconds(i64::try_from(duration.as_secs()).unwrap_or(i64::MAX))
}
