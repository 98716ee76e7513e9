//! Every metric, by its name, which stays what it is: dashboards and alerts name them.

/// A metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Metric {
    /// Its name.
    pub name: &'static str,
    /// What sort it is.
    pub kind: MetricKind,
    /// The names of its labels. Their values are codes of hubs, ids of nodes and words of this
    /// program.
    pub labels: &'static [&'static str],
    /// What it says, in one sentence.
    pub help: &'static str,
}

/// The sort of a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MetricKind {
    /// Goes up alone, from 0 at each start.
    Counter,
    /// As it is now.
    Gauge,
    /// How often something took how long.
    Histogram,
}

impl MetricKind {
    /// As Prometheus calls it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

/// All of them, in the order of docs/metrics.md.
pub const METRICS: &[Metric] = &[
    INFO,
    READY,
    SESSIONS,
    SESSIONS_OPENED,
    SESSIONS_REFUSED,
    HANDSHAKES_REFUSED,
    SIGN_INS_REFUSED,
    PEER_CONNECTED,
    PEER_LAG_ENTRIES,
    PEER_LAG_SECONDS,
    PEER_MISSING_ENTRIES,
    UNSENT_ENTRIES,
    ENTRIES_RECEIVED,
    ENTRIES_APPLIED,
    ENTRIES_REFUSED,
    ENTRIES_REFUSED_BY_PEERS,
    SET_ASIDE,
    APPEND_SECONDS,
    FSYNC_SECONDS,
    STORE_CHANGES,
    STORE_STOPPED,
    STORE_BYTES,
    PROJECTIONS_BYTES,
    DISK_FREE_BYTES,
    CACHE_BYTES,
    CACHE_DOCUMENTS,
    CERTIFICATE_ENDS,
    LAST_BACKUP,
    AUDIT_FAILURES,
    PROCESS_MEMORY,
];

const PEER: &[&str] = &["hub", "node"];

pub(super) const INFO: Metric = gauge(
    "causeway_info",
    &["version"],
    "Always 1, with the program's version.",
);
pub(super) const READY: Metric = gauge(
    "causeway_ready",
    &[],
    "1 if the node is ready, as `/ready` says, else 0.",
);
pub(super) const SESSIONS: Metric = gauge("causeway_sessions", &[], "Nodes with a session now.");
pub(super) const SESSIONS_OPENED: Metric = counter(
    "causeway_sessions_opened_total",
    &[],
    "Sessions whose other end proved which node it is.",
);
pub(super) const SESSIONS_REFUSED: Metric = counter(
    "causeway_sessions_refused_total",
    &[],
    "Sessions that this node refused, or ended for a fault of the other end.",
);
pub(super) const HANDSHAKES_REFUSED: Metric = counter(
    "causeway_handshakes_refused_total",
    &[],
    "Connections to the coordinator's port that failed before a session: TLS handshakes.",
);
pub(super) const SIGN_INS_REFUSED: Metric = counter(
    "causeway_sign_ins_refused_total",
    &[],
    "Wrong passwords and codes given on the pages.",
);
pub(super) const PEER_CONNECTED: Metric = gauge(
    "causeway_peer_connected",
    PEER,
    "1 if the node has a session with this one now, else 0.",
);
pub(super) const PEER_LAG_ENTRIES: Metric = gauge(
    "causeway_peer_lag_entries",
    PEER,
    "Entries held here that the node may read and is not known to hold.",
);
pub(super) const PEER_LAG_SECONDS: Metric = gauge(
    "causeway_peer_lag_seconds",
    PEER,
    "For how long, without a break, the node has lacked something, as seen here since the start; 0 if \
     it lacks nothing.",
);
pub(super) const PEER_MISSING_ENTRIES: Metric = gauge(
    "causeway_peer_missing_entries",
    PEER,
    "Entries that the node is known to hold and that are not here yet.",
);
pub(super) const UNSENT_ENTRIES: Metric = gauge(
    "causeway_unsent_entries",
    &[],
    "This node's own entries that are saved and not sent.",
);
pub(super) const ENTRIES_RECEIVED: Metric = counter(
    "causeway_entries_received_total",
    &[],
    "Entries of others that were stored.",
);
pub(super) const ENTRIES_APPLIED: Metric = counter(
    "causeway_entries_applied_total",
    &[],
    "Entries that were taken up into documents and lists.",
);
pub(super) const ENTRIES_REFUSED: Metric = counter(
    "causeway_entries_refused_total",
    &["reason"],
    "Times that this node refused entries of a peer, by the reason.",
);
pub(super) const ENTRIES_REFUSED_BY_PEERS: Metric = counter(
    "causeway_entries_refused_by_peers_total",
    &["reason"],
    "Times that a peer refused entries that this node sent, by the reason.",
);
pub(super) const SET_ASIDE: Metric = gauge(
    "causeway_set_aside_entries",
    &[],
    "Entries that are stored and passed on, and that this node cannot use.",
);
pub(super) const APPEND_SECONDS: Metric = histogram(
    "causeway_append_seconds",
    "What making a batch of changes durable took, waiting for the disk included.",
);
pub(super) const FSYNC_SECONDS: Metric = histogram(
    "causeway_fsync_seconds",
    "What of that was waiting until the disk had it.",
);
pub(super) const STORE_CHANGES: Metric = counter(
    "causeway_store_changes_total",
    &[],
    "Changes that were made durable; several share a batch.",
);
pub(super) const STORE_STOPPED: Metric = gauge(
    "causeway_store_stopped",
    &[],
    "1 if the store takes no more changes because its disk failed, else 0.",
);
pub(super) const STORE_BYTES: Metric = gauge(
    "causeway_store_bytes",
    &[],
    "Bytes of the store's file and its write-ahead log.",
);
pub(super) const PROJECTIONS_BYTES: Metric = gauge(
    "causeway_projections_bytes",
    &[],
    "Bytes of the file of lists, which can be made anew.",
);
pub(super) const DISK_FREE_BYTES: Metric = gauge(
    "causeway_disk_free_bytes",
    &[],
    "Bytes that the program may still write on the data folder's disk.",
);
pub(super) const CACHE_BYTES: Metric = gauge(
    "causeway_cache_bytes",
    &[],
    "Bytes of documents that are open in memory, roughly.",
);
pub(super) const CACHE_DOCUMENTS: Metric = gauge(
    "causeway_cache_documents",
    &[],
    "Documents that are open in memory.",
);
pub(super) const CERTIFICATE_ENDS: Metric = gauge(
    "causeway_certificate_ends_timestamp_seconds",
    &["certificate"],
    "When a certificate runs out, in seconds since 1970: `node` (a hub's own), `server` (that the \
     coordinator's port makes itself), `public` (that of a public authority, if the port shows one), \
     `authority` (which signs the first two).",
);
pub(super) const LAST_BACKUP: Metric = gauge(
    "causeway_backup_last_success_timestamp_seconds",
    &[],
    "When the last backup was complete, in seconds since 1970; not there before the first.",
);
pub(super) const AUDIT_FAILURES: Metric = counter(
    "causeway_audit_failures_total",
    &[],
    "Lines that could not be written into the audit log when they were due.",
);
pub(super) const PROCESS_MEMORY: Metric = gauge(
    "process_resident_memory_bytes",
    &[],
    "Bytes of memory that the process has in use (Linux alone).",
);

const fn counter(
    name: &'static str,
    labels: &'static [&'static str],
    help: &'static str,
) -> Metric {
    let kind = MetricKind::Counter;
    Metric {
        name,
        kind,
        labels,
        help,
    }
}

const fn gauge(name: &'static str, labels: &'static [&'static str], help: &'static str) -> Metric {
    let kind = MetricKind::Gauge;
    Metric {
        name,
        kind,
        labels,
        help,
    }
}

const fn histogram(name: &'static str, help: &'static str) -> Metric {
    let (kind, labels) = (MetricKind::Histogram, &[] as &[&str]);
    Metric {
        name,
        kind,
        labels,
        help,
    }
}
