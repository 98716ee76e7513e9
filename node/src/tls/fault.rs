//! Why a TLS connection failed, in words.

use std::fmt;
use std::io;

use rustls::{AlertDescription, CertificateError};

/// Why a TLS connection failed. Every text is about the other end, and says what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// The other end's certificate has run out by this machine's clock.
    Expired,
    /// The other end's certificate starts later by this machine's clock.
    NotYetValid,
    /// The other end's certificate comes from an authority that is not this network's: from whom it
    /// says it does, if a server showed it.
    UnknownAuthority(Option<String>),
    /// The server's certificate is for other names.
    Name,
    /// The other end's certificate fails in another way.
    Certificate(String),
    /// The other end says that our certificate has run out.
    OurExpired,
    /// The other end does not accept our certificate.
    OurRefused,
    /// What is at the other end does not speak TLS.
    NotTls,
    /// The other end speaks only versions of TLS that are not accepted here.
    Version,
    /// HTTP/2 was not agreed on.
    NotHttp2,
    /// The other end hung up in the middle of the handshake.
    Closed,
    /// The other end took too long.
    Timeout,
    /// Anything else, as rustls or the system says it.
    Other(String),
}

impl Fault {
    /// Its word, for programs: it stays what it is.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Expired => "expired",
            Self::NotYetValid => "not-yet-valid",
            Self::UnknownAuthority(_) => "unknown-authority",
            Self::Name => "name",
            Self::Certificate(_) => "certificate",
            Self::OurExpired => "our-expired",
            Self::OurRefused => "our-refused",
            Self::NotTls => "not-tls",
            Self::Version => "version",
            Self::NotHttp2 => "not-http2",
            Self::Closed => "closed",
            Self::Timeout => "timeout",
            Self::Other(_) => "other",
        }
    }

    /// Whether the other end may be the right one all the same: it showed a certificate of another
    /// authority, or for other names, and may prove by other means who it is.
    pub(super) const fn is_of_stranger(&self) -> bool {
        matches!(self, Self::UnknownAuthority(_) | Self::Name)
    }

    /// Whether it is our certificate that the other end does not take.
    pub(crate) const fn is_ours(&self) -> bool {
        matches!(self, Self::OurExpired | Self::OurRefused)
    }

    /// What an error of a TLS stream means, if it came from TLS.
    pub(super) fn of_stream(error: &io::Error) -> Option<Self> {
        let carried = error.get_ref()?;
        carried.downcast_ref::<rustls::Error>().map(Self::of_tls)
    }

    /// What a handshake's failure means.
    pub(super) fn of_handshake(error: &io::Error) -> Self {
        if let Some(fault) = Self::of_stream(error) {
            return fault;
        }
        let closed = [
            io::ErrorKind::UnexpectedEof,
            io::ErrorKind::ConnectionReset,
            io::ErrorKind::ConnectionAborted,
            io::ErrorKind::BrokenPipe,
        ];
        if closed.contains(&error.kind()) {
            Self::Closed
        } else {
            Self::Other(error.to_string())
        }
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "rustls adds errors; each has its own text"
    )]
    pub(super) fn of_tls(error: &rustls::Error) -> Self {
        match error {
            rustls::Error::InvalidCertificate(error) => Self::of_certificate(error),
            rustls::Error::AlertReceived(alert) => Self::of_alert(*alert),
            rustls::Error::InvalidMessage(_) => Self::NotTls,
            rustls::Error::PeerIncompatible(_) => Self::Version,
            rustls::Error::NoApplicationProtocol => Self::NotHttp2,
            other => Self::Other(other.to_string()),
        }
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "rustls adds errors; each has its own text"
    )]
    fn of_certificate(error: &CertificateError) -> Self {
        match error {
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => Self::Expired,
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                Self::NotYetValid
            }
            CertificateError::UnknownIssuer | CertificateError::BadSignature => {
                Self::UnknownAuthority(None)
            }
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                Self::Name
            }
            other => Self::Certificate(other.to_string()),
        }
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the numbers of alerts are an open set"
    )]
    fn of_alert(alert: AlertDescription) -> Self {
        match alert {
            AlertDescription::CertificateExpired => Self::OurExpired,
            AlertDescription::UnknownCA
            | AlertDescription::BadCertificate
            | AlertDescription::CertificateUnknown
            | AlertDescription::CertificateRevoked
            | AlertDescription::UnsupportedCertificate
            | AlertDescription::AccessDenied
            | AlertDescription::DecryptError => Self::OurRefused,
            AlertDescription::ProtocolVersion => Self::Version,
            AlertDescription::NoApplicationProtocol => Self::NotHttp2,
            other => Self::Other(format!("it ended the handshake with the alert {other:?}")),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Expired => {
                "its certificate has expired by this machine's clock; check the date here, and \
                 if it is right, the certificate must be renewed"
            }
            Self::NotYetValid => {
                "its certificate is not valid yet by this machine's clock; set the date here"
            }
            Self::UnknownAuthority(Some(issuer)) => {
                return write!(
                    f,
                    "its certificate does not come from this network's authority, but from \
                     \"{issuer}\"; your network's filter inspects encrypted connections, so ask for \
                     this address to be put on its exclusion list, unless the address belongs to \
                     something else"
                );
            }
            Self::UnknownAuthority(None) => {
                "its certificate does not come from this network's authority; either the address \
                 belongs to something else, or a filter that inspects TLS stands between: have \
                 the address put on the filter's exclusion list"
            }
            Self::Name => {
                "its certificate is for another name; use the address that the invitation gives"
            }
            Self::Certificate(text) => return write!(f, "its certificate is not accepted: {text}"),
            Self::OurExpired => {
                "it says that our certificate has expired; it will be renewed, unless one of the \
                 two clocks is wrong"
            }
            Self::OurRefused => {
                "it does not accept our certificate; the two were set up for different networks"
            }
            Self::NotTls => {
                "what is there does not speak TLS; check host and port, and whether a proxy or \
                 filter stands between"
            }
            Self::Version => "it does not speak TLS 1.3; an old client or a filter is between",
            Self::NotHttp2 => {
                "it does not speak HTTP/2; a proxy that only speaks HTTP/1.1 stands between"
            }
            Self::Closed => "it closed the connection during the handshake",
            Self::Timeout => "it did not complete the handshake in time",
            Self::Other(text) => text,
        })
    }
}
