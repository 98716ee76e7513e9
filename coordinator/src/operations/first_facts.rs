//! What a network and a hub start with.

use node_feed::{Access, Authority, Fact, HubId, SpaceId, SpaceKind};

use super::{OperationError, Operations};

impl Operations {
    /// Writes what every network starts with, as far as it is missing: the coordinator's hub and
    /// node, the certificates' authority, and the space of every hub. A set-up that failed halfway
    /// is finished by the next that may write.
    ///
    /// # Errors
    /// [`OperationError::Authority`].
    pub(crate) fn ensure_first_facts(&self) -> Result<(), OperationError> {
        let node = &self.parts.node;
        let authority = node.authority();
        let mut facts = Vec::new();
        if let Some(hub) = self.own_hub() {
            if !authority.hubs().contains_key(&hub) {
                facts.push(Fact::Hub {
                    hub,
                    code: "coordinator".to_owned(),
                    name: "NCETM".to_owned(),
                });
            }
            if !authority.nodes().contains_key(&node.id()) {
                facts.push(Fact::Node {
                    hub,
                    node: node.id(),
                });
            }
        }
        facts.extend(self.unnamed_authority());
        if !facts.is_empty() {
            self.parts.authority.write(&facts)?;
        }
        let mut spaces = authority.spaces().values();
        if !spaces.any(|record| record.kind == SpaceKind::Network) {
            self.create_space(SpaceKind::Network, "Every hub")?;
        }
        Ok(())
    }

    /// A hub's own space, its pair with the coordinator and every network space, unless there.
    pub(super) fn first_spaces(
        &self,
        authority: &Authority,
        hub: HubId,
        name: &str,
        facts: &mut Vec<Fact>,
    ) {
        let has = |kind: SpaceKind| {
            authority.spaces().iter().any(|(space, record)| {
                record.kind == kind && authority.access(hub, *space).is_some()
            })
        };
        let write = Access::Write;
        if !has(SpaceKind::Hub) {
            let space = SpaceId::from_bytes(node::random());
            let title = format!("{name}: own records");
            facts.push(Fact::Space {
                space,
                kind: SpaceKind::Hub,
                title,
            });
            facts.push(Fact::Grant {
                space,
                hub,
                access: write,
            });
        }
        if !has(SpaceKind::Pair) {
            let space = SpaceId::from_bytes(node::random());
            let title = format!("{name} and NCETM");
            facts.push(Fact::Space {
                space,
                kind: SpaceKind::Pair,
                title,
            });
            facts.push(Fact::Grant {
                space,
                hub,
                access: write,
            });
            if let Some(own) = self.own_hub() {
                facts.push(Fact::Grant {
                    space,
                    hub: own,
                    access: write,
                });
            }
        }
        for (space, record) in authority.spaces() {
            if record.kind == SpaceKind::Network && authority.access(hub, *space).is_none() {
                facts.push(Fact::Grant {
                    space: *space,
                    hub,
                    access: write,
                });
            }
        }
    }
}
