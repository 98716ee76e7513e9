//! Connections of browsers: how many there are at once, and how long each may be quiet.
//!
//! Each takes one of the process's descriptors, so nobody may hold one for nothing. A connection
//! without a request under way is closed after a while, and soon where others wait for its place;
//! one whose request or answer does not go on is closed later. One address has a part of the
//! places alone, unless it is this machine, where a proxy in front may speak for everybody.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;
use tower::ServiceExt;

use crate::callers::Callers;
use crate::tls::{KEEPALIVE_INTERVAL, KEEPALIVE_TIMEOUT, SiteAcceptor};

/// The pause after the system refused to accept a connection, usually for want of descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// Requests under way at once on one connection of HTTP/2.
const STREAMS_MAX: u32 = 100;

/// How many connections there may be, and how long they may be quiet.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// All at once; further ones wait in the system's queue.
    pub(crate) all: usize,
    /// Those of one address; further ones are closed at once.
    pub(crate) each: usize,
    /// How long one may be without a request under way: before the head of its first is whole, and
    /// between two.
    pub(crate) quiet: Duration,
    /// The same while others wait for a place.
    pub(crate) crowded: Duration,
    /// How long a request under way may go without a part of it or of its answer.
    pub(crate) stalled: Duration,
    /// How long one that is being closed may take for what is on its way.
    pub(crate) closing: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            all: 512,
            each: 64,
            quiet: Duration::from_secs(60),
            crowded: Duration::from_secs(2),
            stalled: Duration::from_secs(300),
            closing: Duration::from_secs(5),
        }
    }
}

/// Serves connections, in clear or over TLS.
#[derive(Debug, Clone)]
pub(crate) struct Connections {
    router: Router,
    tls: Option<SiteAcceptor>,
    limits: Limits,
    places: Arc<Semaphore>,
    crowded: Arc<watch::Sender<bool>>,
    callers: Arc<Callers>,
}

impl Connections {
    /// Connections that these routes answer.
    pub(crate) fn new(router: Router, tls: Option<SiteAcceptor>, limits: Limits) -> Self {
        Self {
            router,
            tls,
            limits,
            places: Arc::new(Semaphore::new(limits.all)),
            crowded: Arc::new(watch::Sender::new(false)),
            callers: Arc::new(Callers::new(limits.each)),
        }
    }

    /// Serves until `stopped`, and then until the requests under way have ended. Dropped before, it
    /// breaks them off.
    pub(crate) async fn serve(self, listener: TcpListener, mut stopped: watch::Receiver<bool>) {
        let mut open = JoinSet::new();
        loop {
            let next = async {
                let place = self.place().await?;
                Some((place, accept(&listener).await))
            };
            let next = tokio::select! {
                _gone = stopped.wait_for(|it| *it) => break,
                next = next => next,
            };
            let Some((place, (stream, from))) = next else {
                break;
            };
            while open.try_join_next().is_some() {}
            let Some(caller) = Callers::enter(&self.callers, from.ip()) else {
                tracing::debug!("an address has too many connections; another was closed");
                continue;
            };
            let (own, stopped) = (self.clone(), stopped.clone());
            open.spawn(async move {
                own.attend(stream, from, stopped).await;
                drop((place, caller));
            });
        }
        drop(listener);
        while open.join_next().await.is_some() {}
    }

    /// A place among all; while none is free, quiet connections are closed sooner.
    async fn place(&self) -> Option<OwnedSemaphorePermit> {
        let tell = |crowded| {
            self.crowded
                .send_if_modified(|it| std::mem::replace(it, crowded) != crowded)
        };
        if let Ok(place) = Arc::clone(&self.places).try_acquire_owned() {
            tell(false);
            return Some(place);
        }
        if tell(true) {
            tracing::warn!("all connections for pages are in use; further ones wait");
        }
        let place = Arc::clone(&self.places).acquire_owned().await.ok();
        tell(false);
        place
    }

    async fn attend(&self, stream: TcpStream, from: SocketAddr, stopped: watch::Receiver<bool>) {
        // Small answers do not wait for the browser to acknowledge earlier ones.
        let _waits = stream.set_nodelay(true);
        let Some(tls) = &self.tls else {
            return self.answer(stream, from, stopped).await;
        };
        match tls.handshake(stream).await {
            Ok(stream) => self.answer(stream, from, stopped).await,
            Err(error) => {
                tracing::debug!(reason = %error, "a browser's handshake was broken off");
            }
        }
    }

    async fn answer(
        &self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        from: SocketAddr,
        mut stopped: watch::Receiver<bool>,
    ) {
        let pulse = Pulse::default();
        let service = service_fn(|request: Request<Incoming>| {
            let (router, under_way) = (self.router.clone(), UnderWay::begin(&pulse));
            async move {
                let of_request = under_way.pulse.clone();
                let mut request = request.map(|body| {
                    Body::new(body.map_frame(move |frame| {
                        of_request.beat();
                        frame
                    }))
                });
                request.extensions_mut().insert(ConnectInfo(from));
                let answer = router.oneshot(request).await?;
                under_way.pulse.beat();
                Ok::<_, Infallible>(answer.map(|body| {
                    Body::new(body.map_frame(move |frame| {
                        under_way.pulse.beat();
                        frame
                    }))
                }))
            }
        });
        let mut builder = Builder::new(TokioExecutor::new());
        builder
            .http1()
            .timer(TokioTimer::new())
            .header_read_timeout(self.limits.quiet)
            .http2()
            .timer(TokioTimer::new())
            .max_concurrent_streams(STREAMS_MAX)
            .keep_alive_interval(KEEPALIVE_INTERVAL)
            .keep_alive_timeout(KEEPALIVE_TIMEOUT);
        // What the browser takes counts as well: an answer is on its way after hyper has all of it.
        let stream = Beating {
            stream,
            pulse: pulse.clone(),
        };
        let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service));
        let mut closing = None;
        loop {
            tokio::select! {
                ended = connection.as_mut() => {
                    if let Err(error) = ended {
                        tracing::debug!(reason = %error, "a browser's connection was broken off");
                    }
                    return;
                }
                _gone = stopped.wait_for(|it| *it), if closing.is_none() => {}
                () = self.quiet(&pulse, closing) => {
                    if closing.is_some() {
                        return;
                    }
                }
            }
            closing = Some(Instant::now());
            connection.as_mut().graceful_shutdown();
        }
    }

    /// Waits until a connection has been quiet for too long.
    async fn quiet(&self, pulse: &Pulse, closing: Option<Instant>) {
        let (mut beats, mut crowded) = (pulse.0.subscribe(), self.crowded.subscribe());
        loop {
            let beat = *beats.borrow_and_update();
            let sooner = *crowded.borrow_and_update();
            let since = closing.map_or(beat.last, |closing| closing.max(beat.last));
            let (since, patience) = match (beat.under_way, closing) {
                (0, None) if sooner => (since, self.limits.crowded),
                (0, None) => (since, self.limits.quiet),
                (0, Some(_)) => (since, self.limits.closing),
                _ => (beat.last, self.limits.stalled),
            };
            tokio::select! {
                () = tokio::time::sleep_until(since + patience) => return,
                _beat = beats.changed() => {}
                _told = crowded.changed() => {}
            }
        }
    }
}

async fn accept(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    loop {
        match listener.accept().await {
            Ok(accepted) => return accepted,
            Err(error) => {
                tracing::warn!(reason = %error, "a browser's connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// What goes on on one connection.
#[derive(Debug, Clone)]
struct Pulse(Arc<watch::Sender<Beat>>);

#[derive(Debug, Clone, Copy)]
struct Beat {
    under_way: usize,
    last: Instant,
}

impl Default for Pulse {
    fn default() -> Self {
        let (under_way, last) = (0, Instant::now());
        Self(Arc::new(watch::Sender::new(Beat { under_way, last })))
    }
}

impl Pulse {
    /// A part of a request or of an answer went through.
    fn beat(&self) {
        self.0.send_modify(|it| it.last = Instant::now());
    }
}

/// A request until its answer is sent or given up.
struct UnderWay {
    pulse: Pulse,
}

impl UnderWay {
    fn begin(pulse: &Pulse) -> Self {
        pulse.0.send_modify(|it| it.under_way += 1);
        pulse.beat();
        Self {
            pulse: pulse.clone(),
        }
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.pulse.0.send_modify(|it| it.under_way -= 1);
        self.pulse.beat();
    }
}

/// A stream that tells of each part that was written to it.
struct Beating<S> {
    stream: S,
    pulse: Pulse,
}

impl<S: AsyncRead + Unpin> AsyncRead for Beating<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, into)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Beating<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        if matches!(written, Poll::Ready(Ok(1..))) {
            self.pulse.beat();
        }
        written
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

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[std::io::IoSlice<'_>],
    ) -> Poll<std::io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, parts);
        if matches!(written, Poll::Ready(Ok(1..))) {
            self.pulse.beat();
        }
        written
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests;
