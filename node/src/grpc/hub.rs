//! The node's own service: thin, so that commands, pages and programs cannot disagree.

mod accounts;
mod counting;
mod identity;
mod in_and_out;
mod keeping;
mod records;
mod sharing;
mod verifying;

use proto::hub::v1::hub_server::{Hub, HubServer};
use proto::hub::v1::{
    Acting, AddAccountRequest, AddAccountResponse, BackupRequest, BackupResponse, BringBackRequest,
    BringBackResponse, CompareCopiesRequest, CompareCopiesResponse, ComputeReturnRequest,
    ComputeReturnResponse, CountRecordsRequest, CountRecordsResponse, CreateRecordRequest,
    CreateRecordResponse, EditRecordRequest, EditRecordResponse, EndAccountRequest,
    EndAccountResponse, EndRoleRequest, EndRoleResponse, EraseRecordRequest, EraseRecordResponse,
    ExportCalendarRequest, ExportCalendarResponse, ExportHubRequest, ExportHubResponse,
    ExportListRequest, ExportListResponse, FiguresRequest, FiguresResponse, FindDuplicatesRequest,
    FindDuplicatesResponse, ForkRecordRequest, ForkRecordResponse, GiveRoleRequest,
    GiveRoleResponse, IdentityRequest, IdentityResponse, ImportHubRequest, ImportHubResponse,
    ImportRegisterRequest, ImportRegisterResponse, ImportSheetRequest, ImportSheetResponse,
    LinkAccountRequest, LinkAccountResponse, ListAccountsRequest, ListAccountsResponse,
    ListDisclosuresRequest, ListDisclosuresResponse, ListOffersRequest, ListOffersResponse,
    ListRecordsRequest, ListRecordsResponse, ListSpacesRequest, ListSpacesResponse,
    ListVersionsRequest, ListVersionsResponse, MergePeopleRequest, MergePeopleResponse,
    PauseRequest, PauseResponse, PublishRecordRequest, PublishRecordResponse, RecordHistoryRequest,
    RecordHistoryResponse, ReopenVersionsRequest, ReopenVersionsResponse, ReplaceIdentityRequest,
    ReplaceIdentityResponse, ReportRequest, ReportResponse, ReproduceReturnRequest,
    ReproduceReturnResponse, RestoredRequest, RestoredResponse, RetainRequest, RetainResponse,
    SampleRequest, SampleResponse, SchemaRequest, SchemaResponse, SettleVersionsRequest,
    SettleVersionsResponse, ShowRecordRequest, ShowRecordResponse, ShowReleasedRequest,
    ShowReleasedResponse, StatusRequest, StatusResponse, TakeOfferRequest, TakeOfferResponse,
    UndoEditRequest, UndoEditResponse, VerifyRequest, WithdrawRecordRequest,
    WithdrawRecordResponse,
};
use tonic::{Request, Response, Status};
use tracing::Instrument;

use super::status::status;
use crate::Node;
use crate::local::LOCAL_MESSAGE_BYTES_MAX;
use crate::records::{Desk, Find, RecordsError};

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
    /// Does something with records.
    async fn run<Q: Send + 'static, T: Send + 'static>(
        &self,
        name: &'static str,
        request: Request<Q>,
        work: fn(&Node, Q) -> Result<T, RecordsError>,
    ) -> Result<Response<T>, Status> {
        let work = move |node: &Node, asked| work(node, asked).map_err(|error| status(&error));
        self.away(name, request, work).await
    }

    /// Runs `work` away from the network's threads: it reads the disk, or waits for it.
    async fn away<Q: Send + 'static, T: Send + 'static>(
        &self,
        name: &'static str,
        request: Request<Q>,
        work: impl FnOnce(&Node, Q) -> Result<T, Status> + Send + 'static,
    ) -> Result<Response<T>, Status> {
        let node = self.node.clone();
        let span = tracing::info_span!("request", id = node.next_request(), name);
        let asked = request.into_inner();
        let inner = span.clone();
        async move {
            tokio::task::spawn_blocking(move || inner.in_scope(|| work(&node, asked)))
                .await
                .map_err(|_| Status::internal("this ended unexpectedly; see the log"))?
                .map(Response::new)
        }
        .instrument(span)
        .await
    }
}

#[tonic::async_trait]
impl Hub for HubService {
    async fn status(
        &self,
        request: Request<StatusRequest>,
    ) -> Result<Response<StatusResponse>, Status> {
        self.run("status", request, keeping::status).await
    }

    async fn list_spaces(
        &self,
        request: Request<ListSpacesRequest>,
    ) -> Result<Response<ListSpacesResponse>, Status> {
        self.run("list_spaces", request, keeping::list_spaces).await
    }

    async fn list_records(
        &self,
        request: Request<ListRecordsRequest>,
    ) -> Result<Response<ListRecordsResponse>, Status> {
        self.run("list_records", request, records::list_records)
            .await
    }

    async fn count_records(
        &self,
        request: Request<CountRecordsRequest>,
    ) -> Result<Response<CountRecordsResponse>, Status> {
        self.run("count_records", request, records::count_records)
            .await
    }

    async fn show_record(
        &self,
        request: Request<ShowRecordRequest>,
    ) -> Result<Response<ShowRecordResponse>, Status> {
        self.run("show_record", request, records::show_record).await
    }

    async fn create_record(
        &self,
        request: Request<CreateRecordRequest>,
    ) -> Result<Response<CreateRecordResponse>, Status> {
        self.run("create_record", request, records::create_record)
            .await
    }

    async fn edit_record(
        &self,
        request: Request<EditRecordRequest>,
    ) -> Result<Response<EditRecordResponse>, Status> {
        self.run("edit_record", request, records::edit_record).await
    }

    async fn bring_back(
        &self,
        request: Request<BringBackRequest>,
    ) -> Result<Response<BringBackResponse>, Status> {
        self.run("bring_back", request, records::bring_back).await
    }

    async fn undo_edit(
        &self,
        request: Request<UndoEditRequest>,
    ) -> Result<Response<UndoEditResponse>, Status> {
        self.run("undo_edit", request, records::undo_edit).await
    }

    async fn erase_record(
        &self,
        request: Request<EraseRecordRequest>,
    ) -> Result<Response<EraseRecordResponse>, Status> {
        self.run("erase_record", request, records::erase_record)
            .await
    }

    async fn record_history(
        &self,
        request: Request<RecordHistoryRequest>,
    ) -> Result<Response<RecordHistoryResponse>, Status> {
        self.run("record_history", request, records::record_history)
            .await
    }

    async fn list_versions(
        &self,
        request: Request<ListVersionsRequest>,
    ) -> Result<Response<ListVersionsResponse>, Status> {
        self.run("list_versions", request, records::list_versions)
            .await
    }

    async fn settle_versions(
        &self,
        request: Request<SettleVersionsRequest>,
    ) -> Result<Response<SettleVersionsResponse>, Status> {
        self.run("settle_versions", request, records::settle_versions)
            .await
    }

    async fn reopen_versions(
        &self,
        request: Request<ReopenVersionsRequest>,
    ) -> Result<Response<ReopenVersionsResponse>, Status> {
        self.run("reopen_versions", request, records::reopen_versions)
            .await
    }

    async fn publish_record(
        &self,
        request: Request<PublishRecordRequest>,
    ) -> Result<Response<PublishRecordResponse>, Status> {
        self.run("publish_record", request, sharing::publish_record)
            .await
    }

    async fn withdraw_record(
        &self,
        request: Request<WithdrawRecordRequest>,
    ) -> Result<Response<WithdrawRecordResponse>, Status> {
        self.run("withdraw_record", request, sharing::withdraw_record)
            .await
    }

    async fn list_disclosures(
        &self,
        request: Request<ListDisclosuresRequest>,
    ) -> Result<Response<ListDisclosuresResponse>, Status> {
        self.run("list_disclosures", request, sharing::list_disclosures)
            .await
    }

    async fn show_released(
        &self,
        request: Request<ShowReleasedRequest>,
    ) -> Result<Response<ShowReleasedResponse>, Status> {
        self.run("show_released", request, sharing::show_released)
            .await
    }

    async fn fork_record(
        &self,
        request: Request<ForkRecordRequest>,
    ) -> Result<Response<ForkRecordResponse>, Status> {
        self.run("fork_record", request, sharing::fork_record).await
    }

    async fn compare_copies(
        &self,
        request: Request<CompareCopiesRequest>,
    ) -> Result<Response<CompareCopiesResponse>, Status> {
        self.run("compare_copies", request, sharing::compare_copies)
            .await
    }

    async fn list_offers(
        &self,
        request: Request<ListOffersRequest>,
    ) -> Result<Response<ListOffersResponse>, Status> {
        self.run("list_offers", request, sharing::list_offers).await
    }

    async fn take_offer(
        &self,
        request: Request<TakeOfferRequest>,
    ) -> Result<Response<TakeOfferResponse>, Status> {
        self.run("take_offer", request, sharing::take_offer).await
    }

    async fn find_duplicates(
        &self,
        request: Request<FindDuplicatesRequest>,
    ) -> Result<Response<FindDuplicatesResponse>, Status> {
        self.run("find_duplicates", request, records::find_duplicates)
            .await
    }

    async fn merge_people(
        &self,
        request: Request<MergePeopleRequest>,
    ) -> Result<Response<MergePeopleResponse>, Status> {
        self.run("merge_people", request, records::merge_people)
            .await
    }

    async fn compute_return(
        &self,
        request: Request<ComputeReturnRequest>,
    ) -> Result<Response<ComputeReturnResponse>, Status> {
        self.run("compute_return", request, counting::compute_return)
            .await
    }

    async fn reproduce_return(
        &self,
        request: Request<ReproduceReturnRequest>,
    ) -> Result<Response<ReproduceReturnResponse>, Status> {
        self.run("reproduce_return", request, counting::reproduce_return)
            .await
    }

    async fn report(
        &self,
        request: Request<ReportRequest>,
    ) -> Result<Response<ReportResponse>, Status> {
        self.run("report", request, counting::report).await
    }

    async fn import_sheet(
        &self,
        request: Request<ImportSheetRequest>,
    ) -> Result<Response<ImportSheetResponse>, Status> {
        self.run("import_sheet", request, in_and_out::import_sheet)
            .await
    }

    async fn import_register(
        &self,
        request: Request<ImportRegisterRequest>,
    ) -> Result<Response<ImportRegisterResponse>, Status> {
        self.run("import_register", request, in_and_out::import_register)
            .await
    }

    async fn export_list(
        &self,
        request: Request<ExportListRequest>,
    ) -> Result<Response<ExportListResponse>, Status> {
        self.run("export_list", request, in_and_out::export_list)
            .await
    }

    async fn export_calendar(
        &self,
        request: Request<ExportCalendarRequest>,
    ) -> Result<Response<ExportCalendarResponse>, Status> {
        self.run("export_calendar", request, in_and_out::export_calendar)
            .await
    }

    async fn export_hub(
        &self,
        request: Request<ExportHubRequest>,
    ) -> Result<Response<ExportHubResponse>, Status> {
        self.run("export_hub", request, in_and_out::export_hub)
            .await
    }

    async fn import_hub(
        &self,
        request: Request<ImportHubRequest>,
    ) -> Result<Response<ImportHubResponse>, Status> {
        self.run("import_hub", request, in_and_out::import_hub)
            .await
    }

    async fn schema(
        &self,
        request: Request<SchemaRequest>,
    ) -> Result<Response<SchemaResponse>, Status> {
        self.run("schema", request, in_and_out::schema).await
    }

    async fn sample(
        &self,
        request: Request<SampleRequest>,
    ) -> Result<Response<SampleResponse>, Status> {
        self.run("sample", request, in_and_out::sample).await
    }

    async fn retain(
        &self,
        request: Request<RetainRequest>,
    ) -> Result<Response<RetainResponse>, Status> {
        self.run("retain", request, keeping::retain).await
    }

    async fn figures(
        &self,
        request: Request<FiguresRequest>,
    ) -> Result<Response<FiguresResponse>, Status> {
        self.run("figures", request, counting::figures).await
    }

    async fn backup(
        &self,
        request: Request<BackupRequest>,
    ) -> Result<Response<BackupResponse>, Status> {
        self.away("backup", request, keeping::backup).await
    }

    async fn restored(
        &self,
        request: Request<RestoredRequest>,
    ) -> Result<Response<RestoredResponse>, Status> {
        self.run("restored", request, keeping::restored).await
    }

    type VerifyStream = verifying::Told;

    async fn verify(
        &self,
        _request: Request<VerifyRequest>,
    ) -> Result<Response<Self::VerifyStream>, Status> {
        Ok(Response::new(verifying::verify(self.node.clone())))
    }

    async fn identity(
        &self,
        _request: Request<IdentityRequest>,
    ) -> Result<Response<IdentityResponse>, Status> {
        identity::show(&self.node).map(Response::new)
    }

    async fn replace_identity(
        &self,
        _request: Request<ReplaceIdentityRequest>,
    ) -> Result<Response<ReplaceIdentityResponse>, Status> {
        identity::replace(&self.node).await.map(Response::new)
    }

    async fn pause(
        &self,
        request: Request<PauseRequest>,
    ) -> Result<Response<PauseResponse>, Status> {
        self.node.pause(request.into_inner().paused);
        Ok(Response::new(PauseResponse {}))
    }

    async fn list_accounts(
        &self,
        request: Request<ListAccountsRequest>,
    ) -> Result<Response<ListAccountsResponse>, Status> {
        self.away("list_accounts", request, accounts::list_accounts)
            .await
    }

    async fn add_account(
        &self,
        request: Request<AddAccountRequest>,
    ) -> Result<Response<AddAccountResponse>, Status> {
        self.away("add_account", request, accounts::add_account)
            .await
    }

    async fn link_account(
        &self,
        request: Request<LinkAccountRequest>,
    ) -> Result<Response<LinkAccountResponse>, Status> {
        self.away("link_account", request, accounts::link_account)
            .await
    }

    async fn end_account(
        &self,
        request: Request<EndAccountRequest>,
    ) -> Result<Response<EndAccountResponse>, Status> {
        self.away("end_account", request, accounts::end_account)
            .await
    }

    async fn give_role(
        &self,
        request: Request<GiveRoleRequest>,
    ) -> Result<Response<GiveRoleResponse>, Status> {
        self.away("give_role", request, accounts::give_role).await
    }

    async fn end_role(
        &self,
        request: Request<EndRoleRequest>,
    ) -> Result<Response<EndRoleResponse>, Status> {
        self.away("end_role", request, accounts::end_role).await
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
