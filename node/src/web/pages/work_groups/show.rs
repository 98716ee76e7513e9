//! A work group's own page: who is coming, when it meets, and how it stands.

use axum::extract::{Path, Query};
use axum::response::Response;
use maud::{Markup, html};
use node_domain::{compute, measure};
use serde::Deserialize;
use serde_json::Value;

use super::group::{Attendance, Group, Member, Session};
use super::list::places;
use super::{Cell, stacked, status_in_words, styles, today, when};
use crate::records::{Concerning, Desk, RecordsError};
use crate::web::{PageError, Visit, parts, url_query, words};

/// Whoever signed up and has not withdrawn, as the measure of returns counts them.
const SIGNED_UP: [&str; 5] = ["applied", "waiting", "accepted", "started", "completed"];

/// What somebody asks for.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    as_at: String,
}

struct Seen {
    group: Group,
    clashes: Vec<Clash>,
    leaders: Vec<String>,
    may: May,
}

/// What the role does here.
struct May {
    marks: bool,
    sessions: bool,
    members: bool,
    statuses: bool,
    publishes: bool,
}

/// What stands in several versions.
struct Clash {
    sentence: String,
    href: String,
    versions: Vec<Version>,
}

/// One of them: what it says, who wrote it when, and why.
struct Version {
    value: String,
    author: String,
    reason: String,
}

/// `GET /work-groups/{id}`
pub(super) async fn page(
    visit: Visit,
    Path(id): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Response, PageError> {
    let day = today();
    let as_at = match words::short_day(&asked.as_at) {
        shown if shown == asked.as_at => day.clone(),
        _ => asked.as_at,
    };
    let on = day.clone();
    let seen = visit.work(move |desk| seen(desk, &id, &on)).await?;
    let title = seen.group.text("title").to_owned();
    Ok(visit.page(&title, &render(&seen, &day, &as_at)))
}

fn seen(desk: &Desk, id: &str, today: &str) -> Result<Seen, RecordsError> {
    let mut group = Group::read(desk, id, today)?;
    group.name_members(desk)?;
    let access = desk.access(id)?;
    let names = desk.title_of(&group.leaders())?;
    let leaders = group.leaders().into_iter();
    let leaders = leaders.filter_map(|id| names.get(id).cloned()).collect();
    let clashes = clashes(desk, &group)?;
    let may = May {
        marks: access.writes("attendance"),
        sessions: access.writes("sessions"),
        members: access.writes("members"),
        statuses: access.writes("statuses"),
        publishes: access.publishes,
    };
    Ok(Seen {
        group,
        clashes,
        leaders,
        may,
    })
}

/// What of the group a person has to decide, in words.
fn clashes(desk: &Desk, group: &Group) -> Result<Vec<Clash>, RecordsError> {
    let listed = desk.versions(&group.id, &Concerning::default())?;
    let open = listed.versions.iter();
    let open = open.filter(|open| open["decide"].as_bool() == Some(true));
    let clashes = open.map(|open| {
        let field = open["field"].as_str().unwrap_or_default();
        let versions = open["versions"].as_array().into_iter().flatten();
        let versions = versions.map(|version| Version {
            value: value_in_words(group, field, &version["value"]),
            author: format!(
                "{}, {}",
                desk.hub_name(version["hub"].as_str().unwrap_or_default()),
                words::moment(version["time_ms"].as_u64().unwrap_or(0))
            ),
            reason: reason(version),
        });
        Clash {
            sentence: sentence(group, field, open),
            href: format!("/versions/{}?{}", group.id, url_query("field", field)),
            versions: versions.collect(),
        }
    });
    Ok(clashes.collect())
}

fn sentence(group: &Group, field: &str, open: &Value) -> String {
    let mut parts = field.split('/');
    let (list, item, name) = (parts.next(), parts.next(), parts.next());
    let session = item.and_then(|item| group.session(item));
    match (list, name, session) {
        (Some("sessions"), Some("date"), Some(session)) => {
            format!("Session {} stands on two dates.", session.number)
        }
        (Some("sessions"), Some("start"), Some(session)) => {
            format!("Session {} stands at two times.", session.number)
        }
        (Some("!two-marks"), _, _) => {
            let about = &open["versions"][0]["value"];
            let session = group.session(about["session"].as_str().unwrap_or_default());
            let member = group.member(about["member"].as_str().unwrap_or_default());
            match (session, member) {
                (Some(session), Some(member)) => format!(
                    "{} has two different marks for session {}.",
                    member.title(),
                    session.number
                ),
                (_, _) => "Somebody has two different marks for one session.".to_owned(),
            }
        }
        (_, _, _) => match open["sentence"].as_str() {
            Some(sentence) => format!("{}.", words::capital(sentence)),
            None => {
                let label = open["label"].as_str().unwrap_or_default();
                format!("\u{2018}{label}\u{2019} stands in two versions.")
            }
        },
    }
}

fn value_in_words(group: &Group, field: &str, value: &Value) -> String {
    match value {
        Value::String(text) if field.ends_with("/date") => words::weekday(text),
        Value::String(text) => words::capital(text),
        Value::Number(number) => number.to_string(),
        Value::Object(item) => {
            let said = ["mark", "status", "rating"]
                .iter()
                .find_map(|name| item.get(*name));
            match said {
                Some(Value::String(text)) => words::capital(text),
                Some(other) => other.to_string(),
                None => group.text("title").to_owned(),
            }
        }
        Value::Null => "Nothing".to_owned(),
        Value::Bool(_) | Value::Array(_) => String::new(),
    }
}

/// The reason that the same edit gave.
fn reason(version: &Value) -> String {
    let mut beside = version["with"].as_array().into_iter().flatten();
    let because = |it: &&Value| {
        let field = it["field"].as_str();
        field.is_some_and(|field| field.ends_with("/moved_because"))
    };
    let said = beside.find(because).and_then(|it| it["value"].as_str());
    said.unwrap_or_default().to_owned()
}

fn render(seen: &Seen, today: &str, as_at: &str) -> Markup {
    let group = &seen.group;
    let path = format!("/work-groups/{}", group.id);
    let (code, state) = (group.text("code"), group.text("state"));
    let caption = [code, group.text("project")];
    let caption = caption.into_iter().filter(|it| !it.is_empty());
    let caption = caption.collect::<Vec<_>>().join(", ");
    html! {
        (styles())
        (parts::back("/work-groups", "Work groups"))
        @if !caption.is_empty() { span.caption { (caption) } }
        h1 { (group.text("title")) }
        p {
            (parts::tag(state, parts::state_tone(state))) " "
            span data-live={ (path) "/marks" } { (parts::marks(&group.marks)) }
        }
        (banner(&seen.clashes))
        p.lead { (answer(group, today)) }
        ul.cards {
            li { (next(group, today, &path, seen.may.marks)) }
            @if group.sees("places") {
                li {
                    h2 { "Places" }
                    span.figure { (places(group)) }
                    @if let Some((issued, left)) = group.places() {
                        p { (issued - left) " taken" }
                    }
                }
            }
        }
        (sessions(seen, today, &path))
        (members(seen, &path))
        @if group.sees("statuses") { (totals(group, as_at, &path)) }
        (more(seen, &path))
    }
}

fn banner(clashes: &[Clash]) -> Markup {
    html! {
        @for clash in clashes {
            section.note.note-warning data-two-versions aria-label="Two versions" {
                p.note-title { (clash.sentence) }
                ul {
                    @for version in &clash.versions {
                        li {
                            strong { (version.value) } ", by " (version.author)
                            @if !version.reason.is_empty() { ": \u{2018}" (version.reason) "\u{2019}" }
                        }
                    }
                }
                p { a href=(clash.href) { "Choose which one counts" } }
            }
        }
    }
}

fn answer(group: &Group, today: &str) -> String {
    let who = if group.sees("members") {
        let people = words::counted(group.coming().count() as u64, "teacher", "teachers");
        let verb = if group.coming().count() == 1 {
            "is"
        } else {
            "are"
        };
        let schools = words::counted(group.organisations() as u64, "school", "schools");
        format!("{people} from {schools} {verb} coming. ")
    } else {
        String::new()
    };
    let next = match group.next_session(today) {
        Some(next) if next.date == today => format!("Session {} is today.", next.number),
        Some(next) => format!("The next session is on {}.", words::weekday(&next.date)),
        None => "No further session is planned.".to_owned(),
    };
    format!("{who}{next}")
}

fn next(group: &Group, today: &str, path: &str, marks: bool) -> Markup {
    let next = group.session_to_mark(today);
    html! {
        @match next {
            None => { h2 { "Next session" } p.soft { "None is planned." } }
            Some(session) => {
                h2 {
                    @if session.date.as_str() < today { "Not marked yet" }
                    @else if session.date == today { "Today" }
                    @else { "Next session" }
                }
                p { strong { "Session " (session.number) ": " (when(session)) } }
                @if !session.venue.is_empty() { p { (session.venue) } }
                @if session.minutes > 0 { p.soft { (session.minutes) " minutes" } }
                @if marks {
                    a.button href={ (path) "/register/" (session.id) } { "Mark the register" }
                }
            }
        }
    }
}

fn sessions(seen: &Seen, today: &str, path: &str) -> Markup {
    let group = &seen.group;
    let heads = ["Session", "When", "Where", "State", "Register", "Change"];
    let rows = group.by_date().into_iter().map(|session| {
        let cells = [
            html! { (session.number) },
            html! {
                (when(session))
                @if !session.moved_because.is_empty() {
                    span.under { "Moved: " (session.moved_because) }
                }
            },
            html! {
                (session.venue)
                @if session.mode == "online" || session.mode == "both" {
                    span.under { (words::capital(&session.mode)) }
                }
            },
            parts::tag(&session.state, parts::state_tone(&session.state)),
            register(seen, session, today, path),
            html! {
                @if seen.may.sessions && session.is_open() {
                    a href={ (path) "/sessions/" (session.id) "/move" } {
                        "Move" span.hidden { " session " (session.number) }
                    }
                }
            },
        ];
        heads.into_iter().zip(cells).collect::<Vec<Cell>>()
    });
    let rows = rows.collect::<Vec<_>>();
    html! {
        h2 id="sessions" { "Sessions" }
        @if rows.is_empty() {
            (parts::empty("No session is planned yet. Add the first with its date and place."))
        } @else {
            (stacked("Sessions, by date", &heads, &rows))
        }
        @if seen.may.sessions {
            p.buttons { a.button.button-plain href={ (path) "/sessions/new" } { "Add a session" } }
        }
    }
}

fn register(seen: &Seen, session: &Session, today: &str, path: &str) -> Markup {
    let group = &seen.group;
    let marks = group.standing_marks(&session.id);
    let counted = counted(marks.values().copied());
    let unfinished = session.is_open() && !marks.is_empty();
    html! {
        @if !group.sees("attendance") {
            span.soft { "Not shown to your role" }
        } @else if session.state == "cancelled" {
            span.soft { "Not held" }
        } @else {
            a href={ (path) "/register/" (session.id) } {
                @if counted.is_empty() {
                    @if session.date.as_str() > today { "Open" } @else { "Not marked" }
                } @else { (counted) }
                span.hidden { ", register of session " (session.number) }
            }
            @if unfinished { span.under { "Not finished" } }
        }
    }
}

/// Marks as a sentence has them: `13 present, 1 absent`.
pub(super) fn counted<'a>(marks: impl Iterator<Item = &'a Attendance>) -> String {
    let marks = marks.map(|it| it.mark.as_str()).collect::<Vec<_>>();
    let words = ["present", "part", "substitute", "absent"].map(|mark| {
        let count = marks.iter().filter(|it| **it == mark).count();
        (count > 0).then(|| format!("{count} {mark}"))
    });
    words.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

fn members(seen: &Seen, path: &str) -> Markup {
    let group = &seen.group;
    let heads = [
        "Who",
        "School or organisation",
        "Role",
        "Where they stand",
        "Change",
    ];
    let mut members = group.members.iter().collect::<Vec<_>>();
    members.sort_by_cached_key(|it| (!it.is_coming(), it.title().to_lowercase()));
    let rows = members.into_iter().map(|member| {
        let cells = [
            html! { (who(member)) },
            html! { (member.organisation) },
            html! { (member.role) },
            html! {
                (parts::tag(status_in_words(&member.status), parts::state_tone(&member.status)))
                @if !member.since.is_empty() {
                    span.under { "since " (words::short_day(&member.since)) }
                }
            },
            html! {
                @if seen.may.statuses {
                    a href={ (path) "/members/" (member.id) "/status" } {
                        "Change" span.hidden { " where " (member.title()) " stands" }
                    }
                }
            },
        ];
        heads.into_iter().zip(cells).collect::<Vec<Cell>>()
    });
    let rows = rows.collect::<Vec<_>>();
    html! {
        h2 id="members" { "Who is coming" }
        @if !group.sees("members") {
            p.soft { "Your role does not see who takes part." }
        } @else if rows.is_empty() {
            (parts::empty("Nobody has signed up yet. Whoever you add stands here."))
        } @else {
            (stacked("Members, those who are coming first", &heads, &rows))
        }
        @if !seen.leaders.is_empty() {
            p { "Led by " (words::listed(&seen.leaders)) "." }
        }
        @if seen.may.members {
            p.buttons { a.button.button-plain href={ (path) "/members/new" } { "Add a member" } }
        }
    }
}

fn who(member: &Member) -> &str {
    match (member.name.as_str(), member.person.is_empty()) {
        ("", true) => "Not named yet",
        ("", false) => "Not shown to your role",
        (name, _) => name,
    }
}

fn totals(group: &Group, as_at: &str, path: &str) -> Markup {
    let schools = |name: &str| {
        let measure = measure(name, 1)?;
        let computed = compute(measure, as_at, [group.counted()], 0);
        computed.cells.first().and_then(|cell| cell.value)
    };
    let signed_up = group.count_standing(&SIGNED_UP, as_at);
    let completed = group.count_standing(&["completed"], as_at);
    let figure = |title: &str, people: usize, schools: Option<i64>, means: &str| {
        html! {
            h3 { (title) }
            span.figure { (people) }
            p { "from " (schools.unwrap_or(0)) @if schools == Some(1) { " school" } @else { " schools" } }
            p.soft.small { (means) }
        }
    };
    html! {
        h2 id="totals" { "Sign-ups and completions as at " (words::day(as_at)) }
        ul.cards {
            li data-total="signed-up" {
                (figure(
                    "Signed up",
                    signed_up,
                    schools("schools-signed-up"),
                    "Applied, waiting, accepted, started or completed by that day, and not withdrawn.",
                ))
            }
            li data-total="completed" {
                (figure(
                    "Completed",
                    completed,
                    schools("schools-completed"),
                    "Completed by that day. A sign-up is no completion.",
                ))
            }
        }
        form.filters method="get" action={ (path) "#totals" } {
            div.inline-fields {
                (parts::typed_input("date", "as_at", "As at another day", "", as_at, None))
                div.field { button.button.button-plain type="submit" { "Show" } }
            }
        }
    }
}

fn more(seen: &Seen, path: &str) -> Markup {
    let link = |to: &str, label: &str, about: &str| {
        html! { li { div { a href={ (path) (to) } { (label) } p { (about) } } } }
    };
    html! {
        h2 { "More of this group" }
        ul.tasks {
            @if seen.group.sees("evidence") {
                (link(
                    "/change/evidence-and-what-changed",
                    "Evidence and what changed",
                    "What the group found, in its own words.",
                ))
            }
            @if seen.group.sees("ratings") {
                (link("/items/ratings/new", "Evaluate", "Rate the four outcomes from 1 to 4."))
            }
            @if seen.may.publishes {
                (link(
                    "/share",
                    "Share a summary with the project",
                    "You see exactly what would leave, without names, before it does.",
                ))
            }
            (link("/all", "Everything recorded", "All details of this group, and where to change them."))
            (link("/history", "History", "Who changed what, and when."))
        }
    }
}
