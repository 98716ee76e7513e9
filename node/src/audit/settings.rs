//! Which settings are others than at the last start.

use std::collections::BTreeMap;

use node_feed::{Hash, Tag};
use node_store::StoreError;
use serde::Serialize;
use serde_json::Value;

use super::{Event, Fields};
use crate::Node;

impl Node {
    /// Notes which settings are others than at the last start; at the first, which are not the
    /// defaults. Numbers and yes or no stand in the line as they are. Of texts, which may be the names
    /// of folders and machines, it says only whether they are the same as before.
    ///
    /// # Errors
    /// [`StoreError`] if it cannot be written.
    pub fn note_settings<T: Serialize + Default>(&self, settings: &T) -> Result<(), StoreError> {
        let (now, mut before) = (flat(settings), flat(&T::default()));
        let lines = self
            .inner
            .audit
            .log()
            .of_kind(Event::SettingsChanged.name())?;
        for line in lines {
            before.extend(line.fields);
        }
        let mut changed = Fields::new();
        for (name, value) in now {
            if before.get(&name) != Some(&value) {
                changed = changed.with(&name, value);
            }
        }
        if changed.is_empty() {
            return Ok(());
        }
        self.inner.note(Event::SettingsChanged, changed)
    }
}

/// Settings by their names, such as `sync.first_copies`.
fn flat(settings: &impl Serialize) -> BTreeMap<String, String> {
    let mut flat = BTreeMap::new();
    let settings = serde_json::to_value(settings).unwrap_or_default();
    for (section, settings) in settings.as_object().into_iter().flatten() {
        for (name, value) in settings.as_object().into_iter().flatten() {
            flat.insert(format!("{section}.{name}"), told(value));
        }
    }
    flat
}

fn told(value: &Value) -> String {
    match value {
        Value::Bool(_) | Value::Number(_) => value.to_string(),
        Value::String(text) if text.is_empty() => "none".to_owned(),
        Value::Array(items) if items.is_empty() => "none".to_owned(),
        Value::Null | Value::String(_) | Value::Array(_) | Value::Object(_) => {
            let hash = Hash::of(Tag::Setting, &[value.to_string().as_bytes()]);
            format!("set ({})", hex::encode(&hash.as_bytes()[..4]))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    #[test]
    fn texts_are_told_apart_and_not_told() {
        let mut config = Config::default();
        config.web.certificate = "/home/jane/pages.pem".to_owned();
        config.sync.first_copies = false;
        let (before, after) = (flat(&Config::default()), flat(&config));
        assert_eq!(before["web.certificate"], "none");
        assert!(after["web.certificate"].starts_with("set ("));
        assert!(!after["web.certificate"].contains("jane"));
        assert_eq!(after["sync.first_copies"], "false");
        assert_eq!(before["sync.copy_entries_min"], "1000");
        let others = before
            .iter()
            .filter(|(name, value)| after[*name] != **value);
        assert_eq!(others.count(), 2);
    }
}
