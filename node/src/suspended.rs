//! Hubs that this node holds no sessions with for the time being, without ending their access.

use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock};

use node_feed::HubId;
use node_store::{ReadStore, StoreError};

use crate::Node;
use crate::driver::Event;
use crate::storage::Storage;

/// What the names of the settings that keep this begin with.
const SETTINGS: &str = "suspended/";

/// The hubs, each with the reason that an operator gave.
#[derive(Debug, Default)]
pub(crate) struct Suspended(RwLock<BTreeMap<HubId, String>>);

impl Suspended {
    /// As it was when the node last ran.
    pub(crate) fn load(storage: &Storage) -> Result<Self, StoreError> {
        let mut hubs = BTreeMap::new();
        storage.read(|store| {
            for name in store.settings(SETTINGS)? {
                let why = store.setting(&name)?.unwrap_or_default();
                if let Ok(hub) = name[SETTINGS.len()..].parse() {
                    hubs.insert(hub, String::from_utf8_lossy(&why).into_owned());
                }
            }
            Ok(())
        })?;
        Ok(Self(RwLock::new(hubs)))
    }

    /// What a node of `hub` is told, if the hub is suspended.
    pub(crate) fn sentence(&self, hub: &HubId) -> Option<String> {
        let hubs = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let why = hubs.get(hub)?;
        let because = if why.is_empty() {
            String::new()
        } else {
            format!(" ({why})")
        };
        Some(format!(
            "NCETM has suspended this hub for the time being{because}: it can go on working, and \
             what it writes is sent when NCETM lets it in again; ask NCETM"
        ))
    }
}

impl Node {
    /// Ends the sessions with a hub's nodes and refuses new ones, durably, until
    /// [`Node::resume`]. Its access and all that it wrote stay as they are.
    ///
    /// # Errors
    /// [`StoreError`] if it cannot be kept; nothing was changed then.
    pub fn suspend(&self, hub: HubId, why: &str) -> Result<(), StoreError> {
        let inner = &self.inner;
        let setting = format!("{SETTINGS}{hub}");
        inner.storage.set_setting(&setting, Some(why.as_bytes()))?;
        let hubs = &inner.suspended.0;
        hubs.write()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(hub, why.to_owned());
        if let Some(why) = inner.suspended.sentence(&hub) {
            inner.event(Event::End { hub, why });
        }
        Ok(())
    }

    /// Lets a hub's nodes in again. Returns whether the hub was suspended.
    ///
    /// # Errors
    /// [`StoreError`] if it cannot be kept; nothing was changed then.
    pub fn resume(&self, hub: HubId) -> Result<bool, StoreError> {
        let inner = &self.inner;
        inner
            .storage
            .set_setting(&format!("{SETTINGS}{hub}"), None)?;
        let mut hubs = inner
            .suspended
            .0
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        Ok(hubs.remove(&hub).is_some())
    }

    /// What a node of `hub` is told, if the hub is suspended here.
    pub fn suspension(&self, hub: &HubId) -> Option<String> {
        self.inner.suspended.sentence(hub)
    }

    /// The hubs that are suspended here, each with the reason that was given.
    pub fn suspended(&self) -> BTreeMap<HubId, String> {
        let hubs = &self.inner.suspended.0;
        hubs.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
