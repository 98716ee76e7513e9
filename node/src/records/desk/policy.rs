//! What a hub decides about the devices of those who work for it.

use node_domain::HUB_PROFILE;
use serde_json::Value;

use super::Desk;
use crate::records::{Find, RecordsError};

impl Desk {
    /// Whether personal data may be kept on portable devices: only where the hub's own profile
    /// says so. Whoever works for the hub is bound by it, whether or not they see the profile.
    ///
    /// # Errors
    /// [`RecordsError::Store`].
    pub fn keeps_personal_data(&self) -> Result<bool, RecordsError> {
        let find = Find {
            kind: HUB_PROFILE.name.to_owned(),
            ..Find::default()
        };
        for record in self.node.find_records(&find)?.records {
            if Some(record.id.subject().owner()) != self.node.hub() {
                continue;
            }
            let (_, fields) = self.node.record_fields_in(record.space, record.id)?;
            if fields.get("offline_personal_data") == Some(&Value::Bool(true)) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
