//! A plan: planned against done?

use axum::Router;
use axum::extract::Path;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use maud::{Markup, html};
use node_domain::{FieldChange, Merge, Object, PLAN, WORK_GROUP};
use serde_json::{Value, json};

use crate::clock::now_ms;
use crate::records::{Desk, Find, RecordsError, is};
use crate::web::chart::{Chart, Pair, pairs};
use crate::web::record::{
    Editing, Opened, Saving, Shown, about, item_title, items_table, save, state_tag, summary_rows,
};
use crate::web::{Flash, PageError, Posted, Visit, Web, parts, words};

use super::work_groups::{BEGUN, NO_ITEM};

pub(super) fn routes() -> Router<Web> {
    Router::new()
        .route("/plans/{id}", get(show).post(step))
        .route("/plans/{id}/copies/{version}", get(copy))
}

/// An item of the plan with what stands behind it.
struct Line {
    title: String,
    project: String,
    groups: Pair,
    schools: Pair,
    money: Option<i64>,
}

struct Plan {
    record: Opened,
    lines: Vec<Line>,
}

async fn show(visit: Visit, Path(id): Path<String>) -> Result<Response, PageError> {
    let plan = visit.work(move |desk| Plan::open(desk, &id)).await?;
    if plan.record.kind.name != PLAN.name {
        return Err(PageError::redirect(plan.record.path()));
    }
    let title = plan.record.title();
    Ok(visit.page(&title, &plan.body(visit.csrf())))
}

impl Plan {
    fn open(desk: &Desk, id: &str) -> Result<Self, RecordsError> {
        let record = Opened::open(desk, id)?;
        let year = record.value("year").as_str().unwrap_or_default().to_owned();
        let items = record.items("items");
        let project = |item: &Object| {
            item.get("project")
                .and_then(Value::as_str)
                .map(str::to_owned)
        };
        let lines = items.iter().map(|item| {
            let same = items.iter().filter(|other| project(other) == project(item));
            Line::of(desk, item, &year, same.count() == 1)
        });
        let lines = lines.collect::<Result<Vec<_>, _>>()?;
        Ok(Self { record, lines })
    }

    fn body(&self, csrf: &str) -> Markup {
        let record = &self.record;
        let path = record.path();
        let state = record.value("state").as_str().unwrap_or_default();
        html! {
            (parts::back("/plans", "Plans"))
            h1 { span.caption { "Plan for " (record.words("year")) } (record.title()) " " (state_tag(state)) }
            p.lead { (self.in_short()) }
            (about(record, &format!("{path}/marks")))
            (self.planned_and_done())
            (self.copies(&path))
            (self.needs())
            (self.items(&path))
            (self.steps(&path, state, csrf))
            h2 { "All of the plan" }
            p { a href={ (path) "/all" } { "Every part of the plan, with its comments and decisions" } " · "
                a href={ (path) "/history" } { "What was changed when" } }
        }
    }

    fn in_short(&self) -> String {
        let (planned, done) = self.lines.iter().fold((0_u64, 0_u64), |sums, line| {
            (
                sums.0.saturating_add(line.groups.planned),
                // More of one item makes up for no other.
                sums.1
                    .saturating_add(line.groups.done.min(line.groups.planned)),
            )
        });
        if planned == 0 {
            return "Nothing is planned yet.".to_owned();
        }
        format!(
            "{} of {} planned {} running or finished.",
            words::number(done),
            words::counted(planned, "work group", "work groups"),
            if done == 1 { "is" } else { "are" }
        )
    }

    fn planned_and_done(&self) -> Markup {
        let groups = self.lines.iter().map(|line| line.groups.clone());
        let groups = groups.collect::<Vec<_>>();
        let as_at = words::moment(now_ms());
        let behind = groups
            .iter()
            .filter(|pair| pair.done < pair.planned)
            .count();
        let chart = |finding: String, definition: &str| Chart {
            finding,
            definition: definition.to_owned(),
            as_at: as_at.clone(),
        };
        html! {
            @if !self.lines.is_empty() {
                h2 { "Planned against done" }
                (pairs(&chart(match behind {
                        0 => "Every item has the work groups that were planned".to_owned(),
                        _ => format!("{} fewer work groups than planned",
                            words::counted(behind as u64, "item has", "items have")),
                    }, "Done are the work groups of the plan's year that carry the item out and are \
                        running or completed."), "Item", &groups))
            }
        }
    }

    /// The kept copies, and what was changed since the latest.
    fn copies(&self, path: &str) -> Markup {
        let copies = self.record.shown.more["copies"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        let Some(latest) = copies.last() else {
            return html! {};
        };
        let differences = self.record.shown.more["differences"].as_array();
        let differences = differences.cloned().unwrap_or_default();
        let text = |value: &Value, name: &str| value[name].as_str().unwrap_or_default().to_owned();
        html! {
            h2 { "Kept copies" }
            p { "Each is read-only, as the plan stood on its day." }
            ul.tasks #copies {
                @for copy in copies.iter().rev() {
                    li {
                        a href={ (path) "/copies/" (copy["version"].to_string()) } {
                            (words::capital(&text(copy, "state"))) " on " (words::day(&text(copy, "on")))
                        }
                        @if copy["genuine"].as_bool() == Some(false) {
                            (parts::tag("not as it was kept", parts::Tone::Wrong))
                        }
                    }
                }
            }
            @if differences.is_empty() {
                p { "The plan stands as in the copy of " (words::day(&text(latest, "on"))) "." }
            } @else {
                div.note.note-warning #differences {
                    p.note-title {
                        (words::counted(differences.len() as u64, "thing has", "things have"))
                        " been changed since the copy of " (words::day(&text(latest, "on"))) "."
                    }
                }
                (parts::table("Changed since the latest copy",
                    &[("What", false), ("In the copy", false), ("Now", false)],
                    &differences.iter().map(|it| vec![
                        html! { (text(it, "label")) },
                        html! { del.changed-before { (plain(&it["before"])) } },
                        html! { ins.changed-after { (plain(&it["after"])) } },
                    ]).collect::<Vec<_>>()))
            }
        }
    }

    /// The needs in the order that people's scores give them.
    fn needs(&self) -> Markup {
        if self.record.items("needs").is_empty() {
            return html! {};
        }
        let ranked = self.record.shown.more["ranking"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        let rows = ranked.iter().map(|it| {
            let scores = it["scores"].as_array().into_iter().flatten();
            let scores = scores.map(|score| {
                let who = score[0].as_str().unwrap_or_default();
                let who = self.record.names.title(who).unwrap_or("a member");
                format!("{who} {}", plain(&score[1]))
            });
            let scores = words::listed(&scores.collect::<Vec<_>>());
            let mean = it["mean_hundredths"].as_i64();
            vec![
                html! { (it["title"].as_str().unwrap_or_default()) },
                html! { @if let Some(mean) = mean { (mean / 100) "." (format!("{:02}", mean % 100)) } },
                html! { (scores) },
                html! { @if it["differs"].as_bool() == Some(true) { (parts::tag("members differ", parts::Tone::Look)) } },
            ]
        });
        let rows = rows.collect::<Vec<_>>();
        let field = PLAN.field("needs");
        html! {
            h2 { "Needs" }
            @if !rows.is_empty() {
                (parts::table("The most severe first, as members score them", &[("Need", false),
                    ("Mean", true), ("Each member", false), ("Agreement", false)], &rows))
            } @else if let Some(field) = field {
                (items_table(&self.record, field, Shown::Some(20)))
            }
        }
    }

    fn items(&self, path: &str) -> Markup {
        let rows = self.lines.iter().map(|line| {
            vec![
                html! { (line.title) },
                html! { @if line.project.is_empty() { "Local" } @else { (line.project) } },
                html! { (words::number(line.groups.planned)) },
                html! { (words::number(line.schools.done)) " of " (words::number(line.schools.planned)) },
                html! { @if let Some(pence) = line.money { (words::pounds(pence)) } },
            ]
        });
        let rows = rows.collect::<Vec<_>>();
        let money = self.lines.iter().filter_map(|line| line.money);
        let money = money.fold(0_i64, i64::saturating_add);
        let adds = PLAN
            .field("items")
            .is_some_and(|field| self.record.writes_items(field));
        html! {
            h2 { "Items" }
            @if rows.is_empty() {
                (parts::empty("The plan has no items yet."))
            } @else {
                (parts::table("What is planned", &[("What", false), ("Project", false),
                    ("Work groups", true), ("Schools signed up", true), ("Money", true)], &rows))
                p { "Together " strong { (words::pounds(money)) } "." }
            }
            @if adds { p { a href={ (path) "/items/items/new" } { "Add an item" } } }
            @if let Some(section) = PLAN.sections.first() {
                details { summary { "Title and year" } (parts::summary_list(&summary_rows(&self.record, section))) }
            }
        }
    }

    /// The steps that the plan may take from here, as buttons.
    fn steps(&self, path: &str, state: &str, csrf: &str) -> Markup {
        let Some(field) = PLAN
            .field("state")
            .filter(|field| self.record.writes(field))
        else {
            return html! {};
        };
        let Merge::State(states) = field.merge else {
            return html! {};
        };
        let now = states
            .iter()
            .find(|it| it.name == state)
            .or_else(|| states.first());
        let next = now.map_or(&[][..], |now| now.next);
        html! {
            @if !next.is_empty() {
                h2 { "Next step" }
                p { "A copy is kept for good at each step." }
                div.buttons {
                    @for step in next {
                        (parts::form(path, csrf, &html! {
                            input type="hidden" name="heads" value=(self.record.heads);
                            input type="hidden" name="state" value=(step);
                            (parts::button(step_words(step)))
                        }))
                    }
                    @if self.record.access.publishes && matches!(state, "submitted" | "agreed" | "amended") {
                        a.button.button-plain href={ (path) "/share" } { "Send the submitted copy to NCETM" }
                    }
                }
            }
        }
    }
}

fn step_words(state: &str) -> &str {
    match state {
        "draft" => "Back to draft",
        "board" => "Put it to the board",
        "submitted" => "Submit it",
        "returned" => "Return it",
        "agreed" => "Agree it",
        "amended" => "Amend it",
        other => other,
    }
}

impl Line {
    /// `alone` says that no other item of the plan is of its project.
    fn of(desk: &Desk, item: &Object, year: &str, alone: bool) -> Result<Self, RecordsError> {
        let text = |name: &str| item.get(name).and_then(Value::as_str).unwrap_or_default();
        let number = |name: &str| item.get(name).and_then(Value::as_u64).unwrap_or(0);
        let (title, project) = (text("title").to_owned(), text("project").to_owned());
        // A group names the item that it carries out. Those of the item's project that name none
        // belong to it where no other item is of that project.
        let mut behind = Behind::of(desk, year, &[("item", &title)])?;
        if behind.groups == 0 && alone && !project.is_empty() {
            behind = Behind::of(desk, year, &[("project", &project), ("item", NO_ITEM)])?;
        }
        let pair = |planned, done| Pair {
            label: title.clone(),
            href: behind.href.clone(),
            planned,
            done,
        };
        Ok(Self {
            groups: pair(number("groups"), behind.groups),
            schools: pair(number("schools"), behind.schools),
            money: item.get("money").and_then(Value::as_i64),
            title: title.clone(),
            project,
        })
    }
}

/// What stands behind the numbers of an item, and where it is listed.
struct Behind {
    groups: u64,
    schools: u64,
    href: Option<String>,
}

impl Behind {
    /// The groups of a year that have begun and that these questions of their list find.
    fn of(desk: &Desk, year: &str, asked: &[(&str, &str)]) -> Result<Self, RecordsError> {
        let mut filters = vec![format!("state is {BEGUN}")];
        let mut address = form_urlencoded::Serializer::new(String::new());
        address.append_pair("state", "begun");
        let year = Some(("year", year)).filter(|(_, year)| !year.is_empty());
        for (name, value) in asked.iter().copied().chain(year) {
            let field = if name == "item" { "plan_item" } else { name };
            if value.is_empty() || !desk.sees(WORK_GROUP.name, field) {
                return Ok(Self {
                    groups: 0,
                    schools: 0,
                    href: None,
                });
            }
            filters.push(if value == NO_ITEM {
                format!("{field} missing")
            } else {
                is(field, value)
            });
            address.append_pair(name, value);
        }
        let find = Find {
            kind: WORK_GROUP.name.to_owned(),
            filters,
            limit: 1,
            ..Find::default()
        };
        let groups = desk.find(&find)?.total;
        let schools = if groups > 0 && desk.sees(WORK_GROUP.name, "members/urn") {
            desk.count(&find, "members/urn")?.len() as u64
        } else {
            0
        };
        Ok(Self {
            groups,
            schools,
            href: Some(format!("/work-groups?{}", address.finish())),
        })
    }
}

async fn step(
    visit: Visit,
    Path(id): Path<String>,
    Posted(form): Posted,
) -> Result<Response, PageError> {
    let back = format!("/plans/{id}");
    let editing = Editing {
        id,
        heads: form.get("heads").to_owned(),
        changes: vec![FieldChange::set("state", json!(form.get("state")))],
    };
    match save(&visit, editing).await? {
        Saving::Done(saved) => saved.tell(&visit, "", &back),
        Saving::Wrong(problems) => {
            let lines = problems.into_iter().map(|problem| problem.message);
            visit.tell(Flash::warning("The plan stays as it is.").more(lines));
        }
        Saving::TooOld => visit.tell(Flash::warning(
            "The plan has changed a great deal since you opened it. Look at it again, then take the \
             step.",
        )),
    }
    Ok(Redirect::to(&back).into_response())
}

/// A kept copy, read-only.
async fn copy(
    visit: Visit,
    Path((id, version)): Path<(String, i64)>,
) -> Result<Response, PageError> {
    let record = visit.work(move |desk| Opened::open(desk, &id)).await?;
    let copies = record.shown.more["copies"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    let copy = copies
        .into_iter()
        .find(|copy| copy["version"].as_i64() == Some(version));
    let copy = copy.ok_or_else(PageError::missing)?;
    let text = |name: &str| copy[name].as_str().unwrap_or_default();
    let content = copy["content"].as_object().cloned().unwrap_or_default();
    let title = format!(
        "{}, {} on {}",
        record.title(),
        text("state"),
        words::day(text("on"))
    );
    let rows = content.iter().filter_map(|(name, value)| {
        let field = record.kind.field(name)?;
        let shown = match field.items() {
            None => crate::web::record::value(field, value, &record.names),
            Some(inner) => {
                let items = value
                    .as_array()
                    .into_iter()
                    .flatten()
                    .filter_map(Value::as_object);
                let titles = items.map(|item| item_title(inner, item, &record.names));
                html! { ul { @for title in titles { li { (title) } } } }
            }
        };
        Some(parts::SummaryRow::new(field.label, shown))
    });
    let rows = rows.collect::<Vec<_>>();
    let body = html! {
        (parts::back(&record.path(), &record.title()))
        h1 { span.caption { "Kept copy, read-only" } (title) }
        @if copy["genuine"].as_bool() == Some(false) {
            div.note.note-warning { p.note-title { "This copy is not what was kept on that day." } }
        }
        (parts::summary_list(&rows))
    };
    Ok(visit.page(&title, &body))
}

/// A value of a copy in words.
fn plain(value: &Value) -> String {
    match value {
        Value::Null => "nothing".to_owned(),
        Value::String(text) => text.clone(),
        Value::Bool(yes) => if *yes { "yes" } else { "no" }.to_owned(),
        Value::Number(number) => number.to_string(),
        Value::Array(items) => words::listed(&items.iter().map(plain).collect::<Vec<_>>()),
        Value::Object(fields) => {
            let said = fields
                .iter()
                .filter(|(name, _)| *name != "id" && *name != "rank_key");
            words::listed(&said.map(|(_, value)| plain(value)).collect::<Vec<_>>())
        }
    }
}
