//! What is known of peers, for people: connected or not, equal or not, and what went wrong.

mod refused;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use node_feed::{NodeId, Refusal};
use node_sync::{Alarm, CloseReason, SessionId};
use tokio::sync::watch;

pub use refused::{RefusedEntry, RefusedSession};

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
    refused_entries: VecDeque<RefusedEntry>,
    refused_sessions: VecDeque<RefusedSession>,
    /// By how much the clock of a session's other end is ahead, until it is known whose it is.
    clocks: BTreeMap<SessionId, i64>,
    restored: bool,
}

#[derive(Debug, Default, Clone)]
struct PeerState {
    connected: bool,
    equal: bool,
    heard_ms: u64,
    clock_ahead_ms: Option<i64>,
}

impl Peers {
    pub(crate) fn new() -> Self {
        Self {
            state: Mutex::default(),
            equal: watch::channel(0).0,
        }
    }

    /// Everything shared with `peer` is equal. Whether it had no session known here until now.
    pub(crate) fn equal(&self, session: SessionId, peer: NodeId, now_ms: u64) -> bool {
        let mut state = self.lock();
        let known = state.peers.entry(peer).or_default();
        let is_new = !std::mem::replace(&mut known.connected, true);
        known.equal = true;
        known.heard_ms = now_ms;
        state.trouble.clear();
        drop(state);
        tracing::debug!(session = session.0, %peer, "in sync");
        self.equal.send_modify(|count| *count += 1);
        is_new
    }

    pub(crate) fn not_equal(&self, peer: NodeId) {
        self.lock().peers.entry(peer).or_default().equal = false;
        self.equal.send_modify(|count| *count += 1);
    }

    /// Something was heard of `peer`. Whether it had no session known here until now.
    pub(crate) fn heard(&self, peer: NodeId, now_ms: u64) -> bool {
        let mut state = self.lock();
        let known = state.peers.entry(peer).or_default();
        known.heard_ms = now_ms;
        !std::mem::replace(&mut known.connected, true)
    }

    /// The other end of a session has proven that it is `peer`. Whether that had no session known
    /// here until now.
    pub(crate) fn proven(&self, session: SessionId, peer: NodeId, now_ms: u64) -> bool {
        let is_new = self.heard(peer, now_ms);
        let mut state = self.lock();
        let clock = state.clocks.remove(&session);
        let known = state.peers.entry(peer).or_default();
        known.clock_ahead_ms = clock.or(known.clock_ahead_ms);
        drop(state);
        self.equal.send_modify(|count| *count += 1);
        is_new
    }

    /// A session's other end said what its clock shows; 0 if it did not.
    pub(crate) fn clock(&self, session: SessionId, clock_ms: u64, now_ms: u64) {
        if clock_ms > 0 {
            let ahead = i128::from(clock_ms) - i128::from(now_ms);
            let ahead = i64::try_from(ahead).unwrap_or(i64::MAX);
            self.lock().clocks.insert(session, ahead);
        }
    }

    /// A session is over, whoever it was with.
    pub(crate) fn over(&self, session: SessionId) {
        self.lock().clocks.remove(&session);
    }

    pub(crate) fn disconnected(&self, peer: NodeId, now_ms: u64) {
        let mut state = self.lock();
        let known = state.peers.entry(peer).or_default();
        if known.connected {
            known.heard_ms = now_ms;
        }
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

    /// By how many ms a node's clock was ahead of this one's when it last connected.
    pub(crate) fn clock_ahead_ms(&self, node: &NodeId) -> Option<i64> {
        self.lock().peers.get(node)?.clock_ahead_ms
    }

    /// Notes that an entry which a peer sent was refused here.
    pub(crate) fn refused_entry(&self, peer: NodeId, refusal: Refusal, now_ms: u64) {
        let mut state = self.lock();
        RefusedEntry::note(&mut state.refused_entries, peer, refusal, now_ms);
        drop(state);
        self.equal.send_modify(|count| *count += 1);
    }

    /// Notes that a session was refused here.
    pub(crate) fn refused_session(&self, peer: Option<NodeId>, why: &str, now_ms: u64) {
        let mut state = self.lock();
        RefusedSession::note(&mut state.refused_sessions, peer, why, now_ms);
        drop(state);
        self.equal.send_modify(|count| *count += 1);
    }

    /// What was refused here since the start: the latest of each peer, feed and reason.
    pub(crate) fn refused_entries(&self) -> Vec<RefusedEntry> {
        self.lock().refused_entries.iter().cloned().collect()
    }

    /// Which sessions were refused here since the start: the latest of each peer and reason.
    pub(crate) fn refused_sessions(&self) -> Vec<RefusedSession> {
        self.lock().refused_sessions.iter().cloned().collect()
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

    /// Changes whenever a peer connects, becomes equal, stops being so, or is refused something.
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
        Alarm::Copy { what, .. } => {
            format!(
                "another node sent a first copy that does not hold ({what}); what it was of is \
                 fetched again, change by change"
            )
        }
        Alarm::Forged { what, .. } => {
            format!("the other side sent something that its author did not sign: {what}")
        }
        Alarm::Lost { .. } => "two copies of one hub's changes could not be brought together in \
             this connection; it is tried again at the next"
            .to_owned(),
    }
}
