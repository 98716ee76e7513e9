//! The first page: what needs me, and are we in sync?

use axum::Router;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use maud::{Markup, html};
use node_domain::Duty;

use super::copying;
use crate::clock::now_ms;
use crate::records::{Desk, DeskStatus, Find, Need, NeedKind, RecordsError};
use crate::web::record::record_path;
use crate::web::{PageError, Visit, Web, parts, words};

pub(super) fn routes() -> Router<Web> {
    Router::new().route("/", get(show))
}

/// What the page knows.
struct Home {
    needs: Vec<(Need, String)>,
    status: DeskStatus,
    groups: Vec<(String, String, String)>,
}

async fn show(visit: Visit) -> Result<Response, PageError> {
    let home = visit.work(Home::of).await?;
    let live = home.live(&visit);
    if visit.is_fragment() {
        return Ok(Html(live.into_string()).into_response());
    }
    let title = home.title();
    let body = html! {
        div data-live="/" { (live) }
        (ways(visit.desk()))
    };
    Ok(visit.page(&title, &body))
}

impl Home {
    fn of(desk: &Desk) -> Result<Self, RecordsError> {
        let needs = desk.needs_me()?.into_iter().map(|need| {
            let href = href(desk, &need);
            (need, href)
        });
        let needs = needs.collect();
        // Who leads groups, or works in some, comes for them.
        let mine = desk.sees("work-group", "title") && !desk.holder().is_empty();
        let narrow = mine && !desk.has(Duty::Import) && !desk.has(Duty::Reports);
        let mut groups = Vec::new();
        if narrow {
            let find = Find {
                kind: "work-group".to_owned(),
                sort: vec!["title".to_owned()],
                limit: 30,
                ..Find::default()
            };
            for record in desk.find(&find)?.records {
                let columns = serde_json::from_str::<node_domain::Object>(&record.json);
                let columns = columns.unwrap_or_default();
                let state = columns.get("state").and_then(|state| state.as_str());
                let state = state.unwrap_or_default().to_owned();
                groups.push((record.title, format!("/work-groups/{}", record.id), state));
            }
        }
        Ok(Self {
            needs,
            status: desk.status()?,
            groups,
        })
    }

    fn title(&self) -> String {
        match self.needs.len() {
            0 => "Nothing needs you".to_owned(),
            1 => "1 thing needs you".to_owned(),
            count => format!("{} things need you", words::number(count as u64)),
        }
    }

    /// The part that is renewed when something arrives.
    fn live(&self, visit: &Visit) -> Markup {
        html! {
            h1 { (self.title()) }
            @if self.needs.is_empty() {
                p.lead { "No decision, answer or signature is waiting for you as "
                    (visit.desk().role().title.to_lowercase()) "." }
            } @else {
                ul.tasks #needs {
                    @for (need, href) in &self.needs {
                        li {
                            div {
                                a href=(href) { (need.title) }
                                p {
                                    (words::capital(need.sentence.trim_end_matches('.'))) "."
                                    @if let Some(since) = need.since_ms {
                                        " Waiting since " (words::moment(since)) "."
                                    }
                                }
                            }
                            div { (parts::tag(what(need.what), tone(need.what))) }
                        }
                    }
                }
            }
            (sync(visit, &self.status))
            @if !self.groups.is_empty() {
                h2 { "Your work groups" }
                ul.tasks {
                    @for (title, href, state) in &self.groups {
                        li {
                            a href=(href) { (title) }
                            @if !state.is_empty() { (parts::tag(state, parts::state_tone(state))) }
                        }
                    }
                }
            }
        }
    }
}

/// Whether what we wrote has gone out: from acknowledgements alone.
fn sync(visit: &Visit, status: &DeskStatus) -> Markup {
    let now = now_ms();
    let line = sync_line(status, now);
    html! {
        h2 { "Sharing with others" }
        p #sync-line { (line) }
        @if let Some(copying) = copying::now(visit) { (copying) }
        @for trouble in &status.trouble { p.soft { (trouble) } }
        @if status.set_aside > 0 {
            p {
                a href="/held" {
                    (words::counted(status.set_aside as u64, "change is", "changes are"))
                    " held for checking"
                }
            }
        }
        @if status.lists_behind {
            p { "The lists lack what is newest: this computer cannot write them at present." }
        }
    }
}

/// The sentence about sending. It never says that all has gone while anything has not.
fn sync_line(status: &DeskStatus, now: u64) -> String {
    if status.not_sent > 0 {
        let changes = words::counted(status.not_sent, "change", "changes");
        let oldest = status.oldest_unsent_ms.map(|ms| now.saturating_sub(ms));
        let oldest = oldest
            .map(words::length)
            .map(|length| match length.as_str() {
                "" => ", oldest less than a minute".to_owned(),
                length => format!(", oldest {length}"),
            });
        let line = format!("Not sent: {changes}{}", oldest.unwrap_or_default());
        return if status.connected {
            format!("{line}. They are being sent now.")
        } else {
            format!("{line}. They are saved here and go out when there is a connection.")
        };
    }
    if status.in_sync {
        return "Everything that this hub shares has been sent, and what others shared has arrived."
            .to_owned();
    }
    match (status.connected, status.last_contact_ms) {
        (true, _) => "Nothing waits to be sent. What others shared is arriving.".to_owned(),
        (false, Some(ms)) => format!(
            "Nothing waits to be sent. There has been no connection since {}; what others wrote \
             since then is not here yet.",
            words::moment(ms)
        ),
        (false, None) => {
            "Nothing waits to be sent. There is no connection at present; what others \
             wrote meanwhile is not here yet."
                .to_owned()
        }
    }
}

/// Where what a role does most is done.
fn ways(desk: &Desk) -> Markup {
    let ways = [
        (
            desk.creates("work-group"),
            "/work-groups/new",
            "Begin a work group",
        ),
        (desk.has(Duty::Import), "/import", "Bring in a spreadsheet"),
        (desk.has(Duty::Returns), "/returns/count", "Make a return"),
        (
            desk.has(Duty::Reports) && desk.sees("leader", "name"),
            "/directory",
            "Find a leader with free days",
        ),
        (
            desk.sees("strategic-group", "title"),
            "/strategic-leadership-groups",
            "Strategic leadership group",
        ),
        (
            desk.sees("commission", "title"),
            "/commissions",
            "Commissions and money",
        ),
        (
            desk.sees("partner", "organisation"),
            "/partners",
            "Partners",
        ),
        (
            desk.has(Duty::Disclosures),
            "/sharing",
            "What has been shared with whom",
        ),
        (desk.has(Duty::Export), "/export", "Take data out"),
        (desk.has(Duty::Accounts), "/access", "Who has access"),
        (desk.has(Duty::Settings), "/settings", "Settings"),
    ];
    let ways = ways
        .into_iter()
        .filter(|(shown, ..)| *shown)
        .collect::<Vec<_>>();
    html! {
        @if !ways.is_empty() {
            h2 { "What you can do" }
            ul.ways {
                @for (_, href, label) in ways { li { a href=(href) { (label) } } }
            }
        }
    }
}

fn href(desk: &Desk, need: &Need) -> String {
    match need.what {
        NeedKind::Decide => {
            let query = crate::web::url_query("field", &need.field);
            format!("/versions/{}?{query}", need.record)
        }
        NeedKind::SamePerson => "/people/duplicates".to_owned(),
        NeedKind::SetAside => "/held".to_owned(),
        NeedKind::ReturnDue => "/returns/count".to_owned(),
        NeedKind::Sign | NeedKind::Answer | NeedKind::PlanReturned => {
            let access = desk.access(&need.record).ok();
            let path = access.map(|access| record_path(access.kind, &need.record));
            path.unwrap_or_else(|| "/".to_owned())
        }
    }
}

const fn what(kind: NeedKind) -> &'static str {
    match kind {
        NeedKind::Decide => "to decide",
        NeedKind::Sign => "to sign",
        NeedKind::Answer => "to answer",
        NeedKind::PlanReturned => "returned",
        NeedKind::ReturnDue => "due",
        NeedKind::SamePerson => "to compare",
        NeedKind::SetAside => "to check",
    }
}

const fn tone(kind: NeedKind) -> parts::Tone {
    match kind {
        NeedKind::Decide | NeedKind::PlanReturned | NeedKind::ReturnDue => parts::Tone::Look,
        NeedKind::SetAside => parts::Tone::Wrong,
        NeedKind::Sign | NeedKind::Answer | NeedKind::SamePerson => parts::Tone::Active,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY_MS: u64 = 86_400_000;

    fn told(status: DeskStatus) -> String {
        sync_line(&status, 3 * DAY_MS)
    }

    #[test]
    fn nothing_says_that_all_is_sent_while_a_change_is_not() {
        for connected in [false, true] {
            // Even if the rest of the status were wrong.
            for in_sync in [false, true] {
                let line = told(DeskStatus {
                    not_sent: 7,
                    oldest_unsent_ms: Some(DAY_MS),
                    connected,
                    in_sync,
                    ..DeskStatus::default()
                });
                let begins = "Not sent: 7 changes, oldest 2 days";
                assert!(line.starts_with(begins), "{line}");
            }
        }
    }

    #[test]
    fn all_is_told_to_be_here_only_when_it_is() {
        let all =
            "Everything that this hub shares has been sent, and what others shared has arrived.";
        for connected in [false, true] {
            for last_contact_ms in [None, Some(DAY_MS)] {
                for in_sync in [false, true] {
                    let line = told(DeskStatus {
                        connected,
                        last_contact_ms,
                        in_sync,
                        ..DeskStatus::default()
                    });
                    assert_eq!(line == all, in_sync, "{line}");
                    let waits = line.starts_with("Nothing waits to be sent.");
                    assert_eq!(waits, !in_sync, "{line}");
                }
            }
        }
    }
}
