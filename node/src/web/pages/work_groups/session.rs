//! Adding, moving, cancelling and finishing a session.

use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};
use node_domain::{FieldChange, Object, Problem};
use serde_json::{Value, json};

use super::group::{Group, Session};
use super::{json as written, styles, today, when};
use crate::web::{Flash, Form, PageError, Posted, Visit, parts, words};

/// `GET /work-groups/{id}/sessions/new`
pub(super) async fn new(visit: Visit, Path(id): Path<String>) -> Result<Response, PageError> {
    let group = read(&visit, id).await?;
    Ok(new_page(&visit, &group, &Form::default(), &[]))
}

/// `POST /work-groups/{id}/sessions/new`
pub(super) async fn add(
    visit: Visit,
    Path(id): Path<String>,
    Posted(form): Posted,
) -> Result<Response, PageError> {
    let mut values = Object::new();
    for name in ["date", "start", "venue", "mode"] {
        let value = form.get(name);
        if !value.is_empty() {
            values.insert(name.to_owned(), Value::from(value));
        }
    }
    let mut problems = Vec::new();
    match form.get("minutes") {
        "" => {}
        text => match text.parse::<i64>() {
            Ok(minutes) => {
                values.insert("minutes".to_owned(), json!(minutes));
            }
            Err(_) => problems.push(problem(
                "minutes",
                "Give the minutes as a number, such as 90",
            )),
        },
    }
    if form.get("date").is_empty() {
        problems.push(problem("date", "Give the date of the session"));
    }
    if problems.is_empty() {
        let change = FieldChange::add("sessions", values);
        match save(&visit, &id, form.get("heads"), vec![change]).await {
            Ok(()) => {
                let day = words::weekday(form.get("date"));
                visit.tell(Flash::done(format!("The session on {day} is added.")));
                return Ok(to_group(&id));
            }
            Err(error) => problems = told(error)?,
        }
    }
    let group = read(&visit, id).await?;
    Ok(new_page(&visit, &group, &form, &problems))
}

/// `GET /work-groups/{id}/sessions/{session}/move`
pub(super) async fn moving(
    visit: Visit,
    Path((id, session)): Path<(String, String)>,
) -> Result<Response, PageError> {
    let group = read(&visit, id).await?;
    let session = group.session(&session).ok_or_else(PageError::missing)?;
    Ok(move_page(&visit, &group, session, None, &[]))
}

/// `POST /work-groups/{id}/sessions/{session}/move`
pub(super) async fn move_to(
    visit: Visit,
    Path((id, session)): Path<(String, String)>,
    Posted(form): Posted,
) -> Result<Response, PageError> {
    let group = read(&visit, id.clone()).await?;
    let session = group.session(&session).ok_or_else(PageError::missing)?;
    let (date, because) = (form.get("date"), form.get("moved_because"));
    let mut problems = Vec::new();
    if date.is_empty() {
        problems.push(problem("date", "Give the new date"));
    }
    if because.is_empty() {
        problems.push(problem("moved_because", "Say why the session is moved"));
    }
    if problems.is_empty() {
        let changes = moved(&form, session);
        match save(&visit, &id, form.get("heads"), changes).await {
            Ok(()) => {
                let day = words::weekday(date);
                visit.tell(Flash::done(format!(
                    "Session {} is on {day} now.",
                    session.number
                )));
                return Ok(to_group(&id));
            }
            Err(error) => problems = told(error)?,
        }
    }
    Ok(move_page(&visit, &group, session, Some(&form), &problems))
}

/// The changes that move a session: what the form says otherwise than its page showed.
fn moved(form: &Form, session: &Session) -> Vec<FieldChange> {
    let path = |name: &str| format!("sessions/{}/{name}", session.id);
    let mut changes = Vec::new();
    for name in ["date", "start", "venue"] {
        let (value, was) = (form.get(name), form.get(&format!("was_{name}")).to_owned());
        if value != was {
            let value = if value.is_empty() {
                Value::Null
            } else {
                Value::from(value)
            };
            changes.push(FieldChange::set(path(name), value));
        }
    }
    changes.push(FieldChange::set(
        path("moved_because"),
        form.get("moved_because"),
    ));
    changes.push(FieldChange::set(path("state"), "moved"));
    changes
}

/// `POST /work-groups/{id}/sessions/{session}/held`
pub(super) async fn held(
    visit: Visit,
    Path((id, session)): Path<(String, String)>,
    Posted(form): Posted,
) -> Result<Response, PageError> {
    let group = read(&visit, id.clone()).await?;
    let session = group.session(&session).ok_or_else(PageError::missing)?;
    if session.date > today() {
        visit.tell(Flash::warning(format!(
            "Session {} is on {}, so it cannot have been held yet. Move it first if it came \
             earlier.",
            session.number,
            words::weekday(&session.date)
        )));
        return Ok(to_group(&id));
    }
    let change = FieldChange::set(format!("sessions/{}/state", session.id), "held");
    save(&visit, &id, form.get("heads"), vec![change]).await?;
    let done = format!(
        "Session {} was held; its register is finished.",
        session.number
    );
    visit.tell(Flash::done(done));
    Ok(to_group(&id))
}

/// `POST /work-groups/{id}/sessions/{session}/cancel`
pub(super) async fn cancel(
    visit: Visit,
    Path((id, session)): Path<(String, String)>,
    Posted(form): Posted,
) -> Result<Response, PageError> {
    let group = read(&visit, id.clone()).await?;
    let session = group.session(&session).ok_or_else(PageError::missing)?;
    let change = FieldChange::set(format!("sessions/{}/state", session.id), "cancelled");
    save(&visit, &id, form.get("heads"), vec![change]).await?;
    visit.tell(Flash::done(format!(
        "Session {} is cancelled.",
        session.number
    )));
    Ok(to_group(&id))
}

pub(super) async fn read(visit: &Visit, id: String) -> Result<Group, PageError> {
    visit
        .work(move |desk| Group::read(desk, &id, &today()))
        .await
}

/// Saves changes made from a page, and says what was done otherwise than asked.
pub(super) async fn save(
    visit: &Visit,
    id: &str,
    heads: &str,
    changes: Vec<FieldChange>,
) -> Result<(), PageError> {
    let (id, heads, changes) = (id.to_owned(), heads.to_owned(), written(&changes));
    let saved = visit
        .work(move |desk| desk.edit(&id, &heads, &changes))
        .await?;
    for note in saved.notes {
        visit.tell(Flash::warning(words::capital(&note)));
    }
    Ok(())
}

/// What is wrong with a form, if that is why it was not taken.
pub(super) fn told(error: PageError) -> Result<Vec<Problem>, PageError> {
    if error.status() == StatusCode::UNPROCESSABLE_ENTITY && !error.problems().is_empty() {
        let last = |field: &str| field.rsplit('/').next().unwrap_or_default().to_owned();
        let problems = error.problems().iter().map(|problem| Problem {
            field: last(&problem.field),
            message: problem.message.clone(),
        });
        return Ok(problems.collect());
    }
    Err(error)
}

pub(super) fn problem(field: &str, message: &str) -> Problem {
    Problem {
        field: field.to_owned(),
        message: message.to_owned(),
    }
}

/// What is wrong with one field.
pub(super) fn of<'a>(problems: &'a [Problem], field: &str) -> Option<&'a str> {
    let found = problems.iter().find(|problem| problem.field == field);
    found.map(|problem| problem.message.as_str())
}

pub(super) fn to_group(id: &str) -> Response {
    Redirect::to(&format!("/work-groups/{id}")).into_response()
}

/// A page with one form, back to the group it belongs to.
pub(super) fn form_page(
    visit: &Visit,
    group: &Group,
    title: &str,
    problems: &[Problem],
    body: &Markup,
) -> Response {
    let body = html! {
        (styles())
        (parts::back(&format!("/work-groups/{}", group.id), group.text("title")))
        (parts::error_summary(problems))
        h1 { (title) }
        (body)
    };
    visit.page(title, &body)
}

pub(super) fn hidden(name: &str, value: &str) -> Markup {
    html! { input type="hidden" name=(name) value=(value); }
}

fn new_page(visit: &Visit, group: &Group, form: &Form, problems: &[Problem]) -> Response {
    let own = |text: &str| (text.to_owned(), words::capital(text));
    let modes = ["in person", "online", "both"].map(own);
    let heads = form.find("heads").unwrap_or(&group.heads);
    let mode = form.find("mode").unwrap_or("in person");
    let input = |kind: &str, name: &str, label: &str, help: &str| {
        parts::typed_input(kind, name, label, help, form.get(name), of(problems, name))
    };
    let inner = html! {
        (hidden("heads", heads))
        (input("date", "date", "Date", ""))
        (input("time", "start", "Starts at", ""))
        (input("number", "minutes", "How many minutes long", "Such as 90. Leave it empty if you do not know yet."))
        (input("text", "venue", "Where", "The school or room, or the name of the online meeting."))
        (parts::radios("mode", "How people meet", "", &modes, mode, of(problems, "mode")))
        div.buttons {
            (parts::button("Add the session"))
            a href={ "/work-groups/" (group.id) } { "Cancel" }
        }
    };
    let action = format!("/work-groups/{}/sessions/new", group.id);
    let body = parts::form(&action, visit.csrf(), &inner);
    form_page(visit, group, "Add a session", problems, &body)
}

fn move_page(
    visit: &Visit,
    group: &Group,
    session: &Session,
    form: Option<&Form>,
    problems: &[Problem],
) -> Response {
    let typed = |name: &str, stands: &str| {
        let typed = form.map(|form| form.get(name).to_owned());
        typed.unwrap_or_else(|| stands.to_owned())
    };
    let was = |name: &str, stands: &str| typed(&format!("was_{name}"), stands);
    let input = |kind: &str, name: &str, label: &str, stands: &str| {
        html! {
            (hidden(&format!("was_{name}"), &was(name, stands)))
            (parts::typed_input(kind, name, label, "", &typed(name, stands), of(problems, name)))
        }
    };
    let path = format!("/work-groups/{}/sessions/{}", group.id, session.id);
    let heads = typed("heads", &group.heads);
    let inner = html! {
        (hidden("heads", &heads))
        (input("date", "date", "New date", &session.date))
        (input("time", "start", "Starts at", &session.start))
        (input("text", "venue", "Where", &session.venue))
        (parts::text_input(
            "moved_because",
            "Why it is moved",
            "Whoever else leads this group sees it beside the new date.",
            &typed("moved_because", ""),
            of(problems, "moved_because"),
        ))
        div.buttons {
            (parts::button("Move the session"))
            a href={ "/work-groups/" (group.id) } { "Leave it as it is" }
        }
    };
    let cancel = html! {
        (hidden("heads", &heads))
        button.button-link type="submit" { "Cancel session " (session.number) " altogether" }
    };
    let body = html! {
        p.lead { "It is on " (when(session)) " now." }
        (parts::form(&format!("{path}/move"), visit.csrf(), &inner))
        (parts::form(&format!("{path}/cancel"), visit.csrf(), &cancel))
    };
    let title = format!("Move session {}", session.number);
    form_page(visit, group, &title, problems, &body)
}
