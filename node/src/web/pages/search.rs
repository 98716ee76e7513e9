//! Searching everything.

use axum::Router;
use axum::extract::Query;
use axum::response::Response;
use axum::routing::get;
use maud::{Markup, html};
use node_domain::{KINDS, Kind, Object};
use serde::Deserialize;
use serde_json::Value;

use crate::records::{Desk, Find, RecordsError};
use crate::web::record::{Names, list_path, record_path, words_of};
use crate::web::{PageError, Visit, Web, visit::url_query, words};

/// How many of each kind are shown.
const EACH: u64 = 5;
/// How much stands around a word that was found.
const AROUND: usize = 60;

pub(super) fn routes() -> Router<Web> {
    Router::new().route("/search", get(search))
}

#[derive(Debug, Deserialize)]
struct Asked {
    #[serde(default)]
    q: String,
}

/// What was found of one kind.
struct OfKind {
    kind: &'static Kind,
    total: u64,
    found: Vec<Hit>,
}

/// A record that was found.
struct Hit {
    id: String,
    title: String,
    /// The field in which the words stand, and what stands around them.
    place: Option<(String, String)>,
}

async fn search(visit: Visit, Query(asked): Query<Asked>) -> Result<Response, PageError> {
    let asked = asked.q.trim().to_owned();
    let wanted = asked.clone();
    let found = visit.work(move |desk| find_all(desk, &wanted)).await?;
    let title = if asked.is_empty() {
        "Search".to_owned()
    } else {
        format!("Search: {asked}")
    };
    Ok(visit.page(&title, &body(&asked, &found)))
}

fn find_all(desk: &Desk, asked: &str) -> Result<Vec<OfKind>, RecordsError> {
    let mut all = Vec::new();
    if asked.is_empty() {
        return Ok(all);
    }
    for kind in KINDS {
        if desk.role().with_kind(kind.name).next().is_none() {
            continue;
        }
        let find = Find {
            kind: kind.name.to_owned(),
            words: asked.to_owned(),
            limit: EACH,
            ..Find::default()
        };
        let listing = desk.find(&find)?;
        let mut found = Vec::new();
        for record in listing.records {
            let id = record.id.to_string();
            let place = place(desk, kind, &id, &record.title, asked)?;
            found.push(Hit {
                id,
                title: record.title,
                place,
            });
        }
        if !found.is_empty() {
            all.push(OfKind {
                kind,
                total: listing.total,
                found,
            });
        }
    }
    Ok(all)
}

/// Where the words stand, if it is not the title.
fn place(
    desk: &Desk,
    kind: &'static Kind,
    id: &str,
    title: &str,
    asked: &str,
) -> Result<Option<(String, String)>, RecordsError> {
    let asked = asked.to_lowercase();
    let words = asked.split_whitespace().collect::<Vec<_>>();
    let lower = title.to_lowercase();
    if words.iter().all(|word| lower.contains(word)) {
        return Ok(None);
    }
    let shown = match desk.show(id, "") {
        Ok(shown) => shown,
        Err(RecordsError::Role(_) | RecordsError::Missing(_)) => return Ok(None),
        Err(error) => return Err(error),
    };
    let none = Object::new();
    let fields = shown.fields.as_object().unwrap_or(&none);
    let names = Names::default();
    for name in kind
        .searched
        .iter()
        .filter(|name| **name != kind.title_field)
    {
        let (Some(field), Some(found)) = (kind.field(name), fields.get(*name)) else {
            continue;
        };
        let text = match field.items() {
            Some(_) => plain(found),
            None => words_of(field, found, &names),
        };
        for word in &words {
            if let Some(around) = around(&text, word) {
                return Ok(Some((field.label.to_owned(), around)));
            }
        }
    }
    Ok(None)
}

/// The texts of a list's items.
fn plain(items: &Value) -> String {
    let items = items.as_array().into_iter().flatten();
    let fields = items.filter_map(Value::as_object).flatten();
    let texts = fields.filter(|(name, _)| *name != "id");
    let texts = texts.filter_map(|(_, value)| value.as_str());
    texts.collect::<Vec<_>>().join(" · ")
}

/// What stands around a word, of a text in which it is.
fn around(text: &str, word: &str) -> Option<String> {
    let letters = text.chars().collect::<Vec<_>>();
    let lower = letters
        .iter()
        .map(|letter| letter.to_lowercase().next().unwrap_or(*letter));
    let lower = lower.collect::<String>();
    let at = lower.find(word)?;
    let at = lower[..at].chars().count();
    let from = at.saturating_sub(AROUND);
    let until = (at + word.chars().count() + AROUND).min(letters.len());
    let before = if from > 0 { "…" } else { "" };
    let after = if until < letters.len() { "…" } else { "" };
    let middle = letters[from..until].iter().collect::<String>();
    Some(format!("{before}{}{after}", middle.trim()))
}

fn body(asked: &str, found: &[OfKind]) -> Markup {
    let total = found.iter().map(|of| of.total).sum::<u64>();
    html! {
        h1 { "Search" }
        form.filters action="/search" method="get" role="search" aria-label="Search everything again" {
            div.inline-fields {
                div.field {
                    label for="search-words" { "Any words" }
                    input type="search" id="search-words" name="q" value=(asked);
                }
                div.field { button.button type="submit" { "Search" } }
            }
        }
        @if asked.is_empty() {
            p.soft { "Titles, texts, schools, people: whatever your role sees is looked through." }
        } @else if found.is_empty() {
            p.lead { "Nothing was found for “" (asked) "”." }
            p.soft { "Try fewer words, or the beginning of one. A search finds only what your role sees." }
        } @else {
            p.lead { (words::counted(total, "record", "records")) " found for “" (asked) "”." }
            @for of in found {
                section {
                    h2 { (of.kind.titles) }
                    ul.found {
                        @for hit in &of.found {
                            li {
                                a href=(record_path(of.kind, &hit.id)) { (hit.title) }
                                @if let Some((label, around)) = &hit.place {
                                    p.soft.small { (label) ": " (around) }
                                }
                            }
                        }
                    }
                    @if of.total > of.found.len() as u64 {
                        p {
                            a href={ (list_path(of.kind)) "?" (url_query("q", asked)) } {
                                "All " (words::counted(of.total, &of.kind.title.to_lowercase(), &of.kind.titles.to_lowercase()))
                            }
                        }
                    }
                }
            }
        }
    }
}
