//! How far the copying of what others share has come.

use axum::Router;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use maud::{Markup, html};
use node_domain::Duty;

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
    let (here, of) = desk.copied().filter(|(_, of)| *of >= COPIED_MIN)?;
    let stop = html! {
        input type="hidden" name="pause" value="yes";
        button.button.button-plain type="submit" { "Stop copying for now" }
    };
    Some(html! {
        div #copying {
            p { "What others share is being copied here: " (words::number(here)) " of "
                (words::counted(of, "change", "changes")) ". Pages lack what is not here yet." }
            progress value=(here) max=(of) aria-label="How much has been copied" {}
            @if may { (parts::form("/settings/pause", visit.csrf(), &stop)) }
        }
    })
}
