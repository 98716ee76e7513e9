//! One project.

use std::collections::BTreeMap;

use axum::extract::Path;
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};
use node_domain::Object;
use serde_json::{Value, json};

use super::compare::Compared;
use super::{column, entry, open, own_groups, text};
use crate::records::Desk;
use crate::web::record::{Opened, Shown as Items, about, changed, items_table, state_tag};
use crate::web::{Flash, PageError, Posted, Visit, parts, words};

struct Shown {
    record: Opened,
    stage: String,
    own: String,
    hubs: BTreeMap<String, String>,
    /// Our own groups: address, title and the version of the protocol on which each runs.
    groups: Vec<(String, String, Option<i64>)>,
    to_sign: usize,
    /// At the coordinator: the hubs beside each other.
    compared: Option<Compared>,
    coordinates: bool,
    changes: Vec<(u64, String, String)>,
}

pub(super) async fn page(visit: Visit, Path(id): Path<String>) -> Result<Response, PageError> {
    let shown = visit.work(move |desk| Shown::of(desk, &id)).await?;
    let body = shown.body(visit.csrf());
    Ok(visit.page(&shown.record.title(), &body))
}

pub(super) async fn join(
    visit: Visit,
    Path(id): Path<String>,
    Posted(form): Posted,
) -> Result<Response, PageError> {
    let back = format!("/project-records/{id}/agreement");
    let heads = form.get("heads").to_owned();
    visit
        .work(move |desk| {
            let record = open(desk, &id)?;
            let own = desk.own_hub();
            let rows = record.items("participation");
            let row = rows.into_iter().find(|row| text(row, "hub") == own);
            let change = match row.map(|row| text(row, "id")) {
                Some(row) => json!([{
                    "do": "set", "field": format!("participation/{row}/status"), "value": "joined",
                }]),
                None => json!([{
                    "do": "add", "field": "participation", "id": own,
                    "values": { "hub": own, "status": "joined" },
                }]),
            };
            desk.edit(&id, &heads, &change.to_string())?;
            Ok::<_, PageError>(())
        })
        .await?;
    visit.tell(Flash::done(
        "This hub has joined. Read the data agreement next: until it is signed nothing is sent.",
    ));
    Ok(Redirect::to(&back).into_response())
}

impl Shown {
    fn of(desk: &Desk, id: &str) -> Result<Self, PageError> {
        let record = open(desk, id)?;
        let code = record.value("code").as_str().unwrap_or_default();
        let stage = entry(desk, code)?.map(|entry| column(&entry.json, "stage"));
        let mut groups = Vec::new();
        for group in own_groups(desk, code)? {
            let id = group.id.to_string();
            let version = desk.show(&id, "")?.fields["protocol_version"].as_i64();
            groups.push((format!("/work-groups/{id}"), group.title, version));
        }
        let mut changes = Vec::new();
        let history = desk.history(id, "")?;
        for step in history.as_array().into_iter().flatten().rev() {
            let label = step["label"].as_str().unwrap_or_default();
            let at = step["time_ms"].as_u64().unwrap_or_default();
            let hub = step["hub"].as_str().unwrap_or_default();
            let seen = |(before, code, known): &(u64, String, String)| {
                *before == at && code == hub && known == label
            };
            if label.is_empty() || changes.iter().any(seen) {
                continue;
            }
            changes.push((at, hub.to_owned(), label.to_owned()));
            if changes.len() == 6 {
                break;
            }
        }
        let mut hubs = BTreeMap::new();
        let lists = ["participation", "findings", "positions", "proposals"];
        let codes = lists.iter().flat_map(|list| record.items(list));
        let codes = codes.map(|item| text(item, "hub").to_owned());
        let codes = codes.chain(changes.iter().map(|(_, hub, _)| hub.clone()));
        for code in codes.collect::<Vec<_>>() {
            hubs.entry(code)
                .or_insert_with_key(|code| desk.hub_name(code));
        }
        let coordinates = desk.status()?.is_coordinator;
        let compared = if coordinates {
            Compared::of(desk, id)?
        } else {
            None
        };
        Ok(Self {
            stage: stage.unwrap_or_default(),
            own: desk.own_hub(),
            // The coordinator's own data are no part of an agreement.
            to_sign: if coordinates {
                0
            } else {
                desk.unsigned_fields(id)?.len()
            },
            record,
            compared,
            coordinates,
            hubs,
            groups,
            changes,
        })
    }

    fn hub(&self, code: &str) -> String {
        self.hubs.get(code).cloned().unwrap_or_default()
    }

    /// The releases of the protocol, oldest first.
    fn releases(&self) -> Vec<(i64, &Object)> {
        let releases = self.record.items("releases").into_iter();
        let releases = releases.filter_map(|it| Some((it.get("version")?.as_i64()?, it)));
        let mut releases = releases.collect::<Vec<_>>();
        releases.sort_by_key(|(version, _)| *version);
        releases
    }

    /// How many rows of participation stand at each status.
    fn standing(&self) -> Vec<(&'static str, usize)> {
        let rows = self.record.items("participation");
        let of = |status: &str| {
            rows.iter()
                .filter(|it| text(it, "status") == status)
                .count()
        };
        let all = ["joined", "active", "invited", "left"];
        all.map(|status| (status, of(status))).to_vec()
    }

    fn body(&self, csrf: &str) -> Markup {
        let record = &self.record;
        let path = record.path();
        html! {
            (parts::back("/project-records", "Projects"))
            h1 {
                span.caption { "Project " (record.words("code")) }
                (record.title())
            }
            p.lead { (self.in_short()) }
            (self.next(csrf))
            (about(record, &format!("{path}/marks")))
            (parts::summary_list(&self.facts()))
            @if let Some(compared) = &self.compared { (compared.section()) }
            (self.protocol())
            @if !self.coordinates { (self.groups()) }
            (self.taking_part())
            (self.findings())
            (self.list("measures", "Add a measure"))
            h2 { "What changed lately" }
            ul.history #changes {
                @for (at, hub, label) in &self.changes {
                    li { (label) ", " (self.hub(hub)) span.soft { " · " (words::moment(*at)) } }
                }
            }
            p { a href={ (path) "/history" } { "Everything that changed" } " · "
                a href={ (path) "/all" } { "Every part of the project" } }
        }
    }

    fn in_short(&self) -> String {
        let standing = self.standing();
        let of = |status: &str| {
            let found = standing.iter().find(|(name, _)| *name == status);
            found.map_or(0, |(_, count)| *count as u64)
        };
        let joined = words::counted(of("joined"), "hub has", "hubs have");
        let active = words::counted(of("active"), "is", "are");
        let protocol = match self.releases().last() {
            Some((version, _)) => format!("The protocol is at version {version}."),
            None => "The protocol is still being drafted.".to_owned(),
        };
        let stage = match self.stage.as_str() {
            "" => String::new(),
            stage => format!("At the stage of {stage}. "),
        };
        format!("{stage}{joined} joined and {active} active. {protocol}")
    }

    /// What this hub has to do next, if it has to do anything.
    fn next(&self, csrf: &str) -> Markup {
        let rows = self.record.items("participation");
        let row = rows.into_iter().find(|it| text(it, "hub") == self.own);
        let status = row.map_or("", |row| text(row, "status"));
        let field = self.record.kind.field("participation");
        let may = field.is_some_and(|field| self.record.writes_items(field));
        let path = self.record.path();
        let joins = may && matches!(status, "" | "invited" | "left") && !self.own.is_empty();
        let coordinates = self.own.is_empty() || self.record.access.own;
        html! {
            @if joins && !coordinates {
                div.note {
                    p.note-title {
                        @if status == "invited" { "This hub is invited" }
                        @else if status == "left" { "This hub has left the project" }
                        @else { "This hub does not take part yet" }
                    }
                    (parts::form(&format!("{path}/join"), csrf, &html! {
                        input type="hidden" name="heads" value=(self.record.heads);
                        (parts::button("Join the project"))
                    }))
                }
            } @else if self.to_sign > 0 {
                div.note.note-warning {
                    p.note-title { "The data agreement waits for this hub" }
                    p { "It lists " (words::counted(self.to_sign as u64, "fact", "facts"))
                        " that this hub has not signed; nothing of them is sent until then." }
                    p { a.button href={ (path) "/agreement" } { "Read the data agreement" } }
                }
            }
        }
    }

    fn facts(&self) -> Vec<parts::SummaryRow> {
        let record = &self.record;
        let mut rows = Vec::new();
        for (name, label) in [("question", "Question"), ("phase", "Phase tried first")] {
            let words = record.words(name);
            if !words.is_empty() {
                rows.push(parts::SummaryRow::text(label, words));
            }
        }
        if let Some(state) = record.value("state").as_str() {
            rows.push(parts::SummaryRow::new("State", state_tag(state)));
        }
        if !self.stage.is_empty() {
            rows.push(parts::SummaryRow::new(
                "Stage in the catalogue",
                state_tag(&self.stage),
            ));
        }
        let listed = record.value("agreed_fields").as_array().map_or(0, Vec::len);
        let agreement = match (self.to_sign, listed) {
            (0, 0) => "Lists nothing yet".to_owned(),
            (_, listed) if self.coordinates => {
                let facts = words::counted(listed as u64, "fact", "facts");
                format!("Lists {facts} of each work group")
            }
            (0, _) => "Signed by this hub".to_owned(),
            (_, _) => "Not signed by this hub".to_owned(),
        };
        let href = format!("{}/agreement", record.path());
        rows.push(parts::SummaryRow::new(
            "Data agreement",
            html! { (agreement) ". " a href=(href) { "Read it" } },
        ));
        rows
    }

    fn protocol(&self) -> Markup {
        let record = &self.record;
        let path = record.path();
        let releases = self.releases();
        let drafting = record.value("protocol_state") != "released";
        let draft = record.value("protocol").as_str().unwrap_or_default();
        let may = record.kind.field("protocol");
        let may = may.is_some_and(|field| record.writes(field));
        let before = releases.len().checked_sub(2).map(|at| releases[at]);
        html! {
            h2 #protocol { "Protocol" }
            @if let Some((version, release)) = releases.last() {
                p { "Version " strong data-protocol=(version) { (version) } ", released on "
                    (words::day(text(release, "on"))) "." }
                (parts::paragraphs(&protocol_of(release)))
                @if let Some((earlier, before)) = before {
                    details {
                        summary { "What changed since version " (earlier) }
                        p.wrapped { (changed(&protocol_of(before), &protocol_of(release))) }
                    }
                }
            }
            @if drafting {
                @if releases.is_empty() { p { "No version has been released yet." } }
                @else { h3 { "Draft of the next version" } }
                @if draft.is_empty() { (parts::empty("The hubs have not written anything yet.")) }
                @else { (parts::paragraphs(draft)) }
                @if may { p { a href={ (path) "/change/protocol" } { "Write on the draft" } } }
            }
            (self.list("proposals", "Propose a change of the protocol"))
        }
    }

    /// Our own groups: each stays on the version on which it began.
    fn groups(&self) -> Markup {
        let newest = self.releases().last().map(|(version, _)| *version);
        let rows = self.groups.iter().map(|(path, title, version)| {
            let behind = version.zip(newest).filter(|(on, newest)| on < newest);
            vec![
                html! { a href=(path) { (title) } },
                html! {
                    @match version {
                        Some(version) => { "Version " (version) }
                        None => "Not said",
                    }
                    @if let Some((_, newest)) = behind {
                        " " (parts::tag(&format!("version {newest} is out"), parts::Tone::Look))
                    }
                },
            ]
        });
        let rows = rows.collect::<Vec<_>>();
        html! {
            h2 { "Our work groups" }
            @if rows.is_empty() {
                (parts::empty("This hub has no work group of this project. A group belongs to it when the \
                               project’s code stands in the group."))
            } @else {
                p { "A group stays on the version on which it runs, with its measures; nothing moves it by itself." }
                div #our-groups { (parts::table("Version of the protocol", &[("Work group", false), ("Runs on", false)], &rows)) }
            }
        }
    }

    fn taking_part(&self) -> Markup {
        let rows = self.record.items("participation").into_iter().map(|row| {
            let status = text(row, "status");
            let quota = row.get("quota").and_then(Value::as_u64);
            vec![
                html! { (self.hub(text(row, "hub"))) },
                html! { @if !status.is_empty() { (state_tag(status)) } },
                html! { @if let Some(quota) = quota { (quota) } },
                html! { (text(row, "adaptations")) },
            ]
        });
        let rows = rows.collect::<Vec<_>>();
        let heads = [
            ("Hub", false),
            ("Status", false),
            ("Groups planned", true),
            ("Adaptations", false),
        ];
        html! {
            h2 { "Hubs taking part" }
            ul.ways {
                @for (status, count) in self.standing() {
                    li { (words::capital(status)) ": " strong data-total=(status) { (count) } }
                }
            }
            @if rows.is_empty() { (parts::empty("No hub has joined yet.")) }
            @else { div #participation { (parts::table("Who takes part", &heads, &rows)) } }
            (self.adds("participation", "Add a hub"))
        }
    }

    /// What was found, with the hubs for it and those against it beside each other.
    fn findings(&self) -> Markup {
        let record = &self.record;
        let positions = record.items("positions");
        let may = record.kind.field("positions");
        let may = may.is_some_and(|field| record.writes_items(field));
        html! {
            h2 { "Findings" }
            @if record.items("findings").is_empty() {
                (parts::empty("Nothing has been found yet."))
            }
            @for finding in record.items("findings") {
                @let of = positions.iter().filter(|it| text(it, "finding") == text(finding, "id"));
                @let stances = of.copied().collect::<Vec<_>>();
                div.card data-finding {
                    p { strong { (text(finding, "claim")) } }
                    @if !text(finding, "evidence").is_empty() { p { (text(finding, "evidence")) } }
                    p.soft { "Found by " (self.hub(text(finding, "hub"))) }
                    div.beside {
                        (self.stances(&stances, "for", "For"))
                        (self.stances(&stances, "against", "Against"))
                    }
                }
            }
            @if may && !record.items("findings").is_empty() {
                p { a href={ (record.path()) "/items/positions/new" } { "Say whether this hub is for or against a finding" } }
            }
            (self.adds("findings", "Add a finding"))
        }
    }

    fn stances(&self, all: &[&Object], stance: &str, label: &str) -> Markup {
        let these = all.iter().filter(|it| text(it, "stance") == stance);
        let these = these.collect::<Vec<_>>();
        html! {
            div data-stance=(stance) {
                h3 { (label) ": " (words::counted(these.len() as u64, "hub", "hubs")) }
                ul {
                    @for position in &these {
                        li {
                            (self.hub(text(position, "hub")))
                            @if !text(position, "reason").is_empty() { ": " (text(position, "reason")) }
                        }
                    }
                }
            }
        }
    }

    fn list(&self, name: &str, add: &str) -> Markup {
        let Some(field) = self.record.kind.field(name) else {
            return html! {};
        };
        let empty = self.record.items(name).is_empty();
        html! {
            @if !empty {
                h2 { (field.label) }
                (items_table(&self.record, field, Items::Some(10)))
            }
            (self.adds(name, add))
        }
    }

    fn adds(&self, name: &str, label: &str) -> Markup {
        let field = self.record.kind.field(name);
        let may = field.is_some_and(|field| self.record.writes_items(field));
        html! {
            @if may { p { a href={ (self.record.path()) "/items/" (name) "/new" } { (label) } } }
        }
    }
}

/// The text of a released protocol.
fn protocol_of(release: &Object) -> String {
    let content = serde_json::from_str::<Value>(text(release, "content")).unwrap_or_default();
    content["protocol"].as_str().unwrap_or_default().to_owned()
}
