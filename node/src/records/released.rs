//! What guests see: nothing before it was released, and then exactly that.

use node_document::Document;
use serde_json::{Value, json};

use super::{RecordId, RecordsError};
use crate::Node;

/// Where it is kept what a reader was told last.
const SEEN: &str = "released/";

impl Node {
    /// What a guest sees of a record: none before anything was released, then the fields that
    /// guests may see and each released text with the number of hubs that endorse exactly it. A
    /// corrected text is marked, and `reader` is told so once.
    ///
    /// # Errors
    /// [`RecordsError::Missing`] if there is none with this id here.
    pub fn show_released(&self, id: &str, reader: &str) -> Result<Option<Value>, RecordsError> {
        let found = self.find_record(id)?;
        let RecordId::Document(document) = found.id else {
            return Ok(None);
        };
        let (library, storage) = (&self.inner.library, &self.inner.storage);
        let released =
            library.with(storage, found.space, document, |document: &mut Document| {
                let kind = node_domain::kind_of(&document.view())?;
                let Some(released) = node_domain::released(document, kind) else {
                    return Ok::<_, RecordsError>(None);
                };
                Ok(Some(released))
            })??;
        let Some(released) = released else {
            return Ok(None);
        };
        let texts = released.copies.iter().map(|text| {
            // An endorsement counts in the endorsing hub's own hand alone.
            let endorsed_by = text.endorsed.iter();
            let endorsed_by = endorsed_by
                .filter(|endorsed| self.hub_code(endorsed.hub) == endorsed.element)
                .map(|endorsed| endorsed.element.clone())
                .collect::<Vec<_>>();
            json!({
                "version": text.version, "on": text.on, "hash": text.hash, "text": text.text,
                "endorsed": endorsed_by.len(), "endorsed_by": endorsed_by,
                "changed_from": text.changed_from, "taken_away": text.taken_away, "added": text.added,
            })
        });
        let texts = texts.collect::<Vec<_>>();
        let newest = released.copies.last().map_or(0, |text| text.version);
        let news = self.tell_once(id, reader, newest)?;
        Ok(Some(
            json!({ "fields": released.fields, "texts": texts, "news": news }),
        ))
    }

    /// Whether `reader` was not told of this version yet; from now on they were.
    fn tell_once(&self, id: &str, reader: &str, version: i64) -> Result<bool, RecordsError> {
        if reader.is_empty() {
            return Ok(false);
        }
        let key = format!("{SEEN}{id}/{reader}");
        let seen = self
            .inner
            .storage
            .read(|store| node_store::ReadStore::setting(store, &key))?;
        let seen = seen
            .and_then(|seen| <[u8; 8]>::try_from(seen.as_ref()).ok())
            .map_or(0, i64::from_le_bytes);
        if seen >= version {
            return Ok(false);
        }
        self.inner
            .storage
            .set_setting(&key, Some(&version.to_le_bytes()))?;
        Ok(true)
    }
}
