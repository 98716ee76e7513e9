//! Adding, moving, cancelling and finishing a session.

use axum::extract::Path;
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};
use node_domain::{FieldChange, Object, Problem, WORK_GROUP};
use serde_json::{Value, json};

use super::super::edit::{status_of, too_old};
use super::group::{Group, Session};
use super::{styles, today, when};
use crate::records::Desk;
use crate::web::record::{Editing, Saved, Saving, added_by, adds, draft_of, form as kept_form};
use crate::web::{Flash, Form, PageError, Posted, Visit, parts, words};

/// Why a form is shown again.
#[derive(Debug, Default)]
pub(super) struct Again {
    /// What is wrong in it.
    pub(super) problems: Vec<Problem>,
    /// Whether it was made from what is too old to be merged.
    pub(super) too_old: bool,
}

/// `GET /work-groups/{id}/sessions/new`
pub(super) async fn new(visit: Visit, Path(id): Path<String>) -> Result<Response, PageError> {
    let group = read(&visit, id).await?;
    new_page(&visit, &group, None, &Again::default()).await
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
    let mut again = Again::default();
    match form.get("minutes") {
        "" => {}
        text => match text.parse::<i64>() {
            Ok(minutes) => {
                values.insert("minutes".to_owned(), json!(minutes));
            }
            Err(_) => again.problems.push(problem(
                "minutes",
                "Give the minutes as a number, such as 90",
            )),
        },
    }
    if form.get("date").is_empty() {
        let message = "Give the date of the session";
        again.problems.push(problem("date", message));
    }
    if again.problems.is_empty() {
        let change = FieldChange::Add {
            field: "sessions".to_owned(),
            after: None,
            id: Some(added_by(&form)),
            values,
        };
        match save(&visit, &id, form.get("heads"), vec![change]).await? {
            Ok(saved) => {
                let day = words::weekday(form.get("date"));
                let done = format!("The session on {day} is added.");
                return Ok(to_group(&visit, &saved, &done));
            }
            Err(wrong) => again = wrong,
        }
    }
    let group = read(&visit, id).await?;
    new_page(&visit, &group, Some(&form), &again).await
}

/// `GET /work-groups/{id}/sessions/{session}/move`
pub(super) async fn moving(
    visit: Visit,
    Path((id, session)): Path<(String, String)>,
) -> Result<Response, PageError> {
    let group = read(&visit, id).await?;
    let session = group.session(&session).ok_or_else(PageError::missing)?;
    move_page(&visit, &group, session, None, &Again::default()).await
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
    let mut again = Again::default();
    if date.is_empty() {
        again.problems.push(problem("date", "Give the new date"));
    }
    if because.is_empty() {
        let message = "Say why the session is moved";
        again.problems.push(problem("moved_because", message));
    }
    if again.problems.is_empty() {
        let changes = moved(&form, session);
        match save(&visit, &id, form.get("heads"), changes).await? {
            Ok(saved) => {
                let day = words::weekday(date);
                let done = format!("Session {} is on {day} now.", session.number);
                return Ok(to_group(&visit, &saved, &done));
            }
            Err(wrong) => again = wrong,
        }
    }
    move_page(&visit, &group, session, Some(&form), &again).await
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
        return Ok(Redirect::to(&path_of(&id)).into_response());
    }
    // Marks came since the page was made, mostly from itself: of what it showed, only what the
    // session was matters.
    let stood = form.get("stood");
    if !stood.is_empty() && stood != format!("{} {}", session.state, session.date) {
        visit.tell(Flash::warning(format!(
            "Session {} was changed meanwhile, so it does not count as held yet. Look at it as it \
             is now.",
            session.number
        )));
        return Ok(Redirect::to(&path_of(&id)).into_response());
    }
    let done = format!(
        "Session {} was held; its register is finished.",
        session.number
    );
    step(&visit, &group, session, (&group.heads, "held"), &done).await
}

/// `POST /work-groups/{id}/sessions/{session}/cancel`
pub(super) async fn cancel(
    visit: Visit,
    Path((id, session)): Path<(String, String)>,
    Posted(form): Posted,
) -> Result<Response, PageError> {
    let group = read(&visit, id.clone()).await?;
    let session = group.session(&session).ok_or_else(PageError::missing)?;
    let done = format!("Session {} is cancelled.", session.number);
    step(
        &visit,
        &group,
        session,
        (form.get("heads"), "cancelled"),
        &done,
    )
    .await
}

/// Brings a session into a state by a button, from what stood at these heads.
async fn step(
    visit: &Visit,
    group: &Group,
    session: &Session,
    (heads, state): (&str, &str),
    done: &str,
) -> Result<Response, PageError> {
    let change = FieldChange::set(format!("sessions/{}/state", session.id), state);
    match save(visit, &group.id, heads, vec![change]).await? {
        Ok(saved) => return Ok(to_group(visit, &saved, done)),
        Err(again) => {
            let problems = again.problems.into_iter().map(|problem| problem.message);
            let flash = Flash::warning("Nothing was changed. Look at the group as it is now.");
            visit.tell(flash.more(problems));
        }
    }
    Ok(Redirect::to(&path_of(&group.id)).into_response())
}

pub(super) async fn read(visit: &Visit, id: String) -> Result<Group, PageError> {
    visit
        .work(move |desk| Group::read(desk, &id, &today()))
        .await
}

/// Saves changes made from a page.
pub(super) async fn save(
    visit: &Visit,
    id: &str,
    heads: &str,
    changes: Vec<FieldChange>,
) -> Result<Result<Saved, Again>, PageError> {
    let editing = Editing {
        id: id.to_owned(),
        heads: heads.to_owned(),
        changes,
    };
    Ok(saved(crate::web::record::save(visit, editing).await?))
}

/// What was saved, or why the form is shown again.
pub(super) fn saved(saving: Saving) -> Result<Saved, Again> {
    let last = |field: &str| field.rsplit('/').next().unwrap_or_default().to_owned();
    match saving {
        Saving::Done(saved) => Ok(saved),
        Saving::Wrong(problems) => {
            let problems = problems.into_iter().map(|problem| Problem {
                field: last(&problem.field),
                message: problem.message,
            });
            Err(Again {
                problems: problems.collect(),
                too_old: false,
            })
        }
        Saving::TooOld => Err(Again {
            problems: Vec::new(),
            too_old: true,
        }),
    }
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

pub(super) fn path_of(group: &str) -> String {
    format!("/work-groups/{group}")
}

/// Back to the group, where it is said what was done, and can be undone.
pub(super) fn to_group(visit: &Visit, saved: &Saved, done: &str) -> Response {
    let back = path_of(&saved.id);
    let draft = visit.path().split('?').next().unwrap_or_default();
    saved.tell_that(visit, done, draft, &back);
    Redirect::to(&back).into_response()
}

/// A page with one form, back to the group it belongs to.
pub(super) fn form_page(
    visit: &Visit,
    group: &Group,
    title: &str,
    again: &Again,
    body: &Markup,
) -> Response {
    let body = html! {
        (styles())
        (parts::back(&path_of(&group.id), group.text("title")))
        (parts::error_summary(&again.problems))
        @if again.too_old { (too_old(&[])) }
        h1 { (title) }
        (body)
    };
    let status = status_of(again.too_old, &again.problems);
    (status, visit.page(title, &body)).into_response()
}

/// The heads from which a form was made: the group's own where the form was made anew.
pub(super) fn heads<'a>(group: &'a Group, form: Option<&'a Form>, again: &Again) -> &'a str {
    let carried = form.and_then(|form| form.find("heads"));
    carried.filter(|_| !again.too_old).unwrap_or(&group.heads)
}

/// The name under which a browser keeps what is typed into a form about items of these lists.
pub(super) async fn draft(
    visit: &Visit,
    path: &str,
    lists: &'static [&'static str],
) -> Result<Option<String>, PageError> {
    let path = path.to_owned();
    let work = move |desk: &Desk| {
        let lists = lists.iter().filter_map(|list| WORK_GROUP.field(list));
        let fields = lists.flat_map(|list| list.items().unwrap_or_default());
        draft_of(desk, &path, &fields.collect::<Vec<_>>())
    };
    visit.work(work).await
}

pub(super) fn hidden(name: &str, value: &str) -> Markup {
    html! { input type="hidden" name=(name) value=(value); }
}

async fn new_page(
    visit: &Visit,
    group: &Group,
    form: Option<&Form>,
    again: &Again,
) -> Result<Response, PageError> {
    let own = |text: &str| (text.to_owned(), words::capital(text));
    let modes = ["in person", "online", "both"].map(own);
    let typed = |name: &str| form.map_or("", |form| form.get(name));
    let mode = form.and_then(|form| form.find("mode"));
    let mode = mode.unwrap_or("in person");
    let problem = |name: &str| of(&again.problems, name);
    let input = |kind: &str, name: &str, label: &str, help: &str| {
        parts::typed_input(kind, name, label, help, typed(name), problem(name))
    };
    let inner = html! {
        (adds(form))
        (input("date", "date", "Date", ""))
        (input("time", "start", "Starts at", ""))
        (input("number", "minutes", "How many minutes long", "Such as 90. Leave it empty if you do not know yet."))
        (input("text", "venue", "Where", "The school or room, or the name of the online meeting."))
        (parts::radios("mode", "How people meet", "", &modes, mode, problem("mode")))
        div.buttons {
            (parts::button("Add the session"))
            a href=(path_of(&group.id)) { "Cancel" }
        }
    };
    let action = format!("{}/sessions/new", path_of(&group.id));
    let draft = draft(visit, &action, &["sessions"]).await?;
    let heads = heads(group, form, again);
    let body = kept_form(visit, &action, draft.as_deref(), heads, &inner);
    Ok(form_page(visit, group, "Add a session", again, &body))
}

async fn move_page(
    visit: &Visit,
    group: &Group,
    session: &Session,
    form: Option<&Form>,
    again: &Again,
) -> Result<Response, PageError> {
    let typed = |name: &str, stands: &str| {
        let typed = form.map(|form| form.get(name).to_owned());
        typed.unwrap_or_else(|| stands.to_owned())
    };
    let problem = |name: &str| of(&again.problems, name);
    let input = |kind: &str, name: &str, label: &str, stands: &str| {
        // A form that was too old is made anew: it says otherwise than the session does now.
        let was = if again.too_old {
            stands.to_owned()
        } else {
            typed(&format!("was_{name}"), stands)
        };
        html! {
            (hidden(&format!("was_{name}"), &was))
            (parts::typed_input(kind, name, label, "", &typed(name, stands), problem(name)))
        }
    };
    let path = format!("{}/sessions/{}", path_of(&group.id), session.id);
    let heads = heads(group, form, again);
    let inner = html! {
        (input("date", "date", "New date", &session.date))
        (input("time", "start", "Starts at", &session.start))
        (input("text", "venue", "Where", &session.venue))
        (parts::text_input(
            "moved_because",
            "Why it is moved",
            "Whoever else leads this group sees it beside the new date.",
            &typed("moved_because", ""),
            problem("moved_because"),
        ))
        div.buttons {
            (parts::button("Move the session"))
            a href=(path_of(&group.id)) { "Leave it as it is" }
        }
    };
    let cancel = html! {
        (hidden("heads", heads))
        button.button-link type="submit" { "Cancel session " (session.number) " altogether" }
    };
    let action = format!("{path}/move");
    let draft = draft(visit, &action, &["sessions"]).await?;
    let body = html! {
        p.lead { "It is on " (when(session)) " now." }
        (kept_form(visit, &action, draft.as_deref(), heads, &inner))
        (parts::form(&format!("{path}/cancel"), visit.csrf(), &cancel))
    };
    let title = format!("Move session {}", session.number);
    Ok(form_page(visit, group, &title, again, &body))
}
