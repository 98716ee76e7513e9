//! Taking back what was saved a moment ago.

use axum::Router;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::post;

use crate::web::{Flash, PageError, Posted, Visit, Web, words};

pub(super) fn routes() -> Router<Web> {
    Router::new().route("/undo", post(undo))
}

async fn undo(visit: Visit, Posted(form): Posted) -> Result<Response, PageError> {
    let field = |name: &str| form.get(name).to_owned();
    let (record, before, after) = (field("record"), field("before"), field("after"));
    let back = local(form.get("back"));
    let undone = visit
        .work(move |desk| desk.undo(&record, &before, &after))
        .await?;
    let notes = undone.notes.iter().map(|note| words::capital(note));
    visit.tell(Flash::done("Undone: it is as it was before.").more(notes));
    Ok(Redirect::to(&back).into_response())
}

/// An address of this site alone; the first page for any other.
pub(super) fn local(path: &str) -> String {
    let own =
        path.starts_with('/') && !path.starts_with("//") && !path.contains(['\\', '\n', '\r']);
    if own { path.to_owned() } else { "/".to_owned() }
}
