//! Records: lists, showing, changing, versions, people.

use proto::hub::v1::{
    BringBackRequest, BringBackResponse, Count, CountRecordsRequest, CountRecordsResponse,
    CreateRecordRequest, CreateRecordResponse, EditRecordRequest, EditRecordResponse,
    EraseRecordRequest, EraseRecordResponse, FindDuplicatesRequest, FindDuplicatesResponse,
    ListRecordsRequest, ListRecordsResponse, ListVersionsRequest, ListVersionsResponse, Marks,
    MergePeopleRequest, MergePeopleResponse, RecordHistoryRequest, RecordHistoryResponse,
    RecordSummary, ReopenVersionsRequest, ReopenVersionsResponse, SettleVersionsRequest,
    SettleVersionsResponse, ShowRecordRequest, ShowRecordResponse, UndoEditRequest,
    UndoEditResponse,
};

use super::{desk, find};
use crate::Node;
use crate::records::{Concerning, RecordsError};

/// The most that one answer lists: more would not fit into a message.
const LISTED_MAX: u64 = 10_000;

pub(super) fn list_records(
    node: &Node,
    request: ListRecordsRequest,
) -> Result<ListRecordsResponse, RecordsError> {
    let (mut find, acting) = find(Some(request));
    find.limit = match find.limit {
        0 => LISTED_MAX,
        limit => limit.min(LISTED_MAX),
    };
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
}

pub(super) fn count_records(
    node: &Node,
    request: CountRecordsRequest,
) -> Result<CountRecordsResponse, RecordsError> {
    let CountRecordsRequest { of, field } = request;
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
}

pub(super) fn show_record(
    node: &Node,
    request: ShowRecordRequest,
) -> Result<ShowRecordResponse, RecordsError> {
    let ShowRecordRequest { id, day, acting } = request;
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
}

pub(super) fn create_record(
    node: &Node,
    request: CreateRecordRequest,
) -> Result<CreateRecordResponse, RecordsError> {
    let CreateRecordRequest {
        kind,
        space,
        json,
        acting,
    } = request;
    let made = match desk(node, acting)? {
        Some(desk) => desk.create(&kind, &space, &json)?,
        None => node.create_record(&kind, &space, &json)?,
    };
    Ok(CreateRecordResponse {
        id: made.id.to_string(),
        space: made.space.to_string(),
        notes: made.notes,
    })
}

pub(super) fn edit_record(
    node: &Node,
    request: EditRecordRequest,
) -> Result<EditRecordResponse, RecordsError> {
    let EditRecordRequest {
        id,
        heads,
        json,
        acting,
    } = request;
    let edited = match desk(node, acting)? {
        Some(desk) => desk.edit(&id, &heads, &json)?,
        None => node.edit_record(&id, &heads, &json)?,
    };
    Ok(EditRecordResponse {
        merged: edited.merged,
        heads: edited.heads,
        notes: edited.notes,
        before: edited.before,
    })
}

pub(super) fn bring_back(
    node: &Node,
    request: BringBackRequest,
) -> Result<BringBackResponse, RecordsError> {
    let BringBackRequest {
        id,
        field,
        day,
        acting,
    } = request;
    let heads = match desk(node, acting)? {
        Some(desk) => desk.bring_back(&id, &field, &day)?,
        None => node.bring_back(&id, &field, &day)?,
    };
    Ok(BringBackResponse { heads })
}

pub(super) fn undo_edit(
    node: &Node,
    request: UndoEditRequest,
) -> Result<UndoEditResponse, RecordsError> {
    let UndoEditRequest {
        id,
        before,
        after,
        acting,
    } = request;
    let edited = match desk(node, acting)? {
        Some(desk) => desk.undo(&id, &before, &after)?,
        None => node.undo_edit(&id, &before, &after)?,
    };
    Ok(UndoEditResponse {
        before: edited.before,
        heads: edited.heads,
        notes: edited.notes,
    })
}

pub(super) fn erase_record(
    node: &Node,
    request: EraseRecordRequest,
) -> Result<EraseRecordResponse, RecordsError> {
    let EraseRecordRequest {
        id,
        confirm,
        acting,
    } = request;
    let desk = desk(node, acting)?;
    let title = match &desk {
        Some(desk) => desk.erasure(&id)?,
        None => node.erasure(&id)?,
    };
    match desk {
        _ if !confirm => {}
        Some(desk) => {
            desk.erase(&id)?;
        }
        None => {
            node.erase(&[&id])?;
        }
    }
    Ok(EraseRecordResponse { title })
}

pub(super) fn record_history(
    node: &Node,
    request: RecordHistoryRequest,
) -> Result<RecordHistoryResponse, RecordsError> {
    let RecordHistoryRequest { id, field, acting } = request;
    let history = match desk(node, acting)? {
        Some(desk) => desk.history(&id, &field)?,
        None => node.record_history(&id, &field)?,
    };
    Ok(RecordHistoryResponse {
        json: history.to_string(),
    })
}

pub(super) fn list_versions(
    node: &Node,
    request: ListVersionsRequest,
) -> Result<ListVersionsResponse, RecordsError> {
    let ListVersionsRequest {
        id,
        person,
        role,
        settled,
        acting,
    } = request;
    let concerning = Concerning { person, role };
    let desk = desk(node, acting)?;
    let listed = match &desk {
        Some(desk) => desk.versions(&id, &concerning)?,
        None => node.versions_concerning(&id, &concerning)?,
    };
    let shown = match &desk {
        _ if !settled => serde_json::Value::Array(listed.versions),
        Some(desk) => desk.settled_versions(&id, &concerning)?,
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
}

pub(super) fn settle_versions(
    node: &Node,
    request: SettleVersionsRequest,
) -> Result<SettleVersionsResponse, RecordsError> {
    let SettleVersionsRequest {
        id,
        field,
        version,
        heads,
        value,
        acting,
    } = request;
    match (desk(node, acting)?, value.is_empty()) {
        (Some(desk), true) => desk.settle_versions(&id, &field, version, &heads)?,
        (Some(desk), false) => desk.settle_with(&id, &field, &value, &heads)?,
        (None, true) => node.settle_versions(&id, &field, version, &heads)?,
        (None, false) => node.settle_with(&id, &field, &value, &heads)?,
    }
    Ok(SettleVersionsResponse {})
}

pub(super) fn reopen_versions(
    node: &Node,
    request: ReopenVersionsRequest,
) -> Result<ReopenVersionsResponse, RecordsError> {
    let ReopenVersionsRequest {
        id,
        settled,
        acting,
    } = request;
    match desk(node, acting)? {
        Some(desk) => desk.reopen_versions(&id, &settled)?,
        None => node.reopen_versions(&id, &settled)?,
    }
    Ok(ReopenVersionsResponse {})
}

pub(super) fn find_duplicates(
    node: &Node,
    request: FindDuplicatesRequest,
) -> Result<FindDuplicatesResponse, RecordsError> {
    let likely = match desk(node, request.acting)? {
        Some(desk) => desk.duplicates()?,
        None => node.likely_same()?,
    };
    Ok(FindDuplicatesResponse {
        json: serde_json::json!(likely).to_string(),
    })
}

pub(super) fn merge_people(
    node: &Node,
    request: MergePeopleRequest,
) -> Result<MergePeopleResponse, RecordsError> {
    let MergePeopleRequest {
        keep,
        other,
        acting,
    } = request;
    let merged = match desk(node, acting)? {
        Some(desk) => desk.merge_people(&keep, &other)?,
        None => node.merge_people(&keep, &other)?,
    };
    Ok(MergePeopleResponse {
        records: u64::try_from(merged.records).unwrap_or(u64::MAX),
        left: merged.left,
    })
}
