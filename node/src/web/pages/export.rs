//! A list as a sheet.

use axum::Router;
use axum::extract::Query;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use node_domain::{KINDS, Kind};

use crate::web::record::ListQuery;
use crate::web::{PageError, Visit, Web};

const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

type Asked = Query<Vec<(String, String)>>;

pub(super) fn routes() -> Router<Web> {
    // Each kind by its own address, as for making one.
    let mut routes = Router::new();
    for kind in KINDS {
        let sheet = move |visit: Visit, asked: Asked| export(visit, kind, asked);
        routes = routes.route(&format!("/{}/export", kind.slug()), get(sheet));
    }
    routes
}

/// The list as its page is narrowed and sorted, all pages of it.
async fn export(
    visit: Visit,
    kind: &'static Kind,
    Query(asked): Asked,
) -> Result<Response, PageError> {
    let query = ListQuery::of(kind, &asked);
    let wanted = |name: &str| asked.iter().find(|(found, _)| found == name);
    let wanted = |name: &str| wanted(name).map_or("", |(_, value)| value.as_str());
    let (format, media) = match wanted("format") {
        "csv" => ("csv", "text/csv; charset=utf-8"),
        _ => ("xlsx", XLSX),
    };
    let items = kind.fields.iter().filter(|field| field.items().is_some());
    let mut items = items.filter(|field| field.name == wanted("list"));
    let list = items.next().map_or("", |field| field.name);
    let bytes = visit
        .work(move |desk| desk.export_list(&query.find(kind), list, format))
        .await?;
    let name = format!("attachment; filename=\"{}.{format}\"", kind.slug());
    let headers = [
        (CONTENT_TYPE, media.to_owned()),
        (CONTENT_DISPOSITION, name),
    ];
    Ok((headers, bytes).into_response())
}
