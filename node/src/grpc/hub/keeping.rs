//! Where the node stands, and copies of its store.

use std::path::PathBuf;

use proto::hub::v1::{
    BackupRequest, BackupResponse, ListSpacesRequest, ListSpacesResponse, RetainRequest,
    RetainResponse, Space, StatusRequest, StatusResponse,
};

use crate::Node;
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

pub(super) fn backup(node: &Node, request: BackupRequest) -> Result<BackupResponse, RecordsError> {
    let path = PathBuf::from(request.path);
    let (bytes, entries) = node.backup(&path)?;
    Ok(BackupResponse { bytes, entries })
}
