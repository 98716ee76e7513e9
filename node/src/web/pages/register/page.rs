//! The register as a page.

use maud::{Markup, html};

use super::super::work_groups::{Group, Member, Session, styles, today, when};
use super::marks::{MARKS, not_shown};
use crate::records::{Concerning, Desk, RecordsError};
use crate::web::{Visit, assets, parts, words};

/// A session's register as one role sees it.
pub(super) struct Register {
    group: Group,
    session: Session,
    rows: Vec<Row>,
    writes: bool,
    settles: bool,
    finishes: bool,
}

struct Row {
    member: Member,
    /// What the row is called, and what stands below.
    title: String,
    beside: String,
    item: String,
    mark: String,
    clash: bool,
}

impl Register {
    /// Reads the register of a session; none if the group has no such session. What is to be kept
    /// in a browser names nobody where the hub does not allow it.
    pub(super) fn read(
        desk: &Desk,
        id: &str,
        session: &str,
        keep: bool,
    ) -> Result<Option<Self>, RecordsError> {
        let mut group = Group::read(desk, id, &today())?;
        let access = desk.access(id)?;
        if !group.sees("attendance") || !group.sees("members") {
            return Err(not_shown(desk));
        }
        let Some(session) = group.session(session).cloned() else {
            return Ok(None);
        };
        let named = !keep || desk.keeps_personal_data()?;
        if named {
            group.name_members(desk)?;
        }
        let clashes = clashes(desk, &group, &session)?;
        let rows = rows(&group, &session, named, &clashes);
        Ok(Some(Self {
            writes: access.writes("attendance"),
            settles: access.settles("!two-marks"),
            finishes: access.writes("sessions") && session.is_open(),
            group,
            session,
            rows,
        }))
    }

    pub(super) fn title(&self) -> String {
        format!("Register of session {}", self.session.number)
    }
}

/// The members who have two marks in a session.
fn clashes(desk: &Desk, group: &Group, session: &Session) -> Result<Vec<String>, RecordsError> {
    let open = desk.versions(&group.id, &Concerning::default())?.versions;
    let marks = open.iter().filter(|open| {
        let field = open["field"].as_str();
        field.is_some_and(|field| field.starts_with("!two-marks/"))
    });
    let said = marks.map(|open| &open["versions"][0]["value"]);
    let said = said.filter(|said| said["session"].as_str() == Some(session.id.as_str()));
    let members = said.filter_map(|said| said["member"].as_str().map(str::to_owned));
    Ok(members.collect())
}

fn rows(group: &Group, session: &Session, named: bool, clashes: &[String]) -> Vec<Row> {
    let marks = group.standing_marks(&session.id);
    let mut members = group.on_register(&session.id);
    members.sort_by_cached_key(|it| (it.title().to_lowercase(), it.organisation.to_lowercase()));
    let mut numbers = std::collections::BTreeMap::<&str, usize>::new();
    let rows = members.into_iter().map(|member| {
        let mark = marks.get(member.id.as_str());
        let (title, beside) = if named {
            (member.title().to_owned(), member.beside())
        } else {
            let number = numbers.entry(&member.organisation).or_default();
            *number += 1;
            (member.organisation.clone(), format!("Teacher {number}"))
        };
        Row {
            member: member.clone(),
            title,
            beside,
            item: mark.map_or_else(String::new, |mark| mark.item.clone()),
            mark: mark.map_or_else(String::new, |mark| mark.mark.clone()),
            clash: clashes.contains(&member.id),
        }
    });
    rows.collect()
}

/// The page.
pub(super) fn render(visit: &Visit, register: &Register) -> Markup {
    let (group, session) = (&register.group, &register.session);
    let group_path = format!("/work-groups/{}", group.id);
    let path = format!("{group_path}/register/{}", session.id);
    let cancelled = session.state == "cancelled";
    html! {
        (styles())
        (parts::back(&group_path, group.text("title")))
        p.print-title { (group.text("title")) }
        h1 { (register.title()) }
        p.lead {
            (when(session))
            @if !session.venue.is_empty() { ", " (session.venue) }
        }
        @if cancelled {
            (parts::inset(&html! { p { "This session was cancelled." } }))
        }
        @if register.rows.is_empty() {
            (parts::empty("Nobody is on this register yet: whoever is accepted into the group stands here."))
        } @else {
            div.register data-register=(path) data-heads=(group.heads)
                data-title={ (group.text("title")) ", session " (session.number) }
                data-day=(words::short_day(&session.date)) {
                (totals(register))
                form.register-form method="post" action=(path) {
                    input type="hidden" name="csrf" value=(visit.csrf());
                    input type="hidden" name="heads" value=(group.heads);
                    input type="hidden" name="key" value=(fresh_key());
                    ul.register-rows {
                        @for row in &register.rows { (row_of(row, register)) }
                    }
                    @if register.writes {
                        div.buttons.without-scripts { (parts::button("Save the register")) }
                    }
                }
                @if register.writes {
                    p.with-scripts hidden {
                        button.button-link type="button" data-mark-rest {
                            "Mark everybody else present"
                        }
                    }
                }
            }
            (finish(visit, register, &group_path))
            script type="module" src=(assets::address("register.js")) {}
        }
    }
}

fn totals(register: &Register) -> Markup {
    let count = |mark: &str| register.rows.iter().filter(|row| row.mark == mark).count();
    let marked = register
        .rows
        .iter()
        .filter(|row| !row.mark.is_empty())
        .count();
    html! {
        div.register-top {
            ul.register-totals aria-label="Marks so far" {
                @for mark in MARKS {
                    li { strong data-total=(mark) { (count(mark)) } " " (mark) }
                }
            }
            p.register-saved role="status" data-saved {
                (marked) " of " (register.rows.len()) " marked"
                @if marked > 0 { ", all saved" }
            }
            p.register-line data-line role="status" hidden {}
        }
    }
}

fn row_of(row: &Row, register: &Register) -> Markup {
    let id = &row.member.id;
    let stood = format!("{} {}", row.item, row.mark);
    let state = if row.mark.is_empty() { "none" } else { "saved" };
    html! {
        li.register-row data-member=(id) data-item=(row.item) data-mark=(row.mark) {
            fieldset {
                legend {
                    span.register-name { (row.title) }
                    @if !row.beside.is_empty() { " " span.soft { (row.beside) } }
                }
                input type="hidden" name={ "stood-" (id) } value=(stood);
                div.register-marks {
                    @for mark in MARKS {
                        @let input = format!("mark-{id}-{mark}");
                        div {
                            input type="radio" id=(input) name={ "mark-" (id) } value=(mark)
                                checked[row.mark == mark] disabled[!register.writes];
                            label for=(input) { (words::capital(mark)) }
                        }
                    }
                }
            }
            p.register-state data-state=(state) {
                @if row.mark.is_empty() { "Not marked" } @else { "Saved" }
            }
            @if row.clash {
                p.register-clash {
                    a href={ "/versions/" (register.group.id) } {
                        "Marked twice: "
                        @if register.settles { "choose which counts" } @else { "see both marks" }
                    }
                }
            }
        }
    }
}

fn finish(visit: &Visit, register: &Register, group_path: &str) -> Markup {
    let session = &register.session;
    let action = format!("{group_path}/sessions/{}/held", session.id);
    let inner = html! {
        input type="hidden" name="stood" value={ (session.state) " " (session.date) };
        p { "When everybody is marked: the session then counts as held." }
        div.buttons { (parts::button("The session was held")) }
    };
    html! {
        @if register.finishes && session.date <= today() {
            div data-finish { (parts::form(&action, visit.csrf(), &inner)) }
        } @else if session.state == "held" {
            p { "The session was held, and its register is finished. A mark can still be corrected." }
        }
    }
}

/// What tells one sending of the form apart from another.
fn fresh_key() -> String {
    data_encoding::HEXLOWER.encode(&crate::random::<16>())
}
