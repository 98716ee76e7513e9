//! The nodes of this hub, and whether somebody here knows of each.
//!
//! Whoever may write the record of access can add one in a hub's name. It then writes as the hub, so
//! that a person here is told, until they say that they know of it.

use std::collections::BTreeMap;
use std::sync::{MutexGuard, PoisonError};

use node_feed::{HubId, NodeId};
use node_store::{ReadStore, StoreError};
use serde::{Deserialize, Serialize};

use crate::audit::{Event, Fields};
use crate::clock::now_ms;
use crate::node::{Inner, Node};

/// Where the store keeps which nodes of the hub were seen here.
const SETTING: &str = "hub-nodes";

/// A node of this hub.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HubNode {
    /// The node.
    pub node: NodeId,
    /// Since when it is known here, in ms since 1970; none if it was there before this one.
    pub since_ms: Option<u64>,
    /// Whether it is this one.
    pub is_own: bool,
    /// Whether its access has ended.
    pub has_ended: bool,
    /// Whether somebody here has still to say that they know of it.
    pub is_unknown: bool,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Seen {
    since_ms: Option<u64>,
    known: bool,
}

type AllSeen = BTreeMap<String, Seen>;

impl Node {
    /// The nodes of this hub: this one first, then the newest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn hub_nodes(&self) -> Result<Vec<HubNode>, StoreError> {
        let seen = self.inner.seen_nodes()?.unwrap_or_default();
        let own = self.id();
        let authority = self.authority();
        let of_hub = authority.nodes().iter();
        let of_hub = of_hub.filter(|(_, record)| Some(record.hub) == self.hub());
        let mut nodes = of_hub
            .map(|(node, record)| {
                let seen = seen.get(&node.to_string());
                let has_ended = record.ended.is_some();
                HubNode {
                    node: *node,
                    since_ms: seen.and_then(|seen| seen.since_ms),
                    is_own: *node == own,
                    has_ended,
                    // What it wrote before it ended counts.
                    is_unknown: seen.is_some_and(|seen| !seen.known),
                }
            })
            .collect::<Vec<_>>();
        nodes.sort_by_key(|node| (!node.is_own, std::cmp::Reverse(node.since_ms)));
        Ok(nodes)
    }

    /// Somebody here knows of these nodes of the hub.
    ///
    /// # Errors
    /// [`StoreError`] if that cannot be kept.
    pub fn know_hub_nodes(&self, nodes: &[NodeId]) -> Result<(), StoreError> {
        let _one_at_a_time = self.inner.lock_seen_nodes();
        let mut seen = self.inner.seen_nodes()?.unwrap_or_default();
        for node in nodes {
            if let Some(seen) = seen.get_mut(&node.to_string()) {
                seen.known = true;
            }
        }
        self.inner.keep_seen_nodes(&seen)
    }

    /// What is to be told of nodes of this hub that nobody here has said to know of.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(crate) fn unknown_nodes_words(&self) -> Result<Option<String>, StoreError> {
        let nodes = self.hub_nodes()?;
        let unknown = nodes.iter().filter(|node| node.is_unknown).count();
        Ok((unknown > 0).then(|| {
            "another computer was connected in this hub's name: see the page Access. If nobody here did \
             that, telephone NCETM"
                .to_owned()
        }))
    }
}

impl Inner {
    /// This node of the hub is about to be there, and nobody need be told.
    ///
    /// # Errors
    /// [`StoreError`] if that cannot be kept.
    pub(crate) fn foresee_hub_node(&self, node: NodeId) -> Result<(), StoreError> {
        let _one_at_a_time = self.lock_seen_nodes();
        let mut seen = self.seen_nodes()?.unwrap_or_default();
        let since_ms = Some(now_ms());
        seen.insert(
            node.to_string(),
            Seen {
                since_ms,
                known: true,
            },
        );
        self.keep_seen_nodes(&seen)
    }

    /// Notes nodes of this hub that are new in the record of access. What was there before this node
    /// looked for the first time is no news.
    pub(crate) fn notice_hub_nodes(&self) {
        let Some(hub) = self.membership().map(|it| it.hub) else {
            return;
        };
        if let Err(error) = self.notice_nodes_of(hub) {
            tracing::error!(%error, "which nodes this hub has could not be kept");
        }
    }

    fn notice_nodes_of(&self, hub: HubId) -> Result<(), StoreError> {
        let (authority, own) = (self.authority(), self.identity.public().node());
        if authority.hub_of(&own) != Some(hub) {
            return Ok(());
        }
        let _one_at_a_time = self.lock_seen_nodes();
        let kept = self.seen_nodes()?;
        let is_first = kept.is_none();
        let mut seen = kept.unwrap_or_default();
        let before = seen.len();
        let mut lines = Vec::new();
        for (node, record) in authority.nodes() {
            let name = node.to_string();
            if record.hub != hub || seen.contains_key(&name) {
                continue;
            }
            let known = is_first || *node == own;
            if !known {
                let fields = Fields::new().with("node", node);
                lines.push(fields.line(Event::NodeAdded));
                tracing::warn!(%node, "another node was added to this hub");
            }
            let since_ms = (!is_first).then(now_ms);
            seen.insert(name, Seen { since_ms, known });
        }
        if seen.len() == before && !is_first {
            return Ok(());
        }
        // The line first: it is told once more rather than never.
        if lines.is_empty() || self.note_or_log(&lines) {
            self.keep_seen_nodes(&seen)?;
        }
        Ok(())
    }

    fn lock_seen_nodes(&self) -> MutexGuard<'_, ()> {
        self.seeing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn seen_nodes(&self) -> Result<Option<AllSeen>, StoreError> {
        let kept = self.storage.read(|store| store.setting(SETTING))?;
        Ok(kept.and_then(|kept| serde_json::from_slice(&kept).ok()))
    }

    fn keep_seen_nodes(&self, seen: &AllSeen) -> Result<(), StoreError> {
        let text = serde_json::json!(seen).to_string();
        self.storage.set_setting(SETTING, Some(text.as_bytes()))
    }
}
