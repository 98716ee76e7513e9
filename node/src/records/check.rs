//! Checking a record before the place where it will stand exists.

use node_document::{Author, Document};
use node_domain::{By, CardRecord, Form, GROUP_SUMMARY};
use node_feed::{DocumentId, HubId, Nonce};

use super::{RecordsError, parse_object, record_kind};
use crate::random;

/// Checks that a record of `kind` could be made from a JSON object of fields.
///
/// # Errors
/// [`RecordsError`], as [`Node::create_record`](crate::Node::create_record) would answer.
pub fn check_record(kind: &str, json: &str) -> Result<(), RecordsError> {
    let kind = record_kind(kind)?;
    let values = parse_object(json)?;
    match kind.form {
        Form::Card => {
            CardRecord::new(kind, &values, false)?;
        }
        Form::Document => {
            // Written to a document that is thrown away.
            let hub = HubId::from_bytes([0; 8]);
            let author = Author {
                writer: [0; 32],
                hub,
                nonce: Nonce([0; 16]),
            };
            let by = By {
                author,
                time_ms: 0,
                random: random(),
                program: false,
            };
            let document = Document::new(DocumentId::new(hub, kind.writers, random()));
            node_domain::create(&document, kind, &values, &by)?;
        }
    }
    Ok(())
}

/// Checks that a data agreement can list these fields: they must be fields of group summaries.
///
/// # Errors
/// [`RecordsError::Agreement`] names the first that is not, and all that are.
pub fn check_agreed(fields: &[String]) -> Result<(), RecordsError> {
    let unknown = fields
        .iter()
        .find(|name| GROUP_SUMMARY.field(name).is_none());
    let Some(unknown) = unknown else {
        return Ok(());
    };
    let known = GROUP_SUMMARY.fields.iter().map(|field| field.name);
    Err(RecordsError::Agreement(format!(
        "\"{unknown}\" is no field of group summaries; a data agreement can list {}",
        known.collect::<Vec<_>>().join(", ")
    )))
}
