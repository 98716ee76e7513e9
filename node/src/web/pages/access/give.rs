//! Giving access: to whom, in which role, until when?

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use maud::{Markup, html};
use node_domain::{Held, Problem, ROLES, Records, Role};

use super::super::entry;
use super::check;
use crate::accounts::{AccountError, AccountId, By, GivenRole, SetUpLink, needs_holder};
use crate::records::Find;
use crate::web::{Flash, Form, PageError, Posted, Visit, Web, parts, words};

pub(super) fn routes() -> Router<Web> {
    Router::new().route("/access/new", get(ask).post(give))
}

const TITLE: &str = "Give somebody access";
const WHOM_TITLE: &str = "For whom is the role?";

/// The roles of those who work at the coordinator or are its guests; all others are a hub's.
const AT_THE_COORDINATOR: &[&str] = &[
    "operator",
    "regional lead",
    "project lead",
    "analyst",
    "policy guest",
    "independent evaluator",
];

/// For whom a role is given.
#[derive(Clone, Copy, PartialEq, Eq)]
enum For {
    Nobody,
    Card,
    Partner,
    Body,
}

/// The roles that are given on these pages.
pub(super) fn offered(web: &Web) -> Vec<(String, String)> {
    let here = |role: &&&Role| AT_THE_COORDINATOR.contains(&role.name) == web.site().coordinator;
    let roles = ROLES.iter().filter(here);
    let roles = roles.map(|role| (role.name.to_owned(), role.title.to_owned()));
    roles.collect()
}

fn for_whom(name: &str) -> For {
    let Some(role) = node_domain::role(name).filter(|_| needs_holder(name)) else {
        return For::Nobody;
    };
    let delegated = role.may.iter().any(|may| may.records == Records::Delegated);
    match (delegated, role.held) {
        (true, _) => For::Partner,
        (false, Held::Vouched) => For::Body,
        (false, Held::Named(_) | Held::EachOwn) => For::Card,
    }
}

async fn ask(State(web): State<Web>, visit: Visit) -> Result<Response, PageError> {
    check(&visit)?;
    Ok(visit.page(TITLE, &form(&web, &visit, &Form::default(), &[])))
}

fn form(web: &Web, visit: &Visit, sent: &Form, problems: &[Problem]) -> Markup {
    let inner = html! {
        (parts::text_input("name", "Name", "", sent.get("name"), None))
        (parts::typed_input("email", "email", "E-mail address",
            "With it they sign in. Nothing is sent to it from here.", sent.get("email"), None))
        (role_fields(web, sent))
        (parts::button("Continue"))
    };
    html! {
        (parts::back("/access", "Access"))
        (parts::error_summary(problems))
        h1 { (TITLE) }
        (parts::form("/access/new", visit.csrf(), &inner))
    }
}

/// Which role, and until when.
pub(super) fn role_fields(web: &Web, sent: &Form) -> Markup {
    html! {
        (parts::radios("role", "Role", "", &offered(web), sent.get("role"), None))
        (parts::typed_input("date", "until", "Last day",
            "Leave it empty for a role without an end.", sent.get("until"), None))
    }
}

async fn give(
    State(web): State<Web>,
    headers: HeaderMap,
    visit: Visit,
    Posted(sent): Posted,
) -> Result<Response, PageError> {
    check(&visit)?;
    let name = sent.get("name").to_owned();
    let email = sent.get("email").to_owned();
    if let Some(problem) = first_problem(&sent) {
        let body = form(&web, &visit, &sent, &[problem]);
        return Ok((StatusCode::UNPROCESSABLE_ENTITY, visit.page(TITLE, &body)).into_response());
    }
    if let Some(page) = whom(&visit, &sent, "/access/new").await? {
        return Ok(page);
    }
    let role = given(&sent);
    let session = super::manager(&visit);
    let done = entry::with_accounts(&web, move |accounts| {
        accounts.invite(By::Session(&session), &name, &email, &[role])
    });
    match done.await {
        Ok(link) => Ok(link_made(&web, &headers, &visit, sent.get("name"), &link)),
        Err(error) => {
            let problem = entry::form_problem(error, "email")?;
            let body = form(&web, &visit, &sent, &[problem]);
            Ok((StatusCode::UNPROCESSABLE_ENTITY, visit.page(TITLE, &body)).into_response())
        }
    }
}

fn first_problem(sent: &Form) -> Option<Problem> {
    let missing = |field: &str, sentence: &str| {
        sent.get(field)
            .is_empty()
            .then(|| entry::problem(field, sentence))
    };
    missing("name", "Enter a name.")
        .or_else(|| missing("email", "Enter an e-mail address."))
        .or_else(|| missing("role", "Choose a role."))
}

/// The role that a form gives.
pub(super) fn given(sent: &Form) -> GivenRole {
    GivenRole {
        role: sent.get("role").to_owned(),
        holder: sent.get("holder").to_owned(),
        from: String::new(),
        until: Some(sent.get("until").to_owned()).filter(|until| !until.is_empty()),
    }
}

/// The page that asks for whom a role is, where it needs somebody and nobody is named yet.
pub(super) async fn whom(
    visit: &Visit,
    sent: &Form,
    action: &str,
) -> Result<Option<Response>, PageError> {
    if !sent.get("holder").is_empty() {
        return Ok(None);
    }
    let role = sent.get("role");
    let control = match for_whom(role) {
        For::Nobody => return Ok(None),
        For::Body => parts::text_input(
            "holder",
            "The body that they come from",
            "As the forum names it, such as a ministry. They see the questions that it asked.",
            "",
            None,
        ),
        For::Card => {
            let cards = titled(visit, "person").await?;
            let likely = likely(&cards, sent.get("name"));
            let help = "What the role reaches follows from where this card is named. If they have \
                        none yet, make it under People first.";
            parts::select("holder", "Their card", help, &cards, &likely, None)
        }
        For::Partner => {
            let partners = titled(visit, "partner").await?;
            let help = "They reach the work groups that a commission delegates to this partner.";
            parts::select("holder", "The partner", help, &partners, "", None)
        }
    };
    let inner = html! {
        @for (name, value) in sent.fields().filter(|(name, _)| !matches!(*name, "csrf" | "holder")) {
            input type="hidden" name=(name) value=(value);
        }
        (control)
        (parts::button("Continue"))
    };
    let title = node_domain::role(role).map_or(role, |role| role.title);
    let body = html! {
        (parts::back("/access", "Access"))
        h1 { span.caption { (title) } (WHOM_TITLE) }
        (parts::form(action, visit.csrf(), &inner))
    };
    Ok(Some(visit.page(WHOM_TITLE, &body)))
}

/// The records of a kind that the role sees, by title.
async fn titled(visit: &Visit, kind: &'static str) -> Result<Vec<(String, String)>, PageError> {
    let listing = visit.work(move |desk| {
        desk.find(&Find {
            kind: kind.to_owned(),
            sort: vec!["title".to_owned()],
            ..Find::default()
        })
    });
    let records = listing.await?.records.into_iter();
    let records = records.map(|record| (record.id.to_string(), record.title));
    let mut choices = vec![(String::new(), "Choose".to_owned())];
    choices.extend(records);
    Ok(choices)
}

/// The card with the same name, if there is one alone.
fn likely(cards: &[(String, String)], name: &str) -> String {
    let same = |title: &str| title.trim().to_lowercase() == name.trim().to_lowercase();
    let mut found = cards.iter().filter(|(_, title)| same(title));
    match (found.next(), found.next()) {
        (Some((id, _)), None) => id.clone(),
        _ => String::new(),
    }
}

/// The page with a link to be sent on.
pub(super) fn link_made(
    web: &Web,
    headers: &HeaderMap,
    visit: &Visit,
    name: &str,
    link: &SetUpLink,
) -> Response {
    let title = format!("Send this link to {name}");
    let address = entry::address_of(web, headers, &link.path());
    let body = html! {
        (parts::back("/access", "Access"))
        h1 { (title) }
        p.lead { "With it they choose a password and set up their code app." }
        (parts::inset(&html! { p { code.link { (address) } } }))
        p {
            "It works once, until " (words::moment(link.ends_ms)) ", and is shown only now. Whoever \
             has it can use it, so send it by a way that reaches only them."
        }
        p { a href="/access" { "Back to access" } }
    };
    visit.page(&title, &body)
}

/// Gives another role to somebody who has an account.
pub(super) async fn give_role(
    web: &Web,
    visit: &Visit,
    id: AccountId,
    sent: &Form,
) -> Result<Result<Response, AccountError>, PageError> {
    let here = format!("/access/{id}");
    if let Some(page) = whom(visit, sent, &format!("{here}/give")).await? {
        return Ok(Ok(page));
    }
    let (role, session) = (given(sent), super::manager(visit));
    let done = entry::with_accounts(web, move |accounts| {
        accounts.give_role(By::Session(&session), id, &role)
    });
    Ok(done.await.map(|_| {
        visit.tell(Flash::done("The role is given."));
        Redirect::to(&here).into_response()
    }))
}
