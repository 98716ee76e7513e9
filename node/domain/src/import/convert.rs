//! Cells as values of a field.

use serde_json::{Value as Json, json};

use super::fold::{folded, likeness};
use super::moment;
use crate::check::{check, check_long_text};
use crate::declaration::{Check, Field, Merge, State};
use crate::read::json as to_json;
use crate::sheet::Sheet;

/// Most elements that one cell puts into a set.
const ELEMENTS_MAX: usize = 200;
/// How alike a mistyped code must be to be proposed.
const PROPOSED: f64 = 0.6;

/// What a cell means in a field. `heading` tells pence from pounds.
///
/// # Errors
/// What is wrong, to follow the heading: "must be …: got …".
pub(super) fn convert(field: &Field, heading: &str, cell: &str) -> Result<Json, String> {
    let cell = cell.trim();
    if Sheet::is_error(cell) {
        return Err(format!(
            "holds the spreadsheet's error {cell} in place of a value: mend the formula"
        ));
    }
    let value = match field.merge {
        Merge::Value => one(field, heading, cell),
        Merge::Text => check_long_text(field, &json!(cell))
            .map(Json::String)
            .map_err(|message| without_label(field, &message)),
        Merge::State(states) => state(states, cell),
        Merge::Set(_) => set(field, heading, cell),
        Merge::Count | Merge::Places => whole_number(cell)
            .filter(|number| (0..=100_000).contains(number))
            .map(|number| json!(number))
            .ok_or_else(|| "must be a whole number from 0 to 100000".to_owned()),
        Merge::List(_) | Merge::Log(_) => Err("holds several items, not one value".to_owned()),
    };
    value.map_err(|what| {
        if what.contains("got ") {
            what
        } else {
            format!("{what}: got '{}'", shortened(cell))
        }
    })
}

/// A value that was not typed into a cell, such as a default, as it is declared.
///
/// # Errors
/// What is wrong, to follow the name of the field.
pub(super) fn convert_json(field: &Field, value: &Json) -> Result<Json, String> {
    if let Some(text) = value.as_str() {
        return convert(field, field.label, text);
    }
    match field.merge {
        Merge::Value => check(field, value)
            .map(|value| to_json(&value))
            .map_err(|message| without_label(field, &message)),
        Merge::Count | Merge::Places if value.is_i64() => Ok(value.clone()),
        Merge::Set(_) => {
            let elements = value.as_array().map(Vec::as_slice).unwrap_or_default();
            let elements = elements.iter().map(|element| {
                let text = element
                    .as_str()
                    .ok_or_else(|| "must be a list of texts".to_owned())?;
                one(field, field.label, text)
            });
            elements.collect::<Result<Vec<_>, _>>().map(Json::Array)
        }
        Merge::Text
        | Merge::State(_)
        | Merge::Count
        | Merge::Places
        | Merge::List(_)
        | Merge::Log(_) => Err("cannot be given like this".to_owned()),
    }
}

fn one(field: &Field, heading: &str, cell: &str) -> Result<Json, String> {
    let value = match field.check {
        Check::Date => json!(moment::date(cell)?),
        Check::Time => json!(moment::time(cell)?),
        Check::AcademicYear => json!(moment::academic_year(cell)?),
        Check::OneOf(codes) => json!(code(codes, cell)?),
        Check::YesNo => json!(yes_no(cell, true)?),
        Check::Consent => json!(yes_no(cell, false)?),
        Check::Number(..) => whole_number(cell).map_or_else(|| json!(cell), |number| json!(number)),
        Check::Pence(..) => json!(pence(cell, folded(heading).contains("pence"))?),
        Check::Urn => json!(urn(cell)),
        Check::Urns => {
            let urns = cell.split(|char: char| char.is_whitespace() || ";,".contains(char));
            let urns = urns.filter(|part| !part.is_empty()).map(urn);
            json!(urns.collect::<Vec<_>>().join(" "))
        }
        Check::Email => {
            let address = cell.strip_prefix("mailto:").unwrap_or(cell);
            json!(address.trim_matches(['<', '>', ' ']))
        }
        Check::Text(_) | Check::Reference(_) => json!(cell),
    };
    check(field, &value)
        .map(|value| to_json(&value))
        .map_err(|message| without_label(field, &message))
}

fn set(field: &Field, heading: &str, cell: &str) -> Result<Json, String> {
    let mut elements = Vec::new();
    for part in cell.split([';', ',', '\n']).map(str::trim) {
        if part.is_empty() {
            continue;
        }
        if elements.len() == ELEMENTS_MAX {
            return Err(format!("must name at most {ELEMENTS_MAX}"));
        }
        let element = one(field, heading, part)?;
        if !elements.contains(&element) {
            elements.push(element);
        }
    }
    Ok(Json::Array(elements))
}

fn state(states: &[State], cell: &str) -> Result<Json, String> {
    let names = states.iter().map(|state| state.name).collect::<Vec<_>>();
    code(&names, cell).map(|name| json!(name))
}

fn code<'a>(codes: &[&'a str], cell: &str) -> Result<&'a str, String> {
    let typed = folded(cell);
    let found = codes.iter().find(|code| folded(code) == typed);
    found.copied().ok_or_else(|| {
        let likely = codes
            .iter()
            .map(|code| (likeness(&folded(code), &typed), *code))
            .filter(|(likeness, _)| *likeness >= PROPOSED)
            .max_by(|(a, _), (b, _)| a.total_cmp(b));
        let asked =
            likely.map_or_else(String::new, |(_, code)| format!(". Did you mean '{code}'?"));
        let (all, cell) = (codes.join(", "), shortened(cell));
        format!("must be one of {all}: got '{cell}'{asked}")
    })
}

fn yes_no(cell: &str, ticks: bool) -> Result<bool, String> {
    let word = cell.to_lowercase();
    match word.as_str() {
        "yes" | "y" | "true" | "t" => Ok(true),
        "no" | "n" | "false" | "f" => Ok(false),
        // A tick may stand for much; it is no consent.
        "x" | "1" | "\u{2713}" | "\u{2714}" if ticks => Ok(true),
        "0" if ticks => Ok(false),
        _ => Err("must be yes or no".to_owned()),
    }
}

/// A whole number, with separators of thousands or with `.0` behind it.
fn whole_number(cell: &str) -> Option<i64> {
    let plain = without_separators(cell)?;
    let (whole, rest) = plain.split_once('.').unwrap_or((&plain, ""));
    let nothing = rest.bytes().all(|byte| byte == b'0');
    nothing.then(|| whole.parse().ok()).flatten()
}

/// Whole pence. Sheets say pounds, unless the heading speaks of pence.
fn pence(cell: &str, in_pence: bool) -> Result<i64, String> {
    let wrong = || "must be a sum of money such as £1,250.50".to_owned();
    let text = cell.trim();
    let (negative, text) = match text
        .strip_prefix('(')
        .and_then(|rest| rest.strip_suffix(')'))
    {
        Some(inside) => (true, inside),
        None => (false, text),
    };
    let (minus, text) = text
        .strip_prefix(['-', '\u{2212}'])
        .map_or((false, text), |rest| (true, rest.trim()));
    let marked = text.starts_with('£') || text.to_uppercase().starts_with("GBP");
    let text = text.trim_start_matches('£');
    let text = text.strip_prefix("GBP").unwrap_or(text).trim();
    let (minus_inside, text) = text
        .strip_prefix('-')
        .map_or((false, text), |rest| (true, rest));
    let plain = without_separators(text).ok_or_else(wrong)?;
    let (pounds, rest) = plain.split_once('.').unwrap_or((&plain, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let signs = [negative, minus, minus_inside]
        .iter()
        .filter(|sign| **sign)
        .count();
    if pounds.is_empty() || !digits(pounds) || !digits(rest) || signs > 1 {
        return Err(wrong());
    }
    let whole = pounds.parse::<i64>().map_err(|_| wrong())?;
    let sum = if in_pence && !marked {
        rest.bytes().all(|byte| byte == b'0').then_some(whole)
    } else {
        // Nothing below a penny is dropped silently.
        let (two, below) = rest.split_at(rest.len().min(2));
        let none_below = below.bytes().all(|byte| byte == b'0');
        let pence = format!("{two:0<2}").parse::<i64>().ok();
        pence
            .filter(|_| none_below)
            .and_then(|pence| whole.checked_mul(100)?.checked_add(pence))
    };
    let sum = sum.ok_or_else(wrong)?;
    Ok(if signs == 1 { -sum } else { sum })
}

/// Digits with a point, of which spaces and well-placed commas are taken out.
fn without_separators(cell: &str) -> Option<String> {
    let plain = cell
        .chars()
        .filter(|char| !char.is_whitespace() && *char != '\'')
        .collect::<String>();
    let whole = plain.split('.').next().unwrap_or_default();
    let groups = whole.split(',').skip(1);
    // A comma that divides no thousands is another country's decimal point.
    let placed = groups.clone().all(|group| group.len() == 3) && plain.matches('.').count() <= 1;
    let commas = plain.matches(',').count();
    (placed && commas == groups.count()).then(|| plain.replace(',', ""))
}

fn urn(cell: &str) -> String {
    let plain = cell.split_whitespace().collect::<String>();
    plain.strip_suffix(".0").unwrap_or(&plain).to_owned()
}

/// A message of the checks without the label in front: the heading stands there.
fn without_label(field: &Field, message: &str) -> String {
    let label = format!("'{}' ", field.label);
    message.strip_prefix(&label).unwrap_or(message).to_owned()
}

fn shortened(cell: &str) -> String {
    const SHOWN: usize = 60;
    if cell.chars().count() > SHOWN {
        format!("{}…", cell.chars().take(SHOWN).collect::<String>())
    } else {
        cell.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::declaration::Wins;

    fn value(check: Check, cell: &str) -> Result<Json, String> {
        convert(&Field::value("f", "Field", check), "Heading", cell)
    }

    #[test]
    fn cells_read_as_their_field_says() {
        const PHASES: Check = Check::OneOf(&["early years", "primary", "post-16"]);
        const MONEY: Check = Check::Pence(-1_000_000, 1_000_000);
        for (check, cell, expected) in [
            (PHASES, "Post 16", json!("post-16")),
            (PHASES, "PRIMARY", json!("primary")),
            (MONEY, "£1,250.50", json!(125_050)),
            (MONEY, "1250.5", json!(125_050)),
            (MONEY, "(£12)", json!(-1_200)),
            (MONEY, "-£12.05", json!(-1_205)),
            (MONEY, "£ 1 250", json!(125_000)),
            (Check::Number(0, 5_000), "1,250", json!(1_250)),
            (Check::Number(0, 5_000), "1 250.0", json!(1_250)),
            (Check::YesNo, "Y", json!(true)),
            (Check::YesNo, "x", json!(true)),
            (Check::YesNo, "FALSE", json!(false)),
            (Check::Consent, "Yes", json!(true)),
            (Check::Urn, "106001.0", json!("106001")),
            (Check::Urns, "106001; 106002", json!("106001 106002")),
            (Check::Email, "mailto:a@b.uk", json!("a@b.uk")),
            (Check::Date, "24/11/26", json!("2026-11-24")),
        ] {
            assert_eq!(value(check, cell), Ok(expected), "{cell}");
        }
        let tags = Field::set("f", "Field", Wins::Add, PHASES);
        assert_eq!(
            convert(&tags, "Phases", "Primary; post 16, primary;"),
            Ok(json!(["primary", "post-16"]))
        );
        let money = Field::value("f", "Field", MONEY);
        assert_eq!(convert(&money, "Amount (pence)", "1250"), Ok(json!(1_250)));
    }

    #[test]
    fn what_cannot_be_read_is_told_with_what_would_be_right() {
        const MONEY: Check = Check::Pence(0, 1_000_000);
        for (check, cell, expected) in [
            (
                Check::OneOf(&["primary", "secondary"]),
                "secondry",
                "must be one of primary, secondary: got 'secondry'. Did you mean 'secondary'?",
            ),
            (
                MONEY,
                "12.345",
                "must be a sum of money such as £1,250.50: got '12.345'",
            ),
            (
                MONEY,
                "12,50",
                "must be a sum of money such as £1,250.50: got '12,50'",
            ),
            (
                MONEY,
                "lots",
                "must be a sum of money such as £1,250.50: got 'lots'",
            ),
            (Check::Consent, "x", "must be yes or no: got 'x'"),
            (
                Check::Number(1, 9),
                "7.5",
                "must be a whole number from 1 to 9: got '7.5'",
            ),
            (
                Check::Date,
                "#REF!",
                "holds the spreadsheet's error #REF! in place of a value: mend the formula",
            ),
        ] {
            assert_eq!(value(check, cell), Err(expected.to_owned()), "{cell}");
        }
    }
}
