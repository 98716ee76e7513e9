//! Adding a member, and changing where one stands.

use axum::extract::Path;
use axum::response::Response;
use maud::html;
use node_domain::{FieldChange, Object, PERSON, WORK_GROUP};
use serde_json::Value;

use super::group::{Group, Member};
use super::session::{
    Again, draft, form_page, heads, hidden, of, path_of, problem, read, save, saved, to_group,
};
use super::{status_in_words, today};
use crate::records::{Desk, Find, RecordsError};
use crate::web::record::{
    Editing, Saving, added_by, adds, draft_of, form as kept_form, refused_with, save_with,
};
use crate::web::{Form, PageError, Posted, Visit, parts, words};

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
    new_page(&visit, &group, None, &[], &Again::default()).await
}

/// `POST /work-groups/{id}/members/new`
pub(super) async fn add(
    visit: Visit,
    Path(id): Path<String>,
    Posted(form): Posted,
) -> Result<Response, PageError> {
    let group = read(&visit, id.clone()).await?;
    let mut again = Again::default();
    if form.get("organisation").is_empty() {
        let message = "Give the school or organisation";
        again.problems.push(problem("organisation", message));
    }
    let name = form.get("name").to_owned();
    if again.problems.is_empty() && !name.is_empty() && form.find("person").is_none() {
        let known = visit.work(move |desk| known(desk, &name)).await?;
        return new_page(&visit, &group, Some(&form), &known, &again).await;
    }
    if again.problems.is_empty() {
        let asked = form.clone();
        let adding = visit.work(move |desk| added(desk, id, &asked)).await?;
        match saved(adding) {
            Ok(saved) => {
                let done = format!("A member from {} is added.", form.get("organisation"));
                return Ok(to_group(&visit, &saved, &done));
            }
            Err(wrong) => again = wrong,
        }
    }
    new_page(&visit, &group, Some(&form), &[], &again).await
}

/// Adds a member, and the card of whoever is new to the hub: the card once it is certain that the
/// member can be added.
fn added(desk: &Desk, id: String, form: &Form) -> Result<Saving, RecordsError> {
    let mut editing = Editing {
        id,
        heads: form.get("heads").to_owned(),
        changes: adding(form, None),
    };
    let person = match form.get("person") {
        "" | "nobody" => None,
        "new" => {
            if let Some(refused) = refused_with(desk, &editing)? {
                return Ok(refused);
            }
            Some(new_person(desk, form)?)
        }
        known => Some(known.to_owned()),
    };
    if person.is_some() {
        editing.changes = adding(form, person);
    }
    save_with(desk, &editing)
}

/// One edit makes the member and says where they stand, so that no other sees half of it.
fn adding(form: &Form, person: Option<String>) -> Vec<FieldChange> {
    let mut values = filled(
        form,
        ["organisation", "urn", "role"].map(|name| (name, name)),
    );
    if let Some(person) = person {
        values.insert("person".to_owned(), Value::from(person));
    }
    let member = added_by(form);
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
    vec![member, standing]
}

/// Makes the card of somebody new; the same card where the same form comes again.
fn new_person(desk: &Desk, form: &Form) -> Result<String, RecordsError> {
    let fields = [
        ("name", "name"),
        ("email", "email"),
        ("organisation", "organisation"),
        ("urn", "urn"),
        ("job_role", "role"),
    ];
    let values = Value::Object(filled(form, fields)).to_string();
    let made = desk.create_once(PERSON.name, "", &values, &added_by(form))?;
    Ok(made.id.to_string())
}

/// What a form says, by the names of fields and of inputs.
fn filled<const N: usize>(form: &Form, names: [(&str, &str); N]) -> Object {
    let filled = names.map(|(field, name)| (field.to_owned(), form.get(name)));
    let filled = filled.into_iter().filter(|(_, value)| !value.is_empty());
    filled
        .map(|(field, value)| (field, Value::from(value)))
        .collect()
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
    let group = named(&visit, id, today()).await?;
    let member = group.member(&member).ok_or_else(PageError::missing)?;
    status_page(&visit, &group, member, None, &Again::default()).await
}

/// `POST /work-groups/{id}/members/{member}/status`
pub(super) async fn set_status(
    visit: Visit,
    Path((id, member)): Path<(String, String)>,
    Posted(form): Posted,
) -> Result<Response, PageError> {
    let group = named(&visit, id.clone(), today()).await?;
    let member = group.member(&member).ok_or_else(PageError::missing)?;
    let (status, as_at) = (form.get("status"), form.get("as_at"));
    let mut again = Again::default();
    if status.is_empty() {
        let message = "Choose where they stand";
        again.problems.push(problem("status", message));
    }
    if as_at.is_empty() {
        let message = "Give the day from which this holds";
        again.problems.push(problem("as_at", message));
    }
    if again.problems.is_empty() {
        let change = FieldChange::Add {
            field: "statuses".to_owned(),
            after: None,
            id: Some(added_by(&form)),
            values: standing(&member.id, status, as_at),
        };
        match save(&visit, &id, form.get("heads"), vec![change]).await? {
            Ok(saved) => {
                let done = stands_now(&visit, &id, &member.id, as_at).await?;
                return Ok(to_group(&visit, &saved, &done));
            }
            Err(wrong) => again = wrong,
        }
    }
    status_page(&visit, &group, member, Some(&form), &again).await
}

/// Where a member stands now, or from a day to come: not always where somebody wished, if no place
/// is left or they stood there later.
async fn stands_now(
    visit: &Visit,
    id: &str,
    member: &str,
    as_at: &str,
) -> Result<String, PageError> {
    let day = today().max(as_at.to_owned());
    let from = if day > today() {
        format!("from {} ", words::day(&day))
    } else {
        String::new()
    };
    let group = named(visit, id.to_owned(), day).await?;
    let Some(member) = group.member(member) else {
        return Ok("Saved.".to_owned());
    };
    let stands = status_in_words(&member.status).to_lowercase();
    Ok(format!("{}: {from}{stands}.", member.title()))
}

async fn named(visit: &Visit, id: String, day: String) -> Result<Group, PageError> {
    visit
        .work(move |desk| {
            let mut group = Group::read(desk, &id, &day)?;
            group.name_members(desk)?;
            Ok::<_, RecordsError>(group)
        })
        .await
}

fn stands(member: &str, status: &str, as_at: &str) -> FieldChange {
    FieldChange::add("statuses", standing(member, status, as_at))
}

fn standing(member: &str, status: &str, as_at: &str) -> Object {
    let values = [("member", member), ("status", status), ("as_at", as_at)];
    let values = values.map(|(name, value)| (name.to_owned(), Value::from(value)));
    values.into_iter().collect()
}

fn options(statuses: &[&str]) -> Vec<(String, String)> {
    let options = statuses.iter();
    options
        .map(|status| ((*status).to_owned(), status_in_words(status).to_owned()))
        .collect()
}

async fn new_page(
    visit: &Visit,
    group: &Group,
    form: Option<&Form>,
    known: &[Known],
    again: &Again,
) -> Result<Response, PageError> {
    let typed = |name: &str| form.map_or("", |form| form.get(name));
    let complete = !typed("name").is_empty() && !typed("organisation").is_empty();
    let asks_who = complete && again.problems.is_empty() && !again.too_old;
    let problem = |name: &str| of(&again.problems, name);
    let input = |kind: &str, name: &str, label: &str, help: &str| {
        parts::typed_input(kind, name, label, help, typed(name), problem(name))
    };
    let status = form.and_then(|form| form.find("status"));
    let status = status.unwrap_or("applied");
    let statuses = options(&["applied", "accepted", "waiting"]);
    let inner = html! {
        (adds(form))
        @if asks_who {
            @for name in ["organisation", "urn", "role", "name", "status"] {
                (hidden(name, typed(name)))
            }
            (who(visit, typed("name"), known))
        } @else {
            (input("text", "organisation", "School or organisation", ""))
            (input("text", "urn", "The school's number (URN)", "Six digits. Leave it empty if you do not know it."))
            (input("text", "name", "Name of the teacher", "Leave it empty if it is not known yet who comes."))
            (input("text", "role", "Role", "Such as maths lead or teacher of year 4."))
            (parts::radios("status", "Where they stand", "", &statuses, status, problem("status")))
        }
        div.buttons {
            (parts::button(if asks_who { "Add the member" } else { "Continue" }))
            a href=(path_of(&group.id)) { "Cancel" }
        }
    };
    let action = format!("{}/members/new", path_of(&group.id));
    // The question who is meant is no draft of its own: what was typed is the first page's.
    let draft = if asks_who {
        None
    } else {
        draft_of_member(visit, &action).await?
    };
    let heads = heads(group, form, again);
    let body = kept_form(visit, &action, draft.as_deref(), heads, &inner);
    let title = if asks_who {
        format!("Who is {}?", typed("name"))
    } else {
        "Add a member".to_owned()
    };
    Ok(form_page(visit, group, &title, again, &body))
}

/// Who takes part is personal, whether there is a card of them yet or not.
async fn draft_of_member(visit: &Visit, path: &str) -> Result<Option<String>, PageError> {
    let path = path.to_owned();
    let work = move |desk: &Desk| {
        let list = WORK_GROUP.field("members").into_iter();
        let fields = list.flat_map(|list| list.items().unwrap_or_default());
        let fields = fields.chain(PERSON.field("name"));
        draft_of(desk, &path, &fields.collect::<Vec<_>>())
    };
    visit.work(work).await
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

async fn status_page(
    visit: &Visit,
    group: &Group,
    member: &Member,
    form: Option<&Form>,
    again: &Again,
) -> Result<Response, PageError> {
    let as_at = form.and_then(|form| form.find("as_at"));
    let as_at = as_at.map_or_else(today, str::to_owned);
    let status = form.map_or("", |form| form.get("status"));
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
    let problem = |name: &str| of(&again.problems, name);
    let inner = html! {
        (adds(form))
        (parts::radios("status", "They are now", &full, &statuses, status, problem("status")))
        (parts::typed_input("date", "as_at", "Since", "", &as_at, problem("as_at")))
        div.buttons {
            (parts::button("Save"))
            a href=(path_of(&group.id)) { "Leave it as it is" }
        }
    };
    let action = format!("{}/members/{}/status", path_of(&group.id), member.id);
    let draft = draft(visit, &action, &["statuses"]).await?;
    let heads = heads(group, form, again);
    let stands = status_in_words(&member.status).to_lowercase();
    let body = html! {
        @if !member.beside().is_empty() { p.soft { (member.beside()) } }
        p.lead {
            "Now: " (stands)
            @if !member.since.is_empty() { ", since " (words::day(&member.since)) }
            "."
        }
        (kept_form(visit, &action, draft.as_deref(), heads, &inner))
    };
    let title = format!("Where {} stands", member.title());
    Ok(form_page(visit, group, &title, again, &body))
}
