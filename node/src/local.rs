//! A node's own service: on a socket beside the store, or within one process.

use std::io;
use std::path::{Path, PathBuf};

use hyper_util::rt::TokioIo;
use tonic::transport::server::Router;
use tonic::transport::{Channel, Endpoint};
use tower::service_fn;

use crate::platform::{self, Callers};

/// Most bytes of a message of the own service: a large record with room to spare.
pub const LOCAL_MESSAGE_BYTES_MAX: usize = 16 << 20;

/// Why the own service cannot be offered or reached.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LocalError {
    /// The socket cannot be made or opened.
    #[error("the node's own service at {} cannot be reached: {source}", path.display())]
    Socket {
        /// The socket.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The system has no sockets with so long a name.
    #[error(
        "the socket {} cannot be made: its name is longer than this system allows; choose a data folder \
         with a shorter path",
        .0.display()
    )]
    Long(PathBuf),
    /// The socket is there, and nobody answers as a node would.
    #[error("the node's own service does not answer: {0}")]
    Transport(#[from] tonic::transport::Error),
}

/// Opens the socket at `path`, which only its owner may use. One left over is replaced: the
/// caller holds the folder's lock, so that nobody listens on it.
///
/// # Errors
/// [`LocalError::Long`] or [`LocalError::Socket`].
pub fn listen(path: &Path) -> Result<Callers, LocalError> {
    let failed = |source| LocalError::Socket {
        path: path.to_owned(),
        source,
    };
    if !platform::can_be_socket(path) {
        return Err(LocalError::Long(path.to_owned()));
    }
    match std::fs::remove_file(path) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(failed(error)),
    }
    platform::listen(path).map_err(failed)
}

/// Connects to a running node's socket.
///
/// # Errors
/// [`LocalError`] if nothing answers there.
pub async fn connect(path: &Path) -> Result<Channel, LocalError> {
    let socket = path.to_owned();
    let channel = Endpoint::from_static("http://node.local")
        .connect_with_connector(service_fn(move |_| {
            let socket = socket.clone();
            async move { platform::connect(&socket).await.map(TokioIo::new) }
        }))
        .await?;
    Ok(channel)
}

/// Serves `router` within this process and returns a channel to it, so that a command that works
/// on the store directly takes the same way as one that asks a running node.
///
/// # Errors
/// [`LocalError::Transport`].
pub async fn in_process(router: Router) -> Result<Channel, LocalError> {
    let (client, server) = tokio::io::duplex(1 << 20);
    let connection = tokio_stream::once(Ok::<_, io::Error>(server));
    tokio::spawn(async move {
        if let Err(error) = router.serve_with_incoming(connection).await {
            tracing::debug!(%error, "the in-process service ended");
        }
    });
    let mut client = Some(client);
    let channel = Endpoint::from_static("http://node.local")
        .connect_with_connector(service_fn(move |_| {
            let client = client
                .take()
                .ok_or_else(|| io::Error::other("the one connection ended"));
            async move { client.map(TokioIo::new) }
        }))
        .await?;
    Ok(channel)
}
