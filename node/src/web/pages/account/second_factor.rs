//! Setting up a second factor: scan, type the first code, keep the recovery codes.

use axum::Router;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use maud::{Markup, html};
use node_domain::Problem;
use zeroize::Zeroizing;

use super::super::{entry, sign_in};
use super::password::PasswordAsked;
use crate::accounts::{AccountError, Accounts, Needs, NewSecondFactor, Session};
use crate::web::{PageError, Posted, Visit, Web, parts};

pub(super) fn routes() -> Router<Web> {
    Router::new()
        .route(entry::SET_UP_SECOND_FACTOR, get(ask).post(confirm))
        .route(CHANGE.path, get(ask_password).post(change))
}

const CHANGE: PasswordAsked = PasswordAsked {
    path: "/account/second-factor/change",
    title: "Change your second factor",
    why: "The app that you use now works until the new one has given its first code. You get new \
          recovery codes with it.",
    button: "Continue",
};
const TITLE: &str = "Set up a second factor";
const CODES_TITLE: &str = "Keep these recovery codes";

async fn ask(State(web): State<Web>, headers: HeaderMap) -> Result<Response, PageError> {
    let session = entry::begun(&headers, &web).await?;
    let csrf = session.csrf.clone();
    match made(&web, session).await? {
        Some(new) => Ok(entry::bare(&web, TITLE, &body(&new, &csrf, &[]))),
        None => Ok(Redirect::to("/account").into_response()),
    }
}

/// What this session is setting up; none if there is nothing to set up.
async fn made(web: &Web, session: Session) -> Result<Option<NewSecondFactor>, PageError> {
    let work = move |accounts: &Accounts| match session.needs {
        Needs::SetUpSecondFactor => accounts.begin_second_factor(&session).map(Some),
        Needs::Nothing => accounts.pending_second_factor(&session),
        Needs::SecondFactor => Err(AccountError::SecondFactorFirst),
    };
    Ok(entry::with_accounts(web, work).await?)
}

fn body(new: &NewSecondFactor, csrf: &str, problems: &[Problem]) -> Markup {
    let inner = html! {
        (sign_in::code_input("Code", "The six figures that the app shows now."))
        (parts::button("Continue"))
    };
    html! {
        (parts::error_summary(problems))
        p.lead {
            "Besides your password you need a code that an app on your phone makes, so that a \
             stolen password alone opens nothing."
        }
        ol {
            li {
                "Open an app for such codes on your phone, such as Microsoft Authenticator, Google \
                 Authenticator or the one that comes with your phone. It needs no network."
            }
            li { "Add an account there, and scan this picture." }
            li { "Type the code that the app shows." }
        }
        div.code-picture role="img" aria-label="A picture for the app to scan; the same as text stands below" {
            (parts::drawn(new.picture.to_string()))
        }
        details {
            summary { "I cannot scan it" }
            p { "Type this into the app instead; it is made up of letters and the figures 2 to 7:" }
            p { code { (*new.secret) } }
        }
        (parts::form(entry::SET_UP_SECOND_FACTOR, csrf, &inner))
    }
}

async fn confirm(
    State(web): State<Web>,
    headers: HeaderMap,
    Posted(sent): Posted,
) -> Result<Response, PageError> {
    let session = entry::begun(&headers, &web).await?;
    let Some(new) = made(&web, session.clone()).await? else {
        return Ok(Redirect::to("/account").into_response());
    };
    let csrf = session.csrf.clone();
    let code = Zeroizing::new(sent.get("code").to_owned());
    let done = entry::with_accounts(&web, move |accounts| {
        accounts.confirm_second_factor(&session, &code)
    });
    match done.await {
        Ok(confirmed) => {
            let page = entry::bare(&web, CODES_TITLE, &recovery_list(&confirmed.recovery, "/"));
            Ok(entry::with_token(&web, &confirmed.token, page))
        }
        Err(error) => {
            let problem = entry::form_problem(error, "code")?;
            Ok(entry::bare_again(
                &web,
                TITLE,
                &body(&new, &csrf, &[problem]),
            ))
        }
    }
}

/// Recovery codes, which are shown this once.
pub(super) fn recovery_list(codes: &[Zeroizing<String>], next: &str) -> Markup {
    html! {
        p.lead {
            "Each of these opens your account once, with your password, when you do not have your \
             phone. They are shown only now."
        }
        ul.recovery {
            @for code in codes { li { code { (**code) } } }
        }
        p { "Print this page, or write them down, and keep them away from your computer." }
        p { a.button href=(next) { "I have kept them" } }
    }
}

async fn ask_password(
    State(web): State<Web>,
    headers: HeaderMap,
    visit: Result<Visit, PageError>,
) -> Result<Response, PageError> {
    CHANGE.ask(&web, &headers, visit.ok()).await
}

async fn change(
    State(web): State<Web>,
    headers: HeaderMap,
    visit: Result<Visit, PageError>,
    Posted(sent): Posted,
) -> Result<Response, PageError> {
    let work = |accounts: &Accounts, session: &Session, password: &str| {
        accounts.change_second_factor(session, password)
    };
    let visit = visit.ok();
    let asked = CHANGE.asked(&web, &headers, &visit, &sent, work);
    match asked.await? {
        Ok(_) => Ok(Redirect::to(entry::SET_UP_SECOND_FACTOR).into_response()),
        Err(again) => Ok(again),
    }
}
