//! The service.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use coordinator_registry::{
    AuditLine, CertificateRecord, CodeRefusal, Event, RedeemError, Redeemed, Registry,
    RegistryError,
};
use node::enrolment::{
    CheckProof, EnrolProof, check_commitment, end_former_proof, greet_proof, renew_proof,
    standing_proof, succeed_proof,
};
use node::tls::{CertificateError, ConnectionInfo};
use node_feed::{HubId, NetworkId, NodeId, PublicKey, SecretKey, Succession, Tag};
use proto::enrolment::v1::enrol_response::Instead;
use proto::enrolment::v1::enrolment_server::{Enrolment, EnrolmentServer};
use proto::enrolment::v1::{
    CheckRequest, CheckResponse, EndFormerRequest, EndFormerResponse, EnrolLapsed, EnrolRefused,
    EnrolRequest, EnrolResponse, EnrolWaiting, GreetRequest, GreetResponse, RenewRequest,
    RenewResponse, StandingRequest, StandingResponse, SucceedRequest, SucceedResponse,
    standing_response,
};
use tokio::sync::{mpsc, oneshot};
use tonic::{Code, Request, Response, Status};

use super::attempts::Attempts;
use super::authority_request::{AuthorityRefusal, AuthorityRequest, Stands};
use super::fields::{
    CheckFields, EnrolFields, RenewFields, StandingFields, SuccessionFields, ends,
};
use crate::certificates::Certificates;

/// Bytes that a request may have.
const REQUEST_BYTES_MAX: usize = 16 * 1024;

/// What enrolment works with.
#[derive(Debug)]
pub struct EnrolmentParts {
    /// The register of codes and certificates.
    pub registry: Arc<Registry>,
    /// The network's certificate authorities.
    pub certificates: Arc<Certificates>,
    /// The coordinator's identity key.
    pub identity: SecretKey,
    /// How that key came from earlier ones, the first first.
    pub successions: Vec<Succession>,
    /// The network's root key.
    pub root: PublicKey,
    /// The task that writes the authority log.
    pub log: mpsc::Sender<AuthorityRequest>,
}

/// Serves `causeway.enrolment.v1`.
///
/// A certificate is handed out only after the node's admission and the certificate itself are
/// durable. A node whose invitation says so waits for an operator before; see
/// [`Operations::waiting`](crate::operations::Operations::waiting). A call that fails in between can be made again.
#[derive(Debug)]
pub struct EnrolmentService {
    parts: EnrolmentParts,
    network: NetworkId,
    attempts: Attempts,
}

impl EnrolmentService {
    /// A service with these parts.
    pub fn new(parts: EnrolmentParts) -> Self {
        let network = parts.root.network();
        Self {
            parts,
            network,
            attempts: Attempts::default(),
        }
    }

    /// The service as tonic serves it, with its sizes capped.
    pub fn into_server(self) -> EnrolmentServer<Self> {
        EnrolmentServer::new(self)
            .max_decoding_message_size(REQUEST_BYTES_MAX)
            .max_encoding_message_size(REQUEST_BYTES_MAX)
    }

    async fn enrol_node(
        &self,
        request: &EnrolRequest,
        info: &ConnectionInfo,
        now_ms: u64,
    ) -> Result<EnrolResponse, Status> {
        let fields = EnrolFields::read(request)?;
        let (hub, node) = (fields.hub, fields.node.node());
        let proof = EnrolProof {
            exporter: &info.exporter,
            network: self.network,
            hub,
            code: &fields.code,
            node,
            certificate_request: fields.certificate_request,
        };
        proof
            .verify(&fields.node, &fields.signature)
            .map_err(|_| unproven())?;
        let code = fields.code;
        let address = info.remote_addr.ip().to_canonical().to_string();
        let redeemed = self
            .with_registry(move |registry| {
                registry
                    .redeem(hub, code.as_bytes(), node, &address, now_ms)
                    .map_err(redeem_status)
            })
            .await?;
        if let Some(instead) = instead(redeemed, &self.parts.identity.public()) {
            return Ok(EnrolResponse {
                instead: Some(instead),
                ..EnrolResponse::default()
            });
        }
        self.ask((Some(hub), Event::CertificateRefused), |reply| {
            AuthorityRequest::Admit { hub, node, reply }
        })
        .await?;
        let certificates = self
            .issue(fields.certificate_request, hub, node, now_ms)
            .await?;
        tracing::info!(peer = %info.remote_addr, %hub, "a node was connected");
        Ok(EnrolResponse {
            certificates,
            network: Bytes::copy_from_slice(self.network.as_bytes()),
            root: Bytes::copy_from_slice(self.parts.root.as_bytes()),
            coordinator: Bytes::copy_from_slice(self.parts.identity.public().as_bytes()),
            hub: Bytes::copy_from_slice(hub.as_bytes()),
            instead: None,
        })
    }

    async fn check_node(
        &self,
        request: &CheckRequest,
        info: &ConnectionInfo,
        now_ms: u64,
    ) -> Result<CheckResponse, Status> {
        let fields = CheckFields::read(request)?;
        let (hub, node) = (fields.hub, fields.node.node());
        let proof = CheckProof {
            exporter: &info.exporter,
            network: self.network,
            hub,
            code: &fields.code,
            node,
            nonce: &fields.nonce,
        };
        proof
            .verify(&fields.node, &fields.signature)
            .map_err(|_| unproven())?;
        let (code, nonce) = (fields.code, fields.nonce);
        let own = self
            .with_registry(move |registry| {
                registry
                    .exchange(hub, code.as_bytes(), node, &nonce, now_ms)
                    .map_err(redeem_status)
            })
            .await?;
        Ok(CheckResponse {
            nonce: Bytes::copy_from_slice(&own),
        })
    }

    async fn renew_node(
        &self,
        request: &RenewRequest,
        info: &ConnectionInfo,
        now_ms: u64,
    ) -> Result<RenewResponse, Status> {
        let fields = RenewFields::read(request)?;
        let node = fields.node_id();
        let parts = renew_proof(
            &info.exporter,
            &self.network,
            &node,
            fields.certificate_request,
        );
        fields
            .node
            .verify(Tag::Enrolment, &parts, &fields.signature)
            .map_err(|_| unproven())?;
        let hub = self
            .ask((None, Event::CertificateRefused), |reply| {
                AuthorityRequest::Standing { node, reply }
            })
            .await?;
        let certificates = self
            .issue(fields.certificate_request, hub, node, now_ms)
            .await?;
        tracing::info!(peer = %info.remote_addr, %hub, "a certificate was renewed");
        Ok(RenewResponse { certificates })
    }

    async fn look_at_node(
        &self,
        request: &StandingRequest,
        info: &ConnectionInfo,
    ) -> Result<StandingResponse, Status> {
        use standing_response::Standing;
        let StandingFields {
            node: key,
            signature,
        } = StandingFields::read(request)?;
        let node = key.node();
        let parts = standing_proof(&info.exporter, &self.network, &node);
        key.verify(Tag::Enrolment, &parts, &signature)
            .map_err(|_| unproven())?;
        let (reply, answer) = oneshot::channel();
        let asked = self
            .parts
            .log
            .send(AuthorityRequest::Look { node, reply })
            .await;
        let answer = match asked {
            Ok(()) => answer.await.map_err(|_| stopping())?,
            Err(_) => return Err(stopping()),
        };
        let (standing, why) = match answer {
            Stands::Admitted => (Standing::Admitted, String::new()),
            Stands::Suspended(why) => (Standing::Suspended, why),
            Stands::Refused(why) => (Standing::Refused, why),
        };
        Ok(StandingResponse {
            standing: standing.into(),
            why,
        })
    }

    /// The newest of what leads to the present key.
    fn said_successions(&self) -> Vec<proto::enrolment::v1::Succession> {
        let line = &self.parts.successions;
        let newest = line
            .iter()
            .skip(line.len().saturating_sub(Succession::FOLLOWED_MAX));
        let newest = newest.map(|one| proto::enrolment::v1::Succession {
            former: Bytes::copy_from_slice(one.former.as_bytes()),
            successor: Bytes::copy_from_slice(one.successor.as_bytes()),
            signature: Bytes::copy_from_slice(&one.signature.0),
        });
        newest.collect()
    }

    /// Checks that the former key said so, and that the successor wants it on this connection.
    fn check_succession(&self, fields: &SuccessionFields, parts: &[&[u8]]) -> Result<(), Status> {
        let by_former = fields.succession.verify(self.network);
        let by_both = by_former.and_then(|()| {
            fields
                .successor
                .verify(Tag::Enrolment, parts, &fields.signature)
        });
        by_both.map_err(|_| unproven())
    }

    async fn succeed_node(
        &self,
        request: &SucceedRequest,
        info: &ConnectionInfo,
    ) -> Result<SucceedResponse, Status> {
        let fields = SuccessionFields::read(request.succession.as_ref(), &request.signature)?;
        let parts = succeed_proof(&info.exporter, &self.network, &fields.succession);
        self.check_succession(&fields, &parts)?;
        let succession = fields.succession;
        self.ask((None, Event::SuccessionRefused), |reply| {
            AuthorityRequest::Succeed { succession, reply }
        })
        .await?;
        tracing::info!(peer = %info.remote_addr, "a node took another key");
        Ok(SucceedResponse {})
    }

    async fn end_former_node(
        &self,
        request: &EndFormerRequest,
        info: &ConnectionInfo,
    ) -> Result<EndFormerResponse, Status> {
        let fields = SuccessionFields::read(request.succession.as_ref(), &request.signature)?;
        let ends = ends(&request.ends)?;
        let parts = end_former_proof(&info.exporter, &self.network, &fields.succession, &ends);
        self.check_succession(&fields, &parts)?;
        let succession = fields.succession;
        let asked = self.ask((None, Event::SuccessionRefused), |reply| {
            AuthorityRequest::EndFormer {
                succession,
                ends,
                reply,
            }
        });
        asked.await?;
        tracing::info!(peer = %info.remote_addr, "a former key of a node was ended");
        Ok(EndFormerResponse {})
    }

    /// Makes and records a certificate.
    async fn issue(
        &self,
        request: &[u8],
        hub: HubId,
        node: NodeId,
        now_ms: u64,
    ) -> Result<Vec<Bytes>, Status> {
        let issued = self
            .parts
            .certificates
            .issuer()
            .issue_client(request, self.network, node, now_ms)
            .map_err(|error| certificate_status(&error))?;
        let record = CertificateRecord {
            serial: issued.serial,
            node,
            hub,
            issued_ms: now_ms,
            not_after_ms: issued.not_after_ms,
        };
        self.with_registry(move |registry| {
            registry
                .record_certificate(&record)
                .map_err(|error| registry_status(&error))
        })
        .await?;
        Ok(vec![Bytes::copy_from_slice(&issued.certificate)])
    }

    /// Asks the task that writes the authority log, of this hub if one is to be joined; a refusal leaves a
    /// line of this kind.
    async fn ask<T>(
        &self,
        (hub, event): (Option<HubId>, Event),
        request: impl FnOnce(oneshot::Sender<Result<T, AuthorityRefusal>>) -> AuthorityRequest,
    ) -> Result<T, Status> {
        let (reply, answer) = oneshot::channel();
        self.parts
            .log
            .send(request(reply))
            .await
            .map_err(|_| stopping())?;
        match answer.await.map_err(|_| stopping())? {
            Ok(answer) => Ok(answer),
            Err(AuthorityRefusal::Refused(text)) => {
                let line = AuditLine {
                    time_ms: now_ms(),
                    event,
                    hub,
                    reason: text.clone(),
                };
                self.with_registry(move |registry| {
                    registry
                        .note(&line)
                        .map_err(|error| registry_status(&error))
                })
                .await?;
                Err(Status::permission_denied(text))
            }
            Err(AuthorityRefusal::Unavailable(text)) => Err(Status::unavailable(text)),
        }
    }

    /// Runs blocking work on the register, off the async threads.
    async fn with_registry<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Registry) -> Result<T, Status> + Send + 'static,
    ) -> Result<T, Status> {
        let registry = Arc::clone(&self.parts.registry);
        tokio::task::spawn_blocking(move || work(&registry))
            .await
            .map_err(|_| Status::internal("the register failed; see the coordinator's log"))?
    }

    fn allow(&self, remote: SocketAddr, now_ms: u64) -> Result<(), Status> {
        if self.attempts.allow(remote.ip(), now_ms) {
            return Ok(());
        }
        tracing::warn!(peer = %remote, "too many refused requests from this address");
        Err(Status::resource_exhausted(
            "there were too many refused requests from your address; wait ten minutes",
        ))
    }

    /// Logs a refusal and counts it against the address. Refusals by the register and by the
    /// authority have left their audit lines; the others are malformed requests, which anybody
    /// can send.
    fn refused(&self, status: &Status, info: &ConnectionInfo, now_ms: u64) {
        tracing::warn!(
            peer = %info.remote_addr,
            reason = status.message(),
            "a request for a certificate was refused"
        );
        if matches!(
            status.code(),
            Code::PermissionDenied | Code::InvalidArgument
        ) {
            self.attempts.count(info.remote_addr.ip(), now_ms);
        }
    }
}

#[tonic::async_trait]
impl Enrolment for EnrolmentService {
    async fn greet(
        &self,
        request: Request<GreetRequest>,
    ) -> Result<Response<GreetResponse>, Status> {
        let info = connection(&request)?;
        let parts = greet_proof(&info.exporter, &self.network);
        let signature = self.parts.identity.sign(Tag::Enrolment, &parts);
        Ok(Response::new(GreetResponse {
            network: Bytes::copy_from_slice(self.network.as_bytes()),
            coordinator: Bytes::copy_from_slice(self.parts.identity.public().as_bytes()),
            signature: Bytes::copy_from_slice(&signature.0),
            clock_ms: now_ms(),
            software: concat!("causeway ", env!("CARGO_PKG_VERSION")).to_owned(),
            versions: vec![node::PROTOCOL_VERSION],
            successions: self.said_successions(),
        }))
    }

    async fn enrol(
        &self,
        request: Request<EnrolRequest>,
    ) -> Result<Response<EnrolResponse>, Status> {
        let info = connection(&request)?;
        let now_ms = now_ms();
        self.allow(info.remote_addr, now_ms)?;
        let result = self.enrol_node(request.get_ref(), &info, now_ms).await;
        if let Err(status) = &result {
            self.refused(status, &info, now_ms);
        }
        result.map(Response::new)
    }

    async fn check(
        &self,
        request: Request<CheckRequest>,
    ) -> Result<Response<CheckResponse>, Status> {
        let info = connection(&request)?;
        let now_ms = now_ms();
        self.allow(info.remote_addr, now_ms)?;
        let result = self.check_node(request.get_ref(), &info, now_ms).await;
        if let Err(status) = &result {
            self.refused(status, &info, now_ms);
        }
        result.map(Response::new)
    }

    async fn renew(
        &self,
        request: Request<RenewRequest>,
    ) -> Result<Response<RenewResponse>, Status> {
        let info = connection(&request)?;
        let now_ms = now_ms();
        self.allow(info.remote_addr, now_ms)?;
        let result = self.renew_node(request.get_ref(), &info, now_ms).await;
        if let Err(status) = &result {
            self.refused(status, &info, now_ms);
        }
        result.map(Response::new)
    }

    async fn succeed(
        &self,
        request: Request<SucceedRequest>,
    ) -> Result<Response<SucceedResponse>, Status> {
        let info = connection(&request)?;
        let now_ms = now_ms();
        self.allow(info.remote_addr, now_ms)?;
        let result = self.succeed_node(request.get_ref(), &info).await;
        if let Err(status) = &result {
            self.refused(status, &info, now_ms);
        }
        result.map(Response::new)
    }

    async fn end_former(
        &self,
        request: Request<EndFormerRequest>,
    ) -> Result<Response<EndFormerResponse>, Status> {
        let info = connection(&request)?;
        let now_ms = now_ms();
        self.allow(info.remote_addr, now_ms)?;
        let result = self.end_former_node(request.get_ref(), &info).await;
        if let Err(status) = &result {
            self.refused(status, &info, now_ms);
            // It costs a look through all that the former node wrote, also where it is not yet time.
            self.attempts.count(info.remote_addr.ip(), now_ms);
        }
        result.map(Response::new)
    }

    async fn standing(
        &self,
        request: Request<StandingRequest>,
    ) -> Result<Response<StandingResponse>, Status> {
        let info = connection(&request)?;
        let now_ms = now_ms();
        self.allow(info.remote_addr, now_ms)?;
        let result = self.look_at_node(request.get_ref(), &info).await;
        match &result {
            Err(status) => self.refused(status, &info, now_ms),
            // A stranger may ask as often as it may be refused.
            Ok(told) if told.standing == i32::from(standing_response::Standing::Refused) => {
                self.attempts.count(info.remote_addr.ip(), now_ms);
            }
            Ok(_) => {}
        }
        result.map(Response::new)
    }
}

/// What is answered to a node that is not admitted.
fn instead(redeemed: Redeemed, coordinator: &PublicKey) -> Option<Instead> {
    match redeemed {
        Redeemed::First | Redeemed::Again => None,
        Redeemed::Waits(request) => Some(Instead::Waiting(EnrolWaiting {
            since_ms: request.since_ms,
            lapses_ms: request.lapses_ms,
            check_commitment: commitment(request.check_nonce, coordinator),
        })),
        Redeemed::Refused(request) => Some(Instead::Refused(EnrolRefused {
            why: request.reason,
        })),
        Redeemed::Lapsed(request) => Some(Instead::Lapsed(EnrolLapsed {
            lapsed_ms: request.lapses_ms,
        })),
    }
}

fn commitment(nonce: Option<[u8; 32]>, coordinator: &PublicKey) -> Bytes {
    let commitment = nonce.map(|nonce| check_commitment(&nonce, coordinator));
    commitment.map_or_else(Bytes::new, |it| Bytes::copy_from_slice(it.as_bytes()))
}

/// What the acceptor knows of the connection; without it nothing can be proven.
fn connection<T>(request: &Request<T>) -> Result<ConnectionInfo, Status> {
    request
        .extensions()
        .get::<ConnectionInfo>()
        .cloned()
        .ok_or_else(|| Status::failed_precondition("certificates are only issued over TLS"))
}

fn stopping() -> Status {
    Status::unavailable("the coordinator is stopping; try again later")
}

fn unproven() -> Status {
    Status::invalid_argument(
        "the signature does not hold on this connection; something stands between, or the \
         node's identity key is damaged",
    )
}

fn redeem_status(error: RedeemError) -> Status {
    match error {
        RedeemError::Refused(refusal @ CodeRefusal::Decided) => {
            Status::failed_precondition(refusal.to_string())
        }
        RedeemError::Refused(refusal) => Status::permission_denied(refusal.to_string()),
        RedeemError::Registry(error) => registry_status(&error),
    }
}

fn registry_status(error: &RegistryError) -> Status {
    tracing::error!(reason = %error, "the register failed");
    Status::unavailable("the coordinator's register cannot be used at present; try again later")
}

fn certificate_status(error: &CertificateError) -> Status {
    if matches!(error, CertificateError::Making(_)) {
        Status::invalid_argument(error.to_string())
    } else {
        Status::unavailable(error.to_string())
    }
}

fn now_ms() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .ok()
        .and_then(|since| u64::try_from(since.as_millis()).ok())
        .unwrap_or(0)
}
