//! What a node tells Prometheus of itself.
//!
//! What happens often is counted where it happens, by an addition to a number: once for a batch of
//! changes or a session, never by the name of anything. What stands somewhere anyway is looked at when
//! somebody asks. A node whose settings serve no metrics counts nothing.

mod definitions;
mod process;
mod sampling;
mod watch_port;

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use metrics::{Counter, Histogram, Key, KeyName, Label, Level, Metadata, Recorder};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusRecorder};
use node_feed::{NodeId, RefusalReason};
use node_store::Batch;

use crate::Node;

pub use definitions::{METRICS, Metric, MetricKind};
pub(crate) use process::free_bytes;
pub(crate) use watch_port::WatchPort;

/// Where a measurement in seconds falls: from a quick disk's write to one that is about to fail.
const SECONDS: [f64; 14] = [
    0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 5.0,
];

/// What a node counts.
#[derive(Debug)]
pub(crate) struct Metrics {
    recorder: Option<PrometheusRecorder>,
    pub(crate) sessions_opened: Counter,
    pub(crate) sessions_refused: Counter,
    pub(crate) handshakes_refused: Counter,
    pub(crate) sign_ins_refused: Counter,
    pub(crate) entries_received: Counter,
    pub(crate) entries_applied: Counter,
    pub(crate) audit_failures: Counter,
    entries_refused: BTreeMap<RefusalReason, Counter>,
    entries_refused_by_peers: BTreeMap<RefusalReason, Counter>,
    store: StoreMetrics,
    state: Mutex<State>,
}

/// What the store's thread counts.
#[derive(Debug, Clone)]
pub(crate) struct StoreMetrics {
    append: Histogram,
    fsync: Histogram,
    changes: Counter,
}

#[derive(Debug, Default)]
struct State {
    /// When certificates run out, in ms since 1970.
    certificates: BTreeMap<&'static str, u64>,
    /// Since when a node has lacked something.
    lagging: BTreeMap<NodeId, Instant>,
}

impl Node {
    /// Notes when a certificate that this program shows or signs with runs out, in ms since 1970:
    /// `node`, `server` or `authority`.
    pub fn certificate_ends(&self, certificate: &'static str, not_after_ms: u64) {
        self.inner
            .metrics
            .certificate_ends(certificate, not_after_ms);
    }
}

impl Metrics {
    pub(crate) fn new(served: bool) -> Self {
        let recorder = served.then(recorder);
        let counter = |metric: &Metric| counter(recorder.as_ref(), metric, Vec::new());
        let by_reason = |metric: &Metric| {
            let reasons = RefusalReason::ALL.into_iter().map(|reason| {
                let label = Label::new("reason", reason.word());
                (
                    reason,
                    self::counter(recorder.as_ref(), metric, vec![label]),
                )
            });
            reasons.collect()
        };
        Self {
            sessions_opened: counter(&definitions::SESSIONS_OPENED),
            sessions_refused: counter(&definitions::SESSIONS_REFUSED),
            handshakes_refused: counter(&definitions::HANDSHAKES_REFUSED),
            sign_ins_refused: counter(&definitions::SIGN_INS_REFUSED),
            entries_received: counter(&definitions::ENTRIES_RECEIVED),
            entries_applied: counter(&definitions::ENTRIES_APPLIED),
            audit_failures: counter(&definitions::AUDIT_FAILURES),
            entries_refused: by_reason(&definitions::ENTRIES_REFUSED),
            entries_refused_by_peers: by_reason(&definitions::ENTRIES_REFUSED_BY_PEERS),
            store: StoreMetrics {
                append: histogram(recorder.as_ref(), &definitions::APPEND_SECONDS),
                fsync: histogram(recorder.as_ref(), &definitions::FSYNC_SECONDS),
                changes: counter(&definitions::STORE_CHANGES),
            },
            recorder,
            state: Mutex::default(),
        }
    }

    pub(crate) fn store(&self) -> StoreMetrics {
        self.store.clone()
    }

    /// This node refused entries of a peer.
    pub(crate) fn entry_refused(&self, reason: RefusalReason) {
        if let Some(counter) = self.entries_refused.get(&reason) {
            counter.increment(1);
        }
    }

    /// A peer refused entries of this node.
    pub(crate) fn entry_refused_by_peer(&self, reason: RefusalReason) {
        if let Some(counter) = self.entries_refused_by_peers.get(&reason) {
            counter.increment(1);
        }
    }

    pub(crate) fn certificate_ends(&self, certificate: &'static str, not_after_ms: u64) {
        self.lock().certificates.insert(certificate, not_after_ms);
    }

    /// What was counted, as Prometheus reads it.
    fn counted(&self) -> String {
        let recorder = self.recorder.as_ref();
        recorder.map_or_else(String::new, |it| it.handle().render())
    }

    /// Puts measurements where they are counted: until then each is kept. To be called every few
    /// seconds.
    fn upkeep(&self) {
        if let Some(recorder) = &self.recorder {
            recorder.handle().run_upkeep();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl StoreMetrics {
    pub(crate) fn batch(&self, batch: Batch) {
        self.changes.increment(batch.changes as u64);
        self.append.record(batch.took);
        self.fsync.record(batch.waited);
    }
}

/// A recorder that knows what every metric says.
fn recorder() -> PrometheusRecorder {
    let mut builder = PrometheusBuilder::new();
    for metric in METRICS {
        if metric.kind == MetricKind::Histogram {
            let matcher = Matcher::Full(metric.name.to_owned());
            // It fails for no buckets alone.
            builder = match builder.set_buckets_for_metric(matcher, &SECONDS) {
                Ok(builder) => builder,
                Err(error) => {
                    tracing::error!(%error, "measurements have no buckets");
                    PrometheusBuilder::new()
                }
            };
        }
    }
    let recorder = builder.build_recorder();
    for metric in METRICS {
        let (name, help) = (KeyName::from_const_str(metric.name), metric.help.into());
        match metric.kind {
            MetricKind::Counter => recorder.describe_counter(name, None, help),
            MetricKind::Gauge => recorder.describe_gauge(name, None, help),
            MetricKind::Histogram => recorder.describe_histogram(name, None, help),
        }
    }
    recorder
}

fn counter(recorder: Option<&PrometheusRecorder>, metric: &Metric, labels: Vec<Label>) -> Counter {
    recorder.map_or_else(Counter::noop, |recorder| {
        recorder.register_counter(&Key::from_parts(metric.name, labels), &metadata())
    })
}

fn histogram(recorder: Option<&PrometheusRecorder>, metric: &Metric) -> Histogram {
    recorder.map_or_else(Histogram::noop, |recorder| {
        recorder.register_histogram(&Key::from_name(metric.name), &metadata())
    })
}

const fn metadata() -> Metadata<'static> {
    Metadata::new("causeway", Level::INFO, None)
}
