//! Ending a hub's access: to one space, or to all.

use coordinator_registry::Event;
use node::clock::now_ms;
use node_feed::{Cut, CutTarget, Fact, FeedCut, HubId, NodeId, SpaceId, SpaceKind};

use super::{OperationError, Operations};

/// What revoking a hub ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revocation {
    /// The hub.
    pub hub: HubId,
    /// Its nodes that still have access.
    pub nodes: Vec<NodeId>,
    /// The titles of the shared spaces that it loses.
    pub spaces: Vec<String>,
    /// Where its feeds end.
    pub feeds: Vec<FeedCut>,
}

impl Operations {
    /// Ends a hub's access to one space; what this coordinator holds of it until now counts.
    /// Returns how many feeds it cut.
    ///
    /// # Errors
    /// [`OperationError`].
    pub fn withdraw(&self, space: SpaceId, code: &str, why: &str) -> Result<u32, OperationError> {
        let hub = self.standing_hub(code)?;
        self.not_own(hub, code)?;
        let authority = self.parts.node.authority();
        if authority.access(hub, space).is_none() {
            return Err(OperationError::NoAccess(code.to_owned()));
        }
        let record = authority.spaces().get(&space);
        if record.is_some_and(|record| record.kind == SpaceKind::Hub) {
            return Err(OperationError::OwnSpace);
        }
        let feeds = self.tips(hub, &[space])?;
        let count = count(&feeds);
        self.cut(CutTarget::Grant(hub, space), why, feeds)?;
        self.note(
            Event::AccessChanged,
            Some(hub),
            format!("access to {space} ended"),
        )?;
        Ok(count)
    }

    /// What revoking a hub would end.
    ///
    /// # Errors
    /// [`OperationError`].
    pub fn revocation(&self, code: &str) -> Result<Revocation, OperationError> {
        let hub = self.standing_hub(code)?;
        self.not_own(hub, code)?;
        let authority = self.parts.node.authority();
        let granted = authority.grants().values().filter(|grant| grant.hub == hub);
        let mut granted = granted.map(|grant| grant.space).collect::<Vec<_>>();
        granted.sort_unstable();
        granted.dedup();
        let shared = granted.iter().filter_map(|space| {
            let record = authority.spaces().get(space)?;
            let loses = record.kind != SpaceKind::Hub && authority.access(hub, *space).is_some();
            loses.then(|| record.title.clone())
        });
        let nodes = authority.nodes().iter();
        let nodes = nodes.filter(|(_, node)| node.hub == hub && node.ended.is_none());
        Ok(Revocation {
            hub,
            nodes: nodes.map(|(node, _)| *node).collect(),
            spaces: shared.collect(),
            feeds: self.tips(hub, &granted)?,
        })
    }

    /// Ends all access of a hub; it is cut off even while connected.
    ///
    /// # Errors
    /// [`OperationError`].
    pub fn revoke(&self, code: &str, why: &str) -> Result<Revocation, OperationError> {
        let ended = self.revocation(code)?;
        let hub = ended.hub;
        self.parts.registry.withdraw_invitations(hub, now_ms())?;
        self.refuse_all_waiting(hub)?;
        self.cut(CutTarget::Hub(hub), why, ended.feeds.clone())?;
        self.note(
            Event::AccessChanged,
            Some(hub),
            "all access ended".to_owned(),
        )?;
        Ok(ended)
    }

    /// Where the hub's feeds in these spaces end.
    fn tips(&self, hub: HubId, spaces: &[SpaceId]) -> Result<Vec<FeedCut>, OperationError> {
        let mut feeds = Vec::new();
        for space in spaces {
            for (writer, last) in self.parts.node.tips_of_hub(*space, hub)? {
                feeds.push(FeedCut {
                    space: *space,
                    writer,
                    last,
                });
            }
        }
        Ok(feeds)
    }

    pub(super) fn cut(
        &self,
        target: CutTarget,
        why: &str,
        feeds: Vec<FeedCut>,
    ) -> Result<(), OperationError> {
        let reason = if why.is_empty() {
            "no reason was given".to_owned()
        } else {
            why.to_owned()
        };
        self.parts.authority.write(&[Fact::Cut(Cut {
            target,
            reason,
            feeds,
        })])?;
        Ok(())
    }
}

fn count(feeds: &[FeedCut]) -> u32 {
    u32::try_from(feeds.len()).unwrap_or(u32::MAX)
}
