//! Restoring: what came back, and what did not?

use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use bip39::{Error as WordsError, Language, Mnemonic};
use maud::{Markup, html};
use node_domain::{KINDS, Problem};
use node_feed::SecretKey;
use zeroize::Zeroizing;

use super::super::entry::password_again;
use super::lead_only;
use crate::backup::{BackupError, BackupKey, is_sealed, unseal};
use crate::folder::with_suffix;
use crate::records::{Desk, DeskStatus, Find, RecordsError};
use crate::restore::{Restore, RestoreError, look_at_backup};
use crate::web::parts::{self, Tone, tag};
use crate::web::received::{Most, Received, receive};
use crate::web::record::{list_path, record_path};
use crate::web::{PageError, Visit, Web, layout, words};
use crate::{CameBack, Lost};

const PATH: &str = "/start/restore";
const TITLE: &str = "Restore from a backup";
const RESTORED: &str = "/settings/restored";
/// A hub's whole store, with room to spare.
const BACKUP_BYTES_MAX: u64 = 8 << 30;

pub(super) fn routes() -> Router<Web> {
    Router::new()
        .route(PATH, get(ask).post(restore))
        .layer(DefaultBodyLimit::disable())
        .route(RESTORED, get(restored))
}

/// The identity whose words these are.
fn words_to_identity(text: &str) -> Result<SecretKey, String> {
    let text = Zeroizing::new(text.to_lowercase());
    let words = Zeroizing::new(
        text.split(|letter: char| !letter.is_ascii_alphabetic())
            .filter(|word| !word.is_empty())
            .collect::<Vec<_>>()
            .join(" "),
    );
    let count = words.split(' ').filter(|word| !word.is_empty()).count();
    if count != 24 {
        return Err(format!(
            "There are 24 words on the sheet, and {count} were typed"
        ));
    }
    let read = Mnemonic::parse_in_normalized(Language::English, &words);
    let read = read.map_err(|error| match error {
        WordsError::UnknownWord(at) => format!(
            "Word {} is not one that stands on such a sheet; check its spelling",
            at + 1
        ),
        WordsError::BadWordCount(_)
        | WordsError::BadEntropyBitCount(_)
        | WordsError::InvalidChecksum
        | WordsError::AmbiguousLanguages(_) => {
            "These words do not belong together: check each, and their order".to_owned()
        }
    })?;
    let seed = Zeroizing::new(read.to_entropy());
    let seed = <[u8; 32]>::try_from(seed.as_slice());
    let seed = Zeroizing::new(seed.map_err(|_| "There are 24 words on the sheet".to_owned())?);
    Ok(SecretKey::from_seed(&seed))
}

async fn ask(visit: Visit) -> Result<Response, PageError> {
    lead_only(&visit)?;
    Ok(visit.page(TITLE, &form(&visit, &[])))
}

fn form(visit: &Visit, problems: &[Problem]) -> Markup {
    let problem_of = |field: &str| {
        let found = problems.iter().find(|it| it.field == field);
        found.map(|it| it.message.as_str())
    };
    let connected = visit.web().node().hub().is_some();
    html! {
        (parts::back("/start", super::TITLE))
        (parts::error_summary(problems))
        h1 { (TITLE) }
        p { "A backup brings back what this hub had when it was made. What was shared since comes back \
            from the others; what only this hub had since is lost, and will be listed." }
        @if connected {
            (parts::inset(&html! { p { "This computer has records already. They are put aside as they \
                are, and the backup takes their place." } }))
        }
        form method="post" action=(PATH) enctype="multipart/form-data" {
            input type="hidden" name="csrf" value=(visit.csrf());
            (parts::text_area("words", "The 24 words of the recovery sheet",
                "They make this computer the one that made the backup. Without them the backup is \
                 restored too, and NCETM has to send a new invitation.", "", problem_of("words")))
            (parts::text_area("key", "The key of backups, if the backup is sealed",
                "What stands in the file that was made with the key, from AGE-SECRET-KEY-1 on. It is not \
                 kept.", "", problem_of("key")))
            (parts::text_input("path", "Where the backup is on this computer",
                "If it is here already, as /backups/tuesday.db. Leave it empty to send the file.", "", problem_of("path")))
            (parts::typed_input("password", "password", "Your password", "The one with which you are signed in here now.",
                "", problem_of("password")))
            (parts::file_input("backup", "Or the backup itself", "", "", problem_of("backup")))
            @if connected {
                (parts::checkbox("replace", "yes", "Put the backup in the place of what is here", false))
                @if let Some(problem) = problem_of("replace") { p.field-problem { (problem) } }
            }
            (parts::button("Restore"))
        }
        p.soft { "Those who could sign in when the backup was made can do so afterwards, with their \
            passwords of then. The account with which you are here now is gone then, if it is newer." }
    }
}

async fn restore(visit: Visit, request: Request) -> Result<Response, PageError> {
    lead_only(&visit)?;
    let most = Most {
        files: 1,
        bytes: BACKUP_BYTES_MAX,
    };
    let (sent, files) = receive(&visit, request, most).await?;
    let file = files.into_iter().next();
    let web = visit.web().clone();
    let Some(reopener) = web.reopener().cloned() else {
        return Err(PageError::wrong(
            "These pages cannot restore a backup; use the command line: causeway-node restore.",
        ));
    };
    if web.node().inner.keeper.is_making() {
        return Err(PageError::wrong(
            "A backup is being made. Wait until it is done, and restore then.",
        ));
    }
    if let Some(problem) = password_again(&visit, &sent).await? {
        return Ok(visit.page(TITLE, &form(&visit, &[problem])));
    }
    let looked = visit
        .work(move |_| Ok::<_, PageError>(look(&web, &sent, file)))
        .await?;
    let (file, identity) = match looked {
        Ok(looked) => looked,
        Err(problem) => return Ok(visit.page(TITLE, &form(&visit, &[problem]))),
    };
    let asked = reopener.ask(Box::new(move |data| {
        put_in_place(data, &file, identity.as_ref())
    }));
    if !asked {
        return Err(PageError::wrong(
            "A backup is being restored already; wait a moment.",
        ));
    }
    let body = html! {
        div data-wait=(RESTORED) {
            p.lead { "The backup is whole, and is being put in place. This page goes on by itself." }
        }
        (parts::refresh(2, RESTORED))
        p { a href=(RESTORED) { "Go on" } }
    };
    Ok(layout::bare(
        visit.web(),
        axum::http::StatusCode::OK,
        TITLE,
        &body,
    ))
}

type Looked = (Arc<Received>, Option<SecretKey>);

/// Looks at all that was given, and changes nothing.
fn look(web: &Web, sent: &crate::web::Form, file: Option<Received>) -> Result<Looked, Problem> {
    let problem = |field: &str, message: String| Problem {
        field: field.to_owned(),
        message: words::capital(&message),
    };
    let node = web.node();
    let identity = match sent.get("words") {
        "" => None,
        text => Some(words_to_identity(text).map_err(|it| problem("words", it))?),
    };
    if node.hub().is_some() && !sent.has("replace") {
        let message = "Tick the box to say that the backup may take the place of what is here";
        return Err(problem("replace", message.to_owned()));
    }
    let (field, file) = match (file, sent.get("path")) {
        (Some(file), _) => ("backup", file),
        (None, "") => {
            let message = "Choose the backup, or say where it is on this computer";
            return Err(problem("backup", message.to_owned()));
        }
        (None, path) => {
            let copied = web.received().copy_of(Path::new(path), BACKUP_BYTES_MAX);
            let message = |error: std::io::Error| {
                if error.kind() == std::io::ErrorKind::StorageFull {
                    return "This computer's disk has not enough free space for a copy".to_owned();
                }
                // Nobody learns from this page what else there is on this computer.
                format!("{path} cannot be read as a backup; check where it is")
            };
            ("path", copied.map_err(|it| problem("path", message(it)))?)
        }
    };
    open_if_sealed(&file.path, sent.get("key")).map_err(|error| {
        let (field, message) = match error {
            BackupError::Sealed(_) => ("key", "This backup is sealed: give the key that opens it"),
            BackupError::Key(_) => (
                "key",
                "This is no key of backups: check that all of it is there",
            ),
            BackupError::OtherKey(_) => {
                ("key", "This key does not open the backup: it is another's")
            }
            BackupError::Damaged(_) => (field, "This backup is damaged or half-written"),
            error @ (BackupError::Unread { .. }
            | BackupError::Unwritten { .. }
            | BackupError::Store(_)
            | BackupError::Recipient(_)) => return problem(field, error.to_string()),
        };
        problem(field, message.to_owned())
    })?;
    let own = node.inner.membership();
    let looked = look_at_backup(&file.path, own.as_ref(), identity.as_ref());
    match looked {
        Ok(_) => Ok((Arc::new(file), identity)),
        Err(error @ (RestoreError::Words | RestoreError::NoContact)) => {
            Err(problem("words", error.to_string()))
        }
        // Its path says nothing to anybody here.
        Err(RestoreError::Backup { source, .. }) => Err(problem(
            field,
            format!("This is no whole backup ({source}); nothing was changed"),
        )),
        Err(RestoreError::OtherHub(_)) => Err(problem(
            field,
            "This is a backup of another hub or network; nothing was changed".to_owned(),
        )),
        Err(
            error @ (RestoreError::Folder(_)
            | RestoreError::Audit(_)
            | RestoreError::Identity(_)
            | RestoreError::Io { .. }
            | RestoreError::Unopened(_)),
        ) => Err(problem(field, error.to_string())),
    }
}

/// Opens a sealed backup in its place, which is this program's own copy of it.
fn open_if_sealed(file: &Path, key: &str) -> Result<(), BackupError> {
    if !is_sealed(file)? {
        return Ok(());
    }
    if key.trim().is_empty() {
        return Err(BackupError::Sealed(file.to_owned()));
    }
    let key = BackupKey::from_text(key).ok_or_else(|| BackupError::Key(file.to_owned()))?;
    let open = with_suffix(file, ".open");
    let opened = unseal(file, &open, &key).and_then(|()| {
        std::fs::rename(&open, file).map_err(|source| BackupError::Unwritten {
            path: file.to_owned(),
            source,
        })
    });
    if opened.is_err() {
        let _gone = std::fs::remove_file(&open);
    }
    opened
}

/// Does it, while the node is closed, and says how it went.
fn put_in_place(data: &Path, file: &Arc<Received>, identity: Option<&SecretKey>) -> String {
    let path: PathBuf = file.path.clone();
    let done = Restore::prepare_as(data, &path, identity).and_then(Restore::commit);
    match done {
        Ok(()) if identity.is_some() => "The backup was restored.".to_owned(),
        Ok(()) => "The backup was restored. No recovery words were given, so NCETM has to send a \
                   new invitation before this hub shares again."
            .to_owned(),
        Err(error @ RestoreError::Identity(_)) => {
            tracing::error!(%error, "the identity of a restored node was not kept");
            words::capital(&error.to_string())
        }
        Err(error) => {
            tracing::error!(%error, "a backup could not be restored");
            format!("The backup was not restored, and nothing was changed: {error}")
        }
    }
}

/// What a restore brought back and what not.
struct Back {
    lost: Option<Lost>,
    came: Vec<CameBack>,
    status: DeskStatus,
    counts: Vec<(&'static str, String, u64)>,
}

impl Back {
    fn of(desk: &Desk, web: &Web) -> Result<Self, RecordsError> {
        let connected = web.node().hub().is_some();
        let mut counts = Vec::new();
        if connected {
            for kind in KINDS {
                let find = Find {
                    kind: kind.name.to_owned(),
                    limit: 1,
                    ..Find::default()
                };
                let total = desk.find(&find).map_or(0, |listing| listing.total);
                if total > 0 {
                    counts.push((kind.titles, list_path(kind), total));
                }
            }
        }
        Ok(Self {
            lost: web.node().lost()?,
            came: web.node().came_back()?.unwrap_or_default(),
            status: if connected {
                desk.status()?
            } else {
                DeskStatus::default()
            },
            counts,
        })
    }
}

async fn restored(visit: Visit) -> Result<Response, PageError> {
    lead_only(&visit)?;
    let web = visit.web().clone();
    let back = visit.work(move |desk| Back::of(desk, &web)).await?;
    let inner = inner(&visit, &back);
    if visit.is_fragment() {
        return Ok(Html(inner.into_string()).into_response());
    }
    let told = visit.web().reopener().and_then(crate::web::Reopener::told);
    let body = html! {
        h1 { "What the backup brought back" }
        @if let Some(told) = told { (parts::inset(&html! { p { (told) } })) }
        div data-live=(RESTORED) { (inner) }
    };
    Ok(visit.page("What the backup brought back", &body))
}

fn inner(visit: &Visit, back: &Back) -> Markup {
    let Some(lost) = &back.lost else {
        return html! { p.lead { "No backup was restored on this computer." } };
    };
    let connected = visit.web().node().hub().is_some();
    let rows = back.counts.iter().map(|(titles, href, total)| {
        vec![
            html! { a href=(href) { (titles) } },
            html! { (words::number(*total)) },
        ]
    });
    let came = back.came.iter().map(|it| {
        let missing = it.missing.map(words::number);
        vec![
            html! { (it.title) },
            html! { (words::number(it.came)) },
            html! { (missing.unwrap_or_else(|| "not known".to_owned())) },
        ]
    });
    let lost_rows = lost.records.iter().map(|it| {
        let kind = node_domain::kind(&it.kind);
        let title = match (it.title.is_empty(), kind) {
            (false, _) => it.title.clone(),
            (true, Some(kind)) => kind.title.to_owned(),
            (true, None) => "A record".to_owned(),
        };
        let kind_title = kind.map_or("", |kind| kind.title);
        let shown = match kind {
            Some(kind) => html! { a href=(record_path(kind, &it.record)) { (title) } },
            None => html! { (title) },
        };
        vec![
            shown,
            html! { (kind_title) },
            html! { (words::number(it.changes)) },
            html! { (words::moment(it.last_ms)) },
        ]
    });
    html! {
        @if !connected {
            p { (tag("not connected", Tone::Look)) }
            p.lead { "This computer has to be connected again before its records can be seen: no \
                recovery words were given." }
            p { a.button href="/start/connect" { "Connect this hub" } }
        } @else if back.status.in_sync {
            p { (tag("all is back that was shared", Tone::Good)) }
            p.lead { "Everything that was shared has come back from the others." }
        } @else if back.status.connected {
            p { (tag("coming back", Tone::Active)) }
            p.lead { "What was shared since the backup is coming back from the others." }
        } @else {
            p { (tag("not reached yet", Tone::Look)) }
            p.lead { "NCETM is not reached yet. What was shared since the backup comes back once it is." }
        }
        @if !back.came.is_empty() {
            (parts::table("What came back from the others", &[("Shared in", false), ("Own changes that came back", true), ("Not back", true)], &came.collect::<Vec<_>>()))
            p.soft { "Not back is what the replaced store had and nobody else is known to have. Where that \
                store could not be read, it cannot be said." }
        }
        @if connected && !back.counts.is_empty() {
            (parts::table("What is here now", &[("Records", false), ("How many", true)], &rows.collect::<Vec<_>>()))
        }
        h2 { "What did not come back" }
        @if lost.since_ms > 0 {
            p { "The newest change of the hub's own in the backup is of " (words::moment(lost.since_ms)) "." }
        }
        @if lost.records.is_empty() && lost.known {
            p { "Nothing is lost: the hub's own records had no later change." }
        } @else if !lost.known {
            p { "What only this hub had, and was written after that, is lost. What it was cannot be \
                said, since the old computer's store is not here." }
        }
        @if !lost.records.is_empty() {
            (parts::table("Changes that are lost", &[("Record", false), ("Kind", false), ("Changes", true), ("The last of", false)],
                &lost_rows.collect::<Vec<_>>()))
        }
    }
}
