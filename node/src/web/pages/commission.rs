//! A commission: what was asked of a partner, and where the money stands.

use axum::Router;
use axum::extract::Path;
use axum::response::Response;
use axum::routing::get;
use maud::{Markup, html};
use node_domain::COMMISSION;
use serde_json::Value;

use crate::web::record::{Opened, Shown, about, items_table, state_tag};
use crate::web::{PageError, Visit, Web, parts, words};

pub(super) fn routes() -> Router<Web> {
    Router::new().route("/commissions/{id}", get(show))
}

async fn show(visit: Visit, Path(id): Path<String>) -> Result<Response, PageError> {
    let record = visit.work(move |desk| Opened::open(desk, &id)).await?;
    if record.kind.name != COMMISSION.name {
        return Err(PageError::redirect(record.path()));
    }
    Ok(visit.page(&record.title(), &body(&record)))
}

fn body(record: &Opened) -> Markup {
    let path = record.path();
    let state = record.value("state").as_str().unwrap_or_default();
    html! {
        (parts::back("/commissions", "Commissions"))
        h1 { span.caption { "Commission of " (record.words("partner")) } (record.title()) " " (state_tag(state)) }
        p.lead { (in_short(record)) }
        (about(record, &format!("{path}/marks")))
        (list(record, "deliverables"))
        h2 { "Money" }
        (sums(record))
        (table(record, "money"))
        (adds(record, "money", "Add a money line"))
        (list(record, "delegations"))
        p { a href={ (path) "/all" } { "Every part of the commission" } " · "
            a href={ (path) "/history" } { "What was changed when" } }
    }
}

fn in_short(record: &Opened) -> String {
    let deliverables = record.items("deliverables");
    let done = deliverables.iter().filter(|it| {
        let state = it.get("state").and_then(Value::as_str);
        matches!(state, Some("done" | "accepted"))
    });
    let done = words::number(done.count() as u64);
    let all = words::counted(deliverables.len() as u64, "deliverable", "deliverables");
    let budget = record.value("budget").as_i64();
    let budget = budget.map_or_else(String::new, |pence| {
        format!(" Its budget is {}.", words::pounds(pence))
    });
    format!("{done} of {all} done.{budget}")
}

/// The sum of each kind of line: they add up, since a correction is a line of its own.
fn sums(record: &Opened) -> Markup {
    let sums = record.shown.more["sums"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    let rows = sums.iter().filter(|sum| sum["log"] == "money").map(|sum| {
        vec![
            html! { (words::capital(sum["value"].as_str().unwrap_or_default())) },
            html! { (words::number(sum["items"].as_u64().unwrap_or_default())) },
            html! { (words::pounds(sum["sum"].as_i64().unwrap_or_default())) },
        ]
    });
    let rows = rows.collect::<Vec<_>>();
    html! {
        @if !rows.is_empty() {
            div #sums { (parts::table("Sums of the lines", &[("Kind", false), ("Lines", true), ("Sum", true)], &rows)) }
        }
    }
}

fn list(record: &Opened, name: &str) -> Markup {
    let Some(field) = COMMISSION.field(name).filter(|_| record.access.sees(name)) else {
        return html! {};
    };
    html! {
        h2 { (field.label) }
        @if !field.help.is_empty() { p.soft { (field.help) } }
        (table(record, name))
        (adds(record, name, "Add one"))
    }
}

fn table(record: &Opened, name: &str) -> Markup {
    let Some(field) = COMMISSION.field(name) else {
        return html! {};
    };
    html! {
        @if record.items(name).is_empty() {
            (parts::empty("Nothing stands here yet."))
        } @else {
            (items_table(record, field, Shown::Some(50)))
        }
    }
}

fn adds(record: &Opened, name: &str, label: &str) -> Markup {
    let adds = COMMISSION
        .field(name)
        .is_some_and(|field| record.writes_items(field));
    html! {
        @if adds { p { a href={ (record.path()) "/items/" (name) "/new" } { (label) } } }
    }
}
