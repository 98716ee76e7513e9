//! The node's own service: thin, so that commands, pages and programs cannot disagree.

use std::path::PathBuf;

use proto::hub::v1::hub_server::{Hub, HubServer};
use proto::hub::v1::{
    BackupRequest, BackupResponse, CreateRecordRequest, CreateRecordResponse, EditRecordRequest,
    EditRecordResponse, FiguresRequest, FiguresResponse, ListRecordsRequest, ListRecordsResponse,
    ListSpacesRequest, ListSpacesResponse, ListVersionsRequest, ListVersionsResponse, Marks,
    PauseRequest, PauseResponse, PublishRecordRequest, PublishRecordResponse, RecordHistoryRequest,
    RecordHistoryResponse, RecordSummary, SettleVersionsRequest, SettleVersionsResponse,
    ShowRecordRequest, ShowRecordResponse, Space, StatusRequest, StatusResponse,
};
use tonic::{Request, Response, Status};
use tracing::Instrument;

use super::status::status;
use crate::Node;
use crate::local::LOCAL_MESSAGE_BYTES_MAX;
use crate::records::RecordsError;

/// Offers `node`'s own service.
pub fn hub_service(node: Node) -> HubServer<HubService> {
    HubServer::new(HubService { node })
        .max_decoding_message_size(LOCAL_MESSAGE_BYTES_MAX)
        .max_encoding_message_size(LOCAL_MESSAGE_BYTES_MAX)
}

/// The service behind [`hub_service`].
#[derive(Debug)]
pub struct HubService {
    node: Node,
}

impl HubService {
    /// Runs `work` away from the network's threads: it reads the disk, or waits for it.
    async fn run<T: Send + 'static>(
        &self,
        name: &'static str,
        work: impl FnOnce(&Node) -> Result<T, RecordsError> + Send + 'static,
    ) -> Result<Response<T>, Status> {
        let node = self.node.clone();
        let request = node.next_request();
        let span = tracing::info_span!("request", id = request, name);
        let inner = span.clone();
        async move {
            tokio::task::spawn_blocking(move || inner.in_scope(|| work(&node)))
                .await
                .map_err(|_| Status::internal("this ended unexpectedly; see the log"))?
                .map(Response::new)
                .map_err(|error| status(&error))
        }
        .instrument(span)
        .await
    }
}

#[tonic::async_trait]
impl Hub for HubService {
    async fn status(
        &self,
        _request: Request<StatusRequest>,
    ) -> Result<Response<StatusResponse>, Status> {
        self.run("status", |node| {
            Ok(StatusResponse {
                json: node.status()?.to_string(),
            })
        })
        .await
    }

    async fn list_spaces(
        &self,
        _request: Request<ListSpacesRequest>,
    ) -> Result<Response<ListSpacesResponse>, Status> {
        self.run("list_spaces", |node| {
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
        })
        .await
    }

    async fn list_records(
        &self,
        request: Request<ListRecordsRequest>,
    ) -> Result<Response<ListRecordsResponse>, Status> {
        let ListRecordsRequest { kind, space } = request.into_inner();
        self.run("list_records", move |node| {
            let listed = node.list_records(&kind, &space)?;
            let records = listed.into_iter().map(|record| RecordSummary {
                id: record.id.to_string(),
                kind: record.kind,
                space: record.space.to_string(),
                title: record.title,
                json: record.json,
            });
            Ok(ListRecordsResponse {
                records: records.collect(),
            })
        })
        .await
    }

    async fn show_record(
        &self,
        request: Request<ShowRecordRequest>,
    ) -> Result<Response<ShowRecordResponse>, Status> {
        let ShowRecordRequest { id } = request.into_inner();
        self.run("show_record", move |node| {
            let shown = node.show_record(&id)?;
            Ok(ShowRecordResponse {
                id,
                kind: shown.kind,
                space: shown.space.to_string(),
                json: shown.fields.to_string(),
                heads: shown.heads,
                marks: Some(Marks {
                    saved: true,
                    sent: shown.marks.sent,
                    received: shown.marks.received,
                    members: shown.marks.members,
                    unsent: shown.marks.unsent,
                    own: shown.marks.own,
                }),
            })
        })
        .await
    }

    async fn create_record(
        &self,
        request: Request<CreateRecordRequest>,
    ) -> Result<Response<CreateRecordResponse>, Status> {
        let CreateRecordRequest { kind, space, json } = request.into_inner();
        self.run("create_record", move |node| {
            let (id, space) = node.create_record(&kind, &space, &json)?;
            Ok(CreateRecordResponse {
                id: id.to_string(),
                space: space.to_string(),
            })
        })
        .await
    }

    async fn edit_record(
        &self,
        request: Request<EditRecordRequest>,
    ) -> Result<Response<EditRecordResponse>, Status> {
        let EditRecordRequest { id, heads, json } = request.into_inner();
        self.run("edit_record", move |node| {
            let edited = node.edit_record(&id, &heads, &json)?;
            Ok(EditRecordResponse {
                merged: edited.merged,
                heads: edited.heads,
            })
        })
        .await
    }

    async fn record_history(
        &self,
        request: Request<RecordHistoryRequest>,
    ) -> Result<Response<RecordHistoryResponse>, Status> {
        let RecordHistoryRequest { id } = request.into_inner();
        self.run("record_history", move |node| {
            Ok(RecordHistoryResponse {
                json: node.record_history(&id)?.to_string(),
            })
        })
        .await
    }

    async fn list_versions(
        &self,
        request: Request<ListVersionsRequest>,
    ) -> Result<Response<ListVersionsResponse>, Status> {
        let ListVersionsRequest { id } = request.into_inner();
        self.run("list_versions", move |node| {
            Ok(ListVersionsResponse {
                json: node.list_versions(&id)?.to_string(),
            })
        })
        .await
    }

    async fn settle_versions(
        &self,
        request: Request<SettleVersionsRequest>,
    ) -> Result<Response<SettleVersionsResponse>, Status> {
        let SettleVersionsRequest {
            id,
            field,
            version,
            heads,
        } = request.into_inner();
        self.run("settle_versions", move |node| {
            node.settle_versions(&id, &field, version, &heads)?;
            Ok(SettleVersionsResponse {})
        })
        .await
    }

    async fn publish_record(
        &self,
        request: Request<PublishRecordRequest>,
    ) -> Result<Response<PublishRecordResponse>, Status> {
        let PublishRecordRequest {
            id,
            space,
            confirm,
            digest,
        } = request.into_inner();
        self.run("publish_record", move |node| {
            let published = node.publish_record(&id, &space, confirm, &digest)?;
            Ok(PublishRecordResponse {
                json: published.leaves.to_string(),
                readers: published.readers,
                id: published.id.map(|id| id.to_string()).unwrap_or_default(),
                digest: published.digest.to_string(),
            })
        })
        .await
    }

    async fn figures(
        &self,
        _request: Request<FiguresRequest>,
    ) -> Result<Response<FiguresResponse>, Status> {
        self.run("figures", |node| {
            Ok(FiguresResponse {
                json: node.figures()?.to_string(),
            })
        })
        .await
    }

    async fn backup(
        &self,
        request: Request<BackupRequest>,
    ) -> Result<Response<BackupResponse>, Status> {
        let path = PathBuf::from(request.into_inner().path);
        self.run("backup", move |node| {
            let (bytes, entries) = node.backup(&path)?;
            Ok(BackupResponse { bytes, entries })
        })
        .await
    }

    async fn pause(
        &self,
        request: Request<PauseRequest>,
    ) -> Result<Response<PauseResponse>, Status> {
        self.node.pause(request.into_inner().paused);
        Ok(Response::new(PauseResponse {}))
    }
}
