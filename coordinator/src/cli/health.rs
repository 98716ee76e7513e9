//! `health`: how every hub and node stands.

use std::time::Duration;

use anyhow::{Context, Result};
use clap::Args;
use node::cli::output::Output;
use proto::coordinator::v1::HealthRequest;

use super::Client;
use crate::operations::Health;

/// From when on a node is silent.
#[derive(Debug, Args)]
pub(super) struct HealthArguments {
    /// After how long without a word a node counts as silent: 30m, 12h or 2d.
    #[arg(long, default_value = "2d", value_parser = parse_span)]
    silent_for: Duration,
}

pub(super) async fn run(
    mut client: Client,
    arguments: &HealthArguments,
    output: Output,
) -> Result<()> {
    let silent_for_ms = u64::try_from(arguments.silent_for.as_millis()).unwrap_or(u64::MAX);
    let answer = client.health(HealthRequest { silent_for_ms }).await?;
    let json = answer.into_inner().json;
    let health: Health = serde_json::from_str(&json).context("the answer is not JSON")?;
    output.print(&serde_json::from_str(&json)?, || health.text());
    Ok(())
}

/// A length of time: a number and s, m, h or d.
fn parse_span(text: &str) -> Result<Duration, String> {
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
