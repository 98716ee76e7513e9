//! The coordinator's own service: what the operator's commands ask.

use std::collections::BTreeSet;

use node_feed::{Access, SecretKey, SpaceId, SpaceKind};
use proto::coordinator::v1::coordinator_server::{Coordinator, CoordinatorServer};
use proto::coordinator::v1::{
    AuthorityRequest, AuthorityResponse, CreateSpaceRequest, CreateSpaceResponse,
    GrantSpaceRequest, GrantSpaceResponse, HubEntry, InviteRequest, InviteResponse,
    ListHubsRequest, ListHubsResponse, RevokeRequest, RevokeResponse, TakeOverRequest,
    TakeOverResponse, WithdrawSpaceRequest, WithdrawSpaceResponse,
};
use tonic::{Request, Response, Status};
use zeroize::Zeroizing;

use crate::authority_writer::AuthorityError;
use crate::operations::{OperationError, Operations};

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
        let InviteRequest { code, name, hours } = request.into_inner();
        let hours = if hours == 0 {
            self.hours
        } else {
            u64::from(hours)
        };
        self.run(move |operations| {
            let invitation = operations.invite(&code, &name, hours)?.to_toml()?;
            Ok(InviteResponse { invitation })
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
}

fn hubs(operations: &Operations) -> Result<Vec<HubEntry>, OperationError> {
    let node = operations.node();
    let authority = node.authority();
    let seen = operations.registry().last_seen()?;
    let connected = node.peers_connected();
    let mut entries = Vec::new();
    for (hub, record) in authority.hubs() {
        if node.hub() == Some(*hub) {
            continue;
        }
        let nodes = authority
            .nodes()
            .iter()
            .filter(|(_, node)| node.hub == *hub);
        let (ids, ended): (Vec<_>, Vec<_>) =
            nodes.map(|(id, node)| (*id, node.ended.is_some())).unzip();
        let state = match (ids.is_empty(), ended.iter().all(|ended| *ended)) {
            (true, _) => "invited",
            (false, true) => "revoked",
            (false, false) if ids.iter().any(|id| connected.contains(id)) => "connected",
            (false, false) => "away",
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

fn parse_space(text: &str) -> Result<SpaceId, OperationError> {
    text.parse()
        .map_err(|_| OperationError::UnknownSpace(text.to_owned()))
}

/// The one place where an operation's error becomes a status.
fn status(error: &OperationError) -> Status {
    let sentence = error.to_string();
    match error {
        OperationError::UnknownHub(_) | OperationError::UnknownSpace(_) => {
            Status::not_found(sentence)
        }
        OperationError::Code(_) => Status::invalid_argument(sentence),
        OperationError::Revoked(_)
        | OperationError::OwnHub(_)
        | OperationError::MayWrite(_)
        | OperationError::NoAccess(_) => Status::failed_precondition(sentence),
        OperationError::Record(error) => node::grpc::record_status(error),
        OperationError::RecordLost { source, .. } => {
            Status::new(node::grpc::record_status(source).code(), sentence)
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
