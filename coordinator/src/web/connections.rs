//! Connections: which hub needs a call?

use std::time::Duration;

use axum::extract::Path;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Extension, Router};
use maud::{Markup, html};
use node::clock::now_ms;
use node::web::{Flash, Form, PageError, Posted, Visit, Web, parts, words};
use node_domain::Problem;

use super::reasons::reasons;
use crate::operations::{
    Attempt, Health, HubHealth, OperationError, Operations, OperatorDesk, Revocation, Waiting,
};

/// Without a word for so long, a hub is silent.
const SILENT_FOR: Duration = Duration::from_secs(2 * 24 * 60 * 60);
/// How long an invitation holds.
const INVITATION_HOURS: u64 = 14 * 24;
/// How many attempts that came to nothing are shown.
const ATTEMPTS_SHOWN: usize = 20;

pub(super) fn routes() -> Router<Web> {
    Router::new()
        .route("/connections", get(show))
        .route("/connections/admit", post(admit))
        .route("/connections/refuse", post(refuse))
        .route("/connections/invite", get(ask_invite).post(invite))
        .route("/connections/{code}", get(one))
        .route("/connections/{code}/suspend", post(suspend))
        .route("/connections/{code}/resume", post(resume))
        .route("/connections/{code}/revoke", get(ask_revoke).post(revoke))
}

/// Runs work at the operator's desk.
async fn at_desk<T: Send + 'static>(
    visit: &Visit,
    operations: Operations,
    work: impl FnOnce(&OperatorDesk) -> Result<T, OperationError> + Send + 'static,
) -> Result<T, PageError> {
    let session = visit.session().clone();
    visit
        .work(move |desk| {
            let operator = operations.operator_desk(&session, desk)?;
            work(&operator).map_err(PageError::from)
        })
        .await
}

impl From<OperationError> for PageError {
    fn from(error: OperationError) -> Self {
        if let OperationError::Record(error) = error {
            return Self::from(error);
        }
        if let OperationError::Store(error) = error {
            return Self::from(error);
        }
        if matches!(error, OperationError::UnknownHub(_)) {
            return Self::missing();
        }
        Self::wrong(format!("{}.", words::capital(&error.to_string())))
    }
}

async fn show(
    visit: Visit,
    Extension(operations): Extension<Operations>,
) -> Result<Response, PageError> {
    let (health, waiting, attempts) = at_desk(&visit, operations, |desk| {
        Ok((
            desk.health(SILENT_FOR)?,
            desk.waiting()?,
            desk.connection_attempts()?,
        ))
    })
    .await?;
    let live = html! {
        h1 { "Connections" }
        p.lead { (in_short(&health, waiting.len())) }
        (waiting_list(&waiting, visit.csrf()))
        (hub_list(&health))
        (attempt_list(&attempts))
    };
    if visit.is_fragment() {
        return Ok(Html(live.into_string()).into_response());
    }
    let body = html! {
        div data-live="/connections" { (live) }
        div.buttons { a.button href="/connections/invite" { "Invite a hub" } }
    };
    Ok(visit.page("Connections", &body))
}

/// The answer to the question of the page.
fn in_short(health: &Health, waiting: usize) -> String {
    let silent = health.hubs.iter().filter(|hub| hub.silent);
    let (seen, never): (Vec<_>, Vec<_>) = silent.partition(|hub| hub.last_seen_ms.is_some());
    let names = |hubs: &[&HubHealth]| hubs.iter().map(|hub| hub.name.clone()).collect::<Vec<_>>();
    let (silent, never) = (names(&seen), names(&never));
    let troubled = health
        .hubs
        .iter()
        .filter(|hub| !hub.silent && !hub.why.is_empty())
        .count();
    let mut sentences = Vec::new();
    if waiting > 0 {
        sentences.push(format!(
            "{} to be admitted.",
            words::counted(waiting as u64, "hub waits", "hubs wait")
        ));
    }
    match silent.len() {
        0 => {}
        1..=4 => sentences.push(format!(
            "{} {} not been heard of for two days: {}.",
            words::listed(&silent),
            if silent.len() == 1 { "has" } else { "have" },
            if silent.len() == 1 {
                "call it"
            } else {
                "call them"
            }
        )),
        count => sentences.push(format!("{count} hubs have not been heard of for two days.")),
    }
    match never.len() {
        0 => {}
        1..=4 => sentences.push(format!(
            "{} {} admitted and {} never connected.",
            words::listed(&never),
            if never.len() == 1 { "was" } else { "were" },
            if never.len() == 1 { "has" } else { "have" }
        )),
        count => sentences.push(format!(
            "{count} hubs were admitted and have never connected."
        )),
    }
    if troubled > 0 {
        sentences.push(format!(
            "{} something to look at.",
            words::counted(troubled as u64, "other hub has", "other hubs have")
        ));
    }
    if sentences.is_empty() {
        return "No hub needs a call.".to_owned();
    }
    sentences.join(" ")
}

fn waiting_list(waiting: &[Waiting], csrf: &str) -> Markup {
    html! {
        @if !waiting.is_empty() {
            h2 { "Waiting" }
            p { "Ask the hub by telephone for the number on its screen. Admit it only if it is the same." }
            div.beside {
                @for request in waiting {
                    section.card data-waiting=(request.code) {
                        h3 { (request.name) }
                        @if request.check_number.is_empty() {
                            p { "It has no check number yet, and cannot be admitted without one: its program must be \
                                running and current. The number is shown here once the two programs have made it." }
                        } @else {
                            span.check-number { (request.check_number) }
                        }
                        p { "Asked " (words::ago(request.since_ms, now_ms())) " from " (request.address)
                            ". Lapses on " (words::moment(request.lapses_ms)) "." }
                        @if !request.check_number.is_empty() {
                            (parts::form("/connections/admit", csrf, &html! {
                                input type="hidden" name="which" value=(request.check_number);
                                (parts::button(&format!("Admit {}", request.name)))
                            }))
                        }
                        details {
                            summary { "Refuse it" }
                            (parts::form("/connections/refuse", csrf, &html! {
                                input type="hidden" name="which" value=(which(request));
                                (parts::text_input(&why_field(request), "Why",
                                    "The hub reads this.", "", None))
                                input type="hidden" name="field" value=(why_field(request));
                                button.button.button-warning type="submit" { "Refuse" }
                            }))
                        }
                    }
                }
            }
        }
    }
}

/// What a request is called: by its node before it has a number.
fn which(request: &Waiting) -> String {
    match request.check_number.as_str() {
        "" => request.node.to_string(),
        number => number.to_owned(),
    }
}

/// Two computers of one hub may wait, so the field is called by the request.
fn why_field(request: &Waiting) -> String {
    let letters = which(request);
    let letters = letters.chars().filter(char::is_ascii_alphanumeric);
    format!("why-{}", letters.collect::<String>())
}

fn hub_list(health: &Health) -> Markup {
    let rows = health.hubs.iter().map(|hub| {
        vec![
            html! { a href={ "/connections/" (hub.code) } { (hub.name) } },
            state(hub),
            html! { @match hub.last_seen_ms {
                Some(ms) => (words::ago(ms, health.as_at_ms)),
                None => "never",
            } },
            html! { (words::number(hub.waiting)) },
            html! { @for why in reasons(hub, health.as_at_ms) { p { (why) } } },
        ]
    });
    let heads = [
        ("Hub", false),
        ("State", false),
        ("Heard of", false),
        ("Waits for it", true),
        ("Why", false),
    ];
    html! {
        h2 { "Hubs" }
        @if health.hubs.is_empty() {
            (parts::empty("No hub has been invited yet."))
        } @else {
            div #hubs { (parts::table("Silent hubs first, then those with something to look at", &heads,
                &rows.collect::<Vec<_>>())) }
        }
        p.soft { "As at " (words::moment(health.as_at_ms)) "." }
    }
}

fn state(hub: &HubHealth) -> Markup {
    let (state, tone) = match (hub.silent, hub.state.as_str()) {
        (true, "connected" | "away") => ("silent", parts::Tone::Wrong),
        (_, "connected") => ("connected", parts::Tone::Good),
        (_, "suspended" | "waiting") => (hub.state.as_str(), parts::Tone::Look),
        (_, "revoked") => ("access ended", parts::Tone::Wrong),
        (_, other) => (other, parts::Tone::Plain),
    };
    parts::tag(state, tone)
}

fn attempt_list(attempts: &[Attempt]) -> Markup {
    let rows = attempts.iter().take(ATTEMPTS_SHOWN).map(|attempt| {
        vec![
            html! { (words::moment(attempt.time_ms)) },
            html! { (attempt.hub.as_deref().unwrap_or("not known")) },
            html! { (attempt.reason) },
        ]
    });
    let rows = rows.collect::<Vec<_>>();
    html! {
        @if !rows.is_empty() {
            h2 { "Attempts that came to nothing" }
            div #attempts { (parts::table("The newest first", &[("When", false), ("Hub", false),
                ("Why", false)], &rows)) }
        }
    }
}

async fn admit(
    visit: Visit,
    Extension(operations): Extension<Operations>,
    Posted(form): Posted,
) -> Result<Response, PageError> {
    let which = form.get("which").to_owned();
    let done = at_desk(&visit, operations, move |desk| desk.admit(&which)).await?;
    visit.tell(Flash::done(format!(
        "{} is admitted. Its computer is told within a minute.",
        done.request.name
    )));
    Ok(Redirect::to("/connections").into_response())
}

async fn refuse(
    visit: Visit,
    Extension(operations): Extension<Operations>,
    Posted(form): Posted,
) -> Result<Response, PageError> {
    let which = form.get("which").to_owned();
    let why = form.get(form.get("field")).to_owned();
    if why.is_empty() {
        visit.tell(Flash::warning(
            "Nothing was refused: say why, in words for the hub.",
        ));
        return Ok(Redirect::to("/connections").into_response());
    }
    let done = at_desk(&visit, operations, move |desk| desk.refuse(&which, &why)).await?;
    visit.tell(Flash::done(format!(
        "{} was refused; it reads your reason. To try again it needs a new invitation.",
        done.request.name
    )));
    Ok(Redirect::to("/connections").into_response())
}

async fn ask_invite(
    visit: Visit,
    Extension(operations): Extension<Operations>,
) -> Result<Response, PageError> {
    at_desk(&visit, operations, |_| Ok(())).await?;
    Ok(visit.page("Invite a hub", &invite_form(&visit, &Form::default(), &[])))
}

fn invite_form(visit: &Visit, form: &Form, problems: &[Problem]) -> Markup {
    let problem = |field: &str| {
        let found = problems.iter().find(|problem| problem.field == field);
        found.map(|problem| problem.message.as_str())
    };
    html! {
        (parts::back("/connections", "Connections"))
        (parts::error_summary(problems))
        h1 { "Invite a hub" }
        p { "You get a file that works once, for this hub, for two weeks. Pass it on as you would a \
             password. The hub's request then waits here until you admit it." }
        (parts::form("/connections/invite", visit.csrf(), &html! {
            (parts::text_input("name", "The hub's name", "As in South Yorkshire Maths Hub.",
                form.get("name"), problem("name")))
            (parts::text_input("code", "Its short code",
                "Lower-case letters, digits and hyphens, as in south-yorkshire. It never changes.",
                form.get("code"), problem("code")))
            (parts::button("Make the invitation file"))
        }))
    }
}

async fn invite(
    visit: Visit,
    Extension(operations): Extension<Operations>,
    Posted(form): Posted,
) -> Result<Response, PageError> {
    let (code, name) = (form.get("code").to_owned(), form.get("name").to_owned());
    if name.is_empty() {
        let problem = Problem::new("name", "Enter the hub's name");
        return Ok(visit.page("Invite a hub", &invite_form(&visit, &form, &[problem])));
    }
    let file = format!(
        "attachment; filename=\"invitation-{}.toml\"",
        file_name(&code)
    );
    let made = at_desk(&visit, operations, move |desk| {
        let invitation = desk.invite(&code, &name, INVITATION_HOURS)?;
        Ok(invitation.to_toml()?)
    })
    .await;
    match made {
        Ok(text) => {
            let headers = [
                (CONTENT_TYPE, "application/toml".to_owned()),
                (CONTENT_DISPOSITION, file),
            ];
            Ok((headers, text).into_response())
        }
        Err(error) if error.status() == axum::http::StatusCode::UNPROCESSABLE_ENTITY => {
            let problem = Problem::new("code", error.sentence());
            Ok(visit.page("Invite a hub", &invite_form(&visit, &form, &[problem])))
        }
        Err(error) => Err(error),
    }
}

/// A code as part of a file's name: a form can send anything.
fn file_name(code: &str) -> String {
    let letters = code
        .chars()
        .filter(|it| it.is_ascii_alphanumeric() || *it == '-');
    letters.take(40).collect()
}

async fn one(
    visit: Visit,
    Extension(operations): Extension<Operations>,
    Path(code): Path<String>,
) -> Result<Response, PageError> {
    let health = at_desk(&visit, operations, |desk| desk.health(SILENT_FOR)).await?;
    let hub = health.hubs.iter().find(|hub| hub.code == code);
    let hub = hub.ok_or_else(PageError::missing)?;
    let path = format!("/connections/{}", hub.code);
    let body = html! {
        (parts::back("/connections", "Connections"))
        h1 { (hub.name) }
        p.lead { (state(hub)) " "
            @match hub.last_seen_ms {
                Some(ms) => { "Heard of " (words::ago(ms, health.as_at_ms)) ", on " (words::moment(ms)) "." }
                None => "Never heard of yet.",
            }
        }
        @let why = reasons(hub, health.as_at_ms);
        @if !why.is_empty() { ul #why { @for why in &why { li { (why) } } } }
        @for (index, node) in hub.nodes.iter().enumerate() {
            h2 { @if hub.nodes.len() == 1 { "Its computer" } @else { "Computer " (index + 1) } }
            (parts::summary_list(&node_rows(node, health.as_at_ms)))
        }
        @if hub.state != "revoked" {
            h2 { "What you can do" }
            @if hub.state == "suspended" {
                (parts::form(&format!("{path}/resume"), visit.csrf(), &parts::button("Let it back")))
            } @else {
                (parts::form(&format!("{path}/suspend"), visit.csrf(), &html! {
                    (parts::text_input("why", "Suspend it for the time being: why?",
                        "The hub reads this. Nothing is lost; it goes on by itself once you let it back.",
                        "", None))
                    (parts::button("Suspend"))
                }))
            }
            p.erase { a href={ (path) "/revoke" } { "End its access for good" } }
        }
    };
    Ok(visit.page(&hub.name, &body))
}

fn node_rows(node: &crate::operations::NodeHealth, now: u64) -> Vec<parts::SummaryRow> {
    let list = |lines: &[String]| {
        html! { @if lines.is_empty() { "Nothing" } @else { ul { @for line in lines { li { (line) } } } } }
    };
    let waits = node.spaces.iter().filter(|space| space.waiting > 0);
    let waits = waits.map(|space| {
        let changes = words::counted(space.waiting, "change", "changes");
        format!("{changes} of {}", space.title)
    });
    let refused = node.refused_here.iter().chain(&node.refused_by_it);
    let refused = refused.map(|refusal| {
        let again = if refusal.again {
            ", and tried again by itself"
        } else {
            ""
        };
        format!("{}: {}{again}", refusal.title, refusal.why)
    });
    let gaps = node.gaps.iter().map(|gap| {
        let missing = words::counted(
            gap.to.saturating_sub(gap.from) + 1,
            "change is",
            "changes are",
        );
        format!(
            "{missing} missing here of {}; asked for again by itself",
            gap.title
        )
    });
    vec![
        parts::SummaryRow::text(
            "Heard of",
            node.last_seen_ms
                .map_or_else(|| "never".to_owned(), |ms| words::ago(ms, now)),
        ),
        parts::SummaryRow::new("Waits for it", list(&waits.collect::<Vec<_>>())),
        parts::SummaryRow::new("Missing here", list(&gaps.collect::<Vec<_>>())),
        parts::SummaryRow::new("Refused", list(&refused.collect::<Vec<_>>())),
        parts::SummaryRow::new("Held for checking", list(&node.set_aside)),
        parts::SummaryRow::new("Connections refused", list(&node.refused_sessions)),
        parts::SummaryRow::text(
            "Its clock",
            match node.clock_ahead_ms {
                None => "Not known".to_owned(),
                Some(ms) if ms.unsigned_abs() < 60_000 => "Right".to_owned(),
                Some(ms) if ms > 0 => format!("{} ahead", words::length(ms.unsigned_abs())),
                Some(ms) => format!("{} behind", words::length(ms.unsigned_abs())),
            },
        ),
    ]
}

async fn suspend(
    visit: Visit,
    Extension(operations): Extension<Operations>,
    Path(code): Path<String>,
    Posted(form): Posted,
) -> Result<Response, PageError> {
    let why = form.get("why").to_owned();
    let back = format!("/connections/{code}");
    if why.is_empty() {
        visit.tell(Flash::warning(
            "Nothing was changed: say why, in words for the hub.",
        ));
        return Ok(Redirect::to(&back).into_response());
    }
    at_desk(&visit, operations, move |desk| desk.suspend(&code, &why)).await?;
    visit.tell(Flash::done(
        "Suspended. It keeps all that it has, and waits.",
    ));
    Ok(Redirect::to(&back).into_response())
}

async fn resume(
    visit: Visit,
    Extension(operations): Extension<Operations>,
    Path(code): Path<String>,
    Posted(_): Posted,
) -> Result<Response, PageError> {
    let back = format!("/connections/{code}");
    at_desk(&visit, operations, move |desk| desk.resume(&code)).await?;
    visit.tell(Flash::done("Let back. It connects again by itself."));
    Ok(Redirect::to(&back).into_response())
}

async fn ask_revoke(
    visit: Visit,
    Extension(operations): Extension<Operations>,
    Path(code): Path<String>,
) -> Result<Response, PageError> {
    let asked = code.clone();
    let revocation = at_desk(&visit, operations, move |desk| desk.revocation(&asked)).await?;
    let name = visit.desk().hub_name(&code);
    let body = revoke_form(&visit, &code, &name, &revocation, &[]);
    Ok(visit.page(&format!("End the access of {name}"), &body))
}

fn revoke_form(
    visit: &Visit,
    code: &str,
    name: &str,
    revocation: &Revocation,
    problems: &[Problem],
) -> Markup {
    let problem = problems.first().map(|problem| problem.message.as_str());
    let path = format!("/connections/{code}");
    html! {
        (parts::back(&path, name))
        (parts::error_summary(problems))
        h1 { "End the access of " (name) }
        div.note.note-warning {
            p.note-title { "This is for good." }
            p { (words::counted(revocation.nodes.len() as u64, "computer loses", "computers lose"))
                " access at once. What this hub wrote until now counts for everybody, for ever; what it \
                 writes from now on counts nowhere." }
        }
        @if !revocation.spaces.is_empty() {
            p { "It loses access to " (words::listed(&revocation.spaces)) "." }
        }
        (parts::form(&format!("{path}/revoke"), visit.csrf(), &html! {
            (parts::text_input("why", "Why", "Stands in the record of access.", "", None))
            (parts::text_input("name", &format!("Type the hub's name, {name}, to confirm"), "", "", problem))
            div.buttons {
                button.button.button-warning type="submit" { "End its access" }
                a href=(path) { "Leave it as it is" }
            }
        }))
    }
}

async fn revoke(
    visit: Visit,
    Extension(operations): Extension<Operations>,
    Path(code): Path<String>,
    Posted(form): Posted,
) -> Result<Response, PageError> {
    let (typed, why) = (form.get("name").to_owned(), form.get("why").to_owned());
    let name = visit.desk().hub_name(&code);
    let asked = code.clone();
    let done = at_desk(&visit, operations.clone(), move |desk| {
        match desk.revoke(&asked, &typed, &why) {
            Ok(_) => Ok(None),
            Err(error @ OperationError::NotNamed(_)) => {
                Ok(Some((desk.revocation(&asked)?, error.to_string())))
            }
            Err(error) => Err(error),
        }
    })
    .await?;
    if let Some((revocation, sentence)) = done {
        let problems = [Problem::new("name", words::capital(&sentence))];
        let body = revoke_form(&visit, &code, &name, &revocation, &problems);
        return Ok(visit.page(&format!("End the access of {name}"), &body));
    }
    visit.tell(Flash::done(format!("The access of {name} has ended.")));
    Ok(Redirect::to("/connections").into_response())
}
