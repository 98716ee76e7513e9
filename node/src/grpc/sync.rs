//! The accepting end of sessions.

use std::pin::Pin;
use std::sync::Arc;

use proto::sync::v1::Frame;
use proto::sync::v1::sync_server::{Sync, SyncServer};
use tokio_stream::{Stream, StreamExt};
use tonic::{Request, Response, Status, Streaming};
use tracing::Instrument;

use super::convert::FRAME_BYTES_MAX;
use crate::driver::Connected;
use crate::node::Inner;
use crate::quotas::Guest;
use crate::tls::ConnectionInfo;
use crate::{Node, session};

/// Accepts sessions for `node`.
pub fn sync_service(node: Node) -> SyncServer<SyncService> {
    SyncServer::new(SyncService { inner: node.inner })
        .max_decoding_message_size(FRAME_BYTES_MAX)
        .max_encoding_message_size(FRAME_BYTES_MAX)
}

/// The service behind [`sync_service`].
#[derive(Debug)]
pub struct SyncService {
    inner: Arc<Inner>,
}

#[tonic::async_trait]
impl Sync for SyncService {
    type SessionStream = Pin<Box<dyn Stream<Item = Result<Frame, Status>> + Send + 'static>>;

    async fn session(
        &self,
        request: Request<Streaming<Frame>>,
    ) -> Result<Response<Self::SessionStream>, Status> {
        let info = request
            .extensions()
            .get::<ConnectionInfo>()
            .ok_or_else(|| Status::internal("the connection says nothing of itself"))?;
        let Some(subject) = &info.peer else {
            return Err(Status::unauthenticated(
                "a session needs the certificate that `connect` gave this node",
            ));
        };
        if let Some(why) = self.inner.turned_away(&subject.node) {
            let reason = node_sync::Goodbye::NotAdmitted.word();
            self.inner.refuse_session(Some(subject.node), reason, &why);
            return Err(Status::permission_denied(why));
        }
        let hub = self.inner.authority().hub_of(&subject.node);
        let guest = hub.map_or(Guest::Node(subject.node), Guest::Hub);
        let Some(place) = self.inner.quotas.place(guest) else {
            let why = format!(
                "this hub has {} sessions open already, which is as many as one may have; end a node, \
                 or ask for more",
                self.inner.quotas.sessions_max()
            );
            self.inner.refuse_session(Some(subject.node), "quota", &why);
            return Err(Status::resource_exhausted(why));
        };
        if *self.inner.paused.borrow() {
            return Err(Status::unavailable("this node is paused"));
        }
        let session = self.inner.next_session();
        let span = tracing::info_span!("session", id = session.0, peer = %info.remote_addr);
        let exporter = info.exporter;
        let connected = Connected {
            session,
            exporter,
            dialled: None,
            server_key: None,
            tally: None,
        };
        let (outgoing, incoming) = session::open(&self.inner, connected);
        let inner = Arc::clone(&self.inner);
        let frames = request.into_inner();
        // The response goes out before the first frame is read, or both ends wait for each other.
        tokio::spawn(
            async move {
                let _place = place;
                if let Err(status) = incoming.receive(&inner, frames).await {
                    tracing::debug!(%status, "a session's stream ended");
                }
            }
            .instrument(span),
        );
        Ok(Response::new(Box::pin(outgoing.map(Ok))))
    }
}
