//! What one hub may use of this node, and how much of the disk is left alone.

use serde::{Deserialize, Serialize};

use super::{ConfigError, within};

/// What one hub may use of this node, and how much of the disk is left alone.
///
/// A hub's own entries are never counted at its own nodes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LimitsConfig {
    /// Most bytes of entries that one other hub wrote and that are kept here. Default 2 GiB; 64 KiB to
    /// 1 TiB.
    pub hub_bytes_max: u64,
    /// Most entries of one other hub that are taken in a minute, over time: ten minutes' worth may come
    /// at once. Default 20,000; 60 to 10,000,000.
    pub hub_entries_per_minute: u64,
    /// Most sessions that one hub may have open here. Default 8; 1 to 1,000.
    pub hub_sessions_max: u64,
    /// Bytes of the data folder's disk below which nothing new is taken in. Default 256 MiB; 0 to 1 TiB.
    pub disk_reserve_bytes: u64,
}

impl LimitsConfig {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        const TIB: u64 = 1 << 40;
        within(
            "limits.hub_bytes_max",
            self.hub_bytes_max,
            64 << 10..=TIB,
            "bytes",
        )?;
        within(
            "limits.hub_entries_per_minute",
            self.hub_entries_per_minute,
            60..=10_000_000,
            "entries",
        )?;
        within(
            "limits.hub_sessions_max",
            self.hub_sessions_max,
            1..=1_000,
            "sessions",
        )?;
        within(
            "limits.disk_reserve_bytes",
            self.disk_reserve_bytes,
            0..=TIB,
            "bytes",
        )
    }
}

impl Default for LimitsConfig {
    fn default() -> Self {
        Self {
            // A hub's year of 5,000 records with 50 changes each takes 66 MB in the store
            // (docs/performance.md): this is thirty of them.
            hub_bytes_max: 2 << 30,
            // A tenth of what forty nodes on two cores keep up with (docs/performance.md), so that a hub
            // which floods leaves the rest to the others; an import of 25,000 records is far below what
            // may come at once.
            hub_entries_per_minute: 20_000,
            // One for each of some nodes, and those whose end was not noticed yet.
            hub_sessions_max: 8,
            // Room for the write-ahead log, the lists and a person's last edits.
            disk_reserve_bytes: 256 << 20,
        }
    }
}
