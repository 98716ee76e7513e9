//! The register of a session: one row for each member, four marks, saved one by one.
//!
//! With scripts every mark goes through a store in the browser, so that it can be made in a hall
//! without a network. Without scripts the page is a form.

mod marks;
mod page;
mod worker;

use std::collections::BTreeMap;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, Query};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use serde::Deserialize;
use serde_json::{Value, json};

use self::marks::{MARKS, Refused, Sent, SentMark, item_of, not_shown, take};
use super::work_groups::{Attendance, Group, Member, today};
use crate::records::{Desk, RecordsError};
use crate::web::{Flash, Form, PageError, Posted, Visit, Web, words};

/// With this header scripts prove that they act for the session's own pages.
const CSRF: HeaderName = HeaderName::from_static("x-csrf");
/// The most bytes of marks that come together.
const BYTES_MAX: usize = 128 << 10;

/// The register's pages, and what keeps it in a browser.
pub(crate) fn routes() -> Router<Web> {
    Router::new()
        .route("/work-groups/{id}/register/{session}", get(show).post(save))
        .route(
            "/work-groups/{id}/register/{session}/marks",
            get(standing).post(receive),
        )
        .route("/sw.js", get(worker::script))
        .route("/offline", get(worker::offline))
}

/// Whether the page is wanted to be kept in a browser.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Asked {
    offline: String,
}

/// `GET /work-groups/{id}/register/{session}`
async fn show(
    visit: Visit,
    Path((id, session)): Path<(String, String)>,
    Query(asked): Query<Asked>,
) -> Result<Response, PageError> {
    let keep = !asked.offline.is_empty();
    let register = visit
        .work(move |desk| page::Register::read(desk, &id, &session, keep))
        .await?;
    let register = register.ok_or_else(PageError::missing)?;
    let mut response = visit.page(&register.title(), &page::render(&visit, &register));
    if keep {
        // What a browser may keep says whose it is.
        let account = visit.session().account.id.to_string();
        if let Ok(account) = account.parse() {
            let name = HeaderName::from_static("x-causeway-register");
            response.headers_mut().insert(name, account);
        }
    }
    Ok(response)
}

/// `POST /work-groups/{id}/register/{session}`: the form, where no scripts run.
async fn save(
    visit: Visit,
    Path((id, session)): Path<(String, String)>,
    Posted(form): Posted,
) -> Result<Response, PageError> {
    let path = format!("/work-groups/{id}/register/{session}");
    let flash = visit
        .work(move |desk| save_form(desk, &id, &session, &form))
        .await?;
    visit.tell(flash);
    Ok(Redirect::to(&path).into_response())
}

/// Takes what a form marks, and says what became of it.
fn save_form(desk: &Desk, id: &str, session: &str, form: &Form) -> Result<Flash, Refused> {
    let before = Group::read(desk, id, &today())?;
    let marks = changed(&before.standing_marks(session), form);
    let taken = take(desk, id, session, &marks)?;
    let mut group = Group::read(desk, id, &today())?;
    group.name_members(desk)?;
    let standing = group.standing_marks(session);
    let mut saved = 0;
    let mut more = Vec::new();
    let title_of = |mark: &SentMark| group.member(&mark.member).map_or("A mark", Member::title);
    let left = marks.iter().skip(taken.len());
    more.extend(left.map(|mark| {
        let title = title_of(mark);
        format!("{title} was not marked: nothing more could be saved for now. Mark them again.")
    }));
    for (mark, taken) in marks.iter().zip(taken) {
        let title = title_of(mark);
        let stands = standing.get(mark.member.as_str());
        if !taken.saved {
            more.push(format!("{title} was not marked: {}.", taken.sentence));
            continue;
        }
        match stands.filter(|it| it.mark != mark.mark) {
            // The same was sent before, and something else after it.
            Some(it) if taken.sentence.is_empty() => more.push(format!(
                "{title} stands as {}, which was marked later. If that is wrong, mark it again.",
                it.mark
            )),
            Some(_) | None => {
                saved += 1;
                more.extend(Some(taken.sentence).filter(|sentence| !sentence.is_empty()));
            }
        }
    }
    let counted = format!("{} saved.", words::counted(saved, "mark", "marks"));
    let flash = match (marks.is_empty(), more.is_empty()) {
        (true, _) => Flash::done("No mark was changed."),
        (false, true) => Flash::done(counted),
        (false, false) => Flash::warning(counted),
    };
    Ok(flash.more(more))
}

/// The marks of a form that say something else than stood when its page was made. Whoever goes
/// back to a page that was sent, and sends it again, changes what they sent before.
fn changed(standing: &BTreeMap<&str, &Attendance>, form: &Form) -> Vec<SentMark> {
    let mut marks = Vec::new();
    for (name, mark) in form.fields() {
        let Some(member) = name.strip_prefix("mark-") else {
            continue;
        };
        let stood = form.get(&format!("stood-{member}"));
        let (item, was) = stood.split_once(' ').unwrap_or(("", ""));
        let key_of = |mark: &str| key_of([form.get("key"), member, item, mark]);
        let own = MARKS.map(|mark| item_of(&key_of(mark)));
        let sent_before = standing
            .get(member)
            .is_some_and(|it| own.contains(&it.item));
        if mark != was || sent_before {
            marks.push(SentMark {
                key: key_of(mark),
                member: member.to_owned(),
                mark: mark.to_owned(),
                after: [&[item.to_owned()], own.as_slice()].concat(),
                heads: form.get("heads").to_owned(),
            });
        }
    }
    marks
}

/// The key of a mark that came with a form, of the form's own key, who is marked, what stood and
/// what is marked: the same sent twice is the same mark, and something else is another.
fn key_of(parts: [&str; 4]) -> String {
    let mut hasher = blake3::Hasher::new();
    for part in ["causeway register form"].into_iter().chain(parts) {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part.as_bytes());
    }
    let hash = hasher.finalize().to_hex();
    hash.chars().take(32).collect()
}

/// `GET .../marks`: what stands, and what proves that a script is from here.
async fn standing(
    visit: Visit,
    Path((id, session)): Path<(String, String)>,
) -> Result<Response, PageError> {
    let stands = visit
        .work(move |desk| {
            let group = Group::read(desk, &id, &today())?;
            if !group.sees("attendance") {
                return Err(not_shown(desk));
            }
            Ok::<_, RecordsError>(group.session(&session).map(|_| stands(&group, &session)))
        })
        .await;
    let mut body = match stands.and_then(|stands| stands.ok_or_else(PageError::missing)) {
        Ok(body) => body,
        Err(error) => return told(error),
    };
    body["account"] = json!(visit.session().account.id.to_string());
    body["csrf"] = json!(visit.csrf());
    Ok(answer(StatusCode::OK, &body))
}

/// `POST .../marks`: marks as a browser's store sends them.
async fn receive(
    visit: Visit,
    Path((id, session)): Path<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, PageError> {
    let sent = match read(&visit, &headers, &body) {
        Ok(sent) => sent,
        Err(refusal) => return Ok(refusal),
    };
    let taken = visit
        .work(move |desk| received(desk, &id, &session, &sent.marks))
        .await;
    match taken {
        Ok(body) => Ok(answer(StatusCode::OK, &body)),
        Err(error) => told(error),
    }
}

/// What came, if it came from this session's own pages.
#[expect(
    clippy::result_large_err,
    reason = "a refusal is the answer itself, and is sent at once"
)]
fn read(visit: &Visit, headers: &HeaderMap, body: &Bytes) -> Result<Sent, Response> {
    let header = |name: HeaderName| headers.get(name).and_then(|it| it.to_str().ok());
    if !visit.session().csrf_fits(header(CSRF).unwrap_or_default()) {
        return Err(refusal(
            StatusCode::FORBIDDEN,
            "csrf",
            "These marks were sent by a page from an earlier visit.",
        ));
    }
    let kind = header(CONTENT_TYPE).unwrap_or_default();
    if !kind.starts_with("application/json") {
        return Err(refusal(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unlike",
            "Marks are sent as JSON.",
        ));
    }
    if body.len() > BYTES_MAX {
        return Err(refusal(
            StatusCode::PAYLOAD_TOO_LARGE,
            "unlike",
            "More came at once than a register has.",
        ));
    }
    let sent = serde_json::from_slice::<Sent>(body).map_err(|_| {
        refusal(
            StatusCode::BAD_REQUEST,
            "unlike",
            "This is no list of marks, so none was taken.",
        )
    })?;
    if sent.account != visit.session().account.id.to_string() {
        return Err(refusal(
            StatusCode::CONFLICT,
            "account",
            "These marks were made under another account. They are sent when that one signs in.",
        ));
    }
    Ok(sent)
}

fn received(desk: &Desk, id: &str, session: &str, marks: &[SentMark]) -> Result<Value, Refused> {
    let taken = take(desk, id, session, marks)?;
    let group = Group::read(desk, id, &today())?;
    let mut body = stands(&group, session);
    body["taken"] = json!(taken);
    Ok(body)
}

/// The marks that stand, and what they were read at.
fn stands(group: &Group, session: &str) -> Value {
    let marks = group.standing_marks(session);
    let rows = marks
        .values()
        .map(|it| json!({ "member": it.member, "item": it.item, "mark": it.mark }));
    json!({ "heads": group.heads, "rows": rows.collect::<Vec<_>>() })
}

/// An error as scripts read it. Where somebody must sign in first, the answer leads there.
fn told(error: PageError) -> Result<Response, PageError> {
    let status = error.status();
    if status.is_redirection() {
        return Err(error);
    }
    let why = match status {
        StatusCode::FORBIDDEN => "role",
        StatusCode::NOT_FOUND => "missing",
        _ => "refused",
    };
    Ok(refusal(status, why, error.sentence()))
}

fn refusal(status: StatusCode, why: &str, sentence: &str) -> Response {
    answer(status, &json!({ "why": why, "sentence": sentence }))
}

fn answer(status: StatusCode, body: &Value) -> Response {
    let headers = [
        (CONTENT_TYPE, "application/json"),
        (CACHE_CONTROL, "no-store"),
    ];
    (status, headers, body.to_string()).into_response()
}

impl From<Refused> for PageError {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::NoSession => Self::missing(),
            Refused::Unlike(sentence) => Self::wrong(sentence),
            Refused::Records(error) => error.into(),
        }
    }
}
