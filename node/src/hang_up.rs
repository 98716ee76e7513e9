//! Connections that can be hung up.
//!
//! A server that is told to stop waits for its connections, and goes on with those that do not end: a
//! caller who asks how the program is gets answers for ever, and one who never ends a question may
//! wait as long. What answers them holds the node open.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::watch;
use tokio_stream::{Stream, StreamExt};
use tonic::transport::server::Connected;

/// Hangs up connections that were accepted through it.
#[derive(Debug, Clone)]
pub struct HangUp(watch::Sender<bool>);

impl Default for HangUp {
    fn default() -> Self {
        Self(watch::channel(false).0)
    }
}

impl HangUp {
    /// The same connections, which can be hung up.
    pub fn over<S, I>(
        &self,
        incoming: I,
    ) -> impl Stream<Item = io::Result<Line<S>>> + Send + use<S, I>
    where
        I: Stream<Item = io::Result<S>> + Send,
    {
        let told = self.0.clone();
        incoming.map(move |accepted| {
            let mut told = told.subscribe();
            accepted.map(|inner| Line {
                inner,
                is_over: false,
                over: Box::pin(async move {
                    if told.wait_for(|over| *over).await.is_err() {
                        // There is nobody left who would hang up.
                        std::future::pending::<()>().await;
                    }
                }),
            })
        })
    }

    /// Ends every connection, and those that come yet.
    pub fn hang_up(&self) {
        self.0.send_replace(true);
    }
}

/// A connection that can be hung up.
pub struct Line<S> {
    inner: S,
    is_over: bool,
    over: Pin<Box<dyn Future<Output = ()> + Send>>,
}

impl<S: std::fmt::Debug> std::fmt::Debug for Line<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Line").field(&self.inner).finish()
    }
}

impl<S: Connected> Connected for Line<S> {
    type ConnectInfo = S::ConnectInfo;

    fn connect_info(&self) -> Self::ConnectInfo {
        self.inner.connect_info()
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Line<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        // A server reads all the while, so that this is looked at in time.
        self.is_over = self.is_over || self.over.as_mut().poll(context).is_ready();
        if self.is_over {
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        Pin::new(&mut self.inner).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Line<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write_vectored(context, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }
}
