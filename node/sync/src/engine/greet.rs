//! Hello: who speaks, proven, and a summary of what it holds.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use node_feed::{
    Hash, Heights, HubId, NodeId, Refusal, RefusalReason, Retry, SpaceId, Tag, root_digest,
};

use crate::session::{Peer, Phase, Said, Session};
use crate::{
    Changed, Effect, Engine, Goodbye, Hello, Message, PROTOCOL_VERSION, PeerMemory, SessionId,
    session_signature, software_mark,
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
        self.not_live.insert(id);
        self.note_deadline(id);
        if let Some(peer) = dialled {
            let hub = self.authority.hub_of(&peer);
            self.sum_up(id, hub);
            let memory = self.sessions.get(&id);
            let since = memory.and_then(|session| Some(session.memory.as_ref()?.root));
            let changed = self.changed_since(id, since.is_some());
            self.say_hello(id, since, false, changed);
        }
    }

    pub(super) fn greeted(&mut self, id: SessionId, hello: Hello) {
        let node = match self.check_hello(id, &hello) {
            Ok(node) => node,
            Err(reason) => {
                self.leave(id, reason);
                return;
            }
        };
        let hub = self.authority.hub_of(&node);
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        session.peer = Some(Peer {
            node,
            hub,
            software: hello.software,
        });
        if session.dialled.is_some() {
            self.go_live(id, hello);
        } else {
            session.phase = Phase::Recalling(Box::new(hello));
            self.effects.push(Effect::Recall {
                session: id,
                peer: node,
            });
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
        let Some(peer) = &mut session.peer else {
            return;
        };
        let hub = self.authority.hub_of(&peer.node);
        peer.hub = hub;
        session.agreed = hello.since.is_some() && hello.since == root;
        let agreed = session.agreed;
        self.sum_up(id, hub);
        let changed = if self.is_same(id, &hello) {
            Vec::new()
        } else {
            self.changed_since(id, agreed)
        };
        self.say_hello(id, None, agreed, changed);
        self.go_live(id, *hello);
        self.take_waiting_of(id);
    }

    /// Whether both ends hold the same by the two Hellos, whatever the number of spaces.
    pub(super) fn is_same(&self, id: SessionId, hello: &Hello) -> bool {
        let session = self.sessions.get(&id);
        session.is_some_and(|session| hello.root == Some(self.said_root(session)))
    }

    /// The node that the Hello proves to have been said by.
    fn check_hello(&mut self, id: SessionId, hello: &Hello) -> Result<NodeId, Goodbye> {
        let Some(session) = self.sessions.get(&id) else {
            return Err(Goodbye::Other);
        };
        if !hello.versions.contains(&PROTOCOL_VERSION) {
            return Err(Goodbye::Version);
        }
        let dialled = session.dialled;
        let Some(node) = hello.node.or(dialled) else {
            return Err(Goodbye::Unproven);
        };
        let is_expected = dialled.is_none_or(|dialled| dialled == node);
        let role = [u8::from(dialled.is_some())];
        let network = self.authority.network();
        let parts: [&[u8]; 3] = [&session.exporter, &role, network.as_bytes()];
        let key = self.keyring.get(node.as_bytes());
        let proven =
            key.is_ok_and(|key| key.verify(Tag::Session, &parts, &hello.signature).is_ok());
        if !is_expected || !proven || node == self.node {
            return Err(Goodbye::Unproven);
        }
        if self.authority.hub_of(&node).is_some() {
            return Ok(node);
        }
        // The node that was dialled is pinned; one that dials may have been admitted by entries of
        // the authority log that it holds and this node does not. If it has not said what it
        // holds, that is looked at once it has.
        let may_know_more = match &hello.authority {
            Some(theirs) => self.lacks_authority(theirs),
            None => true,
        };
        if !self.is_ended(&node) && (dialled.is_some() || may_know_more) {
            Ok(node)
        } else {
            Err(Goodbye::NotAdmitted)
        }
    }

    pub(super) fn is_ended(&self, node: &NodeId) -> bool {
        let record = self.authority.nodes().get(node);
        record.is_some_and(|record| record.ended.is_some())
    }

    pub(super) fn lacks_authority(&mut self, theirs: &Heights) -> bool {
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
                said.insert(space, Said::of(held));
            }
        }
        let authority = Said::of(self.space(self.authority_space()));
        let receipts = self.receipts_mark(hub);
        if let Some(session) = self.sessions.get_mut(&id) {
            session.said = said;
            session.said_shared = shared.into_iter().collect();
            session.said_authority = authority;
            session.said_receipts = receipts;
        }
    }

    fn said_root(&self, session: &Session) -> Hash {
        let mut all = digests(&session.said);
        if !session.said_authority.heights.is_empty() {
            all.insert(self.authority_space(), session.said_authority.digest);
        }
        root_digest(&all)
    }

    /// What the peer needs to be told: what differs from what both remember, or all.
    fn changed_since(&mut self, id: SessionId, remembered: bool) -> Vec<(SpaceId, Changed)> {
        let Some(session) = self.sessions.get_mut(&id) else {
            return Vec::new();
        };
        let memory = session.memory.as_ref().filter(|_| remembered);
        let Some(memory) = memory else {
            let all = digests(&session.said).into_iter();
            return all
                .map(|(space, digest)| (space, Changed::Digest(digest)))
                .collect();
        };
        let (mut changed, mut told) = (Vec::new(), BTreeSet::new());
        for space in session.said_shared.iter().copied() {
            let (then, none) = (memory.spaces.get(&space), Heights::new());
            let then = then.unwrap_or(&none);
            let said = session.said.get(&space).map(|said| &said.heights);
            let now = said.map_or(&none, Arc::as_ref);
            // Differences cannot say that a feed is gone.
            if then.iter().any(|(feed, _)| now.get(&feed).is_none()) {
                changed.push((space, Changed::Digest(now.digest(space))));
                continue;
            }
            let heights = now.since(then);
            if !heights.is_empty() {
                changed.push((space, Changed::Heights(heights)));
            }
            told.insert(space);
        }
        session.told = told;
        changed
    }

    fn say_hello(
        &mut self,
        id: SessionId,
        since: Option<Hash>,
        agreed: bool,
        changed: Vec<(SpaceId, Changed)>,
    ) {
        let space = self.authority_space();
        let Some(session) = self.sessions.get(&id) else {
            return;
        };
        let is_difference = since.is_some() || agreed;
        let authority = &session.said_authority.heights;
        let then = session.memory.as_ref().filter(|_| is_difference);
        let then = then.map(|memory| memory.spaces.get(&space).cloned().unwrap_or_default());
        let hello = Hello {
            versions: vec![PROTOCOL_VERSION],
            node: session.dialled.map(|_| self.node),
            signature: session_signature(
                &self.own.identity,
                self.authority.network(),
                &session.exporter,
                session.dialled.is_some(),
            ),
            since,
            agreed,
            authority: (then.as_ref() != Some(authority.as_ref()))
                .then(|| authority.as_ref().clone()),
            root: (!is_difference).then(|| self.said_root(session)),
            receipts: session.said_receipts,
            changed,
            software: software_mark(&self.own.software),
        };
        if let Some(session) = self.sessions.get_mut(&id) {
            session.said_since = since;
        }
        self.send(id, Message::Hello(Box::new(hello)));
    }

    /// Begins to send what the node that was dialled must lack, before its Hello has come.
    pub(super) fn send_early(&mut self, id: SessionId) {
        let authority = self.authority_space();
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        let Some(memory) = session.memory.as_ref() else {
            return;
        };
        let admitted = |peer: NodeId| self.authority.hub_of(&peer).is_some();
        // What it refused must not be sent again, and whether that still holds its Hello says.
        if !session.dialled.is_some_and(admitted) || !session.refusals.is_empty() {
            return;
        }
        let mut lacking = Vec::new();
        for space in session.told.iter().chain([&authority]) {
            let then = memory.spaces.get(space).cloned().unwrap_or_default();
            let held = self.spaces.get(space);
            if held.is_some_and(|held| **held.heights() != then) {
                lacking.push((*space, then));
            }
        }
        // Entries that only newer access admits would be refused before it is known.
        if lacking.iter().any(|(space, _)| *space == authority) {
            lacking.retain(|(space, _)| *space == authority);
        }
        for (space, then) in lacking {
            self.add_space(id, space);
            self.begin(id, space, Some(Arc::new(then)), false);
        }
        self.read_early(id);
    }

    /// Both Hellos are said: from here on anything may be sent.
    fn go_live(&mut self, id: SessionId, hello: Hello) {
        self.replace_older(id);
        let authority = self.authority_space();
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        session.phase = Phase::Live;
        self.not_live.remove(&id);
        session.agreed |= session.said_since.is_some() && hello.agreed;
        session.remembered = session.memory.as_ref().map(|memory| memory.root);
        session.unremembered = true;
        self.touched.insert(id);
        let same_receipts = session.said_receipts == hello.receipts;
        let base = session.base(&authority);
        let theirs = hello.authority.clone().or(base);
        self.take_authority_heights(id, theirs);
        self.begin_spaces(id, hello);
        self.recall_refusals(id);
        self.compare_receipts(id, same_receipts);
    }

    /// Takes the peer's word on its authority log; it says it again if it left it out of a Hello
    /// whose `since` is not remembered.
    pub(super) fn take_authority_heights(&mut self, id: SessionId, theirs: Option<Heights>) {
        let space = self.authority_space();
        let Some(theirs) = theirs else {
            return;
        };
        let unknown = |session: &Session| {
            let peer = session.peer.as_ref();
            session.dialled.is_none() && peer.is_some_and(|peer| peer.hub.is_none())
        };
        if self.sessions.get(&id).is_some_and(unknown) && !self.lacks_authority(&theirs) {
            self.leave(id, Goodbye::NotAdmitted);
            return;
        }
        if let Some(session) = self.sessions.get_mut(&id) {
            session.same_authority = session.said_authority.digest == theirs.digest(space);
        }
        self.add_space(id, space);
        self.begin(id, space, Some(Arc::new(theirs)), true);
    }

    /// A second connection that the same end dialled means that the first is half open.
    fn replace_older(&mut self, id: SessionId) {
        let Some(key) = self.sessions.get(&id).and_then(Session::key) else {
            return;
        };
        let older = self.live.insert(key, id);
        if let Some(older) = older.filter(|older| *older != id) {
            self.leave(older, Goodbye::Replaced);
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
            .any(|refusal| software_mark(&refusal.version) != peer.software)
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

impl Said {
    fn of(held: &mut crate::space::Space) -> Self {
        let digest = held.digest();
        let heights = held.heights().clone();
        Self { heights, digest }
    }
}

fn digests(said: &BTreeMap<SpaceId, Said>) -> BTreeMap<SpaceId, Hash> {
    let digests = said.iter().map(|(space, said)| (*space, said.digest));
    digests.collect()
}
