//! TLS between nodes: rustls with ring, TLS 1.3 alone, mutual where a client has a certificate.
//!
//! A certificate only admits a connection. Who speaks is proven afterwards, by the identity
//! key's signature over the connection's [exporter](ConnectionInfo::exporter), so that nobody in
//! the middle can speak for either end. Sessions are never resumed: a certificate that ran out
//! or an authority that changed counts at the next connection.

use std::sync::Arc;
use std::time::Duration;

use rustls::crypto::CryptoProvider;

mod acceptor;
mod address;
mod authority;
mod certificate;
mod certificate_files;
mod connector;
mod credentials;
mod error;
mod fault;
mod live_certificate;
mod live_clients;
mod site;
mod stream;
mod witness;

pub use acceptor::{Acceptor, server};
pub use address::{Address, AddressError};
pub use authority::{CertificateAuthority, IssuedCertificate};
pub use certificate::{CertificateError, CertificateSubject, certificate_ends_ms};
pub use certificate_files::{CertificateFiles, CertificateFilesError, Stamp};
pub use connector::{Connection, Connector};
pub use credentials::{Credentials, TlsKey};
pub use error::TlsError;
pub use fault::Fault;
pub use live_certificate::LiveCertificate;
pub use live_clients::LiveClients;
pub use site::SiteAcceptor;
pub use stream::{ConnectionInfo, Exporter, SecureStream, Traffic};

pub(crate) use certificate::chain_from_pem;
pub(crate) use credentials::{Lifetime, pem};
pub(crate) use witness::look;

/// Label of the keying material that both ends export from a connection (RFC 8446, section 7.5).
pub const EXPORTER_LABEL: &[u8] = b"EXPORTER-causeway-session-1";

/// The application protocol that both ends insist on.
pub const ALPN: &[u8] = b"h2";

/// How often each end asks an idle peer whether it is still there. Both ends ask, because each
/// must notice by itself that the other is gone.
pub const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(15);

/// How long a peer may take to answer before the connection counts as broken.
pub const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(10);

/// How long looking up a name and connecting over TCP may take.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a handshake may take, on either end.
pub const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// The one crypto provider. Named explicitly everywhere, so that no process-wide default, and no
/// second provider that a dependency brings in, can take its place.
fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

#[cfg(test)]
mod tests;
