//! What is known of peers, for people: connected or not, equal or not, and what went wrong.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use node_feed::NodeId;
use node_sync::{Alarm, CloseReason, SessionId};
use tokio::sync::watch;

/// How many alarms and reasons are kept for a person to read.
const KEPT_MAX: usize = 50;

/// What is known of this node's peers since it started.
#[derive(Debug)]
pub(crate) struct Peers {
    state: Mutex<State>,
    equal: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct State {
    peers: BTreeMap<NodeId, PeerState>,
    trouble: VecDeque<String>,
    alarms: VecDeque<Alarm>,
    restored: bool,
}

#[derive(Debug, Default, Clone)]
struct PeerState {
    connected: bool,
    equal: bool,
    heard_ms: u64,
}

impl Peers {
    pub(crate) fn new() -> Self {
        Self {
            state: Mutex::default(),
            equal: watch::channel(0).0,
        }
    }

    pub(crate) fn equal(&self, session: SessionId, peer: NodeId, now_ms: u64) {
        let mut state = self.lock();
        let known = state.peers.entry(peer).or_default();
        known.connected = true;
        known.equal = true;
        known.heard_ms = now_ms;
        state.trouble.clear();
        drop(state);
        tracing::debug!(session = session.0, %peer, "in sync");
        self.equal.send_modify(|count| *count += 1);
    }

    pub(crate) fn not_equal(&self, peer: NodeId) {
        self.lock().peers.entry(peer).or_default().equal = false;
        self.equal.send_modify(|count| *count += 1);
    }

    pub(crate) fn heard(&self, peer: NodeId, now_ms: u64) {
        let mut state = self.lock();
        let known = state.peers.entry(peer).or_default();
        known.connected = true;
        known.heard_ms = now_ms;
    }

    pub(crate) fn disconnected(&self, peer: NodeId) {
        let mut state = self.lock();
        let known = state.peers.entry(peer).or_default();
        known.connected = false;
        known.equal = false;
        drop(state);
        self.equal.send_modify(|count| *count += 1);
    }

    pub(crate) fn closed(&self, reason: &CloseReason) {
        if let CloseReason::Theirs(_, text) = reason {
            self.failed(text.clone());
        }
    }

    /// Notes why a connection did not come about.
    pub(crate) fn failed(&self, why: String) {
        let mut state = self.lock();
        if state.trouble.back() != Some(&why) {
            state.trouble.push_back(why);
        }
        if state.trouble.len() > KEPT_MAX {
            state.trouble.pop_front();
        }
    }

    pub(crate) fn alarm(&self, alarm: Alarm) {
        tracing::error!(alarm = %describe(&alarm), "alarm");
        let mut state = self.lock();
        if state.alarms.back() != Some(&alarm) {
            state.alarms.push_back(alarm);
        }
        if state.alarms.len() > KEPT_MAX {
            state.alarms.pop_front();
        }
    }

    /// Notes that a peer held more of this node's own changes than it did itself.
    pub(crate) fn was_restored(&self) {
        self.lock().restored = true;
    }

    /// What this node noticed of itself, for people.
    pub(crate) fn noticed(&self) -> Vec<&'static str> {
        let restored = "this node was put back to an older state, or copied: it took back what it \
             had sent, and goes on under a fresh key";
        self.lock()
            .restored
            .then_some(restored)
            .into_iter()
            .collect()
    }

    /// The nodes with a session now.
    pub(crate) fn connected(&self) -> BTreeSet<NodeId> {
        let state = self.lock();
        state
            .peers
            .iter()
            .filter(|(_, peer)| peer.connected)
            .map(|(node, _)| *node)
            .collect()
    }

    /// The nodes that were ever heard of since the start.
    pub(crate) fn heard_of(&self) -> BTreeSet<NodeId> {
        self.lock().peers.keys().copied().collect()
    }

    /// When `node` was heard of last.
    pub(crate) fn heard_ms(&self, node: &NodeId) -> Option<u64> {
        self.lock().peers.get(node).map(|peer| peer.heard_ms)
    }

    /// The nodes with which everything shared is known to be equal now.
    pub(crate) fn equal_now(&self) -> BTreeSet<NodeId> {
        let state = self.lock();
        state
            .peers
            .iter()
            .filter(|(_, peer)| peer.equal)
            .map(|(node, _)| *node)
            .collect()
    }

    /// Why the last connections did not come about.
    pub(crate) fn trouble(&self) -> Vec<String> {
        self.lock().trouble.iter().cloned().collect()
    }

    /// What a person must hear of.
    pub(crate) fn alarms(&self) -> Vec<String> {
        self.lock().alarms.iter().map(describe).collect()
    }

    /// Changes whenever a peer becomes equal or stops being so.
    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.equal.subscribe()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn describe(alarm: &Alarm) -> String {
    match alarm {
        Alarm::Fork { .. } => "two different changes were signed under one number: a copy of a \
             hub's node is writing too, or its key was stolen. Both are kept"
            .to_owned(),
        Alarm::Frozen => {
            "NCETM's record of access has two versions: nothing is taken from it until \
             NCETM takes over with the root key"
                .to_owned()
        }
        Alarm::Forged { what, .. } => {
            format!("the other side sent something that its author did not sign: {what}")
        }
        Alarm::Lost { .. } => "two copies of one hub's changes could not be brought together in \
             this connection; it is tried again at the next"
            .to_owned(),
    }
}
