//! Dates, times, money and states as people in Britain write them.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

/// The day `2026-11-26` as `26 November 2026`; what is no day stays as it is.
pub fn day(text: &str) -> String {
    match text.parse::<Date>() {
        Ok(date) => date.strftime("%-d %B %Y").to_string(),
        Err(_) => text.to_owned(),
    }
}

/// The same with the weekday, as `Thursday 26 November 2026`.
pub fn weekday(text: &str) -> String {
    match text.parse::<Date>() {
        Ok(date) => date.strftime("%A %-d %B %Y").to_string(),
        Err(_) => text.to_owned(),
    }
}

/// The same for a narrow place, as `26 Nov 2026`.
pub fn short_day(text: &str) -> String {
    match text.parse::<Date>() {
        Ok(date) => date.strftime("%-d %b %Y").to_string(),
        Err(_) => text.to_owned(),
    }
}

/// A moment in London, as `26 November 2026 at 9:05am`.
pub fn moment(ms: u64) -> String {
    let Some(at) = i64::try_from(ms)
        .ok()
        .and_then(|ms| Timestamp::from_millisecond(ms).ok())
    else {
        return String::from("at an unknown time");
    };
    let at = at.to_zoned_datetime(london());
    let half = at.strftime("%p").to_string().to_lowercase();
    format!("{}{half}", at.strftime("%-d %B %Y at %-I:%M"))
}

/// A time of day, `16:30` as `4:30pm` and `09:00` as `9am`; what is no time stays as it is.
pub fn time(text: &str) -> String {
    let parts = text.split_once(':').and_then(|(hour, minute)| {
        let hour = hour.parse::<u8>().ok().filter(|hour| *hour < 24)?;
        let minute = minute.parse::<u8>().ok().filter(|minute| *minute < 60)?;
        Some((hour, minute))
    });
    let Some((hour, minute)) = parts else {
        return text.to_owned();
    };
    let half = if hour < 12 { "am" } else { "pm" };
    let hour = match hour % 12 {
        0 => 12,
        hour => hour,
    };
    match minute {
        0 => format!("{hour}{half}"),
        minute => format!("{hour}:{minute:02}{half}"),
    }
}

/// How long before `now_ms` a moment was, as `2 days ago`.
pub fn ago(ms: u64, now_ms: u64) -> String {
    match length(now_ms.saturating_sub(ms)) {
        text if text.is_empty() => "just now".to_owned(),
        text => format!("{text} ago"),
    }
}

/// A length of time in its largest unit, as `2 days`; empty below a minute.
pub fn length(ms: u64) -> String {
    let minutes = ms / 60_000;
    let (count, unit) = match minutes {
        0 => return String::new(),
        1..=59 => (minutes, "minute"),
        60..=1_439 => (minutes / 60, "hour"),
        1_440..=86_399 => (minutes / 1_440, "day"),
        _ => (minutes / 43_200, "month"),
    };
    counted(count, unit, &format!("{unit}s"))
}

/// A clock that differs by less is not worth a word.
const CLOCK_MS: u64 = 120_000;

/// By how much a clock is wrong that is ahead by so much, as `2 days fast`; none if that is too little
/// to matter.
pub fn clock_is_off(ahead_ms: i64) -> Option<String> {
    let way = if ahead_ms > 0 { "fast" } else { "slow" };
    let off = ahead_ms.unsigned_abs();
    (off >= CLOCK_MS).then(|| format!("{} {way}", length(off)))
}

/// Pence as pounds, as `£1,250.50`, without `.00`.
pub fn pounds(pence: i64) -> String {
    let sign = if pence < 0 { "-" } else { "" };
    let pence = pence.unsigned_abs();
    let whole = number(pence / 100);
    match pence % 100 {
        0 => format!("{sign}£{whole}"),
        rest => format!("{sign}£{whole}.{rest:02}"),
    }
}

/// A number with its thousands apart, as `1,234`.
pub fn number(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 change`, `7 changes`.
pub fn counted(count: u64, one: &str, many: &str) -> String {
    format!("{} {}", number(count), if count == 1 { one } else { many })
}

/// A list as in a sentence: `a, b and c`.
pub fn listed(items: &[String]) -> String {
    match items {
        [] => String::new(),
        [one] => one.clone(),
        [before @ .., last] => format!("{} and {last}", before.join(", ")),
    }
}

/// A code or state with a capital, as it stands in a tag or cell: `Running`, `Not yet`.
pub fn capital(text: &str) -> String {
    let mut letters = text.chars();
    match letters.next() {
        Some(first) => first.to_uppercase().chain(letters).collect(),
        None => String::new(),
    }
}

/// Now in London, as a day.
pub fn london_today(now_ms: u64) -> String {
    let at = i64::try_from(now_ms)
        .ok()
        .and_then(|ms| Timestamp::from_millisecond(ms).ok());
    at.map_or_else(String::new, |at| {
        at.to_zoned_datetime(london()).date().to_string()
    })
}

fn london() -> TimeZone {
    TimeZone::get("Europe/London").unwrap_or(TimeZone::UTC)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_times_are_as_written_in_britain() {
        assert_eq!(day("2026-11-26"), "26 November 2026");
        assert_eq!(day("next week"), "next week");
        assert_eq!(moment(1_782_900_300_000), "1 July 2026 at 11:05am");
        let said = ["16:00", "09:30", "00:05", "12:00", "after school", ""].map(time);
        let heard = ["4pm", "9:30am", "12:05am", "12pm", "after school", ""];
        assert_eq!(said, heard);
        assert_eq!(ago(0, 2 * 86_400_000), "2 days ago");
        assert_eq!(ago(5, 5), "just now");
    }

    #[test]
    fn money_has_pounds_and_only_pence_that_matter() {
        assert_eq!(pounds(125_050), "£1,250.50");
        assert_eq!(pounds(-400_000), "-£4,000");
        assert_eq!(pounds(i64::MIN), "-£92,233,720,368,547,758.08");
    }

    #[test]
    fn what_is_counted_agrees_with_its_number() {
        assert_eq!(counted(1, "change", "changes"), "1 change");
        assert_eq!(counted(1_234, "change", "changes"), "1,234 changes");
        assert_eq!(listed(&["a".into(), "b".into(), "c".into()]), "a, b and c");
    }
}
