//! An established connection: its bytes counted, its peer known.

use std::fmt;
use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::Sleep;
use tonic::transport::server::Connected;

use super::acceptor::Place;
use super::certificate::{CertificateSubject, public_key};
use super::fault::Fault;
use super::{EXPORTER_LABEL, HANDSHAKE_TIMEOUT};

/// Keying material that only the two ends of one connection know.
pub type Exporter = [u8; 32];

/// Bytes of TLS plaintext that passed one connection, and what its handshake took.
#[derive(Debug)]
pub struct Traffic {
    sent: AtomicU64,
    received: AtomicU64,
    handshake: Duration,
}

impl Traffic {
    /// Bytes sent so far.
    pub fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// Bytes received so far.
    pub fn received(&self) -> u64 {
        self.received.load(Ordering::Relaxed)
    }

    /// How long the TLS handshake took.
    pub const fn handshake(&self) -> Duration {
        self.handshake
    }
}

/// What is known of a connection. tonic puts it into every request's extensions.
#[derive(Clone)]
pub struct ConnectionInfo {
    /// The other end.
    pub remote_addr: SocketAddr,
    /// The node that the other end's certificate names, verified against the network's
    /// authority. None for a client that showed no certificate, and for a server.
    pub peer: Option<CertificateSubject>,
    /// The public key of the certificate that the other end showed, if it is a server.
    pub server_key: Option<Arc<[u8]>>,
    /// The connection's exporter, the same on both ends and nowhere else.
    pub exporter: Exporter,
    /// Bytes so far.
    pub traffic: Arc<Traffic>,
    fault: Arc<OnceLock<Fault>>,
}

impl ConnectionInfo {
    /// Why TLS ended the connection after its handshake, if it did.
    ///
    /// A certificate of ours that the server refuses shows only at the first call, as a
    /// transport error from which the layers between have dropped the reason. It is kept here.
    pub fn fault(&self) -> Option<&Fault> {
        self.fault.get()
    }
}

impl fmt::Debug for ConnectionInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConnectionInfo")
            .field("remote_addr", &self.remote_addr)
            .field("peer", &self.peer)
            .finish_non_exhaustive()
    }
}

/// A TCP stream after its handshake.
#[derive(Debug)]
pub struct SecureStream {
    inner: tokio_rustls::TlsStream<TcpStream>,
    info: ConnectionInfo,
    /// At the accepting end.
    _place: Option<Place>,
    /// At the accepting end, until something was heard.
    silent: Option<Pin<Box<Sleep>>>,
}

impl SecureStream {
    /// Takes a stream whose handshake, of length `handshake`, is done.
    pub(super) fn new(
        inner: tokio_rustls::TlsStream<TcpStream>,
        remote_addr: SocketAddr,
        handshake: Duration,
    ) -> Result<Self, Fault> {
        let (_, session) = inner.get_ref();
        if session.alpn_protocol() != Some(super::ALPN) {
            return Err(Fault::NotHttp2);
        }
        let exporter =
            match &inner {
                tokio_rustls::TlsStream::Client(stream) => stream
                    .get_ref()
                    .1
                    .export_keying_material([0; 32], EXPORTER_LABEL, None),
                tokio_rustls::TlsStream::Server(stream) => stream
                    .get_ref()
                    .1
                    .export_keying_material([0; 32], EXPORTER_LABEL, None),
            }
            .map_err(|error| Fault::Other(error.to_string()))?;
        let peer = match &inner {
            tokio_rustls::TlsStream::Server(_) => named(session.peer_certificates())?,
            tokio_rustls::TlsStream::Client(_) => None,
        };
        let server_key = match &inner {
            tokio_rustls::TlsStream::Server(_) => None,
            tokio_rustls::TlsStream::Client(_) => shown_key(session.peer_certificates())?,
        };
        let traffic = Arc::new(Traffic {
            sent: AtomicU64::new(0),
            received: AtomicU64::new(0),
            handshake,
        });
        let fault = Arc::new(OnceLock::new());
        let info = ConnectionInfo {
            remote_addr,
            peer,
            server_key,
            exporter,
            traffic,
            fault,
        };
        Ok(Self {
            inner,
            info,
            _place: None,
            silent: None,
        })
    }

    /// The same, which holds its place until it ends.
    pub(super) fn holding(mut self, place: Place) -> Self {
        self._place = Some(place);
        self.silent = Some(Box::pin(tokio::time::sleep(HANDSHAKE_TIMEOUT)));
        self
    }

    /// What is known of the connection.
    pub const fn info(&self) -> &ConnectionInfo {
        &self.info
    }

    fn count_sent(&self, result: &Poll<io::Result<usize>>) {
        match result {
            Poll::Ready(Ok(count)) => add(&self.info.traffic.sent, *count),
            Poll::Ready(Err(error)) => self.keep(error),
            Poll::Pending => {}
        }
    }

    /// Keeps the first reason alone; what fails afterwards follows from it.
    fn keep(&self, error: &io::Error) {
        if let Some(fault) = Fault::of_stream(error) {
            self.info.fault.get_or_init(|| fault);
        }
    }
}

impl Connected for SecureStream {
    type ConnectInfo = ConnectionInfo;

    fn connect_info(&self) -> ConnectionInfo {
        self.info.clone()
    }
}

impl AsyncRead for SecureStream {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        let result = Pin::new(&mut this.inner).poll_read(context, buffer);
        // Until HTTP/2 has begun, nobody asks whether the other end is still there.
        if result.is_ready() {
            this.silent = None;
        } else if let Some(silent) = &mut this.silent
            && silent.as_mut().poll(context).is_ready()
        {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        if let Poll::Ready(Err(error)) = &result {
            this.keep(error);
        }
        add(
            &this.info.traffic.received,
            buffer.filled().len().saturating_sub(before),
        );
        result
    }
}

impl AsyncWrite for SecureStream {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let result = Pin::new(&mut this.inner).poll_write(context, bytes);
        this.count_sent(&result);
        result
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_shutdown(context)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let result = Pin::new(&mut this.inner).poll_write_vectored(context, slices);
        this.count_sent(&result);
        result
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }
}

fn named(
    chain: Option<&[rustls::pki_types::CertificateDer<'static>]>,
) -> Result<Option<CertificateSubject>, Fault> {
    chain
        .and_then(<[_]>::first)
        .map(CertificateSubject::read)
        .transpose()
        .map_err(|error| Fault::Certificate(error.to_string()))
}

fn shown_key(
    chain: Option<&[rustls::pki_types::CertificateDer<'static>]>,
) -> Result<Option<Arc<[u8]>>, Fault> {
    chain
        .and_then(<[_]>::first)
        .map(|shown| public_key(shown).map(Arc::from))
        .transpose()
        .map_err(|error| Fault::Certificate(error.to_string()))
}

fn add(counter: &AtomicU64, count: usize) {
    counter.fetch_add(u64::try_from(count).unwrap_or(u64::MAX), Ordering::Relaxed);
}
