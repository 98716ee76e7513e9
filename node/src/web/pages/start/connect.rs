//! Connecting: does NCETM see the same number?

use axum::Router;
use axum::extract::Request;
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use maud::{Markup, html};
use node_domain::Problem;

use super::lead_only;
use crate::enrolment::{CheckNumber, Connecting, ConnectingState};
use crate::web::parts::{self, Tone, tag};
use crate::web::received::{Most, receive};
use crate::web::{PageError, Posted, Visit, Web, words};

const PATH: &str = "/start/connect";
const TITLE: &str = "Connect this hub";
/// An invitation is a short text.
const MOST: Most = Most {
    files: 1,
    bytes: 64 << 10,
};

pub(super) fn routes() -> Router<Web> {
    Router::new()
        .route(PATH, get(show).post(send))
        .route("/start/connect/forget", post(forget))
}

async fn show(visit: Visit) -> Result<Response, PageError> {
    lead_only(&visit)?;
    let node = visit.web().node();
    let current = node.connecting();
    let going_on = current
        .as_ref()
        .filter(|it| !it.state().is_outcome() || node.hub().is_some());
    if let Some(connecting) = going_on {
        let inner = progress(&visit, connecting);
        if visit.is_fragment() {
            return Ok(Html(inner.into_string()).into_response());
        }
        let body = html! {
            (parts::back("/start", super::TITLE))
            h1 { (TITLE) }
            @if connecting.state().is_outcome() { (inner) } @else {
                div data-live=(PATH) data-every="1" { (inner) }
                (parts::refresh(3, PATH))
            }
        };
        return Ok(visit.page(TITLE, &body));
    }
    if node.hub().is_some() {
        return Ok(visit.page(TITLE, &connected(&visit)));
    }
    let node = node.clone();
    let before = visit.work(move |_| node.not_connected()).await?;
    let why = before.map(|it| {
        format!(
            "The last request, of {}, came to nothing: {}",
            words::moment(it.time_ms),
            it.why
        )
    });
    if visit.is_fragment() {
        let body = html! {
            div data-ended {}
            (parts::inset(&html! { p { (why.unwrap_or_default()) } }))
            p { a.button href=(PATH) { "Try another invitation" } }
        };
        return Ok(Html(body.into_string()).into_response());
    }
    Ok(visit.page(TITLE, &ask(&visit, why.as_deref(), &[])))
}

fn ask(visit: &Visit, why: Option<&str>, problems: &[Problem]) -> Markup {
    let problem = problems.first().map(|it| it.message.as_str());
    html! {
        (parts::back("/start", super::TITLE))
        (parts::error_summary(problems))
        h1 { (TITLE) }
        @if let Some(why) = why { (parts::inset(&html! { p { (why) } })) }
        p { "NCETM sends each hub an invitation: a small file whose name ends in .toml. Have somebody \
            at NCETM on the telephone when you send it, to compare a number of six digits." }
        form method="post" action=(PATH) enctype="multipart/form-data" {
            input type="hidden" name="csrf" value=(visit.csrf());
            (parts::file_input("invitation", "Invitation file", "", ".toml", problem))
            (parts::button("Connect"))
        }
    }
}

fn connected(visit: &Visit) -> Markup {
    let node = visit.web().node();
    html! {
        (parts::back("/start", super::TITLE))
        h1 { (TITLE) }
        p { (tag("connected", Tone::Good)) }
        p.lead { "This hub is connected as " (node.hub_name()) "." }
        @if let Some(number) = node.check_number() {
            p { "Its check number, here and at NCETM:" }
            (check(number))
        }
        p { a.button href="/start" { "Continue" } }
    }
}

fn check(number: CheckNumber) -> Markup {
    html! { strong.check-number { (number) } }
}

fn progress(visit: &Visit, connecting: &Connecting) -> Markup {
    let progress = connecting.progress();
    let forget = || {
        let button =
            html! { button.button.button-plain type="submit" { "Use another invitation" } };
        parts::form("/start/connect/forget", visit.csrf(), &button)
    };
    html! {
        @match &progress.state {
            ConnectingState::Asking => {
                p { (tag("asking", Tone::Active)) }
                p.lead { "NCETM is being asked to connect " (connecting.hub_name()) "." }
                @if let Some(trouble) = &progress.trouble {
                    (parts::inset(&html! { p { (words::capital(trouble)) ". It is tried again by itself." } }))
                }
                @if let Some(number) = progress.check_number {
                    p { "The check number, which NCETM sees as well:" }
                    (check(number))
                }
                (forget())
            }
            ConnectingState::Waiting { lapses_ms, .. } => {
                p { (tag("waiting for NCETM", Tone::Active)) }
                @if let Some(number) = progress.check_number {
                    p.lead { "NCETM sees the same number." }
                    (check(number))
                    p { "Read it out on the telephone. If it is the same on their screen they admit "
                        (connecting.hub_name()) ", and this page goes on by itself. If it is not the same, \
                        somebody stands between: stop, and tell them." }
                } @else {
                    p.lead { "NCETM has the request. There is no number to compare yet." }
                }
                p { "It waits until " (words::moment(*lapses_ms)) ", also when you leave this page." }
                @if let Some(trouble) = &progress.trouble {
                    (parts::inset(&html! { p { (words::capital(trouble)) ". It is tried again by itself." } }))
                }
                (forget())
            }
            ConnectingState::Admitted => {
                div data-ended {}
                p { (tag("connected", Tone::Good)) }
                p.lead { "NCETM has admitted this computer. It is connected as " (connecting.hub_name()) "." }
                @if let Some(number) = progress.check_number { (check(number)) }
                p { a.button href="/start" { "Continue" } }
            }
            outcome @ (ConnectingState::Refused(_) | ConnectingState::Expired(_) | ConnectingState::Failed(_)) => {
                div data-ended {}
                p { (tag("not connected", Tone::Wrong)) }
                p.lead { (words::capital(&outcome.why_not().unwrap_or_default())) }
                p { a.button href=(PATH) { "Try another invitation" } }
            }
        }
    }
}

async fn send(visit: Visit, request: Request) -> Result<Response, PageError> {
    lead_only(&visit)?;
    let (_form, files) = receive(&visit, request, MOST).await?;
    let node = visit.web().node().clone();
    let connected = visit
        .work(move |_| {
            let Some(file) = files.into_iter().next() else {
                return Ok(Err("Choose the invitation file that NCETM sent.".to_owned()));
            };
            let text = std::fs::read(&file.path).ok();
            let text = text.and_then(|text| String::from_utf8(text).ok());
            let text = zeroize::Zeroizing::new(text.unwrap_or_default());
            Ok::<_, PageError>(match node.connect(&text) {
                Ok(_asking) => Ok(()),
                Err(error) => Err(words::capital(&error.to_string())),
            })
        })
        .await?;
    Ok(match connected {
        Ok(()) => Redirect::to(PATH).into_response(),
        Err(message) => {
            let problem = Problem {
                field: "invitation".to_owned(),
                message,
            };
            visit.page(TITLE, &ask(&visit, None, &[problem]))
        }
    })
}

async fn forget(visit: Visit, Posted(_form): Posted) -> Result<Redirect, PageError> {
    lead_only(&visit)?;
    let node = visit.web().node().clone();
    visit
        .work(move |_| {
            node.forget_connecting()
                .map_err(|error| PageError::wrong(error.to_string()))
        })
        .await?;
    Ok(Redirect::to(PATH))
}
