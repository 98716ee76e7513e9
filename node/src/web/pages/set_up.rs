//! Following a link: who is this for, and with what will you sign in?

use std::net::SocketAddr;

use axum::Router;
use axum::extract::{ConnectInfo, Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;
use maud::{Markup, html};
use node_domain::Problem;
use zeroize::Zeroizing;

use super::entry;
use crate::accounts::{AccountError, Chosen, LinkShown};
use crate::clock::now_ms;
use crate::web::{Form, PageError, Web, layout, parts, words};

/// The page behind a link.
pub(crate) fn routes() -> Router<Web> {
    Router::new().route("/set-up/{token}", get(ask).post(set_up))
}

async fn ask(State(web): State<Web>, Path(token): Path<String>) -> Result<Response, PageError> {
    match shown(&web, &token).await? {
        Some(link) => Ok(entry::bare(
            &web,
            &title(&link),
            &form(&token, &link, &Form::default(), &[]),
        )),
        None => Ok(no_link(&web)),
    }
}

async fn set_up(
    State(web): State<Web>,
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    Path(token): Path<String>,
    sent: Form,
) -> Result<Response, PageError> {
    let Some(link) = shown(&web, &token).await? else {
        return Ok(no_link(&web));
    };
    let password = |name: &str| Zeroizing::new(sent.find(name).unwrap_or_default().to_owned());
    if *password("password") != *password("again") {
        let problem = entry::problem(
            "again",
            "The two passwords are not the same. Type the one that you choose twice.",
        );
        return Ok(again(&web, &token, &link, &sent, problem));
    }
    let chosen = Chosen {
        name: sent.get("name").to_owned(),
        email: sent.get("email").to_owned(),
        password: password("password"),
    };
    let email = if link.email.is_empty() {
        chosen.email.clone()
    } else {
        link.email.clone()
    };
    let used = token.clone();
    let done = entry::with_password(&web, move |accounts| {
        accounts.set_up(&used, &chosen)?;
        accounts.sign_in(&email, &chosen.password, entry::address(from), now_ms())
    });
    match done.await {
        Ok(signed_in) => {
            let to = entry::onwards(signed_in.needs, "/");
            Ok(entry::go_with(&web, &to, &signed_in.token))
        }
        Err(AccountError::Link) => Ok(no_link(&web)),
        Err(error) => {
            let field = if matches!(error, AccountError::Refused(_)) {
                "email"
            } else {
                "password"
            };
            let problem = entry::form_problem(error, field)?;
            Ok(again(&web, &token, &link, &sent, problem))
        }
    }
}

async fn shown(web: &Web, token: &str) -> Result<Option<LinkShown>, PageError> {
    let token = token.to_owned();
    match entry::with_accounts(web, move |accounts| accounts.link(&token)).await {
        Ok(link) => Ok(Some(link)),
        Err(AccountError::Link) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn no_link(web: &Web) -> Response {
    let body = html! {
        p { "It has been used, a newer one took its place, or its time is over." }
        p { "If you have chosen a password already, " a href=(entry::SIGN_IN) { "sign in" } ". Otherwise ask whoever sent it for a new one." }
    };
    layout::bare(
        web,
        StatusCode::NOT_FOUND,
        "This link no longer works",
        &body,
    )
}

fn title(link: &LinkShown) -> String {
    if link.name.is_empty() {
        return "Set up your account".to_owned();
    }
    format!("Welcome, {}", link.name)
}

fn again(web: &Web, token: &str, link: &LinkShown, sent: &Form, problem: Problem) -> Response {
    let body = form(token, link, sent, &[problem]);
    entry::bare_again(web, &title(link), &body)
}

fn form(token: &str, link: &LinkShown, sent: &Form, problems: &[Problem]) -> Markup {
    let problem = |field: &str| {
        let mut found = problems.iter().filter(|problem| problem.field == field);
        found.next().map(|problem| problem.message.as_str())
    };
    let secret = |name: &str, label: &str, help: &str| {
        let id = parts::field_id(name);
        let control = html! {
            input type="password" id=(id) name=(name) autocomplete="new-password" required
                aria-describedby=[parts::described_by(&id, help, problem(name))]
                aria-invalid=[problem(name).map(|_| "true")];
        };
        parts::input(name, label, help, problem(name), &control)
    };
    html! {
        (parts::error_summary(problems))
        @if link.email.is_empty() {
            p.lead { "You are the first here. Say who you are, and choose a password." }
        } @else {
            p.lead { "Choose a password. You will sign in as " strong { (link.email) } "." }
        }
        form method="post" action={ "/set-up/" (token) } {
            @if link.email.is_empty() {
                (parts::text_input("name", "Your name", "", sent.get("name"), problem("name")))
                (parts::typed_input("email", "email", "Your e-mail address",
                    "With it you sign in. Nothing is sent to it.", sent.get("email"),
                    problem("email")))
            } @else {
                input type="hidden" name="username" value=(link.email) autocomplete="username";
            }
            (secret("password", "Password",
                "At least 12 characters. Three or four words that nobody would guess make a good one."))
            (secret("again", "The same password again", ""))
            (parts::button("Continue"))
        }
        p.soft { "This link works until " (words::moment(link.ends_ms)) "." }
    }
}
