//! Log lines and traces. They never hold payloads, names, codes or keys.

use std::time::Duration;

use node_store::Compacted;
use opentelemetry::KeyValue;
use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::{SpanExporter, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::format::FmtSpan;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

use crate::NodeError;
use crate::config::{ConfigError, LogConfig, LogFormat, TelemetryConfig};

/// How long a collector may take for what is sent.
const COLLECTOR_PATIENCE: Duration = Duration::from_secs(5);

/// The parts of this program whose spans become traces. Not those that send them.
const TRACED: [&str; 4] = ["node", "coordinator", "node_store", "node_sync"];

/// Traces that are being sent.
#[derive(Debug)]
pub struct Traces(SdkTracerProvider);

/// Starts logging to standard error, and sending traces where the settings say so, once per process; a
/// second call changes nothing. Traces hold what log lines may hold. To be called from within the
/// tokio runtime.
///
/// # Errors
/// [`ConfigError::Value`] if the level is not one, or the collector cannot be named so.
pub fn start(
    log: &LogConfig,
    telemetry: &TelemetryConfig,
    program: &'static str,
) -> Result<Option<Traces>, ConfigError> {
    let filter = EnvFilter::try_new(&log.level).map_err(|error| ConfigError::Value {
        setting: "log.level",
        value: log.level.clone(),
        reason: format!("{error}; try \"info\""),
    })?;
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_target(true)
        .with_span_events(FmtSpan::NONE);
    let lines = match log.format {
        LogFormat::Text => lines.with_ansi(false).boxed(),
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
    };
    let provider = provider(telemetry, program)?;
    let traces = provider.as_ref().map(|provider| {
        let traced = TRACED.map(|target| (target, LevelFilter::INFO));
        tracing_opentelemetry::layer()
            .with_tracer(provider.tracer(program))
            .with_location(false)
            .with_threads(false)
            .with_filter(Targets::new().with_targets(traced))
    });
    // A process that links several nodes, as the demo does, starts it more than once.
    let _started = tracing_subscriber::registry()
        .with(lines.with_filter(filter))
        .with(traces)
        .try_init();
    Ok(provider.map(Traces))
}

/// Sends what is left of traces.
pub async fn end(traces: Option<Traces>) {
    let Some(Traces(provider)) = traces else {
        return;
    };
    let ended = tokio::task::spawn_blocking(move || provider.shutdown());
    match ended.await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::warn!(%error, "the last traces were not sent"),
        Err(_) => tracing::warn!("the last traces were not sent"),
    }
}

fn provider(
    telemetry: &TelemetryConfig,
    program: &'static str,
) -> Result<Option<SdkTracerProvider>, ConfigError> {
    if telemetry.otlp.is_empty() {
        return Ok(None);
    }
    let exporter = SpanExporter::builder()
        .with_tonic()
        .with_endpoint(&telemetry.otlp)
        .with_timeout(COLLECTOR_PATIENCE)
        .build()
        .map_err(|error| ConfigError::Value {
            setting: "telemetry.otlp",
            value: telemetry.otlp.clone(),
            reason: error.to_string(),
        })?;
    // Nothing of the machine or its user, which the builder would look up by itself.
    let resource = Resource::builder_empty()
        .with_service_name(program)
        .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
        .build();
    let provider = SdkTracerProvider::builder()
        .with_batch_exporter(exporter)
        .with_resource(resource);
    Ok(Some(provider.build()))
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
