//! Writer keys that were checked before.

use std::collections::BTreeMap;

use node_feed::{KeyError, PublicKey};

/// How many keys are kept. Checking a key anew costs about two signatures.
const KEYS_MAX: usize = 4_096;

/// Checked keys, bounded.
#[derive(Debug, Default)]
pub(crate) struct Keyring(BTreeMap<[u8; 32], PublicKey>);

impl Keyring {
    /// The key with these bytes.
    pub(crate) fn get(&mut self, bytes: &[u8; 32]) -> Result<PublicKey, KeyError> {
        if let Some(key) = self.0.get(bytes) {
            return Ok(*key);
        }
        let key = PublicKey::from_bytes(bytes)?;
        if self.0.len() >= KEYS_MAX {
            self.0.pop_first();
        }
        self.0.insert(*bytes, key);
        Ok(key)
    }
}
