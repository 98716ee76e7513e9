//! `serve`: runs the coordinator until it is told to stop.

use std::path::Path;

use anyhow::{Context, Result};
use node::cli::{Closing, Stop};
use node::grpc::{health_service, hub_service, reflection_service};
use node::hang_up::HangUp;
use node::{Node, local, telemetry};
use tokio::sync::oneshot;

use crate::service::coordinator_service;

/// What log lines and traces call this program.
const PROGRAM: &str = "causeway-coordinator";

pub(super) async fn run(data: &Path) -> Result<()> {
    let how = "run `init` first, with --new-keys, or with --saved-keys for a network that has keys";
    node::cli::ensure_set_up(data, how)?;
    let mut stop = Stop::listen()?;
    let compacted = Node::compact(data);
    let mut traces = None;
    let (mut port, mut listening) = (None, None);
    loop {
        let coordinator = super::open(data)?;
        let config = coordinator.config();
        if port.is_none() {
            traces = telemetry::start(&config.log, &config.telemetry, PROGRAM)?;
            telemetry::version_line(PROGRAM);
            telemetry::compaction_line(&compacted);
            listening = node::cli::listen_for_pages(coordinator.operations().node());
        }
        let grace = config.shutdown.grace();
        stop.set_grace(grace);
        if stop.is_told() {
            return Ok(());
        }
        let operations = coordinator.operations().clone();
        let hang_up = HangUp::default();
        let socket = hang_up.over(local::listen(&operations.node().socket())?);
        let open = match port.take() {
            Some(open) => open,
            None => coordinator.listen()?,
        };
        let serving = coordinator.serve_on(port.insert(open)).await?;
        let pages = match &listening {
            Some(listening) => {
                let (site, routes) = (crate::web::site(), crate::web::routes(&operations));
                node::cli::serve_pages(listening, operations.node(), site, routes, None).await
            }
            None => None,
        };
        let names = &["causeway.hub.v1.Hub", "causeway.coordinator.v1.Coordinator"];
        let (end, ended) = oneshot::channel::<()>();
        let service = tonic::transport::Server::builder()
            .add_service(health_service(operations.node(), names).await)
            .add_service(reflection_service().context("the services cannot be described")?)
            .add_service(hub_service(operations.node().clone()))
            .add_service(coordinator_service(
                operations.clone(),
                coordinator.config().listen.invitation_hours,
            ))
            .serve_with_incoming_shutdown(socket, async move {
                let _told = ended.await;
            });
        let mut service = tokio::spawn(service);
        node::cli::tell_ready();
        let reopen = tokio::select! {
            () = stop.told() => false,
            () = operations.node().reopening() => true,
            served = &mut service => {
                served?.context("the coordinator's own service failed")?;
                false
            }
        };
        let closing = Closing::begin(grace);
        node::cli::end_requests((service, hang_up), end, pages, closing).await?;
        serving.stop(closing.for_sessions()).await;
        if !reopen {
            telemetry::end(traces).await;
            return Ok(());
        }
        drop((operations, coordinator));
        tracing::info!("the coordinator is closed for a moment");
        node::cli::wait_until_free(data).await?;
    }
}
