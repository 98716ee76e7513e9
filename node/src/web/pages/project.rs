//! Projects: at what stage, with which hubs, and what changed?

mod agreement;
mod compare;
mod list;
mod show;

use axum::Router;
use axum::routing::{get, post};
use node_domain::{Object, PROJECT_WORK};
use serde_json::Value;

use crate::records::{Desk, Find, ListedRecord, RecordsError, is};
use crate::web::record::Opened;
use crate::web::{PageError, Web};

pub(super) fn routes() -> Router<Web> {
    Router::new()
        .route("/project-records", get(list::page))
        .route("/project-records/{id}", get(show::page))
        .route("/project-records/{id}/join", post(show::join))
        .route(
            "/project-records/{id}/agreement",
            get(agreement::page).post(agreement::sign),
        )
}

/// Opens a project's record; what is another kind's is shown at its own address.
fn open(desk: &Desk, id: &str) -> Result<Opened, PageError> {
    let record = Opened::open(desk, id)?;
    if *record.kind == PROJECT_WORK {
        Ok(record)
    } else {
        Err(PageError::redirect(record.path()))
    }
}

/// The catalogue's entry with this code, if there is one.
fn entry(desk: &Desk, code: &str) -> Result<Option<ListedRecord>, RecordsError> {
    if code.is_empty() {
        return Ok(None);
    }
    let find = Find {
        kind: "project".to_owned(),
        filters: vec![is("code", code)],
        limit: 1,
        ..Find::default()
    };
    Ok(desk.find(&find)?.records.into_iter().next())
}

/// This hub's own work groups of a project.
fn own_groups(desk: &Desk, code: &str) -> Result<Vec<ListedRecord>, RecordsError> {
    if code.is_empty() {
        return Ok(Vec::new());
    }
    let find = Find {
        kind: "work-group".to_owned(),
        filters: vec![is("project", code)],
        limit: 50,
        ..Find::default()
    };
    Ok(desk.find(&find)?.records)
}

fn text<'a>(item: &'a Object, name: &str) -> &'a str {
    item.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// A column of a line of a list.
fn column(json: &str, name: &str) -> String {
    let columns = serde_json::from_str::<Value>(json).unwrap_or_default();
    columns[name].as_str().unwrap_or_default().to_owned()
}
