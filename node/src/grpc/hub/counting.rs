//! Returns and reports.

use proto::hub::v1::{
    ComputeReturnRequest, ComputeReturnResponse, FiguresRequest, FiguresResponse, ReportRequest,
    ReportResponse, ReproduceReturnRequest, ReproduceReturnResponse,
};

use super::desk;
use crate::Node;
use crate::records::{RecordsError, ReturnWanted};

pub(super) fn compute_return(
    node: &Node,
    request: ComputeReturnRequest,
) -> Result<ComputeReturnResponse, RecordsError> {
    let ComputeReturnRequest {
        measure,
        measure_version,
        period,
        as_at,
        confirm,
        replaces,
        reason,
        acting,
    } = request;
    let wanted = ReturnWanted {
        measure,
        version: measure_version,
        period,
        as_at,
        replaces,
        reason,
    };
    let computed = match desk(node, acting)? {
        Some(desk) => desk.compute_return(&wanted, confirm)?,
        None => node.compute_return(&wanted, confirm)?,
    };
    Ok(ComputeReturnResponse {
        json: computed.fields.to_string(),
        id: computed
            .kept
            .map(|kept| kept.id.to_string())
            .unwrap_or_default(),
    })
}

pub(super) fn reproduce_return(
    node: &Node,
    request: ReproduceReturnRequest,
) -> Result<ReproduceReturnResponse, RecordsError> {
    let ReproduceReturnRequest { id, acting } = request;
    let told = match desk(node, acting)? {
        Some(desk) => desk.reproduce_return(&id)?,
        None => node.reproduce_return(&id)?,
    };
    Ok(ReproduceReturnResponse {
        json: told.to_string(),
    })
}

pub(super) fn report(node: &Node, request: ReportRequest) -> Result<ReportResponse, RecordsError> {
    let ReportRequest {
        what,
        id,
        options,
        acting,
    } = request;
    let told = match desk(node, acting)? {
        Some(desk) => desk.report(&what, &id, &options)?,
        None => node.report(&what, &id, &options)?,
    };
    Ok(ReportResponse {
        json: told.to_string(),
    })
}

pub(super) fn figures(
    node: &Node,
    _request: FiguresRequest,
) -> Result<FiguresResponse, RecordsError> {
    Ok(FiguresResponse {
        json: node.figures()?.to_string(),
    })
}
