//! Adding a member, and changing where one stands.

use axum::extract::Path;
use axum::response::Response;
use maud::html;
use node_domain::{FieldChange, Object, Problem};
use serde_json::Value;

use super::group::{Group, Member};
use super::session::{form_page, hidden, of, problem, read, save, to_group, told};
use super::{status_in_words, today};
use crate::records::{Desk, Find, RecordsError};
use crate::web::{Flash, Form, PageError, Posted, Visit, parts, words};

/// The steps that somebody takes in a group, in their order.
const STATUSES: [&str; 6] = [
    "applied",
    "waiting",
    "accepted",
    "started",
    "completed",
    "withdrawn",
];
/// How many people of a name are offered.
const OFFERED: u64 = 8;

/// Somebody known to the hub who may be meant.
struct Known {
    id: String,
    name: String,
    organisation: String,
}

/// `GET /work-groups/{id}/members/new`
pub(super) async fn new(visit: Visit, Path(id): Path<String>) -> Result<Response, PageError> {
    let group = read(&visit, id).await?;
    Ok(new_page(&visit, &group, &Form::default(), &[], &[]))
}

/// `POST /work-groups/{id}/members/new`
pub(super) async fn add(
    visit: Visit,
    Path(id): Path<String>,
    Posted(form): Posted,
) -> Result<Response, PageError> {
    let group = read(&visit, id.clone()).await?;
    let mut problems = Vec::new();
    if form.get("organisation").is_empty() {
        let message = "Give the school or organisation";
        problems.push(problem("organisation", message));
    }
    let name = form.get("name").to_owned();
    if problems.is_empty() && !name.is_empty() && form.find("person").is_none() {
        let known = visit.work(move |desk| known(desk, &name)).await?;
        return Ok(new_page(&visit, &group, &form, &known, &problems));
    }
    if problems.is_empty() {
        match added(&visit, &group, &form).await {
            Ok(()) => return Ok(to_group(&id)),
            Err(error) => problems = told(error)?,
        }
    }
    Ok(new_page(&visit, &group, &form, &[], &problems))
}

async fn added(visit: &Visit, group: &Group, form: &Form) -> Result<(), PageError> {
    let mut values = Object::new();
    for name in ["organisation", "urn", "role"] {
        let value = form.get(name);
        if !value.is_empty() {
            values.insert(name.to_owned(), Value::from(value));
        }
    }
    let person = match form.get("person") {
        "new" => Some(new_person(visit, form).await?),
        "" | "nobody" => None,
        known => Some(known.to_owned()),
    };
    if let Some(person) = person {
        values.insert("person".to_owned(), Value::from(person));
    }
    // One edit makes the member and says where they stand, so that no other sees half of it.
    let member = data_encoding::HEXLOWER.encode(&crate::random::<10>());
    let status = match form.get("status") {
        "" => "applied",
        status => status,
    };
    let standing = stands(&member, status, &today());
    let member = FieldChange::Add {
        field: "members".to_owned(),
        after: None,
        id: Some(member),
        values,
    };
    save(visit, &group.id, form.get("heads"), vec![member, standing]).await?;
    let organisation = form.get("organisation");
    visit.tell(Flash::done(format!(
        "A member from {organisation} is added."
    )));
    Ok(())
}

async fn new_person(visit: &Visit, form: &Form) -> Result<String, PageError> {
    let mut values = Object::new();
    for (field, name) in [
        ("name", "name"),
        ("email", "email"),
        ("organisation", "organisation"),
        ("urn", "urn"),
        ("job_role", "role"),
    ] {
        let value = form.get(name);
        if !value.is_empty() {
            values.insert(field.to_owned(), Value::from(value));
        }
    }
    let values = Value::Object(values).to_string();
    let made = visit
        .work(move |desk| desk.create("person", "", &values))
        .await?;
    Ok(made.id.to_string())
}

fn known(desk: &Desk, name: &str) -> Result<Vec<Known>, RecordsError> {
    let find = Find {
        kind: "person".to_owned(),
        words: name.to_owned(),
        limit: OFFERED,
        ..Find::default()
    };
    let listed = desk.find(&find)?.records.into_iter();
    let known = listed.map(|record| {
        let columns = serde_json::from_str::<Object>(&record.json).unwrap_or_default();
        let organisation = columns.get("organisation").and_then(Value::as_str);
        Known {
            id: record.id.to_string(),
            name: record.title,
            organisation: organisation.unwrap_or_default().to_owned(),
        }
    });
    Ok(known.collect())
}

/// `GET /work-groups/{id}/members/{member}/status`
pub(super) async fn status(
    visit: Visit,
    Path((id, member)): Path<(String, String)>,
) -> Result<Response, PageError> {
    let group = named(&visit, id).await?;
    let member = group.member(&member).ok_or_else(PageError::missing)?;
    Ok(status_page(&visit, &group, member, &Form::default(), &[]))
}

/// `POST /work-groups/{id}/members/{member}/status`
pub(super) async fn set_status(
    visit: Visit,
    Path((id, member)): Path<(String, String)>,
    Posted(form): Posted,
) -> Result<Response, PageError> {
    let group = named(&visit, id.clone()).await?;
    let member = group.member(&member).ok_or_else(PageError::missing)?;
    let (status, as_at) = (form.get("status"), form.get("as_at"));
    let mut problems = Vec::new();
    if status.is_empty() {
        problems.push(problem("status", "Choose where they stand"));
    }
    if as_at.is_empty() {
        problems.push(problem("as_at", "Give the day from which this holds"));
    }
    if problems.is_empty() {
        let change = stands(&member.id, status, as_at);
        match save(&visit, &id, form.get("heads"), vec![change]).await {
            Ok(()) => {
                told_status(&visit, &id, &member.id, status).await?;
                return Ok(to_group(&id));
            }
            Err(error) => problems = told(error)?,
        }
    }
    Ok(status_page(&visit, &group, member, &form, &problems))
}

/// Says where a member stands now: not always where somebody wished, if no place is left.
async fn told_status(visit: &Visit, id: &str, member: &str, wished: &str) -> Result<(), PageError> {
    let group = named(visit, id.to_owned()).await?;
    let Some(member) = group.member(member) else {
        return Ok(());
    };
    if member.status == wished {
        let stands = status_in_words(wished).to_lowercase();
        visit.tell(Flash::done(format!("{}: {stands}.", member.title())));
    }
    Ok(())
}

async fn named(visit: &Visit, id: String) -> Result<Group, PageError> {
    visit
        .work(move |desk| {
            let mut group = Group::read(desk, &id, &today())?;
            group.name_members(desk)?;
            Ok::<_, RecordsError>(group)
        })
        .await
}

fn stands(member: &str, status: &str, as_at: &str) -> FieldChange {
    let values = [("member", member), ("status", status), ("as_at", as_at)];
    let values = values
        .into_iter()
        .map(|(name, value)| (name.to_owned(), Value::from(value)));
    FieldChange::add("statuses", values.collect())
}

fn options(statuses: &[&str]) -> Vec<(String, String)> {
    let options = statuses.iter();
    options
        .map(|status| ((*status).to_owned(), status_in_words(status).to_owned()))
        .collect()
}

fn new_page(
    visit: &Visit,
    group: &Group,
    form: &Form,
    known: &[Known],
    problems: &[Problem],
) -> Response {
    let asks_who = form.has("name") && form.has("organisation") && problems.is_empty();
    let heads = form.find("heads").unwrap_or(&group.heads);
    let input = |kind: &str, name: &str, label: &str, help: &str| {
        parts::typed_input(kind, name, label, help, form.get(name), of(problems, name))
    };
    let status = form.find("status").unwrap_or("applied");
    let statuses = options(&["applied", "accepted", "waiting"]);
    let inner = html! {
        (hidden("heads", heads))
        @if asks_who {
            @for name in ["organisation", "urn", "role", "name", "status"] {
                (hidden(name, form.get(name)))
            }
            (who(visit, form.get("name"), known))
        } @else {
            (input("text", "organisation", "School or organisation", ""))
            (input("text", "urn", "The school's number (URN)", "Six digits. Leave it empty if you do not know it."))
            (input("text", "name", "Name of the teacher", "Leave it empty if it is not known yet who comes."))
            (input("text", "role", "Role", "Such as maths lead or teacher of year 4."))
            (parts::radios("status", "Where they stand", "", &statuses, status, of(problems, "status")))
        }
        div.buttons {
            (parts::button(if asks_who { "Add the member" } else { "Continue" }))
            a href={ "/work-groups/" (group.id) } { "Cancel" }
        }
    };
    let action = format!("/work-groups/{}/members/new", group.id);
    let body = parts::form(&action, visit.csrf(), &inner);
    let title = if asks_who {
        format!("Who is {}?", form.get("name"))
    } else {
        "Add a member".to_owned()
    };
    form_page(visit, group, &title, problems, &body)
}

/// The question which of those who are known is meant.
fn who(visit: &Visit, name: &str, known: &[Known]) -> maud::Markup {
    let mut people = known
        .iter()
        .map(|known| {
            let beside = match known.organisation.as_str() {
                "" => String::new(),
                organisation => format!(", {organisation}"),
            };
            (known.id.clone(), format!("{}{beside}", known.name))
        })
        .collect::<Vec<_>>();
    let creates = visit.desk().creates("person");
    if creates {
        people.push(("new".to_owned(), format!("{name} is new to this hub")));
    }
    people.push(("nobody".to_owned(), "Leave the name out for now".to_owned()));
    let chosen = people.first().map(|(id, _)| id.clone()).unwrap_or_default();
    html! {
        (parts::radios("person", "People known to this hub", "", &people, &chosen, None))
        @if creates {
            (parts::typed_input("email", "email", "E-mail, if they are new", "It stays in this hub.", "", None))
        }
    }
}

fn status_page(
    visit: &Visit,
    group: &Group,
    member: &Member,
    form: &Form,
    problems: &[Problem],
) -> Response {
    let heads = form.find("heads").unwrap_or(&group.heads);
    let as_at = form.find("as_at").map_or_else(today, str::to_owned);
    let status = form.get("status");
    let others = STATUSES.iter().copied();
    let others = others.filter(|it| *it != member.status);
    let statuses = options(&others.collect::<Vec<_>>());
    let full = match group.places() {
        Some((issued, ..=0)) => format!(
            "All {issued} places are taken. Whoever is accepted now goes on the waiting list."
        ),
        Some((_, left)) => {
            let verb = if left == 1 { "is" } else { "are" };
            let left = u64::try_from(left).unwrap_or(0);
            format!("{} {verb} left.", words::counted(left, "place", "places"))
        }
        None => String::new(),
    };
    let inner = html! {
        (hidden("heads", heads))
        (parts::radios("status", "They are now", &full, &statuses, status, of(problems, "status")))
        (parts::typed_input("date", "as_at", "Since", "", &as_at, of(problems, "as_at")))
        div.buttons {
            (parts::button("Save"))
            a href={ "/work-groups/" (group.id) } { "Leave it as it is" }
        }
    };
    let action = format!("/work-groups/{}/members/{}/status", group.id, member.id);
    let stands = status_in_words(&member.status).to_lowercase();
    let body = html! {
        @if !member.beside().is_empty() { p.soft { (member.beside()) } }
        p.lead {
            "Now: " (stands)
            @if !member.since.is_empty() { ", since " (words::day(&member.since)) }
            "."
        }
        (parts::form(&action, visit.csrf(), &inner))
    };
    let title = format!("Where {} stands", member.title());
    form_page(visit, group, &title, problems, &body)
}
