//! What a form says, as changes of the record from which its page was made.

use std::collections::BTreeSet;

use node_domain::{Check, Field, FieldChange, Filled, Merge, Object};
use serde_json::{Value, json};

use crate::web::Form;

/// A field's value as a form's control has it.
pub fn as_typed(field: &Field, value: &Value) -> String {
    match field.merge {
        Merge::Count | Merge::Places => return String::new(),
        Merge::Value
        | Merge::Text
        | Merge::List(_)
        | Merge::Set(_)
        | Merge::Log(_)
        | Merge::State(_) => {}
    }
    match value {
        Value::Null | Value::Array(_) | Value::Object(_) => String::new(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::String(text) => text.clone(),
        Value::Number(number) if matches!(field.check, Check::Pence(..)) => {
            pounds(number.as_i64().unwrap_or_default())
        }
        Value::Number(number) => number.to_string(),
    }
}

/// What a person changed in these fields, relative to what the page showed. `item` is `list/item`
/// where they are an item's. A field that the form does not have is left as it is.
pub fn changes_from(
    form: &Form,
    fields: &[&'static Field],
    shown: &Object,
    item: Option<&str>,
) -> Vec<FieldChange> {
    let mut changes = Vec::new();
    for field in fields
        .iter()
        .filter(|field| field.filled == Filled::ByPerson)
    {
        let stood = shown.get(field.name).unwrap_or(&Value::Null);
        let path = match item {
            Some(item) => format!("{item}/{}", field.name),
            None => field.name.to_owned(),
        };
        if let Merge::Set(_) = field.merge {
            changes.extend(set_changes(form, field, stood, &path));
            continue;
        }
        let Some(typed) = form.find(field.name) else {
            continue;
        };
        let value = read(field, typed);
        match field.merge {
            Merge::Count => {
                if let Some(by) = value.as_i64().filter(|by| *by != 0) {
                    changes.push(FieldChange::Count { field: path, by });
                } else if !value.is_null() && value != json!(0) {
                    changes.push(FieldChange::set(path, value));
                }
            }
            Merge::Places => {
                if let Some(count) = value.as_i64().filter(|count| *count != 0) {
                    changes.push(FieldChange::Issue { field: path, count });
                } else if !value.is_null() && value != json!(0) {
                    changes.push(FieldChange::set(path, value));
                }
            }
            Merge::Value | Merge::Text | Merge::State(_) => {
                if !same(field, &value, stood) {
                    changes.push(FieldChange::set(path, value));
                }
            }
            Merge::List(_) | Merge::Log(_) | Merge::Set(_) => {}
        }
    }
    changes
}

/// What a form says of a new record or item: every field that was filled in.
pub fn values_from(form: &Form, fields: &[&'static Field]) -> Object {
    let mut values = Object::new();
    for field in fields
        .iter()
        .filter(|field| field.filled == Filled::ByPerson)
    {
        let value = if let Merge::Set(_) = field.merge {
            let elements = elements(form, field);
            if elements.is_empty() {
                Value::Null
            } else {
                json!(elements)
            }
        } else {
            form.find(field.name)
                .map_or(Value::Null, |typed| read(field, typed))
        };
        if !value.is_null() && value != json!("") {
            values.insert(field.name.to_owned(), value);
        }
    }
    values
}

/// The value that was typed; null if there is none.
fn read(field: &Field, typed: &str) -> Value {
    if field.merge == Merge::Text {
        return json!(typed.trim_end());
    }
    let text = typed.trim();
    if text.is_empty() {
        return Value::Null;
    }
    let number = |text: &str| text.replace([',', ' '], "").parse::<i64>().ok();
    match field.check {
        Check::Number(..) => number(text).map_or_else(|| json!(text), |number| json!(number)),
        Check::Pence(..) => pence(text).map_or_else(|| json!(text), |pence| json!(pence)),
        Check::YesNo | Check::Consent => match text {
            "yes" => json!(true),
            "no" => json!(false),
            other => json!(other),
        },
        Check::Urns => json!(text.replace(',', " ")),
        Check::Text(_)
        | Check::OneOf(_)
        | Check::Date
        | Check::Time
        | Check::AcademicYear
        | Check::Urn
        | Check::Email
        | Check::Reference(_) => json!(text),
    }
}

/// Whether what was typed is what stood there, as a browser gives it back.
fn same(field: &Field, typed: &Value, stood: &Value) -> bool {
    let text = |value: &Value| match value {
        Value::String(text) => text.trim().replace("\r\n", "\n"),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            as_typed(field, value)
        }
    };
    typed == stood || text(typed) == text(stood)
}

fn set_changes(form: &Form, field: &Field, stood: &Value, path: &str) -> Vec<FieldChange> {
    let boxes = matches!(field.check, Check::OneOf(_));
    let asked = if boxes {
        form.has(&format!("{}-shown", field.name))
    } else {
        form.find(field.name).is_some()
    };
    if !asked {
        return Vec::new();
    }
    let stood = stood.as_array().into_iter().flatten();
    let stood = stood.filter_map(Value::as_str).map(str::to_owned);
    let stood = stood.collect::<BTreeSet<_>>();
    let wanted = elements(form, field).into_iter().collect::<BTreeSet<_>>();
    let put = wanted
        .difference(&stood)
        .map(|element| FieldChange::Include {
            field: path.to_owned(),
            element: json!(element),
        });
    let taken = stood
        .difference(&wanted)
        .map(|element| FieldChange::Exclude {
            field: path.to_owned(),
            element: json!(element),
        });
    put.chain(taken).collect()
}

fn elements(form: &Form, field: &Field) -> Vec<String> {
    let lines = form.all(field.name).flat_map(str::lines).map(str::trim);
    let lines = lines.filter(|line| !line.is_empty());
    lines.map(str::to_owned).collect()
}

/// Pounds as people type them, as pence: `1250`, `£1,250.5`.
fn pence(text: &str) -> Option<i64> {
    let text = text.replace(['£', ',', ' '], "");
    let (sign, text) = match text.strip_prefix(['-', '−']) {
        Some(rest) => (-1, rest),
        None => (1, text.as_str()),
    };
    let (pounds, rest) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if pounds.is_empty() || rest.len() > 2 || !digits(pounds) || !digits(rest) {
        return None;
    }
    let rest = format!("{rest:0<2}").parse::<i64>().ok()?;
    let pounds = pounds.parse::<i64>().ok()?.checked_mul(100)?;
    Some(sign * pounds.checked_add(rest)?)
}

fn pounds(pence: i64) -> String {
    let sign = if pence < 0 { "-" } else { "" };
    let pence = pence.unsigned_abs();
    if pence.is_multiple_of(100) {
        return format!("{sign}{}", pence / 100);
    }
    format!("{sign}{}.{:02}", pence / 100, pence % 100)
}

#[cfg(test)]
mod tests {
    use super::*;
    use node_domain::{COMMISSION, Kind, PARTNER, WORK_GROUP};

    fn form(fields: &[(&str, &str)]) -> Form {
        let fields = fields.iter();
        fields
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    }

    fn changes(kind: &'static Kind, typed: &[(&str, &str)], stood: Value) -> Value {
        let fields = kind.fields.iter().collect::<Vec<_>>();
        let stood = stood.as_object().cloned().unwrap_or_default();
        json!(changes_from(&form(typed), &fields, &stood, None))
    }

    #[test]
    fn only_what_a_person_changed_is_sent() {
        let stood = json!({
            "title": "Reasoning", "state": "planned", "narrative": "One.\nTwo.",
            "year": "2026-27", "places": { "issued": 12, "taken": 0 }, "enquiries": 3,
        });
        let same = [
            ("title", "Reasoning "),
            ("state", "planned"),
            ("narrative", "One.\r\nTwo."),
            ("year", "2026-27"),
            ("places", ""),
            ("enquiries", ""),
            ("phase", ""),
        ];
        assert_eq!(changes(&WORK_GROUP, &same, stood.clone()), json!([]));
        let typed = [
            ("title", ""),
            ("phase", "primary"),
            ("places", "3"),
            ("enquiries", "-1"),
        ];
        assert_eq!(
            changes(&WORK_GROUP, &typed, stood),
            json!([
                { "do": "set", "field": "title", "value": null },
                { "do": "set", "field": "phase", "value": "primary" },
                { "do": "issue", "field": "places", "count": 3 },
                { "do": "count", "field": "enquiries", "by": -1 },
            ])
        );
    }

    #[test]
    fn money_is_typed_in_pounds_and_a_wrong_sum_is_left_to_be_told() {
        let budget = |typed: &str| {
            let told = changes(
                &COMMISSION,
                &[("budget", typed)],
                json!({ "budget": 125_050 }),
            );
            told[0]["value"].clone()
        };
        assert_eq!(budget("1,250.50"), Value::Null, "nothing was changed");
        assert_eq!(budget("£1,250.5"), Value::Null);
        assert_eq!(budget("1300"), json!(130_000));
        assert_eq!(budget("lots"), json!("lots"));
    }

    #[test]
    fn of_a_set_only_what_went_in_and_out_is_sent() {
        let stood = json!({ "roles": ["research", "funder"], "strengths": ["Mastery"] });
        let typed = [
            ("roles-shown", "1"),
            ("roles", "research"),
            ("roles", "employer"),
            ("strengths", "Mastery\nTransition"),
        ];
        assert_eq!(
            changes(&PARTNER, &typed, stood),
            json!([
                { "do": "include", "field": "roles", "element": "employer" },
                { "do": "exclude", "field": "roles", "element": "funder" },
                { "do": "include", "field": "strengths", "element": "Transition" },
            ])
        );
    }
}
