//! Can the settings be used?

use super::Finding;
use crate::config::ConfigError;

/// Whether the settings can be used, for a node's or a coordinator's.
pub fn settings<T>(read: &Result<T, ConfigError>) -> Finding {
    const CHECK: &str = "settings";
    match read {
        Ok(_) => Finding::ok(CHECK, "every setting can be used"),
        Err(error) => {
            let what = error.to_string().trim_end().replace('\n', " / ");
            Finding::fault(CHECK, format!("{what}; change it in causeway.toml"))
        }
    }
}
