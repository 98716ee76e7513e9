//! `serve`: runs the node until it is told to stop.

use std::path::Path;

use anyhow::{Context, Result};
use tokio::signal::unix::{SignalKind, signal};

use crate::grpc::hub_service;
use crate::{local, telemetry};

pub(super) async fn run(data: &Path) -> Result<()> {
    let node = super::open(data)?;
    telemetry::start(&node.config().log)?;
    telemetry::version_line("causeway-node");
    let socket = local::listen(&node.socket())?;
    let running = node.start();
    let stop = stopped()?;
    tonic::transport::Server::builder()
        .add_service(hub_service(node.clone()))
        .serve_with_incoming_shutdown(socket, stop)
        .await
        .context("the node's own service failed")?;
    running.stop(node.config().shutdown.grace()).await;
    Ok(())
}

/// Resolves when the process is asked to stop.
///
/// # Errors
/// A sentence, if the system does not let the process listen for signals.
pub fn stopped() -> Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate()).context("signals cannot be received")?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = tokio::signal::ctrl_c() => {}
        }
        tracing::info!("asked to stop");
    })
}
