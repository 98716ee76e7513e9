//! Audit lines: what was decided, when, for which hub and why.

use node_feed::HubId;
use rusqlite::{Connection, Row, params};

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
    /// A request to connect waits for an operator.
    RequestWaits,
    /// An operator admitted a waiting request.
    RequestAdmitted,
    /// An operator refused a waiting request.
    RequestRefused,
    /// A waiting request lapsed: nobody decided in time.
    RequestLapsed,
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
    /// Another authority signs certificates from now on.
    AuthorityReplaced,
    /// The authority before it is no longer accepted.
    AuthorityRetired,
    /// A key did not take the place of a node's, or did not have that one ended.
    SuccessionRefused,
}

impl Event {
    const ALL: [Self; 18] = [
        Self::Invited,
        Self::InvitationWithdrawn,
        Self::CodeUsed,
        Self::CodeRefused,
        Self::RequestWaits,
        Self::RequestAdmitted,
        Self::RequestRefused,
        Self::RequestLapsed,
        Self::CertificateIssued,
        Self::CertificateRefused,
        Self::SessionRefused,
        Self::EntryRefused,
        Self::Suspended,
        Self::AccessChanged,
        Self::TakenOver,
        Self::AuthorityReplaced,
        Self::AuthorityRetired,
        Self::SuccessionRefused,
    ];

    /// The event's name, as it is stored and shown.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Invited => "invited",
            Self::InvitationWithdrawn => "invitation withdrawn",
            Self::CodeUsed => "code used",
            Self::CodeRefused => "code refused",
            Self::RequestWaits => "request waits",
            Self::RequestAdmitted => "request admitted",
            Self::RequestRefused => "request refused",
            Self::RequestLapsed => "request lapsed",
            Self::CertificateIssued => "certificate issued",
            Self::CertificateRefused => "certificate refused",
            Self::SessionRefused => "session refused",
            Self::EntryRefused => "entry refused",
            Self::Suspended => "suspended",
            Self::AccessChanged => "access changed",
            Self::TakenOver => "authority taken over",
            Self::AuthorityReplaced => "certificate authority replaced",
            Self::AuthorityRetired => "certificate authority retired",
            Self::SuccessionRefused => "succession refused",
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
        add(&self.lock(), line)?;
        self.wrote();
        Ok(())
    }

    /// Up to `count` audit lines after that number, the oldest first, each with its number. Numbers are
    /// never used again.
    ///
    /// # Errors
    /// [`RegistryError`] if they cannot be read.
    pub fn audit_after(
        &self,
        after: u64,
        count: u32,
    ) -> Result<Vec<(u64, AuditLine)>, RegistryError> {
        let connection = self.lock();
        let mut statement = connection.prepare_cached(
            "SELECT time_ms, event, hub, reason, id FROM audit WHERE id > ?1 ORDER BY id LIMIT ?2",
        )?;
        let rows = statement.query_map(params![stored(after), count], |row| {
            Ok((read(row.get(4)?), line(row)))
        })?;
        rows.map(|row| {
            let (number, line) = row?;
            Ok((number, line?))
        })
        .collect()
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
        let rows = statement.query_map([count], |row| Ok(line(row)))?;
        rows.map(|row| row?).collect()
    }

    /// The attempts to connect that came to nothing, the newest first: codes that were refused,
    /// requests that were refused or lapsed, and nodes that could not be admitted. No more than
    /// [`Registry::ATTEMPTS_MAX`].
    ///
    /// # Errors
    /// [`RegistryError`] if they cannot be read.
    pub fn attempts(&self) -> Result<Vec<AuditLine>, RegistryError> {
        let connection = self.lock();
        let mut statement = connection.prepare_cached(
            "SELECT time_ms, event, hub, reason FROM audit
             WHERE event IN (?1, ?2, ?3) OR (event = ?4 AND hub IS NOT NULL)
             ORDER BY id DESC LIMIT ?5",
        )?;
        let rows = statement.query_map(
            params![
                Event::CodeRefused.name(),
                Event::RequestRefused.name(),
                Event::RequestLapsed.name(),
                Event::CertificateRefused.name(),
                Self::ATTEMPTS_MAX
            ],
            |row| Ok(line(row)),
        )?;
        rows.map(|row| row?).collect()
    }

    /// Lines kept of what anybody who can reach the port may cause, each kind apart; the oldest
    /// go first.
    pub const ATTEMPTS_MAX: u32 = 500;
}

fn line(row: &Row<'_>) -> Result<AuditLine, RegistryError> {
    let name: String = row.get(1)?;
    let event = Event::ALL.into_iter().find(|event| event.name() == name);
    Ok(AuditLine {
        time_ms: read(row.get(0)?),
        event: event.ok_or(RegistryError::Row("an unknown event"))?,
        hub: row.get::<_, Option<_>>(2)?.map(HubId::from_bytes),
        reason: row.get(3)?,
    })
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
    if matches!(
        line.event,
        Event::CodeRefused | Event::CertificateRefused | Event::SuccessionRefused
    ) {
        connection
            .prepare_cached(
                "DELETE FROM audit WHERE event = ?1 AND id <= (
                     SELECT id FROM audit WHERE event = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)",
            )?
            .execute(params![line.event.name(), Registry::ATTEMPTS_MAX])?;
    }
    Ok(())
}
