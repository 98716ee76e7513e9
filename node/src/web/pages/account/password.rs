//! Changing one's own password, and making new recovery codes.

use axum::Router;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use maud::{Markup, html};
use node_domain::Problem;
use zeroize::Zeroizing;

use super::super::entry;
use super::framed;
use super::second_factor::recovery_list;
use crate::accounts::{AccountError, Accounts, Session};
use crate::web::{Flash, Form, PageError, Posted, Visit, Web, parts};

pub(super) fn routes() -> Router<Web> {
    Router::new()
        .route("/account/password", get(ask).post(change))
        .route(CODES.path, get(ask_codes).post(make_codes))
}

const TITLE: &str = "Change your password";

async fn ask(
    State(web): State<Web>,
    headers: HeaderMap,
    visit: Result<Visit, PageError>,
) -> Result<Response, PageError> {
    let session = entry::signed_in(&headers, &web).await?;
    let body = form(&session.csrf, &[]);
    Ok(framed(&web, visit.ok().as_ref(), TITLE, &body))
}

async fn change(
    State(web): State<Web>,
    headers: HeaderMap,
    visit: Result<Visit, PageError>,
    Posted(sent): Posted,
) -> Result<Response, PageError> {
    let session = entry::signed_in(&headers, &web).await?;
    let visit = visit.ok();
    let csrf = session.csrf.clone();
    let (old, new, again) = (
        secret(&sent, "old"),
        secret(&sent, "new"),
        secret(&sent, "again"),
    );
    let problem = if *new == *again {
        let done = entry::with_password(&web, move |accounts| {
            accounts.change_password(&session, &old, &new)
        });
        match done.await {
            Ok(()) => {
                if let Some(visit) = &visit {
                    visit.tell(Flash::done(
                        "Your password is changed. Your visits elsewhere have ended.",
                    ));
                }
                return Ok(Redirect::to("/account").into_response());
            }
            Err(error) => entry::form_problem(error, "")?,
        }
    } else {
        entry::problem(
            "again",
            "The two new passwords are not the same. Type the one that you choose twice.",
        )
    };
    let body = form(&csrf, &[problem]);
    Ok(framed(&web, visit.as_ref(), TITLE, &body))
}

fn form(csrf: &str, problems: &[Problem]) -> Markup {
    let inner = html! {
        (password_input("old", "Your password now", "", "current-password"))
        (password_input("new", "New password",
            "At least 12 characters. Three or four words that nobody would guess make a good one.",
            "new-password"))
        (password_input("again", "The new password again", "", "new-password"))
        (parts::button("Change password"))
    };
    html! {
        (parts::error_summary(problems))
        (parts::form("/account/password", csrf, &inner))
    }
}

const CODES: PasswordAsked = PasswordAsked {
    path: "/account/recovery-codes",
    title: "New recovery codes",
    why: "You get eight new codes. The ones that you have stop working.",
    button: "Make new codes",
};

async fn ask_codes(
    State(web): State<Web>,
    headers: HeaderMap,
    visit: Result<Visit, PageError>,
) -> Result<Response, PageError> {
    CODES.ask(&web, &headers, visit.ok()).await
}

async fn make_codes(
    State(web): State<Web>,
    headers: HeaderMap,
    visit: Result<Visit, PageError>,
    Posted(sent): Posted,
) -> Result<Response, PageError> {
    let visit = visit.ok();
    let work = |accounts: &Accounts, session: &Session, password: &str| {
        accounts.new_recovery_codes(session, password)
    };
    match CODES.asked(&web, &headers, &visit, &sent, work).await? {
        Ok(codes) => {
            let body = recovery_list(&codes, "/account");
            Ok(framed(&web, visit.as_ref(), CODES.title, &body))
        }
        Err(again) => Ok(again),
    }
}

/// A page that asks for the password before something is done.
pub(super) struct PasswordAsked {
    pub(super) path: &'static str,
    pub(super) title: &'static str,
    pub(super) why: &'static str,
    pub(super) button: &'static str,
}

impl PasswordAsked {
    pub(super) async fn ask(
        &self,
        web: &Web,
        headers: &HeaderMap,
        visit: Option<Visit>,
    ) -> Result<Response, PageError> {
        let session = entry::signed_in(headers, web).await?;
        Ok(self.page(web, visit.as_ref(), &session.csrf, &[]))
    }

    /// What `work` gives with the password that was sent, or the page again.
    pub(super) async fn asked<T: Send + 'static>(
        &self,
        web: &Web,
        headers: &HeaderMap,
        visit: &Option<Visit>,
        sent: &Form,
        work: impl FnOnce(&Accounts, &Session, &str) -> Result<T, AccountError> + Send + 'static,
    ) -> Result<Result<T, Response>, PageError> {
        let session = entry::signed_in(headers, web).await?;
        let csrf = session.csrf.clone();
        let password = secret(sent, "password");
        let done = entry::with_password(web, move |accounts| work(accounts, &session, &password));
        match done.await {
            Ok(done) => Ok(Ok(done)),
            Err(error) => {
                let problems = [entry::form_problem(error, "password")?];
                Ok(Err(self.page(web, visit.as_ref(), &csrf, &problems)))
            }
        }
    }

    fn page(&self, web: &Web, visit: Option<&Visit>, csrf: &str, problems: &[Problem]) -> Response {
        let inner = html! {
            (password_input("password", "Your password", "", "current-password"))
            (parts::button(self.button))
        };
        let body = html! {
            (parts::error_summary(problems))
            p { (self.why) }
            (parts::form(self.path, csrf, &inner))
        };
        framed(web, visit, self.title, &body)
    }
}

/// Where a password is typed.
pub(super) fn password_input(name: &str, label: &str, help: &str, autocomplete: &str) -> Markup {
    let id = parts::field_id(name);
    let control = html! {
        input type="password" id=(id) name=(name) autocomplete=(autocomplete) required
            aria-describedby=[parts::described_by(&id, help, None)];
    };
    parts::input(name, label, help, None, &control)
}

/// A password as it was typed, spaces and all.
pub(super) fn secret(sent: &Form, name: &str) -> Zeroizing<String> {
    Zeroizing::new(sent.find(name).unwrap_or_default().to_owned())
}
