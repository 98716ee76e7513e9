//! The items of a record's lists and logs: reading, adding, changing, moving and removing them.

use axum::Router;
use axum::extract::{Path, Query};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use maud::{Markup, html};
use node_domain::{Check, Field, FieldChange, Merge, Object, Problem};
use serde::Deserialize;
use serde_json::{Value, json};

use super::edit::{Changed, answered, status_of, too_old};
use crate::records::{Desk, RecordsError};
use crate::web::parts::{self, SummaryRow};
use crate::web::record::{
    Choices, Editing, Filling, Opened, Saving, Shown as Items, added_by, adds, changes_from,
    control, draft_of, form, item_path, item_title, items_table, new_item_path, now_says, placed,
    save, save_with, value, values_from,
};
use crate::web::{Form, PageError, Posted, Visit, Web};

/// How many items stand on one page.
const PAGE: usize = 50;
/// What an item's page is called while the item is new.
const NEW: &str = "new";

pub(super) fn routes() -> Router<Web> {
    Router::new()
        .route("/{slug}/{id}/items/{list}", get(all))
        .route("/{slug}/{id}/items/{list}/{item}", get(show).post(change))
        .route("/{slug}/{id}/items/{list}/{item}/remove", post(remove))
        .route("/{slug}/{id}/items/{list}/{item}/move", post(move_item))
}

#[derive(Debug, Deserialize)]
struct Paged {
    #[serde(default)]
    page: usize,
}

/// A record and one of its lists.
fn listed(
    desk: &Desk,
    slug: &str,
    id: &str,
    list: &str,
) -> Result<(Opened, &'static Field), PageError> {
    let record = Opened::open(desk, id)?;
    let field = record
        .kind
        .field(list)
        .filter(|field| field.items().is_some());
    let field = field.filter(|_| record.kind.slug() == slug);
    let field = field.ok_or_else(PageError::missing)?;
    if !record.access.sees(list) {
        return Err(RecordsError::Role(format!(
            "The role in which you act does not see “{}” here.",
            field.label
        ))
        .into());
    }
    Ok((record, field))
}

async fn all(
    visit: Visit,
    Path((slug, id, list)): Path<(String, String, String)>,
    Query(paged): Query<Paged>,
) -> Result<Response, PageError> {
    let (record, list) = visit
        .work(move |desk| listed(desk, &slug, &id, &list))
        .await?;
    let count = record.items(list.name).len();
    let (page, pages) = (paged.page.max(1), count.div_ceil(PAGE).max(1));
    let path = format!("{}/items/{}", record.path(), list.name);
    let body = html! {
        (parts::back(&record.path(), "Back"))
        p.caption { (record.title()) }
        h1 { (list.label) }
        @if record.writes_items(list) {
            p { a.button href=(new_item_path(record.kind, &record.id, list.name)) { "Add" } }
        }
        (items_table(&record, list, Items::Page((page - 1) * PAGE, PAGE)))
        (parts::pagination(&path, "", page as u64, pages as u64))
        @if count > 0 {
            p.soft {
                a href={ "/" (record.kind.slug()) "/export?format=xlsx&list=" (list.name) } {
                    "Take out “" (list.label) "” of all " (record.kind.titles.to_lowercase())
                }
            }
        }
    };
    Ok(visit.page(&format!("{}: {}", list.label, record.title()), &body))
}

/// What an item's page shows.
struct Shown {
    record: Opened,
    list: &'static Field,
    item: String,
    fields: Vec<&'static Field>,
    standing: Object,
    heads: String,
    choices: Choices,
    draft: Option<String>,
    problems: Vec<Problem>,
    differs: Vec<String>,
    too_old: bool,
    today: String,
}

impl Shown {
    fn is_new(&self) -> bool {
        self.item == NEW
    }

    fn back(&self) -> String {
        let sections = self.record.kind.sections.iter();
        let mut sections = sections.filter(|section| section.fields.contains(&self.list.name));
        let section = sections
            .next()
            .map_or_else(String::new, |section| section.slug());
        format!("{}#{section}", self.record.path())
    }
}

fn shown(
    desk: &Desk,
    (slug, id, list, item): (&str, &str, &str, &str),
    typed: Option<&Form>,
) -> Result<Shown, PageError> {
    let (record, list) = listed(desk, slug, id, list)?;
    let carried = typed.map_or("", |typed| typed.get("heads"));
    let (all, heads) = if carried.is_empty() {
        (record.fields.clone(), record.heads.clone())
    } else {
        (record.fields_at(desk, carried)?, carried.to_owned())
    };
    let standing = if item == NEW {
        of_today(list, &desk.today())
    } else {
        item_in(&all, list.name, item).ok_or_else(|| {
            PageError::new(
                StatusCode::NOT_FOUND,
                "This entry is not here",
                "It may have been removed. The record's history says by whom, and when.",
            )
        })?
    };
    let may = record.writes_items(list) && (item == NEW || !matches!(list.merge, Merge::Log(_)));
    let fields = list.items().unwrap_or_default().iter().filter(|field| {
        let path = format!("{}/{item}/{}", list.name, field.name);
        may && field.filled == node_domain::Filled::ByPerson && record.access.writes(&path)
    });
    let fields = fields.collect::<Vec<_>>();
    if item == NEW && fields.is_empty() {
        return Err(RecordsError::Role(format!(
            "The role in which you act adds nothing to “{}” here.",
            list.label
        ))
        .into());
    }
    let mut choices = Choices::of(desk, &fields, &standing, typed)?;
    choices.offer_items(&record, list);
    let path = item_path(record.kind, id, list.name, item);
    Ok(Shown {
        draft: draft_of(desk, &path, &fields)?,
        item: item.to_owned(),
        record,
        list,
        fields,
        standing,
        heads,
        choices,
        problems: Vec::new(),
        differs: Vec::new(),
        too_old: false,
        today: desk.today(),
    })
}

/// What a new entry of a log begins with: it mostly says what is so today.
fn of_today(list: &Field, today: &str) -> Object {
    let logged = matches!(list.merge, Merge::Log(_));
    let fields = list.items().unwrap_or_default().iter();
    let days = fields.filter(|field| logged && field.check == Check::Date);
    let days = days.filter(|field| matches!(field.name, "on" | "as_at"));
    days.map(|field| (field.name.to_owned(), json!(today)))
        .collect()
}

fn item_in(fields: &Object, list: &str, item: &str) -> Option<Object> {
    let items = fields.get(list)?.as_array()?.iter();
    let mut items = items.filter_map(Value::as_object);
    items
        .find(|found| found.get("id").and_then(Value::as_str) == Some(item))
        .cloned()
}

type Address = Path<(String, String, String, String)>;

async fn show(visit: Visit, Path((slug, id, list, item)): Address) -> Result<Response, PageError> {
    let shown = visit
        .work(move |desk| shown(desk, (&slug, &id, &list, &item), None))
        .await?;
    Ok(page(&visit, &shown, None))
}

async fn change(
    visit: Visit,
    Path((slug, id, list, item)): Address,
    Posted(typed): Posted,
) -> Result<Response, PageError> {
    let asked = typed.clone();
    let changed = visit
        .work(move |desk| {
            let mut shown = shown(desk, (&slug, &id, &list, &item), Some(&asked))?;
            if shown.choices.is_looking() {
                return Ok(Changed::Again(Box::new(shown)));
            }
            let changes = if shown.is_new() {
                vec![FieldChange::Add {
                    field: list,
                    after: None,
                    id: Some(added_by(&asked)),
                    values: values_from(&asked, &shown.fields),
                }]
            } else {
                let path = format!("{list}/{item}");
                changes_from(&asked, &shown.fields, &shown.standing, Some(&path))
            };
            let editing = Editing {
                id,
                heads: shown.heads.clone(),
                changes,
            };
            match save_with(desk, &editing)? {
                Saving::Done(saved) => return Ok(Changed::Done(saved, shown.back())),
                Saving::Wrong(problems) => shown.problems = placed(&problems, &shown.fields),
                Saving::TooOld => make_new(&mut shown, &asked),
            }
            Ok::<_, PageError>(Changed::Again(Box::new(shown)))
        })
        .await?;
    Ok(answered(&visit, changed, |shown| {
        let status = status_of(shown.too_old, &shown.problems);
        (status, page(&visit, shown, Some(&typed))).into_response()
    }))
}

/// Makes a page that is too old from the record as it is now.
fn make_new(shown: &mut Shown, typed: &Form) {
    shown.too_old = true;
    shown.heads.clone_from(&shown.record.heads);
    if let Some(now) = item_in(&shown.record.fields, shown.list.name, &shown.item) {
        let mut record = shown.record.clone();
        record.fields.clone_from(&now);
        shown.differs = now_says(&record, &shown.fields, typed);
        shown.standing = now;
    }
}

fn page(visit: &Visit, shown: &Shown, typed: Option<&Form>) -> Response {
    let record = &shown.record;
    let names = &record.names;
    let inner_fields = shown.list.items().unwrap_or_default();
    let title = if shown.is_new() {
        format!("Add to {}", shown.list.label.to_lowercase())
    } else {
        item_title(inner_fields, &shown.standing, names)
    };
    let path = item_path(record.kind, &record.id, shown.list.name, &shown.item);
    let filling = Filling {
        standing: &shown.standing,
        typed,
        problems: &shown.problems,
        choices: &shown.choices,
        new: shown.is_new(),
        today: &shown.today,
    };
    let inner = html! {
        @if shown.is_new() { (adds(typed)) }
        @for field in &shown.fields { (control(field, &filling)) }
        div.buttons {
            (parts::button("Save"))
            a href=(record.path()) { "Cancel" }
        }
    };
    let body = html! {
        (parts::back(&record.path(), "Back"))
        (parts::error_summary(&shown.problems))
        @if shown.too_old { (too_old(&shown.differs)) }
        p.caption { (record.title()) ": " (shown.list.label) }
        h1 { (title) }
        @if shown.fields.is_empty() {
            (parts::summary_list(&rows(inner_fields, &shown.standing, names)))
            (copied(shown))
        } @else {
            @if !shown.list.help.is_empty() { p.soft { (shown.list.help) } }
            (form(visit, &path, shown.draft.as_deref(), &shown.heads, &inner))
            @if !shown.is_new() && record.access.writes(shown.list.name) { (others(visit, shown, &path)) }
        }
    };
    visit.page(&format!("{title}: {}", record.title()), &body)
}

fn rows(
    fields: &'static [Field],
    item: &Object,
    names: &crate::web::record::Names,
) -> Vec<SummaryRow> {
    let shown = fields.iter().filter(|field| !is_hidden(field.name));
    let filled = shown.filter_map(|field| Some((field, item.get(field.name)?)));
    let rows =
        filled.map(|(field, found)| SummaryRow::new(field.label, value(field, found, names)));
    rows.collect()
}

/// What only programs have a use for.
fn is_hidden(name: &str) -> bool {
    matches!(name, "hash" | "content" | "heads" | "record")
}

/// What a kept copy of the record says.
fn copied(shown: &Shown) -> Markup {
    let content = shown.standing.get("content").and_then(Value::as_str);
    let content = content.and_then(|text| serde_json::from_str::<Object>(text).ok());
    let Some(content) = content else {
        return html! {};
    };
    let record = &shown.record;
    let fields = record
        .kind
        .fields
        .iter()
        .filter(|field| record.access.sees(field.name));
    let said = fields.filter_map(|field| Some((field, content.get(field.name)?)));
    let said = said.filter(|(field, _)| !is_hidden(field.name));
    let row = |(field, found): (&'static Field, &Value)| {
        SummaryRow::new(field.label, value(field, found, &record.names))
    };
    html! {
        h2 { "What it said then" }
        (parts::summary_list(&said.map(row).collect::<Vec<_>>()))
    }
}

/// Moving and removing an item of a list.
fn others(visit: &Visit, shown: &Shown, path: &str) -> Markup {
    let button = |to: &str, label: &str| {
        parts::form(
            &format!("{path}/move"),
            visit.csrf(),
            &html! {
                input type="hidden" name="to" value=(to);
                button.button-link type="submit" { (label) }
            },
        )
    };
    let ids = ids(&shown.record, shown.list.name);
    let first = ids.first() == Some(&shown.item);
    let last = ids.last() == Some(&shown.item);
    html! {
        h2 { "Order" }
        div.buttons {
            @if !first { (button("up", "Move up")) }
            @if !last { (button("down", "Move down")) }
            (parts::form(&format!("{path}/remove"), visit.csrf(), &html! {
                button.button.button-plain type="submit" { "Remove" }
            }))
        }
    }
}

fn ids(record: &Opened, list: &str) -> Vec<String> {
    let items = record.items(list).into_iter();
    let ids = items.filter_map(|item| item.get("id").and_then(Value::as_str));
    ids.map(str::to_owned).collect()
}

async fn remove(
    visit: Visit,
    Path((slug, id, list, item)): Address,
    Posted(_): Posted,
) -> Result<Response, PageError> {
    let change = FieldChange::Remove {
        field: list.clone(),
        item,
    };
    changed(visit, (slug, id, list), change).await
}

async fn move_item(
    visit: Visit,
    Path((slug, id, list, item)): Address,
    Posted(form): Posted,
) -> Result<Response, PageError> {
    let (of, name, moved) = (id.clone(), list.clone(), item.clone());
    let up = form.get("to") == "up";
    let after = visit
        .work(move |desk| {
            let ids = ids(&Opened::open(desk, &of)?, &name);
            let at = ids.iter().position(|id| *id == moved).unwrap_or_default();
            let after = if up { at.checked_sub(2) } else { Some(at + 1) };
            Ok::<_, RecordsError>(after.and_then(|at| ids.get(at).cloned()))
        })
        .await?;
    let change = FieldChange::Move {
        field: list.clone(),
        item,
        after,
    };
    changed(visit, (slug, id, list), change).await
}

async fn changed(
    visit: Visit,
    (slug, id, list): (String, String, String),
    change: FieldChange,
) -> Result<Response, PageError> {
    let of = id.clone();
    let back = visit
        .work(move |desk| {
            let shown = shown(desk, (&slug, &of, &list, NEW), None)?;
            Ok::<_, PageError>(shown.back())
        })
        .await?;
    let editing = Editing {
        id,
        heads: String::new(),
        changes: vec![change],
    };
    match save(&visit, editing).await? {
        Saving::Done(saved) => saved.tell(&visit, "", &back),
        Saving::Wrong(problems) => {
            let first = problems.into_iter().next();
            let sentence = first.map_or_else(String::new, |problem| problem.message);
            return Err(PageError::wrong(sentence));
        }
        Saving::TooOld => {}
    }
    Ok(Redirect::to(&back).into_response())
}
