//! What an operator can do, each step durable in the authority log before it is answered.

mod certificates;
mod ending;
mod error;
mod first_facts;
mod health;
mod identity;
mod keeping;
mod nodes;
mod operator_desk;
mod sample;
mod spaces;
mod suspending;
mod waiting;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock};

use coordinator_registry::{AuditLine, Event, Registry, RegistryError};
use node::Node;
use node::clock::now_ms;
use node::enrolment::{Invitation, OneTimeCode};
use node::tls::Address;
use node_feed::{CutTarget, Fact, HubId, NodeId, PublicKey, SecretKey};

pub use certificates::CertificatesStand;
pub use ending::Revocation;
pub use error::OperationError;
pub use health::{GapHealth, Health, HubHealth, NodeHealth, RefusalHealth, SpaceHealth};
pub(crate) use identity::NO_ACCESS;
pub(crate) use keeping::Kept;
pub use nodes::{AdmittedNode, ChosenEnd, NodeRevocation};
pub use operator_desk::OperatorDesk;
pub use waiting::{Attempt, Decided, Waiting};

use crate::authority_writer::AuthorityWriter;
use crate::certificates::Certificates;
use crate::server_certificate::ServerCertificate;

/// The operator's side of a coordinator.
#[derive(Debug, Clone)]
pub struct Operations {
    parts: Arc<Parts>,
}

#[derive(Debug)]
pub(crate) struct Parts {
    pub(crate) node: Node,
    pub(crate) authority: AuthorityWriter,
    pub(crate) registry: Arc<Registry>,
    pub(crate) root: PublicKey,
    pub(crate) address: Address,
    pub(crate) certificates: Arc<Certificates>,
    /// What the port shows, once it is open.
    pub(crate) server: OnceLock<Arc<ServerCertificate>>,
    /// What of the peers' visits and refusals is in the registry already.
    pub(crate) kept: Mutex<Kept>,
    /// When it was told last that a former node still has a session, in ms since 1970.
    pub(crate) told: Mutex<BTreeMap<NodeId, u64>>,
    /// Held while an operator decides on a request to connect: one after the other.
    pub(crate) deciding: Mutex<()>,
}

impl Operations {
    pub(crate) fn new(parts: Parts) -> Self {
        Self {
            parts: Arc::new(parts),
        }
    }

    /// The node that the coordinator is.
    pub fn node(&self) -> &Node {
        &self.parts.node
    }

    /// The writing end of the authority log.
    pub fn authority(&self) -> &AuthorityWriter {
        &self.parts.authority
    }

    /// The network's root key.
    pub fn root(&self) -> PublicKey {
        self.parts.root
    }

    /// The registry of invitations and certificates.
    pub fn registry(&self) -> &Arc<Registry> {
        &self.parts.registry
    }

    /// Invites a hub: names it in the authority log if it is new, and makes a one-time code. The
    /// node that uses it is admitted at once.
    ///
    /// # Errors
    /// [`OperationError`]; no code was made then.
    pub fn invite(&self, code: &str, name: &str, hours: u64) -> Result<Invitation, OperationError> {
        self.make_invitation(code, name, hours, Registry::invite)
    }

    /// Invites a hub as [`Operations::invite`] does; the node that uses the code waits until
    /// [`Operations::admit_waiting`].
    ///
    /// # Errors
    /// [`OperationError`]; no code was made then.
    pub fn invite_to_wait(
        &self,
        code: &str,
        name: &str,
        hours: u64,
    ) -> Result<Invitation, OperationError> {
        self.make_invitation(code, name, hours, Registry::invite_to_wait)
    }

    fn make_invitation(
        &self,
        code: &str,
        name: &str,
        hours: u64,
        keep: impl FnOnce(&Registry, HubId, &[u8; 16], u64, u64) -> Result<(), RegistryError>,
    ) -> Result<Invitation, OperationError> {
        check_code(code)?;
        let hub = match self.hub_by_code(code) {
            Some(hub) => {
                self.not_own(hub, code)?;
                self.not_revoked(hub, code)?;
                hub
            }
            None => {
                let hub = HubId::from_bytes(node::random());
                let fact = Fact::Hub {
                    hub,
                    code: code.to_owned(),
                    name: name.to_owned(),
                };
                self.parts.authority.write(&[fact])?;
                hub
            }
        };
        let one_time = OneTimeCode::generate()?;
        let now = now_ms();
        let expires_ms = now + hours * 3_600_000;
        keep(
            &self.parts.registry,
            hub,
            one_time.as_bytes(),
            expires_ms,
            now,
        )?;
        Ok(Invitation {
            network: self.parts.root.network(),
            root: self.parts.root,
            coordinator: self.parts.node.identity().public(),
            address: self.parts.address.clone(),
            authority_pem: self.parts.certificates.issuer().certificate_pem(),
            hub,
            hub_code: code.to_owned(),
            hub_name: name.to_owned(),
            code: one_time,
            expires_ms,
        })
    }

    /// Writes what makes `node` a node of `hub`, and the hub's first spaces. Asked again it
    /// changes nothing.
    ///
    /// # Errors
    /// [`OperationError`]; the node was not admitted then.
    pub fn admit(&self, hub: HubId, node: NodeId) -> Result<(), OperationError> {
        let authority = self.parts.node.authority();
        let record = authority
            .hubs()
            .get(&hub)
            .ok_or_else(|| OperationError::UnknownHub(hub.to_string()))?;
        // Its code still answers the node that used it, and it must not find its access again.
        self.not_revoked(hub, &record.code)?;
        let known = authority.nodes().get(&node);
        if known.is_some_and(|known| known.ended.is_some()) {
            return Err(OperationError::NodeRevoked(node));
        }
        let mut facts = Vec::new();
        if authority.hub_of(&node) != Some(hub) {
            facts.push(Fact::Node { hub, node });
        }
        self.first_spaces(&authority, hub, &record.name, &mut facts);
        if !facts.is_empty() {
            self.parts.authority.write(&facts)?;
        }
        Ok(())
    }

    /// Begins a new term of the authority log under the root key; see
    /// [`AuthorityWriter::take_over`].
    ///
    /// # Errors
    /// [`OperationError::Authority`].
    pub fn take_over(&self, root: &SecretKey, anyway: bool) -> Result<u64, OperationError> {
        let term = self.parts.authority.take_over(root, anyway)?;
        self.ensure_first_facts()?;
        self.note(Event::TakenOver, None, format!("term {term}"))?;
        Ok(term)
    }

    /// The hub with this code.
    pub fn hub_by_code(&self, code: &str) -> Option<HubId> {
        let authority = self.parts.node.authority();
        authority
            .hubs()
            .iter()
            .find(|(_, record)| record.code == code)
            .map(|(hub, _)| *hub)
    }

    fn known_hub(&self, code: &str) -> Result<HubId, OperationError> {
        self.hub_by_code(code)
            .ok_or_else(|| OperationError::UnknownHub(code.to_owned()))
    }

    /// The hub with this code, if it was not revoked.
    fn standing_hub(&self, code: &str) -> Result<HubId, OperationError> {
        let hub = self.known_hub(code)?;
        self.not_revoked(hub, code)?;
        Ok(hub)
    }

    fn not_revoked(&self, hub: HubId, code: &str) -> Result<(), OperationError> {
        if self.is_revoked(hub) {
            return Err(OperationError::Revoked(code.to_owned()));
        }
        Ok(())
    }

    fn is_revoked(&self, hub: HubId) -> bool {
        let authority = self.parts.node.authority();
        let mut cuts = authority.cuts().iter();
        cuts.any(|record| record.cut.target == CutTarget::Hub(hub))
    }

    fn not_own(&self, hub: HubId, code: &str) -> Result<(), OperationError> {
        if self.own_hub() == Some(hub) {
            return Err(OperationError::OwnHub(code.to_owned()));
        }
        Ok(())
    }

    /// Adds an audit line.
    fn note(&self, event: Event, hub: Option<HubId>, reason: String) -> Result<(), OperationError> {
        let time_ms = now_ms();
        self.parts.registry.note(&AuditLine {
            time_ms,
            event,
            hub,
            reason,
        })?;
        Ok(())
    }

    fn own_hub(&self) -> Option<HubId> {
        self.parts.node.hub()
    }
}

fn check_code(code: &str) -> Result<(), OperationError> {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if code.is_empty() || code.len() > 64 || !code.chars().all(fits) {
        return Err(OperationError::Code(code.to_owned()));
    }
    Ok(())
}
