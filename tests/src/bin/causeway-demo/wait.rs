//! Waiting for what must become true.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

/// How long anything may take before the demo gives up on it.
const LIMIT: Duration = Duration::from_secs(60);

const PAUSE: Duration = Duration::from_millis(50);

/// Asks until there is an answer; `Err(why)` within it says why there is none yet.
///
/// # Errors
/// The last reason, when [`LIMIT`] has passed.
pub(crate) async fn until<T>(
    what: &str,
    mut ask: impl AsyncFnMut() -> Result<std::result::Result<T, String>>,
) -> Result<T> {
    let begun = Instant::now();
    loop {
        match ask().await? {
            Ok(answer) => return Ok(answer),
            Err(why) if begun.elapsed() > LIMIT => {
                bail!(
                    "{what} did not come about within {} s: {why}",
                    LIMIT.as_secs()
                )
            }
            Err(_) => tokio::time::sleep(PAUSE).await,
        }
    }
}

/// The time since `begun` as people say it.
pub(crate) fn since(begun: Instant) -> String {
    let took = begun.elapsed();
    match took.as_millis() {
        short @ 0..1_000 => format!("{short} ms"),
        _ => format!("{:.1} s", took.as_secs_f64()),
    }
}
