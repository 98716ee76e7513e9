//! The nodes of hubs: listing them, and ending one of them.

use coordinator_registry::{Event, RequestState};
use node::clock::now_ms;
use node_feed::{CutTarget, FeedCut, Hash, Height, HubId, NodeId, SpaceId, SpaceKind};

use super::{OperationError, Operations};

/// A node that was admitted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdmittedNode {
    /// The node.
    pub node: NodeId,
    /// Its hub.
    pub hub: HubId,
    /// Its hub's code.
    pub code: String,
    /// The six digits that were compared before the node was admitted last; empty if it was admitted
    /// without.
    pub check_number: String,
    /// Whether it has a session now.
    pub connected: bool,
    /// Whether its access was ended.
    pub revoked: bool,
}

/// Where an operator lets a feed of a node end: at an earlier entry than the last that is held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChosenEnd {
    /// The space.
    pub space: SpaceId,
    /// The feed's writer key.
    pub writer: [u8; 32],
    /// The last entry that counts; none if nothing of the feed does.
    pub number: Option<u64>,
    /// Its hash. Needed only where this coordinator does not hold the entry, as in a hub's own
    /// space.
    pub hash: Option<Hash>,
}

/// What revoking a node ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeRevocation {
    /// The node.
    pub node: NodeId,
    /// Its hub's code.
    pub code: String,
    /// How many of its hub's nodes still have access after it.
    pub others: usize,
    /// Where its feeds end.
    pub feeds: Vec<FeedCut>,
    /// How many entries held here stand above these ends and will count nowhere.
    pub lost: u64,
}

impl Operations {
    /// All nodes of hubs that were ever admitted, by hub.
    pub fn nodes(&self) -> Vec<AdmittedNode> {
        let authority = self.parts.node.authority();
        let connected = self.parts.node.peers_connected();
        let nodes = authority.nodes().iter();
        let nodes = nodes.filter(|(_, record)| Some(record.hub) != self.own_hub());
        let requests = self.parts.registry.requests(now_ms());
        let requests = requests.unwrap_or_else(|error| {
            tracing::error!(%error, "the check numbers of nodes cannot be read");
            Vec::new()
        });
        let mut nodes = nodes
            .map(|(node, record)| {
                // As it was compared, whatever keys there are by now.
                let request = requests
                    .iter()
                    .find(|it| it.node == *node && it.state == RequestState::Admitted);
                let check = request.map(|request| request.check_number.clone());
                AdmittedNode {
                    node: *node,
                    hub: record.hub,
                    code: self.code_of(record.hub),
                    check_number: check.unwrap_or_default(),
                    connected: connected.contains(node),
                    revoked: record.ended.is_some(),
                }
            })
            .collect::<Vec<_>>();
        nodes.sort_by(|one, other| (&one.code, one.node).cmp(&(&other.code, other.node)));
        nodes
    }

    /// What revoking a node would end. `which` is the node's id or its beginning, or the code of a
    /// hub that has just one. Of the feeds in `ends` less counts than is held here.
    ///
    /// # Errors
    /// [`OperationError`].
    pub fn node_revocation(
        &self,
        which: &str,
        ends: &[ChosenEnd],
    ) -> Result<NodeRevocation, OperationError> {
        let found = self.standing_node(which)?;
        let authority = self.parts.node.authority();
        let others = authority.nodes().iter();
        let others = others.filter(|(node, _)| **node != found.node);
        let others = others.filter(|(_, record)| record.hub == found.hub && record.ended.is_none());
        let mut revocation = NodeRevocation {
            node: found.node,
            code: found.code,
            others: others.count(),
            feeds: Vec::new(),
            lost: 0,
        };
        let mut used = vec![false; ends.len()];
        for space in authority.spaces().keys() {
            for (writer, last) in self.parts.node.tips_of_node(*space, found.node)? {
                let chosen = ends
                    .iter()
                    .position(|end| end.space == *space && end.writer == writer);
                let kept = match chosen {
                    None => Some(last),
                    Some(at) => {
                        used[at] = true;
                        self.lower(&ends[at], last)?
                    }
                };
                let kept_entries = kept.map_or(0, |kept| kept.number + 1);
                revocation.lost += (last.number + 1).saturating_sub(kept_entries);
                revocation.feeds.extend(kept.map(|last| FeedCut {
                    space: *space,
                    writer,
                    last,
                }));
            }
        }
        for (end, _) in ends.iter().zip(used).filter(|(_, used)| !used) {
            revocation.feeds.extend(self.unheld(end, found.hub)?);
        }
        Ok(revocation)
    }

    /// Ends all access of one node. Up to the cut its entries count for everyone, for ever, and
    /// above it nowhere; its hub goes on. `confirm` is the code of its hub.
    ///
    /// # Errors
    /// [`OperationError`]; nothing was changed then.
    pub fn revoke_node(
        &self,
        which: &str,
        confirm: &str,
        why: &str,
        ends: &[ChosenEnd],
    ) -> Result<NodeRevocation, OperationError> {
        let revocation = self.node_revocation(which, ends)?;
        if confirm != revocation.code {
            return Err(OperationError::NotConfirmed(revocation.code));
        }
        let node = revocation.node;
        let hub = self.parts.node.authority().hub_of(&node);
        self.cut(CutTarget::Node(node), why, revocation.feeds.clone())?;
        self.note(
            Event::AccessChanged,
            hub,
            format!("the access of node {node} ended"),
        )?;
        Ok(revocation)
    }

    /// Whether a revoked node's hub keeps records that this coordinator does not hold, so that
    /// only the hub can say where they end.
    pub fn has_own_space(&self, code: &str) -> bool {
        let authority = self.parts.node.authority();
        self.hub_by_code(code).is_some_and(|hub| {
            authority.spaces().iter().any(|(space, record)| {
                record.kind == SpaceKind::Hub && authority.access(hub, *space).is_some()
            })
        })
    }

    fn standing_node(&self, which: &str) -> Result<AdmittedNode, OperationError> {
        let unknown = |what: String| OperationError::UnknownNode(what);
        let nodes = self.nodes();
        let is_meant = |node: &&AdmittedNode| {
            node.code == which || (which.len() >= 6 && node.node.to_string().starts_with(which))
        };
        let meant = nodes.iter().filter(is_meant).collect::<Vec<_>>();
        let standing = meant.iter().filter(|node| !node.revoked);
        match standing.collect::<Vec<_>>()[..] {
            [one] => Ok((*one).clone()),
            [] if which == self.parts.node.id().to_string() => Err(OperationError::OwnHub(
                self.own_hub()
                    .map(|hub| self.code_of(hub))
                    .unwrap_or_default(),
            )),
            [] => match meant[..] {
                [] => Err(unknown(format!("no node of a hub is named \"{which}\""))),
                [revoked, ..] => Err(OperationError::NodeRevoked(revoked.node)),
            },
            _ => Err(unknown(format!(
                "several nodes are named \"{which}\"; give more of the node's id"
            ))),
        }
    }

    /// The entry that an operator chose, if it is held and not above the last one.
    fn lower(&self, end: &ChosenEnd, last: Height) -> Result<Option<Height>, OperationError> {
        let Some(number) = end.number else {
            return Ok(None);
        };
        if number > last.number {
            return Err(OperationError::Cut(format!(
                "a cut at number {number} is above the last entry that is held, number {}; leave \
                 the feed out to keep all of it",
                last.number
            )));
        }
        let held = self.parts.node.heights_at(end.space, end.writer, number)?;
        let held = held
            .into_iter()
            .find(|held| end.hash.is_none_or(|hash| hash == held.hash));
        held.map(Some).ok_or_else(|| {
            OperationError::Cut(format!(
                "entry number {number} that is held here has another hash than the cut names"
            ))
        })
    }

    /// An end in a space that is not held here, as the hub said it.
    fn unheld(&self, end: &ChosenEnd, hub: HubId) -> Result<Option<FeedCut>, OperationError> {
        let authority = self.parts.node.authority();
        if authority.access(hub, end.space).is_none() {
            return Err(OperationError::Cut(format!(
                "the cut names the space {}, where this hub has no access",
                end.space
            )));
        }
        let Some(number) = end.number else {
            return Ok(None);
        };
        let hash = end.hash.ok_or_else(|| {
            OperationError::Cut(format!(
                "the cut names entry number {number} of a feed in the space {} that is not held \
                 here: its hash is needed too",
                end.space
            ))
        })?;
        Ok(Some(FeedCut {
            space: end.space,
            writer: end.writer,
            last: Height { number, hash },
        }))
    }

    pub(super) fn code_of(&self, hub: HubId) -> String {
        let authority = self.parts.node.authority();
        let record = authority.hubs().get(&hub);
        record.map_or_else(|| hub.to_string(), |record| record.code.clone())
    }
}
