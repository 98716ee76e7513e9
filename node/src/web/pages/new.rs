//! Making a record.

use std::collections::BTreeSet;

use axum::Router;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use maud::{Markup, html};
use node_domain::{Field, Filled, KINDS, Kind, Merge, Object, Problem, RecordError};
use node_feed::SpaceKind;
use serde_json::Value;

use crate::records::{CreatedRecord, Desk, RecordsError, SpaceChoice};
use crate::web::record::{
    Choices, Filling, control, draft_of, form, list_path, placed, record_path, values_from,
};
use crate::web::{Flash, Form, PageError, Posted, Visit, Web, parts};

/// Each kind by its own address: where a kind has pages made by hand, `/kind/{id}` would answer to
/// `/kind/new` before `/{slug}/new` does.
pub(super) fn routes() -> Router<Web> {
    let mut routes = Router::new();
    for kind in KINDS {
        let show = move |visit: Visit| empty(visit, kind);
        let save = move |visit: Visit, form: Posted| make(visit, kind, form);
        routes = routes.route(&format!("/{}/new", kind.slug()), get(show).post(save));
    }
    routes
}

/// What the form of a new record shows.
struct Shown {
    fields: Vec<&'static Field>,
    choices: Choices,
    spaces: Vec<SpaceChoice>,
    draft: Option<String>,
    problems: Vec<Problem>,
    today: String,
}

enum Made {
    Done(CreatedRecord),
    Again(Box<Shown>),
}

/// The fields that a new record is asked for: the first section, and whatever else it needs. Where
/// it stands is not asked: it begins at the beginning.
fn fields_of(desk: &Desk, kind: &'static Kind) -> Vec<&'static Field> {
    let mut names = BTreeSet::new();
    let first = kind.sections.first().map_or(&[][..], |first| first.fields);
    let first = first.iter().filter_map(|name| kind.field(name));
    let needed = kind.fields.iter().filter(|field| field.required);
    let asked = first.chain(needed).filter(|field| {
        let plain = field.items().is_none() && !matches!(field.merge, Merge::State(_));
        let filled = field.filled == Filled::ByPerson && field.merge != Merge::Count;
        plain && filled && desk.writes(kind.name, field.name) && names.insert(field.name)
    });
    asked.collect()
}

fn shown(desk: &Desk, kind: &'static Kind, typed: Option<&Form>) -> Result<Shown, RecordsError> {
    let fields = fields_of(desk, kind);
    let choices = Choices::of(desk, &fields, &Object::new(), typed)?;
    let draft = draft_of(desk, &format!("{}/new", list_path(kind)), &fields)?;
    Ok(Shown {
        choices,
        spaces: desk.spaces_for(kind.name),
        draft,
        problems: Vec::new(),
        today: desk.today(),
        fields,
    })
}

fn not_made(kind: &Kind) -> PageError {
    PageError::not_allowed(format!(
        "The role in which you act makes no {}. Ask somebody whose role does.",
        kind.titles.to_lowercase()
    ))
}

async fn empty(visit: Visit, kind: &'static Kind) -> Result<Response, PageError> {
    let shown = visit
        .work(move |desk| {
            if !desk.creates(kind.name) {
                return Err(not_made(kind));
            }
            Ok::<_, PageError>(shown(desk, kind, None)?)
        })
        .await?;
    let body = body(&visit, kind, &shown, None);
    Ok(visit.page(&format!("New {}", kind.title.to_lowercase()), &body))
}

async fn make(
    visit: Visit,
    kind: &'static Kind,
    Posted(typed): Posted,
) -> Result<Response, PageError> {
    let asked = typed.clone();
    let made = visit
        .work(move |desk| {
            let mut shown = shown(desk, kind, Some(&asked))?;
            if shown.choices.is_looking() {
                return Ok(Made::Again(Box::new(shown)));
            }
            let values = Value::Object(values_from(&asked, &shown.fields)).to_string();
            match desk.create(kind.name, asked.get("space"), &values) {
                Ok(created) => Ok(Made::Done(created)),
                Err(RecordsError::Record(RecordError::Problems(problems))) => {
                    shown.problems = placed(&problems, &shown.fields);
                    Ok(Made::Again(Box::new(shown)))
                }
                Err(error) => Err(error),
            }
        })
        .await?;
    match made {
        Made::Done(created) => {
            let sentence = format!("{} made.", kind.title);
            let flash = Flash::done(sentence)
                .more(created.notes)
                .saved_draft(format!("{}/new", list_path(kind)));
            visit.tell(flash);
            Ok(Redirect::to(&record_path(kind, &created.id.to_string())).into_response())
        }
        Made::Again(shown) => {
            let body = body(&visit, kind, &shown, Some(&typed));
            let page = visit.page(&format!("New {}", kind.title.to_lowercase()), &body);
            let wrong = !shown.problems.is_empty();
            let status = if wrong {
                StatusCode::UNPROCESSABLE_ENTITY
            } else {
                StatusCode::OK
            };
            Ok((status, page).into_response())
        }
    }
}

fn body(visit: &Visit, kind: &'static Kind, shown: &Shown, typed: Option<&Form>) -> Markup {
    let standing = Object::new();
    let filling = Filling {
        standing: &standing,
        typed,
        problems: &shown.problems,
        choices: &shown.choices,
        new: true,
        today: &shown.today,
    };
    let chosen = typed.map_or("", |typed| typed.get("space"));
    let first = shown.spaces.first().map(|space| space.id.to_string());
    let chosen = if chosen.is_empty() {
        first.as_deref().unwrap_or_default()
    } else {
        chosen
    };
    let inner = html! {
        @for field in &shown.fields { (control(field, &filling)) }
        @if shown.spaces.len() > 1 {
            (parts::radios("space", "Who sees it", "", &spaces(&shown.spaces), chosen, None))
        }
        div.buttons {
            (parts::button("Save"))
            a href=(list_path(kind)) { "Cancel" }
        }
    };
    html! {
        (parts::back(&list_path(kind), kind.titles))
        (parts::error_summary(&shown.problems))
        h1 { "New " (kind.title.to_lowercase()) }
        p.soft { (kind.about) " More is filled in on its page." }
        (form(visit, &format!("{}/new", list_path(kind)), shown.draft.as_deref(), "", &inner))
    }
}

fn spaces(spaces: &[SpaceChoice]) -> Vec<(String, String)> {
    let option = |space: &SpaceChoice| {
        let label = match space.kind {
            SpaceKind::Hub => "This hub alone".to_owned(),
            SpaceKind::Network => "Every hub and NCETM".to_owned(),
            SpaceKind::Forum => "The national forum".to_owned(),
            SpaceKind::Pair | SpaceKind::Project => {
                format!("{} ({} hubs)", space.title, space.members.len())
            }
        };
        (space.id.to_string(), label)
    };
    spaces.iter().map(option).collect()
}
