//! A connection to a server whose bytes are counted.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Instant;

use anyhow::Context as _;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use samod::{BackoffConfig, ConnectionId, DialError, Dialer, Repo, Transport, Url};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// What went through a connection, and when it was opened.
#[derive(Default)]
pub(crate) struct Tally {
    pub(crate) sent: AtomicU64,
    pub(crate) received: AtomicU64,
    opened: OnceLock<Instant>,
}

impl Tally {
    /// When TCP was done.
    pub(crate) fn opened(&self) -> anyhow::Result<Instant> {
        self.opened.get().copied().context("nothing was connected")
    }
}

/// Connects a repo to the server at `port`.
pub(crate) async fn connect(repo: &Repo, port: u16) -> anyhow::Result<(ConnectionId, Arc<Tally>)> {
    let tally = Arc::new(Tally::default());
    let dialer = CountingDialer {
        port,
        tally: Arc::clone(&tally),
    };
    let handle = repo.dial(BackoffConfig::default(), Arc::new(dialer))?;
    handle
        .established()
        .await
        .map_err(|_| anyhow::anyhow!("the server cannot be reached"))?;
    let connection = handle.connection_id().context("the connection is gone")?;
    Ok((connection, tally))
}

struct CountingDialer {
    port: u16,
    tally: Arc<Tally>,
}

impl Dialer for CountingDialer {
    type Error = Infallible;

    fn url(&self) -> Url {
        Url::parse(&format!("tcp://127.0.0.1:{}", self.port)).expect("an address")
    }

    fn connect(&self) -> BoxFuture<'static, Result<Transport, DialError<Infallible>>> {
        let (port, tally) = (self.port, Arc::clone(&self.tally));
        async move {
            let stream = TcpStream::connect(("127.0.0.1", port)).await;
            let stream = stream.map_err(DialError::transient)?;
            stream.set_nodelay(true).map_err(DialError::transient)?;
            tally.opened.get_or_init(Instant::now);
            Ok(Transport::from_tokio_io(Counted { stream, tally }))
        }
        .boxed()
    }
}

struct Counted {
    stream: TcpStream,
    tally: Arc<Tally>,
}

impl AsyncRead for Counted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(context, buffer);
        let count = buffer.filled().len() - before;
        self.tally
            .received
            .fetch_add(count as u64, Ordering::Relaxed);
        polled
    }
}

impl AsyncWrite for Counted {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write(context, bytes);
        if let Poll::Ready(Ok(count)) = polled {
            self.tally.sent.fetch_add(count as u64, Ordering::Relaxed);
        }
        polled
    }

    fn poll_flush(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
