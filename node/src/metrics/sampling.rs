//! What is looked at when somebody asks.

use metrics::{Key, Label, Recorder};
use metrics_exporter_prometheus::PrometheusRecorder;

use super::definitions as named;
use super::process::{database_bytes, free_bytes, resident_bytes};
use super::{Metric, metadata, recorder};
use crate::Node;
use crate::records::RecordsError;

impl Node {
    /// All metrics as Prometheus reads them; what is only counted is there if the settings serve
    /// metrics. It reads the store: call it away from the network's threads.
    ///
    /// # Errors
    /// [`RecordsError::Store`] if the store cannot be read.
    pub fn metrics_text(&self) -> Result<String, RecordsError> {
        // Made anew each time, so that nothing is said of what is gone.
        let now = Gauges(recorder());
        self.sample_peers(&now)?;
        self.sample_store(&now)?;
        let inner = &self.inner;
        let version = vec![Label::new("version", env!("CARGO_PKG_VERSION"))];
        now.set_of(&named::INFO, version, 1);
        now.set(&named::READY, u64::from(self.readiness().is_ready()));
        let (bytes, documents) = inner.library.held();
        now.set(&named::CACHE_BYTES, bytes as u64);
        now.set(&named::CACHE_DOCUMENTS, documents as u64);
        for (certificate, not_after_ms) in &inner.metrics.lock().certificates {
            let label = vec![Label::new("certificate", *certificate)];
            now.set_of(&named::CERTIFICATE_ENDS, label, not_after_ms / 1_000);
        }
        if let Some(made_ms) = inner.audit.last_backup_ms()? {
            now.set(&named::LAST_BACKUP, made_ms / 1_000);
        }
        if let Some(bytes) = resident_bytes() {
            now.set(&named::PROCESS_MEMORY, bytes);
        }
        Ok(now.0.handle().render() + &inner.metrics.counted())
    }

    fn sample_peers(&self, now: &Gauges) -> Result<(), RecordsError> {
        let peers = self.peer_lags()?;
        let connected = peers.iter().filter(|peer| peer.connected).count();
        now.set(&named::SESSIONS, connected as u64);
        let mut state = self.inner.metrics.lock();
        state.lagging.retain(|node, _| {
            peers
                .iter()
                .any(|peer| peer.node == *node && peer.waiting > 0)
        });
        for peer in peers {
            let labels = || {
                let hub = Label::new("hub", self.hub_code(peer.hub));
                vec![hub, Label::new("node", peer.node.to_string())]
            };
            let lagging = (peer.waiting > 0).then(|| {
                let since = state.lagging.entry(peer.node);
                since.or_insert_with(std::time::Instant::now).elapsed()
            });
            let connected = u64::from(peer.connected);
            now.set_of(&named::PEER_CONNECTED, labels(), connected);
            now.set_of(&named::PEER_LAG_ENTRIES, labels(), peer.waiting);
            let seconds = lagging.map_or(0, |lagging| lagging.as_secs());
            now.set_of(&named::PEER_LAG_SECONDS, labels(), seconds);
            now.set_of(&named::PEER_MISSING_ENTRIES, labels(), peer.missing);
        }
        Ok(())
    }

    fn sample_store(&self, now: &Gauges) -> Result<(), RecordsError> {
        let (storage, folder) = (&self.inner.storage, &self.inner.folder);
        now.set(&named::UNSENT_ENTRIES, self.unsent()?);
        now.set(&named::SET_ASIDE, storage.set_aside_count()?);
        now.set(&named::STORE_STOPPED, u64::from(storage.is_stopped()));
        now.set(&named::STORE_BYTES, database_bytes(&folder.store()));
        now.set(
            &named::PROJECTIONS_BYTES,
            database_bytes(&folder.projections()),
        );
        if let Some(bytes) = free_bytes(folder.path()) {
            now.set(&named::DISK_FREE_BYTES, bytes);
        }
        Ok(())
    }
}

/// What is said of one moment.
struct Gauges(PrometheusRecorder);

impl Gauges {
    fn set(&self, metric: &Metric, value: u64) {
        self.set_of(metric, Vec::new(), value);
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "Prometheus knows no other numbers; bytes are exact up to 8 PiB"
    )]
    fn set_of(&self, metric: &Metric, labels: Vec<Label>, value: u64) {
        let key = Key::from_parts(metric.name, labels);
        self.0.register_gauge(&key, &metadata()).set(value as f64);
    }
}
