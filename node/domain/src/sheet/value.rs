//! How the values of spreadsheet programs read as text.

use time::{Date, Duration, Month};

const DAY_SECONDS: f64 = 86_400.0;
/// The last day that spreadsheet programs know, 31 December 9999, in days since 1900.
const SERIAL_MAX: f64 = 2_958_466.0;

const ERRORS: [&str; 16] = [
    "#BLOCKED!",
    "#BUSY!",
    "#CALC!",
    "#CONNECT!",
    "#DATA!",
    "#DIV/0!",
    "#FIELD!",
    "#GETTING_DATA",
    "#N/A",
    "#NAME?",
    "#NULL!",
    "#NUM!",
    "#REF!",
    "#SPILL!",
    "#UNKNOWN!",
    "#VALUE!",
];

/// Begins what has no name of its own among the errors.
const OTHER_ERROR: &str = "#ERROR!";

/// What stands in a cell whose formula was saved without a value, as some programs do.
pub(super) const NO_VALUE: &str = "#ERROR! the formula was saved without a value";

pub(super) fn is_error(cell: &str) -> bool {
    ERRORS.contains(&cell) || cell.starts_with(OTHER_ERROR)
}

/// An error as text that [`is_error`] knows.
pub(super) fn error(text: &str) -> String {
    let text = text.trim();
    if is_error(text) {
        text.to_owned()
    } else {
        format!("{OTHER_ERROR} {text}")
    }
}

/// A number with the fifteen digits that spreadsheet programs keep: 0.3, not 0.30000000000000004.
pub(super) fn number(value: f64) -> String {
    if !value.is_finite() {
        return error("not a number");
    }
    // The digits are those of a whole number that is held exactly.
    let rounded = format!("{value:.14e}").parse::<f64>().unwrap_or(value);
    if rounded == 0.0 {
        return "0".to_owned();
    }
    rounded.to_string()
}

pub(super) fn boolean(value: bool) -> String {
    if value { "TRUE" } else { "FALSE" }.to_owned()
}

/// A date, a time or both from a serial number: days since 1900, or since 1904.
pub(super) fn moment(serial: f64, since_1904: bool) -> String {
    if !(0.0..SERIAL_MAX).contains(&serial) {
        return number(serial);
    }
    let mut days = serial.floor();
    let mut seconds = ((serial - days) * DAY_SECONDS).round();
    if seconds >= DAY_SECONDS {
        days += 1.0;
        seconds = 0.0;
    }
    let time = clock(seconds as u64);
    if days == 0.0 && !since_1904 {
        return time;
    }
    let Some(date) = date(days as i64, since_1904) else {
        return number(serial);
    };
    if seconds == 0.0 {
        return iso(date);
    }
    format!("{}T{time}", iso(date))
}

/// Hours that may be more than a day's, as `[h]:mm` shows them.
pub(super) fn duration(serial: f64) -> String {
    if !(0.0..SERIAL_MAX).contains(&serial) {
        return number(serial);
    }
    clock((serial * DAY_SECONDS).round() as u64)
}

/// Hours and minutes, and seconds when there are any.
pub(super) fn clock(seconds: u64) -> String {
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if seconds == 0 {
        format!("{hours:02}:{minutes:02}")
    } else {
        format!("{hours:02}:{minutes:02}:{seconds:02}")
    }
}

/// An ISO date or date and time as files say it, without seconds of nothing and without midnight.
pub(super) fn iso_moment(text: &str) -> String {
    let Some((date, time)) = text.split_once('T') else {
        return text.to_owned();
    };
    let time = time.split(['.', 'Z', '+']).next().unwrap_or_default();
    let time = match time.strip_suffix(":00") {
        Some(short) if short.contains(':') => short,
        _ => time,
    };
    if time == "00:00" {
        date.to_owned()
    } else if date.is_empty() {
        time.to_owned()
    } else {
        format!("{date}T{time}")
    }
}

/// A duration such as `PT16H30M00S` as `16:30`; others as they are.
pub(super) fn iso_duration(text: &str) -> String {
    let seconds = || {
        let mut rest = text.strip_prefix("PT")?;
        let mut total = 0;
        for (unit, seconds) in [('H', 3600), ('M', 60), ('S', 1)] {
            if let Some((count, after)) = rest.split_once(unit) {
                let count = count.split(['.', ',']).next()?.parse::<u64>().ok()?;
                total += count.checked_mul(seconds)?;
                rest = after;
            }
        }
        rest.is_empty().then_some(total)
    };
    seconds().map_or_else(|| text.to_owned(), clock)
}

/// Whether a number format shows dates or times, and then whether it counts hours beyond a day.
pub(super) fn shows_moment(format: &str) -> Option<bool> {
    // Colours, currencies and conditions stand in brackets; only hours, minutes, seconds do not.
    let mut rest = format.chars();
    let mut moment = false;
    while let Some(char) = rest.next() {
        match char {
            ';' => break,
            '"' => while rest.next().is_some_and(|char| char != '"') {},
            '\\' | '_' | '*' => drop(rest.next()),
            '[' => {
                let inside = rest.by_ref().take_while(|char| *char != ']');
                let inside = inside.collect::<String>().to_ascii_lowercase();
                if !inside.is_empty() && inside.chars().all(|char| "hms".contains(char)) {
                    return Some(true);
                }
            }
            'y' | 'Y' | 'm' | 'M' | 'd' | 'D' | 'h' | 'H' | 's' | 'S' => moment = true,
            // Numbers beside seconds (`mm:ss.0`) are of the time; alone they are numbers.
            '#' | '?' if !moment => return None,
            'G' | 'g' => return None,
            _ => {}
        }
    }
    moment.then_some(false)
}

/// The letters above a column: 0 is A, 26 is AA.
pub(super) fn column_letters(index: usize) -> String {
    let mut letters = Vec::new();
    let mut rest = index + 1;
    while rest > 0 {
        rest -= 1;
        letters.insert(0, char::from(b'A' + (rest % 26) as u8));
        rest /= 26;
    }
    letters.into_iter().collect()
}

fn date(days: i64, since_1904: bool) -> Option<Date> {
    let (year, month, day) = if since_1904 {
        (1904, Month::January, 1)
    } else {
        (1899, Month::December, 30)
    };
    // 1900 is counted as a leap year, so that all up to its February lie one day further back.
    let days = if !since_1904 && days < 60 {
        days + 1
    } else {
        days
    };
    let first = Date::from_calendar_date(year, month, day).ok()?;
    first.checked_add(Duration::days(days))
}

fn iso(date: Date) -> String {
    let (year, month, day) = date.to_calendar_date();
    format!("{year:04}-{:02}-{day:02}", u8::from(month))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn serial_numbers_read_as_dates_and_times() {
        assert_eq!(moment(46_350.0, false), "2026-11-24");
        assert_eq!(moment(46_350.687_5, false), "2026-11-24T16:30");
        assert_eq!(moment(0.6875, false), "16:30");
        assert_eq!(moment(0.999_999_9, false), "1900-01-01");
        assert_eq!(moment(59.0, false), "1900-02-28");
        assert_eq!(moment(61.0, false), "1900-03-01");
        assert_eq!(moment(0.0, true), "1904-01-01");
        assert_eq!(moment(-1.0, false), "-1");
        assert_eq!(moment(f64::NAN, false), "#ERROR! not a number");
        assert_eq!(duration(1.104_166_666_7), "26:30");
    }

    #[test]
    fn numbers_read_as_people_see_them() {
        assert_eq!(number(0.1 + 0.2), "0.3");
        assert_eq!(number(3.0), "3");
        assert_eq!(number(-0.0), "0");
        assert_eq!(number(100_000.0), "100000");
        assert_eq!(number(1e20), "100000000000000000000");
        assert_eq!(number(12.5), "12.5");
    }

    #[test]
    fn moments_of_other_formats_read_alike() {
        assert_eq!(iso_moment("2026-11-24T16:30:00"), "2026-11-24T16:30");
        assert_eq!(iso_moment("2026-11-24T16:30:05.250"), "2026-11-24T16:30:05");
        assert_eq!(iso_moment("2026-11-24T00:00:00"), "2026-11-24");
        assert_eq!(iso_moment("2026-11-24"), "2026-11-24");
        assert_eq!(iso_duration("PT16H30M00S"), "16:30");
        assert_eq!(iso_duration("PT5M"), "00:05");
        assert_eq!(iso_duration("P3D"), "P3D");
    }

    #[test]
    fn formats_of_dates_are_told_from_those_of_numbers() {
        for format in [
            "dd/mm/yyyy",
            "h:mm AM/PM",
            "[$-809]d mmmm yyyy;@",
            "mm:ss.0",
        ] {
            assert_eq!(shows_moment(format), Some(false), "{format}");
        }
        assert_eq!(shows_moment("[h]:mm:ss"), Some(true));
        for format in [
            "General",
            "0.00",
            "#,##0",
            "\"day \"0",
            "[Red]0",
            "0\\d",
            "_-* 0_d",
            "0%",
            "[$£-809]#,##0.00",
        ] {
            assert_eq!(shows_moment(format), None, "{format}");
        }
    }

    #[test]
    fn columns_have_the_letters_above_them() {
        let letters = [0, 25, 26, 499].map(column_letters);
        assert_eq!(letters, ["A", "Z", "AA", "SF"]);
    }
}
