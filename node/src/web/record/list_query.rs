//! What is asked of a list: words, filters, order and page, as its address says.

use maud::{Markup, html};
use node_domain::{Check, Field, Kind, Merge, Object};
use serde_json::Value;

use super::names::is_id;
use super::{Names, value};
use crate::records::{Desk, Find, RecordsError};
use crate::web::words;

/// Of more different values none are offered to choose from.
const OPTIONS_MAX: usize = 40;
/// A list is narrowed by so many fields at most.
const FILTERS_MAX: usize = 6;

/// What is asked of a list.
#[derive(Debug, Clone, Default)]
pub struct ListQuery {
    /// Words that must all be there.
    pub words: String,
    /// Fields, or `list/field`, and the value that is wanted.
    pub filters: Vec<(String, String)>,
    /// A field, with a leading `-` descending; by title if empty.
    pub sort: String,
    /// The page, from 1.
    pub page: u64,
}

/// One way to narrow a list.
#[derive(Debug, Clone)]
pub struct Filter {
    /// The field, or `list/field`.
    pub field: String,
    /// What people call it.
    pub label: String,
    /// What may be chosen; nothing if a person types it.
    pub options: Vec<(String, String)>,
    /// What was chosen.
    pub chosen: String,
}

impl ListQuery {
    /// What an address asks of a kind's list; what it cannot ask is left out.
    pub fn of(kind: &Kind, asked: &[(String, String)]) -> Self {
        let mut query = Self {
            page: 1,
            ..Self::default()
        };
        for (name, text) in asked {
            let text = text.trim();
            match name.as_str() {
                "q" => text.clone_into(&mut query.words),
                "sort" if may_sort(kind, text.trim_start_matches('-')) => {
                    text.clone_into(&mut query.sort);
                }
                "page" => query.page = text.parse().unwrap_or(1).clamp(1, 100_000),
                path if !text.is_empty() && path_of(kind, path).is_some() => {
                    query.filters.push((path.to_owned(), text.to_owned()));
                }
                _ => {}
            }
        }
        query
    }

    /// The question for the records.
    pub fn find(&self, kind: &Kind) -> Find {
        let filters = self.filters.iter();
        let filters = filters.map(|(path, wanted)| crate::records::is(path, wanted));
        let sort = if self.sort.is_empty() {
            "title"
        } else {
            &self.sort
        };
        Find {
            kind: kind.name.to_owned(),
            words: self.words.clone(),
            filters: filters.collect(),
            sort: vec![sort.to_owned()],
            ..Find::default()
        }
    }

    /// Whether not all records are wanted.
    pub fn is_narrowed(&self) -> bool {
        !self.words.is_empty() || !self.filters.is_empty()
    }

    /// The question as an address has it, without the page.
    pub fn address(&self) -> String {
        self.address_sorted(&self.sort)
    }

    fn address_sorted(&self, sort: &str) -> String {
        let mut address = form_urlencoded::Serializer::new(String::new());
        if !self.words.is_empty() {
            address.append_pair("q", &self.words);
        }
        for (path, wanted) in &self.filters {
            address.append_pair(path, wanted);
        }
        if !sort.is_empty() {
            address.append_pair("sort", sort);
        }
        address.finish()
    }

    /// The address by which a column is sorted, or the other way round if it is; and how it is.
    pub fn sorted_by(&self, path: &str, field: &str) -> (String, Option<&'static str>) {
        let now = if self.sort.is_empty() {
            "title"
        } else {
            &self.sort
        };
        let down = format!("-{field}");
        let (next, order) = if now == field {
            (down.as_str(), Some("ascending"))
        } else if now == down {
            (field, Some("descending"))
        } else {
            (field, None)
        };
        (format!("{path}?{}", self.address_sorted(next)), order)
    }

    fn chosen(&self, path: &str) -> &str {
        let found = self.filters.iter().find(|(name, _)| name == path);
        found.map_or("", |(_, wanted)| wanted)
    }
}

/// The ways to narrow a kind's list, with what the records hold to choose from.
///
/// # Errors
/// As for [`Desk::count`].
pub fn filters_of(
    desk: &Desk,
    kind: &'static Kind,
    query: &ListQuery,
) -> Result<(Vec<Filter>, Names), RecordsError> {
    let mut filters = Vec::new();
    let mut named = Vec::new();
    let all = Find {
        kind: kind.name.to_owned(),
        ..Find::default()
    };
    for path in kind.columns.iter().chain(kind.filtered) {
        let Some((field, label)) = path_of(kind, path) else {
            continue;
        };
        let chosen = query.chosen(path).to_owned();
        if !is_offered(field) || filters.len() >= FILTERS_MAX || !desk.sees(kind.name, path) {
            continue;
        }
        let counts = match desk.count(&all, path) {
            Ok(counts) => counts,
            Err(RecordsError::Role(_)) => continue,
            Err(error) => return Err(error),
        };
        let values = counts.into_iter().map(|(value, _)| value);
        let values = values.filter(|value| !value.is_empty() && !value.contains(','));
        let values = values.collect::<Vec<_>>();
        if values.len() > OPTIONS_MAX || values.len() < 2 {
            if !chosen.is_empty() {
                let options = if is_id(&chosen) {
                    vec![(chosen.clone(), String::new())]
                } else {
                    Vec::new()
                };
                named.push(chosen.clone());
                filters.push(Filter {
                    field: (*path).to_owned(),
                    label,
                    options,
                    chosen,
                });
            }
            continue;
        }
        named.extend(values.iter().cloned());
        let options = values.into_iter().map(|value| (value, String::new()));
        filters.push(Filter {
            field: (*path).to_owned(),
            label,
            options: options.collect(),
            chosen,
        });
    }
    let names = Names::of_values(desk, named)?;
    for filter in &mut filters {
        let field = path_of(kind, &filter.field).map(|(field, _)| field);
        for (value, label) in &mut filter.options {
            *label = match field {
                Some(field) => Cell::words(field, value, &names),
                None => value.clone(),
            };
        }
    }
    Ok((filters, names))
}

/// Whether people choose by it: what has few values.
fn is_offered(field: &Field) -> bool {
    match field.check {
        Check::OneOf(_) | Check::YesNo | Check::AcademicYear | Check::Reference(_) => true,
        Check::Text(most) => most <= 200,
        Check::Number(..)
        | Check::Date
        | Check::Time
        | Check::Urn
        | Check::Urns
        | Check::Pence(..)
        | Check::Consent
        | Check::Email => false,
    }
}

/// The field at a path by which lists of a kind are filtered, and what people call it.
fn path_of(kind: &Kind, path: &str) -> Option<(&'static Field, String)> {
    let listed = || kind.columns.contains(&path) || kind.filtered.contains(&path);
    match path.split_once('/') {
        None => {
            let field = kind.field(path)?;
            let refers = matches!(field.check, Check::Reference(_));
            (listed() || refers).then(|| (field, field.label.to_owned()))
        }
        Some((list, inner)) => {
            let list = kind.field(list)?;
            let field = list.items()?.iter().find(|field| field.name == inner)?;
            let refers = matches!(field.check, Check::Reference(_));
            (listed() || refers).then(|| {
                (
                    field,
                    format!("{}: {}", list.label, field.label.to_lowercase()),
                )
            })
        }
    }
}

fn may_sort(kind: &Kind, field: &str) -> bool {
    field == "title" || kind.columns.contains(&field)
}

/// A cell of a list, as the lists keep it.
#[derive(Debug, Clone)]
pub struct Cell {
    /// Its field.
    pub field: &'static Field,
    /// What is kept.
    pub text: String,
}

impl Cell {
    /// The cells of a record's line, by the kind's columns.
    pub fn of(kind: &'static Kind, json: &str) -> Vec<Self> {
        let columns = serde_json::from_str::<Object>(json).unwrap_or_default();
        let cells = kind.columns.iter().filter_map(|name| {
            let text = columns.get(*name).and_then(Value::as_str)?;
            Some(Self {
                field: kind.field(name)?,
                text: text.to_owned(),
            })
        });
        cells.collect()
    }

    /// The records' ids and hubs' codes in it.
    pub fn names(&self) -> Vec<String> {
        let refers = matches!(self.field.check, Check::Reference(_));
        if self.text.is_empty() || !(refers || self.field.names_hub) {
            return Vec::new();
        }
        elements(self.field, &self.text)
            .map(str::to_owned)
            .collect()
    }

    /// Whether a column stands to the right.
    pub fn is_number(field: &Field) -> bool {
        matches!(field.check, Check::Number(..) | Check::Pence(..))
    }

    /// A cell as a part of a page. Lists keep money and yes or no as words.
    pub fn shown(field: &Field, text: &str, names: &Names) -> Markup {
        match Self::value(field, text) {
            Some(found) => value(field, &found, names),
            None => html! { (Self::words(field, text, names)) },
        }
    }

    /// The same in words.
    pub fn words(field: &Field, text: &str, names: &Names) -> String {
        if let Merge::Set(_) = field.merge {
            let elements = elements(field, text).map(|it| match names.title(it) {
                Some(title) => title.to_owned(),
                None if matches!(field.check, Check::OneOf(_)) => words::capital(it),
                None => it.to_owned(),
            });
            return elements.collect::<Vec<_>>().join(", ");
        }
        match Self::value(field, text) {
            Some(found) => super::words_of(field, &found, names),
            None => text.to_owned(),
        }
    }

    fn value(field: &Field, text: &str) -> Option<Value> {
        match field.merge {
            Merge::Set(_) | Merge::Places | Merge::List(_) | Merge::Log(_) => return None,
            Merge::Value | Merge::Text | Merge::Count | Merge::State(_) => {}
        }
        if text.is_empty() {
            return Some(Value::Null);
        }
        match field.check {
            Check::Pence(..) => {
                let pence = text.replace(['£', ',', '.'], "").parse::<i64>().ok()?;
                Some(Value::from(pence))
            }
            Check::Number(..) => text.parse::<i64>().ok().map(Value::from),
            Check::YesNo | Check::Consent => Some(Value::Bool(text == "yes")),
            Check::Text(_)
            | Check::OneOf(_)
            | Check::Date
            | Check::Time
            | Check::AcademicYear
            | Check::Urn
            | Check::Urns
            | Check::Email
            | Check::Reference(_) => Some(Value::from(text)),
        }
    }
}

/// The elements that lists keep in one cell of a field.
fn elements<'a>(field: &Field, text: &'a str) -> impl Iterator<Item = &'a str> {
    let several = matches!(field.merge, Merge::Set(_));
    let separator = if several { ", " } else { "\0" };
    text.split(separator)
}
