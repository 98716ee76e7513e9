//! What is held for checking: changes that arrived and are not shown, and why.

use axum::Router;
use axum::response::Response;
use axum::routing::get;
use maud::html;

use crate::records::{Desk, RecordsError};
use crate::web::record::record_path;
use crate::web::{PageError, Visit, Web, parts, words};

const TITLE: &str = "Held for checking";

pub(crate) fn routes() -> Router<Web> {
    Router::new().route("/held", get(show))
}

struct Row {
    title: String,
    href: Option<String>,
    hub: String,
    time_ms: u64,
    sentence: String,
}

fn rows(desk: &Desk) -> Result<Vec<Row>, RecordsError> {
    let held = desk.set_aside()?.into_iter().map(|it| {
        let kind = desk.access(&it.record).ok().map(|access| access.kind);
        Row {
            href: kind.map(|kind| record_path(kind, &it.record)),
            title: it.title,
            hub: desk.hub_name(&it.hub),
            time_ms: it.time_ms,
            sentence: it.sentence,
        }
    });
    Ok(held.collect())
}

async fn show(visit: Visit) -> Result<Response, PageError> {
    let rows = visit.work(rows).await?;
    let count = rows.len() as u64;
    let cells = rows.iter().map(|row| {
        let title = if row.title.is_empty() {
            "A record that you do not see"
        } else {
            &row.title
        };
        vec![
            match &row.href {
                Some(href) => html! { a href=(href) { (title) } },
                None => html! { (title) },
            },
            html! { (row.hub) },
            html! { (words::moment(row.time_ms)) },
            html! { (words::capital(&row.sentence)) },
        ]
    });
    let cells = cells.collect::<Vec<_>>();
    let body = html! {
        h1 { (TITLE) }
        @if cells.is_empty() {
            p.lead { "Nothing is held." }
            (parts::empty("A change that arrives and may not be what it says it is, as one that was \
                written after somebody's access had ended, is kept here and shown nowhere else."))
        } @else {
            p.lead { (words::counted(count, "change is", "changes are")) " held, and shown nowhere else." }
            (parts::table("Held, and why", &[("Record", false), ("Written by", false), ("When", false), ("Why", false)], &cells))
            h2 { "What to do" }
            p { "Telephone the hub that wrote it. If the change is right, have it written again there; if \
                access has ended by mistake, NCETM can give it back, and the change is shown then by \
                itself. Nothing of it counts until then, and nothing is lost by waiting." }
            p { "What only a newer version of this program knows is taken up by itself once this one was \
                upgraded." }
        }
    };
    Ok(visit.page(TITLE, &body))
}
