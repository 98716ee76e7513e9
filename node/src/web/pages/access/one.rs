//! One person's access: what may they do, and how does it end?

use axum::Router;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use maud::{Markup, html};

use super::super::account::days;
use super::super::entry;
use super::{check, give, holder_names, named_holder, standing};
use crate::accounts::{Account, AccountError, AccountId, By, Standing};
use crate::web::parts::{SummaryRow, Tone};
use crate::web::{Flash, Form, PageError, Posted, Visit, Web, parts};

pub(super) fn routes() -> Router<Web> {
    Router::new()
        .route("/access/{id}", get(show))
        .route("/access/{id}/give", get(ask_role).post(give_role))
        .route("/access/{id}/end-role", post(end_role))
        .route("/access/{id}/end", get(ask_end).post(end))
        .route("/access/{id}/link", get(ask_link).post(link))
}

async fn found(web: &Web, visit: &Visit, id: &str) -> Result<Account, PageError> {
    check(visit)?;
    let Ok(id) = id.parse::<AccountId>() else {
        return Err(PageError::missing());
    };
    match entry::with_accounts(web, move |accounts| accounts.find(id)).await {
        Err(AccountError::Missing) => Err(PageError::missing()),
        found => Ok(found?),
    }
}

async fn show(
    State(web): State<Web>,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Response, PageError> {
    let account = found(&web, &visit, &id).await?;
    let holders = holder_names(&visit, std::slice::from_ref(&account)).await?;
    let today = web.accounts().today();
    let own = account.id == visit.session().account.id;
    let here = format!("/access/{}", account.id);
    let rows = [
        SummaryRow::text("E-mail address", account.email.as_str()),
        SummaryRow::new("Signing in", standing(&account)),
    ];
    let body = html! {
        (parts::back("/access", "Access"))
        h1 { (account.name) }
        (parts::summary_list(&rows))
        h2 { "Roles" }
        @if account.roles.is_empty() { (parts::empty("No role yet: they can sign in and see nothing.")) }
        ul.tasks {
            @for (place, role) in account.roles.iter().enumerate() {
                @let over = role.until.as_deref().is_some_and(|until| until < today.as_str());
                li {
                    div {
                        (role.title()) (named_holder(role, &holders))
                        p { (days(role, &today)) }
                    }
                    @if over {
                        div { (parts::tag("ended", Tone::Plain)) }
                    } @else if account.standing != Standing::Ended {
                        div { (end_form(&here, place, role.title(), visit.csrf())) }
                    }
                }
            }
        }
        @if account.standing != Standing::Ended {
            p { a href={ (here) "/give" } { "Give another role" } }
        }
        @if !own {
            h2 { "If they cannot sign in, or leave" }
            div.buttons {
                a.button.button-plain href={ (here) "/link" } { "Make a new link" }
                @if account.standing != Standing::Ended {
                    a.button.button-warning href={ (here) "/end" } { "End all access" }
                }
            }
        }
    };
    Ok(visit.page(&account.name, &body))
}

fn end_form(here: &str, place: usize, title: &str, csrf: &str) -> Markup {
    let id = format!("until-{place}");
    parts::form(
        &format!("{here}/end-role"),
        csrf,
        &html! {
            input type="hidden" name="role" value=(place);
            div.inline-fields {
                div.field {
                    label for=(id) { "Last day" span.hidden { " of " (title) } }
                    input type="date" id=(id) name="until";
                }
                div.field {
                    button.button.button-plain type="submit" {
                        "End" span.hidden { " " (title) }
                    }
                }
            }
        },
    )
}

async fn ask_role(
    State(web): State<Web>,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Response, PageError> {
    let account = found(&web, &visit, &id).await?;
    Ok(visit.page(
        ROLE_TITLE,
        &role_form(&web, &visit, &account, &Form::default(), &[]),
    ))
}

const ROLE_TITLE: &str = "Give another role";

fn role_form(
    web: &Web,
    visit: &Visit,
    account: &Account,
    sent: &Form,
    problems: &[node_domain::Problem],
) -> Markup {
    let here = format!("/access/{}", account.id);
    let inner = html! {
        input type="hidden" name="name" value=(account.name);
        (give::role_fields(web, sent))
        (parts::button("Continue"))
    };
    html! {
        (parts::back(&here, &account.name))
        (parts::error_summary(problems))
        h1 { span.caption { (account.name) } (ROLE_TITLE) }
        (parts::form(&format!("{here}/give"), visit.csrf(), &inner))
    }
}

async fn give_role(
    State(web): State<Web>,
    visit: Visit,
    Path(id): Path<String>,
    Posted(sent): Posted,
) -> Result<Response, PageError> {
    let account = found(&web, &visit, &id).await?;
    match give::give_role(&web, &visit, account.id, &sent).await? {
        Ok(page) => Ok(page),
        Err(error) => {
            let problem = entry::form_problem(error, "role")?;
            let body = role_form(&web, &visit, &account, &sent, &[problem]);
            let status = axum::http::StatusCode::UNPROCESSABLE_ENTITY;
            Ok((status, visit.page(ROLE_TITLE, &body)).into_response())
        }
    }
}

async fn end_role(
    State(web): State<Web>,
    visit: Visit,
    Path(id): Path<String>,
    Posted(sent): Posted,
) -> Result<Response, PageError> {
    let account = found(&web, &visit, &id).await?;
    let (id, session) = (account.id, super::manager(&visit));
    let place = sent.get("role").parse::<usize>().unwrap_or(usize::MAX);
    let until = sent.get("until").to_owned();
    let told = if until.is_empty() {
        "The role has ended.".to_owned()
    } else {
        format!("The role ends after {}.", crate::web::words::day(&until))
    };
    entry::with_accounts(&web, move |accounts| {
        accounts.end_role(By::Session(&session), id, place, Some(until.as_str()))
    })
    .await?;
    visit.tell(Flash::done(told));
    Ok(Redirect::to(&format!("/access/{id}")).into_response())
}

async fn ask_end(
    State(web): State<Web>,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Response, PageError> {
    let account = found(&web, &visit, &id).await?;
    let title = format!("End the access of {}?", account.name);
    let body = asked(
        &visit,
        &account,
        "end",
        &title,
        &html! {
            p { "They are signed out at once, everywhere, and cannot sign in again. What they wrote stays." }
            button.button.button-warning type="submit" { "End all access" }
        },
    );
    Ok(visit.page(&title, &body))
}

async fn end(
    State(web): State<Web>,
    visit: Visit,
    Path(id): Path<String>,
    Posted(_sent): Posted,
) -> Result<Response, PageError> {
    let account = found(&web, &visit, &id).await?;
    let (id, session) = (account.id, super::manager(&visit));
    entry::with_accounts(&web, move |accounts| {
        accounts.end_account(By::Session(&session), id)
    })
    .await?;
    visit.tell(Flash::done(format!(
        "The access of {} has ended.",
        account.name
    )));
    Ok(Redirect::to("/access").into_response())
}

async fn ask_link(
    State(web): State<Web>,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Response, PageError> {
    let account = found(&web, &visit, &id).await?;
    let title = format!("Make a new link for {}?", account.name);
    let body = asked(
        &visit,
        &account,
        "link",
        &title,
        &html! {
            p {
                "Their password and code app stop working at once, and they are signed out everywhere. \
                 With the link they choose both anew."
            }
            (parts::button("Make a new link"))
        },
    );
    Ok(visit.page(&title, &body))
}

async fn link(
    State(web): State<Web>,
    headers: HeaderMap,
    visit: Visit,
    Path(id): Path<String>,
    Posted(_sent): Posted,
) -> Result<Response, PageError> {
    let account = found(&web, &visit, &id).await?;
    let (id, session) = (account.id, super::manager(&visit));
    let made = entry::with_accounts(&web, move |accounts| {
        accounts.reset(By::Session(&session), id)
    });
    let made = made.await?;
    Ok(give::link_made(
        &web,
        &headers,
        &visit,
        &account.name,
        &made,
    ))
}

fn asked(visit: &Visit, account: &Account, what: &str, title: &str, inner: &Markup) -> Markup {
    let here = format!("/access/{}", account.id);
    html! {
        (parts::back(&here, &account.name))
        h1 { (title) }
        (parts::form(&format!("{here}/{what}"), visit.csrf(), inner))
    }
}
