//! What the register's words mean in ours.

use time::Date;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;

const WRITTEN: &[BorrowedFormatItem<'_>] = format_description!("[day]-[month]-[year]");
const SLASHED: &[BorrowedFormatItem<'_>] = format_description!("[day]/[month]/[year]");
const ISO: &[BorrowedFormatItem<'_>] = format_description!("[year]-[month]-[day]");

/// A status; `None` when the register has a new one.
pub(super) fn status(name: &str) -> Option<&'static str> {
    match name.to_ascii_lowercase().as_str() {
        "" => Some(""),
        "open" => Some("open"),
        "proposed to open" => Some("proposed to open"),
        "open, but proposed to close" | "proposed to close" => Some("proposed to close"),
        "closed" => Some("closed"),
        _ => None,
    }
}

/// The kind of organisation.
pub(super) fn kind(group: &str, type_name: &str) -> &'static str {
    let has = |text: &str, word: &str| text.to_ascii_lowercase().contains(word);
    if has(group, "universit") || has(type_name, "higher education") {
        "university"
    } else if has(group, "college") || has(type_name, "further education") {
        "college"
    } else if has(type_name, "children's cent") || has(group, "children's cent") {
        "other"
    } else {
        "school"
    }
}

/// The phase, by the register's word or else by the pupils' ages.
pub(super) fn phase(name: &str, ages: (Option<u32>, Option<u32>), type_name: &str) -> &'static str {
    match name.to_ascii_lowercase().as_str() {
        "nursery" => "early years",
        "primary" | "middle deemed primary" => "primary",
        "secondary" | "middle deemed secondary" => "secondary",
        "16 plus" => "post-16",
        "all-through" | "all through" => "all",
        _ => by_ages(ages, type_name),
    }
}

/// A date of the register in ISO form, an empty one for none; `None` when it is no date.
pub(super) fn iso_date(text: &str) -> Option<String> {
    if text.is_empty() {
        return Some(String::new());
    }
    let date = [WRITTEN, SLASHED, ISO]
        .into_iter()
        .find_map(|format| Date::parse(text, format).ok())?;
    date.format(ISO).ok()
}

/// A text, unless it only says that there is none.
pub(super) fn filled(text: String) -> String {
    match text.as_str() {
        "Not Applicable" | "Not applicable" | "Not recorded" => String::new(),
        _ => text,
    }
}

fn by_ages(ages: (Option<u32>, Option<u32>), type_name: &str) -> &'static str {
    match ages {
        (_, Some(high)) if high <= 5 => "early years",
        (_, Some(high)) if high <= 13 => "primary",
        (Some(low), _) if low >= 16 => "post-16",
        (Some(low), Some(_)) if low >= 9 => "secondary",
        (Some(_), Some(_)) => "all",
        _ if type_name.to_ascii_lowercase().contains("further education") => "post-16",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phases_follow_from_the_word_or_the_ages() {
        let ages = |low, high| (Some(low), Some(high));
        assert_eq!(
            phase("Middle deemed secondary", ages(9, 13), ""),
            "secondary"
        );
        assert_eq!(phase("16 plus", (None, None), ""), "post-16");
        assert_eq!(phase("Not applicable", ages(2, 5), ""), "early years");
        assert_eq!(phase("Not applicable", ages(4, 11), ""), "primary");
        assert_eq!(phase("Not applicable", ages(11, 18), ""), "secondary");
        assert_eq!(phase("Not applicable", ages(3, 18), ""), "all");
        assert_eq!(phase("Not applicable", ages(16, 19), ""), "post-16");
        assert_eq!(phase("", (None, None), "Further education"), "post-16");
        assert_eq!(phase("", (None, None), ""), "");
    }

    #[test]
    fn dates_become_iso_dates_or_are_none() {
        assert_eq!(iso_date("31-08-2019").as_deref(), Some("2019-08-31"));
        assert_eq!(iso_date("").as_deref(), Some(""));
        assert_eq!(iso_date("31-02-2019"), None);
        assert_eq!(iso_date("31-08-19"), None);
    }
}
