//! The dialling end.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::client::Resumption;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tonic::transport::{Channel, Endpoint, Uri};

use super::acceptor::roots;
use super::address::Address;
use super::credentials::Credentials;
use super::error::TlsError;
use super::fault::Fault;
use super::stream::{ConnectionInfo, SecureStream};
use super::{
    ALPN, CONNECT_TIMEOUT, HANDSHAKE_TIMEOUT, KEEPALIVE_INTERVAL, KEEPALIVE_TIMEOUT, provider,
};

/// One connection that was made.
#[derive(Debug, Clone)]
pub struct Connection {
    /// Calls over this connection. When the connection ends, they fail: it is never dialled
    /// again behind the caller's back, because a signature over `info.exporter` would not hold
    /// on another one.
    pub channel: Channel,
    /// What is known of the connection.
    pub info: ConnectionInfo,
}

/// Makes TLS connections to one address.
#[derive(Clone)]
pub struct Connector {
    address: Address,
    name: ServerName<'static>,
    tls: TlsConnector,
}

impl Connector {
    /// A connector that trusts servers of the authority in `authority_pem` alone, and shows
    /// `credentials` if there are any.
    ///
    /// # Errors
    /// [`TlsError::Certificate`] and [`TlsError::Setup`] if one of them cannot be used.
    pub fn new(
        address: Address,
        authority_pem: &str,
        credentials: Option<&Credentials>,
    ) -> Result<Self, TlsError> {
        let config = ClientConfig::builder_with_provider(provider())
            .with_protocol_versions(&[&rustls::version::TLS13])?
            .with_root_certificates(roots(authority_pem)?);
        let mut config = match credentials {
            Some(own) => config.with_client_auth_cert(own.chain(), own.key())?,
            None => config.with_no_client_auth(),
        };
        config.alpn_protocols = vec![ALPN.to_vec()];
        config.resumption = Resumption::disabled();
        let name = address.server_name()?;
        Ok(Self {
            address,
            name,
            tls: TlsConnector::from(Arc::new(config)),
        })
    }

    /// Where it connects to.
    pub const fn address(&self) -> &Address {
        &self.address
    }

    /// Makes one connection.
    ///
    /// A certificate of ours that the server refuses shows only at the first call;
    /// [`ConnectionInfo::fault`] then tells why.
    ///
    /// # Errors
    /// [`TlsError::Connect`], [`TlsError::Timeout`], [`TlsError::Handshake`] and
    /// [`TlsError::Http2`], each saying what to do. All but a handshake that fails because of a
    /// certificate are worth trying again.
    pub async fn connect(&self) -> Result<Connection, TlsError> {
        let stream = self.secure().await?;
        let info = stream.info().clone();
        let once = Arc::new(Mutex::new(Some(TokioIo::new(stream))));
        let connector = tower::service_fn(move |_: Uri| {
            let stream = once.lock().unwrap_or_else(PoisonError::into_inner).take();
            std::future::ready(stream.ok_or_else(|| io::Error::other("the connection has ended")))
        });
        let http2 = |source| TlsError::Http2 {
            address: self.address.clone(),
            source,
        };
        let channel = Endpoint::from_shared(format!("http://{}", self.address))
            .map_err(http2)?
            .http2_keep_alive_interval(KEEPALIVE_INTERVAL)
            .keep_alive_timeout(KEEPALIVE_TIMEOUT)
            .keep_alive_while_idle(true)
            .connect_with_connector(connector)
            .await
            .map_err(http2)?;
        Ok(Connection { channel, info })
    }

    async fn secure(&self) -> Result<SecureStream, TlsError> {
        let unreachable = |source| TlsError::Connect {
            address: self.address.clone(),
            source,
        };
        let target = (self.address.host(), self.address.port());
        let stream = tokio::time::timeout(CONNECT_TIMEOUT, TcpStream::connect(target))
            .await
            .map_err(|_| TlsError::Timeout(self.address.clone()))?
            .map_err(unreachable)?;
        stream.set_nodelay(true).map_err(unreachable)?;
        let remote = stream.peer_addr().map_err(unreachable)?;
        let start = Instant::now();
        let failed = |fault| TlsError::Handshake {
            address: self.address.clone(),
            fault,
        };
        let handshake = self.tls.connect(self.name.clone(), stream);
        let stream = tokio::time::timeout(HANDSHAKE_TIMEOUT, handshake)
            .await
            .map_err(|_| failed(Fault::Timeout))?
            .map_err(|error| failed(Fault::of_handshake(&error)))?;
        SecureStream::new(stream.into(), remote, start.elapsed()).map_err(failed)
    }
}

impl std::fmt::Debug for Connector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connector")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}
