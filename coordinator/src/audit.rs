//! The register's audit lines in the node's audit log.
//!
//! They stand in the register first, durable with what they tell of, where pages show them.

use std::sync::{Arc, Weak};

use coordinator_registry::{AuditLine, Event, Registry, RegistryError};
use node::audit::Line;
use node::{Node, StoreAccessError};

/// Where the lines come from, as the log remembers it.
const SOURCE: &str = "registry";
/// How many are taken in together.
const TOGETHER: u32 = 500;

/// Takes in what is there, and from now on whatever comes.
pub(crate) fn take_in(registry: &Arc<Registry>, node: &Node) {
    let (here, to) = (Arc::downgrade(registry), node.clone());
    registry.tell(move || take_in_new(&here, &to));
    take_in_new(&Arc::downgrade(registry), node);
}

/// Why lines are not taken in yet.
#[derive(Debug, thiserror::Error)]
enum TakeError {
    #[error(transparent)]
    Registry(#[from] RegistryError),
    #[error(transparent)]
    Log(#[from] StoreAccessError),
}

fn take_in_new(registry: &Weak<Registry>, node: &Node) {
    let Some(registry) = registry.upgrade() else {
        return;
    };
    let taken = node.take_in_audit(SOURCE, |after| {
        let lines = registry.audit_after(after, TOGETHER)?.into_iter();
        let lines = lines.map(|(number, line)| (number, told(node, line)));
        Ok::<_, TakeError>(lines.collect())
    });
    if let Err(error) = taken {
        // They stand durably where they are, and are taken in at the next occasion.
        tracing::error!(%error, "the audit log lacks lines of the register until it can be written");
    }
}

/// What of a line the log tells: nothing that an operator typed. None for what the node itself notes.
fn told(node: &Node, line: AuditLine) -> Option<Line> {
    let mut fields = Vec::new();
    if let Some(hub) = line.hub {
        let authority = node.authority();
        let code = authority.hubs().get(&hub).map(|it| it.code.clone());
        fields.push(("hub", code.unwrap_or_else(|| hub.to_string())));
    }
    let why = match line.event {
        Event::SessionRefused | Event::EntryRefused => return None,
        // The reason that a hub reads is an operator's own words.
        Event::RequestRefused => None,
        Event::Suspended if line.reason.starts_with("suspended") => Some("suspended".to_owned()),
        Event::Invited
        | Event::InvitationWithdrawn
        | Event::CodeUsed
        | Event::CodeRefused
        | Event::RequestWaits
        | Event::RequestAdmitted
        | Event::RequestLapsed
        | Event::CertificateIssued
        | Event::CertificateRefused
        | Event::Suspended
        | Event::AccessChanged
        | Event::TakenOver
        | Event::AuthorityReplaced
        | Event::AuthorityRetired
        | Event::SuccessionRefused => Some(line.reason),
    };
    fields.extend(why.filter(|why| !why.is_empty()).map(|why| ("why", why)));
    let refused = matches!(
        line.event,
        Event::CodeRefused | Event::CertificateRefused | Event::SuccessionRefused
    );
    Some(Line {
        time_ms: line.time_ms,
        kind: line.event.name().to_owned(),
        fields,
        refused,
    })
}
