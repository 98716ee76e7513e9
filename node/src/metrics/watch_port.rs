//! The port for whoever watches: `/metrics`, `/ready` and `/live`, in plain HTTP.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Weak};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::sync::{Semaphore, watch};

use crate::Node;
use crate::node::Inner;
use crate::web::{Connections, Limits};

/// The form of what Prometheus reads.
const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";
/// How often measurements are counted if nobody asks for them.
const UPKEEP: Duration = Duration::from_secs(5);
/// How long a request may take to come in, and how long a connection may have none.
const PATIENCE: Duration = Duration::from_secs(60);
/// How many connections there may be: each takes one of the process's descriptors.
const CONNECTIONS_MAX: usize = 16;

/// The port, listened on and not served yet.
#[derive(Debug)]
pub(crate) struct WatchPort {
    listener: TcpListener,
    address: SocketAddr,
}

impl WatchPort {
    pub(crate) fn listen(address: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        Ok(Self { listener, address })
    }

    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers until told to stop.
    pub(crate) async fn serve(self, node: Weak<Inner>, mut stopped: watch::Receiver<bool>) {
        let listener = match tokio::net::TcpListener::from_std(self.listener) {
            Ok(listener) => listener,
            Err(error) => {
                tracing::error!(%error, "metrics cannot be served");
                return;
            }
        };
        tracing::info!(address = %self.address, "metrics are served");
        let upkeep = async {
            let mut times = tokio::time::interval(UPKEEP);
            while let Some(inner) = node.upgrade() {
                inner.metrics.upkeep();
                drop(inner);
                times.tick().await;
            }
        };
        let watched = Watched {
            node: node.clone(),
            // One at a time: whoever asks more often than that waits.
            turn: Arc::new(Semaphore::new(1)),
        };
        let routes = Router::new()
            .route("/metrics", get(metrics))
            .route("/ready", get(ready))
            .route("/live", get(|| async { "live\n" }))
            .with_state(watched);
        let limits = Limits {
            all: CONNECTIONS_MAX,
            each: CONNECTIONS_MAX / 2,
            quiet: PATIENCE,
            stalled: PATIENCE,
            ..Limits::default()
        };
        let connections = Connections::new(routes, None, limits);
        let served = connections.serve(listener, stopped.clone());
        tokio::select! {
            _stopped = stopped.wait_for(|stop| *stop) => {}
            () = upkeep => {}
            () = served => {}
        }
    }
}

#[derive(Clone)]
struct Watched {
    node: Weak<Inner>,
    turn: Arc<Semaphore>,
}

async fn metrics(State(watched): State<Watched>) -> Response {
    let Ok(_turn) = watched.turn.acquire().await else {
        return closed();
    };
    let Some(inner) = watched.node.upgrade() else {
        return closed();
    };
    let text = tokio::task::spawn_blocking(move || Node { inner }.metrics_text()).await;
    match text {
        Ok(Ok(text)) => ([(CONTENT_TYPE, TEXT)], text).into_response(),
        Ok(Err(error)) => {
            tracing::error!(%error, "metrics cannot be told");
            (StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n")).into_response()
        }
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

async fn ready(State(watched): State<Watched>) -> Response {
    let Some(inner) = watched.node.upgrade() else {
        return closed();
    };
    let readiness = Node { inner }.readiness();
    if readiness.is_ready() {
        return "ready\n".into_response();
    }
    let lacks = readiness.lacks().join("\n") + "\n";
    (StatusCode::SERVICE_UNAVAILABLE, lacks).into_response()
}

fn closed() -> Response {
    (StatusCode::SERVICE_UNAVAILABLE, "the node is closed\n").into_response()
}
