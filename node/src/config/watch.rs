//! The settings of watching: metrics and traces.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};
use tonic::transport::Uri;

use super::ConfigError;

/// How a node tells Prometheus of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MetricsConfig {
    /// Address and port of `/metrics`, `/ready` and `/live`, in plain HTTP; empty to serve none.
    /// Default empty.
    pub listen: String,
    /// Whether that may be another address than this computer's own. What is served names hubs and
    /// nodes, and asks nobody who they are. Default no.
    pub anywhere: bool,
}

/// Where a node sends traces.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TelemetryConfig {
    /// The OTLP collector, by gRPC, such as `http://127.0.0.1:4317`; empty to send none. Default
    /// empty.
    pub otlp: String,
}

impl MetricsConfig {
    /// Where it is served; none if it is not.
    pub fn address(&self) -> Option<SocketAddr> {
        self.listen.parse().ok()
    }

    /// Checks that what names hubs is served to this computer alone, unless it is said otherwise.
    ///
    /// # Errors
    /// [`ConfigError::Value`], with what to do instead.
    pub fn check(&self) -> Result<(), ConfigError> {
        let wrong = |reason: &str| {
            Err(ConfigError::Value {
                setting: "metrics.listen",
                value: self.listen.clone(),
                reason: reason.to_owned(),
            })
        };
        if self.listen.is_empty() {
            return Ok(());
        }
        match self.address() {
            None => wrong("an IP address and a port are needed, such as 127.0.0.1:9480"),
            Some(address) if !address.ip().is_loopback() && !self.anywhere => wrong(
                "metrics name hubs, and whoever can reach this address would read them; use \
                 127.0.0.1, or set metrics.anywhere if a firewall keeps others out",
            ),
            Some(_) => Ok(()),
        }
    }
}

impl TelemetryConfig {
    /// Checks that the collector can be named so.
    ///
    /// # Errors
    /// [`ConfigError::Value`], with what to do instead.
    pub fn check(&self) -> Result<(), ConfigError> {
        if self.otlp.is_empty() {
            return Ok(());
        }
        let uri = self.otlp.parse::<Uri>().ok();
        let plain = uri.is_some_and(|uri| {
            uri.scheme_str() == Some("http")
                && uri.port().is_some()
                && matches!(uri.path(), "" | "/")
                && uri.query().is_none()
        });
        let named = self.otlp.contains('@');
        if plain && !named {
            return Ok(());
        }
        Err(ConfigError::Value {
            setting: "telemetry.otlp",
            // What stands before an @ may be a password.
            value: if named {
                "…@…".to_owned()
            } else {
                self.otlp.clone()
            },
            reason: "an address such as http://127.0.0.1:4317 is needed: a collector on this \
                     computer, which may encrypt what it sends on"
                .to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metrics(listen: &str, anywhere: bool) -> Result<(), ConfigError> {
        let listen = listen.to_owned();
        MetricsConfig { listen, anywhere }.check()
    }

    #[test]
    fn metrics_are_served_to_this_computer_alone_unless_it_is_said_otherwise() {
        metrics("", false).expect("none are served");
        metrics("127.0.0.1:9480", false).expect("this computer");
        metrics("[::1]:9480", false).expect("this computer");
        let error = metrics("0.0.0.0:9480", false).expect_err("everybody");
        assert!(error.to_string().contains("metrics.anywhere"), "{error}");
        metrics("0.0.0.0:9480", true).expect("said so");
        metrics("localhost:9480", true).expect_err("a name");
    }

    #[test]
    fn a_collector_is_named_by_host_and_port() {
        for (otlp, fits) in [
            ("", true),
            ("http://127.0.0.1:4317", true),
            ("http://collector.example:4317/", true),
            ("https://collector.example:4317", false),
            ("http://collector.example", false),
            ("127.0.0.1:4317", false),
            ("http://127.0.0.1:4317/v1/traces", false),
        ] {
            let otlp = otlp.to_owned();
            assert_eq!(
                TelemetryConfig { otlp: otlp.clone() }.check().is_ok(),
                fits,
                "{otlp}"
            );
        }
    }
}
