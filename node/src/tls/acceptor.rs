//! The server's end: our own acceptor in front of tonic.
//!
//! tonic's acceptor says nothing of handshakes that fail, and one client that never completes
//! its handshake holds nothing up here.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::server::NoServerSessionStorage;
use rustls::{RootCertStore, ServerConfig};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio_rustls::TlsAcceptor;
use tokio_stream::Stream;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::Server;

use super::certificate::chain_from_pem;
use super::credentials::Credentials;
use super::error::TlsError;
use super::fault::Fault;
use super::live_certificate::LiveCertificate;
use super::live_clients::LiveClients;
use super::stream::SecureStream;
use super::{ALPN, HANDSHAKE_TIMEOUT, KEEPALIVE_INTERVAL, KEEPALIVE_TIMEOUT, provider};
use crate::callers::{Caller, Callers};

/// Handshakes under way at once; further connections wait in the system's queue.
const HANDSHAKES_MAX: usize = 256;

/// Connections at once; further ones wait in the system's queue.
const CONNECTIONS_MAX: usize = 2_048;

/// Connections of one address, which may be that of a whole trust of schools; further ones are closed.
const CONNECTIONS_OF_ONE_MAX: usize = 128;

/// Connections whose handshake is done and that the server has not taken yet.
const READY_MAX: usize = 64;

/// Calls that one connection may have under way: a session and some short ones.
const STREAMS_MAX: u32 = 64;

/// Bytes of headers that one call may have.
const HEADER_BYTES_MAX: u32 = 16 * 1024;

/// Streams that one connection may reset before the server has taken them ("rapid reset").
const PENDING_RESETS_MAX: usize = 20;

/// The pause after the system refused to accept a connection, usually for want of descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Accepts TLS connections.
///
/// A client may show no certificate, so that it can enrol or renew; one that it does show must
/// come from the network's authority and be valid now.
#[derive(Clone)]
pub struct Acceptor {
    tls: TlsAcceptor,
    certificate: Arc<LiveCertificate>,
    clients: Arc<LiveClients>,
    places: Arc<Semaphore>,
    callers: Arc<Callers>,
}

/// What a connection holds until it ends.
#[derive(Debug)]
pub(super) struct Place {
    _permit: OwnedSemaphorePermit,
    _caller: Caller,
}

impl Acceptor {
    /// An acceptor that shows `credentials` and trusts clients of the authorities in
    /// `authority_pem`.
    ///
    /// # Errors
    /// [`TlsError::Certificate`] and [`TlsError::Setup`] if one of them cannot be used.
    pub fn new(credentials: &Credentials, authority_pem: &str) -> Result<Self, TlsError> {
        let certificate = Arc::new(LiveCertificate::new(credentials)?);
        let clients = Arc::new(LiveClients::of(authority_pem)?);
        let mut config = ServerConfig::builder_with_provider(provider())
            .with_protocol_versions(&[&rustls::version::TLS13])?
            .with_client_cert_verifier(Arc::<LiveClients>::clone(&clients))
            .with_cert_resolver(Arc::<LiveCertificate>::clone(&certificate));
        config.alpn_protocols = vec![ALPN.to_vec()];
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        Ok(Self {
            tls: TlsAcceptor::from(Arc::new(config)),
            certificate,
            clients,
            places: Arc::new(Semaphore::new(CONNECTIONS_MAX)),
            callers: Arc::new(Callers::new(CONNECTIONS_OF_ONE_MAX)),
        })
    }

    /// The same with so many places for connections.
    #[cfg(test)]
    pub(super) fn with_places(self, places: usize) -> Self {
        Self {
            places: Arc::new(Semaphore::new(places)),
            ..self
        }
    }

    /// The certificate shown, to be replaced while the server runs.
    pub fn certificate(&self) -> Arc<LiveCertificate> {
        Arc::clone(&self.certificate)
    }

    /// The clients accepted, to be replaced while the server runs.
    pub fn clients(&self) -> Arc<LiveClients> {
        Arc::clone(&self.clients)
    }

    /// Accepts connections until the stream is dropped; for `serve_with_incoming`. To be called
    /// from within the tokio runtime.
    ///
    /// Handshakes run beside each other. One that fails leaves one line with the peer's address
    /// and the reason, and nothing else.
    pub fn incoming(
        self,
        listener: TcpListener,
    ) -> impl Stream<Item = io::Result<SecureStream>> + Send + 'static {
        self.incoming_told(listener, |_| {})
    }

    /// The same for somebody who is told of each handshake that failed.
    pub fn incoming_told(
        self,
        listener: TcpListener,
        refused: impl Fn(&Fault) + Send + Sync + 'static,
    ) -> impl Stream<Item = io::Result<SecureStream>> + Send + 'static {
        let (sender, receiver) = mpsc::channel(READY_MAX);
        tokio::spawn(self.accept(listener, sender, Arc::new(refused)));
        ReceiverStream::new(receiver)
    }

    async fn accept(
        self,
        listener: TcpListener,
        ready: mpsc::Sender<io::Result<SecureStream>>,
        refused: Arc<dyn Fn(&Fault) + Send + Sync>,
    ) {
        let permits = Arc::new(Semaphore::new(HANDSHAKES_MAX));
        loop {
            let Ok(permit) = Arc::clone(&permits).acquire_owned().await else {
                return;
            };
            let place = tokio::select! {
                () = ready.closed() => return,
                place = Arc::clone(&self.places).acquire_owned() => place,
            };
            let Ok(place) = place else {
                return;
            };
            let accepted = tokio::select! {
                () = ready.closed() => return,
                accepted = listener.accept() => accepted,
            };
            let (stream, remote) = match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    tracing::warn!(reason = %error, "a connection could not be accepted");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                    continue;
                }
            };
            let Some(caller) = Callers::enter(&self.callers, remote.ip()) else {
                tracing::debug!(peer = %remote, "an address has too many connections; one was closed");
                continue;
            };
            let place = Place {
                _permit: place,
                _caller: caller,
            };
            let (acceptor, ready, refused) = (self.clone(), ready.clone(), Arc::clone(&refused));
            tokio::spawn(async move {
                let result = acceptor.handshake(stream, remote).await;
                drop(permit);
                match result {
                    // The receiver is gone only when the server stops.
                    Ok(stream) => drop(ready.send(Ok(stream.holding(place))).await),
                    Err(fault) => {
                        tracing::warn!(peer = %remote, reason = %fault, "handshake refused");
                        refused(&fault);
                    }
                }
            });
        }
    }

    async fn handshake(
        &self,
        stream: TcpStream,
        remote: SocketAddr,
    ) -> Result<SecureStream, Fault> {
        // Without this, small frames wait for the peer's acknowledgement of earlier ones.
        stream
            .set_nodelay(true)
            .map_err(|error| Fault::of_handshake(&error))?;
        let start = Instant::now();
        let stream = tokio::time::timeout(HANDSHAKE_TIMEOUT, self.tls.accept(stream))
            .await
            .map_err(|_| Fault::Timeout)?
            .map_err(|error| Fault::of_handshake(&error))?;
        SecureStream::new(stream.into(), remote, start.elapsed())
    }
}

impl std::fmt::Debug for Acceptor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Acceptor").finish_non_exhaustive()
    }
}

/// A tonic server with keepalive and the bounds that every Causeway port has.
pub fn server() -> Server {
    Server::builder()
        .http2_keepalive_interval(Some(KEEPALIVE_INTERVAL))
        .http2_keepalive_timeout(Some(KEEPALIVE_TIMEOUT))
        .max_concurrent_streams(STREAMS_MAX)
        .http2_max_header_list_size(HEADER_BYTES_MAX)
        .http2_max_pending_accept_reset_streams(Some(PENDING_RESETS_MAX))
}

/// The authorities in a PEM text.
pub(super) fn roots(authority_pem: &str) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    for certificate in chain_from_pem(authority_pem)? {
        roots.add(certificate)?;
    }
    Ok(roots)
}
