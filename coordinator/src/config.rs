//! The coordinator's settings: a node's, and where it is reached.

use std::net::SocketAddr;
use std::path::Path;

use node::config::{Config, ConfigError, read_toml, within};
use node::tls::{Address, AddressError, CertificateFiles};
use serde::{Deserialize, Serialize};

/// All settings of a coordinator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CoordinatorConfig {
    /// How it is reached.
    pub listen: ListenConfig,
    /// What it shares with a node: logging.
    pub log: node::config::LogConfig,
    /// How it talks to hubs.
    pub sync: node::config::SyncConfig,
    /// How it keeps documents.
    pub documents: node::config::DocumentsConfig,
    /// How it serves pages. The port is 8470 by default, beside a hub's 8480.
    pub web: node::config::WebConfig,
    /// How people sign in.
    pub accounts: node::config::AccountsConfig,
    /// When it makes backups by itself.
    pub backup: node::backup::BackupConfig,
    /// What one hub may use of it, and how much of the disk is left alone.
    pub limits: node::config::LimitsConfig,
    /// How it stops.
    pub shutdown: node::config::ShutdownConfig,
    /// How it tells Prometheus of itself.
    pub metrics: node::config::MetricsConfig,
    /// Where it sends traces.
    pub telemetry: node::config::TelemetryConfig,
}

/// How a coordinator is reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ListenConfig {
    /// Address and port to listen on. Default `0.0.0.0:7443`.
    pub address: SocketAddr,
    /// `host:port` that hubs dial, as invitations give it. Default `localhost:7443`.
    pub public: String,
    /// Names and addresses that the server's certificate stands for. Default the host of `public`.
    pub names: Vec<String>,
    /// The file of a certificate that a public authority made for `public`, with its chain, shown to
    /// whoever asks for that name. Default none.
    pub certificate: String,
    /// The file of its key. Default none.
    pub key: String,
    /// How long an invitation is good for unless said otherwise, in hours. Default 336 (two
    /// weeks); 1 to 8,760.
    pub invitation_hours: u64,
}

impl CoordinatorConfig {
    /// Reads and checks settings. A missing file is the defaults.
    ///
    /// # Errors
    /// [`ConfigError`], which names the setting and what is allowed.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let config: Self = read_toml(path)?;
        config.node().check()?;
        within(
            "listen.invitation_hours",
            config.listen.invitation_hours,
            1..=8_760,
            "hours",
        )?;
        config.address()?;
        config.listen.check()?;
        Ok(config)
    }

    /// Where hubs dial, as invitations give it.
    ///
    /// # Errors
    /// [`ConfigError::Value`] if `listen.public` is no address.
    pub fn address(&self) -> Result<Address, ConfigError> {
        let public = &self.listen.public;
        public
            .parse()
            .map_err(|source: AddressError| ConfigError::Value {
                setting: "listen.public",
                value: public.clone(),
                reason: source.to_string(),
            })
    }

    /// The settings of the node that the coordinator is.
    pub fn node(&self) -> Config {
        Config {
            log: self.log.clone(),
            sync: self.sync.clone(),
            documents: self.documents.clone(),
            web: self.web.clone(),
            accounts: self.accounts.clone(),
            backup: self.backup.clone(),
            limits: self.limits.clone(),
            shutdown: self.shutdown.clone(),
            metrics: self.metrics.clone(),
            telemetry: self.telemetry.clone(),
        }
    }
}

impl ListenConfig {
    /// The files of the public certificate, if there is one.
    pub fn certificate_files(&self) -> Option<CertificateFiles> {
        let given = !self.certificate.is_empty();
        given.then(|| CertificateFiles::new(&self.certificate, &self.key))
    }

    fn check(&self) -> Result<(), ConfigError> {
        if self.certificate.is_empty() != self.key.is_empty() {
            let reason = "certificate and key belong together: give both files, or neither";
            return Err(ConfigError::Value {
                setting: "listen.key",
                value: self.key.clone(),
                reason: reason.to_owned(),
            });
        }
        Ok(())
    }

    /// The names that the server's certificate stands for.
    pub fn certificate_names(&self) -> Vec<String> {
        if !self.names.is_empty() {
            return self.names.clone();
        }
        let host = self
            .public
            .rsplit_once(':')
            .map_or(self.public.as_str(), |(host, _)| host);
        vec![host.trim_matches(['[', ']']).to_owned()]
    }
}

impl Default for CoordinatorConfig {
    fn default() -> Self {
        let node = Config::default();
        Self {
            listen: ListenConfig::default(),
            log: node.log,
            sync: node.sync,
            documents: node.documents,
            web: node::config::WebConfig {
                listen: "127.0.0.1:8470".to_owned(),
                ..node.web
            },
            accounts: node.accounts,
            backup: node.backup,
            limits: node.limits,
            shutdown: node.shutdown,
            metrics: node.metrics,
            telemetry: node.telemetry,
        }
    }
}

impl Default for ListenConfig {
    fn default() -> Self {
        Self {
            address: SocketAddr::from(([0, 0, 0, 0], 7443)),
            public: "localhost:7443".to_owned(),
            names: Vec::new(),
            certificate: String::new(),
            key: String::new(),
            invitation_hours: 336,
        }
    }
}
