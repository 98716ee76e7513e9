//! The directory: who could help us, and has days free?

use axum::Router;
use axum::extract::Query;
use axum::response::Response;
use axum::routing::get;
use maud::html;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::web::{PageError, Visit, Web, parts, words};

pub(super) fn routes() -> Router<Web> {
    Router::new().route("/directory", get(show))
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct Asked {
    q: String,
    days: String,
}

async fn show(visit: Visit, Query(asked): Query<Asked>) -> Result<Response, PageError> {
    let options = json!({ "words": asked.q, "days": asked.days.parse::<u64>().unwrap_or(0) });
    let (leaders, own) = visit
        .work(move |desk| {
            let told = desk.report("leaders", "", &options.to_string())?;
            let leaders = told["leaders"].as_array().cloned().unwrap_or_default();
            let leaders = leaders.into_iter().map(|leader| {
                let hub = desk.hub_name(leader["hub"].as_str().unwrap_or_default());
                (leader, hub)
            });
            Ok::<_, PageError>((leaders.collect::<Vec<_>>(), desk.own_hub()))
        })
        .await?;
    let body = html! {
        h1 { "Leaders with free days" }
        p.lead {
            (words::counted(leaders.len() as u64, "leader has", "leaders have")) " days that can be asked for"
            @if !asked.q.is_empty() || !asked.days.is_empty() { ", of those that you look for" }
            "."
        }
        form.filters role="search" aria-label="Leaders" method="get" action="/directory" {
            div.inline-fields {
                (parts::typed_input("search", "q", "Any word", "", &asked.q, None))
                (parts::typed_input("number", "days", "Days at least", "", &asked.days, None))
                div.field { (parts::button("Find")) }
            }
        }
        @if leaders.is_empty() {
            (parts::empty("Only leaders who wish to be listed stand here, while they have days to offer."))
        }
        div.beside #leaders {
            @for (leader, hub) in &leaders {
                @let ours = leader["hub"].as_str() == Some(own.as_str());
                section.card {
                    h2 { (said(leader, "name")) }
                    p.soft { (hub) @if ours { " (our own)" } }
                    @for (label, name) in [("Roles", "roles"), ("Phases", "phases"), ("Strengths", "strengths"), ("Areas", "areas")] {
                        @let content = said(&leader["card"], name);
                        @if !content.is_empty() { p { strong { (label) ": " } (content) } }
                    }
                    @for offer in leader["offers"].as_array().into_iter().flatten() {
                        @let record = said(offer, "record");
                        p {
                            (said(offer, "term")) ": "
                            (words::counted(days(offer), "day", "days")) " free. "
                            @if ours {
                                a href={ "/leaders-days/" (record) } { "Answer who asks" }
                            } @else {
                                a href={ "/leaders-days/" (record) "/items/requests/new" } { "Ask for days" }
                            }
                        }
                    }
                }
            }
        }
    };
    Ok(visit.page("Leaders with free days", &body))
}

/// A fact of a card in words.
fn said(of: &Value, name: &str) -> String {
    match &of[name] {
        Value::String(text) => text.clone(),
        Value::Array(items) => {
            let items = items.iter().filter_map(Value::as_str).map(str::to_owned);
            words::listed(&items.collect::<Vec<_>>())
        }
        Value::Number(number) => number.to_string(),
        Value::Null | Value::Bool(_) | Value::Object(_) => String::new(),
    }
}

/// How many days of an offer are free.
fn days(offer: &Value) -> u64 {
    let days = &offer["days"];
    days.as_u64().or_else(|| days["left"].as_u64()).unwrap_or(0)
}
