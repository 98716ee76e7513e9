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
        Check::Pence(least, most) => pence(json)
            .filter(|pence| (least..=most).contains(pence))
            .map(Value::Int)
            .ok_or_else(|| wrong("must be a sum such as 1250 (pence) or £12.50".to_owned())),
        Check::YesNo | Check::Consent => json
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
        | Check::Urns
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
        Check::Date => (is_day(text), "must be a date such as 2026-11-24".to_owned()),
        Check::Time => (is_time(text), "must be a time such as 16:30".to_owned()),
        Check::AcademicYear => (is_year(text), "must be a year such as 2026-27".to_owned()),
        Check::Urn => (
            is_urn(text),
            "must be a school's six-digit reference number".to_owned(),
        ),
        Check::Urns => (
            text.split_whitespace().all(is_urn),
            "must be schools' six-digit reference numbers, separated by spaces".to_owned(),
        ),
        Check::Email => (is_email(text), "must be an e-mail address".to_owned()),
        Check::Reference(what) => (is_id(text), must_refer(what)),
        Check::Number(..) | Check::Pence(..) | Check::YesNo | Check::Consent => {
            (true, String::new())
        }
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

/// Whole pence from a number, or from pounds as people write them.
fn pence(json: &Json) -> Option<i64> {
    if let Some(pence) = json.as_i64() {
        return Some(pence);
    }
    let text = json.as_str()?.trim().replace(',', "");
    let (sign, text) = text
        .strip_prefix('-')
        .map_or((1, text.as_str()), |rest| (-1, rest));
    let Some(pounds) = text.strip_prefix('£') else {
        return text.parse::<i64>().ok()?.checked_mul(sign);
    };
    let (pounds, rest) = pounds.split_once('.').unwrap_or((pounds, "00"));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if rest.len() != 2 || !digits(rest) || pounds.is_empty() || !digits(pounds) {
        return None;
    }
    let pounds = pounds.parse::<i64>().ok()?.checked_mul(100)?;
    Some(sign * pounds.checked_add(rest.parse::<i64>().ok()?)?)
}

fn is_id(text: &str) -> bool {
    !text.is_empty() && text.len() <= 64 && text.bytes().all(|b| b.is_ascii_alphanumeric())
}

fn must_refer(what: &str) -> String {
    if what == "person" {
        return "must be the id of a person: write the person's card id; make a card for them first"
            .to_owned();
    }
    format!("must be the id of a {what}")
}

fn is_urn(text: &str) -> bool {
    text.len() == 6 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether a text is a day that exists, written as in 2026-11-24 and in no other way.
pub fn is_day(text: &str) -> bool {
    let bytes = text.as_bytes();
    let formed = bytes.len() == 10
        && bytes.iter().enumerate().all(|(at, byte)| match at {
            4 | 7 => *byte == b'-',
            _ => byte.is_ascii_digit(),
        });
    formed && time::Date::parse(text, &Iso8601::DATE).is_ok()
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

/// The first e-mail address that a text holds.
pub(crate) fn address_in(text: &str) -> Option<&str> {
    let part = |c: char| c.is_alphanumeric() || "._%+-'".contains(c);
    let trimmed = |c: char| !c.is_alphanumeric();
    text.match_indices('@').find_map(|(at, _)| {
        let (left, right) = (&text[..at], &text[at + 1..]);
        let local = left
            .rsplit(|c| !part(c))
            .next()?
            .trim_start_matches(trimmed);
        let domain = right.split(|c| !part(c)).next()?.trim_end_matches(trimmed);
        let address = &text[at - local.len()..at + 1 + domain.len()];
        is_email(address).then_some(address)
    })
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
    fn a_day_is_written_in_one_way_alone() {
        assert!(is_day("2026-11-24") && is_day("2028-02-29"));
        for other in [
            "2026-W48-2",
            "2026-W482",
            "2026-328",
            "20261124",
            "2026-11-4",
            "2026-02-29",
            "+2026-1-24",
            "2026/11/24",
            " 2026-11-2",
            "2026-11-24T",
        ] {
            assert!(!is_day(other), "{other}");
        }
        check_all(
            Check::Date,
            &[json!("2026-11-24")],
            &[(
                json!("2026-W48-2"),
                "'Field' must be a date such as 2026-11-24: got '2026-W48-2'",
            )],
        );
    }

    #[test]
    fn a_sum_beyond_all_measure_is_refused() {
        assert_eq!(pence(&json!("£92233720368547758.08")), None);
        assert_eq!(pence(&json!("--9223372036854775808")), None);
        assert_eq!(pence(&json!("-£1.50")), Some(-150));
    }

    #[test]
    fn an_address_is_found_wherever_it_stands_in_a_text() {
        for text in [
            "a.b@c.uk",
            "Ask (a.b@c.uk).",
            "mailto:a.b@c.uk",
            "x,<a.b@c.uk>;y",
            "to=a.b@c.uk!",
        ] {
            assert_eq!(address_in(text), Some("a.b@c.uk"), "{text}");
        }
        for text in ["3 @ 5", "@hub", "a@b", "https://c.uk/@hub"] {
            assert_eq!(address_in(text), None, "{text}");
        }
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
