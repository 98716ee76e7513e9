//! `audit`: lists what was done and refused, and checks that nothing of it was changed.
//!
//! It reads the file itself, and asks no running node: whoever checks need not trust that one.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::{Args, Subcommand};
use node_store::{AuditFault, AuditHead, AuditLog, ChainedLine, ReadStore, Readers, StoreError};
use serde_json::{Value, json};
use time::format_description::well_known::Iso8601;
use time::{Date, Time};

use super::output::{Output, moment, table};
use super::{Exit, parse_span};
use crate::audit::HEAD_SETTING;
use crate::clock::now_ms;
use crate::folder::DataFolder;

/// How many lines are shown where nobody says since when.
const LATEST: u64 = 100;
/// How many lines are read together.
const TOGETHER: usize = 10_000;

/// What to do with the audit log.
#[derive(Debug, Subcommand)]
pub enum AuditCommand {
    /// Lists lines, the oldest first: the latest hundred, unless said otherwise.
    List(ListArguments),
    /// Checks that each line follows from the one before it and that the end is there. Ends with 2 and
    /// names the first line that is wrong, if one is.
    Verify,
}

/// Which lines.
#[derive(Debug, Args)]
pub struct ListArguments {
    /// Since when: a day such as 2026-11-27, or a length of time such as 12h or 7d.
    #[arg(long, value_parser = parse_since)]
    since: Option<Since>,
    /// Of one kind alone, such as "sign-in refused".
    #[arg(long)]
    kind: Option<String>,
}

/// From when on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Since {
    /// From the beginning of a day, in UTC.
    Day(Date),
    /// From so long ago.
    Ago(Duration),
}

/// Lists or checks the audit log of a data folder, whether something runs on it or not.
///
/// # Errors
/// A sentence; what [`AuditCommand::Verify`] finds ends with [`Exit::NotSo`].
pub fn run(data: &Path, command: &AuditCommand, output: Output) -> Result<()> {
    let path = DataFolder::audit_in(data);
    if !path.exists() {
        bail!(
            "{} holds no audit log: nothing was ever opened there",
            data.display()
        );
    }
    match command {
        AuditCommand::List(arguments) => list(&AuditLog::look(&path)?, arguments, output),
        AuditCommand::Verify => verify(data, &path, output),
    }
}

fn list(log: &AuditLog, arguments: &ListArguments, output: Output) -> Result<()> {
    let since_ms = arguments.since.map(|since| since.ms(now_ms()));
    let mut after = match since_ms {
        Some(_) => 0,
        None => log.head()?.number.saturating_sub(LATEST),
    };
    if arguments.kind.is_some() {
        after = 0;
    }
    let mut lines = Vec::new();
    loop {
        let some = log.lines(after, since_ms.unwrap_or(0), TOGETHER)?;
        let Some(last) = some.last() else {
            break;
        };
        after = last.number;
        let wanted = |line: &ChainedLine| {
            let kind = arguments.kind.as_deref();
            kind.is_none_or(|kind| line.kind == kind)
        };
        lines.extend(some.into_iter().filter(wanted));
    }
    if since_ms.is_none() {
        let older = lines.len().saturating_sub(usize::try_from(LATEST)?);
        lines.drain(..older);
    }
    let value = Value::Array(lines.iter().map(to_json).collect());
    output.print(&value, || {
        let rows = lines.iter().map(|line| {
            let fields = line.fields.iter();
            let fields = fields.map(|(name, text)| format!("{name}: {text}"));
            vec![
                line.number.to_string(),
                moment(line.time_ms),
                line.kind.clone(),
                fields.collect::<Vec<_>>().join("; "),
            ]
        });
        table(&["LINE", "TIME", "WHAT", ""], &rows.collect::<Vec<_>>())
    });
    Ok(())
}

fn to_json(line: &ChainedLine) -> Value {
    json!({
        "line": line.number,
        "time_ms": line.time_ms,
        "kind": line.kind,
        "fields": line.fields,
        "hash": line.hash.to_string(),
    })
}

fn verify(data: &Path, path: &Path, output: Output) -> Result<()> {
    let remembered = remembered(data);
    let fault = |fault: AuditFault| {
        if output == Output::Json {
            output.print(&json!({ "fault": fault.to_string() }), String::new);
        }
        Exit::NotSo.with(fault.to_string())
    };
    let log = match AuditLog::look(path) {
        Ok(log) => log,
        Err(error @ (StoreError::Corrupt(_) | StoreError::Foreign(_))) => {
            let why = error.to_string();
            return Err(fault(AuditFault::Unreadable { number: 1, why }).into());
        }
        Err(error) => return Err(error.into()),
    };
    let known = remembered.as_ref().ok().copied().flatten();
    let progress = |number: u64| {
        if output == Output::Text {
            eprintln!("{number} lines checked");
        }
    };
    let verified = log.verify(known, progress).map_err(fault)?;
    let value = json!({
        "lines": verified.head.number,
        "hash": verified.head.hash.to_string(),
        "remembered": verified.remembered,
        "fault": null,
    });
    output.print(&value, || {
        let compared = match (&remembered, verified.remembered) {
            (Err(error), _) => format!(
                "The store could not be asked for the end that it remembers ({error}), so that a log \
                 whose end was cut off would look the same."
            ),
            (Ok(_), 0) => "The store remembers no end of it, so that a log whose end was cut off would \
                 look the same."
                .to_owned(),
            (Ok(_), line) => format!("Line {line} is the one that the store remembers."),
        };
        format!(
            "{} lines: each follows from the one before it. {compared}\nThe last has the hash {}.",
            verified.head.number, verified.head.hash
        )
    });
    Ok(())
}

/// Where the log ended, as the store remembers it.
fn remembered(data: &Path) -> Result<Option<AuditHead>> {
    let store = DataFolder::store_in(data);
    if !store.exists() {
        bail!("there is none");
    }
    let readers = Readers::open(store).context("it cannot be opened")?;
    let head = readers.setting(HEAD_SETTING)?;
    Ok(head.and_then(|head| AuditHead::from_bytes(&head)))
}

impl Since {
    fn ms(self, now_ms: u64) -> u64 {
        match self {
            Self::Ago(span) => {
                let span = u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
                now_ms.saturating_sub(span)
            }
            Self::Day(day) => {
                let begins = day.with_time(Time::MIDNIGHT).assume_utc().unix_timestamp();
                u64::try_from(begins).unwrap_or(0).saturating_mul(1_000)
            }
        }
    }
}

fn parse_since(text: &str) -> Result<Since, String> {
    if let Ok(day) = Date::parse(text, &Iso8601::DATE) {
        return Ok(Since::Day(day));
    }
    parse_span(text).map(Since::Ago).map_err(|_| {
        format!("\"{text}\" is no time: write a day as 2026-11-27, or how long ago as 12h or 7d")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_a_day_or_how_long_ago() {
        let day = parse_since("2026-11-27").expect("a day");
        assert_eq!(day.ms(0), 1_795_737_600_000);
        let ago = parse_since("12h").expect("a length of time");
        assert_eq!(ago.ms(50_000_000), 50_000_000 - 43_200_000);
        assert_eq!(ago.ms(1), 0);
        for wrong in ["", "yesterday", "2026-13-01", "12"] {
            assert!(parse_since(wrong).is_err(), "{wrong}");
        }
    }
}
