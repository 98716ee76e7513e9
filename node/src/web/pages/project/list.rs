//! The projects that a hub is in, and the national catalogue.

use axum::response::Response;
use maud::{Markup, html};
use node_domain::PROJECT_WORK;

use super::column;
use crate::records::{Find, RecordsError};
use crate::web::record::{record_path, state_tag};
use crate::web::{PageError, Visit, parts, words};

struct Line {
    path: String,
    title: String,
    code: String,
    phase: String,
    state: String,
    kind: String,
    to_sign: usize,
}

pub(super) async fn page(visit: Visit) -> Result<Response, PageError> {
    let (ours, others, coordinates) = visit
        .work(|desk| {
            let all = |kind: &str| {
                desk.find(&Find {
                    kind: kind.to_owned(),
                    sort: vec!["title".to_owned()],
                    ..Find::default()
                })
            };
            let line = |kind, record: crate::records::ListedRecord| Line {
                path: record_path(kind, &record.id.to_string()),
                code: column(&record.json, "code"),
                phase: column(&record.json, "phase"),
                state: column(&record.json, "state"),
                kind: column(&record.json, "kind"),
                title: record.title,
                to_sign: 0,
            };
            let coordinates = desk.status()?.is_coordinator;
            let mut ours = Vec::new();
            for record in all("project-work")?.records {
                let id = record.id.to_string();
                let mut line = line(&PROJECT_WORK, record);
                if !coordinates {
                    line.to_sign = desk.unsigned_fields(&id)?.len();
                }
                ours.push(line);
            }
            let mut others = Vec::new();
            for record in all("project")?.records {
                let stage = column(&record.json, "stage");
                let mut line = line(&node_domain::PROJECT, record);
                line.state = stage;
                if !ours
                    .iter()
                    .any(|it| !it.code.is_empty() && it.code == line.code)
                {
                    others.push(line);
                }
            }
            Ok::<_, RecordsError>((ours, others, coordinates))
        })
        .await?;
    let waiting = ours.iter().filter(|it| it.to_sign > 0).count() as u64;
    let body = html! {
        h1 { "Projects" }
        p.lead {
            @if coordinates { "There are " } @else { "This hub can see inside " }
            (words::counted(ours.len() as u64, "project", "projects"))
            @if waiting > 0 && !coordinates {
                "; " (words::counted(waiting, "data agreement waits", "data agreements wait"))
                " to be signed"
            }
            "."
        }
        @if ours.is_empty() {
            @if coordinates { (parts::empty("No project has a record of its work yet.")) }
            @else { (parts::empty("No project has been opened to this hub yet. The lead hub of a project, or \
                NCETM, opens it to a hub that asks to take part.")) }
        } @else {
            (our_table(&ours, coordinates))
        }
        h2 { "More in the national catalogue" }
        @if others.is_empty() {
            @if coordinates { (parts::empty("Every project of the catalogue is in work already.")) }
            @else { (parts::empty("Every project of the catalogue is open to this hub already.")) }
        } @else {
            @if coordinates { p { "These have no record of their work yet, so hubs can’t join them." } }
            @else { p { "To take part in one of these, ask its lead hub or NCETM. As soon as it is opened to \
                 this hub it stands above, and you can join it." } }
            (other_table(&others))
        }
    };
    Ok(visit.page("Projects", &body))
}

fn our_table(lines: &[Line], coordinates: bool) -> Markup {
    let rows = lines.iter().map(|line| {
        let mut cells = vec![
            html! { a href=(line.path) { (line.title) } },
            html! { (line.code) },
            html! { (words::capital(&line.phase)) },
            html! { @if !line.state.is_empty() { (state_tag(&line.state)) } },
        ];
        if !coordinates {
            cells.push(html! {
                @if line.to_sign > 0 {
                    a href={ (line.path) "/agreement" } { "Read and sign" span.hidden { " the data agreement of " (line.title) } }
                } @else { "Nothing to sign" }
            });
        }
        cells
    });
    let rows = rows.collect::<Vec<_>>();
    let mut heads = vec![
        ("Project", false),
        ("Code", false),
        ("Phase", false),
        ("State", false),
    ];
    if coordinates {
        return parts::table("In work", &heads, &rows);
    }
    heads.push(("Data agreement", false));
    parts::table("Open to this hub", &heads, &rows)
}

fn other_table(lines: &[Line]) -> Markup {
    let rows = lines.iter().map(|line| {
        vec![
            html! { a href=(line.path) { (line.title) } },
            html! { (line.code) },
            html! { (words::capital(&line.kind)) },
            html! { @if !line.state.is_empty() { (state_tag(&line.state)) } },
        ]
    });
    let heads = [
        ("Project", false),
        ("Code", false),
        ("Kind", false),
        ("Stage", false),
    ];
    parts::table("National catalogue", &heads, &rows.collect::<Vec<_>>())
}
