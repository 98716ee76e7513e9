//! What can go wrong when TLS is set up or a connection is made.

use std::io;

use super::address::{Address, AddressError};
use super::certificate::CertificateError;
use super::fault::Fault;
use crate::proxy::ProxyError;

/// Why TLS could not be set up, or a connection not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// A certificate or key cannot be read. Trying again does not help.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// The address cannot be used. Trying again does not help.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// rustls does not take this certificate, key or authority. Trying again does not help.
    #[error("TLS cannot be set up with this certificate, key and authority: {0}")]
    Setup(String),
    /// A certificate is not for the address at which it is to be shown.
    #[error(
        "the certificate is not for {0}, which is where hubs connect; have one made for that name, or \
         change `listen.public`"
    )]
    Names(Address),
    /// The address has no IP address, or nothing takes the connection. Try again later.
    #[error("{address} cannot be reached: {source}; check the network and the address")]
    Connect {
        /// Where to.
        address: Address,
        /// What the system said.
        source: io::Error,
    },
    /// Nothing answered in time. Try again later.
    #[error("{0} did not answer in time; check the network, the address and any firewall")]
    Timeout(Address),
    /// The proxy on the way gives no way through.
    #[error(transparent)]
    Proxy(#[from] ProxyError),
    /// The handshake failed.
    #[error("{address} was reached, but no secure connection could be made: {fault}")]
    Handshake {
        /// Where to.
        address: Address,
        /// What was wrong.
        fault: Fault,
    },
    /// HTTP/2 could not be started on the connection. Try again later.
    #[error("{address} was reached, but did not speak HTTP/2: {source}")]
    Http2 {
        /// Where to.
        address: Address,
        /// What tonic said.
        source: tonic::transport::Error,
    },
}

impl TlsError {
    /// Whether trying again later may help without anybody doing anything.
    pub const fn is_temporary(&self) -> bool {
        match self {
            Self::Connect { .. } | Self::Timeout(_) | Self::Http2 { .. } => true,
            Self::Handshake { fault, .. } => {
                matches!(fault, Fault::Closed | Fault::Timeout | Fault::Other(_))
            }
            Self::Proxy(error) => error.is_temporary(),
            Self::Certificate(_) | Self::Address(_) | Self::Setup(_) | Self::Names(_) => false,
        }
    }
}

impl TlsError {
    /// Whether the server showed a certificate that is not this network's, so that it has to prove by
    /// other means who it is.
    pub(crate) const fn shows_stranger(&self) -> bool {
        matches!(self, Self::Handshake { fault, .. } if fault.is_of_stranger())
    }
}

impl From<rustls::Error> for TlsError {
    fn from(error: rustls::Error) -> Self {
        Self::Setup(error.to_string())
    }
}
