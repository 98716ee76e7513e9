//! Whether a service can be used, and what services there are, as gRPC's own tools ask for it.
//!
//! Health tells anybody who can connect one word, so that whoever sends hubs to a coordinator, and has
//! no certificate of the network, can ask. Reflection is for the socket in the data folder alone, which
//! only its owner may open: on a port that anybody can reach it would be one more thing that strangers
//! make the program do, and whoever may call something there has the protocol files anyway.

use std::time::Duration;

use tonic_health::ServingStatus;
use tonic_health::pb::health_server::{Health, HealthServer};
use tonic_reflection::server::v1::{ServerReflection, ServerReflectionServer};

use crate::Node;

/// How often it is looked whether that changed.
const LOOKED_EVERY: Duration = Duration::from_secs(1);

/// Answers whether the services with these names can be used, and the program as a whole: once the
/// node is ready, and until it is not. To be called from within the tokio runtime.
pub async fn health_service(
    node: &Node,
    names: &'static [&'static str],
) -> HealthServer<impl Health + use<>> {
    let (reporter, service) = tonic_health::server::health_reporter();
    let mut was_ready = None;
    let inner = std::sync::Arc::downgrade(&node.inner);
    let mut look = async move |is_ready: bool| {
        if was_ready == Some(is_ready) {
            return;
        }
        was_ready = Some(is_ready);
        let status = if is_ready {
            ServingStatus::Serving
        } else {
            ServingStatus::NotServing
        };
        for name in names.iter().copied().chain([""]) {
            reporter.set_service_status(name, status).await;
        }
    };
    look(node.readiness().is_ready()).await;
    tokio::spawn(async move {
        let mut times = tokio::time::interval(LOOKED_EVERY);
        loop {
            times.tick().await;
            // It ends with the node, which it must not hold open.
            let Some(inner) = inner.upgrade() else {
                look(false).await;
                return;
            };
            let is_ready = Node { inner }.readiness().is_ready();
            look(is_ready).await;
        }
    });
    service
}

/// Tells which services there are and what they take.
///
/// # Errors
/// A sentence, if the descriptions that this program was built with cannot be read.
pub fn reflection_service()
-> Result<ServerReflectionServer<impl ServerReflection>, tonic_reflection::server::Error> {
    tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(proto::FILE_DESCRIPTORS)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        .build_v1()
}
