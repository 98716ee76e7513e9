//! The pages of long work.

use axum::Router;
use axum::body::Body;
use axum::extract::Path;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_TYPE};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use bytes::Bytes;
use maud::{Markup, html};
use std::fs::File;
use std::io::Read;
use std::sync::Arc;
use tokio::sync::mpsc::Sender;
use tokio_stream::StreamExt as _;
use tokio_stream::wrappers::ReceiverStream;

use super::{Job, JobFile, JobState, Shared};
use crate::clock::now_ms;
use crate::web::parts::{self, Tone, tag};
use crate::web::{PageError, Posted, Visit, Web, words};

/// A part of a file, and how many of them are read ahead.
const CHUNK_BYTES: usize = 64 << 10;
const CHUNKS: usize = 4;

pub(in crate::web) fn routes() -> Router<Web> {
    Router::new()
        .route("/jobs", get(list))
        .route("/jobs/{number}", get(show))
        .route("/jobs/{number}/stop", post(stop))
        .route("/jobs/{number}/file", post(file))
}

async fn list(visit: Visit) -> Response {
    let jobs = visit.web().jobs().of(visit.session().account.id);
    let rows = jobs.iter().map(|(number, job)| {
        vec![
            html! { a href={ "/jobs/" (number) } { (job.title) } },
            state(job),
            html! { (words::moment(job.begun_ms)) },
        ]
    });
    let rows = rows.collect::<Vec<_>>();
    let going_on = jobs
        .iter()
        .filter(|(_, job)| !job.state.has_ended())
        .count();
    visit.page(
        "Long work",
        &html! {
            h1 { "Long work" }
            @if rows.is_empty() {
                (parts::empty("Imports, exports and backups that you begin stand here, with how far \
                    they are and what came of them."))
            } @else {
                p.lead {
                    @if going_on == 0 { "Nothing of yours is going on." }
                    @else { (words::counted(going_on as u64, "piece", "pieces")) " of work going on." }
                }
                (parts::table("Yours, the newest first", &[("What", false), ("How it stands", false), ("Begun", false)], &rows))
            }
        },
    )
}

async fn show(visit: Visit, Path(number): Path<u64>) -> Result<Response, PageError> {
    let job = visit.web().jobs().find(visit.session().account.id, number);
    let job = job.ok_or_else(PageError::missing)?;
    let inner = inner(&visit, number, &job);
    if visit.is_fragment() {
        return Ok(Html(inner.into_string()).into_response());
    }
    let address = format!("/jobs/{number}");
    let body = html! {
        (parts::back("/jobs", "Long work"))
        h1 { (job.title) }
        @if job.state.has_ended() { (inner) } @else {
            div data-live=(address) data-every="1" { (inner) }
            (parts::refresh(3, &address))
        }
    };
    Ok(visit.page(&job.title, &body))
}

fn inner(visit: &Visit, number: u64, job: &Job) -> Markup {
    let step = job.headway.step();
    let csrf = visit.csrf();
    html! {
        p { (state(job)) }
        @if job.state.has_ended() {
            div data-ended {}
            p.lead { (job.sentence) }
            @if !job.lines.is_empty() {
                ul { @for line in &job.lines { li { (line) } } }
            }
            @if let Some(file) = &job.file {
                p { "The file can be taken once, until "
                    (words::moment(job.ended_ms.saturating_add(super::kept::FILE_MS)))
                    ". It is deleted here then." }
                (parts::form(&format!("/jobs/{number}/file"), csrf,
                    &parts::button(&format!("Download {}", file.name))))
            }
            @if !job.links.is_empty() {
                ul.plain { @for (label, href) in &job.links { li { a href=(href) { (label) } } } }
            }
        } @else {
            @if step.total > 0 {
                p {
                    (words::number(step.done)) " of " (words::number(step.total)) " " (step.doing) " done"
                    @if let Some(left) = left(job, &step) { ", about " (left) " left" }
                    "."
                }
                progress value=(step.done) max=(step.total) aria-label="How far it is" {}
            } @else if job.state == JobState::Waiting {
                p { "It begins when other work has ended." }
            } @else {
                p { "It has begun." }
            }
            @if job.headway.is_stopped() {
                p { "It stops at its next safe step." }
            } @else {
                p { "You may leave this page; it goes on by itself." }
                (parts::form(&format!("/jobs/{number}/stop"), csrf,
                    &html! { button.button.button-plain type="submit" { "Stop it" } }))
            }
        }
    }
}

/// How much longer it takes, once that can be told.
fn left(job: &Job, step: &crate::records::Step) -> Option<String> {
    let gone = now_ms().saturating_sub(job.begun_ms);
    if step.done == 0 || gone < 3_000 {
        return None;
    }
    let left = gone / step.done * step.total.saturating_sub(step.done);
    match words::length(left) {
        text if text.is_empty() => Some("less than a minute".to_owned()),
        text => Some(text),
    }
}

fn state(job: &Job) -> Markup {
    match job.state {
        JobState::Waiting => tag("waiting", Tone::Plain),
        JobState::Running => tag("going on", Tone::Active),
        JobState::Done => tag("done", Tone::Good),
        JobState::Stopped => tag("stopped", Tone::Look),
        JobState::Failed => tag("did not work", Tone::Wrong),
        JobState::Lost => tag("broken off", Tone::Wrong),
    }
}

async fn stop(
    visit: Visit,
    Path(number): Path<u64>,
    Posted(_form): Posted,
) -> Result<Redirect, PageError> {
    let job = visit.web().jobs().find(visit.session().account.id, number);
    job.ok_or_else(PageError::missing)?.headway.stop();
    Ok(Redirect::to(&format!("/jobs/{number}")))
}

/// Gives the file out, once.
async fn file(
    visit: Visit,
    Path(number): Path<u64>,
    Posted(_form): Posted,
) -> Result<Response, PageError> {
    let jobs = visit.web().jobs().clone();
    let account = visit.session().account.id;
    let job = jobs.find(account, number);
    let job = job.ok_or_else(PageError::missing)?;
    let same = job.role == visit.desk().role().name;
    visit.require(
        same,
        "This file was made in another role than the one in which you act now.",
    )?;
    let gone = || {
        PageError::new(
            axum::http::StatusCode::GONE,
            "The file is not here any more",
            "A file can be taken once, within a day. Begin the export again for another.",
        )
    };
    let shared = Arc::clone(&jobs.shared);
    let taken = tokio::task::spawn_blocking(move || Taken::begin(&shared, number)).await;
    let taken = taken.ok().flatten().ok_or_else(gone)?;
    let (mut taken, named, open) = taken;
    let length = taken.length;
    let (sender, chunks) = tokio::sync::mpsc::channel(CHUNKS);
    tokio::task::spawn_blocking(move || read_into(open, &sender));
    let body = ReceiverStream::new(chunks).map(move |chunk| {
        taken.give(chunk.as_ref().ok());
        chunk
    });
    let headers = [
        (CONTENT_TYPE, named.kind),
        (
            CONTENT_DISPOSITION,
            format!("attachment; filename=\"{}\"", named.name),
        ),
        (CONTENT_LENGTH, length.to_string()),
    ];
    Ok((headers, Body::from_stream(body)).into_response())
}

/// A file on its way to somebody: deleted once all of it was given out, and here again if not.
struct Taken {
    shared: Arc<Shared>,
    number: u64,
    length: u64,
    given: u64,
}

impl Taken {
    /// Takes the file of a job; none if it is not here, or on its way already.
    fn begin(shared: &Arc<Shared>, number: u64) -> Option<(Self, JobFile, File)> {
        let mut taken = None;
        shared.change(number, |job| {
            if job.ended_ms.saturating_add(super::kept::FILE_MS) < now_ms() {
                job.file = None;
            }
            let Some(named) = job.file.clone().filter(|_| !job.on_its_way) else {
                return;
            };
            let open = File::open(shared.file(number)).and_then(|it| Ok((it.metadata()?, it)));
            match open {
                Ok((about, open)) => {
                    job.on_its_way = true;
                    taken = Some((about.len(), named, open));
                }
                Err(_) => job.file = None,
            }
        });
        let (length, named, open) = taken?;
        let taken = Self {
            shared: Arc::clone(shared),
            number,
            length,
            given: 0,
        };
        Some((taken, named, open))
    }

    fn give(&mut self, chunk: Option<&Bytes>) {
        self.given += chunk.map_or(0, |chunk| chunk.len() as u64);
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        let (shared, number) = (Arc::clone(&self.shared), self.number);
        let whole = self.given == self.length;
        // An answer ends where nothing may wait for a disk.
        let end = move || {
            if whole {
                shared.given_out(number);
            } else {
                shared.change(number, |job| job.on_its_way = false);
            }
        };
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) => drop(runtime.spawn_blocking(end)),
            Err(_) => end(),
        }
    }
}

/// Reads a file into the chunks of an answer, until its end or until nobody takes them.
fn read_into(mut open: File, sender: &Sender<std::io::Result<Bytes>>) {
    loop {
        let mut chunk = vec![0; CHUNK_BYTES];
        let read = match open.read(&mut chunk) {
            Ok(0) => return,
            Ok(count) => {
                chunk.truncate(count);
                Ok(Bytes::from(chunk))
            }
            Err(error) => Err(error),
        };
        let ends = read.is_err();
        if sender.blocking_send(read).is_err() || ends {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_here_until_all_of_it_was_given_out() {
        let folder = tempfile::tempdir().expect("a folder");
        let jobs = super::super::Jobs::open(folder.path());
        let number = 1;
        std::fs::create_dir_all(folder.path().join("jobs")).expect("a folder");
        std::fs::write(jobs.shared.file(number), "1,2,3").expect("a file");
        let job = Job {
            account: String::new(),
            role: String::new(),
            title: String::new(),
            begun_ms: now_ms(),
            ended_ms: now_ms(),
            state: JobState::Done,
            headway: crate::records::Headway::watched(),
            sentence: String::new(),
            lines: Vec::new(),
            links: Vec::new(),
            file: Some(JobFile {
                name: "list.csv".to_owned(),
                kind: "text/csv".to_owned(),
            }),
            on_its_way: false,
        };
        jobs.shared.lock().insert(number, job);
        let take = || Taken::begin(&jobs.shared, number);
        let (mut half, named, _) = take().expect("it is here");
        assert_eq!(named.name, "list.csv");
        assert!(take().is_none(), "it is on its way");
        half.give(Some(&Bytes::from_static(b"1,2")));
        drop(half);
        let (mut whole, ..) = take().expect("it came back");
        whole.give(Some(&Bytes::from_static(b"1,2")));
        whole.give(Some(&Bytes::from_static(b",3")));
        drop(whole);
        assert!(take().is_none(), "it was given out");
    }
}
