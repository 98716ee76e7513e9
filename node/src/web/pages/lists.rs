//! Everything, and the list of any kind.

use axum::Router;
use axum::extract::{Path, Query};
use axum::response::Response;
use axum::routing::get;
use maud::{Markup, html};
use node_domain::{KINDS, Kind};

use crate::records::{Desk, Find, RecordsError};
use crate::web::record::{Cell, Filter, ListQuery, Names, filters_of, list_path, record_path};
use crate::web::{PageError, Visit, Web, parts, words};

/// How many records stand on one page of a list.
const PAGE: u64 = 50;

pub(super) fn routes() -> Router<Web> {
    Router::new()
        .route("/all", get(all))
        .route("/{slug}", get(list))
}

/// The kind at an address.
pub(super) fn kind_of(slug: &str) -> Result<&'static Kind, PageError> {
    node_domain::kind_at(slug).ok_or_else(PageError::missing)
}

async fn all(visit: Visit) -> Result<Response, PageError> {
    let counted = visit
        .work(|desk| {
            let mut counted = Vec::new();
            for kind in KINDS {
                if desk.role().with_kind(kind.name).next().is_none() {
                    continue;
                }
                let find = Find {
                    kind: kind.name.to_owned(),
                    limit: 1,
                    ..Find::default()
                };
                counted.push((kind, desk.find(&find)?.total));
            }
            Ok::<_, RecordsError>(counted)
        })
        .await?;
    let total = counted.iter().map(|(_, count)| count).sum::<u64>();
    let rows = counted.iter().map(|(kind, count)| {
        vec![
            html! { a href=(list_path(kind)) { (kind.titles) } },
            html! { span.soft { (kind.about) } },
            html! { (words::number(*count)) },
        ]
    });
    let heads = [
        ("Records", false),
        ("What they are", false),
        ("How many", true),
    ];
    let body = html! {
        h1 { "Everything" }
        p.lead {
            "You see " (words::counted(total, "record", "records")) " of "
            (words::counted(counted.len() as u64, "kind", "kinds")) " in this role."
        }
        (parts::table("All kinds of records", &heads, &rows.collect::<Vec<_>>()))
    };
    Ok(visit.page("Everything", &body))
}

/// A record's id, its title, and what stands in its columns.
type Line = (String, String, Vec<(&'static str, String)>);

/// What a list's page shows.
struct Shown {
    total: u64,
    of_all: u64,
    rows: Vec<Line>,
    filters: Vec<Filter>,
    names: Names,
    creates: bool,
}

async fn list(
    visit: Visit,
    Path(slug): Path<String>,
    Query(asked): Query<Vec<(String, String)>>,
) -> Result<Response, PageError> {
    let kind = kind_of(&slug)?;
    let query = ListQuery::of(kind, &asked);
    let wanted = query.clone();
    let shown = visit.work(move |desk| shown(desk, kind, &wanted)).await?;
    Ok(visit.page(kind.titles, &body(kind, &query, &shown)))
}

fn shown(desk: &Desk, kind: &'static Kind, query: &ListQuery) -> Result<Shown, RecordsError> {
    let find = Find {
        offset: (query.page - 1) * PAGE,
        limit: PAGE,
        ..query.find(kind)
    };
    let listing = desk.find(&find)?;
    let of_all = if query.is_narrowed() {
        let all = Find {
            kind: kind.name.to_owned(),
            limit: 1,
            ..Find::default()
        };
        desk.find(&all)?.total
    } else {
        listing.total
    };
    let mut named = Vec::new();
    let mut rows = Vec::new();
    for record in listing.records {
        let cells = Cell::of(kind, &record.json);
        named.extend(cells.iter().flat_map(Cell::names));
        let cells = cells.into_iter().map(|cell| (cell.field.name, cell.text));
        rows.push((record.id.to_string(), record.title, cells.collect()));
    }
    let (filters, of_filters) = filters_of(desk, kind, query)?;
    let mut names = Names::of_values(desk, named)?;
    names.extend(of_filters);
    Ok(Shown {
        total: listing.total,
        of_all,
        rows,
        filters,
        names,
        creates: desk.creates(kind.name),
    })
}

fn body(kind: &'static Kind, query: &ListQuery, shown: &Shown) -> Markup {
    let path = list_path(kind);
    let title = kind.title.to_lowercase();
    let pages = shown.total.div_ceil(PAGE).max(1);
    let export = |format: &str| {
        let rest = query.address();
        let more = if rest.is_empty() {
            String::new()
        } else {
            format!("&{rest}")
        };
        format!("{path}/export?format={format}{more}")
    };
    html! {
        h1 { (kind.titles) }
        p.lead { (sentence(kind, query, shown)) }
        p.soft { (kind.about) }
        @if shown.creates {
            p { a.button href={ (path) "/new" } { "New " (title) } }
        }
        @if shown.of_all > 0 { (filter_form(&path, query, &shown.filters)) }
        @if shown.rows.is_empty() {
            @if query.is_narrowed() {
                (parts::empty("Nothing here is what you asked for. Take a filter away, or use other words."))
            } @else {
                (parts::empty(&format!("No {} yet.", kind.titles.to_lowercase())))
            }
        } @else {
            (table(kind, query, shown))
            (parts::pagination(&path, &query.address(), query.page, pages))
            p.soft {
                "Take this list out as " a href=(export("xlsx")) { "a spreadsheet (XLSX)" }
                " or " a href=(export("csv")) { "a plain table (CSV)" } "."
            }
        }
    }
}

fn sentence(kind: &Kind, query: &ListQuery, shown: &Shown) -> String {
    let (one, many) = (kind.title.to_lowercase(), kind.titles.to_lowercase());
    let count = words::counted(shown.total, &one, &many);
    if query.is_narrowed() {
        let verb = if shown.total == 1 { "is" } else { "are" };
        return format!(
            "{count} of {} {verb} what you asked for.",
            words::number(shown.of_all)
        );
    }
    format!("{count}.")
}

fn filter_form(path: &str, query: &ListQuery, filters: &[Filter]) -> Markup {
    html! {
        form.filters action=(path) method="get" role="search" aria-label="Narrow this list" {
            div.inline-fields {
                div.field {
                    label for="filter-words" { "Words" }
                    input type="search" id="filter-words" name="q" value=(query.words);
                }
                @for filter in filters {
                    @let id = parts::field_id(&filter.field);
                    div.field {
                        label for=(id) { (filter.label) }
                        @if filter.options.is_empty() {
                            input type="text" id=(id) name=(filter.field) value=(filter.chosen);
                        } @else {
                            select id=(id) name=(filter.field) {
                                option value="" { "All" }
                                @for (value, label) in &filter.options {
                                    option value=(value) selected[*value == filter.chosen] { (label) }
                                }
                            }
                        }
                    }
                }
                @if !query.sort.is_empty() { input type="hidden" name="sort" value=(query.sort); }
                div.field {
                    button.button.button-plain type="submit" { "Show" }
                    @if query.is_narrowed() { " " a href=(path) { "Show all" } }
                }
            }
        }
    }
}

fn table(kind: &'static Kind, query: &ListQuery, shown: &Shown) -> Markup {
    let fields = kind.columns.iter().filter_map(|name| kind.field(name));
    let columns = fields.filter(|field| {
        let mut cells = shown.rows.iter().flat_map(|(_, _, cells)| cells);
        cells.any(|(name, text)| *name == field.name && !text.is_empty())
    });
    let columns = columns.collect::<Vec<_>>();
    let title_label = kind
        .field(kind.title_field)
        .map_or("Title", |field| field.label);
    html! {
        div.scroll tabindex="0" role="region" aria-label=(kind.titles) {
            table.stack {
                caption.hidden { (kind.titles) }
                thead { tr {
                    (head(kind, query, "title", title_label, false))
                    @for field in &columns {
                        (head(kind, query, field.name, field.label, Cell::is_number(field)))
                    }
                } }
                tbody {
                    @for (id, title, cells) in &shown.rows {
                        tr {
                            th scope="row" {
                                a href=(record_path(kind, id)) {
                                    @if title.is_empty() { "Without a name" } @else { (title) }
                                }
                            }
                            @for field in &columns {
                                @let text = cells.iter().find(|(name, _)| *name == field.name);
                                @let text = text.map_or("", |(_, text)| text.as_str());
                                td .number[Cell::is_number(field)] data-label=(field.label) {
                                    (Cell::shown(field, text, &shown.names))
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn head(kind: &Kind, query: &ListQuery, field: &str, label: &str, number: bool) -> Markup {
    let path = list_path(kind);
    let (href, order) = query.sorted_by(&path, field);
    html! {
        th scope="col" .number[number] aria-sort=[order] {
            a.sort href=(href) {
                (label)
                @match order {
                    Some("ascending") => span aria-hidden="true" { " ▲" },
                    Some(_) => span aria-hidden="true" { " ▼" },
                    None => {}
                }
            }
        }
    }
}
