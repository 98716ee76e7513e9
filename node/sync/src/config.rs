//! What can be set.

/// A setting that is out of bounds.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{setting} is {found}; it must be between {least} and {most}")]
pub struct ConfigError {
    setting: &'static str,
    found: u64,
    least: u64,
    most: u64,
}

/// The engine's settings. The defaults suit every node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Config {
    /// Bytes of entries that a peer may be sent before it acknowledges: 64 KiB to 4 MiB, which it is
    /// unless set. Whoever sends more than 8 MiB is cut off.
    pub bytes_in_flight_max: usize,
    /// Bytes of entries in one message: 4 KiB to 2 MiB, 256 KiB unless set. A single run may be
    /// larger.
    pub batch_bytes: usize,
    /// Milliseconds between two receipts for one space: 100 to 60,000, 3,000 unless set. A node sets
    /// 2,000 unless its own settings say otherwise.
    pub receipt_interval_ms: u64,
    /// Milliseconds between two effects [`Remember`](crate::Effect::Remember) of one session:
    /// 100 to 600,000, 10,000 unless set. They only save bytes at the next session, and one is
    /// said at the end of every session that ends in order.
    pub remember_interval_ms: u64,
    /// Milliseconds after which an entry that was refused for now is asked for again: 1,000 to
    /// 3,600,000, 30,000 unless set.
    pub retry_ms: u64,
    /// Milliseconds that a peer has for its Hello: 1,000 to 600,000, 30,000 unless set.
    pub hello_timeout_ms: u64,
    /// Whether first copies are sent and taken; so unless set. Without, entries travel one by one.
    pub first_copies: bool,
    /// How many entries of a feed a peer must lack for it to be sent a first copy in their place:
    /// 64 to 1,000,000, 1,000 unless set.
    pub copy_entries_min: u64,
    /// Offences after which a session is closed: forged runs, receipts and copies, and probes beyond
    /// what one session may ask. 1 to 1,000, 3 unless set.
    pub offences_max: u32,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            bytes_in_flight_max: 4 << 20,
            batch_bytes: 256 << 10,
            receipt_interval_ms: 3_000,
            remember_interval_ms: 10_000,
            retry_ms: 30_000,
            hello_timeout_ms: 30_000,
            first_copies: true,
            copy_entries_min: 1_000,
            offences_max: 3,
        }
    }
}

impl Config {
    /// The settings, if each is in bounds.
    ///
    /// # Errors
    /// [`ConfigError`] names the first that is not.
    pub fn checked(self) -> Result<Self, ConfigError> {
        let size = |bytes: usize| u64::try_from(bytes).unwrap_or(u64::MAX);
        let bounds = [
            (
                "bytes_in_flight_max",
                size(self.bytes_in_flight_max),
                64 << 10,
                4 << 20,
            ),
            ("batch_bytes", size(self.batch_bytes), 4 << 10, 2 << 20),
            ("receipt_interval_ms", self.receipt_interval_ms, 100, 60_000),
            (
                "remember_interval_ms",
                self.remember_interval_ms,
                100,
                600_000,
            ),
            ("retry_ms", self.retry_ms, 1_000, 3_600_000),
            ("hello_timeout_ms", self.hello_timeout_ms, 1_000, 600_000),
            ("copy_entries_min", self.copy_entries_min, 64, 1_000_000),
            ("offences_max", u64::from(self.offences_max), 1, 1_000),
        ];
        for (setting, found, least, most) in bounds {
            if found < least || found > most {
                return Err(ConfigError {
                    setting,
                    found,
                    least,
                    most,
                });
            }
        }
        Ok(self)
    }
}
