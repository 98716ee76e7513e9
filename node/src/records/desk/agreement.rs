//! Data agreements, as whoever signs one reads them first.

use std::collections::BTreeSet;

use node_document::Document;
use node_domain::{Object, PROJECT_WORK};

use super::{Desk, Known};
use crate::records::{RecordId, RecordsError, parse_space};

impl Desk {
    /// The fields that a project's data agreement lists and this hub has not signed.
    ///
    /// # Errors
    /// [`RecordsError::Role`] if the role does not see the project's record.
    pub fn unsigned_fields(&self, id: &str) -> Result<Vec<String>, RecordsError> {
        let reached = self.reached(id, &Known::default())?;
        let node = &self.node;
        let (Some(hub), Some(coordinator)) = (node.hub(), node.coordinator_hub()) else {
            return Ok(Vec::new());
        };
        let RecordId::Document(document) = reached.found.id else {
            return Ok(Vec::new());
        };
        // The agreement stands in the record that the coordinator made: another's is none.
        if *reached.kind != PROJECT_WORK || document.owner() != coordinator {
            return Ok(Vec::new());
        }
        let code = node.own_code();
        let work =
            |document: &mut Document| node_domain::unsigned(document, (&code, hub), coordinator);
        let (library, storage) = (&node.inner.library, &node.inner.storage);
        let unsigned = library.with(storage, reached.found.space, document, work)?;
        Ok(unsigned.map_or_else(Vec::new, |unsigned| unsigned.fields))
    }

    /// What would leave of a record for a project if this hub signed an agreement on these fields.
    /// Nothing is written and nothing leaves.
    ///
    /// # Errors
    /// As for [`Desk::publish_preview`], but for the agreement.
    pub fn sample_message(
        &self,
        id: &str,
        space: &str,
        agreed: &BTreeSet<String>,
    ) -> Result<Object, RecordsError> {
        let reached = self.may_publish(id)?;
        self.node
            .sample_message(&reached.found, parse_space(space)?, agreed)
    }
}
