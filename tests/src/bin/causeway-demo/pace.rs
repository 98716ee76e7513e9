//! `--pace`: a story slow enough to follow in two windows.

use std::time::Duration;

/// How many pauses the story has.
const PAUSES: u32 = 7;
const SHORTEST: Duration = Duration::from_secs(10);
const LONGEST: Duration = Duration::from_secs(60 * 60);

/// How long the story is to take in all.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Pace(Option<Duration>);

impl Pace {
    /// Whether somebody follows.
    pub(crate) const fn is_slow(self) -> bool {
        self.0.is_some()
    }

    /// Says what comes next and where to see it, and waits until then.
    pub(crate) async fn before(self, what: &str, look_at: &str) {
        let Some(whole) = self.0 else {
            return;
        };
        let pause = whole / PAUSES;
        println!(
            "\n   In {} seconds: {what}. Look at {look_at}.\n",
            pause.as_secs()
        );
        tokio::time::sleep(pause).await;
    }
}

/// Reads a time such as `90s` or `3m`.
///
/// # Errors
/// A sentence that says what is expected.
pub(crate) fn parse(text: &str) -> Result<Pace, String> {
    let wrong = || format!("\"{text}\" is no time: write seconds or minutes, as 90s or 3m");
    let (number, unit) = text
        .split_at_checked(text.len().saturating_sub(1))
        .ok_or_else(wrong)?;
    let number = number.parse::<u64>().map_err(|_| wrong())?;
    let seconds = match unit {
        "s" => number,
        "m" => number.saturating_mul(60),
        _ => return Err(wrong()),
    };
    let whole = Duration::from_secs(seconds);
    if whole < SHORTEST || whole > LONGEST {
        return Err("the story takes between 10s and 60m".to_owned());
    }
    Ok(Pace(Some(whole)))
}
