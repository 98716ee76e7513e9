//! Hello: who speaks, proven, and a summary of what it holds.

use std::collections::BTreeMap;

use node_feed::{
    Hash, Heights, HubId, NodeId, Refusal, RefusalReason, Retry, SpaceId, Tag, root_digest,
};

use crate::session::{Peer, Phase, Said, Session};
use crate::{
    Effect, Engine, Goodbye, Hello, Message, PROTOCOL_VERSION, PeerMemory, SessionId,
    session_signature,
};

impl Engine {
    pub(super) fn connected(
        &mut self,
        id: SessionId,
        exporter: [u8; 32],
        dialled: Option<NodeId>,
        memory: Option<PeerMemory>,
        refusals: Vec<Refusal>,
    ) {
        let due = self.now.after(self.config.hello_timeout_ms);
        let mut session = Session::new(exporter, dialled, due);
        session.memory = memory;
        session.refusals = refusals;
        self.sessions.insert(id, session);
        if let Some(peer) = dialled {
            let hub = self.authority.hub_of(&peer);
            self.sum_up(id, hub);
            let since = self.sessions.get(&id).and_then(|session| {
                let memory = session.memory.as_ref()?;
                Some(memory.root)
            });
            let changed = self.changed_since(id, since.is_some());
            self.say_hello(id, since, changed);
        }
    }

    pub(super) fn greeted(&mut self, id: SessionId, hello: Hello) {
        if let Err(reason) = self.check_hello(id, &hello) {
            self.leave(id, reason);
            return;
        }
        let hub = self.authority.hub_of(&hello.node);
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        session.peer = Some(Peer {
            node: hello.node,
            hub,
            software: hello.software.clone(),
        });
        if session.dialled.is_some() {
            self.go_live(id, hello);
        } else {
            let peer = hello.node;
            session.phase = Phase::Recalling(Box::new(hello));
            self.effects.push(Effect::Recall { session: id, peer });
        }
    }

    pub(super) fn recalled(
        &mut self,
        id: SessionId,
        memory: Option<PeerMemory>,
        refusals: Vec<Refusal>,
    ) {
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        let Phase::Recalling(hello) = std::mem::replace(&mut session.phase, Phase::Greeting) else {
            return;
        };
        session.memory = memory;
        session.refusals = refusals;
        let root = session.memory.as_ref().map(|memory| memory.root);
        let hub = self.authority.hub_of(&hello.node);
        if let Some(peer) = &mut session.peer {
            peer.hub = hub;
        }
        self.sum_up(id, hub);
        let since = hello.since.filter(|since| root == Some(*since));
        let changed = if self.is_same(id, &hello) {
            Vec::new()
        } else {
            self.changed_since(id, since.is_some())
        };
        self.say_hello(id, since, changed);
        self.go_live(id, *hello);
    }

    /// Whether both ends hold the same by the two Hellos, whatever the number of spaces.
    pub(super) fn is_same(&self, id: SessionId, hello: &Hello) -> bool {
        self.sessions.get(&id).is_some_and(|session| {
            session.said_authority == hello.authority_digest
                && root_digest(&digests(&session.said)) == hello.root
        })
    }

    fn check_hello(&mut self, id: SessionId, hello: &Hello) -> Result<(), Goodbye> {
        let Some(session) = self.sessions.get(&id) else {
            return Err(Goodbye::Other);
        };
        if !hello.versions.contains(&PROTOCOL_VERSION) {
            return Err(Goodbye::Version);
        }
        let is_expected = session.dialled.is_none_or(|node| node == hello.node);
        let role = [u8::from(session.dialled.is_some())];
        let network = self.authority.network();
        let parts: [&[u8]; 3] = [&session.exporter, &role, network.as_bytes()];
        let key = self.keyring.get(hello.node.as_bytes());
        let proven =
            key.is_ok_and(|key| key.verify(Tag::Session, &parts, &hello.signature).is_ok());
        if !is_expected || !proven || hello.node == self.node {
            return Err(Goodbye::Unproven);
        }
        let is_dialled = session.dialled.is_some();
        match self.authority.hub_of(&hello.node) {
            Some(hub) if hub == hello.hub => Ok(()),
            Some(_) => Err(Goodbye::NotAdmitted),
            None if self.is_ended(&hello.node) => Err(Goodbye::NotAdmitted),
            // The node that was dialled is pinned; one that dials may have been admitted by
            // entries of the authority log that it holds and this node does not.
            None if is_dialled || self.lacks_authority(&hello.authority) => Ok(()),
            None => Err(Goodbye::NotAdmitted),
        }
    }

    pub(super) fn is_ended(&self, node: &NodeId) -> bool {
        let record = self.authority.nodes().get(node);
        record.is_some_and(|record| record.ended.is_some())
    }

    fn lacks_authority(&mut self, theirs: &Heights) -> bool {
        let ours = self.space(self.authority_space()).heights();
        theirs.iter().any(|(feed, height)| {
            ours.get(&feed).is_none_or(|held| {
                held.number < height.number
                    || (held.number == height.number && held.hash != height.hash)
            })
        })
    }

    /// The spaces that a node of `hub` shares with this one, without the authority's.
    pub(super) fn shared(&self, hub: Option<HubId>) -> Vec<SpaceId> {
        let length = self.authority.length();
        hub.map(|hub| self.authority.shared_at(length, self.own.hub, hub))
            .unwrap_or_default()
    }

    fn sum_up(&mut self, id: SessionId, hub: Option<HubId>) {
        let mut said = BTreeMap::new();
        let shared = self.shared(hub);
        for space in shared.iter().copied() {
            if let Some(held) = self.spaces.get_mut(&space)
                && !held.heights().is_empty()
            {
                let digest = held.digest();
                let heights = held.heights().clone();
                said.insert(space, Said { heights, digest });
            }
        }
        let authority = self.digest(self.authority_space());
        let receipts = self.receipts_digest(hub);
        if let Some(session) = self.sessions.get_mut(&id) {
            session.said = said;
            session.said_shared = shared.into_iter().collect();
            session.said_authority = authority;
            session.said_receipts = receipts;
        }
    }

    /// The digests that the peer needs: those that differ from what both remember, or all.
    fn changed_since(&self, id: SessionId, remembered: bool) -> Vec<(SpaceId, Hash)> {
        let Some(session) = self.sessions.get(&id) else {
            return Vec::new();
        };
        let memory = session.memory.as_ref().filter(|_| remembered);
        let Some(memory) = memory else {
            return digests(&session.said).into_iter().collect();
        };
        let digest = |space: SpaceId| {
            let empty = || Heights::new().digest(space);
            let said = session.said.get(&space).map(|said| said.digest);
            let then = memory.spaces.get(&space).map(|then| then.digest(space));
            let now = said.unwrap_or_else(empty);
            (then.unwrap_or_else(empty) != now).then_some((space, now))
        };
        let shared = session.said_shared.iter().copied();
        shared.filter_map(digest).collect()
    }

    fn say_hello(&mut self, id: SessionId, since: Option<Hash>, changed: Vec<(SpaceId, Hash)>) {
        let authority = self
            .space(self.authority_space())
            .heights()
            .as_ref()
            .clone();
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        session.said_since = since;
        let hello = Hello {
            versions: vec![PROTOCOL_VERSION],
            node: self.node,
            hub: self.own.hub,
            incarnation: self.own.incarnation,
            signature: session_signature(
                &self.own.identity,
                self.authority.network(),
                &session.exporter,
                session.dialled.is_some(),
            ),
            authority_digest: session.said_authority,
            authority,
            root: root_digest(&digests(&session.said)),
            receipts: session.said_receipts,
            since,
            changed,
            software: self.own.software.clone(),
        };
        self.send(id, Message::Hello(Box::new(hello)));
    }

    /// Both Hellos are said: from here on anything may be sent.
    fn go_live(&mut self, id: SessionId, hello: Hello) {
        self.replace_older(id);
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        session.phase = Phase::Live;
        session.same_authority = session.said_authority == hello.authority_digest;
        session.agreed = session.said_since.is_some() && session.said_since == hello.since;
        session.remembered = session.memory.as_ref().map(|memory| memory.root);
        self.touched.insert(id);
        let receipts_differ = session.said_receipts != hello.receipts;
        self.begin_spaces(id, hello);
        self.recall_refusals(id);
        if receipts_differ {
            self.say_receipts_held(id);
        }
    }

    /// A second connection that the same end dialled means that the first is half open.
    fn replace_older(&mut self, id: SessionId) {
        let Some(new) = self.sessions.get(&id) else {
            return;
        };
        let key = |session: &Session| {
            let node = session.peer.as_ref().map(|peer| peer.node);
            (node, session.dialled.is_some())
        };
        let older = self
            .sessions
            .iter()
            .filter(|(other, session)| {
                **other != id && session.is_live() && key(session) == key(new)
            })
            .map(|(other, _)| *other)
            .collect::<Vec<_>>();
        for other in older {
            self.leave(other, Goodbye::Replaced);
        }
    }

    /// What the peer refused for good holds until its version changes.
    fn recall_refusals(&mut self, id: SessionId) {
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        let Some(peer) = session.peer.clone() else {
            return;
        };
        let refusals = std::mem::take(&mut session.refusals);
        if refusals
            .iter()
            .any(|refusal| refusal.version != peer.software)
        {
            let peer = Some(peer.node);
            self.effects.push(Effect::RefusalsCleared { peer });
            return;
        }
        for refusal in refusals {
            if refusal.reason.retry() == Retry::Never && refusal.reason != RefusalReason::Gap {
                self.hold_back(id, &refusal);
            }
        }
    }
}

fn digests(said: &BTreeMap<SpaceId, Said>) -> BTreeMap<SpaceId, Hash> {
    let digests = said.iter().map(|(space, said)| (*space, said.digest));
    digests.collect()
}
