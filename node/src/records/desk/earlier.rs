//! Records as a page showed them, and what came in since.

use node_document::{CardView, Document, Heads, Revision};
use node_domain::{CardRecord, Object};
use serde_json::{Value, json};

use super::{Desk, Known};
use crate::cards;
use crate::records::change::parse_heads;
use crate::records::{RecordId, RecordsError};

impl Desk {
    /// The code of this hub; empty before it is connected.
    pub fn own_hub(&self) -> String {
        self.node.own_code()
    }

    /// The fields of a record that the role sees, as they stood at the heads from which a page was
    /// made.
    ///
    /// # Errors
    /// [`RecordsError::Heads`] if they are not known here, [`RecordsError::Role`] if the role does
    /// not see the record.
    pub fn fields_at(&self, id: &str, heads: &str) -> Result<Object, RecordsError> {
        let reached = self.reached(id, &Known::default())?;
        let heads = parse_heads(heads)?.ok_or(RecordsError::Heads)?;
        let (found, kind) = (reached.found, reached.kind);
        let mut fields = match found.id {
            RecordId::Document(document) => {
                let read = |document: &mut Document| {
                    let view = document.view_at(&heads)?;
                    Some(node_domain::read(&view.whole(), kind))
                };
                let (library, storage) = (&self.node.inner.library, &self.node.inner.storage);
                library
                    .with(storage, found.space, document, read)?
                    .ok_or(RecordsError::Heads)?
            }
            RecordId::Card(card) => {
                let revisions = cards::revisions(&self.node.inner, found.space, card)?;
                shown_at(&revisions, &heads)?.fields
            }
        };
        self.node.name_hubs(kind, &mut fields);
        Ok(node_domain::visible(reached.may, kind, fields))
    }

    /// What came into a record between the heads from which a page was made and those at which it
    /// was saved, of the fields that the role sees: each as in [`Desk::history`].
    ///
    /// # Errors
    /// As for [`Desk::fields_at`].
    pub fn changes_between(
        &self,
        id: &str,
        earlier: &str,
        later: &str,
    ) -> Result<Vec<Value>, RecordsError> {
        let reached = self.reached(id, &Known::default())?;
        let heads = |text: &str| parse_heads(text)?.ok_or(RecordsError::Heads);
        let (earlier, later) = (heads(earlier)?, heads(later)?);
        let (found, kind) = (reached.found, reached.kind);
        let mut told = match found.id {
            RecordId::Document(document) => {
                let steps = |document: &mut Document| {
                    node_domain::history_between(&document.view(), kind, &earlier, &later)
                };
                let (library, storage) = (&self.node.inner.library, &self.node.inner.storage);
                let steps = library.with(storage, found.space, document, steps)?;
                let told = steps.into_iter().map(|step| {
                    json!({
                        "field": step.path, "label": step.label, "value": step.value,
                        "hub": self.node.hub_code(step.author.hub), "time_ms": step.author.time_ms,
                    })
                });
                told.collect::<Vec<_>>()
            }
            RecordId::Card(card) => {
                let revisions = cards::revisions(&self.node.inner, found.space, card)?;
                let before = shown_at(&revisions, &earlier)?;
                let new = revisions.iter().filter(|revision| {
                    let hash = revision.hash.as_bytes();
                    later.hashes().contains(hash) && !earlier.hashes().contains(hash)
                });
                let mut told = Vec::new();
                for revision in new {
                    let Ok(after) = CardRecord::decode(&revision.body) else {
                        continue;
                    };
                    for field in kind.fields {
                        let value = after.fields.get(field.name);
                        if value != before.fields.get(field.name) {
                            told.push(json!({
                                "field": field.name, "label": field.label,
                                "value": value.unwrap_or(&Value::Null),
                                "hub": self.node.hub_code(revision.hub),
                                "time_ms": revision.time_ms,
                            }));
                        }
                    }
                }
                told
            }
        };
        told.retain(|step| reached.reads(step["field"].as_str().unwrap_or_default()));
        Ok(told)
    }
}

/// What a page showed of a card.
fn shown_at(revisions: &[Revision], heads: &Heads) -> Result<CardRecord, RecordsError> {
    let view: Option<CardView> = cards::view_at(revisions, heads);
    let view = view.ok_or(RecordsError::Heads)?;
    CardRecord::shown(&view).ok_or(RecordsError::Heads)
}
