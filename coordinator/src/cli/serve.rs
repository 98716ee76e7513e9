//! `serve`: runs the coordinator until it is told to stop.

use std::path::Path;

use anyhow::{Context, Result};
use node::grpc::hub_service;
use node::{Node, local, telemetry};

use crate::service::coordinator_service;

pub(super) async fn run(data: &Path) -> Result<()> {
    let compacted = Node::compact(data);
    let coordinator = super::open(data)?;
    telemetry::start(&coordinator.config().log)?;
    telemetry::version_line("causeway-coordinator");
    telemetry::compaction_line(&compacted);
    let operations = coordinator.operations().clone();
    let socket = local::listen(&operations.node().socket())?;
    let serving = coordinator.serve().await?;
    let site = crate::web::site();
    let pages =
        node::cli::serve_pages(operations.node(), site, crate::web::routes(&operations)).await;
    let stop = node::cli::stopped()?;
    tonic::transport::Server::builder()
        .add_service(hub_service(operations.node().clone()))
        .add_service(coordinator_service(
            operations.clone(),
            coordinator.config().listen.invitation_hours,
        ))
        .serve_with_incoming_shutdown(socket, stop)
        .await
        .context("the coordinator's own service failed")?;
    if let Some(pages) = pages {
        pages.stop(coordinator.config().shutdown.grace()).await;
    }
    serving.stop(coordinator.config().shutdown.grace()).await;
    Ok(())
}
