//! Access: who may do what here, and until when?

mod computers;
mod delegated;
mod give;
mod one;

use std::collections::BTreeMap;

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use maud::{Markup, html};
use node_domain::Duty;

use super::account::days;
use super::entry;
use crate::accounts::{Account, AuditLine, GivenRole, Session, Standing};
use crate::web::parts::Tone;
use crate::web::{PageError, Visit, Web, parts, words};

/// The pages of access.
pub(crate) fn routes() -> Router<Web> {
    Router::new()
        .route("/access", get(list))
        .merge(computers::routes())
        .merge(give::routes())
        .merge(one::routes())
}

const TITLE: &str = "Access";
/// How many lines of what was refused are looked through, and how many shown.
const LINES: u32 = 2_000;
const REFUSED_SHOWN: usize = 10;

/// Refuses whoever does not manage access.
fn check(visit: &Visit) -> Result<(), PageError> {
    visit.require(
        visit.desk().role().has(Duty::Accounts),
        "The role in which you act does not manage access. Ask the hub lead, or whoever looks after \
         this node.",
    )
}

async fn list(State(web): State<Web>, visit: Visit) -> Result<Response, PageError> {
    check(&visit)?;
    let (accounts, lines) = entry::with_accounts(&web, |accounts| {
        Ok((accounts.list()?, accounts.audit_lines(LINES)?))
    })
    .await?;
    let named = accounts.iter().filter(|account| !account.email.is_empty());
    let (ended, open) = named.partition::<Vec<_>, _>(|it| it.standing == Standing::Ended);
    let holders = holder_names(&visit, &accounts).await?;
    let delegated = delegated::list(&visit).await?;
    let computers = computers::list(&visit).await?;
    let today = web.accounts().today();
    let body = html! {
        h1 { (TITLE) }
        p.lead {
            (words::counted(open.len() as u64, "person", "people")) " may use these pages"
            @match ending(&open, &today) {
                0 => { "." },
                1 => { "; 1 role of theirs ends within a month." },
                count => { "; " (words::number(count)) " roles of theirs end within a month." },
            }
        }
        p { a.button href="/access/new" { "Give somebody access" } }
        h2 { "Who may do what" }
        (people(&open, &today, &holders))
        (delegated)
        (computers)
        (refused(&lines, &accounts))
        @if !ended.is_empty() {
            details {
                summary { "Access that has ended (" (ended.len()) ")" }
                (people(&ended, &today, &holders))
            }
        }
    };
    Ok(visit.page(TITLE, &body))
}

/// How many roles end within the next month.
fn ending(accounts: &[&Account], today: &str) -> u64 {
    let month = today.parse::<jiff::civil::Date>().ok();
    let month = month.and_then(|day| day.checked_add(jiff::Span::new().days(30)).ok());
    let Some(month) = month.map(|day| day.to_string()) else {
        return 0;
    };
    let roles = accounts.iter().flat_map(|account| &account.roles);
    let soon = roles.filter(|role| {
        let until = role.until.as_deref();
        until.is_some_and(|until| today <= until && until <= month.as_str())
    });
    soon.count() as u64
}

fn people(accounts: &[&Account], today: &str, holders: &BTreeMap<String, String>) -> Markup {
    let open = |role: &&GivenRole| role.until.as_deref().is_none_or(|until| until >= today);
    html! {
        ul.tasks {
            @for account in accounts {
                li {
                    div {
                        a href={ "/access/" (account.id) } { (account.name) }
                        p { (account.email) }
                        @for role in account.roles.iter().filter(open) {
                            p {
                                strong { (role.title()) (named_holder(role, holders)) }
                                ", " (uncapital(&days(role, today)))
                            }
                        }
                    }
                    div { (standing(account)) }
                }
            }
        }
    }
}

/// As it stands within a sentence.
fn uncapital(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(char::to_lowercase);
    first.into_iter().flatten().chain(letters).collect()
}

/// Whether somebody can sign in, as a tag.
fn standing(account: &Account) -> Markup {
    match account.standing {
        Standing::Invited => parts::tag("link not used yet", Tone::Look),
        Standing::LockedUntil(ms) => html! {
            (parts::tag("locked", Tone::Wrong)) br; span.soft { "Until " (words::moment(ms)) }
        },
        Standing::Ended => parts::tag("ended", Tone::Plain),
        Standing::Active if account.second_factor => parts::tag("with a code", Tone::Good),
        Standing::Active => parts::tag("no code set up yet", Tone::Look),
    }
}

fn named_holder(role: &GivenRole, holders: &BTreeMap<String, String>) -> Markup {
    let title = holders.get(&role.holder).filter(|title| !title.is_empty());
    html! { @if let Some(title) = title { " for " (title) } }
}

/// What people call those for whom roles were given.
async fn holder_names(
    visit: &Visit,
    accounts: &[Account],
) -> Result<BTreeMap<String, String>, PageError> {
    let roles = accounts.iter().flat_map(|account| &account.roles);
    let ids = roles.map(|role| role.holder.clone());
    let ids = ids.filter(|id| !id.is_empty()).collect::<Vec<_>>();
    let known = visit.work({
        let ids = ids.clone();
        move |desk| {
            let ids = ids.iter().map(String::as_str).collect::<Vec<_>>();
            desk.title_of(&ids)
        }
    });
    let mut known = known.await?;
    for id in ids {
        // A guest's body is named in words.
        if id.contains(' ') || id.len() < 16 {
            known.entry(id.clone()).or_insert(id);
        }
    }
    Ok(known)
}

/// What was refused lately.
fn refused(lines: &[AuditLine], accounts: &[Account]) -> Markup {
    let lines = lines.iter().filter(|line| !line.allowed);
    let rows = lines.take(REFUSED_SHOWN).map(|line| {
        let who = line
            .who
            .and_then(|id| accounts.iter().find(|it| it.id == id));
        let who = who.map_or("Somebody unknown", |account| account.name.as_str());
        vec![
            html! { (words::moment(line.time_ms)) },
            html! { (who) },
            html! { (in_words(line)) },
        ]
    });
    let rows = rows.collect::<Vec<_>>();
    html! {
        @if !rows.is_empty() {
            h2 { "Refused lately" }
            (parts::table(
                "The latest attempts that were refused",
                &[("When", false), ("Who", false), ("What", false)],
                &rows,
            ))
        }
    }
}

fn in_words(line: &AuditLine) -> String {
    match line.event.as_str() {
        "refused" => format!(
            "Opened a page outside of their role: {}",
            page_of(&line.about)
        ),
        "sign-in refused" => "Tried to sign in with a wrong password".to_owned(),
        "code refused" => "Gave a wrong code".to_owned(),
        "password refused" => "Gave a wrong password".to_owned(),
        "invite" => "Tried to give somebody access".to_owned(),
        "give role" => "Tried to give a role".to_owned(),
        "end role" => "Tried to end a role".to_owned(),
        "end account" => "Tried to end somebody's access".to_owned(),
        "reset account" => "Tried to make a new link for somebody".to_owned(),
        other => words::capital(other),
    }
}

/// A page as people may read it: without the ids in its address.
fn page_of(path: &str) -> String {
    let long = |part: &&str| part.len() <= 24;
    let parts = path.split('/').filter(long).collect::<Vec<_>>();
    match parts.join("/") {
        path if path.is_empty() => "/".to_owned(),
        path => path,
    }
}

/// Who manages access, as the operations ask for it.
fn manager(visit: &Visit) -> Session {
    visit.session().clone()
}
