//! Days as people write them, and the moments at which they end.

use time::format_description::well_known::Iso8601;
use time::macros::format_description;
use time::{Date, OffsetDateTime};

use super::RecordsError;
use crate::clock::now_ms;

const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

/// The last moment of a day in UTC, in milliseconds since 1970.
///
/// # Errors
/// [`RecordsError::Refused`] if there is no such day.
pub(crate) fn day_end_ms(day: &str) -> Result<u64, RecordsError> {
    let wrong = || RecordsError::Refused(format!("\"{day}\" is not a day such as 2026-11-24"));
    let date = Date::parse(day, &Iso8601::DATE).map_err(|_| wrong())?;
    // The standard has days by week and by number too, which nobody compares with others as text.
    if date.to_string() != day {
        return Err(wrong());
    }
    let start = date.midnight().assume_utc().unix_timestamp();
    let start = u64::try_from(start).map_err(|_| wrong())? * 1_000;
    Ok(start + DAY_MS - 1)
}

/// This moment in UTC, such as `2026-11-24T16:30:00.250Z`: as text it sorts as time does.
pub(crate) fn moment() -> String {
    let written =
        format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(now_ms()) * 1_000_000)
        .ok()
        .and_then(|now| now.format(written).ok())
        .unwrap_or_default()
}

/// Today in UTC, such as `2026-11-24`.
pub(crate) fn today() -> String {
    let seconds = i64::try_from(now_ms() / 1_000).unwrap_or_default();
    let now = OffsetDateTime::from_unix_timestamp(seconds);
    now.map_or_else(|_| String::new(), |now| now.date().to_string())
}
