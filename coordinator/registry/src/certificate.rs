//! Certificates that were issued.

use node_feed::{HubId, NodeId};
use rusqlite::{ErrorCode, params};

use crate::audit::{self, AuditLine, Event};
use crate::error::RegistryError;
use crate::registry::{Registry, read, stored};

/// One certificate, as issued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateRecord {
    /// Its serial number.
    pub serial: [u8; 16],
    /// The node that it names.
    pub node: NodeId,
    /// The node's hub when it was issued.
    pub hub: HubId,
    /// When it was issued, in ms since 1970.
    pub issued_ms: u64,
    /// When it ends, in ms since 1970.
    pub not_after_ms: u64,
}

impl Registry {
    /// Records a certificate, durably; to be called before it is handed out.
    ///
    /// # Errors
    /// [`RegistryError::SerialTaken`] if the serial number is in use, [`RegistryError::Sqlite`]
    /// if it cannot be stored.
    pub fn record_certificate(&self, record: &CertificateRecord) -> Result<(), RegistryError> {
        self.write(|transaction| {
            transaction
                .execute(
                    "INSERT INTO certificates (serial, node, hub, issued_ms, not_after_ms)
                     VALUES (?1, ?2, ?3, ?4, ?5)",
                    params![
                        record.serial,
                        record.node.as_bytes(),
                        record.hub.as_bytes(),
                        stored(record.issued_ms),
                        stored(record.not_after_ms),
                    ],
                )
                .map_err(|error| match error.sqlite_error_code() {
                    Some(ErrorCode::ConstraintViolation) => RegistryError::SerialTaken,
                    Some(_) | None => error.into(),
                })?;
            let line = AuditLine {
                time_ms: record.issued_ms,
                event: Event::CertificateIssued,
                hub: Some(record.hub),
                reason: String::new(),
            };
            audit::add(transaction, &line)
        })
    }

    /// The certificates issued for `hub`, the newest first.
    ///
    /// # Errors
    /// [`RegistryError`] if they cannot be read.
    pub fn certificates(&self, hub: HubId) -> Result<Vec<CertificateRecord>, RegistryError> {
        let connection = self.lock();
        let mut statement = connection.prepare_cached(
            "SELECT serial, node, issued_ms, not_after_ms FROM certificates
             WHERE hub = ?1 ORDER BY issued_ms DESC, serial",
        )?;
        let rows = statement.query_map([hub.as_bytes()], |row| {
            Ok(CertificateRecord {
                serial: row.get(0)?,
                node: NodeId::from_bytes(row.get(1)?),
                hub,
                issued_ms: read(row.get(2)?),
                not_after_ms: read(row.get(3)?),
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}
