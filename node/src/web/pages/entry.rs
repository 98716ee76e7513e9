//! What the pages of signing in have in common: cookies, where to go next, and forms that say what
//! was wrong.

use std::net::SocketAddr;

use axum::http::header::{HOST, SET_COOKIE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use cookie::{Cookie, SameSite};
use maud::Markup;
use node_domain::Problem;
use zeroize::Zeroizing;

use crate::accounts::{AccountError, Accounts, Needs, Session};
use crate::web::{Form, PageError, Visit, Web, cookie_name, layout, visit};

/// Where somebody is who goes through these pages.
pub(super) const SIGN_IN: &str = "/sign-in";
pub(super) const SECOND_FACTOR: &str = "/second-factor";
pub(super) const SET_UP_SECOND_FACTOR: &str = "/account/second-factor";

/// The page that somebody asked for, before they signed in or sent a form; the first page if that is
/// none of ours.
pub(super) fn next_page(asked: &str) -> &str {
    let mut characters = asked.chars();
    let ours = characters.next() == Some('/')
        && !matches!(characters.next(), Some('/' | '\\'))
        && !asked.contains(|c: char| c.is_control() || c == '\\')
        && !asked.starts_with("/sign-");
    if ours { asked } else { "/" }
}

/// Where somebody goes from here who has signed in so far.
pub(super) fn onwards(needs: Needs, next: &str) -> String {
    let page = match needs {
        Needs::Nothing => return next.to_owned(),
        Needs::SecondFactor => SECOND_FACTOR,
        Needs::SetUpSecondFactor => SET_UP_SECOND_FACTOR,
    };
    if next == "/" {
        return page.to_owned();
    }
    format!("{page}?{}", visit::url_query("next", next))
}

/// Whoever has given a password, whatever else is needed of them.
pub(super) async fn begun(headers: &HeaderMap, web: &Web) -> Result<Session, PageError> {
    let session = visit::session(headers, web).await?;
    session.ok_or_else(|| PageError::redirect(SIGN_IN))
}

/// Whoever has signed in whole.
pub(super) async fn signed_in(headers: &HeaderMap, web: &Web) -> Result<Session, PageError> {
    let session = begun(headers, web).await?;
    match session.needs {
        Needs::Nothing => Ok(session),
        needs @ (Needs::SecondFactor | Needs::SetUpSecondFactor) => {
            Err(PageError::redirect(onwards(needs, "/")))
        }
    }
}

/// Does something with accounts away from the tasks that answer everybody: it waits for the disk,
/// and for passwords.
pub(super) async fn with_accounts<T: Send + 'static>(
    web: &Web,
    work: impl FnOnce(&Accounts) -> Result<T, AccountError> + Send + 'static,
) -> Result<T, AccountError> {
    let accounts = web.accounts();
    let done = tokio::task::spawn_blocking(move || work(&accounts)).await;
    done.unwrap_or(Err(AccountError::Hash))
}

/// The same where a visitor's password is tried: if too many are at it, it is not begun, so that
/// pages that need none are answered all the same.
pub(super) async fn with_password<T: Send + 'static>(
    web: &Web,
    work: impl FnOnce(&Accounts) -> Result<T, AccountError> + Send + 'static,
) -> Result<T, AccountError> {
    let turn = web.accounts().turn()?;
    with_accounts(web, move |accounts| {
        let _turn = turn;
        work(accounts)
    })
    .await
}

/// Asks somebody who signed in for their password again, before something that needs it: what was
/// wrong with what the form's field `password` holds, or nothing.
pub(super) async fn password_again(
    visit: &Visit,
    form: &Form,
) -> Result<Option<Problem>, PageError> {
    let (session, web) = (visit.session().clone(), visit.web());
    let password = Zeroizing::new(form.get("password").to_owned());
    let checked = with_password(web, move |it| it.check_password(&session, &password)).await;
    match checked {
        Ok(()) => Ok(None),
        Err(error) => form_problem(error, "password").map(Some),
    }
}

/// What to say above a form that was not taken; whatever is none of the form's is a page of its
/// own.
pub(super) fn form_problem(error: AccountError, field: &str) -> Result<Problem, PageError> {
    let of_the_form = matches!(
        error,
        AccountError::SignIn(_) | AccountError::Password(_) | AccountError::Refused(_)
    );
    if of_the_form {
        return Ok(problem(field, &capital(&error.to_string())));
    }
    Err(error.into())
}

/// Something that is wrong with a form.
pub(super) fn problem(field: &str, message: &str) -> Problem {
    Problem {
        field: field.to_owned(),
        message: message.to_owned(),
    }
}

/// A sentence with its capital and full stop.
pub(super) fn capital(sentence: &str) -> String {
    let mut text = crate::web::words::capital(sentence);
    if !text.ends_with(['.', '?', '!']) {
        text.push('.');
    }
    text
}

/// A page for somebody who is not signed in whole.
pub(super) fn bare(web: &Web, title: &str, body: &Markup) -> Response {
    layout::bare(web, StatusCode::OK, title, body)
}

/// The same, where the form was not taken.
pub(super) fn bare_again(web: &Web, title: &str, body: &Markup) -> Response {
    layout::bare(web, StatusCode::UNPROCESSABLE_ENTITY, title, body)
}

/// A page to go to, with the session's token in a cookie that only this host gets and no script
/// reads.
pub(super) fn go_with(web: &Web, to: &str, token: &str) -> Response {
    with_token(web, token, Redirect::to(to).into_response())
}

/// An answer that changes the session's token.
pub(super) fn with_token(web: &Web, token: &str, response: Response) -> Response {
    put_cookie(response, made(web, token))
}

/// A page to go to, without a session.
pub(super) fn go_without(web: &Web, to: &str) -> Response {
    let mut cookie = made(web, "");
    cookie.make_removal();
    put_cookie(Redirect::to(to).into_response(), cookie)
}

fn made(web: &Web, token: &str) -> Cookie<'static> {
    Cookie::build((cookie_name(web), token.to_owned()))
        .path("/")
        .http_only(true)
        .same_site(SameSite::Lax)
        .secure(web.address().is_secure())
        .build()
}

fn put_cookie(mut response: Response, cookie: Cookie<'static>) -> Response {
    if let Ok(value) = HeaderValue::from_str(&cookie.to_string()) {
        response.headers_mut().append(SET_COOKIE, value);
    }
    response
}

/// An address of these pages as somebody else types it, under the name by which they were asked
/// for here.
pub(super) fn address_of(web: &Web, headers: &HeaderMap, path: &str) -> String {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    let scheme = if web.address().is_secure() {
        "https"
    } else {
        "http"
    };
    match host {
        Some(host) => format!("{scheme}://{host}{path}"),
        None => path.to_owned(),
    }
}

/// Where a request came from.
pub(super) fn address(from: SocketAddr) -> std::net::IpAddr {
    from.ip()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_led_to_another_site_after_signing_in() {
        for other in [
            "",
            "https://evil.example",
            "//evil.example",
            "/\\evil.example",
            "/a\\b",
            "/a\nb",
            "/\t/evil.example",
            "evil",
            "/sign-out",
        ] {
            assert_eq!(next_page(other), "/", "{other:?}");
        }
        assert_eq!(next_page("/plans?year=2026-27"), "/plans?year=2026-27");
        let to = onwards(Needs::SecondFactor, "/plans?a=b");
        assert_eq!(to, "/second-factor?next=%2Fplans%3Fa%3Db");
    }
}
