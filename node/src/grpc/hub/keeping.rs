//! Where the node stands, and copies of its store.

use std::path::PathBuf;

use proto::hub::v1::{
    BackupRequest, BackupResponse, ListSpacesRequest, ListSpacesResponse, RestoredRequest,
    RestoredResponse, RetainRequest, RetainResponse, Space, StatusRequest, StatusResponse,
};

use serde_json::json;
use tonic::Status;

use crate::Node;
use crate::backup::{BackupError, Recipient};
use crate::grpc::status::store;
use crate::records::RecordsError;

pub(super) fn status(node: &Node, _request: StatusRequest) -> Result<StatusResponse, RecordsError> {
    Ok(StatusResponse {
        json: node.status()?.to_string(),
    })
}

pub(super) fn list_spaces(
    node: &Node,
    _request: ListSpacesRequest,
) -> Result<ListSpacesResponse, RecordsError> {
    let spaces = node.spaces()?.into_iter().map(|space| Space {
        id: space.id.to_string(),
        kind: space.kind.name().to_owned(),
        title: space.title,
        access: if space.may_write { "write" } else { "read" }.to_owned(),
        members: space.members,
        feeds: space.feeds,
        entries: space.entries,
        documents: space.documents,
        digest: space.digest.to_string(),
        documents_digest: space.documents_digest.to_string(),
    });
    Ok(ListSpacesResponse {
        spaces: spaces.collect(),
    })
}

pub(super) fn retain(node: &Node, _request: RetainRequest) -> Result<RetainResponse, RecordsError> {
    Ok(RetainResponse {
        json: serde_json::Value::Array(node.retain()?).to_string(),
    })
}

pub(super) fn restored(
    node: &Node,
    _request: RestoredRequest,
) -> Result<RestoredResponse, RecordsError> {
    let restored = json!({ "came_back": node.came_back()?, "lost": node.lost()? });
    Ok(RestoredResponse {
        json: restored.to_string(),
    })
}

pub(super) fn backup(node: &Node, request: BackupRequest) -> Result<BackupResponse, Status> {
    let path = PathBuf::from(request.path);
    let keys = if request.open {
        Ok(Vec::new())
    } else if request.keys.is_empty() {
        let configured = node.config().backup.recipients();
        configured.map_err(|error| Status::failed_precondition(error.to_string()))
    } else {
        let keys = request.keys.iter().map(|text| text.parse::<Recipient>());
        keys.collect::<Result<Vec<_>, _>>()
            .map_err(|error| Status::invalid_argument(error.to_string()))
    };
    let keys = keys?;
    let made = node.backup(&path, &keys).map_err(|error| match &error {
        BackupError::Store(why) => store(why, error.to_string()),
        BackupError::Unwritten { .. } => Status::resource_exhausted(error.to_string()),
        BackupError::Unread { .. }
        | BackupError::Sealed(_)
        | BackupError::OtherKey(_)
        | BackupError::Damaged(_)
        | BackupError::Recipient(_)
        | BackupError::Key(_) => Status::failed_precondition(error.to_string()),
    })?;
    Ok(BackupResponse {
        bytes: made.bytes,
        entries: made.entries,
        keys: u32::try_from(keys.len()).unwrap_or(u32::MAX),
    })
}
