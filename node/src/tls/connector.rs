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

use super::address::Address;
use super::credentials::Credentials;
use super::error::TlsError;
use super::fault::Fault;
use super::stream::{ConnectionInfo, SecureStream};
use super::witness::Witness;
use super::{
    ALPN, CONNECT_TIMEOUT, HANDSHAKE_TIMEOUT, KEEPALIVE_INTERVAL, KEEPALIVE_TIMEOUT, provider,
};
use crate::proxy::Proxies;

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
    witness: Arc<Witness>,
    proxies: Proxies,
}

impl Connector {
    /// A connector that trusts servers of the authority in `authority_pem` alone, and shows
    /// `credentials` if there are any. It goes through a proxy where the environment says so.
    ///
    /// # Errors
    /// [`TlsError::Certificate`] and [`TlsError::Setup`] if one of them cannot be used.
    pub fn new(
        address: Address,
        authority_pem: &str,
        credentials: Option<&Credentials>,
    ) -> Result<Self, TlsError> {
        let witness = Arc::new(Witness::of(authority_pem)?);
        Self::with(address, witness, credentials)
    }

    /// A connector that trusts any server, and shows nothing. What goes over its connections may be
    /// read by whoever stands between, until the other end has proven who it is over the exporter.
    ///
    /// # Errors
    /// As [`Connector::new`].
    pub(crate) fn trusting_anybody(address: Address) -> Result<Self, TlsError> {
        Self::with(address, Arc::new(Witness::of_anybody()), None)
    }

    /// The same for any server; it shows nothing, as [`Connector::trusting_anybody`].
    ///
    /// # Errors
    /// As [`Connector::new`].
    pub(crate) fn to_anybody(&self) -> Result<Self, TlsError> {
        let connector = Self::trusting_anybody(self.address.clone())?;
        Ok(connector.through(self.proxies.clone()))
    }

    /// Trusts the holder of this TLS key too, whatever its certificate says: over it somebody has
    /// proven to be whom this connector is for.
    pub(crate) fn knowing(self, key: impl Into<Arc<[u8]>>) -> Self {
        self.witness.prove(key.into());
        self
    }

    /// Goes through these proxies instead of those that the environment names.
    #[must_use]
    pub fn through(self, proxies: Proxies) -> Self {
        Self { proxies, ..self }
    }

    fn with(
        address: Address,
        witness: Arc<Witness>,
        credentials: Option<&Credentials>,
    ) -> Result<Self, TlsError> {
        let config = ClientConfig::builder_with_provider(provider())
            .with_protocol_versions(&[&rustls::version::TLS13])?
            .dangerous()
            .with_custom_certificate_verifier(Arc::<Witness>::clone(&witness));
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
            witness,
            proxies: Proxies::default(),
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

    pub(super) async fn secure(&self) -> Result<SecureStream, TlsError> {
        let stream = reach(&self.address, &self.proxies).await?;
        let remote = stream
            .peer_addr()
            .map_err(|source| unreachable(&self.address, source))?;
        let start = Instant::now();
        let failed = |fault| TlsError::Handshake {
            address: self.address.clone(),
            fault,
        };
        let handshake = self.tls.connect(self.name.clone(), stream);
        let stream = tokio::time::timeout(HANDSHAKE_TIMEOUT, handshake)
            .await
            .map_err(|_| failed(Fault::Timeout))?
            .map_err(|error| failed(self.witness.name(Fault::of_handshake(&error))))?;
        SecureStream::new(stream.into(), remote, start.elapsed()).map_err(failed)
    }
}

/// A connection to `address` over which nothing was sent yet, through a proxy if one is on the way.
pub(super) async fn reach(address: &Address, proxies: &Proxies) -> Result<TcpStream, TlsError> {
    let stream = match proxies.towards(address)? {
        Some(proxy) => proxy.tunnel(address).await?,
        None => {
            let target = (address.host(), address.port());
            tokio::time::timeout(CONNECT_TIMEOUT, TcpStream::connect(target))
                .await
                .map_err(|_| TlsError::Timeout(address.clone()))?
                .map_err(|source| unreachable(address, source))?
        }
    };
    stream
        .set_nodelay(true)
        .map_err(|source| unreachable(address, source))?;
    Ok(stream)
}

fn unreachable(address: &Address, source: io::Error) -> TlsError {
    TlsError::Connect {
        address: address.clone(),
        source,
    }
}

impl std::fmt::Debug for Connector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connector")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}
