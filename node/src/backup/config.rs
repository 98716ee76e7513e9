//! When backups are made by themselves, where, and how long they are kept.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::Recipient;
use crate::config::{ConfigError, within};

/// When backups are made by themselves, where, and how long they are kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BackupConfig {
    /// The folder they are put into, on another disk if there is one. Default empty: none are made.
    pub folder: String,
    /// The public keys to which they are sealed; at least one if there is a folder. Default none.
    pub keys: Vec<String>,
    /// How many hours pass between two. Default 24; 1 to 744.
    pub every_hours: u64,
    /// Of how many days the last one is kept. Default 7; 1 to 366.
    pub keep_days: u64,
    /// Of how many weeks the last one is kept. Default 5; 0 to 520.
    pub keep_weeks: u64,
    /// Of how many months the last one is kept. Default 12; 0 to 240.
    pub keep_months: u64,
}

impl Default for BackupConfig {
    fn default() -> Self {
        Self {
            folder: String::new(),
            keys: Vec::new(),
            every_hours: 24,
            keep_days: 7,
            keep_weeks: 5,
            keep_months: 12,
        }
    }
}

impl BackupConfig {
    /// Checks every bound, the folder and the keys.
    ///
    /// # Errors
    /// [`ConfigError`] for the first setting that cannot be used.
    pub fn check(&self) -> Result<(), ConfigError> {
        within("backup.every_hours", self.every_hours, 1..=744, "hours")?;
        within("backup.keep_days", self.keep_days, 1..=366, "days")?;
        within("backup.keep_weeks", self.keep_weeks, 0..=520, "weeks")?;
        within("backup.keep_months", self.keep_months, 0..=240, "months")?;
        self.recipients()?;
        let wrong = |reason: &str| ConfigError::Value {
            setting: "backup.folder",
            value: self.folder.clone(),
            reason: reason.to_owned(),
        };
        if self.folder.is_empty() {
            return Ok(());
        }
        if !Path::new(&self.folder).is_absolute() {
            return Err(wrong("name it from the root on, as /srv/backups"));
        }
        if self.keys.is_empty() {
            return Err(wrong(
                "backups hold all that the hub has, so they are made for a key alone: make one with \
                 `backup-key`, and put its public key into backup.keys",
            ));
        }
        Ok(())
    }

    /// The keys to which backups are sealed.
    ///
    /// # Errors
    /// [`ConfigError::Value`] for the first that is none.
    pub fn recipients(&self) -> Result<Vec<Recipient>, ConfigError> {
        let keys = self.keys.iter().map(|text| {
            text.parse::<Recipient>()
                .map_err(|error| ConfigError::Value {
                    setting: "backup.keys",
                    value: text.clone(),
                    reason: error.to_string(),
                })
        });
        keys.collect()
    }
}
