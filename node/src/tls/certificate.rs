//! Reading certificates.

use node_feed::{NetworkId, NodeId};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::{self, PemObject};
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::FromDer;
use x509_parser::x509::AttributeTypeAndValue;

/// Why a certificate, key or request could not be read or made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CertificateError {
    /// The text is not PEM, or holds nothing of the kind wanted. Restore the file.
    #[error("no {what} can be read: {source}")]
    Pem {
        /// What was looked for.
        what: &'static str,
        /// What the PEM reader said.
        source: pem::Error,
    },
    /// The bytes are not a certificate.
    #[error("the certificate cannot be read; restore the file that it came from")]
    Encoding,
    /// The certificate names no node of a network, so it was not issued by this software.
    #[error("the certificate names no node of a network")]
    Subject,
    /// The authority's certificate is for another key than the one beside it.
    #[error("the authority's certificate and key do not belong together; restore both")]
    Mismatch,
    /// A key or request cannot be used, or signing failed.
    #[error("the certificate cannot be made: {0}")]
    Making(#[from] rcgen::Error),
    /// A time is outside what a certificate can say.
    #[error("the clock of this machine shows an impossible date; set it and try again")]
    Time,
    /// The system gave no random bytes. Trying again may help.
    #[error("the system gave no random bytes: {0}")]
    Random(#[from] getrandom::Error),
}

/// What a node's certificate says of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CertificateSubject {
    /// The network.
    pub network: NetworkId,
    /// The node.
    pub node: NodeId,
    /// When it ends, in ms since 1970.
    pub not_after_ms: u64,
}

impl CertificateSubject {
    /// Reads it from the certificate's alternative name, `causeway://<network>/<node>`.
    ///
    /// # Errors
    /// [`CertificateError::Encoding`] and [`CertificateError::Subject`].
    pub fn read(certificate: &CertificateDer<'_>) -> Result<Self, CertificateError> {
        let parsed = parse(certificate)?;
        let (network, node) = parsed
            .subject_alternative_name()
            .ok()
            .flatten()
            .and_then(|names| names.value.general_names.iter().find_map(named))
            .ok_or(CertificateError::Subject)?;
        Ok(Self {
            network,
            node,
            not_after_ms: end_ms(&parsed),
        })
    }

    /// The alternative name that says it.
    pub(super) fn uri(network: NetworkId, node: NodeId) -> String {
        format!("causeway://{network}/{node}")
    }
}

/// When the first certificate of a PEM text ends, in ms since 1970.
///
/// # Errors
/// [`CertificateError`] if there is none that can be read.
pub fn certificate_ends_ms(text: &str) -> Result<u64, CertificateError> {
    let chain = chain_from_pem(text)?;
    let own = chain.first().ok_or(CertificateError::Encoding)?;
    Ok(validity_ms(own)?.1)
}

/// When a certificate starts and ends, in ms since 1970.
pub(super) fn validity_ms(
    certificate: &CertificateDer<'_>,
) -> Result<(u64, u64), CertificateError> {
    let parsed = parse(certificate)?;
    let start = parsed.validity().not_before.timestamp();
    Ok((
        u64::try_from(start).unwrap_or(0).saturating_mul(1000),
        end_ms(&parsed),
    ))
}

/// From whom a certificate says that it comes: the name that people know, and the organisation.
pub(super) fn issuer(certificate: &CertificateDer<'_>) -> Result<String, CertificateError> {
    let parsed = parse(certificate)?;
    let issuer = parsed.issuer();
    let text = |name: Option<&AttributeTypeAndValue<'_>>| {
        name.and_then(|it| it.as_str().ok()).map(str::to_owned)
    };
    let common = text(issuer.iter_common_name().next());
    let organisation = text(issuer.iter_organization().next());
    Ok(match (common, organisation) {
        (Some(common), Some(organisation)) if common != organisation => {
            format!("{common} ({organisation})")
        }
        (Some(name), _) | (None, Some(name)) => name,
        (None, None) => issuer.to_string(),
    })
}

/// The public key of a certificate, as the bits of its key field.
pub(super) fn public_key(certificate: &CertificateDer<'_>) -> Result<Vec<u8>, CertificateError> {
    Ok(parse(certificate)?
        .public_key()
        .subject_public_key
        .data
        .to_vec())
}

/// All certificates of a PEM text; at least one.
pub(crate) fn chain_from_pem(text: &str) -> Result<Vec<CertificateDer<'static>>, CertificateError> {
    let unreadable = |source| CertificateError::Pem {
        what: "certificate",
        source,
    };
    let chain = CertificateDer::pem_slice_iter(text.as_bytes())
        .collect::<Result<Vec<_>, _>>()
        .map_err(unreadable)?;
    if chain.is_empty() {
        Err(unreadable(pem::Error::NoItemsFound))
    } else {
        Ok(chain)
    }
}

fn parse<'a>(certificate: &'a CertificateDer<'_>) -> Result<X509Certificate<'a>, CertificateError> {
    match X509Certificate::from_der(certificate) {
        Ok(([], parsed)) => Ok(parsed),
        Ok(_) | Err(_) => Err(CertificateError::Encoding),
    }
}

fn named(name: &GeneralName<'_>) -> Option<(NetworkId, NodeId)> {
    let GeneralName::URI(uri) = name else {
        return None;
    };
    let (network, node) = uri.strip_prefix("causeway://")?.split_once('/')?;
    Some((network.parse().ok()?, node.parse().ok()?))
}

fn end_ms(certificate: &X509Certificate<'_>) -> u64 {
    let end = certificate.validity().not_after.timestamp();
    u64::try_from(end).unwrap_or(0).saturating_mul(1000)
}
