//! Checking values against their declaration.

use node_document::Value;
use serde_json::Value as Json;
use time::format_description::well_known::Iso8601;

use crate::declaration::{Check, Field, State};

/// The value that `json` stands for in `field`.
///
/// # Errors
/// A sentence for the person who entered it.
pub(crate) fn check(field: &Field, json: &Json) -> Result<Value, String> {
    let label = field.label;
    let wrong = |what: String| format!("'{label}' {what}: got {}", shown(json));
    match field.check {
        Check::Number(least, most) => {
            let number = json.as_i64().or_else(|| json.as_str()?.trim().parse().ok());
            number
                .filter(|number| (least..=most).contains(number))
                .map(Value::Int)
                .ok_or_else(|| wrong(format!("must be a whole number from {least} to {most}")))
        }
        Check::YesNo => json
            .as_bool()
            .or(match json.as_str() {
                Some("yes" | "true") => Some(true),
                Some("no" | "false") => Some(false),
                Some(_) | None => None,
            })
            .map(Value::Bool)
            .ok_or_else(|| wrong("must be yes or no".to_owned())),
        Check::Text(_)
        | Check::OneOf(_)
        | Check::Date
        | Check::Time
        | Check::AcademicYear
        | Check::Urn
        | Check::Email
        | Check::Reference(_) => {
            let text = text_of(json).ok_or_else(|| wrong("must be a text".to_owned()))?;
            check_text(field.check, &text).map_err(wrong)?;
            Ok(Value::String(text))
        }
    }
}

/// Checks that a state is one of the declared.
pub(crate) fn check_state(label: &str, states: &[State], json: &Json) -> Result<String, String> {
    let text = json.as_str().unwrap_or_default();
    if states.iter().any(|state| state.name == text) {
        return Ok(text.to_owned());
    }
    let names = states
        .iter()
        .map(|state| state.name)
        .collect::<Vec<_>>()
        .join(", ");
    Err(format!(
        "'{label}' must be one of {names}: got {}",
        shown(json)
    ))
}

/// A text field's text.
pub(crate) fn check_long_text(field: &Field, json: &Json) -> Result<String, String> {
    let text = text_of(json)
        .ok_or_else(|| format!("'{}' must be a text: got {}", field.label, shown(json)))?;
    check_text(field.check, &text).map_err(|what| format!("'{}' {what}", field.label))?;
    Ok(text)
}

fn check_text(check: Check, text: &str) -> Result<(), String> {
    let (right, what) = match check {
        Check::Text(most) => (
            text.chars().count() <= most,
            format!("must have at most {most} characters"),
        ),
        Check::OneOf(codes) => (
            codes.contains(&text),
            format!("must be one of {}", codes.join(", ")),
        ),
        Check::Date => (
            is_date(text),
            "must be a date such as 2026-11-24".to_owned(),
        ),
        Check::Time => (is_time(text), "must be a time such as 16:30".to_owned()),
        Check::AcademicYear => (is_year(text), "must be a year such as 2026-27".to_owned()),
        Check::Urn => (
            text.len() == 6 && text.bytes().all(|byte| byte.is_ascii_digit()),
            "must be a school's six-digit reference number".to_owned(),
        ),
        Check::Email => (is_email(text), "must be an e-mail address".to_owned()),
        Check::Reference(what) => (
            !text.is_empty() && text.len() <= 64 && text.bytes().all(|b| b.is_ascii_alphanumeric()),
            format!("must be the id of a {what}"),
        ),
        Check::Number(..) | Check::YesNo => (true, String::new()),
    };
    if right { Ok(()) } else { Err(what) }
}

fn text_of(json: &Json) -> Option<String> {
    match json {
        Json::String(text) => Some(text.trim_end().to_owned()),
        Json::Number(number) => Some(number.to_string()),
        Json::Null | Json::Bool(_) | Json::Array(_) | Json::Object(_) => None,
    }
}

fn is_date(text: &str) -> bool {
    text.len() == 10 && time::Date::parse(text, &Iso8601::DATE).is_ok()
}

fn is_time(text: &str) -> bool {
    let parts = text
        .split_once(':')
        .filter(|(h, m)| h.len() == 2 && m.len() == 2);
    let number = |part: &str| part.parse::<u8>().ok();
    parts
        .and_then(|(h, m)| Some(number(h)? < 24 && number(m)? < 60))
        .unwrap_or(false)
}

fn is_year(text: &str) -> bool {
    let parts = text
        .split_once('-')
        .filter(|(from, to)| from.len() == 4 && to.len() == 2);
    let years = parts.and_then(|(f, t)| Some((f.parse::<u16>().ok()?, t.parse::<u16>().ok()?)));
    years.is_some_and(|(from, to)| (from + 1) % 100 == to)
}

pub(crate) fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else {
        return false;
    };
    let plain = |part: &str| {
        !part.is_empty()
            && part
                .chars()
                .all(|c| c.is_alphanumeric() || "._%+-'".contains(c))
    };
    plain(local)
        && plain(domain)
        && domain.trim_end_matches('.').contains('.')
        && !domain.starts_with('.')
}

/// A value as a person typed it, cut short.
fn shown(json: &Json) -> String {
    let text = match json {
        Json::String(text) => format!("'{text}'"),
        Json::Null => "nothing".to_owned(),
        Json::Bool(_) | Json::Number(_) | Json::Array(_) | Json::Object(_) => json.to_string(),
    };
    if text.chars().count() > 60 {
        format!("{}…", text.chars().take(60).collect::<String>())
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[track_caller]
    fn check_all(rule: Check, right: &[Json], wrong: &[(Json, &str)]) {
        let field = Field::value("f", "Field", rule);
        for value in right {
            assert!(check(&field, value).is_ok(), "{value}");
        }
        for (value, message) in wrong {
            assert_eq!(check(&field, value), Err((*message).to_owned()));
        }
    }

    #[test]
    fn a_wrong_value_is_told_with_what_would_be_right() {
        check_all(
            Check::OneOf(&["primary", "secondary"]),
            &[json!("primary")],
            &[(
                json!("x"),
                "'Field' must be one of primary, secondary: got 'x'",
            )],
        );
        check_all(
            Check::Date,
            &[json!("2026-11-24")],
            &[(
                json!("24/11/2026"),
                "'Field' must be a date such as 2026-11-24: got '24/11/2026'",
            )],
        );
        check_all(
            Check::Number(1, 5),
            &[json!(5), json!("3")],
            &[(
                json!(6),
                "'Field' must be a whole number from 1 to 5: got 6",
            )],
        );
    }

    #[test]
    fn every_rule_takes_what_is_right_and_refuses_what_is_not() {
        let cases = [
            (Check::Time, "16:30", "25:00"),
            (Check::AcademicYear, "2099-00", "2026-28"),
            (Check::Urn, "106001", "10600"),
            (Check::Email, "a.b@school.sch.uk", "a.b@school"),
            (Check::Reference("hub"), "abc234", "a/b"),
            (Check::Text(3), "naï", "long"),
            (Check::YesNo, "yes", "perhaps"),
            (Check::Date, "2028-02-29", "2026-02-29"),
        ];
        for (rule, right, wrong) in cases {
            let field = Field::value("f", "Field", rule);
            assert!(check(&field, &json!(right)).is_ok(), "{right}");
            assert!(check(&field, &json!(wrong)).is_err(), "{wrong}");
        }
    }
}
