//! Asking a proxy for a way through.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::Empty;
use hyper::client::conn::http1;
use hyper::header::{HOST, PROXY_AUTHORIZATION};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::tls::{Address, CONNECT_TIMEOUT};

use super::{Proxy, ProxyError};

/// Most bytes of an answer's head; hyper takes no less.
const HEAD_BYTES_MAX: usize = 16 << 10;

impl Proxy {
    /// A way through to `address`, over which nothing was sent yet. Takes at most twice
    /// [`CONNECT_TIMEOUT`].
    ///
    /// # Errors
    /// [`ProxyError`], in which no name and no password stands.
    pub async fn tunnel(&self, address: &Address) -> Result<TcpStream, ProxyError> {
        self.tunnel_within(address, CONNECT_TIMEOUT).await
    }

    pub(super) async fn tunnel_within(
        &self,
        address: &Address,
        patience: Duration,
    ) -> Result<TcpStream, ProxyError> {
        let proxy = || self.clone();
        let silent = || ProxyError::Timeout { proxy: proxy() };
        let unreachable = |source| ProxyError::Unreachable {
            proxy: proxy(),
            source,
        };
        let target = (self.host(), self.port());
        let stream = tokio::time::timeout(patience, TcpStream::connect(target))
            .await
            .map_err(|_| silent())?
            .map_err(unreachable)?;
        tokio::time::timeout(patience, self.ask(stream, address))
            .await
            .map_err(|_| silent())?
    }

    async fn ask(&self, stream: TcpStream, address: &Address) -> Result<TcpStream, ProxyError> {
        let other = |what: String| ProxyError::NoProxy {
            proxy: self.clone(),
            what,
        };
        let broken = |error: hyper::Error| other(in_words(&error));
        let (mut asking, connection) = http1::Builder::new()
            .max_buf_size(HEAD_BYTES_MAX)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(broken)?;
        // Ends with the way through, or with what asks for it.
        tokio::spawn(connection.with_upgrades());
        let target = address.to_string();
        let mut request = Request::connect(&target).header(HOST, &target);
        if let Some(credentials) = &self.0.credentials {
            request = request.header(PROXY_AUTHORIZATION, credentials);
        }
        let request = request
            .body(Empty::<Bytes>::new())
            .map_err(|error| other(error.to_string()))?;
        let answer = asking.send_request(request).await.map_err(broken)?;
        let status = answer.status();
        if !status.is_success() {
            return Err(self.refused(status, address));
        }
        let upgraded = hyper::upgrade::on(answer).await.map_err(broken)?;
        let parts = upgraded
            .downcast::<TokioIo<TcpStream>>()
            .map_err(|_| other("the connection was lost".to_owned()))?;
        // Nobody beyond has been spoken to, so nobody there has said anything.
        if !parts.read_buf.is_empty() {
            return Err(other("it says yes, and shows a page".to_owned()));
        }
        Ok(parts.io.into_inner())
    }

    fn refused(&self, status: StatusCode, address: &Address) -> ProxyError {
        let (proxy, address) = (self.clone(), address.clone());
        match status {
            StatusCode::PROXY_AUTHENTICATION_REQUIRED => ProxyError::Credentials { proxy },
            StatusCode::BAD_GATEWAY
            | StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::GATEWAY_TIMEOUT => ProxyError::Beyond {
                proxy,
                address,
                status: status.as_u16(),
            },
            StatusCode::FORBIDDEN
            | StatusCode::UNAUTHORIZED
            | StatusCode::UNAVAILABLE_FOR_LEGAL_REASONS => ProxyError::Refused {
                proxy,
                address,
                status: status.as_u16(),
            },
            other => ProxyError::NoProxy {
                proxy,
                what: format!("its answer is {}", other.as_u16()),
            },
        }
    }
}

fn in_words(error: &hyper::Error) -> String {
    if error.is_parse() {
        "it does not speak HTTP".to_owned()
    } else if error.is_incomplete_message() || error.is_closed() || error.is_canceled() {
        "it hung up".to_owned()
    } else {
        error.to_string()
    }
}
