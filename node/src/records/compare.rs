//! Kept copies of a record beside each other: what a release changed.

use node_document::Document;
use node_domain::Object;
use serde_json::{Value, json};

use super::{RecordId, RecordsError};
use crate::Node;

impl Node {
    /// How two kept copies of a record differ, such as two releases of a protocol: each field that
    /// says something else, with what it said and says.
    ///
    /// # Errors
    /// [`RecordsError::Refused`] if the record keeps no such copy, or one is not what its hash says.
    pub fn compare_copies(
        &self,
        id: &str,
        earlier: i64,
        later: i64,
    ) -> Result<Value, RecordsError> {
        let found = self.find_record(id)?;
        let RecordId::Document(document) = found.id else {
            return Err(RecordsError::Refused("a card keeps no copies".to_owned()));
        };
        let (library, storage) = (&self.inner.library, &self.inner.storage);
        let (kind, copies) =
            library.with(storage, found.space, document, |it: &mut Document| {
                let view = it.view();
                let kind = node_domain::kind_of(&view)?;
                Ok::<_, RecordsError>((kind, node_domain::frozen_copies(&view, kind)))
            })??;
        let content = |version: i64| -> Result<Object, RecordsError> {
            let copy = copies.iter().find(|copy| copy.version == version);
            let copy = copy.ok_or_else(|| {
                let known = copies.iter().map(|copy| copy.version.to_string());
                let known = known.collect::<Vec<_>>().join(", ");
                RecordsError::Refused(format!(
                    "this record keeps no copy with version {version}; it keeps: {known}"
                ))
            })?;
            if !copy.genuine {
                return Err(RecordsError::Refused(format!(
                    "version {version} is not what its hash says, so it is not compared"
                )));
            }
            Ok(copy.content.clone())
        };
        let differences = node_domain::differences(kind, &content(earlier)?, &content(later)?);
        Ok(json!(differences))
    }
}
