//! Importing and exporting.

use std::path::PathBuf;

use proto::hub::v1::{
    ExportCalendarRequest, ExportCalendarResponse, ExportHubRequest, ExportHubResponse,
    ExportListRequest, ExportListResponse, ImportHubRequest, ImportHubResponse,
    ImportRegisterRequest, ImportRegisterResponse, ImportSheetRequest, ImportSheetResponse,
    SampleRequest, SampleResponse, SchemaRequest, SchemaResponse,
};

use super::{desk, find};
use crate::Node;
use crate::records::{Headway, RecordsError, SheetToImport};

pub(super) fn import_sheet(
    node: &Node,
    request: ImportSheetRequest,
) -> Result<ImportSheetResponse, RecordsError> {
    let ImportSheetRequest {
        kind,
        id,
        list,
        name,
        content,
        columns,
        answers,
        dry_run,
        acting,
    } = request;
    let wanted = SheetToImport {
        kind,
        record: id,
        list,
        name,
        content: content.to_vec(),
        columns,
        answers,
        dry_run,
        headway: Headway::default(),
    };
    let report = match desk(node, acting)? {
        Some(desk) => desk.import_sheet(&wanted)?,
        None => node.import_sheet(&wanted)?,
    };
    Ok(ImportSheetResponse {
        json: report.to_string(),
    })
}

pub(super) fn import_register(
    node: &Node,
    request: ImportRegisterRequest,
) -> Result<ImportRegisterResponse, RecordsError> {
    let ImportRegisterRequest {
        path,
        links,
        areas,
        dry_run,
        acting,
    } = request;
    let links = Some(PathBuf::from(links)).filter(|path| path.as_os_str() != "");
    let (path, links) = (PathBuf::from(path), links.as_deref());
    let report = match desk(node, acting)? {
        Some(desk) => desk.import_register(&path, links, &areas, dry_run)?,
        None => node.import_register(&path, links, &areas, dry_run)?,
    };
    Ok(ImportRegisterResponse {
        json: report.to_string(),
    })
}

pub(super) fn export_list(
    node: &Node,
    request: ExportListRequest,
) -> Result<ExportListResponse, RecordsError> {
    let ExportListRequest { of, list, format } = request;
    let (find, acting) = find(of);
    let content = match desk(node, acting)? {
        Some(desk) => desk.export_list(&find, &list, &format)?,
        None => node.export_list(&find, &list, &format)?,
    };
    Ok(ExportListResponse {
        content: content.into(),
    })
}

pub(super) fn export_calendar(
    node: &Node,
    request: ExportCalendarRequest,
) -> Result<ExportCalendarResponse, RecordsError> {
    let ExportCalendarRequest { id, acting } = request;
    let content = match desk(node, acting)? {
        Some(desk) => desk.export_calendar(&id)?,
        None => node.export_calendar(&id)?,
    };
    Ok(ExportCalendarResponse {
        content: content.into(),
    })
}

pub(super) fn export_hub(
    node: &Node,
    request: ExportHubRequest,
) -> Result<ExportHubResponse, RecordsError> {
    let ExportHubRequest { path, acting } = request;
    let path = PathBuf::from(path);
    let told = match desk(node, acting)? {
        Some(desk) => desk.export_hub(&path)?,
        None => node.export_hub(&path)?,
    };
    Ok(ExportHubResponse {
        json: told.to_string(),
    })
}

pub(super) fn import_hub(
    node: &Node,
    request: ImportHubRequest,
) -> Result<ImportHubResponse, RecordsError> {
    let ImportHubRequest { path, acting } = request;
    let path = PathBuf::from(path);
    let told = match desk(node, acting)? {
        Some(desk) => desk.import_hub(&path)?,
        None => node.import_hub(&path)?,
    };
    Ok(ImportHubResponse {
        json: told.to_string(),
    })
}

pub(super) fn sample(node: &Node, request: SampleRequest) -> Result<SampleResponse, RecordsError> {
    let SampleRequest { seed, small } = request;
    Ok(SampleResponse {
        json: node.sample(seed, small)?.to_string(),
    })
}

pub(super) fn schema(_node: &Node, request: SchemaRequest) -> Result<SchemaResponse, RecordsError> {
    let SchemaRequest { format } = request;
    Ok(SchemaResponse {
        content: crate::records::schema(&format)?,
    })
}
