//! Records to choose from while a person types part of a name.

use axum::Router;
use axum::extract::{Path, Query};
use axum::routing::get;
use maud::Markup;
use serde::Deserialize;

use crate::records::Find;
use crate::web::record::found;
use crate::web::{PageError, Visit, Web};

/// The most that are shown.
const FOUND_MAX: u64 = 20;

#[derive(Debug, Deserialize)]
struct Asked {
    name: String,
    #[serde(default)]
    q: String,
}

pub(super) fn routes() -> Router<Web> {
    Router::new().route("/pick/{kind}", get(pick))
}

async fn pick(
    visit: Visit,
    Path(kind): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Markup, PageError> {
    let find = Find {
        kind,
        words: asked.q.clone(),
        sort: vec!["title".to_owned()],
        limit: FOUND_MAX,
        ..Find::default()
    };
    let listing = if asked.q.trim().is_empty() {
        Vec::new()
    } else {
        visit.work(move |desk| desk.find(&find)).await?.records
    };
    let options = listing.into_iter().map(|it| (it.id.to_string(), it.title));
    Ok(found(
        &asked.name,
        &options.collect::<Vec<_>>(),
        "",
        asked.q.trim(),
    ))
}
