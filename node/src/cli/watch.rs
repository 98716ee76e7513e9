//! `--watch`: shows something again every few seconds.

use std::io::{IsTerminal, Write};
use std::time::Duration;

use anyhow::Result;
use clap::Args;
use serde_json::Value;

use super::output::{Output, moment};
use super::stop::Stop;
use super::{parse_span, sentence};
use crate::clock::now_ms;

/// Clears a terminal, and goes on at its top.
const CLEAR: &str = "\x1b[H\x1b[2J\x1b[3J";

/// Whether to go on showing it.
#[derive(Debug, Args)]
pub struct WatchArguments {
    /// Show it again every few seconds, until Ctrl-C. Something has to run on the data folder.
    #[arg(long)]
    pub watch: bool,
    /// How often: 2s, 1m.
    #[arg(long, default_value = "2s", value_parser = parse_span, requires = "watch")]
    pub every: Duration,
}

/// Shows what `look` finds, now and every few seconds, until Ctrl-C. A terminal is cleared each time;
/// elsewhere what is shown follows each other, with the time, and as JSON one line a time. Once it was
/// shown, a node that does not answer is waited for.
///
/// # Errors
/// A sentence, if it cannot be found the first time.
pub async fn watch<F: Future<Output = Result<(Value, String)>>>(
    arguments: &WatchArguments,
    output: Output,
    mut look: impl FnMut() -> F,
) -> Result<()> {
    let mut stop = Stop::listen()?;
    let mut times = tokio::time::interval(arguments.every.max(Duration::from_millis(100)));
    times.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut is_first = true;
    loop {
        tokio::select! {
            () = stop.told() => return Ok(()),
            _ = times.tick() => {}
        }
        let found = tokio::select! {
            () = stop.told() => return Ok(()),
            found = look() => found,
        };
        let shown = match (found, output) {
            (Ok((value, _)), Output::Json) => format!("{value}\n"),
            (Ok((_, text)), Output::Text) => text,
            (Err(error), _) if is_first => return Err(error),
            (Err(error), Output::Json) => {
                format!("{}\n", serde_json::json!({ "error": sentence(&error) }))
            }
            (Err(error), Output::Text) => format!("{}\n", sentence(&error)),
        };
        is_first = false;
        if !show(&shown, output) {
            // Whoever read it has gone.
            return Ok(());
        }
    }
}

/// Whether somebody still reads it.
fn show(shown: &str, output: Output) -> bool {
    let mut out = std::io::stdout().lock();
    let shown = match output {
        Output::Json => shown.to_owned(),
        Output::Text if out.is_terminal() => {
            format!("{CLEAR}{}\n\n{}\n", moment(now_ms()), shown.trim_end())
        }
        Output::Text => format!("{}\n{}\n\n", moment(now_ms()), shown.trim_end()),
    };
    let written = out.write_all(shown.as_bytes()).and_then(|()| out.flush());
    written.is_ok()
}
