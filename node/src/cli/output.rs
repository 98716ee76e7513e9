//! What commands print: tables for people, JSON for programs.

use serde_json::Value;

/// How a command prints.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Output {
    /// For people.
    Text,
    /// One JSON value.
    Json,
}

impl Output {
    /// The form asked for by `--json`.
    pub const fn of(json: bool) -> Self {
        if json { Self::Json } else { Self::Text }
    }

    /// Prints `value` as JSON, or what `text` makes.
    pub fn print(self, value: &Value, text: impl FnOnce() -> String) {
        match self {
            Self::Json => println!("{value:#}"),
            Self::Text => println!("{}", text().trim_end()),
        }
    }
}

/// Lines up `rows` under `heads`.
pub fn table(heads: &[&str], rows: &[Vec<String>]) -> String {
    let mut widths = heads
        .iter()
        .map(|head| head.chars().count())
        .collect::<Vec<_>>();
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let line = |cells: Vec<&str>| {
        let mut line = String::new();
        for (cell, width) in cells.iter().zip(&widths) {
            line.push_str(cell);
            let padding = width.saturating_sub(cell.chars().count()) + 2;
            line.extend(std::iter::repeat_n(' ', padding));
        }
        line.trim_end().to_owned() + "\n"
    };
    let mut text = line(heads.to_vec());
    for row in rows {
        text.push_str(&line(row.iter().map(String::as_str).collect()));
    }
    text
}

/// A JSON value as a person would write it on one line.
pub fn plain(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.replace('\n', " / "),
        Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(", "),
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| format!("{name}: {}", plain(value)))
            .collect::<Vec<_>>()
            .join("; "),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
    }
}

/// Ms since 1970 as a date and time in UTC.
pub fn moment(ms: u64) -> String {
    let nanoseconds = i128::from(ms) * 1_000_000;
    time::OffsetDateTime::from_unix_timestamp_nanos(nanoseconds)
        .ok()
        .and_then(|moment| {
            moment
                .format(time::macros::format_description!(
                    "[year]-[month]-[day] [hour]:[minute]:[second] UTC"
                ))
                .ok()
        })
        .unwrap_or_else(|| format!("{ms} ms after 1970"))
}
