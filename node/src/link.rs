//! Keeps one session with the coordinator: dials, and dials again with growing pauses.

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use node_feed::{NetworkId, NodeId};
use node_sync::Goodbye;
use proto::sync::v1::sync_client::SyncClient;
use tokio::sync::watch;
use tracing::Instrument;

use crate::clock::now_ms;
use crate::driver::Connected;
use crate::enrolment::reach;
use crate::grpc::convert::FRAME_BYTES_MAX;
use crate::membership::CoordinatorContact;
use crate::node::Inner;
use crate::pauses::Pauses;
use crate::session::Tally;
use crate::tls::{ConnectionInfo, Credentials, Fault, TlsError};
use crate::{random, session};

/// How soon a certificate may be asked for again for another reason than its age: one that is turned away
/// once more, or comes from the wrong authority still, is not made better by many.
const ASK_AGAIN: Duration = Duration::from_hours(1);

/// Dials until told to stop.
pub(crate) async fn run(
    inner: Arc<Inner>,
    network: NetworkId,
    mut contact: CoordinatorContact,
    mut credentials: Option<Credentials>,
    mut stop: watch::Receiver<bool>,
) {
    let (shortest, longest) = inner.config.sync.reconnect();
    let mut pauses = Pauses::between(shortest, longest);
    let mut turned_away = false;
    let mut asked: Option<Instant> = None;
    loop {
        contact.identity = inner.coordinator_key().unwrap_or(contact.identity);
        let mut paused = inner.paused.subscribe();
        // The sender lives as long as the node.
        drop(paused.wait_for(|paused| !*paused).await);
        let renewed = match &credentials {
            Some(old) => {
                let may_ask = asked.is_none_or(|asked| asked.elapsed() >= ASK_AGAIN);
                let other = may_ask && (turned_away || inner.is_of_former_authority(old));
                if other {
                    asked = Some(Instant::now());
                }
                if other || old.renewal_due(now_ms()) {
                    inner.new_certificate(&contact, network).await.map(Some)
                } else {
                    Ok(None)
                }
            }
            None => inner.new_certificate(&contact, network).await.map(Some),
        };
        match renewed {
            Ok(Some(renewed)) => {
                credentials = Some(renewed);
                turned_away = false;
            }
            Ok(None) => {}
            Err(error) => {
                tracing::warn!(%error, "this node's certificate was not renewed");
                if credentials.is_none() {
                    inner.peers.failed(error.to_string());
                }
            }
        }
        let Some(credentials) = &credentials else {
            let pause = pauses.after(Duration::ZERO, u32::from_le_bytes(random()));
            tokio::select! {
                () = tokio::time::sleep(pause) => continue,
                _stopped = stop.wait_for(|stop| *stop) => return,
            }
        };
        let session = inner.next_session();
        let span = tracing::info_span!("session", id = session.0, coordinator = %contact.address);
        let connected = OnceLock::new();
        let dialled = dial(&inner, network, &contact, credentials, session, &connected);
        let dialled = dialled.instrument(span);
        let ended = tokio::select! {
            ended = dialled => ended,
            _paused = paused.wait_for(|paused| *paused) => Ok(()),
            _stopped = stop.wait_for(|stop| *stop) => return,
        };
        inner.send(node_sync::Input::Disconnected { session });
        if let Err(LinkError::Unproven) = ended {
            let followed = tokio::select! {
                followed = inner.follow_coordinator(network) => followed,
                _stopped = stop.wait_for(|stop| *stop) => return,
            };
            if let Err(error) = followed {
                tracing::warn!(%error, "the coordinator cannot be reached");
                inner.peers.failed(error.to_string());
            }
        } else if let Err(error) = ended {
            tracing::warn!(%error, "the coordinator cannot be reached");
            inner.peers.failed(error.to_string());
            inner.forget_successor();
            turned_away = matches!(error, LinkError::TurnedAway(_));
        }
        // What it took to get there does not make a session a good one.
        let lasted = connected.get().map_or(Duration::ZERO, Instant::elapsed);
        let pause = pauses.after(lasted, u32::from_le_bytes(random()));
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            _stopped = stop.wait_for(|stop| *stop) => return,
        }
    }
}

/// Why a session did not come about or ended.
#[derive(Debug, thiserror::Error)]
enum LinkError {
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// It does not take this node's certificate; the identity key gets another one.
    #[error("{0}")]
    TurnedAway(Fault),
    #[error("{0}")]
    Refused(String),
    /// It is not the coordinator that was pinned, or its successor.
    #[error("what answers did not prove to be the coordinator")]
    Unproven,
}

async fn dial(
    inner: &Arc<Inner>,
    network: NetworkId,
    contact: &CoordinatorContact,
    credentials: &Credentials,
    session: node_sync::SessionId,
    since: &OnceLock<Instant>,
) -> Result<(), LinkError> {
    let connector = inner.connector(contact, Some(credentials))?;
    let begun = Instant::now();
    let connection = reach(connector, &contact.identity, network).await?;
    let tally = Arc::new(Tally::begin(begun, Arc::clone(&connection.info.traffic)));
    inner.keep_tally(&tally);
    let dialled: Option<NodeId> = Some(contact.identity.node());
    // The first frames are queued before the call is awaited, or both ends wait for each other.
    let exporter = connection.info.exporter;
    let connected = Connected {
        session,
        exporter,
        dialled,
        server_key: connection.info.server_key.clone(),
        tally: Some(tally),
    };
    let (outgoing, incoming) = session::open(inner, connected);
    let mut client = SyncClient::new(connection.channel)
        .max_decoding_message_size(FRAME_BYTES_MAX)
        .max_encoding_message_size(FRAME_BYTES_MAX);
    let info = &connection.info;
    let frames = client
        .session(outgoing)
        .await
        .map_err(|status| refused(info, &status))?
        .into_inner();
    let _first = since.set(Instant::now());
    tracing::debug!("connected");
    let ended = incoming.receive(inner, frames).await;
    match ended.map_err(|status| refused(info, &status))? {
        Some(Goodbye::Unproven) => Err(LinkError::Unproven),
        Some(_) | None => Ok(()),
    }
}

/// Why a call failed: a refused certificate shows only now, and not in the call's own words.
fn refused(info: &ConnectionInfo, status: &tonic::Status) -> LinkError {
    match info.fault() {
        Some(fault) if fault.is_ours() => LinkError::TurnedAway(fault.clone()),
        Some(fault) => LinkError::Refused(fault.to_string()),
        None => LinkError::Refused(status.message().to_owned()),
    }
}
