//! Audit lines: what was decided, when, for which hub and why.

use node_feed::HubId;
use rusqlite::{Connection, params};

use crate::error::RegistryError;
use crate::registry::{Registry, read, stored};

/// What an audit line tells of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// An invitation was made.
    Invited,
    /// Open invitations were withdrawn.
    InvitationWithdrawn,
    /// A code was used for the first time, or again by the same node.
    CodeUsed,
    /// A code was refused.
    CodeRefused,
    /// A certificate was issued.
    CertificateIssued,
    /// A certificate was refused, at enrolment or renewal.
    CertificateRefused,
    /// A session was refused.
    SessionRefused,
    /// Entries were refused.
    EntryRefused,
    /// A hub's sessions were suspended, or let in again.
    Suspended,
    /// Access was given to, changed for or taken from a hub.
    AccessChanged,
    /// The authority was taken over under the root key.
    TakenOver,
}

impl Event {
    const ALL: [Self; 11] = [
        Self::Invited,
        Self::InvitationWithdrawn,
        Self::CodeUsed,
        Self::CodeRefused,
        Self::CertificateIssued,
        Self::CertificateRefused,
        Self::SessionRefused,
        Self::EntryRefused,
        Self::Suspended,
        Self::AccessChanged,
        Self::TakenOver,
    ];

    /// The event's name, as it is stored and shown.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Invited => "invited",
            Self::InvitationWithdrawn => "invitation withdrawn",
            Self::CodeUsed => "code used",
            Self::CodeRefused => "code refused",
            Self::CertificateIssued => "certificate issued",
            Self::CertificateRefused => "certificate refused",
            Self::SessionRefused => "session refused",
            Self::EntryRefused => "entry refused",
            Self::Suspended => "suspended",
            Self::AccessChanged => "access changed",
            Self::TakenOver => "authority taken over",
        }
    }
}

/// One audit line. Holds no code, no key and no name of a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditLine {
    /// When, in ms since 1970.
    pub time_ms: u64,
    /// What.
    pub event: Event,
    /// The hub that it is about, if one is known.
    pub hub: Option<HubId>,
    /// Why, in a few words; empty where the event says all.
    pub reason: String,
}

impl Registry {
    /// Adds an audit line.
    ///
    /// # Errors
    /// [`RegistryError::Sqlite`] if it cannot be stored.
    pub fn note(&self, line: &AuditLine) -> Result<(), RegistryError> {
        add(&self.lock(), line)
    }

    /// The latest `count` audit lines, the newest first.
    ///
    /// # Errors
    /// [`RegistryError`] if they cannot be read.
    pub fn audit(&self, count: u32) -> Result<Vec<AuditLine>, RegistryError> {
        let connection = self.lock();
        let mut statement = connection.prepare_cached(
            "SELECT time_ms, event, hub, reason FROM audit ORDER BY id DESC LIMIT ?1",
        )?;
        let rows = statement.query_map([count], |row| {
            let name: String = row.get(1)?;
            let hub: Option<[u8; 8]> = row.get(2)?;
            Ok((row.get(0)?, name, hub, row.get(3)?))
        })?;
        rows.map(|row| {
            let (time_ms, name, hub, reason) = row?;
            let event = Event::ALL.into_iter().find(|event| event.name() == name);
            Ok(AuditLine {
                time_ms: read(time_ms),
                event: event.ok_or(RegistryError::Row("an unknown event"))?,
                hub: hub.map(HubId::from_bytes),
                reason,
            })
        })
        .collect()
    }
}

/// Adds an audit line within the caller's transaction.
pub(crate) fn add(connection: &Connection, line: &AuditLine) -> Result<(), RegistryError> {
    connection
        .prepare_cached("INSERT INTO audit (time_ms, event, hub, reason) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![
            stored(line.time_ms),
            line.event.name(),
            line.hub.as_ref().map(HubId::as_bytes),
            line.reason,
        ])?;
    Ok(())
}
