//! The settings of a node, from one documented TOML file.

use std::fs;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;

/// Why settings cannot be used. Nothing is opened then.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("the settings in {} cannot be read: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is not TOML, or names a setting that does not exist.
    #[error("the settings in {} cannot be understood: {source}", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// What is wrong, and where.
        source: Box<toml::de::Error>,
    },
    /// A setting has a value that cannot be used.
    #[error("{setting} = \"{value}\" cannot be used: {reason}")]
    Value {
        /// The setting's name.
        setting: &'static str,
        /// What it was set to.
        value: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A setting is out of its bounds.
    #[error("{setting} = {value} is out of bounds: between {low} and {high} {unit} are allowed")]
    Bounds {
        /// The setting's name.
        setting: &'static str,
        /// What it was set to.
        value: u64,
        /// The least allowed.
        low: u64,
        /// The most allowed.
        high: u64,
        /// The unit.
        unit: &'static str,
    },
}

/// All settings. Every one has a default, so an empty file is a valid one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// How this node logs.
    pub log: LogConfig,
    /// How it talks to its peers.
    pub sync: SyncConfig,
    /// How it keeps documents.
    pub documents: DocumentsConfig,
    /// How it stops.
    pub shutdown: ShutdownConfig,
}

/// How a node logs. Logs go to standard error and never hold payloads, names, codes or keys.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LogConfig {
    /// `text` (default) or `json`.
    pub format: LogFormat,
    /// Which events: `error`, `warn`, `info` (default), `debug` or `trace`, or a list such as
    /// `info,node_sync=debug`.
    pub level: String,
}

/// The form of log lines.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// How a node talks to its peers.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SyncConfig {
    /// First pause before connecting again, in ms; it doubles at each failure, and up to half of
    /// it is added at random. Default 500; 100 to 60,000.
    pub reconnect_ms_min: u64,
    /// Longest pause before connecting again, in ms. Default 30,000; 1,000 to 3,600,000.
    pub reconnect_ms_max: u64,
    /// Most bytes sent to one peer that it has not acknowledged. Default 4 MiB; 64 KiB to 64 MiB.
    pub in_flight_bytes_max: u64,
    /// How often this node signs, at most, for what it holds of a space, in ms. Default 2,000;
    /// 100 to 60,000.
    pub receipt_interval_ms: u64,
}

/// How a node keeps documents.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DocumentsConfig {
    /// Most bytes of documents kept open in memory. Default 64 MiB; 1 MiB to 16 GiB.
    pub cache_bytes_max: u64,
}

/// How a node stops.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ShutdownConfig {
    /// How long open requests may take to end after a stop is asked for, in ms. Default 5,000;
    /// 0 to 600,000.
    pub grace_ms: u64,
}

impl Config {
    /// Reads and checks settings. A missing file is the defaults.
    ///
    /// # Errors
    /// [`ConfigError`], which names the setting and what is allowed.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let config: Self = read_toml(path)?;
        config.check()?;
        Ok(config)
    }

    /// Checks every bound.
    ///
    /// # Errors
    /// [`ConfigError::Bounds`] for the first setting that is out of its bounds.
    pub fn check(&self) -> Result<(), ConfigError> {
        let sync = &self.sync;
        within(
            "sync.reconnect_ms_min",
            sync.reconnect_ms_min,
            100..=60_000,
            "ms",
        )?;
        let low = sync.reconnect_ms_min.max(1_000);
        within(
            "sync.reconnect_ms_max",
            sync.reconnect_ms_max,
            low..=3_600_000,
            "ms",
        )?;
        let in_flight = sync.in_flight_bytes_max;
        within(
            "sync.in_flight_bytes_max",
            in_flight,
            64 << 10..=64 << 20,
            "bytes",
        )?;
        within(
            "sync.receipt_interval_ms",
            sync.receipt_interval_ms,
            100..=60_000,
            "ms",
        )?;
        let cache = self.documents.cache_bytes_max;
        within(
            "documents.cache_bytes_max",
            cache,
            1 << 20..=16 << 30,
            "bytes",
        )?;
        within(
            "shutdown.grace_ms",
            self.shutdown.grace_ms,
            0..=600_000,
            "ms",
        )
    }
}

/// Reads a TOML file; a missing one is the defaults.
///
/// # Errors
/// [`ConfigError::Io`] or [`ConfigError::Syntax`].
pub fn read_toml<T: Default + serde::de::DeserializeOwned>(path: &Path) -> Result<T, ConfigError> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(T::default()),
        Err(source) => {
            return Err(ConfigError::Io {
                path: path.to_owned(),
                source,
            });
        }
    };
    toml::from_str(&text).map_err(|source| ConfigError::Syntax {
        path: path.to_owned(),
        source: Box::new(source),
    })
}

/// Checks that a setting is within its bounds.
///
/// # Errors
/// [`ConfigError::Bounds`] if it is not.
pub fn within(
    setting: &'static str,
    value: u64,
    bounds: RangeInclusive<u64>,
    unit: &'static str,
) -> Result<(), ConfigError> {
    if bounds.contains(&value) {
        return Ok(());
    }
    Err(ConfigError::Bounds {
        setting,
        value,
        low: *bounds.start(),
        high: *bounds.end(),
        unit,
    })
}

impl SyncConfig {
    /// The first and the longest pause before connecting again.
    pub const fn reconnect(&self) -> (Duration, Duration) {
        (
            Duration::from_millis(self.reconnect_ms_min),
            Duration::from_millis(self.reconnect_ms_max),
        )
    }
}

impl ShutdownConfig {
    /// How long open requests may take to end.
    pub const fn grace(&self) -> Duration {
        Duration::from_millis(self.grace_ms)
    }
}

impl Default for LogConfig {
    fn default() -> Self {
        Self {
            format: LogFormat::Text,
            level: "info".to_owned(),
        }
    }
}

impl Default for SyncConfig {
    fn default() -> Self {
        Self {
            reconnect_ms_min: 500,
            reconnect_ms_max: 30_000,
            in_flight_bytes_max: 4 << 20,
            receipt_interval_ms: 2_000,
        }
    }
}

impl Default for DocumentsConfig {
    fn default() -> Self {
        Self {
            cache_bytes_max: 64 << 20,
        }
    }
}

impl Default for ShutdownConfig {
    fn default() -> Self {
        Self { grace_ms: 5_000 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Config, ConfigError> {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("causeway.toml");
        fs::write(&path, text).expect("a file is written");
        Config::read(&path)
    }

    #[test]
    fn no_settings_are_the_defaults() {
        assert_eq!(read("").expect("valid settings"), Config::default());
    }

    #[test]
    fn a_setting_that_does_not_exist_is_named() {
        let error = read("[sync]\nreconect_ms_min = 5").expect_err("a misspelt setting");
        assert!(error.to_string().contains("reconect_ms_min"), "{error}");
    }

    #[test]
    fn a_setting_out_of_bounds_says_what_is_allowed() {
        let error = read("[sync]\nreconnect_ms_min = 5").expect_err("too short a pause");
        assert_eq!(
            error.to_string(),
            "sync.reconnect_ms_min = 5 is out of bounds: between 100 and 60000 ms are allowed"
        );
    }
}
