//! Log lines. They never hold payloads, names, codes or keys.

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::FmtSpan;

use node_store::Compacted;

use crate::NodeError;
use crate::config::{ConfigError, LogConfig, LogFormat};

/// Starts logging to standard error, once per process; a second call changes nothing.
///
/// # Errors
/// [`ConfigError::Value`] if the level is not one.
pub fn start(config: &LogConfig) -> Result<(), ConfigError> {
    let filter = EnvFilter::try_new(&config.level).map_err(|error| ConfigError::Value {
        setting: "log.level",
        value: config.level.clone(),
        reason: format!("{error}; try \"info\""),
    })?;
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_target(true)
        .with_span_events(FmtSpan::NONE);
    // A process that links several nodes, as the demo does, starts it more than once.
    let _started = match config.format {
        LogFormat::Text => lines.with_ansi(false).try_init(),
        LogFormat::Json => lines.json().flatten_event(true).try_init(),
    };
    Ok(())
}

/// Logs what runs, first of all.
pub fn version_line(program: &'static str) {
    tracing::info!(program, version = env!("CARGO_PKG_VERSION"), "starting");
}

/// Logs what came of making the store's file smaller, which is done before anything can be logged.
pub fn compaction_line(outcome: &Result<Option<Compacted>, NodeError>) {
    match outcome {
        Ok(None) => {}
        Ok(Some(Compacted { before, after })) => {
            tracing::info!(before, after, "the store's file is smaller now");
        }
        // It is larger than it need be, and all else is as it was.
        Err(error) => tracing::warn!(%error, "the store's file was not made smaller"),
    }
}

/// Logs a panic's place and nothing else: its message may hold what must never be logged, since
/// hostile bytes are tried where a panic is caught.
pub fn quiet_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic
            .location()
            .map(ToString::to_string)
            .unwrap_or_default();
        tracing::error!(place, "a panic");
    }));
}
