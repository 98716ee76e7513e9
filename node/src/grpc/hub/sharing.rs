//! What leaves and comes back: publishing, forks, kept copies, what guests see.

use proto::hub::v1::{
    CompareCopiesRequest, CompareCopiesResponse, ForkRecordRequest, ForkRecordResponse,
    ListDisclosuresRequest, ListDisclosuresResponse, ListOffersRequest, ListOffersResponse,
    PublishRecordRequest, PublishRecordResponse, ShowReleasedRequest, ShowReleasedResponse,
    TakeOfferRequest, TakeOfferResponse, WithdrawRecordRequest, WithdrawRecordResponse,
};

use super::desk;
use crate::Node;
use crate::records::RecordsError;

pub(super) fn publish_record(
    node: &Node,
    request: PublishRecordRequest,
) -> Result<PublishRecordResponse, RecordsError> {
    let PublishRecordRequest {
        id,
        space,
        confirm,
        digest,
        acting,
    } = request;
    let published = match desk(node, acting)? {
        Some(desk) if confirm => desk.publish(&id, &space, &digest)?,
        Some(desk) => desk.publish_preview(&id, &space)?,
        None => node.publish_record(&id, &space, confirm, &digest)?,
    };
    Ok(PublishRecordResponse {
        json: published.leaves.to_string(),
        readers: published.readers,
        id: published.id.map(|id| id.to_string()).unwrap_or_default(),
        digest: published.digest.to_string(),
    })
}

pub(super) fn withdraw_record(
    node: &Node,
    request: WithdrawRecordRequest,
) -> Result<WithdrawRecordResponse, RecordsError> {
    let WithdrawRecordRequest {
        id,
        space,
        reason,
        acting,
    } = request;
    match desk(node, acting)? {
        Some(desk) => desk.withdraw(&id, &space, &reason)?,
        None => node.withdraw_record(&id, &space, &reason)?,
    }
    Ok(WithdrawRecordResponse {})
}

pub(super) fn list_disclosures(
    node: &Node,
    request: ListDisclosuresRequest,
) -> Result<ListDisclosuresResponse, RecordsError> {
    let ListDisclosuresRequest { id, acting } = request;
    let told = match desk(node, acting)? {
        Some(desk) => desk.disclosures(&id)?,
        None => node.disclosures(&id)?,
    };
    Ok(ListDisclosuresResponse {
        json: told.to_string(),
    })
}

pub(super) fn show_released(
    node: &Node,
    request: ShowReleasedRequest,
) -> Result<ShowReleasedResponse, RecordsError> {
    let ShowReleasedRequest { id, reader, acting } = request;
    let released = match desk(node, acting)? {
        Some(desk) => desk.released(&id, &reader)?,
        None => node.show_released(&id, &reader)?,
    };
    Ok(ShowReleasedResponse {
        json: released.unwrap_or_default().to_string(),
    })
}

pub(super) fn fork_record(
    node: &Node,
    request: ForkRecordRequest,
) -> Result<ForkRecordResponse, RecordsError> {
    let ForkRecordRequest { id, acting } = request;
    let made = match desk(node, acting)? {
        Some(desk) => desk.fork(&id)?,
        None => node.fork_record(&id)?,
    };
    Ok(ForkRecordResponse {
        id: made.id.to_string(),
    })
}

pub(super) fn compare_copies(
    node: &Node,
    request: CompareCopiesRequest,
) -> Result<CompareCopiesResponse, RecordsError> {
    let CompareCopiesRequest {
        id,
        earlier,
        later,
        acting,
    } = request;
    let told = match desk(node, acting)? {
        Some(desk) => desk.compare_copies(&id, earlier, later)?,
        None => node.compare_copies(&id, earlier, later)?,
    };
    Ok(CompareCopiesResponse {
        json: told.to_string(),
    })
}

pub(super) fn list_offers(
    node: &Node,
    request: ListOffersRequest,
) -> Result<ListOffersResponse, RecordsError> {
    let ListOffersRequest { id, acting } = request;
    let offers = match desk(node, acting)? {
        Some(desk) => desk.offers(&id)?,
        None => node.list_offers(&id)?,
    };
    Ok(ListOffersResponse {
        json: serde_json::json!(offers).to_string(),
    })
}

pub(super) fn take_offer(
    node: &Node,
    request: TakeOfferRequest,
) -> Result<TakeOfferResponse, RecordsError> {
    let TakeOfferRequest {
        id,
        field,
        number,
        acting,
    } = request;
    let number = number.max(1);
    match desk(node, acting)? {
        Some(desk) => desk.take_offer(&id, &field, number)?,
        None => node.take_offer(&id, &field, number)?,
    }
    Ok(TakeOfferResponse {})
}
