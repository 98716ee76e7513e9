//! TLS for people's browsers, in front of the pages.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::credentials::Credentials;
use super::error::TlsError;
use super::live_certificate::LiveCertificate;
use super::{HANDSHAKE_TIMEOUT, provider};

/// Handshakes under way at once; further connections wait in the system's queue.
const HANDSHAKES_MAX: usize = 256;
/// Connections whose handshake is done and that the server has not taken yet.
const READY_MAX: usize = 64;
/// The pause after the system refused to accept a connection, usually for want of descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Accepts browsers' TLS connections.
#[derive(Clone)]
pub struct SiteAcceptor {
    tls: TlsAcceptor,
    certificate: Arc<LiveCertificate>,
}

/// Connections of browsers whose handshake is done.
#[derive(Debug)]
pub struct SiteListener {
    address: SocketAddr,
    ready: mpsc::Receiver<(TlsStream<TcpStream>, SocketAddr)>,
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

    /// Accepts connections until what it returns is dropped. Handshakes run beside each other, and
    /// one that is never completed holds nothing up. To be called within a tokio runtime.
    ///
    /// # Errors
    /// What the system says, if the listener has no address.
    pub fn listen(self, listener: TcpListener) -> std::io::Result<SiteListener> {
        let address = listener.local_addr()?;
        let (sender, ready) = mpsc::channel(READY_MAX);
        tokio::spawn(self.accept(listener, sender));
        Ok(SiteListener { address, ready })
    }

    async fn accept(
        self,
        listener: TcpListener,
        ready: mpsc::Sender<(TlsStream<TcpStream>, SocketAddr)>,
    ) {
        let permits = Arc::new(Semaphore::new(HANDSHAKES_MAX));
        loop {
            let Ok(permit) = Arc::clone(&permits).acquire_owned().await else {
                return;
            };
            let accepted = tokio::select! {
                () = ready.closed() => return,
                accepted = listener.accept() => accepted,
            };
            let (stream, remote) = match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    tracing::warn!(reason = %error, "a browser's connection could not be accepted");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                    continue;
                }
            };
            let (tls, ready) = (self.tls.clone(), ready.clone());
            tokio::spawn(async move {
                let _smaller_waits = stream.set_nodelay(true);
                let done = tokio::time::timeout(HANDSHAKE_TIMEOUT, tls.accept(stream)).await;
                drop(permit);
                match done {
                    // The receiver is gone only when the server stops.
                    Ok(Ok(stream)) => drop(ready.send((stream, remote)).await),
                    Ok(Err(error)) => {
                        tracing::debug!(reason = %error, "a browser's handshake was broken off");
                    }
                    Err(_) => tracing::debug!("a browser's handshake took too long"),
                }
            });
        }
    }
}

impl axum::serve::Listener for SiteListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        match self.ready.recv().await {
            Some(accepted) => accepted,
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> std::io::Result<SocketAddr> {
        Ok(self.address)
    }
}

impl std::fmt::Debug for SiteAcceptor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SiteAcceptor").finish_non_exhaustive()
    }
}
