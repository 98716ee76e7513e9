//! The items of lists and logs.

use maud::{Markup, html};
use node_domain::{Check, Field, Merge, Object};
use serde_json::Value;

use super::value::is_empty;
use super::{Names, Opened, item_path, value, words_of};
use crate::web::{parts, words};

/// The most columns of a table, the one with links not counted.
const COLUMNS_MAX: usize = 5;
/// Longer texts are cut in a table, and read whole on the item's own page.
const CELL_CHARACTERS_MAX: usize = 200;
/// A title is cut after so many characters.
const TITLE_CHARACTERS_MAX: usize = 90;
/// So many of the fields that an item needs stand in its title.
const TITLE_PARTS_MAX: usize = 3;
/// A text of more characters stands in a table only where there is room.
const SHORT_TEXT: usize = 300;

/// Which items of a list are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// The first of a list, or the last of a log.
    Some(usize),
    /// So many after so many others.
    Page(usize, usize),
}

/// What people call an item: the record that it refers to, and the first fields that it needs.
pub fn item_title(fields: &[Field], item: &Object, names: &Names) -> String {
    let filled = |field: &&Field| item.get(field.name).is_some_and(|it| !is_empty(field, it));
    let refers = |field: &&Field| matches!(field.check, Check::Reference(_));
    let words =
        |field: &Field| words_of(field, item.get(field.name).unwrap_or(&Value::Null), names);
    let reference = fields.iter().filter(filled).find(refers);
    let others = fields.iter().filter(filled).filter(|field| !refers(field));
    let mut said = others
        .clone()
        .filter(|field| field.required && is_short(field));
    let mut said = said.by_ref().take(TITLE_PARTS_MAX).collect::<Vec<_>>();
    if said.is_empty() {
        let needed = others.clone().find(|field| field.required);
        let any = || others.clone().next().filter(|_| reference.is_none());
        said.extend(needed.or_else(any));
    }
    let parts = reference.into_iter().chain(said).map(words);
    let title = parts.collect::<Vec<_>>().join(", ");
    if title.is_empty() {
        return "Without a name".to_owned();
    }
    cut(&title, TITLE_CHARACTERS_MAX)
}

/// The columns of a list's table: what is short first, longer texts where there is room.
pub(super) fn columns(fields: &'static [Field], items: &[&Object]) -> Vec<&'static Field> {
    let used = |field: &&Field| {
        let mut values = items.iter().filter_map(|item| item.get(field.name));
        field.required || values.any(|value| !is_empty(field, value))
    };
    let hidden = |field: &&Field| matches!(field.name, "hash" | "content" | "heads" | "record");
    let shown = fields.iter().filter(used).filter(|field| !hidden(field));
    let shown = shown.collect::<Vec<_>>();
    let mut chosen = shown.iter().copied().filter(|field| is_short(field));
    let mut chosen = chosen.by_ref().take(COLUMNS_MAX).collect::<Vec<_>>();
    let long = shown.iter().copied().filter(|field| !is_short(field));
    let room = (COLUMNS_MAX - 1).saturating_sub(chosen.len());
    chosen.extend(long.take(room));
    let order = |field: &&Field| fields.iter().position(|it| it.name == field.name);
    chosen.sort_by_key(order);
    chosen
}

fn is_short(field: &Field) -> bool {
    let long = matches!(field.check, Check::Text(most) if most > SHORT_TEXT);
    field.merge != Merge::Text && !long
}

/// The items of a list or log as a table, each with a link to read and change it.
pub fn items_table(record: &Opened, list: &'static Field, shown: Shown) -> Markup {
    let Some(fields) = list.items() else {
        return html! {};
    };
    let all = record.items(list.name);
    let logged = matches!(list.merge, Merge::Log(_));
    let mut listed = all.clone();
    if logged {
        listed.reverse();
    }
    let listed = match shown {
        Shown::Some(count) => listed.into_iter().take(count).collect::<Vec<_>>(),
        Shown::Page(from, count) => listed.into_iter().skip(from).take(count).collect(),
    };
    if all.is_empty() {
        return parts::empty("Nothing here yet.");
    }
    let columns = columns(fields, &listed);
    let mut heads = Vec::new();
    for (index, column) in columns.iter().enumerate() {
        heads.push((column.label, index > 0 && is_number(column)));
    }
    let more = fields.len() > columns.len() || (!logged && record.writes_items(list));
    if more {
        heads.push(("", false));
    }
    let rows = listed.iter().map(|item| {
        let mut cells = Vec::new();
        for column in &columns {
            cells.push(cell(column, item.get(column.name), &record.names));
        }
        if more {
            let id = item.get("id").and_then(Value::as_str).unwrap_or_default();
            let title = item_title(fields, item, &record.names);
            let verb = if !logged && record.writes_items(list) {
                "Change"
            } else {
                "Read"
            };
            cells.push(html! {
                a href=(item_path(record.kind, &record.id, list.name, id)) {
                    (verb) span.hidden { " " (title) }
                }
            });
        }
        cells
    });
    let caption = caption(list, listed.len(), all.len(), logged);
    parts::table(&caption, &heads, &rows.collect::<Vec<_>>())
}

fn caption(list: &Field, shown: usize, all: usize, logged: bool) -> String {
    let label = list.label;
    if shown == all {
        return format!("{label} ({})", words::number(all as u64));
    }
    let which = if logged { "newest" } else { "first" };
    let (shown, all) = (words::number(shown as u64), words::number(all as u64));
    format!("{label}: the {which} {shown} of {all}")
}

fn cell(field: &Field, found: Option<&Value>, names: &Names) -> Markup {
    let found = found.unwrap_or(&Value::Null);
    if is_short(field) {
        return value(field, found, names);
    }
    let text = words_of(field, found, names);
    html! { (cut(&text, CELL_CHARACTERS_MAX)) }
}

fn is_number(field: &Field) -> bool {
    matches!(field.check, Check::Number(..) | Check::Pence(..))
}

/// The beginning of a text, up to a word's end.
pub(super) fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let mut kept = text.chars().take(most).collect::<String>();
    if let Some(space) = kept.rfind(' ').filter(|space| *space > most / 2) {
        kept.truncate(space);
    }
    kept.push('…');
    kept
}
