//! First start: what is left to do before this hub can work?

mod connect;
mod recovery;
mod restore;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{Redirect, Response};
use axum::routing::{get, post};
use maud::{Markup, html};
use node_domain::Duty;
use node_store::ReadStore;

use super::copying;
use crate::Node;
use crate::enrolment::ConnectingState;
use crate::identity::SHEET_DONE;
use crate::records::{Desk, Find};
use crate::web::parts::{self, Tone, tag};
use crate::web::{PageError, Posted, Visit, Web, layout, words};

const TITLE: &str = "Set this hub up";
/// Where the store keeps that somebody has no schools, or no groups, to bring in.
const NO_SCHOOLS: &str = "start/no-schools";
const NO_GROUPS: &str = "start/no-groups";

pub(crate) fn routes() -> Router<Web> {
    Router::new()
        .route("/start", get(show))
        .route("/start/skip", post(skip))
        .merge(connect::routes())
        .merge(recovery::routes())
        .merge(restore::routes())
}

/// How far setting up has come.
#[derive(Debug)]
struct Stand {
    connected: bool,
    waiting: bool,
    schools: u64,
    no_schools: bool,
    groups: u64,
    no_groups: bool,
    sheet_done: bool,
    colleagues: usize,
}

impl Stand {
    fn of(desk: &Desk, node: &Node) -> Self {
        let connected = node.hub().is_some();
        let waiting = node.connecting().is_some_and(|it| {
            matches!(
                it.state(),
                ConnectingState::Asking | ConnectingState::Waiting { .. }
            )
        });
        let accounts = node.accounts().list().unwrap_or_default();
        Self {
            connected,
            waiting,
            schools: count(desk, "organisation", connected),
            no_schools: noted(node, NO_SCHOOLS),
            groups: count(desk, "work-group", connected),
            no_groups: noted(node, NO_GROUPS),
            sheet_done: noted(node, SHEET_DONE),
            colleagues: accounts.len().saturating_sub(1),
        }
    }

    const fn has_schools(&self) -> bool {
        self.schools > 0 || self.no_schools
    }

    const fn has_groups(&self) -> bool {
        self.groups > 0 || self.no_groups
    }
}

fn count(desk: &Desk, kind: &str, connected: bool) -> u64 {
    if !connected {
        return 0;
    }
    let find = Find {
        kind: kind.to_owned(),
        limit: 1,
        ..Find::default()
    };
    desk.find(&find).map_or(0, |listing| listing.total)
}

fn noted(node: &Node, setting: &str) -> bool {
    let kept = node.inner.storage.read(|store| store.setting(setting));
    kept.is_ok_and(|kept| kept.is_some())
}

fn note(node: &Node, setting: &str) -> Result<(), PageError> {
    let now = crate::clock::now_ms().to_string();
    Ok(node
        .inner
        .storage
        .set_setting(setting, Some(now.as_bytes()))?)
}

/// Where somebody who opens a page is led first: until a hub is connected nothing else is of use,
/// and its home is of none before there are schools.
pub(crate) fn comes_first(desk: &Desk, node: &Node, path: &str) -> bool {
    let path = path.split('?').next().unwrap_or_default();
    let page = path.trim_start_matches('/').split('/').next();
    let page = page.unwrap_or_default();
    if node.hub().is_none() {
        let works = [
            "start",
            "account",
            "access",
            "settings",
            "jobs",
            "sign-out",
            "events",
            "second-factor",
        ];
        return !works.contains(&page);
    }
    if !page.is_empty() || !desk.has(Duty::Settings) {
        return false;
    }
    let open = |kind, setting| count(desk, kind, true) == 0 && !noted(node, setting);
    open("organisation", NO_SCHOOLS) && open("work-group", NO_GROUPS)
}

/// The first page of all: what there is to do, or, before anybody can sign in, where the link is.
async fn show(
    State(web): State<Web>,
    visit: Result<Visit, PageError>,
) -> Result<Response, PageError> {
    let visit = match visit {
        Ok(visit) => visit,
        Err(error) => {
            let accounts = web.accounts();
            let empty = tokio::task::spawn_blocking(move || accounts.is_empty()).await;
            return if matches!(empty, Ok(Ok(true))) {
                Ok(nobody_yet(&web))
            } else {
                Err(error)
            };
        }
    };
    let node = web.node().clone();
    let stand = visit
        .work(move |desk| Ok::<_, PageError>(Stand::of(desk, &node)))
        .await?;
    let may = visit.desk().has(Duty::Settings);
    let told = web.reopener().and_then(crate::web::Reopener::told);
    let body = html! {
        h1 { (TITLE) }
        @if let Some(told) = told { (parts::inset(&html! { p { (told) } })) }
        @if !may {
            p.lead { "The hub lead sets this hub up. There is nothing to do for you here." }
        } @else {
            (lead(&stand))
            @if let Some(copying) = copying::now(&visit) {
                div data-live="/copying" data-every="2" { (copying) }
            }
            (tasks(&stand))
            @if !stand.connected {
                h2 { "This hub had a computer before?" }
                p { "If you have a backup of it, " a href="/start/restore" { "restore from a backup" } " instead." }
            } @else {
                p { a href="/" { "Go to the hub's first page" } }
            }
        }
    };
    Ok(visit.page(TITLE, &body))
}

fn nobody_yet(web: &Web) -> Response {
    layout::bare(
        web,
        StatusCode::OK,
        TITLE,
        &html! {
            p.lead { "Nobody can sign in here yet. To begin, open the link that was printed when the \
                program was started." }
            p { "It works once, within a day, and makes whoever opens it the hub lead. If it is lost \
                or too old, have another made on the computer on which the program runs:" }
            p { code { "causeway-node account link" } }
        },
    )
}

fn lead(stand: &Stand) -> Markup {
    let done = [
        stand.connected,
        stand.has_schools(),
        stand.has_groups(),
        stand.sheet_done,
        stand.colleagues > 0,
    ];
    let left = done.iter().filter(|done| !**done).count();
    html! {
        p.lead {
            @if left == 0 { "All is done: this hub is set up." }
            @else { (done.len() - left) " of " (done.len()) " steps are done." }
        }
    }
}

fn tasks(stand: &Stand) -> Markup {
    let todo = || tag("to do", Tone::Look);
    let later = || tag("cannot start yet", Tone::Plain);
    let done = || tag("done", Tone::Good);
    let connect = if stand.connected {
        done()
    } else if stand.waiting {
        tag("waiting for NCETM", Tone::Active)
    } else {
        todo()
    };
    let brought = |has: bool| {
        if has {
            done()
        } else if stand.connected {
            todo()
        } else {
            later()
        }
    };
    let open = stand.connected;
    let schools = if stand.schools > 0 {
        format!(
            "{} are known here.",
            words::counted(stand.schools, "school", "schools")
        )
    } else {
        "The national register of schools, or your own list, as a file.".to_owned()
    };
    let groups = if stand.groups > 0 {
        words::counted(stand.groups, "work group is", "work groups are") + " here."
    } else {
        "This year's work groups from a spreadsheet.".to_owned()
    };
    let colleagues = if stand.colleagues > 0 {
        words::counted(stand.colleagues as u64, "other account", "other accounts") + " here."
    } else {
        "Give those who work here an account each.".to_owned()
    };
    let steps = [
        (
            "Connect this hub",
            "/start/connect",
            "Choose the invitation file that NCETM sent, and compare a number.".to_owned(),
            connect,
            true,
        ),
        (
            "Import your schools",
            "/import/schools",
            schools,
            brought(stand.has_schools()),
            open,
        ),
        (
            "Import your groups",
            "/import/work-groups",
            groups,
            brought(stand.has_groups()),
            open,
        ),
        (
            "Print the recovery sheet",
            "/start/recovery-sheet",
            "Words for the safe, with which a new computer takes this one's place.".to_owned(),
            brought(stand.sheet_done),
            open,
        ),
        (
            "Invite colleagues",
            "/access",
            colleagues,
            if stand.colleagues > 0 { done() } else { todo() },
            true,
        ),
    ];
    html! {
        ol.tasks {
            @for (title, href, hint, tag, open) in steps {
                li {
                    div {
                        @if open { a href=(href) { (title) } } @else { span { (title) } }
                        p { (hint) }
                    }
                    div { (tag) }
                }
            }
        }
    }
}

/// Notes that there are no schools, or no groups, to bring in.
async fn skip(visit: Visit, Posted(form): Posted) -> Result<Redirect, PageError> {
    lead_only(&visit)?;
    let setting = match form.get("what") {
        "schools" => NO_SCHOOLS,
        "groups" => NO_GROUPS,
        _ => return Err(PageError::missing()),
    };
    let node = visit.web().node().clone();
    visit.work(move |_| note(&node, setting)).await?;
    Ok(Redirect::to("/start"))
}

/// What setting up asks for is the hub lead's alone.
fn lead_only(visit: &Visit) -> Result<(), PageError> {
    let may = visit.desk().has(Duty::Settings);
    visit.require(may, "The hub lead sets this hub up; ask them.")
}
