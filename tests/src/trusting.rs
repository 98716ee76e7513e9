//! A client that trusts certain authorities and no others.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// Connects to `address` as to the server `name`, trusting the authorities in `trusted` (PEM) alone.
///
/// # Errors
/// Why nobody was reached, or who was reached was not trusted.
///
/// # Panics
/// If `trusted` holds something else, or `name` is no name.
pub async fn connect(
    address: SocketAddr,
    trusted: &str,
    name: &str,
    alpn: &[&[u8]],
) -> io::Result<TlsStream<TcpStream>> {
    let name = ServerName::try_from(name.to_owned()).expect("a name");
    let stream = TcpStream::connect(address).await?;
    connector(trusted, alpn).connect(name, stream).await
}

/// What makes a TLS connection out of a stream, trusting the authorities in `trusted` (PEM) alone.
///
/// # Panics
/// If `trusted` holds something else.
pub fn connector(trusted: &str, alpn: &[&[u8]]) -> TlsConnector {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(trusted.as_bytes()) {
        let certificate = certificate.expect("a certificate");
        roots.add(certificate).expect("an authority");
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = alpn.iter().map(|it| it.to_vec()).collect();
    TlsConnector::from(Arc::new(config))
}
