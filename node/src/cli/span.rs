//! Lengths of time as commands take them.

use std::time::Duration;

/// A length of time: a number and s, m, h or d.
///
/// # Errors
/// A sentence, if it is none.
pub fn parse_span(text: &str) -> Result<Duration, String> {
    let wrong = || format!("\"{text}\" is no length of time: write it as 30m, 12h or 2d");
    let unit = text.chars().last().ok_or_else(wrong)?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        _ => return Err(wrong()),
    };
    let count = text.strip_suffix(unit).unwrap_or_default();
    let count = count.parse::<u64>().map_err(|_| wrong())?;
    count
        .checked_mul(seconds)
        .map(Duration::from_secs)
        .ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_of_time_is_a_number_and_its_unit() {
        assert_eq!(parse_span("2d"), Ok(Duration::from_secs(172_800)));
        assert_eq!(parse_span("90s"), Ok(Duration::from_secs(90)));
        for wrong in ["", "2", "d", "2 days", "-1d", "2ä", "99999999999999999999d"] {
            assert!(parse_span(wrong).is_err(), "{wrong}");
        }
        assert!(parse_span(&format!("{}d", u64::MAX)).is_err());
    }
}
