//! Taking back what was saved a moment ago.

use axum::Router;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::post;

use super::entry::next_page;
use crate::web::{Flash, PageError, Posted, Visit, Web, words};

pub(super) fn routes() -> Router<Web> {
    Router::new().route("/undo", post(undo))
}

async fn undo(visit: Visit, Posted(form): Posted) -> Result<Response, PageError> {
    let field = |name: &str| form.get(name).to_owned();
    let (record, before, after) = (field("record"), field("before"), field("after"));
    let back = next_page(form.get("back")).to_owned();
    let undone = visit
        .work(move |desk| desk.undo(&record, &before, &after))
        .await?;
    let notes = undone.notes.iter().map(|note| words::capital(note));
    visit.tell(Flash::done("Undone: it is as it was before.").more(notes));
    Ok(Redirect::to(&back).into_response())
}
