//! Texts as people mean them: case, spaces and punctuation do not count.

/// Letters and digits alone, in lower case.
pub(super) fn folded(text: &str) -> String {
    text.chars()
        .filter(|char| char.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect()
}

/// How alike two folded texts are, from 0 to 1; 0 for texts too short to be told, and for those
/// that are more than a few slips of the pen apart.
pub(super) fn likeness(left: &str, right: &str) -> f64 {
    const CHARACTERS: std::ops::RangeInclusive<usize> = 5..=60;
    const SLIPS_MAX: usize = 3;
    let (a, b) = (left.chars().count(), right.chars().count());
    let near = a.abs_diff(b) * 5 <= a.max(b);
    if !near || !CHARACTERS.contains(&a) || !CHARACTERS.contains(&b) {
        return 0.0;
    }
    let slips = strsim::damerau_levenshtein(left, right);
    if slips > SLIPS_MAX {
        return 0.0;
    }
    1.0 - slips as f64 / a.max(b) as f64
}

/// A folded text without the one number in it, and the number.
pub(super) fn without_number(folded: &str) -> Option<(String, usize)> {
    let digit = |char: char| char.is_ascii_digit();
    let start = folded.find(digit)?;
    let (before, rest) = folded.split_at(start);
    let end = rest.find(|char| !digit(char)).unwrap_or(rest.len());
    let (number, after) = rest.split_at(end);
    if after.contains(digit) || number.len() > 3 {
        return None;
    }
    let number = number.parse().ok().filter(|number| *number > 0)?;
    Some((format!("{before}{after}"), number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_numbered_heading_is_told_from_its_number() {
        let told = |text: &str| without_number(&folded(text));
        assert_eq!(told("Session 2 date"), Some(("sessiondate".to_owned(), 2)));
        assert_eq!(told("School (3)"), Some(("school".to_owned(), 3)));
        assert_eq!(told("2 of 3"), None);
        assert_eq!(told("Session 0"), None);
        assert_eq!(told("Title"), None);
    }
}
