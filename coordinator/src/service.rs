//! The coordinator's own service: what the operator's commands ask.

use std::collections::BTreeSet;
use std::time::Duration;

use node::tls::CertificateAuthority;
use node_feed::{
    Access, CutTarget, FeedCut, FeedName, Hash, SecretKey, SpaceId, SpaceKind, Succession,
};
use proto::coordinator::v1::coordinator_server::{Coordinator, CoordinatorServer};
use proto::coordinator::v1::{
    AdmitWaitingRequest, AdmitWaitingResponse, AttemptEntry, AuthorityRequest, AuthorityResponse,
    CertificatesRequest, CertificatesResponse, CreateSpaceRequest, CreateSpaceResponse, FeedEnd,
    GrantSpaceRequest, GrantSpaceResponse, HealthRequest, HealthResponse, HubEntry, InviteRequest,
    InviteResponse, ListHubsRequest, ListHubsResponse, ListNodesRequest, ListNodesResponse,
    ListWaitingRequest, ListWaitingResponse, NodeEntry, RefuseWaitingRequest,
    RefuseWaitingResponse, ReplaceAuthorityRequest, ReplaceAuthorityResponse,
    ReplaceIdentityRequest, ReplaceIdentityResponse, ResumeRequest, ResumeResponse,
    RetireAuthorityRequest, RetireAuthorityResponse, RevokeNodeRequest, RevokeNodeResponse,
    RevokeRequest, RevokeResponse, SampleRequest, SampleResponse, SuspendRequest, SuspendResponse,
    TakeOverRequest, TakeOverResponse, WaitingEntry, WithdrawSpaceRequest, WithdrawSpaceResponse,
};
use tonic::{Request, Response, Status};
use zeroize::Zeroizing;

use crate::authority_writer::AuthorityError;
use crate::certificates::CertificatesError;
use crate::operations::{ChosenEnd, OperationError, Operations, Waiting};

/// Offers the operator's side of a coordinator.
pub fn coordinator_service(operations: Operations, hours: u64) -> CoordinatorServer<Service> {
    CoordinatorServer::new(Service { operations, hours })
}

/// The service behind [`coordinator_service`].
#[derive(Debug)]
pub struct Service {
    operations: Operations,
    hours: u64,
}

impl Service {
    /// Runs `work` away from the network's threads: every operation waits for the disk.
    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Operations) -> Result<T, OperationError> + Send + 'static,
    ) -> Result<Response<T>, Status> {
        let operations = self.operations.clone();
        tokio::task::spawn_blocking(move || work(&operations))
            .await
            .map_err(|_| Status::internal("the operation ended unexpectedly; see the log"))?
            .map(Response::new)
            .map_err(|error| status(&error))
    }
}

#[tonic::async_trait]
impl Coordinator for Service {
    async fn invite(
        &self,
        request: Request<InviteRequest>,
    ) -> Result<Response<InviteResponse>, Status> {
        let InviteRequest {
            code,
            name,
            hours,
            admit_at_once,
        } = request.into_inner();
        let hours = if hours == 0 {
            self.hours
        } else {
            u64::from(hours)
        };
        self.run(move |operations| {
            let invitation = if admit_at_once {
                operations.invite(&code, &name, hours)?
            } else {
                operations.invite_to_wait(&code, &name, hours)?
            };
            let invitation = invitation.to_toml()?;
            Ok(InviteResponse { invitation })
        })
        .await
    }

    async fn list_waiting(
        &self,
        _request: Request<ListWaitingRequest>,
    ) -> Result<Response<ListWaitingResponse>, Status> {
        self.run(|operations| {
            let waiting = operations.waiting()?.into_iter();
            let attempts = operations.connection_attempts()?.into_iter();
            let attempts = attempts.map(|attempt| AttemptEntry {
                time_ms: attempt.time_ms,
                code: attempt.hub.unwrap_or_default(),
                reason: attempt.reason,
            });
            Ok(ListWaitingResponse {
                waiting: waiting.map(to_waiting).collect(),
                attempts: attempts.collect(),
            })
        })
        .await
    }

    async fn admit_waiting(
        &self,
        request: Request<AdmitWaitingRequest>,
    ) -> Result<Response<AdmitWaitingResponse>, Status> {
        let AdmitWaitingRequest { which, by } = request.into_inner();
        self.run(move |operations| {
            let decided = operations.admit_waiting(&which, &by)?;
            Ok(AdmitWaitingResponse {
                admitted: Some(to_waiting(decided.request)),
                already: decided.already,
            })
        })
        .await
    }

    async fn refuse_waiting(
        &self,
        request: Request<RefuseWaitingRequest>,
    ) -> Result<Response<RefuseWaitingResponse>, Status> {
        let RefuseWaitingRequest { which, why, by } = request.into_inner();
        self.run(move |operations| {
            let decided = operations.refuse_waiting(&which, &why, &by)?;
            Ok(RefuseWaitingResponse {
                refused: Some(to_waiting(decided.request)),
                already: decided.already,
            })
        })
        .await
    }

    async fn list_hubs(
        &self,
        _request: Request<ListHubsRequest>,
    ) -> Result<Response<ListHubsResponse>, Status> {
        self.run(|operations| {
            Ok(ListHubsResponse {
                hubs: hubs(operations)?,
            })
        })
        .await
    }

    async fn revoke(
        &self,
        request: Request<RevokeRequest>,
    ) -> Result<Response<RevokeResponse>, Status> {
        let RevokeRequest { code, why, confirm } = request.into_inner();
        self.run(move |operations| {
            let ended = if confirm {
                operations.revoke(&code, &why)?
            } else {
                operations.revocation(&code)?
            };
            let count = |length: usize| u32::try_from(length).unwrap_or(u32::MAX);
            Ok(RevokeResponse {
                feeds: count(ended.feeds.len()),
                nodes: count(ended.nodes.len()),
                spaces: ended.spaces,
            })
        })
        .await
    }

    async fn health(
        &self,
        request: Request<HealthRequest>,
    ) -> Result<Response<HealthResponse>, Status> {
        let silent_for = Duration::from_millis(request.into_inner().silent_for_ms);
        let health = self
            .run(move |operations| operations.health(silent_for))
            .await?;
        let json = serde_json::to_string(&health.into_inner())
            .map_err(|error| Status::internal(error.to_string()))?;
        Ok(Response::new(HealthResponse { json }))
    }

    async fn list_nodes(
        &self,
        _request: Request<ListNodesRequest>,
    ) -> Result<Response<ListNodesResponse>, Status> {
        self.run(|operations| {
            let nodes = operations.nodes().into_iter().map(|node| {
                let state = match (node.revoked, node.connected) {
                    (true, _) => "revoked",
                    (false, true) => "connected",
                    (false, false) => "away",
                };
                NodeEntry {
                    node: node.node.to_string(),
                    code: node.code,
                    check_number: node.check_number,
                    state: state.to_owned(),
                }
            });
            Ok(ListNodesResponse {
                nodes: nodes.collect(),
            })
        })
        .await
    }

    async fn revoke_node(
        &self,
        request: Request<RevokeNodeRequest>,
    ) -> Result<Response<RevokeNodeResponse>, Status> {
        let RevokeNodeRequest {
            node,
            confirm,
            why,
            ends,
        } = request.into_inner();
        self.run(move |operations| {
            let ends = ends.iter().map(parse_end).collect::<Result<Vec<_>, _>>()?;
            let ended = if confirm.is_empty() {
                operations.node_revocation(&node, &ends)?
            } else {
                operations.revoke_node(&node, &confirm, &why, &ends)?
            };
            Ok(RevokeNodeResponse {
                node: ended.node.to_string(),
                has_own_space: operations.has_own_space(&ended.code),
                code: ended.code,
                others: u32::try_from(ended.others).unwrap_or(u32::MAX),
                ends: ended.feeds.iter().map(to_end).collect(),
                lost: ended.lost,
            })
        })
        .await
    }

    async fn suspend(
        &self,
        request: Request<SuspendRequest>,
    ) -> Result<Response<SuspendResponse>, Status> {
        let SuspendRequest { code, why } = request.into_inner();
        self.run(move |operations| {
            operations.suspend(&code, &why)?;
            Ok(SuspendResponse {})
        })
        .await
    }

    async fn resume(
        &self,
        request: Request<ResumeRequest>,
    ) -> Result<Response<ResumeResponse>, Status> {
        let ResumeRequest { code } = request.into_inner();
        self.run(move |operations| {
            operations.resume(&code)?;
            Ok(ResumeResponse {})
        })
        .await
    }

    async fn create_space(
        &self,
        request: Request<CreateSpaceRequest>,
    ) -> Result<Response<CreateSpaceResponse>, Status> {
        let CreateSpaceRequest {
            kind,
            title,
            code,
            agreed,
        } = request.into_inner();
        let kind = match kind.as_str() {
            "pair" => SpaceKind::Pair,
            "project" => SpaceKind::Project,
            "forum" => SpaceKind::Forum,
            "network" => SpaceKind::Network,
            other => {
                return Err(Status::invalid_argument(format!(
                    "\"{other}\" is no kind of space: give project, pair, forum or network"
                )));
            }
        };
        self.run(move |operations| {
            let (space, record) = if kind == SpaceKind::Project {
                operations.create_project(&title, &code, &agreed)?
            } else {
                (operations.create_space(kind, &title)?, String::new())
            };
            let id = space.to_string();
            Ok(CreateSpaceResponse { id, record })
        })
        .await
    }

    async fn grant_space(
        &self,
        request: Request<GrantSpaceRequest>,
    ) -> Result<Response<GrantSpaceResponse>, Status> {
        let GrantSpaceRequest {
            space,
            code,
            access,
        } = request.into_inner();
        let access = match access.as_str() {
            "read" => Access::Read,
            "write" | "" => Access::Write,
            other => {
                return Err(Status::invalid_argument(format!(
                    "\"{other}\" is no access: give read or write"
                )));
            }
        };
        self.run(move |operations| {
            operations.grant(parse_space(&space)?, &code, access)?;
            Ok(GrantSpaceResponse {})
        })
        .await
    }

    async fn withdraw_space(
        &self,
        request: Request<WithdrawSpaceRequest>,
    ) -> Result<Response<WithdrawSpaceResponse>, Status> {
        let WithdrawSpaceRequest { space, code, why } = request.into_inner();
        self.run(move |operations| {
            let feeds = operations.withdraw(parse_space(&space)?, &code, &why)?;
            Ok(WithdrawSpaceResponse { feeds })
        })
        .await
    }

    async fn sample(
        &self,
        request: Request<SampleRequest>,
    ) -> Result<Response<SampleResponse>, Status> {
        let SampleRequest { seed, small } = request.into_inner();
        self.run(move |operations| {
            let json = operations.sample(seed, small)?.to_string();
            Ok(SampleResponse { json })
        })
        .await
    }

    async fn authority(
        &self,
        _request: Request<AuthorityRequest>,
    ) -> Result<Response<AuthorityResponse>, Status> {
        self.run(|operations| {
            let log = operations.node().authority_log()?;
            let authority = operations.node().authority();
            let reported = operations.node().peers_heard();
            let reported = reported
                .iter()
                .filter_map(|node| authority.nodes().get(node));
            let reported = reported.map(|record| record.hub).collect::<BTreeSet<_>>();
            let codes = reported.iter().filter_map(|hub| authority.hubs().get(hub));
            Ok(AuthorityResponse {
                term: log.current().map_or(0, |(_, term)| term),
                length: authority.length(),
                may_write: operations.authority().may_write()?,
                reported: codes.map(|record| record.code.clone()).collect(),
            })
        })
        .await
    }

    async fn take_over(
        &self,
        request: Request<TakeOverRequest>,
    ) -> Result<Response<TakeOverResponse>, Status> {
        let TakeOverRequest { root, anyway } = request.into_inner();
        let seed = <[u8; 32]>::try_from(root.as_ref())
            .map(Zeroizing::new)
            .map_err(|_| Status::invalid_argument("the root key must have 32 bytes"))?;
        self.run(move |operations| {
            let root = SecretKey::from_seed(&seed);
            let term = operations.take_over(&root, anyway)?;
            Ok(TakeOverResponse { term })
        })
        .await
    }

    async fn certificates(
        &self,
        _request: Request<CertificatesRequest>,
    ) -> Result<Response<CertificatesResponse>, Status> {
        self.run(|operations| {
            let stand = operations.certificates_stand()?;
            Ok(CertificatesResponse {
                authority_ends_ms: stand.authority_ends_ms,
                former_ends_ms: stand.former_ends_ms.unwrap_or(0),
                server_ends_ms: stand.server_ends_ms.unwrap_or(0),
                public_ends_ms: stand.public_ends_ms.unwrap_or(0),
            })
        })
        .await
    }

    async fn replace_authority(
        &self,
        request: Request<ReplaceAuthorityRequest>,
    ) -> Result<Response<ReplaceAuthorityResponse>, Status> {
        let text = Zeroizing::new(request.into_inner().authority);
        let next = CertificateAuthority::from_pem(&text, &text)
            .map_err(|error| Status::invalid_argument(error.to_string()))?;
        self.run(move |operations| {
            operations.replace_authority(next)?;
            Ok(ReplaceAuthorityResponse {})
        })
        .await
    }

    async fn replace_identity(
        &self,
        request: Request<ReplaceIdentityRequest>,
    ) -> Result<Response<ReplaceIdentityResponse>, Status> {
        let request = request.into_inner();
        let next = Zeroizing::new(request.next);
        let mut seed = Zeroizing::new([0; 32]);
        hex::decode_to_slice(next.trim(), seed.as_mut_slice()).map_err(|_| {
            Status::invalid_argument("the new key should have 64 hexadecimal digits")
        })?;
        let next = SecretKey::from_seed(&seed);
        let succession = request.succession.parse::<Succession>();
        let succession = succession.map_err(|error| {
            Status::invalid_argument(format!("the present key's word cannot be read: {error}"))
        })?;
        self.run(move |operations| {
            let replaced = operations.replace_identity(&next, &succession)?;
            Ok(ReplaceIdentityResponse { replaced })
        })
        .await
    }

    async fn retire_authority(
        &self,
        _request: Request<RetireAuthorityRequest>,
    ) -> Result<Response<RetireAuthorityResponse>, Status> {
        self.run(|operations| {
            let retired = operations.retire_authority()?;
            Ok(RetireAuthorityResponse { retired })
        })
        .await
    }
}

fn hubs(operations: &Operations) -> Result<Vec<HubEntry>, OperationError> {
    let node = operations.node();
    let authority = node.authority();
    let seen = operations.registry().last_seen()?;
    let connected = node.peers_connected();
    let suspended = node.suspended();
    let waiting = operations.waiting()?;
    let mut entries = Vec::new();
    for (hub, record) in authority.hubs() {
        if node.hub() == Some(*hub) {
            continue;
        }
        let nodes = authority
            .nodes()
            .iter()
            .filter(|(_, node)| node.hub == *hub);
        let ids = nodes.map(|(id, _)| *id).collect::<Vec<_>>();
        let mut cuts = authority.cuts().iter();
        let revoked = cuts.any(|record| record.cut.target == CutTarget::Hub(*hub));
        let state = if revoked {
            "revoked"
        } else if suspended.contains_key(hub) {
            "suspended"
        } else if ids.is_empty() && waiting.iter().any(|asks| asks.code == record.code) {
            "waiting"
        } else if ids.is_empty() {
            "invited"
        } else if ids.iter().any(|id| connected.contains(id)) {
            "connected"
        } else {
            "away"
        };
        let last_seen = ids.iter().filter_map(|id| node.heard_ms(id));
        let enrolled = seen
            .iter()
            .filter(|seen| ids.contains(&seen.node))
            .map(|seen| seen.seen_ms);
        entries.push(HubEntry {
            id: hub.to_string(),
            code: record.code.clone(),
            name: record.name.clone(),
            state: state.to_owned(),
            nodes: u32::try_from(ids.len()).unwrap_or(u32::MAX),
            last_seen_ms: last_seen.chain(enrolled).max().unwrap_or(0),
            lag_entries: node.lag_of_hub(*hub)?,
        });
    }
    entries.sort_by(|one, other| one.code.cmp(&other.code));
    Ok(entries)
}

fn to_waiting(waiting: Waiting) -> WaitingEntry {
    WaitingEntry {
        code: waiting.code,
        name: waiting.name,
        check_number: waiting.check_number,
        since_ms: waiting.since_ms,
        lapses_ms: waiting.lapses_ms,
        address: waiting.address,
        node: waiting.node.to_string(),
    }
}

fn parse_space(text: &str) -> Result<SpaceId, OperationError> {
    text.parse()
        .map_err(|_| OperationError::UnknownSpace(text.to_owned()))
}

fn parse_end(end: &FeedEnd) -> Result<ChosenEnd, OperationError> {
    let wrong = |what: &str| OperationError::Cut(format!("the cut's {what} is not one"));
    let writer = end
        .writer
        .parse::<FeedName>()
        .map_err(|_| wrong("writer key"))?;
    let hash = if end.hash.is_empty() {
        None
    } else {
        let bytes = hex::decode(&end.hash).ok();
        let bytes = bytes.and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
        Some(Hash::from_bytes(bytes.ok_or_else(|| wrong("hash"))?))
    };
    Ok(ChosenEnd {
        space: parse_space(&end.space)?,
        writer: *writer.as_bytes(),
        number: end.number,
        hash,
    })
}

fn to_end(cut: &FeedCut) -> FeedEnd {
    FeedEnd {
        space: cut.space.to_string(),
        writer: FeedName::from_bytes(cut.writer).to_string(),
        number: Some(cut.last.number),
        hash: cut.last.hash.to_string(),
    }
}

/// The one place where an operation's error becomes a status.
fn status(error: &OperationError) -> Status {
    let sentence = error.to_string();
    match error {
        OperationError::UnknownHub(_)
        | OperationError::UnknownSpace(_)
        | OperationError::NotWaiting(_)
        | OperationError::UnknownNode(_) => Status::not_found(sentence),
        OperationError::Code(_)
        | OperationError::Cut(_)
        | OperationError::NotConfirmed(_)
        | OperationError::NotNamed(_)
        | OperationError::Audit(_)
        | OperationError::NoReason => Status::invalid_argument(sentence),
        OperationError::Revoked(_)
        | OperationError::NodeRevoked(_)
        | OperationError::NotSuspended(_)
        | OperationError::NoCheckNumber(_)
        | OperationError::OwnHub(_)
        | OperationError::OwnSpace
        | OperationError::MayWrite(_)
        | OperationError::Succession(_)
        | OperationError::NoAccess(_) => Status::failed_precondition(sentence),
        OperationError::Record(error) => node::grpc::record_status(error),
        OperationError::RecordLost { source, .. } => {
            Status::new(node::grpc::record_status(source).code(), sentence)
        }
        OperationError::Certificates(CertificatesError::Former) => {
            Status::failed_precondition(sentence)
        }
        OperationError::Certificates(_) => Status::unavailable(sentence),
        OperationError::NotYet(_) => Status::unavailable(sentence),
        OperationError::Folder(_) | OperationError::Identity(_) => {
            Status::resource_exhausted(sentence)
        }
        OperationError::Invitation(_) => Status::invalid_argument(sentence),
        OperationError::Authority(error) => authority_status(error, sentence),
        OperationError::Registry(_) | OperationError::Store(_) | OperationError::Random(_) => {
            Status::unavailable(sentence)
        }
    }
}

fn authority_status(error: &AuthorityError, sentence: String) -> Status {
    match error {
        AuthorityError::ReadOnly
        | AuthorityError::Frozen
        | AuthorityError::Begun
        | AuthorityError::NothingHeld
        | AuthorityError::NoneReported
        | AuthorityError::OtherNetwork => Status::failed_precondition(sentence),
        AuthorityError::Run(_) => Status::invalid_argument(sentence),
        AuthorityError::Append(_) | AuthorityError::Folder(_) | AuthorityError::Store(_) => {
            Status::unavailable(sentence)
        }
    }
}
