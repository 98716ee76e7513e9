//! The settings of a node, from one documented TOML file.

mod limits;
mod watch;

use std::collections::BTreeSet;
use std::fs;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

use node_feed::SpaceId;
use serde::{Deserialize, Serialize};

pub use limits::LimitsConfig;
pub use watch::{MetricsConfig, TelemetryConfig};

use crate::backup::BackupConfig;

use crate::proxy::{Proxies, ProxyError};

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
    /// `sync.proxy` names no proxy. What it is set to is not repeated: it may hold a password.
    #[error(transparent)]
    Proxy(Box<ProxyError>),
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
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// How this node logs.
    pub log: LogConfig,
    /// How it talks to its peers.
    pub sync: SyncConfig,
    /// How it keeps documents.
    pub documents: DocumentsConfig,
    /// How it serves pages.
    pub web: WebConfig,
    /// How people sign in.
    pub accounts: AccountsConfig,
    /// When it makes backups by itself.
    pub backup: BackupConfig,
    /// What one hub may use of it, and how much of the disk is left alone.
    pub limits: LimitsConfig,
    /// How it stops.
    pub shutdown: ShutdownConfig,
    /// How it tells Prometheus of itself.
    pub metrics: MetricsConfig,
    /// Where it sends traces.
    pub telemetry: TelemetryConfig,
}

/// How a node logs. Logs go to standard error and never hold payloads, names, codes or keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LogConfig {
    /// `text` (default) or `json`.
    pub format: LogFormat,
    /// Which events: `error`, `warn`, `info` (default), `debug` or `trace`, or a list such as
    /// `info,node_sync=debug`.
    pub level: String,
}

/// The form of log lines.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// How a node talks to its peers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SyncConfig {
    /// First pause before connecting again, in ms; it doubles at each failure, and up to half of
    /// it is added at random. Default 500; 100 to 60,000.
    pub reconnect_ms_min: u64,
    /// Longest pause before connecting again, in ms. Default 30,000; 1,000 to 3,600,000.
    pub reconnect_ms_max: u64,
    /// Most bytes sent to one peer that it has not acknowledged. Default 4 MiB; 64 KiB to 4 MiB.
    pub in_flight_bytes_max: u64,
    /// How often this node signs, at most, for what it holds of a space, in ms. Default 2,000;
    /// 100 to 60,000.
    pub receipt_interval_ms: u64,
    /// Whether a peer that lacks much is sent whole documents instead of every change, and such
    /// are taken. Without, this node writes no checkpoints either, so that what it writes is copied
    /// by nobody. Default true.
    pub first_copies: bool,
    /// How many changes of one author a peer must lack for it to be sent documents as a whole
    /// instead. Default 1,000; 64 to 1,000,000.
    pub copy_entries_min: u64,
    /// The proxy through which the coordinator is dialled, such as `http://proxy.example:8080`; `none`
    /// for none whatever the environment says. Default empty: as the environment says in
    /// `HTTPS_PROXY` and `NO_PROXY`.
    pub proxy: Proxies,
}

/// How a node keeps documents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DocumentsConfig {
    /// Most bytes of documents kept open in memory. Default 64 MiB; 1 MiB to 16 GiB.
    pub cache_bytes_max: u64,
    /// Whether the changes of old entries are taken out of them where their document gives them
    /// back. Default true.
    pub archive: bool,
    /// How old they are then, in days. Default 30; 1 to 36,500.
    pub archive_after_days: u64,
    /// The spaces whose entries keep their changes whatever their age, as far as they have them when
    /// this is set. Default none.
    pub keep_changes: Vec<String>,
}

/// How a node serves pages to people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WebConfig {
    /// Address and port of the pages; empty to serve none. Default `127.0.0.1:8480`: people on
    /// this computer alone.
    pub listen: String,
    /// What colleagues type, such as `https://causeway.school.example:8443`. Default empty: this
    /// computer's own name alone.
    pub public: String,
    /// How pages are encrypted: `own` for a certificate of this node's own making, or the file of
    /// one that somebody else made. Default empty: not here.
    pub certificate: String,
    /// The file of the key that belongs to `certificate`. Default empty.
    pub key: String,
    /// Whether a proxy in front encrypts, and says in `X-Forwarded-For` whom it asks for. Default
    /// no.
    pub behind_proxy: bool,
}

/// How people sign in to a node's pages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AccountsConfig {
    /// After how many minutes without a request somebody must sign in again. Default 60; 5 to 720.
    pub idle_minutes: u64,
    /// The same for somebody whose role writes, if that is sooner. Default 30; 5 to 720.
    pub idle_minutes_writing: u64,
    /// After how many hours somebody must sign in again in any case. Default 12; 1 to 168.
    pub session_hours: u64,
    /// How much memory it takes to try one password, in KiB. More makes a stolen store harder to
    /// use and signing in slower. Default 19,456; 19,456 to 262,144.
    pub hash_kib: u32,
}

/// How a node stops.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
            64 << 10..=4 << 20,
            "bytes",
        )?;
        within(
            "sync.receipt_interval_ms",
            sync.receipt_interval_ms,
            100..=60_000,
            "ms",
        )?;
        within(
            "sync.copy_entries_min",
            sync.copy_entries_min,
            64..=1_000_000,
            "changes",
        )?;
        sync.proxy
            .check()
            .map_err(|error| ConfigError::Proxy(Box::new(error)))?;
        self.documents.check()?;
        self.web.check()?;
        self.backup.check()?;
        self.limits.check()?;
        self.metrics.check()?;
        self.telemetry.check()?;
        let accounts = &self.accounts;
        within(
            "accounts.idle_minutes",
            accounts.idle_minutes,
            5..=720,
            "minutes",
        )?;
        within(
            "accounts.idle_minutes_writing",
            accounts.idle_minutes_writing,
            5..=720,
            "minutes",
        )?;
        within(
            "accounts.session_hours",
            accounts.session_hours,
            1..=168,
            "hours",
        )?;
        within(
            "accounts.hash_kib",
            u64::from(accounts.hash_kib),
            19_456..=262_144,
            "KiB",
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
    toml::from_str(&text).map_err(|mut source: toml::de::Error| {
        source.set_input(Some(&without_passwords(&text)));
        ConfigError::Syntax {
            path: path.to_owned(),
            source: Box::new(source),
        }
    })
}

/// The text with every name and password before an `@` starred out, byte for byte: the error shows the
/// line that it is about.
fn without_passwords(text: &str) -> String {
    let lines = text.split_inclusive('\n').map(|line| {
        let Some((before, after)) = line.rsplit_once('@') else {
            return line.to_owned();
        };
        let start = before.find("//").map_or(0, |at| at + 2);
        let (kept, secret) = before.split_at(start);
        format!("{kept}{}@{after}", "*".repeat(secret.len()))
    });
    lines.collect()
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

impl DocumentsConfig {
    /// Checks every bound, and that spaces are spaces.
    ///
    /// # Errors
    /// [`ConfigError`] for the first setting that cannot be used.
    pub fn check(&self) -> Result<(), ConfigError> {
        within(
            "documents.cache_bytes_max",
            self.cache_bytes_max,
            1 << 20..=16 << 30,
            "bytes",
        )?;
        within(
            "documents.archive_after_days",
            self.archive_after_days,
            1..=36_500,
            "days",
        )?;
        match self
            .keep_changes
            .iter()
            .find(|it| it.parse::<SpaceId>().is_err())
        {
            None => Ok(()),
            Some(space) => Err(ConfigError::Value {
                setting: "documents.keep_changes",
                value: space.clone(),
                reason: "it is no space's id, as `space list` tells it".to_owned(),
            }),
        }
    }

    /// How old entries are whose changes are archived.
    pub(crate) const fn archive_after(&self) -> Duration {
        Duration::from_hours(24 * self.archive_after_days)
    }

    /// The spaces whose entries keep their changes.
    pub(crate) fn kept_spaces(&self) -> BTreeSet<SpaceId> {
        let spaces = self.keep_changes.iter();
        spaces.filter_map(|space| space.parse().ok()).collect()
    }
}

impl WebConfig {
    /// The word for a certificate of the node's own making.
    pub const OWN: &'static str = "own";

    /// The name and port of `public`, as browsers name them; none if it is empty.
    pub fn public_host(&self) -> Option<&str> {
        let (scheme, name) = self.public.trim_end_matches('/').split_once("://")?;
        let default = if scheme == "https" { ":443" } else { ":80" };
        Some(name.strip_suffix(default).unwrap_or(name))
    }

    /// Whether browsers reach the pages over TLS.
    pub fn is_secure(&self) -> bool {
        self.public.starts_with("https://")
    }

    /// Checks that pages never go over a network in clear.
    ///
    /// # Errors
    /// [`ConfigError::Value`], with what to do instead.
    pub fn check(&self) -> Result<(), ConfigError> {
        let wrong = |setting, value: &str, reason: &str| {
            Err(ConfigError::Value {
                setting,
                value: value.to_owned(),
                reason: reason.to_owned(),
            })
        };
        if self.listen.is_empty() {
            return Ok(());
        }
        let local = match self.listen.parse::<std::net::SocketAddr>() {
            Ok(address) => address.ip().is_loopback(),
            Err(_) if self.listen.starts_with("localhost:") => true,
            Err(_) => {
                return wrong(
                    "web.listen",
                    &self.listen,
                    "an IP address and a port are needed, such as 127.0.0.1:8480",
                );
            }
        };
        let (public, certificate) = (self.public.as_str(), self.certificate.as_str());
        if !public.is_empty() {
            let name = public
                .strip_prefix("https://")
                .or_else(|| public.strip_prefix("http://"));
            let plain = |name: &str| {
                let name = name.trim_end_matches('/');
                !name.is_empty() && !name.contains(['/', '@', '?', '#', ' '])
            };
            if !name.is_some_and(plain) {
                return wrong(
                    "web.public",
                    public,
                    "an address without a path is needed, such as https://causeway.school.example:8443",
                );
            }
        }
        let encrypts = !certificate.is_empty() || self.behind_proxy;
        if !local && !encrypts {
            return wrong(
                "web.listen",
                &self.listen,
                "pages would go over the network unencrypted; set web.certificate to \"own\" or to a \
                 certificate's file, or set web.behind_proxy if a proxy in front encrypts",
            );
        }
        if encrypts && !self.is_secure() {
            return wrong(
                "web.public",
                public,
                "with a certificate or a proxy in front it has to be what colleagues type, and \
                 begin with https://",
            );
        }
        if self.is_secure() && !encrypts {
            return wrong(
                "web.public",
                public,
                "it begins with https://, but nothing here encrypts; set web.certificate, or \
                 web.behind_proxy if a proxy in front does",
            );
        }
        if self.behind_proxy && !certificate.is_empty() {
            return wrong(
                "web.behind_proxy",
                "true",
                "the proxy in front has the certificate; leave web.certificate empty",
            );
        }
        let files = !certificate.is_empty() && certificate != Self::OWN;
        if files == self.key.is_empty() {
            return wrong(
                "web.key",
                &self.key,
                if files {
                    "the file of the certificate's key is needed beside web.certificate"
                } else {
                    "it goes with the file of a certificate in web.certificate"
                },
            );
        }
        Ok(())
    }
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
            first_copies: true,
            copy_entries_min: 1_000,
            proxy: Proxies::Environment,
        }
    }
}

impl Default for DocumentsConfig {
    fn default() -> Self {
        Self {
            cache_bytes_max: 64 << 20,
            archive: true,
            archive_after_days: 30,
            keep_changes: Vec::new(),
        }
    }
}

impl Default for WebConfig {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:8480".to_owned(),
            public: String::new(),
            certificate: String::new(),
            key: String::new(),
            behind_proxy: false,
        }
    }
}

impl Default for AccountsConfig {
    fn default() -> Self {
        Self {
            idle_minutes: 60,
            idle_minutes_writing: 30,
            session_hours: 12,
            hash_kib: 19_456,
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
