//! How far the copying of what others share has come.

use axum::Router;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use maud::{Markup, html};
use node_domain::Duty;

use crate::CopiedDocuments;
use crate::web::{Visit, Web, parts, words};

const TITLE: &str = "Copying what others share";
const PATH: &str = "/copying";
/// Of how many changes it is told how far their copying has come: fewer are here at once.
const COPIED_MIN: u64 = 50;

pub(super) fn routes() -> Router<Web> {
    Router::new().route(PATH, get(show))
}

async fn show(visit: Visit) -> Response {
    let inner = html! {
        @if let Some(now) = now(&visit) { (now) }
        @else { p data-ended { "Nothing is being copied at present." } }
    };
    if visit.is_fragment() {
        return Html(inner.into_string()).into_response();
    }
    let body = html! {
        h1 { (TITLE) }
        div data-live=(PATH) data-every="1" { (inner) }
        p { a href="/" { "Go to the first page" } }
    };
    visit.page(TITLE, &body)
}

/// Where copying stands, with a way to stop it; nothing while nothing is to be told.
pub(super) fn now(visit: &Visit) -> Option<Markup> {
    let desk = visit.desk();
    let may = desk.has(Duty::Settings);
    if desk.is_paused() {
        return Some(html! {
            p { "Sharing is paused: nothing is sent and nothing arrives. "
                @if may { a href="/settings" { "Go on with it" } } }
        });
    }
    let told = match desk.copied_documents() {
        Some(copied) if copied.here == copied.of => return checking(desk.unchecked()),
        Some(copied) => documents(&copied),
        None => match desk.copied().filter(|(_, of)| *of >= COPIED_MIN) {
            Some((here, of)) => changes(here, of),
            None => return checking(desk.unchecked()),
        },
    };
    let stop = html! {
        input type="hidden" name="pause" value="yes";
        button.button.button-plain type="submit" { "Stop copying for now" }
    };
    Some(html! {
        div #copying {
            (told)
            @if may { (parts::form("/settings/pause", visit.csrf(), &stop)) }
        }
    })
}

fn changes(here: u64, of: u64) -> Markup {
    html! {
        p { "What others share is being copied here: " (words::number(here)) " of "
            (words::counted(of, "change", "changes")) ". Pages lack what is not here yet." }
        progress value=(here) max=(of) aria-label="How much has been copied" {}
    }
}

fn documents(copied: &CopiedDocuments) -> Markup {
    let megabytes = copied.bytes.div_ceil(1 << 20);
    html! {
        p { "What others share is being copied here: " (words::number(copied.here)) " of "
            (words::counted(copied.of, "record", "records")) ", " (words::number(megabytes))
            " MB so far"
            @if let Some(left_ms) = copied.left_ms { ", " (left(left_ms)) }
            ". Pages lack what is not here yet." }
        progress value=(copied.here) max=(copied.of) aria-label="How much has been copied" {}
    }
}

fn left(ms: u64) -> String {
    match words::length(ms) {
        length if length.is_empty() => "less than a minute left".to_owned(),
        length => format!("about {length} left"),
    }
}

/// What is here already is checked one by one, and shown as it is found to be right.
fn checking(unchecked: u64) -> Option<Markup> {
    (unchecked > 0).then(|| {
        html! {
            p #checking { "What others share is here. " (words::counted(unchecked, "record", "records"))
                " of it " (if unchecked == 1 { "is" } else { "are" })
                " still being checked: lists show each as soon as it is." }
        }
    })
}
