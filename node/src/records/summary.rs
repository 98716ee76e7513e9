//! Where the node stands, and copies of its store.

use std::ops::Range;

use node_feed::{FeedName, NodeId, Opening, SpaceId};
use node_store::ReadStore;
use serde_json::{Value, json};

use super::RecordsError;
use crate::Node;
use crate::lost::Lost;

impl Node {
    /// Where this node stands, for people and programs.
    ///
    /// # Errors
    /// [`RecordsError::Store`].
    pub fn status(&self) -> Result<Value, RecordsError> {
        let behind = self.catch_up_if_possible();
        let authority = self.authority();
        let totals = self.inner.storage.read(ReadStore::totals)?;
        let name = |node: &NodeId| {
            authority
                .nodes()
                .get(node)
                .map_or_else(|| node.to_string(), |it| self.hub_code(it.hub))
        };
        let connected = self.inner.peers.connected();
        let equal = self.inner.peers.equal_now();
        let unsent = self.unsent()?;
        let mut refused = Vec::new();
        for peer in authority.nodes().keys() {
            for refusal in self.inner.storage.read(|store| store.refusals(*peer))? {
                refused.push(json!({
                    "by": name(peer), "why": refusal.reason.to_string(), "number": refusal.number,
                }));
            }
        }
        let aside = self.inner.storage.set_aside()?;
        let aside = aside
            .iter()
            .map(|row| row.reason.clone())
            .collect::<Vec<_>>();
        let (sync, hub) = (unsent == 0 && !equal.is_empty(), self.hub());
        // Whoever adds one in this hub's name writes as the hub: somebody there should see it.
        let nodes = authority.nodes().iter();
        let nodes = nodes.filter(|(_, record)| Some(record.hub) == hub);
        let nodes = nodes.map(|(node, record)| match record.ended {
            Some(_) => format!("{node} (its access has ended)"),
            None if *node == self.id() => format!("{node} (this one)"),
            None => node.to_string(),
        });
        Ok(json!({
            "hub": hub.map(|hub| self.hub_code(hub)),
            "node": self.id().to_string(),
            "nodes_of_the_hub": nodes.collect::<Vec<_>>(),
            "network": self.network().map(|network| network.to_string()),
            "check_number": self.check_number().map(|number| number.to_string()),
            "connecting": self.connecting_words()?,
            "connected_to": connected.iter().map(name).collect::<Vec<_>>(),
            "in_sync": sync,
            "not_sent": unsent,
            "lists_behind": behind.map(|error| error.to_string()),
            "trouble": self.inner.peers.trouble(),
            "alarms": self.inner.peers.alarms(),
            "unknown_nodes": self.unknown_nodes_words()?,
            "noticed": self.inner.peers.noticed(),
            "refused": refused,
            "set_aside": aside,
            "withheld": self.withheld()?,
            "backup": self.backup_summary(),
            "lost_by_restoring": self.lost()?,
            "no_longer_counting": totals.evidence,
            "entries": totals.entries,
            "payload_bytes": totals.payload_bytes,
            "access_term": self.authority_log()?.current().map(|(_, term)| term),
            "access_entries": authority.length(),
            "access_frozen": authority.is_frozen(),
        }))
    }

    /// What the last restore did not bring back; none if this store was never restored.
    ///
    /// # Errors
    /// [`RecordsError::Store`].
    pub fn lost(&self) -> Result<Option<Lost>, RecordsError> {
        let told = self
            .inner
            .storage
            .read(|store| store.setting(Lost::SETTING))?;
        Ok(told.and_then(|told| serde_json::from_slice(&told).ok()))
    }

    /// How many entries came without their content although nothing held here says why.
    fn withheld(&self) -> Result<usize, RecordsError> {
        let spaces = self.inner.storage.read(ReadStore::spaces)?;
        let mut count = 0;
        for space in spaces {
            count += self
                .inner
                .storage
                .read(|store| store.withheld(space))?
                .len();
        }
        Ok(count)
    }

    /// How many of this node's own entries in shared spaces no other node is known to hold.
    pub(crate) fn unsent(&self) -> Result<u64, RecordsError> {
        let own = self.unsent_of_feeds()?.into_iter();
        Ok(own.map(|(_, _, numbers)| numbers.end - numbers.start).sum())
    }

    /// How many of them are changes that people made: the first entry of a feed opens it, and a
    /// checkpoint is for nodes alone. Of several checkpoints only the last is told apart.
    pub(crate) fn unsent_changes(&self) -> Result<u64, RecordsError> {
        let mut changes = 0;
        for (space, feed, numbers) in self.unsent_of_feeds()? {
            let last = self
                .inner
                .storage
                .read(|store| store.checkpoint(space, feed, numbers.end))?;
            let checkpoint = last.map_or(0, |(parts, end)| {
                let parts = parts.len() as u64;
                (end.number + 1).saturating_sub(numbers.start).min(parts)
            });
            let unsent = numbers.end.saturating_sub(numbers.start.max(1));
            changes += unsent.saturating_sub(checkpoint);
        }
        Ok(changes)
    }

    /// When the oldest of them was written, in ms since 1970.
    pub(crate) fn oldest_unsent_ms(&self) -> Result<Option<u64>, RecordsError> {
        let mut oldest = None::<u64>;
        for (space, feed, numbers) in self.unsent_of_feeds()? {
            let first = self.inner.storage.read(|store| {
                let hash = store.hash_at(space, feed, numbers.start)?;
                hash.map_or(Ok(None), |hash| store.entry(hash))
            })?;
            if let Some(entry) = first {
                oldest = Some(oldest.map_or(entry.time_ms, |it| it.min(entry.time_ms)));
            }
        }
        Ok(oldest)
    }

    /// The numbers of this node's own entries in shared spaces that no other node is known to
    /// hold, by feed.
    fn unsent_of_feeds(&self) -> Result<Vec<(SpaceId, FeedName, Range<u64>)>, RecordsError> {
        let own = &self.inner.own_nodes;
        let mut unsent = Vec::new();
        for space in self.inner.storage.read(ReadStore::spaces)? {
            if !self.is_shared(space) {
                continue;
            }
            let (trees, openings) = self
                .inner
                .storage
                .read(|store| Ok((store.trees(space)?, store.openings(space)?)))?;
            for (name, feed) in trees.values().flat_map(|tree| tree.feeds()) {
                let by_own = matches!(openings.get(name), Some(Opening::Node { node, .. }) if own.contains(node));
                if by_own {
                    let held = self
                        .inner
                        .marks
                        .highest(space, *name, |node| !own.contains(node));
                    let held = held.map_or(feed.start, |held| held + 1).max(feed.start);
                    if held < feed.next() {
                        unsent.push((space, *name, held..feed.next()));
                    }
                }
            }
        }
        Ok(unsent)
    }
}
