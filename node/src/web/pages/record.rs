//! One record of any kind.

use axum::Router;
use axum::extract::Path;
use axum::response::{Redirect, Response};
use axum::routing::get;
use maud::{Markup, html};

use crate::records::RecordsError;
use crate::web::record::{Opened, about, list_path, marks_of, record_path, sections, title_tag};
use crate::web::{PageError, Visit, Web, parts};

pub(super) fn routes() -> Router<Web> {
    Router::new()
        .route("/{slug}/{id}", get(show))
        .route("/{slug}/{id}/all", get(show))
        .route("/{slug}/{id}/marks", get(marks))
        .route("/open/{id}", get(find))
}

/// Opens the record at an address; one that is named under another kind's address is shown at its
/// own.
pub(super) async fn open(visit: &Visit, slug: &str, id: &str) -> Result<Opened, PageError> {
    super::lists::kind_of(slug)?;
    let wanted = id.to_owned();
    let opened = visit.work(move |desk| Opened::open(desk, &wanted)).await?;
    if opened.kind.slug() != slug {
        return Err(PageError::redirect(opened.path()));
    }
    Ok(opened)
}

async fn show(
    visit: Visit,
    Path((slug, id)): Path<(String, String)>,
) -> Result<Response, PageError> {
    let record = open(&visit, &slug, &id).await?;
    Ok(visit.page(&record.title(), &body(&record)))
}

fn body(record: &Opened) -> Markup {
    let kind = record.kind;
    html! {
        (parts::back(&list_path(kind), kind.titles))
        p.caption { (kind.title) (title_tag(record)) }
        h1 { (record.title()) }
        (about(record, &format!("{}/marks", record.path())))
        (sections(record))
        @if record.access.erases {
            p.erase { a href={ (record.path()) "/erase" } { "Erase this " (kind.title.to_lowercase()) } }
        }
    }
}

/// The way to a record of which only the id is known.
async fn find(visit: Visit, Path(id): Path<String>) -> Result<Redirect, PageError> {
    let path = visit
        .work(move |desk| Ok::<_, RecordsError>(record_path(desk.access(&id)?.kind, &id)))
        .await?;
    Ok(Redirect::to(&path))
}

/// The marks alone, for the page to renew.
async fn marks(
    visit: Visit,
    Path((slug, id)): Path<(String, String)>,
) -> Result<Markup, PageError> {
    let record = open(&visit, &slug, &id).await?;
    Ok(marks_of(&record))
}
