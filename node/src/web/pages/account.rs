//! Somebody's own account: in which role do I act, and with what do I sign in?

mod password;
mod second_factor;

use axum::Router;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use maud::{Markup, html};

use super::entry;
use crate::accounts::{AccountError, GivenRole, Session, may_manage_accounts};
use crate::web::parts::{SummaryRow, Tone};
use crate::web::{PageError, Posted, Visit, Web, parts, words};

/// The pages of one's own account.
pub(crate) fn routes() -> Router<Web> {
    Router::new()
        .route("/account", get(show))
        .route("/account/act", post(act))
        .route("/account/sign-out-everywhere", post(sign_out_everywhere))
        .merge(password::routes())
        .merge(second_factor::routes())
}

/// A page around `body` for somebody who signed in whole, also if no role of theirs holds.
fn framed(web: &Web, visit: Option<&Visit>, title: &str, body: &Markup) -> Response {
    match visit {
        Some(visit) => {
            let body = html! {
                (parts::back("/account", "Your account"))
                h1 { (title) }
                (body)
            };
            visit.page(title, &body)
        }
        None => entry::bare(web, title, body),
    }
}

async fn show(
    State(web): State<Web>,
    headers: HeaderMap,
    visit: Result<Visit, PageError>,
) -> Result<Response, PageError> {
    let session = entry::signed_in(&headers, &web).await?;
    let of = session.clone();
    let left = entry::with_accounts(&web, move |accounts| accounts.recovery_left(&of)).await?;
    let holders = match &visit {
        Ok(visit) => holders(visit).await?,
        Err(_) => Vec::new(),
    };
    let body = body(&session, &web.accounts().today(), left, &holders);
    match visit {
        Ok(visit) => {
            let body = html! { h1 { (TITLE) } (body) };
            Ok(visit.page(TITLE, &body))
        }
        Err(_) => Ok(entry::bare(&web, TITLE, &body)),
    }
}

const TITLE: &str = "Your account";

/// What people call those for whom the account's roles were given.
async fn holders(visit: &Visit) -> Result<Vec<(String, String)>, PageError> {
    let roles = &visit.session().account.roles;
    let ids = roles.iter().map(|role| role.holder.clone());
    let ids = ids.filter(|id| !id.is_empty()).collect::<Vec<_>>();
    let titles = visit
        .work(move |desk| {
            let ids = ids.iter().map(String::as_str).collect::<Vec<_>>();
            desk.title_of(&ids)
        })
        .await?;
    Ok(titles.into_iter().collect())
}

fn body(
    session: &Session,
    today: &str,
    recovery_left: usize,
    holders: &[(String, String)],
) -> Markup {
    let account = &session.account;
    let acting = session.role.as_ref();
    let factor = html! {
        "A code from your app; "
        (words::counted(recovery_left as u64, "recovery code", "recovery codes")) " left"
    };
    let rows = [
        SummaryRow::text("Name", account.name.as_str()),
        SummaryRow::text("E-mail address", account.email.as_str()),
        SummaryRow::text("Password", "As you chose it").change("/account/password"),
        SummaryRow::new("Second factor", factor).change("/account/second-factor/change"),
    ];
    let roles = account.roles.iter().enumerate();
    let roles = roles.filter(|(_, role)| {
        role.until
            .as_ref()
            .is_none_or(|until| until.as_str() >= today)
    });
    let roles = roles.collect::<Vec<_>>();
    html! {
        @match acting {
            Some(role) => p.lead {
                "You act as " strong { (role.title().to_lowercase()) } (named(role, holders)) "."
            },
            None => p.lead {
                "No role of yours holds today, so there is nothing for you here. Ask whoever \
                 manages access."
            },
        }
        @if !roles.is_empty() {
            h2 { "Your roles" }
            ul.tasks {
                @for (place, role) in roles {
                    li {
                        div {
                            (role.title()) (named(role, holders))
                            p { (days(role, today)) }
                        }
                        @if acting == Some(role) {
                            div { (parts::tag("acting", Tone::Active)) }
                        } @else if role.holds_on(today) {
                            div { (act_as(place, role, &session.csrf)) }
                        } @else {
                            div { (parts::tag("not yet", Tone::Plain)) }
                        }
                    }
                }
            }
        }
        @if acting.is_some_and(|role| may_manage_accounts(&role.role)) {
            p { a href="/access" { "See and change who else has access" } }
        }
        h2 { "How you sign in" }
        (parts::summary_list(&rows))
        p { a href="/account/recovery-codes" { "Make new recovery codes" } }
        h2 { "Sign out" }
        div.buttons {
            (parts::form("/sign-out", &session.csrf, &parts::button("Sign out")))
            (parts::form("/account/sign-out-everywhere", &session.csrf, &html! {
                button.button.button-plain type="submit" { "Sign out everywhere" }
            }))
        }
        p.soft {
            "You signed in on " (words::moment(session.signed_in_ms)) ". Signing out everywhere ends \
             your visits on all other computers and phones too."
        }
    }
}

fn named(role: &GivenRole, holders: &[(String, String)]) -> Markup {
    let mut found = holders.iter().filter(|(id, _)| *id == role.holder);
    let name = found.next().map(|(_, title)| title.as_str());
    html! { @if let Some(name) = name { " for " (name) } }
}

/// From when and until when a role holds.
pub(super) fn days(role: &GivenRole, today: &str) -> String {
    let until = role.until.as_deref().map(words::day);
    match (role.from.as_str() > today, until) {
        (true, None) => format!("From {}", words::day(&role.from)),
        (true, Some(until)) => format!("From {} until {until}", words::day(&role.from)),
        (false, None) => format!("Since {}, without an end", words::day(&role.from)),
        (false, Some(until)) => format!("Until {until}"),
    }
}

fn act_as(place: usize, role: &GivenRole, csrf: &str) -> Markup {
    parts::form(
        "/account/act",
        csrf,
        &html! {
            input type="hidden" name="role" value=(place);
            button.button-link type="submit" {
                "Act in this role" span.hidden { ": " (role.title()) }
            }
        },
    )
}

async fn act(
    State(web): State<Web>,
    headers: HeaderMap,
    Posted(form): Posted,
) -> Result<Response, PageError> {
    let session = entry::signed_in(&headers, &web).await?;
    let place = form.get("role").parse::<usize>().map_err(|_| {
        AccountError::Refused("that is none of your roles; choose one on the page".to_owned())
    })?;
    entry::with_accounts(&web, move |accounts| accounts.act_as(&session, place)).await?;
    Ok(Redirect::to("/").into_response())
}

async fn sign_out_everywhere(
    State(web): State<Web>,
    headers: HeaderMap,
    Posted(_form): Posted,
) -> Result<Response, PageError> {
    let session = entry::begun(&headers, &web).await?;
    entry::with_accounts(&web, move |accounts| accounts.sign_out_everywhere(&session)).await?;
    Ok(entry::go_without(&web, entry::SIGN_IN))
}
