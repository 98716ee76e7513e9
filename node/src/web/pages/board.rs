//! The strategic leadership group: when do we meet, about what, and what did we decide?

use axum::Router;
use axum::extract::Path;
use axum::response::Response;
use axum::routing::get;
use maud::{Markup, html};
use node_domain::{Object, STRATEGIC_GROUP};
use serde_json::Value;

use crate::clock::now_ms;
use crate::web::record::{Opened, Shown, about, item_path, items_table, state_tag};
use crate::web::{PageError, Visit, Web, parts, words};

pub(super) fn routes() -> Router<Web> {
    Router::new().route("/strategic-leadership-groups/{id}", get(show))
}

async fn show(visit: Visit, Path(id): Path<String>) -> Result<Response, PageError> {
    let record = visit.work(move |desk| Opened::open(desk, &id)).await?;
    if record.kind.name != STRATEGIC_GROUP.name {
        return Err(PageError::redirect(record.path()));
    }
    let today = words::london_today(now_ms());
    Ok(visit.page(&record.title(), &body(&record, &today)))
}

fn text<'a>(item: &'a Object, name: &str) -> &'a str {
    item.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn body(record: &Opened, today: &str) -> Markup {
    let path = record.path();
    let mut meetings = record.items("meetings");
    meetings.sort_by_key(|meeting| text(meeting, "date").to_owned());
    let next = meetings
        .iter()
        .find(|meeting| text(meeting, "date") >= today && text(meeting, "state") != "cancelled");
    let earlier = meetings
        .iter()
        .rev()
        .filter(|meeting| text(meeting, "date") < today);
    html! {
        (parts::back("/strategic-leadership-groups", "Strategic leadership groups"))
        h1 { (record.title()) }
        p.lead {
            @match next {
                Some(meeting) => { "The next meeting is on " (words::weekday(text(meeting, "date")))
                    @if !text(meeting, "start").is_empty() { " at " (words::time(text(meeting, "start"))) }
                    @if !text(meeting, "venue").is_empty() { ", " (text(meeting, "venue")) }
                    "." }
                None => "No meeting is planned.",
            }
        }
        (about(record, &format!("{path}/marks")))
        @if let Some(meeting) = next {
            h2 { (text(meeting, "title")) }
            (parts::paragraphs(text(meeting, "agenda")))
            (papers(record, text(meeting, "id")))
            p { a href=(item_path(record.kind, &record.id, "meetings", text(meeting, "id"))) { "Agenda and minutes" } }
        }
        (list(record, "actions", "Add an action"))
        (list(record, "decisions", "Enter a decision"))
        h2 { "Earlier meetings" }
        ul.tasks {
            @for meeting in earlier.take(12) {
                li {
                    a href=(item_path(record.kind, &record.id, "meetings", text(meeting, "id"))) {
                        (text(meeting, "title")) ", " (words::day(text(meeting, "date")))
                    }
                    @if !text(meeting, "state").is_empty() { (state_tag(text(meeting, "state"))) }
                }
            }
        }
        (adds(record, "meetings", "Plan a meeting"))
        (list(record, "members", "Add a member"))
        p { a href={ (path) "/all" } { "Every part, with the terms of reference" } " · "
            a href={ (path) "/history" } { "What was changed when" } }
    }
}

/// The papers of a meeting, whole: they are read without a network too.
fn papers(record: &Opened, meeting: &str) -> Markup {
    let papers = record.items("papers").into_iter();
    let papers = papers.filter(|paper| text(paper, "meeting") == meeting);
    html! {
        @for paper in papers {
            details {
                summary { "Paper: " (text(paper, "title")) }
                (parts::paragraphs(text(paper, "text")))
            }
        }
    }
}

fn list(record: &Opened, name: &str, add: &str) -> Markup {
    let Some(field) = STRATEGIC_GROUP
        .field(name)
        .filter(|_| record.access.sees(name))
    else {
        return html! {};
    };
    html! {
        h2 { (field.label) }
        @if record.items(name).is_empty() { (parts::empty("Nothing stands here yet.")) }
        @else { (items_table(record, field, Shown::Some(10))) }
        (adds(record, name, add))
    }
}

fn adds(record: &Opened, name: &str, label: &str) -> Markup {
    let adds = STRATEGIC_GROUP
        .field(name)
        .is_some_and(|field| record.writes_items(field));
    html! {
        @if adds { p { a href={ (record.path()) "/items/" (name) "/new" } { (label) } } }
    }
}
