//! Who takes part, in which spaces, and until where: the authority log, folded.

mod records;

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;

use crate::{
    Access, Admission, Cut, CutTarget, Fact, FeedName, GrantId, Hash, Height, HubId, NetworkId,
    NodeId, Opening, RefusalReason, SpaceId, SpaceKind,
};

pub use records::{CutRecord, GrantRecord, HubRecord, NodeRecord, SpaceRecord, TermRecord};

/// The state that the authority log's facts add up to.
///
/// Access at any earlier place of the log can still be asked for, so that two nodes can compare
/// under the older of the two states that they know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authority {
    network: NetworkId,
    length: u64,
    hubs: BTreeMap<HubId, HubRecord>,
    nodes: BTreeMap<NodeId, NodeRecord>,
    spaces: BTreeMap<SpaceId, SpaceRecord>,
    grants: BTreeMap<GrantId, GrantRecord>,
    /// Grants of a hub's own space to another hub, which never count.
    void: BTreeSet<GrantId>,
    /// The hub that each space was granted first.
    first_of: BTreeMap<SpaceId, HubId>,
    /// The grants of each space to each hub: access is asked for at every receipt.
    granted: BTreeMap<(SpaceId, HubId), Vec<GrantId>>,
    /// The spaces that each hub was ever granted.
    spaces_of: BTreeMap<HubId, BTreeSet<SpaceId>>,
    cuts: Vec<CutRecord>,
    certificates: Option<Bytes>,
    terms: BTreeMap<FeedName, TermRecord>,
    frozen: bool,
}

impl Authority {
    /// The state before the first fact.
    pub const fn new(network: NetworkId) -> Self {
        Self {
            network,
            length: 0,
            hubs: BTreeMap::new(),
            nodes: BTreeMap::new(),
            spaces: BTreeMap::new(),
            grants: BTreeMap::new(),
            void: BTreeSet::new(),
            first_of: BTreeMap::new(),
            granted: BTreeMap::new(),
            spaces_of: BTreeMap::new(),
            cuts: Vec::new(),
            certificates: None,
            terms: BTreeMap::new(),
            frozen: false,
        }
    }

    /// Takes the log's next entry. `fact` is none for an `open` and for an entry of a kind or
    /// number that this version does not know: it counts, without effect.
    pub fn take(&mut self, hash: Hash, fact: Option<Fact>) {
        let at = self.length;
        self.length += 1;
        match fact {
            Some(Fact::Hub { hub, code, name }) => {
                self.hubs.insert(hub, HubRecord { code, name });
            }
            Some(Fact::Node { hub, node }) => {
                // A node stays with the hub that it first belonged to, and never comes back.
                self.nodes
                    .entry(node)
                    .or_insert(NodeRecord { hub, ended: None });
            }
            Some(Fact::Space { space, kind, title }) => self.space(space, kind, title),
            Some(Fact::Grant { space, hub, access }) => {
                let grant = GrantRecord {
                    space,
                    hub,
                    access,
                    since: at,
                    ended: None,
                };
                self.grant(GrantId::from_bytes(*hash.as_bytes()), grant);
            }
            Some(Fact::Cut(cut)) => self.cut(at, cut),
            Some(Fact::Certificates { authority }) => self.certificates = Some(authority),
            Some(Fact::Unknown(_)) | None => {}
        }
    }

    /// Takes note of a term whose `open` is held, whether it counts or not. Of two terms of one
    /// key, which only a misused root key makes, the greater is known.
    pub fn know_term(&mut self, writer: FeedName, term: TermRecord) {
        let known = self.terms.entry(writer).or_insert(term);
        *known = term.max(*known);
    }

    /// Marks the log as forked: what is known stays, and nobody may add to it.
    pub const fn freeze(&mut self) {
        self.frozen = true;
    }

    /// Whether the log is forked and waits for the root key.
    pub const fn is_frozen(&self) -> bool {
        self.frozen
    }

    /// The network.
    pub const fn network(&self) -> NetworkId {
        self.network
    }

    /// How many entries count.
    pub const fn length(&self) -> u64 {
        self.length
    }

    /// The hubs.
    pub const fn hubs(&self) -> &BTreeMap<HubId, HubRecord> {
        &self.hubs
    }

    /// The nodes, ended ones included.
    pub const fn nodes(&self) -> &BTreeMap<NodeId, NodeRecord> {
        &self.nodes
    }

    /// The spaces.
    pub const fn spaces(&self) -> &BTreeMap<SpaceId, SpaceRecord> {
        &self.spaces
    }

    /// The grants, ended ones included.
    pub const fn grants(&self) -> &BTreeMap<GrantId, GrantRecord> {
        &self.grants
    }

    /// The cuts, in order.
    pub fn cuts(&self) -> &[CutRecord] {
        &self.cuts
    }

    /// The authority that signs nodes' certificates, as DER.
    pub const fn certificates(&self) -> Option<&Bytes> {
        self.certificates.as_ref()
    }

    /// The hub of a node that may take part now.
    pub fn hub_of(&self, node: &NodeId) -> Option<HubId> {
        self.nodes
            .get(node)
            .filter(|record| record.ended.is_none())
            .map(|record| record.hub)
    }

    /// What `hub` may do in `space` now.
    pub fn access(&self, hub: HubId, space: SpaceId) -> Option<Access> {
        self.access_at(self.length, hub, space)
    }

    /// What `hub` might do in `space` when the log had `length` entries.
    pub fn access_at(&self, length: u64, hub: HubId, space: SpaceId) -> Option<Access> {
        self.granted(space, hub)
            .filter(|(_, grant)| grant.is_open(length))
            .map(|(_, grant)| grant.access)
            .max()
    }

    /// Every grant of `space` to `hub`, ended ones included, in the order of the log.
    fn granted(&self, space: SpaceId, hub: HubId) -> impl Iterator<Item = (GrantId, &GrantRecord)> {
        let ids = self.granted.get(&(space, hub)).into_iter().flatten();
        ids.filter_map(|id| Some((*id, self.grants.get(id)?)))
    }

    /// The spaces that both hubs might read when the log had `length` entries, in order.
    pub fn shared_at(&self, length: u64, one: HubId, other: HubId) -> Vec<SpaceId> {
        let spaces = |hub: HubId| self.spaces_of.get(&hub).map_or(0, BTreeSet::len);
        let (few, many) = if spaces(one) <= spaces(other) {
            (one, other)
        } else {
            (other, one)
        };
        let reads = |hub: HubId, space: SpaceId| self.access_at(length, hub, space).is_some();
        let of_few = self.spaces_of.get(&few).into_iter().flatten().copied();
        of_few
            .filter(|space| reads(few, *space) && reads(many, *space))
            .collect()
    }

    /// The hubs that may read `space` now.
    pub fn members(&self, space: SpaceId) -> Vec<HubId> {
        self.readers(space).collect()
    }

    /// The same, each looked up when it is asked for.
    pub fn readers(&self, space: SpaceId) -> impl Iterator<Item = HubId> {
        let first = HubId::from_bytes([0; HubId::BYTES]);
        let last = HubId::from_bytes([0xff; HubId::BYTES]);
        let granted = self.granted.range((space, first)..=(space, last));
        let hubs = granted.map(|((_, hub), _)| *hub);
        hubs.filter(move |hub| self.access(*hub, space).is_some())
    }

    /// The grant under which `hub` may open a feed in `space` now.
    pub fn write_grant(&self, hub: HubId, space: SpaceId) -> Option<GrantId> {
        self.granted(space, hub)
            .filter(|(_, grant)| grant.access == Access::Write && grant.is_open(self.length))
            .max_by_key(|(_, grant)| grant.since)
            .map(|(id, _)| id)
    }

    /// Every place where the log cuts the feed of `writer` in `space`. A run that ends at one of
    /// them needs no signature.
    pub fn cuts_of(&self, space: SpaceId, writer: &[u8; 32]) -> Vec<Height> {
        let writer_name = FeedName::from_bytes(*writer);
        let ends = self.terms.values().filter_map(|term| term.continues);
        if space == SpaceId::authority(self.network) {
            ends.filter(|(feed, _)| *feed == writer_name)
                .map(|(_, height)| height)
                .collect()
        } else {
            self.cuts
                .iter()
                .flat_map(|record| record.cut.of(space, writer))
                .collect()
        }
    }

    /// What counts of the feed that `writer` opened in `space`.
    pub fn admission(&self, space: SpaceId, writer: &[u8; 32], opening: &Opening) -> Admission {
        let (hub, node, grant) = match opening {
            Opening::Node { hub, node, grant } => (hub, node, grant),
            Opening::Authority { term, .. } => {
                return self.term_admission(FeedName::from_bytes(*writer), *term);
            }
        };
        if self.void.contains(grant) {
            return Admission::Never(RefusalReason::Grant);
        }
        let Some(granted) = self.grants.get(grant) else {
            return Admission::NotYet(RefusalReason::GrantUnknown);
        };
        let Some(known) = self.nodes.get(node) else {
            return Admission::NotYet(RefusalReason::GrantUnknown);
        };
        if known.hub != *hub
            || granted.hub != *hub
            || granted.space != space
            || granted.access != Access::Write
        {
            return Admission::Never(RefusalReason::Grant);
        }
        let of_node = |record: &&CutRecord| record.cut.target == CutTarget::Node(*node);
        let node_ended = self.cuts.iter().find(of_node).map(|record| record.at);
        let ended = [granted.ended, node_ended].into_iter().flatten().min();
        match ended.and_then(|at| self.cuts.iter().find(|cut| cut.at == at)) {
            None => Admission::All,
            Some(record) if self.leaves_own(&record.cut, space) => Admission::All,
            Some(record) => Admission::UpTo(record.cut.of(space, writer)),
        }
    }

    /// Whether a cut of one node says nothing of a hub's own space: whoever made it holds none of
    /// that space, and the hub's records there are not its to end.
    fn leaves_own(&self, cut: &Cut, space: SpaceId) -> bool {
        matches!(cut.target, CutTarget::Node(_))
            && is_own(&self.spaces, space)
            && cut.feeds.iter().all(|feed| feed.space != space)
    }

    /// What counts of a term: found by walking back from the highest one. If the root key named
    /// two for that, each holds up what it continues from, and the log freezes (see
    /// [`AuthorityLog`](crate::AuthorityLog)).
    pub(crate) fn term_admission(&self, writer: FeedName, term: u64) -> Admission {
        let highest = self.terms.values().map(|record| record.term).max();
        let Some(highest) = highest.filter(|highest| term < *highest) else {
            return Admission::All;
        };
        let mut ends = Vec::new();
        for record in self.terms.values().filter(|record| record.term == highest) {
            match self.end_under(record, writer) {
                Ok(end) => ends.extend(end),
                Err(reason) => return Admission::NotYet(reason),
            }
        }
        Admission::UpTo(ends)
    }

    /// The last entry of `writer` that `record` continues from, through the terms between.
    fn end_under(
        &self,
        record: &TermRecord,
        writer: FeedName,
    ) -> Result<Option<Height>, RefusalReason> {
        let mut end = record.continues;
        let mut above = record.term;
        while let Some((feed, height)) = end {
            if feed == writer {
                return Ok(Some(height));
            }
            match self.terms.get(&feed) {
                // Terms fall along the chain, or the root key was misused.
                Some(earlier) if earlier.term < above => {
                    above = earlier.term;
                    end = earlier.continues;
                }
                Some(_) => return Ok(None),
                None => return Err(RefusalReason::Gap),
            }
        }
        Ok(None)
    }

    /// What a space is for never changes, and nobody had access to a hub's own before it was one:
    /// whoever writes the log could read what a hub keeps for itself else.
    fn space(&mut self, space: SpaceId, kind: SpaceKind, title: String) {
        if kind == SpaceKind::Hub && self.first_of.contains_key(&space) {
            return;
        }
        let known = self.spaces.entry(space);
        known
            .and_modify(|record| record.title.clone_from(&title))
            .or_insert(SpaceRecord { kind, title });
    }

    /// A hub's own space is the hub's that was granted it first, and nobody else's.
    fn grant(&mut self, id: GrantId, grant: GrantRecord) {
        let (space, hub) = (grant.space, grant.hub);
        let first = *self.first_of.entry(space).or_insert(hub);
        if is_own(&self.spaces, space) && first != hub {
            self.void.insert(id);
            return;
        }
        self.grants.insert(id, grant);
        self.granted.entry((space, hub)).or_default().push(id);
        self.spaces_of.entry(hub).or_default().insert(space);
    }

    fn cut(&mut self, at: u64, cut: Cut) {
        let hub = match cut.target {
            CutTarget::Grant(hub, _) | CutTarget::Hub(hub) => Some(hub),
            CutTarget::Node(_) => None,
        };
        let space = match cut.target {
            CutTarget::Grant(_, space) => Some(space),
            CutTarget::Hub(_) | CutTarget::Node(_) => None,
        };
        for grant in self.grants.values_mut() {
            let own = is_own(&self.spaces, grant.space);
            let covered = space.is_none_or(|space| space == grant.space) && !own;
            if Some(grant.hub) == hub && covered {
                grant.ended.get_or_insert(at);
            }
        }
        for (node, record) in &mut self.nodes {
            let of_hub = matches!(cut.target, CutTarget::Hub(hub) if hub == record.hub);
            if of_hub || matches!(cut.target, CutTarget::Node(ended) if ended == *node) {
                record.ended.get_or_insert(at);
            }
        }
        self.cuts.push(CutRecord { at, cut });
    }
}

/// Whether `space` is one hub's alone. Its records are no one else's to end: no cut of the hub or of
/// its grant reaches them.
fn is_own(spaces: &BTreeMap<SpaceId, SpaceRecord>, space: SpaceId) -> bool {
    spaces
        .get(&space)
        .is_some_and(|record| record.kind == SpaceKind::Hub)
}
