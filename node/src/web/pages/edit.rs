//! Changing a section of a record.

use axum::Router;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use maud::{Markup, html};
use node_domain::{Field, Object, Problem, Section};

use crate::records::{Desk, RecordsError};
use crate::web::record::{
    Choices, Editing, Filling, Opened, Saved, Saving, change_path, changes_from, control, draft_of,
    fields_of, form, now_says, placed, save_with,
};
use crate::web::{Form, PageError, Posted, Visit, Web, parts};

pub(super) fn routes() -> Router<Web> {
    Router::new().route("/{slug}/{id}/change/{section}", get(empty).post(change))
}

/// What the form of a section shows.
struct Shown {
    record: Opened,
    section: &'static Section,
    fields: Vec<&'static Field>,
    /// What stood in the record when the form was made.
    standing: Object,
    heads: String,
    choices: Choices,
    draft: Option<String>,
    problems: Vec<Problem>,
    /// Where the record says something else now than when a page that is too old was made.
    differs: Vec<String>,
    too_old: bool,
    today: String,
}

fn shown(
    desk: &Desk,
    (slug, id, part): (&str, &str, &str),
    typed: Option<&Form>,
) -> Result<Shown, PageError> {
    let record = Opened::open(desk, id)?;
    if record.kind.slug() != slug {
        return Err(PageError::missing());
    }
    let section = record.kind.section(part).ok_or_else(PageError::missing)?;
    let fields = fields_of(&record, section);
    if fields.is_empty() {
        return Err(RecordsError::Role(format!(
            "The role in which you act does not change “{}” here.",
            section.title
        ))
        .into());
    }
    let carried = typed.map_or("", |typed| typed.get("heads"));
    let (standing, heads) = if carried.is_empty() {
        (record.fields.clone(), record.heads.clone())
    } else {
        (record.fields_at(desk, carried)?, carried.to_owned())
    };
    let choices = Choices::of(desk, &fields, &standing, typed)?;
    let draft = draft_of(desk, &change_path(record.kind, id, section), &fields)?;
    Ok(Shown {
        record,
        section,
        fields,
        standing,
        heads,
        choices,
        draft,
        problems: Vec::new(),
        differs: Vec::new(),
        too_old: false,
        today: desk.today(),
    })
}

type Address = Path<(String, String, String)>;

async fn empty(visit: Visit, Path((slug, id, part)): Address) -> Result<Response, PageError> {
    let shown = visit
        .work(move |desk| shown(desk, (&slug, &id, &part), None))
        .await?;
    Ok(page(&visit, &shown, None))
}

async fn change(
    visit: Visit,
    Path((slug, id, part)): Address,
    Posted(typed): Posted,
) -> Result<Response, PageError> {
    let asked = typed.clone();
    let changed = visit
        .work(move |desk| {
            let mut shown = shown(desk, (&slug, &id, &part), Some(&asked))?;
            if shown.choices.is_looking() {
                return Ok(Changed::Again(Box::new(shown)));
            }
            let editing = Editing {
                id,
                heads: shown.heads.clone(),
                changes: changes_from(&asked, &shown.fields, &shown.standing, None),
            };
            match save_with(desk, &editing)? {
                Saving::Done(saved) => {
                    let back = format!("{}#{}", shown.record.path(), shown.section.slug());
                    return Ok(Changed::Done(saved, back));
                }
                Saving::Wrong(problems) => shown.problems = placed(&problems, &shown.fields),
                Saving::TooOld => {
                    shown.too_old = true;
                    shown.differs = now_says(&shown.record, &shown.fields, &asked);
                    shown.standing = shown.record.fields.clone();
                    shown.heads = shown.record.heads.clone();
                }
            }
            Ok::<_, PageError>(Changed::Again(Box::new(shown)))
        })
        .await?;
    Ok(answered(&visit, changed, |shown| {
        let status = status_of(shown.too_old, &shown.problems);
        (status, page(&visit, shown, Some(&typed))).into_response()
    }))
}

/// What became of a form.
pub(super) enum Changed<T> {
    /// It was saved; this page follows.
    Done(Saved, String),
    /// It is shown again.
    Again(Box<T>),
}

/// Says what was saved on the page that follows, or shows the form again.
pub(super) fn answered<T>(
    visit: &Visit,
    changed: Changed<T>,
    again: impl FnOnce(&T) -> Response,
) -> Response {
    match changed {
        Changed::Done(saved, back) => {
            let draft = visit.path().split('?').next().unwrap_or_default();
            saved.tell(visit, draft, &back);
            Redirect::to(&back).into_response()
        }
        Changed::Again(shown) => again(&shown),
    }
}

/// The status of a form that is shown, perhaps again.
pub(super) const fn status_of(too_old: bool, problems: &[Problem]) -> StatusCode {
    if too_old {
        StatusCode::CONFLICT
    } else if problems.is_empty() {
        StatusCode::OK
    } else {
        StatusCode::UNPROCESSABLE_ENTITY
    }
}

fn page(visit: &Visit, shown: &Shown, typed: Option<&Form>) -> Response {
    let record = &shown.record;
    let filling = Filling {
        standing: &shown.standing,
        typed,
        problems: &shown.problems,
        choices: &shown.choices,
        new: false,
        today: &shown.today,
    };
    let inner = html! {
        @for field in &shown.fields { (control(field, &filling)) }
        div.buttons {
            (parts::button("Save"))
            a href=(record.path()) { "Cancel" }
        }
    };
    let action = change_path(record.kind, &record.id, shown.section);
    let body = html! {
        (parts::back(&record.path(), "Back"))
        (parts::error_summary(&shown.problems))
        @if shown.too_old { (too_old(&shown.differs)) }
        p.caption { (record.title()) }
        h1 { (shown.section.title) }
        (form(visit, &action, shown.draft.as_deref(), &shown.heads, &inner))
    };
    visit.page(
        &format!("{}: {}", shown.section.title, record.title()),
        &body,
    )
}

/// What is said where a page is too old to be merged.
pub(super) fn too_old(differs: &[String]) -> Markup {
    html! {
        div.note.note-warning role="alert" {
            p.note-title { "Nothing was saved: too much has changed since you opened this page" }
            p {
                "What you typed is kept below. Look at it against what the record says now, and save it again."
            }
            @if !differs.is_empty() {
                ul { @for line in differs { li { (line) } } }
            }
        }
    }
}
