//! Making spaces, and giving hubs access to them.

use std::collections::BTreeSet;

use coordinator_registry::Event;
use node::records::{check_agreed, check_record};
use node_feed::{Access, Fact, HubId, SpaceId, SpaceKind};
use serde_json::json;

use super::{OperationError, Operations};

/// The kind of a project's record.
const PROJECT_RECORD: &str = "project-work";

impl Operations {
    /// Makes a space with the coordinator's own access. A network space is every hub's.
    ///
    /// # Errors
    /// [`OperationError::Authority`].
    pub fn create_space(&self, kind: SpaceKind, title: &str) -> Result<SpaceId, OperationError> {
        let space = SpaceId::from_bytes(node::random());
        let mut facts = vec![Fact::Space {
            space,
            kind,
            title: title.to_owned(),
        }];
        let authority = self.parts.node.authority();
        let mut hubs = self.own_hub().into_iter().collect::<BTreeSet<HubId>>();
        if kind == SpaceKind::Network {
            let others = authority.hubs().keys().copied();
            hubs.extend(others.filter(|hub| !self.is_revoked(*hub)));
        }
        facts.extend(hubs.into_iter().map(|hub| Fact::Grant {
            space,
            hub,
            access: Access::Write,
        }));
        self.parts.authority.write(&facts)?;
        Ok(space)
    }

    /// Makes a project's space and its record. `agreed` names the fields of group summaries that
    /// the data agreement lists. Returns the space and the record's id.
    ///
    /// # Errors
    /// [`OperationError`]. Nothing was made then, unless it is [`OperationError::RecordLost`].
    pub fn create_project(
        &self,
        title: &str,
        code: &str,
        agreed: &[String],
    ) -> Result<(SpaceId, String), OperationError> {
        // The log forgets nothing, so the record is checked before its space exists.
        let record = json!({ "title": title, "code": code, "agreed_fields": agreed }).to_string();
        check_agreed(agreed)?;
        check_record(PROJECT_RECORD, &record)?;
        let space = self.create_space(SpaceKind::Project, title)?;
        let made = self
            .parts
            .node
            .create_record(PROJECT_RECORD, &space.to_string(), &record);
        match made {
            Ok(made) => Ok((space, made.id.to_string())),
            Err(source) => Err(OperationError::RecordLost { space, source }),
        }
    }

    /// Gives a hub access to a space; access that it has already stays as it is.
    ///
    /// # Errors
    /// [`OperationError`]. A hub's own space is refused: the grant would have no effect.
    pub fn grant(&self, space: SpaceId, code: &str, access: Access) -> Result<(), OperationError> {
        let authority = self.parts.node.authority();
        let Some(record) = authority.spaces().get(&space) else {
            return Err(OperationError::UnknownSpace(space.to_string()));
        };
        if record.kind == SpaceKind::Hub {
            return Err(OperationError::OwnSpace);
        }
        let hub = self.standing_hub(code)?;
        match (authority.access(hub, space), access) {
            (Some(Access::Write), Access::Read) => {
                return Err(OperationError::MayWrite(code.to_owned()));
            }
            (Some(Access::Write), Access::Write) | (Some(Access::Read), Access::Read) => {
                return Ok(());
            }
            (Some(Access::Read), Access::Write) | (None, _) => {}
        }
        self.parts
            .authority
            .write(&[Fact::Grant { space, hub, access }])?;
        let access = match access {
            Access::Read => "read",
            Access::Write => "write",
        };
        self.note(
            Event::AccessChanged,
            Some(hub),
            format!("may {access} in {space}"),
        )
    }
}
