//! The frame around every page.

use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use maud::{DOCTYPE, Markup, html};

use super::{Visit, Web, assets};

/// A whole page for somebody who is signed in.
pub fn page(visit: &Visit, title: &str, body: &Markup) -> Response {
    // What a browser keeps for later use holds nothing that is to be said once, and to a person.
    let told = if visit.path().ends_with("offline=yes") {
        Vec::new()
    } else {
        visit.told()
    };
    let body = html! {
        @for flash in &told { (flash.render(visit.csrf())) }
        (body)
    };
    Html(document(Some(visit), &visit.web().owner(), title, &body).into_string()).into_response()
}

/// A page for somebody who is not signed in, or an error.
pub fn bare(web: &Web, status: StatusCode, title: &str, body: &Markup) -> Response {
    let body = html! { h1 { (title) } (body) };
    let owner = web.owner();
    (
        status,
        Html(document(None, &owner, title, &body).into_string()),
    )
        .into_response()
}

/// The same where not even the site is known.
pub(super) fn plain(status: StatusCode, title: &str, body: &Markup) -> Response {
    let body = html! { h1 { (title) } (body) };
    (status, Html(document(None, "", title, &body).into_string())).into_response()
}

fn document(visit: Option<&Visit>, owner: &str, title: &str, body: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en-GB" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) @if !owner.is_empty() { " - " (owner) } " - Causeway" }
                link rel="icon" href=(assets::address("mark.svg")) type="image/svg+xml";
                link rel="manifest" href="/manifest.webmanifest";
                link rel="stylesheet" href=(assets::address("causeway.css"));
                link rel="stylesheet" href=(assets::address("chart.css"));
                script type="module" src=(assets::address("causeway.js")) {}
            }
            body data-account=[visit.map(|visit| visit.session().account.id.to_string())] {
                a.skip-link href="#main" { "Skip to main content" }
                (header(visit, owner))
                div.news id="news" role="status" hidden {}
                main id="main" .width tabindex="-1" { (body) }
                (footer())
            }
        }
    }
}

fn header(visit: Option<&Visit>, owner: &str) -> Markup {
    let path = visit.map_or("", |visit| visit.path());
    html! {
        header.top {
            div.top-row.width {
                a.top-name href="/" {
                    (mark())
                    span { "Causeway" }
                }
                @if !owner.is_empty() { span.top-owner { (owner) } }
                @if let Some(visit) = visit {
                    form.top-search role="search" action="/search" method="get" {
                        label.hidden for="top-search" { "Search everything" }
                        input id="top-search" type="search" name="q" placeholder="Search";
                        button type="submit" { "Search" }
                    }
                    a.top-account href="/account" {
                        span { (visit.session().account.name) }
                        small { "Acting as " (visit.desk().role().title.to_lowercase()) }
                    }
                }
            }
            @if let Some(visit) = visit {
                @let items = visit.web().site().nav.iter().filter(|item| (item.shown)(visit.desk()));
                @let items = items.collect::<Vec<_>>();
                @let list = html! {
                    ul {
                        @for item in &items {
                            li {
                                a href=(item.href) aria-current=[here(item.href, path)] { (item.label) }
                            }
                        }
                    }
                };
                nav.nav.nav-wide aria-label="Main" { div.width { (list) } }
                nav.nav.nav-small aria-label="Main, small screens" {
                    details { summary.width { "Menu" } div.width { (list) } }
                }
            }
        }
    }
}

fn here(href: &str, path: &str) -> Option<&'static str> {
    let path = path.split('?').next().unwrap_or_default();
    let below = href != "/"
        && path
            .strip_prefix(href)
            .is_some_and(|rest| rest.starts_with('/'));
    (path == href || below).then_some("page")
}

fn footer() -> Markup {
    html! {
        footer.foot {
            div.width {
                p {
                    "Causeway " (env!("CARGO_PKG_VERSION"))
                    ". Served by this computer; nothing on these pages comes from anywhere else."
                }
            }
        }
    }
}

/// Three stones over water.
fn mark() -> Markup {
    html! {
        svg.mark viewBox="0 0 32 24" width="32" height="24" aria-hidden="true" focusable="false" {
            path d="M1 12 Q4 4 8 4 Q12 4 13 12 Z M12 12 Q14 7 17 7 Q20 7 21 12 Z M20 12 Q22 5 26 5 Q30 5 31 12 Z" {}
            path.mark-water d="M0 16 Q4 13.5 8 16 T16 16 T24 16 T32 16 M0 21 Q4 18.5 8 21 T16 21 T24 21 T32 21" {}
        }
    }
}
