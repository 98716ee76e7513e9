//! Making a record once, however often it is asked for.

use node_domain::Kind as RecordKind;
use node_feed::HubId;

use super::change::{CreatedRecord, id_of};
use super::{RecordId, RecordsError, parse_object, record_kind};
use crate::Node;
use crate::author::WriteError;

impl Node {
    /// Makes a record as [`Node::create_record`] does, under an id that follows from a key of the caller's and from what the record says:
    /// where it was made under it before, it is not made again.
    pub(crate) fn create_record_once(
        &self,
        kind: &str,
        space: &str,
        json: &str,
        key: &str,
    ) -> Result<CreatedRecord, RecordsError> {
        let kind = record_kind(kind)?;
        let values = parse_object(json)?;
        let space = self.space_for(kind, space)?;
        let hub = self.hub().ok_or(WriteError::NoAccess)?;
        let id = id_under(hub, kind, &[key, json]);
        match self.find_record(&id.to_string()) {
            Err(RecordsError::Missing(_)) => {}
            Err(error) => return Err(error),
            Ok(found) => {
                return Ok(CreatedRecord {
                    id,
                    space: found.space,
                    notes: Vec::new(),
                });
            }
        }
        self.check_by_hand(kind, space, None, values.keys().map(String::as_str))?;
        self.check_references(&node_domain::references_in(kind, &values))?;
        self.create_as(kind, space, id, &values, false)
    }
}

/// The id that follows from these parts.
fn id_under(hub: HubId, kind: &RecordKind, parts: &[&str]) -> RecordId {
    let mut hasher = blake3::Hasher::new();
    for part in [&["causeway record made once", kind.name], parts].concat() {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part.as_bytes());
    }
    let mut bytes = [0; 15];
    hasher.finalize_xof().fill(&mut bytes);
    id_of(hub, kind, bytes)
}
