//! Signing in and out: who are you, and is it you?

use std::net::SocketAddr;

use axum::Router;
use axum::extract::{ConnectInfo, Query, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use maud::{Markup, html};
use node_domain::Problem;
use serde::Deserialize;

use super::entry;
use crate::accounts::Needs;
use crate::clock::now_ms;
use crate::web::{Form, PageError, Posted, Web, parts, visit};

/// The pages of signing in and out.
pub(crate) fn routes() -> Router<Web> {
    Router::new()
        .route(entry::SIGN_IN, get(ask).post(sign_in))
        .route(entry::SECOND_FACTOR, get(ask_code).post(give_code))
        .route("/sign-out", post(sign_out))
}

/// Where somebody wanted to go.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Asked {
    next: String,
}

async fn ask(
    State(web): State<Web>,
    headers: HeaderMap,
    Query(asked): Query<Asked>,
) -> Result<Response, PageError> {
    let next = entry::next_page(&asked.next);
    if let Some(session) = visit::session(&headers, &web).await? {
        return Ok(Redirect::to(&entry::onwards(session.needs, next)).into_response());
    }
    if entry::with_accounts(&web, crate::accounts::Accounts::is_empty).await? {
        if !web.site().coordinator {
            return Ok(Redirect::to("/start").into_response());
        }
        return Ok(entry::bare(&web, "Nobody can sign in yet", &not_set_up()));
    }
    Ok(entry::bare(&web, TITLE, &form(next, "", None)))
}

const TITLE: &str = "Sign in";

fn not_set_up() -> Markup {
    html! {
        p {
            "Whoever runs this computer makes the first link with the command "
            code { "causeway-coordinator account link" }
            " and opens it here."
        }
    }
}

fn form(next: &str, email: &str, problem: Option<&Problem>) -> Markup {
    html! {
        @if let Some(problem) = problem { (parts::error_summary(std::slice::from_ref(problem))) }
        form method="post" action=(entry::SIGN_IN) {
            input type="hidden" name="next" value=(next);
            (parts::input("email", "E-mail address", "", None, &html! {
                input type="email" id="field-email" name="email" value=(email)
                    autocomplete="username" spellcheck="false" required;
            }))
            (parts::input("password", "Password", "", None, &html! {
                input type="password" id="field-password" name="password"
                    autocomplete="current-password" required;
            }))
            (parts::button("Continue"))
        }
        details {
            summary { "I cannot sign in" }
            p {
                "Ask whoever manages access here, most often the hub lead, for a new link. It lets \
                 you choose another password and set up your code app again."
            }
        }
    }
}

async fn sign_in(
    State(web): State<Web>,
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    form_sent: Form,
) -> Result<Response, PageError> {
    let email = form_sent.get("email").to_owned();
    let password = form_sent.find("password").unwrap_or_default().to_owned();
    let password = zeroize::Zeroizing::new(password);
    let next = entry::next_page(form_sent.get("next")).to_owned();
    let asked = email.clone();
    let done = entry::with_password(&web, move |accounts| {
        accounts.sign_in(&asked, &password, entry::address(from), now_ms())
    });
    match done.await {
        Ok(signed_in) => {
            let to = entry::onwards(signed_in.needs, &next);
            Ok(entry::go_with(&web, &to, &signed_in.token))
        }
        Err(error) => {
            let problem = entry::form_problem(error, "email")?;
            Ok(entry::bare_again(
                &web,
                TITLE,
                &form(&next, &email, Some(&problem)),
            ))
        }
    }
}

async fn ask_code(
    State(web): State<Web>,
    headers: HeaderMap,
    Query(asked): Query<Asked>,
) -> Result<Response, PageError> {
    let session = entry::begun(&headers, &web).await?;
    let next = entry::next_page(&asked.next);
    if session.needs != Needs::SecondFactor {
        return Ok(Redirect::to(&entry::onwards(session.needs, next)).into_response());
    }
    let body = code_form(&session.csrf, next, None);
    Ok(entry::bare(&web, CODE_TITLE, &body))
}

const CODE_TITLE: &str = "Enter the code from your app";

fn code_form(csrf: &str, next: &str, problem: Option<&Problem>) -> Markup {
    let inner = html! {
        input type="hidden" name="next" value=(next);
        (code_input(
            "Code",
            "Six figures, from the app with which you set this up. A recovery code does too.",
        ))
        (parts::button("Sign in"))
    };
    html! {
        @if let Some(problem) = problem { (parts::error_summary(std::slice::from_ref(problem))) }
        (parts::form(entry::SECOND_FACTOR, csrf, &inner))
        details {
            summary { "I do not have my app" }
            p {
                "Use one of the recovery codes that you kept when you set it up; each works once. \
                 Without one, ask whoever manages access for a new link."
            }
        }
        (parts::form("/sign-out", csrf, &html! {
            button.button-link type="submit" { "Sign in as somebody else" }
        }))
    }
}

/// Where a code is typed.
pub(super) fn code_input(label: &str, help: &str) -> Markup {
    parts::input(
        "code",
        label,
        help,
        None,
        &html! {
            input.code-input type="text" id="field-code" name="code" inputmode="text"
                autocomplete="one-time-code" autocapitalize="characters" spellcheck="false"
                aria-describedby="field-code-help" required;
        },
    )
}

async fn give_code(
    State(web): State<Web>,
    headers: HeaderMap,
    Posted(form): Posted,
) -> Result<Response, PageError> {
    let session = entry::begun(&headers, &web).await?;
    let next = entry::next_page(form.get("next")).to_owned();
    if session.needs != Needs::SecondFactor {
        return Ok(Redirect::to(&entry::onwards(session.needs, &next)).into_response());
    }
    let code = zeroize::Zeroizing::new(form.get("code").to_owned());
    let csrf = session.csrf.clone();
    let done = entry::with_accounts(&web, move |accounts| {
        accounts.confirm_second_factor(&session, &code)
    });
    match done.await {
        Ok(confirmed) => Ok(entry::go_with(&web, &next, &confirmed.token)),
        Err(error) => {
            let problem = entry::form_problem(error, "code")?;
            let body = code_form(&csrf, &next, Some(&problem));
            Ok(entry::bare_again(&web, CODE_TITLE, &body))
        }
    }
}

async fn sign_out(
    State(web): State<Web>,
    headers: HeaderMap,
    Posted(_form): Posted,
) -> Result<Response, PageError> {
    let session = entry::begun(&headers, &web).await?;
    entry::with_accounts(&web, move |accounts| accounts.sign_out(&session)).await?;
    Ok(entry::go_without(&web, entry::SIGN_IN))
}
