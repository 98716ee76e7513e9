//! What came back after a restore: this hub's own entries in shared spaces, which others still had.

use std::collections::BTreeMap;

use node_feed::{AuthorityLog, FeedName, Height, HubId, NetworkId, Opening, SpaceId, SpaceKind};
use node_store::{ReadStore, StoreError};
use serde::{Deserialize, Serialize};

use crate::Node;

/// How far the own feeds were held when a backup was restored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct HeldThen {
    /// When that was, in ms since 1970.
    time_ms: u64,
    /// Whether the store that was replaced could be read.
    known: bool,
    feeds: Vec<FeedThen>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct FeedThen {
    space: String,
    feed: String,
    /// The number of the first entry that the backup lacks, and that the replaced store lacks.
    backup: u64,
    replaced: u64,
}

/// What came back of one space.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CameBack {
    /// The space's id.
    pub space: String,
    /// Its title.
    pub title: String,
    /// How many of the hub's own entries that the backup lacked are here again.
    pub came: u64,
    /// How many the replaced store had that are not here; none if that could not be read.
    pub missing: Option<u64>,
}

type Next = BTreeMap<(SpaceId, FeedName), u64>;

impl HeldThen {
    /// Where a restored store says it.
    pub(crate) const SETTING: &'static str = "restored/held";

    /// Compares a backup with the store that it replaces, if that can be read.
    ///
    /// # Errors
    /// [`StoreError`] if the backup cannot be read.
    pub(crate) fn find(
        backup: &impl ReadStore,
        replaced: Option<&impl ReadStore>,
        network: NetworkId,
        hub: HubId,
        time_ms: u64,
    ) -> Result<Self, StoreError> {
        let in_backup = own_feeds(backup, network, hub)?;
        let replaced = replaced.and_then(|store| own_feeds(store, network, hub).ok());
        let known = replaced.is_some();
        let replaced = replaced.unwrap_or_default();
        let mut names = in_backup.keys().chain(replaced.keys()).collect::<Vec<_>>();
        names.sort_unstable();
        names.dedup();
        let feeds = names.into_iter().map(|at| FeedThen {
            space: at.0.to_string(),
            feed: at.1.to_string(),
            backup: in_backup.get(at).copied().unwrap_or(0),
            replaced: replaced.get(at).copied().unwrap_or(0),
        });
        Ok(Self {
            time_ms,
            known,
            feeds: feeds.collect(),
        })
    }
}

impl Node {
    /// What came back since the last restore, by spaces; none if this store was never restored, or
    /// the node is not connected yet.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn came_back(&self) -> Result<Option<Vec<CameBack>>, StoreError> {
        let storage = &self.inner.storage;
        let then = storage.read(|store| store.setting(HeldThen::SETTING))?;
        let then = then.and_then(|then| serde_json::from_slice::<HeldThen>(&then).ok());
        let (Some(then), Some(network), Some(hub)) = (then, self.network(), self.hub()) else {
            return Ok(None);
        };
        let now = storage.read(|store| own_feeds(store, network, hub))?;
        let mut before = BTreeMap::new();
        for feed in &then.feeds {
            before.insert((feed.space.clone(), feed.feed.clone()), feed);
        }
        let mut spaces = BTreeMap::<SpaceId, (u64, u64)>::new();
        for ((space, feed), next) in &now {
            let was = before.remove(&(space.to_string(), feed.to_string()));
            let (came, missing) = spaces.entry(*space).or_default();
            match was {
                Some(was) => {
                    *came += next.saturating_sub(was.backup);
                    *missing += was.replaced.saturating_sub(*next);
                }
                None if self.begun_before(*space, *feed, then.time_ms)? => *came += next,
                // It was begun after the restore.
                None => {}
            }
        }
        for feed in before.into_values() {
            if let Ok(space) = feed.space.parse::<SpaceId>() {
                spaces.entry(space).or_default().1 += feed.replaced;
            }
        }
        let authority = self.authority();
        let spaces = spaces.into_iter().map(|(space, (came, missing))| {
            let record = authority.spaces().get(&space);
            CameBack {
                space: space.to_string(),
                title: record.map_or_else(String::new, |record| record.title.clone()),
                came,
                missing: then.known.then_some(missing),
            }
        });
        Ok(Some(spaces.collect()))
    }

    /// Whether a feed was opened before then, by its author's clock.
    fn begun_before(
        &self,
        space: SpaceId,
        feed: FeedName,
        time_ms: u64,
    ) -> Result<bool, StoreError> {
        // Of a feed that came by a first copy its opening is kept.
        let opened = self.inner.storage.read(|store| {
            let Some(hash) = store.hash_at(space, feed, 0)? else {
                return Ok(None);
            };
            store.kept(space, feed, Height { number: 0, hash })
        })?;
        Ok(opened.is_some_and(|opened| opened.entry.time_ms < time_ms))
    }
}

/// How far a hub's own feeds in spaces that it shares are held: the number after the last entry.
fn own_feeds(store: &impl ReadStore, network: NetworkId, hub: HubId) -> Result<Next, StoreError> {
    let authority = AuthorityLog::new(network, store.log_feeds(network)?).fold();
    let mut feeds = Next::new();
    for space in store.spaces()? {
        let record = authority.spaces().get(&space);
        if record.is_none_or(|record| record.kind == SpaceKind::Hub) {
            continue;
        }
        let openings = store.openings(space)?;
        for (name, feed) in store.trees(space)?.values().flat_map(|tree| tree.feeds()) {
            let by = openings.get(name);
            if matches!(by, Some(Opening::Node { hub: by, .. }) if *by == hub) {
                feeds.insert((space, *name), feed.next());
            }
        }
    }
    Ok(feeds)
}
