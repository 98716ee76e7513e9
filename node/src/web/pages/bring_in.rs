//! Bringing records in: what would this file add, and what must somebody say first?

mod check;
mod plan;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Path, Query, Request};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use maud::{Markup, html};
use node_domain::{Duty, KINDS, Kind, Problem};
use serde::Deserialize;

use crate::records::{Desk, Find, RecordsError};
use crate::web::received::{Most, receive};
use crate::web::{Form, PageError, Visit, Web, parts};

const TITLE: &str = "Bring records in";
/// A sheet with room to spare.
const SHEET_BYTES_MAX: u64 = 16 << 20;
/// The national register of schools is larger than any sheet.
const SCHOOLS_BYTES_MAX: u64 = 128 << 20;

pub(crate) fn routes() -> Router<Web> {
    Router::new()
        .route("/import", get(choose))
        .route("/import/{what}", get(ask).post(send))
        .layer(DefaultBodyLimit::disable())
        .merge(check::routes())
}

/// What a file is brought into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Into {
    /// Schools: the national register, or a list of one's own.
    Schools,
    /// Records of a kind.
    Records(&'static Kind),
    /// The members of a work group.
    Members,
}

impl Into {
    fn named(what: &str) -> Option<Self> {
        match what {
            "schools" => Some(Self::Schools),
            "members" => Some(Self::Members),
            slug => {
                let mut kinds = KINDS.iter().copied().filter(|kind| !kind.key.is_empty());
                kinds.find(|kind| kind.slug() == slug).map(Self::Records)
            }
        }
    }

    fn title(self) -> String {
        match self {
            Self::Schools => "Import your schools".to_owned(),
            Self::Members => "Import applicants into a group".to_owned(),
            Self::Records(kind) if kind.name == "work-group" => "Import your groups".to_owned(),
            Self::Records(kind) => format!("Import {}", kind.titles.to_lowercase()),
        }
    }

    const fn most(self) -> Most {
        match self {
            // The register, and the links between its schools.
            Self::Schools => Most {
                files: 2,
                bytes: SCHOOLS_BYTES_MAX,
            },
            Self::Records(_) | Self::Members => Most {
                files: 1,
                bytes: SHEET_BYTES_MAX,
            },
        }
    }
}

async fn choose(visit: Visit) -> Result<Response, PageError> {
    visit.work(|desk| desk.check(Duty::Import)).await?;
    let desk = visit.desk();
    let first = [
        (
            "/import/schools",
            "Import your schools",
            "The national register of schools, or your own list.",
            "organisation",
        ),
        (
            "/import/work-groups",
            "Import your groups",
            "This year's work groups from a spreadsheet.",
            "work-group",
        ),
        (
            "/import/members",
            "Import applicants into a group",
            "Their schools are found by name, and you are asked where it is not certain.",
            "work-group",
        ),
        (
            "/import/people",
            "Import people",
            "Teachers, leaders, partners: one card each.",
            "person",
        ),
    ];
    let shown = |kind: &&Kind| {
        let special = ["organisation", "work-group", "person"].contains(&kind.name);
        !special && !kind.key.is_empty() && desk.creates(kind.name)
    };
    let others = KINDS.iter().copied().filter(shown).collect::<Vec<_>>();
    let body = html! {
        h1 { (TITLE) }
        p.lead { "A file is looked at first. You see what it would add, and nothing is added until you say so." }
        ul.tasks {
            @for (href, title, hint, kind) in first {
                @if kind == "organisation" || desk.creates(kind) {
                    li { div { a href=(href) { (title) } p { (hint) } } }
                }
            }
        }
        @if !others.is_empty() {
            details {
                summary { "Something else" }
                ul.plain { @for kind in others {
                    li { a href={ "/import/" (kind.slug()) } { (kind.titles) } }
                } }
            }
        }
        p { "Imports that you began stand under " a href="/jobs" { "long work" } "." }
    };
    Ok(visit.page(TITLE, &body))
}

/// Into which group.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Asked {
    group: String,
}

async fn ask(
    visit: Visit,
    Path(what): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Response, PageError> {
    let into = Into::named(&what).ok_or_else(PageError::missing)?;
    form_page(&visit, &what, into, &asked.group, &[]).await
}

async fn form_page(
    visit: &Visit,
    what: &str,
    into: Into,
    group: &str,
    problems: &[Problem],
) -> Result<Response, PageError> {
    let groups = visit
        .work(move |desk| {
            desk.check(Duty::Import)?;
            match into {
                Into::Members => groups(desk),
                Into::Schools | Into::Records(_) => Ok(Vec::new()),
            }
        })
        .await?;
    let title = into.title();
    let body = form(visit, what, into, (group, &groups), problems);
    Ok(visit.page(&title, &body))
}

/// The work groups that somebody may fill.
fn groups(desk: &Desk) -> Result<Vec<(String, String)>, RecordsError> {
    let find = Find {
        kind: "work-group".to_owned(),
        sort: vec!["title".to_owned()],
        limit: 500,
        ..Find::default()
    };
    let found = desk.find(&find)?.records.into_iter();
    Ok(found.map(|it| (it.id.to_string(), it.title)).collect())
}

fn form(
    visit: &Visit,
    what: &str,
    into: Into,
    (group, groups): (&str, &[(String, String)]),
    problems: &[Problem],
) -> Markup {
    let problem_of = |field: &str| {
        let found = problems.iter().find(|it| it.field == field);
        found.map(|it| it.message.as_str())
    };
    let (help, accept) = match into {
        Into::Schools => ("CSV or Excel, at most 128 MB.", ".csv,.xlsx,.xls,.ods"),
        Into::Records(_) | Into::Members => (
            "CSV or Excel, at most 16 MB. The first row holds the headings.",
            ".csv,.xlsx,.xls,.ods,.txt",
        ),
    };
    html! {
        (parts::back("/import", TITLE))
        (parts::error_summary(problems))
        h1 { (into.title()) }
        @match into {
            Into::Schools => {
                p { "Take the national register: on “Get Information about Schools” choose Downloads, \
                    “Establishment fields CSV”, and unpack it. Or choose a list of your own, with the \
                    schools' names and URNs." }
            }
            Into::Members => {
                p { "A spreadsheet with a row for each applicant: name, e-mail address, school. It does \
                    not matter how the schools' names are typed." }
            }
            Into::Records(kind) => {
                p { "A spreadsheet with a row for each: " (headings(kind)) "." }
            }
        }
        form method="post" action={ "/import/" (what) } enctype="multipart/form-data" {
            input type="hidden" name="csrf" value=(visit.csrf());
            @if into == Into::Members {
                @if groups.is_empty() {
                    (parts::inset(&html! { p { "There is no work group yet. " a href="/import/work-groups" { "Import your groups" } " first." } }))
                } @else {
                    (parts::select("group", "Work group", "", groups, group, problem_of("group")))
                }
            }
            @if into == Into::Schools {
                (parts::text_input("areas", "Only these council areas",
                    "Of the national register; divided by commas. Leave it empty for all of England.", "", None))
            }
            (parts::file_input("file", "File", help, accept, problem_of("file")))
            @if into == Into::Schools {
                (parts::file_input("links", "Links between schools",
                    "If you have it: “Links CSV” beside the register tells what became of schools that have closed.", ".csv", None))
            }
            (parts::button("Look at it first"))
        }
        @if let Some(skip) = skip(into) {
            @if visit.desk().has(Duty::Settings) {
                (parts::form("/start/skip", visit.csrf(), &html! {
                    input type="hidden" name="what" value=(skip);
                    button.button-link type="submit" { "We have none to bring in now" }
                }))
            }
        }
    }
}

fn skip(into: Into) -> Option<&'static str> {
    match into {
        Into::Schools => Some("schools"),
        Into::Records(kind) if kind.name == "work-group" => Some("groups"),
        Into::Records(_) | Into::Members => None,
    }
}

/// The first fields of a kind, as headings.
fn headings(kind: &Kind) -> String {
    let fields = kind.fields.iter().filter(|field| field.items().is_none());
    let labels = fields.take(6).map(|field| field.label.to_lowercase());
    crate::web::words::listed(&labels.collect::<Vec<_>>())
}

async fn send(
    visit: Visit,
    Path(what): Path<String>,
    request: Request,
) -> Result<Response, PageError> {
    let into = Into::named(&what).ok_or_else(PageError::missing)?;
    visit.work(|desk| desk.check(Duty::Import)).await?;
    let (sent, files) = receive(&visit, request, into.most()).await?;
    let problem = |field: &str, message: &str| Problem {
        field: field.to_owned(),
        message: message.to_owned(),
    };
    let group = sent.get("group").to_owned();
    if !files.iter().any(|it| it.field == "file") {
        let problems = [problem("file", "Choose a file")];
        return form_page(&visit, &what, into, &group, &problems).await;
    }
    if into == Into::Members && group.is_empty() {
        let problems = [problem("group", "Choose the work group")];
        return form_page(&visit, &what, into, &group, &problems).await;
    }
    let kept = [
        ("what", what.as_str()),
        ("group", group.as_str()),
        ("areas", sent.get("areas")),
    ];
    let kept = kept.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let form = kept.into_iter().collect::<Form>();
    let number = visit.web().received().keep(&visit, files, form);
    Ok(Redirect::to(&format!("/import/check/{number}")).into_response())
}
