//! How the network stands: every hub and node, the silent ones first.

mod text;

use std::collections::BTreeMap;
use std::time::Duration;

use node::clock::now_ms;
use node::{PeerHealth, RefusedSession};
use node_feed::{HubId, NodeId, Refusal, RefusalReason, Retry, SpaceId};
use serde::{Deserialize, Serialize};

use super::{OperationError, Operations};

/// How the network stood at a moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Health {
    /// When this was found, in ms since 1970.
    pub as_at_ms: u64,
    /// After how long without a word a node counts as silent, in ms.
    pub silent_for_ms: u64,
    /// The hubs: the silent ones first, then those with trouble, then the others.
    pub hubs: Vec<HubHealth>,
    /// Sessions refused to nodes that belong to no hub here, with the reasons.
    pub strangers: Vec<String>,
}

/// How a hub stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HubHealth {
    /// Its code.
    pub code: String,
    /// Its name.
    pub name: String,
    /// "invited", "waiting", "connected", "away", "suspended" or "revoked".
    pub state: String,
    /// Why it is suspended, if it is; empty if no reason was given.
    #[serde(default)]
    pub suspended: Option<String>,
    /// Whether it had nodes and all of them were revoked.
    #[serde(default)]
    pub without_nodes: bool,
    /// Whether none of its nodes was heard of for too long.
    pub silent: bool,
    /// When one of its nodes was here last, in ms since 1970.
    pub last_seen_ms: Option<u64>,
    /// Entries held here that none of its nodes is known to hold.
    pub waiting: u64,
    /// What an operator should know, in words.
    pub why: Vec<String>,
    /// Its nodes that may take part.
    pub nodes: Vec<NodeHealth>,
}

/// How a node stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeHealth {
    /// Its id.
    pub node: String,
    /// Whether it has a session now.
    pub connected: bool,
    /// Whether it was not heard of for too long.
    pub silent: bool,
    /// When it was here last, in ms since 1970; a restart does not forget it.
    pub last_seen_ms: Option<u64>,
    /// The time that its newest entry held here says.
    pub newest_entry_ms: Option<u64>,
    /// How many entries it is known to hold: its last cursor.
    pub holds: u64,
    /// Entries held here that it is not known to hold: the work that waits for it.
    pub waiting: u64,
    /// The same for each space.
    pub spaces: Vec<SpaceHealth>,
    /// Entries missing here before others that were seen or announced.
    pub gaps: Vec<GapHealth>,
    /// What it refused.
    pub refused_by_it: Vec<RefusalHealth>,
    /// What was refused here of what it sent.
    pub refused_here: Vec<RefusalHealth>,
    /// Its entries that are carried and cannot be used here, with the reasons.
    pub set_aside: Vec<String>,
    /// Sessions refused to it since the start, with the reasons.
    pub refused_sessions: Vec<String>,
    /// By how many ms its clock is ahead of this one's, if that is known.
    pub clock_ahead_ms: Option<i64>,
    /// What an operator should know, in words.
    pub why: Vec<String>,
}

/// What a node holds and lacks of a space.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpaceHealth {
    /// The space's id.
    pub space: String,
    /// Its title.
    pub title: String,
    /// Entries that the node is known to hold.
    pub holds: u64,
    /// Entries held here that it is not known to hold.
    pub waiting: u64,
}

/// Entries that are missing here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GapHealth {
    /// The space's title.
    pub title: String,
    /// Number of the first that is missing.
    pub from: u64,
    /// Number of the last that is missing.
    pub to: u64,
}

/// Entries that were refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusalHealth {
    /// The space's title.
    pub title: String,
    /// Number of the first entry refused.
    pub number: u64,
    /// Why, in words.
    pub why: String,
    /// Whether it is tried again by itself.
    pub again: bool,
}

impl Operations {
    /// How the network stands now. A node that has had no session for `silent_for` is silent.
    ///
    /// # Errors
    /// [`OperationError`] if the store or the registry cannot be read.
    pub fn health(&self, silent_for: Duration) -> Result<Health, OperationError> {
        self.health_at(now_ms(), silent_for)
    }

    /// The same as it looks at another time: what would be silent then.
    ///
    /// # Errors
    /// As [`Operations::health`].
    pub fn health_at(&self, as_at_ms: u64, silent_for: Duration) -> Result<Health, OperationError> {
        let node = &self.parts.node;
        let authority = node.authority();
        let silent_for_ms = u64::try_from(silent_for.as_millis()).unwrap_or(u64::MAX);
        let seen = self.parts.registry.last_seen()?;
        let seen = seen.into_iter().map(|seen| (seen.node, seen.seen_ms));
        let seen = seen.collect::<BTreeMap<_, _>>();
        let sessions = node.refused_sessions();
        let mut peers = BTreeMap::<HubId, Vec<NodeHealth>>::new();
        for peer in node.peer_health()? {
            let Some(hub) = authority.hub_of(&peer.node) else {
                continue;
            };
            let kept = seen.get(&peer.node).copied();
            let health = self.node_health(&peer, kept, &sessions, (as_at_ms, silent_for_ms));
            peers.entry(hub).or_default().push(health);
        }
        let suspended = node.suspended();
        let requests = self.waiting()?;
        let mut hubs = Vec::new();
        for (hub, record) in authority.hubs() {
            if node.hub() == Some(*hub) {
                continue;
            }
            let nodes = peers.remove(hub).unwrap_or_default();
            let had_nodes = authority.nodes().values().any(|node| node.hub == *hub);
            let connected = nodes.iter().any(|node| node.connected);
            let asks = requests.iter().any(|it| it.code == record.code);
            let state = match (self.is_revoked(*hub), suspended.contains_key(hub)) {
                (true, _) => "revoked",
                (false, true) => "suspended",
                (false, false) if connected => "connected",
                (false, false) if had_nodes => "away",
                (false, false) if asks => "waiting",
                (false, false) => "invited",
            };
            let silent = !nodes.is_empty() && nodes.iter().all(|node| node.silent);
            let mut why = Vec::new();
            if let Some(reason) = suspended.get(hub) {
                why.push(if reason.is_empty() {
                    "it is suspended; `resume` lets it in again".to_owned()
                } else {
                    format!("it is suspended ({reason}); `resume` lets it in again")
                });
            }
            let without_nodes = had_nodes && nodes.is_empty() && state != "revoked";
            if without_nodes {
                why.push("its nodes were revoked; invite it again to connect a new one".to_owned());
            }
            let several = nodes.len() > 1;
            for node in &nodes {
                why.extend(node.why.iter().map(|why| {
                    if several {
                        format!("node {}: {why}", text::short(&node.node))
                    } else {
                        why.clone()
                    }
                }));
            }
            hubs.push(HubHealth {
                code: record.code.clone(),
                name: record.name.clone(),
                state: state.to_owned(),
                suspended: suspended.get(hub).cloned(),
                without_nodes,
                silent,
                last_seen_ms: nodes.iter().filter_map(|node| node.last_seen_ms).max(),
                waiting: nodes.iter().map(|node| node.waiting).min().unwrap_or(0),
                why,
                nodes,
            });
        }
        hubs.sort_by(|one, other| {
            let rank = |hub: &HubHealth| {
                let since = hub.last_seen_ms.unwrap_or(0);
                (
                    !hub.silent,
                    if hub.silent { since } else { 0 },
                    hub.why.is_empty(),
                )
            };
            (rank(one), &one.code).cmp(&(rank(other), &other.code))
        });
        let known = |refused: &&RefusedSession| {
            let node = refused.peer.as_ref();
            node.is_some_and(|node| authority.hub_of(node).is_some())
        };
        let strangers = sessions.iter().filter(|refused| !known(refused));
        let strangers = strangers.map(|refused| match refused.peer {
            Some(node) => format!("node {}: {}", text::short(&node.to_string()), refused.why),
            None => refused.why.clone(),
        });
        Ok(Health {
            as_at_ms,
            silent_for_ms,
            hubs,
            strangers: strangers.collect(),
        })
    }

    fn node_health(
        &self,
        peer: &PeerHealth,
        kept_ms: Option<u64>,
        sessions: &[RefusedSession],
        (as_at_ms, silent_for_ms): (u64, u64),
    ) -> NodeHealth {
        let last_seen_ms = if peer.connected {
            Some(as_at_ms)
        } else {
            peer.heard_ms.max(kept_ms)
        };
        let silence = last_seen_ms.map_or(u64::MAX, |seen| as_at_ms.saturating_sub(seen));
        let refusal = |refusal: &Refusal| RefusalHealth {
            title: self.title_of(refusal.space),
            number: refusal.number,
            why: refusal.reason.to_string(),
            again: refusal.reason.retry() == Retry::NotYet,
        };
        let spaces = peer.spaces.iter().map(|lag| SpaceHealth {
            space: lag.space.to_string(),
            title: self.title_of(lag.space),
            holds: lag.holds,
            waiting: lag.waiting,
        });
        let gaps = peer.gaps.iter().map(|gap| GapHealth {
            title: self.title_of(gap.space),
            from: gap.from,
            to: gap.to,
        });
        let of_node = |refused: &&RefusedSession| refused.peer == Some(peer.node);
        let refused_sessions = sessions.iter().filter(of_node);
        let mut health = NodeHealth {
            node: peer.node.to_string(),
            connected: peer.connected,
            silent: !peer.connected && silence >= silent_for_ms,
            last_seen_ms,
            newest_entry_ms: peer.newest_entry_ms,
            holds: peer.spaces.iter().map(|lag| lag.holds).sum(),
            waiting: peer.spaces.iter().map(|lag| lag.waiting).sum(),
            spaces: spaces.collect(),
            gaps: gaps.collect(),
            refused_by_it: peer.refused_by_it.iter().map(refusal).collect(),
            refused_here: peer
                .refused_here
                .iter()
                .filter(|it| it.refusal.reason != RefusalReason::Gap || !peer.gaps.is_empty())
                .map(|it| RefusalHealth {
                    why: text::refused_here(it.refusal.reason).to_owned(),
                    ..refusal(&it.refusal)
                })
                .collect(),
            set_aside: peer.set_aside.iter().map(|it| it.why.clone()).collect(),
            refused_sessions: refused_sessions.map(|it| it.why.clone()).collect(),
            clock_ahead_ms: peer.clock_ahead_ms,
            why: Vec::new(),
        };
        health.why = text::reasons(&health, as_at_ms);
        health
    }

    fn title_of(&self, space: SpaceId) -> String {
        let authority = self.parts.node.authority();
        if space == SpaceId::authority(authority.network()) {
            return "the record of access".to_owned();
        }
        let record = authority.spaces().get(&space);
        record.map_or_else(|| space.to_string(), |record| record.title.clone())
    }
}

impl Health {
    /// The hub with this code.
    pub fn hub(&self, code: &str) -> Option<&HubHealth> {
        self.hubs.iter().find(|hub| hub.code == code)
    }

    /// The node with this id.
    pub fn node(&self, node: &NodeId) -> Option<&NodeHealth> {
        let node = node.to_string();
        let mut nodes = self.hubs.iter().flat_map(|hub| &hub.nodes);
        nodes.find(|known| known.node == node)
    }
}
