//! Days, times and academic years as people write them.

use time::{Date, Month};

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

/// Days outside are slips of the pen.
const YEARS: std::ops::RangeInclusive<i32> = 1900..=2199;

/// A day as `2026-11-24`. The day comes before the month, always.
///
/// # Errors
/// What is wrong, to follow the heading.
pub(super) fn date(text: &str) -> Result<String, String> {
    const EXPECTED: &str = "must be a day such as 24/11/2026, the day before the month";
    let day = day_of_moment(text);
    let words = day
        .split(|char: char| !char.is_alphanumeric())
        .filter(|word| !word.is_empty() && !is_weekday(word))
        .collect::<Vec<_>>();
    let parts = match words.as_slice() {
        [a, b, c] if a.len() == 4 && number(a).is_some() => number(a).zip(month(b)).zip(number(c)),
        [a, b, c] if is_name(a) => year(c).zip(month(a)).zip(ordinal(b)),
        [a, b, c] => year(c).zip(month(b)).zip(ordinal(a)),
        _ => None,
    };
    let Some(((year, month), day)) = parts else {
        return Err(EXPECTED.to_owned());
    };
    if month > 12 && day <= 12 {
        return Err(format!(
            "must be a day such as 24/11/2026, the day before the month: there is no month {month}"
        ));
    }
    if !YEARS.contains(&year) {
        return Err(format!("{EXPECTED}, in a year from 1900 to 2199"));
    }
    let date = u8::try_from(month).ok().and_then(|month| {
        let month = Month::try_from(month).ok()?;
        Date::from_calendar_date(year, month, u8::try_from(day).ok()?).ok()
    });
    match date {
        Some(_) => Ok(format!("{year:04}-{month:02}-{day:02}")),
        None => Err("must be a day that exists, the day before the month".to_owned()),
    }
}

/// A time of day as `16:30`.
///
/// # Errors
/// What is wrong, to follow the heading.
pub(super) fn time(text: &str) -> Result<String, String> {
    let expected = || "must be a time such as 16:30 or 4.30pm".to_owned();
    let time = text.rsplit_once('T').map_or(text, |(_, time)| time);
    let lower = time.trim().to_lowercase().replace(' ', "");
    if matches!(lower.as_str(), "noon" | "midday" | "12noon") {
        return Ok("12:00".to_owned());
    }
    let strip = |ends: &[&str]| {
        ends.iter()
            .find_map(|end| lower.strip_suffix(end))
            .map(str::to_owned)
    };
    let (clock, half) = match (strip(&["pm", "p.m.", "p.m"]), strip(&["am", "a.m.", "a.m"])) {
        (Some(clock), _) => (clock, Some(12)),
        (None, Some(clock)) => (clock, Some(0)),
        (None, None) => (lower.clone(), None),
    };
    let parts = clock.split([':', '.']).collect::<Vec<_>>();
    let (hour, minute) = match parts.as_slice() {
        [all] if all.len() == 4 && all.is_ascii() && half.is_none() => all.split_at(2),
        [hour] if half.is_some() => (*hour, "00"),
        [hour, minute] | [hour, minute, "00"] if minute.len() == 2 => (*hour, *minute),
        _ => return Err(expected()),
    };
    let (Some(hour), Some(minute)) = (number(hour), number(minute)) else {
        return Err(expected());
    };
    let hour = match half {
        Some(half) if (1..=12).contains(&hour) => hour % 12 + half,
        Some(_) => return Err(expected()),
        None => hour,
    };
    if hour > 23 || minute > 59 {
        return Err(expected());
    }
    Ok(format!("{hour:02}:{minute:02}"))
}

/// An academic year as `2026-27`.
///
/// # Errors
/// What is wrong, to follow the heading.
pub(super) fn academic_year(text: &str) -> Result<String, String> {
    let words = text
        .split(|char: char| !char.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>();
    if let [from, until] = words.as_slice()
        && let (Some(from), Some(until)) = (year(from), year(until))
        && until == from + 1
        && YEARS.contains(&from)
    {
        return Ok(format!("{from:04}-{:02}", until % 100));
    }
    Err("must be an academic year such as 2026/27".to_owned())
}

/// The day of `2026-11-24T16:30` and the like, as spreadsheets write a day with a time.
fn day_of_moment(text: &str) -> &str {
    let part = |range| text.get(range);
    let iso = part(4..5) == Some("-") && part(7..8) == Some("-");
    if iso && matches!(part(10..11), Some("T" | " ")) {
        return text.get(..10).unwrap_or(text);
    }
    text.split_once(" 00:00").map_or(text, |(day, _)| day)
}

fn number(word: &str) -> Option<i32> {
    let digits = (1..=4).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| word.parse().ok()).flatten()
}

/// A year of four digits, or of two in this century; births are not kept.
fn year(word: &str) -> Option<i32> {
    match word.len() {
        2 => Some(2000 + number(word)?),
        4 => number(word),
        _ => None,
    }
}

fn month(word: &str) -> Option<i32> {
    if word.len() <= 2 {
        return number(word);
    }
    let word = word.to_lowercase();
    if word.len() < 3 {
        return None;
    }
    let at = MONTHS
        .iter()
        .position(|name| name.starts_with(&word) || (word == "sept" && *name == "september"))?;
    i32::try_from(at + 1).ok()
}

fn is_name(word: &str) -> bool {
    word.len() > 2 && month(word).is_some()
}

/// A day's number, with `st`, `nd`, `rd` or `th` or without.
fn ordinal(word: &str) -> Option<i32> {
    let lower = word.to_lowercase();
    let digits = ["st", "nd", "rd", "th"]
        .iter()
        .find_map(|end| lower.strip_suffix(end))
        .unwrap_or(&lower);
    number(digits).filter(|_| digits.len() <= 2)
}

fn is_weekday(word: &str) -> bool {
    const DAYS: [&str; 7] = [
        "monday",
        "tuesday",
        "wednesday",
        "thursday",
        "friday",
        "saturday",
        "sunday",
    ];
    let word = word.to_lowercase();
    let short = word.len() >= 3 && DAYS.iter().any(|day| day.starts_with(&word));
    short || word == "weds" || word == "thurs"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_read_as_people_write_them_with_the_day_first() {
        for text in [
            "2026-11-24",
            "2026-11-24T16:30",
            "2026/11/24",
            "24/11/2026",
            "24.11.26",
            "24-11-2026",
            "24 Nov 2026",
            "24th November 2026",
            "Tue 24 Nov 26",
            "Tuesday, 24 November 2026",
            "November 24, 2026",
            "24-Nov-26",
            "2026-11-24 00:00:00",
        ] {
            assert_eq!(date(text), Ok("2026-11-24".to_owned()), "{text}");
        }
        assert_eq!(date("3/4/2026"), Ok("2026-04-03".to_owned()));
        assert_eq!(date("1 Sept 2026"), Ok("2026-09-01".to_owned()));
    }

    #[test]
    fn days_that_are_none_and_days_in_doubt_are_refused() {
        for text in [
            "31/02/2026",
            "11/24/2026",
            "24/11",
            "soon",
            "2026",
            "46350",
            "1/1/1066",
            "24/11/2026 or 1/12/2026",
            "",
            "٣/٤/٢٠٢٦",
        ] {
            assert!(date(text).is_err(), "{text}");
        }
        assert!(
            date("11/24/2026")
                .unwrap_err()
                .contains("there is no month 24")
        );
    }

    #[test]
    fn times_and_academic_years_read_as_people_write_them() {
        for (text, expected) in [
            ("4pm", "16:00"),
            ("4.30 pm", "16:30"),
            ("16.30", "16:30"),
            ("1630", "16:30"),
            ("16:30:00", "16:30"),
            ("12am", "00:00"),
            ("12.15pm", "12:15"),
            ("9:05", "09:05"),
            ("noon", "12:00"),
            ("2026-11-24T16:30", "16:30"),
        ] {
            assert_eq!(time(text), Ok(expected.to_owned()), "{text}");
        }
        for text in [
            "25:00", "16:60", "13pm", "0pm", "9", "16.3", "late", "", "é12é",
        ] {
            assert!(time(text).is_err(), "{text}");
        }
        for text in ["2026-27", "2026/27", "2026-2027", "26/27", "2026\u{2013}27"] {
            assert_eq!(academic_year(text), Ok("2026-27".to_owned()), "{text}");
        }
        assert_eq!(
            academic_year("2099/00"),
            Err("must be an academic year such as 2026/27".to_owned())
        );
        assert!(academic_year("2026").is_err());
        assert!(academic_year("2026-28").is_err());
    }
}
