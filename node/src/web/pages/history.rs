//! The history of a record: who changed what when, what stood before, and bringing it back.

use std::collections::{BTreeMap, BTreeSet};

use axum::Router;
use axum::extract::{Path, Query};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use maud::{Markup, html};
use node_domain::{Field, FieldChange, Form as KeptAs, Merge};
use serde::Deserialize;
use serde_json::Value;

use crate::records::RecordsError;
use crate::web::record::{
    Editing, Names, Opened, Saving, changed, field_at, place_of, save, words_at,
};
use crate::web::{PageError, Posted, Visit, Web, parts, visit::url_query, words};

/// How many edits stand on one page.
const PAGE: usize = 25;
/// How many additions to one list are told one by one.
const SEVERAL_MAX: usize = 4;
/// How many changes of one edit are told one by one.
const TOLD_MAX: usize = 12;

pub(super) fn routes() -> Router<Web> {
    Router::new().route("/{slug}/{id}/history", get(show).post(bring_back))
}

#[derive(Debug, Default, Deserialize)]
struct Asked {
    #[serde(default)]
    field: String,
    #[serde(default)]
    page: usize,
}

/// One step, as it is told.
#[derive(Debug, Clone)]
struct Step {
    path: String,
    label: String,
    value: Value,
    before: Value,
    hub: String,
    time_ms: u64,
}

struct Shown {
    record: Opened,
    /// The newest first.
    steps: Vec<Step>,
    hubs: BTreeMap<String, String>,
}

/// The history of a record or of one of its fields, with names for one page of it.
async fn load(
    visit: &Visit,
    (slug, id): (String, String),
    field: String,
    page: usize,
) -> Result<Shown, PageError> {
    visit
        .work(move |desk| {
            let mut record = Opened::open(desk, &id)?;
            if record.kind.slug() != slug {
                return Err(PageError::missing());
            }
            let field = record.kind.field(&field).map_or("", |field| field.name);
            let history = desk.history(&id, field)?;
            let steps = history.as_array().into_iter().flatten().map(step);
            let mut steps = steps.collect::<Vec<_>>();
            steps.reverse();
            let mut named = Vec::new();
            for step in on_page(&edits(&steps), page).concat() {
                for value in [&step.value, &step.before] {
                    named.extend(
                        value
                            .as_str()
                            .filter(|text| text.len() < 70)
                            .map(str::to_owned),
                    );
                }
            }
            record.names.extend(Names::of_values(desk, named)?);
            let codes = steps.iter().map(|step| step.hub.clone());
            let hubs = codes
                .map(|code| (code.clone(), desk.hub_name(&code)))
                .collect();
            Ok::<_, PageError>(Shown {
                record,
                steps,
                hubs,
            })
        })
        .await
}

fn step(step: &Value) -> Step {
    let text = |name: &str| step[name].as_str().unwrap_or_default().to_owned();
    Step {
        path: text("field"),
        label: text("label"),
        value: step["value"].clone(),
        before: step["before"].clone(),
        hub: text("hub"),
        time_ms: step["time_ms"].as_u64().unwrap_or_default(),
    }
}

/// The steps of one edit together, the newest edit first.
fn edits(steps: &[Step]) -> Vec<&[Step]> {
    steps
        .chunk_by(|a, b| a.hub == b.hub && a.time_ms == b.time_ms)
        .collect()
}

/// The edits that stand on a page, numbered from 1.
fn on_page<'a, 'b>(edits: &'a [&'b [Step]], page: usize) -> &'a [&'b [Step]] {
    let from = page.saturating_sub(1).saturating_mul(PAGE).min(edits.len());
    let to = from.saturating_add(PAGE).min(edits.len());
    &edits[from..to]
}

async fn show(
    visit: Visit,
    Path((slug, id)): Path<(String, String)>,
    Query(asked): Query<Asked>,
) -> Result<Response, PageError> {
    let (field, page) = (asked.field.clone(), asked.page.max(1));
    let shown = load(&visit, (slug, id), field, page).await?;
    let record = &shown.record;
    let body = html! {
        (parts::back(&record.path(), "Back"))
        p.caption { (record.title()) }
        h1 { "History" }
        @if record.kind.form == KeptAs::Card {
            p.lead { "This record is kept without history, because it may hold personal data." }
        } @else {
            (told(&visit, &shown, &asked))
        }
    };
    Ok(visit.page(&format!("History: {}", record.title()), &body))
}

fn told(visit: &Visit, shown: &Shown, asked: &Asked) -> Markup {
    let record = &shown.record;
    let edits = edits(&shown.steps);
    let (page, pages) = (asked.page.max(1), edits.len().div_ceil(PAGE).max(1));
    let path = format!("{}/history", record.path());
    let fields = record
        .kind
        .fields
        .iter()
        .filter(|field| record.access.sees(field.name));
    let query = if asked.field.is_empty() {
        String::new()
    } else {
        url_query("field", &asked.field)
    };
    html! {
        p.lead {
            (words::counted(edits.len() as u64, "change", "changes"))
            @if let Some(first) = edits.last().and_then(|edit| edit.first()) {
                ", the first on " (words::moment(first.time_ms))
            }
            "."
        }
        form.filters action=(path) method="get" {
            div.inline-fields {
                div.field {
                    label for="history-field" { "Changes of" }
                    select id="history-field" name="field" {
                        option value="" { "Everything" }
                        @for field in fields {
                            option value=(field.name) selected[field.name == asked.field] { (field.label) }
                        }
                    }
                }
                div.field { button.button.button-plain type="submit" { "Show" } }
            }
        }
        @if edits.is_empty() { (parts::empty("Nothing was changed here yet.")) }
        ol.history {
            @for edit in on_page(&edits, page) { (one(visit, shown, edit)) }
        }
        (parts::pagination(&path, &query, page as u64, pages as u64))
    }
}

fn one(visit: &Visit, shown: &Shown, edit: &[Step]) -> Markup {
    let Some(first) = edit.first() else {
        return html! {};
    };
    let record = &shown.record;
    let hub = shown
        .hubs
        .get(&first.hub)
        .map_or(first.hub.as_str(), String::as_str);
    let (lists, rest) = grouped(record, edit);
    html! {
        @if !(lists.is_empty() && rest.is_empty()) {
            li {
                p.history-who { strong { (hub) } " " span.soft { (words::moment(first.time_ms)) } }
                dl.history-what {
                    @for step in rest.iter().take(TOLD_MAX) { (one_step(visit, shown, step)) }
                    @for (list, told) in &lists {
                        div { dt { (list) } dd { (several(told)) } }
                    }
                }
                @if rest.len() > TOLD_MAX {
                    p.soft { "and " (rest.len() - TOLD_MAX) " more fields at once" }
                }
            }
        }
    }
}

type ByList = BTreeMap<&'static str, Vec<String>>;

/// What was added to lists and done with places in one edit, by what people call them, and the
/// steps that are told one by one.
fn grouped<'a>(record: &Opened, edit: &'a [Step]) -> (ByList, Vec<&'a Step>) {
    let (mut lists, mut rest) = (ByList::new(), Vec::new());
    let item_of = |step: &Step| {
        let mut parts = step.path.split('/');
        Some((parts.next()?.to_owned(), parts.next()?.to_owned()))
    };
    let parts_of = |step: &Step| step.path.split('/').count();
    let added = edit
        .iter()
        .filter(|step| parts_of(step) == 2 && step.value == true);
    let added = added.filter_map(item_of).collect::<BTreeSet<_>>();
    for step in edit.iter().rev() {
        let top = step.path.split('/').next().unwrap_or_default();
        let Some(field) = record.kind.field(top) else {
            continue;
        };
        let parts = parts_of(step);
        if field.merge == Merge::Places {
            if parts == 3 && step.path.ends_with("/step") {
                let same = item_of(step);
                let mut counts = edit.iter().filter(|it| it.path.ends_with("/count"));
                let count = counts.find(|it| item_of(it) == same);
                let count = count.and_then(|it| it.value.as_i64()).unwrap_or(1);
                let what = step.value.as_str().unwrap_or_default();
                lists
                    .entry(field.label)
                    .or_default()
                    .push(moved(what, count));
            }
            continue;
        }
        let new = item_of(step).is_some_and(|item| added.contains(&item));
        if field.items().is_some() && new {
            if parts == 2 {
                let item = step.path.split('/').nth(1).unwrap_or_default();
                let title = record
                    .names
                    .item(item)
                    .unwrap_or("an entry that was removed since");
                lists
                    .entry(field.label)
                    .or_default()
                    .push(format!("added {title}"));
            }
            continue;
        }
        if is_told(record, step) {
            rest.push(step);
        }
    }
    (lists, rest)
}

/// What was done with places.
fn moved(what: &str, count: i64) -> String {
    match what {
        "issue" => format!("{count} more"),
        "take" => format!("{count} taken"),
        "pass" => format!("{count} passed on"),
        _ => format!("{count} given back"),
    }
}

/// The first few of many.
fn several(told: &[String]) -> Markup {
    html! {
        @for (index, line) in told.iter().take(SEVERAL_MAX).enumerate() {
            @if index > 0 { br; }
            (line)
        }
        @if told.len() > SEVERAL_MAX {
            br; span.soft { "and " (told.len() - SEVERAL_MAX) " more" }
        }
    }
}

/// Whether a step says something to people: not that a text is empty from the start.
fn is_told(record: &Opened, step: &Step) -> bool {
    let empty = |value: &Value| value.is_null() || *value == "" || *value == 0;
    let shown = field_at(record.kind, &step.path).is_some() || step.path.contains('/');
    shown && !(empty(&step.value) && empty(&step.before))
}

fn one_step(visit: &Visit, shown: &Shown, step: &Step) -> Markup {
    let record = &shown.record;
    let (kind, names) = (record.kind, &record.names);
    let parts = step.path.split('/').count();
    let field = field_at(kind, &step.path);
    let list = field.is_some_and(|field| field.items().is_some());
    let place = place_of(kind, &step.path, &step.label, names);
    let words = |value: &Value| words_at(kind, &step.path, value, names);
    html! {
        div {
            dt { (place) }
            dd {
                @if parts == 2 && list {
                    @if step.value == true { "added" } @else { "removed" }
                } @else if parts == 2 {
                    @if step.value == true { "put in" } @else { "taken out" }
                } @else {
                    (changed(&words(&step.before), &words(&step.value)))
                }
                @if may_bring_back(record, field, step) { (back(visit, record, step)) }
            }
        }
    }
}

/// Whether what stood before may be brought back: a value or text that says something else now.
fn may_bring_back(record: &Opened, field: Option<&'static Field>, step: &Step) -> bool {
    let Some(field) = field else {
        return false;
    };
    let plain = matches!(field.merge, Merge::Value | Merge::Text);
    let top = step.path.split('/').next().unwrap_or_default();
    let list = record.kind.field(top);
    let logged = list.is_some_and(|list| matches!(list.merge, Merge::Log(_)));
    let writes = list.is_some_and(|list| record.writes(list));
    plain && writes && !logged && !step.before.is_null() && step.before != step.value
}

fn back(visit: &Visit, record: &Opened, step: &Step) -> Markup {
    let inner = html! {
        input type="hidden" name="field" value=(step.path);
        input type="hidden" name="time" value=(step.time_ms);
        input type="hidden" name="hub" value=(step.hub);
        button.button-link.small type="submit" {
            "Bring back what stood before" span.hidden { ": " (step.label) }
        }
    };
    parts::form(&format!("{}/history", record.path()), visit.csrf(), &inner)
}

async fn bring_back(
    visit: Visit,
    Path((slug, id)): Path<(String, String)>,
    Posted(form): Posted,
) -> Result<Response, PageError> {
    let path = form.get("field").to_owned();
    let top = path.split('/').next().unwrap_or_default().to_owned();
    let shown = load(&visit, (slug, id.clone()), top, 1).await?;
    let wanted = |step: &&Step| {
        step.path == path
            && step.hub == form.get("hub")
            && step.time_ms.to_string() == form.get("time")
    };
    let step = shown.steps.iter().find(wanted);
    let Some(step) = step.filter(|step| {
        may_bring_back(&shown.record, field_at(shown.record.kind, &step.path), step)
    }) else {
        return Err(RecordsError::Heads.into());
    };
    let editing = Editing {
        id,
        heads: shown.record.heads.clone(),
        changes: vec![FieldChange::set(path, step.before.clone())],
    };
    let back = format!("{}/history", shown.record.path());
    match save(&visit, editing).await? {
        Saving::Done(saved) => saved.tell(&visit, "", &back),
        Saving::Wrong(problems) => {
            let sentences = problems.into_iter().map(|problem| problem.message);
            return Err(PageError::wrong(sentences.collect::<Vec<_>>().join(" ")));
        }
        Saving::TooOld => return Err(RecordsError::Stale.into()),
    }
    Ok(Redirect::to(&back).into_response())
}
