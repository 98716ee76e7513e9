//! The node's own service: thin, so that commands, pages and programs cannot disagree.

use std::path::PathBuf;

use proto::hub::v1::hub_server::{Hub, HubServer};
use proto::hub::v1::{
    Acting, BackupRequest, BackupResponse, BringBackRequest, BringBackResponse,
    CompareCopiesRequest, CompareCopiesResponse, ComputeReturnRequest, ComputeReturnResponse,
    Count, CountRecordsRequest, CountRecordsResponse, CreateRecordRequest, CreateRecordResponse,
    EditRecordRequest, EditRecordResponse, EraseRecordRequest, EraseRecordResponse,
    ExportCalendarRequest, ExportCalendarResponse, ExportHubRequest, ExportHubResponse,
    ExportListRequest, ExportListResponse, FiguresRequest, FiguresResponse, FindDuplicatesRequest,
    FindDuplicatesResponse, ForkRecordRequest, ForkRecordResponse, ImportHubRequest,
    ImportHubResponse, ImportRegisterRequest, ImportRegisterResponse, ImportSheetRequest,
    ImportSheetResponse, ListDisclosuresRequest, ListDisclosuresResponse, ListOffersRequest,
    ListOffersResponse, ListRecordsRequest, ListRecordsResponse, ListSpacesRequest,
    ListSpacesResponse, ListVersionsRequest, ListVersionsResponse, Marks, MergePeopleRequest,
    MergePeopleResponse, PauseRequest, PauseResponse, PublishRecordRequest, PublishRecordResponse,
    RecordHistoryRequest, RecordHistoryResponse, RecordSummary, ReopenVersionsRequest,
    ReopenVersionsResponse, ReportRequest, ReportResponse, ReproduceReturnRequest,
    ReproduceReturnResponse, RetainRequest, RetainResponse, SampleRequest, SampleResponse,
    SchemaRequest, SchemaResponse, SettleVersionsRequest, SettleVersionsResponse,
    ShowRecordRequest, ShowRecordResponse, ShowReleasedRequest, ShowReleasedResponse, Space,
    StatusRequest, StatusResponse, TakeOfferRequest, TakeOfferResponse, WithdrawRecordRequest,
    WithdrawRecordResponse,
};
use tonic::{Request, Response, Status};
use tracing::Instrument;

use super::status::status;
use crate::Node;
use crate::local::LOCAL_MESSAGE_BYTES_MAX;
use crate::records::{Concerning, Desk, Find, RecordsError, ReturnWanted, SheetToImport};

/// Offers `node`'s own service.
pub fn hub_service(node: Node) -> HubServer<HubService> {
    HubServer::new(HubService { node })
        .max_decoding_message_size(LOCAL_MESSAGE_BYTES_MAX)
        .max_encoding_message_size(LOCAL_MESSAGE_BYTES_MAX)
}

/// The most records that one answer lists: more would not fit into a message.
const LISTED_MAX: u64 = 10_000;

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
        let (mut find, acting) = find(Some(request.into_inner()));
        find.limit = match find.limit {
            0 => LISTED_MAX,
            limit => limit.min(LISTED_MAX),
        };
        self.run("list_records", move |node| {
            let listing = match desk(node, acting)? {
                Some(desk) => desk.find(&find)?,
                None => node.find_records(&find)?,
            };
            let records = listing.records.into_iter().map(|record| RecordSummary {
                id: record.id.to_string(),
                kind: record.kind,
                space: record.space.to_string(),
                title: record.title,
                json: record.json,
            });
            Ok(ListRecordsResponse {
                records: records.collect(),
                total: listing.total,
            })
        })
        .await
    }

    async fn count_records(
        &self,
        request: Request<CountRecordsRequest>,
    ) -> Result<Response<CountRecordsResponse>, Status> {
        let CountRecordsRequest { of, field } = request.into_inner();
        self.run("count_records", move |node| {
            let (find, acting) = find(of);
            let counts = match desk(node, acting)? {
                Some(desk) => desk.count(&find, &field)?,
                None => node.count_records(&find, &field)?,
            };
            let counts = counts
                .into_iter()
                .map(|(value, records)| Count { value, records });
            Ok(CountRecordsResponse {
                counts: counts.collect(),
            })
        })
        .await
    }

    async fn show_record(
        &self,
        request: Request<ShowRecordRequest>,
    ) -> Result<Response<ShowRecordResponse>, Status> {
        let ShowRecordRequest { id, day, acting } = request.into_inner();
        self.run("show_record", move |node| {
            let shown = match desk(node, acting)? {
                Some(desk) => desk.show(&id, &day)?,
                None => node.show_record_on(&id, &day)?,
            };
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
                problems: serde_json::json!(shown.problems).to_string(),
                more: shown.more.to_string(),
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
            let made = node.create_record(&kind, &space, &json)?;
            Ok(CreateRecordResponse {
                id: made.id.to_string(),
                space: made.space.to_string(),
                notes: made.notes,
            })
        })
        .await
    }

    async fn edit_record(
        &self,
        request: Request<EditRecordRequest>,
    ) -> Result<Response<EditRecordResponse>, Status> {
        let EditRecordRequest {
            id,
            heads,
            json,
            acting,
        } = request.into_inner();
        self.run("edit_record", move |node| {
            let edited = match desk(node, acting)? {
                Some(desk) => desk.edit(&id, &heads, &json)?,
                None => node.edit_record(&id, &heads, &json)?,
            };
            Ok(EditRecordResponse {
                merged: edited.merged,
                heads: edited.heads,
                notes: edited.notes,
            })
        })
        .await
    }

    async fn bring_back(
        &self,
        request: Request<BringBackRequest>,
    ) -> Result<Response<BringBackResponse>, Status> {
        let BringBackRequest {
            id,
            field,
            day,
            acting,
        } = request.into_inner();
        self.run("bring_back", move |node| {
            let heads = match desk(node, acting)? {
                Some(desk) => desk.bring_back(&id, &field, &day)?,
                None => node.bring_back(&id, &field, &day)?,
            };
            Ok(BringBackResponse { heads })
        })
        .await
    }

    async fn erase_record(
        &self,
        request: Request<EraseRecordRequest>,
    ) -> Result<Response<EraseRecordResponse>, Status> {
        let EraseRecordRequest { id, confirm } = request.into_inner();
        self.run("erase_record", move |node| {
            let title = node.erasure(&id)?;
            if confirm {
                node.erase(&[&id])?;
            }
            Ok(EraseRecordResponse { title })
        })
        .await
    }

    async fn record_history(
        &self,
        request: Request<RecordHistoryRequest>,
    ) -> Result<Response<RecordHistoryResponse>, Status> {
        let RecordHistoryRequest { id, field, acting } = request.into_inner();
        self.run("record_history", move |node| {
            let history = match desk(node, acting)? {
                Some(desk) => desk.history(&id, &field)?,
                None => node.record_history(&id, &field)?,
            };
            Ok(RecordHistoryResponse {
                json: history.to_string(),
            })
        })
        .await
    }

    async fn list_versions(
        &self,
        request: Request<ListVersionsRequest>,
    ) -> Result<Response<ListVersionsResponse>, Status> {
        let ListVersionsRequest {
            id,
            person,
            role,
            settled,
            acting,
        } = request.into_inner();
        self.run("list_versions", move |node| {
            let concerning = Concerning { person, role };
            let desk = desk(node, acting)?;
            let listed = match &desk {
                Some(desk) => desk.versions(&id, &concerning)?,
                None => node.versions_concerning(&id, &concerning)?,
            };
            let shown = match &desk {
                _ if !settled => serde_json::Value::Array(listed.versions),
                Some(desk) => desk.settled_versions(&id)?,
                None => node.settled_versions(&id, &concerning)?,
            };
            let count = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
            Ok(ListVersionsResponse {
                json: shown.to_string(),
                open: count(listed.counts.open),
                to_decide: count(listed.counts.to_decide),
                settled: count(listed.counts.settled),
                reopened: count(listed.counts.reopened),
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
            value,
            acting,
        } = request.into_inner();
        self.run("settle_versions", move |node| {
            match (desk(node, acting)?, value.is_empty()) {
                (Some(desk), true) => desk.settle_versions(&id, &field, version, &heads)?,
                (Some(desk), false) => desk.settle_with(&id, &field, &value, &heads)?,
                (None, true) => node.settle_versions(&id, &field, version, &heads)?,
                (None, false) => node.settle_with(&id, &field, &value, &heads)?,
            }
            Ok(SettleVersionsResponse {})
        })
        .await
    }

    async fn reopen_versions(
        &self,
        request: Request<ReopenVersionsRequest>,
    ) -> Result<Response<ReopenVersionsResponse>, Status> {
        let ReopenVersionsRequest {
            id,
            settled,
            acting,
        } = request.into_inner();
        self.run("reopen_versions", move |node| {
            match desk(node, acting)? {
                Some(desk) => desk.reopen_versions(&id, &settled)?,
                None => node.reopen_versions(&id, &settled)?,
            }
            Ok(ReopenVersionsResponse {})
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

    async fn withdraw_record(
        &self,
        request: Request<WithdrawRecordRequest>,
    ) -> Result<Response<WithdrawRecordResponse>, Status> {
        let WithdrawRecordRequest { id, space, reason } = request.into_inner();
        self.run("withdraw_record", move |node| {
            node.withdraw_record(&id, &space, &reason)?;
            Ok(WithdrawRecordResponse {})
        })
        .await
    }

    async fn list_disclosures(
        &self,
        request: Request<ListDisclosuresRequest>,
    ) -> Result<Response<ListDisclosuresResponse>, Status> {
        let ListDisclosuresRequest { id } = request.into_inner();
        self.run("list_disclosures", move |node| {
            Ok(ListDisclosuresResponse {
                json: node.disclosures(&id)?.to_string(),
            })
        })
        .await
    }

    async fn show_released(
        &self,
        request: Request<ShowReleasedRequest>,
    ) -> Result<Response<ShowReleasedResponse>, Status> {
        let ShowReleasedRequest { id, reader } = request.into_inner();
        self.run("show_released", move |node| {
            let released = node.show_released(&id, &reader)?;
            Ok(ShowReleasedResponse {
                json: released.unwrap_or_default().to_string(),
            })
        })
        .await
    }

    async fn fork_record(
        &self,
        request: Request<ForkRecordRequest>,
    ) -> Result<Response<ForkRecordResponse>, Status> {
        let ForkRecordRequest { id } = request.into_inner();
        self.run("fork_record", move |node| {
            Ok(ForkRecordResponse {
                id: node.fork_record(&id)?.id.to_string(),
            })
        })
        .await
    }

    async fn compare_copies(
        &self,
        request: Request<CompareCopiesRequest>,
    ) -> Result<Response<CompareCopiesResponse>, Status> {
        let CompareCopiesRequest { id, earlier, later } = request.into_inner();
        self.run("compare_copies", move |node| {
            Ok(CompareCopiesResponse {
                json: node.compare_copies(&id, earlier, later)?.to_string(),
            })
        })
        .await
    }

    async fn list_offers(
        &self,
        request: Request<ListOffersRequest>,
    ) -> Result<Response<ListOffersResponse>, Status> {
        let ListOffersRequest { id } = request.into_inner();
        self.run("list_offers", move |node| {
            let offers = node.list_offers(&id)?;
            Ok(ListOffersResponse {
                json: serde_json::json!(offers).to_string(),
            })
        })
        .await
    }

    async fn take_offer(
        &self,
        request: Request<TakeOfferRequest>,
    ) -> Result<Response<TakeOfferResponse>, Status> {
        let TakeOfferRequest { id, field, number } = request.into_inner();
        self.run("take_offer", move |node| {
            node.take_offer(&id, &field, number.max(1))?;
            Ok(TakeOfferResponse {})
        })
        .await
    }

    async fn find_duplicates(
        &self,
        _request: Request<FindDuplicatesRequest>,
    ) -> Result<Response<FindDuplicatesResponse>, Status> {
        self.run("find_duplicates", move |node| {
            Ok(FindDuplicatesResponse {
                json: serde_json::json!(node.likely_same()?).to_string(),
            })
        })
        .await
    }

    async fn merge_people(
        &self,
        request: Request<MergePeopleRequest>,
    ) -> Result<Response<MergePeopleResponse>, Status> {
        let MergePeopleRequest { keep, other } = request.into_inner();
        self.run("merge_people", move |node| {
            let merged = node.merge_people(&keep, &other)?;
            Ok(MergePeopleResponse {
                records: u64::try_from(merged.records).unwrap_or(u64::MAX),
                left: merged.left,
            })
        })
        .await
    }

    async fn compute_return(
        &self,
        request: Request<ComputeReturnRequest>,
    ) -> Result<Response<ComputeReturnResponse>, Status> {
        let ComputeReturnRequest {
            measure,
            measure_version,
            period,
            as_at,
            confirm,
            replaces,
            reason,
        } = request.into_inner();
        self.run("compute_return", move |node| {
            let wanted = ReturnWanted {
                measure,
                version: measure_version,
                period,
                as_at,
                replaces,
                reason,
            };
            let computed = node.compute_return(&wanted, confirm)?;
            Ok(ComputeReturnResponse {
                json: computed.fields.to_string(),
                id: computed
                    .kept
                    .map(|kept| kept.id.to_string())
                    .unwrap_or_default(),
            })
        })
        .await
    }

    async fn reproduce_return(
        &self,
        request: Request<ReproduceReturnRequest>,
    ) -> Result<Response<ReproduceReturnResponse>, Status> {
        let ReproduceReturnRequest { id } = request.into_inner();
        self.run("reproduce_return", move |node| {
            Ok(ReproduceReturnResponse {
                json: node.reproduce_return(&id)?.to_string(),
            })
        })
        .await
    }

    async fn report(
        &self,
        request: Request<ReportRequest>,
    ) -> Result<Response<ReportResponse>, Status> {
        let ReportRequest { what, id, options } = request.into_inner();
        self.run("report", move |node| {
            Ok(ReportResponse {
                json: node.report(&what, &id, &options)?.to_string(),
            })
        })
        .await
    }

    async fn import_sheet(
        &self,
        request: Request<ImportSheetRequest>,
    ) -> Result<Response<ImportSheetResponse>, Status> {
        let ImportSheetRequest {
            kind,
            id,
            list,
            name,
            content,
            columns,
            answers,
            dry_run,
        } = request.into_inner();
        self.run("import_sheet", move |node| {
            let report = node.import_sheet(&SheetToImport {
                kind,
                record: id,
                list,
                name,
                content: content.to_vec(),
                columns,
                answers,
                dry_run,
            })?;
            Ok(ImportSheetResponse {
                json: report.to_string(),
            })
        })
        .await
    }

    async fn import_register(
        &self,
        request: Request<ImportRegisterRequest>,
    ) -> Result<Response<ImportRegisterResponse>, Status> {
        let ImportRegisterRequest {
            path,
            links,
            areas,
            dry_run,
        } = request.into_inner();
        self.run("import_register", move |node| {
            let links = Some(PathBuf::from(links)).filter(|path| path.as_os_str() != "");
            let report =
                node.import_register(&PathBuf::from(path), links.as_deref(), &areas, dry_run)?;
            Ok(ImportRegisterResponse {
                json: report.to_string(),
            })
        })
        .await
    }

    async fn export_list(
        &self,
        request: Request<ExportListRequest>,
    ) -> Result<Response<ExportListResponse>, Status> {
        let ExportListRequest { of, list, format } = request.into_inner();
        self.run("export_list", move |node| {
            let (find, acting) = find(of);
            let content = match desk(node, acting)? {
                Some(desk) => desk.export_list(&find, &list, &format)?,
                None => node.export_list(&find, &list, &format)?,
            };
            Ok(ExportListResponse {
                content: content.into(),
            })
        })
        .await
    }

    async fn export_calendar(
        &self,
        request: Request<ExportCalendarRequest>,
    ) -> Result<Response<ExportCalendarResponse>, Status> {
        let ExportCalendarRequest { id, acting } = request.into_inner();
        self.run("export_calendar", move |node| {
            let content = match desk(node, acting)? {
                Some(desk) => desk.export_calendar(&id)?,
                None => node.export_calendar(&id)?,
            };
            Ok(ExportCalendarResponse {
                content: content.into(),
            })
        })
        .await
    }

    async fn export_hub(
        &self,
        request: Request<ExportHubRequest>,
    ) -> Result<Response<ExportHubResponse>, Status> {
        let ExportHubRequest { path } = request.into_inner();
        self.run("export_hub", move |node| {
            Ok(ExportHubResponse {
                json: node.export_hub(&PathBuf::from(path))?.to_string(),
            })
        })
        .await
    }

    async fn import_hub(
        &self,
        request: Request<ImportHubRequest>,
    ) -> Result<Response<ImportHubResponse>, Status> {
        let ImportHubRequest { path } = request.into_inner();
        self.run("import_hub", move |node| {
            Ok(ImportHubResponse {
                json: node.import_hub(&PathBuf::from(path))?.to_string(),
            })
        })
        .await
    }

    async fn schema(
        &self,
        request: Request<SchemaRequest>,
    ) -> Result<Response<SchemaResponse>, Status> {
        let SchemaRequest { format } = request.into_inner();
        self.run("schema", move |_node| {
            Ok(SchemaResponse {
                content: crate::records::schema(&format)?,
            })
        })
        .await
    }

    async fn sample(
        &self,
        request: Request<SampleRequest>,
    ) -> Result<Response<SampleResponse>, Status> {
        let SampleRequest { seed, small } = request.into_inner();
        self.run("sample", move |node| {
            Ok(SampleResponse {
                json: node.sample(seed, small)?.to_string(),
            })
        })
        .await
    }

    async fn retain(
        &self,
        _request: Request<RetainRequest>,
    ) -> Result<Response<RetainResponse>, Status> {
        self.run("retain", move |node| {
            Ok(RetainResponse {
                json: serde_json::Value::Array(node.retain()?).to_string(),
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

/// The records that a request asks for, and who asks.
fn find(of: Option<ListRecordsRequest>) -> (Find, Option<Acting>) {
    let of = of.unwrap_or_default();
    let find = Find {
        kind: of.kind,
        space: of.space,
        words: of.words,
        filters: of.filters,
        sort: of.sort,
        offset: of.offset,
        limit: of.limit,
    };
    (find, of.acting)
}

/// The desk of whoever asks; none for the socket's owner, who names neither a role nor a holder and
/// may see everything.
fn desk(node: &Node, acting: Option<Acting>) -> Result<Option<Desk>, RecordsError> {
    let named = |acting: &Acting| !acting.role.is_empty() || !acting.holder.is_empty();
    let acting = acting.filter(named);
    acting
        .map(|acting| node.desk(&acting.role, &acting.holder))
        .transpose()
}
