//! TLS for people's browsers, in front of the pages.

use std::sync::Arc;

use rustls::ServerConfig;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::credentials::Credentials;
use super::error::TlsError;
use super::live_certificate::LiveCertificate;
use super::{HANDSHAKE_TIMEOUT, provider};

/// Accepts browsers' TLS connections.
#[derive(Clone)]
pub struct SiteAcceptor {
    tls: TlsAcceptor,
    certificate: Arc<LiveCertificate>,
}

impl SiteAcceptor {
    /// An acceptor that shows `credentials`.
    ///
    /// # Errors
    /// [`TlsError`] if they cannot be used.
    pub fn new(credentials: &Credentials) -> Result<Self, TlsError> {
        let certificate = Arc::new(LiveCertificate::new(credentials)?);
        let mut config = ServerConfig::builder_with_provider(provider())
            .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])?
            .with_no_client_auth()
            .with_cert_resolver(Arc::<LiveCertificate>::clone(&certificate));
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Self {
            tls: TlsAcceptor::from(Arc::new(config)),
            certificate,
        })
    }

    /// The certificate shown, to be replaced while the server runs.
    pub fn certificate(&self) -> Arc<LiveCertificate> {
        Arc::clone(&self.certificate)
    }

    /// The handshake on a connection, which may take [`HANDSHAKE_TIMEOUT`].
    ///
    /// # Errors
    /// What broke it off.
    pub async fn handshake(&self, stream: TcpStream) -> std::io::Result<TlsStream<TcpStream>> {
        tokio::time::timeout(HANDSHAKE_TIMEOUT, self.tls.accept(stream)).await?
    }
}

impl std::fmt::Debug for SiteAcceptor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SiteAcceptor").finish_non_exhaustive()
    }
}
