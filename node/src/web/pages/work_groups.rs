//! Work groups: the list, a group's own page, its members and sessions.

mod group;
mod list;
mod member;
mod session;
mod show;

pub(super) use list::{BEGUN, NO_ITEM};

use axum::Router;
use axum::routing::{get, post};
use maud::{Markup, html};
use serde_json::Value;

pub(super) use group::{Attendance, Group, Member, Session};

use crate::clock::now_ms;
use crate::web::{Web, assets, words};

/// The pages of work groups.
pub(crate) fn routes() -> Router<Web> {
    Router::new()
        .route("/work-groups", get(list::page))
        .route("/work-groups/{id}", get(show::page))
        .route(
            "/work-groups/{id}/members/new",
            get(member::new).post(member::add),
        )
        .route(
            "/work-groups/{id}/members/{member}/status",
            get(member::status).post(member::set_status),
        )
        .route(
            "/work-groups/{id}/sessions/new",
            get(session::new).post(session::add),
        )
        .route(
            "/work-groups/{id}/sessions/{session}/move",
            get(session::moving).post(session::move_to),
        )
        .route(
            "/work-groups/{id}/sessions/{session}/held",
            post(session::held),
        )
        .route(
            "/work-groups/{id}/sessions/{session}/cancel",
            post(session::cancel),
        )
}

/// Today, as people in a hub count days.
pub(super) fn today() -> String {
    words::london_today(now_ms())
}

/// The styles that these pages have beside those of all pages.
pub(super) fn styles() -> Markup {
    html! { link rel="stylesheet" href=(assets::address("work-groups.css")); }
}

/// A cell of a table, with the head of its column for narrow screens.
type Cell = (&'static str, Markup);

/// A table of which each row becomes a block where the screen is narrow.
fn stacked(caption: &str, heads: &[&'static str], rows: &[Vec<Cell>]) -> Markup {
    html! {
        table.stacked {
            caption { (caption) }
            thead { tr { @for head in heads { th scope="col" { (head) } } } }
            tbody {
                @for row in rows {
                    tr {
                        @for (index, (head, cell)) in row.iter().enumerate() {
                            @if index == 0 { th scope="row" { (cell) } }
                            @else { td data-head=(head) { (cell) } }
                        }
                    }
                }
            }
        }
    }
}

/// A session's day and time, as `Thursday 12 March 2027, 4pm`.
pub(super) fn when(session: &Session) -> String {
    let day = words::weekday(&session.date);
    match words::time(&session.start) {
        time if time.is_empty() => day,
        time => format!("{day}, {time}"),
    }
}

/// What members are called by where they stand.
fn status_in_words(status: &str) -> &'static str {
    match status {
        "applied" => "Applied",
        "waiting" => "On the waiting list",
        "accepted" => "Accepted",
        "started" => "Started",
        "completed" => "Completed",
        "withdrawn" => "Withdrawn",
        _ => "Not said",
    }
}

/// Changes as a desk takes them.
pub(super) fn json(changes: &[node_domain::FieldChange]) -> String {
    let changes = changes.iter().map(|change| serde_json::json!(change));
    Value::Array(changes.collect()).to_string()
}
