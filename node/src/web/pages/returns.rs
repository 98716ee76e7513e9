//! Returns: what we told NCETM, how it was counted, and whether it still holds.

use axum::Router;
use axum::extract::{Path, Query};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use maud::{Markup, html};
use node_domain::{MEASURES, Problem, RETURN};
use serde::Deserialize;
use serde_json::Value;

use crate::records::{RecordsError, ReturnWanted};
use crate::web::record::{Opened, about, state_tag};
use crate::web::{Flash, Form, PageError, Posted, Visit, Web, parts, words};

pub(super) fn routes() -> Router<Web> {
    Router::new()
        .route("/returns/count", get(ask).post(make))
        .route("/returns/{id}", get(show))
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct Asked {
    corrects: String,
    again: String,
}

async fn ask(visit: Visit, Query(asked): Query<Asked>) -> Result<Response, PageError> {
    let allowed = visit.desk().has(node_domain::Duty::Returns);
    visit.require(allowed, "This role does not make returns.")?;
    let form = [("replaces".to_owned(), asked.corrects)]
        .into_iter()
        .collect();
    Ok(visit.page("Make a return", &page(&visit, &form, None, &[])))
}

/// The measures, each version for itself.
fn measures() -> Vec<(String, String)> {
    let measures = MEASURES.iter().map(|measure| {
        let value = format!("{}|{}", measure.name, measure.version);
        let title = format!("{}, version {}", measure.title, measure.version);
        (value, title)
    });
    measures.collect()
}

fn wanted(form: &Form) -> ReturnWanted {
    let (measure, version) = form.get("measure").split_once('|').unwrap_or_default();
    ReturnWanted {
        measure: measure.to_owned(),
        version: version.parse().unwrap_or(0),
        period: form.get("period").to_owned(),
        as_at: form.get("as_at").to_owned(),
        replaces: form.get("replaces").to_owned(),
        reason: form.get("reason").to_owned(),
    }
}

fn page(visit: &Visit, form: &Form, counted: Option<&Value>, problems: &[Problem]) -> Markup {
    let problem = |field: &str| {
        let found = problems.iter().find(|problem| problem.field == field);
        found.map(|problem| problem.message.as_str())
    };
    let corrects = !form.get("replaces").is_empty();
    html! {
        (parts::back("/returns", "Returns"))
        (parts::error_summary(problems))
        h1 { @if corrects { "Correct a return" } @else { "Make a return" } }
        p { "The counts are made here, from this hub's work groups. Small counts are left out before anything \
             leaves, and no name ever does." }
        (parts::form("/returns/count", visit.csrf(), &html! {
            input type="hidden" name="replaces" value=(form.get("replaces"));
            (parts::select("measure", "What is counted", "", &measures(), form.get("measure"), problem("measure")))
            (parts::text_input("period", "Period", "As in 2026-27 spring.", form.get("period"), problem("period")))
            (parts::typed_input("date", "as_at", "As at", "As it stood at the end of this day; today if left empty.",
                form.get("as_at"), problem("as_at")))
            @if corrects {
                (parts::text_area("reason", "Why the earlier one was wrong", "", form.get("reason"), problem("reason")))
            }
            @if let Some(counted) = counted {
                h2 { "Counted" }
                (cells(counted))
                input type="hidden" name="counted" value=(print_of(counted));
            }
            div.buttons {
                (parts::button(if counted.is_some() { "Keep this return" } else { "Count" }))
            }
        }))
    }
}

/// Stands for what a return says: all of it but when it was counted.
fn print_of(fields: &Value) -> String {
    let mut said = fields.as_object().cloned().unwrap_or_default();
    said.remove("computed_at");
    let said = Value::Object(said).to_string();
    blake3::hash(said.as_bytes()).to_hex().to_string()
}

/// The cells of a return; what is suppressed says so.
fn cells(fields: &Value) -> Markup {
    let rows = fields["cells"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|cell| {
            let name = cell["cell"].as_str().unwrap_or_default();
            let suppressed = cell["suppressed"].as_bool() == Some(true);
            vec![
                html! { (words::capital(name)) },
                html! {
                    @if suppressed { "Too few to tell" }
                    @else if let Some(value) = cell["value"].as_u64() { (words::number(value)) }
                    @else { "Not counted" }
                },
            ]
        });
    let rows = rows.collect::<Vec<_>>();
    html! { div #cells { (parts::table("What is told", &[("Of what", false), ("Count", true)], &rows)) } }
}

async fn make(visit: Visit, Posted(form): Posted) -> Result<Response, PageError> {
    if form.get("period").is_empty() {
        let problem = Problem::new("period", "Enter the period");
        return Ok(visit.page("Make a return", &page(&visit, &form, None, &[problem])));
    }
    // Just what was looked at is kept: another question, or other records, are shown first.
    let (wanted, looked_at) = (wanted(&form), form.get("counted").to_owned());
    let counted = visit
        .work(move |desk| {
            let counted = desk.compute_return(&wanted, false)?;
            if print_of(&counted.fields) == looked_at {
                return desk.compute_return(&wanted, true);
            }
            Ok(counted)
        })
        .await;
    match counted {
        Ok(counted) => match counted.kept {
            Some(kept) => {
                visit.tell(Flash::done(
                    "Kept in this hub. It leaves when you send it to NCETM.",
                ));
                Ok(Redirect::to(&format!("/returns/{}", kept.id)).into_response())
            }
            None => {
                let body = page(&visit, &form, Some(&counted.fields), &[]);
                Ok(visit.page("Make a return", &body))
            }
        },
        Err(error) if error.status() == axum::http::StatusCode::UNPROCESSABLE_ENTITY => {
            let problem = Problem::new("measure", error.sentence());
            Ok(visit.page("Make a return", &page(&visit, &form, None, &[problem])))
        }
        Err(error) => Err(error),
    }
}

async fn show(
    visit: Visit,
    Path(id): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Response, PageError> {
    let (record, ours, again) = visit
        .work(move |desk| {
            let record = Opened::open(desk, &id)?;
            // What only this hub counted can only be counted again here; it looks through every
            // work group, so it is done when somebody asks for it.
            let ours = record.access.own && desk.has(node_domain::Duty::Returns);
            let again = (ours && !asked.again.is_empty()).then(|| desk.reproduce_return(&id));
            Ok::<_, RecordsError>((record, ours, again.transpose()?))
        })
        .await?;
    if record.kind.name != RETURN.name {
        return Err(PageError::redirect(record.path()));
    }
    let path = record.path();
    let fields = Value::Object(record.fields.clone());
    let title = node_domain::measure(
        record.value("measure").as_str().unwrap_or_default(),
        record.value("measure_version").as_i64().unwrap_or_default(),
    );
    let body = html! {
        (parts::back("/returns", "Returns"))
        h1 {
            span.caption { (record.words("period")) }
            (record.title()) " " (state_tag(record.value("state").as_str().unwrap_or_default()))
        }
        p.lead { "As it stood on " (record.words("as_at")) "." }
        (about(&record, &format!("{path}/marks")))
        @if let Some(measure) = title { p { strong { "What it counts: " } (measure.question) } }
        (cells(&fields))
        h2 { "How this came about" }
        @match &again {
            Some(again) if again["same"].as_bool() == Some(true) => {
                p #reproduced { "Counted again now, from every work group as it stood then: it comes to the same." }
            }
            Some(_) => {
                div.note.note-warning #reproduced { p.note-title {
                    "Counted again now, from every work group as it stood then, it comes to something else." } }
            }
            None if ours => { p { a href={ (path) "?again=yes" } { "Count it again, from every work group as it stood then" } } }
            None => { p { "The hub that made it can count it again, from every work group as it stood then." } }
        }
        @if !record.words("reason").is_empty() { p { strong { "Corrects an earlier return: " } (record.words("reason")) } }
        p {
            @if record.access.publishes { a href={ (path) "/share" } { "Send it to NCETM" } " · " }
            @if ours { a href={ "/returns/count?" (crate::web::url_query("corrects", &record.id)) } { "Correct it" } " · " }
            a href={ (path) "/all" } { "Every part of it" }
        }
    };
    Ok(visit.page(&record.title(), &body))
}
