//! Values as people read them.

use maud::{Markup, html};
use node_domain::{Check, Field, Merge};
use serde_json::Value;

use super::Names;
use super::names::is_id;
use crate::web::{parts, words};

/// Longer texts are shown as paragraphs.
const LINE_CHARACTERS_MAX: usize = 300;

/// A field's value as a part of a page; nothing if it is empty.
pub fn value(field: &Field, value: &Value, names: &Names) -> Markup {
    if is_empty(field, value) {
        return html! {};
    }
    if matches!(field.merge, Merge::State(_)) {
        return state_tag(value.as_str().unwrap_or_default());
    }
    if let (Check::Reference(kind), Some(id)) = (field.check, value.as_str())
        && let Some(title) = names.title(id)
    {
        let kind = node_domain::kind(kind).filter(|_| is_id(id));
        return match kind {
            Some(kind) => html! { a href=(super::record_path(kind, id)) { (title) } },
            None => html! { (title) },
        };
    }
    let text = words_of(field, value, names);
    if field.check == Check::Email {
        return html! { a href={ "mailto:" (text) } { (text) } };
    }
    if text.contains('\n') || text.len() > LINE_CHARACTERS_MAX {
        return parts::paragraphs(&text);
    }
    html! { (text) }
}

/// A state as a tag.
pub fn state_tag(state: &str) -> Markup {
    parts::tag(state, parts::state_tone(state))
}

/// A field's value in words; empty if there is none.
pub fn words_of(field: &Field, value: &Value, names: &Names) -> String {
    match field.merge {
        Merge::Places => return places(value),
        Merge::Set(_) => {
            let elements = value.as_array().into_iter().flatten();
            let elements = elements.map(|element| checked(field, element, names));
            return elements.collect::<Vec<_>>().join(", ");
        }
        Merge::List(_) | Merge::Log(_) => {
            let count = value.as_array().map_or(0, Vec::len);
            return words::counted(count as u64, "entry", "entries");
        }
        Merge::Value | Merge::Text | Merge::Count | Merge::State(_) => {}
    }
    checked(field, value, names)
}

fn checked(field: &Field, value: &Value, names: &Names) -> String {
    let text = match value {
        Value::Null => return String::new(),
        Value::Bool(true) => return "Yes".to_owned(),
        Value::Bool(false) => return "No".to_owned(),
        Value::Number(number) => return number_of(field, number.as_i64().unwrap_or_default()),
        Value::String(text) => text.as_str(),
        Value::Array(elements) => {
            let elements = elements.iter().map(|it| checked(field, it, names));
            return elements.collect::<Vec<_>>().join(", ");
        }
        Value::Object(fields) => {
            let parts = fields.iter().filter(|(name, _)| *name != "id");
            let parts = parts.map(|(_, value)| checked(field, value, names));
            let parts = parts.filter(|part| !part.is_empty());
            return parts.collect::<Vec<_>>().join(", ");
        }
    };
    match field.check {
        Check::OneOf(_) => words::capital(text),
        Check::Date => words::day(text),
        Check::Time => words::time(text),
        Check::Urns => text.split_whitespace().collect::<Vec<_>>().join(", "),
        Check::Reference(_) => named(text, names),
        Check::Text(_) if matches!(field.merge, Merge::State(_)) => words::capital(text),
        Check::Text(_) if field.names_hub => names
            .title(text)
            .map_or_else(|| text.to_owned(), str::to_owned),
        Check::Text(_) if names.item(text).is_some() || is_id(text) => named(text, names),
        Check::Text(_) if several(text, names) => {
            let items = text.split_whitespace().filter_map(|id| names.item(id));
            items.collect::<Vec<_>>().join("; ")
        }
        Check::Text(_)
        | Check::Number(..)
        | Check::YesNo
        | Check::AcademicYear
        | Check::Urn
        | Check::Pence(..)
        | Check::Consent
        | Check::Email => text.to_owned(),
    }
}

/// Whether a text is nothing but items of the record's own lists, with spaces between them.
fn several(text: &str, names: &Names) -> bool {
    let mut parts = text.split_whitespace();
    text.contains(' ') && parts.all(|id| names.item(id).is_some())
}

fn named(id: &str, names: &Names) -> String {
    let title = names.title(id).or_else(|| names.item(id));
    title.map_or_else(|| "Not known here".to_owned(), str::to_owned)
}

fn number_of(field: &Field, number: i64) -> String {
    if matches!(field.check, Check::Pence(..)) {
        return words::pounds(number);
    }
    let sign = if number < 0 { "-" } else { "" };
    format!("{sign}{}", words::number(number.unsigned_abs()))
}

fn places(value: &Value) -> String {
    let number = |name: &str| value[name].as_u64().unwrap_or_default();
    let (issued, taken) = (number("issued"), number("taken"));
    if issued == 0 && taken == 0 {
        return "None yet".to_owned();
    }
    let free = issued.saturating_sub(taken);
    format!("{} of {} free", words::number(free), words::number(issued))
}

/// Whether there is nothing to show.
pub(super) fn is_empty(field: &Field, value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.trim().is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Number(number) => field.merge == Merge::Count && number.as_i64() == Some(0),
        Value::Bool(_) | Value::Object(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use node_domain::{COMMISSION, WORK_GROUP};
    use serde_json::json;

    #[test]
    fn values_stand_as_people_write_them() {
        let names = Names::default();
        let of = |field: Option<&Field>, value: Value| {
            words_of(field.expect("declared"), &value, &names)
        };
        let budget = COMMISSION.field("budget");
        assert_eq!(of(budget, json!(125_050)), "£1,250.50");
        let places = WORK_GROUP.field("places");
        assert_eq!(
            of(places, json!({ "issued": 15, "taken": 3 })),
            "12 of 15 free"
        );
        assert_eq!(
            of(WORK_GROUP.field("kind"), json!("subject knowledge")),
            "Subject knowledge"
        );
        let sessions = WORK_GROUP
            .field("sessions")
            .and_then(Field::items)
            .expect("a list");
        let inner = |name: &str| sessions.iter().find(|field| field.name == name);
        assert_eq!(of(inner("date"), json!("2026-11-26")), "26 November 2026");
        assert_eq!(of(inner("start"), json!("16:30")), "4:30pm");
        assert_eq!(of(inner("start"), json!("09:00")), "9am");
    }
}
