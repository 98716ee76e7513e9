//! One field that stands in two versions: each beside its own author and time.

use axum::extract::{Path, Query};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};
use node_domain::{Field, Merge, Object, Problem, RecordError};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Told, happened, is_watch, path_of, settled, settled_list, text};
use crate::records::{Concerning, Desk, RecordsError};
use crate::web::record::{
    Choices, Filling, Names, Opened, control, field_at, place_of, placed, shown_at, values_from,
};
use crate::web::{Flash, Form, PageError, Posted, Visit, parts, words};

#[derive(Debug, Default, Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    field: String,
}

/// The versions of one field, or those of all of a record's fields to choose from.
struct Shown {
    record: Opened,
    /// What is open in the record.
    open: Vec<Value>,
    /// Which of it is shown whole.
    chosen: Option<usize>,
    /// The names of the hubs by their codes.
    hubs: std::collections::BTreeMap<String, String>,
    settled: Vec<Told>,
    choices: Choices,
    may_settle: bool,
    problems: Vec<Problem>,
    /// What is said to a page that is too old.
    stale: Option<String>,
    today: String,
}

impl Shown {
    fn one(&self) -> Option<&Value> {
        self.chosen.and_then(|at| self.open.get(at))
    }
}

fn shown(desk: &Desk, id: &str, field: &str, typed: Option<&Form>) -> Result<Shown, RecordsError> {
    let mut record = Opened::open(desk, id)?;
    let open = desk.versions(id, &Concerning::default())?.versions;
    let chosen = match (field, open.len()) {
        ("", 1) => Some(0),
        (field, _) => open.iter().position(|it| text(it, "field") == field),
    };
    let mut hubs = std::collections::BTreeMap::new();
    let mut named = Vec::new();
    for version in open
        .iter()
        .flat_map(|it| it["versions"].as_array().into_iter().flatten())
    {
        let code = text(version, "hub");
        if !code.is_empty() {
            hubs.insert(code.to_owned(), desk.hub_name(code));
        }
        collect(version, &mut named);
    }
    record.names.extend(Names::of_values(desk, named)?);
    let path = chosen
        .and_then(|at| open.get(at))
        .map_or("", |it| text(it, "field"));
    let fields = field_at(record.kind, path).into_iter().collect::<Vec<_>>();
    let choices = Choices::of(desk, &fields, &Object::new(), typed)?;
    Ok(Shown {
        settled: settled(desk, id)?,
        may_settle: record.access.settles(path),
        record,
        open,
        chosen,
        hubs,
        choices,
        problems: Vec::new(),
        stale: None,
        today: desk.today(),
    })
}

/// All texts of a version that may name something.
fn collect(value: &Value, into: &mut Vec<String>) {
    match value {
        Value::String(text) if text.len() < 70 => into.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| collect(item, into)),
        Value::Object(fields) => fields.values().for_each(|value| collect(value, into)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

pub(super) async fn show(
    visit: Visit,
    Path(id): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Response, PageError> {
    let shown = visit
        .work(move |desk| shown(desk, &id, &asked.field, None))
        .await?;
    Ok(page(&visit, &shown, None))
}

enum Settling {
    Done(Flash),
    Again(Box<Shown>),
}

pub(super) async fn settle(
    visit: Visit,
    Path(id): Path<String>,
    Posted(form): Posted,
) -> Result<Response, PageError> {
    let asked = form.clone();
    let record = id.clone();
    let settling = visit
        .work(move |desk| settled_by(desk, &record, &asked))
        .await?;
    match settling {
        Settling::Done(flash) => {
            visit.tell(flash);
            Ok(Redirect::to(&format!("/versions/{id}")).into_response())
        }
        Settling::Again(shown) => {
            let status = if shown.stale.is_some() {
                StatusCode::CONFLICT
            } else if shown.problems.is_empty() {
                StatusCode::OK
            } else {
                StatusCode::UNPROCESSABLE_ENTITY
            };
            Ok((status, page(&visit, &shown, Some(&form))).into_response())
        }
    }
}

fn settled_by(desk: &Desk, id: &str, form: &Form) -> Result<Settling, RecordsError> {
    let (path, heads) = (form.get("field"), form.get("heads"));
    let mut shown = shown(desk, id, path, Some(form))?;
    if shown.choices.is_looking() {
        return Ok(Settling::Again(Box::new(shown)));
    }
    let version = form.get("version");
    let done = match (version, field_at(shown.record.kind, path)) {
        ("as it is", _) => desk.settle_with(id, path, "null", heads),
        ("another", Some(field)) => {
            let values = values_from(form, &[field]);
            let value = values.get(field.name).unwrap_or(&Value::Null);
            if value.is_null() {
                shown.problems = vec![Problem {
                    field: field.name.to_owned(),
                    message: format!(
                        "'{}' is empty: enter what is right, or choose one above",
                        field.label
                    ),
                }];
                return Ok(Settling::Again(Box::new(shown)));
            }
            desk.settle_with(id, path, &value.to_string(), heads)
        }
        (number, _) => desk.settle_versions(id, path, number.parse().unwrap_or_default(), heads),
    };
    match done {
        Ok(()) => Ok(Settling::Done(Flash::done(
            "Settled. Everybody sees what was chosen, and history keeps the rest.",
        ))),
        Err(RecordsError::Stale | RecordsError::Heads | RecordsError::Version { .. }) => {
            shown.stale = Some(since(&shown, path));
            Ok(Settling::Again(Box::new(shown)))
        }
        Err(RecordsError::Record(RecordError::Problems(problems))) => {
            let fields = field_at(shown.record.kind, path)
                .into_iter()
                .collect::<Vec<_>>();
            shown.problems = placed(&problems, &fields);
            Ok(Settling::Again(Box::new(shown)))
        }
        Err(error) => Err(error),
    }
}

/// What happened since the page was made, for whoever comes too late.
fn since(shown: &Shown, path: &str) -> String {
    let by = shown
        .settled
        .iter()
        .find(|it| it.field == path && !it.reopened);
    match by.filter(|_| shown.one().is_none()) {
        Some(it) if it.chosen.is_empty() => {
            format!(
                "{} settled this on {}, and left it as it is.",
                it.who,
                words::moment(it.time_ms)
            )
        }
        Some(it) => format!(
            "{} settled this on {}, and chose “{}”.",
            it.who,
            words::moment(it.time_ms),
            it.chosen
        ),
        None if shown.one().is_none() => "It was settled meanwhile.".to_owned(),
        None => "The record has changed since you opened this page. Look again before you choose."
            .to_owned(),
    }
}

fn page(visit: &Visit, shown: &Shown, typed: Option<&Form>) -> Response {
    let record = &shown.record;
    let one = shown.one();
    let label = one.map_or_else(
        || "Two versions".to_owned(),
        |one| {
            if is_watch(one) {
                return words::capital(text(one, "sentence"));
            }
            let (path, label) = (text(one, "field"), text(one, "label"));
            words::capital(&place_of(record.kind, path, label, &record.names))
        },
    );
    let body = html! {
        (parts::back(&record.path(), "Back"))
        (parts::error_summary(&shown.problems))
        @if let Some(stale) = &shown.stale {
            div.note.note-warning role="alert" {
                p.note-title { "Nothing was changed by you" }
                p { (stale) }
            }
        }
        p.caption { (record.title()) }
        h1 { (label) }
        @match one {
            Some(one) => (versions(visit, shown, one, typed)),
            None => (to_choose_from(shown)),
        }
        (settled_list(visit, &shown.settled, false))
    };
    visit.page(&format!("{label}: {}", record.title()), &body)
}

fn to_choose_from(shown: &Shown) -> Markup {
    let record = &shown.record;
    html! {
        @if shown.open.is_empty() {
            p.lead { "Nothing here stands in two versions." }
        } @else {
            p.lead { (words::counted(shown.open.len() as u64, "thing stands", "things stand")) " in two versions." }
            ul.tasks {
                @for open in &shown.open {
                    @let (path, label) = (text(open, "field"), text(open, "label"));
                    li {
                        div {
                            a href=(path_of(&record.id, path)) {
                                (words::capital(&place_of(record.kind, path, label, &record.names)))
                            }
                            p { (happened(open)) }
                        }
                    }
                }
            }
        }
    }
}

fn versions(visit: &Visit, shown: &Shown, open: &Value, typed: Option<&Form>) -> Markup {
    let versions = open["versions"].as_array().map_or(&[][..], Vec::as_slice);
    let (path, watch) = (text(open, "field"), is_watch(open));
    html! {
        @if !watch { p.lead { (happened(open)) } }
        @if !shown.may_settle { p { "Your role sees this and does not choose." } }
        div.beside.versions {
            @for (index, version) in versions.iter().enumerate() {
                (one_version(visit, shown, open, version, index))
            }
        }
        @if shown.may_settle {
            @if watch || text(open, "cause") == "Sentence" {
                div.buttons {
                    (settle_form(visit, shown, open, "as it is", &html! {
                        button.button type="submit" { "It is well as it is" }
                    }))
                    @if watch { a href=(shown.record.path()) { "Change the record" } }
                }
                @if watch { p.soft { "It goes from here by itself once it no longer holds." } }
            }
            @if let Some(field) = field_at(shown.record.kind, path).filter(|_| !watch) {
                (another(visit, shown, (open, field), typed))
            }
        }
    }
}

fn one_version(
    visit: &Visit,
    shown: &Shown,
    open: &Value,
    version: &Value,
    index: usize,
) -> Markup {
    let (kind, names) = (shown.record.kind, &shown.record.names);
    let path = text(open, "field");
    let code = text(version, "hub");
    let hub = shown.hubs.get(code).map_or(code, String::as_str);
    let time = version["time_ms"].as_u64();
    let before = version["before"].as_array().map_or(&[][..], Vec::as_slice);
    let with = version["with"].as_array().map_or(&[][..], Vec::as_slice);
    let watch = is_watch(open);
    let other = &version["value"]["record"];
    html! {
        div.card {
            h2 { @if hub.is_empty() { "Found here" } @else { (hub) } }
            @if let Some(time) = time { p.soft { (words::moment(time)) } }
            div.version-value {
                @if let (Some(id), Some(title)) = (other.as_str(), version["value"]["title"].as_str()) {
                    a href={ "/open/" (id) } { (title) }
                } @else {
                    (shown_at(kind, path, &version["value"], names))
                }
            }
            @for beside in with {
                p.small {
                    "With it: " (text(beside, "label")) ": "
                    (crate::web::record::words_at(kind, text(beside, "field"), &beside["value"], names))
                }
            }
            @if !watch {
                p.soft.small {
                    "Before, it said: "
                    @if before.is_empty() { "nothing" }
                    @for (index, stood) in before.iter().enumerate() {
                        @if index > 0 { "; and " }
                        (crate::web::record::words_at(kind, path, stood, names))
                    }
                }
            }
            @if shown.may_settle && !watch {
                (settle_form(visit, shown, open, &(index + 1).to_string(), &html! {
                    button.button type="submit" {
                        "Choose this" span.hidden { ", by " (hub) }
                    }
                }))
            }
        }
    }
}

fn settle_form(
    visit: &Visit,
    shown: &Shown,
    open: &Value,
    version: &str,
    inner: &Markup,
) -> Markup {
    let inner = html! {
        input type="hidden" name="heads" value=(text(open, "heads"));
        input type="hidden" name="field" value=(text(open, "field"));
        input type="hidden" name="version" value=(version);
        (inner)
    };
    parts::form(
        &format!("/versions/{}", shown.record.id),
        visit.csrf(),
        &inner,
    )
}

/// Something else than any of the versions.
fn another(
    visit: &Visit,
    shown: &Shown,
    (open, field): (&Value, &'static Field),
    typed: Option<&Form>,
) -> Markup {
    if shown.record.kind.form == node_domain::Form::Card || matches!(field.merge, Merge::State(_)) {
        return html! {};
    }
    let last = open["versions"]
        .as_array()
        .and_then(|versions| versions.last());
    let last = last.map_or(Value::Null, |version| version["value"].clone());
    let standing = if field.merge == Merge::Text {
        Object::from_iter([(
            field.name.to_owned(),
            whole_text(shown, open).unwrap_or(last),
        )])
    } else {
        Object::from_iter([(field.name.to_owned(), json!(null))])
    };
    let typed = typed.filter(|typed| typed.get("version") == "another");
    let filling = Filling {
        standing: &standing,
        typed,
        problems: &shown.problems,
        choices: &shown.choices,
        new: true,
        today: &shown.today,
    };
    let inner = html! {
        (control(field, &filling))
        button.button.button-plain type="submit" { "Save this instead" }
    };
    html! {
        details.another open[typed.is_some()] {
            summary { "Neither is right: enter something else" }
            (settle_form(visit, shown, open, "another", &inner))
        }
    }
}

/// The text as it stands now, in which the sentence is.
fn whole_text(shown: &Shown, open: &Value) -> Option<Value> {
    let mut parts = text(open, "field").split('/');
    let (top, item, inner) = (parts.next()?, parts.next(), parts.next());
    match (item, inner) {
        (Some(item), Some(inner)) => shown.record.item(top, item)?.get(inner).cloned(),
        _ => Some(shown.record.value(top).clone()),
    }
}
