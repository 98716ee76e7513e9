//! What stood before beside what stands there now.

use maud::{Markup, html};
use node_domain::{Field, Kind, Merge, Object};
use serde_json::Value;

use super::{Names, words_of};
use crate::web::{parts, words};

/// How many words stay around what was changed in a long text.
const WORDS_AROUND: usize = 8;

/// The field at a path as steps and versions name it: `field`, `list/item`, `list/item/field`, or
/// `set/element`.
pub fn field_at(kind: &'static Kind, path: &str) -> Option<&'static Field> {
    let mut parts = path.split('/');
    let top = kind.field(parts.next()?)?;
    match (top.items(), parts.nth(1)) {
        (Some(items), Some(inner)) => items.iter().find(|field| field.name == inner),
        (Some(_) | None, None) => Some(top),
        (None, Some(_)) => None,
    }
}

/// What people call what stands at a path: "Venue", of an item with the item's title.
pub fn place_of(kind: &'static Kind, path: &str, label: &str, names: &Names) -> String {
    let mut parts = path.split('/');
    let (top, item, inner) = (parts.next().unwrap_or_default(), parts.next(), parts.next());
    let list = kind.field(top).filter(|field| field.items().is_some());
    let (Some(list), Some(item)) = (list, item) else {
        return label.to_owned();
    };
    let title = names
        .item(item)
        .map_or_else(|| "an entry".to_owned(), str::to_owned);
    match inner.and_then(|_| field_at(kind, path)) {
        Some(field) => format!("{}, {title}: {}", list.label, field.label),
        None => format!("{}, {title}", list.label),
    }
}

/// A value that stands at a path, in words; a whole item by its fields.
pub fn words_at(kind: &'static Kind, path: &str, value: &Value, names: &Names) -> String {
    if let Value::Object(item) = value {
        return item_words(kind, item, names);
    }
    let parts = path.split('/').count();
    match field_at(kind, path) {
        Some(field) if parts == 2 && matches!(field.merge, Merge::Set(_)) => {
            if *value == true { "in" } else { "out" }.to_owned()
        }
        Some(field) => words_of(field, value, names),
        None => match value {
            Value::String(text) => text.clone(),
            Value::Bool(true) => "Yes".to_owned(),
            Value::Bool(false) => "No".to_owned(),
            Value::Number(number) => number.to_string(),
            Value::Null | Value::Array(_) | Value::Object(_) => String::new(),
        },
    }
}

/// An item that is not in its list, as a watch shows it: by the list whose fields it has.
fn item_words(kind: &'static Kind, item: &Object, names: &Names) -> String {
    if let Some(title) = item
        .get("title")
        .and_then(Value::as_str)
        .filter(|_| item.len() == 2)
    {
        return title.to_owned();
    }
    if let Some(count) = item.get("not_sent").and_then(Value::as_u64) {
        return words::counted(count, "change is not sent", "changes are not sent");
    }
    let known = |fields: &&'static [Field]| {
        let mut names = item.keys().filter(|name| *name != "id");
        names.all(|name| fields.iter().any(|field| field.name == name.as_str()))
    };
    let mut lists = kind.fields.iter().filter_map(Field::items);
    let Some(fields) = lists.find(known) else {
        let texts = item
            .iter()
            .filter(|(name, _)| *name != "id" && *name != "record");
        let texts = texts.map(|(_, value)| value.to_string().trim_matches('"').to_owned());
        return texts.collect::<Vec<_>>().join(", ");
    };
    let told = fields.iter().filter_map(|field| {
        let words = words_of(field, item.get(field.name)?, names);
        (!words.is_empty()).then(|| format!("{}: {words}", field.label))
    });
    told.collect::<Vec<_>>().join("\n")
}

/// What was taken out and what was put in, with a few words around it.
pub fn changed(before: &str, after: &str) -> Markup {
    if before.is_empty() {
        return html! { ins.changed-after { (after) } };
    }
    if after.is_empty() {
        return html! { del.changed-before { (before) } };
    }
    let old = before.split_inclusive(' ').collect::<Vec<_>>();
    let new = after.split_inclusive(' ').collect::<Vec<_>>();
    let same = |pair: &(&&str, &&str)| pair.0 == pair.1;
    let start = old.iter().zip(&new).take_while(same).count();
    let rest = old.len().min(new.len()) - start;
    let end = old.iter().rev().zip(new.iter().rev()).take(rest);
    let end = end.take_while(same).count();
    let (old_until, new_until) = (old.len() - end, new.len() - end);
    let from = start.saturating_sub(WORDS_AROUND);
    let until = (new_until + WORDS_AROUND).min(new.len());
    html! {
        @if from > 0 { "… " }
        (new[from..start].concat())
        @if start < old_until { del.changed-before { (old[start..old_until].concat()) } " " }
        @if start < new_until { ins.changed-after { (new[start..new_until].concat()) } }
        (new[new_until..until].concat())
        @if until < new.len() { "…" }
    }
}

/// A value of several lines as paragraphs; a state as a tag.
pub fn shown_at(kind: &'static Kind, path: &str, value: &Value, names: &Names) -> Markup {
    let field = field_at(kind, path);
    if let (Some(field), Some(state)) = (field, value.as_str())
        && matches!(field.merge, Merge::State(_))
    {
        return super::state_tag(state);
    }
    let text = words_at(kind, path, value, names);
    if text.is_empty() {
        return html! { span.soft { "Nothing" } };
    }
    if text.contains('\n') || text.len() > 120 {
        return parts::paragraphs(&text);
    }
    html! { (text) }
}
