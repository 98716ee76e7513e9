//! Taking records out: sheets, a calendar, everything.

use std::io::Write;
use std::path::Path;

use axum::Router;
use axum::response::{Redirect, Response};
use axum::routing::get;
use maud::html;
use node_domain::{Duty, KINDS};

use crate::folder::write_new;
use crate::records::{Desk, Find};
use crate::web::jobs::{JobDone, JobWork};
use crate::web::{PageError, Posted, Visit, Web, parts, words};

const TITLE: &str = "Take data out";

pub(crate) fn routes() -> Router<Web> {
    Router::new().route("/export", get(ask).post(begin))
}

async fn ask(visit: Visit) -> Response {
    let desk = visit.desk();
    let kinds = KINDS
        .iter()
        .filter(|kind| desk.sees(kind.name, kind.title_field));
    let kinds = kinds.map(|kind| (kind.name.to_owned(), kind.titles.to_owned()));
    let mut kinds = kinds.collect::<Vec<_>>();
    kinds.sort_by(|one, other| one.1.cmp(&other.1));
    let formats = [
        ("xlsx".to_owned(), "Excel".to_owned()),
        ("csv".to_owned(), "CSV, for any program".to_owned()),
    ];
    let form = |what: &str, inner: maud::Markup| {
        parts::form(
            "/export",
            visit.csrf(),
            &html! { input type="hidden" name="what" value=(what); (inner) },
        )
    };
    let body = html! {
        h1 { (TITLE) }
        p.lead { "What you may see, as files that any program opens." }
        h2 { "A list as a sheet" }
        (form("list", html! {
            (parts::select("kind", "Records", "", &kinds, "work-group", None))
            (parts::radios("format", "Form", "", &formats, "xlsx", None))
            (parts::button("Make the sheet"))
        }))
        h2 { "A calendar" }
        p { "All sessions and meetings that you may see, for the calendar of a telephone or computer." }
        (form("calendar", parts::button("Make the calendar")))
        @if desk.has(Duty::Export) && desk.has(Duty::Import) {
            h2 { "Everything of this hub" }
            p { "All records of this hub in open formats, packed into one file: for the archive, or to \
                move to another program. It names people, so it belongs into safe hands. That it was \
                taken is noted." }
            (form("everything", parts::button("Take everything out")))
        }
        p { "What you took out stands under " a href="/jobs" { "long work" } " for a day." }
    };
    visit.page(TITLE, &body)
}

async fn begin(visit: Visit, Posted(form): Posted) -> Result<Redirect, PageError> {
    let desk = visit.desk().clone();
    let jobs = visit.web().jobs().clone();
    let page = match form.get("what") {
        "list" => {
            let kind = node_domain::kind(form.get("kind")).ok_or_else(PageError::missing)?;
            let format = form.get("format").to_owned();
            let title = format!("{TITLE}: {}", kind.titles.to_lowercase());
            jobs.start(&visit, title, move |work| {
                let find = Find {
                    kind: kind.name.to_owned(),
                    ..Find::default()
                };
                let sheet = desk.export_list(&find, "", &format)?;
                let media = match format.as_str() {
                    "xlsx" => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
                    _ => "text/csv; charset=utf-8",
                };
                let name = format!("{}.{format}", kind.slug());
                written(work, &sheet, &name, media)
            })?
        }
        "calendar" => jobs.start(&visit, format!("{TITLE}: calendar"), move |work| {
            let calendar = desk.export_calendar("")?;
            written(work, &calendar, "causeway.ics", "text/calendar")
        })?,
        "everything" => {
            visit.work(|desk| desk.check(Duty::Export)).await?;
            jobs.start(&visit, format!("{TITLE}: everything"), move |work| {
                everything(&desk, work)
            })?
        }
        _ => return Err(PageError::missing()),
    };
    Ok(Redirect::to(&page))
}

fn written(work: &JobWork, bytes: &[u8], name: &str, media: &str) -> Result<JobDone, PageError> {
    write_new(work.file(), bytes).map_err(|error| PageError::wrong(error.to_string()))?;
    Ok(ready(name, media))
}

fn ready(name: &str, media: &str) -> JobDone {
    JobDone {
        sentence: "The file is ready.".to_owned(),
        file: Some((name.to_owned(), media.to_owned())),
        ..JobDone::default()
    }
}

/// Everything, packed. The folder that it is packed from is gone afterwards, whatever happens.
fn everything(desk: &Desk, work: &JobWork) -> Result<JobDone, PageError> {
    let folder = work.file().with_extension("folder");
    let _gone = std::fs::remove_dir_all(&folder);
    let done = desk
        .export_hub_with(&folder, work.headway())
        .map_err(PageError::from)
        .and_then(|_| {
            pack(&folder, work).map_err(|error| {
                PageError::wrong(format!("The files could not be packed: {error}"))
            })
        });
    let _gone = std::fs::remove_dir_all(&folder);
    done?;
    let day = words::london_today(crate::clock::now_ms());
    Ok(ready(&format!("causeway-{day}.zip"), "application/zip"))
}

fn pack(folder: &Path, work: &JobWork) -> anyhow::Result<()> {
    write_new(work.file(), b"")?;
    let file = std::fs::OpenOptions::new().write(true).open(work.file())?;
    let mut packed = zip::ZipWriter::new(file);
    let options = zip::write::SimpleFileOptions::default();
    let mut entries = std::fs::read_dir(folder)?.collect::<Result<Vec<_>, _>>()?;
    entries.sort_by_key(std::fs::DirEntry::file_name);
    let count = entries.len();
    for (at, entry) in entries.into_iter().enumerate() {
        work.headway().at("files", at, count);
        anyhow::ensure!(!work.headway().is_stopped(), "it was stopped");
        packed.start_file(entry.file_name().to_string_lossy(), options)?;
        packed.write_all(&std::fs::read(entry.path())?)?;
    }
    packed.finish()?.sync_all()?;
    Ok(())
}
