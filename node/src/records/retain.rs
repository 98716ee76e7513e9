//! Retention: what a node need not keep any more.

use std::collections::BTreeSet;

use node_feed::{HubId, SpaceId};
use node_store::ReadStore;
use serde_json::{Value, json};

use super::RecordsError;
use crate::Node;

impl Node {
    /// Removes others' records of the spaces that this hub has left, and says which, one line
    /// each. Its own contributions stay, attributed as they were.
    ///
    /// # Errors
    /// [`RecordsError::Store`]; what was removed by then is removed, and doing it again goes on.
    pub fn retain(&self) -> Result<Vec<Value>, RecordsError> {
        let Some(hub) = self.hub() else {
            return Ok(Vec::new());
        };
        let authority = self.authority();
        // A record of access that is frozen, or has not come yet, says less than it knows.
        if authority.is_frozen() || authority.length() == 0 {
            return Ok(Vec::new());
        }
        let mut spaces = self.inner.storage.read(ReadStore::spaces)?;
        let copies = self.inner.storage.read(ReadStore::copies)?;
        spaces.extend(copies.into_iter().map(|(space, _)| space));
        let spaces = spaces.into_iter().collect::<BTreeSet<_>>();
        let left = spaces.into_iter().filter(|space| {
            let listed = authority.spaces().contains_key(space);
            listed && authority.access(hub, *space).is_none()
        });
        let mut removed = Vec::new();
        for space in left.collect::<Vec<_>>() {
            removed.extend(self.forget_others(space, hub)?);
        }
        Ok(removed)
    }

    fn forget_others(&self, space: SpaceId, hub: HubId) -> Result<Vec<Value>, RecordsError> {
        let titles = self.inner.storage.rows(None, Some(space))?;
        let subjects = self.inner.storage.drop_foreign(space, hub)?;
        if subjects.is_empty() {
            return Ok(Vec::new());
        }
        self.inner.library.forget_space(space);
        // Nothing arrived by which answers would know.
        self.inner.memo.forget();
        self.inner.applier().rebuild(space);
        self.catch_up()?;
        let name = self
            .authority()
            .spaces()
            .get(&space)
            .map(|record| record.title.clone());
        let removed = subjects.iter().map(|subject| {
            let title = titles.iter().find(|row| row.subject == *subject);
            let title = title.map(|row| row.title.clone());
            tracing::info!(%space, %subject, "a record of a space that was left is removed");
            json!({
                "record": subject.to_string(), "title": title, "space": name,
                "hub": self.hub_code(subject.owner()),
            })
        });
        Ok(removed.collect())
    }
}
