//! What a restart would forget is kept in the registry: until when each node was here, and what
//! was refused.

use std::collections::BTreeMap;
use std::sync::PoisonError;
use std::time::Duration;

use coordinator_registry::{AuditLine, Event, Seen};
use node::clock::now_ms;
use node_feed::{FeedName, HubId, NodeId, RefusalReason, SpaceId};

use super::{OperationError, Operations};

/// How often a connected node's visit is kept anew.
const INTERVAL: Duration = Duration::from_secs(15);
/// The shortest time between two times of keeping.
const PAUSE: Duration = Duration::from_secs(1);
/// How many audit lines one node's refusals may make in an hour: more would tell nothing new.
const LINES_MAX: u32 = 20;
const HOUR_MS: u64 = 3_600_000;

/// What is in the registry already.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    seen: BTreeMap<NodeId, u64>,
    entries: BTreeMap<(NodeId, SpaceId, FeedName, RefusalReason), u64>,
    sessions: BTreeMap<(Option<NodeId>, String), u64>,
    lines: BTreeMap<Option<NodeId>, (u64, u32)>,
}

impl Operations {
    /// Keeps it whenever something changes, and now and then, for ever; and ends the coordinator's former
    /// key once that can be done.
    pub(crate) async fn keep(self) {
        let mut changes = self.parts.node.peer_changes();
        loop {
            let operations = self.clone();
            let kept = tokio::task::spawn_blocking(move || operations.keep_now()).await;
            if let Ok(Err(error)) = kept {
                tracing::warn!(%error, "when hubs were last here could not be kept");
            }
            let operations = self.clone();
            let ended = tokio::task::spawn_blocking(move || operations.end_own_former()).await;
            if let Ok(Err(error)) = ended {
                tracing::warn!(%error, "the coordinator's former key still has access");
            }
            tokio::time::sleep(PAUSE).await;
            let _changed_or_time = tokio::time::timeout(INTERVAL, changes.changed()).await;
        }
    }

    /// Keeps it now.
    pub(crate) fn keep_now(&self) -> Result<(), OperationError> {
        let mut kept = self
            .parts
            .kept
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        self.keep_seen(&mut kept)?;
        self.keep_refused(&mut kept)
    }

    fn keep_seen(&self, kept: &mut Kept) -> Result<(), OperationError> {
        let node = &self.parts.node;
        let authority = node.authority();
        let connected = node.peers_connected();
        let mut news = Vec::new();
        for (id, record) in authority.nodes() {
            let heard = if connected.contains(id) {
                Some(now_ms())
            } else {
                node.heard_ms(id)
            };
            let earlier = kept.seen.get(id).copied().unwrap_or(0);
            if let Some(seen_ms) = heard.filter(|heard| *heard > earlier) {
                news.push(Seen {
                    node: *id,
                    hub: record.hub,
                    seen_ms,
                });
            }
        }
        if !news.is_empty() {
            self.parts.registry.saw_all(&news)?;
        }
        kept.seen
            .extend(news.iter().map(|seen| (seen.node, seen.seen_ms)));
        Ok(())
    }

    fn keep_refused(&self, kept: &mut Kept) -> Result<(), OperationError> {
        for refused in self.parts.node.refused_entries() {
            let refusal = &refused.refusal;
            let key = (refused.peer, refusal.space, refusal.feed, refusal.reason);
            if kept.entries.insert(key, refused.time_ms).is_none() {
                let reason = format!(
                    "number {} in {}: {}",
                    refusal.number, refusal.space, refusal.reason
                );
                self.line(kept, Event::EntryRefused, Some(refused.peer), reason)?;
            }
        }
        for refused in self.parts.node.refused_sessions() {
            let key = (refused.peer, refused.why.clone());
            // A node that is turned away comes back every few minutes: one line an hour is enough.
            let earlier = kept.sessions.get(&key).copied();
            if earlier.is_none_or(|earlier| refused.time_ms >= earlier + HOUR_MS) {
                kept.sessions.insert(key, refused.time_ms);
                self.line(kept, Event::SessionRefused, refused.peer, refused.why)?;
            }
        }
        Ok(())
    }

    fn line(
        &self,
        kept: &mut Kept,
        event: Event,
        node: Option<NodeId>,
        reason: String,
    ) -> Result<(), OperationError> {
        let time_ms = now_ms();
        let lines = kept.lines.entry(node).or_insert((time_ms, 0));
        if lines.0 + HOUR_MS <= time_ms {
            *lines = (time_ms, 0);
        }
        lines.1 += 1;
        if lines.1 > LINES_MAX {
            return Ok(());
        }
        let authority = self.parts.node.authority();
        let hub: Option<HubId> =
            node.and_then(|node| authority.nodes().get(&node).map(|it| it.hub));
        self.parts.registry.note(&AuditLine {
            time_ms,
            event,
            hub,
            reason,
        })?;
        Ok(())
    }
}
