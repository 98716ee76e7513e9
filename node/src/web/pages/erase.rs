//! Erasing a record for good.

use axum::Router;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use maud::html;

use super::record::open;
use crate::web::record::{Opened, list_path};
use crate::web::{Flash, PageError, Posted, Visit, Web, parts};

pub(super) fn routes() -> Router<Web> {
    Router::new().route("/{slug}/{id}/erase", get(ask).post(erase))
}

async fn ask(
    visit: Visit,
    Path((slug, id)): Path<(String, String)>,
) -> Result<Response, PageError> {
    let record = open(&visit, &slug, &id).await?;
    // Whoever does not erase is refused before anything is typed.
    visit.work(move |desk| desk.erasure(&id)).await?;
    Ok(page(&visit, &record, "", None))
}

async fn erase(
    visit: Visit,
    Path((slug, id)): Path<(String, String)>,
    Posted(form): Posted,
) -> Result<Response, PageError> {
    let record = open(&visit, &slug, &id).await?;
    let typed = form.get("title");
    if typed != record.title().trim() {
        let wrong = "This is not its title. Nothing was erased: type it as it stands above.";
        let page = page(&visit, &record, typed, Some(wrong));
        return Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response());
    }
    visit.work(move |desk| desk.erase(&id)).await?;
    visit.tell(Flash::done(format!(
        "“{}” is erased for good.",
        record.title()
    )));
    Ok(Redirect::to(&list_path(record.kind)).into_response())
}

fn page(visit: &Visit, record: &Opened, typed: &str, problem: Option<&str>) -> Response {
    let title = format!("Erase {}", record.title());
    let help = format!("Type the title to be sure: {}", record.title());
    let inner = html! {
        (parts::text_input("title", "Title", &help, typed, problem))
        div.buttons {
            button.button.button-warning type="submit" { "Erase for good" }
            a href=(record.path()) { "Keep it" }
        }
    };
    let body = html! {
        (parts::back(&record.path(), "Back"))
        h1 { (title) }
        p.lead {
            "It is taken out of this hub and cannot be brought back. Hubs with which it was shared "
            "are told to erase it too."
        }
        @if !record.shared_with.is_empty() {
            p { "It is shared with " (crate::web::words::listed(&record.shared_with)) "." }
        }
        (parts::form(&format!("{}/erase", record.path()), visit.csrf(), &inner))
    };
    visit.page(&title, &body)
}
